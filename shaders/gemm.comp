#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Products of windows with packed weights: convolution as an implicit GEMM, transposed convolution phase by phase,
 * and matrix product (windows of one element). A row is an output pixel: ROWS of them in each invocation, a
 * workgroup apart, by one panel of columns. Workgroups: blocks of rows, panels, groups. */
#include "gemm_core.glsl"
#include "group.h"

layout (local_size_x_id = 0) in;
layout (constant_id = 0) const uint local_size = GROUP;
layout (constant_id = 1) const uint act = ACT_NONE;
layout (constant_id = 2) const bool has_bias = false;
layout (constant_id = 3) const bool has_residual = false;
layout (constant_id = 4) const bool by_vectors = false; /* runs of channels begin and end at multiples of 4 */

layout (constant_id = 5) const bool shares_bias = false; /* every group has the same */

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

READ (0, REAL, source);
layout (set = 0, binding = 0) readonly buffer B_source4
{
  vec4 source4[];
};
READ (1, vec4, weights); /* [group][panel][tap][channel][PANEL] */
READ (2, float, bias);
READ (3, REAL, residual);
WRITE (4, REAL, result);

/* Where a row's window begins, and its image. */
struct Window
{
  int y, x;
  uint image;
};

Window
window_of (uint row)
{
  uint image = row / pixels, pixel = row % pixels;
  return Window (int (pixel / width) * stride_h - pad_h, int (pixel % width) * stride_w - pad_w,
                 at_in + gl_WorkGroupID.z * in_group + image * in_image);
}

/* Where the channels of a tap begin; false: outside of the image. */
bool
find_tap (Window window, uint ty, uint tx, out uint ret_at)
{
  int y = window.y + int (ty) * step_h, x = window.x + int (tx) * step_w;
  bool inside = y >= 0 && y < int (in_h) && x >= 0 && x < int (in_w);
  ret_at = window.image + (inside ? (uint (y) * in_w + uint (x)) * in_pixel : 0);
  return inside;
}

void
store (uint row, uint panel, Sums sums)
{
  uint image = row / pixels, pixel = row % pixels;
  uint to = at_out + gl_WorkGroupID.z * out_group + image * out_image + pixel / width * out_y + pixel % width * out_x;
  uint from = at_residual + gl_WorkGroupID.z * residual_group + row * residual_pixel;
  [[unroll]] for (uint j = 0; j < PANEL; j++) {
    uint col = panel * PANEL + j;
    if (col >= cols)
      break;
    float y = sums.of[j / 4][j % 4];
    if (has_bias)
      y += bias[at_bias + (shares_bias ? 0 : gl_WorkGroupID.z * cols) + col];
    if (has_residual)
      y += float (residual[from + col]);
    result[to + col] = REAL (activate (act, y, act_a, act_b));
  }
}

void
main ()
{
  uint row[ROWS], at[ROWS], panel = gl_WorkGroupID.y;
  bool inside[ROWS];
  Window window[ROWS];
  Sums sums[ROWS];
  uint k = (at_weights + gl_WorkGroupID.z * weight_group) / 4 + panel * taps_h * taps_w * channels * (PANEL / 4);

  [[unroll]] for (uint r = 0; r < ROWS; r++) {
    row[r] = (gl_WorkGroupID.x * ROWS + r) * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    window[r] = window_of (min (row[r], rows - 1));
    sums[r] = no_sums ();
  }
  for (uint ty = 0; ty < taps_h; ty++)
    for (uint tx = 0; tx < taps_w; tx++) {
      [[unroll]] for (uint r = 0; r < ROWS; r++)
        inside[r] = find_tap (window[r], ty, tx, at[r]);
      if (by_vectors)
        for (uint i = 0; i < channels; i += 4, k += PANEL) {
          vec4 a[ROWS];
          [[unroll]] for (uint r = 0; r < ROWS; r++)
            a[r] = inside[r] ? source4[(at[r] + i) / 4] : vec4 (0);
          [[unroll]] for (uint j = 0; j < 4; j++) {
            [[unroll]] for (uint q = 0; q < PANEL / 4; q++) {
              vec4 b = weights[k + j * (PANEL / 4) + q];
              [[unroll]] for (uint r = 0; r < ROWS; r++)
                sums[r].of[q] += a[r][j] * b;
            }
          }
        }
      else
        for (uint i = 0; i < channels; i++, k += PANEL / 4) {
          float a[ROWS];
          [[unroll]] for (uint r = 0; r < ROWS; r++)
            a[r] = inside[r] ? float (source[at[r] + i]) : 0;
          [[unroll]] for (uint q = 0; q < PANEL / 4; q++) {
            vec4 b = weights[k + q];
            [[unroll]] for (uint r = 0; r < ROWS; r++)
              sums[r].of[q] += a[r] * b;
          }
        }
    }
  [[unroll]] for (uint r = 0; r < ROWS; r++)
    if (row[r] < rows)
      store (row[r], panel, sums[r]);
}
