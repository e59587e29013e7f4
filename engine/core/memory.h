/* Aligned memory whose size comes from outside: fails by returning NULL, never aborts. */
#pragma once

#include <glib.h>
#include <stddef.h>

/* Cache line and widest vector register; every buffer the engine hands to a kernel starts on it. */
#define SL_ALIGNMENT 64

/* `size` bytes at SL_ALIGNMENT, content undefined; a size of 0 gives a valid pointer.
 * NULL if the memory cannot be had. Free with sl_aligned_free(). */
void *sl_aligned_alloc (size_t size);

/* NULL is fine. */
void sl_aligned_free (void *memory);

/* Rounds up to a multiple of `to`, a power of two. */
static inline size_t
sl_align_up (size_t size, size_t to)
{
  return (size + to - 1) & ~(to - 1);
}

/* *ret = a * b. False, and *ret untouched, if the product overflows. */
static inline gboolean
sl_mul_size (size_t a, size_t b, size_t *ret)
{
  size_t product;
  if (__builtin_mul_overflow (a, b, &product))
    return FALSE;
  *ret = product;
  return TRUE;
}
