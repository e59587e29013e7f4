#version 450
#extension GL_GOOGLE_include_directive : require
/* The gradient of local response normalisation, one invocation an element. */
#include "index.glsl"
#include "pow.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint elements, channels;
  uint in_stride, dy_stride, out_stride; /* elements from one position to the next */
  int size;                              /* channels of a window */
  float alpha, beta, bias;
  uint at_in, at_dy, at_out;
};

READ (0, float, source);
READ (1, float, gradient);
WRITE (2, float, result);

/* What channel c of a row is divided by, to the power beta. */
float
base_of (uint row, int c)
{
  const int first = max (c - (size - 1) / 2, 0), last = min (c + size / 2, int (channels) - 1);
  float sum = 0;
  for (int k = first; k <= last; k++) {
    const float x = source[at_in + row * in_stride + uint (k)];
    sum += x * x;
  }
  return bias + alpha / float (size) * sum;
}

void
main ()
{
  const uint i = invocation_index ();
  if (i >= elements)
    return;
  const uint row = i / channels;
  const int c = int (i % channels);
  /* The channels whose sums this one is in. */
  const int first = max (c - size / 2, 0), last = min (c + (size - 1) / 2, int (channels) - 1);
  float own = 0, sum = 0;
  for (int k = first; k <= last; k++) {
    const float base = base_of (row, k);
    const float d = gradient[at_dy + row * dy_stride + uint (k)] / pow_of (base, beta);
    sum += d * source[at_in + row * in_stride + uint (k)] / base;
    if (k == c)
      own = d;
  }
  const float factor = -2 * alpha / float (size) * beta * source[at_in + row * in_stride + uint (c)];
  result[at_out + row * out_stride + uint (c)] = own + factor * sum;
}
