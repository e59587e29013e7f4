/* The activation at the end of a kernel.
 *
 * None and clip, which nearly every layer has, are applied in registers: clip (x, lo, hi) with
 * infinite bounds changes nothing. The others run over the rows just stored, while the cache still
 * holds them. */
#pragma once

#include "kernels/vmath.h"

typedef struct SlClip {
  float lo, hi;
} SlClip;

ALWAYS_INLINE SlClip
act_clip (const SlAct *act)
{
  if (act->kind == SL_ACT_CLIP)
    return (SlClip){act->a, act->b};
  return (SlClip){-INFINITY, INFINITY};
}

/* NaN stays NaN. */
ALWAYS_INLINE Vec
vec_clip (Vec x, Vec lo, Vec hi)
{
  return vec_min (hi, vec_max (lo, x));
}

ALWAYS_INLINE Vec
vec_hard_swish (Vec x)
{
  Vec gate = vec_clip (vec_fma (x, vec_splat (1.0f / 6.0f), vec_splat (0.5f)), vec_splat (0),
                       vec_splat (1));
  return x * gate;
}

/* `kind` is a constant where this is inlined. */
ALWAYS_INLINE Vec
act_vec (const SlActKind kind, Vec x, Vec a)
{
  switch (kind) {
  case SL_ACT_LEAKY:
    return vec_select (x < 0, a * x, x);
  case SL_ACT_SIGMOID:
    return vec_sigmoid (x);
  case SL_ACT_TANH:
    return vec_tanh (x);
  case SL_ACT_SILU:
    return x * vec_sigmoid (x);
  case SL_ACT_HARDSWISH:
    return vec_hard_swish (x);
  case SL_ACT_NONE:
  case SL_ACT_CLIP:
    break;
  }
  return x;
}

/* Whether act_finish() has to run after the clip. */
ALWAYS_INLINE bool
act_is_separate (const SlAct *act)
{
  return act->kind != SL_ACT_NONE && act->kind != SL_ACT_CLIP;
}

ALWAYS_INLINE void
act_rows (const SlActKind kind, float slope, float *x, size_t rows, size_t cols, size_t stride)
{
  Vec a = vec_splat (slope);

  for (size_t r = 0; r < rows; r++, x += stride) {
    size_t c = 0;
    for (; c + VEC_WIDTH <= cols; c += VEC_WIDTH)
      vec_store (x + c, act_vec (kind, vec_load (x + c), a));
    if (c < cols)
      vec_store_n (x + c, act_vec (kind, vec_load_n (x + c, cols - c), a), cols - c);
  }
}

/* Applies what the clip did not, in place, to rows × cols elements. */
static __attribute__ ((noinline, unused)) void
act_finish (const SlAct *act, float *x, size_t rows, size_t cols, size_t stride)
{
  if (stride == cols) { /* one long row: few channels fill no vector */
    cols *= rows;
    rows = 1;
  }
  switch (act->kind) {
  case SL_ACT_LEAKY:
    act_rows (SL_ACT_LEAKY, act->a, x, rows, cols, stride);
    break;
  case SL_ACT_SIGMOID:
    act_rows (SL_ACT_SIGMOID, 0, x, rows, cols, stride);
    break;
  case SL_ACT_TANH:
    act_rows (SL_ACT_TANH, 0, x, rows, cols, stride);
    break;
  case SL_ACT_SILU:
    act_rows (SL_ACT_SILU, 0, x, rows, cols, stride);
    break;
  case SL_ACT_HARDSWISH:
    act_rows (SL_ACT_HARDSWISH, 0, x, rows, cols, stride);
    break;
  case SL_ACT_NONE:
  case SL_ACT_CLIP:
    break;
  }
}
