#version 450
#extension GL_GOOGLE_include_directive : require
/* Local response normalisation across channels, one invocation an element. */
#include "index.glsl"
#include "pow.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint elements, channels;
  uint in_stride, out_stride; /* elements from one position to the next */
  int size;                   /* channels of a window */
  float alpha, beta, bias;
  uint at_in, at_out;
};

READ (0, REAL, source);
WRITE (1, REAL, result);

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  uint row = i / channels;
  int c = int (i % channels);
  int first = max (c - (size - 1) / 2, 0), last = min (c + size / 2, int (channels) - 1);
  float sum = 0;
  for (int k = first; k <= last; k++) {
    float x = float (source[at_in + row * in_stride + uint (k)]);
    sum += x * x;
  }
  float x = float (source[at_in + row * in_stride + uint (c)]);
  STORE (result, at_out + row * out_stride + uint (c), x / pow_of (bias + alpha / float (size) * sum, beta));
}
