/* Kernels compute in float32: values of 16-bit floats become float32 where they are computed.
 * Inputs and outputs of the graph keep their type (SlPasses.float_ports: become float32 too),
 * constants are widened once, and what a Cast to 16 bits rounds stays rounded. */
#include "passes/passes.h"

#include "ops/internal.h"

typedef struct Widen {
  SlGraph *graph;
  GHashTable *twins; /* SlValue of 16 bits → the same in float32 */
  bool float_ports;
} Widen;

static bool
is_half (const SlValue *value)
{
  return value != NULL && (value->dtype == SL_FLOAT16 || value->dtype == SL_BFLOAT16);
}

static SlValue *
twin_of (Widen *pass, SlValue *value)
{
  SlValue *twin = g_hash_table_lookup (pass->twins, value);
  if (twin == NULL) {
    twin = sl_cast (pass->graph, value, SL_FLOAT32, NULL);
    g_hash_table_insert (pass->twins, value, twin);
  }
  return twin;
}

/* Output `index` of the node, which was of type `dtype` and is float32 now, is one of the graph's:
 * a Cast makes that. */
static void
keep_port (Widen *pass, SlNode *node, uint32_t index, SlDType dtype)
{
  SlValue *port = node->outputs[index];
  sl_cast (pass->graph, sl_pass_detach_output (pass->graph, node, index), dtype, port);
}

static gboolean
widen_node (Widen *pass, SlNode *node, GError **error)
{
  g_autofree SlDType *before = g_new0 (SlDType, node->n_outputs);
  for (uint32_t i = 0; i < node->n_outputs; i++)
    before[i] = is_half (node->outputs[i]) ? node->outputs[i]->dtype : SL_DTYPE_NONE;
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (is_half (node->inputs[i]))
      sl_node_set_input (node, i, twin_of (pass, node->inputs[i]));
  if (!sl_node_infer (node, error))
    return FALSE;
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (before[i] != SL_DTYPE_NONE && !is_half (node->outputs[i]) && node->outputs[i]->is_output &&
        !pass->float_ports)
      keep_port (pass, node, i, before[i]);
  return TRUE;
}

/* Outputs that something else than a float32 computation makes: a Cast, an input, a constant. */
static void
widen_outputs (Widen *pass)
{
  g_autoptr (GPtrArray) outputs = g_ptr_array_new ();
  for (uint32_t i = 0; i < pass->graph->outputs->len; i++)
    if (is_half (pass->graph->outputs->pdata[i]))
      g_ptr_array_add (outputs, pass->graph->outputs->pdata[i]);
  for (uint32_t i = 0; i < outputs->len; i++) {
    SlValue *value = sl_graph_add_value (pass->graph, NULL, SL_VALUE_ACTIVATION);
    sl_graph_replace_value (pass->graph, outputs->pdata[i], value);
    sl_cast (pass->graph, outputs->pdata[i], SL_FLOAT32, value);
  }
}

static bool
has_half (const SlGraph *graph)
{
  for (uint32_t i = 0; i < graph->values->len; i++)
    if (is_half (graph->values->pdata[i]))
      return true;
  return false;
}

gboolean
sl_pass_widen (SlPasses *passes, GError **error)
{
  const bool float_ports = passes->float_ports;
  if ((!float_ports && (passes->target == NULL || !passes->optimize)) || !has_half (passes->graph))
    return TRUE;
  g_autoptr (GHashTable) twins = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  Widen pass = {passes->graph, twins, float_ports};
  for (uint32_t i = 0; i < passes->graph->inputs->len && float_ports; i++) {
    SlValue *input = g_ptr_array_index (passes->graph->inputs, i);
    if (is_half (input))
      input->dtype = SL_FLOAT32;
  }
  for (uint32_t i = 0; i < nodes->len; i++)
    if (!widen_node (&pass, g_ptr_array_index (nodes, i), error))
      return FALSE;
  if (float_ports)
    widen_outputs (&pass);
  return TRUE;
}
