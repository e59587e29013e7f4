#version 450
#extension GL_GOOGLE_include_directive : require
/* Elements dropped by chance: the very ones of engine/kernels/dropout.h; one invocation an element. The output may be
 * the input's memory. */
#include "index.glsl"
#include "philox.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint elements, positions, channels; /* of this dispatch; the last two: loops */
  uint in_stride[3], out_stride[3];   /* of a sample, a position, a channel */
  uint number_stride[3];              /* the same for the numbers that are drawn by */
  uint first_number, node, threshold;
  float scale;
  uint at_in, at_seed, at_step, at_out;
};

READ (0, REAL, source);
READ (1, uvec2, seeds); /* int64 */
READ (2, uvec2, steps);
WRITE (3, REAL, result);

uint
place (uvec3 at, uint stride[3])
{
  return at.x * stride[0] + at.y * stride[1] + at.z * stride[2];
}

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  uvec3 at = uvec3 (i / channels / positions, i / channels % positions, i % channels);
  uint number = first_number + place (at, number_stride);
  uvec2 step = steps[at_step];
  uvec4 words = philox (uvec4 (number / 4, node, step), seeds[at_seed]);
  float x = float (source[at_in + place (at, in_stride)]);
  /* NaN times 0 is not 0: what is dropped is not looked at. */
  result[at_out + place (at, out_stride)] = REAL (words[number % 4] >> 8 >= threshold ? x * scale : 0.0);
}
