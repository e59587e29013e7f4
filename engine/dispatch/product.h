/* Products of windows with packed weights: what convolutions and matrix products have in common. */
#pragma once

#include "dispatch/dispatch.h"

#define SL_PRODUCT_NO_OPERAND UINT32_MAX    /* the step has none of this kind */
#define SL_PRODUCT_SCRATCH (UINT32_MAX - 1) /* it lies in scratch */

/* Operands of a product that lie in memory; numbers of elements. */
typedef struct SlProductSide {
  uint32_t operand; /* of the step */
  size_t first;     /* of the first element, from the start of the operand, or of scratch */
  size_t image;     /* from one image to the next */
  size_t group;     /* from one group to the next */
  size_t pixel;     /* from one pixel to the next; input: without gaps from row to row */
} SlProductSide;

/* For each image, output pixel (y, x) and column n of each group:
 * out = act (bias + residual + sum over taps (ty, tx) and channels i of
 *            in[y * stride_h + ty * step_h - pad_h][x * stride_w + tx * step_w - pad_w][i] * w[n]).
 * A matrix product has one image of one row of pixels, or each product is a group. */
typedef struct SlProduct {
  uint32_t groups, images, cols, channels; /* columns and channels of a group */
  uint32_t taps_h, taps_w;
  uint32_t out_h, out_w, in_h, in_w;
  int32_t stride_h, stride_w, step_h, step_w, pad_h, pad_w;
  SlProductSide in, residual, out;
  size_t out_x, out_y; /* from one output to the next, and from one row of them to the next */
  size_t weights, weight_group, bias; /* of the first element, and from group to group */
  uint32_t weight_operand, bias_operand, residual_operand;
  bool shares_bias; /* every group has the same */
  uint64_t
      scratch_used; /* bytes of scratch from the start that are not for the product's own use */
  SlAct act;
} SlProduct;

/* Operands of kernels "conv2d" and "gemm" that may be float16: input, weights, residual; the output
 * then may be, too. */
#define SL_PRODUCT_HALVES                                                          \
  {                                                                                \
    .all = SL_OPERAND (0) | SL_OPERAND (1) | SL_OPERAND (3), .any = SL_OPERAND (4) \
  }

/* Appends the records, cut into pieces that the device can bind. False: it cannot. */
bool sl_product_dispatch (SlDispatcher *to, const SlProduct *product);
