#version 450
#extension GL_GOOGLE_include_directive : require
/* Cross-entropy of each row of logits, or its gradient, which may lie where the logits do: a workgroup a row, or an
 * invocation. Each element is read last by the invocation that writes it. */
#include "index.glsl"
#include "reduce.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const bool by_groups = false;
layout (constant_id = 1) const bool has_weights = false;
layout (constant_id = 2) const bool is_gradient = false;

layout (push_constant) uniform Push
{
  uint rows, classes;
  uint at_dloss, at_logits, at_target, at_weights, at_out;
};

READ (0, REAL, dloss); /* of the gradient alone */
READ (1, REAL, logits);
READ (2, REAL, target);
READ (3, REAL, weights);
WRITE (4, REAL, result);

float
share_of (uint row, uint k)
{
  float t = float (target[at_target + row * classes + k]);
  return has_weights ? t * float (weights[at_weights + k]) : t;
}

float
sum_up (float x)
{
  return by_groups ? group_sum (x) : x;
}

void
main ()
{
  uint row = by_groups ? group_index () : invocation_index ();
  if (row >= rows)
    return;
  uint from = at_logits + row * classes;
  uint first = by_groups ? gl_LocalInvocationID.x : 0, step = by_groups ? GROUP : 1;

  float top = -INFINITY;
  for (uint k = first; k < classes; k += step)
    top = greater_of (top, float (logits[from + k]));
  if (by_groups)
    top = group_greatest (top);
  float total = 0.0, all = 0.0;
  for (uint k = first; k < classes; k += step) {
    total += exp_of (float (logits[from + k]) - top);
    all += share_of (row, k);
  }
  total = sum_up (total);
  if (is_gradient) {
    float factor = sum_up (all) / total, d = float (dloss[at_dloss + row]);
    for (uint k = first; k < classes; k += step)
      result[at_out + row * classes + k] =
          REAL (d * (exp_of (float (logits[from + k]) - top) * factor - share_of (row, k)));
    return;
  }
  float loss = 0.0, shift = log_of (total);
  for (uint k = first; k < classes; k += step) {
    float share = share_of (row, k);
    if (share != 0.0)
      loss += share * (shift - (float (logits[from + k]) - top));
  }
  loss = sum_up (loss);
  if (!by_groups || gl_LocalInvocationID.x == 0)
    result[at_out + row] = REAL (loss);
}
