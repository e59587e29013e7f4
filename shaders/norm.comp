#version 450
#extension GL_GOOGLE_include_directive : require
/* Normalisation by mean and variance, one workgroup for each of what is normalised: a row, or the channels of a group
 * at all positions of an image. Passes: the mean, what it lacks, then the squares of the distances from it. Each element is read
 * last by the invocation that writes it, so that input and output may be the same memory. */
#include "index.glsl"
#include "act.glsl"
#include "reduce.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint act = ACT_NONE;
layout (constant_id = 1) const bool has_bias = false;

layout (push_constant) uniform Push
{
  uint blocks, groups;                  /* workgroups; of each image */
  uint positions, channels;             /* of a block */
  uint in_image, in_stride, out_image, out_stride; /* elements from one image, and from one position, to the next */
  uint shared_channels;                 /* channels that share a scale */
  float epsilon;
  uint at_in, at_scale, at_bias, at_out;
  float act_a, act_b;
};

READ (0, REAL, source);
READ (1, float, scale);
READ (2, float, bias);
WRITE (3, REAL, result);

void
main ()
{
  uint block = group_index ();
  if (block >= blocks)
    return;
  uint n = positions * channels, channel = block % groups * channels;
  uint from = at_in + block / groups * in_image + channel, to = at_out + block / groups * out_image + channel;

  float sum = 0;
  for (uint i = gl_LocalInvocationID.x; i < n; i += GROUP)
    sum += float (source[from + i / channels * in_stride + i % channels]);
  float mean = group_sum (sum) / float (n);
  sum = 0; /* far from 0 no float is the mean: what it lacks is a second one */
  for (uint i = gl_LocalInvocationID.x; i < n; i += GROUP)
    sum += float (source[from + i / channels * in_stride + i % channels]) - mean;
  float rest = group_sum (sum) / float (n);
  sum = 0;
  for (uint i = gl_LocalInvocationID.x; i < n; i += GROUP) {
    float d = (float (source[from + i / channels * in_stride + i % channels]) - mean) - rest;
    sum += d * d;
  }
  float deviation = sqrt (group_sum (sum) / float (n) + epsilon);
  for (uint i = gl_LocalInvocationID.x; i < n; i += GROUP) {
    uint c = i % channels, which = (channel + c) / shared_channels;
    float d = (float (source[from + i / channels * in_stride + c]) - mean) - rest;
    float y = d / deviation * scale[at_scale + which];
    if (has_bias)
      y += bias[at_bias + which];
    STORE (result, to + i / channels * out_stride + c, activate (act, y, act_a, act_b));
  }
}
