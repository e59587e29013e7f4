/* Conversions bit by bit, and quantised kernels against loops in integers. */
#include "kernels/quantize.h"

#include "common.h"
#include "core/half.h"
#include "kernels/convert.h"
#include "kernels/qconv2d.h"

#include <math.h>
#include <string.h>

#define HALVES 0x10000
/* Filled behind an output, where nothing may be written. */
#define GUARD 0xa5

static void *
new_bytes (size_t size)
{
  void *memory = g_malloc (size + 1);
  memset (memory, GUARD, size + 1);
  g_test_queue_free (memory);
  return memory;
}

static void
fill_bytes (uint8_t *x, size_t n, guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  for (size_t i = 0; i < n; i++)
    x[i] = (uint8_t)g_rand_int_range (rand, 0, 256);
}

static void
test_widen (const SlKernelSet *set)
{
  const SlConvertParams params = {1, HALVES, HALVES, HALVES, SL_CONVERT_FLOAT16};
  uint16_t *x = new_bytes (HALVES * sizeof *x);
  float *y = new_floats (HALVES);
  for (uint32_t i = 0; i < HALVES; i++)
    x[i] = (uint16_t)i;
  run_kernel (set, "widen", &params, (void *[]){x, y}, 1, HALVES * sizeof *y);
  for (uint32_t i = 0; i < HALVES; i++) {
    float wanted = sl_half_to_float (x[i]);
    if (isnan (wanted))
      g_assert_true (isnan (y[i]));
    else
      g_assert_cmpmem (&y[i], sizeof wanted, &wanted, sizeof wanted);
  }

  /* and back */
  uint16_t *again = new_bytes (HALVES * sizeof *again);
  run_kernel (set, "narrow", &params, (void *[]){y, again}, 1, HALVES * sizeof *again);
  for (uint32_t i = 0; i < HALVES; i++)
    if (!isnan (sl_half_to_float (x[i])))
      g_assert_cmphex (again[i], ==, x[i]);
}

/* Rows with gaps between them, of every type. */
static void
test_widen_rows (const SlKernelSet *set)
{
  enum { ROWS = 5, COLS = 37, PITCH = 41 };
  SlConvertParams params = {ROWS, COLS, PITCH, PITCH, SL_CONVERT_FLOAT16};
  uint8_t *x = new_bytes (ROWS * PITCH * 4);
  fill_bytes (x, ROWS * PITCH * 4, 1);
  for (SlConvertType type = SL_CONVERT_FLOAT16; type <= SL_CONVERT_INT8; type++) {
    float *y = new_floats (ROWS * PITCH);
    double *wanted = new_expected (ROWS * PITCH);
    for (size_t i = 0; i < ROWS * PITCH; i++)
      if (i % PITCH < COLS)
        wanted[i] = type == SL_CONVERT_FLOAT16 ? sl_half_to_float (((uint16_t *)(void *)x)[i])
                    : type == SL_CONVERT_BFLOAT16
                        ? sl_bfloat16_to_float (((uint16_t *)(void *)x)[i])
                    : type == SL_CONVERT_INT32 ? (float)((int32_t *)(void *)x)[i]
                    : type == SL_CONVERT_UINT8 ? x[i]
                                               : ((int8_t *)x)[i];
    params.type = type;
    run_kernel (set, "widen", &params, (void *[]){x, y}, 1, ROWS * PITCH * sizeof *y);
    check_floats ("widened rows", y, wanted, ROWS * PITCH, 0);
  }
}

/* The sum of one output, in integers. Zero points: 100 of the input, 7 of the weights. */
static int64_t
sum_at (const SlQuantConvParams *p, const uint8_t *x, const uint8_t *w, size_t pixel, size_t o)
{
  size_t per_group = p->in_c / p->groups, image = pixel / p->out_w / p->out_h;
  size_t group = o / (p->out_c / p->groups);
  int64_t sum = 0;
  for (size_t i = 0; i < per_group; i++)
    for (int64_t ky = 0; ky < p->kernel_h; ky++)
      for (int64_t kx = 0; kx < p->kernel_w; kx++) {
        int64_t y =
            (int64_t)(pixel / p->out_w % p->out_h) * p->stride_h + ky * p->dilation_h - p->pad_top;
        int64_t v = (int64_t)(pixel % p->out_w) * p->stride_w + kx * p->dilation_w - p->pad_left;
        if (y < 0 || y >= p->in_h || v < 0 || v >= p->in_w)
          continue;
        size_t at = (image * p->in_h + (size_t)y) * p->in_w + (size_t)v;
        int64_t weight =
            w[((o * per_group + i) * p->kernel_h + (size_t)ky) * p->kernel_w + (size_t)kx];
        sum += (x[at * p->in_stride + group * per_group + i] - 100) * (weight - 7);
      }
  return sum;
}

static void *
pack (const SlKernelSet *set, const SlQuantConvParams *p, const uint8_t *w, bool depthwise)
{
  uint32_t area = p->kernel_h * p->kernel_w, channels = p->in_c / p->groups;
  uint8_t zero = 7;
  SlQuantPackParams params = {.groups = p->groups,
                              .cols = p->out_c / p->groups,
                              .depth = {p->kernel_h, p->kernel_w, channels},
                              .col_stride = (size_t)channels * area,
                              .depth_stride = {p->kernel_w, 1, area},
                              .n_zeros = 1};
  params.group_stride = params.cols * params.col_stride;
  size_t bytes = depthwise
                     ? sizeof (float) * area * p->groups
                     : sizeof (int16_t) * p->groups *
                           sl_qpacked_elements (params.cols, (size_t)channels * area, set->panel);
  void *packed = new_bytes (bytes);
  run_kernel (set, depthwise ? "pack_qdepthwise" : "pack_quantized", &params,
              (void *[]){(void *)w, &zero, packed}, 2, bytes);
  return packed;
}

static void
check_conv (const SlKernelSet *set, const SlQuantConvParams params, bool depthwise)
{
  const SlQuantConvParams *p = &params;
  size_t pixels = (size_t)p->batch * p->in_h * p->in_w,
         outs = (size_t)p->batch * p->out_h * p->out_w;
  size_t n_weights = (size_t)p->out_c * (p->in_c / p->groups) * p->kernel_h * p->kernel_w;
  uint8_t *x = new_bytes (pixels * p->in_stride), *w = new_bytes (n_weights), in_zero = 100,
          zero = 30;
  uint8_t *y = new_bytes (outs * p->out_stride);
  g_autofree int32_t *bias = g_new (int32_t, p->out_c);
  g_autofree float *factors = g_new (float, p->out_c);
  fill_bytes (x, pixels * p->in_stride, 1);
  fill_bytes (w, n_weights, 2);
  for (uint32_t o = 0; o < p->out_c; o++) {
    bias[o] = (int32_t)(o * 301) - 2000;
    factors[o] = 0.0007f + 0.0001f * (float)(o % 7);
  }
  run_kernel (set, depthwise ? "qdepthwise2d" : "qconv2d", p,
              (void *[]){x, pack (set, p, w, depthwise), bias, factors, &in_zero, &zero, y}, 6,
              outs * p->out_stride);
  for (size_t i = 0; i < outs * p->out_stride; i++) {
    size_t o = i % p->out_stride;
    if (o >= p->out_c) {
      g_assert_cmphex (y[i], ==, GUARD);
      continue;
    }
    float sum = (float)(sum_at (p, x, w, i / p->out_stride, o) + bias[o]);
    g_assert_cmpfloat (y[i], ==, fminf (fmaxf (rintf (sum * factors[o]) + zero, 0), 255));
  }
}

/* 2 images; what is left out is 1. */
static SlQuantConvParams
complete (SlQuantConvParams p)
{
  uint32_t *sizes[] = {&p.groups,   &p.kernel_h,   &p.kernel_w,  &p.stride_h,
                       &p.stride_w, &p.dilation_h, &p.dilation_w};
  for (size_t i = 0; i < G_N_ELEMENTS (sizes); i++)
    *sizes[i] = MAX (*sizes[i], 1);
  p.batch = 2;
  return p;
}

#define CONV(...) complete ((SlQuantConvParams){__VA_ARGS__})

static void
test_conv (const SlKernelSet *set)
{
  check_conv (set,
              CONV (.in_h = 9, .in_w = 11, .in_c = 37, .out_h = 9, .out_w = 11, .out_c = 67,
                    .in_stride = 40, .out_stride = 70),
              false);
  check_conv (set,
              CONV (.in_h = 9, .in_w = 11, .in_c = 3, .out_h = 5, .out_w = 9, .out_c = 33,
                    .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .pad_top = 1, .in_stride = 3,
                    .out_stride = 33),
              false);
  check_conv (set,
              CONV (.in_h = 7, .in_w = 8, .in_c = 12, .out_h = 7, .out_w = 8, .out_c = 6,
                    .groups = 3, .kernel_h = 3, .kernel_w = 3, .dilation_h = 2, .dilation_w = 2,
                    .pad_top = 2, .pad_left = 2, .in_stride = 12, .out_stride = 9),
              false);
}

static void
test_depthwise (const SlKernelSet *set)
{
  check_conv (set,
              CONV (.in_h = 19, .in_w = 17, .in_c = 83, .out_h = 19, .out_w = 17, .out_c = 83,
                    .groups = 83, .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1,
                    .in_stride = 90, .out_stride = 85),
              true);
  check_conv (set,
              CONV (.in_h = 19, .in_w = 17, .in_c = 5, .out_h = 9, .out_w = 7, .out_c = 5,
                    .groups = 5, .kernel_h = 5, .kernel_w = 2, .stride_h = 2, .stride_w = 3,
                    .dilation_w = 3, .pad_top = 2, .pad_left = 3, .in_stride = 5, .out_stride = 5),
              true);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("quantize/widen", test_widen);
  add_set_tests ("quantize/widen-rows", test_widen_rows);
  add_set_tests ("quantize/conv", test_conv);
  add_set_tests ("quantize/depthwise", test_depthwise);
  return g_test_run ();
}
