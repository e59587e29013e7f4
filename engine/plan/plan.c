#include "plan/plan.h"

#include "core/limit.h"

static void
lower_all (SlPlan *plan)
{
  for (uint32_t i = 0; i < plan->graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (plan->graph->nodes, i);
    SlLowering to = {.steps = plan->steps, .target = &plan->target, .node = node};
    sl_lower_node (&to);
  }
}

gboolean
sl_plan_check_limit (guint64 bytes, guint64 memory_limit, GError **error)
{
  if (bytes <= memory_limit)
    return TRUE;
  g_autofree char *needed = sl_limit_print_bytes (bytes);
  g_autofree char *limit = sl_limit_print_bytes (memory_limit);
  g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
               "a run would need %s of memory, the limit is %s" SL_LIMIT_HINT ("memory"), needed,
               limit);
  return FALSE;
}

static gboolean
check_update (const SlUpdate *update, GError **error)
{
  const SlValue *value = update->value, *next = update->next;
  if (value->dtype == next->dtype && sl_shape_equal (&value->shape, &next->shape))
    return TRUE;
  g_autofree char *found = sl_shape_to_string (&next->shape);
  g_autofree char *wanted = sl_shape_to_string (&value->shape);
  g_set_error (error, SL_ERROR, SL_ERROR_SHAPE,
               "'%s' is to become '%s', which is %s of %s, expected %s of %s", value->name,
               next->name, found, sl_dtype_get_name (next->dtype), wanted,
               sl_dtype_get_name (value->dtype));
  return FALSE;
}

SlPlan *
sl_plan_new (SlGraph *graph, const SlTarget *target, guint64 memory_limit, GError **error)
{
  g_autoptr (SlPlan) plan = g_new0 (SlPlan, 1);
  plan->graph = graph;
  plan->steps = g_array_new (FALSE, FALSE, sizeof (SlStep));
  g_array_set_clear_func (plan->steps, (GDestroyNotify)sl_step_clear);
  for (uint32_t i = 0; i < graph->updates->len; i++)
    if (!check_update (&g_array_index (graph->updates, SlUpdate, i), error))
      return NULL;
  if (target != NULL) {
    plan->target = *target;
    sl_plan_views (graph);
    sl_plan_updates (graph);
    sl_plan_in_place (graph);
  }
  plan->offset = g_new0 (size_t, graph->values->len + 1);
  plan->arena_bytes = sl_plan_arena (graph, plan->offset);
  if (!sl_plan_check_limit (plan->arena_bytes, memory_limit, error))
    return NULL;
  if (target != NULL)
    lower_all (plan);
  return g_steal_pointer (&plan);
}

void
sl_plan_free (SlPlan *plan)
{
  if (plan == NULL)
    return;
  g_array_unref (plan->steps);
  g_free (plan->offset);
  sl_graph_free (plan->graph);
  g_free (plan);
}
