#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_8bit_storage : require
/* One of two floats by a bool, with broadcast; one invocation an element. */
#include "index.glsl"
#include "broadcast.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint elements;
  uint dims[LOOP_RANK];
  int condition_stride[LOOP_RANK], a_stride[LOOP_RANK], b_stride[LOOP_RANK], out_stride[LOOP_RANK]; /* 0 repeats */
  uint at_condition, at_a, at_b, at_out;
};

READ (0, uint8_t, condition);
READ (1, REAL, left);
READ (2, REAL, right);
WRITE (3, REAL, result);

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  bool chosen = uint (condition[at_condition + place_of (i, dims, condition_stride)]) != 0;
  float a = float (left[at_a + place_of (i, dims, a_stride)]);
  float b = float (right[at_b + place_of (i, dims, b_stride)]);
  result[at_out + place_of (i, dims, out_stride)] = REAL (chosen ? a : b);
}
