/* Shared by the operators that read and write at indices (Gather…, Scatter…). */
#pragma once

#include "graph/op.h"

/* Refuses indices (input 1) that are neither int32 nor int64, and constant ones that are outside
 * -size … size - 1: number i counts in a dimension of sizes[i % n_sizes]. */
gboolean sl_infer_indices (const SlNode *node, const int64_t *sizes, uint32_t n_sizes,
                           GError **error);

/* Refuses indices of another rank than input 0, or larger than that in another dimension than
 * `axis`. */
gboolean sl_infer_elements_shape (const SlNode *node, int64_t axis, GError **error);

/* The elements before the one (or the slice) that `width` indices name in the dimensions of `shape`
 * from `first` on, counted within those; false if an index is outside. */
bool sl_nd_offset (const SlShape *shape, size_t first, const int64_t *indices, size_t width,
                   size_t *ret_offset);
