#include "core/philox.h"

SlPhilox
sl_philox (const uint32_t counter[4], const uint32_t key[2])
{
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];

  for (int round = 0; round < SL_PHILOX_ROUNDS; round++) {
    uint64_t product_0 = (uint64_t)SL_PHILOX_MULTIPLIER_0 * c0;
    uint64_t product_1 = (uint64_t)SL_PHILOX_MULTIPLIER_1 * c2;
    c0 = (uint32_t)(product_1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)product_1;
    c2 = (uint32_t)(product_0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)product_0;
    k0 += SL_PHILOX_WEYL_0;
    k1 += SL_PHILOX_WEYL_1;
  }

  return (SlPhilox){{c0, c1, c2, c3}};
}
