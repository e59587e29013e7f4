#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_8bit_storage : require
/* Comparisons of floats with broadcast, false with a NaN; one invocation an element. */
#include "index.glsl"
#include "broadcast.glsl"
#include "ops.h"
#include "types.glsl"
#include "vmath.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = SELECT_EQUAL;

layout (push_constant) uniform Push
{
  uint elements;
  uint dims[LOOP_RANK];
  int a_stride[LOOP_RANK], b_stride[LOOP_RANK], out_stride[LOOP_RANK]; /* 0 repeats */
  uint at_a, at_b, at_out;
};

READ (0, REAL, left);
READ (1, REAL, right);
WRITE (2, uint8_t, result); /* bool */

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  float a = float (left[at_a + place_of (i, dims, a_stride)]);
  float b = float (right[at_b + place_of (i, dims, b_stride)]);
  bool holds = op == SELECT_EQUAL ? a == b : op == SELECT_LESS ? a < b : a <= b;
  result[at_out + place_of (i, dims, out_stride)] = uint8_t (holds && !is_nan (a) && !is_nan (b) ? 1u : 0u);
}
