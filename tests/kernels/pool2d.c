#include "kernels/pool2d.h"
#include "common.h"

#include <math.h>

static const SlPool2dParams cases[] = {
    /* batch, channels, input, output, kernel, stride, dilation, padding, strides, count padding */
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, false},
    {1, 64, 13, 11, 6, 5, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0, 64, 64, false},
    {2, 37, 9, 9, 5, 5, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 41, 39, false},
    {2, 37, 9, 9, 5, 5, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 41, 39, true},
    {1, 100, 7, 7, 1, 1, 7, 7, 1, 1, 1, 1, 0, 0, 0, 0, 100, 100, false},
    {1, 1000, 13, 13, 1, 1, 13, 13, 1, 1, 1, 1, 0, 0, 0, 0, 1000, 1003, false},
    /* ceil_mode: the last window begins inside but ends beyond the padding */
    {1, 16, 6, 6, 3, 3, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0, 16, 16, true},
    {1, 5, 7, 7, 4, 4, 3, 3, 2, 2, 1, 1, 1, 1, 0, 0, 5, 5, true},
    {1, 5, 9, 8, 5, 4, 3, 3, 1, 1, 2, 2, 0, 0, 0, 0, 5, 5, false},
    {3, 19, 6, 5, 6, 5, 2, 2, 1, 1, 1, 1, 0, 0, 1, 1, 19, 20, true},
    {1, 128, 28, 28, 28, 28, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 128, 128, true},
};

static double
pool_window (const SlPool2dParams *p, const float *in, bool maximum, size_t n, size_t y, size_t x,
             size_t c)
{
  double best = -INFINITY, sum = 0, inside = 0, padded = 0;

  for (size_t ky = 0; ky < p->kernel_h; ky++)
    for (size_t kx = 0; kx < p->kernel_w; kx++) {
      int64_t iy = (int64_t)(y * p->stride_h + ky * p->dilation_h) - p->pad_top;
      int64_t ix = (int64_t)(x * p->stride_w + kx * p->dilation_w) - p->pad_left;
      if (iy < (int64_t)(p->in_h + p->pad_bottom) && ix < (int64_t)(p->in_w + p->pad_right))
        padded++;
      if (iy < 0 || ix < 0 || iy >= p->in_h || ix >= p->in_w)
        continue;
      double v = in[((n * p->in_h + (size_t)iy) * p->in_w + (size_t)ix) * p->in_stride + c];
      inside++;
      sum += v;
      best = isnan (best) || best > v ? best : v;
    }
  return maximum ? best : sum / (p->count_include_pad ? padded : inside);
}

static void
check_case (const SlKernelSet *set, const SlPool2dParams *p, bool maximum, bool with_nan)
{
  size_t in_count = (size_t)p->batch * p->in_h * p->in_w * p->in_stride;
  size_t out_count = (size_t)p->batch * p->out_h * p->out_w * p->out_stride;
  float *in = new_floats (in_count), *out = new_floats (out_count);
  double *expected = new_expected (out_count);

  fill_integers (in, in_count, 5);
  if (with_nan)
    in[in_count / 2] = in[in_count / 3] = NAN;
  for (size_t n = 0; n < p->batch; n++)
    for (size_t y = 0; y < p->out_h; y++)
      for (size_t x = 0; x < p->out_w; x++)
        for (size_t c = 0; c < p->channels; c++)
          expected[((n * p->out_h + y) * p->out_w + x) * p->out_stride + c] =
              pool_window (p, in, maximum, n, y, x, c);
  run_kernel (set, maximum ? "max_pool2d" : "average_pool2d", p, (void *[]){in, out}, 1,
              out_count * sizeof (float));
  /* integer sums are exact, their quotient is rounded once */
  check_floats (maximum ? "maximum" : "average", out, expected, out_count, maximum ? 0 : 6e-8);
}

static void
test_maximum (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    check_case (set, &cases[i], true, false);
    check_case (set, &cases[i], true, true);
  }
}

static void
test_average (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    check_case (set, &cases[i], false, false);
    check_case (set, &cases[i], false, true);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("pool2d/maximum", test_maximum);
  add_set_tests ("pool2d/average", test_average);
  return g_test_run ();
}
