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
READ_FLOATS (1, weights); /* [kernel_h * kernel_w][channels] */
READ_FLOATS (2, bias);
READ_FOURS (3, residual);
WRITE_FOURS (4, result);

const uint width = by_fours ? 4 : 1; /* channels of an invocation */
#define LOAD(name, i) (by_fours ? FOUR_OF (name, i) : vec4 (ONE_OF (name, i)))

/* Along one axis, and what taps are there, as variables: a CPU that plays a GPU reads push constants anew, and slowly,
 * in every turn of a loop. */
struct Axis
{
  int first, stride, dilation, size; /* first: of tap 0, in units of 1 / stride if transposed */
  uint taps;
};

Axis
axis_of (uint i, int stride, int dilation, int pad, uint size, uint taps)
{
  return Axis (transposed ? int (i) + pad : int (i) * stride - pad, stride, dilation, int (size), taps);
}

/* The input position that tap `k` sees; -1: none. */
int
position_of (Axis axis, uint k)
{
  int at = axis.first + int (k) * (transposed ? -axis.dilation : axis.dilation);
  if (transposed) {
    if (at < 0 || at % axis.stride != 0)
      return -1;
    at /= axis.stride;
  }
  return at < axis.size ? at : -1;
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

  Axis rows = axis_of (y, stride_h, dilation_h, pad_h, in_h, kernel_h);
  Axis cols = axis_of (x, stride_w, dilation_w, pad_w, in_w, kernel_w);
  uint from = at_in + image * in_h * in_w * in_pixel + c, row = in_w * in_pixel, col = in_pixel;
  uint tap = at_weights + c, taps = channels;
  for (uint ky = 0; ky < rows.taps; ky++) {
    int iy = position_of (rows, ky);
    for (uint kx = 0; kx < cols.taps; kx++, tap += taps) {
      int ix = position_of (cols, kx);
      if (iy >= 0 && ix >= 0)
        sum += LOAD (source, from + uint (iy) * row + uint (ix) * col) * LOAD (weights, tap);
    }
  }
  if (has_residual)
    sum += LOAD (residual, at_residual + pixel * residual_pixel + c);
  [[unroll]] for (uint j = 0; j < width; j++)
    sum[j] = activate (act, sum[j], act_a, act_b);
  uint to = at_out + pixel * out_pixel + c;
  if (by_fours)
    STORE_FOUR (result, to, sum);
  else
    STORE (result, to, sum.x);
}
