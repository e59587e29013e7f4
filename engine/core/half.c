#include "core/half.h"

#include <string.h>

static inline uint32_t
bits_of (float value)
{
  uint32_t bits;
  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static inline float
float_of (uint32_t bits)
{
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

/* `bits` shifted right by `shift` (1 … 31), rounded to nearest, ties to even. */
static inline uint32_t
shift_round (uint32_t bits, unsigned shift)
{
  uint32_t below = (1u << (shift - 1)) - 1;
  return (bits + below + ((bits >> shift) & 1)) >> shift;
}

/* Integer arithmetic throughout: the result must not depend on a flush-to-zero mode of the caller.
 */
float
sl_half_to_float (uint16_t half)
{
  uint32_t sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t exponent = (half >> 10) & 31;
  uint32_t mantissa = half & 0x3ff;

  if (exponent == 31)
    return float_of (sign | 0x7f800000 | mantissa << 13);
  if (exponent)
    return float_of (sign | (exponent + 127 - 15) << 23 | mantissa << 13);
  if (!mantissa)
    return float_of (sign);

  /* A subnormal half is mantissa * 2^-24, a normal float: move its leading one to bit 10. */
  unsigned up = (unsigned)__builtin_clz (mantissa) - 21;
  return float_of (sign | (127 - 14 - up) << 23 | ((mantissa << up) & 0x3ff) << 13);
}

uint16_t
sl_half_from_float (float value)
{
  uint32_t bits = bits_of (value);
  uint16_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;

  if (bits > 0x7f800000) /* NaN stays one: set the quiet bit, keep the upper payload */
    return sign | 0x7e00 | (bits >> 13 & 0x1ff);
  if (bits >= 0x47800000) /* 65536 and above */
    return sign | 0x7c00;
  if (bits >= 0x38800000) /* normal half; a carry into the exponent, up to infinity, is right */
    return sign | shift_round (bits - ((127u - 15) << 23), 13);
  if (bits < 0x33000000) /* below half of the least subnormal */
    return sign;

  unsigned exponent = bits >> 23;
  return sign | shift_round ((bits & 0x7fffff) | 0x800000, 126 - exponent);
}

float
sl_bfloat16_to_float (uint16_t bits)
{
  return float_of ((uint32_t)bits << 16);
}

uint16_t
sl_bfloat16_from_float (float value)
{
  uint32_t bits = bits_of (value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
