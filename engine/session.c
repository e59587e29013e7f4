/* Programs and runs: the one place that knows both backends. */
#include "session-private.h"

#include "core/limit.h"
#include "core/pool.h"
#include "cpu/cpu.h"
#include "model-private.h"
#include "passes/passes.h"
#include "plan/plan.h"
#include "ref/ref.h"

#include <string.h>

#define DEFAULT_MEMORY_LIMIT (G_GUINT64_CONSTANT (8) << 30)
/* More than any machine has, and so little that sums and products of sizes do not overflow. */
#define LARGEST_MEMORY_LIMIT (G_GUINT64_CONSTANT (1) << 46)

/* Operations, or elements, that any form of computing is done with in a microsecond or so. */
#define SLOW_WORK 64

struct SlProgram {
  gatomicrefcount refs;
  SlModel *model;
  const SlDevice *device;
  const SlBackend *backend;
  SlPlan *plan;
  void *compiled;
  GArray *inputs, *outputs; /* SlPort */
  GArray *layers;           /* SlLayer; strings interned in `strings` */
  GArray *steps;            /* SlStepInfo */
  GArray *passes;           /* SlPassInfo */
  GStringChunk *strings;
};

struct SlRun {
  SlProgram *program;
  void *run;
};

/* --- Making a program --- */

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

/* The options with what the environment says, or the default, in the place of limits of zero. */
static gboolean
complete_options (const SlProgramOptions *options, SlProgramOptions *ret, GError **error)
{
  *ret = options != NULL ? *options : (SlProgramOptions){0};
  guint64 memory = DEFAULT_MEMORY_LIMIT, constants = 0, constant_work = 0, work = 0;
  if (!sl_limit_read ("memory", &memory, error) ||
      !sl_limit_read ("constants", &constants, error) ||
      !sl_limit_read ("constant-work", &constant_work, error) ||
      !sl_limit_read ("work", &work, error))
    return FALSE;
  ret->memory_limit =
      MIN (ret->memory_limit > 0 ? ret->memory_limit : memory, LARGEST_MEMORY_LIMIT);
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
  return mark_taps (graph, options, error) ? g_steal_pointer (&graph) : NULL;
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

static void
add_step (SlProgram *program, uint32_t layer, const char *kernel)
{
  SlStepInfo info = {.layer = layer, .kernel = kernel};
  g_array_append_val (program->steps, info);
}

/* Notes the node's steps, which stand in the order of the nodes, and returns the kernel of the last
 * one. */
static const char *
list_steps (SlProgram *program, uint32_t layer)
{
  const char *kernel = "";
  const SlNode *node = g_ptr_array_index (program->plan->graph->nodes, layer);
  const GArray *steps = program->plan->steps;
  if (program->device->backend == SL_BACKEND_REFERENCE) {
    add_step (program, layer, SL_STEP_REFERENCE);
    return kernel;
  }
  while (program->steps->len < steps->len) {
    const SlStep *step = &g_array_index (steps, SlStep, program->steps->len);
    if (step->node != node)
      break;
    kernel = step->kernel;
    add_step (program, layer, kernel);
  }
  return kernel;
}

/* What was fused into the node: a bias, a residual, an activation. */
static const char *
list_fused (SlProgram *program, const SlNode *node)
{
  g_autoptr (GString) text = g_string_new (NULL);
  if ((node->op->absorb_affine != NULL) && sl_node_input (node, 2) != NULL)
    g_string_append (text, "bias");
  if ((node->op->traits & SL_TRAIT_RESIDUAL) && sl_node_input (node, 3) != NULL)
    g_string_append_printf (text, "%sresidual", text->len > 0 ? ", " : "");
  if (node->act.kind != SL_ACT_NONE && text->len > 0)
    g_string_append (text, ", ");
  sl_act_print (&node->act, text);
  return g_string_chunk_insert (program->strings, text->str);
}

static void
list_layers (SlProgram *program)
{
  for (uint32_t i = 0; i < program->plan->graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (program->plan->graph->nodes, i);
    SlCost cost = sl_node_get_cost (node);
    g_autoptr (GString) attrs = g_string_new (NULL);
    sl_node_print_attrs (node, attrs);
    SlLayer layer = {.name = node->name,
                     .op = node->op->name,
                     .output = node->outputs[0] != NULL ? node->outputs[0]->name : "",
                     .kernel = list_steps (program, i),
                     .attributes = g_string_chunk_insert (program->strings, attrs->str),
                     .flops = cost.flops,
                     .bytes = cost.bytes,
                     .fused = list_fused (program, node)};
    if (node->outputs[0] != NULL) {
      layer.dtype = node->outputs[0]->dtype;
      layer.shape = node->outputs[0]->shape;
      layer.channels_last = node->outputs[0]->layout == SL_LAYOUT_CHANNELS_LAST;
      layer.is_part = node->outputs[0]->pixel_stride > 0;
    }
    for (uint32_t k = 0; k < node->n_inputs; k++) {
      bool is_state;
      if (!sl_model_is_weight (program->model, node, k, &is_state))
        continue;
      const size_t n = sl_tensor_get_elements (node->inputs[k]->data);
      layer.parameters += n;
      layer.states += is_state ? n : 0;
    }
    g_array_append_val (program->layers, layer);
  }
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
               "a run would take %.3g operations, the limit is %.3g", work, limit);
  return FALSE;
}

/* Passes and planning: everything up to a plan. */
static SlPlan *
make_plan (SlProgram *program, const SlProgramOptions *options, GError **error)
{
  g_autoptr (SlGraph) graph = clone_for (program->model, options, error);
  if (graph == NULL)
    return NULL;
  SlTarget target = sl_cpu_get_target ();
  target.half_weights = options->half_weights;
  const SlTarget *layouts = program->device->backend == SL_BACKEND_CPU ? &target : NULL;
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

SlProgram *
sl_program_new (SlModel *model, const SlProgramOptions *given, GError **error)
{
  g_return_val_if_fail (model != NULL, NULL);
  SlProgramOptions all;
  const SlProgramOptions *options = &all;
  if (!complete_options (given, &all, error))
    return NULL;
  g_autoptr (SlProgram) program = g_new0 (SlProgram, 1);
  g_atomic_ref_count_init (&program->refs);
  program->model = sl_model_ref (model);
  program->device = options->device != NULL ? options->device : sl_device_list ()[0];
  program->backend = program->device->backend == SL_BACKEND_CPU ? &sl_cpu_backend : &sl_ref_backend;
  program->strings = g_string_chunk_new (4096);
  program->layers = g_array_new (FALSE, FALSE, sizeof (SlLayer));
  program->steps = g_array_new (FALSE, FALSE, sizeof (SlStepInfo));
  program->passes = g_array_new (FALSE, FALSE, sizeof (SlPassInfo));
  program->plan = make_plan (program, options, error);
  if (program->plan == NULL)
    return NULL;
  program->compiled = program->backend->compile (program->plan, options->threads, error);
  if (program->compiled == NULL ||
      !sl_plan_check_limit (program->backend->run_bytes (program->compiled), options->memory_limit,
                            error))
    return NULL;
  program->inputs = sl_list_ports (program->plan->graph->inputs);
  program->outputs = sl_list_ports (program->plan->graph->outputs);
  list_layers (program);
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
  g_array_unref (program->layers);
  g_array_unref (program->steps);
  g_array_unref (program->passes);
  g_string_chunk_free (program->strings);
  sl_model_unref (program->model);
  g_free (program);
}

guint64
sl_session_get_run_bytes (SlProgram *program)
{
  return program->backend->run_bytes (program->compiled);
}

const SlPlan *
sl_session_get_plan (SlProgram *program)
{
  return program->plan;
}

/* --- Looking at a program --- */

SlModel *
sl_program_get_model (SlProgram *program)
{
  return program->model;
}

const SlDevice *
sl_program_get_device (SlProgram *program)
{
  return program->device;
}

uint32_t
sl_program_get_n_inputs (SlProgram *program)
{
  return program->inputs->len;
}

uint32_t
sl_program_get_n_outputs (SlProgram *program)
{
  return program->outputs->len;
}

const SlPort *
sl_program_get_input (SlProgram *program, uint32_t index)
{
  g_return_val_if_fail (index < program->inputs->len, NULL);
  return &g_array_index (program->inputs, SlPort, index);
}

const SlPort *
sl_program_get_output (SlProgram *program, uint32_t index)
{
  g_return_val_if_fail (index < program->outputs->len, NULL);
  return &g_array_index (program->outputs, SlPort, index);
}

/* Without a fast kernel, and long enough for one to matter. */
static bool
is_slow (const SlStep *step)
{
  return strcmp (step->kernel, SL_STEP_REFERENCE) == 0 && sl_node_get_work (step->node) > SLOW_WORK;
}

void
sl_program_get_info (SlProgram *program, SlProgramInfo *ret_info)
{
  const SlPlan *plan = program->plan;
  SlProgramInfo info = {.n_nodes = plan->graph->nodes->len,
                        .n_steps = plan->steps->len,
                        .arena_bytes = plan->arena_bytes};
  for (uint32_t i = 0; i < plan->steps->len; i++)
    info.n_reference_steps += is_slow (&g_array_index (plan->steps, SlStep, i));
  for (uint32_t i = 0; i < plan->graph->nodes->len; i++)
    info.flops += sl_node_get_cost (g_ptr_array_index (plan->graph->nodes, i)).flops;
  for (uint32_t i = 0; i < plan->graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (plan->graph->values, i);
    if (value->data != NULL)
      info.weight_bytes += sl_tensor_get_size (value->data);
  }
  *ret_info = info;
}

uint32_t
sl_program_get_n_layers (SlProgram *program)
{
  return program->layers->len;
}

void
sl_program_get_layer (SlProgram *program, uint32_t index, SlLayer *ret_layer)
{
  g_return_if_fail (index < program->layers->len);
  *ret_layer = g_array_index (program->layers, SlLayer, index);
}

uint32_t
sl_program_get_n_passes (SlProgram *program)
{
  return program->passes->len;
}

void
sl_program_get_pass (SlProgram *program, uint32_t index, SlPassInfo *ret_pass)
{
  g_return_if_fail (index < program->passes->len);
  *ret_pass = g_array_index (program->passes, SlPassInfo, index);
}

uint32_t
sl_program_get_n_steps (SlProgram *program)
{
  return program->steps->len;
}

void
sl_program_get_step (SlProgram *program, uint32_t index, SlStepInfo *ret_step)
{
  g_return_if_fail (index < program->steps->len);
  *ret_step = g_array_index (program->steps, SlStepInfo, index);
}

char *
sl_program_print (SlProgram *program, SlPrintFormat format)
{
  return format == SL_PRINT_DOT ? sl_graph_print_dot (program->plan->graph)
                                : sl_graph_print_text (program->plan->graph);
}

/* --- Running --- */

SlRun *
sl_run_new (SlProgram *program, GError **error)
{
  SlRun *run = g_new0 (SlRun, 1);
  run->run = program->backend->run_new (program->compiled, error);
  if (run->run == NULL) {
    g_free (run);
    return NULL;
  }
  run->program = sl_program_ref (program);
  return run;
}

void
sl_run_free (SlRun *run)
{
  if (run == NULL)
    return;
  run->program->backend->run_free (run->run);
  sl_program_unref (run->program);
  g_free (run);
}

static void
get_view (SlRun *run, const SlValue *value, SlTensorView *ret_view)
{
  *ret_view = (SlTensorView){.dtype = value->dtype,
                             .shape = value->shape,
                             .data = run->program->backend->memory (run->run, value)};
  sl_value_get_strides (value, ret_view->stride);
}

void
sl_run_get_input (SlRun *run, uint32_t index, SlTensorView *ret_view)
{
  const GPtrArray *inputs = run->program->plan->graph->inputs;
  g_return_if_fail (index < inputs->len);
  get_view (run, g_ptr_array_index (inputs, index), ret_view);
}

void
sl_run_get_output (SlRun *run, uint32_t index, SlTensorView *ret_view)
{
  const GPtrArray *outputs = run->program->plan->graph->outputs;
  g_return_if_fail (index < outputs->len);
  get_view (run, g_ptr_array_index (outputs, index), ret_view);
}

/* Copies between dense row-major memory and a view. */
static void
copy_view (const SlTensorView *view, void *dense, gboolean into_view)
{
  SlCopyParams params = {.rank = view->shape.rank,
                         .element_size = (uint32_t)sl_dtype_get_size (view->dtype)};
  ptrdiff_t stride = 1;
  for (uint32_t d = view->shape.rank; d-- > 0;) {
    params.dims[d] = (size_t)view->shape.dim[d];
    params.src_stride[d] = into_view ? stride : view->stride[d];
    params.dst_stride[d] = into_view ? view->stride[d] : stride;
    stride *= (ptrdiff_t)view->shape.dim[d];
  }
  if (into_view)
    sl_cpu_copy (&params, dense, view->data);
  else
    sl_cpu_copy (&params, view->data, dense);
}

gboolean
sl_run_set_input (SlRun *run, uint32_t index, const SlTensor *tensor, GError **error)
{
  SlTensorView view;
  g_return_val_if_fail (index < run->program->inputs->len, FALSE);
  sl_run_get_input (run, index, &view);
  if (sl_tensor_get_dtype (tensor) != view.dtype ||
      !sl_shape_equal (sl_tensor_get_shape (tensor), &view.shape)) {
    g_autofree char *given = sl_shape_to_string (sl_tensor_get_shape (tensor));
    g_autofree char *wanted = sl_shape_to_string (&view.shape);
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "input '%s' got %s of %s, expected %s of %s",
                 sl_program_get_input (run->program, index)->name, given,
                 sl_dtype_get_name (sl_tensor_get_dtype (tensor)), wanted,
                 sl_dtype_get_name (view.dtype));
    return FALSE;
  }
  copy_view (&view, (void *)sl_tensor_get_data (tensor), TRUE);
  return TRUE;
}

SlTensor *
sl_run_copy_output (SlRun *run, uint32_t index, GError **error)
{
  SlTensorView view;
  g_return_val_if_fail (index < run->program->outputs->len, NULL);
  sl_run_get_output (run, index, &view);
  SlTensor *tensor = sl_tensor_new (view.dtype, &view.shape, error);
  if (tensor != NULL)
    copy_view (&view, sl_tensor_get_data_writable (tensor), FALSE);
  return tensor;
}

static gboolean
set_nonfinite (SlRun *run, const SlValue *output, GError **error)
{
  const SlNode *node = run->program->backend->find_nonfinite (run->run);
  if (node != NULL)
    sl_node_error (node, error, SL_ERROR_NUMERIC, "made NaN or infinity, so output '%s' is void",
                   output->name);
  else
    g_set_error (error, SL_ERROR, SL_ERROR_NUMERIC,
                 "an input holds NaN or infinity, so output '%s' is void", output->name);
  return FALSE;
}

static gboolean
check_outputs (SlRun *run, GError **error)
{
  const SlBackend *backend = run->program->backend;
  const GPtrArray *outputs = run->program->plan->graph->outputs;
  for (uint32_t i = 0; i < outputs->len; i++) {
    const SlValue *output = g_ptr_array_index (outputs, i);
    size_t elements = 0;
    sl_shape_get_elements (&output->shape, &elements);
    /* Outputs own their place, so they are dense in either layout. */
    if (!sl_is_finite (output->dtype, backend->memory (run->run, output), elements))
      return set_nonfinite (run, output, error);
  }
  return TRUE;
}

gboolean
sl_run_execute (SlRun *run, GError **error)
{
  run->program->backend->execute (run->run);
  return check_outputs (run, error);
}

gboolean
sl_run_execute_timed (SlRun *run, guint64 *ret_ns, GError **error)
{
  run->program->backend->execute_timed (run->run, ret_ns);
  return check_outputs (run, error);
}
