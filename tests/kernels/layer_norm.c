#include "kernels/layer_norm.h"
#include "common.h"

#include <math.h>

#define EPSILON 1e-3f

/* Mean and 1 / sqrt (variance + epsilon) of count × n numbers. */
static void
find_moments (const float *x, size_t count, size_t stride, size_t n, double *mean, double *factor)
{
  double sum = 0, squares = 0;
  for (size_t i = 0; i < count * n; i++)
    sum += x[i / n * stride + i % n];
  *mean = sum / (double)(count * n);
  for (size_t i = 0; i < count * n; i++)
    squares += pow (x[i / n * stride + i % n] - *mean, 2);
  *factor = 1 / sqrt (squares / (double)(count * n) + (double)EPSILON);
}

static void
check_rows (const SlKernelSet *set, const SlLayerNormParams *p, float far, bool with_bias)
{
  size_t in_count = p->rows * p->in_stride, out_count = p->rows * p->out_stride;
  float *in = new_floats (in_count), *out = new_floats (out_count);
  float *scale = new_floats (p->cols), *bias = with_bias ? new_floats (p->cols) : NULL;
  double *expected = new_expected (out_count), mean, factor;

  fill_random (in, in_count, 1);
  fill_random (scale, p->cols, 2);
  if (with_bias)
    fill_random (bias, p->cols, 3);
  for (size_t i = 0; i < in_count; i++)
    in[i] += far;
  for (size_t r = 0; r < p->rows; r++) {
    const float *x = in + r * p->in_stride;
    find_moments (x, 1, 0, p->cols, &mean, &factor);
    for (size_t i = 0; i < p->cols; i++)
      expected[r * p->out_stride + i] = act_reference (
          &p->act, (x[i] - mean) * factor * scale[i] + (bias != NULL ? (double)bias[i] : 0));
  }
  run_kernel (set, "layer_norm", p, (void *[]){in, scale, bias, out}, 3,
              out_count * sizeof (float));
  check_floats ("layer_norm", out, expected, out_count, 2e-6);
}

static void
test_rows (const SlKernelSet *set)
{
  static const SlLayerNormParams cases[] = {
      {1, 1, 1, 1, EPSILON, {SL_ACT_NONE, 0, 0}},
      {7, 96, 96, 96, EPSILON, {SL_ACT_NONE, 0, 0}},
      {300, 97, 99, 101, EPSILON, {SL_ACT_CLIP, 0, 1}},
      {5, 3001, 3001, 3001, EPSILON, {SL_ACT_LEAKY, 0.25f, 0}},
      {40, 3, 3, 3, EPSILON, {SL_ACT_SILU, 0, 0}},
      {1, 100000, 100000, 100000, EPSILON, {SL_ACT_NONE, 0, 0}},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    check_rows (set, &cases[i], 0, true);
    check_rows (set, &cases[i], 0, false);
    check_rows (set, &cases[i], 10000, true);
  }
}

static void
check_groups (const SlKernelSet *set, const SlGroupNormParams *p, float far)
{
  size_t in_count = p->images * p->positions * p->in_stride, each = p->channels / p->groups;
  size_t out_count = p->images * p->positions * p->out_stride;
  float *in = new_floats (in_count), *out = new_floats (out_count);
  float *scale = new_floats (p->channels / p->shared), *bias = new_floats (p->channels / p->shared);
  double *expected = new_expected (out_count), mean, factor;

  fill_random (in, in_count, 1);
  fill_random (scale, p->channels / p->shared, 2);
  fill_random (bias, p->channels / p->shared, 3);
  for (size_t i = 0; i < in_count; i++)
    in[i] += far;
  for (size_t g = 0; g < p->images * p->groups; g++) {
    size_t image = g / p->groups, channel = g % p->groups * each;
    const float *x = in + image * p->positions * p->in_stride + channel;
    double *y = expected + image * p->positions * p->out_stride + channel;
    find_moments (x, p->positions, p->in_stride, each, &mean, &factor);
    for (size_t i = 0; i < p->positions * each; i++) {
      size_t at = (channel + i % each) / p->shared;
      y[i / each * p->out_stride + i % each] = act_reference (
          &p->act,
          (x[i / each * p->in_stride + i % each] - mean) * factor * scale[at] + (double)bias[at]);
    }
  }
  run_kernel (set, "group_norm", p, (void *[]){in, scale, bias, out}, 3,
              out_count * sizeof (float));
  check_floats ("group_norm", out, expected, out_count, 2e-6);
}

static void
test_groups (const SlKernelSet *set)
{
  static const SlGroupNormParams cases[] = {
      /* images, positions, channels, groups, strides, shared */
      {1, 2, 1, 1, 1, 1, 1, EPSILON, {SL_ACT_NONE, 0, 0}},
      {2, 63, 37, 37, 37, 37, 1, EPSILON, {SL_ACT_NONE, 0, 0}},
      {2, 63, 74, 74, 75, 77, 1, EPSILON, {SL_ACT_CLIP, 0, 1}},
      {2, 35, 60, 12, 60, 60, 1, EPSILON, {SL_ACT_SILU, 0, 0}},
      {2, 35, 60, 12, 61, 62, 5, EPSILON, {SL_ACT_NONE, 0, 0}},
      {1, 27, 222, 2, 222, 222, 111, EPSILON, {SL_ACT_LEAKY, 0.25f, 0}},
      {1, 5000, 33, 1, 33, 33, 1, EPSILON, {SL_ACT_NONE, 0, 0}},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    check_groups (set, &cases[i], 0);
    check_groups (set, &cases[i], 10000);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("layer_norm", test_rows);
  add_set_tests ("group_norm", test_groups);
  return g_test_run ();
}
