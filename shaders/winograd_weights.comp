#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Weights of Winograd's convolution, [column][depth][3][3] or turned ones, into panels [point][panel][depth][PANEL],
 * columns beyond the last 0; one invocation a window. */
#include "index.glsl"
#include "panel.h"
#include "types.glsl"
#include "winograd.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const bool turned = false; /* windows are read from their end */

layout (push_constant) uniform Push
{
  uint windows, cols, depth;   /* windows: with those of columns beyond the last */
  uint col_stride, row_stride; /* elements from one column, and one of the depth, to the next */
  uint begin, end;             /* rows of points that are made; the first lies at at_out */
  uint at_in, at_out;
};

READ (0, float, source);
WRITE (1, float, packed);

void
main ()
{
  uint i = invocation_index ();
  if (i >= windows)
    return;
  uint col = i / PANEL / depth * PANEL + i % PANEL, from = at_in + i / PANEL % depth * row_stride + col * col_stride;
  float g[3][SIDE]; /* by columns */

  [[unroll]] for (uint x = 0; x < 3; x++) {
    float w[3];
    [[unroll]] for (uint y = 0; y < 3; y++) {
      w[y] = 0;
      if (col < cols)
        w[y] = source[from + (turned ? 8 - y * 3 - x : y * 3 + x)];
    }
    transform_weights (w[0], w[1], w[2], g[x]);
  }
  [[unroll]] for (uint y = 0; y < SIDE; y++) {
    float line[SIDE];
    if (y < begin || y >= end)
      continue;
    transform_weights (g[0][y], g[1][y], g[2][y], line);
    [[unroll]] for (uint x = 0; x < SIDE; x++)
      packed[at_out + ((y - begin) * SIDE + x) * windows + i] = line[x];
  }
}
