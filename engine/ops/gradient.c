#include "ops/gradient.h"

#include "ops/internal.h"
#include "ops/shape.h"

#include <string.h>

SlValue *
sl_gradient_node (SlGradients *to, const SlNode *of, const char *op, const SlRawAttr *attrs,
                  uint32_t n_attrs, uint32_t n_inputs, SlValue *const *inputs)
{
  const SlOpClass *class = sl_op_find (op);
  g_assert (class != NULL);
  g_autofree void *values = class->attrs_size > 0 ? g_malloc0 (class->attrs_size) : NULL;
  if (values != NULL && class->attrs != NULL)
    sl_attrs_init (class->attrs, values);
  for (uint32_t i = 0; i < n_attrs; i++) {
    gboolean set = sl_attrs_set (class->attrs, values, &attrs[i], NULL);
    g_assert (set);
  }
  return sl_gradients_node (to, of, class, values, n_inputs, inputs);
}

SlValue *
sl_gradient_numbers (SlGradients *to, SlDType dtype, const SlShape *shape, const double *numbers)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlTensor) tensor = sl_tensor_new (dtype, shape, &error);
  if (tensor == NULL)
    g_error ("%s", error->message); /* as g_malloc() does */
  const size_t n = sl_tensor_get_elements (tensor);
  g_autofree int64_t *whole = g_new (int64_t, n + 1);
  SlRefTensor content = {.dtype = dtype, .n = n, .i = whole};
  for (size_t i = 0; i < n; i++)
    whole[i] = (int64_t)numbers[i];
  if (sl_dtype_is_float (dtype))
    content.f = (double *)numbers;
  sl_ref_store (&content, sl_tensor_get_data_writable (tensor));
  return sl_graph_add_tensor (sl_gradients_get_graph (to), "number", SL_VALUE_CONSTANT, tensor);
}

SlValue *
sl_gradient_constant (SlGradients *to, SlDType dtype, const SlShape *shape, double number)
{
  const SlShape scalar = {0};
  size_t n = 1;
  if (shape == NULL)
    shape = &scalar;
  sl_shape_get_elements (shape, &n);
  g_autofree double *numbers = g_new (double, n + 1);
  for (size_t i = 0; i < n; i++)
    numbers[i] = number;
  return sl_gradient_numbers (to, dtype, shape, numbers);
}

SlValue *
sl_gradient_ints (SlGradients *to, const SlNode *of, const int64_t *ints, size_t n)
{
  return sl_graph_add_ints (sl_gradients_get_graph (to), of->name, ints, n);
}

SlValue *
sl_gradient_reshape (SlGradients *to, const SlNode *of, SlValue *value, const SlShape *shape)
{
  if (sl_shape_equal (&value->shape, shape))
    return value;
  SlValue *inputs[] = {value, sl_gradient_ints (to, of, shape->dim, shape->rank)};
  const SlRawAttr allow = {.name = (char *)"allowzero", .type = SL_RAW_INT, .i = 1};
  return sl_gradient_node (to, of, "Reshape", &allow, 1, 2, inputs);
}

SlValue *
sl_gradient_expand (SlGradients *to, const SlNode *of, SlValue *value, const SlShape *shape)
{
  if (sl_shape_equal (&value->shape, shape))
    return value;
  SlValue *inputs[] = {value, sl_gradient_ints (to, of, shape->dim, shape->rank)};
  return sl_gradient_node (to, of, "Expand", NULL, 0, 2, inputs);
}

SlValue *
sl_gradient_sum_to (SlGradients *to, const SlNode *of, SlValue *value, const SlShape *shape)
{
  int64_t axes[SL_MAX_RANK];
  const uint32_t rank = value->shape.rank;
  uint32_t n = 0;
  if (sl_shape_equal (&value->shape, shape))
    return value;
  g_assert (rank >= shape->rank);
  for (uint32_t i = 0; i < rank; i++) {
    int64_t dim = i + shape->rank < rank ? 1 : shape->dim[i + shape->rank - rank];
    g_assert (dim == 1 || dim == value->shape.dim[i]);
    if (dim != value->shape.dim[i])
      axes[n++] = i;
  }
  if (n > 0) {
    SlValue *inputs[] = {value, sl_gradient_ints (to, of, axes, n)};
    value = sl_gradient_node (to, of, "ReduceSum", NULL, 0, 2, inputs);
  }
  return sl_gradient_reshape (to, of, value, shape);
}

SlValue *
sl_gradient_transpose (SlGradients *to, const SlNode *of, SlValue *value, const int64_t *perm)
{
  const SlRawAttr order = {
      .name = (char *)"perm", .type = SL_RAW_INTS, .n = value->shape.rank, .ints = (int64_t *)perm};
  return sl_gradient_node (to, of, "Transpose", &order, 1, 1, &value);
}

SlValue *
sl_gradient_slice (SlGradients *to, const SlNode *of, SlValue *value, int64_t axis, int64_t start,
                   int64_t end)
{
  SlValue *inputs[] = {value, sl_gradient_ints (to, of, &start, 1),
                       sl_gradient_ints (to, of, &end, 1), sl_gradient_ints (to, of, &axis, 1)};
  return sl_gradient_node (to, of, "Slice", NULL, 0, G_N_ELEMENTS (inputs), inputs);
}

SlValue *
sl_gradient_pad (SlGradients *to, const SlNode *of, SlValue *value, const int64_t *begin,
                 const int64_t *end)
{
  int64_t pads[2 * SL_MAX_RANK];
  const uint32_t rank = value->shape.rank;
  bool any = false;
  for (uint32_t i = 0; i < rank; i++) {
    pads[i] = begin[i];
    pads[rank + i] = end[i];
    any = any || begin[i] != 0 || end[i] != 0;
  }
  SlValue *inputs[] = {value, sl_gradient_ints (to, of, pads, 2 * (size_t)rank)};
  return any ? sl_gradient_node (to, of, "Pad", NULL, 0, 2, inputs) : value;
}

SlValue *
sl_gradient_zeros (SlGradients *to, const SlNode *of, SlDType dtype, const SlShape *shape)
{
  return sl_gradient_expand (to, of, sl_gradient_constant (to, dtype, NULL, 0), shape);
}

SlValue *
sl_gradient_scatter_elements (SlGradients *to, const SlNode *of, const SlShape *shape, int64_t axis,
                              SlValue *indices, SlValue *updates)
{
  const SlRawAttr attrs[] = {
      {.name = (char *)"axis", .type = SL_RAW_INT, .i = axis},
      {.name = (char *)"reduction", .type = SL_RAW_STRING, .s = (char *)"add"},
  };
  SlValue *inputs[] = {sl_gradient_zeros (to, of, updates->dtype, shape), indices, updates};
  return sl_gradient_node (to, of, "ScatterElements", attrs, 2, 3, inputs);
}

SlValue *
sl_gradient_scatter_nd (SlGradients *to, const SlNode *of, const SlShape *shape, SlValue *indices,
                        SlValue *updates)
{
  const SlRawAttr add = {.name = (char *)"reduction", .type = SL_RAW_STRING, .s = (char *)"add"};
  SlValue *inputs[] = {sl_gradient_zeros (to, of, updates->dtype, shape), indices, updates};
  return sl_gradient_node (to, of, "ScatterND", &add, 1, 3, inputs);
}

SlValue *
sl_gradient_map_axis (SlGradients *to, const SlNode *of, SlValue *value, int64_t axis, int64_t size,
                      const double *matrix)
{
  SlShape shape = value->shape;
  size_t outer, inner;
  sl_split_at_axis (&shape, axis, &outer, &inner);
  SlValue *map = sl_gradient_numbers (to, value->dtype, &SL_SHAPE (size, shape.dim[axis]), matrix);
  const bool is_last = inner == 1;
  SlShape stack = is_last ? SL_SHAPE ((int64_t)outer, shape.dim[axis])
                          : SL_SHAPE ((int64_t)outer, shape.dim[axis], (int64_t)inner);
  SlValue *stacked = sl_gradient_reshape (to, of, value, &stack);
  if (is_last)
    map = sl_gradient_transpose (to, of, map, (const int64_t[]){1, 0});
  SlValue *product[] = {is_last ? stacked : map, is_last ? map : stacked};
  shape.dim[axis] = size;
  return sl_gradient_reshape (to, of, sl_gradient_node (to, of, "MatMul", NULL, 0, 2, product),
                              &shape);
}

SlValue *
sl_gradient_cast (SlGradients *to, const SlNode *of, SlValue *value, SlDType dtype)
{
  return value->dtype == dtype ? value : sl_cast (sl_gradients_get_graph (to), value, dtype, NULL);
}

gboolean
sl_gradient_same (SlGradients *to, SlNode *node, GError **error)
{
  sl_gradients_give (
      to, node, 0,
      sl_gradient_reshape (to, node, sl_gradients_get (to, node, 0), &node->inputs[0]->shape));
  return TRUE;
}

gboolean
sl_gradient_zero (SlGradients *to, SlNode *node, GError **error)
{
  return TRUE;
}
