#include "image/heat-rows.h"

#include <string.h>

#if defined(__AVX2__)
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
typedef uint16_t U16 __attribute__ ((vector_size (LANES * 2)));
typedef uint16_t U16Unaligned __attribute__ ((vector_size (LANES * 2), aligned (2)));

/* Masks instead of branches: the compiler keeps float comparisons scalar where they could trap. */
static inline I32
choose (I32 mask, I32 yes, I32 no)
{
  return (mask & yes) | (~mask & no);
}

static void
ramp (uint16_t *restrict ret, float heat, float slope, const SlHeatScale *scale, size_t n)
{
  const F32 zero = {0}, one = zero + 1.0f, threshold = zero + scale->threshold;
  const I32 cold = (I32){0} + scale->cold;
  F32 step = zero;
  for (int i = 0; i < LANES; i++)
    step[i] = (float)i;

  for (size_t i = 0; i < n; i += LANES) {
    F32 value = heat + slope * (step + (float)(int32_t)i);
    F32 capped = (F32)choose (value < one, (I32)value, (I32)one);
    I32 level = __builtin_convertvector(capped * scale->gain + scale->base, I32);
    U16 narrow = __builtin_convertvector(choose (value >= threshold, level, cold), U16);
    if (n - i >= LANES)
      *(U16Unaligned *)(ret + i) = narrow;
    else
      memcpy (ret + i, &narrow, (n - i) * sizeof *ret);
  }
}

static void
shrink (uint16_t *restrict ret, const uint16_t *restrict a, const uint16_t *restrict b, size_t n)
{
  for (size_t i = 0; i < n; i++) {
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
