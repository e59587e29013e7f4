/* Steps and evaluations of one network. */
#include <sightline/train.h>

#include "core/limit.h"
#include "grad/recompute.h"
#include "model-private.h"
#include "session-private.h"
#include "train/build.h"

#include <math.h>
#include <string.h>

#define DEFAULT_BATCH 32

/* Inputs and outputs of both programs, in this order; an evaluation has the first two alone. */
enum { IN_SAMPLES, IN_TARGET, IN_RATE, IN_STEP, IN_SEED };
enum { OUT_LOSS, OUT_ANSWER, OUT_NORM };

/* One compiled graph and the memory to run it in. */
typedef struct Engine {
  SlModel *model;
  SlProgram *program;
  SlRun *run;
  /* Of steps. */
  uint32_t batch;
  SlGraph *graph;      /* all kept, until there is a program that fits */
  uint32_t n_forward;  /* its first nodes, which are the forward pass */
  SlProgramCost kept;  /* of a program that keeps all */
  SlProgramCost least; /* of what takes the least bytes so far */
} Engine;

struct SlTrainer {
  SlModel *model;   /* the network, with live contents */
  GPtrArray *state; /* SlTensor of the optimiser's, by the name in `names` */
  GPtrArray *names;
  Engine step, last, eval;  /* last: of options.last_batch samples, or nothing */
  Engine *current;          /* step or last */
  SlTrainerOptions options; /* without what it points at */
  guint64 n_steps, n_trained, n_frozen;
  double rate; /* of the last step */
};

static void
engine_clear (Engine *engine)
{
  g_clear_pointer (&engine->run, sl_run_free);
  g_clear_pointer (&engine->program, sl_program_unref);
  g_clear_pointer (&engine->model, sl_model_unref);
}

void
sl_trainer_free (SlTrainer *trainer)
{
  if (trainer == NULL)
    return;
  Engine *const steps[] = {&trainer->step, &trainer->last};
  for (size_t i = 0; i < G_N_ELEMENTS (steps); i++) {
    engine_clear (steps[i]);
    g_clear_pointer (&steps[i]->graph, sl_graph_free);
  }
  engine_clear (&trainer->eval);
  g_clear_pointer (&trainer->model, sl_model_unref);
  g_ptr_array_unref (trainer->state);
  g_ptr_array_unref (trainer->names);
  g_free (trainer);
}

/* --- Making --- */

/* The network for a batch, its own outputs no longer outputs; *ret_answer: what the loss reads. */
static SlGraph *
open_graph (SlTrainer *trainer, uint32_t batch, SlValue **ret_answer, GError **error)
{
  const SlProgramOptions options = {.batch = batch, .memory_limit = trainer->options.memory_limit};
  g_autoptr (SlGraph) graph = sl_session_open_graph (trainer->model, &options, error);
  if (graph == NULL)
    return NULL;
  if (trainer->options.begin != NULL)
    sl_graph_begin_with (graph, sl_graph_find_value (graph, trainer->options.begin),
                         "train/features");
  *ret_answer = sl_train_find_answer (graph, trainer->options.loss, error);
  if (*ret_answer == NULL)
    return NULL;
  if ((*ret_answer)->shape.rank == 0 || (*ret_answer)->shape.dim[0] != (int64_t)batch) {
    g_autofree char *shape = sl_shape_to_string (&(*ret_answer)->shape);
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "output '%s' is %s for a batch of %u, expected one row a sample",
                 (*ret_answer)->name, shape, batch);
    return NULL;
  }
  for (uint32_t i = 0; i < graph->outputs->len; i++)
    ((SlValue *)graph->outputs->pdata[i])->is_output = false;
  g_ptr_array_set_size (graph->outputs, 0);
  return g_steal_pointer (&graph);
}

static SlValue *
add_input (SlGraph *graph, const char *name, SlDType dtype, const SlShape *shape)
{
  SlValue *input = sl_graph_add_value (graph, name, SL_VALUE_INPUT);
  input->dtype = dtype;
  input->shape = *shape;
  input->has_shape = true;
  sl_graph_mark_input (graph, input);
  return input;
}

/* The program for a copy of the graph. */
static gboolean
make_program (const SlTrainer *trainer, SlGraph *graph, guint64 memory_limit, Engine *engine,
              SlProgramCost *ret_cost, GError **error)
{
  *ret_cost = (SlProgramCost){0};
  if (!sl_graph_sort (graph, error))
    return FALSE;
  engine->model =
      sl_model_new_from_graph (sl_graph_clone (graph), sl_model_get_name (trainer->model), NULL);
  const SlProgramOptions options = {.device = trainer->options.device,
                                    .threads = trainer->options.threads,
                                    .memory_limit = memory_limit};
  engine->program = sl_session_new_program (engine->model, &options, ret_cost, error);
  return engine->program != NULL;
}

static gboolean
make_run (Engine *engine, GError **error)
{
  engine->run = sl_run_new (engine->program, error);
  return engine->run != NULL;
}

/* Looking for steps that fit into memory. */
typedef struct Fit {
  guint64 limit;
  uint32_t n_segments; /* of the forward pass, which are computed again; 0: all is kept */
  bool fits;
  bool may_cut;    /* more segments may take less */
  GError *refused; /* by the device, which has no room for the least either */
} Fit;

/* Clears fit->fits if there is no memory for the step; FALSE for other reasons. */
static gboolean
try_step (const SlTrainer *trainer, Engine *engine, Fit *fit, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (SlGraph) graph = sl_graph_clone (engine->graph);
  SlProgramCost cost;
  if (fit->n_segments > 0) {
    const uint32_t n = sl_grad_recompute (graph, engine->n_forward, fit->n_segments);
    /* Where there is no further place to cut at, more segments are of no use. */
    fit->may_cut = n * 2 >= fit->n_segments && fit->n_segments < engine->n_forward;
  }
  const bool is_there = make_program (trainer, graph, G_MAXUINT64, engine, &cost, &problem);
  if (fit->n_segments == 0)
    engine->kept = engine->least = cost;
  if (cost.run_bytes < engine->least.run_bytes)
    engine->least = cost;
  if (is_there && cost.run_bytes <= fit->limit && make_run (engine, &problem))
    return TRUE;
  fit->fits = false;
  if (problem == NULL)
    return TRUE;
  /* Without a size it is not the step that is too large. */
  const bool refused = g_error_matches (problem, SL_ERROR, SL_ERROR_MEMORY) && cost.run_bytes > 0;
  if (!refused) {
    g_propagate_error (error, g_steal_pointer (&problem));
  } else if (cost.run_bytes == engine->least.run_bytes) {
    g_clear_error (&fit->refused);
    fit->refused = g_steal_pointer (&problem);
  }
  return refused;
}

/* Why there is no step. */
static void
set_refused (const Engine *engine, Fit *fit, GError **error)
{
  g_autofree char *kept = sl_limit_print_bytes (engine->kept.run_bytes);
  g_autofree char *least = sl_limit_print_bytes (engine->least.run_bytes);
  g_autofree char *most = sl_limit_print_bytes (fit->limit);
  g_autofree char *needs = g_strdup_printf (
      "a step of %u samples would need %s of memory, and %s if it computed activations again "
      "instead of keeping them",
      engine->batch, kept, least);
  if (fit->refused != NULL && engine->least.run_bytes <= fit->limit)
    g_propagate_prefixed_error (error, g_steal_pointer (&fit->refused), "%s: ", needs);
  else
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT, "%s; the limit is %s" SL_LIMIT_HINT ("memory"),
                 needs, most);
  g_clear_error (&fit->refused);
}

/* Programs that compute more and more of the forward pass again, until those of both batches fit
 * into memory together. */
static gboolean
make_steps (SlTrainer *trainer, GError **error)
{
  Engine *const engines[] = {&trainer->step, &trainer->last};
  const uint32_t n = trainer->options.last_batch > 0 ? 2 : 1;
  Fit fit = {.may_cut = true};
  if (!sl_session_get_memory_limit (trainer->options.memory_limit, &fit.limit, error))
    return FALSE;
  while (!fit.fits && fit.may_cut) {
    fit.fits = true;
    for (uint32_t i = 0; i < n; i++)
      engine_clear (engines[i]);
    for (uint32_t i = 0; i < n; i++)
      if (!try_step (trainer, engines[i], &fit, error)) {
        g_clear_error (&fit.refused);
        return FALSE;
      }
    fit.n_segments += MAX (1, (fit.n_segments + 1) / 2);
  }
  if (!fit.fits) {
    set_refused (&trainer->step, &fit, error);
    return FALSE;
  }
  for (uint32_t i = 0; i < n; i++)
    g_clear_pointer (&engines[i]->graph, sl_graph_free);
  g_clear_error (&fit.refused);
  return TRUE;
}

static gboolean
make_eval (SlTrainer *trainer, GError **error)
{
  SlValue *answer;
  g_autoptr (SlGraph) graph = open_graph (trainer, trainer->options.batch, &answer, error);
  if (graph == NULL)
    return FALSE;
  SlValue *target = add_input (graph, "train/target", SL_FLOAT32, &answer->shape);
  /* Weights and smoothing are means of training: a network is judged by the loss itself. */
  const SlTrainerOptions plain = {.loss = trainer->options.loss};
  SlValue *loss = sl_train_add_loss (graph, &plain, answer, target, error);
  if (loss == NULL)
    return FALSE;
  sl_graph_mark_output (graph, loss);
  sl_graph_mark_output (graph, answer);
  SlProgramCost cost;
  return make_program (trainer, graph, trainer->options.memory_limit, &trainer->eval, &cost,
                       error) &&
         make_run (&trainer->eval, error);
}

/* The optimiser's state is the trainer's: of the first graph, and taken by others in its order. */
static void
share_state (SlTrainer *trainer, const GPtrArray *state)
{
  const bool is_first = trainer->state->len == 0;
  for (uint32_t i = 0; i < state->len; i++) {
    SlValue *value = g_ptr_array_index (state, i);
    if (!is_first) {
      sl_tensor_unref (value->data);
      value->data = sl_tensor_ref (g_ptr_array_index (trainer->state, i));
      continue;
    }
    g_ptr_array_add (trainer->state, sl_tensor_ref (value->data));
    g_ptr_array_add (trainer->names, g_strdup (value->name));
  }
}

/* What a step computes. */
static gboolean
make_graph (SlTrainer *trainer, uint32_t batch, Engine *engine, GError **error)
{
  SlValue *answer, *norm;
  g_autoptr (GPtrArray) state = g_ptr_array_new ();
  g_autoptr (SlGraph) graph = open_graph (trainer, batch, &answer, error);
  if (graph == NULL)
    return FALSE;
  const SlShape scalar = {0};
  SlValue *target = add_input (graph, "train/target", SL_FLOAT32, &answer->shape);
  SlTrainScalars scalars = {.rate = add_input (graph, "train/rate", SL_FLOAT32, &scalar),
                            .step = add_input (graph, "train/step", SL_INT64, &scalar)};
  SlValue *seed = add_input (graph, "train/seed", SL_INT64, &scalar);
  sl_graph_mark_output (graph, answer); /* follows what takes its place */
  if (!sl_train_set_mode (graph, &trainer->options, seed, scalars.step, error))
    return FALSE;
  answer = g_ptr_array_index (graph->outputs, 0);
  g_ptr_array_set_size (graph->outputs, 0);
  answer->is_output = false;
  SlValue *each = sl_train_add_loss (graph, &trainer->options, answer, target, error);
  if (each == NULL)
    return FALSE;
  const SlRawAttr keep[] = {{.name = (char *)"keepdims", .type = SL_RAW_INT, .i = 0}, {0}};
  scalars.loss = sl_train_node (graph, "ReduceMean", "train/mean-loss", keep, 1, &each);
  sl_graph_mark_output (graph, scalars.loss);
  sl_graph_mark_output (graph, answer);
  if (!sl_graph_sort (graph, error))
    return FALSE;
  engine->n_forward = graph->nodes->len;
  if (!sl_train_add_updates (graph, &trainer->options, &scalars, &norm, state, error))
    return FALSE;
  sl_graph_mark_output (graph, norm);
  share_state (trainer, state);
  engine->batch = batch;
  engine->graph = g_steal_pointer (&graph);
  return sl_graph_sort (engine->graph, error);
}

static gboolean
check_options (SlModel *model, const SlTrainerOptions *options, GError **error)
{
  const uint32_t n_inputs = sl_model_get_n_inputs (model);
  const SlPort *input = n_inputs > 0 ? sl_model_get_input (model, 0) : NULL;
  if (n_inputs != 1 || input->dtype != SL_FLOAT32 || input->shape.rank == 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s: has %u inputs%s, expected one of float32 with a batch",
                 sl_model_get_name (model), n_inputs, n_inputs == 1 ? " of another kind" : "");
    return FALSE;
  }
  if (sl_model_get_n_outputs (model) == 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "%s: has no output",
                 sl_model_get_name (model));
    return FALSE;
  }
  return TRUE;
}

static void
count_parameters (SlTrainer *trainer, const SlTrainerOptions *options)
{
  for (uint32_t i = 0; i < sl_model_get_n_variables (trainer->model); i++) {
    SlVariable variable;
    sl_model_get_variable (trainer->model, i, &variable);
    if (variable.is_state)
      continue;
    if (sl_train_rate_factor (options, variable.name) != 0)
      trainer->n_trained += variable.elements;
    else
      trainer->n_frozen += variable.elements;
  }
}

SlTrainer *
sl_trainer_new (SlModel *model, const SlTrainerOptions *options, GError **error)
{
  g_return_val_if_fail (model != NULL && options != NULL, NULL);
  if (!check_options (model, options, error))
    return NULL;
  g_autoptr (SlTrainer) trainer = g_new0 (SlTrainer, 1);
  trainer->state = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  trainer->names = g_ptr_array_new_with_free_func (g_free);
  trainer->options = *options;
  if (options->batch == 0)
    trainer->options.batch = DEFAULT_BATCH;
  trainer->model = sl_model_new_trainable (model, error);
  if (trainer->model == NULL)
    return NULL;
  sl_train_initialize (sl_model_get_graph (trainer->model), options->seed);
  count_parameters (trainer, options);
  trainer->current = &trainer->step;
  /* The evaluation takes what it takes; steps make do with what is left. */
  if (!make_graph (trainer, trainer->options.batch, &trainer->step, error) ||
      (options->last_batch > 0 &&
       !make_graph (trainer, options->last_batch, &trainer->last, error)) ||
      !make_eval (trainer, error) || !make_steps (trainer, error)) {
    g_prefix_error (error, "%s: ", sl_model_get_name (model));
    return NULL;
  }
  trainer->options.class_weights = NULL;
  trainer->options.rules = NULL;
  return g_steal_pointer (&trainer);
}

/* --- Looking --- */

void
sl_trainer_get_info (SlTrainer *trainer, SlTrainerInfo *ret_info)
{
  SlProgramInfo step;
  sl_program_get_info (trainer->step.program, &step);
  *ret_info = (SlTrainerInfo){
      .parameters = trainer->n_trained,
      .frozen = trainer->n_frozen,
      .step_bytes =
          sl_session_get_run_bytes (trainer->step.program) +
          (trainer->last.program != NULL ? sl_session_get_run_bytes (trainer->last.program) : 0),
      .evaluate_bytes = sl_session_get_run_bytes (trainer->eval.program),
      .step_flops = step.flops,
      .kept_bytes = trainer->step.kept.run_bytes + trainer->last.kept.run_bytes,
      .recomputed_flops = step.flops - trainer->step.kept.flops,
      .n_reference_steps = step.n_reference_steps};
  for (uint32_t i = 0; i < sl_trainer_get_n_variables (trainer); i++) {
    SlVariable variable;
    sl_trainer_get_variable (trainer, i, &variable);
    if (i < sl_model_get_n_variables (trainer->model))
      ret_info->parameter_bytes += variable.bytes;
    else
      ret_info->optimizer_bytes += variable.bytes;
  }
}

void
sl_trainer_choose_last (SlTrainer *trainer, gboolean last)
{
  g_return_if_fail (!last || trainer->last.run != NULL);
  trainer->current = last ? &trainer->last : &trainer->step;
}

void
sl_trainer_get_input (SlTrainer *trainer, SlTensorView *ret_view)
{
  sl_run_get_input (trainer->current->run, IN_SAMPLES, ret_view);
}

void
sl_trainer_get_target (SlTrainer *trainer, SlTensorView *ret_view)
{
  sl_run_get_input (trainer->current->run, IN_TARGET, ret_view);
}

void
sl_trainer_get_eval_input (SlTrainer *trainer, SlTensorView *ret_view)
{
  sl_run_get_input (trainer->eval.run, IN_SAMPLES, ret_view);
}

void
sl_trainer_get_eval_target (SlTrainer *trainer, SlTensorView *ret_view)
{
  sl_run_get_input (trainer->eval.run, IN_TARGET, ret_view);
}

void
sl_trainer_get_eval_output (SlTrainer *trainer, SlTensorView *ret_view)
{
  sl_run_get_output (trainer->eval.run, OUT_ANSWER, ret_view);
}

SlProgram *
sl_trainer_get_step_program (SlTrainer *trainer)
{
  return trainer->step.program;
}

SlRun *
sl_trainer_get_step_run (SlTrainer *trainer)
{
  return trainer->step.run;
}

guint64
sl_trainer_get_step (SlTrainer *trainer)
{
  return trainer->n_steps;
}

void
sl_trainer_set_step (SlTrainer *trainer, guint64 step)
{
  trainer->n_steps = step;
}

SlModel *
sl_trainer_get_model (SlTrainer *trainer)
{
  return trainer->model;
}

uint32_t
sl_trainer_get_n_variables (SlTrainer *trainer)
{
  return sl_model_get_n_variables (trainer->model) + trainer->state->len;
}

void
sl_trainer_get_variable (SlTrainer *trainer, uint32_t index, SlVariable *ret_variable)
{
  const uint32_t n_model = sl_model_get_n_variables (trainer->model);
  g_return_if_fail (index < n_model + trainer->state->len);
  if (index < n_model) {
    sl_model_get_variable (trainer->model, index, ret_variable);
    return;
  }
  SlTensor *tensor = g_ptr_array_index (trainer->state, index - n_model);
  *ret_variable = (SlVariable){.name = g_ptr_array_index (trainer->names, index - n_model),
                               .is_state = TRUE,
                               .dtype = sl_tensor_get_dtype (tensor),
                               .shape = *sl_tensor_get_shape (tensor),
                               .elements = sl_tensor_get_elements (tensor),
                               .bytes = sl_tensor_get_size (tensor),
                               .tensor = tensor};
}

/* --- Running --- */

static const float *
row_of (const SlTensorView *view, uint32_t row)
{
  return (const float *)view->data + row * view->stride[0];
}

static int64_t
find_largest (const SlTensorView *view, uint32_t row)
{
  const float *x = row_of (view, row);
  int64_t best = 0;
  for (int64_t i = 1; i < view->shape.dim[1]; i++)
    if (x[i * view->stride[1]] > x[best * view->stride[1]])
      best = i;
  return best;
}

static uint32_t
count_right (const Engine *engine, uint32_t n)
{
  SlTensorView answer, target;
  uint32_t right = 0;
  sl_run_get_output (engine->run, OUT_ANSWER, &answer);
  sl_run_get_input (engine->run, IN_TARGET, &target);
  if (target.shape.rank != 2)
    return 0;
  for (uint32_t i = 0; i < n; i++)
    right += find_largest (&answer, i) == find_largest (&target, i);
  return right;
}

static void *
input_data (const Engine *engine, uint32_t index)
{
  SlTensorView view;
  sl_run_get_input (engine->run, index, &view);
  return view.data;
}

static double
output_number (const Engine *engine, uint32_t index)
{
  SlTensorView view;
  sl_run_get_output (engine->run, index, &view);
  return (double)*(const float *)view.data;
}

gboolean
sl_trainer_step (SlTrainer *trainer, double rate, SlTrainResult *ret_result, GError **error)
{
  const Engine *engine = trainer->current;
  *(float *)input_data (engine, IN_RATE) = (float)rate;
  *(int64_t *)input_data (engine, IN_STEP) = (int64_t)trainer->n_steps + 1;
  *(int64_t *)input_data (engine, IN_SEED) = (int64_t)trainer->options.seed;
  if (!sl_run_execute (engine->run, error)) {
    g_prefix_error (error, "step %" G_GUINT64_FORMAT " at rate %g: ", trainer->n_steps + 1, rate);
    return FALSE;
  }
  trainer->n_steps++;
  trainer->rate = rate;
  if (ret_result != NULL)
    *ret_result = (SlTrainResult){.loss = output_number (engine, OUT_LOSS),
                                  .n_right = count_right (engine, engine->batch),
                                  .gradient_norm = output_number (engine, OUT_NORM)};
  return TRUE;
}

gboolean
sl_trainer_evaluate (SlTrainer *trainer, uint32_t n, SlTrainResult *ret_result, GError **error)
{
  const Engine *engine = &trainer->eval;
  SlTensorView each;
  double sum = 0;
  g_return_val_if_fail (n <= trainer->options.batch, FALSE);
  if (!sl_run_execute (engine->run, error)) {
    g_prefix_error (error,
                    "evaluation after step %" G_GUINT64_FORMAT " at rate %g: ", trainer->n_steps,
                    trainer->rate);
    return FALSE;
  }
  sl_run_get_output (engine->run, OUT_LOSS, &each);
  for (uint32_t i = 0; i < n; i++)
    sum += (double)*row_of (&each, i);
  if (ret_result != NULL)
    *ret_result = (SlTrainResult){.loss = n > 0 ? sum / n : 0, .n_right = count_right (engine, n)};
  return TRUE;
}

gboolean
sl_trainer_save_model (SlTrainer *trainer, const char *path, const char *const *keys,
                       const char *const *values, uint32_t n, GError **error)
{
  return sl_model_save_with (trainer->model, path, keys, values, n, error);
}
