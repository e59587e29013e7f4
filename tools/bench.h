/* What timing a network and timing its training have in common. */
#pragma once

#include "network.h"
#include "profile.h"

typedef struct ToolBench {
  ToolNetwork network;
  int threads, batch;
  double seconds;
  gboolean unoptimized, half, profile, json;
  gboolean train;
  char *optimizer; /* training: a recipe's name of it; NULL: the recipes' default */
  GStrv settings;  /* training: "GROUP.KEY=VALUE" of recipes */
} ToolBench;

/* Milliseconds of runs. */
typedef struct ToolTimes {
  guint runs;
  double min, median, p95;
} ToolTimes;

/* Runs once and says how many milliseconds that took; FALSE with an error. */
typedef gboolean (*ToolBenchFunc) (void *data, double *ret_ms, GError **error);

/* Some runs that do not count, then runs for so many seconds, three at least. */
gboolean tool_bench_measure (ToolBenchFunc func, void *data, double seconds, ToolTimes *ret_times,
                             GError **error);

/* Such runs again, with a look at the clock after each of its steps. */
gboolean tool_bench_profile (SlRun *run, double seconds, ToolProfile *profile, GError **error);

/* Of a clock that only goes on. */
double tool_bench_now_ms (void);

/* Largest resident memory of the process so far, in MiB; 0 where the system does not say. */
double tool_bench_peak_memory (void);

/* Numbers of mean 0 and deviation 1, always the same. */
void tool_bench_fill_noise (float *data, size_t n);

/* Threads that a run uses. */
guint tool_bench_get_threads (const ToolBench *bench, const SlDevice *device);

/* `sightline bench --train`: the status of the process. */
int tool_bench_training (const ToolBench *bench, const char *command);
