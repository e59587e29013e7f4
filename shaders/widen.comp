#version 450
#extension GL_GOOGLE_include_directive : require
/* Narrower types as float32, one invocation an element. */
#include "index.glsl"
#include "ops.h"
#include "half.glsl"
#include "types.glsl"
#include "words.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint type = CONVERT_FLOAT16;

layout (push_constant) uniform Push
{
  uint elements, cols;
  uint in_stride, out_stride; /* elements from one row to the next */
  uint at_in, at_out;
};

READ (0, WORD, source);
WRITE (1, float, result);

float
widen (uint x)
{
  switch (type) {
  case CONVERT_FLOAT16:
    return float_of_half (x);
  case CONVERT_BFLOAT16:
    return uintBitsToFloat (x << 16);
  case CONVERT_INT32:
    return float (int (x));
  case CONVERT_INT8:
    return float (int (x << 24) >> 24);
  default: /* CONVERT_UINT8 */
    return float (x);
  }
}

void
main ()
{
  uint i = invocation_index ();
  if (i < elements)
    result[at_out + i / cols * out_stride + i % cols] = widen (uint (source[at_in + i / cols * in_stride + i % cols]));
}
