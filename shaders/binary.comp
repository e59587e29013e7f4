#version 450
#extension GL_GOOGLE_include_directive : require
/* Binary kernels with broadcast and an activation, one invocation an element. */
#include "index.glsl"
#include "broadcast.glsl"
#include "ops.h"
#include "act.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = BINARY_ADD;
layout (constant_id = 1) const uint act = ACT_NONE;

layout (push_constant) uniform Push
{
  uint elements;
  uint dims[LOOP_RANK];
  int a_stride[LOOP_RANK], b_stride[LOOP_RANK], out_stride[LOOP_RANK]; /* 0 repeats */
  uint at_a, at_b, at_out;
  float act_a, act_b;
};

READ (0, REAL, left);
READ (1, REAL, right);
WRITE (2, REAL, result);

#include "pow.glsl"

float
compute (float a, float b)
{
  switch (op) {
  case BINARY_ADD:
    return a + b;
  case BINARY_SUB:
    return a - b;
  case BINARY_MUL:
    return a * b;
  case BINARY_DIV:
    return a / b;
  case BINARY_POW:
    return pow_of (a, b);
  case BINARY_MIN:
    return less_of (a, b);
  case BINARY_MAX:
    return greater_of (a, b);
  default: /* BINARY_PRELU */
    return a < 0.0 ? a * b : a;
  }
}

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  float a = float (left[at_a + place_of (i, dims, a_stride)]);
  float b = float (right[at_b + place_of (i, dims, b_stride)]);
  result[at_out + place_of (i, dims, out_stride)] = REAL (activate (act, compute (a, b), act_a, act_b));
}
