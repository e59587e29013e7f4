/* Shared by the families: moving elements between values of any layout. */
#pragma once

#include "graph/op.h"

/* Where a step reads or writes inside a value: element offset and strides for each logical
 * dimension. */
typedef struct SlWalk {
  ptrdiff_t offset;
  ptrdiff_t stride[SL_MAX_RANK];
} SlWalk;

/* The whole of `value`, as its layout has it. */
SlWalk sl_walk (const SlValue *value);

/* Strides of `value` seen through the larger shape that it broadcasts to: 0 where it repeats. */
SlWalk sl_walk_broadcast (const SlValue *value, const SlShape *to);

/* A "copy" step over `dims` from `src` to `dst`, dimensions ordered for the destination and merged
 * where both sides are contiguous. */
void sl_lower_copy (SlLowering *to, const SlShape *dims, const SlValue *src, const SlWalk *from,
                    const SlValue *dst, const SlWalk *into);

/* TRUE if `part` lies at the place in `whole` that the walk begins at: the planner made it a view,
 * and nothing is left to copy. */
bool sl_lies_in (const SlValue *part, const SlValue *whole, const SlWalk *walk);

/* A broadcasting binary step named `kernel` (kernels/elementwise.h): out = act (a op b). */
void sl_lower_binary (SlLowering *to, const char *kernel, const SlValue *a, const SlValue *b,
                      const SlValue *out, const SlAct *act);

/* A broadcasting step named `kernel` (kernels/select.h) over `n` operands, the output last:
 * row-major or channels-last, all alike that have its shape. */
void sl_lower_select (SlLowering *to, const char *kernel, uint32_t n,
                      const SlValue *const *operands);

/* TensorProto.DataType as SlDType; SL_DTYPE_NONE if there are no such tensors here. */
SlDType sl_dtype_of_onnx (int64_t type);

/* Adds the Reshape of `value` to the dimensions in `shape`, a vector of int64 in which a 0 is a
 * dimension of size 0, as `output`. */
SlNode *sl_add_reshape (SlGraph *graph, const char *name, SlValue *value, SlValue *shape,
                        SlValue *output);

/* For infer functions: the shape that all inputs broadcast to; refuses those that do not. */
gboolean sl_infer_broadcast (const SlNode *node, SlShape *ret_shape, GError **error);

/* For infer functions: refuses inputs that are not all of one type of numbers. */
gboolean sl_infer_number_inputs (const SlNode *node, GError **error);

/* Operands of a matrix product as NumPy's matmul reads them: a vector is a row on the left, a
 * column on the right. */
typedef struct SlMatMulShape {
  SlShape a, b, batch; /* dimensions before the matrix's two, and what they broadcast to */
  size_t rows, cols, depth;
} SlMatMulShape;
/* FALSE if such shapes cannot be multiplied. */
bool sl_matmul_shape (const SlShape *a, const SlShape *b, SlMatMulShape *ret);

/* The shape as (outer, dimension `axis`, inner). */
void sl_split_at_axis (const SlShape *shape, int64_t axis, size_t *ret_outer, size_t *ret_inner);

/* For SlOpClass.row_major_only of ops whose kernels read float32 in any layout. */
gboolean sl_row_major_unless_float32 (const SlNode *node);

/* A position in a tensor, for references. */
typedef struct SlIndex {
  uint32_t rank;
  int64_t at[SL_MAX_RANK];
} SlIndex;
/* Steps `index` on; false after the last one. Start with all zeros. */
bool sl_index_next (SlIndex *index, const SlShape *shape);
/* Row-major element number of `index` in `shape`; dimensions of size 1 ignore their index
 * (broadcast), and a shape of lower rank is aligned at its last dimension. */
size_t sl_index_offset (const SlIndex *index, const SlShape *shape);

/* Copies element `from` of one tensor to element `to` of another of the same kind (float or
 * integer). */
static inline void
sl_ref_move (SlRefTensor *dst, size_t to, const SlRefTensor *src, size_t from)
{
  dst->i[to] = src->i[from];
}

/* Below, at or above 0: a stands to b as their type has it (uint64 comes as a bit pattern). */
static inline int
sl_int_compare (int64_t a, int64_t b, SlDType dtype)
{
  if (dtype == SL_UINT64)
    return ((uint64_t)a > (uint64_t)b) - ((uint64_t)a < (uint64_t)b);
  return (a > b) - (a < b);
}

/* Element `i` of any type. */
static inline double
sl_ref_double (const SlRefTensor *x, size_t i)
{
  if (sl_dtype_is_float (x->dtype))
    return x->f[i];
  return x->dtype == SL_UINT64 ? (double)(uint64_t)x->i[i] : (double)x->i[i];
}
