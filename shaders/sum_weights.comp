#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Adds the parts of gemm_weights.comp or depthwise_weights.comp, in their order, and turns them into weights
 * [group][column][channel][tap]. An invocation has four columns of a row. */
#include "index.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint groups, cols, channels, taps; /* columns and channels: of a group */
  uint parts, in_part, in_group, pitch;
  uint at_in, at_out;
};

READ_FOURS (0, source); /* [part][group][tap][channel][pitch] */
WRITE (1, float, result);

void
main ()
{
  uint fours = (cols + 3) / 4, depth = taps * channels, i = invocation_index ();
  uint col = i % fours * 4, row = i / fours % depth, group = i / fours / depth;
  if (group >= groups)
    return;
  uint from = at_in + group * in_group + row * pitch + col, step = in_part, n = parts;
  vec4 sum = vec4 (0);
  for (uint p = 0; p < n; p++)
    sum += FOUR_OF (source, from + p * step);
  uint to = at_out + (group * cols + col) * depth + row % channels * taps + row / channels;
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (col + j < cols)
      result[to + j * depth] = sum[j];
}
