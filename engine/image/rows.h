/* The inner loops of sampling: rows of samples in, rows of floats out. Built once per instruction
 * set. */
#pragma once

#include "core/isa.h"
#include "image/axis.h"
#include "image/format.h"

#include <stddef.h>
#include <stdint.h>

typedef struct SlRowLoops {
  /* ret[i] = sum over k < n_rows of weights[k] * rows[k][i], i < n, for samples of 8 or 16 bits */
  void (*blend_8) (float *ret, const void *const *rows, const float *weights, size_t n_rows,
                   size_t n);
  void (*blend_16) (float *ret, const void *const *rows, const float *weights, size_t n_rows,
                    size_t n);

  /* ret[i] = row[i * step], i < n; step is 2, 3 or 4 */
  void (*pick) (float *ret, const float *row, unsigned step, size_t n);

  /* One direction of the resize: ret[i] for i < axis->n; row[0] is sample axis->low. Reads up to
   * axis->stride floats beyond the row; they only have to be finite. */
  void (*resample) (float *ret, const float *row, const SlAxis *axis);

  /* Components to R, G, B in 0 … 255, n of each. */
  void (*convert) (float *const ret[3], const float *const components[3],
                   const SlColorTransform *transform, size_t n);

  /* ret[i] = 0.299 r + 0.587 g + 0.114 b */
  void (*luma) (float *ret, const float *const rgb[3], size_t n);

  /* ret[i * stride] = row[i] * gain + bias */
  void (*store) (float *ret, ptrdiff_t stride, const float *row, float gain, float bias, size_t n);
} SlRowLoops;

/* The loops built for `isa`, or the baseline's. All give the same bits. */
const SlRowLoops *sl_row_loops (SlIsa isa);
