#include "kernels/conv2d.h"
#include "common.h"
#include "kernels/gemm.h"

#include <math.h>

typedef struct Case {
  const char *name;
  uint32_t batch, groups, in_h, in_w, in_c, out_c;
  uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int32_t pad_top, pad_left, pad_bottom, pad_right;
  uint32_t in_slack, residual_slack, out_slack; /* channels that belong to somebody else */
  bool bias, residual;
  SlAct act;
} Case;

#define RELU                 \
  {                          \
    SL_ACT_CLIP, 0, INFINITY \
  }

static const Case dense_cases[] = {
    {"single element", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, true},
    {"1x1", 1, 1, 5, 7, 16, 48, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, true, false, RELU},
    {"1x1 slices", 2, 1, 5, 5, 19, 37, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 3, 5, 1, true, true, RELU},
    {"1x1 power of two pitch", 1, 1, 6, 6, 512, 33, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, true},
    {"1x1 long depth", 1, 1, 9, 7, 1100, 70, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 4, 0, 2, true, true},
    {"1x1 stride 2", 2, 1, 7, 9, 20, 40, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, true},
    {"1x1 padded", 1, 1, 3, 3, 4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true},
    {"1x1 cropping", 1, 1, 5, 6, 4, 4, 1, 1, 1, 1, 1, 1, -1, -2, -1, 0, 0, 0, 0, true},
    {"3x3 same", 1, 1, 13, 11, 16, 33, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true, true, RELU},
    {"3x3 slices", 2, 1, 7, 6, 5, 17, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 3, true, true, RELU},
    {"3x3 late layer",
     1,
     1,
     7,
     7,
     96,
     130,
     3,
     3,
     1,
     1,
     1,
     1,
     1,
     1,
     1,
     1,
     0,
     0,
     0,
     true,
     true,
     RELU},
    {"3x3 stride 2 asymmetric", 1, 1, 8, 8, 12, 20, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1, 0, 0, 0, true},
    {"3x3 dilated", 1, 1, 11, 12, 7, 9, 3, 3, 1, 1, 2, 3, 2, 3, 2, 3, 0, 0, 0, true},
    {"3x3 rows only dilated", 1, 1, 9, 9, 6, 8, 3, 3, 1, 1, 2, 1, 2, 1, 2, 1, 0, 0, 0, false},
    {"7x7 stride 2 stem",
     1,
     1,
     31,
     29,
     3,
     64,
     7,
     7,
     2,
     2,
     1,
     1,
     3,
     3,
     3,
     3,
     0,
     0,
     0,
     true,
     false,
     RELU},
    {"3x3 stride 2 stem", 3, 1, 17, 19, 3, 24, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, true},
    {"5x1", 1, 1, 9, 6, 8, 8, 5, 1, 1, 1, 1, 1, 2, 0, 2, 0, 0, 0, 0, true},
    {"1x5 stride 3", 1, 1, 6, 16, 8, 8, 1, 5, 1, 3, 1, 1, 0, 2, 0, 1, 0, 0, 0, true},
    {"kernel above input", 1, 1, 2, 3, 4, 5, 5, 7, 1, 1, 1, 1, 2, 3, 2, 3, 0, 0, 0, true},
    {"pad beyond the window", 1, 1, 3, 3, 4, 5, 2, 2, 1, 1, 1, 1, 4, 4, 4, 4, 0, 0, 0, true},
    {"groups", 2, 3, 6, 5, 12, 21, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true, true, RELU},
    {"groups sliced", 1, 2, 6, 5, 10, 70, 3, 3, 2, 1, 1, 1, 1, 1, 1, 1, 3, 2, 5, true, true},
    {"groups 1x1", 1, 4, 4, 4, 16, 8, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, true},
    {"one channel, many out", 1, 1, 9, 9, 1, 257, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true},
    {"16 out", 1, 1, 55, 55, 64, 16, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, true, false, RELU},
    {"many rows", 2, 1, 40, 37, 8, 24, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true},
};

static const Case depthwise_cases[] = {
    {"single element", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, true},
    {"3x3", 1, 32, 14, 14, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true, false, RELU},
    {"3x3 odd", 2, 37, 7, 9, 37, 37, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3, 2, 5, true, true, RELU},
    {"3x3 late layer", 1, 960, 7, 7, 960, 960, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true},
    {"3x3 stride 2", 1, 24, 28, 27, 24, 24, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0, 0, true},
    {"3x3 stride 2 asymmetric", 1, 19, 8, 8, 19, 19, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1, 0, 0, 0, true},
    {"3x3 mixed stride", 1, 19, 9, 8, 19, 19, 3, 3, 1, 2, 1, 1, 1, 1, 1, 1, 0, 0, 0, false, true},
    {"5x5", 1, 40, 9, 9, 40, 40, 5, 5, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, true},
    {"5x5 stride 2 on 3x3", 1, 9, 3, 3, 9, 9, 5, 5, 2, 2, 1, 1, 2, 2, 2, 2, 0, 0, 0, true},
    {"dilated", 1, 17, 11, 12, 17, 17, 3, 3, 1, 1, 2, 3, 2, 3, 2, 3, 0, 0, 0, true},
    {"pad beyond the window", 1, 5, 3, 3, 5, 5, 2, 3, 1, 1, 1, 1, 4, 4, 4, 4, 0, 0, 0, true},
    {"cropping", 1, 5, 6, 7, 5, 5, 3, 3, 1, 1, 1, 1, -1, -2, -1, 0, 0, 0, 0, true},
    {"7x7 wide", 1, 70, 9, 29, 70, 70, 7, 7, 1, 1, 1, 1, 3, 3, 3, 3, 1, 1, 1, true, true, RELU},
    {"7x7 on 2x2", 1, 33, 2, 2, 33, 33, 7, 7, 1, 1, 1, 1, 3, 3, 3, 3, 0, 0, 0, true},
    {"5x5 many channels", 1, 147, 8, 11, 147, 147, 5, 5, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, true},
    {"3x3 large", 2, 100, 33, 35, 100, 100, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true},
    {"3x3 column", 1, 20, 9, 1, 20, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true},
    {"7x1", 1, 8, 9, 4, 8, 8, 7, 1, 1, 1, 1, 1, 3, 0, 3, 0, 0, 0, 0, true},
};

static SlConv2dParams
case_params (const Case *c, SlAct act)
{
  SlConv2dParams p = {
      .batch = c->batch,
      .groups = c->groups,
      .in_h = c->in_h,
      .in_w = c->in_w,
      .in_c = c->in_c,
      .out_c = c->out_c,
      .kernel_h = c->kernel_h,
      .kernel_w = c->kernel_w,
      .stride_h = c->stride_h,
      .stride_w = c->stride_w,
      .dilation_h = c->dilation_h,
      .dilation_w = c->dilation_w,
      .pad_top = c->pad_top,
      .pad_left = c->pad_left,
      .in_stride = c->in_c + c->in_slack,
      .residual_stride = c->out_c + c->residual_slack,
      .out_stride = c->out_c + c->out_slack,
      .act = act,
  };
  int h = (int)c->in_h + c->pad_top + c->pad_bottom - (int)((c->kernel_h - 1) * c->dilation_h) - 1;
  int w = (int)c->in_w + c->pad_left + c->pad_right - (int)((c->kernel_w - 1) * c->dilation_w) - 1;
  g_assert_true (h >= 0 && w >= 0);
  p.out_h = (uint32_t)h / c->stride_h + 1;
  p.out_w = (uint32_t)w / c->stride_w + 1;
  return p;
}

/* The sum of one output element; weights [out_c][in_c / groups][kernel_h][kernel_w]. */
static double
window_sum (const SlConv2dParams *p, const float *in, const float *weights, uint32_t n, uint32_t y,
            uint32_t x, uint32_t o)
{
  uint32_t group_in = p->in_c / p->groups, group = o / (p->out_c / p->groups);
  double sum = 0;

  for (uint32_t i = 0; i < group_in; i++)
    for (uint32_t ky = 0; ky < p->kernel_h; ky++)
      for (uint32_t kx = 0; kx < p->kernel_w; kx++) {
        int64_t iy = (int64_t)y * p->stride_h + ky * p->dilation_h - p->pad_top;
        int64_t ix = (int64_t)x * p->stride_w + kx * p->dilation_w - p->pad_left;
        if (iy < 0 || ix < 0 || iy >= p->in_h || ix >= p->in_w)
          continue;
        size_t at = ((size_t)n * p->in_h + (size_t)iy) * p->in_w + (size_t)ix;
        sum += (double)in[at * p->in_stride + group * group_in + i] *
               (double)weights[((o * group_in + i) * p->kernel_h + ky) * p->kernel_w + kx];
      }
  return sum;
}

static double *
convolve (const SlConv2dParams *p, const float *in, const float *weights, const float *bias,
          const float *residual, size_t out_count)
{
  double *expected = new_expected (out_count);

  for (uint32_t n = 0; n < p->batch; n++)
    for (uint32_t y = 0; y < p->out_h; y++)
      for (uint32_t x = 0; x < p->out_w; x++)
        for (uint32_t o = 0; o < p->out_c; o++) {
          size_t pixel = ((size_t)n * p->out_h + y) * p->out_w + x;
          double sum = window_sum (p, in, weights, n, y, x, o);
          sum += bias ? (double)bias[o] : 0;
          sum += residual ? (double)residual[pixel * p->residual_stride + o] : 0;
          expected[pixel * p->out_stride + o] = act_reference (&p->act, sum);
        }
  return expected;
}

/* Both kernels read weights in an order of their own. */
static float *
prepare_weights (const SlKernelSet *set, const SlConv2dParams *p, const float *weights,
                 bool depthwise)
{
  uint32_t taps = p->kernel_h * p->kernel_w, group_in = p->in_c / p->groups;

  if (depthwise) {
    float *w = new_floats ((size_t)taps * p->out_c);
    for (uint32_t t = 0; t < taps; t++)
      for (uint32_t c = 0; c < p->out_c; c++)
        w[t * p->out_c + c] = weights[c * taps + t];
    return w;
  }

  SlPackParams pack = {
      .groups = p->groups,
      .cols = p->out_c / p->groups,
      .depth = {p->kernel_h, p->kernel_w, group_in},
      .half = p->half,
      .group_stride = (size_t)p->out_c / p->groups * group_in * taps,
      .col_stride = (size_t)group_in * taps,
      .depth_stride = {p->kernel_w, 1, taps},
  };
  size_t count = p->groups * sl_packed_elements (pack.cols, (size_t)taps * group_in, set->panel);
  float *packed = new_floats (count);
  run_kernel (set, "pack_weights", &pack, (void *[]){(void *)weights, packed}, 1,
              count * (p->half ? sizeof (uint16_t) : sizeof (float)));
  return packed;
}

static void
check_case (const SlKernelSet *set, const Case *c, bool depthwise, bool integers, SlAct act)
{
  SlConv2dParams p = case_params (c, act);
  void (*fill) (float *, size_t, guint32) = integers ? fill_integers : fill_random;
  size_t in_count = (size_t)p.batch * p.in_h * p.in_w * p.in_stride - c->in_slack;
  size_t pixels = (size_t)p.batch * p.out_h * p.out_w;
  size_t out_count = pixels * p.out_stride,
         residual_count = pixels * p.residual_stride - c->residual_slack;
  size_t weight_count = (size_t)p.out_c * (p.in_c / p.groups) * p.kernel_h * p.kernel_w;
  float *in = new_floats (in_count), *weights = new_floats (weight_count);
  float *bias = c->bias ? new_floats (p.out_c) : NULL;
  float *residual = c->residual ? new_floats (residual_count) : NULL, *out = new_floats (out_count);

  fill (in, in_count, 1);
  fill (weights, weight_count, 2);
  if (bias)
    fill (bias, p.out_c, 3);
  if (residual)
    fill (residual, residual_count, 4);

  void *buffers[] = {in, prepare_weights (set, &p, weights, depthwise), bias, residual, out};
  run_kernel (set, depthwise ? "depthwise2d" : "conv2d", &p, buffers, 4,
              out_count * sizeof (float));
  double *expected = convolve (&p, in, weights, bias, residual, out_count);
  check_floats (c->name, out, expected, out_count, integers ? 0 : 2e-5);

  /* The other way to the same sums gives the same bits. */
  if (!depthwise && sl_conv2d_is_narrow (&p)) {
    buffers[4] = new_floats (out_count);
    run_kernel (set, "conv2d_narrow", &p, buffers, 4, out_count * sizeof (float));
    g_assert_cmpmem (out, out_count * sizeof (float), buffers[4], out_count * sizeof (float));
  }
  /* Weights that half floats hold: again the same bits. */
  if (!depthwise && integers) {
    p.half = 1;
    buffers[1] = prepare_weights (set, &p, weights, false);
    buffers[4] = new_floats (out_count);
    run_kernel (set, "conv2d", &p, buffers, 4, out_count * sizeof (float));
    g_assert_cmpmem (out, out_count * sizeof (float), buffers[4], out_count * sizeof (float));
  }
}

static void
test_dense (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (dense_cases); i++) {
    check_case (set, &dense_cases[i], false, true, dense_cases[i].act);
    check_case (set, &dense_cases[i], false, false, dense_cases[i].act);
  }
}

static void
test_depthwise (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (depthwise_cases); i++) {
    check_case (set, &depthwise_cases[i], true, true, depthwise_cases[i].act);
    check_case (set, &depthwise_cases[i], true, false, depthwise_cases[i].act);
  }
}

static void
test_activations (const SlKernelSet *set)
{
  static const SlAct acts[] = {
      {SL_ACT_NONE, 0, 0},     {SL_ACT_CLIP, -0.5f, 0.25f}, {SL_ACT_CLIP, 0, 6},
      {SL_ACT_LEAKY, 0.1f, 0}, {SL_ACT_SIGMOID, 0, 0},      {SL_ACT_TANH, 0, 0},
      {SL_ACT_SILU, 0, 0},     {SL_ACT_HARDSWISH, 0, 0},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (acts); i++) {
    check_case (set, &dense_cases[2], false, false, acts[i]);
    check_case (set, &dense_cases[9], false, false, acts[i]);
    check_case (set, &depthwise_cases[2], true, false, acts[i]);
  }
}

/* Whatever the tail of a column block or a row block: every size around the register tile. */
static void
test_every_tail (const SlKernelSet *set)
{
  for (uint32_t rows = 1; rows <= 31; rows++)
    for (uint32_t cols = 1; cols <= 2 * set->panel + 1; cols += rows % 3 + 1) {
      Case c = {"tail", 1, 1, 1, rows, 3, cols, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, true, true};
      check_case (set, &c, false, true, (SlAct)RELU);
    }
}

/* Depthwise: every width around the strip and every rest of channels, both strides. */
static void
test_strips (const SlKernelSet *set)
{
  for (uint32_t width = 1; width <= 19; width++)
    for (uint32_t kernel = 3; kernel <= 7; kernel += 2)
      for (uint32_t stride = 1; stride <= 2; stride++) {
        uint32_t c = 3 + (width * 13 + kernel) % 71;
        int32_t pad = (int32_t)kernel / 2;
        Case one = {"strips", 1,         c,      1 + width % 6, width,  c,
                    c,        kernel,    kernel, stride,        stride, 1,
                    1,        pad,       pad,    pad,           pad,    0,
                    0,        width % 2, true,   width % 4 == 0};
        check_case (set, &one, true, true, (SlAct)RELU);
      }
}

/* First layers: every width around the register tile, the usual steps and others. */
static void
test_narrow (const SlKernelSet *set)
{
  static const struct {
    uint32_t in_c, out_c, kernel, stride;
    int32_t pad;
  } layers[] = {{1, 6, 5, 1, 2},  {1, 32, 3, 1, 1}, {3, 24, 3, 2, 1}, {3, 33, 3, 1, 0},
                {3, 64, 7, 2, 3}, {2, 5, 3, 3, 1},  {7, 17, 2, 1, 0}, {4, 96, 11, 4, 2}};

  for (size_t i = 0; i < G_N_ELEMENTS (layers); i++)
    for (uint32_t width = 11; width <= 43; width++) {
      uint32_t k = layers[i].kernel, stride = layers[i].stride;
      int32_t pad = layers[i].pad;
      Case c = {"narrow",
                1 + width % 2,
                1,
                k + width % 4,
                width,
                layers[i].in_c,
                layers[i].out_c,
                k,
                k,
                stride,
                stride,
                1,
                1,
                pad,
                pad,
                pad,
                pad,
                width % 3,
                0,
                width % 2,
                true,
                width % 5 == 0};
      check_case (set, &c, false, true, (SlAct)RELU);
    }
}

/* A not-a-number of the input shows in exactly the outputs whose window holds it. */
static void
test_nan (const SlKernelSet *set)
{
  Case c = {"nan", 1, 1, 5, 5, 1, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true};
  SlConv2dParams p = case_params (&c, (SlAct)RELU);
  float *in = new_floats (25), *weights = new_floats (27), *bias = new_floats (3),
        *out = new_floats (75);

  fill_integers (in, 25, 1);
  fill_integers (weights, 27, 2);
  fill_integers (bias, 3, 3);
  in[2 * 5 + 1] = NAN;
  void *buffers[] = {in, prepare_weights (set, &p, weights, false), bias, NULL, out};
  run_kernel (set, "conv2d", &p, buffers, 4, 75 * sizeof (float));
  check_floats (c.name, out, convolve (&p, in, weights, bias, NULL, 75), 75, 0);
  run_kernel (set, "conv2d_narrow", &p, buffers, 4, 75 * sizeof (float));
  check_floats (c.name, out, convolve (&p, in, weights, bias, NULL, 75), 75, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("conv2d/dense", test_dense);
  add_set_tests ("conv2d/depthwise", test_depthwise);
  add_set_tests ("conv2d/activations", test_activations);
  add_set_tests ("conv2d/tails", test_every_tail);
  add_set_tests ("conv2d/strips", test_strips);
  add_set_tests ("conv2d/narrow", test_narrow);
  add_set_tests ("conv2d/nan", test_nan);
  return g_test_run ();
}
