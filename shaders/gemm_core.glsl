/* Sums of a row of a product: one panel of columns, in registers. */
#ifndef GEMM_CORE_GLSL
#define GEMM_CORE_GLSL

#include "act.glsl"
#include "panel.h"
#include "types.glsl"

struct Sums
{
  vec4 of[PANEL / 4];
};

Sums
no_sums ()
{
  Sums sums;
  [[unroll]] for (uint q = 0; q < PANEL / 4; q++)
    sums.of[q] = vec4 (0);
  return sums;
}

#endif
