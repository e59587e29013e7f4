#include "kernels/dropout.h"

#include "core/philox.h"
#include "kernels/grid.h"

/* Words drawn together: a vector of counters, four words from each. */
#define COUNTERS 16
#define WORDS (4 * COUNTERS)
/* Elements of a tile; whole draws. */
#define BLOCK (GRID_ELEMENTS / 4)

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

/* Words of elements 4 first … 4 (first + COUNTERS) - 1: sl_philox() of as many counters side by
 * side, so that the compiler can use vectors. word[k][i]: word k of counter i. */
static void
draw (const Draw *of, uint32_t first, uint32_t word[4][COUNTERS])
{
  uint32_t k0 = (uint32_t)of->seed, k1 = (uint32_t)(of->seed >> 32);
  for (uint32_t i = 0; i < COUNTERS; i++) {
    word[0][i] = first + i;
    word[1][i] = of->node;
    word[2][i] = (uint32_t)of->step;
    word[3][i] = (uint32_t)(of->step >> 32);
  }
  for (int round = 0; round < SL_PHILOX_ROUNDS; round++) {
    for (uint32_t i = 0; i < COUNTERS; i++) {
      uint64_t a = (uint64_t)SL_PHILOX_MULTIPLIER_0 * word[0][i];
      uint64_t b = (uint64_t)SL_PHILOX_MULTIPLIER_1 * word[2][i];
      word[0][i] = (uint32_t)(b >> 32) ^ word[1][i] ^ k0;
      word[2][i] = (uint32_t)(a >> 32) ^ word[3][i] ^ k1;
      word[1][i] = (uint32_t)b;
      word[3][i] = (uint32_t)a;
    }
    k0 += SL_PHILOX_WEYL_0;
    k1 += SL_PHILOX_WEYL_1;
  }
}

/* What elements `first` … first + WORDS - 1 are multiplied with. */
static void
draw_factors (const SlDropoutParams *p, const Draw *of, size_t first, float factor[WORDS])
{
  uint32_t word[4][COUNTERS];
  draw (of, (uint32_t)(first / 4), word);
  for (uint32_t i = 0; i < COUNTERS; i++)
    for (uint32_t k = 0; k < 4; k++)
      factor[4 * i + k] = word[k][i] >> 8 >= p->threshold ? p->scale : 0;
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
