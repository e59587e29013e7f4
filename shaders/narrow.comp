#version 450
#extension GL_GOOGLE_include_directive : require
/* float32 as 16-bit floats, one invocation an element. */
#define BITS 16
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

READ (0, float, source);
WRITE (1, WORD, result);

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  float x = source[at_in + i / cols * in_stride + i % cols];
  uint y = type == CONVERT_FLOAT16 ? half_of_float (x) : bfloat_of_float (x);
  result[at_out + i / cols * out_stride + i % cols] = WORD (y);
}
