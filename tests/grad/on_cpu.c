#include "grad/on_cpu.h"

#include "cpu/cpu.h"
#include "passes/passes.h"
#include "ref/ref.h"

#include <math.h>
#include <string.h>

gboolean
on_cpu_evaluate (void *data, const SlNode *node, SlTensor **ret_outputs, GError **error)
{
  SlTensor *inputs[16] = {NULL};
  g_assert_cmpuint (node->n_inputs, <=, G_N_ELEMENTS (inputs));
  for (uint32_t i = 0; i < node->n_inputs; i++)
    inputs[i] = node->inputs[i] != NULL ? node->inputs[i]->data : NULL;
  if (node->op->traits & (SL_TRAIT_PACKING | SL_TRAIT_RELAYOUT))
    return sl_cpu_evaluate (node, inputs, ret_outputs, error);
  return sl_ref_evaluate (node, inputs, ret_outputs, error);
}

static size_t
place (const SlValue *value, size_t index)
{
  ptrdiff_t stride[SL_MAX_RANK], at = 0;
  sl_value_get_strides (value, stride);
  for (uint32_t d = value->shape.rank; d-- > 0; index /= (size_t)value->shape.dim[d])
    at += (ptrdiff_t)(index % (size_t)value->shape.dim[d]) * stride[d];
  return (size_t)at;
}

/* Moves elements between a run's memory and a dense tensor. */
static void
move (void *run, const SlValue *value, SlTensor *dense, bool in)
{
  size_t size = sl_dtype_get_size (value->dtype);
  char *memory = sl_cpu_backend.memory (run, value);
  char *data = sl_tensor_get_data_writable (dense);
  for (size_t i = 0; i < sl_tensor_get_elements (dense); i++) {
    char *there = memory + place (value, i) * size, *here = data + i * size;
    memcpy (in ? there : here, in ? here : there, size);
  }
}

static SlPlan *
make_plan (SlGraph *graph, bool optimize)
{
  g_autoptr (GError) error = NULL;
  const SlTarget target = sl_cpu_get_target ();
  SlPasses passes = {.graph = graph,
                     .target = &target,
                     .optimize = optimize,
                     .evaluate = on_cpu_evaluate,
                     .folded_limit = UINT64_MAX,
                     .work_limit = INFINITY};
  if (!sl_graph_sort (graph, &error) || !sl_passes_run (&passes, &error))
    g_error ("%s", error->message);
  SlPlan *plan = sl_plan_new (graph, &target, G_MAXUINT64, &error);
  g_assert_no_error (error);
  return plan;
}

GPtrArray *
run_on_cpu (SlGraph *graph, const Numeric *numeric, bool optimize, uint32_t threads)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *results = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  g_autoptr (GPtrArray) points = g_ptr_array_new (); /* where passes leave the values alone */
  for (uint32_t i = 0; i < graph->inputs->len; i++)
    g_ptr_array_add (points, numeric_get (numeric, graph->inputs->pdata[i]));
  g_autoptr (SlPlan) plan = make_plan (graph, optimize);
  void *program = sl_cpu_backend.compile (plan, &(SlCompileOptions){.threads = threads}, &error);
  g_assert_no_error (error);
  void *run = sl_cpu_backend.run_new (program, &error);
  g_assert_no_error (error);
  for (uint32_t i = 0; i < points->len; i++) {
    const SlValue *input = plan->graph->inputs->pdata[i];
    g_autoptr (SlTensor) content = sl_tensor_new (input->dtype, &input->shape, NULL);
    sl_ref_store (points->pdata[i], sl_tensor_get_data_writable (content));
    move (run, input, content, true);
  }
  sl_cpu_backend.execute (run, NULL);
  for (uint32_t i = 0; i < plan->graph->outputs->len; i++) {
    const SlValue *output = plan->graph->outputs->pdata[i];
    SlTensor *content = sl_tensor_new (output->dtype, &output->shape, NULL);
    move (run, output, content, false);
    g_ptr_array_add (results, content);
  }
  sl_cpu_backend.run_free (run);
  sl_cpu_backend.release (program);
  return results;
}
