#include "passes/passes.h"

#include "core/limit.h"

typedef struct Pass {
  const char *name;
  gboolean (*run) (SlPasses *passes, GError **error);
  bool needs_target; /* skipped for a backend without layouts and packing */
  bool is_optimization;
} Pass;

static const Pass table[] = {
    {"fold constants", sl_pass_fold_constants, false, false},
    {"widen 16-bit floats", sl_pass_widen, false, false},
    {"fold constants", sl_pass_fold_constants, false, false}, /* what was widened */
    {"simplify", sl_pass_simplify, false, true},
    {"recognize", sl_pass_recognize, false, true},
    {"fold scales and biases", sl_pass_fold_affine, false, true},
    {"fold borders", sl_pass_fold_padding, false, true},
    {"fuse shuffles", sl_pass_fuse_shuffle, false, true},
    {"fuse residuals", sl_pass_fuse_residual, false, true},
    {"fuse activations", sl_pass_fuse_activation, false, true},
    {"drop what nobody reads", sl_pass_drop_dead, false, true},
    {"choose layouts", sl_pass_layout, true, false},
    {"pack weights", sl_pass_prepare, true, false},
    /* Packing, relayouts of constants and the arithmetic of folding end here. */
    {"fold constants", sl_pass_fold_constants, false, false},
    {"drop what nobody reads", sl_pass_drop_dead, false, false},
    {"store halves", sl_pass_halve, true, false},
};

/* Folding may take this much, and this many times what the graph's constants take: weights are
 * scaled, then packed, both in double precision. */
#define FOLDED_BASE ((uint64_t)1 << 30)
#define FOLDED_FACTOR 16
/* And as many operations, some seconds of the reference, and this many for each byte of constants.
 */
#define WORK_BASE 0x1p31
#define WORK_FACTOR 64

static void
complete_limits (SlPasses *passes)
{
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < passes->graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (passes->graph->values, i);
    bytes += value->data != NULL ? sl_tensor_get_size (value->data) : 0;
  }
  if (passes->folded_limit == 0)
    passes->folded_limit = FOLDED_BASE + FOLDED_FACTOR * bytes;
  if (passes->work_limit <= 0)
    passes->work_limit = WORK_BASE + WORK_FACTOR * (double)bytes;
}

SlValue *
sl_pass_detach_output (SlGraph *graph, SlNode *node, uint32_t index)
{
  SlValue *port = node->outputs[index];
  SlValue *value = sl_graph_add_value (graph, port->name, SL_VALUE_ACTIVATION);
  value->dtype = port->dtype;
  value->shape = port->shape;
  value->has_shape = true;
  value->layout = port->layout;
  value->producer = node;
  node->outputs[index] = value;
  port->producer = NULL;
  while (port->uses->len > 0) {
    SlNode *reader = g_ptr_array_index (port->uses, 0);
    for (uint32_t i = 0; i < reader->n_inputs; i++)
      if (reader->inputs[i] == port)
        sl_node_set_input (reader, i, value);
  }
  return value;
}

gboolean
sl_passes_check_size (const SlPasses *passes, const SlValue *value, GError **error)
{
  size_t elements = 0, size = sl_dtype_get_size (value->dtype);
  bool fits = sl_shape_get_elements (&value->shape, &elements);
  if (fits && (passes->memory_limit == 0 || elements * size <= passes->memory_limit))
    return TRUE;
  g_autofree char *shape = sl_shape_to_string (&value->shape);
  g_autofree char *limit = sl_limit_print_bytes (passes->memory_limit);
  g_set_error (
      error, SL_ERROR, SL_ERROR_LIMIT,
      "'%s' would be %s of %s, and the limit of a run's memory is %s" SL_LIMIT_HINT ("memory"),
      value->name, shape, sl_dtype_get_name (value->dtype), limit);
  return FALSE;
}

G_STATIC_ASSERT (G_N_ELEMENTS (table) <= SL_PASSES_MAX);

gboolean
sl_passes_run (SlPasses *passes, GError **error)
{
  passes->folded_bytes = 0;
  passes->folded_work = 0;
  passes->n_effects = 0;
  complete_limits (passes);
  for (uint32_t i = 0; i < passes->graph->inputs->len; i++)
    if (!sl_passes_check_size (passes, passes->graph->inputs->pdata[i], error))
      return FALSE;
  for (uint32_t i = 0; i < passes->graph->outputs->len; i++) {
    const SlValue *output = g_ptr_array_index (passes->graph->outputs, i);
    if (output->data != NULL && !sl_passes_check_size (passes, output, error))
      return FALSE;
  }
  for (size_t i = 0; i < G_N_ELEMENTS (table); i++) {
    if ((table[i].needs_target && passes->target == NULL) ||
        (table[i].is_optimization && !passes->optimize))
      continue;
    SlPassEffect *effect = &passes->effects[passes->n_effects++];
    *effect = (SlPassEffect){.name = table[i].name, .before = passes->graph->nodes->len};
    if (!table[i].run (passes, error) || !sl_graph_sort (passes->graph, error))
      return FALSE;
    effect->after = passes->graph->nodes->len;
  }
  return TRUE;
}
