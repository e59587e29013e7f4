#include "passes/passes.h"

gboolean
sl_pass_prepare (SlPasses *passes, GError **error)
{
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if (node->op->prepare != NULL)
      node->op->prepare (passes->graph, node, passes->target);
  }
  return TRUE;
}
