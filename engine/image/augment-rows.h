/* The inner loops of augmentation, on rows of floats in 0 … 255. Built once per instruction set. */
#pragma once

#include "core/isa.h"

#include <stddef.h>
#include <stdint.h>

/* Pixels of a plane along a straight line: number i < n is at column x + dx * i, row y + dy * i,
 * counted from the middle of the first pixel; all of them, and their neighbours to the right and
 * below, are inside. */
typedef struct SlAugmentLine {
  float x, y, dx, dy;
  size_t n;
} SlAugmentLine;

typedef struct SlAugmentLoops {
  /* ret[i]: bilinear between the four pixels around the line's pixel i; `plane` of rows of `stride`
   * floats */
  void (*line) (float *ret, const float *plane, size_t stride, const SlAugmentLine *line);

  /* row[i] = row[i] * factor + add, kept in 0 … 255 */
  void (*scale) (float *row, float factor, float add, size_t n);
  /* the same with `add` times the pixel's gray */
  void (*saturate) (float *const rgb[3], float factor, float add, size_t n);
  /* turns hues by `turn` sixths of a circle, 0 … 6 */
  void (*turn_hue) (float *const rgb[3], float turn, size_t n);
  /* the gray of n pixels, summed in eight sums, i modulo 8 */
  void (*add_gray) (double sums[8], const float *const rgb[3], size_t n);

  /* ret[i] = the sum over k < n_weights of weights[k] * rows[k][i] */
  void (*blend) (float *ret, const float *const *rows, const float *weights, size_t n_weights,
                 size_t n);
} SlAugmentLoops;

/* The loops built for `isa`, or the baseline's. All give the same bits. */
const SlAugmentLoops *sl_augment_loops (SlIsa isa);
