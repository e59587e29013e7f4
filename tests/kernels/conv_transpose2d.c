#include "kernels/conv_transpose2d.h"
#include "kernels/gemm.h"
#include "common.h"

#include <math.h>

static const SlConvTranspose2dParams cases[] = {
    /* batch, groups, input h w c, output h w c, kernel, stride, dilation, padding, strides, act */
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, {SL_ACT_NONE, 0, 0}},
    {1, 1, 9, 7, 64, 18, 14, 33, 2, 2, 2, 2, 1, 1, 0, 0, 64, 33, {SL_ACT_NONE, 0, 0}},
    {2, 1, 5, 6, 19, 10, 12, 40, 4, 4, 2, 2, 1, 1, 1, 1, 23, 43, {SL_ACT_CLIP, 0, 6}},
    {1, 3, 4, 5, 12, 9, 11, 15, 3, 3, 2, 2, 1, 1, 0, 0, 12, 15, {SL_ACT_LEAKY, 0.5f, 0}},
    {2, 1, 9, 6, 5, 32, 20, 7, 3, 4, 4, 3, 2, 3, 1, 2, 5, 8, {SL_ACT_NONE, 0, 0}},
    {1, 1, 4, 3, 3, 17, 7, 4, 2, 1, 5, 3, 1, 1, 0, 0, 3, 4, {SL_ACT_CLIP, -1, 1}},
    {1, 1, 3, 4, 500, 7, 9, 70, 3, 3, 2, 2, 1, 1, 0, 0, 500, 70, {SL_ACT_NONE, 0, 0}},
    {1, 1, 30, 31, 8, 61, 63, 17, 3, 3, 2, 2, 1, 1, 0, 0, 8, 17, {SL_ACT_NONE, 0, 0}},
    /* groups = channels: read by "depthwise_transposed2d" too */
    {2, 37, 5, 6, 37, 10, 12, 37, 4, 4, 2, 2, 1, 1, 1, 1, 41, 39, {SL_ACT_CLIP, 0, 6}},
    {1, 130, 4, 5, 130, 11, 14, 130, 3, 5, 3, 2, 2, 3, 3, 0, 130, 130, {SL_ACT_LEAKY, 0.5f, 0}},
    {1, 9, 4, 3, 9, 17, 7, 9, 2, 1, 5, 3, 1, 1, 0, 0, 9, 9, {SL_ACT_NONE, 0, 0}},
};

/* Adds what input pixel (iy, ix) gives to all outputs of one image. */
static void
scatter (const SlConvTranspose2dParams *p, const float *in, const float *w, size_t iy, size_t ix,
         double *out)
{
  size_t group_in = p->in_c / p->groups, group_out = p->out_c / p->groups;
  for (size_t ky = 0; ky < p->kernel_h; ky++)
    for (size_t kx = 0; kx < p->kernel_w; kx++) {
      int64_t y = (int64_t)(iy * p->stride_h + ky * p->dilation_h) - p->pad_top;
      int64_t x = (int64_t)(ix * p->stride_w + kx * p->dilation_w) - p->pad_left;
      if (y < 0 || x < 0 || y >= p->out_h || x >= p->out_w)
        continue;
      double *to = out + ((size_t)y * p->out_w + (size_t)x) * p->out_stride;
      const float *from = in + (iy * p->in_w + ix) * p->in_stride;
      for (size_t i = 0; i < p->in_c; i++)
        for (size_t o = 0; o < group_out; o++)
          to[i / group_in * group_out + o] +=
              (double)from[i] * w[((i * group_out + o) * p->kernel_h + ky) * p->kernel_w + kx];
    }
}

static double *
expect (const SlConvTranspose2dParams *p, const float *in, const float *w, const float *bias,
        size_t out_count)
{
  double *expected = new_expected (out_count);
  size_t out_image = (size_t)p->out_h * p->out_w * p->out_stride;
  for (size_t i = 0; i < out_count; i++)
    if (i % p->out_stride < p->out_c)
      expected[i] = bias != NULL ? bias[i % p->out_stride] : 0;
  for (size_t n = 0; n < p->batch; n++)
    for (size_t y = 0; y < p->in_h; y++)
      for (size_t x = 0; x < p->in_w; x++)
        scatter (p, in + n * p->in_h * p->in_w * p->in_stride, w, y, x, expected + n * out_image);
  for (size_t i = 0; i < out_count; i++)
    if (i % p->out_stride < p->out_c)
      expected[i] = act_reference (&p->act, expected[i]);
  return expected;
}

static void
check_case (const SlKernelSet *set, const SlConvTranspose2dParams *p, bool with_bias)
{
  size_t in_count = (size_t)p->batch * p->in_h * p->in_w * p->in_stride;
  size_t out_count = (size_t)p->batch * p->out_h * p->out_w * p->out_stride;
  size_t area = (size_t)p->kernel_h * p->kernel_w;
  size_t group_in = p->in_c / p->groups, group_out = p->out_c / p->groups;
  size_t packed_count = p->groups * sl_packed_elements (group_out, area * group_in, set->panel);
  float *in = new_floats (in_count), *w = new_floats (p->in_c * group_out * area);
  float *bias = with_bias ? new_floats (p->out_c) : NULL;
  float *packed = new_floats (packed_count), *out = new_floats (out_count);
  SlPackTransposedParams pack = {p->groups,   (uint32_t)group_in, (uint32_t)group_out,
                                 p->kernel_h, p->kernel_w,        p->stride_h,
                                 p->stride_w, p->dilation_h,      p->dilation_w};

  fill_integers (in, in_count, 1);
  fill_integers (w, p->in_c * group_out * area, 2);
  if (with_bias)
    fill_integers (bias, p->out_c, 3);
  double *expected = expect (p, in, w, bias, out_count);
  run_kernel (set, "pack_transposed2d", &pack, (void *[]){w, packed}, 1,
              packed_count * sizeof (float));
  run_kernel (set, "conv_transpose2d", p, (void *[]){in, packed, bias, out}, 3,
              out_count * sizeof (float));
  check_floats ("convolution", out, expected, out_count, 0);
  if (p->groups == 1 || group_in > 1 || group_out > 1)
    return;
  float *taps = new_floats (area * p->out_c), *same = new_floats (out_count);
  for (size_t i = 0; i < area * p->out_c; i++)
    taps[i % area * p->out_c + i / area] = w[i];
  run_kernel (set, "depthwise_transposed2d", p, (void *[]){in, taps, bias, same}, 3,
              out_count * sizeof (float));
  check_floats ("depthwise", same, expected, out_count, 0);
}

static void
test_cases (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    check_case (set, &cases[i], false);
    check_case (set, &cases[i], true);
  }
}

/* Panels of 16 columns hold what the set's own do, elsewhere. */
static void
check_width (const SlKernelSet *set, const SlConvTranspose2dParams *p)
{
  enum { WIDTH = 16 };
  const size_t area = (size_t)p->kernel_h * p->kernel_w, cols = p->out_c / p->groups;
  const size_t channels = p->in_c / p->groups, all = (cols + WIDTH - 1) / WIDTH * WIDTH;
  const size_t count = p->groups * all * area * channels;
  float *w = new_floats (p->in_c * cols * area), *packed = new_floats (count);
  double *expected = new_expected (count);
  const SlPackTransposedParams pack = {
      p->groups,   (uint32_t)channels, (uint32_t)cols, p->kernel_h,   p->kernel_w,
      p->stride_h, p->stride_w,        p->dilation_h,  p->dilation_w, .width = WIDTH};
  fill_random (w, p->in_c * cols * area, 2);
  size_t before = 0; /* elements of the phases before */
  for (size_t ry = 0; ry < p->stride_h; ry++)
    for (size_t rx = 0; rx < p->stride_w; rx++) {
      size_t taps[256], n_taps = 0;
      for (size_t tap = 0; tap < area; tap++)
        if (tap / p->kernel_w * p->dilation_h % p->stride_h == ry &&
            tap % p->kernel_w * p->dilation_w % p->stride_w == rx)
          taps[n_taps++] = tap;
      const size_t depth = n_taps * channels;
      for (size_t g = 0; g < p->groups; g++)
        for (size_t k = 0; k < depth; k++)
          for (size_t n = 0; n < all; n++)
            expected[before + g * all * depth + n / WIDTH * WIDTH * depth + k * WIDTH + n % WIDTH] =
                n < cols
                    ? (double)
                          w[((g * channels + k % channels) * cols + n) * area + taps[k / channels]]
                    : 0;
      before += p->groups * all * depth;
    }
  run_kernel (set, "pack_transposed2d", &pack, (void *[]){w, packed}, 1, count * sizeof (float));
  check_floats ("packed", packed, expected, count, 0);
}

static void
test_width (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    check_width (set, &cases[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("conv_transpose2d", test_cases);
  add_set_tests ("conv_transpose2d/width", test_width);
  return g_test_run ();
}
