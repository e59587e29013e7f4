#version 450
#extension GL_GOOGLE_include_directive : require
/* The sum of squares of each block of elements: a workgroup a block. */
#include "index.glsl"
#include "reduce.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint elements, block;
  uint at_in, at_out;
};

READ (0, REAL, source);
WRITE (1, REAL, result);

void
main ()
{
  uint i = group_index (), first = i * block;
  if (first >= elements)
    return;
  float sum = 0.0;
  for (uint k = first + gl_LocalInvocationID.x; k < min (first + block, elements); k += GROUP) {
    float x = float (source[at_in + k]);
    sum += x * x;
  }
  sum = group_sum (sum);
  if (gl_LocalInvocationID.x == 0)
    result[at_out + i] = REAL (sum);
}
