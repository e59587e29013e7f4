#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* A channel's scale and shift, and an activation; one invocation an element, or four channels. */
#include "index.glsl"
#include "act.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint act = ACT_NONE;
layout (constant_id = 1) const bool by_fours = false; /* everything begins and ends at multiples of 4 */

layout (push_constant) uniform Push
{
  uint invocations, channels;
  uint in_stride, out_stride; /* elements from one position to the next */
  uint at_in, at_scale, at_shift, at_out;
  float act_a, act_b;
};

READ_FOURS (0, source);
READ_FLOATS (1, scale); /* [channels] */
READ_FLOATS (2, shift); /* [channels] */
WRITE_FOURS (3, result);

const uint width = by_fours ? 4 : 1; /* channels of an invocation */
#define LOAD(name, i) (by_fours ? FOUR_OF (name, i) : vec4 (ONE_OF (name, i)))

void
main ()
{
  uint i = invocation_index ();
  if (i >= invocations)
    return;
  uint row = i * width / channels, c = i * width % channels, to = at_out + row * out_stride + c;
  vec4 y = LOAD (source, at_in + row * in_stride + c) * LOAD (scale, at_scale + c) + LOAD (shift, at_shift + c);
  [[unroll]] for (uint j = 0; j < width; j++)
    y[j] = activate (act, y[j], act_a, act_b);
  if (by_fours)
    STORE_FOUR (result, to, y);
  else
    STORE (result, to, y.x);
}
