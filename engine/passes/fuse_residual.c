#include "passes/passes.h"

/* Recognises a plain sum of two values of one shape by what it is to the graph: not by its name. */
static bool
is_plain_sum (const SlNode *node)
{
  return (node->op->traits & SL_TRAIT_SUM) && node->n_inputs == 2 &&
         node->act.kind == SL_ACT_NONE &&
         sl_shape_equal (&node->inputs[0]->shape, &node->inputs[1]->shape) &&
         node->outputs[0]->dtype == SL_FLOAT32;
}

/* TRUE if the kernel that computes `x` can add `other` to it. */
static bool
can_take (const SlValue *x, const SlValue *other)
{
  const SlNode *producer = x->producer;
  return producer != NULL && (producer->op->traits & SL_TRAIT_RESIDUAL) &&
         sl_value_is_private (x) && producer->n_inputs <= 3 && producer->act.kind == SL_ACT_NONE &&
         other->kind == SL_VALUE_ACTIVATION &&
         !(producer->op->row_major_only != NULL && producer->op->row_major_only (producer));
}

static void
fuse (SlGraph *graph, SlNode *sum, SlValue *x, SlValue *other)
{
  SlNode *producer = x->producer;
  if (producer->n_inputs < 3)
    sl_node_add_input (producer, NULL);
  sl_node_add_input (producer, other);
  /* The producer now waits for the other summand: it moves to where the sum was. */
  producer->id = sum->id;
  sl_graph_replace_value (graph, sum->outputs[0], x);
  sl_graph_remove_node (graph, sum);
}

gboolean
sl_pass_fuse_residual (SlPasses *passes, GError **error)
{
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *sum = g_ptr_array_index (nodes, i);
    if (!is_plain_sum (sum))
      continue;
    /* The later summand: its kernel finds the other one finished. */
    SlValue *a = sum->inputs[0], *b = sum->inputs[1];
    bool a_is_later =
        a->producer != NULL && b->producer != NULL && a->producer->id > b->producer->id;
    SlValue *first = a_is_later ? a : b, *second = a_is_later ? b : a;
    if (can_take (first, second))
      fuse (passes->graph, sum, first, second);
    else if (can_take (second, first))
      fuse (passes->graph, sum, second, first);
  }
  return TRUE;
}
