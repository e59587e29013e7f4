/* One output element from one or two input elements at the same place. */
#pragma once

#include "kernels/kernel.h"

#define SL_KERNEL_RANK 8

/* Unary kernels over rows × cols elements. Operands: 0 input, 1 output; they may be the same
 * memory. "relu" "clip"(a = min, b = max) "leaky_relu"(a = slope) "elu"(a) "selu"(a = alpha, b =
 * gamma) "celu"(a) "thresholded_relu"(a) "sigmoid" "hard_sigmoid"(a = alpha, b = beta) "hard_swish"
 * "tanh" "softplus" "softsign" "erf" "gelu" "mish" "silu" "exp" "log" "sqrt" "reciprocal" "neg"
 * "abs" "sign" "floor" "ceil" "round"(half to even) "linear"(a * x + b): ONNX's definitions, float.
 */
typedef struct SlUnaryParams {
  size_t rows, cols;
  size_t in_stride, out_stride; /* elements from one row to the next */
  float a, b;
} SlUnaryParams;

/* Binary kernels with broadcast: "add" "sub" "mul" "div" "pow" "min" "max" "prelu" (x < 0 ? s * x :
 * x). out[i] = act (a[i] op b[i]) over `rank` dimensions, slowest first; strides in elements, 0
 * repeats. The output's innermost stride is 1. Operands: 0 a, 1 b, 2 output; the output may be the
 * very memory of an input of the same strides. */
typedef struct SlBinaryParams {
  uint32_t rank;
  size_t dims[SL_KERNEL_RANK];
  size_t a_stride[SL_KERNEL_RANK], b_stride[SL_KERNEL_RANK], out_stride[SL_KERNEL_RANK];
  SlAct act;
} SlBinaryParams;

/* Kernel "affine": y = act (x * scale[c] + shift[c]) over rows × channels (channels fastest).
 * Operands: 0 input, 1 scale [channels], 2 shift [channels], 3 output. */
typedef struct SlAffineParams {
  size_t rows, channels;
  size_t in_stride, out_stride;
  SlAct act;
} SlAffineParams;

/* Kernels "relu_gradient" (y > 0 ? dy : 0), "leaky_relu_gradient" (y > 0 ? dy : slope * dy),
 * "sigmoid_gradient" (dy * (y * (1 - y))) and "tanh_gradient" (dy * (1 - y * y)).
 * Operands: 0 dy, 1 y, leaky: 2 slope [1], last output, which may be the memory of dy or y. */
typedef struct SlGateParams {
  size_t rows, cols;
  size_t dy_stride, y_stride, out_stride; /* elements from one row to the next */
} SlGateParams;
