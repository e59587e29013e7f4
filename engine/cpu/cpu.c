#include "cpu/cpu.h"

#include "core/clock.h"
#include "core/isa.h"
#include "core/memory.h"
#include "core/pool.h"
#include "kernels/kernel.h"

#include <string.h>

/* Work below which waking another thread costs more than it brings: some 10 microseconds. */
#define SMALL_FLOPS 2e5
#define SMALL_BYTES 1.5e5

typedef struct BoundStep {
  const SlStep *step;
  const SlKernel *kernel; /* NULL: the reference of step->node */
  size_t tiles;
  unsigned threads;
  size_t scratch;      /* bytes for each participant of the loop */
  size_t first_buffer; /* index of operand 0 in the run's table */
} BoundStep;

typedef struct CpuProgram {
  const SlPlan *plan;
  uint32_t threads;
  GArray *steps;    /* BoundStep */
  size_t n_buffers; /* of all steps together */
  size_t scratch;   /* bytes of the step that takes most, for all its participants */
} CpuProgram;

typedef struct CpuRun {
  const CpuProgram *program;
  char *arena, *scratch;
  void **buffers;
} CpuRun;

static const SlKernelSet *
kernel_set (void)
{
  const SlKernelSet *set = sl_kernel_set_get (sl_isa_best ());
  return set != NULL ? set : sl_kernel_set_get (SL_ISA_GENERIC);
}

SlTarget
sl_cpu_get_target (void)
{
  const SlKernelSet *set = kernel_set ();
  return (SlTarget){.panel = set->panel, .winograd = sl_winograd_timings (set->isa)};
}

/* The kernel of a step, its tiles, and how much scratch a participant needs. `cost`: of its node.
 */
static gboolean
bind (const SlStep *step, const SlCost *cost, uint32_t threads, BoundStep *ret, GError **error)
{
  *ret = (BoundStep){.step = step, .tiles = 1, .threads = 1};
  if (strcmp (step->kernel, SL_STEP_REFERENCE) == 0) {
    ret->scratch = sl_reference_scratch (step->node);
    return TRUE;
  }
  ret->kernel = sl_kernel_set_find (kernel_set (), step->kernel);
  if (ret->kernel == NULL || ret->kernel->params_size != step->params_size) {
    sl_node_error (step->node, error, SL_ERROR_DEVICE, "the CPU has no kernel '%s' of that form",
                   step->kernel);
    return FALSE;
  }
  ret->tiles = ret->kernel->tiles (step->params);
  if (ret->kernel->scratch != NULL)
    ret->scratch = sl_align_up (ret->kernel->scratch (step->params), SL_ALIGNMENT);
  if (cost->flops > SMALL_FLOPS || cost->bytes > SMALL_BYTES)
    ret->threads = (unsigned)MIN (MAX (ret->tiles, 1), threads);
  return TRUE;
}

static void
cpu_release (void *data)
{
  CpuProgram *program = data;
  g_array_unref (program->steps);
  g_free (program);
}

static void *
cpu_compile (const SlPlan *plan, const SlCompileOptions *options, GError **error)
{
  CpuProgram *program = g_new0 (CpuProgram, 1);
  program->plan = plan;
  program->threads = sl_pool_get_threads (); /* more would get scratch and nothing to do */
  if (options->threads > 0)
    program->threads = MIN (program->threads, options->threads);
  program->steps = g_array_sized_new (FALSE, FALSE, sizeof (BoundStep), plan->steps->len);
  SlCost cost = {0};
  const SlNode *node = NULL; /* whose cost it is: a node of many inputs has many steps */
  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const SlStep *step = &g_array_index (plan->steps, SlStep, i);
    BoundStep bound;
    if (step->node != node)
      cost = sl_node_get_cost (step->node);
    node = step->node;
    if (!bind (step, &cost, program->threads, &bound, error)) {
      cpu_release (program);
      return NULL;
    }
    bound.first_buffer = program->n_buffers;
    program->n_buffers += step->n_operands;
    program->scratch = MAX (program->scratch, bound.scratch * bound.threads);
    g_array_append_val (program->steps, bound);
  }
  return program;
}

/* Where a value's elements lie in one run. */
static void *
locate (const CpuRun *run, const SlValue *value)
{
  size_t offset;
  if (value == NULL)
    return NULL;
  const SlValue *root = sl_value_get_root (value, &offset);
  if (root->data != NULL)
    return (char *)sl_tensor_get_data (root->data) + offset;
  return run->arena + run->program->plan->offset[root->id] + offset;
}

static void
cpu_run_free (void *data)
{
  CpuRun *run = data;
  sl_aligned_free (run->arena);
  sl_aligned_free (run->scratch);
  g_free (run->buffers);
  g_free (run);
}

static guint64
cpu_run_bytes (const void *data)
{
  const CpuProgram *program = data;
  return program->plan->arena_bytes + program->scratch + program->n_buffers * sizeof (void *);
}

static void *
cpu_run_new (void *data, GError **error)
{
  const CpuProgram *program = data;
  CpuRun *run = g_new0 (CpuRun, 1);
  run->program = program;
  run->arena = sl_aligned_alloc (program->plan->arena_bytes);
  run->scratch = sl_aligned_alloc (program->scratch);
  run->buffers = g_new0 (void *, program->n_buffers + 1);
  if (run->arena == NULL || run->scratch == NULL) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY,
                 "no memory for a run of %" G_GUINT64_FORMAT " bytes", cpu_run_bytes (program));
    cpu_run_free (run);
    return NULL;
  }
  memset (run->arena, 0, program->plan->arena_bytes);
  for (uint32_t i = 0; i < program->steps->len; i++) {
    const BoundStep *bound = &g_array_index (program->steps, BoundStep, i);
    for (uint32_t k = 0; k < bound->step->n_operands; k++)
      run->buffers[bound->first_buffer + k] = locate (run, bound->step->operands[k]);
  }
  return run;
}

static void *
cpu_memory (void *data, const SlValue *value)
{
  return locate (data, value);
}

typedef struct Loop {
  const BoundStep *bound;
  void *const *buffers;
  char *scratch;
} Loop;

static void
run_tiles (void *data, unsigned slot, size_t first, size_t last)
{
  const Loop *loop = data;
  loop->bound->kernel->run (loop->bound->step->params, loop->buffers,
                            loop->scratch + slot * loop->bound->scratch, first, last);
}

static void
run_step (const BoundStep *bound, void *const *buffers, char *scratch)
{
  if (bound->kernel == NULL) {
    sl_reference_run (bound->step->node, buffers, buffers + bound->step->n_reads, scratch);
    return;
  }
  Loop loop = {bound, buffers, scratch};
  sl_pool_run (bound->tiles, bound->threads, run_tiles, &loop);
}

static gboolean
cpu_execute (void *data, GError **error)
{
  const CpuRun *run = data;
  const CpuProgram *program = run->program;
  for (uint32_t i = 0; i < program->steps->len; i++) {
    const BoundStep *bound = &g_array_index (program->steps, BoundStep, i);
    run_step (bound, run->buffers + bound->first_buffer, run->scratch);
  }
  return TRUE;
}

static gboolean
cpu_execute_timed (void *data, uint64_t *ret_ns, GError **error)
{
  const CpuRun *run = data;
  const CpuProgram *program = run->program;
  uint64_t start = sl_clock_ns ();
  for (uint32_t i = 0; i < program->steps->len; i++) {
    const BoundStep *bound = &g_array_index (program->steps, BoundStep, i);
    run_step (bound, run->buffers + bound->first_buffer, run->scratch);
    uint64_t end = sl_clock_ns ();
    ret_ns[i] = end - start;
    start = end;
  }
  return TRUE;
}

static gboolean
cpu_find_nonfinite (void *data, const SlNode **ret_node, GError **error)
{
  const CpuRun *run = data;
  const CpuProgram *program = run->program;
  const SlNode *found = NULL;
  /* All steps to the last: an output may lie where an earlier step writes. */
  for (uint32_t i = 0; i < program->steps->len; i++) {
    const BoundStep *bound = &g_array_index (program->steps, BoundStep, i);
    const SlNode *node = bound->step->node;
    run_step (bound, run->buffers + bound->first_buffer, run->scratch);
    /* Several steps may make one value: it is whole after the last of them. */
    if (i + 1 < program->steps->len &&
        g_array_index (program->steps, BoundStep, i + 1).step->node == node)
      continue;
    for (uint32_t k = 0; found == NULL && k < node->n_outputs; k++)
      if (node->outputs[k] != NULL &&
          !sl_value_is_finite (node->outputs[k], locate (run, node->outputs[k])))
        found = node;
  }
  *ret_node = found;
  return TRUE;
}

/* One step of a single node, bound to tensors instead of an arena. */
static gboolean
evaluate_step (const SlStep *step, SlTensor *const *inputs, SlTensor **outputs, GError **error)
{
  const SlNode *node = step->node;
  const SlCost cost = sl_node_get_cost (node);
  BoundStep bound;
  if (!bind (step, &cost, sl_pool_get_threads (), &bound, error))
    return FALSE;
  g_autofree void **buffers = g_new0 (void *, step->n_operands);
  for (uint32_t i = 0; i < step->n_operands; i++) {
    for (uint32_t k = 0; k < node->n_inputs; k++)
      if (step->operands[i] == node->inputs[k] && inputs[k] != NULL)
        buffers[i] = (void *)sl_tensor_get_data (inputs[k]);
    for (uint32_t k = 0; k < node->n_outputs; k++)
      if (step->operands[i] == node->outputs[k] && outputs[k] != NULL)
        buffers[i] = sl_tensor_get_data_writable (outputs[k]);
  }
  char *scratch = sl_aligned_alloc (bound.scratch * bound.threads);
  if (scratch == NULL) {
    sl_node_error (node, error, SL_ERROR_MEMORY, "no memory to evaluate it");
    return FALSE;
  }
  run_step (&bound, buffers, scratch);
  sl_aligned_free (scratch);
  return TRUE;
}

/* New tensors for the node's outputs, and its steps. */
static gboolean
prepare_node (const SlNode *node, SlLowering *to, SlTensor **ret_outputs, GError **error)
{
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    const SlValue *output = node->outputs[i];
    if (output == NULL)
      continue;
    ret_outputs[i] = sl_tensor_new (output->dtype, &output->shape, error);
    if (ret_outputs[i] == NULL)
      return FALSE;
  }
  sl_lower_node (to);
  return TRUE;
}

static GArray *
new_steps (void)
{
  GArray *steps = g_array_new (FALSE, FALSE, sizeof (SlStep));
  g_array_set_clear_func (steps, (GDestroyNotify)sl_step_clear);
  return steps;
}

gboolean
sl_cpu_evaluate (const SlNode *node, SlTensor *const *inputs, SlTensor **ret_outputs,
                 GError **error)
{
  SlTarget target = sl_cpu_get_target ();
  g_autoptr (GArray) steps = new_steps ();
  SlLowering to = {.steps = steps, .target = &target, .node = node};
  if (!prepare_node (node, &to, ret_outputs, error))
    return FALSE;
  for (uint32_t i = 0; i < steps->len; i++)
    if (!evaluate_step (&g_array_index (steps, SlStep, i), inputs, ret_outputs, error))
      return FALSE;
  return TRUE;
}

/* --- Packing what is read from a file --- */

/* So much of the input is in memory at once, where the kernel allows it. */
#define WINDOW ((size_t)8 << 20)

typedef struct Stream {
  BoundStep bound;
  void *buffers[2];
  char *scratch;
  char *window; /* holds the piece */
  size_t first; /* tile of this piece */
  size_t size;  /* bytes of the input */
} Stream;

static void
run_stream_tiles (void *data, unsigned slot, size_t first, size_t last)
{
  const Stream *stream = data;
  stream->bound.kernel->run (stream->bound.step->params, stream->buffers,
                             stream->scratch + slot * stream->bound.scratch, stream->first + first,
                             stream->first + last);
}

static void
piece_of (const Stream *stream, size_t first, size_t last, size_t *ret_begin, size_t *ret_end)
{
  *ret_begin = 0;
  *ret_end = stream->size;
  if (stream->bound.kernel->reads != NULL)
    stream->bound.kernel->reads (stream->bound.step->params, first, last, ret_begin, ret_end);
}

/* So many tiles that what they read fits the window; all where a single one reads more. */
static size_t
tiles_of_piece (const Stream *stream)
{
  size_t n = stream->bound.tiles, begin, end;
  do {
    piece_of (stream, 0, n, &begin, &end);
    if (end - begin <= WINDOW)
      return n;
    n /= 2;
  } while (n > 0);
  return stream->bound.tiles;
}

static gboolean
run_stream (Stream *stream, SlReadFunc read, void *data, GError **error)
{
  const size_t step = tiles_of_piece (stream);
  for (size_t first = 0; first < stream->bound.tiles; first += step) {
    const size_t n = MIN (step, stream->bound.tiles - first);
    size_t begin, end;
    piece_of (stream, first, first + n, &begin, &end);
    if (!read (data, begin, stream->window, end - begin, error))
      return FALSE;
    /* Where the whole input would start: tiles look only into their piece of it. */
    stream->buffers[0] = (void *)((uintptr_t)stream->window - begin);
    stream->first = first;
    sl_pool_run (n, MIN (stream->bound.threads, (unsigned)MIN (n, SL_POOL_MAX_THREADS)),
                 run_stream_tiles, stream);
  }
  return TRUE;
}

gboolean
sl_cpu_evaluate_stream (const SlNode *node, SlReadFunc read, void *data, SlTensor **ret_outputs,
                        GError **error)
{
  g_return_val_if_fail (node->n_inputs == 1 && node->n_outputs == 1, FALSE);
  SlTarget target = sl_cpu_get_target ();
  g_autoptr (GArray) steps = new_steps ();
  SlLowering to = {.steps = steps, .target = &target, .node = node};
  if (!prepare_node (node, &to, ret_outputs, error))
    return FALSE;
  for (uint32_t i = 0; i < steps->len; i++) {
    const SlCost cost = sl_node_get_cost (node);
    Stream stream = {.size = sl_value_get_bytes (node->inputs[0])};
    if (!bind (&g_array_index (steps, SlStep, i), &cost, sl_pool_get_threads (), &stream.bound,
               error))
      return FALSE;
    const bool whole = tiles_of_piece (&stream) == stream.bound.tiles;
    stream.window = sl_aligned_alloc (whole ? stream.size : MIN (stream.size, WINDOW));
    stream.buffers[1] = sl_tensor_get_data_writable (ret_outputs[0]);
    stream.scratch = sl_aligned_alloc (stream.bound.scratch * stream.bound.threads);
    gboolean done = stream.window != NULL && stream.scratch != NULL;
    if (!done)
      sl_node_error (node, error, SL_ERROR_MEMORY, "no memory to evaluate it");
    done = done && run_stream (&stream, read, data, error);
    sl_aligned_free (stream.window);
    sl_aligned_free (stream.scratch);
    if (!done)
      return FALSE;
  }
  return TRUE;
}

void
sl_cpu_copy (const SlCopyParams *params, const void *source, void *destination)
{
  const SlKernel *copy = sl_kernel_set_find (kernel_set (), "copy");
  void *buffers[] = {(void *)source, destination};
  copy->run (params, buffers, NULL, 0, copy->tiles (params));
}

/* --- Single steps of another backend's program --- */

static void *
host_bind (const SlStep *step, uint32_t threads, GError **error)
{
  const SlCost cost = sl_node_get_cost (step->node);
  const uint32_t most = sl_pool_get_threads ();
  BoundStep *bound = g_new (BoundStep, 1);
  if (bind (step, &cost, threads > 0 ? MIN (threads, most) : most, bound, error))
    return bound;
  g_free (bound);
  return NULL;
}

static size_t
host_scratch (const void *data)
{
  const BoundStep *bound = data;
  return bound->scratch * bound->threads;
}

static void
host_run (const void *bound, void *const *buffers, void *scratch)
{
  run_step (bound, buffers, scratch);
}

const SlHostSteps sl_cpu_host_steps = {
    .bind = host_bind, .free = g_free, .scratch = host_scratch, .run = host_run};

const SlBackend sl_cpu_backend = {
    .name = "cpu",
    .compile = cpu_compile,
    .release = cpu_release,
    .run_bytes = cpu_run_bytes,
    .run_new = cpu_run_new,
    .run_free = cpu_run_free,
    .memory = cpu_memory,
    .execute = cpu_execute,
    .execute_timed = cpu_execute_timed,
    .find_nonfinite = cpu_find_nonfinite,
};
