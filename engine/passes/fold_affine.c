#include "passes/passes.h"

/* Constant, or made of constants by an earlier fold. */
static bool
is_constant_or_absent (const SlValue *value)
{
  if (value == NULL || value->kind == SL_VALUE_CONSTANT)
    return true;
  if (value->producer == NULL)
    return false;
  for (uint32_t i = 0; i < value->producer->n_inputs; i++)
    if (!is_constant_or_absent (value->producer->inputs[i]))
      return false;
  return true;
}

/* Weights and bias may change only if nobody trains them, and only this node's output may be
 * affected. */
static bool
may_absorb (const SlNode *producer, const SlValue *output)
{
  if (producer == NULL || producer->op->absorb_affine == NULL || !sl_value_is_private (output) ||
      producer->act.kind != SL_ACT_NONE || producer->n_inputs > 3)
    return false;
  return is_constant_or_absent (producer->inputs[1]) &&
         is_constant_or_absent (sl_node_input (producer, 2));
}

/* TRUE if the producer has taken the node over. */
static bool
fold (SlGraph *graph, SlNode *node)
{
  uint32_t input;
  SlValue *scale, *shift;
  if (node->op->as_affine == NULL || node->act.kind != SL_ACT_NONE ||
      !node->op->as_affine (node, &input, &scale, &shift))
    return false;
  SlValue *x = node->inputs[input];
  if (!is_constant_or_absent (scale) || !is_constant_or_absent (shift) ||
      !may_absorb (x->producer, x) ||
      !x->producer->op->absorb_affine (graph, x->producer, scale, shift))
    return false;
  sl_graph_replace_value (graph, node->outputs[0], x);
  return true;
}

gboolean
sl_pass_fold_affine (SlPasses *passes, GError **error)
{
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if (fold (passes->graph, node))
      sl_graph_remove_node (passes->graph, node);
  }
  return TRUE;
}
