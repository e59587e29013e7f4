#version 450
#extension GL_GOOGLE_include_directive : require
/* Moves elements between nests of loops, one invocation an element. */
#include "index.glsl"
#include "broadcast.glsl"
#include "types.glsl"
#include "words.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint elements;
  uint dims[LOOP_RANK];
  int in_stride[LOOP_RANK], out_stride[LOOP_RANK];
  uint in_first; /* the first element read: not the lowest, where loops run backwards */
  uint at_in, at_out;
};

READ (0, WORD, source);
WRITE (1, WORD, result);

void
main ()
{
  uint i = invocation_index ();
  if (i < elements)
    result[at_out + place_of (i, dims, out_stride)] = source[at_in + in_first + place_of (i, dims, in_stride)];
}
