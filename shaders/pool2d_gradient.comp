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
layout (constant_id = 1) const bool dilates = true; /* else a division less for each window */

layout (push_constant) uniform Push
{
  uint elements, channels;
  int in_h, in_w, out_h, out_w;
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int pad_top, pad_left, pad_bottom, pad_right;
  uint dy_stride, dx_stride; /* elements from one pixel to the next */
  uint at_greatest, at_dy, at_dx;
};

READ (0, int, greatest); /* POOL_MAX: of each window (pool2d_greatest) */
READ (1, REAL, gradient);
WRITE (2, REAL, result);

/* Windows along one axis that hold position `at`: the first one and one behind the last, before dilation tells. */
ivec2
windows_of (int at, int kernel, int stride, int dilation, int outputs)
{
  int reach = at - (kernel - 1) * dilation;
  return ivec2 (reach > 0 ? (reach + stride - 1) / stride : 0, min (at / stride + 1, outputs));
}

/* Taps along one axis that lie in front of `end`. */
int
count_before (int begin, int kernel, int dilation, int end)
{
  int reach = end - begin;
  return clamp (dilates ? (reach + dilation - 1) / dilation : reach, 0, kernel);
}

/* Those that lie in [low, high). */
int
count_in (int begin, int kernel, int dilation, int low, int high)
{
  return count_before (begin, kernel, dilation, high) - count_before (begin, kernel, dilation, low);
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
      ivec2 tap = at - corner;
      if (dilates) {
        if (tap.x % dilation_h != 0 || tap.y % dilation_w != 0)
          continue;
        tap /= ivec2 (dilation_h, dilation_w);
      }
      uint from = (image * uint (out_h) + uint (y)) * uint (out_w) + uint (x);
      float dy = float (gradient[at_dy + from * dy_stride + channel]);
      if (op == POOL_MAX) {
        sum += greatest[at_greatest + from * channels + channel] == tap.x * kernel_w + tap.y ? dy : 0.0;
      } else {
        ivec2 low = op == POOL_AVERAGE ? ivec2 (0) : corner;
        ivec2 high = ivec2 (in_h, in_w) + (op == POOL_AVERAGE ? ivec2 (0) : ivec2 (pad_bottom, pad_right));
        sum += dy / float (count_in (corner.x, kernel_h, dilation_h, low.x, high.x) *
                           count_in (corner.y, kernel_w, dilation_w, low.y, high.y));
      }
    }
  result[at_dx + pixel * dx_stride + channel] = REAL (sum);
}
