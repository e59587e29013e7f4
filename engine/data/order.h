/* Orders of samples. */
#pragma once

#include "core/random.h"

#include <stdint.h>

/* Fisher and Yates: every order of items[0 … n - 1] with the same probability. */
void sl_shuffle (SlRandom *random, uint32_t *items, uint32_t n);

/* 0 … n - 1, shuffled by seed and epoch or not. Free with g_free(). */
uint32_t *sl_order_new (uint32_t n, int shuffle, uint64_t seed, uint32_t epoch);

/* The same number of samples, of each class that has any as many as of the others, to one: those of
 * small classes again and again, those of large ones in turn. Drawn anew each epoch. labels[n] are
 * below n_classes. Free with g_free(). */
uint32_t *sl_order_new_balanced (uint32_t n, const uint32_t *labels, uint32_t n_classes,
                                 uint64_t seed, uint32_t epoch);
