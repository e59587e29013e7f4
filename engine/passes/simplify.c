#include "passes/passes.h"

static bool
is_used (const SlNode *node, uint32_t output)
{
  const SlValue *value = output < node->n_outputs ? node->outputs[output] : NULL;
  return value != NULL && (sl_value_is_wanted (value) || value->uses->len > 0);
}

/* The value that stands for output 0, or NULL to leave the node as it is. */
static SlValue *
simpler (SlGraph *graph, SlNode *node)
{
  if (node->op->traits & SL_TRAIT_IDENTITY)
    return is_used (node, 1) ? NULL : node->inputs[0];
  if ((node->op->traits & SL_TRAIT_RESHAPE) &&
      sl_shape_equal (&node->inputs[0]->shape, &node->outputs[0]->shape))
    return node->inputs[0];
  return node->op->simplify != NULL ? node->op->simplify (graph, node) : NULL;
}

/* A graph output, or what a parameter or state will hold, that would become an input or a constant
 * keeps its node: it has memory of its own. */
static bool
is_only_copy (const SlNode *node, const SlValue *replacement)
{
  return sl_value_is_wanted (node->outputs[0]) &&
         (replacement->kind != SL_VALUE_ACTIVATION || sl_value_is_wanted (replacement));
}

gboolean
sl_pass_simplify (SlPasses *passes, GError **error)
{
  /* Nodes that a simplification adds are looked at too, later in the list. */
  for (uint32_t i = 0; i < passes->graph->nodes->len; i++) {
    SlNode *node = g_ptr_array_index (passes->graph->nodes, i);
    SlValue *replacement = simpler (passes->graph, node);
    if (replacement == NULL || is_only_copy (node, replacement))
      continue;
    /* What reads it looks at its shape when its own turn comes. */
    if (!replacement->has_shape && !sl_node_infer (replacement->producer, error))
      return FALSE;
    /* Kept in the place of what it replaces, so that the schedule stays as the file has it. */
    if (replacement->producer != NULL && replacement->producer->id > node->id)
      replacement->producer->id = node->id;
    sl_graph_replace_value (passes->graph, node->outputs[0], replacement);
    sl_graph_remove_node (passes->graph, node);
    i--;
  }
  return sl_graph_sort (passes->graph, error) && sl_graph_infer (passes->graph, error);
}
