#include "kernels/batch_norm.h"
#include "kernels/act.h"
#include "kernels/grid.h"

/* Rows are taken in blocks that the first cache holds, so that a second look at them is free: the
 * mean of a block, then squares around it. Blocks and parts are joined as Chan, Golub and LeVeque
 * do (1979), whose sums lose nothing where the mean is far from 0. */
#define BLOCK_ELEMENTS 4096

static size_t
pitch_of (const SlBatchNormParams *p)
{
  return round_up (p->channels, VEC_WIDTH);
}

static size_t
block_rows (const SlBatchNormParams *p)
{
  return max_size (1, BLOCK_ELEMENTS / pitch_of (p));
}

/* The two rows of a part; those of all parts are number `parts`. */
static float *
part_of (const SlBatchNormParams *p, void *workspace, size_t part)
{
  return (float *)workspace + part * 2 * pitch_of (p);
}

static size_t
parts_tiles (const void *params)
{
  const SlBatchNormParams *p = params;
  return p->parts;
}

static size_t
one_tile (const void *params)
{
  return 1;
}

static size_t
rows_tiles (const void *params)
{
  const SlBatchNormParams *p = params;
  return ceil_div (p->rows, max_size (1, GRID_ELEMENTS / p->channels));
}

/* --- Forward --- */

/* Chains of a sum over rows: enough to hide what an addition waits. */
#define CHAINS 4

ALWAYS_INLINE Vec
join (const Vec chain[CHAINS])
{
  return (chain[0] + chain[1]) + (chain[2] + chain[3]);
}

/* Adds `count` rows of a vector of channels to what `before` rows gave. */
ALWAYS_INLINE void
add_moments (const float *x, size_t stride, size_t count, size_t before, const size_t n,
             float *mean, float *squares)
{
  Vec sum[CHAINS] = {vec_splat (0)}, square[CHAINS] = {vec_splat (0)};
  size_t r = 0;

  for (; r + CHAINS <= count; r += CHAINS)
    UNROLL
  for (size_t i = 0; i < CHAINS; i++)
    sum[i] += vec_load_n (x + (r + i) * stride, n);
  for (; r < count; r++)
    sum[0] += vec_load_n (x + r * stride, n);
  Vec own = join (sum) / (float)count;
  for (r = 0; r + CHAINS <= count; r += CHAINS)
    UNROLL
  for (size_t i = 0; i < CHAINS; i++) {
    Vec d = vec_load_n (x + (r + i) * stride, n) - own;
    square[i] = vec_fma (d, d, square[i]);
  }
  for (; r < count; r++) {
    Vec d = vec_load_n (x + r * stride, n) - own;
    square[0] = vec_fma (d, d, square[0]);
  }
  Vec delta = own - vec_load (mean);
  float share = (float)count / (float)(before + count);
  vec_store (mean, vec_load (mean) + delta * share);
  vec_store (squares, vec_load (squares) + join (square) + delta * delta * ((float)before * share));
}

static void
moments_join_run (const void *params, void *const *buffers, void *scratch, size_t first,
                  size_t last)
{
  const SlBatchNormParams *p = params;
  size_t pitch = pitch_of (p);
  float *all = part_of (p, buffers[1], p->parts);

  for (size_t c = 0; c < pitch; c++) {
    double mean = 0, squares = 0, before = 0;
    for (size_t i = 0; i < p->parts; i++) {
      const float *part = part_of (p, buffers[0], i);
      double count =
          (double)(part_begin (p->rows, p->parts, i + 1) - part_begin (p->rows, p->parts, i));
      double delta = (double)part[c] - mean;
      mean += delta * count / (before + count);
      squares += (double)part[pitch + c] + delta * delta * before * count / (before + count);
      before += count;
    }
    all[c] = (float)mean;
    all[pitch + c] = (float)(squares / (double)p->rows);
  }
}

static void
saved_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlBatchNormParams *p = params;
  const float *all = part_of (p, buffers[0], p->parts), *variance = all + pitch_of (p);
  float *out = buffers[1];

  for (size_t c = 0; c < p->channels; c++)
    out[c] = p->which == 0 ? all[c] : 1.0f / sqrtf (variance[c] + p->epsilon);
}

static void
running_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlBatchNormParams *p = params;
  const float *now = part_of (p, buffers[0], p->parts) + p->which * pitch_of (p);
  const float *old = buffers[1];
  float *out = buffers[2];

  for (size_t c = 0; c < p->channels; c++)
    out[c] = old[c] * p->momentum + now[c] * (1 - p->momentum);
}

static void
normalize_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlBatchNormParams *p = params;
  const float *mean = part_of (p, buffers[1], p->parts), *variance = mean + pitch_of (p);
  const float *gamma = buffers[2], *beta = buffers[3];
  size_t each = max_size (1, GRID_ELEMENTS / p->channels);
  size_t row = first * each, end = min_size (p->rows, last * each);
  SlClip clip = act_clip (&p->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);

  for (size_t c = 0; c < p->channels; c += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, p->channels - c);
    Vec inverse = 1.0f / vec_sqrt (vec_load (variance + c) + p->epsilon);
    Vec scale = inverse * vec_load_n (gamma + c, n), shift = vec_load_n (beta + c, n);
    Vec middle = vec_load (mean + c);
    const float *x = (const float *)buffers[0] + row * p->x_stride + c;
    float *y = (float *)buffers[4] + row * p->out_stride + c;
    for (size_t r = row; r < end; r++, x += p->x_stride, y += p->out_stride) {
      if (n == VEC_WIDTH)
        vec_store (y, vec_clip (vec_fma (vec_load (x) - middle, scale, shift), lo, hi));
      else
        vec_store_n (y, vec_clip (vec_fma (vec_load_n (x, n) - middle, scale, shift), lo, hi), n);
    }
  }
  act_finish (&p->act, (float *)buffers[4] + row * p->out_stride, end - row, p->channels,
              p->out_stride);
}

/* --- Backward --- */

ALWAYS_INLINE void
add_sums (const float *x, size_t x_stride, const float *dy, size_t dy_stride, size_t count,
          const size_t n, Vec mean, Vec inverse, float *sum, float *product)
{
  Vec s[CHAINS] = {vec_splat (0)}, q[CHAINS] = {vec_splat (0)};
  size_t r = 0;

  for (; r + CHAINS <= count; r += CHAINS)
    UNROLL
  for (size_t i = 0; i < CHAINS; i++) {
    Vec d = vec_load_n (dy + (r + i) * dy_stride, n);
    s[i] += d;
    q[i] = vec_fma (d, vec_load_n (x + (r + i) * x_stride, n) - mean, q[i]);
  }
  for (; r < count; r++) {
    Vec d = vec_load_n (dy + r * dy_stride, n);
    s[0] += d;
    q[0] = vec_fma (d, vec_load_n (x + r * x_stride, n) - mean, q[0]);
  }
  vec_store (sum, vec_load (sum) + join (s));
  vec_store (product, vec_load (product) + join (q) * inverse);
}

/* Rows r … r + count - 1 of a vector of channels, of which n exist, added to their part's sums;
 * `before` of its rows are in them. `n` and `backward` are constants where this is inlined. */
ALWAYS_INLINE void
add_block (const SlBatchNormParams *p, void *const *buffers, size_t r, size_t count, size_t before,
           size_t c, const size_t n, const bool backward, float *sums)
{
  size_t pitch = pitch_of (p);
  const float *x = (const float *)buffers[0] + r * p->x_stride + c;

  if (backward)
    add_sums (x, p->x_stride, (const float *)buffers[1] + r * p->dy_stride + c, p->dy_stride, count,
              n, vec_load_n ((const float *)buffers[2] + c, n),
              vec_load_n ((const float *)buffers[3] + c, n), sums + c, sums + pitch + c);
  else
    add_moments (x, p->x_stride, count, before, n, sums + c, sums + pitch + c);
}

/* Both sums of each part, block by block. */
ALWAYS_INLINE void
run_parts (const SlBatchNormParams *p, void *const *buffers, void *workspace, size_t first,
           size_t last, const bool backward)
{
  size_t block = block_rows (p);

  for (size_t t = first; t < last; t++) {
    size_t begin = part_begin (p->rows, p->parts, t), end = part_begin (p->rows, p->parts, t + 1);
    float *sums = part_of (p, workspace, t);
    memset (sums, 0, 2 * pitch_of (p) * sizeof *sums);
    for (size_t r = begin; r < end; r += block)
      for (size_t c = 0; c < p->channels; c += VEC_WIDTH) {
        size_t count = min_size (block, end - r), n = min_size (VEC_WIDTH, p->channels - c);
        if (n == VEC_WIDTH)
          add_block (p, buffers, r, count, r - begin, c, VEC_WIDTH, backward, sums);
        else
          add_block (p, buffers, r, count, r - begin, c, n, backward, sums);
      }
  }
}

static void
moments_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  run_parts (params, buffers, buffers[1], first, last, false);
}

static void
sums_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  run_parts (params, buffers, buffers[4], first, last, true);
}

static void
sums_join_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlBatchNormParams *p = params;
  float *all = part_of (p, buffers[1], p->parts);

  for (size_t c = 0; c < 2 * pitch_of (p); c++) {
    double sum = 0;
    for (size_t i = 0; i < p->parts; i++)
      sum += (double)part_of (p, buffers[0], i)[c];
    all[c] = (float)sum;
  }
}

static void
sum_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlBatchNormParams *p = params;
  memcpy (buffers[1], part_of (p, buffers[0], p->parts) + p->which * pitch_of (p),
          p->channels * sizeof (float));
}

static void
normalize_gradient_run (const void *params, void *const *buffers, void *scratch, size_t first,
                        size_t last)
{
  const SlBatchNormParams *p = params;
  const float *gamma = buffers[2], *mean = buffers[3], *inverse = buffers[4];
  const float *sum = part_of (p, buffers[5], p->parts), *product = sum + pitch_of (p);
  size_t each = max_size (1, GRID_ELEMENTS / p->channels);
  size_t row = first * each, end = min_size (p->rows, last * each);
  float share = 1.0f / (float)p->rows;

  for (size_t c = 0; c < p->channels; c += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, p->channels - c);
    Vec i = vec_load_n (inverse + c, n), scale = i * vec_load_n (gamma + c, n);
    Vec slope = i * vec_load (product + c) * share, middle = vec_load_n (mean + c, n);
    Vec level = vec_load (sum + c) * share;
    const float *x = (const float *)buffers[0] + row * p->x_stride + c;
    const float *dy = (const float *)buffers[1] + row * p->dy_stride + c;
    float *dx = (float *)buffers[6] + row * p->out_stride + c;
    for (size_t r = row; r < end; r++, x += p->x_stride, dy += p->dy_stride, dx += p->out_stride) {
      bool whole = n == VEC_WIDTH;
      Vec h = (whole ? vec_load (x) : vec_load_n (x, n)) - middle;
      Vec d = (whole ? vec_load (dy) : vec_load_n (dy, n)) - level;
      Vec value = scale * vec_fma (-h, slope, d);
      if (whole)
        vec_store (dx, value);
      else
        vec_store_n (dx, value, n);
    }
  }
}

#define BATCH(id, tiles_func, run_func)              \
  const SlKernel SL_KERNEL_NAME (sl_kernel_##id) = { \
      .name = #id,                                   \
      .params_size = sizeof (SlBatchNormParams),     \
      .tiles = tiles_func,                           \
      .run = run_func,                               \
  };

BATCH (batch_moments, parts_tiles, moments_run)
BATCH (batch_moments_join, one_tile, moments_join_run)
BATCH (batch_saved, one_tile, saved_run)
BATCH (batch_running, one_tile, running_run)
BATCH (batch_normalize, rows_tiles, normalize_run)
BATCH (batch_sums, parts_tiles, sums_run)
BATCH (batch_sums_join, one_tile, sums_join_run)
BATCH (batch_sum, one_tile, sum_run)
BATCH (batch_normalize_gradient, rows_tiles, normalize_gradient_run)

/* --- Known moments --- */

static size_t
affine_of_norm_tiles (const void *params)
{
  return 1;
}

static void
affine_of_norm_run (const void *params, void *const *buffers, void *scratch, size_t first,
                    size_t last)
{
  const SlAffineOfNormParams *p = params;
  const float *gamma = buffers[0], *beta = buffers[1], *mean = buffers[2], *variance = buffers[3];
  for (size_t i = 0; i < p->count; i += VEC_WIDTH) {
    const size_t n = min_size (VEC_WIDTH, p->count - i);
    const Vec root = vec_sqrt (vec_load_n (variance + i, n) + vec_splat (p->epsilon));
    const Vec scale = vec_load_n (gamma + i, n) / root;
    vec_store_n ((float *)buffers[4] + i, scale, n);
    vec_store_n ((float *)buffers[5] + i,
                 vec_load_n (beta + i, n) - vec_load_n (mean + i, n) * scale, n);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_affine_of_norm) = {
    .name = "affine_of_norm",
    .params_size = sizeof (SlAffineOfNormParams),
    .tiles = affine_of_norm_tiles,
    .run = affine_of_norm_run,
};
