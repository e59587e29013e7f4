#include "ops/indices.h"

gboolean
sl_infer_indices (const SlNode *node, const int64_t *sizes, uint32_t n_sizes, GError **error)
{
  const SlValue *indices = node->inputs[1];
  if (indices->dtype != SL_INT64 && indices->dtype != SL_INT32) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "indices '%s' are %s, expected int32 or int64",
                   indices->name, sl_dtype_get_name (indices->dtype));
    return FALSE;
  }
  size_t n = indices->kind == SL_VALUE_CONSTANT ? sl_tensor_get_elements (indices->data) : 0;
  for (size_t i = 0; i < n; i++) {
    int64_t index = sl_tensor_get_int (indices->data, i), size = sizes[i % n_sizes];
    if (index >= -size && index < size)
      continue;
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "index %" G_GINT64_FORMAT " into a dimension of %" G_GINT64_FORMAT, index, size);
    return FALSE;
  }
  return TRUE;
}

gboolean
sl_infer_elements_shape (const SlNode *node, int64_t axis, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
  bool fits = x->rank == indices->rank;
  for (uint32_t i = 0; fits && i < x->rank; i++)
    fits = i == axis || indices->dim[i] <= x->dim[i];
  if (fits)
    return TRUE;
  g_autofree char *of = sl_shape_to_string (x);
  g_autofree char *by = sl_shape_to_string (indices);
  sl_node_error (node, error, SL_ERROR_SHAPE,
                 "indices of %s ('%s') into axis %" G_GINT64_FORMAT " of %s", by,
                 node->inputs[1]->name, axis, of);
  return FALSE;
}

bool
sl_nd_offset (const SlShape *shape, size_t first, const int64_t *indices, size_t width,
              size_t *ret_offset)
{
  size_t offset = 0;
  for (size_t i = first; i < shape->rank; i++) {
    int64_t size = shape->dim[i], at = i - first < width ? indices[i - first] : 0;
    at += at < 0 ? size : 0;
    if (i - first < width && (at < 0 || at >= size))
      return false;
    offset = offset * (size_t)size + (size_t)at;
  }
  *ret_offset = offset;
  return true;
}
