#include "kernels/grid.h"
#include "kernels/reduce.h"
#include "kernels/vmath.h"

static SlPlaneGrid
lrn_grid (const SlLrnParams *p)
{
  /* whole rows only: each one squares its channels once */
  SlPlaneGrid grid = {p->rows, p->channels, 0, max_size (1, p->channels)};
  grid.block_rows = max_size (1, GRID_ELEMENTS / 4 / max_size (1, p->channels));
  return grid;
}

static size_t
lrn_tiles (const void *params)
{
  SlPlaneGrid grid = lrn_grid (params);
  return plane_tiles (&grid);
}

/* The squares of a row between zeros: (size - 1) / 2 before, size / 2 and a vector's excess behind.
 */
static size_t
lrn_scratch (const void *params)
{
  const SlLrnParams *p = params;
  return (p->channels + p->size + 2 * VEC_WIDTH) * sizeof (float);
}

/* x ^ -beta for x > 0. */
ALWAYS_INLINE Vec
inverse_power (Vec x, float beta)
{
  if (beta == 0.75f) { /* everybody's choice, and exact to a rounding or two */
    Vec root = vec_sqrt (x);
    return 1.0f / (root * vec_sqrt (root));
  }
  return vec_exp (vec_log (x) * -beta);
}

/* Squares of a row between the zeros of what its ends sum beyond it. */
ALWAYS_INLINE void
fill_squares (const SlLrnParams *p, const float *in, float *squares)
{
  size_t before = (p->size - 1) / 2;

  for (size_t c = 0; c < p->channels; c += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, p->channels - c);
    Vec x = vec_load_n (in + c, n);
    vec_store_n (squares + before + c, x * x, n);
  }
}

/* Of `size` neighbours, from channel c on. */
ALWAYS_INLINE Vec
sum_neighbours (const SlLrnParams *p, const float *x, size_t c)
{
  Vec sum = vec_splat (0);
  for (size_t j = 0; j < p->size; j++)
    sum += vec_load (x + c + j);
  return sum;
}

/* What is raised to -beta. */
ALWAYS_INLINE Vec
base_of (const SlLrnParams *p, const float *squares, size_t c)
{
  float alpha = p->alpha / (float)p->size;
  return vec_fma (sum_neighbours (p, squares, c), vec_splat (alpha), vec_splat (p->bias));
}

static void
lrn_row (const SlLrnParams *p, const float *in, float *out, float *squares)
{
  fill_squares (p, in, squares);
  for (size_t c = 0; c < p->channels; c += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, p->channels - c);
    Vec base = base_of (p, squares, c);
    vec_store_n (out + c, vec_load_n (in + c, n) * inverse_power (base, p->beta), n);
  }
}

static void
lrn_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlLrnParams *p = params;
  SlPlaneGrid grid = lrn_grid (p);

  memset (scratch, 0, lrn_scratch (p));
  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++)
      lrn_row (p, (const float *)buffers[0] + r * p->in_stride,
               (float *)buffers[1] + r * p->out_stride, scratch);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_lrn) = {
    .name = "lrn",
    .params_size = sizeof (SlLrnParams),
    .tiles = lrn_tiles,
    .scratch = lrn_scratch,
    .run = lrn_run,
};

/* --- Gradient --- */

static size_t
gradient_tiles (const void *params)
{
  const SlLrnGradientParams *p = params;
  return lrn_tiles (&p->lrn);
}

/* Two rows of lrn_scratch(): squares, and what each channel gives to those that it summed. */
static size_t
gradient_scratch (const void *params)
{
  const SlLrnGradientParams *p = params;
  return 2 * lrn_scratch (&p->lrn);
}

static void
gradient_row (const SlLrnParams *p, const float *in, const float *dy, float *out, float *squares,
              float *given)
{
  size_t after = p->size / 2;
  float alpha = p->alpha / (float)p->size;

  fill_squares (p, in, squares);
  for (size_t c = 0; c < p->channels; c += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, p->channels - c);
    Vec base = base_of (p, squares, c);
    Vec d = vec_load_n (dy + c, n) * inverse_power (base, p->beta);
    vec_store_n (given + after + c, d * vec_load_n (in + c, n) / base, n);
    vec_store_n (out + c, d, n);
  }
  for (size_t c = 0; c < p->channels; c += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, p->channels - c);
    Vec factor = -2 * alpha * p->beta * vec_load_n (in + c, n);
    Vec sum = sum_neighbours (p, given, c);
    vec_store_n (out + c, vec_fma (factor, sum, vec_load_n (out + c, n)), n);
  }
}

static void
gradient_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlLrnGradientParams *p = params;
  SlPlaneGrid grid = lrn_grid (&p->lrn);
  float *given = (float *)scratch + lrn_scratch (&p->lrn) / sizeof (float);

  memset (scratch, 0, gradient_scratch (p));
  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++)
      gradient_row (&p->lrn, (const float *)buffers[0] + r * p->lrn.in_stride,
                    (const float *)buffers[1] + r * p->dy_stride,
                    (float *)buffers[2] + r * p->lrn.out_stride, scratch, given);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_lrn_gradient) = {
    .name = "lrn_gradient",
    .params_size = sizeof (SlLrnGradientParams),
    .tiles = gradient_tiles,
    .scratch = gradient_scratch,
    .run = gradient_run,
};
