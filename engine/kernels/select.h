/* Comparing, choosing, and logic on bool. */
#pragma once

#include "kernels/elementwise.h"

/* Kernels with broadcast over `rank` dimensions, slowest first; strides of each operand in
 * elements, the output last, 0 repeats. The output's innermost stride is 1. bool is a byte, 0 or 1.
 *
 * "equal" "less" "less_or_equal": 0 a float, 1 b float, 2 output bool; false with a NaN.
 * "and" "or" "xor": 0 a bool, 1 b bool, 2 output bool.
 * "where": 0 condition bool, 1 float where it is true, 2 float where not, 3 output float. */
typedef struct SlSelectParams {
  uint32_t rank;
  size_t dims[SL_KERNEL_RANK];
  size_t stride[4][SL_KERNEL_RANK];
} SlSelectParams;
