/* `sightline bench --train`: how fast a network learns here. */
#include "bench.h"
#include "command.h"
#include "json.h"
#include "options.h"
#include "report.h"

#include <stdio.h>
#include <string.h>

/* What was made of the command line. */
typedef struct {
  const ToolBench *bench;
  const SlRecipe *recipe;
  SlTrainer *trainer;
  const SlDevice *device;
  ToolTimes times;
  ToolProfile *profile; /* NULL: not asked for */
} Training;

static void
training_clear (Training *training)
{
  g_clear_pointer (&training->profile, tool_profile_free);
  g_clear_pointer (&training->trainer, sl_trainer_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Training, training_clear)

/* The recipe that the options amount to. NULL with what is wrong with them. */
static SlRecipe *
make_recipe (const ToolBench *bench, GError **error)
{
  g_autoptr (SlRecipe) recipe = sl_recipe_new ();
  g_autofree char *batch = g_strdup_printf ("%d", bench->batch);
  const char *network = bench->network.model_path ? bench->network.model_path : "built-in";
  if (!sl_recipe_set (recipe, "network", "base", network, error) ||
      (bench->batch && !sl_recipe_set (recipe, "train", "batch", batch, error)) ||
      (bench->optimizer && !sl_recipe_set (recipe, "optimizer", "name", bench->optimizer, error)))
    return NULL;
  for (char **setting = bench->settings; setting && *setting; setting++)
    if (!tool_recipe_set (recipe, *setting, error))
      return NULL;
  return sl_recipe_complete (recipe, error) ? g_steal_pointer (&recipe) : NULL;
}

/* Elements of what a view shows; what a trainer asks for has no gaps. */
static size_t
count_elements (const SlTensorView *view)
{
  size_t n = 1;
  for (uint32_t i = 0; i < view->shape.rank; i++)
    n *= (size_t)view->shape.dim[i];
  return n;
}

/* Noise, and targets that the loss understands: the classes in turn, or noise again. */
static void
fill_step (SlTrainer *trainer, SlLoss loss)
{
  SlTensorView input, target;
  sl_trainer_get_input (trainer, &input);
  sl_trainer_get_target (trainer, &target);
  tool_bench_fill_noise (input.data, count_elements (&input));
  if (loss == SL_LOSS_MSE || loss == SL_LOSS_MAE) {
    tool_bench_fill_noise (target.data, count_elements (&target));
    return;
  }
  float *row = target.data;
  memset (row, 0, count_elements (&target) * sizeof *row);
  for (gint64 i = 0; i < target.shape.dim[0]; i++, row += target.stride[0])
    row[(i % target.shape.dim[1]) * target.stride[1]] = 1;
}

static gboolean
step_once (void *data, double *ret_ms, GError **error)
{
  double start = tool_bench_now_ms ();
  gboolean good = sl_trainer_step (data, 0, NULL, error);
  *ret_ms = tool_bench_now_ms () - start;
  return good;
}

static gboolean
measure (Training *training, SlModel *model, GError **error)
{
  const ToolBench *bench = training->bench;
  SlTrainerOptions options;
  sl_recipe_get_trainer_options (training->recipe, &options);
  options.device = training->device;
  options.threads = (uint32_t)bench->threads;
  training->trainer = sl_trainer_new (model, &options, error);
  if (!training->trainer)
    return FALSE;
  fill_step (training->trainer, options.loss);
  if (!tool_bench_measure (step_once, training->trainer, bench->seconds, &training->times, error))
    return FALSE;
  if (!bench->profile)
    return TRUE;
  training->profile = tool_profile_new (sl_trainer_get_step_program (training->trainer));
  return tool_bench_profile (sl_trainer_get_step_run (training->trainer), bench->seconds,
                             training->profile, error);
}

static double
per_second (const Training *training, double ms)
{
  return ms > 0 ? (double)training->recipe->train.batch * 1e3 / ms : 0;
}

static void
print_json (const Training *training, const char *name)
{
  SlTrainerInfo info;
  sl_trainer_get_info (training->trainer, &info);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  tool_json_string (builder, "model", name);
  tool_json_string (builder, "device", training->device->id);
  tool_json_string (builder, "isa", training->device->isa);
  tool_json_int (builder, "threads", tool_bench_get_threads (training->bench, training->device));
  tool_json_string (builder, "optimizer", training->recipe->optimizer.name);
  tool_json_string (builder, "loss", training->recipe->loss.name);
  tool_json_int (builder, "batch", training->recipe->train.batch);
  tool_json_int (builder, "parameters", (gint64)info.parameters);
  tool_json_int (builder, "runs", training->times.runs);
  tool_json_double (builder, "min_ms", training->times.min);
  tool_json_double (builder, "median_ms", training->times.median);
  tool_json_double (builder, "p95_ms", training->times.p95);
  tool_json_double (builder, "images_per_second", per_second (training, training->times.median));
  tool_json_double (builder, "best_images_per_second", per_second (training, training->times.min));
  tool_json_double (builder, "gflops", info.step_flops / training->times.median / 1e6);
  tool_json_double (builder, "peak_memory_mb", tool_bench_peak_memory ());
  tool_json_int (builder, "step_bytes", (gint64)info.step_bytes);
  tool_json_int (builder, "parameter_bytes", (gint64)info.parameter_bytes);
  tool_json_int (builder, "optimizer_bytes", (gint64)info.optimizer_bytes);
  tool_json_int (builder, "reference_steps", info.n_reference_steps);
  if (training->profile)
    tool_profile_add_json (training->profile, builder);
  json_builder_end_object (builder);
  tool_json_print (builder, FALSE);
}

static double
mebibytes (guint64 bytes)
{
  return (double)bytes / 1048576;
}

static void
print_text (const Training *training, const char *name)
{
  SlTrainerInfo info;
  const ToolTimes *times = &training->times;
  sl_trainer_get_info (training->trainer, &info);
  printf ("network       %s, %" G_GUINT64_FORMAT " parameters\n", name, info.parameters);
  printf ("device        %s, %s, threads %u\n", training->device->id, training->device->isa,
          tool_bench_get_threads (training->bench, training->device));
  printf ("training      batch %" G_GINT64_FORMAT ", %s, %s\n", training->recipe->train.batch,
          training->recipe->optimizer.name, training->recipe->loss.name);
  printf ("one step      min %.3f ms, median %.3f ms, 95 %% within %.3f ms (%u steps)\n",
          times->min, times->median, times->p95, times->runs);
  printf ("speed         %.0f images/s, at best %.0f; %.1f GFLOP/s\n",
          per_second (training, times->median), per_second (training, times->min),
          info.step_flops / times->median / 1e6);
  printf (
      "memory        %.1f MiB at most; %.1f MiB for a step, %.1f MiB of parameters, %.1f MiB of "
      "the optimiser's\n",
      tool_bench_peak_memory (), mebibytes (info.step_bytes), mebibytes (info.parameter_bytes),
      mebibytes (info.optimizer_bytes));
  if (info.n_reference_steps > 0)
    printf ("slow steps    %u have no fast kernel\n", info.n_reference_steps);
  if (training->profile)
    tool_profile_print (training->profile);
}

int
tool_bench_training (const ToolBench *bench, const char *command)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlRecipe) recipe = make_recipe (bench, &error);
  if (!recipe)
    return tool_usage_error (command, "%s", error->message);
  g_auto (Training) training = {.bench = bench, .recipe = recipe};
  training.device = tool_find_device (bench->network.device_name);
  g_autoptr (SlModel) model = training.device ? tool_network_load_model (&bench->network) : NULL;
  if (!model)
    return TOOL_FAILED;
  const char *name = sl_model_get_name (model);
  if (!measure (&training, model, &error)) {
    tool_gerror (name, error);
    return TOOL_FAILED;
  }
  if (bench->json)
    print_json (&training, name);
  else
    print_text (&training, name);
  return TOOL_OK;
}
