#include "passes/passes.h"

/* SlNode.mark */
enum { OF_RUN, OF_CONSTANTS };

/* Constant, or made of constants by an earlier fold. */
static bool
is_constant_or_absent (const SlValue *value)
{
  return value == NULL || value->kind == SL_VALUE_CONSTANT ||
         (value->producer != NULL && value->producer->mark == OF_CONSTANTS);
}

/* Nodes that are not folded yet although they could be. */
static void
mark_constant (SlNode *node)
{
  node->mark = node->op->traits & SL_TRAIT_RANDOM ? OF_RUN : OF_CONSTANTS;
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (!is_constant_or_absent (node->inputs[i]))
      node->mark = OF_RUN;
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

/* As a map of the channels that the input's producer means. */
static bool
is_affine (const SlNode *node, uint32_t *ret_input, SlValue **ret_scale, SlValue **ret_shift)
{
  for (uint32_t i = 0; i < MIN (node->n_inputs, 2); i++) {
    const SlNode *producer = node->inputs[i] != NULL ? node->inputs[i]->producer : NULL;
    if (producer == NULL || producer->op->absorb_affine == NULL)
      continue;
    uint32_t rank = node->inputs[i]->shape.rank;
    uint32_t axis = producer->op->channels_last_axis && rank > 0 ? rank - 1 : 1;
    if (node->op->as_affine (node, axis, ret_input, ret_scale, ret_shift) && *ret_input == i)
      return true;
  }
  return false;
}

/* TRUE if the producer has taken the node over. */
static bool
fold (SlGraph *graph, SlNode *node)
{
  uint32_t input;
  SlValue *scale, *shift;
  if (node->op->as_affine == NULL || node->act.kind != SL_ACT_NONE ||
      !is_affine (node, &input, &scale, &shift))
    return false;
  SlValue *x = node->inputs[input];
  SlNode *producer = x->producer;
  if (!is_constant_or_absent (scale) || !is_constant_or_absent (shift) ||
      !may_absorb (producer, x) || !producer->op->absorb_affine (graph, producer, scale, shift))
    return false;
  for (uint32_t i = 1; i < producer->n_inputs; i++)
    if (producer->inputs[i] != NULL && producer->inputs[i]->producer != NULL)
      mark_constant (producer->inputs[i]->producer);
  sl_graph_replace_value (graph, node->outputs[0], x);
  return true;
}

gboolean
sl_pass_fold_affine (SlPasses *passes, GError **error)
{
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  for (uint32_t i = 0; i < nodes->len; i++)
    mark_constant (g_ptr_array_index (nodes, i));
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if (fold (passes->graph, node))
      sl_graph_remove_node (passes->graph, node);
  }
  return TRUE;
}
