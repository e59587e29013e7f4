/* From a model to a program: passes, plan, what the backend makes of it. */
#include "session-private.h"

#include "core/limit.h"
#include "core/pool.h"
#include "cpu/cpu.h"
#include "model-private.h"
#include "passes/passes.h"
#include "ref/ref.h"
#include "vulkan/backend.h"

#define DEFAULT_MEMORY_LIMIT (G_GUINT64_CONSTANT (8) << 30)
/* More than any machine has, and so little that sums and products of sizes do not overflow. */
#define LARGEST_MEMORY_LIMIT (G_GUINT64_CONSTANT (1) << 46)

static gboolean
compute (const SlNode *node, SlTensor *const *inputs, SlTensor **ret_outputs, GError **error)
{
  /* Physical order is the CPU backend's own business; everything else is evaluated in double
   * precision. */
  if (node->op->traits & (SL_TRAIT_PACKING | SL_TRAIT_RELAYOUT))
    return sl_cpu_evaluate (node, inputs, ret_outputs, error);
  return sl_ref_evaluate (node, inputs, ret_outputs, error);
}

static gboolean
compute_stream (const SlNode *node, SlReadFunc read, void *data, SlTensor **ret_outputs,
                GError **error)
{
  return (node->op->traits & SL_TRAIT_PACKING) && node->n_outputs == 1 &&
         sl_cpu_evaluate_stream (node, read, data, ret_outputs, error);
}

static const SlEvaluator evaluator = {compute, compute_stream};

/* What folding works with. */
typedef struct Folding {
  SlConstants *constants;
  GPtrArray *held; /* SlTensor */
} Folding;

static gboolean
evaluate (void *data, const SlNode *node, SlTensor **ret_outputs, GError **error)
{
  const Folding *folding = data;
  return sl_constants_evaluate (folding->constants, node, &evaluator, folding->held, ret_outputs,
                                error);
}

gboolean
sl_session_get_memory_limit (guint64 asked, guint64 *ret, GError **error)
{
  guint64 memory = DEFAULT_MEMORY_LIMIT;
  if (!sl_limit_read ("memory", &memory, error))
    return FALSE;
  *ret = MIN (asked > 0 ? asked : memory, LARGEST_MEMORY_LIMIT);
  return TRUE;
}

/* The options with what the environment says, or the default, in the place of limits of zero. */
static gboolean
complete_options (const SlProgramOptions *options, SlProgramOptions *ret, GError **error)
{
  *ret = options != NULL ? *options : (SlProgramOptions){0};
  guint64 constants = 0, constant_work = 0, work = 0;
  if (!sl_session_get_memory_limit (ret->memory_limit, &ret->memory_limit, error) ||
      !sl_limit_read ("constants", &constants, error) ||
      !sl_limit_read ("constant-work", &constant_work, error) ||
      !sl_limit_read ("work", &work, error))
    return FALSE;
  if (ret->constant_limit == 0)
    ret->constant_limit = constants;
  if (ret->constant_work <= 0)
    ret->constant_work = (double)constant_work;
  if (ret->run_work <= 0)
    ret->run_work = (double)work;
  return TRUE;
}

/* Free dimensions of the port may be anything, and its leading one is the batch. */
static gboolean
check_shape (const SlPort *port, const SlShape *shape, GError **error)
{
  bool fits = shape->rank == port->shape.rank;
  for (uint32_t i = 1; fits && i < shape->rank; i++)
    fits = port->shape.dim[i] < 0 || port->shape.dim[i] == shape->dim[i];
  if (fits)
    return TRUE;
  g_autofree char *stated = sl_shape_to_string (&port->shape);
  g_autofree char *given = shape->rank <= SL_MAX_RANK
                               ? sl_shape_to_string (shape)
                               : g_strdup_printf ("of %u dimensions", shape->rank);
  g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "input '%s' is %s, the model says %s", port->name,
               given, stated);
  return FALSE;
}

/* The shape of input `index`: given, or the file's with free dimensions set and its leading one
 * replaced by the batch that was asked for. */
static gboolean
input_shape (const SlPort *port, const SlProgramOptions *options, uint32_t index,
             SlShape *ret_shape, GError **error)
{
  SlShape shape = port->shape;
  if (options->shapes != NULL) {
    shape = options->shapes[index];
    if (!check_shape (port, &shape, error))
      return FALSE;
  } else if (options->batch > 0 && shape.rank > 0) {
    shape.dim[0] = options->batch;
  }
  for (uint32_t i = 0; i < shape.rank; i++)
    if (shape.dim[i] < 0)
      shape.dim[i] = 1;
  *ret_shape = shape;
  return TRUE;
}

/* Makes an input constant whose content the options give. */
static gboolean
fix_input (const SlPort *port, const SlProgramOptions *options, uint32_t index, SlValue *input,
           GError **error)
{
  SlTensor *content = options->fixed != NULL ? options->fixed[index] : NULL;
  if (content == NULL)
    return TRUE;
  if (sl_tensor_get_dtype (content) != port->dtype) {
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "input '%s' is fixed to %s, the model says %s",
                 port->name, sl_dtype_get_name (sl_tensor_get_dtype (content)),
                 sl_dtype_get_name (port->dtype));
    return FALSE;
  }
  if (!check_shape (port, sl_tensor_get_shape (content), error))
    return FALSE;
  input->kind = SL_VALUE_CONSTANT;
  input->data = sl_tensor_ref (content);
  input->shape = *sl_tensor_get_shape (content);
  return TRUE;
}

/* Taps are outputs of the program's graph: passes and planner know what they may not do to those.
 */
static gboolean
mark_taps (SlGraph *graph, const SlProgramOptions *options, GError **error)
{
  for (uint32_t i = 0; i < options->n_taps; i++) {
    SlValue *value = sl_graph_find_value (graph, options->taps[i]);
    if (value == NULL || (value->kind == SL_VALUE_ACTIVATION && value->producer == NULL)) {
      g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "the network has no value named '%s'",
                   options->taps[i]);
      return FALSE;
    }
    sl_graph_mark_output (graph, value);
  }
  return TRUE;
}

/* A private copy of the model's graph with the inputs' shapes set and all others open. */
static SlGraph *
clone_for (SlModel *model, const SlProgramOptions *options, GError **error)
{
  g_autoptr (SlGraph) graph = sl_graph_clone (sl_model_get_graph (model));
  if (options->shapes != NULL && options->n_shapes != graph->inputs->len) {
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "%u input shapes given, the model has %u inputs",
                 options->n_shapes, graph->inputs->len);
    return NULL;
  }
  for (uint32_t i = 0; i < graph->values->len; i++) {
    SlValue *value = g_ptr_array_index (graph->values, i);
    if (value->kind == SL_VALUE_ACTIVATION)
      value->has_shape = false;
  }
  for (uint32_t i = 0; i < graph->inputs->len; i++) {
    SlValue *input = g_ptr_array_index (graph->inputs, i);
    if (!input_shape (sl_model_get_input (model, i), options, i, &input->shape, error) ||
        !fix_input (sl_model_get_input (model, i), options, i, input, error))
      return NULL;
    input->has_shape = true;
  }
  for (uint32_t i = graph->inputs->len; i-- > 0;)
    if (((SlValue *)graph->inputs->pdata[i])->kind == SL_VALUE_CONSTANT)
      g_ptr_array_remove_index (graph->inputs, i);
  if ((options->frozen && !sl_freeze_variables (graph, error)) ||
      !mark_taps (graph, options, error))
    return NULL;
  return g_steal_pointer (&graph);
}

static gboolean
run_passes (SlPasses *passes, SlModel *model, const SlProgramOptions *options, GError **error)
{
  g_autoptr (GPtrArray) held = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  Folding folding = {sl_model_get_constants (model), held};
  passes->evaluate = evaluate;
  passes->evaluate_data = &folding;
  passes->memory_limit = options->memory_limit;
  passes->folded_limit = options->constant_limit;
  passes->work_limit = options->constant_work;
  gboolean done = sl_passes_run (passes, error) &&
                  sl_constants_load (folding.constants, passes->graph, &evaluator, error);
  g_clear_pointer (&held, g_ptr_array_unref);
  sl_constants_trim (folding.constants);
  return done;
}

SlGraph *
sl_session_open_graph (SlModel *model, const SlProgramOptions *options, GError **error)
{
  SlProgramOptions all;
  if (!complete_options (options, &all, error))
    return NULL;
  g_autoptr (SlGraph) graph = clone_for (model, &all, error);
  if (graph == NULL || !run_passes (&(SlPasses){.graph = graph}, model, &all, error))
    return NULL;
  return g_steal_pointer (&graph);
}

static gboolean
check_work (const SlGraph *graph, double limit, GError **error)
{
  double work = 0;
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    work += sl_node_get_work (g_ptr_array_index (graph->nodes, i));
  if (limit <= 0 || work <= limit)
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
               "a run would take %.3g operations, the limit is %.3g" SL_LIMIT_HINT ("work"), work,
               limit);
  return FALSE;
}

/* Passes and planning: everything up to a plan. */
static SlPlan *
make_plan (SlProgram *program, const SlProgramOptions *options, GError **error)
{
  g_autoptr (SlGraph) graph = clone_for (program->model, options, error);
  if (graph == NULL)
    return NULL;
  const bool half = options->half && graph->updates->len == 0; /* what trains needs its bits */
  SlTarget target;
  if (program->device->backend == SL_BACKEND_VULKAN) {
    target = sl_vulkan_get_target (program->device->number, half);
  } else {
    target = sl_cpu_get_target ();
    target.half_weights = half;
  }
  if (g_strcmp0 (g_getenv ("SIGHTLINE_WINOGRAD"), "0") == 0)
    target.winograd = NULL;
  const SlTarget *layouts = program->device->backend == SL_BACKEND_REFERENCE ? NULL : &target;
  SlPasses passes = {.graph = graph,
                     .target = layouts,
                     .optimize = !options->unoptimized,
                     .float_ports = options->float_ports};
  if (!run_passes (&passes, program->model, options, error) ||
      !check_work (graph, options->run_work, error))
    return NULL;
  for (uint32_t i = 0; i < passes.n_effects; i++) {
    const SlPassEffect *effect = &passes.effects[i];
    SlPassInfo info = {.name = effect->name, .before = effect->before, .after = effect->after};
    g_array_append_val (program->passes, info);
  }
  return sl_plan_new (g_steal_pointer (&graph), layouts, passes.memory_limit, error);
}

static const SlBackend *
get_backend (const SlDevice *device)
{
  switch (device->backend) {
  case SL_BACKEND_VULKAN:
    return &sl_vulkan_backend;
  case SL_BACKEND_CPU:
    return &sl_cpu_backend;
  default:
    return &sl_ref_backend;
  }
}

/* Parameters and state that runs touch in the host's memory. */
static GPtrArray *
list_host_variables (const SlProgram *program)
{
  const GPtrArray *values = program->plan->graph->values;
  GPtrArray *list = g_ptr_array_new ();
  for (uint32_t i = 0; i < values->len && !program->backend->holds_variables; i++) {
    const SlValue *value = g_ptr_array_index (values, i);
    if (sl_value_is_variable (value))
      g_ptr_array_add (list, value->data);
  }
  return list;
}

static double
count_flops (const SlGraph *graph)
{
  double flops = 0;
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    flops += sl_node_get_cost (g_ptr_array_index (graph->nodes, i)).flops;
  return flops;
}

SlProgram *
sl_program_new (SlModel *model, const SlProgramOptions *options, GError **error)
{
  SlProgramCost cost;
  g_return_val_if_fail (model != NULL, NULL);
  return sl_session_new_program (model, options, &cost, error);
}

SlProgram *
sl_session_new_program (SlModel *model, const SlProgramOptions *given, SlProgramCost *ret_cost,
                        GError **error)
{
  SlProgramOptions all;
  *ret_cost = (SlProgramCost){0};
  const SlProgramOptions *options = &all;
  if (!complete_options (given, &all, error))
    return NULL;
  g_autoptr (SlProgram) program = g_new0 (SlProgram, 1);
  g_atomic_ref_count_init (&program->refs);
  program->model = sl_model_ref (model);
  program->device = options->device != NULL ? options->device : sl_device_find (NULL, NULL);
  program->backend = get_backend (program->device);
  program->strings = g_string_chunk_new (4096);
  program->layers = g_array_new (FALSE, FALSE, sizeof (SlLayer));
  program->steps = g_array_new (FALSE, FALSE, sizeof (SlStepInfo));
  program->passes = g_array_new (FALSE, FALSE, sizeof (SlPassInfo));
  program->plan = make_plan (program, options, error);
  if (program->plan == NULL)
    return NULL;
  ret_cost->flops = count_flops (program->plan->graph);
  const SlCompileOptions compile = {.threads = options->threads,
                                    .device = program->device->number,
                                    .memory_limit = options->memory_limit,
                                    .host = &sl_cpu_host_steps,
                                    .ret_run_bytes = &ret_cost->run_bytes};
  program->compiled = program->backend->compile (program->plan, &compile, error);
  if (program->compiled == NULL)
    return NULL;
  ret_cost->run_bytes = program->backend->run_bytes (program->compiled);
  if (!sl_plan_check_limit (ret_cost->run_bytes, options->memory_limit, error))
    return NULL;
  program->cost = *ret_cost;
  program->host_variables = list_host_variables (program);
  program->inputs = sl_list_ports (program->plan->graph->inputs);
  program->outputs = sl_list_ports (program->plan->graph->outputs);
  sl_session_list_layers (program);
  return g_steal_pointer (&program);
}

SlProgram *
sl_program_ref (SlProgram *program)
{
  g_atomic_ref_count_inc (&program->refs);
  return program;
}

void
sl_program_unref (SlProgram *program)
{
  if (program == NULL || !g_atomic_ref_count_dec (&program->refs))
    return;
  if (program->compiled != NULL)
    program->backend->release (program->compiled);
  sl_plan_free (program->plan);
  sl_constants_trim (sl_model_get_constants (program->model));
  g_clear_pointer (&program->inputs, g_array_unref);
  g_clear_pointer (&program->outputs, g_array_unref);
  g_clear_pointer (&program->host_variables, g_ptr_array_unref);
  g_array_unref (program->layers);
  g_array_unref (program->steps);
  g_array_unref (program->passes);
  g_string_chunk_free (program->strings);
  sl_model_unref (program->model);
  g_free (program);
}
