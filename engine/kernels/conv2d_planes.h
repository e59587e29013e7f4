/* Convolution to few channels, forwards and backwards, over NHWC rows. */
#pragma once

#include "kernels/kernel.h"

/* Kernel "conv2d_planes", of stride 1 and one group:
 *
 * out[n][y][x][o] = act (bias[o] + sum over ky, kx, i of in[n][y + first_h + ky*step_h][x + first_w
 *                        + kx*step_w][i] * w[ky][kx][i][o])
 * where reads outside the input count as 0: a convolution has positive steps, the transposed one
 * negative steps. Weights are packed as "pack_weights" and "pack_transposed2d" do, in one panel of
 * one vector. Pixel strides as in SlConv2dParams.
 *
 * Operands: 0 input, 1 packed weights, 2 bias [out_c] or NULL, 3 output. */
typedef struct SlConv2dPlanesParams {
  uint32_t batch;
  uint32_t in_h, in_w, in_c;
  uint32_t out_h, out_w, out_c;
  uint32_t kernel_h, kernel_w;
  int32_t first_h, step_h, first_w, step_w;
  uint32_t in_stride, out_stride;
  SlAct act;
} SlConv2dPlanesParams;

/* Channels that fill no more than half of a vector of `panel`, and taps enough to pay for turning
 * pictures into planes and back. */
static inline bool
sl_conv2d_wants_planes (size_t out_c, size_t taps, size_t panel)
{
  return out_c * 2 <= panel && taps >= 4;
}
