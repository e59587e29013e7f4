/* Powers to a few units in the last place: the logarithm is carried in two floats, for the exponent multiplies its
 * error. */
#ifndef POW_GLSL
#define POW_GLSL

#include "vmath.glsl"

/* A sum of two floats, the second less than half a unit in the last place of the first. */
struct Pair
{
  float high, low;
};

Pair
exact_sum (float a, float b)
{
  precise float s = a + b;
  precise float bb = s - a;
  precise float low = (a - (s - bb)) + (b - bb);
  return Pair (s, low);
}

/* The upper 12 bits of a float's 24, so that products of two such are exact. */
float
upper_half (float x)
{
  return uintBitsToFloat (floatBitsToUint (x) & 0xfffff000u);
}

Pair
exact_product (float a, float b)
{
  precise float p = a * b;
  precise float ah = upper_half (a);
  precise float al = a - ah;
  precise float bh = upper_half (b);
  precise float bl = b - bh;
  precise float low = ((ah * bh - p) + ah * bl + al * bh) + al * bl;
  return Pair (p, low);
}

/* log2 (x) of a positive number: x = 2^e c (1 + r) with c one of 17 numbers; the sum of e, log2 (c) and r's series.
 */
Pair
log2_pair (float x)
{
  bool tiny = x < 1.17549435e-38;
  float e;
  /* m - 1 with m in [sqrt 1/2, sqrt 2), and s = (m - 1) / (m + 1): log (m) = 2 (s + s^3/3 + s^5/5 ...) */
  precise float f = split_power (tiny ? x * 8388608.0 : x, e);
  e -= tiny ? 23.0 : 0.0;
  precise float d = 2.0 + f;
  precise float s = f / d;
  /* what the quotient lost: f - s * d, over d; d itself lost (2 - d) + f */
  Pair sd = exact_product (s, d);
  precise float d_low = (2.0 - d) + f;
  precise float s_low = ((f - sd.high) - sd.low - s * d_low) / d;
  float z = s * s;
  float p = 0.22222222;      /* 2/9 */
  p = p * z + 0.28571429;    /* 2/7 */
  p = p * z + 0.4;           /* 2/5 */
  p = p * z + 0.66666667;    /* 2/3 */
  precise float tail = p * z * s; /* log (m) - 2 s */
  Pair log_m = exact_sum (2.0 * s, tail);
  log_m.low += 2.0 * s_low;
  /* times log2 (e) = 1.4426950 (float) + 1.9259630e-8 */
  Pair y = exact_product (log_m.high, 1.44269502);
  y.low += log_m.high * 1.92596299e-8 + log_m.low * 1.44269502;
  Pair sum = exact_sum (e, y.high);
  return exact_sum (sum.high, sum.low + y.low);
}

/* |x|^y for finite x != 0 and finite y */
float
pow_positive (float x, float y)
{
  Pair l = log2_pair (abs (x));
  Pair p = exact_product (l.high, y);
  precise float low = p.low + l.low * y;
  if (p.high > 130.0)
    return INFINITY;
  if (p.high < -152.0)
    return 0.0;
  precise float n = roundEven (p.high);
  precise float r = (p.high - n) + low; /* 2^r = e^(r log 2) */
  return scale_by_power (exp_near_0 (clip (r, -0.5, 0.5) * 0.693147181) + 1.0, int (n));
}

/* IEEE 754's pow. */
float
pow_of (float x, float y)
{
  if (y == 2.0)
    return x * x;
  if (y == 0.0 || x == 1.0)
    return 1.0;
  if (is_nan (x) || is_nan (y))
    return NOT_A_NUMBER;
  float a = abs (x);
  bool whole = floor (y) == y;
  bool odd = whole && abs (y) < 16777216.0 && fract (y * 0.5) != 0.0;
  bool negative = (floatBitsToUint (x) >> 31) != 0u;
  float r;
  if (is_infinite (y))
    r = a == 1.0 ? 1.0 : (a > 1.0) == (y > 0.0) ? INFINITY : 0.0;
  else if (a == 0.0)
    r = y > 0.0 ? 0.0 : INFINITY;
  else if (is_infinite (a))
    r = y > 0.0 ? INFINITY : 0.0;
  else
    r = negative && !whole ? NOT_A_NUMBER : pow_positive (a, y);
  return negative && odd ? -r : r;
}

#endif
