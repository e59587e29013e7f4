#version 450
#extension GL_GOOGLE_include_directive : require
/* x[outer][axis][inner] over its axis: an output for each workgroup, or for each invocation. */
#include "index.glsl"
#include "ops.h"
#include "reduce.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint op = REDUCE_SUM;
layout (constant_id = 1) const bool by_groups = false; /* an output for each workgroup */

layout (push_constant) uniform Push
{
  uint elements, axis, inner; /* outputs; inputs of each; outputs that lie side by side */
  uint in_outer, in_axis, out_outer; /* elements from one index to the next */
  uint at_in, at_out;
};

READ (0, REAL, source);
WRITE (1, REAL, result);

float
start ()
{
  switch (op) {
  case REDUCE_MAX:
    return -INFINITY;
  case REDUCE_MIN:
    return INFINITY;
  case REDUCE_PROD:
    return 1;
  default:
    return 0;
  }
}

float
take (float r, float x)
{
  switch (op) {
  case REDUCE_MAX:
    return greater_of (r, x);
  case REDUCE_MIN:
    return less_of (r, x);
  case REDUCE_PROD:
    return r * x;
  case REDUCE_L1:
    return r + abs (x);
  case REDUCE_L2:
    return r + x * x;
  default:
    return r + x;
  }
}

/* Two results of take(). */
float
join (float a, float b)
{
  return op == REDUCE_L1 || op == REDUCE_L2 ? a + b : take (a, b);
}

float
join_group (float r)
{
  switch (op) {
  case REDUCE_MAX:
    return group_greatest (r);
  case REDUCE_MIN:
    return group_least (r);
  case REDUCE_PROD:
    return group_product (r);
  default:
    return group_sum (r);
  }
}

float
finish (float r)
{
  return op == REDUCE_MEAN ? r / float (axis) : op == REDUCE_L2 ? sqrt (r) : r;
}

void
main ()
{
  uint i = by_groups ? group_index () : invocation_index ();
  if (i >= elements)
    return;
  uint from = at_in + i / inner * in_outer + i % inner, to = at_out + i / inner * out_outer + i % inner;
  if (by_groups) {
    float r = start ();
    for (uint k = gl_LocalInvocationID.x; k < axis; k += GROUP)
      r = take (r, float (source[from + k * in_axis]));
    r = join_group (r);
    if (gl_LocalInvocationID.x == 0)
      STORE (result, to, finish (r));
    return;
  }
  float r[4] = float[] (start (), start (), start (), start ()); /* short chains */
  for (uint k = 0; k < axis; k++)
    r[k % 4] = take (r[k % 4], float (source[from + k * in_axis]));
  STORE (result, to, finish (join (join (r[0], r[1]), join (r[2], r[3]))));
}
