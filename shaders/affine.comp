#version 450
#extension GL_GOOGLE_include_directive : require
/* A channel's scale and shift, and an activation, one invocation an element. */
#include "index.glsl"
#include "act.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint act = ACT_NONE;

layout (push_constant) uniform Push
{
  uint elements, channels;
  uint in_stride, out_stride; /* elements from one position to the next */
  uint at_in, at_scale, at_shift, at_out;
  float act_a, act_b;
};

READ (0, REAL, source);
READ (1, float, scale); /* [channels] */
READ (2, float, shift); /* [channels] */
WRITE (3, REAL, result);

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  uint row = i / channels, c = i % channels;
  float x = float (source[at_in + row * in_stride + c]);
  float y = x * scale[at_scale + c] + shift[at_shift + c];
  result[at_out + row * out_stride + c] = REAL (activate (act, y, act_a, act_b));
}
