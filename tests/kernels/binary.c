#include "kernels/elementwise.h"
#include "common.h"

#include <math.h>

static double
ref_add (double a, double b)
{
  return a + b;
}
static double
ref_sub (double a, double b)
{
  return a - b;
}
static double
ref_mul (double a, double b)
{
  return a * b;
}
static double
ref_div (double a, double b)
{
  return a / b;
}
static double
ref_pow (double a, double b)
{
  return pow (a, b);
}
static double
ref_min (double a, double b)
{
  return isnan (a) || isnan (b) ? NAN : fmin (a, b);
}
static double
ref_max (double a, double b)
{
  return isnan (a) || isnan (b) ? NAN : fmax (a, b);
}
static double
ref_prelu (double a, double b)
{
  return a < 0 ? a * b : a;
}

static const struct {
  const char *name;
  double (*reference) (double a, double b);
} functions[] = {
    {"add", ref_add}, {"sub", ref_sub}, {"mul", ref_mul}, {"div", ref_div},
    {"pow", ref_pow}, {"min", ref_min}, {"max", ref_max}, {"prelu", ref_prelu},
};

typedef struct Shape {
  const char *name;
  uint32_t rank;
  size_t dims[SL_KERNEL_RANK];
  bool a_repeats[SL_KERNEL_RANK], b_repeats[SL_KERNEL_RANK];
  size_t out_slack; /* behind each innermost row */
} Shape;

static const Shape shapes[] = {
    {"scalar", 0},
    {"one", 1, {1}},
    {"same", 3, {2, 3, 37}},
    {"long", 1, {40003}},
    {"channels", 3, {5, 7, 19}, {0}, {1, 1, 0}},
    {"channel planes", 4, {2, 3, 5, 5}, {0}, {1, 0, 1, 1}},
    {"scalar right", 2, {9, 33}, {0}, {1, 1}, 2},
    {"scalar left", 2, {9, 33}, {1, 1}, {0}, 1},
    {"both repeat", 4, {3, 4, 5, 6}, {0, 1, 0, 1}, {1, 0, 1, 0}},
    {"outer product", 2, {17, 18}, {0, 1}, {1, 0}},
    {"rank 8", 8, {2, 1, 2, 3, 1, 2, 2, 3}, {0, 0, 1}, {0, 0, 0, 1, 0, 0, 1, 0}},
    {"innermost 1", 3, {4, 9, 1}},
    {"squeezed gate", 4, {2, 5, 5, 16}, {0}, {0, 1, 1, 0}},
};

/* Dense strides of the operand, 0 where it repeats; returns its element count. */
static size_t
operand (const Shape *s, const bool *repeats, size_t slack, size_t *stride)
{
  size_t count = 1;
  for (uint32_t d = s->rank; d-- > 0;) {
    stride[d] = repeats && repeats[d] ? 0 : count;
    if (!repeats || !repeats[d])
      count *= s->dims[d];
    if (d + 1 == s->rank)
      count += slack;
  }
  return count;
}

static void
check_shape (const SlKernelSet *set, const Shape *s, size_t f, SlAct act, bool in_place)
{
  SlBinaryParams p = {.rank = s->rank, .act = act};
  size_t a_count = operand (s, s->a_repeats, 0, p.a_stride), total = 1;
  size_t b_count = operand (s, s->b_repeats, 0, p.b_stride);
  size_t out_count = operand (s, NULL, in_place ? 0 : s->out_slack, p.out_stride);
  float *a = new_floats (a_count), *b = new_floats (b_count),
        *out = in_place ? a : new_floats (out_count);
  double *expected = new_expected (out_count);

  for (uint32_t d = 0; d < s->rank; d++)
    total *= p.dims[d] = s->dims[d];
  fill_random (a, a_count, 1);
  fill_random (b, b_count, 2);
  if (g_str_equal (functions[f].name, "pow"))
    for (size_t i = 0; i < a_count; i++)
      a[i] = fabsf (a[i]) + 0.1f;
  for (size_t i = 0; i < total; i++) {
    size_t left = i, at_a = 0, at_b = 0, at_out = 0;
    for (uint32_t d = s->rank; d-- > 0; left /= s->dims[d]) {
      at_a += left % s->dims[d] * p.a_stride[d];
      at_b += left % s->dims[d] * p.b_stride[d];
      at_out += left % s->dims[d] * p.out_stride[d];
    }
    double value = functions[f].reference (a[at_a], b[at_b]);
    expected[at_out] = act_reference (&act, value);
  }
  run_kernel (set, functions[f].name, &p, (void *[]){a, b, out}, 2, out_count * sizeof (float));
  check_floats (functions[f].name, out, expected, out_count, 2e-7);
}

static void
test_shapes (const SlKernelSet *set)
{
  for (size_t f = 0; f < G_N_ELEMENTS (functions); f++)
    for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++)
      check_shape (set, &shapes[i], f, (SlAct){SL_ACT_NONE}, false);
}

static void
test_activations (const SlKernelSet *set)
{
  check_shape (set, &shapes[2], 0, (SlAct){SL_ACT_CLIP, 0, INFINITY}, false);
  check_shape (set, &shapes[4], 0, (SlAct){SL_ACT_LEAKY, 0.1f, 0}, false);
  check_shape (set, &shapes[6], 2, (SlAct){SL_ACT_SIGMOID, 0, 0}, false);
}

static void
test_in_place (const SlKernelSet *set)
{
  check_shape (set, &shapes[2], 0, (SlAct){SL_ACT_CLIP, 0, INFINITY}, true);
  check_shape (set, &shapes[3], 1, (SlAct){SL_ACT_NONE}, true);
  check_shape (set, &shapes[4], 2, (SlAct){SL_ACT_NONE}, true);
}

static void
test_special (const SlKernelSet *set)
{
  const float a[] = {NAN, 1, 0, -2, -INFINITY, 2, -0.5f, NAN};
  const float b[] = {1, NAN, 0, 3, 2, 2, NAN, 0};
  SlBinaryParams p = {.rank = 1, .dims = {8}, .a_stride = {1}, .b_stride = {1}, .out_stride = {1}};

  for (size_t f = 0; f < G_N_ELEMENTS (functions); f++) {
    float *out = new_floats (8);
    double expected[8];
    for (size_t i = 0; i < 8; i++)
      expected[i] = functions[f].reference (a[i], b[i]);
    run_kernel (set, functions[f].name, &p, (void *[]){(void *)a, (void *)b, out}, 2, sizeof a);
    check_floats (functions[f].name, out, expected, 8, 6e-8);
  }
}

static void
test_affine (const SlKernelSet *set)
{
  for (size_t channels = 1; channels <= 70; channels += channels < 20 ? 1 : 13) {
    SlAffineParams p = {.rows = 700,
                        .channels = channels,
                        .in_stride = channels + 1,
                        .out_stride = channels + 2,
                        .act = {SL_ACT_CLIP, 0, 6}};
    size_t in_count = p.rows * p.in_stride - 1, out_count = p.rows * p.out_stride;
    float *in = new_floats (in_count), *scale = new_floats (channels),
          *shift = new_floats (channels);
    float *out = new_floats (out_count);
    double *expected = new_expected (out_count);

    fill_integers (in, in_count, 1);
    fill_integers (scale, channels, 2);
    fill_integers (shift, channels, 3);
    for (size_t r = 0; r < p.rows; r++)
      for (size_t c = 0; c < channels; c++)
        expected[r * p.out_stride + c] = act_reference (
            &p.act, (double)in[r * p.in_stride + c] * (double)scale[c] + (double)shift[c]);
    run_kernel (set, "affine", &p, (void *[]){in, scale, shift, out}, 3,
                out_count * sizeof (float));
    check_floats ("affine", out, expected, out_count, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("binary/shapes", test_shapes);
  add_set_tests ("binary/activations", test_activations);
  add_set_tests ("binary/in-place", test_in_place);
  add_set_tests ("binary/special", test_special);
  add_set_tests ("binary/affine", test_affine);
  return g_test_run ();
}
