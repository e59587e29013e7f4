/* Resampling of NHWC pictures along height and width. */
#pragma once

#include "kernels/kernel.h"

/* Kernel "resize2d": out[n][y][x][c] = sum over i, j of wy[y][i] * wx[x][j] * in[n][iy[y][i]][ix[x]
 * [j]][c] with taps_h terms i and taps_w terms j. With one tap a side its weight is taken to be 1.
 * All sizes are at least 1; strides from pixel to pixel as in SlConv2dParams.
 *
 * Operands: 0 input, 1 indices (int32: iy [out_h][taps_h], then ix [out_w][taps_w]), 2 weights (the
 * same, float), 3 output. */
typedef struct SlResize2dParams {
  uint32_t batch, channels;
  uint32_t in_h, in_w, out_h, out_w;
  uint32_t taps_h, taps_w;
  uint32_t in_stride, out_stride;
} SlResize2dParams;
