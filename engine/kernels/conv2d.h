/* Two-dimensional convolution over NHWC rows as an implicit GEMM, and its depthwise form. */
#pragma once

#include "kernels/kernel.h"

/* Kernels "conv2d", "conv2d_narrow" and "depthwise2d".
 *
 * out[n][y][x][o] = act (bias[o] + residual[n][y][x][o]
 *                        + sum over ky, kx, i of in[n][y*sh + ky*dh - pt][x*sw + kx*dw - pl][i] *
 * w[o][i][ky][kx]) where reads outside the input count as 0. Strides are in elements from one pixel
 * to the next, at least the channel count, so that input, residual and output may be channel slices
 * of wider tensors; rows and images follow each other without gaps (row pitch = width * pixel
 * stride).
 *
 * Operands: 0 input, 1 packed weights, 2 bias [out_c] or NULL, 3 residual or NULL, 4 output.
 *
 * conv2d:      group g reads channels g*in_c/groups … and writes g*out_c/groups …; weights packed
 * by "pack_weights" per group: depth = (ky, kx, i), columns = the group's output channels.
 * conv2d_narrow: the same, for what sl_conv2d_is_narrow() says.
 * depthwise2d: groups = in_c = out_c; weights [kernel_h * kernel_w][channels]. */
typedef struct SlConv2dParams {
  uint32_t batch, groups;
  uint32_t in_h, in_w, in_c; /* channels of all groups together */
  uint32_t out_h, out_w, out_c;
  uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int32_t pad_top, pad_left; /* bottom and right follow from the output size */
  uint32_t in_stride, residual_stride, out_stride;
  uint32_t half; /* "conv2d": the weights' panels are of half floats */
  SlAct act;
} SlConv2dParams;

/* Few input channels and no dilation along the rows: windows are better not taken apart. */
static inline bool
sl_conv2d_is_narrow (const SlConv2dParams *p)
{
  return p->groups == 1 && p->in_c < 8 && p->dilation_w == 1;
}
