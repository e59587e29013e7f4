#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Runs before those that are timed: caches, frequency, threads that sleep. */
#define WARM_UP_RUNS 3
#define MIN_RUNS 3
#define MAX_RUNS 1000000

/* g_get_monotonic_time() counts microseconds, which is coarse for small networks. */
double
tool_bench_now_ms (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

double
tool_bench_peak_memory (void)
{
  g_autofree char *status = NULL;
  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0;
  const char *line = strstr (status, "VmHWM:");
  return line ? g_ascii_strtod (line + strlen ("VmHWM:"), NULL) / 1024 : 0;
}

/* Floats are spread evenly over ±1.7. */
void
tool_bench_fill_noise (float *data, size_t n)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  for (size_t i = 0; i < n; i++)
    data[i] = (float)g_rand_double_range (random, -sqrt (3), sqrt (3));
}

static int
compare_double (const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

gboolean
tool_bench_measure (ToolBenchFunc func, void *data, double seconds, ToolTimes *ret_times,
                    GError **error)
{
  double ms;
  for (guint i = 0; i < WARM_UP_RUNS; i++)
    if (!func (data, &ms, error))
      return FALSE;
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  double end = tool_bench_now_ms () + seconds * 1e3;
  while (times->len < MIN_RUNS || (tool_bench_now_ms () < end && times->len < MAX_RUNS)) {
    if (!func (data, &ms, error))
      return FALSE;
    g_array_append_val (times, ms);
  }
  qsort (times->data, times->len, sizeof (double), compare_double);
  const double *sorted = (const double *)(void *)times->data;
  *ret_times = (ToolTimes){
      .runs = times->len,
      .min = sorted[0],
      .median = sorted[times->len / 2],
      .p95 = sorted[MIN (times->len - 1, (guint)ceil (times->len * 0.95) - 1)],
  };
  return TRUE;
}

gboolean
tool_bench_profile (SlRun *run, double seconds, ToolProfile *profile, GError **error)
{
  double end = tool_bench_now_ms () + seconds * 1e3;
  guint runs = 0;
  while ((runs++ < MIN_RUNS || tool_bench_now_ms () < end) && !tool_profile_is_full (profile))
    if (!tool_profile_run (profile, run, error))
      return FALSE;
  return TRUE;
}

guint
tool_bench_get_threads (const ToolBench *options, const SlDevice *device)
{
  return options->threads ? MIN ((guint)options->threads, device->threads) : device->threads;
}
