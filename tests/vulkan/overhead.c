/* Benchmark: what a run costs besides its arithmetic. Networks of n elementwise layers on a few
 * numbers, each reading what the one before wrote. */
#include "vulkan/harness.h"

#include "core/clock.h"

#include <stdio.h>

#define ROUNDS 300

static SlModel *
chain (uint32_t n)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *value = test_input (graph, "x", SL_SHAPE (16));
  for (uint32_t i = 0; i < n; i++)
    value = test_node (graph, i % 2 ? "Tanh" : "Neg", NULL, value, NULL);
  sl_graph_mark_output (graph, value);
  return test_vulkan_model (graph);
}

/* Least microseconds of a run. */
static double
time_chain (uint32_t n, double *ret_first)
{
  g_autoptr (GError) error = NULL;
  const uint64_t start = sl_clock_ns ();
  g_autoptr (SlModel) model = chain (n);
  g_autoptr (SlProgram) program =
      sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, &error);
  g_autoptr (SlRun) run = program != NULL ? sl_run_new (program, &error) : NULL;
  uint64_t best = UINT64_MAX;
  for (uint32_t i = 0; run != NULL && i < ROUNDS; i++) {
    const uint64_t begin = sl_clock_ns ();
    if (!sl_run_execute (run, &error))
      break;
    const uint64_t end = sl_clock_ns ();
    best = MIN (best, end - begin);
    if (i == 0)
      *ret_first = (double)(end - start) / 1e6;
  }
  if (error != NULL)
    printf ("%s\n", error->message);
  return (double)best / 1e3;
}

int
main (void)
{
  g_autoptr (GError) error = NULL;
  const uint64_t start = sl_clock_ns ();
  if (sl_device_find ("vulkan", &error) == NULL) {
    printf ("skipped: %s\n", error->message);
    return 77;
  }
  const double listed = (double)(sl_clock_ns () - start) / 1e6;
  double first, ignored;
  const double none = time_chain (0, &first);
  const double few = time_chain (8, &first), many = time_chain (136, &ignored);
  printf ("%s: drivers listed in %.1f ms; first result of 8 layers after %.1f ms more\n",
          test_vulkan_device ()->description, listed, first);
  printf ("a run without layers %.1f us; with 8 %.1f us; a layer more %.2f us\n", none, few,
          (many - few) / 128);
  return 0;
}
