#include "ref/ref.h"

#include "core/clock.h"
#include "core/memory.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define HALF_MAX 65504

typedef struct RefRun {
  const SlPlan *plan;
  SlRefTensor *numbers; /* of each value id; data NULL where the value is not in use */
  void **typed;         /* of graph inputs and outputs, by value id: what the caller sees */
} RefRun;

static void *
ref_compile (const SlPlan *plan, const SlCompileOptions *options, GError **error)
{
  return (void *)plan;
}

static void
ref_release (void *program)
{
}

static void
ref_run_free (void *data)
{
  RefRun *run = data;
  for (uint32_t i = 0; i < run->plan->graph->values->len; i++) {
    sl_aligned_free (run->numbers[i].data);
    sl_aligned_free (run->typed[i]);
  }
  g_free (run->numbers);
  g_free (run->typed);
  g_free (run);
}

/* Every value has a place of its own, in double precision; what the caller sees has a second one,
 * in its own type. */
static guint64
ref_run_bytes (const void *program)
{
  const SlGraph *graph = ((const SlPlan *)program)->graph;
  guint64 bytes = 0;
  for (uint32_t i = 0; i < graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->values, i);
    bool is_seen = value->is_output || value->kind == SL_VALUE_INPUT;
    size_t elements = 0;
    sl_shape_get_elements (&value->shape, &elements);
    if (is_seen || value->producer != NULL || value->uses->len > 0)
      bytes += elements * sizeof (double);
    if (is_seen)
      bytes += sl_value_get_bytes (value);
  }
  return bytes;
}

static gboolean
add_numbers (RefRun *run, const SlValue *value, GError **error)
{
  if (value == NULL || run->numbers[value->id].data != NULL)
    return TRUE;
  SlRefTensor *numbers = &run->numbers[value->id];
  sl_ref_init (numbers, value, NULL);
  numbers->data = sl_aligned_alloc (numbers->n * sizeof (double));
  if (numbers->data == NULL) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory for '%s' in double precision",
                 value->name);
    return FALSE;
  }
  if (value->data != NULL)
    sl_ref_load (numbers, sl_tensor_get_data (value->data));
  return TRUE;
}

static gboolean
add_typed (RefRun *run, const GPtrArray *values, GError **error)
{
  for (uint32_t i = 0; i < values->len; i++) {
    const SlValue *value = g_ptr_array_index (values, i);
    size_t bytes = sl_value_get_bytes (value);
    if (!add_numbers (run, value, error))
      return FALSE;
    if (run->typed[value->id] != NULL)
      continue;
    run->typed[value->id] = sl_aligned_alloc (bytes);
    if (run->typed[value->id] == NULL) {
      g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory for '%s'", value->name);
      return FALSE;
    }
    memset (run->typed[value->id], 0, bytes);
  }
  return TRUE;
}

static gboolean
fill_run (RefRun *run, GError **error)
{
  const SlGraph *graph = run->plan->graph;
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    for (uint32_t k = 0; k < node->n_inputs; k++)
      if (!add_numbers (run, node->inputs[k], error))
        return FALSE;
    for (uint32_t k = 0; k < node->n_outputs; k++)
      if (!add_numbers (run, node->outputs[k], error))
        return FALSE;
  }
  for (uint32_t i = 0; i < graph->updates->len; i++)
    if (!add_numbers (run, g_array_index (graph->updates, SlUpdate, i).next, error))
      return FALSE;
  return add_typed (run, graph->inputs, error) && add_typed (run, graph->outputs, error);
}

static void *
ref_run_new (void *program, GError **error)
{
  RefRun *run = g_new0 (RefRun, 1);
  run->plan = program;
  run->numbers = g_new0 (SlRefTensor, run->plan->graph->values->len + 1);
  run->typed = g_new0 (void *, run->plan->graph->values->len + 1);
  if (fill_run (run, error))
    return run;
  ref_run_free (run);
  return NULL;
}

static void *
ref_memory (void *data, const SlValue *value)
{
  return ((RefRun *)data)->typed[value->id];
}

/* As what the value's type holds, since that is what is looked at. */
static bool
is_finite (const SlRefTensor *numbers)
{
  double largest = numbers->dtype == SL_FLOAT64 ? DBL_MAX : (double)FLT_MAX;
  if (numbers->dtype == SL_FLOAT16)
    largest = HALF_MAX;
  for (size_t i = 0; i < numbers->n; i++)
    if (!(fabs (numbers->f[i]) <= largest))
      return false;
  return true;
}

/* Inputs and outputs of a node, in `ends`, whose memory serves all nodes. */
static void
run_node (RefRun *run, const SlNode *node, GPtrArray *ends)
{
  g_ptr_array_set_size (ends, 0);
  for (uint32_t k = 0; k < node->n_inputs; k++)
    g_ptr_array_add (ends, node->inputs[k] ? &run->numbers[node->inputs[k]->id] : NULL);
  for (uint32_t k = 0; k < node->n_outputs; k++)
    g_ptr_array_add (ends, node->outputs[k] ? &run->numbers[node->outputs[k]->id] : NULL);
  sl_ref_call (node, (const SlRefTensor *const *)ends->pdata,
               (SlRefTensor **)ends->pdata + node->n_inputs);
}

static void
load_inputs (RefRun *run)
{
  const GPtrArray *inputs = run->plan->graph->inputs;
  for (uint32_t i = 0; i < inputs->len; i++) {
    const SlValue *input = g_ptr_array_index (inputs, i);
    sl_ref_load (&run->numbers[input->id], run->typed[input->id]);
  }
}

/* Parameters and state as they are now: other programs change them, too. */
static void
load_variables (RefRun *run)
{
  const GPtrArray *values = run->plan->graph->values;
  for (uint32_t i = 0; i < values->len; i++) {
    const SlValue *value = g_ptr_array_index (values, i);
    if (sl_value_is_variable (value) && run->numbers[i].data != NULL)
      sl_ref_load (&run->numbers[i], sl_tensor_get_data (value->data));
  }
}

static void
store_updates (RefRun *run)
{
  const GArray *updates = run->plan->graph->updates;
  for (uint32_t i = 0; i < updates->len; i++) {
    const SlUpdate *update = &g_array_index (updates, SlUpdate, i);
    sl_ref_store (&run->numbers[update->next->id],
                  sl_tensor_get_data_writable (update->value->data));
  }
}

/* `ret_ns` NULL: nobody asked for times. */
static gboolean
ref_execute_timed (void *data, uint64_t *ret_ns, GError **error)
{
  RefRun *run = data;
  const SlGraph *graph = run->plan->graph;
  g_autoptr (GPtrArray) ends = g_ptr_array_new ();
  load_inputs (run);
  load_variables (run);
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    uint64_t start = sl_clock_ns ();
    run_node (run, g_ptr_array_index (graph->nodes, i), ends);
    if (ret_ns != NULL)
      ret_ns[i] = sl_clock_ns () - start;
  }
  for (uint32_t i = 0; i < graph->outputs->len; i++) {
    const SlValue *output = g_ptr_array_index (graph->outputs, i);
    sl_ref_store (&run->numbers[output->id], run->typed[output->id]);
  }
  store_updates (run);
  return TRUE;
}

static gboolean
ref_execute (void *data, GError **error)
{
  return ref_execute_timed (data, NULL, error);
}

static gboolean
ref_find_nonfinite (void *data, const SlNode **ret_node, GError **error)
{
  RefRun *run = data;
  const SlGraph *graph = run->plan->graph;
  g_autoptr (GPtrArray) ends = g_ptr_array_new ();
  load_inputs (run);
  *ret_node = NULL;
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    run_node (run, node, ends);
    for (uint32_t k = 0; k < node->n_outputs; k++) {
      const SlRefTensor *out = ends->pdata[node->n_inputs + k];
      if (out != NULL && sl_dtype_is_float (out->dtype) && !is_finite (out)) {
        *ret_node = node;
        return TRUE;
      }
    }
  }
  return TRUE;
}

gboolean
sl_ref_evaluate (const SlNode *node, SlTensor *const *inputs, SlTensor **ret_outputs,
                 GError **error)
{
  g_autofree const void **in = g_new0 (const void *, node->n_inputs + 1);
  g_autofree void **out = g_new0 (void *, node->n_outputs + 1);
  for (uint32_t i = 0; i < node->n_inputs; i++)
    in[i] = inputs[i] != NULL ? sl_tensor_get_data (inputs[i]) : NULL;
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    const SlValue *output = node->outputs[i];
    if (output == NULL)
      continue;
    ret_outputs[i] = sl_tensor_new (output->dtype, &output->shape, error);
    if (ret_outputs[i] == NULL)
      return FALSE;
    out[i] = sl_tensor_get_data_writable (ret_outputs[i]);
  }
  void *scratch = sl_aligned_alloc (sl_reference_scratch (node));
  if (scratch == NULL) {
    sl_node_error (node, error, SL_ERROR_MEMORY, "no memory to evaluate it in double precision");
    return FALSE;
  }
  sl_reference_run (node, (void *const *)in, out, scratch);
  sl_aligned_free (scratch);
  return TRUE;
}

const SlBackend sl_ref_backend = {
    .name = "ref",
    .compile = ref_compile,
    .release = ref_release,
    .run_bytes = ref_run_bytes,
    .run_new = ref_run_new,
    .run_free = ref_run_free,
    .memory = ref_memory,
    .execute = ref_execute,
    .execute_timed = ref_execute_timed,
    .find_nonfinite = ref_find_nonfinite,
};
