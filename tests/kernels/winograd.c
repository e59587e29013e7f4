#include "kernels/winograd.h"
#include "common.h"

#include <math.h>

typedef struct Case {
  const char *name;
  uint32_t batch, in_h, in_w, in_c, out_c;
  int32_t pad_top, pad_left, pad_bottom, pad_right;
  uint32_t in_slack, residual_slack, out_slack; /* channels that belong to somebody else */
  bool bias, residual;
  SlAct act;
} Case;

#define RELU                 \
  {                          \
    SL_ACT_CLIP, 0, INFINITY \
  }

static const Case cases[] = {
    {"one pixel", 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true, false, {0}},
    {"one window", 1, 3, 3, 5, 7, 0, 0, 0, 0, 0, 0, 0, false, false, {0}},
    {"whole tiles", 1, 8, 12, 16, 32, 1, 1, 1, 1, 0, 0, 0, true, true, RELU},
    {"odd", 2, 13, 11, 19, 37, 1, 1, 1, 1, 0, 0, 0, true, true, RELU},
    {"slices", 2, 7, 6, 5, 17, 1, 1, 1, 1, 2, 1, 3, true, true, RELU},
    {"top and left", 1, 9, 10, 8, 8, 1, 1, 0, 0, 0, 0, 0, true, false, {0}},
    {"bottom and right", 1, 10, 9, 8, 8, 0, 0, 1, 1, 0, 0, 0, true, false, {0}},
    {"no padding", 3, 6, 7, 33, 65, 0, 0, 0, 0, 0, 0, 0, true, false, RELU},
    {"padding beyond the window", 1, 2, 3, 4, 5, 4, 5, 6, 3, 0, 0, 0, true, false, {0}},
    {"cropping", 1, 9, 8, 4, 5, -1, -2, -1, 0, 0, 0, 0, true, false, {0}},
    {"wide and low", 1, 1, 70, 3, 4, 1, 1, 1, 1, 0, 0, 0, true, false, {0}},
    {"late layer", 1, 7, 7, 96, 130, 1, 1, 1, 1, 0, 0, 0, true, true, RELU},
    {"long depth", 1, 5, 6, 800, 70, 1, 1, 1, 1, 3, 0, 0, true, false, {0}},
    {"several blocks", 2, 30, 34, 24, 200, 1, 1, 1, 1, 0, 0, 0, true, true, RELU},
};

static SlConv2dParams
case_params (const Case *c, SlAct act)
{
  return (SlConv2dParams){
      .batch = c->batch,
      .groups = 1,
      .in_h = c->in_h,
      .in_w = c->in_w,
      .in_c = c->in_c,
      .out_h = (uint32_t)((int32_t)c->in_h + c->pad_top + c->pad_bottom - 2),
      .out_w = (uint32_t)((int32_t)c->in_w + c->pad_left + c->pad_right - 2),
      .out_c = c->out_c,
      .kernel_h = 3,
      .kernel_w = 3,
      .stride_h = 1,
      .stride_w = 1,
      .dilation_h = 1,
      .dilation_w = 1,
      .pad_top = c->pad_top,
      .pad_left = c->pad_left,
      .in_stride = c->in_c + c->in_slack,
      .residual_stride = c->out_c + c->residual_slack,
      .out_stride = c->out_c + c->out_slack,
      .act = act,
  };
}

/* The sum of one output element; weights [out_c][in_c][3][3]. */
static double
window_sum (const SlConv2dParams *p, const float *in, const float *weights, uint32_t n, uint32_t y,
            uint32_t x, uint32_t o)
{
  double sum = 0;
  for (uint32_t i = 0; i < p->in_c; i++)
    for (uint32_t ky = 0; ky < 3; ky++)
      for (uint32_t kx = 0; kx < 3; kx++) {
        int64_t iy = (int64_t)y + ky - p->pad_top, ix = (int64_t)x + kx - p->pad_left;
        if (iy < 0 || ix < 0 || iy >= p->in_h || ix >= p->in_w)
          continue;
        size_t at = ((size_t)n * p->in_h + (size_t)iy) * p->in_w + (size_t)ix;
        sum += (double)in[at * p->in_stride + i] *
               (double)weights[((size_t)o * p->in_c + i) * 9 + ky * 3 + kx];
      }
  return sum;
}

/* *ret_largest: of the sums before the activation. */
static double *
convolve (const SlConv2dParams *p, void *const *buffers, const float *weights, size_t out_count,
          double *ret_largest)
{
  const float *bias = buffers[2], *residual = buffers[3];
  double *expected = new_expected (out_count);
  *ret_largest = 0;
  for (uint32_t n = 0; n < p->batch; n++)
    for (uint32_t y = 0; y < p->out_h; y++)
      for (uint32_t x = 0; x < p->out_w; x++)
        for (uint32_t o = 0; o < p->out_c; o++) {
          size_t pixel = ((size_t)n * p->out_h + y) * p->out_w + x;
          double sum = window_sum (p, buffers[0], weights, n, y, x, o);
          sum += bias ? (double)bias[o] : 0;
          sum += residual ? (double)residual[pixel * p->residual_stride + o] : 0;
          *ret_largest = MAX (*ret_largest, fabs (sum));
          expected[pixel * p->out_stride + o] = act_reference (&p->act, sum);
        }
  return expected;
}

static float *
pack (const SlKernelSet *set, const float *weights, uint32_t tile, uint32_t in_c, uint32_t out_c,
      uint32_t width)
{
  SlPackWinogradParams params = {tile, in_c, out_c, 0, width};
  size_t count = sl_winograd_elements (&params);
  float *packed = new_floats (count);
  run_kernel (set, "pack_winograd", &params, (void *[]){(void *)weights, packed}, 1,
              count * sizeof (float));
  return packed;
}

/* Measured on these cases: at most 1.1e-6 (F(2,3)) and 4.5e-6 (F(4,3)) of the largest output, with
 * 800 channels; the transforms magnify rounding, the more the deeper the sum. */
#define TOLERANCE_F23 3e-6
#define TOLERANCE_F43 2e-5

/* |difference| <= tolerance * largest, which is what rounding grows with. */
static void
check (const char *what, const float *got, const double *expected, size_t count, double largest,
       double tolerance)
{
  double worst = 0;
  for (size_t i = 0; i < count; i++) {
    if (expected[i] == UNTOUCHED)
      check_floats (what, got + i, expected + i, 1, 0);
    else
      worst = MAX (worst, isnan (got[i]) ? INFINITY : fabs ((double)got[i] - expected[i]));
  }
  g_test_message ("%s: largest difference %.2g of the largest sum", what, worst / largest);
  if (worst > tolerance * largest)
    g_error ("%s: difference of %g where %g is the largest sum", what, worst, largest);
}

static void
check_case (const SlKernelSet *set, const Case *c, uint32_t tile, SlAct act)
{
  SlConv2dParams p = case_params (c, act);
  size_t in_count = (size_t)p.batch * p.in_h * p.in_w * p.in_stride - c->in_slack;
  size_t pixels = (size_t)p.batch * p.out_h * p.out_w, out_count = pixels * p.out_stride;
  size_t residual_count = pixels * p.residual_stride - c->residual_slack;
  size_t weight_count = (size_t)p.out_c * p.in_c * 9;
  float *in = new_floats (in_count), *weights = new_floats (weight_count);
  float *bias = c->bias ? new_floats (p.out_c) : NULL, *out = new_floats (out_count);
  float *residual = c->residual ? new_floats (residual_count) : NULL;

  fill_random (in, in_count, 1);
  fill_random (weights, weight_count, 2);
  if (bias)
    fill_random (bias, p.out_c, 3);
  if (residual)
    fill_random (residual, residual_count, 4);
  void *buffers[] = {in, pack (set, weights, tile, p.in_c, p.out_c, 0), bias, residual, out};
  run_kernel (set, tile == 2 ? "winograd_f23" : "winograd_f43", &p, buffers, 4,
              out_count * sizeof (float));
  double largest, *expected = convolve (&p, buffers, weights, out_count, &largest);
  check (c->name, out, expected, out_count, largest, tile == 2 ? TOLERANCE_F23 : TOLERANCE_F43);
}

static void
test_cases (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    check_case (set, &cases[i], 2, cases[i].act);
    check_case (set, &cases[i], 4, cases[i].act);
  }
}

static void
test_activations (const SlKernelSet *set)
{
  static const SlAct acts[] = {
      {SL_ACT_NONE, 0, 0},      {SL_ACT_CLIP, -0.5f, 0.25f}, {SL_ACT_LEAKY, 0.1f, 0},
      {SL_ACT_SIGMOID, 0, 0},   {SL_ACT_TANH, 0, 0},         {SL_ACT_SILU, 0, 0},
      {SL_ACT_HARDSWISH, 0, 0},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (acts); i++) {
    check_case (set, &cases[4], 2, acts[i]);
    check_case (set, &cases[4], 4, acts[i]);
  }
}

/* Every number of tiles, of channels and of columns around a vector and a panel. */
static void
test_tails (const SlKernelSet *set)
{
  for (uint32_t i = 1; i <= 2 * set->panel + 1; i += 1 + i % 3) {
    Case c = {"tail", 1, i % 9 + 1, i % 31 + 1, i % 21 + 1, i,    1,    1,
              1,      1, 1,         1,          1,          true, true, RELU};
    check_case (set, &c, 2, c.act);
    check_case (set, &c, 4, c.act);
  }
}

/* As kernels/winograd_product.h has it: by the registers that the compiler may use, which for the
 * generic set are those of the machine. */
static uint32_t
panel_width (const SlKernelSet *set)
{
#if defined __aarch64__
  return 16;
#else
  return set->isa == SL_ISA_X86_64_V4 ? 64 : set->isa == SL_ISA_X86_64_V3 ? 16 : 8;
#endif
}

/* One point of one group: `cols` columns, of which `exist`, hold factor * (o * in_c + i). */
static void
check_point (const float *packed, uint32_t width, uint32_t in_c, uint32_t first, uint32_t exist,
             uint32_t cols, double factor)
{
  for (uint32_t panel = 0; panel < cols; panel += width)
    for (uint32_t i = 0; i < in_c; i++)
      for (uint32_t n = panel; n < MIN (panel + width, cols); n++, packed++) {
        double expected = n < exist ? factor * ((first + n) * in_c + i) : 0;
        g_assert_cmpfloat (fabs ((double)*packed - expected), <=, 1e-7 * fabs (expected));
      }
}

/* G g G^T of one window, against numbers computed by hand: g is 1 in its middle, so that every
 * element is the product of two of G's middle column. */
static void
test_packing (const SlKernelSet *set)
{
  static const double middle_2[] = {0, 0.5, -0.5, 0};
  static const double middle_4[] = {0, -1 / 6.0, 1 / 6.0, 1 / 12.0, -1 / 12.0, 0};
  const uint32_t in_c = 3, out_c = SL_WINOGRAD_GROUP + 2 * SL_WINOGRAD_COLS + 1;
  float *weights = new_floats ((size_t)in_c * out_c * 9);

  for (uint32_t i = 0; i < in_c * out_c * 9; i++)
    weights[i] = i % 9 == 4 ? (float)(i / 9) : 0; /* o * in_c + i */
  for (uint32_t tile = 2; tile <= 4; tile += 2) {
    const double *middle = tile == 2 ? middle_2 : middle_4;
    const float *packed = pack (set, weights, tile, in_c, out_c, 0);
    const float *for_gpu = pack (set, weights, tile, in_c, out_c, SL_WINOGRAD_COLS);
    uint32_t side = tile + 2, last = 3 * SL_WINOGRAD_COLS, all = SL_WINOGRAD_GROUP + last;
    for (uint32_t first = 0; first < out_c; first += SL_WINOGRAD_GROUP)
      for (uint32_t point = 0; point < side * side; point++) {
        double factor = middle[point / side] * middle[point % side];
        uint32_t cols = first == 0 ? SL_WINOGRAD_GROUP : last;
        check_point (packed, panel_width (set), in_c, first, MIN (cols, out_c - first), cols,
                     factor);
        packed += cols * in_c;
      }
    for (uint32_t point = 0; point < side * side; point++, for_gpu += all * in_c)
      check_point (for_gpu, SL_WINOGRAD_COLS, in_c, 0, out_c, all,
                   middle[point / side] * middle[point % side]);
  }
}

/* Turned weights give the very panels of the same weights turned before. */
static void
test_turned (const SlKernelSet *set)
{
  const uint32_t in_c = 5, out_c = SL_WINOGRAD_GROUP + 3;
  const size_t count = (size_t)in_c * out_c * 9;
  float *weights = new_floats (count), *turned = new_floats (count);

  fill_random (weights, count, 1);
  for (size_t i = 0; i < count; i++)
    turned[((i / 9 % in_c) * out_c + i / 9 / in_c) * 9 + 8 - i % 9] = weights[i];
  for (uint32_t tile = 2; tile <= 4; tile += 2) {
    SlPackWinogradParams params = {tile, in_c, out_c, 1, 0};
    size_t n = sl_winograd_elements (&params);
    float *packed = new_floats (n);
    run_kernel (set, "pack_winograd", &params, (void *[]){turned, packed}, 1, n * sizeof (float));
    const float *expected = pack (set, weights, tile, in_c, out_c, 0);
    g_assert_cmpmem (packed, n * sizeof (float), expected, n * sizeof (float));
  }
}

static SlConv2dParams
square_layer (uint32_t size, uint32_t in_c, uint32_t out_c)
{
  Case c = {"layer", 1, size, size, in_c, out_c, 1, 1, 1, 1};
  return case_params (&c, (SlAct){0});
}

static void
test_choice (void)
{
  static const SlWinogradTiming timings[] = {
      {8, 64, 64, 100, 96, 300}, /* F(2,3) wins by less than it has to */
      {32, 64, 64, 400, 200, 100},   {32, 16, 16, 400, 200, 195}, /* F(4,3) does */
      {32, 512, 512, 400, 500, 600}, {0},
  };
  SlConv2dParams p = square_layer (32, 64, 64);
  g_assert_cmpuint (sl_winograd_choose (timings, &p, false), ==, 4);
  g_assert_cmpuint (sl_winograd_choose (NULL, &p, false), ==, 0);
  g_assert_cmpuint (sl_winograd_choose (timings + 4, &p, false), ==, 0);
  p = square_layer (30, 20, 15);
  g_assert_cmpuint (sl_winograd_choose (timings, &p, false), ==, 2);
  p = square_layer (32, 300, 512);
  g_assert_cmpuint (sl_winograd_choose (timings, &p, false), ==, 0);
  p = square_layer (8, 64, 64);
  g_assert_cmpuint (sl_winograd_choose (timings, &p, false), ==, 0);
  p.batch = 16;
  g_assert_cmpuint (sl_winograd_choose (timings, &p, false), ==, 4);
  /* Nearest to 32, but a row of 17 pixels pays for 20 in F(4,3) and for 18 in F(2,3). */
  static const SlWinogradTiming close[] = {{32, 64, 64, 400, 112, 100}, {0}};
  p = square_layer (17, 64, 64);
  g_assert_cmpuint (sl_winograd_choose (close, &p, false), ==, 2);

  /* Packed in each run: F(2,3), where it gains much and there are pixels to pay for packing. */
  p = square_layer (32, 64, 64);
  g_assert_cmpuint (sl_winograd_choose (timings, &p, true), ==, 0);
  p.batch = 4;
  g_assert_cmpuint (sl_winograd_choose (timings, &p, true), ==, 2);
  p = square_layer (32, 512, 512);
  p.batch = 4;
  g_assert_cmpuint (sl_winograd_choose (timings, &p, true), ==, 0);

  p = square_layer (32, 64, 64);
  uint32_t *fields[] = {&p.groups,   &p.kernel_h,   &p.kernel_w,  &p.stride_h,
                        &p.stride_w, &p.dilation_h, &p.dilation_w};
  for (size_t i = 0; i < G_N_ELEMENTS (fields); i++) {
    *fields[i] += 1;
    g_assert_cmpuint (sl_winograd_choose (timings, &p, false), ==, 0);
    *fields[i] -= 1;
  }
}

/* Whatever the table says, it answers with a form that exists. */
static void
test_timings (const SlKernelSet *set)
{
  const SlWinogradTiming *row = sl_winograd_timings (set->isa);
  g_assert_cmpuint (row->size, >, 0);
  for (; row->size > 0; row++) {
    SlConv2dParams p = square_layer (row->size, row->in_c, row->out_c);
    uint32_t tile = sl_winograd_choose (sl_winograd_timings (set->isa), &p, false);
    double took = tile == 4 ? row->f43 : tile == 2 ? row->f23 : row->direct;
    g_assert_cmpfloat (row->direct, >, 0);
    g_assert_cmpfloat (took, <=, row->direct);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("winograd/cases", test_cases);
  add_set_tests ("winograd/activations", test_activations);
  add_set_tests ("winograd/tails", test_tails);
  add_set_tests ("winograd/packing", test_packing);
  add_set_tests ("winograd/turned", test_turned);
  add_set_tests ("winograd/timings", test_timings);
  g_test_add_func ("/kernels/winograd/choice", test_choice);
  return g_test_run ();
}
