/* Between float32 and narrower types. */
#pragma once

#include "kernels/kernel.h"

typedef enum {
  SL_CONVERT_FLOAT16,
  SL_CONVERT_BFLOAT16,
  SL_CONVERT_INT32,
  SL_CONVERT_UINT8,
  SL_CONVERT_INT8,
} SlConvertType;

/* Kernels "widen": y (float32) = x, and "narrow" (float16 and bfloat16 only): y = x (float32) to
 * nearest, ties to even. Subnormal numbers count. Operands: 0 x, 1 y, over rows × cols elements. */
typedef struct SlConvertParams {
  size_t rows, cols;
  size_t in_stride, out_stride; /* elements from one row to the next */
  SlConvertType type;           /* of the side that is not float32 */
} SlConvertParams;
