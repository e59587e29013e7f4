#version 450
#extension GL_GOOGLE_include_directive : require
/* Pictures mixed from taps along height and width, one invocation an output element. */
#include "index.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint elements, channels;
  uint in_h, in_w, out_h, out_w;
  uint taps_h, taps_w;
  uint in_pixel, out_pixel; /* elements from one pixel to the next */
  uint at_in, at_indices, at_weights, at_out;
};

READ (0, REAL, source);
READ (1, int, indices);   /* [out_h][taps_h], then [out_w][taps_w] */
READ (2, float, weights); /* the same */
WRITE (3, REAL, result);

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  uint c = i % channels, pixel = i / channels;
  uint x = pixel % out_w, y = pixel / out_w % out_h, image = pixel / out_w / out_h;
  uint ys = y * taps_h, xs = out_h * taps_h + x * taps_w;
  float sum = 0;
  for (uint ty = 0; ty < taps_h; ty++) {
    uint row = (image * in_h + uint (indices[at_indices + ys + ty])) * in_w;
    float mixed = 0;
    for (uint tx = 0; tx < taps_w; tx++) {
      float v = float (source[at_in + (row + uint (indices[at_indices + xs + tx])) * in_pixel + c]);
      mixed = taps_w == 1 ? v : mixed + weights[at_weights + xs + tx] * v;
    }
    sum = taps_h == 1 ? mixed : sum + weights[at_weights + ys + ty] * mixed;
  }
  STORE (result, at_out + pixel * out_pixel + c, sum);
}
