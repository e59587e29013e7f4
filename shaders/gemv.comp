#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Products of few rows with packed weights: an invocation has four columns of one row. Workgroups: blocks of columns,
 * rows, products. */
#include "act.glsl"
#include "group.h"
#include "panel.h"
#include "types.glsl"

layout (local_size_x_id = 0) in;
layout (constant_id = 0) const uint local_size = GROUP;
layout (constant_id = 1) const uint act = ACT_NONE;
layout (constant_id = 2) const bool has_bias = false;
layout (constant_id = 3) const bool has_residual = false;
layout (constant_id = 4) const bool reads_fours = false; /* rows begin at multiples of 4 */
layout (constant_id = 5) const bool writes_floats = false; /* with HALF */

layout (push_constant) uniform Push
{
  uint rows, cols, depth;
  uint in_row, out_row, residual_row; /* elements from one row to the next */
  uint in_group, weight_group, out_group, residual_group; /* from one product to the next */
  uint at_in, at_weights, at_bias, at_residual, at_out;
  float act_a, act_b;
};

READ_FOURS (0, source);
READ_FOURS (1, weights); /* [product][panel][depth][PANEL] */
READ_FLOATS (2, bias);
READ_FOURS (3, residual);
WRITE_EITHER (4, result);

void
main ()
{
  uint first = (gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * 4, row = gl_WorkGroupID.y;
  uint group = gl_WorkGroupID.z;
  if (first >= cols)
    return;
  uint a = at_in + group * in_group + row * in_row;
  uint b = at_weights + group * weight_group + first / PANEL * depth * PANEL + first % PANEL;
  vec4 sums[4] = vec4[] (vec4 (0), vec4 (0), vec4 (0), vec4 (0)); /* of every fourth product: a short chain each */
  uint k = 0, end = depth; /* a variable: push constants are slow in loops (README.md) */

  for (; k + 4 <= end; k += 4) {
    vec4 four;
    if (reads_fours)
      four = FOUR_OF (source, a + k);
    else
      [[unroll]] for (uint j = 0; j < 4; j++)
        four[j] = ONE_OF (source, a + k + j);
    [[unroll]] for (uint j = 0; j < 4; j++)
      sums[j] += four[j] * FOUR_OF (weights, b + (k + j) * PANEL);
  }
  for (; k < end; k++)
    sums[0] += ONE_OF (source, a + k) * FOUR_OF (weights, b + k * PANEL);
  vec4 sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);

  for (uint j = 0; j < 4 && first + j < cols; j++) {
    float y = sum[j];
    if (has_bias)
      y += ONE_OF (bias, at_bias + first + j);
    if (has_residual)
      y += ONE_OF (residual, at_residual + group * residual_group + row * residual_row + first + j);
    STORE_EITHER (result, at_out + group * out_group + row * out_row + first + j, activate (act, y, act_a, act_b));
  }
}
