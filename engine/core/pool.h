/* The process-wide thread pool for loops of independent tiles.
 *
 * The calling thread takes part, so a loop ends even if every worker is busy or the machine has
 * given all other cores to somebody else: that is the common case inside a video pipeline, where
 * the decoder competes for cores. Every thread begins with its own share of the tiles, that part of
 * their order which it also had in the loop before, and then takes from the shares of others.
 * Workers that find none spin for some microseconds and then sleep. Several loops may run at once.
 */
#pragma once

#include <stddef.h>

/* Handles tiles first … last - 1 on participant `slot` (0 = the caller … max_threads - 1). A slot
 * is used by one thread at a time during one loop, so per-slot scratch needs no lock. */
typedef void (*SlPoolFunc) (void *data, unsigned slot, size_t first, size_t last);

/* How many threads a loop can use, the caller included: the cores this process may run on (affinity
 * and cgroup CPU quota considered), or SIGHTLINE_THREADS. At least 1, at most SL_POOL_MAX_THREADS.
 * No thread is started by this call. */
unsigned sl_pool_get_threads (void);

#define SL_POOL_MAX_THREADS 64

/* Runs `func` over tiles 0 … n_tiles - 1 on at most `max_threads` threads (0:
 * sl_pool_get_threads()) and returns when all are done. Workers are started by the first loop that
 * can use them and live until sl_pool_shutdown() or the end of the process. Floating-point
 * environment: each participant runs with round-to-nearest and denormals flushed to zero, and gets
 * its own settings back after. */
void sl_pool_run (size_t n_tiles, unsigned max_threads, SlPoolFunc func, void *data);

/* Joins all workers; the next loop starts new ones. For leak checks; no loop may be running. */
void sl_pool_shutdown (void);
