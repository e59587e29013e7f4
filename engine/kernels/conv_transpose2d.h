/* Two-dimensional transposed convolution over NHWC rows. */
#pragma once

#include "kernels/kernel.h"

/* Strides beyond this are not worth packing for: they are left to the reference. */
#define SL_TRANSPOSED_STRIDE_MAX 64

/* Kernel "conv_transpose2d".
 *
 * out[n][y][x][o] = act (bias[o] + sum over ky, kx, i with y + pt = iy*sh + ky*dh and
 *                        x + pl = ix*sw + kx*dw of in[n][iy][ix][i] * w[i][o][ky][kx])
 * where group g reads channels g*in_c/groups … and writes g*out_c/groups …. Strides from pixel to
 * pixel as in SlConv2dParams; channels of both sides at least 1, strides sh and sw at most
 * SL_TRANSPOSED_STRIDE_MAX.
 *
 * Operands: 0 input, 1 packed weights, 2 bias [out_c] or NULL, 3 output. */
typedef struct SlConvTranspose2dParams {
  uint32_t batch, groups;
  uint32_t in_h, in_w, in_c;
  uint32_t out_h, out_w, out_c;
  uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  uint32_t pad_top, pad_left;
  uint32_t in_stride, out_stride;
  SlAct act;
} SlConvTranspose2dParams;

/* Kernel "depthwise_transposed2d": the same with groups = in_c = out_c; weights [kernel_h *
 * kernel_w][channels]. */

/* Kernel "pack_transposed2d": weights [groups * group_in][group_out][kernel_h][kernel_w] → for each
 * phase (y, x) of the strides, for each group, panels as "pack_weights" makes them, whose depth is
 * the phase's taps (ky, kx) and the input channels. Each tap belongs to one phase, so the elements
 * are as many as sl_packed_elements (group_out, kernel_h * kernel_w * group_in, panel) * groups.
 *
 * Operands: 0 weights, 1 panels. */
typedef struct SlPackTransposedParams {
  uint32_t groups, group_in, group_out;
  uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
} SlPackTransposedParams;
