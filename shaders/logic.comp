#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_8bit_storage : require
/* Logic on bool with broadcast, one invocation an element. */
#include "index.glsl"
#include "broadcast.glsl"
#include "ops.h"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = SELECT_AND;

layout (push_constant) uniform Push
{
  uint elements;
  uint dims[LOOP_RANK];
  int a_stride[LOOP_RANK], b_stride[LOOP_RANK], out_stride[LOOP_RANK]; /* 0 repeats */
  uint at_a, at_b, at_out;
};

READ (0, uint8_t, left);
READ (1, uint8_t, right);
WRITE (2, uint8_t, result);

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  uint a = uint (left[at_a + place_of (i, dims, a_stride)]), b = uint (right[at_b + place_of (i, dims, b_stride)]);
  uint r = op == SELECT_AND ? a & b : op == SELECT_OR ? a | b : a ^ b;
  result[at_out + place_of (i, dims, out_stride)] = uint8_t (r);
}
