#include "kernels/gemm.h"
#include "common.h"
#include "core/half.h"

#include <math.h>

#define RELU                 \
  {                          \
    SL_ACT_CLIP, 0, INFINITY \
  }

typedef struct Case {
  const char *name;
  uint32_t batch, rows, cols, depth;
  uint32_t a_slack, residual_slack, c_slack;
  bool shared_b, bias, residual;
  SlAct act;
} Case;

static const Case cases[] = {
    {"one product", 1, 1, 1, 1},
    {"row", 1, 1, 1000, 513, 0, 0, 0, false, true},
    {"row, many panels", 1, 1, 131, 64, 0, 0, 0, false, true, true, RELU},
    {"two rows", 1, 2, 77, 40, 1, 2, 3, false, true, true},
    {"three rows", 1, 3, 200, 33, 1, 2, 3, false, true, true},
    {"batch rows", 1, 16, 100, 700, 0, 0, 0, false, true},
    {"square", 1, 97, 95, 101, 3, 1, 2, false, true, true, RELU},
    {"long depth", 1, 40, 40, 2000, 0, 0, 5, false, false, true},
    {"no depth", 1, 5, 7, 0, 0, 0, 1, false, true, true},
    {"products", 5, 13, 17, 19, 1, 1, 1, false, true, true},
    {"products, shared weights", 3, 9, 40, 21, 0, 0, 0, true, false, false},
    {"tanh", 1, 9, 40, 21, 0, 0, 2, false, true, false, {SL_ACT_TANH, 0, 0}},
};

static double *
multiply (const SlGemmParams *p, const Case *c, const float *a, const float *b, const float *bias,
          const float *residual, size_t count)
{
  double *expected = new_expected (count);

  for (size_t z = 0; z < p->batch; z++)
    for (size_t m = 0; m < p->rows; m++)
      for (size_t n = 0; n < p->cols; n++) {
        double sum = bias ? (double)bias[n] : 0;
        if (residual)
          sum += (double)residual[z * p->residual_batch + m * p->residual_stride + n];
        for (size_t k = 0; k < p->depth; k++)
          sum += (double)a[z * p->a_batch + m * p->a_stride + k] *
                 (double)b[((c->shared_b ? 0 : z) * p->depth + k) * p->cols + n];
        expected[z * p->c_batch + m * p->c_stride + n] = act_reference (&p->act, sum);
      }
  return expected;
}

static void
check_case (const SlKernelSet *set, const Case *c, bool integers, bool half)
{
  SlGemmParams p = {
      .batch = c->batch,
      .rows = c->rows,
      .cols = c->cols,
      .depth = c->depth,
      .a_stride = c->depth + c->a_slack,
      .residual_stride = c->cols + c->residual_slack,
      .c_stride = c->cols + c->c_slack,
      .half = half,
      .act = c->act,
  };
  p.a_batch = p.a_stride * c->rows;
  p.residual_batch = p.residual_stride * c->rows;
  p.c_batch = p.c_stride * c->rows;
  size_t product = sl_packed_elements (c->cols, c->depth, set->panel);
  p.b_batch = c->shared_b ? 0 : product;

  uint32_t b_count = c->shared_b ? 1 : c->batch;
  size_t c_count = p.c_batch * c->batch, b_size = (size_t)b_count * c->depth * c->cols;
  float *a = new_floats (p.a_batch * c->batch), *b = new_floats (b_size);
  float *packed = new_floats (product * b_count), *out = new_floats (c_count);
  float *bias = c->bias ? new_floats (c->cols) : NULL;
  float *residual = c->residual ? new_floats (p.residual_batch * c->batch) : NULL;
  void (*fill) (float *, size_t, guint32) = integers ? fill_integers : fill_random;

  fill (a, p.a_batch * c->batch, 1);
  fill (b, b_size, 2);
  for (size_t i = 0; half && i < b_size; i++)
    b[i] = sl_half_to_float (sl_half_from_float (b[i]));
  if (bias)
    fill (bias, c->cols, 3);
  if (residual)
    fill (residual, p.residual_batch * c->batch, 4);

  SlPackParams pack = {.groups = b_count,
                       .cols = c->cols,
                       .depth = {1, 1, c->depth},
                       .half = half,
                       .group_stride = (size_t)c->depth * c->cols,
                       .col_stride = 1,
                       .depth_stride = {0, 0, c->cols}};
  run_kernel (set, "pack_weights", &pack, (void *[]){b, packed}, 1,
              product * b_count * (half ? sizeof (uint16_t) : sizeof (float)));
  run_kernel (set, "gemm", &p, (void *[]){a, packed, bias, residual, out}, 4,
              c_count * sizeof (float));
  check_floats (c->name, out, multiply (&p, c, a, b, bias, residual, c_count), c_count,
                integers && c->act.kind != SL_ACT_TANH ? 0 : 4e-5);
}

static void
test_gemm (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    check_case (set, &cases[i], true, false);
    check_case (set, &cases[i], false, false);
    check_case (set, &cases[i], true, true);
    check_case (set, &cases[i], false, true);
  }
}

/* Rows come out the same however many of them are computed together. */
static void
test_batch_invariance (const SlKernelSet *set)
{
  enum { ROWS = 61, COLS = 150, DEPTH = 900 };
  size_t product = sl_packed_elements (COLS, DEPTH, set->panel);
  float *a = new_floats (ROWS * DEPTH), *packed = new_floats (product);
  float *together = new_floats (ROWS * COLS), *alone = new_floats (ROWS * COLS);
  SlGemmParams p = {
      .batch = 1, .rows = ROWS, .cols = COLS, .depth = DEPTH, .a_stride = DEPTH, .c_stride = COLS};

  fill_random (a, ROWS * DEPTH, 1);
  fill_random (packed, product, 2);
  run_kernel (set, "gemm", &p, (void *[]){a, packed, NULL, NULL, together}, 4,
              ROWS * COLS * sizeof (float));
  for (size_t first = 0, rows = 1; first < ROWS; first += rows, rows++) {
    p.rows = (uint32_t)MIN (rows, ROWS - first);
    run_kernel (set, "gemm", &p,
                (void *[]){a + first * DEPTH, packed, NULL, NULL, alone + first * COLS}, 4,
                p.rows * COLS * sizeof (float));
  }
  g_assert_cmpmem (together, ROWS * COLS * sizeof (float), alone, ROWS * COLS * sizeof (float));
}

/* Element for element. */
static void
test_pack (const SlKernelSet *set)
{
  SlPackParams p = {.groups = 3, .cols = 85, .depth = {3, 2, 37}};
  size_t depth = 3 * 2 * 37, group = sl_packed_elements (p.cols, depth, set->panel);
  float *src = new_floats (3 * p.cols * depth), *out = new_floats (3 * group);
  double *expected = new_expected (3 * group);

  /* columns slowest, then the third depth, then the first two, as in ONNX's OIHW */
  p.group_stride = p.cols * depth;
  p.col_stride = depth;
  p.depth_stride[0] = 2;
  p.depth_stride[1] = 1;
  p.depth_stride[2] = 6;
  fill_random (src, 3 * p.cols * depth, 1);
  for (size_t g = 0; g < 3; g++)
    for (size_t n = 0; n < group / depth; n++)
      for (size_t k = 0; k < depth; k++) {
        size_t at = g * p.group_stride + k / 74 * 2 + k / 37 % 2 + k % 37 * 6 + n * p.col_stride;
        expected[g * group + packed_at (set, p.cols, depth, k, n)] =
            n < p.cols ? (double)src[at] : 0;
      }
  run_kernel (set, "pack_weights", &p, (void *[]){src, out}, 1, 3 * group * sizeof (float));
  check_floats ("pack", out, expected, 3 * group, 0);
}

/* Panels of a width of 16, as GPUs read them, in every order of the source. */
static void
test_pack_width (const SlKernelSet *set)
{
  enum { WIDTH = 16, GROUPS = 2 };
  static const uint32_t counts[] = {1, 3, 16, 17, 37};
  for (size_t i = 0; i < G_N_ELEMENTS (counts); i++)
    for (int order = 0; order < 2; order++) { /* columns fastest, and columns slowest */
      const size_t cols = counts[i], depth = 2 * 3 * 5;
      const size_t group = sl_packed_elements (cols, depth, WIDTH);
      SlPackParams p = {.groups = GROUPS,
                        .cols = counts[i],
                        .depth = {2, 3, 5},
                        .width = WIDTH,
                        .group_stride = cols * depth,
                        .col_stride = order == 0 ? 1 : depth,
                        .depth_stride = {15, 5, 1}};
      for (size_t d = 0; d < 3 && order == 0; d++)
        p.depth_stride[d] *= cols;
      float *src = new_floats (GROUPS * cols * depth), *out = new_floats (GROUPS * group);
      double *expected = new_expected (GROUPS * group);
      fill_random (src, GROUPS * cols * depth, 1);
      for (size_t g = 0; g < GROUPS; g++)
        for (size_t k = 0; k < depth; k++)
          for (size_t n = 0; n < group / depth; n++) {
            const size_t from = g * p.group_stride + k * p.depth_stride[2] + n * p.col_stride;
            expected[g * group + n / WIDTH * WIDTH * depth + k * WIDTH + n % WIDTH] =
                n < cols ? (double)src[from] : 0;
          }
      run_kernel (set, "pack_weights", &p, (void *[]){src, out}, 1,
                  GROUPS * group * sizeof (float));
      check_floats ("pack", out, expected, GROUPS * group, 0);
    }
}

/* Numbers that half floats cannot hold. */
static void
test_pack_half (const SlKernelSet *set)
{
  enum { DEPTH = 10 };
  static const float src[DEPTH] = {1e6f,  -7e4f,    65519, 1 / 3.f,  3e-8f,
                                   1e-8f, -6.1e-5f, NAN,   INFINITY, -INFINITY};
  SlPackParams p = {
      .groups = 1, .cols = 1, .depth = {1, 1, DEPTH}, .half = 1, .depth_stride = {0, 0, 1}};
  uint16_t *out = (uint16_t *)new_floats (DEPTH * set->panel);

  run_kernel (set, "pack_weights", &p, (void *[]){(void *)src, out}, 1,
              DEPTH * set->panel * sizeof *out);
  for (size_t k = 0; k < DEPTH; k++)
    for (size_t n = 0; n < set->panel; n++)
      g_assert_cmphex (out[k * set->panel + n], ==,
                       n == 0 ? sl_half_from_float (CLAMP (src[k], -65504.f, 65504.f)) : 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("gemm/cases", test_gemm);
  add_set_tests ("gemm/batch-invariance", test_batch_invariance);
  add_set_tests ("gemm/pack", test_pack);
  add_set_tests ("gemm/pack-half", test_pack_half);
  add_set_tests ("gemm/pack-width", test_pack_width);
  return g_test_run ();
}
