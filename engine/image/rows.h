/* The inner loops of sampling: rows of samples in, rows of floats out. Built once per instruction
 * set.
 *
 * A strip is as many rows as a vector has lanes, side by side. The vertical pass fills it in quads:
 * four samples of one row, then of the next. sl_strip_slot() says which place among the rows is
 * whose, so that turn() makes columns of it without crossing 128-bit lanes: from then on, element r
 * of vector x is sample x of row r, and all rows go through the horizontal pass at once. */
#pragma once

#include "core/isa.h"
#include "image/axis.h"
#include "image/format.h"

#include <stddef.h>
#include <stdint.h>

/* The vertical pass goes over a strip in pieces of so many elements of each row, and blend_fixed()
 * asks for the next piece's bytes while it sums those of one. */
#define SL_STRIP_PIECE 256

/* One output row of the vertical pass. */
typedef struct SlBlend {
  const void *const *rows; /* [n_rows], of samples of 8 or 16 bits */
  size_t n_rows;
  const float *weights; /* [n_rows] */
  const int16_t *fixed; /* the same in units, and [n_rows] is 0; blend_fixed() only */
  float unit;
  bool add; /* to what is there, instead of replacing it */
} SlBlend;

typedef struct SlRowLoops {
  unsigned lanes; /* rows of a strip: 4, 8 or 16 */

  /* Sample i < n of a row of the strip: the sum over k < n_rows of weights[k] * rows[k][i].
   * blend_fixed() reads an even number of rows of bytes and sums in whole units. `ret` is the row's
   * first quad; quads of other rows are not touched. */
  void (*blend_8) (float *ret, const SlBlend *blend, size_t n);
  void (*blend_16) (float *ret, const SlBlend *blend, size_t n);
  void (*blend_fixed) (float *ret, const SlBlend *blend, size_t n);

  /* Quads to columns, in place; n is a multiple of 4. */
  void (*turn) (float *strip, size_t n);

  /* One direction of the resize, for all rows: ret[i * lanes + r], i < axis->n. Sample s of the
   * axis is column (s - axis->low) * step. Reads axis->taps columns for each i, of which those
   * beyond axis->high only have to be finite. */
  void (*resample) (float *ret, const float *columns, unsigned step, const SlAxis *axis);

  /* Components to R, G, B in 0 … 255, n of each. */
  void (*convert) (float *const ret[3], const float *const components[3],
                   const SlColorTransform *transform, size_t n);

  /* ret[i] = 0.299 r + 0.587 g + 0.114 b */
  void (*luma) (float *ret, const float *const rgb[3], size_t n);

  /* ret[r * row_stride + i * n_channels + c] = columns[c][i * lanes + r] * gain[c] + bias[c] for
   * i < n, r < n_rows; n_channels is 1 or 3 */
  void (*store) (float *ret, ptrdiff_t row_stride, const float *const *columns, unsigned n_channels,
                 const float *gain, const float *bias, size_t n, unsigned n_rows);
} SlRowLoops;

/* Where the quads of row r lie among those of a strip. */
static inline unsigned
sl_strip_slot (unsigned lanes, unsigned r)
{
  return r % 4 * (lanes / 4) + r / 4;
}

/* The loops built for `isa`, or the baseline's. All give the same bits. */
const SlRowLoops *sl_row_loops (SlIsa isa);
