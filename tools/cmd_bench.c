/* `sightline bench`: how fast a network runs here, and what that costs in memory. */
#include "bench.h"
#include "command.h"
#include "json.h"
#include "options.h"
#include "profile.h"
#include "report.h"

#include <sightline/sightline.h>

#include <stdio.h>

/* Times are in milliseconds. */
typedef struct {
  double load, compile, first_result;
  ToolTimes runs;
  ToolProfile *profile; /* NULL: not asked for */
} Timing;

static void
timing_clear (Timing *timing)
{
  g_clear_pointer (&timing->profile, tool_profile_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Timing, timing_clear)

static double
since (gint64 start)
{
  return (double)(g_get_monotonic_time () - start) / 1000.0;
}

/* Pictures a run, by the first dimension of the first input. */
static gint64
get_batch (SlProgram *program)
{
  const SlPort *input = sl_program_get_input (program, 0);
  return input && input->shape.rank > 0 ? input->shape.dim[0] : 1;
}

/* Inputs to run with: noise; zeros for other types than floats, where any other number could be an
 * index out of range. */
static SlTensor *
make_input (const SlPort *port, GError **error)
{
  SlTensor *tensor = sl_tensor_new (port->dtype, &port->shape, error);
  if (tensor && port->dtype == SL_FLOAT32)
    tool_bench_fill_noise (sl_tensor_get_data_writable (tensor), sl_tensor_get_elements (tensor));
  return tensor;
}

static gboolean
feed (SlRun *run, GPtrArray *inputs, GError **error)
{
  for (guint i = 0; i < inputs->len; i++)
    if (!sl_run_set_input (run, i, g_ptr_array_index (inputs, i), error))
      return FALSE;
  return TRUE;
}

/* One run with the time of its execution; noise may well give infinities, which are no error here.
 */
static gboolean
run_once (void *data, double *ret_ms, GError **error)
{
  g_autoptr (GError) local = NULL;
  double start = tool_bench_now_ms ();
  gboolean good = sl_run_execute (data, &local);
  *ret_ms = tool_bench_now_ms () - start;
  if (good || g_error_matches (local, SL_ERROR, SL_ERROR_NUMERIC))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static void
print_json (const ToolBench *options, SlProgram *program, const Timing *timing)
{
  SlProgramInfo info;
  const SlDevice *device = sl_program_get_device (program);
  sl_program_get_info (program, &info);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  tool_json_string (builder, "model", sl_model_get_name (sl_program_get_model (program)));
  tool_json_string (builder, "device", device->id);
  tool_json_string (builder, "isa", device->isa);
  tool_json_int (builder, "threads", tool_bench_get_threads (options, device));
  tool_json_string (builder, "half", info.half);
  tool_json_int (builder, "batch", get_batch (program));
  tool_json_int (builder, "runs", timing->runs.runs);
  tool_json_double (builder, "min_ms", timing->runs.min);
  tool_json_double (builder, "median_ms", timing->runs.median);
  tool_json_double (builder, "p95_ms", timing->runs.p95);
  tool_json_double (builder, "gflops", info.flops / timing->runs.median / 1e6);
  tool_json_double (builder, "peak_memory_mb", tool_bench_peak_memory ());
  tool_json_double (builder, "load_ms", timing->load);
  tool_json_double (builder, "compile_ms", timing->compile);
  tool_json_double (builder, "first_result_ms", timing->first_result);
  tool_json_int (builder, "arena_bytes", (gint64)info.arena_bytes);
  tool_json_int (builder, "weight_bytes", (gint64)info.weight_bytes);
  tool_json_int (builder, "reference_steps", info.n_reference_steps);
  if (timing->profile)
    tool_profile_add_json (timing->profile, builder);
  json_builder_end_object (builder);
  tool_json_print (builder, FALSE);
}

static void
print_text (const ToolBench *options, SlProgram *program, const Timing *timing)
{
  SlProgramInfo info;
  const SlDevice *device = sl_program_get_device (program);
  sl_program_get_info (program, &info);
  printf ("network       %s\n", sl_model_get_name (sl_program_get_model (program)));
  printf ("device        %s, %s, threads %u, batch %" G_GINT64_FORMAT "\n", device->id, device->isa,
          tool_bench_get_threads (options, device), get_batch (program));
  printf ("one run       min %.3f ms, median %.3f ms, 95 %% within %.3f ms (%u runs)\n",
          timing->runs.min, timing->runs.median, timing->runs.p95, timing->runs.runs);
  printf ("speed         %.1f GFLOP/s\n", info.flops / timing->runs.median / 1e6);
  printf ("first result  %.1f ms (load %.1f, compile %.1f)\n", timing->first_result, timing->load,
          timing->compile);
  printf ("memory        %.1f MiB at most; %.1f MiB to run, %.1f MiB of weights\n",
          tool_bench_peak_memory (), (double)info.arena_bytes / 1048576,
          (double)info.weight_bytes / 1048576);
  if (options->half)
    printf ("16-bit floats %s\n", info.half);
  if (info.n_reference_steps > 0)
    printf ("slow steps    %u of %u have no fast kernel\n", info.n_reference_steps, info.n_steps);
  if (timing->profile)
    tool_profile_print (timing->profile);
}

/* Everything from the file to the timings. FALSE with an error. */
static gboolean
bench_model (SlModel *model, const SlProgramOptions *program_options, const ToolBench *options,
             gint64 start, Timing *timing, SlProgram **ret_program, GError **error)
{
  gint64 compile_start = g_get_monotonic_time ();
  g_autoptr (SlProgram) program = sl_program_new (model, program_options, error);
  g_autoptr (SlRun) run = program ? sl_run_new (program, error) : NULL;
  if (!run)
    return FALSE;
  timing->compile = since (compile_start);
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  for (uint32_t i = 0; i < sl_model_get_n_inputs (model); i++) {
    SlTensor *tensor = make_input (sl_program_get_input (program, i), error);
    if (!tensor)
      return FALSE;
    g_ptr_array_add (inputs, tensor);
  }
  double ms;
  if (!feed (run, inputs, error) || !run_once (run, &ms, error))
    return FALSE;
  timing->first_result = since (start);
  if (!tool_bench_measure (run_once, run, options->seconds, &timing->runs, error))
    return FALSE;
  if (options->profile) {
    timing->profile = tool_profile_new (program);
    if (!tool_bench_profile (run, options->seconds, timing->profile, error))
      return FALSE;
  }
  *ret_program = g_steal_pointer (&program);
  return TRUE;
}

static int
bench (const ToolBench *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlProgram) program = NULL;
  g_auto (Timing) timing = {0};
  gint64 start = g_get_monotonic_time ();
  const SlDevice *device = tool_find_device (options->network.device_name);
  if (!device)
    return TOOL_FAILED;
  g_autoptr (SlModel) model = tool_network_load_model (&options->network);
  if (!model)
    return TOOL_FAILED;
  timing.load = since (start);
  const SlProgramOptions program_options = {.device = device,
                                            .batch = (uint32_t)options->batch,
                                            .threads = (uint32_t)options->threads,
                                            .half = options->half,
                                            .frozen = TRUE,
                                            .unoptimized = options->unoptimized};
  if (!bench_model (model, &program_options, options, start, &timing, &program, &error)) {
    tool_gerror (sl_model_get_name (model), error);
    return TOOL_FAILED;
  }
  if (options->json)
    print_json (options, program, &timing);
  else
    print_text (options, program, &timing);
  return TOOL_OK;
}

static int
bench_run (int argc, char **argv)
{
  ToolBench options = {.seconds = 1};
  g_autofree char *format = NULL;
  g_auto (GStrv) files = NULL;
  const GOptionEntry entries[] = {
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options.network.device_name,
       "auto, cpu, vulkan, vulkan:N … (default: auto)", "NAME"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &options.threads, "Most threads (default: all)", "N"},
      {"batch", 0, 0, G_OPTION_ARG_INT, &options.batch,
       "Pictures a run (default: the file's, or 1; of a step: 32)", "N"},
      {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &options.seconds, "How long to measure (default: 1)",
       "S"},
      {"half", 0, 0, G_OPTION_ARG_NONE, &options.half,
       "Keep weights, on a GPU activations too, as 16-bit floats where kernels read those", NULL},
      {"unoptimized", 0, 0, G_OPTION_ARG_NONE, &options.unoptimized,
       "Leave the graph as the file has it", NULL},
      {"train", 0, 0, G_OPTION_ARG_NONE, &options.train, "Time steps of training", NULL},
      {"optimizer", 0, 0, G_OPTION_ARG_STRING, &options.optimizer,
       "With --train: sgd, rmsprop, adam or adamw (default: a recipe's)", "NAME"},
      {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.settings,
       "With --train: a key of recipes, such as loss.name=mse", "GROUP.KEY=VALUE"},
      {"profile", 0, 0, G_OPTION_ARG_NONE, &options.profile, "Time each step as well", NULL},
      {"format", 'f', 0, G_OPTION_ARG_STRING, &format, "text (default) or json", "FORMAT"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  static const ToolUsage usage = {
      "[NETWORK]", "Times a network on made-up inputs; without one, the built-in one.",
      "Times are of one execution, of a whole batch, without preparing the picture. The first "
      "result counts from\n"
      "the start of loading. A multiply-add counts as two operations.\n\n"
      "With --train it times whole steps: forward pass, loss, gradients, optimiser. They learn at "
      "rate 0, which\n"
      "takes as long as any other and cannot diverge.\n\n"
      "Examples:\n"
      "  sightline bench net.onnx --threads 2 --batch 4 --seconds 5 -f json\n"
      "  sightline bench net.onnx --threads 1 --profile\n"
      "  sightline bench --train fashion-cnn --batch 64 --optimizer adam\n"
      "  sightline bench --train resnet20-cifar --optimizer sgd --set optimizer.momentum=0.9 "
      "--profile"};
  int status = TOOL_USAGE;
  if (tool_parse (argc, argv, &usage, entries)) {
    options.json = g_strcmp0 (format, "json") == 0;
    if (files && files[1])
      status = tool_usage_error (argv[0], "more than one network given");
    else if (format && !options.json && !g_str_equal (format, "text"))
      status = tool_usage_error (argv[0], "unknown format %s (expected text or json)", format);
    else if (options.threads < 0 || options.batch < 0 || !(options.seconds >= 0) ||
             options.seconds > 86400)
      status = tool_usage_error (argv[0], "threads, batch and seconds have to be 0 or more");
    else if (!options.train && (options.optimizer || options.settings))
      status = tool_usage_error (argv[0], "--optimizer and --set are of training (--train)");
    else if (options.train && (options.unoptimized || options.half))
      status = tool_usage_error (argv[0], "--unoptimized and --half do not go with --train");
    else {
      options.network.model_path = tool_network_find (files ? files[0] : NULL);
      status = options.train ? tool_bench_training (&options, argv[0]) : bench (&options);
    }
  }
  tool_network_clear (&options.network);
  g_strfreev (options.settings);
  g_free (options.optimizer);
  return status;
}

const Command cmd_bench = {"bench", "time a network", bench_run};
