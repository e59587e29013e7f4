/* Normalisation by the mean and variance of what is normalised. */
#pragma once

#include "kernels/kernel.h"

/* Kernel "layer_norm": y[r][i] = act ((x[r][i] - mean) / sqrt (variance + epsilon) * scale[i] +
 * bias[i]) with mean and (biased) variance over the `cols` elements of row r. Two passes: the mean
 * first, then the squares of the distances from it. Strides from row to row in elements.
 * Operands: 0 input, 1 scale [cols], 2 bias [cols] or NULL, 3 output; may be the same memory as 0.
 */
typedef struct SlLayerNormParams {
  size_t rows, cols;
  size_t in_stride, out_stride;
  float epsilon;
  SlAct act;
} SlLayerNormParams;

/* Kernel "group_norm" over x[image][position][channel]: the same for each image and group of
 * neighbouring channels, over all positions and the group's channels; with as many groups as
 * channels it is instance normalisation. Channel c is scaled by scale[c / shared] and shifted by
 * bias[c / shared]. groups divides channels. Strides from position to position in elements.
 * Operands: 0 input, 1 scale, 2 bias, 3 output; may be the same memory as 0. */
typedef struct SlGroupNormParams {
  size_t images, positions, channels, groups;
  size_t in_stride, out_stride;
  size_t shared; /* channels that share a scale: 1, or channels / groups */
  float epsilon;
  SlAct act;
} SlGroupNormParams;
