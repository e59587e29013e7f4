/* Windowed maximum and average over NHWC. */
#pragma once

#include "kernels/kernel.h"

/* Kernels "max_pool2d" and "average_pool2d". Operands: 0 input, 1 output. Strides: pixel to pixel,
 * in elements. Maximum: positions outside the input do not take part; NaN wins (as in ONNX Runtime
 * and PyTorch). Average: divided by the number of window positions inside the input, or, with
 * count_include_pad, inside the input extended by its padding (positions that only ceil_mode adds
 * never count). "max_pool2d_uint8" and "max_pool2d_int8": the maximum of bytes, without dilation;
 * each window holds at least one position inside. */
typedef struct SlPool2dParams {
  uint32_t batch, channels;
  uint32_t in_h, in_w, out_h, out_w;
  uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  uint32_t pad_top, pad_left, pad_bottom, pad_right;
  uint32_t in_stride, out_stride;
  bool count_include_pad;
} SlPool2dParams;

/* Kernel "max_pool2d_gradient": each window gives the gradient of its output to its greatest
 * element, the first in row-major order where several are as great (as PyTorch and cuDNN), a NaN
 * before all numbers. Operands: 0 input, 1 gradient of the output, 2 gradient of the input.
 * Kernel "average_pool2d_gradient": each window gives its elements equal shares. Operands: 0
 * gradient of the output, 1 gradient of the input. */
typedef struct SlPool2dGradientParams {
  SlPool2dParams pool;      /* out_stride: of the output's gradient */
  uint32_t gradient_stride; /* of the input's gradient */
} SlPool2dGradientParams;
