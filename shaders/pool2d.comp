#version 450
#extension GL_GOOGLE_include_directive : require
/* Maximum and average over windows, one invocation an output element. */
#include "index.glsl"
#include "ops.h"
#include "types.glsl"
#include "vmath.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = POOL_MAX;

layout (push_constant) uniform Push
{
  uint elements, channels;
  uint in_h, in_w, out_h, out_w;
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int pad_top, pad_left, pad_bottom, pad_right;
  uint in_pixel, out_pixel; /* elements from one pixel to the next */
  uint at_in, at_out;
};

READ (0, REAL, source);
WRITE (1, REAL, result);

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
  if (i >= elements)
    return;
  uint c = i % channels, pixel = i / channels;
  int x = int (pixel % out_w) * stride_w - pad_left, y = int (pixel / out_w % out_h) * stride_h - pad_top;
  uint image = at_in + pixel / out_w / out_h * in_h * in_w * in_pixel + c;
  float r = op == POOL_MAX ? -INFINITY : 0;

  for (int ky = 0; ky < kernel_h; ky++) {
    int iy = y + ky * dilation_h;
    if (iy < 0 || iy >= int (in_h))
      continue;
    for (int kx = 0; kx < kernel_w; kx++) {
      int ix = x + kx * dilation_w;
      if (ix < 0 || ix >= int (in_w))
        continue;
      float v = float (source[image + (uint (iy) * in_w + uint (ix)) * in_pixel]);
      r = op == POOL_MAX ? greater_of (r, v) : r + v;
    }
  }
  if (op != POOL_MAX) {
    bool padded = op == POOL_AVERAGE_PADDED;
    int n = count_of (y, kernel_h, dilation_h, padded ? -pad_top : 0, int (in_h) + (padded ? pad_bottom : 0)) *
            count_of (x, kernel_w, dilation_w, padded ? -pad_left : 0, int (in_w) + (padded ? pad_right : 0));
    r /= float (n);
  }
  result[at_out + pixel * out_pixel + c] = REAL (r);
}
