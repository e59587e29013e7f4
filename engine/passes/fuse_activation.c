#include "passes/passes.h"

gboolean
sl_pass_fuse_activation (SlPasses *passes, GError **error)
{
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    SlAct act;
    if (node->op->epilogue == NULL || !node->op->epilogue (node, &act))
      continue;
    SlValue *x = node->inputs[0];
    SlNode *producer = x->producer;
    if (producer == NULL || !(producer->op->traits & SL_TRAIT_EPILOGUE) ||
        producer->act.kind != SL_ACT_NONE || !sl_value_is_private (x) || x->dtype != SL_FLOAT32)
      continue;
    producer->act = act;
    sl_graph_replace_value (passes->graph, node->outputs[0], x);
    sl_graph_remove_node (passes->graph, node);
  }
  return TRUE;
}
