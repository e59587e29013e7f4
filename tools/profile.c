#include "profile.h"

#include "json.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs that are kept: enough for a median, few enough for networks of thousands of steps. */
#define MAX_RUNS 1000

/* Columns of the tables, in characters. */
#define NAME_WIDTH 22
#define KERNEL_WIDTH 18
#define SHAPE_WIDTH 14

/* Milliseconds over all runs. Shares and rates are those of the minima: what else the machine does
 * lengthens a median several times. */
typedef struct {
  SlStepInfo info;
  SlLayer layer;
  double median, min;
  double layer_min; /* of all steps of the layer together */
} Step;

struct ToolProfile {
  SlProgram *program;
  guint n_steps;
  guint64 *ns;  /* of the last run */
  GArray *runs; /* float milliseconds, n_steps a run */
};

ToolProfile *
tool_profile_new (SlProgram *program)
{
  ToolProfile *profile = g_new0 (ToolProfile, 1);
  profile->program = sl_program_ref (program);
  profile->n_steps = sl_program_get_n_steps (program);
  profile->ns = g_new0 (guint64, profile->n_steps + 1);
  profile->runs = g_array_new (FALSE, FALSE, sizeof (float));
  return profile;
}

void
tool_profile_free (ToolProfile *profile)
{
  sl_program_unref (profile->program);
  g_array_unref (profile->runs);
  g_free (profile->ns);
  g_free (profile);
}

static guint
count_runs (const ToolProfile *profile)
{
  return profile->n_steps > 0 ? profile->runs->len / profile->n_steps : 0;
}

gboolean
tool_profile_is_full (const ToolProfile *profile)
{
  return profile->n_steps == 0 || count_runs (profile) >= MAX_RUNS;
}

gboolean
tool_profile_run (ToolProfile *profile, SlRun *run, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!sl_run_execute_timed (run, profile->ns, &local) &&
      !g_error_matches (local, SL_ERROR, SL_ERROR_NUMERIC)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  for (guint i = 0; i < profile->n_steps; i++) {
    float ms = (float)profile->ns[i] / 1e6F;
    g_array_append_val (profile->runs, ms);
  }
  return TRUE;
}

static int
compare_float (const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Median and minimum of one step's times; `times` is room for all of them. */
static void
summarize (const ToolProfile *profile, guint index, float *times, Step *step)
{
  guint n = count_runs (profile);
  for (guint i = 0; i < n; i++)
    times[i] = g_array_index (profile->runs, float, i * profile->n_steps + index);
  qsort (times, n, sizeof times[0], compare_float);
  step->median = n > 0 ? (double)times[n / 2] : 0;
  step->min = n > 0 ? (double)times[0] : 0;
}

/* All steps (Step), and the sum of their minima. */
static GArray *
list_steps (ToolProfile *profile, double *ret_total)
{
  g_autofree float *times = g_new (float, count_runs (profile) + 1);
  GArray *steps = g_array_sized_new (FALSE, TRUE, sizeof (Step), profile->n_steps);
  g_array_set_size (steps, profile->n_steps);
  *ret_total = 0;
  for (guint i = 0; i < steps->len; i++) {
    Step *step = &g_array_index (steps, Step, i);
    sl_program_get_step (profile->program, i, &step->info);
    sl_program_get_layer (profile->program, step->info.layer, &step->layer);
    summarize (profile, i, times, step);
    *ret_total += step->min;
  }
  Step *all = (Step *)(void *)steps->data;
  for (guint first = 0, last; first < steps->len; first = last) {
    double layer_min = 0;
    for (last = first; last < steps->len && all[last].info.layer == all[first].info.layer; last++)
      layer_min += all[last].min;
    for (guint i = first; i < last; i++)
      all[i].layer_min = layer_min;
  }
  return steps;
}

/* 10^9 a second out of a number and milliseconds. */
static double
giga (double number, double ms)
{
  return ms > 0 ? number / ms / 1e6 : 0;
}

static double
percent (double part, double total)
{
  return total > 0 ? 100 * part / total : 0;
}

/* Steps without a fast kernel are known by their operator. */
static char *
name_kernel (const Step *step)
{
  if (strcmp (step->info.kernel, "reference") != 0)
    return g_strdup (step->info.kernel);
  return g_strdup_printf ("%s, slow", step->layer.op);
}

static void
print_step (guint index, const Step *step, double total)
{
  const char *name = step->layer.name && *step->layer.name ? step->layer.name : step->layer.output;
  g_autofree char *shape = sl_shape_to_string (&step->layer.shape);
  g_autofree char *kernel = name_kernel (step);
  printf ("%4u ", index);
  tool_print_cell (name, NAME_WIDTH);
  tool_print_cell (kernel, KERNEL_WIDTH);
  tool_print_cell (shape, SHAPE_WIDTH);
  printf ("%8.4f %8.4f %5.1f %7.1f %5.1f\n", step->median, step->min, percent (step->min, total),
          giga (step->layer.flops, step->layer_min), giga (step->layer.bytes, step->layer_min));
}

/* One kernel's steps together. */
typedef struct {
  char *name;
  guint n_steps;
  double median, min, flops, bytes;
} Kernel;

static void
kernel_free (void *data)
{
  Kernel *kernel = data;
  g_free (kernel->name);
  g_free (kernel);
}

static int
compare_kernels (gconstpointer a, gconstpointer b)
{
  const Kernel *left = *(const Kernel *const *)a, *right = *(const Kernel *const *)b;
  return (left->min < right->min) - (left->min > right->min);
}

/* By falling time. A layer's work is shared out among its steps by their time. */
static GPtrArray *
list_kernels (const GArray *steps)
{
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *kernels = g_ptr_array_new_with_free_func (kernel_free);
  for (guint i = 0; i < steps->len; i++) {
    const Step *step = &g_array_index (steps, Step, i);
    g_autofree char *name = name_kernel (step);
    Kernel *kernel = g_hash_table_lookup (by_name, name);
    if (!kernel) {
      kernel = g_new0 (Kernel, 1);
      kernel->name = g_steal_pointer (&name);
      g_ptr_array_add (kernels, kernel);
      g_hash_table_insert (by_name, kernel->name, kernel);
    }
    double part = step->layer_min > 0 ? step->min / step->layer_min : 0;
    kernel->n_steps++;
    kernel->median += step->median;
    kernel->min += step->min;
    kernel->flops += part * step->layer.flops;
    kernel->bytes += part * step->layer.bytes;
  }
  g_ptr_array_sort (kernels, compare_kernels);
  return kernels;
}

static void
print_kernel (const Kernel *kernel, double total)
{
  tool_print_cell (kernel->name, NAME_WIDTH + KERNEL_WIDTH);
  printf ("%14u steps  %8.4f %8.4f %5.1f %7.1f %5.1f\n", kernel->n_steps, kernel->median,
          kernel->min, percent (kernel->min, total), giga (kernel->flops, kernel->min),
          giga (kernel->bytes, kernel->min));
}

void
tool_profile_print (ToolProfile *profile)
{
  double total;
  g_autoptr (GArray) steps = list_steps (profile, &total);
  g_autoptr (GPtrArray) kernels = list_kernels (steps);
  Kernel all = {.name = (char *)"all steps"};
  printf ("\nstep ");
  tool_print_cell ("layer", NAME_WIDTH);
  tool_print_cell ("kernel", KERNEL_WIDTH);
  tool_print_cell ("output shape", SHAPE_WIDTH);
  printf ("%8s %8s %5s %7s %5s\n", "ms", "min", "%", "GFLOP/s", "GB/s");
  for (guint i = 0; i < steps->len; i++)
    print_step (i, &g_array_index (steps, Step, i), total);
  putchar ('\n');
  for (guint i = 0; i < kernels->len; i++) {
    const Kernel *kernel = g_ptr_array_index (kernels, i);
    print_kernel (kernel, total);
    all.n_steps += kernel->n_steps;
    all.median += kernel->median;
    all.min += kernel->min;
    all.flops += kernel->flops;
    all.bytes += kernel->bytes;
  }
  print_kernel (&all, total);
  printf ("medians and minima of %u runs; shares and rates by the minima, rates of all steps of a "
          "layer\n",
          count_runs (profile));
}

void
tool_profile_add_json (ToolProfile *profile, JsonBuilder *builder)
{
  double total;
  g_autoptr (GArray) steps = list_steps (profile, &total);
  json_builder_set_member_name (builder, "steps");
  json_builder_begin_array (builder);
  for (guint i = 0; i < steps->len; i++) {
    const Step *step = &g_array_index (steps, Step, i);
    json_builder_begin_object (builder);
    tool_json_int (builder, "layer", step->info.layer);
    tool_json_string (builder, "name", step->layer.name);
    tool_json_string (builder, "op", step->layer.op);
    tool_json_string (builder, "output", step->layer.output);
    tool_json_string (builder, "kernel", step->info.kernel);
    tool_json_shape (builder, &step->layer.shape);
    tool_json_double (builder, "median_ms", step->median);
    tool_json_double (builder, "min_ms", step->min);
    tool_json_double (builder, "share", percent (step->min, total) / 100);
    tool_json_double (builder, "layer_flops", step->layer.flops);
    tool_json_double (builder, "layer_bytes", step->layer.bytes);
    tool_json_double (builder, "gflops", giga (step->layer.flops, step->layer_min));
    tool_json_double (builder, "gbps", giga (step->layer.bytes, step->layer_min));
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}
