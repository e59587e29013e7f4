/* What a backend does with a plan. The session knows backends only through this table. */
#pragma once

#include "plan/plan.h"

typedef struct SlBackend {
  const char *name;

  /* Anything that the plan's runs share. The plan outlives it. `threads`: most that a run may use.
   */
  void *(*compile) (const SlPlan *plan, uint32_t threads, GError **error);
  void (*release) (void *program);

  /* Bytes that run_new() would allocate. */
  guint64 (*run_bytes) (const void *program);
  /* One run's memory. Several runs of one program may execute at once. */
  void *(*run_new) (void *program, GError **error);
  void (*run_free) (void *run);

  /* The elements of a graph input or output, in the value's layout. */
  void *(*memory) (void *run, const SlValue *value);

  /* Computes all outputs from the inputs as they stand. */
  void (*execute) (void *run);
  /* The same, with the nanoseconds of each step (where the plan has none: of each node). */
  void (*execute_timed) (void *run, uint64_t *ret_ns);

  /* Executes again, step by step, and returns the first node with a NaN or infinity among its
   * outputs; NULL if there is none (an input has it). */
  const SlNode *(*find_nonfinite) (void *run);
} SlBackend;

/* TRUE if all `n` elements of a float type are finite; other types always are. */
bool sl_is_finite (SlDType dtype, const void *data, size_t n);
