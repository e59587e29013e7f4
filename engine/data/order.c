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

/* Samples by class, shuffled within: `ret_starts`[n_classes + 1] says where in the result. */
static uint32_t *
sort_by_class (uint32_t n, const uint32_t *labels, uint32_t n_classes, SlRandom *random,
               uint32_t *ret_starts)
{
  g_autofree uint32_t *order = g_new (uint32_t, n);
  g_autofree uint32_t *next = g_new0 (uint32_t, n_classes + 1);
  for (uint32_t i = 0; i < n; i++) {
    order[i] = i;
    next[labels[i] + 1]++;
  }
  for (uint32_t c = 0; c < n_classes; c++)
    next[c + 1] += next[c];
  for (uint32_t c = 0; c <= n_classes; c++)
    ret_starts[c] = next[c];
  sl_shuffle (random, order, n);
  uint32_t *sorted = g_new (uint32_t, n);
  for (uint32_t i = 0; i < n; i++)
    sorted[next[labels[order[i]]]++] = order[i];
  return sorted;
}

uint32_t *
sl_order_new_balanced (uint32_t n, const uint32_t *labels, uint32_t n_classes, uint64_t seed,
                       uint32_t epoch)
{
  SlRandom random = sl_random_start (seed, SL_RANDOM_SHUFFLE, epoch, 0);
  g_autofree uint32_t *starts = g_new (uint32_t, n_classes + 1);
  g_autofree uint32_t *sorted = sort_by_class (n, labels, n_classes, &random, starts);
  g_autofree uint32_t *present = g_new (uint32_t, n_classes);
  uint32_t n_present = 0;
  for (uint32_t c = 0; c < n_classes; c++)
    if (starts[c + 1] > starts[c])
      present[n_present++] = c;
  sl_shuffle (&random, present, n_present); /* the first ones get what does not divide */

  uint32_t *order = g_new (uint32_t, n);
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t class = present[i % n_present], turn = i / n_present;
    order[i] = sorted[starts[class] + turn % (starts[class + 1] - starts[class])];
  }
  sl_shuffle (&random, order, n);
  return order;
}
