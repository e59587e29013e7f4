/* `sightline bench`: how fast a network runs here, and what that costs in memory. */
#include "command.h"
#include "json.h"
#include "network.h"
#include "options.h"
#include "profile.h"
#include "report.h"

#include <sightline/sightline.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Runs before those that are timed: caches, frequency, threads that sleep. */
#define WARM_UP_RUNS 3
#define MIN_RUNS 3
#define MAX_RUNS 1000000

typedef struct {
  ToolNetwork network;
  int threads, batch;
  double seconds;
  gboolean unoptimized, half_weights, profile, json;
} BenchOptions;

/* Times are in milliseconds. */
typedef struct {
  double load, compile, first_result, min, median, p95;
  guint runs;
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

/* g_get_monotonic_time() counts microseconds, which is coarse for small networks. */
static double
now_ms (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Largest resident memory of the process so far, in MiB; 0 where the system does not say. */
static double
peak_memory (void)
{
  g_autofree char *status = NULL;
  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0;
  const char *line = strstr (status, "VmHWM:");
  return line ? g_ascii_strtod (line + strlen ("VmHWM:"), NULL) / 1024 : 0;
}

/* Pictures a run, by the first dimension of the first input. */
static gint64
get_batch (SlProgram *program)
{
  const SlPort *input = sl_program_get_input (program, 0);
  return input && input->shape.rank > 0 ? input->shape.dim[0] : 1;
}

/* Inputs to run with: floats spread evenly over ±1.7 (mean 0, deviation 1), always the same; zeros
 * for other types, where any other number could be an index out of range. */
static SlTensor *
make_input (const SlPort *port, GError **error)
{
  SlTensor *tensor = sl_tensor_new (port->dtype, &port->shape, error);
  if (!tensor || port->dtype != SL_FLOAT32)
    return tensor;
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  float *data = sl_tensor_get_data_writable (tensor);
  for (size_t i = 0; i < sl_tensor_get_elements (tensor); i++)
    data[i] = (float)g_rand_double_range (random, -sqrt (3), sqrt (3));
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
run_once (SlRun *run, GPtrArray *inputs, double *ret_ms, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!feed (run, inputs, error))
    return FALSE;
  double start = now_ms ();
  gboolean good = sl_run_execute (run, &local);
  *ret_ms = now_ms () - start;
  if (good || g_error_matches (local, SL_ERROR, SL_ERROR_NUMERIC))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static int
compare_double (const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static gboolean
measure (SlRun *run, GPtrArray *inputs, double seconds, Timing *timing, GError **error)
{
  double ms;
  for (guint i = 0; i < WARM_UP_RUNS; i++)
    if (!run_once (run, inputs, &ms, error))
      return FALSE;
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  double end = now_ms () + seconds * 1e3;
  while (times->len < MIN_RUNS || (now_ms () < end && times->len < MAX_RUNS)) {
    if (!run_once (run, inputs, &ms, error))
      return FALSE;
    g_array_append_val (times, ms);
  }
  qsort (times->data, times->len, sizeof (double), compare_double);
  const double *sorted = (const double *)(void *)times->data;
  timing->runs = times->len;
  timing->min = sorted[0];
  timing->median = sorted[times->len / 2];
  timing->p95 = sorted[MIN (times->len - 1, (guint)ceil (times->len * 0.95) - 1)];
  return TRUE;
}

/* The same runs again, with a look at the clock after each step. */
static gboolean
profile (SlRun *run, GPtrArray *inputs, double seconds, ToolProfile *profile, GError **error)
{
  double end = now_ms () + seconds * 1e3;
  guint runs = 0;
  while ((runs++ < MIN_RUNS || now_ms () < end) && !tool_profile_is_full (profile))
    if (!feed (run, inputs, error) || !tool_profile_run (profile, run, error))
      return FALSE;
  return TRUE;
}

/* That a run can use. */
static guint
get_threads (const BenchOptions *options, const SlDevice *device)
{
  return options->threads ? MIN ((guint)options->threads, device->threads) : device->threads;
}

static void
print_json (const BenchOptions *options, SlProgram *program, const Timing *timing)
{
  SlProgramInfo info;
  const SlDevice *device = sl_program_get_device (program);
  sl_program_get_info (program, &info);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  tool_json_string (builder, "model", sl_model_get_name (sl_program_get_model (program)));
  tool_json_string (builder, "device", device->id);
  tool_json_string (builder, "isa", device->isa);
  tool_json_int (builder, "threads", get_threads (options, device));
  json_builder_set_member_name (builder, "half_weights");
  json_builder_add_boolean_value (builder, options->half_weights);
  tool_json_int (builder, "batch", get_batch (program));
  tool_json_int (builder, "runs", timing->runs);
  tool_json_double (builder, "min_ms", timing->min);
  tool_json_double (builder, "median_ms", timing->median);
  tool_json_double (builder, "p95_ms", timing->p95);
  tool_json_double (builder, "gflops", info.flops / timing->median / 1e6);
  tool_json_double (builder, "peak_memory_mb", peak_memory ());
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
print_text (const BenchOptions *options, SlProgram *program, const Timing *timing)
{
  SlProgramInfo info;
  const SlDevice *device = sl_program_get_device (program);
  sl_program_get_info (program, &info);
  printf ("network       %s\n", sl_model_get_name (sl_program_get_model (program)));
  printf ("device        %s, %s, threads %u, batch %" G_GINT64_FORMAT "\n", device->id, device->isa,
          get_threads (options, device), get_batch (program));
  printf ("one run       min %.3f ms, median %.3f ms, 95 %% within %.3f ms (%u runs)\n",
          timing->min, timing->median, timing->p95, timing->runs);
  printf ("speed         %.1f GFLOP/s\n", info.flops / timing->median / 1e6);
  printf ("first result  %.1f ms (load %.1f, compile %.1f)\n", timing->first_result, timing->load,
          timing->compile);
  printf ("memory        %.1f MiB at most; %.1f MiB to run, %.1f MiB of weights%s\n",
          peak_memory (), (double)info.arena_bytes / 1048576, (double)info.weight_bytes / 1048576,
          options->half_weights ? " (16-bit floats where kernels read those)" : "");
  if (info.n_reference_steps > 0)
    printf ("slow steps    %u of %u have no fast kernel\n", info.n_reference_steps, info.n_steps);
  if (timing->profile)
    tool_profile_print (timing->profile);
}

/* Everything from the file to the timings. FALSE with an error. */
static gboolean
bench_model (SlModel *model, const SlProgramOptions *program_options, const BenchOptions *options,
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
  if (!run_once (run, inputs, &ms, error))
    return FALSE;
  timing->first_result = since (start);
  if (!measure (run, inputs, options->seconds, timing, error))
    return FALSE;
  if (options->profile) {
    timing->profile = tool_profile_new (program);
    if (!profile (run, inputs, options->seconds, timing->profile, error))
      return FALSE;
  }
  *ret_program = g_steal_pointer (&program);
  return TRUE;
}

static int
bench (const BenchOptions *options)
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
                                            .half_weights = options->half_weights,
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
  BenchOptions options = {.seconds = 1};
  g_autofree char *format = NULL;
  g_auto (GStrv) files = NULL;
  const GOptionEntry entries[] = {
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options.network.device_name,
       "auto, cpu, vulkan, vulkan:N … (default: auto)", "NAME"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &options.threads, "Most threads (default: all)", "N"},
      {"batch", 0, 0, G_OPTION_ARG_INT, &options.batch,
       "Pictures a run (default: the file's, or 1)", "N"},
      {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &options.seconds, "How long to measure (default: 1)",
       "S"},
      {"half-weights", 0, 0, G_OPTION_ARG_NONE, &options.half_weights,
       "Keep weights as 16-bit floats where kernels read those", NULL},
      {"unoptimized", 0, 0, G_OPTION_ARG_NONE, &options.unoptimized,
       "Leave the graph as the file has it", NULL},
      {"profile", 0, 0, G_OPTION_ARG_NONE, &options.profile, "Time each step as well", NULL},
      {"format", 'f', 0, G_OPTION_ARG_STRING, &format, "text (default) or json", "FORMAT"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  static const ToolUsage usage = {
      "[FILE.onnx]", "Times a network on made-up inputs; without a file, the built-in one.",
      "Times are of one execution, of a whole batch, without preparing the picture. The first "
      "result counts from\n"
      "the start of loading. A multiply-add counts as two operations.\n\n"
      "Examples:\n"
      "  sightline bench net.onnx --threads 2 --batch 4 --seconds 5 -f json\n"
      "  sightline bench net.onnx --threads 1 --profile"};
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
    else {
      options.network.model_path = tool_network_find (files ? files[0] : NULL);
      status = bench (&options);
    }
  }
  tool_network_clear (&options.network);
  return status;
}

const Command cmd_bench = {"bench", "time a network", bench_run};
