/* Sums and maxima over a workgroup, by a tree that its size alone shapes. GROUP is a power of two. */
#ifndef REDUCE_GLSL
#define REDUCE_GLSL

#include "group.h"
#include "vmath.glsl"

shared float tree[GROUP];

#define REDUCE(name, join)                              \
  float name (float x)                                  \
  {                                                     \
    uint lane = gl_LocalInvocationID.x;                 \
    tree[lane] = x;                                     \
    barrier ();                                         \
    for (uint half_n = GROUP / 2; half_n > 0; half_n /= 2) { \
      if (lane < half_n)                                \
        tree[lane] = join (tree[lane], tree[lane + half_n]); \
      barrier ();                                       \
    }                                                   \
    float all = tree[0];                                \
    barrier (); /* the next one writes it again */      \
    return all;                                         \
  }

float
sum_of (float a, float b)
{
  return a + b;
}

float
product_of (float a, float b)
{
  return a * b;
}

REDUCE (group_sum, sum_of)
REDUCE (group_product, product_of)
REDUCE (group_greatest, greater_of)
REDUCE (group_least, less_of)

#endif
