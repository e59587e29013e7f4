/* Elementary functions, a few units in the last place on every device: those that GLSL brings may be off by 1e-4
 * and more. The same routines as engine/kernels/vmath.h, where their sources are named. */
#ifndef VMATH_GLSL
#define VMATH_GLSL

#define INFINITY uintBitsToFloat (0x7f800000u)
#define NOT_A_NUMBER uintBitsToFloat (0x7fc00000u)

/* By the bits: compilers may take it that there is no NaN. */
bool
is_nan (float x)
{
  return (floatBitsToUint (x) & 0x7fffffffu) > 0x7f800000u;
}

bool
is_infinite (float x)
{
  return (floatBitsToUint (x) & 0x7fffffffu) == 0x7f800000u;
}

/* The larger and the smaller; NaN wins. */
float
greater_of (float a, float b)
{
  return is_nan (a) ? a : is_nan (b) ? b : max (a, b);
}

float
less_of (float a, float b)
{
  return is_nan (a) ? a : is_nan (b) ? b : min (a, b);
}

/* NaN stays NaN. */
float
clip (float x, float lo, float hi)
{
  return is_nan (x) ? x : min (max (x, lo), hi);
}

/* |x| with the sign of `sign`. */
float
with_sign (float x, float sign)
{
  return uintBitsToFloat ((floatBitsToUint (x) & 0x7fffffffu) | (floatBitsToUint (sign) & 0x80000000u));
}

/* x * 2^n for n in -252 ... 254 */
float
scale_by_power (float x, int n)
{
  int half_n = n >> 1;
  return x * intBitsToFloat ((half_n + 127) << 23) * intBitsToFloat ((n - half_n + 127) << 23);
}

/* e^x - 1 for |x| <= log (2) / 2. */
float
exp_near_0 (float x)
{
  float p = 1.9875691500e-4;
  p = p * x + 1.3981999507e-3;
  p = p * x + 8.3334519073e-3;
  p = p * x + 4.1665795894e-2;
  p = p * x + 1.6666665459e-1;
  p = p * x + 5.0000001201e-1;
  return p * (x * x) + x;
}

float
exp_of (float x)
{
  /* Beyond these bounds the result is infinity or 0 whatever the argument. */
  float bounded = min (max (x, -105.0), 89.0);
  float n = roundEven (bounded * 1.44269504088896341);
  float r = (bounded - n * 0.693359375) + n * 2.12194440e-4;
  float y = scale_by_power (exp_near_0 (r) + 1.0, int (n));
  return is_nan (x) ? x : y;
}

float
expm1_of (float x)
{
  return abs (x) < 0.34 ? exp_near_0 (x) : exp_of (x) - 1.0;
}

/* Of a number in [2^-126, infinity): m in [sqrt 1/2, sqrt 2) with x = m * 2^ret_e, less 1. */
float
split_power (float x, out float ret_e)
{
  uint bits = floatBitsToUint (x);
  int e = int (bits >> 23) - 126;
  float m = uintBitsToFloat ((bits & 0x007fffffu) | 0x3f000000u);
  bool low = m < 0.707106781186547524;
  ret_e = float (low ? e - 1 : e);
  return low ? m + m - 1.0 : m - 1.0;
}

float
log_of (float x)
{
  bool tiny = x < 1.17549435e-38;
  float e;
  float m = split_power (tiny ? x * 8388608.0 : x, e);
  e -= tiny ? 23.0 : 0.0;

  float z = m * m;
  float p = 7.0376836292e-2;
  p = p * m - 1.1514610310e-1;
  p = p * m + 1.1676998740e-1;
  p = p * m - 1.2420140846e-1;
  p = p * m + 1.4249322787e-1;
  p = p * m - 1.6668057665e-1;
  p = p * m + 2.0000714765e-1;
  p = p * m - 2.4999993993e-1;
  p = p * m + 3.3333331174e-1;
  p = p * m * z;
  p = e * -2.12194440e-4 + p;
  p = z * -0.5 + p;
  float r = e * 0.693359375 + (m + p);

  if (is_nan (x) || x == INFINITY)
    return x;
  if (x == 0.0)
    return -INFINITY;
  return x < 0.0 ? NOT_A_NUMBER : r;
}

/* log (1 + u) for u >= 0, exact also where 1 + u loses u (W. Kahan's correction). */
float
log1p_of (float u)
{
  precise float w = 1.0 + u;
  precise float lost = w - 1.0;
  if (w == 1.0 || is_infinite (u))
    return u;
  return log_of (w) * (u / lost);
}

float
sigmoid_of (float x)
{
  /* exp of a non-positive number only: no overflow, and small results keep their digits. */
  float e = exp_of (-abs (x));
  float y = (x < 0.0 ? e : 1.0) / (1.0 + e);
  return is_nan (x) ? x : y;
}

float
tanh_of (float x)
{
  float a = abs (x), z = x * x;
  float p = -5.70498872745e-3;
  p = p * z + 2.06390887954e-2;
  p = p * z - 5.37397155531e-2;
  p = p * z + 1.33314422036e-1;
  p = p * z - 3.33332819422e-1;
  float small = p * z * x + x;
  float large = 1.0 - 2.0 / (exp_of (a + a) + 1.0);
  return is_nan (x) ? x : a < 0.625 ? small : with_sign (large, x);
}

float
erf_of (float x)
{
  float a = abs (x), z = x * x;
  float p = 8.31687971e-5;
  p = p * z - 8.13044467e-4;
  p = p * z + 5.19998925e-3;
  p = p * z - 2.68589974e-2;
  p = p * z + 1.12836887e-1;
  p = p * z - 3.76126333e-1;
  p = p * z + 1.28379167e-1;
  float small = p * x + x;

  float t = min (a, 4.0); /* erf (4) is 1 in float */
  float q = 1.01184519e-6;
  q = q * t - 3.37652255e-5;
  q = q * t + 4.94089608e-4;
  q = q * t - 4.28439239e-3;
  q = q * t + 2.50934346e-2;
  q = q * t - 1.07792232e-1;
  q = q * t - 6.34194741e-1;
  q = q * t - 1.12888877;
  float large = with_sign (1.0 - exp_of (q * t), x);
  return is_nan (x) ? x : a < 0.93 ? small : large;
}

#endif
