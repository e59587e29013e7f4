/* Moving elements: transpose, relayout, slice, concatenate, expand, pad. */
#pragma once

#include "kernels/elementwise.h"

/* Kernel "copy": dst[i] = src[i] over `rank` dimensions, slowest first. Strides and offsets in
 * elements of element_size (1, 2, 4 or 8) bytes; source strides may be 0 (expand) or negative
 * (reverse). The regions do not overlap. Operands: 0 source, 1 destination. NCHW↔NHWC transposes
 * are worth a blocked path. */
typedef struct SlCopyParams {
  uint32_t rank, element_size;
  size_t dims[SL_KERNEL_RANK];
  ptrdiff_t src_stride[SL_KERNEL_RANK], dst_stride[SL_KERNEL_RANK];
  size_t src_offset, dst_offset;
} SlCopyParams;

/* Kernel "fill": `count` elements of element_size bytes become the low bytes of `value`.
 * Operands: 0 destination. */
typedef struct SlFillParams {
  size_t count;
  uint32_t element_size;
  uint64_t value;
} SlFillParams;
