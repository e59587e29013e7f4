#include "ops/shape.h"

#include "kernels/copy.h"
#include "kernels/select.h"

#include <string.h>

SlWalk
sl_walk (const SlValue *value)
{
  SlWalk walk = {0};
  sl_value_get_strides (value, walk.stride);
  return walk;
}

SlWalk
sl_walk_broadcast (const SlValue *value, const SlShape *to)
{
  SlWalk own = sl_walk (value), walk = {0};
  uint32_t skip = to->rank - value->shape.rank;
  for (uint32_t i = skip; i < to->rank; i++)
    walk.stride[i] = value->shape.dim[i - skip] == 1 ? 0 : own.stride[i - skip];
  return walk;
}

/* Strided operands over the same dimensions, made as simple as possible: dimensions of
 * size 1 dropped, ordered by the last operand's stride (slowest first), neighbours merged where
 * every operand allows. */
#define MAX_OPERANDS 4
typedef struct Loop {
  uint32_t rank;
  size_t dim[SL_MAX_RANK];
  uint32_t n; /* operands */
  ptrdiff_t stride[MAX_OPERANDS][SL_MAX_RANK];
} Loop;

static void
loop_swap (Loop *loop, uint32_t a, uint32_t b)
{
  size_t dim = loop->dim[a];
  loop->dim[a] = loop->dim[b];
  loop->dim[b] = dim;
  for (uint32_t k = 0; k < loop->n; k++) {
    ptrdiff_t stride = loop->stride[k][a];
    loop->stride[k][a] = loop->stride[k][b];
    loop->stride[k][b] = stride;
  }
}

static bool
loop_can_merge (const Loop *loop, uint32_t outer, uint32_t inner)
{
  for (uint32_t k = 0; k < loop->n; k++)
    if (loop->stride[k][outer] != loop->stride[k][inner] * (ptrdiff_t)loop->dim[inner])
      return false;
  return true;
}

static void
loop_init (Loop *loop, const SlShape *dims, uint32_t n, const SlWalk *walks)
{
  const ptrdiff_t *out = loop->stride[n - 1];
  memset (loop, 0, sizeof *loop);
  loop->n = n;
  for (uint32_t i = 0; i < dims->rank; i++) {
    if (dims->dim[i] == 1)
      continue;
    uint32_t at = loop->rank++;
    loop->dim[at] = (size_t)dims->dim[i];
    for (uint32_t k = 0; k < n; k++)
      loop->stride[k][at] = walks[k].stride[i];
  }
  /* Insertion sort: stable, and eight dimensions at most. */
  for (uint32_t i = 1; i < loop->rank; i++)
    for (uint32_t k = i; k > 0 && out[k] > out[k - 1]; k--)
      loop_swap (loop, k, k - 1);

  uint32_t last = 0;
  for (uint32_t i = 1; i < loop->rank; i++) {
    bool merge = loop_can_merge (loop, last, i);
    if (merge)
      loop->dim[last] *= loop->dim[i];
    else
      loop->dim[++last] = loop->dim[i];
    for (uint32_t k = 0; k < loop->n; k++)
      loop->stride[k][last] = loop->stride[k][i];
  }
  if (loop->rank > 0)
    loop->rank = last + 1;
}

void
sl_lower_copy (SlLowering *to, const SlShape *dims, const SlValue *src, const SlWalk *from,
               const SlValue *dst, const SlWalk *into)
{
  Loop loop;
  loop_init (&loop, dims, 2, (const SlWalk[]){*from, *into});
  SlCopyParams params = {.rank = MAX (loop.rank, 1),
                         .element_size = (uint32_t)sl_value_get_element_size (dst),
                         .src_offset = (size_t)from->offset,
                         .dst_offset = (size_t)into->offset};
  params.dims[0] = 1;
  for (uint32_t i = 0; i < loop.rank; i++) {
    params.dims[i] = loop.dim[i];
    params.src_stride[i] = loop.stride[0][i];
    params.dst_stride[i] = loop.stride[1][i];
  }
  sl_lower (to, "copy", &params, src, dst);
}

bool
sl_lies_in (const SlValue *part, const SlValue *whole, const SlWalk *walk)
{
  return walk->offset >= 0 &&
         sl_value_lies_at (part, whole, (size_t)walk->offset * sl_value_get_element_size (whole));
}

void
sl_lower_binary (SlLowering *to, const char *kernel, const SlValue *a, const SlValue *b,
                 const SlValue *out, const SlAct *act)
{
  const SlWalk walks[] = {sl_walk_broadcast (a, &out->shape), sl_walk_broadcast (b, &out->shape),
                          sl_walk (out)};
  Loop loop;
  loop_init (&loop, &out->shape, 3, walks);
  SlBinaryParams params = {.rank = MAX (loop.rank, 1), .act = *act};
  params.dims[0] = 1;
  params.out_stride[0] = 1;
  for (uint32_t i = 0; i < loop.rank; i++) {
    params.dims[i] = loop.dim[i];
    params.a_stride[i] = (size_t)loop.stride[0][i];
    params.b_stride[i] = (size_t)loop.stride[1][i];
    params.out_stride[i] = (size_t)loop.stride[2][i];
  }
  sl_lower (to, kernel, &params, a, b, out);
}

void
sl_lower_select (SlLowering *to, const char *kernel, uint32_t n, const SlValue *const *operands)
{
  const SlValue *out = operands[n - 1];
  SlWalk walks[MAX_OPERANDS];
  Loop loop;
  for (uint32_t k = 0; k < n; k++)
    walks[k] = sl_walk_broadcast (operands[k], &out->shape);
  loop_init (&loop, &out->shape, n, walks);
  SlSelectParams params = {.rank = MAX (loop.rank, 1), .dims = {1}};
  params.stride[n - 1][0] = 1;
  for (uint32_t i = 0; i < loop.rank; i++) {
    params.dims[i] = loop.dim[i];
    for (uint32_t k = 0; k < n; k++)
      params.stride[k][i] = (size_t)loop.stride[k][i];
  }
  sl_lower_step (to, kernel, &params, sizeof params, n, operands);
}

SlDType
sl_dtype_of_onnx (int64_t type)
{
  static const SlDType types[] = {
      [1] = SL_FLOAT32, [2] = SL_UINT8,   [3] = SL_INT8,      [4] = SL_UINT16,   [5] = SL_INT16,
      [6] = SL_INT32,   [7] = SL_INT64,   [9] = SL_BOOL,      [10] = SL_FLOAT16, [11] = SL_FLOAT64,
      [12] = SL_UINT32, [13] = SL_UINT64, [16] = SL_BFLOAT16,
  };
  return type > 0 && type < (int64_t)G_N_ELEMENTS (types) ? types[type] : SL_DTYPE_NONE;
}

gboolean
sl_infer_broadcast (const SlNode *node, SlShape *ret_shape, GError **error)
{
  *ret_shape = node->inputs[0]->shape;
  for (uint32_t i = 1; i < node->n_inputs; i++) {
    SlShape before = *ret_shape;
    if (sl_shape_broadcast (&before, &node->inputs[i]->shape, ret_shape))
      continue;
    g_autofree char *left = sl_shape_to_string (&before);
    g_autofree char *right = sl_shape_to_string (&node->inputs[i]->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "%s and %s ('%s') do not broadcast", left, right,
                   node->inputs[i]->name);
    return FALSE;
  }
  return TRUE;
}

gboolean
sl_infer_number_inputs (const SlNode *node, GError **error)
{
  SlDType dtype = node->inputs[0]->dtype;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *input = node->inputs[i];
    if (input == NULL || (input->dtype == dtype && dtype != SL_BOOL))
      continue;
    sl_node_error (node, error, i == 0 ? SL_ERROR_UNSUPPORTED : SL_ERROR_SHAPE,
                   "input '%s' is %s, expected %s", input->name, sl_dtype_get_name (input->dtype),
                   i == 0 ? "numbers" : sl_dtype_get_name (dtype));
    return FALSE;
  }
  return TRUE;
}

bool
sl_matmul_shape (const SlShape *left, const SlShape *right, SlMatMulShape *ret)
{
  SlShape a = *left, b = *right;
  if (a.rank == 0 || b.rank == 0)
    return false;
  if (a.rank == 1)
    a = SL_SHAPE (1, a.dim[0]);
  if (b.rank == 1)
    b = SL_SHAPE (b.dim[0], 1);
  if (a.dim[a.rank - 1] != b.dim[b.rank - 2])
    return false;
  ret->rows = (size_t)a.dim[a.rank - 2];
  ret->cols = (size_t)b.dim[b.rank - 1];
  ret->depth = (size_t)a.dim[a.rank - 1];
  a.rank -= 2;
  b.rank -= 2;
  ret->a = a;
  ret->b = b;
  return sl_shape_broadcast (&a, &b, &ret->batch);
}

void
sl_split_at_axis (const SlShape *shape, int64_t axis, size_t *ret_outer, size_t *ret_inner)
{
  *ret_outer = *ret_inner = 1;
  for (int64_t i = 0; i < shape->rank; i++) {
    if (i < axis)
      *ret_outer *= (size_t)shape->dim[i];
    if (i > axis)
      *ret_inner *= (size_t)shape->dim[i];
  }
}

gboolean
sl_row_major_unless_float32 (const SlNode *node)
{
  return node->inputs[0]->dtype != SL_FLOAT32;
}

bool
sl_index_next (SlIndex *index, const SlShape *shape)
{
  for (uint32_t i = shape->rank; i-- > 0;) {
    if (++index->at[i] < shape->dim[i])
      return true;
    index->at[i] = 0;
  }
  return false;
}

size_t
sl_index_offset (const SlIndex *index, const SlShape *shape)
{
  size_t offset = 0;
  uint32_t skip = index->rank - shape->rank;
  for (uint32_t i = 0; i < shape->rank; i++)
    offset =
        offset * (size_t)shape->dim[i] + (size_t)(shape->dim[i] == 1 ? 0 : index->at[i + skip]);
  return offset;
}
