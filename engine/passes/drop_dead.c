#include "passes/passes.h"

static bool
is_dead (const SlNode *node)
{
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] != NULL &&
        (sl_value_is_wanted (node->outputs[i]) || node->outputs[i]->uses->len > 0))
      return false;
  return true;
}

gboolean
sl_pass_drop_dead (SlPasses *passes, GError **error)
{
  GPtrArray *nodes = passes->graph->nodes;
  /* Backwards: what only a dead node reads is dead when its turn comes. */
  for (uint32_t i = nodes->len; i-- > 0;) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if (is_dead (node)) {
      sl_graph_remove_node (passes->graph, node);
      continue;
    }
    for (uint32_t k = 1; k < node->n_outputs; k++)
      if (node->outputs[k] != NULL && !sl_value_is_wanted (node->outputs[k]) &&
          !node->outputs[k]->is_workspace && node->outputs[k]->uses->len == 0) {
        node->outputs[k]->producer = NULL;
        node->outputs[k] = NULL;
      }
  }
  for (uint32_t i = 0; i < passes->graph->values->len; i++) {
    SlValue *value = g_ptr_array_index (passes->graph->values, i);
    if (value->kind == SL_VALUE_CONSTANT && value->uses->len == 0 && !sl_value_is_wanted (value))
      g_clear_pointer (&value->data, sl_tensor_unref);
  }
  return TRUE;
}
