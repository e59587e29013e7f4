/* What training changes in a model: finding it, listing it. */
#include "graph/live.h"
#include "model-private.h"

GPtrArray *
sl_list_variables (const SlGraph *graph)
{
  GPtrArray *list = g_ptr_array_new ();
  g_autofree bool *listed = g_new0 (bool, graph->values->len + 1);
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    for (uint32_t k = 0; k < node->n_inputs; k++) {
      SlValue *value = node->inputs[k];
      if (value == NULL || !sl_value_is_variable (value) || listed[value->id])
        continue;
      listed[value->id] = true;
      g_ptr_array_add (list, value);
    }
  }
  return list;
}

void
sl_variable_init (SlVariable *variable, const SlValue *value)
{
  *variable = (SlVariable){
      .name = value->name,
      .is_state = value->kind == SL_VALUE_STATE,
      .dtype = value->dtype,
      .shape = value->shape,
      .elements = sl_tensor_get_elements (value->data),
      .bytes = sl_tensor_get_size (value->data),
      .initializer = value->initializer != NULL ? value->initializer->name : NULL,
      .tensor = value->data,
  };
}

const void *
sl_variable_read (const SlVariable *variable, GError **error)
{
  return sl_live_update (variable->tensor, error) ? sl_tensor_get_data (variable->tensor) : NULL;
}

void
sl_variable_set (const SlVariable *variable, const void *data)
{
  sl_live_set (variable->tensor, data);
}

/* Gives the value a copy of its content, which nobody else changes. */
static gboolean
own_content (SlValue *value, SlValueKind kind, GError **error)
{
  if (!sl_live_update (value->data, error))
    return FALSE;
  SlTensor *own =
      sl_tensor_new_copy (value->dtype, &value->shape, sl_tensor_get_data (value->data), error);
  if (own == NULL)
    return FALSE;
  sl_tensor_unref (value->data);
  value->data = own;
  value->kind = kind;
  return TRUE;
}

gboolean
sl_freeze_variables (SlGraph *graph, GError **error)
{
  for (uint32_t i = 0; i < graph->values->len; i++) {
    SlValue *value = g_ptr_array_index (graph->values, i);
    if (sl_value_is_variable (value) && !own_content (value, SL_VALUE_CONSTANT, error))
      return FALSE;
  }
  return TRUE;
}

/* --- Of a network without any --- */

/* The constant that `value` is under another name, shape or order of dimensions; NULL: none. */
static SlValue *
find_constant (SlValue *value)
{
  while (value->producer != NULL &&
         (value->producer->op->traits & (SL_TRAIT_IDENTITY | SL_TRAIT_RESHAPE | SL_TRAIT_REORDER)))
    value = value->producer->inputs[0];
  bool is_weights = value->dtype == SL_FLOAT32 && value->data != NULL &&
                    (value->kind == SL_VALUE_CONSTANT || sl_value_is_variable (value));
  return is_weights ? value : NULL;
}

static bool
is_elementwise (const SlOpClass *op)
{
  return (op->parameter_inputs & 3) == 3 && op->affine_inputs != 0;
}

/* TRUE if the node's input `index` is what a layer learns. SlNode.mark: a layer stands at or before
 * the node. */
static bool
is_learned (const SlNode *node, uint32_t index, const SlValue *constant)
{
  if (!(node->op->parameter_inputs & 1u << index))
    return false;
  if (!is_elementwise (node->op))
    return true;
  const SlValue *other = sl_node_input (node, !index);
  return sl_tensor_get_elements (constant->data) > 1 && other != NULL && other->producer != NULL &&
         other->producer->mark;
}

static gboolean
mark_node (SlNode *node, GError **error)
{
  node->mark = 0;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    SlValue *input = node->inputs[i];
    if (input == NULL)
      continue;
    node->mark = node->mark || (input->producer != NULL && input->producer->mark);
    SlValue *constant = i < 32 ? find_constant (input) : NULL;
    if (constant == NULL)
      continue;
    bool is_parameter = is_learned (node, i, constant);
    bool is_state = node->op->state_inputs & 1u << i;
    node->mark = node->mark || is_parameter;
    if (constant->kind == SL_VALUE_CONSTANT && (is_parameter || is_state) &&
        !own_content (constant, is_parameter ? SL_VALUE_PARAMETER : SL_VALUE_STATE, error))
      return FALSE;
  }
  return TRUE;
}

SlModel *
sl_model_new_trainable (SlModel *model, GError **error)
{
  g_autoptr (SlGraph) graph = sl_graph_clone (sl_model_get_graph (model));
  if (!sl_constants_load (sl_model_get_constants (model), graph, NULL, error))
    return NULL;
  const bool has_variables = sl_model_get_n_variables (model) > 0;
  for (uint32_t i = 0; i < graph->values->len; i++) {
    SlValue *value = g_ptr_array_index (graph->values, i);
    if (sl_value_is_variable (value) && !own_content (value, value->kind, error))
      return NULL;
  }
  for (uint32_t i = 0; !has_variables && i < graph->nodes->len; i++)
    if (!mark_node (g_ptr_array_index (graph->nodes, i), error))
      return NULL;
  sl_constants_trim (sl_model_get_constants (model));
  return sl_model_new_from_graph (g_steal_pointer (&graph), sl_model_get_name (model),
                                  sl_model_get_meta (model));
}
