#include "kernels/elementwise.h"
#include "common.h"

#include <float.h>
#include <math.h>

static double
ref_relu (double x, double a, double b)
{
  return x < 0 ? 0 : x;
}
static double
ref_clip (double x, double a, double b)
{
  return isnan (x) ? x : fmin (fmax (x, a), b);
}
static double
ref_leaky_relu (double x, double a, double b)
{
  return x < 0 ? a * x : x;
}
static double
ref_elu (double x, double a, double b)
{
  return x < 0 ? a * expm1 (x) : x;
}
static double
ref_selu (double x, double a, double b)
{
  return b * (x < 0 ? a * expm1 (x) : x);
}
static double
ref_celu (double x, double a, double b)
{
  return x < 0 ? a * expm1 (x / a) : x;
}
static double
ref_thresholded_relu (double x, double a, double b)
{
  return x > a ? x : 0;
}
static double
ref_sigmoid (double x, double a, double b)
{
  return 1 / (1 + exp (-x));
}
static double
ref_hard_sigmoid (double x, double a, double b)
{
  return ref_clip (a * x + b, 0, 1);
}
static double
ref_hard_swish (double x, double a, double b)
{
  return x * ref_clip (x / 6 + 0.5, 0, 1);
}
static double
ref_tanh (double x, double a, double b)
{
  return tanh (x);
}
static double
ref_softplus (double x, double a, double b)
{
  return x > 40 ? x : log1p (exp (x));
}
static double
ref_softsign (double x, double a, double b)
{
  return x / (1 + fabs (x));
}
static double
ref_erf (double x, double a, double b)
{
  return erf (x);
}
static double
ref_gelu (double x, double a, double b)
{
  return 0.5 * x * (1 + erf (x * M_SQRT1_2));
}
static double
ref_mish (double x, double a, double b)
{
  return x * tanh (ref_softplus (x, 0, 0));
}
static double
ref_silu (double x, double a, double b)
{
  return x / (1 + exp (-x));
}
static double
ref_exp (double x, double a, double b)
{
  return exp (x);
}
static double
ref_log (double x, double a, double b)
{
  return log (x);
}
static double
ref_sqrt (double x, double a, double b)
{
  return sqrt (x);
}
static double
ref_reciprocal (double x, double a, double b)
{
  return 1 / x;
}
static double
ref_neg (double x, double a, double b)
{
  return -x;
}
static double
ref_abs (double x, double a, double b)
{
  return fabs (x);
}
static double
ref_sign (double x, double a, double b)
{
  return x > 0 ? 1 : x < 0 ? -1 : x;
}
static double
ref_floor (double x, double a, double b)
{
  return floor (x);
}
static double
ref_ceil (double x, double a, double b)
{
  return ceil (x);
}
static double
ref_round (double x, double a, double b)
{
  return rint (x);
}
static double
ref_linear (double x, double a, double b)
{
  return a * x + b;
}

/* Arguments low … high; errors in units of the last place of the float nearest to the exact result,
 * after `absolute` has been taken off where a function is a difference of nearly equal numbers. */
typedef struct Function {
  const char *name;
  double (*reference) (double x, double a, double b);
  double ulps, absolute;
  float a, b;
  double low, high;
} Function;

static const Function functions[] = {
    {"relu", ref_relu, 0, 0, 0, 0, -FLT_MAX, FLT_MAX},
    {"clip", ref_clip, 0, 0, -1.5f, 6, -FLT_MAX, FLT_MAX},
    {"leaky_relu", ref_leaky_relu, 0.51, 0, 0.01f, 0, -1e30, FLT_MAX},
    {"elu", ref_elu, 4, 0, 0.75f, 0, -FLT_MAX, FLT_MAX},
    {"selu", ref_selu, 4, 0, 1.67326319f, 1.05070102f, -1e30, 1e30},
    {"celu", ref_celu, 4, 0, 0.5f, 0, -1e30, FLT_MAX},
    {"thresholded_relu", ref_thresholded_relu, 0, 0, 1.25f, 0, -FLT_MAX, FLT_MAX},
    {"sigmoid", ref_sigmoid, 4, 0, 0, 0, -86, FLT_MAX},
    {"hard_sigmoid", ref_hard_sigmoid, 2, 6e-8, 0.2f, 0.5f, -1e30, 1e30},
    {"hard_swish", ref_hard_swish, 2, 4e-7, 0, 0, -1e30, 1e30},
    {"tanh", ref_tanh, 3, 0, 0, 0, -FLT_MAX, FLT_MAX},
    {"softplus", ref_softplus, 4, 0, 0, 0, -86, FLT_MAX},
    {"softsign", ref_softsign, 2, 0, 0, 0, -1e30, 1e30},
    {"erf", ref_erf, 4, 0, 0, 0, -FLT_MAX, FLT_MAX},
    {"gelu", ref_gelu, 4, 4e-7, 0, 0, -1e30, 1e30},
    {"mish", ref_mish, 6, 0, 0, 0, -80, FLT_MAX},
    {"silu", ref_silu, 4, 0, 0, 0, -80, FLT_MAX},
    {"exp", ref_exp, 2, 0, 0, 0, -87, FLT_MAX},
    {"log", ref_log, 2, 0, 0, 0, FLT_MIN, FLT_MAX},
    {"sqrt", ref_sqrt, 0.51, 0, 0, 0, FLT_MIN, FLT_MAX},
    {"reciprocal", ref_reciprocal, 0.51, 0, 0, 0, 1e-37, 1e37},
    {"neg", ref_neg, 0, 0, 0, 0, -FLT_MAX, FLT_MAX},
    {"abs", ref_abs, 0, 0, 0, 0, -FLT_MAX, FLT_MAX},
    {"sign", ref_sign, 0, 0, 0, 0, -FLT_MAX, FLT_MAX},
    {"floor", ref_floor, 0, 0, 0, 0, -FLT_MAX, FLT_MAX},
    {"ceil", ref_ceil, 0, 0, 0, 0, -FLT_MAX, FLT_MAX},
    {"round", ref_round, 0, 0, 0, 0, -FLT_MAX, FLT_MAX},
    {"linear", ref_linear, 2, 1e-6, 1.75f, -0.3f, -1e30, 1e30},
};

/* The floats of both signs from the least normal one up, in even steps of their bit pattern, and as
 * many in even steps over -100 … 100, where most of these functions bend. */
static size_t
sample_floats (const Function *f, float *x, size_t count)
{
  const guint32 least = 0x00800000u, infinity = 0x7f800000u;
  size_t n = 0, third = count / 3;

  for (size_t i = 0; i < count; i++) {
    guint32 bits = least + (guint32)((guint64)(i % third) * (infinity - least) / third);
    float value;
    bits |= i < third ? 0x80000000u : 0;
    memcpy (&value, &bits, sizeof value);
    if (i >= 2 * third)
      value = -100.0f + 200.0f * (float)(i - 2 * third) / (float)third;
    if ((double)value >= f->low && (double)value <= f->high)
      x[n++] = value;
  }
  return n;
}

static void
check_accuracy (const SlKernelSet *set, const Function *f)
{
  enum { COUNT = 300000 };
  float *x = new_floats (COUNT), *y = new_floats (COUNT);
  SlUnaryParams p = {.rows = 1, .a = f->a, .b = f->b};
  double worst = 0, flushed = (double)FLT_MIN; /* kernels run with denormals as zeros */

  p.cols = p.in_stride = p.out_stride = sample_floats (f, x, COUNT);
  run_kernel (set, f->name, &p, (void *[]){x, y}, 1, p.cols * sizeof (float));
  for (size_t i = 0; i < p.cols; i++) {
    double e = f->reference (x[i], f->a, f->b), g = y[i];
    float nearest = (float)e;
    if (isinf (nearest)) {
      if (g != (double)nearest && !(fabs (e) < (double)FLT_MAX * 1.000001))
        g_error ("%s (%.9g) is %.9g, expected %.9g", f->name, x[i], g, e);
      continue;
    }
    double unit = MAX (fabs ((double)nextafterf (nearest, INFINITY) - (double)nearest), 0x1p-149);
    double ulps = MAX (0, fabs (g - e) - f->absolute - flushed) / unit;
    if (!(ulps <= f->ulps))
      g_error ("%s (%.9g) is %.9g, expected %.9g: %.2f units of the last place, allowed %.2f",
               f->name, x[i], g, e, ulps, f->ulps);
    worst = MAX (worst, ulps);
  }
  g_test_message ("%s: at most %.2f units of the last place", f->name, worst);
}

static void
test_accuracy (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (functions); i++)
    check_accuracy (set, &functions[i]);
}

/* Zeros, infinities and NaN, where libm and ONNX agree on the outcome. */
static void
test_special (const SlKernelSet *set)
{
  const float in[] = {0, INFINITY, -INFINITY, NAN};
  const struct {
    const char *name;
    float out[4];
  } rows[] = {
      {"relu", {0, INFINITY, 0, NAN}},
      {"clip", {0, 6, -1.5f, NAN}},
      {"sigmoid", {0.5f, 1, 0, NAN}},
      {"tanh", {0, 1, -1, NAN}},
      {"softplus", {0.69314718f, INFINITY, 0, NAN}},
      {"erf", {0, 1, -1, NAN}},
      {"exp", {1, INFINITY, 0, NAN}},
      {"log", {-INFINITY, INFINITY, NAN, NAN}},
      {"sqrt", {0, INFINITY, NAN, NAN}},
      {"reciprocal", {INFINITY, 0, 0, NAN}},
      {"sign", {0, 1, -1, NAN}},
      {"floor", {0, INFINITY, -INFINITY, NAN}},
      {"round", {0, INFINITY, -INFINITY, NAN}},
      {"leaky_relu", {0, INFINITY, -INFINITY, NAN}},
  };
  SlUnaryParams p = {.rows = 1, .cols = 4, .in_stride = 4, .out_stride = 4, .a = -1.5f, .b = 6};

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    double expected[4];
    float *x = new_floats (4), *y = new_floats (4);
    for (size_t j = 0; j < 4; j++) {
      x[j] = in[j];
      expected[j] = rows[i].out[j];
    }
    p.a = g_str_equal (rows[i].name, "leaky_relu") ? 0.5f : -1.5f;
    run_kernel (set, rows[i].name, &p, (void *[]){x, y}, 1, sizeof in);
    check_floats (rows[i].name, y, expected, 4, 2e-7);
  }
}

/* Rows with gaps, every length of a tail, and in place. */
static void
test_shapes (const SlKernelSet *set)
{
  for (size_t cols = 1; cols <= 70; cols++) {
    SlUnaryParams p = {.rows = 3, .cols = cols, .in_stride = cols + 2, .out_stride = cols + 5};
    size_t in_count = 3 * p.in_stride - 2, out_count = 3 * p.out_stride;
    float *in = new_floats (in_count), *out = new_floats (out_count);
    double *expected = new_expected (out_count), *in_place = new_expected (in_count);

    fill_integers (in, in_count, (guint32)cols);
    for (size_t i = 0; i < in_count; i++)
      in_place[i] = in[i];
    for (size_t r = 0; r < 3; r++)
      for (size_t c = 0; c < cols; c++) {
        double x = in[r * p.in_stride + c];
        expected[r * p.out_stride + c] = in_place[r * p.in_stride + c] = x < 0 ? 0 : x;
      }
    run_kernel (set, "relu", &p, (void *[]){in, out}, 1, out_count * sizeof (float));
    check_floats ("rows", out, expected, out_count, 0);
    p.out_stride = p.in_stride;
    run_kernel (set, "relu", &p, (void *[]){in, in}, 1, in_count * sizeof (float));
    check_floats ("in place", in, in_place, in_count, 0);
  }
}

/* Longer than a tile, and rows longer than a tile. */
static void
test_large (const SlKernelSet *set)
{
  for (size_t rows = 1; rows <= 3; rows++) {
    SlUnaryParams p = {
        .rows = rows, .cols = 40001, .in_stride = 40001, .out_stride = 40001 + rows - 1};
    size_t count = rows * p.out_stride;
    float *in = new_floats (rows * p.in_stride), *out = new_floats (count);
    double *expected = new_expected (count);

    fill_random (in, rows * p.in_stride, 3);
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < p.cols; c++)
        expected[r * p.out_stride + c] = -(double)in[r * p.in_stride + c];
    run_kernel (set, "neg", &p, (void *[]){in, out}, 1, count * sizeof (float));
    check_floats ("neg", out, expected, count, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("unary/accuracy", test_accuracy);
  add_set_tests ("unary/special", test_special);
  add_set_tests ("unary/shapes", test_shapes);
  add_set_tests ("unary/large", test_large);
  return g_test_run ();
}
