/* Numbers in 8 bits: real = scale * (q - zero point).
 *
 * Bytes are unsigned or signed. A signed byte with its top bit turned over is an unsigned one 128
 * higher, and so is its zero point, so one loop serves both: parameters name the turned bit, 0x80
 * or 0. Zero points are operands of one byte, NULL for 0; scales are operands of one float.
 *
 * Rounding is to even, results saturate. The arithmetic is ONNX Runtime's, in float, so that
 * results agree bit for bit: a sum of integers becomes a float, is multiplied by the combined
 * scale, clamped, rounded, and then the zero point is added. */
#pragma once

#include "kernels/kernel.h"

#define SL_QUANT_SIGNED 0x80
#define SL_QUANT_UNSIGNED 0

/* Kernel "quantize": y = saturate (round (x / scale) + zero). Operands: 0 x (float), 1 scale, 2
 * zero, 3 y (bytes).
 * Kernel "dequantize": y = (x - zero) * scale. Operands: 0 x (bytes), 1 scale, 2 zero, 3 y (float).
 * Both over rows × cols elements. */
typedef struct SlQuantParams {
  size_t rows, cols;
  size_t in_stride, out_stride; /* elements from one row to the next */
  uint8_t flip;                 /* of the bytes */
} SlQuantParams;

/* Kernels over bytes of one type, rows × cols elements:
 * "qadd": y = round (a * (a_scale / y_scale) + b * (b_scale / y_scale) + rest), the rest being what
 * the zero points come to; "qmul": y = round ((a - a_zero) * (b - b_zero) * (a_scale * b_scale /
 * y_scale) + y_zero). Operands: 0 a, 1 a_scale, 2 a_zero, 3 b, 4 b_scale, 5 b_zero, 6 y_scale, 7
 * y_zero, 8 y; y may be the memory of a or b. A stride of 0 repeats the row, b_repeat one element.
 */
typedef struct SlQuantBinaryParams {
  size_t rows, cols;
  size_t a_stride, b_stride, out_stride;
  bool b_repeat; /* b is one element a row */
  uint8_t flip;
} SlQuantBinaryParams;

/* Kernel "qmean": the mean over `axis` elements, for outer × inner results (inner fastest). The sum
 * is exact; scale x_scale / (y_scale * axis). Operands: 0 x, 1 x_scale, 2 x_zero, 3 y_scale, 4
 * y_zero, 5 y. At most 2^23 elements on the axis. */
typedef struct SlQuantMeanParams {
  size_t outer, axis, inner;
  size_t in_outer_stride, in_axis_stride, out_outer_stride;
  uint8_t flip;
} SlQuantMeanParams;
