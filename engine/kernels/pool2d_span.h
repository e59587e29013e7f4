/* Windows of pooling, cut to their input. */
#pragma once

#include "kernels/grid.h"

/* One axis of a window: where it begins in the input, how many of its positions exist, and how many
 * count for an average that includes the padding. */
typedef struct Span {
  size_t begin, count, padded;
} Span;

ALWAYS_INLINE size_t
steps_below (size_t distance, size_t dilation)
{
  return dilation == 1 ? distance : ceil_div (distance, dilation);
}

ALWAYS_INLINE Span
window_span (size_t out, size_t kernel, size_t stride, size_t dilation, size_t pad_before,
             size_t pad_after, size_t size)
{
  size_t at = out * stride, end = pad_before + size; /* from the edge of the padding */
  size_t first = at < pad_before ? steps_below (pad_before - at, dilation) : 0;
  size_t last = at < end ? min_size (kernel, steps_below (end - at, dilation)) : 0;
  size_t padded =
      at < end + pad_after ? min_size (kernel, steps_below (end + pad_after - at, dilation)) : 0;

  if (first >= last)
    return (Span){0, 0, padded};
  return (Span){at + first * dilation - pad_before, last - first, padded};
}
