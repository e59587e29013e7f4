/* Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3" (SC 2011). The same key and counter give the same numbers on any thread and any device.
 */
#pragma once

#include <stdint.h>

typedef struct SlPhilox {
  uint32_t value[4];
} SlPhilox;

/* Of one round, for those who draw many at once. */
#define SL_PHILOX_MULTIPLIER_0 0xd2511f53u
#define SL_PHILOX_MULTIPLIER_1 0xcd9e8d57u
#define SL_PHILOX_WEYL_0 0x9e3779b9u
#define SL_PHILOX_WEYL_1 0xbb67ae85u
#define SL_PHILOX_ROUNDS 10

SlPhilox sl_philox (const uint32_t counter[4], const uint32_t key[2]);

/* Uniform in [0, 1): the upper 24 bits, so that every value is exact in float. */
static inline float
sl_uniform (uint32_t bits)
{
  return (float)(bits >> 8) * 0x1p-24f;
}
