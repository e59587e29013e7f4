#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Binary kernels with broadcast and an activation; one invocation an element, or four that follow each other. */
#include "index.glsl"
#include "broadcast.glsl"
#include "ops.h"
#include "act.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = BINARY_ADD;
layout (constant_id = 1) const uint act = ACT_NONE;
layout (constant_id = 2) const uint rank = LOOP_RANK;    /* of the loops, how many take more than one step */
layout (constant_id = 3) const bool by_fours = false;    /* vectors of four of the last loop, but for operands */
layout (constant_id = 4) const bool repeats_a = false;   /* that it repeats */
layout (constant_id = 5) const bool repeats_b = false;

layout (push_constant) uniform Push
{
  uint invocations;
  uint dims[LOOP_RANK];
  int a_stride[LOOP_RANK], b_stride[LOOP_RANK], out_stride[LOOP_RANK]; /* 0 repeats */
  uint at_a, at_b, at_out;
  float act_a, act_b;
};

READ_FOURS (0, left);
READ_FOURS (1, right);
WRITE_FOURS (2, result);

const uint width = by_fours ? 4 : 1; /* elements of an invocation */
#define LOAD(name, repeats, i) (by_fours && !repeats ? FOUR_OF (name, i) : vec4 (ONE_OF (name, i)))

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
  if (i >= invocations)
    return;
  uint of_a = at_a + place_in (rank, i * width, dims, a_stride);
  uint of_b = at_b + place_in (rank, i * width, dims, b_stride);
  uint to = at_out + place_in (rank, i * width, dims, out_stride);
  vec4 a = LOAD (left, repeats_a, of_a), b = LOAD (right, repeats_b, of_b);
  [[unroll]] for (uint j = 0; j < width; j++)
    a[j] = activate (act, compute (a[j], b[j]), act_a, act_b);
  if (by_fours)
    STORE_FOUR (result, to, a);
  else
    STORE (result, to, a.x);
}
