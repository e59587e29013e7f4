/* Elements dropped by chance. */
#pragma once

#include "kernels/kernel.h"

/* Kernel "dropout": y = kept ? x * scale : 0. Samples × positions × channels, strides in elements.
 * Element number e = (sample * positions + position) * channels + channel, whatever the strides, is
 * kept if the upper 24 bits of word e % 4 of sl_philox (counter {e / 4, node, step, step >> 32},
 * key {seed, seed >> 32}) are `threshold` or more. Operands: 0 x, 1 seed, 2 step (int64 each), 3 y,
 * which may be the very memory of x. */
typedef struct SlDropoutParams {
  size_t samples, positions, channels;
  size_t in_stride[3], out_stride[3]; /* of a sample, a position, a channel */
  uint32_t node, threshold;
  float scale;
} SlDropoutParams;
