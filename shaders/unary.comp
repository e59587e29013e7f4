#version 450
#extension GL_GOOGLE_include_directive : require
/* Unary kernels over rows of `cols` elements, one invocation an element. */
#include "index.glsl"
#include "ops.h"
#include "act.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = UNARY_RELU;

layout (push_constant) uniform Push
{
  uint elements, cols;
  uint in_stride, out_stride; /* elements from one row to the next */
  uint at_in, at_out;
  float a, b;
};

READ (0, REAL, source);
WRITE (1, REAL, result);

/* x tanh (log (1 + e^x)) with n = e^x (e^x + 2): x n / (n + 2). Past 20 the quotient is 1. */
float
mish_of (float x)
{
  float e = exp_of (min (x, 20.0)), n = e * (e + 2.0);
  return x * (n / (n + 2.0));
}

float
softplus_of (float x)
{
  float y = max (x, 0.0) + log1p_of (exp_of (-abs (x)));
  return is_nan (x) ? x : y;
}

float
compute (float x)
{
  switch (op) {
  case UNARY_RELU:
    return clip (x, 0.0, INFINITY);
  case UNARY_CLIP:
    return clip (x, a, b);
  case UNARY_LEAKY_RELU:
    return x < 0.0 ? a * x : x;
  case UNARY_ELU:
    return x < 0.0 ? a * expm1_of (x) : x;
  case UNARY_SELU:
    return b * (x < 0.0 ? a * expm1_of (x) : x);
  case UNARY_CELU:
    return x < 0.0 ? a * expm1_of (x / a) : x;
  case UNARY_THRESHOLDED_RELU:
    return x > a ? x : 0.0;
  case UNARY_SIGMOID:
    return sigmoid_of (x);
  case UNARY_HARD_SIGMOID:
    return clip (a * x + b, 0.0, 1.0);
  case UNARY_HARD_SWISH:
    return hard_swish_of (x);
  case UNARY_TANH:
    return tanh_of (x);
  case UNARY_SOFTPLUS:
    return softplus_of (x);
  case UNARY_SOFTSIGN:
    return x / (1.0 + abs (x));
  case UNARY_ERF:
    return erf_of (x);
  case UNARY_GELU:
    return 0.5 * x * (1.0 + erf_of (x * 0.707106781186547524));
  case UNARY_MISH:
    return mish_of (x);
  case UNARY_SILU:
    return x * sigmoid_of (x);
  case UNARY_EXP:
    return exp_of (x);
  case UNARY_LOG:
    return log_of (x);
  case UNARY_SQRT:
    return sqrt (x);
  case UNARY_RECIPROCAL:
    return 1.0 / x;
  case UNARY_NEG:
    return -x;
  case UNARY_ABS:
    return abs (x);
  case UNARY_SIGN:
    return is_nan (x) ? x : sign (x);
  case UNARY_FLOOR:
    return floor (x);
  case UNARY_CEIL:
    return ceil (x);
  case UNARY_ROUND:
    return roundEven (x);
  default: /* UNARY_LINEAR */
    return a * x + b;
  }
}

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  uint row = i / cols, col = i % cols;
  float x = float (source[at_in + row * in_stride + col]);
  STORE (result, at_out + row * out_stride + col, compute (x));
}
