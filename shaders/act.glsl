/* The activation at the end of a kernel: SlAct, whose kind is a specialisation constant (`act`) of the shader, and
 * whose numbers are push constants. */
#ifndef ACT_GLSL
#define ACT_GLSL

#include "act.h"
#include "vmath.glsl"

float
hard_swish_of (float x)
{
  return x * clip (x * (1.0 / 6.0) + 0.5, 0.0, 1.0);
}

float
activate (uint kind, float x, float a, float b)
{
  switch (kind) {
  case ACT_CLIP:
    return clip (x, a, b);
  case ACT_LEAKY:
    return x < 0.0 ? a * x : x;
  case ACT_SIGMOID:
    return sigmoid_of (x);
  case ACT_TANH:
    return tanh_of (x);
  case ACT_SILU:
    return x * sigmoid_of (x);
  case ACT_HARDSWISH:
    return hard_swish_of (x);
  default:
    return x;
  }
}

#endif
