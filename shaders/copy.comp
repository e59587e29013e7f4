#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Moves elements between nests of loops; one invocation an element, or, of 16 and 32 bits, four that follow each other. */
#include "index.glsl"
#include "broadcast.glsl"
#include "types.glsl"
#include "words.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint rank = LOOP_RANK;        /* of the loops, how many take more than one step */
layout (constant_id = 1) const bool writes_fours = false;    /* what is written are aligned vectors of four */
layout (constant_id = 2) const bool reads_fours = false;     /* and what is read for each */

layout (push_constant) uniform Push
{
  uint invocations;
  uint dims[LOOP_RANK];
  int in_stride[LOOP_RANK], out_stride[LOOP_RANK];
  uint in_first; /* the first element read: not the lowest, where loops run backwards */
  uint at_in, at_out;
};

#ifdef TEXELS
READ_FOURS (0, source);
#define ONE(i) floatBitsToUint (ONE_OF (source, i))
#define FOUR(i) floatBitsToUint (FOUR_OF (source, i))
#else
READ (0, WORD, source);
#ifdef WORD4
READ (0, WORD4, source4);
#define ONE(i) uint (source[i])
#define FOUR(i) uvec4 (source4[(i) / 4])
#else
#define ONE(i) source[i]
#endif
#endif
WRITE (1, WORD, result);
#ifdef WORD4
WRITE (1, WORD4, result4);
#endif

uint
from (uint i)
{
  return at_in + in_first + place_in (rank, i, dims, in_stride);
}

void
main ()
{
  uint i = invocation_index ();
  if (i >= invocations)
    return;
#ifdef WORD4
  if (writes_fours) {
    uvec4 four;
    if (reads_fours)
      four = FOUR (from (i * 4));
    else
      [[unroll]] for (uint j = 0; j < 4; j++)
        four[j] = ONE (from (i * 4 + j));
    result4[(at_out + place_in (rank, i * 4, dims, out_stride)) / 4] = WORD4 (four);
    return;
  }
#endif
  result[at_out + place_in (rank, i, dims, out_stride)] = WORD_OF (ONE (from (i)));
}
