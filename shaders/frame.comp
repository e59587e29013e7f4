#version 450
#extension GL_GOOGLE_include_directive : require
/* A network's picture out of a video frame's planes, as sl_image_sample() makes it on the CPU: each invocation has one
 * pixel and sums over its windows in the planes. All of the geometry is data, so that a new one is no new pipeline. */
#include "index.glsl"
#include "types.glsl"
#include "colors.h"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint channels = 3;       /* 1 or 3 */
layout (constant_id = 1) const uint components = 3;     /* of the frame: 1 or 3 */
layout (constant_id = 2) const bool transposed = false; /* the frame's rows are columns of the picture */

layout (push_constant) uniform Push
{
  uint width, height;                  /* of the picture */
  uint begin_x, begin_y, n_x, n_y;     /* where the frame lies in it */
  uint channel_stride, row_stride, pixel_stride; /* elements */
  /* Of each component: the byte of its sample 0 in row 0 of what is in `bytes` (below zero where less than all of the
   * frame is), bytes from a row and a sample to the next, and its axes in the table. */
  uint base[3], pitch[3], step[3], x_axis[3], y_axis[3];
  uint at_out;
};

READ (0, uint, bytes);
/* COLORS_WORDS floats, then axes: the words of an output of the axis, then for each output its first sample, the number
 * of samples, their weights. */
READ (1, uint, table);
WRITE (2, float, result);

float
real (uint at)
{
  return uintBitsToFloat (table[at]);
}

uint
byte_at (uint at)
{
  return bytes[at / 4] >> 8 * (at % 4) & 0xff;
}

/* Component c, of column and row of the frame scaled. */
float
window (uint c, uint column, uint row)
{
  const uint across = x_axis[c] + 1 + column * table[x_axis[c]];
  const uint down = y_axis[c] + 1 + row * table[y_axis[c]];
  const uint n = table[across + 1], rows = table[down + 1], along = step[c], below = pitch[c];
  uint line = base[c] + table[down] * below + table[across] * along;
  float sum = 0;
  for (uint j = 0; j < rows; j++, line += below) {
    float part = 0;
    for (uint k = 0; k < n; k++)
      part += float (byte_at (line + k * along)) * real (across + 2 + k);
    sum += part * real (down + 2 + j);
  }
  return sum;
}

float
dot_with (uint at, vec3 v)
{
  return real (at) * v.x + real (at + 1) * v.y + real (at + 2) * v.z;
}

void
store (uint x, uint y, uint c, float value)
{
  result[at_out + c * channel_stride + y * row_stride + x * pixel_stride] = value;
}

void
main ()
{
  const uint i = invocation_index ();
  if (i >= width * height)
    return;
  const uint x = i % width, y = i / width;
  if (x - begin_x >= n_x || y - begin_y >= n_y) {
    for (uint c = 0; c < channels; c++)
      store (x, y, c, real (COLORS_PAD + c));
    return;
  }
  const uint column = transposed ? y - begin_y : x - begin_x, row = transposed ? x - begin_x : y - begin_y;
  vec3 samples = vec3 (0), rgb;
  for (uint c = 0; c < components; c++)
    samples[c] = window (c, column, row);
  for (uint c = 0; c < 3; c++)
    rgb[c] = clamp (dot_with (COLORS_MATRIX + 3 * c, samples) + real (COLORS_OFFSET + c), 0, 255);
  if (channels == 1)
    rgb.x = dot_with (COLORS_LUMA, rgb);
  for (uint c = 0; c < channels; c++)
    store (x, y, c, rgb[c] * real (COLORS_GAIN + c) + real (COLORS_BIAS + c));
}
