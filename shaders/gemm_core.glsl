/* What all forms of a product share: its numbers and buffers, where windows lie, and what becomes of a sum. A row is
 * an output pixel, its depth goes through the taps of its window and the channels of each. */
#ifndef GEMM_CORE_GLSL
#define GEMM_CORE_GLSL

#include "act.glsl"
#include "panel.h"
#include "types.glsl"

layout (local_size_x_id = 0) in;
layout (constant_id = 0) const uint local_size = 8;
layout (constant_id = 1) const uint act = ACT_NONE;
layout (constant_id = 2) const bool has_bias = false;
layout (constant_id = 3) const bool has_residual = false;
layout (constant_id = 4) const bool reads_fours = false;  /* runs of input channels begin and end at multiples of 4 */
layout (constant_id = 5) const bool writes_fours = false; /* columns of results, biases and residuals do so */
layout (constant_id = 6) const bool shares_bias = false;  /* every group has the same */
layout (constant_id = 7) const uint splits = 1;           /* of the depth: workgroups that share a tile's */
layout (constant_id = 8) const bool writes_floats = false; /* with HALF: results; sums of a split depth always are */

layout (push_constant) uniform Push
{
  uint rows, cols, channels;              /* output pixels of all images, columns and input channels of a group */
  uint taps_h, taps_w;                    /* of a window */
  uint pixels, width;                     /* outputs of an image, and of a row of it */
  uint in_h, in_w;                        /* of an image, beyond which everything is 0 */
  int stride_h, stride_w, step_h, step_w; /* inputs from one window to the next, and from one tap to the next */
  int pad_h, pad_w;                       /* inputs from the first tap of window 0 to input 0 */
  uint in_pixel, in_image;                /* elements from one pixel, and from one image, to the next */
  uint out_x, out_y, out_image, residual_pixel;
  uint in_group, weight_group, out_group, residual_group; /* elements from one group to the next */
  uint at_in, at_weights, at_bias, at_residual, at_out;
  float act_a, act_b;
};

#include "window.glsl"

#ifdef SUM
READ_FLOATS (0, source);
#else
READ_FOURS (0, source);
#endif
READ_FOURS (1, weights); /* [group][panel][tap][channel][PANEL] */
READ_FLOATS (2, bias);
READ_FOURS (3, residual);
WRITE_EITHER (4, result);

/* Where a panel of weights begins. */
uint
panel_at (uint panel, uint group)
{
  return at_weights + group * weight_group + panel * taps_h * taps_w * channels * PANEL;
}

/* --- Of a sum: columns `col` to `col` + 3, a multiple of 4 --- */

vec4
bias_of (uint col, uint group)
{
  uint at = at_bias + (shares_bias ? 0 : group * cols) + col;
  if (!has_bias)
    return vec4 (0);
  if (writes_fours)
    return FOUR_OF (bias, min (at, at_bias + (shares_bias ? cols : (group + 1) * cols) - 4));
  vec4 found = vec4 (0);
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (col + j < cols)
      found[j] = ONE_OF (bias, at + j);
  return found;
}

/* What a row's sums, with their bias, become. */
void
store (uint row, uint col, uint group, vec4 sum)
{
  uint image = row / pixels, pixel = row % pixels;
  uint to = at_out + group * out_group + image * out_image + pixel / width * out_y + pixel % width * out_x + col;
  uint from = at_residual + group * residual_group + row * residual_pixel + col;
  if (writes_fours) {
    if (col >= cols)
      return;
    if (has_residual)
      sum += FOUR_OF (residual, from);
    [[unroll]] for (uint j = 0; j < 4; j++)
      sum[j] = activate (act, sum[j], act_a, act_b);
    STORE_EITHER_FOUR (result, to, sum);
    return;
  }
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (col + j < cols) {
      float y = has_residual ? sum[j] + ONE_OF (residual, from + j) : sum[j];
      STORE_EITHER (result, to + j, activate (act, y, act_a, act_b));
    }
}

#endif
