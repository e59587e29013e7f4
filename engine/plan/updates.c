/* Where the next contents of parameters and state lie. */
#include "plan/plan.h"

/* Position of the last node that reads a place outside the arena, by its root's id, plus one; 0:
 * nobody does. */
static uint32_t *
last_readers (const SlGraph *graph)
{
  uint32_t *last = g_new0 (uint32_t, graph->values->len + 1);
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    for (uint32_t k = 0; k < node->n_inputs; k++) {
      size_t offset;
      if (node->inputs[k] != NULL)
        last[sl_value_get_root (node->inputs[k], &offset)->id] = i + 1;
    }
  }
  return last;
}

bool
sl_node_may_overwrite (const SlNode *node, const SlValue *next, const SlValue *root)
{
  size_t offset;
  uint32_t n = 0, at = 0;
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && sl_value_get_root (node->inputs[i], &offset) == root) {
      at = i;
      n++;
    }
  if (n == 0)
    return true;
  if (n > 1 || node->inputs[at]->layout != next->layout ||
      !sl_shape_equal (&node->inputs[at]->shape, &next->shape))
    return false;
  if (node->op->traits & SL_TRAIT_UPDATES)
    return at < node->n_outputs && node->outputs[at] == next;
  return (node->op->traits & SL_TRAIT_IN_PLACE) && at < 2 && node->outputs[0] == next;
}

/* Whoever reads the content as it was does so before, or while, the producer of the next one
 * writes. What a concatenation yields may be written part by part long before its turn. */
static bool
can_lie_in (const SlUpdate *update, uint32_t position, const uint32_t *last)
{
  const SlValue *value = update->value, *next = update->next;
  return next->kind == SL_VALUE_ACTIVATION && next->base == NULL && !next->is_output &&
         next->layout == value->layout && next->pixel_stride == value->pixel_stride &&
         !(next->producer->op->traits & SL_TRAIT_CONCAT) && last[value->id] <= position + 1 &&
         (last[value->id] <= position || sl_node_may_overwrite (next->producer, next, value));
}

static void
copy_at_end (SlGraph *graph, SlUpdate *update)
{
  SlValue *value = update->value, *next = update->next;
  SlValue *copy = sl_graph_add_value (graph, next->name, SL_VALUE_ACTIVATION);
  copy->dtype = value->dtype;
  copy->shape = value->shape;
  copy->has_shape = true;
  copy->is_next = true;
  copy->layout = value->layout;
  copy->base = value;
  sl_graph_add_node (graph, sl_op_find ("Identity"), value->name, NULL, 1, &next, 1, &copy);
  update->next = copy;
}

void
sl_plan_updates (SlGraph *graph)
{
  g_autofree uint32_t *last = last_readers (graph), *position = NULL;
  const uint32_t n_nodes = graph->nodes->len;
  position = g_new0 (uint32_t, graph->values->len);
  for (uint32_t i = 0; i < n_nodes; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    for (uint32_t k = 0; k < node->n_outputs; k++)
      if (node->outputs[k] != NULL)
        position[node->outputs[k]->id] = i;
  }
  for (uint32_t i = 0; i < graph->updates->len; i++) {
    SlUpdate *update = &g_array_index (graph->updates, SlUpdate, i);
    if (can_lie_in (update, position[update->next->id], last))
      update->next->base = update->value;
    else
      copy_at_end (graph, update);
  }
}

/* TRUE if `value` reaches its root by way of `next`: it is the content as updated. */
static bool
lies_by_way_of (const SlValue *value, const SlValue *next)
{
  for (; value != NULL; value = value->base)
    if (value == next)
      return true;
  return false;
}

static char *
check_reader (const SlNode *node, const SlUpdate *update, bool has_written)
{
  size_t offset;
  for (uint32_t k = 0; k < node->n_inputs; k++) {
    const SlValue *input = node->inputs[k];
    if (input == NULL || sl_value_get_root (input, &offset) != update->value ||
        lies_by_way_of (input, update->next))
      continue;
    if (has_written || (node == update->next->producer &&
                        !sl_node_may_overwrite (node, update->next, update->value)))
      return g_strdup_printf ("'%s' is read by %s when '%s' has overwritten it",
                              update->value->name, node->op->name, update->next->name);
  }
  return NULL;
}

char *
sl_plan_check_updates (const SlGraph *graph)
{
  for (uint32_t i = 0; i < graph->updates->len; i++) {
    const SlUpdate *update = &g_array_index (graph->updates, SlUpdate, i);
    size_t offset;
    bool has_written = false;
    if (sl_value_get_root (update->next, &offset) != update->value || offset != 0)
      return g_strdup_printf ("'%s' does not lie in '%s'", update->next->name, update->value->name);
    for (uint32_t k = 0; k < graph->nodes->len; k++) {
      const SlNode *node = g_ptr_array_index (graph->nodes, k);
      char *wrong = check_reader (node, update, has_written);
      if (wrong != NULL)
        return wrong;
      has_written = has_written || node == update->next->producer;
    }
  }
  return NULL;
}
