#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Input tiles of Winograd's convolution into matrices [point][tile][channel]; one invocation a channel of a tile, or four
 * of them. What lies outside of the picture is 0. */
#include "index.glsl"
#include "types.glsl"
#include "winograd.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const bool by_fours = false; /* everything begins and ends at multiples of 4 */

layout (push_constant) uniform Push
{
  uint invocations, channels;
  uint first, tiles_y, tiles_x; /* tile that is row 0 of the matrices; tiles of a picture */
  uint in_h, in_w;
  int pad_top, pad_left;
  uint in_pixel;   /* elements from one pixel to the next */
  uint point, row; /* elements from one point, and from one tile, to the next */
  uint at_in, at_out;
};

READ_FOURS (0, source);
WRITE (1, float, result);
WRITE (1, vec4, result4);

const uint width = by_fours ? 4 : 1; /* channels of an invocation */

void
main ()
{
  uint i = invocation_index ();
  if (i >= invocations)
    return;
  uint c = i * width % channels, local = i * width / channels, tile = first + local;
  uint image = tile / tiles_x / tiles_y;
  int y = int (tile / tiles_x % tiles_y * TILE) - pad_top, x = int (tile % tiles_x * TILE) - pad_left;
  uint h = in_h, w = in_w, pixel = in_pixel, from = at_in + c + image * h * w * pixel;
  vec4 d[SIDE][SIDE]; /* by columns */

  [[unroll]] for (uint tx = 0; tx < SIDE; tx++) {
    [[unroll]] for (uint ty = 0; ty < SIDE; ty++) {
      uint iy = uint (y + int (ty)), ix = uint (x + int (tx));
      bool inside = iy < h && ix < w;
      uint at = from + (inside ? (iy * w + ix) * pixel : 0);
      vec4 found = by_fours ? FOUR_OF (source, at) : vec4 (ONE_OF (source, at));
      d[tx][ty] = mix (vec4 (0), found, bvec4 (inside));
    }
    transform_input (d[tx]);
  }
  uint to = at_out + local * row + c, plane = point;
  [[unroll]] for (uint ty = 0; ty < SIDE; ty++) {
    vec4 line[SIDE];
    [[unroll]] for (uint tx = 0; tx < SIDE; tx++)
      line[tx] = d[tx][ty];
    transform_input (line);
    [[unroll]] for (uint tx = 0; tx < SIDE; tx++) {
      if (by_fours)
        result4[to / 4] = line[tx];
      else
        result[to] = line[tx].x;
      to += plane;
    }
  }
}
