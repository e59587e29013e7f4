/* Elementary functions on vectors, a few units in the last place, the same bits on every lane.
 *
 * exp, log and tanh follow the single precision routines of S. L. Moshier's Cephes library 2.2
 * (expf.c, logf.c, tanhf.c): same reductions, same polynomials. erf is our own fit: interpolation
 * at Chebyshev nodes of erf (x) / x in x² on [0, 0.93²], and of log (erfc (x)) / x on [0.9, 4].
 * tests/kernels/unary.c holds every one of them against libm in double. */
#pragma once

#include "kernels/vector.h"

/* e^x - 1 for |x| <= log (2) / 2. */
ALWAYS_INLINE Vec
vec_exp_near_0 (Vec x)
{
  Vec p = vec_splat (1.9875691500e-4f);
  p = vec_fma (p, x, vec_splat (1.3981999507e-3f));
  p = vec_fma (p, x, vec_splat (8.3334519073e-3f));
  p = vec_fma (p, x, vec_splat (4.1665795894e-2f));
  p = vec_fma (p, x, vec_splat (1.6666665459e-1f));
  p = vec_fma (p, x, vec_splat (5.0000001201e-1f));
  return vec_fma (p, x * x, x);
}

ALWAYS_INLINE Vec
vec_exp (Vec x)
{
  /* Beyond these bounds the result is infinity or 0 whatever the argument; NaN passes both. */
  Vec bounded = vec_min (vec_splat (89.0f), vec_max (vec_splat (-105.0f), x));
  Vec t = vec_fma (bounded, vec_splat (1.44269504088896341f), vec_splat (VEC_ROUND_MAGIC));
  Vec n = t - VEC_ROUND_MAGIC;
  Vec r = vec_fma (n, vec_splat (-0.693359375f), bounded);
  r = vec_fma (n, vec_splat (2.12194440e-4f), r);
  return vec_scale (vec_exp_near_0 (r) + 1.0f, n);
}

ALWAYS_INLINE Vec
vec_expm1 (Vec x)
{
  return vec_select (vec_abs (x) < 0.34f, vec_exp_near_0 (x), vec_exp (x) - 1.0f);
}

ALWAYS_INLINE Vec
vec_log (Vec x)
{
  VecInt tiny = x < 0x1p-126f;
  Vec scaled = vec_select (tiny, x * 0x1p23f, x);
  VecInt bits = vec_bits (scaled);
  VecInt e = (bits >> 23) - 126 - (tiny & 23);
  Vec m = (Vec)((bits & 0x007fffff) | 0x3f000000); /* in [0.5, 1) */
  VecInt low = m < 0.707106781186547524f;
  e += low; /* a true lane is -1 */
  m = vec_select (low, m + m, m) - 1.0f;
  Vec ef = (Vec)(vec_bits (vec_splat (VEC_ROUND_MAGIC)) + e) - VEC_ROUND_MAGIC;

  Vec z = m * m;
  Vec p = vec_splat (7.0376836292e-2f);
  p = vec_fma (p, m, vec_splat (-1.1514610310e-1f));
  p = vec_fma (p, m, vec_splat (1.1676998740e-1f));
  p = vec_fma (p, m, vec_splat (-1.2420140846e-1f));
  p = vec_fma (p, m, vec_splat (1.4249322787e-1f));
  p = vec_fma (p, m, vec_splat (-1.6668057665e-1f));
  p = vec_fma (p, m, vec_splat (2.0000714765e-1f));
  p = vec_fma (p, m, vec_splat (-2.4999993993e-1f));
  p = vec_fma (p, m, vec_splat (3.3333331174e-1f));
  p = p * m * z;
  p = vec_fma (ef, vec_splat (-2.12194440e-4f), p);
  p = vec_fma (z, vec_splat (-0.5f), p);
  Vec r = vec_fma (ef, vec_splat (0.693359375f), m + p);

  r = vec_select (x < INFINITY, r, x); /* infinity and NaN are their own logarithm */
  r = vec_select (x == 0, vec_splat (-INFINITY), r);
  return vec_select (x < 0, vec_splat (NAN), r);
}

/* log (1 + u) for u >= 0, exact also where 1 + u loses u (W. Kahan's correction). */
ALWAYS_INLINE Vec
vec_log1p (Vec u)
{
  Vec w = 1.0f + u;
  Vec r = vec_log (w) * (u / (w - 1.0f));
  r = vec_select (w == 1.0f, u, r);
  return vec_select (u == INFINITY, u, r);
}

ALWAYS_INLINE Vec
vec_sigmoid (Vec x)
{
  /* exp of a non-positive number only: no overflow, and small results keep their digits. */
  Vec e = vec_exp ((Vec)(vec_bits (x) | (int32_t)0x80000000));
  Vec r = vec_select (x < 0, e, vec_splat (1.0f)) / (1.0f + e);
  return r;
}

ALWAYS_INLINE Vec
vec_tanh (Vec x)
{
  Vec a = vec_abs (x), z = x * x;
  Vec p = vec_splat (-5.70498872745e-3f);
  p = vec_fma (p, z, vec_splat (2.06390887954e-2f));
  p = vec_fma (p, z, vec_splat (-5.37397155531e-2f));
  p = vec_fma (p, z, vec_splat (1.33314422036e-1f));
  p = vec_fma (p, z, vec_splat (-3.33332819422e-1f));
  Vec small = vec_fma (p * z, x, x);
  Vec large = 1.0f - 2.0f / (vec_exp (a + a) + 1.0f);
  return vec_select (a < 0.625f, small, vec_with_sign (large, x));
}

ALWAYS_INLINE Vec
vec_erf (Vec x)
{
  Vec a = vec_abs (x), z = x * x;
  Vec p = vec_splat (8.31687971e-5f);
  p = vec_fma (p, z, vec_splat (-8.13044467e-4f));
  p = vec_fma (p, z, vec_splat (5.19998925e-3f));
  p = vec_fma (p, z, vec_splat (-2.68589974e-2f));
  p = vec_fma (p, z, vec_splat (1.12836887e-1f));
  p = vec_fma (p, z, vec_splat (-3.76126333e-1f));
  p = vec_fma (p, z, vec_splat (1.28379167e-1f));
  Vec small = vec_fma (p, x, x);

  Vec t = vec_min (vec_splat (4.0f), a); /* erf (4) is 1 in float */
  Vec q = vec_splat (1.01184519e-6f);
  q = vec_fma (q, t, vec_splat (-3.37652255e-5f));
  q = vec_fma (q, t, vec_splat (4.94089608e-4f));
  q = vec_fma (q, t, vec_splat (-4.28439239e-3f));
  q = vec_fma (q, t, vec_splat (2.50934346e-2f));
  q = vec_fma (q, t, vec_splat (-1.07792232e-1f));
  q = vec_fma (q, t, vec_splat (-6.34194741e-1f));
  q = vec_fma (q, t, vec_splat (-1.12888877f));
  Vec large = vec_with_sign (1.0f - vec_exp (q * t), x);
  return vec_select (a < 0.93f, small, large);
}

/* n lanes (all, if n is more), the others -infinity, whose exponential is 0. */
ALWAYS_INLINE Vec
vec_load_or_low (const float *x, size_t n)
{
  float lane[VEC_WIDTH];

  if (n >= VEC_WIDTH)
    return vec_load (x);
  for (size_t i = 0; i < VEC_WIDTH; i++)
    lane[i] = i < n ? x[i] : -INFINITY;
  return vec_load (lane);
}

/* The greatest of n numbers, -infinity of none. */
ALWAYS_INLINE float
vec_greatest_of (const float *x, size_t n)
{
  Vec top = vec_splat (-INFINITY);
  float lane[VEC_WIDTH];

  for (size_t i = 0; i < n; i += VEC_WIDTH)
    top = vec_max (top, vec_load_or_low (x + i, n - i));
  vec_store (lane, top);
  for (int i = 1; i < VEC_WIDTH; i++)
    lane[0] = lane[i] > lane[0] ? lane[i] : lane[0];
  return lane[0];
}
