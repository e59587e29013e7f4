/* Sums and kin along one axis, soft maximum, and normalisation across channels. */
#pragma once

#include "kernels/kernel.h"

/* Kernels "reduce_sum" "reduce_mean" "reduce_max" "reduce_min" "reduce_prod" "reduce_l1"
 * "reduce_l2": x[outer][axis][inner] → y[outer][inner]. Strides in elements; inner is contiguous on
 * both sides. Sums run over a fixed tree in float with several partial sums, never in one long
 * chain. Operands: 0 input, 1 output. */
typedef struct SlReduceParams {
  size_t outer, axis, inner;
  size_t in_outer_stride, in_axis_stride, out_outer_stride;
} SlReduceParams;

/* Kernels "softmax" and "log_softmax" over the middle axis of a dense x[outer][axis][inner].
 * Operands: 0 input, 1 output; may be the same memory. */
typedef struct SlSoftmaxParams {
  size_t outer, axis, inner;
} SlSoftmaxParams;

/* Kernel "lrn" (Krizhevsky et al. 2012 as ONNX states it), x[rows][channels]:
 * y = x / (bias + alpha / size * sum of squares over channels c - (size-1)/2 … c + size/2) ^ beta.
 * Operands: 0 input, 1 output, not the same memory. */
typedef struct SlLrnParams {
  size_t rows, channels;
  size_t in_stride, out_stride;
  uint32_t size;
  float alpha, beta, bias;
} SlLrnParams;

/* Kernel "lrn_gradient": dx = dy / base ^ beta - 2 * alpha * beta / size * x * sum of dy * x / base
 * ^ (beta + 1) over the channels whose sum this one is in. Operands: 0 x, 1 dy, 2 dx, not the
 * memory of either. */
typedef struct SlLrnGradientParams {
  SlLrnParams lrn; /* in_stride: of x, out_stride: of dx */
  size_t dy_stride;
} SlLrnGradientParams;

/* Kernel "cross_entropy": loss[r] = - sum over c of weights[c] * target[r][c] * log softmax
 * (logits[r])[c], where a target of 0 adds nothing. Operands: 0 logits, 1 target, both dense
 * [rows][classes], 2 weights [classes] or NULL for 1, 3 loss [rows].
 * Kernel "cross_entropy_gradient": of the logits. Operands: 0 gradient of the loss [rows], 1
 * logits, 2 target, 3 weights or NULL, 4 gradient [rows][classes], which may be the logits' memory.
 */
typedef struct SlCrossEntropyParams {
  size_t rows, classes;
} SlCrossEntropyParams;
