#include "image/heat-rows.h"

#include <stdbool.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif

typedef float F32 __attribute__ ((vector_size (LANES * 4)));
typedef int32_t I32 __attribute__ ((vector_size (LANES * 4)));

/* The smaller of both, `b` where `a` is NaN; `yes` where a >= b, else `no`; and 2 * LANES levels to
 * memory. Whichever way, the bits are the same: GCC 12 makes poor code of the plain form where it
 * has an instruction. */
#if defined(__AVX512F__)

static inline F32
smaller (F32 a, F32 b)
{
  return (F32)_mm512_min_ps ((__m512)a, (__m512)b);
}

static inline I32
choose (F32 a, F32 b, I32 yes, I32 no)
{
  __mmask16 mask = _mm512_cmp_ps_mask ((__m512)a, (__m512)b, _CMP_GE_OQ);
  return (I32)_mm512_mask_mov_epi32 ((__m512i)no, mask, (__m512i)yes);
}

static inline void
store_levels (uint16_t *ret, I32 low, I32 high)
{
  _mm256_storeu_si256 ((void *)ret, _mm512_cvtepi32_epi16 ((__m512i)low));
  _mm256_storeu_si256 ((void *)(ret + LANES), _mm512_cvtepi32_epi16 ((__m512i)high));
}

#else

static inline I32
choose (F32 a, F32 b, I32 yes, I32 no)
{
  I32 mask = a >= b;
  return (mask & yes) | (~mask & no);
}

#if defined(__AVX2__)

static inline F32
smaller (F32 a, F32 b)
{
  return (F32)_mm256_min_ps ((__m256)a, (__m256)b);
}

static inline void
store_levels (uint16_t *ret, I32 low, I32 high)
{
  __m256i packed = _mm256_packs_epi32 ((__m256i)low, (__m256i)high);
  _mm256_storeu_si256 ((void *)ret, _mm256_permute4x64_epi64 (packed, 0xd8));
}

#else

static inline F32
smaller (F32 a, F32 b)
{
  I32 mask = a < b;
  return (F32)((mask & (I32)a) | (~mask & (I32)b));
}

static inline void
store_levels (uint16_t *ret, I32 low, I32 high)
{
#if defined(__SSE2__)
  _mm_storeu_si128 ((void *)ret, _mm_packs_epi32 ((__m128i)low, (__m128i)high));
#else
  for (int i = 0; i < LANES; i++) {
    ret[i] = (uint16_t)low[i];
    ret[LANES + i] = (uint16_t)high[i];
  }
#endif
}

#endif
#endif

static void
ramp (uint16_t *ret, float heat, float slope, const SlHeatScale *scale, size_t n)
{
  const F32 zero = {0}, one = zero + 1.0f, threshold = zero + scale->threshold;
  const I32 cold = (I32){0} + scale->cold;
  uint16_t rest[2 * LANES];
  F32 step = zero;
  for (int i = 0; i < LANES; i++)
    step[i] = (float)i;

  for (size_t i = 0; i < n; i += 2 * LANES) {
    I32 level[2];
    for (int k = 0; k < 2; k++) {
      F32 value = heat + slope * (step + (float)(int32_t)(i + (size_t)k * LANES));
      F32 scaled = smaller (value, one) * scale->gain + scale->base;
      level[k] = choose (value, threshold, __builtin_convertvector(scaled, I32), cold);
    }
    bool whole = n - i >= 2 * LANES;
    store_levels (whole ? ret + i : rest, level[0], level[1]);
    if (!whole)
      memcpy (ret + i, rest, (n - i) * sizeof *ret);
  }
}

#if defined(__AVX2__)

/* Sums of pairs, and whether none of the four is 0, in lanes of 32 bits. */
static inline __m256i
shrink_eight (const uint16_t *a, const uint16_t *b)
{
  const __m256i ones = _mm256_set1_epi16 (1), zero = _mm256_setzero_si256 ();
  __m256i upper = _mm256_loadu_si256 ((const void *)a),
          lower = _mm256_loadu_si256 ((const void *)b);
  __m256i sum = _mm256_add_epi32 (_mm256_madd_epi16 (_mm256_add_epi16 (upper, lower), ones),
                                  _mm256_set1_epi32 (2));
  __m256i cold = _mm256_cmpeq_epi16 (_mm256_min_epi16 (upper, lower), zero);
  return _mm256_and_si256 (_mm256_srli_epi32 (sum, 2), _mm256_cmpeq_epi32 (cold, zero));
}

static inline size_t
shrink_wide (uint16_t *ret, const uint16_t *a, const uint16_t *b, size_t n)
{
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i low = shrink_eight (a + 2 * i, b + 2 * i);
    __m256i high = shrink_eight (a + 2 * i + 16, b + 2 * i + 16);
    __m256i packed = _mm256_packs_epi32 (low, high);
    _mm256_storeu_si256 ((void *)(ret + i), _mm256_permute4x64_epi64 (packed, 0xd8));
  }
  return i;
}

#else

static inline size_t
shrink_wide (uint16_t *ret, const uint16_t *a, const uint16_t *b, size_t n)
{
  (void)ret, (void)a, (void)b, (void)n;
  return 0;
}

#endif

static void
shrink (uint16_t *restrict ret, const uint16_t *restrict a, const uint16_t *restrict b, size_t n)
{
  for (size_t i = shrink_wide (ret, a, b, n); i < n; i++) {
    unsigned p = a[2 * i], q = a[2 * i + 1], r = b[2 * i], s = b[2 * i + 1];
    unsigned all = (p != 0) & (q != 0) & (r != 0) & (s != 0);
    ret[i] = (uint16_t)(((p + q + r + s + 2) >> 2) * all);
  }
}

static void
spread (uint16_t *restrict ret, const uint16_t *restrict levels, unsigned lanes, size_t n)
{
  if (lanes == 2)
    for (size_t i = 0; i < n; i++) {
      ret[2 * i] = (uint16_t)(levels[i] * 2);
      ret[2 * i + 1] = (uint16_t)(levels[i] * 2 + 1);
    }
  else
    for (size_t i = 0; i < n; i++) {
      ret[3 * i] = (uint16_t)(levels[i] * 3);
      ret[3 * i + 1] = (uint16_t)(levels[i] * 3 + 1);
      ret[3 * i + 2] = (uint16_t)(levels[i] * 3 + 2);
    }
}

static inline __attribute__ ((always_inline)) void
weave_pairs (uint16_t *restrict ret, const uint16_t *restrict luma, const uint16_t *restrict chroma,
             unsigned first, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    ret[4 * i + first] = (uint16_t)(luma[2 * i] * 4 + first);
    ret[4 * i + first + 2] = (uint16_t)(luma[2 * i + 1] * 4 + first + 2);
    ret[4 * i + 1 - first] = (uint16_t)(chroma[i] * 4 + 1 - first);
    ret[4 * i + 3 - first] = (uint16_t)(chroma[i] * 4 + 3 - first);
  }
}

static void
weave_422 (uint16_t *ret, const uint16_t *luma, const uint16_t *chroma, unsigned first, size_t n)
{
  if (first)
    weave_pairs (ret, luma, chroma, 1, n);
  else
    weave_pairs (ret, luma, chroma, 0, n);
}

static void
weave_444 (uint16_t *restrict ret, const uint16_t *restrict luma, const uint16_t *restrict chroma,
           size_t n)
{
  for (size_t i = 0; i < n; i++) {
    ret[4 * i] = (uint16_t)(luma[i] * 4);
    ret[4 * i + 1] = (uint16_t)(luma[i] * 4 + 1);
    ret[4 * i + 2] = (uint16_t)(chroma[i] * 4 + 2);
    ret[4 * i + 3] = (uint16_t)(chroma[i] * 4 + 3);
  }
}

/* The wide x86 sets gather table rows, and multiply and add in one instruction: a pair of words
 * (byte, 1) with (keep, add). The compiler finds neither. */
#if defined(__AVX512F__)

static inline size_t
blend_bytes_wide (uint8_t *bytes, const uint16_t *index, const SlHeatByte *table, size_t n)
{
  const __m512i one = _mm512_set1_epi32 (1 << 16);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m512i row = _mm512_cvtepu16_epi32 (_mm256_loadu_si256 ((const void *)(index + i)));
    __m512i entry = _mm512_i32gather_epi32 (row, table, 4);
    __m512i byte = _mm512_cvtepu8_epi32 (_mm_loadu_si128 ((const void *)(bytes + i)));
    __m512i sum = _mm512_madd_epi16 (_mm512_or_si512 (byte, one), entry);
    __m128i packed = _mm512_cvtepi32_epi8 (_mm512_srai_epi32 (sum, 8));
    _mm_storeu_si128 ((void *)(bytes + i), _mm_xor_si128 (packed, _mm_set1_epi8 (-128)));
  }
  return i;
}

#elif defined(__AVX2__)

static inline __m256i
blend_eight (const uint8_t *bytes, const uint16_t *index, const SlHeatByte *table)
{
  __m256i row = _mm256_cvtepu16_epi32 (_mm_loadu_si128 ((const void *)index));
  __m256i entry = _mm256_i32gather_epi32 ((const int *)table, row, 4);
  __m256i byte = _mm256_cvtepu8_epi32 (_mm_loadl_epi64 ((const void *)bytes));
  __m256i sum = _mm256_madd_epi16 (_mm256_or_si256 (byte, _mm256_set1_epi32 (1 << 16)), entry);
  return _mm256_srai_epi32 (sum, 8);
}

static inline size_t
blend_bytes_wide (uint8_t *bytes, const uint16_t *index, const SlHeatByte *table, size_t n)
{
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i low = blend_eight (bytes + i, index + i, table);
    __m256i high = blend_eight (bytes + i + 8, index + i + 8, table);
    __m256i words = _mm256_permute4x64_epi64 (_mm256_packs_epi32 (low, high), 0xd8);
    __m128i packed =
        _mm_packs_epi16 (_mm256_castsi256_si128 (words), _mm256_extracti128_si256 (words, 1));
    _mm_storeu_si128 ((void *)(bytes + i), _mm_xor_si128 (packed, _mm_set1_epi8 (-128)));
  }
  return i;
}

#else

static inline size_t
blend_bytes_wide (uint8_t *bytes, const uint16_t *index, const SlHeatByte *table, size_t n)
{
  (void)bytes, (void)index, (void)table, (void)n;
  return 0;
}

#endif

static void
blend_bytes (uint8_t *bytes, const uint16_t *index, const SlHeatByte *table, size_t n)
{
  for (size_t i = blend_bytes_wide (bytes, index, table, n); i < n; i++) {
    SlHeatByte entry = table[index[i]];
    bytes[i] = (uint8_t)((bytes[i] * entry.keep + entry.add + 32768) >> 8);
  }
}

static void
blend_words (uint16_t *words, const uint16_t *index, const SlHeatWord *table, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    SlHeatWord entry = table[index[i]];
    words[i] = (uint16_t)((words[i] * entry.keep + entry.add) >> 15);
  }
}

typedef uint16_t Words __attribute__ ((vector_size (16)));
typedef uint8_t Bytes __attribute__ ((vector_size (8)));

static inline __attribute__ ((always_inline)) void
blend_two (uint8_t *bytes, SlHeatQuad first, SlHeatQuad second)
{
  Words a, b, pixels;
  Bytes packed;
  memcpy (&a, &first, sizeof a);
  memcpy (&b, &second, sizeof b);
  memcpy (&packed, bytes, sizeof packed);
  pixels = __builtin_convertvector(packed, Words);
  pixels = pixels * __builtin_shufflevector (a, b, 4, 5, 6, 7, 12, 13, 14, 15) +
           __builtin_shufflevector (a, b, 0, 1, 2, 3, 8, 9, 10, 11);
  packed = __builtin_convertvector(pixels >> 8, Bytes);
  memcpy (bytes, &packed, sizeof packed);
}

#if defined(__AVX2__)

static inline __m256i
load_two (const SlHeatQuad *low, const SlHeatQuad *high)
{
  return _mm256_inserti128_si256 (_mm256_castsi128_si256 (_mm_load_si128 ((const void *)low)),
                                  _mm_load_si128 ((const void *)high), 1);
}

static inline size_t
blend_quads_wide (uint8_t *bytes, const uint16_t *levels, const SlHeatQuad *table, size_t n)
{
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    __m256i even = load_two (table + levels[i], table + levels[i + 2]);
    __m256i odd = load_two (table + levels[i + 1], table + levels[i + 3]);
    __m256i pixels = _mm256_cvtepu8_epi16 (_mm_loadu_si128 ((const void *)(bytes + 4 * i)));
    pixels = _mm256_mullo_epi16 (pixels, _mm256_unpackhi_epi64 (even, odd));
    pixels = _mm256_srli_epi16 (_mm256_add_epi16 (pixels, _mm256_unpacklo_epi64 (even, odd)), 8);
    _mm_storeu_si128 (
        (void *)(bytes + 4 * i),
        _mm_packus_epi16 (_mm256_castsi256_si128 (pixels), _mm256_extracti128_si256 (pixels, 1)));
  }
  return i;
}

#else

static inline size_t
blend_quads_wide (uint8_t *bytes, const uint16_t *levels, const SlHeatQuad *table, size_t n)
{
  (void)bytes, (void)levels, (void)table, (void)n;
  return 0;
}

#endif

static void
blend_quads (uint8_t *bytes, const uint16_t *levels, const SlHeatQuad *table, size_t n)
{
  size_t i = blend_quads_wide (bytes, levels, table, n);
  for (; i + 2 <= n; i += 2)
    blend_two (bytes + 4 * i, table[levels[i]], table[levels[i + 1]]);
  for (; i < n; i++)
    for (int k = 0; k < 4; k++) {
      const SlHeatQuad *entry = &table[levels[i]];
      bytes[4 * i + k] =
          (uint8_t)((uint16_t)(bytes[4 * i + k] * entry->keep[k] + entry->add[k]) >> 8);
    }
}

const SlHeatLoops SL_HEAT_SYMBOL = {
    .ramp = ramp,
    .shrink = shrink,
    .spread = spread,
    .weave_422 = weave_422,
    .weave_444 = weave_444,
    .blend_bytes = blend_bytes,
    .blend_words = blend_words,
    .blend_quads = blend_quads,
};
