/* Vectors for counter-based random numbers: products of 32 bits by 32. */
#pragma once

#include "kernels/vector.h"

/* Half as many lanes as Vec, of 64 bits. */
typedef uint64_t VecWide __attribute__ ((vector_size (VEC_WIDTH * 4)));

/* Lane by lane, the product of the low halves. */
ALWAYS_INLINE VecWide
vec_mul_low (VecWide a, VecWide b)
{
#if defined __AVX512F__
  return (VecWide)_mm512_mul_epu32 ((__m512i)a, (__m512i)b);
#elif defined __AVX2__
  return (VecWide)_mm256_mul_epu32 ((__m256i)a, (__m256i)b);
#elif defined __SSE2__ && !defined __AVX__
  return (VecWide)_mm_mul_epu32 ((__m128i)a, (__m128i)b);
#elif defined __aarch64__
  return (VecWide)vmull_u32 (vmovn_u64 ((uint64x2_t)a), vmovn_u64 ((uint64x2_t)b));
#else
  return (a & UINT32_MAX) * (b & UINT32_MAX);
#endif
}
