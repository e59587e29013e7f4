#include "kernels/act.h"
#include "kernels/elementwise.h"
#include "kernels/grid.h"

/* Rows without gaps are one long row. */
static SlPlaneGrid
unary_grid (const SlUnaryParams *p)
{
  if (p->in_stride == p->cols && p->out_stride == p->cols)
    return plane_grid (1, p->rows * p->cols, GRID_ELEMENTS);
  return plane_grid (p->rows, p->cols, GRID_ELEMENTS);
}

static size_t
unary_tiles (const void *params)
{
  SlPlaneGrid grid = unary_grid (params);
  return plane_tiles (&grid);
}

typedef Vec (*UnaryFunc) (Vec x, Vec a, Vec b);

/* `func` is a constant where this is inlined. */
ALWAYS_INLINE void
unary_run (const SlUnaryParams *p, void *const *buffers, size_t first, size_t last,
           const UnaryFunc func)
{
  SlPlaneGrid grid = unary_grid (p);
  Vec a = vec_splat (p->a), b = vec_splat (p->b);

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      const float *in = (const float *)buffers[0] + r * p->in_stride + tile.col;
      float *out = (float *)buffers[1] + r * p->out_stride + tile.col;
      size_t i = 0;
      for (; i + VEC_WIDTH <= tile.cols; i += VEC_WIDTH)
        vec_store (out + i, func (vec_load (in + i), a, b));
      if (i < tile.cols)
        vec_store_n (out + i, func (vec_load_n (in + i, tile.cols - i), a, b), tile.cols - i);
    }
  }
}

#define UNARY(op, value)                                                                       \
  ALWAYS_INLINE Vec op##_func (Vec x, Vec a, Vec b)                                            \
  {                                                                                            \
    return value;                                                                              \
  }                                                                                            \
  static void op##_run (const void *params, void *const *buffers, void *scratch, size_t first, \
                        size_t last)                                                           \
  {                                                                                            \
    unary_run (params, buffers, first, last, op##_func);                                       \
  }                                                                                            \
  const SlKernel SL_KERNEL_NAME (sl_kernel_##op) = {                                           \
      .name = #op,                                                                             \
      .params_size = sizeof (SlUnaryParams),                                                   \
      .tiles = unary_tiles,                                                                    \
      .run = op##_run,                                                                         \
  };

#define ZERO vec_splat (0)
#define ONE vec_splat (1)

/* x tanh (log (1 + e^x)) with n = e^x (e^x + 2): x n / (n + 2). Past 20 the quotient is 1. */
ALWAYS_INLINE Vec
vec_mish (Vec x)
{
  Vec e = vec_exp (vec_min (vec_splat (20), x)), n = e * (e + 2.0f);
  return x * (n / (n + 2.0f));
}

ALWAYS_INLINE Vec
vec_softplus (Vec x)
{
  return vec_max (ZERO, x) + vec_log1p (vec_exp (-vec_abs (x)));
}

ALWAYS_INLINE Vec
vec_sign (Vec x)
{
  Vec sign = vec_select (x > 0, ONE, vec_select (x < 0, -ONE, ZERO));
  return vec_select (x == x, sign, x);
}

/* clang-format off */
UNARY (relu, vec_max (ZERO, x))
UNARY (clip, vec_clip (x, a, b))
UNARY (leaky_relu, vec_select (x < 0, a *x, x))
UNARY (elu, vec_select (x < 0, a * vec_expm1 (x), x))
UNARY (selu, b * vec_select (x < 0, a * vec_expm1 (x), x))
UNARY (celu, vec_select (x < 0, a * vec_expm1 (x / a), x))
UNARY (thresholded_relu, vec_select (x > a, x, ZERO))
UNARY (sigmoid, vec_sigmoid (x))
UNARY (hard_sigmoid, vec_clip (vec_fma (a, x, b), ZERO, ONE))
UNARY (hard_swish, vec_hard_swish (x))
UNARY (tanh, vec_tanh (x))
UNARY (softplus, vec_softplus (x))
UNARY (softsign, x / (1.0f + vec_abs (x)))
UNARY (erf, vec_erf (x))
UNARY (gelu, 0.5f * x * (1.0f + vec_erf (x * 0.707106781186547524f)))
UNARY (mish, vec_mish (x))
UNARY (silu, x * vec_sigmoid (x))
UNARY (exp, vec_exp (x))
UNARY (log, vec_log (x))
UNARY (sqrt, vec_sqrt (x))
UNARY (reciprocal, 1.0f / x)
UNARY (neg, -x)
UNARY (abs, vec_abs (x))
UNARY (sign, vec_sign (x))
UNARY (floor, vec_floor (x))
UNARY (ceil, vec_ceil (x))
UNARY (round, vec_round (x))
UNARY (linear, vec_fma (a, x, b))
/* clang-format on */

/* --- Gradients by results --- */

static SlPlaneGrid
gate_grid (const SlGateParams *p)
{
  if (p->dy_stride == p->cols && p->y_stride == p->cols && p->out_stride == p->cols)
    return plane_grid (1, p->rows * p->cols, GRID_ELEMENTS);
  return plane_grid (p->rows, p->cols, GRID_ELEMENTS);
}

static size_t
gate_tiles (const void *params)
{
  SlPlaneGrid grid = gate_grid (params);
  return plane_tiles (&grid);
}

typedef enum { GATE_RELU, GATE_LEAKY, GATE_SIGMOID, GATE_TANH } Gate;

/* `gate` is a constant where this is inlined. */
ALWAYS_INLINE Vec
pass (Vec dy, Vec y, Vec slope, const Gate gate)
{
  if (gate == GATE_SIGMOID)
    return dy * (y * (1.0f - y));
  if (gate == GATE_TANH)
    return dy * (1.0f - y * y);
  return vec_select (y > 0, dy, gate == GATE_LEAKY ? slope * dy : ZERO);
}

ALWAYS_INLINE void
gate_run (const SlGateParams *p, void *const *buffers, size_t first, size_t last, const Gate gate)
{
  SlPlaneGrid grid = gate_grid (p);
  const bool leaky = gate == GATE_LEAKY;
  Vec slope = leaky ? vec_splat (*(const float *)buffers[2]) : ZERO;

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      const float *dy = (const float *)buffers[0] + r * p->dy_stride + tile.col;
      const float *y = (const float *)buffers[1] + r * p->y_stride + tile.col;
      float *out = (float *)buffers[leaky ? 3 : 2] + r * p->out_stride + tile.col;
      size_t i = 0;
      for (; i + VEC_WIDTH <= tile.cols; i += VEC_WIDTH)
        vec_store (out + i, pass (vec_load (dy + i), vec_load (y + i), slope, gate));
      if (i < tile.cols) {
        size_t n = tile.cols - i;
        vec_store_n (out + i, pass (vec_load_n (dy + i, n), vec_load_n (y + i, n), slope, gate), n);
      }
    }
  }
}

#define GATE(op, gate)                                                                         \
  static void op##_run (const void *params, void *const *buffers, void *scratch, size_t first, \
                        size_t last)                                                           \
  {                                                                                            \
    gate_run (params, buffers, first, last, gate);                                             \
  }                                                                                            \
  const SlKernel SL_KERNEL_NAME (sl_kernel_##op) = {                                           \
      .name = #op,                                                                             \
      .params_size = sizeof (SlGateParams),                                                    \
      .tiles = gate_tiles,                                                                     \
      .run = op##_run,                                                                         \
  };

GATE (relu_gradient, GATE_RELU)
GATE (leaky_relu_gradient, GATE_LEAKY)
GATE (sigmoid_gradient, GATE_SIGMOID)
GATE (tanh_gradient, GATE_TANH)
