/* Convolution and matrix product of bytes, with exact sums in 32 bits (kernels/quantize.h says what
 * bytes and zero points are). */
#pragma once

#include "kernels/quantize.h"

/* What becomes of a sum, of which there is one factor a column. */
typedef enum {
  SL_QOUT_BYTES, /* saturate (round (float (sum) * factor) + zero) */
  SL_QOUT_FLOAT, /* float (sum) * factor */
  SL_QOUT_INT32, /* the sum */
} SlQuantOutKind;

/* Kernels "qconv2d" and "qdepthwise2d": SlConv2dParams' convolution (kernels/conv2d.h) over NHWC
 * rows, sum = bias[o] + sum of (in - in_zero) * w, where w has its zero point taken off already and
 * reads outside the input count as 0. Sums wrap at 32 bits. A matrix product is a 1x1 convolution
 * of a picture one row high.
 *
 * Operands: 0 input (bytes), 1 packed weights, 2 bias (int32 [out_c]) or NULL, 3 factors (float
 * [out_c]; NULL with SL_QOUT_INT32), 4 in_zero or NULL, 5 zero of the output or NULL, 6 output.
 *
 * qconv2d:      weights packed by "pack_quantized".
 * qdepthwise2d: groups = in_c = out_c; weights float [kernel_h * kernel_w][channels], at most
 *               SL_QDEPTHWISE_TAPS of them, which is where floats stop being exact. */
typedef struct SlQuantConvParams {
  uint32_t batch, groups;
  uint32_t in_h, in_w, in_c; /* channels of all groups together */
  uint32_t out_h, out_w, out_c;
  uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int32_t pad_top, pad_left;
  uint32_t in_stride, out_stride; /* elements from one pixel to the next */
  SlQuantOutKind out;
  uint8_t in_flip, out_flip;
} SlQuantConvParams;

#define SL_QDEPTHWISE_TAPS 258 /* taps * 255 * 255 < 2^24 */

/* Kernel "pack_quantized": w - w_zero of bytes as panels of pairs,
 * panels[g] of tile.h, [k / 2][n][k % 2] each (int16), where what lies beyond the columns or the
 * depth is 0; k runs over depth[0] × depth[1] × depth[2] and the source element lies at
 * g * group_stride + k0 * depth_stride[0] + k1 * depth_stride[1] + k2 * depth_stride[2] + n *
 * col_stride. Kernel "pack_qdepthwise": the same as float [k][g], for groups of one column.
 *
 * Operands: 0 source, 1 zero points or NULL, 2 panels. Packed size: sl_qpacked_elements(). */
typedef struct SlQuantPackParams {
  uint32_t groups, cols;
  uint32_t depth[3];
  uint32_t flip;
  size_t group_stride, col_stride;
  size_t depth_stride[3];
  size_t n_zeros; /* 1, or one a column of each group: groups * cols */
} SlQuantPackParams;

/* int16 elements of one group. */
static inline size_t
sl_qpacked_elements (size_t cols, size_t depth, size_t panel)
{
  return (cols + panel - 1) / panel * panel * ((depth + 1) / 2 * 2);
}
