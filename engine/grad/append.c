#include "grad/grad.h"

#include "ops/gradient.h"

struct SlGradients {
  SlGraph *graph;
  /* By id of the values that were there before; what is added has no gradients. */
  bool *depends;      /* a float that a wanted value has a say in */
  SlValue **gradient; /* the sum of what its readers gave so far, or NULL */
};

/* --- What op classes see --- */

SlGraph *
sl_gradients_get_graph (SlGradients *of)
{
  return of->graph;
}

SlValue *
sl_gradients_get (SlGradients *of, const SlNode *node, uint32_t index)
{
  const SlValue *output = index < node->n_outputs ? node->outputs[index] : NULL;
  return output != NULL ? of->gradient[output->id] : NULL;
}

bool
sl_gradients_want (const SlGradients *of, const SlNode *node, uint32_t index)
{
  const SlValue *input = sl_node_input (node, index);
  return input != NULL && of->depends[input->id];
}

SlValue *
sl_gradients_node (SlGradients *to, const SlNode *of, const SlOpClass *op, const void *attrs,
                   uint32_t n_inputs, SlValue *const *inputs)
{
  g_autofree char *name = g_strconcat (of->name, "/gradient", NULL);
  SlValue *output = sl_graph_add_value (to->graph, name, SL_VALUE_ACTIVATION);
  SlNode *node = sl_graph_add_node (to->graph, op, name, attrs, n_inputs, inputs, 1, &output);
  /* Operands come from a graph whose shapes have been checked. */
  g_autoptr (GError) error = NULL;
  if (!sl_node_infer (node, &error))
    g_error ("gradient of %s: %s", of->op->name, error->message);
  return output;
}

void
sl_gradients_give (SlGradients *to, const SlNode *node, uint32_t index, SlValue *gradient)
{
  const SlValue *input = sl_node_input (node, index);
  if (!sl_gradients_want (to, node, index))
    return;
  SlValue **sum = &to->gradient[input->id];
  SlValue *part = sl_gradient_sum_to (to, node, gradient, &input->shape);
  SlValue *both[] = {*sum, part};
  g_assert (part->dtype == input->dtype);
  *sum = *sum == NULL ? part : sl_gradients_node (to, node, sl_op_find ("Add"), NULL, 2, both);
}

/* --- The pass --- */

static bool
any_depends (const SlGradients *gradients, const SlNode *node)
{
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (sl_gradients_want (gradients, node, i))
      return true;
  return false;
}

static void
mark_dependent (SlGradients *gradients, SlValue *const *wanted, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    gradients->depends[wanted[i]->id] = true;
  for (uint32_t i = 0; i < gradients->graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (gradients->graph->nodes, i);
    bool depends = any_depends (gradients, node);
    for (uint32_t k = 0; k < node->n_outputs; k++)
      if (depends && node->outputs[k] != NULL && sl_dtype_is_float (node->outputs[k]->dtype))
        gradients->depends[node->outputs[k]->id] = true;
  }
}

static gboolean
pass_node (SlGradients *gradients, SlNode *node, GError **error)
{
  bool has_gradient = false;
  for (uint32_t i = 0; i < node->n_outputs; i++)
    has_gradient = has_gradient || sl_gradients_get (gradients, node, i) != NULL;
  if (!has_gradient || !any_depends (gradients, node))
    return TRUE;
  GError *why = NULL;
  if (node->op->gradient == NULL || node->act.kind != SL_ACT_NONE) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "the op has no gradient");
    return FALSE;
  }
  if (node->op->gradient (gradients, node, &why))
    return TRUE;
  if (why == NULL)
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "the op has no gradient with these attributes and types");
  else
    g_propagate_error (error, why);
  return FALSE;
}

static gboolean
check_floats (const SlValue *value, const char *what, GError **error)
{
  if (sl_dtype_is_float (value->dtype))
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "%s '%s' is %s, expected floats", what,
               value->name, sl_dtype_get_name (value->dtype));
  return FALSE;
}

static gboolean
check (const SlValue *loss, SlValue *const *wanted, uint32_t n, GError **error)
{
  size_t elements = 0;
  if (!check_floats (loss, "the loss", error))
    return FALSE;
  sl_shape_get_elements (&loss->shape, &elements);
  if (elements != 1) {
    g_autofree char *shape = sl_shape_to_string (&loss->shape);
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "the loss '%s' is %s, expected one number",
                 loss->name, shape);
    return FALSE;
  }
  for (uint32_t i = 0; i < n; i++)
    if (!check_floats (wanted[i], "the gradient of", error))
      return FALSE;
  return TRUE;
}

gboolean
sl_grad_append (SlGraph *graph, SlValue *loss, SlValue *const *wanted, uint32_t n,
                SlValue **ret_gradients, GError **error)
{
  if (!check (loss, wanted, n, error))
    return FALSE;
  g_autofree bool *depends = g_new0 (bool, graph->values->len);
  g_autofree SlValue **gradient = g_new0 (SlValue *, graph->values->len);
  SlGradients gradients = {graph, depends, gradient};
  mark_dependent (&gradients, wanted, n);
  gradient[loss->id] = sl_gradient_constant (&gradients, loss->dtype, &loss->shape, 1);

  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (graph);
  for (uint32_t i = nodes->len; i-- > 0;)
    if (!pass_node (&gradients, g_ptr_array_index (nodes, i), error))
      return FALSE;
  for (uint32_t i = 0; i < n; i++) {
    const SlValue *value = wanted[i];
    SlValue **slot = &gradient[value->id];
    if (*slot == NULL)
      *slot = sl_gradient_constant (&gradients, value->dtype, &value->shape, 0);
    ret_gradients[i] = *slot;
  }
  return TRUE;
}
