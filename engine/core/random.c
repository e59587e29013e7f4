#include "core/random.h"

#include <math.h>

/* The normal distribution's quantiles by P. J. Acklam's rational approximation, "An algorithm for
 * computing the inverse normal cumulative distribution function" (2003); off by 1.15e-9 of the
 * value at most. */
static double
normal_quantile (double p)
{
  static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                             1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                             6.680131188771972e+01, -1.328068155288572e+01};
  static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                             -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                             3.754408661907416e+00};
  static const double low = 0.02425;
  double tail = p < 0.5 ? p : 1 - p;
  if (tail < low) {
    double q = sqrt (-2 * log (tail));
    double x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
               ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
    return p < 0.5 ? x : -x;
  }
  double q = p - 0.5, r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
         (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

float
sl_normal (uint32_t bits)
{
  return (float)normal_quantile (((double)bits + 0.5) * 0x1p-32);
}

/* Gamma distribution of scale 1: Marsaglia and Tsang, "A simple method for generating gamma
 * variables" (2000), with their step from shape + 1 for shapes below 1. */
static double
draw_gamma (SlRandom *random, double shape)
{
  double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / sqrt (9 * d), v, x, u;
  do {
    x = (double)sl_normal (sl_random_bits (random));
    v = 1 + c * x;
    v = v * v * v;
    u = ((double)sl_random_bits (random) + 0.5) * 0x1p-32;
  } while (!(v > 0) || log (u) >= 0.5 * x * x + d - d * v + d * log (v));
  if (shape >= 1)
    return d * v;
  u = ((double)sl_random_bits (random) + 0.5) * 0x1p-32;
  return d * v * pow (u, 1 / shape);
}

double
sl_random_beta (SlRandom *random, double a)
{
  double x = draw_gamma (random, a), y = draw_gamma (random, a);
  return x + y > 0 ? x / (x + y) : 0.5;
}
