#version 450
#extension GL_GOOGLE_include_directive : require
/* What all gradients are multiplied with so that the norm of all together is at most max_norm, of the sums of their
 * squares: one workgroup. */
#include "reduce.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const bool has_factor = false;
layout (constant_id = 1) const bool has_norm = false;

layout (push_constant) uniform Push
{
  uint elements;
  float max_norm, epsilon; /* max_norm 0: any */
  uint at_loss, at_in, at_factor, at_norm;
};

READ (0, REAL, loss);
READ (1, REAL, sums);
WRITE (2, REAL, factor);
WRITE (3, REAL, norm);

bool
is_finite (float x)
{
  return !is_nan (x) && !is_infinite (x);
}

void
main ()
{
  float sum = 0.0;
  for (uint k = gl_LocalInvocationID.x; k < elements; k += GROUP)
    sum += float (sums[at_in + k]);
  sum = group_sum (sum);
  if (gl_LocalInvocationID.x > 0)
    return;
  float root = is_finite (sum) ? sqrt (sum) : sum, large = root + epsilon;
  if (has_norm)
    norm[at_norm] = REAL (root);
  if (has_factor)
    factor[at_factor] = REAL (!is_finite (sum) || !is_finite (float (loss[at_loss])) ? NOT_A_NUMBER
                              : max_norm > 0.0 && large > max_norm                  ? max_norm / large
                                                                                     : 1.0);
}
