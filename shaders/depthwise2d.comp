#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Convolution of each channel on its own, forwards or transposed; one invocation an output element, or four channels
 * of one. */
#include "index.glsl"
#include "act.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint act = ACT_NONE;
layout (constant_id = 1) const bool has_bias = false;
layout (constant_id = 2) const bool has_residual = false;
layout (constant_id = 3) const bool transposed = false;
layout (constant_id = 4) const bool by_fours = false; /* everything begins and ends at multiples of 4 */

layout (push_constant) uniform Push
{
  uint invocations, channels;
  uint in_h, in_w, out_h, out_w;
  uint kernel_h, kernel_w;
  int stride_h, stride_w, dilation_h, dilation_w, pad_h, pad_w;
  uint in_pixel, out_pixel, residual_pixel; /* elements from one pixel to the next */
  uint at_in, at_weights, at_bias, at_residual, at_out;
  float act_a, act_b;
};

READ_FOURS (0, source);
READ_FOURS (1, weights); /* [kernel_h * kernel_w][channels] */
READ_FOURS (2, bias);
READ_FOURS (3, residual);
WRITE_FOURS (4, result);

const uint width = by_fours ? 4 : 1; /* channels of an invocation */
#define LOAD(name, i) (by_fours ? FOUR_OF (name, i) : vec4 (ONE_OF (name, i)))

/* The input position that tap `k` of output `i` sees; -1: none. */
int
position_of (uint i, uint k, int stride, int dilation, int pad, uint size)
{
  int at = int (i) * (transposed ? 1 : stride) + (transposed ? pad - int (k) * dilation : int (k) * dilation - pad);
  if (transposed) {
    if (at < 0 || at % stride != 0)
      return -1;
    at /= stride;
  }
  return at < int (size) ? at : -1;
}

void
main ()
{
  uint i = invocation_index ();
  if (i >= invocations)
    return;
  uint c = i * width % channels, pixel = i * width / channels;
  uint x = pixel % out_w, y = pixel / out_w % out_h, image = pixel / out_w / out_h;
  vec4 sum = vec4 (0);
  if (has_bias)
    sum = LOAD (bias, at_bias + c);

  for (uint ky = 0; ky < kernel_h; ky++) {
    int iy = position_of (y, ky, stride_h, dilation_h, pad_h, in_h);
    if (iy < 0)
      continue;
    uint row = at_in + (image * in_h + uint (iy)) * in_w * in_pixel + c;
    for (uint kx = 0; kx < kernel_w; kx++) {
      int ix = position_of (x, kx, stride_w, dilation_w, pad_w, in_w);
      if (ix >= 0)
        sum += LOAD (source, row + uint (ix) * in_pixel) * LOAD (weights, at_weights + (ky * kernel_w + kx) * channels + c);
    }
  }
  if (has_residual)
    sum += LOAD (residual, at_residual + pixel * residual_pixel + c);
  [[unroll]] for (uint j = 0; j < width; j++)
    sum[j] = activate (act, sum[j], act_a, act_b);
  uint to = at_out + pixel * out_pixel + c;
  if (by_fours)
    result4[to / 4] = sum;
  else
    result[to] = REAL (sum.x);
}
