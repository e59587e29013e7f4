#version 450
#extension GL_GOOGLE_include_directive : require
/* Which tap of each window has its greatest element: the first where several are, a NaN before all numbers; none where
 * the window sees nothing. One invocation an output. */
#include "index.glsl"
#include "types.glsl"
#include "vmath.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint elements, channels;
  int in_h, in_w, out_h, out_w;
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int pad_top, pad_left;
  uint in_stride; /* elements from one pixel to the next */
  uint at_in, at_out;
};

READ (0, REAL, source);
WRITE (1, int, result); /* dense */

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  uint pixel = i / channels, row = pixel / uint (out_w);
  ivec2 corner = ivec2 (int (row % uint (out_h)) * stride_h - pad_top, int (pixel % uint (out_w)) * stride_w - pad_left);
  uint base = at_in + i % channels, image = row / uint (out_h) * uint (in_h);
  float best = 0.0;
  int found = -1;
  for (int ky = 0; ky < kernel_h; ky++)
    for (int kx = 0; kx < kernel_w; kx++) {
      ivec2 at = corner + ivec2 (ky * dilation_h, kx * dilation_w);
      if (at.x < 0 || at.y < 0 || at.x >= in_h || at.y >= in_w)
        continue;
      float value = float (source[base + ((image + uint (at.x)) * uint (in_w) + uint (at.y)) * in_stride]);
      if (found < 0 || (!is_nan (best) && (is_nan (value) || value > best))) {
        best = value;
        found = ky * kernel_w + kx;
      }
    }
  result[at_out + i] = found;
}
