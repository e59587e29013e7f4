#version 450
#extension GL_GOOGLE_include_directive : require
/* What an element of the input of a maximum or average over windows gets from all windows that hold it, in their order;
 * one invocation an element. */
#include "index.glsl"
#include "ops.h"
#include "types.glsl"
#include "vmath.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = POOL_MAX;

layout (push_constant) uniform Push
{
  uint elements, channels;
  int in_h, in_w, out_h, out_w;
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int pad_top, pad_left, pad_bottom, pad_right;
  uint in_stride, dy_stride, dx_stride; /* elements from one pixel to the next */
  uint at_in, at_dy, at_dx;
};

READ (0, REAL, source); /* POOL_MAX */
READ (1, REAL, gradient);
WRITE (2, REAL, result);

/* Windows along one axis that hold position `at`: the first one and one behind the last, before dilation tells. */
ivec2
windows_of (int at, int kernel, int stride, int dilation, int outputs)
{
  int reach = at - (kernel - 1) * dilation;
  return ivec2 (reach > 0 ? (reach + stride - 1) / stride : 0, min (at / stride + 1, outputs));
}

/* The greatest element of the window that begins at `corner`, the first where several are; a NaN before all numbers. */
ivec2
greatest_in (uint image, ivec2 corner, uint channel)
{
  ivec2 found = ivec2 (-1);
  float best = 0.0;
  for (int ky = 0; ky < kernel_h; ky++)
    for (int kx = 0; kx < kernel_w; kx++) {
      ivec2 at = corner + ivec2 (ky * dilation_h, kx * dilation_w);
      if (at.x < 0 || at.y < 0 || at.x >= in_h || at.y >= in_w)
        continue;
      uint pixel = (image * uint (in_h) + uint (at.x)) * uint (in_w) + uint (at.y);
      float value = float (source[at_in + pixel * in_stride + channel]);
      if (found.x < 0 || (!is_nan (best) && (is_nan (value) || value > best))) {
        best = value;
        found = at;
      }
    }
  return found;
}

/* Positions of a window along one axis that lie in [low, high). */
int
count_in (int begin, int kernel, int dilation, int low, int high)
{
  int n = 0;
  for (int k = 0; k < kernel; k++) {
    int at = begin + k * dilation;
    n += int (at >= low && at < high);
  }
  return n;
}

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  uint channel = i % channels, pixel = i / channels;
  ivec2 at = ivec2 (pixel / uint (in_w) % uint (in_h), pixel % uint (in_w));
  uint image = pixel / uint (in_w) / uint (in_h);
  ivec2 ys = windows_of (at.x + pad_top, kernel_h, stride_h, dilation_h, out_h);
  ivec2 xs = windows_of (at.y + pad_left, kernel_w, stride_w, dilation_w, out_w);
  float sum = 0.0;
  for (int y = ys.x; y < ys.y; y++)
    for (int x = xs.x; x < xs.y; x++) {
      ivec2 corner = ivec2 (y * stride_h - pad_top, x * stride_w - pad_left);
      if ((at.x - corner.x) % dilation_h != 0 || (at.y - corner.y) % dilation_w != 0)
        continue;
      uint from = (image * uint (out_h) + uint (y)) * uint (out_w) + uint (x);
      float dy = float (gradient[at_dy + from * dy_stride + channel]);
      if (op == POOL_MAX) {
        sum += greatest_in (image, corner, channel) == at ? dy : 0.0;
      } else {
        ivec2 low = op == POOL_AVERAGE ? ivec2 (0) : corner;
        ivec2 high = ivec2 (in_h, in_w) + (op == POOL_AVERAGE ? ivec2 (0) : ivec2 (pad_bottom, pad_right));
        sum += dy / float (count_in (corner.x, kernel_h, dilation_h, low.x, high.x) *
                           count_in (corner.y, kernel_w, dilation_w, low.y, high.y));
      }
    }
  result[at_dx + pixel * dx_stride + channel] = REAL (sum);
}
