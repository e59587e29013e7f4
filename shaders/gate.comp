#version 450
#extension GL_GOOGLE_include_directive : require
/* Gradients of activations by what they made, over rows of `cols` elements; one invocation an element. The output may
 * be the memory of either. */
#include "index.glsl"
#include "ops.h"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = GATE_RELU;

layout (push_constant) uniform Push
{
  uint elements, cols;
  uint dy_stride, y_stride, out_stride; /* elements from one row to the next */
  uint at_dy, at_y, at_slope, at_out;
};

READ (0, REAL, gradient);
READ (1, REAL, made);
READ (2, REAL, slope); /* GATE_LEAKY_RELU: of one element */
WRITE (3, REAL, result);

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  uint row = i / cols, col = i % cols;
  float dy = float (gradient[at_dy + row * dy_stride + col]);
  float y = float (made[at_y + row * y_stride + col]);
  switch (op) {
  case GATE_RELU:
    dy = y > 0.0 ? dy : 0.0;
    break;
  case GATE_LEAKY_RELU:
    dy = y > 0.0 ? dy : float (slope[at_slope]) * dy;
    break;
  case GATE_SIGMOID:
    dy = dy * (y * (1.0 - y));
    break;
  default: /* GATE_TANH */
    dy = dy * (1.0 - y * y);
    break;
  }
  result[at_out + row * out_stride + col] = REAL (dy);
}
