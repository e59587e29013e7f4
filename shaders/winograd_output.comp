#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Products of Winograd's convolution, [point][tile][channel], into pixels, with bias, residual and activation; one
 * invocation a channel of a tile, or four of them. */
#include "act.glsl"
#include "index.glsl"
#include "types.glsl"
#include "winograd.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint act = ACT_NONE;
layout (constant_id = 1) const bool has_bias = false;
layout (constant_id = 2) const bool has_residual = false;
layout (constant_id = 3) const bool by_fours = false; /* everything begins and ends at multiples of 4 */

layout (push_constant) uniform Push
{
  uint invocations, channels;
  uint first, tiles_y, tiles_x; /* tile that is row 0 of the matrices; tiles of a picture */
  uint out_h, out_w;
  uint out_pixel, residual_pixel; /* elements from one pixel to the next */
  uint point, row;                /* elements from one point, and from one tile, to the next */
  float act_a, act_b;
  uint at_in, at_bias, at_residual, at_out;
};

READ_FLOATS (0, source);
READ_FLOATS (1, bias);
READ_FOURS (2, residual);
WRITE_FOURS (3, result);

const uint width = by_fours ? 4 : 1; /* channels of an invocation */

void
store (uint pixel, uint c, vec4 sum)
{
  uint to = at_out + pixel * out_pixel + c, from = at_residual + pixel * residual_pixel + c;
  if (has_residual)
    sum += by_fours ? FOUR_OF (residual, from) : vec4 (ONE_OF (residual, from));
  [[unroll]] for (uint j = 0; j < width; j++)
    sum[j] = activate (act, sum[j], act_a, act_b);
  if (by_fours)
    STORE_FOUR (result, to, sum);
  else
    STORE (result, to, sum.x);
}

void
main ()
{
  uint i = invocation_index ();
  if (i >= invocations)
    return;
  uint c = i * width % channels, local = i * width / channels, tile = first + local;
  uint image = tile / tiles_x / tiles_y, y = tile / tiles_x % tiles_y * TILE, x = tile % tiles_x * TILE;
  uint from = at_in + local * row + c, plane = point, h = out_h, w = out_w;
  vec4 d[SIDE][SIDE], start = vec4 (0); /* by columns */

  if (has_bias)
    start = by_fours ? FOUR_OF (bias, at_bias + c) : vec4 (ONE_OF (bias, at_bias + c));
  [[unroll]] for (uint tx = 0; tx < SIDE; tx++) {
    [[unroll]] for (uint ty = 0; ty < SIDE; ty++) {
      uint at = from + (ty * SIDE + tx) * plane;
      d[tx][ty] = by_fours ? FOUR_OF (source, at) : vec4 (ONE_OF (source, at));
    }
    transform_output (d[tx]);
  }
  [[unroll]] for (uint ty = 0; ty < TILE; ty++) {
    vec4 line[SIDE];
    [[unroll]] for (uint tx = 0; tx < SIDE; tx++)
      line[tx] = d[tx][ty];
    transform_output (line);
    [[unroll]] for (uint tx = 0; tx < TILE; tx++)
      if (y + ty < h && x + tx < w)
        store ((image * h + y + ty) * w + x + tx, c, line[tx] + start);
  }
}
