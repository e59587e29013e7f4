/* Order of computation, and shape inference along it. */
#include "graph/graph.h"

#include "graph/op.h"

static int
compare_ids (const void *a, const void *b)
{
  const SlNode *left = *(SlNode *const *)a, *right = *(SlNode *const *)b;
  return left->id < right->id ? -1 : left->id > right->id;
}

static gboolean
check_producers (const SlGraph *graph, GError **error)
{
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    for (uint32_t k = 0; k < node->n_inputs; k++) {
      const SlValue *input = node->inputs[k];
      if (input == NULL || input->producer != NULL || input->kind != SL_VALUE_ACTIVATION)
        continue;
      sl_node_error (node, error, SL_ERROR_MALFORMED, "input %u, '%s', is computed by no node", k,
                     input->name);
      return FALSE;
    }
  }
  for (uint32_t i = 0; i < graph->outputs->len; i++) {
    const SlValue *output = g_ptr_array_index (graph->outputs, i);
    if (output->producer != NULL || output->kind != SL_VALUE_ACTIVATION)
      continue;
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "output '%s' is computed by no node",
                 output->name);
    return FALSE;
  }
  return TRUE;
}

enum { NEW, OPEN, DONE };

/* Depth first with an explicit stack, so that a deep network does not need a deep C stack: a node
 * is closed once everything it reads is. FALSE if an open node is met again: a cycle. */
static gboolean
visit (SlNode *root, GPtrArray *stack, GPtrArray *sorted, GError **error)
{
  g_ptr_array_add (stack, root);
  while (stack->len > 0) {
    SlNode *node = g_ptr_array_index (stack, stack->len - 1);
    if (node->mark != NEW) {
      if (node->mark == OPEN)
        g_ptr_array_add (sorted, node);
      node->mark = DONE;
      g_ptr_array_set_size (stack, (int)stack->len - 1);
      continue;
    }
    node->mark = OPEN;
    for (uint32_t i = node->n_inputs; i-- > 0;) {
      SlNode *producer = node->inputs[i] != NULL ? node->inputs[i]->producer : NULL;
      if (producer == NULL || producer->mark == DONE)
        continue;
      if (producer->mark == OPEN) {
        sl_node_error (producer, error, SL_ERROR_MALFORMED, "stands in a cycle");
        return FALSE;
      }
      g_ptr_array_add (stack, producer);
    }
  }
  return TRUE;
}

gboolean
sl_graph_sort (SlGraph *graph, GError **error)
{
  sl_graph_sweep (graph);
  if (!check_producers (graph, error))
    return FALSE;
  g_ptr_array_sort (graph->nodes, compare_ids);
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    ((SlNode *)graph->nodes->pdata[i])->mark = NEW;

  g_autoptr (GPtrArray) sorted = g_ptr_array_sized_new (graph->nodes->len);
  g_autoptr (GPtrArray) stack = g_ptr_array_new ();
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    if (!visit (graph->nodes->pdata[i], stack, sorted, error))
      return FALSE;
  g_assert (sorted->len == graph->nodes->len);
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    graph->nodes->pdata[i] = sorted->pdata[i];
  return TRUE;
}

gboolean
sl_graph_infer (SlGraph *graph, GError **error)
{
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    SlNode *node = g_ptr_array_index (graph->nodes, i);
    if (!sl_node_infer (node, error))
      return FALSE;
  }
  return TRUE;
}
