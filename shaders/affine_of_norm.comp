#version 450
#extension GL_GOOGLE_include_directive : require
/* What normalisation by known moments comes to, one invocation a channel. */
#include "index.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;

layout (push_constant) uniform Push
{
  uint channels;
  float epsilon;
  uint at_gamma, at_beta, at_mean, at_variance, at_scale, at_shift;
};

READ (0, float, gamma);
READ (1, float, beta);
READ (2, float, mean);
READ (3, float, variance);
WRITE (4, float, scale);
WRITE (5, float, shift);

void
main ()
{
  const uint c = invocation_index ();
  if (c >= channels)
    return;
  const float factor = gamma[at_gamma + c] / sqrt (variance[at_variance + c] + epsilon);
  scale[at_scale + c] = factor;
  shift[at_shift + c] = beta[at_beta + c] - mean[at_mean + c] * factor;
}
