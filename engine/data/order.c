#include "data/order.h"

#include <glib.h>

void
sl_shuffle (SlRandom *random, uint32_t *items, uint32_t n)
{
  for (uint32_t left = n; left > 1; left--) {
    uint32_t j = sl_random_below (random, left), kept = items[left - 1];
    items[left - 1] = items[j];
    items[j] = kept;
  }
}

uint32_t *
sl_order_new (uint32_t n, int shuffle, uint64_t seed, uint32_t epoch)
{
  uint32_t *order = g_new (uint32_t, n);
  for (uint32_t i = 0; i < n; i++)
    order[i] = i;
  if (shuffle) {
    SlRandom random = sl_random_start (seed, SL_RANDOM_SHUFFLE, epoch, 0);
    sl_shuffle (&random, order, n);
  }
  return order;
}
