#include "kernels/act.h"
#include "kernels/elementwise.h"
#include "kernels/grid.h"

/* The dimensions that are left when neighbours that step alike are taken as one: `outer` of them
 * above rows of `cols` elements. */
typedef struct Broadcast {
  size_t outer, rows, cols;
  size_t dims[SL_KERNEL_RANK], a[SL_KERNEL_RANK], b[SL_KERNEL_RANK], out[SL_KERNEL_RANK];
  size_t a_col, b_col;
} Broadcast;

static Broadcast
broadcast_plan (const SlBinaryParams *p)
{
  Broadcast plan = {.rows = 1, .cols = 1};
  size_t n = 0, dims[SL_KERNEL_RANK + 1] = {1}, a[SL_KERNEL_RANK + 1] = {0};
  size_t b[SL_KERNEL_RANK + 1] = {0}, out[SL_KERNEL_RANK + 1] = {0};

  for (uint32_t i = 0; i < p->rank; i++) {
    size_t d = p->dims[i];
    if (d == 1)
      continue;
    if (n > 0 && a[n - 1] == d * p->a_stride[i] && b[n - 1] == d * p->b_stride[i] &&
        out[n - 1] == d * p->out_stride[i]) {
      n--;
      d *= dims[n];
    }
    dims[n] = d;
    a[n] = p->a_stride[i];
    b[n] = p->b_stride[i];
    out[n++] = p->out_stride[i];
  }
  if (n == 0 || out[n - 1] != 1) /* a single element, or the innermost dimension was 1 */
    dims[n] = 1, a[n] = b[n] = 0, n++;
  plan.outer = n - 1;
  plan.cols = dims[n - 1];
  plan.a_col = a[n - 1];
  plan.b_col = b[n - 1];
  for (size_t i = 0; i < plan.outer; i++) {
    plan.dims[i] = dims[i];
    plan.a[i] = a[i];
    plan.b[i] = b[i];
    plan.out[i] = out[i];
    plan.rows *= dims[i];
  }
  return plan;
}

static size_t
binary_tiles (const void *params)
{
  Broadcast plan = broadcast_plan (params);
  SlPlaneGrid grid = plane_grid (plan.rows, plan.cols, GRID_ELEMENTS);
  return plane_tiles (&grid);
}

typedef Vec (*BinaryFunc) (Vec a, Vec b);

/* n lanes with a step of 1 (constant), 0 (constant) or anything. */
ALWAYS_INLINE Vec
load_step (const float *x, size_t i, size_t step, size_t n)
{
  if (step == 1)
    return n == VEC_WIDTH ? vec_load (x + i) : vec_load_n (x + i, n);
  if (step == 0)
    return vec_splat (*x);
  float lane[VEC_WIDTH] = {0};
  for (size_t j = 0; j < n; j++)
    lane[j] = x[(i + j) * step];
  return vec_load (lane);
}

ALWAYS_INLINE void
binary_row (const float *a, const float *b, float *out, size_t cols, const size_t a_col,
            const size_t b_col, const SlClip clip, const BinaryFunc func)
{
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);
  size_t i = 0;

  for (; i + VEC_WIDTH <= cols; i += VEC_WIDTH) {
    Vec y = func (load_step (a, i, a_col, VEC_WIDTH), load_step (b, i, b_col, VEC_WIDTH));
    vec_store (out + i, vec_clip (y, lo, hi));
  }
  if (i < cols) {
    Vec y = func (load_step (a, i, a_col, cols - i), load_step (b, i, b_col, cols - i));
    vec_store_n (out + i, vec_clip (y, lo, hi), cols - i);
  }
}

/* `func` is a constant where this is inlined. */
ALWAYS_INLINE void
binary_run (const SlBinaryParams *p, void *const *buffers, size_t first, size_t last,
            const BinaryFunc func)
{
  Broadcast plan = broadcast_plan (p);
  SlPlaneGrid grid = plane_grid (plan.rows, plan.cols, GRID_ELEMENTS);
  SlClip clip = act_clip (&p->act);

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      const float *a = (const float *)buffers[0] + tile.col * plan.a_col;
      const float *b = (const float *)buffers[1] + tile.col * plan.b_col;
      float *out = (float *)buffers[2] + tile.col;
      size_t left = r;

      for (size_t d = plan.outer; d-- > 0; left /= plan.dims[d]) {
        size_t i = left % plan.dims[d];
        a += i * plan.a[d];
        b += i * plan.b[d];
        out += i * plan.out[d];
      }
      if (plan.a_col == 1 && plan.b_col == 1)
        binary_row (a, b, out, tile.cols, 1, 1, clip, func);
      else if (plan.a_col == 1 && plan.b_col == 0)
        binary_row (a, b, out, tile.cols, 1, 0, clip, func);
      else
        binary_row (a, b, out, tile.cols, plan.a_col, plan.b_col, clip, func);
      act_finish (&p->act, out, 1, tile.cols, tile.cols);
    }
  }
}

#define BINARY(op, value)                                                                      \
  ALWAYS_INLINE Vec op##_func (Vec a, Vec b)                                                   \
  {                                                                                            \
    return value;                                                                              \
  }                                                                                            \
  static void op##_run (const void *params, void *const *buffers, void *scratch, size_t first, \
                        size_t last)                                                           \
  {                                                                                            \
    binary_run (params, buffers, first, last, op##_func);                                      \
  }                                                                                            \
  const SlKernel SL_KERNEL_NAME (sl_kernel_##op) = {                                           \
      .name = #op,                                                                             \
      .params_size = sizeof (SlBinaryParams),                                                  \
      .tiles = binary_tiles,                                                                   \
      .run = op##_run,                                                                         \
  };

/* NaN wins in both. */
ALWAYS_INLINE Vec
vec_greater (Vec a, Vec b)
{
  return vec_select (a != a, a, vec_max (a, b));
}

ALWAYS_INLINE Vec
vec_less (Vec a, Vec b)
{
  return vec_select (a != a, a, vec_min (a, b));
}

/* In double, whose rounding error vanishes in the float; the square, by far the most frequent,
 * directly. */
ALWAYS_INLINE Vec
vec_pow (Vec a, Vec b)
{
  float x[VEC_WIDTH], y[VEC_WIDTH];

  memcpy (x, &a, sizeof x);
  memcpy (y, &b, sizeof y);
  for (size_t i = 0; i < VEC_WIDTH; i++)
    x[i] = y[i] == 2.0f ? x[i] * x[i] : (float)pow ((double)x[i], (double)y[i]);
  return vec_load (x);
}

/* clang-format off */
BINARY (add, a + b)
BINARY (sub, a - b)
BINARY (mul, a * b)
BINARY (div, a / b)
BINARY (pow, vec_pow (a, b))
BINARY (min, vec_less (a, b))
BINARY (max, vec_greater (a, b))
BINARY (prelu, vec_select (a < 0, a * b, a))
/* clang-format on */

static size_t
affine_tiles (const void *params)
{
  const SlAffineParams *p = params;
  SlPlaneGrid grid = plane_grid (p->rows, p->channels, GRID_ELEMENTS);
  return plane_tiles (&grid);
}

static void
affine_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlAffineParams *p = params;
  const float *in = buffers[0], *scale = buffers[1], *shift = buffers[2];
  SlPlaneGrid grid = plane_grid (p->rows, p->channels, GRID_ELEMENTS);
  SlClip clip = act_clip (&p->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    size_t c_end = tile.col + tile.cols;
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      const float *x = in + r * p->in_stride;
      float *y = (float *)buffers[3] + r * p->out_stride;
      for (size_t c = tile.col; c < c_end; c += VEC_WIDTH) {
        size_t n = min_size (VEC_WIDTH, c_end - c);
        Vec v =
            vec_fma (vec_load_n (x + c, n), vec_load_n (scale + c, n), vec_load_n (shift + c, n));
        vec_store_n (y + c, vec_clip (v, lo, hi), n);
      }
      act_finish (&p->act, y + tile.col, 1, tile.cols, tile.cols);
    }
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_affine) = {
    .name = "affine",
    .params_size = sizeof (SlAffineParams),
    .tiles = affine_tiles,
    .run = affine_run,
};
