/* What a backend does with a plan. The session knows backends only through this table. */
#pragma once

#include "plan/plan.h"

#include <sightline/image.h>

/* How a step runs on the CPU, for a backend that lets it do some of a program's steps. The session
 * supplies it: backends do not know each other. */
typedef struct SlHostSteps {
  /* The step with its kernel looked up; it outlives the result. */
  void *(*bind) (const SlStep *step, uint32_t threads, GError **error);
  void (*free) (void *bound);
  /* Bytes of scratch that running it takes, at SL_ALIGNMENT. */
  size_t (*scratch) (const void *bound);
  /* `buffers`: of each operand, NULL where absent. */
  void (*run) (const void *bound, void *const *buffers, void *scratch);
} SlHostSteps;

/* What a program is compiled for. */
typedef struct SlCompileOptions {
  uint32_t threads;        /* most that a run may use; 0: any number */
  uint32_t device;         /* number among the backend's devices */
  guint64 memory_limit;    /* bytes that run_bytes() may come to; checked here by who allocates */
  const SlHostSteps *host; /* NULL: none may run on the CPU */
  guint64
      *ret_run_bytes; /* what run_bytes() will be, before memory is refused; NULL: nobody asks */
} SlCompileOptions;

typedef struct SlBackend {
  const char *name;
  /* Its runs know where the newest content of parameters and state is (graph/live.h) and leave what
   * they change on the device. FALSE: they work in the host's memory, and who runs them sees to
   * the rest. */
  bool holds_variables;

  /* Anything that the plan's runs share. The plan outlives it. */
  void *(*compile) (const SlPlan *plan, const SlCompileOptions *options, GError **error);
  void (*release) (void *program);

  /* Bytes that run_new() would allocate. */
  guint64 (*run_bytes) (const void *program);
  /* Steps that run on the CPU though the device is another. NULL: none. */
  uint32_t (*host_steps) (const void *program);
  /* One run's memory. Several runs of one program may execute at once. */
  void *(*run_new) (void *program, GError **error);
  void (*run_free) (void *run);

  /* The elements of a graph input or output, in the value's layout. */
  void *(*memory) (void *run, const SlValue *value);

  /* Takes a frame to make a graph input of when the run is next executed, and whenever it is until
   * memory() is called for that input, or another frame comes. `stays`: the frame's memory is as it
   * is until the run has been executed. *ret_path SL_FRAME_BY_CPU: memory() has to be filled. NULL:
   * so it always is. */
  gboolean (*sample) (void *run, const SlValue *value, SlImageSampler *sampler,
                      const SlImage *image, const ptrdiff_t strides[3], bool stays,
                      SlFramePath *ret_path, GError **error);

  /* The frame that an input is made of, good until the next; FALSE: it is what memory() has. */
  gboolean (*frame) (void *run, const SlValue *value, SlImage *ret_image);

  /* Computes all outputs from the inputs as they stand. FALSE if the device failed: what is in the
   * outputs is not to be read then. */
  gboolean (*execute) (void *run, GError **error);
  /* The same in two: submit() begins, and the run's inputs and outputs are the backend's until
   * wait() has come back, once. NULL: execute() begins and ends. */
  gboolean (*submit) (void *run, GError **error);
  gboolean (*wait) (void *run, GError **error);
  /* As execute(), with the nanoseconds of each step (where the plan has none: of each node). */
  gboolean (*execute_timed) (void *run, uint64_t *ret_ns, GError **error);

  /* Executes again, step by step, and finds the first node with a NaN or infinity among its
   * outputs; NULL if there is none (an input has it). What the graph updates is then updated twice,
   * or half: the caller has the contents. */
  gboolean (*find_nonfinite) (void *run, const SlNode **ret_node, GError **error);
} SlBackend;

/* TRUE if all `n` elements of a float type are finite; other types always are. */
bool sl_is_finite (SlDType dtype, const void *data, size_t n);

/* The same of a value's elements, which begin at `data`; row by row, since the gaps of a slice
 * belong to others. */
bool sl_value_is_finite (const SlValue *value, const void *data);
