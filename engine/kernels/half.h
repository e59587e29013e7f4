/* Vectors of half floats (IEEE 754 binary16) as vectors of floats and back. */
#pragma once

#include "core/half.h"
#include "kernels/vector.h"

/* The largest half float. */
#define HALF_MAX 65504.f

typedef uint16_t VecHalf __attribute__ ((vector_size (VEC_WIDTH * 2)));

#if defined __F16C__
#define HALF_IN_HARDWARE 1
#if VEC_WIDTH == 16
ALWAYS_INLINE Vec
vec_of_half (VecHalf half)
{
  return (Vec)_mm512_cvtph_ps ((__m256i)half);
}

ALWAYS_INLINE VecHalf
vec_to_half (Vec x)
{
  return (VecHalf)_mm512_cvtps_ph ((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#else
ALWAYS_INLINE Vec
vec_of_half (VecHalf half)
{
  return (Vec)_mm256_cvtph_ps ((__m128i)half);
}

ALWAYS_INLINE VecHalf
vec_to_half (Vec x)
{
  return (VecHalf)_mm256_cvtps_ph ((__m256)x, _MM_FROUND_TO_NEAREST_INT);
}
#endif
#elif defined __aarch64__
#define HALF_IN_HARDWARE 1
ALWAYS_INLINE Vec
vec_of_half (VecHalf half)
{
  return (Vec)vcvt_f32_f16 ((float16x4_t)half);
}

ALWAYS_INLINE VecHalf
vec_to_half (Vec x)
{
  return (VecHalf)vcvt_f16_f32 ((float32x4_t)x);
}
#else
/* With integers throughout but for subnormal numbers, which are made by a product of normal ones:
 * threads flush float32's. */
ALWAYS_INLINE Vec
vec_of_half (VecHalf half)
{
  typedef uint32_t Bits __attribute__ ((vector_size (VEC_WIDTH * 4)));
  Bits wide = __builtin_convertvector(half, Bits), sign = (wide & 0x8000) << 16;
  Bits rest = wide & 0x7fff, is_special = (Bits)(rest >= 0x7c00), is_small = (Bits)(rest < 0x0400);
  Bits normal = (rest << 13) + ((127u - 15) << 23) + (is_special & ((128u - 16) << 23));
  Vec small = __builtin_convertvector((VecInt)rest, Vec) * 0x1p-24f;
  return (Vec)(sign | (is_small & (Bits)small) | (~is_small & normal));
}

ALWAYS_INLINE VecHalf
vec_to_half (Vec x)
{
  VecHalf half;
  for (size_t i = 0; i < VEC_WIDTH; i++)
    half[i] = sl_half_from_float (x[i]);
  return half;
}
#endif

ALWAYS_INLINE Vec
vec_load_half (const uint16_t *from)
{
  VecHalf half;
  memcpy (&half, from, sizeof half);
  return vec_of_half (half);
}

/* What a half float cannot hold becomes the largest one; NaN stays NaN. */
ALWAYS_INLINE void
vec_store_half (uint16_t *to, Vec x)
{
  VecHalf half = vec_to_half (vec_min (vec_splat (HALF_MAX), vec_max (vec_splat (-HALF_MAX), x)));
  memcpy (to, &half, sizeof half);
}
