/* What every kernel test does: run one kernel of one set on buffers whose surroundings are watched,
 * in several partitions, and hold the result against loops in double that the test writes out
 * itself. */
#pragma once

#include "kernels/kernel.h"

#include <glib.h>

/* Marks an element of `expected` that the kernel must leave alone. */
#define UNTOUCHED (-9.87e200)

/* Called once per set that this build holds and this CPU runs. */
typedef void (*SetTest) (const SlKernelSet *set);

/* Adds "/kernels/<name>/<set>" for each of them. */
void add_set_tests (const char *name, SetTest test);

/* `count` floats, 64-byte aligned, filled with the value that stands for UNTOUCHED. Nothing follows
 * them in memory, so that a sanitizer sees every step beyond. Freed at the end of the test by
 * g_test_queue_free(). */
float *new_floats (size_t count);

/* Fills with numbers of [-1, 1), or with integers of -4 … 4 for tests that want exact sums. */
void fill_random (float *x, size_t count, guint32 seed);
void fill_integers (float *x, size_t count, guint32 seed);

/* An array of `count` expected values, all UNTOUCHED. Freed at the end of the test. */
double *new_expected (size_t count);

/* Runs all tiles at once, one by one backwards, and in uneven parts through the thread pool; the
 * bytes of buffers[output], `bytes` long, must come out the same each time. Returns with the kernel
 * run. */
void run_kernel (const SlKernelSet *set, const char *name, const void *params, void *const *buffers,
                 size_t output, size_t bytes);

/* |got - expected| <= tolerance * (1 + |expected|), the same NaN and infinities, untouched where
 * said so. A tolerance of 0 demands equality. */
void check_floats (const char *what, const float *got, const double *expected, size_t count,
                   double tolerance);

/* What SlAct means, in double. */
double act_reference (const SlAct *act, double x);

/* Where element (k, n) of packed weights with `cols` columns lies, by the layout that the headers
 * state: units of `panel` columns, dealt out over the fewest panels of at most `panel_max`. */
size_t packed_at (const SlKernelSet *set, size_t cols, size_t depth, size_t k, size_t n);
