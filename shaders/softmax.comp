#version 450
#extension GL_GOOGLE_include_directive : require
/* Soft maximum over the middle axis of x[outer][axis][inner]: a workgroup for each of outer × inner, or an invocation.
 * Each element is read last by the invocation that writes it, so that both may be the same memory. */
#include "index.glsl"
#include "reduce.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const bool by_groups = false;
layout (constant_id = 1) const bool logarithm = false;

layout (push_constant) uniform Push
{
  uint elements, axis, inner; /* outer × inner; the axis; inner */
  uint at_in, at_out;
};

READ (0, REAL, source);
WRITE (1, REAL, result);

void
main ()
{
  uint i = by_groups ? group_index () : invocation_index ();
  if (i >= elements)
    return;
  uint base = i / inner * axis * inner + i % inner;
  uint first = by_groups ? gl_LocalInvocationID.x : 0, step = by_groups ? GROUP : 1;

  float greatest = -INFINITY;
  for (uint k = first; k < axis; k += step)
    greatest = greater_of (greatest, float (source[at_in + base + k * inner]));
  if (by_groups)
    greatest = group_greatest (greatest);
  float sum = 0;
  for (uint k = first; k < axis; k += step)
    sum += exp_of (float (source[at_in + base + k * inner]) - greatest);
  if (by_groups)
    sum = group_sum (sum);
  float log_sum = logarithm ? log_of (sum) : 0;
  for (uint k = first; k < axis; k += step) {
    float x = float (source[at_in + base + k * inner]) - greatest;
    result[at_out + base + k * inner] = REAL (logarithm ? x - log_sum : exp_of (x) / sum);
  }
}
