#version 450
#extension GL_GOOGLE_include_directive : require
/* What a number of each channel becomes; one invocation a channel. */
#include "index.glsl"
#include "ops.h"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = CHANNEL_COPY;

layout (push_constant) uniform Push
{
  uint channels;
  float epsilon, momentum;
  uint at_in, at_old, at_out;
};

READ (0, float, source);
READ (1, float, old);
WRITE (2, float, result);

void
main ()
{
  uint c = invocation_index ();
  if (c >= channels)
    return;
  float x = source[at_in + c];
  if (op == CHANNEL_INVERSE)
    x = 1 / sqrt (x + epsilon);
  else if (op == CHANNEL_RUNNING)
    x = old[at_old + c] * momentum + x * (1 - momentum);
  result[at_out + c] = x;
}
