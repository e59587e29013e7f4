#include "passes/passes.h"

#include "core/limit.h"

static bool
is_foldable (const SlNode *node)
{
  if (node->op->traits & SL_TRAIT_RANDOM)
    return false;
  if (node->op->traits & SL_TRAIT_SHAPE_ONLY)
    return true;
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && node->inputs[i]->kind != SL_VALUE_CONSTANT)
      return false;
  return true;
}

/* Counts what the node's results take. */
static gboolean
charge_bytes (SlPasses *passes, const SlNode *node, GError **error)
{
  uint64_t left = passes->folded_limit - passes->folded_bytes;
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    size_t elements = 0;
    if (node->outputs[i] != NULL)
      sl_shape_get_elements (&node->outputs[i]->shape, &elements);
    if (elements <= left / sizeof (double)) {
      left -= elements * sizeof (double);
      continue;
    }
    g_autofree char *shape = sl_shape_to_string (&node->outputs[i]->shape);
    sl_node_error (node, error, SL_ERROR_LIMIT,
                   "constant '%s' would be %s, more than constants made of others may "
                   "take" SL_LIMIT_HINT ("constants"),
                   node->outputs[i]->name, shape);
    return FALSE;
  }
  passes->folded_bytes = passes->folded_limit - left;
  return TRUE;
}

/* Counts what computing them takes. */
static gboolean
charge_work (SlPasses *passes, const SlNode *node, GError **error)
{
  const size_t scratch = node->op->reference != NULL ? sl_reference_scratch (node) : 0;
  if (passes->memory_limit > 0 && scratch > passes->memory_limit) {
    g_autofree char *needed = sl_limit_print_bytes (scratch);
    g_autofree char *limit = sl_limit_print_bytes (passes->memory_limit);
    sl_node_error (node, error, SL_ERROR_LIMIT,
                   "its constants would take %s in double precision, the limit of a run's memory "
                   "is %s" SL_LIMIT_HINT ("memory"),
                   needed, limit);
    return FALSE;
  }
  const double work =
      node->op->traits & SL_TRAIT_SHAPE_ONLY ? (double)node->n_outputs : sl_node_get_work (node);
  passes->folded_work += work;
  if (passes->work_limit <= 0 || passes->folded_work <= passes->work_limit)
    return TRUE;
  sl_node_error (node, error, SL_ERROR_LIMIT,
                 "is constant and takes %.3g operations, %.3g with those before it; the limit of "
                 "computing constants is %.3g" SL_LIMIT_HINT ("constant-work"),
                 work, passes->folded_work, passes->work_limit);
  return FALSE;
}

/* The node's outputs become constants and the node goes. */
static gboolean
fold (SlPasses *passes, SlNode *node, GError **error)
{
  if (!charge_bytes (passes, node, error) || !charge_work (passes, node, error))
    return FALSE;
  g_autofree SlTensor **results = g_new0 (SlTensor *, node->n_outputs);
  if (!passes->evaluate (passes->evaluate_data, node, results, error))
    return FALSE;
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    SlValue *output = node->outputs[i];
    if (output == NULL)
      continue;
    output->kind = SL_VALUE_CONSTANT;
    output->data = results[i];
  }
  sl_graph_remove_node (passes->graph, node);
  return TRUE;
}

/* A value whose shape is known and nothing else may change: inference ran before the planner
 * touched it. */
static bool
is_inferred (const SlNode *node)
{
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] != NULL && !node->outputs[i]->has_shape)
      return false;
  return true;
}

static gboolean
check_sizes (const SlPasses *passes, const SlNode *node, GError **error)
{
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] != NULL && !sl_passes_check_size (passes, node->outputs[i], error))
      return FALSE;
  return TRUE;
}

gboolean
sl_pass_fold_constants (SlPasses *passes, GError **error)
{
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if (!is_inferred (node) && !sl_node_infer (node, error))
      return FALSE;
    if (is_foldable (node) ? !fold (passes, node, error) : !check_sizes (passes, node, error))
      return FALSE;
  }
  return TRUE;
}
