#include "ops/gradient.h"

#include "ops/internal.h"

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
sl_gradient_constant (SlGradients *to, SlDType dtype, const SlShape *shape, double number)
{
  const SlShape scalar = {0};
  g_autoptr (GError) error = NULL;
  g_autoptr (SlTensor) one = sl_tensor_new (dtype, &scalar, &error);
  g_autoptr (SlTensor) all = sl_tensor_new (dtype, shape != NULL ? shape : &scalar, &error);
  if (one == NULL || all == NULL)
    g_error ("%s", error->message); /* as g_malloc() does */
  SlRefTensor content = {.dtype = dtype, .n = 1, .f = &number};
  sl_ref_store (&content, sl_tensor_get_data_writable (one));
  size_t n = sl_tensor_get_elements (all), size = sl_dtype_get_size (dtype);
  for (size_t i = 0; i < n; i++)
    memcpy ((char *)sl_tensor_get_data_writable (all) + i * size, sl_tensor_get_data (one), size);
  return sl_graph_add_tensor (sl_gradients_get_graph (to), "number", SL_VALUE_CONSTANT, all);
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
