#include "kernels/grid.h"
#include "kernels/reduce.h"
#include "kernels/vmath.h"

/* Several chains, so that a sum over a long axis neither waits for itself nor loses digits. */
#define CHAINS 4

static SlPlaneGrid
softmax_grid (const SlSoftmaxParams *p)
{
  return plane_grid (p->outer, p->inner, GRID_ELEMENTS / 4 / max_size (1, p->axis));
}

static size_t
softmax_tiles (const void *params)
{
  SlPlaneGrid grid = softmax_grid (params);
  return plane_tiles (&grid);
}

/* One contiguous axis. */
ALWAYS_INLINE void
softmax_contiguous (const float *x, float *y, size_t axis, const bool log)
{
  Vec top = vec_splat (vec_greatest_of (x, axis)), chain[CHAINS] = {vec_splat (0)};

  for (size_t i = 0, j = 0; i < axis; i += VEC_WIDTH, j = (j + 1) % CHAINS) {
    size_t n = min_size (VEC_WIDTH, axis - i);
    Vec e = vec_exp (vec_load_or_low (x + i, n) - top);
    chain[j] += e;
    if (!log)
      vec_store_n (y + i, e, n);
  }
  Vec total = vec_splat (vec_sum ((chain[0] + chain[1]) + (chain[2] + chain[3])));
  Vec shift = vec_log (total); /* apart from the top, whose digits it would lose */
  for (size_t i = 0; i < axis; i += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, axis - i);
    vec_store_n (y + i, log ? vec_load_n (x + i, n) - top - shift : vec_load_n (y + i, n) / total,
                 n);
  }
}

/* n neighbouring columns at once, each with its axis across the rows. */
ALWAYS_INLINE void
softmax_columns (const float *x, float *y, size_t axis, size_t inner, size_t n, const bool log)
{
  Vec top = vec_splat (-INFINITY), chain[CHAINS] = {vec_splat (0)};

  for (size_t i = 0; i < axis; i++)
    top = vec_max (top, vec_load_n (x + i * inner, n));
  for (size_t i = 0; i < axis; i++) {
    Vec e = vec_exp (vec_load_n (x + i * inner, n) - top);
    chain[i % CHAINS] += e;
    if (!log)
      vec_store_n (y + i * inner, e, n);
  }
  Vec total = (chain[0] + chain[1]) + (chain[2] + chain[3]);
  Vec shift = vec_log (total); /* apart from the top, whose digits it would lose */
  for (size_t i = 0; i < axis; i++) {
    float *at = y + i * inner;
    vec_store_n (at, log ? vec_load_n (x + i * inner, n) - top - shift : vec_load_n (at, n) / total,
                 n);
  }
}

ALWAYS_INLINE void
run (const SlSoftmaxParams *p, void *const *buffers, size_t first, size_t last, const bool log)
{
  SlPlaneGrid grid = softmax_grid (p);

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      const float *x = (const float *)buffers[0] + r * p->axis * p->inner;
      float *y = (float *)buffers[1] + r * p->axis * p->inner;
      if (p->inner == 1) {
        softmax_contiguous (x, y, p->axis, log);
        continue;
      }
      for (size_t c = tile.col; c < tile.col + tile.cols; c += VEC_WIDTH)
        softmax_columns (x + c, y + c, p->axis, p->inner,
                         min_size (VEC_WIDTH, tile.col + tile.cols - c), log);
    }
  }
}

static void
softmax_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  run (params, buffers, first, last, false);
}

static void
log_softmax_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  run (params, buffers, first, last, true);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_softmax) = {
    .name = "softmax",
    .params_size = sizeof (SlSoftmaxParams),
    .tiles = softmax_tiles,
    .run = softmax_run,
};

const SlKernel SL_KERNEL_NAME (sl_kernel_log_softmax) = {
    .name = "log_softmax",
    .params_size = sizeof (SlSoftmaxParams),
    .tiles = softmax_tiles,
    .run = log_softmax_run,
};
