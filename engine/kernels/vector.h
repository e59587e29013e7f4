/* Vectors as wide as the instruction set being built, and the few operations that C cannot spell.
 *
 * Private to engine/kernels. Each kernel source is built once per instruction set, so nothing here
 * may have a name that the linker sees: everything is static and inlined.
 *
 * Rounding is fixed by the source, not by the compiler: the whole project is built with
 * -ffp-contract=off, and a multiply-add is fused exactly where vec_fma() is written (and the set
 * has the instruction). The same source and set therefore give the same bits with any compiler. */
#pragma once

#include "kernels/kernel.h"

#include <math.h>
#include <string.h>

#if defined __x86_64__ && defined __AVX__
#include <immintrin.h>
#elif defined __SSE2__
#include <emmintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif

#if defined __AVX512F__
#define VEC_WIDTH 16
#elif defined __AVX__
#define VEC_WIDTH 8
#else
#define VEC_WIDTH 4
#endif

/* name → name_x86_64_v3: the only form in which a set exports anything. */
#define SL_KERNEL_PASTE2(name, isa) name##_##isa
#define SL_KERNEL_PASTE(name, isa) SL_KERNEL_PASTE2 (name, isa)
#define SL_KERNEL_NAME(name) SL_KERNEL_PASTE (name, SL_KERNEL_ISA)

#define ALWAYS_INLINE static inline __attribute__ ((always_inline))
#ifdef SL_KERNEL_NO_UNROLL
#define UNROLL
#elif defined __clang__
#define UNROLL _Pragma ("clang loop unroll(full)")
#else
#define UNROLL _Pragma ("GCC unroll 32")
#endif

typedef float Vec __attribute__ ((vector_size (VEC_WIDTH * 4)));
typedef int32_t VecInt __attribute__ ((vector_size (VEC_WIDTH * 4)));
/* The same at any address: channel slices are only aligned to an element. */
typedef float VecAny __attribute__ ((vector_size (VEC_WIDTH * 4), aligned (4), may_alias));

ALWAYS_INLINE Vec
vec_load (const float *p)
{
  return *(const VecAny *)p;
}

ALWAYS_INLINE void
vec_store (float *p, Vec v)
{
  *(VecAny *)p = v;
}

ALWAYS_INLINE Vec
vec_splat (float x)
{
  return x - (Vec){0}; /* minus keeps the sign of a zero */
}

ALWAYS_INLINE VecInt
vec_splat_int (int32_t x)
{
  return x - (VecInt){0};
}

ALWAYS_INLINE VecInt
vec_bits (Vec v)
{
  return (VecInt)v;
}

/* Lane by lane: mask (all ones or zero, as a comparison gives) ? a : b. */
ALWAYS_INLINE Vec
vec_select (VecInt mask, Vec a, Vec b)
{
  return (Vec)((mask & (VecInt)a) | (~mask & (VecInt)b));
}

ALWAYS_INLINE Vec
vec_abs (Vec x)
{
  return (Vec)((VecInt)x & 0x7fffffff);
}

/* The sign of `sign` on `x`, which must not be negative. */
ALWAYS_INLINE Vec
vec_with_sign (Vec x, Vec sign)
{
  return (Vec)((VecInt)x | ((VecInt)sign & (int32_t)0x80000000));
}

/* a * b + c, rounded once where the set has a fused instruction, twice elsewhere.
 * vec_max, vec_min: a > b ? a : b and a < b ? a : b, so a NaN in b stays and one in a is dropped.
 */
#if defined __AVX512F__
ALWAYS_INLINE Vec
vec_fma (Vec a, Vec b, Vec c)
{
  return (Vec)_mm512_fmadd_ps ((__m512)a, (__m512)b, (__m512)c);
}

ALWAYS_INLINE Vec
vec_max (Vec a, Vec b)
{
  return (Vec)_mm512_max_ps ((__m512)a, (__m512)b);
}

ALWAYS_INLINE Vec
vec_min (Vec a, Vec b)
{
  return (Vec)_mm512_min_ps ((__m512)a, (__m512)b);
}
#elif defined __AVX__
ALWAYS_INLINE Vec
vec_fma (Vec a, Vec b, Vec c)
{
#ifdef __FMA__
  return (Vec)_mm256_fmadd_ps ((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

ALWAYS_INLINE Vec
vec_max (Vec a, Vec b)
{
  return (Vec)_mm256_max_ps ((__m256)a, (__m256)b);
}

ALWAYS_INLINE Vec
vec_min (Vec a, Vec b)
{
  return (Vec)_mm256_min_ps ((__m256)a, (__m256)b);
}
#else
ALWAYS_INLINE Vec
vec_fma (Vec a, Vec b, Vec c)
{
#ifdef __aarch64__
  return (Vec)vfmaq_f32 ((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

#ifdef __SSE2__
ALWAYS_INLINE Vec
vec_max (Vec a, Vec b)
{
  return (Vec)_mm_max_ps ((__m128)a, (__m128)b);
}

ALWAYS_INLINE Vec
vec_min (Vec a, Vec b)
{
  return (Vec)_mm_min_ps ((__m128)a, (__m128)b);
}
#else
ALWAYS_INLINE Vec
vec_max (Vec a, Vec b)
{
  return vec_select (a > b, a, b);
}

ALWAYS_INLINE Vec
vec_min (Vec a, Vec b)
{
  return vec_select (a < b, a, b);
}
#endif
#endif

/* Nearest integer of |x| < 2^22 as the low bits of x + 1.5 * 2^23. */
#define VEC_ROUND_MAGIC 12582912.0f

/* x * 2^n for whole n of -252 … 254. */
ALWAYS_INLINE Vec
vec_scale (Vec x, Vec n)
{
#if defined __AVX512F__
  return (Vec)_mm512_scalef_ps ((__m512)x, (__m512)n);
#else
  /* in two factors, for n may exceed the range of one exponent */
  VecInt whole = vec_bits (n + VEC_ROUND_MAGIC) - vec_bits (vec_splat (VEC_ROUND_MAGIC));
  VecInt half = whole >> 1;
  return x * (Vec)((half + 127) << 23) * (Vec)((whole - half + 127) << 23);
#endif
}

/* The first n lanes (0 < n <= VEC_WIDTH) from and to memory; the other lanes read as 0. No byte
 * beyond them is touched. */
#if defined __AVX512F__
ALWAYS_INLINE Vec
vec_load_n (const float *p, size_t n)
{
  return (Vec)_mm512_maskz_loadu_ps ((__mmask16)((1u << n) - 1), p);
}

ALWAYS_INLINE void
vec_store_n (float *p, Vec v, size_t n)
{
  _mm512_mask_storeu_ps (p, (__mmask16)((1u << n) - 1), (__m512)v);
}
#elif defined __AVX2__
ALWAYS_INLINE __m256i
vec_lanes (size_t n)
{
  return _mm256_cmpgt_epi32 (_mm256_set1_epi32 ((int)n),
                             _mm256_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7));
}

ALWAYS_INLINE Vec
vec_load_n (const float *p, size_t n)
{
  return (Vec)_mm256_maskload_ps (p, vec_lanes (n));
}

ALWAYS_INLINE void
vec_store_n (float *p, Vec v, size_t n)
{
  _mm256_maskstore_ps (p, vec_lanes (n), (__m256)v);
}
#else
ALWAYS_INLINE Vec
vec_load_n (const float *p, size_t n)
{
  if (n == VEC_WIDTH)
    return vec_load (p);
  return (Vec){p[0], n > 1 ? p[1] : 0, n > 2 ? p[2] : 0, 0};
}

ALWAYS_INLINE void
vec_store_n (float *p, Vec v, size_t n)
{
  if (n == VEC_WIDTH) {
    vec_store (p, v);
    return;
  }
  p[0] = v[0];
  if (n > 1)
    p[1] = v[1];
  if (n > 2)
    p[2] = v[2];
}
#endif

/* Lane by lane through the compiler, which has instructions for these in most sets. */
#define VEC_LANES(name, function)       \
  ALWAYS_INLINE Vec name (Vec x)        \
  {                                     \
    float lane[VEC_WIDTH];              \
    memcpy (lane, &x, sizeof lane);     \
    for (int i = 0; i < VEC_WIDTH; i++) \
      lane[i] = function (lane[i]);     \
    memcpy (&x, lane, sizeof lane);     \
    return x;                           \
  }

VEC_LANES (vec_sqrt, sqrtf)
VEC_LANES (vec_floor, floorf)
VEC_LANES (vec_ceil, ceilf)
VEC_LANES (vec_round, rintf) /* to even: the rounding mode that kernels run under */

/* The sum of all lanes, halves first. */
ALWAYS_INLINE float
vec_sum (Vec x)
{
  float lane[VEC_WIDTH];
  memcpy (lane, &x, sizeof lane);
  for (int half = VEC_WIDTH / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++)
      lane[i] += lane[i + half];
  return lane[0];
}

/* a0 b0 a1 b1 … from the first and from the second halves of a and b. */
#if VEC_WIDTH == 16
#define VEC_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define VEC_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif VEC_WIDTH == 8
#define VEC_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define VEC_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define VEC_LOW 0, 4, 1, 5
#define VEC_HIGH 2, 6, 3, 7
#endif

/* Rows become columns: as many perfect shuffles as the width has bits. */
ALWAYS_INLINE void
vec_transpose (Vec v[VEC_WIDTH])
{
  for (int round = 1; round < VEC_WIDTH; round *= 2) {
    Vec next[VEC_WIDTH];
    UNROLL
    for (int i = 0; i < VEC_WIDTH / 2; i++) {
      next[2 * i] = __builtin_shufflevector (v[i], v[i + VEC_WIDTH / 2], VEC_LOW);
      next[2 * i + 1] = __builtin_shufflevector (v[i], v[i + VEC_WIDTH / 2], VEC_HIGH);
    }
    UNROLL
    for (int i = 0; i < VEC_WIDTH; i++)
      v[i] = next[i];
  }
}

/* Ranges and grids. */
ALWAYS_INLINE size_t
min_size (size_t a, size_t b)
{
  return a < b ? a : b;
}

ALWAYS_INLINE size_t
max_size (size_t a, size_t b)
{
  return a > b ? a : b;
}

ALWAYS_INLINE size_t
ceil_div (size_t a, size_t b)
{
  return (a + b - 1) / b;
}

ALWAYS_INLINE size_t
round_up (size_t a, size_t to)
{
  return ceil_div (a, to) * to;
}

/* Where part `index` of `parts` begins when n is dealt out as evenly as possible. */
ALWAYS_INLINE size_t
part_begin (size_t n, size_t parts, size_t index)
{
  size_t each = n / parts, left = n % parts;
  return index * each + min_size (index, left);
}
