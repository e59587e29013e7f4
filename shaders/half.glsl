/* 16-bit floats by their bits: what GLSL's own conversions do with ties and subnormal numbers is the device's choice.
 */
#ifndef HALF_GLSL
#define HALF_GLSL

float
float_of_half (uint h)
{
  uint sign = (h & 0x8000u) << 16, rest = h & 0x7fffu;
  if (rest >= 0x7c00u) /* infinity, NaN */
    return uintBitsToFloat (sign | 0x7f800000u | (rest & 0x3ffu) << 13);
  if (rest < 0x400u) { /* subnormal: so many 2^-24 */
    float magnitude = float (rest) * 5.9604644775390625e-8;
    return sign != 0 ? -magnitude : magnitude;
  }
  return uintBitsToFloat (sign | (rest + 0x1c000u) << 13);
}

/* To nearest, ties to even. */
uint
half_of_float (float x)
{
  uint bits = floatBitsToUint (x), sign = bits >> 16 & 0x8000u, rest = bits & 0x7fffffffu;
  if (rest > 0x7f800000u)
    return sign | 0x7e00u;
  if (rest >= 0x477ff000u) /* 65520 and more */
    return sign | 0x7c00u;
  if (rest < 0x38800000u) { /* subnormal: in units of 2^-24 */
    uint shift = 126u - (rest >> 23);
    if (shift > 24u)
      return sign;
    uint m = (rest & 0x7fffffu) | 0x800000u, kept = m >> shift, lost = m & ((1u << shift) - 1u);
    uint tie = 1u << (shift - 1u);
    return sign | (kept + (lost > tie || (lost == tie && (kept & 1u) != 0u) ? 1u : 0u));
  }
  return sign | (rest - 0x38000000u + 0xfffu + (rest >> 13 & 1u)) >> 13;
}

uint
bfloat_of_float (float x)
{
  uint bits = floatBitsToUint (x);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return bits >> 16 | 0x40u;
  return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

#endif
