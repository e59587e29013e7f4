#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Maximum and average over windows; one invocation an output element, or four channels of one. */
#include "index.glsl"
#include "ops.h"
#include "types.glsl"
#include "vmath.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = POOL_MAX;
layout (constant_id = 1) const bool by_fours = false; /* everything begins and ends at multiples of 4 */

layout (push_constant) uniform Push
{
  uint invocations, channels;
  uint in_h, in_w, out_h, out_w;
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int pad_top, pad_left, pad_bottom, pad_right;
  uint in_pixel, out_pixel; /* elements from one pixel to the next */
  uint at_in, at_out;
};

READ_FOURS (0, source);
WRITE_FOURS (1, result);

const uint width = by_fours ? 4 : 1; /* channels of an invocation */

/* Positions of a window that an average is divided by: inside of [low, high). */
int
count_of (int first, int kernel, int dilation, int low, int high)
{
  int n = 0;
  for (int k = 0; k < kernel; k++)
    n += first + k * dilation >= low && first + k * dilation < high ? 1 : 0;
  return n;
}

void
main ()
{
  uint i = invocation_index ();
  if (i >= invocations)
    return;
  uint c = i * width % channels, pixel = i * width / channels;
  int x = int (pixel % out_w) * stride_w - pad_left, y = int (pixel / out_w % out_h) * stride_h - pad_top;
  uint from = at_in + pixel / out_w / out_h * in_h * in_w * in_pixel + c;
  vec4 r = vec4 (op == POOL_MAX ? -INFINITY : 0);

  /* Variables: a CPU that plays a GPU reads push constants anew, and slowly, in every turn of a loop. */
  int taps_h = kernel_h, taps_w = kernel_w, step_h = dilation_h, step_w = dilation_w;
  uint h = in_h, w = in_w, row = in_w * in_pixel, col = in_pixel;
  for (int ky = 0; ky < taps_h; ky++) {
    int iy = y + ky * step_h;
    for (int kx = 0; kx < taps_w; kx++) {
      int ix = x + kx * step_w;
      if (iy < 0 || iy >= int (h) || ix < 0 || ix >= int (w))
        continue;
      uint at = from + uint (iy) * row + uint (ix) * col;
      vec4 v = by_fours ? FOUR_OF (source, at) : vec4 (ONE_OF (source, at));
      [[unroll]] for (uint j = 0; j < width; j++)
        r[j] = op == POOL_MAX ? greater_of (r[j], v[j]) : r[j] + v[j];
    }
  }
  if (op != POOL_MAX) {
    bool padded = op == POOL_AVERAGE_PADDED;
    int n = count_of (y, kernel_h, dilation_h, padded ? -pad_top : 0, int (in_h) + (padded ? pad_bottom : 0)) *
            count_of (x, kernel_w, dilation_w, padded ? -pad_left : 0, int (in_w) + (padded ? pad_right : 0));
    r /= float (n);
  }
  uint to = at_out + pixel * out_pixel + c;
  if (by_fours)
    STORE_FOUR (result, to, r);
  else
    STORE (result, to, r.x);
}
