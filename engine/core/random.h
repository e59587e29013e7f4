/* A sequence of random numbers, named by what it is for: the same seed and name give the same
 * numbers on any thread, and different names give independent ones. Philox underneath. */
#pragma once

#include "core/philox.h"

/* What numbers are drawn for. Values are part of what "same seed, same result" means. */
typedef enum {
  SL_RANDOM_SPLIT = 1,
  SL_RANDOM_SHUFFLE = 2,
  SL_RANDOM_AUGMENT = 3, /* geometry, colours … of one sample */
  SL_RANDOM_NOISE = 4,   /* of its pixels */
  SL_RANDOM_MIX = 5,     /* of one batch */
  SL_RANDOM_RISE = 6,    /* one mask over a picture */
  SL_RANDOM_MASK = 64    /* elements of one sample's input */
} SlRandomUse;

typedef struct SlRandom {
  uint32_t key[2], counter[4];
  SlPhilox block;
  unsigned used; /* numbers of the block */
} SlRandom;

static inline SlRandom
sl_random_start (uint64_t seed, SlRandomUse use, uint32_t a, uint32_t b)
{
  return (SlRandom){
      .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
      .counter = {0, a, b, (uint32_t)use},
      .used = 4,
  };
}

static inline uint32_t
sl_random_bits (SlRandom *random)
{
  if (random->used == 4) {
    random->block = sl_philox (random->counter, random->key);
    random->counter[0]++;
    random->used = 0;
  }
  return random->block.value[random->used++];
}

/* Each of 0 … n - 1 with the same probability; n is above 0. Lemire, "Fast random integer
 * generation in an interval" (2019). */
static inline uint32_t
sl_random_below (SlRandom *random, uint32_t n)
{
  uint64_t product = (uint64_t)sl_random_bits (random) * n;
  if ((uint32_t)product < n) {
    uint32_t threshold = -n % n;
    while ((uint32_t)product < threshold)
      product = (uint64_t)sl_random_bits (random) * n;
  }
  return (uint32_t)(product >> 32);
}

/* Uniform from `low` (included) to `high`. */
static inline float
sl_random_between (SlRandom *random, float low, float high)
{
  return low + (high - low) * sl_uniform (sl_random_bits (random));
}

/* A number of the standard normal distribution, from 32 bits; within 6.3 of 0. */
float sl_normal (uint32_t bits);

/* From the Beta distribution whose parameters are both `a`, above 0. */
double sl_random_beta (SlRandom *random, double a);
