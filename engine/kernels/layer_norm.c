#include "kernels/layer_norm.h"
#include "kernels/act.h"
#include "kernels/grid.h"

/* Elements that are summed as floats, over several chains, before they go to a double. */
#define LEAF (64 * VEC_WIDTH)
#define CHAINS 4

/* x, and 0 from lane n on. */
ALWAYS_INLINE Vec
first_lanes (Vec x, size_t n)
{
  int32_t lane[VEC_WIDTH];
  VecInt lanes;
  for (int i = 0; i < VEC_WIDTH; i++)
    lane[i] = i;
  memcpy (&lanes, lane, sizeof lanes);
  return vec_select (lanes < vec_splat_int ((int32_t)n), x, vec_splat (0));
}

/* Sums of x - shift and, where they are asked for, of its squares. */
typedef struct Sums {
  double first, second;
} Sums;

ALWAYS_INLINE Sums
sum_row (const float *x, size_t n, float shift, const bool squares)
{
  Vec by = vec_splat (shift);
  Sums total = {0, 0};

  for (size_t begin = 0; begin < n; begin += LEAF) {
    size_t end = min_size (n, begin + LEAF), i = begin;
    Vec first[CHAINS], second[CHAINS];
    UNROLL
    for (size_t j = 0; j < CHAINS; j++)
      first[j] = second[j] = vec_splat (0);
    for (; i + CHAINS * VEC_WIDTH <= end; i += CHAINS * VEC_WIDTH) {
      UNROLL
      for (size_t j = 0; j < CHAINS; j++) {
        Vec d = vec_load (x + i + j * VEC_WIDTH) - by;
        first[j] += d;
        second[j] = squares ? vec_fma (d, d, second[j]) : second[j];
      }
    }
    for (; i < end; i += VEC_WIDTH) {
      size_t lanes = min_size (VEC_WIDTH, end - i);
      Vec d = lanes == VEC_WIDTH ? vec_load (x + i) - by
                                 : first_lanes (vec_load_n (x + i, lanes) - by, lanes);
      first[0] += d;
      second[0] = squares ? vec_fma (d, d, second[0]) : second[0];
    }
    total.first += (double)vec_sum ((first[0] + first[1]) + (first[2] + first[3]));
    if (squares)
      total.second += (double)vec_sum ((second[0] + second[1]) + (second[2] + second[3]));
  }
  return total;
}

ALWAYS_INLINE void
layer_norm_row (const SlLayerNormParams *p, const float *x, const float *scale, const float *bias,
                float *y)
{
  size_t n = p->cols;
  double share = 1 / (double)n;
  /* What the rounded mean lacks is found with the squares. */
  float mean = (float)(sum_row (x, n, 0, false).first * share);
  Sums sums = sum_row (x, n, mean, true);
  double rest = sums.first * share, variance = sums.second * share - rest * rest;
  double factor = 1 / sqrt ((variance > 0 ? variance : 0) + (double)p->epsilon);
  Vec from = vec_splat (mean), by = vec_splat ((float)factor);
  Vec offset = vec_splat ((float)(-rest * factor));
  SlClip clip = act_clip (&p->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi), none = vec_splat (0);

  size_t i = 0;
  for (; i + VEC_WIDTH <= n; i += VEC_WIDTH) {
    Vec v = vec_fma (vec_load (x + i) - from, by, offset);
    v = vec_fma (v, vec_load (scale + i), bias ? vec_load (bias + i) : none);
    vec_store (y + i, vec_clip (v, lo, hi));
  }
  if (i < n) {
    Vec v = vec_fma (vec_load_n (x + i, n - i) - from, by, offset);
    v = vec_fma (v, vec_load_n (scale + i, n - i), bias ? vec_load_n (bias + i, n - i) : none);
    vec_store_n (y + i, vec_clip (v, lo, hi), n - i);
  }
}

static size_t
rows_per_tile (const SlLayerNormParams *p)
{
  return max_size (1, GRID_ELEMENTS / 4 / max_size (1, p->cols));
}

static size_t
layer_norm_tiles (const void *params)
{
  const SlLayerNormParams *p = params;
  return ceil_div (p->rows, rows_per_tile (p));
}

static void
layer_norm_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlLayerNormParams *p = params;
  size_t each = rows_per_tile (p), begin = first * each, end = min_size (p->rows, last * each);
  float *out = (float *)buffers[3] + begin * p->out_stride;

  for (size_t r = begin; r < end; r++)
    layer_norm_row (p, (const float *)buffers[0] + r * p->in_stride, buffers[1], buffers[2],
                    (float *)buffers[3] + r * p->out_stride);
  if (begin < end)
    act_finish (&p->act, out, end - begin, p->cols, p->out_stride);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_layer_norm) = {
    .name = "layer_norm",
    .params_size = sizeof (SlLayerNormParams),
    .tiles = layer_norm_tiles,
    .run = layer_norm_run,
};
