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
  uint32_t batch;
  guint64 kept_bytes;      /* that a step would take without recomputation; G_MAXUINT64: the device
                              has not so many */
  double recomputed_flops; /* of those of a step; 0 then */
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
  engine_clear (&trainer->step);
  engine_clear (&trainer->last);
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
              GError **error)
{
  if (!sl_graph_sort (graph, error))
    return FALSE;
  engine_clear (engine);
  engine->model =
      sl_model_new_from_graph (sl_graph_clone (graph), sl_model_get_name (trainer->model), NULL);
  const SlProgramOptions options = {.device = trainer->options.device,
                                    .threads = trainer->options.threads,
                                    .memory_limit = memory_limit};
  engine->program = sl_program_new (engine->model, &options, error);
  return engine->program != NULL;
}

static gboolean
make_run (Engine *engine, GError **error)
{
  engine->run = sl_run_new (engine->program, error);
  return engine->run != NULL;
}

/* make_program() without a limit but the device's memory: where that has no room there is none, and
 * *ret_refused says so; FALSE for other reasons. */
static gboolean
try_program (const SlTrainer *trainer, SlGraph *graph, Engine *engine, GError **ret_refused,
             GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_clear_error (ret_refused);
  if (make_program (trainer, graph, G_MAXUINT64, engine, &problem))
    return TRUE;
  const gboolean refused = g_error_matches (problem, SL_ERROR, SL_ERROR_MEMORY);
  g_propagate_error (refused ? ret_refused : error, g_steal_pointer (&problem));
  return refused;
}

/* What a step takes; without a program more than there is. */
static guint64
count_bytes (const Engine *engine)
{
  return engine->program != NULL ? sl_session_get_run_bytes (engine->program) : G_MAXUINT64;
}

static double
count_flops (const Engine *engine)
{
  SlProgramInfo info;
  if (engine->program == NULL)
    return 0;
  sl_program_get_info (engine->program, &info);
  return info.flops;
}

/* Programs that recompute more and more of the graph, whose first `n_forward` nodes are the forward
 * pass, until one fits into `limit` bytes; *ret_least: what the smallest one takes. */
static gboolean
recompute_until_it_fits (SlTrainer *trainer, Engine *engine, const SlGraph *graph,
                         uint32_t n_forward, guint64 limit, guint64 *ret_least,
                         GError **ret_refused, GError **error)
{
  const double kept_flops = count_flops (engine);
  for (uint32_t n_segments = 1;; n_segments += (n_segments + 1) / 2) {
    g_autoptr (SlGraph) less = sl_graph_clone (graph);
    const uint32_t n_made = sl_grad_recompute (less, n_forward, n_segments);
    if (!try_program (trainer, less, engine, ret_refused, error))
      return FALSE;
    *ret_least = MIN (*ret_least, count_bytes (engine));
    engine->recomputed_flops = kept_flops > 0 ? count_flops (engine) - kept_flops : 0;
    /* Where there is no further place to cut at, more segments are of no use. */
    if (*ret_least <= limit || n_made * 2 < n_segments || n_segments >= n_forward)
      return TRUE;
  }
}

static gboolean
compile_step (SlTrainer *trainer, Engine *engine, SlGraph *graph, uint32_t n_forward,
              GError **error)
{
  g_autoptr (GError) refused = NULL;
  guint64 limit, least;
  if (!sl_session_get_memory_limit (trainer->options.memory_limit, &limit, error) ||
      !try_program (trainer, graph, engine, &refused, error))
    return FALSE;
  least = engine->kept_bytes = count_bytes (engine);
  if (least > limit &&
      !recompute_until_it_fits (trainer, engine, graph, n_forward, limit, &least, &refused, error))
    return FALSE;
  if (least <= limit)
    return make_run (engine, error);
  if (refused != NULL) {
    g_propagate_error (error, g_steal_pointer (&refused));
    return FALSE;
  }
  g_autofree char *kept = sl_limit_print_bytes (engine->kept_bytes);
  g_autofree char *smallest = sl_limit_print_bytes (least), *most = sl_limit_print_bytes (limit);
  g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
               "a step of %u samples would need %s of memory, and %s if it computed activations "
               "again instead of keeping them; the limit is %s" SL_LIMIT_HINT ("memory"),
               engine->batch, kept, smallest, most);
  return FALSE;
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
  return make_program (trainer, graph, trainer->options.memory_limit, &trainer->eval, error) &&
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

static gboolean
make_step (SlTrainer *trainer, uint32_t batch, Engine *engine, GError **error)
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
  const uint32_t n_forward = graph->nodes->len;
  if (!sl_train_add_updates (graph, &trainer->options, &scalars, &norm, state, error))
    return FALSE;
  sl_graph_mark_output (graph, norm);
  share_state (trainer, state);
  engine->batch = batch;
  return sl_graph_sort (graph, error) && compile_step (trainer, engine, graph, n_forward, error);
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
  if (!make_step (trainer, trainer->options.batch, &trainer->step, error) ||
      (options->last_batch > 0 &&
       !make_step (trainer, options->last_batch, &trainer->last, error)) ||
      !make_eval (trainer, error)) {
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
      .kept_bytes = trainer->step.kept_bytes,
      .recomputed_flops = trainer->step.recomputed_flops,
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
