/* Vectors of quantised numbers: bytes to 32-bit lanes and back. Private to engine/kernels. */
#pragma once

#include "kernels/quantize.h"
#include "kernels/vector.h"

typedef uint8_t VecBytes __attribute__ ((vector_size (VEC_WIDTH)));
typedef uint8_t VecBytesAny __attribute__ ((vector_size (VEC_WIDTH), aligned (1), may_alias));

/* n bytes (up to VEC_WIDTH), as unsigned numbers; the lanes beyond are 0. */
ALWAYS_INLINE VecInt
bytes_load (const uint8_t *p, size_t n, uint8_t flip)
{
  VecBytes bytes = {0};
  if (n == VEC_WIDTH)
    bytes = *(const VecBytesAny *)p;
  else
    memcpy (&bytes, p, n);
  return __builtin_convertvector(bytes ^ flip, VecInt);
}

/* The low byte of each lane. */
ALWAYS_INLINE void
bytes_store (uint8_t *p, VecInt v, size_t n)
{
  VecBytes bytes = __builtin_convertvector(v, VecBytes);
  if (n == VEC_WIDTH)
    *(VecBytesAny *)p = bytes;
  else
    memcpy (p, &bytes, n);
}

ALWAYS_INLINE Vec
vec_of_int (VecInt v)
{
  return __builtin_convertvector(v, Vec);
}

/* A zero point that may be left out, in the unsigned form. */
ALWAYS_INLINE int32_t
zero_of (const void *zero, uint8_t flip)
{
  return (zero ? *(const uint8_t *)zero : 0) ^ flip;
}

typedef int32_t VecIntAny __attribute__ ((vector_size (VEC_WIDTH * 4), aligned (4), may_alias));

/* The first n lanes from and to memory; the others read as 0. */
ALWAYS_INLINE VecInt
ints_load (const int32_t *p, size_t n)
{
  VecInt v = {0};
  if (n == VEC_WIDTH)
    return *(const VecIntAny *)p;
  memcpy (&v, p, n * sizeof *p);
  return v;
}

ALWAYS_INLINE void
ints_store (int32_t *p, VecInt v, size_t n)
{
  if (n == VEC_WIDTH)
    *(VecIntAny *)p = v;
  else
    memcpy (p, &v, n * sizeof *p);
}

/* sum + a.lo * b.lo + a.hi * b.hi, where a lane holds two int16. */
ALWAYS_INLINE VecInt
dot_pairs (VecInt a, VecInt b, VecInt sum)
{
#if defined __AVX512BW__
  return sum + (VecInt)_mm512_madd_epi16 ((__m512i)a, (__m512i)b);
#elif defined __AVX2__
  return sum + (VecInt)_mm256_madd_epi16 ((__m256i)a, (__m256i)b);
#elif defined __SSE2__
  return sum + (VecInt)_mm_madd_epi16 ((__m128i)a, (__m128i)b);
#else
  VecInt a_lo = (VecInt)((a << 16) >> 16), b_lo = (VecInt)((b << 16) >> 16);
  return sum + a_lo * b_lo + (a >> 16) * (b >> 16);
#endif
}

/* What a result is made of: clamped, rounded, moved. */
typedef struct QuantOut {
  Vec lo, hi; /* least and greatest number before the zero point is added */
  VecInt zero;
} QuantOut;

/* `zero` is in the unsigned form, and so are the results until `flip` turns them back. */
ALWAYS_INLINE QuantOut
quant_out (int32_t zero)
{
  return (QuantOut){vec_splat ((float)-zero), vec_splat ((float)(255 - zero)),
                    vec_splat_int (zero)};
}

/* Adding and taking away 1.5 * 2^23 leaves a small number rounded to even in every set. NaN becomes
 * the least number. */
#define ROUNDER 12582912.0f

ALWAYS_INLINE VecInt
quant_round (Vec x, const QuantOut *out)
{
  x = vec_min (vec_max (x, out->lo), out->hi);
  return __builtin_convertvector((x + ROUNDER) - ROUNDER, VecInt) + out->zero;
}
