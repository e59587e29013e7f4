#include "image/rows.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* A vector of floats. GCC 12 makes poor code of some conversions and shuffles, so the x86 sets name
 * their instructions. */
#if defined(__AVX512BW__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif
#define QUADS (LANES / 4)
#define UNROLL 4
#define BLOCK (LANES * UNROLL)

typedef float F32 __attribute__ ((vector_size (LANES * 4)));
typedef float F32Unaligned __attribute__ ((vector_size (LANES * 4), aligned (4)));
typedef double F64 __attribute__ ((vector_size (LANES * 4)));
typedef int32_t I32 __attribute__ ((vector_size (LANES * 4)));
typedef float Quad __attribute__ ((vector_size (16)));
typedef float QuadUnaligned __attribute__ ((vector_size (16), aligned (4)));

/* In each 128 bits: a0 b0 a1 b1, a2 b2 a3 b3, and the same of pairs. */
#if defined(__AVX512BW__)

static inline F32
load_8 (const uint8_t *p)
{
  return (F32)_mm512_cvtepi32_ps (_mm512_cvtepu8_epi32 (_mm_loadu_si128 ((const void *)p)));
}

static inline F32
load_16 (const uint16_t *p)
{
  return (F32)_mm512_cvtepi32_ps (_mm512_cvtepu16_epi32 (_mm256_loadu_si256 ((const void *)p)));
}

#define TO_FLOAT(a) ((F32)_mm512_cvtepi32_ps ((__m512i)(a)))
#define LOW(a, b) ((F32)_mm512_unpacklo_ps ((__m512)(a), (__m512)(b)))
#define HIGH(a, b) ((F32)_mm512_unpackhi_ps ((__m512)(a), (__m512)(b)))
#define LOW_PAIRS(a, b) ((F32)_mm512_unpacklo_pd ((__m512d)(a), (__m512d)(b)))
#define HIGH_PAIRS(a, b) ((F32)_mm512_unpackhi_pd ((__m512d)(a), (__m512d)(b)))

static inline Quad
quad_of (F32 v, unsigned i)
{
  switch (i) {
  case 0:
    return (Quad)_mm512_castps512_ps128 ((__m512)v);
  case 1:
    return (Quad)_mm512_extractf32x4_ps ((__m512)v, 1);
  case 2:
    return (Quad)_mm512_extractf32x4_ps ((__m512)v, 2);
  default:
    return (Quad)_mm512_extractf32x4_ps ((__m512)v, 3);
  }
}

#elif defined(__AVX2__)

static inline F32
load_8 (const uint8_t *p)
{
  return (F32)_mm256_cvtepi32_ps (_mm256_cvtepu8_epi32 (_mm_loadl_epi64 ((const void *)p)));
}

static inline F32
load_16 (const uint16_t *p)
{
  return (F32)_mm256_cvtepi32_ps (_mm256_cvtepu16_epi32 (_mm_loadu_si128 ((const void *)p)));
}

#define TO_FLOAT(a) ((F32)_mm256_cvtepi32_ps ((__m256i)(a)))
#define LOW(a, b) ((F32)_mm256_unpacklo_ps ((__m256)(a), (__m256)(b)))
#define HIGH(a, b) ((F32)_mm256_unpackhi_ps ((__m256)(a), (__m256)(b)))
#define LOW_PAIRS(a, b) ((F32)_mm256_unpacklo_pd ((__m256d)(a), (__m256d)(b)))
#define HIGH_PAIRS(a, b) ((F32)_mm256_unpackhi_pd ((__m256d)(a), (__m256d)(b)))

static inline Quad
quad_of (F32 v, unsigned i)
{
  return i ? (Quad)_mm256_extractf128_ps ((__m256)v, 1) : (Quad)_mm256_castps256_ps128 ((__m256)v);
}

#else

typedef uint8_t U8 __attribute__ ((vector_size (LANES), aligned (1)));
typedef uint16_t U16Unaligned __attribute__ ((vector_size (LANES * 2), aligned (2)));

static inline F32
load_8 (const uint8_t *p)
{
  return __builtin_convertvector(__builtin_convertvector(*(const U8 *)p, I32), F32);
}

static inline F32
load_16 (const uint16_t *p)
{
  return __builtin_convertvector(__builtin_convertvector(*(const U16Unaligned *)p, I32), F32);
}

#define TO_FLOAT(a) __builtin_convertvector((I32)(a), F32)
#define LOW(a, b) __builtin_shufflevector (a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector (a, b, 2, 6, 3, 7)
#define LOW_PAIRS(a, b) __builtin_shufflevector (a, b, 0, 1, 4, 5)
#define HIGH_PAIRS(a, b) __builtin_shufflevector (a, b, 2, 3, 6, 7)

static inline Quad
quad_of (F32 v, unsigned i)
{
  (void)i;
  return v;
}

#endif

static inline void
put_quad (float *ret, Quad value, bool add)
{
  if (add)
    value += *(const QuadUnaligned *)ret;
  *(QuadUnaligned *)ret = value;
}

/* Whole units of a block of bytes: quad 4 q + j of it is quad q of sum[j]. */
#if defined(__x86_64__)

#if defined(__AVX512BW__)
#define INTEGERS __m512i
#define NAME(x) _mm512_##x
#define LOAD_BYTES(p) _mm512_loadu_si512 ((const void *)(p))
#define ZERO _mm512_setzero_si512 ()
#elif defined(__AVX2__)
#define INTEGERS __m256i
#define NAME(x) _mm256_##x
#define LOAD_BYTES(p) _mm256_loadu_si256 ((const void *)(p))
#define ZERO _mm256_setzero_si256 ()
#else
#define INTEGERS __m128i
#define NAME(x) _mm_##x
#define LOAD_BYTES(p) _mm_loadu_si128 ((const void *)(p))
#define ZERO _mm_setzero_si128 ()
#endif

/* Rows in pairs: bytes side by side become 16-bit pairs, and those one product and sum. */
static inline void
sum_units (I32 sum[4], const SlBlend *blend, size_t i)
{
  INTEGERS zero = ZERO, s0 = zero, s1 = zero, s2 = zero, s3 = zero;
  for (size_t k = 0; k < blend->n_rows; k += 2) {
    int32_t both;
    __builtin_memcpy (&both, &blend->fixed[k], sizeof both);
    INTEGERS w = NAME (set1_epi32) (both);
    const uint8_t *upper = (const uint8_t *)blend->rows[k] + i;
    const uint8_t *lower = (const uint8_t *)blend->rows[k + 1] + i;
    INTEGERS a = LOAD_BYTES (upper), b = LOAD_BYTES (lower);
    __builtin_prefetch (upper + SL_STRIP_PIECE);
    __builtin_prefetch (lower + SL_STRIP_PIECE);
    INTEGERS low = NAME (unpacklo_epi8) (a, b), high = NAME (unpackhi_epi8) (a, b);
    s0 = NAME (add_epi32) (s0, NAME (madd_epi16) (NAME (unpacklo_epi8) (low, zero), w));
    s1 = NAME (add_epi32) (s1, NAME (madd_epi16) (NAME (unpackhi_epi8) (low, zero), w));
    s2 = NAME (add_epi32) (s2, NAME (madd_epi16) (NAME (unpacklo_epi8) (high, zero), w));
    s3 = NAME (add_epi32) (s3, NAME (madd_epi16) (NAME (unpackhi_epi8) (high, zero), w));
  }
  sum[0] = (I32)s0, sum[1] = (I32)s1, sum[2] = (I32)s2, sum[3] = (I32)s3;
}

#else

static inline void
sum_units (I32 sum[4], const SlBlend *blend, size_t i)
{
  for (unsigned j = 0; j < 4; j++)
    sum[j] = (I32){0};
  for (size_t k = 0; k < blend->n_rows; k++)
    for (unsigned j = 0; j < 4; j++)
      sum[j] +=
          blend->fixed[k] *
          __builtin_convertvector(*(const U8 *)((const uint8_t *)blend->rows[k] + i + 4 * j), I32);
}

#endif

/* Samples i … i + BLOCK - 1, quads `stride` apart. */
static inline void
block_fixed (float *ret, size_t stride, const SlBlend *blend, size_t i, bool add)
{
  I32 sum[4];
  sum_units (sum, blend, i);
  for (unsigned j = 0; j < 4; j++) {
    F32 value = TO_FLOAT (sum[j]) * blend->unit;
    for (unsigned q = 0; q < QUADS; q++)
      put_quad (ret + (4 * q + j) * stride, quad_of (value, q), add);
  }
}

#define DEFINE_BLOCK(name, type, load)                                                          \
  static inline void name (float *ret, size_t stride, const SlBlend *blend, size_t i, bool add) \
  {                                                                                             \
    F32 sum[UNROLL] = {{0}};                                                                    \
    for (size_t k = 0; k < blend->n_rows; k++)                                                  \
      for (size_t j = 0; j < UNROLL; j++)                                                       \
        sum[j] += blend->weights[k] * load ((const type *)blend->rows[k] + i + j * LANES);      \
    for (unsigned j = 0; j < UNROLL; j++)                                                       \
      for (unsigned q = 0; q < QUADS; q++)                                                      \
        put_quad (ret + (QUADS * j + q) * stride, quad_of (sum[j], q), add);                    \
  }

DEFINE_BLOCK (block_8, uint8_t, load_8)
DEFINE_BLOCK (block_16, uint16_t, load_16)

static inline void
put_sample (float *ret, size_t i, float value, bool add)
{
  float *place = ret + i / 4 * (4 * LANES) + i % 4;
  *place = add ? *place + value : value;
}

/* Columns outside, taps inside: the sums stay in registers. The last block overlaps the one before,
 * so that only rows shorter than a block go sample by sample. */
#define DEFINE_BLEND(name, type, block, weight, one, unit)                \
  static void name (float *ret, const SlBlend *blend, size_t n)           \
  {                                                                       \
    size_t i = 0;                                                         \
    for (; i + BLOCK <= n; i += BLOCK)                                    \
      block (ret + i * LANES, 4 * LANES, blend, i, blend->add);           \
    if (i < n && n >= BLOCK) {                                            \
      float last[BLOCK] __attribute__ ((aligned (64)));                   \
      block (last, 4, blend, n - BLOCK, false);                           \
      for (; i < n; i++)                                                  \
        put_sample (ret, i, last[i - (n - BLOCK)], blend->add);           \
    }                                                                     \
    for (; i < n; i++) {                                                  \
      weight sum = 0;                                                     \
      for (size_t k = 0; k < blend->n_rows; k++)                          \
        sum += blend->one[k] * (weight)((const type *)blend->rows[k])[i]; \
      put_sample (ret, i, (float)sum *(unit), blend->add);                \
    }                                                                     \
  }

DEFINE_BLEND (blend_8, uint8_t, block_8, float, weights, 1)
DEFINE_BLEND (blend_16, uint16_t, block_16, float, weights, 1)
DEFINE_BLEND (blend_fixed, uint8_t, block_fixed, int32_t, fixed, blend->unit)

/* A 4 x 4 transpose in each 128 bits. */
static inline void
turn_quads (F32 v[4])
{
  F32 ab_low = LOW (v[0], v[1]), ab_high = HIGH (v[0], v[1]);
  F32 cd_low = LOW (v[2], v[3]), cd_high = HIGH (v[2], v[3]);
  v[0] = LOW_PAIRS (ab_low, cd_low);
  v[1] = HIGH_PAIRS (ab_low, cd_low);
  v[2] = LOW_PAIRS (ab_high, cd_high);
  v[3] = HIGH_PAIRS (ab_high, cd_high);
}

static void
turn (float *strip, size_t n)
{
  for (size_t x = 0; x < n; x += 4) {
    F32 *columns = (F32 *)(strip + x * LANES), v[4];
    for (unsigned j = 0; j < 4; j++)
      v[j] = columns[j];
    turn_quads (v);
    for (unsigned j = 0; j < 4; j++)
      columns[j] = v[j];
  }
}

static void
resample (float *restrict ret, const float *restrict columns, unsigned step, const SlAxis *axis)
{
  for (uint32_t i = 0; i < axis->n; i++) {
    const float *weights = axis->weights + (size_t)i * axis->stride;
    const float *column = columns + (size_t)(axis->first[i] - axis->low) * step * LANES;
    F32 sum = {0};
    for (uint32_t k = 0; k < axis->taps; k++, column += step * LANES)
      sum += weights[k] * *(const F32 *)column;
    *(F32 *)(ret + (size_t)i * LANES) = sum;
  }
}

static inline float
clamp_byte (float value)
{
  value = value > 0 ? value : 0;
  return value < 255 ? value : 255;
}

static void
convert (float *const ret[3], const float *const components[3], const SlColorTransform *transform,
         size_t n)
{
  const float *restrict a = components[0], *restrict b = components[1], *restrict c = components[2];
  for (int channel = 0; channel < 3; channel++) {
    float *restrict out = ret[channel];
    const float *m = transform->matrix[channel];
    float ma = m[0], mb = m[1], mc = m[2], offset = transform->offset[channel];
    for (size_t i = 0; i < n; i++)
      out[i] = clamp_byte ((ma * a[i] + offset) + (mb * b[i] + mc * c[i]));
  }
}

static void
luma (float *restrict ret, const float *const rgb[3], size_t n)
{
  const float *restrict r = rgb[0], *restrict g = rgb[1], *restrict b = rgb[2];
  for (size_t i = 0; i < n; i++)
    ret[i] = (0.299f * r[i] + 0.587f * g[i]) + 0.114f * b[i];
}

/* Four columns to the rows of the output. */
static inline __attribute__ ((always_inline)) void
store_quads (float *ret, ptrdiff_t row_stride, F32 v[4], unsigned n_rows)
{
  turn_quads (v);
#pragma GCC unroll 4
  for (unsigned j = 0; j < 4; j++)
#pragma GCC unroll 4
    for (unsigned q = 0; q < QUADS; q++)
      if (4 * q + j < n_rows)
        put_quad (ret + row_stride * (ptrdiff_t)(4 * q + j), quad_of (v[j], q), false);
}

/* Four pixels at a time, so that channels are constants. */
static inline __attribute__ ((always_inline)) void
store_channels (float *restrict ret, ptrdiff_t row_stride, const float *const *columns,
                unsigned n_channels, const float *gain, const float *bias, size_t n,
                unsigned n_rows)
{
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
#pragma GCC unroll 3
    for (unsigned x = 0; x < 4 * n_channels; x += 4) {
      F32 v[4];
#pragma GCC unroll 4
      for (unsigned j = 0; j < 4; j++) {
        unsigned c = (x + j) % n_channels;
        v[j] = *(const F32 *)(columns[c] + (i + (x + j) / n_channels) * LANES) * gain[c] + bias[c];
      }
      store_quads (ret + i * n_channels + x, row_stride, v, n_rows);
    }
  for (; i < n; i++)
    for (unsigned c = 0; c < n_channels; c++)
      for (unsigned r = 0; r < n_rows; r++)
        ret[row_stride * (ptrdiff_t)r + (ptrdiff_t)(i * n_channels + c)] =
            columns[c][i * LANES + r] * gain[c] + bias[c];
}

static void
store (float *restrict ret, ptrdiff_t row_stride, const float *const *columns, unsigned n_channels,
       const float *gain, const float *bias, size_t n, unsigned n_rows)
{
  if (n_channels == 3 && n_rows == LANES)
    store_channels (ret, row_stride, columns, 3, gain, bias, n, LANES);
  else if (n_channels == 3)
    store_channels (ret, row_stride, columns, 3, gain, bias, n, n_rows);
  else
    store_channels (ret, row_stride, columns, 1, gain, bias, n, n_rows);
}

const SlRowLoops SL_ROWS_SYMBOL = {
    .lanes = LANES,
    .blend_8 = blend_8,
    .blend_16 = blend_16,
    .blend_fixed = blend_fixed,
    .turn = turn,
    .resample = resample,
    .convert = convert,
    .luma = luma,
    .store = store,
};
