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
  Vec gate = vec_clip (x / 6.0f + 0.5f, vec_splat (0), vec_splat (1));
  return x * gate;
}

ALWAYS_INLINE Vec
act_vec (SlActKind kind, Vec x, Vec a)
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

/* Applies what the clip did not, in place, to rows × cols elements. */
static __attribute__ ((noinline, unused)) void
act_finish (const SlAct *act, float *x, size_t rows, size_t cols, size_t stride)
{
  Vec a = vec_splat (act->a);

  if (!act_is_separate (act))
    return;
  for (size_t r = 0; r < rows; r++) {
    float *row = x + r * stride;
    for (size_t c = 0; c < cols; c += VEC_WIDTH) {
      size_t n = min_size (cols - c, VEC_WIDTH);
      vec_store_n (row + c, act_vec (act->kind, vec_load_n (row + c, n), a), n);
    }
  }
}
