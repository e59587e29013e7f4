#version 450
#extension GL_GOOGLE_include_directive : require
/* Elements that are all the same, one invocation an element. */
#include "index.glsl"
#include "types.glsl"
#include "words.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint elements;
  uint value[2]; /* its low and its high 32 bits */
  uint at_out;
};

WRITE (0, WORD, result);

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
#if BITS == 64
  result[at_out + i] = uvec2 (value[0], value[1]);
#else
  result[at_out + i] = WORD (value[0]);
#endif
}
