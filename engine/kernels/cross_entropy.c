#include "kernels/grid.h"
#include "kernels/reduce.h"
#include "kernels/vmath.h"

static size_t
rows_of_tile (const SlCrossEntropyParams *p)
{
  return max_size (1, GRID_ELEMENTS / 4 / max_size (1, p->classes));
}

static size_t
rows_tiles (const void *params)
{
  const SlCrossEntropyParams *p = params;
  return ceil_div (p->rows, rows_of_tile (p));
}

/* weights * target */
ALWAYS_INLINE Vec
load_share (const float *target, const float *weights, size_t i, size_t n)
{
  Vec t = vec_load_n (target + i, n);
  return weights ? t * vec_load_n (weights + i, n) : t;
}

static float
row_loss (const float *x, const float *target, const float *weights, size_t classes)
{
  Vec top = vec_splat (vec_greatest_of (x, classes)), total = vec_splat (0), loss = vec_splat (0);

  for (size_t i = 0; i < classes; i += VEC_WIDTH)
    total += vec_exp (vec_load_or_low (x + i, classes - i) - top);
  Vec shift = vec_log (vec_splat (vec_sum (total)));
  for (size_t i = 0; i < classes; i += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, classes - i);
    Vec share = load_share (target, weights, i, n);
    Vec part = share * (shift - (vec_load_n (x + i, n) - top));
    loss += vec_select (share == 0, vec_splat (0), part);
  }
  return vec_sum (loss);
}

/* dloss * (softmax * sum of shares - share) */
static void
row_gradient (float dloss, const float *x, const float *target, const float *weights,
              size_t classes, float *out)
{
  Vec top = vec_splat (vec_greatest_of (x, classes)), total = vec_splat (0), all = vec_splat (0);

  for (size_t i = 0; i < classes; i += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, classes - i);
    Vec e = vec_exp (vec_load_or_low (x + i, n) - top);
    total += e;
    all += load_share (target, weights, i, n);
    vec_store_n (out + i, e, n);
  }
  Vec factor = vec_splat (vec_sum (all)) / vec_splat (vec_sum (total)), d = vec_splat (dloss);
  for (size_t i = 0; i < classes; i += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, classes - i);
    Vec share = load_share (target, weights, i, n);
    vec_store_n (out + i, d * (vec_load_n (out + i, n) * factor - share), n);
  }
}

static void
loss_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlCrossEntropyParams *p = params;
  size_t rows = rows_of_tile (p), end = min_size (p->rows, last * rows);

  for (size_t r = first * rows; r < end; r++)
    ((float *)buffers[3])[r] =
        row_loss ((const float *)buffers[0] + r * p->classes,
                  (const float *)buffers[1] + r * p->classes, buffers[2], p->classes);
}

static void
gradient_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlCrossEntropyParams *p = params;
  size_t rows = rows_of_tile (p), end = min_size (p->rows, last * rows);

  for (size_t r = first * rows; r < end; r++)
    row_gradient (((const float *)buffers[0])[r], (const float *)buffers[1] + r * p->classes,
                  (const float *)buffers[2] + r * p->classes, buffers[3], p->classes,
                  (float *)buffers[4] + r * p->classes);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_cross_entropy) = {
    .name = "cross_entropy",
    .params_size = sizeof (SlCrossEntropyParams),
    .tiles = rows_tiles,
    .run = loss_run,
};

const SlKernel SL_KERNEL_NAME (sl_kernel_cross_entropy_gradient) = {
    .name = "cross_entropy_gradient",
    .params_size = sizeof (SlCrossEntropyParams),
    .tiles = rows_tiles,
    .run = gradient_run,
};
