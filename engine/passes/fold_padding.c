#include "passes/passes.h"

/* A border of zeros that only windows read is theirs: kernels pad without a copy. */
gboolean
sl_pass_fold_padding (SlPasses *passes, GError **error)
{
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    const SlNode *pad = node->op->absorb_pads != NULL ? node->inputs[0]->producer : NULL;
    SlInts pads;
    if (pad == NULL || pad->op->as_zero_border == NULL || !pad->op->as_zero_border (pad, &pads) ||
        !node->op->absorb_pads (node, &pads))
      continue;
    sl_node_set_input (node, 0, pad->inputs[0]);
  }
  return TRUE;
}
