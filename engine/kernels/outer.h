/* Sums of outer products in registers: A transposed times B, both as they lie in memory. */
#pragma once

#include "kernels/tile.h"

/* C[r][col] += sum over the points of a box of A[r] * B[col], where both move by fixed steps from
 * point to point. So a sum over the pixels of some rows of some pictures needs neither a copy nor a
 * transposition, whatever the strides.
 *
 * The sum of a call is one chain in the order of its points, begun at zero and added to C last. */
typedef struct SlOuter {
  size_t rows, cols;
  size_t count[3];                /* of the box, slowest first; none is 0 */
  ptrdiff_t a_step[3], b_step[3]; /* elements from one point to the next */

  /* The rows of A at the first point: row r is a[r], or *pointers[r] where these are given. */
  const float *a;
  const float *const *pointers;

  const float *b; /* [cols rounded up to vectors]: all of them are read */
  float *c;       /* [rows][cols]: nothing beyond the columns is touched */
  size_t c_stride;
} SlOuter;

void SL_KERNEL_NAME (sl_outer_add) (const SlOuter *outer);
