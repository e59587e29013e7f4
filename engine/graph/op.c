#include "graph/op.h"

#include <string.h>

static bool
same_domain (const char *a, const char *b)
{
  a = a != NULL && strcmp (a, "ai.onnx") != 0 ? a : "";
  b = b != NULL && strcmp (b, "ai.onnx") != 0 ? b : "";
  return strcmp (a, b) == 0;
}

const SlOpClass *
sl_op_find (const char *name)
{
  for (const SlOpClass *const *const *family = sl_op_families; *family != NULL; family++)
    for (const SlOpClass *const *op = *family; *op != NULL; op++)
      if (strcmp ((*op)->name, name) == 0)
        return *op;
  return NULL;
}

/* The newest form of `op_type` that holds at `opset`; NULL if the class has none. */
static const SlOnnxForm *
find_form (const SlOpClass *op, const char *domain, const char *op_type, int opset)
{
  static const SlOnnxForm as_named = {.since = 1};
  if (op->forms == NULL)
    return same_domain (op->domain, domain) && strcmp (op->name, op_type) == 0 ? &as_named : NULL;
  const SlOnnxForm *best = NULL;
  for (const SlOnnxForm *form = op->forms; form->since > 0; form++) {
    const char *type = form->op_type != NULL ? form->op_type : op->name;
    if (strcmp (type, op_type) == 0 && same_domain (form->domain, domain) && form->since <= opset &&
        (best == NULL || form->since > best->since))
      best = form;
  }
  return best;
}

const SlOpClass *
sl_op_find_onnx (const char *domain, const char *op_type, int opset, const SlOnnxForm **ret_form)
{
  for (const SlOpClass *const *const *family = sl_op_families; *family != NULL; family++) {
    for (const SlOpClass *const *op = *family; *op != NULL; op++) {
      if ((*op)->domain != NULL && strcmp ((*op)->domain, SL_DOMAIN) == 0 && (*op)->forms == NULL)
        continue;
      const SlOnnxForm *form = find_form (*op, domain, op_type, opset);
      if (form == NULL)
        continue;
      *ret_form = form;
      return *op;
    }
  }
  return NULL;
}

gboolean
sl_node_infer (SlNode *node, GError **error)
{
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *input = node->inputs[i];
    if (input == NULL ||
        (input->has_shape && input->dtype != SL_DTYPE_NONE && sl_shape_is_known (&input->shape)))
      continue;
    sl_node_error (node, error, SL_ERROR_SHAPE, "the shape of input '%s' is not known",
                   input->name);
    return FALSE;
  }
  if (!node->op->infer (node, error))
    return FALSE;
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    const SlValue *output = node->outputs[i];
    size_t elements;
    if (output != NULL && !output->has_shape) {
      sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "output %u, '%s', is not computed here", i,
                     output->name);
      return FALSE;
    }
    if (output == NULL || sl_shape_get_elements (&output->shape, &elements))
      continue;
    g_autofree char *shape = sl_shape_to_string (&output->shape);
    sl_node_error (node, error, SL_ERROR_LIMIT, "output '%s' would have the shape %s", output->name,
                   shape);
    return FALSE;
  }
  return TRUE;
}

void
sl_infer_output (SlNode *node, uint32_t index, SlDType dtype, const SlShape *shape)
{
  if (index >= node->n_outputs || node->outputs[index] == NULL)
    return;
  SlValue *output = node->outputs[index];
  output->dtype = dtype;
  output->shape = *shape;
  output->has_shape = true;
}

gboolean
sl_shape_broadcast (const SlShape *a, const SlShape *b, SlShape *ret_shape)
{
  SlShape shape = {.rank = MAX (a->rank, b->rank)};
  for (uint32_t i = 0; i < shape.rank; i++) {
    int64_t left = i < a->rank ? a->dim[a->rank - 1 - i] : 1;
    int64_t right = i < b->rank ? b->dim[b->rank - 1 - i] : 1;
    if (left != right && left != 1 && right != 1)
      return FALSE;
    shape.dim[shape.rank - 1 - i] = left == 1 ? right : left;
  }
  *ret_shape = shape;
  return TRUE;
}

gboolean
sl_infer_float_inputs (const SlNode *node, GError **error)
{
  SlDType dtype = node->inputs[0]->dtype;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *input = node->inputs[i];
    if (input == NULL || (input->dtype == dtype && sl_dtype_is_float (dtype)))
      continue;
    sl_node_error (node, error, i == 0 ? SL_ERROR_UNSUPPORTED : SL_ERROR_SHAPE,
                   "input '%s' is %s, expected %s", input->name, sl_dtype_get_name (input->dtype),
                   i == 0 ? "floats" : sl_dtype_get_name (dtype));
    return FALSE;
  }
  return TRUE;
}

gboolean
sl_infer_axis (const SlNode *node, int64_t *axis, uint32_t rank, GError **error)
{
  int64_t n = (int64_t)rank;
  if (*axis >= -n && *axis < n) {
    *axis += *axis < 0 ? n : 0;
    return TRUE;
  }
  sl_node_error (node, error, SL_ERROR_SHAPE,
                 "axis %" G_GINT64_FORMAT " of an input with %u dimensions", *axis, rank);
  return FALSE;
}

gboolean
sl_infer_constant_ints (const SlNode *node, uint32_t index, SlInts *ret_ints, GError **error)
{
  const SlValue *input = sl_node_input (node, index);
  if (input == NULL || input->kind != SL_VALUE_CONSTANT) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "input %u, '%s', decides a shape and has to be constant", index,
                   input != NULL ? input->name : "");
    return FALSE;
  }
  size_t n = sl_tensor_get_elements (input->data);
  if (n > SL_INTS_MAX || sl_dtype_is_float (input->dtype)) {
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "input %u, '%s', has %zu elements of %s, expected up to %d integers", index,
                   input->name, n, sl_dtype_get_name (input->dtype), SL_INTS_MAX);
    return FALSE;
  }
  ret_ints->n = (uint32_t)n;
  for (size_t i = 0; i < n; i++)
    ret_ints->v[i] = sl_tensor_get_int (input->data, i);
  return TRUE;
}
