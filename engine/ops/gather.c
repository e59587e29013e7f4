/* Gather: https://onnx.ai/onnx/operators/onnx__Gather.html */
#include "ops/shape.h"

typedef struct GatherAttrs {
  int64_t axis;
} GatherAttrs;

static const SlAttrSpec gather_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (GatherAttrs, axis)},
    {0},
};

/* Constant indices that are not in the dimension are a mistake of the file. */
static gboolean
check_indices (const SlNode *node, int64_t size, GError **error)
{
  const SlValue *indices = node->inputs[1];
  if (indices->dtype != SL_INT64 && indices->dtype != SL_INT32) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "indices '%s' are %s, expected int32 or int64",
                   indices->name, sl_dtype_get_name (indices->dtype));
    return FALSE;
  }
  size_t n = indices->kind == SL_VALUE_CONSTANT ? sl_tensor_get_elements (indices->data) : 0;
  for (size_t i = 0; i < n; i++) {
    int64_t index = sl_tensor_get_int (indices->data, i);
    if (index >= -size && index < size)
      continue;
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "index %" G_GINT64_FORMAT " into a dimension of %" G_GINT64_FORMAT, index, size);
    return FALSE;
  }
  return TRUE;
}

static gboolean
gather_infer (SlNode *node, GError **error)
{
  GatherAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
  if (!sl_infer_axis (node, &attrs->axis, x->rank, error) ||
      !check_indices (node, x->dim[attrs->axis], error))
    return FALSE;
  if (x->rank - 1 + indices->rank > SL_MAX_RANK) {
    sl_node_error (node, error, SL_ERROR_LIMIT, "the output would have %u dimensions, %d at most",
                   x->rank - 1 + indices->rank, SL_MAX_RANK);
    return FALSE;
  }
  SlShape y = {0};
  for (uint32_t i = 0; i < x->rank; i++) {
    if (i != attrs->axis)
      y.dim[y.rank++] = x->dim[i];
    for (uint32_t k = 0; i == attrs->axis && k < indices->rank; k++)
      y.dim[y.rank++] = indices->dim[k];
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

/* x (outer, size, inner) */
static void
split_at_axis (const SlShape *x, int64_t axis, size_t *ret_outer, size_t *ret_inner)
{
  *ret_outer = *ret_inner = 1;
  for (int64_t i = 0; i < x->rank; i++) {
    if (i < axis)
      *ret_outer *= (size_t)x->dim[i];
    if (i > axis)
      *ret_inner *= (size_t)x->dim[i];
  }
}

/* y (outer, indices, inner). An index that is only known at run time and lies outside gives zeros.
 */
static void
gather_reference (const SlRefCall *call)
{
  const GatherAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *indices = call->inputs[1];
  SlRefTensor *y = call->outputs[0];
  int64_t size = x->shape.dim[attrs->axis];
  size_t outer, inner, to = 0;
  split_at_axis (&x->shape, attrs->axis, &outer, &inner);
  for (size_t o = 0; o < outer && y->n > 0; o++) {
    for (size_t k = 0; k < indices->n; k++) {
      int64_t index = indices->i[k] < 0 ? indices->i[k] + size : indices->i[k];
      bool inside = index >= 0 && index < size;
      for (size_t i = 0; i < inner; i++, to++) {
        if (inside)
          sl_ref_move (y, to, x, (o * (size_t)size + (size_t)index) * inner + i);
        else
          y->i[to] = 0; /* 0.0 too */
      }
    }
  }
}

/* So many constant indices are worth a copy each. */
#define MAX_COPIES 16

static void
gather_lower (const SlNode *node, SlLowering *to)
{
  const GatherAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *indices = node->inputs[1], *y = node->outputs[0];
  size_t n = 0, outer, inner;
  sl_shape_get_elements (&indices->shape, &n);
  if (indices->kind != SL_VALUE_CONSTANT || n > MAX_COPIES) {
    sl_lower_reference (to);
    return;
  }
  int64_t size = x->shape.dim[attrs->axis];
  split_at_axis (&x->shape, attrs->axis, &outer, &inner);
  const SlShape dims = SL_SHAPE ((int64_t)outer, (int64_t)inner);
  for (size_t k = 0; k < n; k++) {
    int64_t index = sl_tensor_get_int (indices->data, k);
    index += index < 0 ? size : 0;
    SlWalk from = {.offset = (ptrdiff_t)((size_t)index * inner),
                   .stride = {(ptrdiff_t)((size_t)size * inner), 1}};
    SlWalk into = {.offset = (ptrdiff_t)(k * inner), .stride = {(ptrdiff_t)(n * inner), 1}};
    sl_lower_copy (to, &dims, x, &from, y, &into);
  }
}

static const SlOpClass gather = {
    .name = "Gather",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = gather_attrs,
    .attrs_size = sizeof (GatherAttrs),
    .infer = gather_infer,
    .reference = gather_reference,
    .lower = gather_lower,
};

const SlOpClass *const sl_ops_gather[] = {&gather, NULL};
