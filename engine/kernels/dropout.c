#include "kernels/dropout.h"

#include "core/philox.h"
#include "kernels/grid.h"
#include "kernels/vrandom.h"

/* Counters drawn together, four words from each: chains that do not wait for each other. */
#define LANES (VEC_WIDTH / 2)
#define CHAINS 4
#define COUNTERS (CHAINS * LANES)
#define WORDS (4 * COUNTERS)
/* Elements of a tile; whole draws in every set. */
#define BLOCK (GRID_ELEMENTS / 4)

_Static_assert(BLOCK % WORDS == 0, "a tile begins with a draw");

typedef struct Draw {
  uint32_t node;
  uint64_t seed, step;
} Draw;

static size_t
dropout_tiles (const void *params)
{
  const SlDropoutParams *p = params;
  return ceil_div (p->samples * p->positions * p->channels, BLOCK);
}

/* The words of counters first … first + COUNTERS - 1, one counter behind the other: sl_philox()
 * with a counter in each lane of 64 bits, of which the low half counts. */
static void
draw (const Draw *of, uint32_t first, uint64_t word[WORDS / 2])
{
  const VecWide none = {0};
  const VecWide m0 = none + SL_PHILOX_MULTIPLIER_0, m1 = none + SL_PHILOX_MULTIPLIER_1;
  uint32_t k0 = (uint32_t)of->seed, k1 = (uint32_t)(of->seed >> 32);
  VecWide c[CHAINS][4];
  VecWide lanes = none;
  for (uint32_t lane = 0; lane < LANES; lane++)
    lanes[lane] = lane;
  for (uint32_t i = 0; i < CHAINS; i++) {
    c[i][0] = lanes + first + i * LANES; /* what is carried into the high half does not count */
    c[i][1] = none + of->node;
    c[i][2] = none + (uint32_t)of->step;
    c[i][3] = none + (of->step >> 32);
  }
  for (int round = 0; round < SL_PHILOX_ROUNDS; round++) {
    UNROLL for (uint32_t i = 0; i < CHAINS; i++)
    {
      const VecWide a = vec_mul_low (c[i][0], m0), b = vec_mul_low (c[i][2], m1);
      c[i][0] = b >> 32 ^ c[i][1] ^ k0;
      c[i][2] = a >> 32 ^ c[i][3] ^ k1;
      c[i][1] = b;
      c[i][3] = a;
    }
    k0 += SL_PHILOX_WEYL_0;
    k1 += SL_PHILOX_WEYL_1;
  }
  for (uint32_t i = 0; i < CHAINS; i++) {
    const VecWide front = (c[i][0] & UINT32_MAX) | c[i][1] << 32;
    const VecWide back = (c[i][2] & UINT32_MAX) | c[i][3] << 32;
    for (uint32_t lane = 0; lane < LANES; lane++) {
      word[2 * (i * LANES + lane)] = front[lane];
      word[2 * (i * LANES + lane) + 1] = back[lane];
    }
  }
}

/* What elements `first` … first + WORDS - 1 are multiplied with. */
static void
draw_factors (const SlDropoutParams *p, const Draw *of, size_t first, float factor[WORDS])
{
  uint64_t word[WORDS / 2];
  draw (of, (uint32_t)(first / 4), word);
  for (uint32_t i = 0; i < WORDS; i += VEC_WIDTH) {
    VecInt bits;
    memcpy (&bits, (const char *)word + i * sizeof (float), sizeof bits);
    const VecInt upper = bits >> 8 & 0xffffff;
    vec_store (factor + i,
               vec_select (upper >= (int32_t)p->threshold, vec_splat (p->scale), vec_splat (0)));
  }
}

/* NaN times 0 is not 0: what is dropped is not looked at. */
ALWAYS_INLINE float
dropped (float x, float factor)
{
  return factor > 0 ? x * factor : 0;
}

static void
apply (const SlDropoutParams *p, const float *in, float *out, size_t first, size_t n,
       const float *factor)
{
  for (size_t i = 0; i < n;) {
    const size_t c = (first + i) % p->channels, pixel = (first + i) / p->channels;
    const size_t sample = pixel / p->positions, position = pixel % p->positions;
    const size_t count = min_size (n - i, p->channels - c);
    const float *x =
        in + sample * p->in_stride[0] + position * p->in_stride[1] + c * p->in_stride[2];
    float *y = out + sample * p->out_stride[0] + position * p->out_stride[1] + c * p->out_stride[2];
    if (p->in_stride[2] == 1 && p->out_stride[2] == 1)
      for (size_t k = 0; k < count; k++)
        y[k] = dropped (x[k], factor[i + k]);
    else
      for (size_t k = 0; k < count; k++)
        y[k * p->out_stride[2]] = dropped (x[k * p->in_stride[2]], factor[i + k]);
    i += count;
  }
}

static void
dropout_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlDropoutParams *p = params;
  const size_t count = p->samples * p->positions * p->channels;
  const Draw of = {p->node, *(const uint64_t *)buffers[1], *(const uint64_t *)buffers[2]};
  float factor[WORDS];
  for (size_t i = first * BLOCK; i < min_size (count, last * BLOCK); i += WORDS) {
    draw_factors (p, &of, i, factor);
    apply (p, buffers[0], buffers[3], i, min_size (WORDS, count - i), factor);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_dropout) = {
    .name = "dropout",
    .params_size = sizeof (SlDropoutParams),
    .tiles = dropout_tiles,
    .run = dropout_run,
};
