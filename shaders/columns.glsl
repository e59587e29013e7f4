/* Sums down columns: units of work lie side by side in a workgroup, and `down` of its invocations share each, a row of
 * them apart, whose results a tree joins. One each on a CPU that plays a GPU: neither shared memory nor barriers. */
#ifndef COLUMNS_GLSL
#define COLUMNS_GLSL

#include "index.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint down = 1; /* a power of two */

const uint side = GROUP / down;

shared vec4 tree[GROUP];

/* Which of the unit's invocations this is; the first has the result. */
uint
lane_index ()
{
  return gl_LocalInvocationID.x / side;
}

/* May lie beyond the last: barriers want everybody. */
uint
unit_index ()
{
  return group_index () * side + gl_LocalInvocationID.x % side;
}

/* What the invocation `by` rows further down has; called by all of them. */
vec4
from_below (vec4 x, uint by)
{
  uint i = gl_LocalInvocationID.x;
  barrier (); /* the last one has been read */
  tree[i] = x;
  barrier ();
  return tree[min (i + by * side, GROUP - 1)];
}

vec4
sum_down (vec4 x)
{
  for (uint by = down / 2; by > 0; by /= 2)
    x += from_below (x, by);
  return x;
}

/* Mean, and squares of the distances from it, of `count` numbers. Joined as Chan, Golub and LeVeque do (1979): nothing
 * is lost where the mean is far from 0. */
struct Moments
{
  float count;
  vec4 mean, squares;
};

Moments
join (Moments a, Moments b)
{
  float count = a.count + b.count, share = b.count / count;
  vec4 delta = b.mean - a.mean;
  if (a.count == 0)
    return b;
  if (b.count == 0)
    return a;
  return Moments (count, a.mean + delta * share, a.squares + b.squares + delta * delta * (a.count * share));
}

Moments
join_down (Moments m)
{
  for (uint by = down / 2; by > 0; by /= 2)
    m = join (m, Moments (from_below (vec4 (m.count), by).x, from_below (m.mean, by), from_below (m.squares, by)));
  return m;
}

#endif
