#include "kernels/reduce.h"
#include "common.h"

#include <math.h>

static const struct {
  const char *name;
  double neutral;
} reductions[] = {
    {"reduce_sum", 0},  {"reduce_mean", 0}, {"reduce_max", -INFINITY}, {"reduce_min", INFINITY},
    {"reduce_prod", 1}, {"reduce_l1", 0},   {"reduce_l2", 0},
};

static double
join (size_t f, double total, double x)
{
  switch (f) {
  case 2:
    return isnan (total) || total > x ? total : x;
  case 3:
    return isnan (total) || total < x ? total : x;
  case 4:
    return total * x;
  case 5:
    return total + fabs (x);
  case 6:
    return total + x * x;
  default:
    return total + x;
  }
}

static void
check_reduction (const SlKernelSet *set, size_t f, const SlReduceParams *p, bool with_nan)
{
  size_t in_count = p->outer * p->in_outer_stride, out_count = p->outer * p->out_outer_stride;
  float *in = new_floats (in_count), *out = new_floats (out_count);
  double *expected = new_expected (out_count);

  fill_random (in, in_count, 7);
  if (f == 4) /* a product that stays in range */
    for (size_t i = 0; i < in_count; i++)
      in[i] = 1 + in[i] / 64;
  if (with_nan)
    in[in_count / 2] = NAN;
  for (size_t o = 0; o < p->outer; o++)
    for (size_t i = 0; i < p->inner; i++) {
      double total = reductions[f].neutral;
      for (size_t a = 0; a < p->axis; a++)
        total = join (f, total, in[o * p->in_outer_stride + a * p->in_axis_stride + i]);
      total = f == 1 ? total / (double)p->axis : f == 6 ? sqrt (total) : total;
      expected[o * p->out_outer_stride + i] = total;
    }
  run_kernel (set, reductions[f].name, p, (void *[]){in, out}, 1, out_count * sizeof (float));
  check_floats (reductions[f].name, out, expected, out_count, f == 2 || f == 3 ? 0 : 3e-6);
}

static void
test_reductions (const SlKernelSet *set)
{
  static const SlReduceParams shapes[] = {
      /* outer, axis, inner, strides: input outer, input axis, output outer */
      {1, 1, 1, 1, 1, 1},      {7, 10, 1, 10, 1, 1},      {3, 1000, 1, 1003, 1, 2},
      {2, 5, 33, 165, 33, 33}, {2, 49, 70, 3600, 72, 71}, {1, 3001, 3, 9003, 3, 3},
      {5, 12, 1, 60, 5, 1},    {40, 3, 16, 48, 16, 16},   {1, 2, 40000, 80000, 40000, 40000},
  };
  for (size_t f = 0; f < G_N_ELEMENTS (reductions); f++)
    for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++) {
      check_reduction (set, f, &shapes[i], false);
      check_reduction (set, f, &shapes[i], true);
    }
}

/* One long chain of floats would be off by thousands here. */
static void
test_long_sum (const SlKernelSet *set)
{
  enum { COUNT = 10000001 };
  SlReduceParams along = {1, COUNT, 1, COUNT, 1, 1}, across = {1, COUNT / 2, 2, COUNT - 1, 2, 2};
  float *x = new_floats (COUNT), *y = new_floats (2);
  double sums[] = {0, 0}, total;

  for (size_t i = 0; i < COUNT; i++)
    x[i] = 0.1f + (float)(i % 7);
  for (size_t i = 0; i < COUNT - 1; i++)
    sums[i % 2] += (double)x[i];
  total = sums[0] + sums[1] + (double)x[COUNT - 1];
  run_kernel (set, "reduce_sum", &along, (void *[]){x, y}, 1, sizeof (float));
  check_floats ("along", y, &total, 1, 2e-6);
  run_kernel (set, "reduce_sum", &across, (void *[]){x, y}, 1, 2 * sizeof (float));
  check_floats ("across", y, sums, 2, 2e-6);
}

static void
check_softmax (const SlKernelSet *set, const SlSoftmaxParams *p, float scale, bool log_form,
               bool in_place)
{
  size_t count = p->outer * p->axis * p->inner;
  float *x = new_floats (count), *y = in_place ? x : new_floats (count);
  double *expected = new_expected (count);

  fill_random (x, count, 11);
  for (size_t i = 0; i < count; i++)
    x[i] *= scale;
  for (size_t o = 0; o < p->outer; o++)
    for (size_t i = 0; i < p->inner; i++) {
      const float *at = x + o * p->axis * p->inner + i;
      double top = -INFINITY, sum = 0;
      for (size_t a = 0; a < p->axis; a++)
        top = fmax (top, at[a * p->inner]);
      for (size_t a = 0; a < p->axis; a++)
        sum += exp (at[a * p->inner] - top);
      for (size_t a = 0; a < p->axis; a++) {
        double z = at[a * p->inner] - top;
        expected[(o * p->axis + a) * p->inner + i] = log_form ? z - log (sum) : exp (z) / sum;
      }
    }
  run_kernel (set, log_form ? "log_softmax" : "softmax", p, (void *[]){x, y}, 1,
              count * sizeof (float));
  check_floats (log_form ? "log_softmax" : "softmax", y, expected, count, 1e-6);
}

static void
test_softmax (const SlKernelSet *set)
{
  static const SlSoftmaxParams shapes[] = {{1, 1, 1}, {1, 1000, 1}, {17, 10, 1},  {3, 21, 50},
                                           {2, 7, 1}, {1, 5, 3},    {1, 70001, 1}};
  for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++)
    for (int form = 0; form < 4; form++) {
      check_softmax (set, &shapes[i], 5, form & 1, form & 2);
      check_softmax (set, &shapes[i], 500, form & 1, form & 2);
    }
}

static void
test_lrn (const SlKernelSet *set)
{
  static const SlLrnParams cases[] = {
      {9, 96, 96, 96, 5, 1e-4f, 0.75f, 1},
      {300, 40, 41, 43, 4, 0.5f, 0.75f, 2},
      {3, 3, 3, 3, 7, 0.1f, 0.5f, 1},
      {2, 1, 1, 1, 1, 0.3f, 0.6f, 1.5f},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    const SlLrnParams *p = &cases[i];
    size_t in_count = p->rows * p->in_stride, out_count = p->rows * p->out_stride;
    float *in = new_floats (in_count), *out = new_floats (out_count);
    double *expected = new_expected (out_count);

    fill_random (in, in_count, 3);
    for (size_t r = 0; r < p->rows; r++)
      for (size_t c = 0; c < p->channels; c++) {
        const float *x = in + r * p->in_stride;
        size_t before = (p->size - 1) / 2, lo = c > before ? c - before : 0;
        double sum = 0;
        for (size_t j = lo; j <= c + p->size / 2 && j < p->channels; j++)
          sum += (double)x[j] * (double)x[j];
        double base = (double)p->bias + (double)p->alpha / p->size * sum;
        expected[r * p->out_stride + c] = (double)x[c] / pow (base, (double)p->beta);
      }
    run_kernel (set, "lrn", p, (void *[]){in, out}, 1, out_count * sizeof (float));
    check_floats ("lrn", out, expected, out_count, 1e-6);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("reduce/reductions", test_reductions);
  add_set_tests ("reduce/long-sum", test_long_sum);
  add_set_tests ("reduce/softmax", test_softmax);
  add_set_tests ("reduce/lrn", test_lrn);
  return g_test_run ();
}
