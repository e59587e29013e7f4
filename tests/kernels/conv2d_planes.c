#include "kernels/conv2d_planes.h"
#include "common.h"

#include <math.h>

static const SlConv2dPlanesParams cases[] = {
    /* batch, input h w c, output h w c, kernel, first and step down and along, strides, act */
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 1, 1, {SL_ACT_NONE, 0, 0}},
    {3, 28, 28, 1, 28, 28, 2, 5, 5, -2, 1, -2, 1, 1, 2, {SL_ACT_CLIP, 0, 6}},
    {2, 10, 10, 16, 14, 14, 2, 5, 5, 0, -1, 0, -1, 16, 2, {SL_ACT_NONE, 0, 0}},
    {2, 9, 70, 19, 9, 70, 1, 3, 3, -1, 1, -1, 1, 23, 5, {SL_ACT_LEAKY, 0.5f, 0}},
    {1, 7, 9, 3, 5, 4, 2, 2, 3, -3, 2, 4, -3, 3, 3, {SL_ACT_TANH, 0, 0}},
    {1, 3, 2, 37, 9, 8, 2, 3, 2, -6, 1, -5, 2, 40, 2, {SL_ACT_NONE, 0, 0}},
    {1, 120, 41, 70, 118, 39, 2, 3, 3, 0, 1, 0, 1, 70, 2, {SL_ACT_NONE, 0, 0}},
    {1, 4, 300, 5, 4, 297, 1, 1, 4, 0, 1, 0, 1, 5, 1, {SL_ACT_NONE, 0, 0}},
    {1, 5, 4, 2, 11, 13, 2, 1, 5, -40, 1, 60, -1, 2, 2, {SL_ACT_NONE, 0, 0}}, /* zeros alone */
    {2, 12, 12, 8, 12, 12, 4, 3, 3, -1, 1, -1, 1, 8, 7, {SL_ACT_CLIP, -1, 1}},
};

static double
window_sum (const SlConv2dPlanesParams *p, const float *in, const float *packed, size_t pitch,
            size_t y, size_t x, size_t o)
{
  double sum = 0;
  for (size_t ky = 0; ky < p->kernel_h; ky++)
    for (size_t kx = 0; kx < p->kernel_w; kx++) {
      int64_t iy = (int64_t)y + p->first_h + (int64_t)ky * p->step_h;
      int64_t ix = (int64_t)x + p->first_w + (int64_t)kx * p->step_w;
      if (iy < 0 || ix < 0 || iy >= p->in_h || ix >= p->in_w)
        continue;
      const float *from = in + ((size_t)iy * p->in_w + (size_t)ix) * p->in_stride;
      const float *w = packed + (ky * p->kernel_w + kx) * p->in_c * pitch + o;
      for (size_t i = 0; i < p->in_c; i++)
        sum += (double)from[i] * (double)w[i * pitch];
    }
  return sum;
}

static void
check_case (const SlKernelSet *set, const SlConv2dPlanesParams *p, bool with_bias)
{
  const size_t image = (size_t)p->in_h * p->in_w * p->in_stride, pixels = p->out_h * p->out_w;
  const size_t out_count = p->batch * pixels * p->out_stride, pitch = set->panel;
  const size_t packed_count = (size_t)p->kernel_h * p->kernel_w * p->in_c * pitch;
  float *in = new_floats (p->batch * image), *packed = new_floats (packed_count);
  float *bias = with_bias ? new_floats (p->out_c) : NULL, *out = new_floats (out_count);
  double *expected = new_expected (out_count);

  fill_integers (in, p->batch * image, 1);
  fill_integers (packed, packed_count, 2);
  if (with_bias)
    fill_integers (bias, p->out_c, 3);
  for (size_t i = 0; i < p->batch * pixels; i++)
    for (size_t o = 0; o < p->out_c; o++) {
      double sum = window_sum (p, in + i / pixels * image, packed, pitch, i % pixels / p->out_w,
                               i % p->out_w, o);
      expected[i * p->out_stride + o] =
          act_reference (&p->act, sum + (with_bias ? (double)bias[o] : 0));
    }
  run_kernel (set, "conv2d_planes", p, (void *[]){in, packed, bias, out}, 3,
              out_count * sizeof (float));
  check_floats ("planes", out, expected, out_count, p->act.kind == SL_ACT_TANH ? 1e-6 : 0);
}

static void
test_cases (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    check_case (set, &cases[i], false);
    check_case (set, &cases[i], true);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("conv2d_planes", test_cases);
  return g_test_run ();
}
