#version 450
#extension GL_GOOGLE_include_directive : require
/* Weights into panels [group][panel][depth][PANEL], columns beyond the last 0; one invocation an element. */
#include "index.glsl"
#include "panel.h"
#include "types.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint elements, panels, cols; /* panels and columns of a group */
  uint depth[3];               /* fastest last */
  uint group_stride, col_stride;
  uint depth_stride[3];
  uint at_in, at_out;
};

READ (0, REAL, source);
WRITE (1, REAL, packed);

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  uint col = i % PANEL, k = i / PANEL;
  uint k2 = k % depth[2];
  k /= depth[2];
  uint k1 = k % depth[1];
  k /= depth[1];
  uint k0 = k % depth[0];
  k /= depth[0];
  col += k % panels * PANEL;
  float x = 0;
  if (col < cols)
    x = float (source[at_in + k / panels * group_stride + k0 * depth_stride[0] + k1 * depth_stride[1] +
                      k2 * depth_stride[2] + col * col_stride]);
  STORE (packed, at_out + i, x);
}
