#include "image/rows.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/* A block of samples as floats. GCC 12 makes poor code of __builtin_convertvector() where one
 * register does not hold the 16 lanes, so the wide x86 sets name their instruction. */
#if defined(__AVX512F__)
#define LANES 16
#define UNROLL 4
#elif defined(__AVX2__)
#define LANES 8
#define UNROLL 4
#else
#define LANES 16 /* four registers */
#define UNROLL 1
#endif
#define BLOCK (LANES * UNROLL)

typedef float F32 __attribute__ ((vector_size (LANES * 4)));
typedef float F32Unaligned __attribute__ ((vector_size (LANES * 4), aligned (4)));
typedef float Quad __attribute__ ((vector_size (16)));
typedef float QuadUnaligned __attribute__ ((vector_size (16), aligned (4)));

#if defined(__AVX512F__)

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

#else

typedef uint8_t U8 __attribute__ ((vector_size (LANES), aligned (1)));
typedef uint16_t U16 __attribute__ ((vector_size (LANES * 2)));
typedef uint16_t U16Unaligned __attribute__ ((vector_size (LANES * 2), aligned (2)));
typedef int32_t I32 __attribute__ ((vector_size (LANES * 4)));

/* Each conversion doubles the width: the form that is lowered to unpack instructions. */
static inline F32
load_8 (const uint8_t *p)
{
  U16 wide = __builtin_convertvector(*(const U8 *)p, U16);
  return __builtin_convertvector(__builtin_convertvector(wide, I32), F32);
}

static inline F32
load_16 (const uint16_t *p)
{
  I32 wide = __builtin_convertvector(*(const U16Unaligned *)p, I32);
  return __builtin_convertvector(wide, F32);
}

#endif

/* Columns outside, taps inside: the sums stay in registers. The last block overlaps the one before,
 * so that only rows shorter than a block go sample by sample. */
#define DEFINE_BLEND(name, type, load)                                                        \
  static void name (float *ret, const void *const *rows, const float *weights, size_t n_rows, \
                    size_t n)                                                                 \
  {                                                                                           \
    if (n < BLOCK) {                                                                          \
      for (size_t i = 0; i < n; i++) {                                                        \
        float sum = 0;                                                                        \
        for (size_t k = 0; k < n_rows; k++)                                                   \
          sum += weights[k] * (float)((const type *)rows[k])[i];                              \
        ret[i] = sum;                                                                         \
      }                                                                                       \
      return;                                                                                 \
    }                                                                                         \
    for (size_t i = 0;; i = i + 2 * BLOCK <= n ? i + BLOCK : n - BLOCK) {                     \
      F32 sum[UNROLL] = {{0}};                                                                \
      for (size_t k = 0; k < n_rows; k++)                                                     \
        for (size_t j = 0; j < UNROLL; j++)                                                   \
          sum[j] += weights[k] * load ((const type *)rows[k] + i + j * LANES);                \
      for (size_t j = 0; j < UNROLL; j++)                                                     \
        *(F32Unaligned *)(ret + i + j * LANES) = sum[j];                                      \
      if (i == n - BLOCK)                                                                     \
        return;                                                                               \
    }                                                                                         \
  }

DEFINE_BLEND (blend_8, uint8_t, load_8)
DEFINE_BLEND (blend_16, uint16_t, load_16)

static void
pick (float *restrict ret, const float *restrict row, unsigned step, size_t n)
{
  switch (step) { /* a constant step lets the compiler shuffle */
  case 2:
    for (size_t i = 0; i < n; i++)
      ret[i] = row[i * 2];
    break;
  case 3:
    for (size_t i = 0; i < n; i++)
      ret[i] = row[i * 3];
    break;
  default:
    for (size_t i = 0; i < n; i++)
      ret[i] = row[i * 4];
  }
}

/* Four partial sums of output `i`. All outputs take as many steps, so that the branch is foreseen.
 */
static inline Quad
dot (const float *row, const SlAxis *axis, uint32_t i, uint32_t n_quads)
{
  const float *weights = axis->weights + (size_t)i * n_quads * 4;
  Quad sum = {0};
  row += axis->first[i] - axis->low;
  for (uint32_t k = 0; k < n_quads; k++, row += 4, weights += 4)
    sum += *(const QuadUnaligned *)row * *(const QuadUnaligned *)weights;
  return sum;
}

/* The sums of four quads, by transposing. */
static inline Quad
add_across (Quad a, Quad b, Quad c, Quad d)
{
  Quad ab = __builtin_shufflevector (a, b, 0, 4, 1, 5) + __builtin_shufflevector (a, b, 2, 6, 3, 7);
  Quad cd = __builtin_shufflevector (c, d, 0, 4, 1, 5) + __builtin_shufflevector (c, d, 2, 6, 3, 7);
  return __builtin_shufflevector (ab, cd, 0, 1, 4, 5) +
         __builtin_shufflevector (ab, cd, 2, 3, 6, 7);
}

static inline __attribute__ ((always_inline)) void
resample_quads (float *restrict ret, const float *restrict row, const SlAxis *axis,
                uint32_t n_quads)
{
  uint32_t i = 0;
  for (; i + 4 <= axis->n; i += 4)
    *(QuadUnaligned *)(ret + i) =
        add_across (dot (row, axis, i, n_quads), dot (row, axis, i + 1, n_quads),
                    dot (row, axis, i + 2, n_quads), dot (row, axis, i + 3, n_quads));
  for (; i < axis->n; i++) {
    Quad sum = dot (row, axis, i, n_quads);
    ret[i] = (sum[0] + sum[2]) + (sum[1] + sum[3]);
  }
}

static void
resample (float *restrict ret, const float *restrict row, const SlAxis *axis)
{
  switch (axis->stride / 4) { /* constants for the usual reductions, up to eightfold */
  case 1:
    resample_quads (ret, row, axis, 1);
    break;
  case 2:
    resample_quads (ret, row, axis, 2);
    break;
  case 3:
    resample_quads (ret, row, axis, 3);
    break;
  case 4:
    resample_quads (ret, row, axis, 4);
    break;
  default:
    resample_quads (ret, row, axis, axis->stride / 4);
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

static void
store (float *restrict ret, ptrdiff_t stride, const float *restrict row, float gain, float bias,
       size_t n)
{
  if (stride == 1)
    for (size_t i = 0; i < n; i++)
      ret[i] = row[i] * gain + bias;
  else
    for (size_t i = 0; i < n; i++)
      ret[(ptrdiff_t)i * stride] = row[i] * gain + bias;
}

const SlRowLoops SL_ROWS_SYMBOL = {
    .blend_8 = blend_8,
    .blend_16 = blend_16,
    .pick = pick,
    .resample = resample,
    .convert = convert,
    .luma = luma,
    .store = store,
};
