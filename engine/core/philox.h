/* Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3" (SC 2011). The same key and counter give the same numbers on any thread and any device.
 */
#pragma once

#include <stdint.h>

typedef struct SlPhilox {
  uint32_t value[4];
} SlPhilox;

SlPhilox sl_philox (const uint32_t counter[4], const uint32_t key[2]);

/* Uniform in [0, 1): the upper 24 bits, so that every value is exact in float. */
static inline float
sl_uniform (uint32_t bits)
{
  return (float)(bits >> 8) * 0x1p-24f;
}
