#include "core/half.h"

#include <glib.h>

#include <math.h>
#include <string.h>

static float
float_of (uint32_t bits)
{
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

static uint32_t
bits_of (float value)
{
  uint32_t bits;
  memcpy (&bits, &value, sizeof bits);
  return bits;
}

/* What a half means, from its definition. */
static double
half_value (uint16_t half)
{
  int exponent = half >> 10 & 31;
  double mantissa = half & 0x3ff;
  double value = exponent ? ldexp (1 + mantissa / 1024, exponent - 15) : ldexp (mantissa, -24);
  return half & 0x8000 ? -value : value;
}

static gboolean
half_is_finite (uint16_t half)
{
  return (half >> 10 & 31) != 31;
}

static void
test_every_half (void)
{
  for (uint32_t h = 0; h < 0x10000; h++) {
    float value = sl_half_to_float ((uint16_t)h);
    if (half_is_finite ((uint16_t)h)) {
      g_assert_true ((double)value == half_value ((uint16_t)h));
      g_assert_cmpint (signbit (value) != 0, ==, h >> 15);
      g_assert_cmphex (sl_half_from_float (value), ==, h);
    } else if (h & 0x3ff) {
      g_assert_true (isnan (value));
      g_assert_cmphex (sl_half_from_float (value), ==, h | 0x200); /* NaN becomes a quiet one */
    } else {
      g_assert_true (isinf (value));
      g_assert_cmphex (sl_half_from_float (value), ==, h);
    }
  }
}

/* Between two neighbours: below the middle goes down, above goes up, the middle to the even one. */
static void
test_half_rounding (void)
{
  for (uint16_t h = 0; h < 0x7c00; h++) {
    double upper = h == 0x7bff ? 65536 : half_value (h + 1); /* what would follow the largest */
    float middle = (float)((half_value (h) + upper) / 2);
    uint16_t even = h & 1 ? h + 1 : h;
    for (int sign = 0; sign < 2; sign++) {
      uint16_t s = sign ? 0x8000 : 0;
      float m = sign ? -middle : middle;
      g_assert_cmphex (sl_half_from_float (m), ==, (s | even));
      g_assert_cmphex (sl_half_from_float (nextafterf (m, 0)), ==, (s | h));
      g_assert_cmphex (sl_half_from_float (nextafterf (m, m * INFINITY)), ==, (s | (h + 1)));
    }
  }
  g_assert_cmphex (sl_half_from_float (1e30f), ==, 0x7c00);
  g_assert_cmphex (sl_half_from_float (-FLT_MAX), ==, 0xfc00);
  g_assert_cmphex (sl_half_from_float (1e-40f), ==, 0);
}

static void
test_bfloat16 (void)
{
  for (uint32_t b = 0; b < 0x10000; b++) {
    float value = sl_bfloat16_to_float ((uint16_t)b);
    g_assert_cmphex (bits_of (value), ==, b << 16);
    if (isnan (value)) {
      g_assert_cmphex (sl_bfloat16_from_float (value), ==, b | 0x40);
      continue;
    }
    g_assert_cmphex (sl_bfloat16_from_float (value), ==, b);
    if (isinf (value))
      continue;
    g_assert_cmphex (sl_bfloat16_from_float (float_of (b << 16 | 0x7fff)), ==, b);
    g_assert_cmphex (sl_bfloat16_from_float (float_of (b << 16 | 0x8000)), ==, b + (b & 1));
    g_assert_cmphex (sl_bfloat16_from_float (float_of (b << 16 | 0x8001)), ==, b + 1);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/half/every-half", test_every_half);
  g_test_add_func ("/core/half/rounding", test_half_rounding);
  g_test_add_func ("/core/half/bfloat16", test_bfloat16);
  return g_test_run ();
}
