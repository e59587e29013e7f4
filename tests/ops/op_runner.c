#include "op_runner.h"

#include "op_gpu.h"
#include "op_pieces.h"
#include "op_reference.h"

#include "core/half.h"
#include "core/memory.h"
#include "kernels/gemm.h"
#include "passes/passes.h"
#include "ref/ref.h"

#include <math.h>
#include <string.h>

/* How the values of a run lie in memory. */
typedef enum {
  RUN_ROW_MAJOR,     /* as the file has them */
  RUN_CHANNELS_LAST, /* inputs of the highest rank, if that is 3 or 4 and they are float32 or
                        bytes, come channels-last */
  RUN_WIDE,          /* and inputs and outputs that may be are slices of something wider */
  RUN_IN_PLACE,      /* as RUN_CHANNELS_LAST, output 0 in the memory of input 0, or 1 */
  RUN_KINDS
} RunKind;

static const char *const run_names[] = {"row-major", "channels-last", "wide", "in place"};

/* Extra elements from one position of a wide slice to the next. */
#define WIDER 3
/* Fills memory that nobody may touch. */
#define GUARD 0xa5
/* Bytes between the places of values that a GPU sees. */
#define GAP 96
/* A device that binds no more bytes at once has to cut what it does into pieces: so many bytes, or
 * that part of large cases. */
#define SMALL_RANGE 1024
#define SMALL_PART 8
/* What storing float16 adds to a case's tolerance: inputs are rounded for the reference, too; what
 * is left are the result, 2^-11 of it at most, and what stands between the case's nodes. */
#define HALF_TOLERANCE 1e-3
#define LARGEST_HALF 65504

/* --- Kernels --- */

/* Memory of one value, dense or wide, in its layout, with guarded surroundings. */
typedef struct Buffer {
  char *memory; /* NULL: of `owner` */
  const SlValue *owner;
  size_t bytes;
  size_t offset; /* GPU: in the block */
} Buffer;

typedef struct Runner {
  const OpCase *row;
  const SlKernelSet *set; /* of kernels, on a GPU of those that the CPU runs in between */
  OpGpu *gpu;
  OpGpuOptions *options;
  char *block; /* where everything lies that it sees */
  size_t block_bytes;
  const char *missing; /* a kernel that has no dispatcher */
  SlGraph *graph;
  GArray *buffers; /* Buffer, by value id */
  char *what;      /* of messages */
  GString *steps;  /* kernels that ran, without relayouts */
} Runner;

/* Elements from the first to behind the last; rows of a wide value end with elements of others. */
static size_t
extent (const SlValue *value)
{
  size_t n = 1;
  sl_shape_get_elements (&value->shape, &n);
  if (value->pixel_stride == 0)
    return n;
  return n / (size_t)value->shape.dim[1] * value->pixel_stride;
}

static void *
memory_of (const Runner *runner, const SlValue *value)
{
  if (value == NULL)
    return NULL;
  if (value->data != NULL && runner->gpu == NULL)
    return (void *)sl_tensor_get_data (value->data);
  const Buffer *buffer = &g_array_index (runner->buffers, Buffer, value->id);
  return buffer->owner != NULL ? memory_of (runner, buffer->owner) : buffer->memory;
}

static void
buffer_clear (void *data)
{
  Buffer *buffer = data;
  sl_aligned_free (buffer->memory);
}

/* One block for the GPU: values at multiples of 16 bytes, guards between them. */
static void
allocate_block (Runner *runner)
{
  const GPtrArray *values = runner->graph->values;
  size_t at = GAP;
  runner->buffers = g_array_new (FALSE, TRUE, sizeof (Buffer));
  g_array_set_size (runner->buffers, values->len);
  for (uint32_t i = 0; i < values->len; i++) {
    const SlValue *value = g_ptr_array_index (values, i);
    Buffer *buffer = &g_array_index (runner->buffers, Buffer, i);
    if (!value->has_shape)
      continue;
    buffer->bytes = extent (value) * sl_value_get_element_size (value);
    buffer->offset = at;
    at = sl_align_up (at + buffer->bytes + GAP, 16);
  }
  runner->block_bytes = at;
  runner->block = sl_aligned_alloc (at);
  memset (runner->block, GUARD, at);
  for (uint32_t i = 0; i < values->len; i++) {
    const SlValue *value = g_ptr_array_index (values, i);
    Buffer *buffer = &g_array_index (runner->buffers, Buffer, i);
    buffer->memory = runner->block + buffer->offset;
    if (value->data != NULL)
      memcpy (buffer->memory, sl_tensor_get_data (value->data), buffer->bytes);
  }
}

/* What lies outside of every value must be as it was, and so must constants. */
static void
check_block (const Runner *runner)
{
  g_autofree bool *is_ours = g_new0 (bool, runner->block_bytes);
  for (uint32_t i = 0; i < runner->graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (runner->graph->values, i);
    const Buffer *buffer = &g_array_index (runner->buffers, Buffer, i);
    for (size_t b = 0; b < buffer->bytes; b++)
      is_ours[buffer->offset + b] = true;
    if (value->data != NULL &&
        memcmp (buffer->memory, sl_tensor_get_data (value->data), buffer->bytes) != 0)
      g_error ("%s: constant '%s' is overwritten", runner->what, value->name);
  }
  for (size_t b = 0; b < runner->block_bytes; b++)
    if (!is_ours[b] && (uint8_t)runner->block[b] != GUARD)
      g_error ("%s: byte %zu of the block, outside of every value, is written", runner->what, b);
}

static size_t
find_in_block (const void *data, const SlValue *value)
{
  const Runner *runner = data;
  return (size_t)((char *)memory_of (runner, value) - runner->block);
}

static void
allocate (Runner *runner)
{
  runner->buffers = g_array_new (FALSE, TRUE, sizeof (Buffer));
  g_array_set_clear_func (runner->buffers, buffer_clear);
  g_array_set_size (runner->buffers, runner->graph->values->len);
  for (uint32_t i = 0; i < runner->graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (runner->graph->values, i);
    Buffer *buffer = &g_array_index (runner->buffers, Buffer, i);
    if (value->data != NULL || !value->has_shape)
      continue;
    /* Exactly as long as the value, so that a sanitizer sees every step beyond. */
    buffer->bytes = extent (value) * sl_dtype_get_size (value->dtype);
    buffer->memory = sl_aligned_alloc (buffer->bytes);
    memset (buffer->memory, GUARD, buffer->bytes);
  }
}

/* Where element `index` (row-major) of the value lies. */
static size_t
place (const SlValue *value, size_t index)
{
  ptrdiff_t stride[SL_MAX_RANK], at = 0;
  sl_value_get_strides (value, stride);
  for (uint32_t d = value->shape.rank; d-- > 0; index /= (size_t)value->shape.dim[d])
    at += (ptrdiff_t)(index % (size_t)value->shape.dim[d]) * stride[d];
  return (size_t)at;
}

static void
write_input (const Runner *runner, const SlValue *value, const SlTensor *content)
{
  size_t size = sl_dtype_get_size (value->dtype);
  const char *from = sl_tensor_get_data (content);
  void *into = memory_of (runner, value);
  for (size_t i = 0; i < sl_tensor_get_elements (content); i++)
    if (value->is_half)
      ((uint16_t *)into)[place (value, i)] = sl_half_from_float (((const float *)from)[i]);
    else
      memcpy ((char *)into + place (value, i) * size, from + i * size, size);
}

/* The value's elements in order; what lies between them must be as it was. */
static SlRefTensor *
read_output (const Runner *runner, const SlValue *value)
{
  SlRefTensor *tensor = op_reference_new (value, NULL);
  size_t size = sl_dtype_get_size (value->dtype), n = extent (value);
  const char *memory = memory_of (runner, value);
  g_autofree char *dense = g_malloc0 (tensor->n * size + 1);
  g_autofree bool *is_ours = g_new0 (bool, n + 1);
  for (size_t i = 0; i < tensor->n; i++) {
    memcpy (dense + i * size, memory + place (value, i) * size, size);
    is_ours[place (value, i)] = true;
  }
  for (size_t i = 0; i < n * size && value->data == NULL; i++)
    if (!is_ours[i / size] && (uint8_t)memory[i] != GUARD)
      g_error ("%s: element %zu outside the slice is written", runner->what, i / size);
  sl_ref_load (tensor, dense);
  return tensor;
}

static void
run_kernel (const Runner *runner, const SlStep *step)
{
  if (runner->options != NULL)
    runner->options->ret_has_host = true;
  const SlKernel *kernel = sl_kernel_set_find (runner->set, step->kernel);
  if (kernel == NULL || kernel->params_size != step->params_size)
    g_error ("%s: no kernel '%s' of that form", runner->what, step->kernel);
  g_autofree void **buffers = g_new0 (void *, step->n_operands);
  for (uint32_t i = 0; i < step->n_operands; i++)
    buffers[i] = memory_of (runner, step->operands[i]);
  void *scratch = sl_aligned_alloc (kernel->scratch != NULL ? kernel->scratch (step->params) : 1);
  size_t tiles = kernel->tiles (step->params);
  kernel->run (step->params, buffers, scratch, 0, tiles);
  sl_aligned_free (scratch);
}

static void
run_reference_step (const Runner *runner, const SlStep *step)
{
  g_autofree void **buffers = g_new0 (void *, step->n_operands + 1);
  for (uint32_t i = 0; i < step->n_operands; i++) {
    const SlValue *value = step->operands[i];
    buffers[i] = memory_of (runner, value);
    g_assert_true (value == NULL || value->layout == SL_LAYOUT_ROW_MAJOR);
  }
  g_autofree char *scratch = g_malloc0 (sl_reference_scratch (step->node));
  sl_reference_run (step->node, buffers, buffers + step->n_reads, scratch);
}

/* Kernels with a dispatcher that has no records for some of their forms. */
static bool
may_decline (const SlStep *step)
{
  if (!op_gpu_has_dispatcher (step->kernel))
    return true; /* those that may be missing are listed in tests/dispatch */
  return g_str_has_prefix (step->kernel, "reduce_"); /* nothing to reduce is the reference's */
}

/* Convolutions are direct, and exact on integers, unless the case asks for another form. */
static const SlWinogradTiming *
timings_for (const OpCase *row)
{
  static const SlWinogradTiming f23[] = {{8, 8, 8, 1e6f, 1, 1e6f}, {0}};
  static const SlWinogradTiming f43[] = {{8, 8, 8, 1e6f, 1e6f, 1}, {0}};
  return row->flags & OP_F23 ? f23 : row->flags & OP_F43 ? f43 : NULL;
}

/* Returns how many steps were run; notes a kernel that the GPU has not. */
static uint32_t
run_on_gpu (Runner *runner, const SlStep *step, uint32_t n)
{
  OpGpuOptions *options = runner->options;
  uint32_t done = op_gpu_run (runner->gpu, step, n, runner->block, runner->block_bytes, options,
                              find_in_block, runner);
  /* A case for Winograd's convolution may be too small for the others. */
  const bool counts =
      timings_for (runner->row) == NULL || strstr (step->kernel, "winograd") != NULL;
  if (options->range > 0 && counts && (done == 0 || options->ret_records > 1))
    op_pieces_note (step->kernel, done > 0);
  if (done == 0 && options->range > 0) {
    OpGpuOptions whole = *options;
    whole.range = 0;
    done = op_gpu_run (runner->gpu, step, n, runner->block, runner->block_bytes, &whole,
                       find_in_block, runner);
  }
  if (done == 0) {
    runner->missing = step->kernel;
    if (!may_decline (step))
      g_error ("%s: the dispatcher of '%s' declines", runner->what, step->kernel);
  }
  return MAX (done, 1);
}

/* Constant weights become panels of float16 when a program is made, by the CPU. */
static bool
is_packed_early (const SlStep *step)
{
  return strcmp (step->kernel, "pack_weights") == 0 && ((const SlPackParams *)step->params)->half;
}

static void
run_node (Runner *runner, const SlNode *node, const SlTarget *target)
{
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (SlStep));
  g_array_set_clear_func (steps, (GDestroyNotify)sl_step_clear);
  SlLowering to = {.steps = steps, .target = target, .node = node};
  sl_lower_node (&to);
  for (guint i = 0, n = 1; i < steps->len && runner->missing == NULL; i += n) {
    const SlStep *step = &g_array_index (steps, SlStep, i);
    n = 1;
    if (!(node->op->traits & (SL_TRAIT_RELAYOUT | SL_TRAIT_PACKING)))
      g_string_append_printf (runner->steps, "%s%s", runner->steps->len > 0 ? " " : "",
                              step->kernel);
    if (strcmp (step->kernel, SL_STEP_REFERENCE) == 0)
      run_reference_step (runner, step);
    else if (runner->gpu != NULL && !op_gpu_leaves_to_host (step->kernel) &&
             !is_packed_early (step))
      n = run_on_gpu (runner, step, steps->len - i);
    else
      run_kernel (runner, step);
  }
}

/* --- Layouts --- */

static bool
may_be_channels_last (const SlGraph *graph, const SlValue *value)
{
  uint32_t rank = value->shape.rank;
  for (uint32_t i = 0; i < graph->inputs->len; i++)
    if (((const SlValue *)g_ptr_array_index (graph->inputs, i))->shape.rank > rank)
      return false;
  bool has_kernels = value->dtype == SL_FLOAT32 || sl_dtype_get_size (value->dtype) == 1;
  return has_kernels && (rank == 3 || rank == 4);
}

static bool
all_readers_have (const SlValue *value, SlTraits trait)
{
  for (uint32_t i = 0; i < value->uses->len; i++)
    if (!(((const SlNode *)g_ptr_array_index (value->uses, i))->op->traits & trait))
      return false;
  return true;
}

static void
widen (SlGraph *graph)
{
  for (uint32_t i = 0; i < graph->values->len; i++) {
    SlValue *value = g_ptr_array_index (graph->values, i);
    bool outer =
        value->kind == SL_VALUE_INPUT ||
        (value->is_output && value->producer != NULL && value->producer->outputs[0] == value &&
         (value->producer->op->traits & SL_TRAIT_SLICE_OUT));
    if (outer && value->layout == SL_LAYOUT_CHANNELS_LAST && value->shape.dim[1] > 0 &&
        all_readers_have (value, SL_TRAIT_SLICE_IN))
      value->pixel_stride = (size_t)value->shape.dim[1] + WIDER;
  }
}

/* Output 0 into the memory of the first input that fits, as the planner does it. */
static void
share (Runner *runner, const SlValue *output)
{
  const SlNode *node = output->producer;
  if (node == NULL || !(node->op->traits & SL_TRAIT_IN_PLACE))
    return;
  for (uint32_t i = 0; i < MIN (node->n_inputs, 2); i++) {
    const SlValue *x = node->inputs[i];
    if (x == NULL || x->data != NULL || x->dtype != output->dtype || x->uses->len > 1 ||
        x->layout != output->layout || !sl_shape_equal (&x->shape, &output->shape))
      continue;
    g_array_index (runner->buffers, Buffer, output->id).owner = x;
    return;
  }
}

/* Chooses layouts by the real pass, packs, and puts the nodes in order. */
static void
prepare (SlPasses *passes, RunKind kind)
{
  g_autoptr (GError) error = NULL;
  for (uint32_t i = 0; i < passes->graph->inputs->len && kind != RUN_ROW_MAJOR; i++) {
    SlValue *value = g_ptr_array_index (passes->graph->inputs, i);
    if (may_be_channels_last (passes->graph, value))
      value->layout = SL_LAYOUT_CHANNELS_LAST;
  }
  const bool half = passes->target->get_halves != NULL;
  if (!sl_pass_layout (passes, &error) || !sl_pass_prepare (passes, &error) ||
      !sl_graph_sort (passes->graph, &error))
    g_error ("%s", error->message);
  for (uint32_t i = 0; half && i < passes->graph->inputs->len; i++) {
    SlValue *value = g_ptr_array_index (passes->graph->inputs, i);
    value->is_half = value->dtype == SL_FLOAT32;
  }
  if (!sl_pass_halve (passes, &error) || !sl_graph_sort (passes->graph, &error))
    g_error ("%s", error->message);
  if (kind == RUN_WIDE)
    widen (passes->graph);
}

static void
check_relayouts (const Runner *runner, RunKind kind)
{
  if (kind == RUN_ROW_MAJOR || !(runner->row->flags & OP_FOLLOWS))
    return;
  for (uint32_t i = 0; i < runner->graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (runner->graph->nodes, i);
    if (node->op->traits & SL_TRAIT_RELAYOUT)
      g_error ("%s: %s is relaid", runner->what, node->inputs[0]->name);
  }
}

static void
run_kernels (const OpCase *row, const SlKernelSet *set, RunKind kind, GPtrArray *wanted)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) contents = NULL;
  const SlTarget target = {.panel = set->panel, .winograd = timings_for (row)};
  SlPasses passes;
  if (!op_reference_build (row, &passes, &contents, &error))
    g_error ("%s: %s", row->name, error->message);
  passes.target = &target;
  prepare (&passes, kind);
  g_autoptr (SlGraph) graph = passes.graph;
  g_autoptr (GString) steps = g_string_new (NULL);
  g_autofree char *what =
      g_strdup_printf ("%s (%s, %s)", row->name, sl_isa_name (set->isa), run_names[kind]);
  Runner runner = {.row = row, .set = set, .graph = graph, .what = what, .steps = steps};
  allocate (&runner);
  if (kind == RUN_IN_PLACE)
    share (&runner, g_ptr_array_index (graph->outputs, 0));
  for (uint32_t i = 0; i < graph->inputs->len; i++)
    write_input (&runner, g_ptr_array_index (graph->inputs, i), g_ptr_array_index (contents, i));
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    run_node (&runner, g_ptr_array_index (graph->nodes, i), &target);

  check_relayouts (&runner, kind);
  if (row->steps != NULL)
    g_assert_cmpstr (steps->str, ==, row->steps);
  for (uint32_t i = 0; i < graph->outputs->len; i++) {
    const SlValue *output = g_ptr_array_index (graph->outputs, i);
    SlRefTensor *got = read_output (&runner, output);
    op_reference_compare (what, got, wanted->pdata[output->id],
                          sl_dtype_is_float (got->dtype) ? row->tolerance : 0);
    op_reference_free (got);
  }
  g_array_unref (runner.buffers);
}

/* --- The GPU --- */

/* Runs the case as it is prepared; its outputs have to agree with the reference. Returns the block
 * as it was left, NULL if a kernel is missing. */
static char *
run_block (const OpCase *row, OpGpu *gpu, RunKind kind, OpGpuOptions *options, GPtrArray *wanted,
           size_t *ret_bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) contents = NULL;
  SlTarget target = op_gpu_get_target (gpu, options->half);
  target.winograd = timings_for (row);
  SlPasses passes;
  if (!op_reference_build (row, &passes, &contents, &error))
    g_error ("%s: %s", row->name, error->message);
  if (options->half)
    op_reference_round (passes.graph, contents);
  passes.target = &target;
  prepare (&passes, kind);
  g_autoptr (SlGraph) graph = passes.graph;
  g_autoptr (GString) steps = g_string_new (NULL);
  g_autofree char *what = g_strdup_printf (
      "%s (Vulkan%s%s, %s, at most %zu bytes, form %u, %u splits, %s)", row->name,
      options->as_gpu ? " with a GPU's forms" : "", options->half ? " in float16" : "",
      run_names[kind], options->range, options->form, options->splits, sl_isa_name (options->isa));
  Runner runner = {.row = row,
                   .set = sl_kernel_set_get (options->isa),
                   .gpu = gpu,
                   .options = options,
                   .graph = graph,
                   .what = what,
                   .steps = steps};
  allocate_block (&runner);
  if (kind == RUN_IN_PLACE)
    share (&runner, g_ptr_array_index (graph->outputs, 0));
  for (uint32_t i = 0; i < graph->inputs->len; i++)
    write_input (&runner, g_ptr_array_index (graph->inputs, i), g_ptr_array_index (contents, i));
  for (uint32_t i = 0; i < graph->nodes->len && runner.missing == NULL; i++)
    run_node (&runner, g_ptr_array_index (graph->nodes, i), &target);

  for (uint32_t i = 0; i < graph->outputs->len && runner.missing == NULL; i++) {
    const SlValue *output = g_ptr_array_index (graph->outputs, i);
    SlRefTensor *got = read_output (&runner, output);
    op_reference_compare (what, got, wanted->pdata[output->id],
                          !sl_dtype_is_float (got->dtype) ? 0
                          : options->half                 ? row->tolerance + HALF_TOLERANCE
                                                          : row->tolerance);
    op_reference_free (got);
  }
  check_block (&runner);
  g_array_unref (runner.buffers);
  *ret_bytes = runner.block_bytes;
  if (runner.missing == NULL)
    return runner.block;
  g_autofree char *why = g_strdup_printf ("'%s' has no form for GPUs", runner.missing);
  g_test_skip (why);
  sl_aligned_free (runner.block);
  return NULL;
}

/* Twice with the same bits. FALSE: a kernel is missing. */
static bool
run_twice (const OpCase *row, OpGpu *gpu, RunKind kind, OpGpuOptions *options, GPtrArray *wanted,
           size_t *ret_bytes)
{
  char *first = run_block (row, gpu, kind, options, wanted, ret_bytes);
  if (first == NULL)
    return false;
  char *second = run_block (row, gpu, kind, options, wanted, ret_bytes);
  if (memcmp (first, second, *ret_bytes) != 0)
    g_error ("%s (Vulkan, %s, form %u, %u splits): the second run has other bits", row->name,
             run_names[kind], options->form, options->splits);
  sl_aligned_free (first);
  sl_aligned_free (second);
  return true;
}

/* Every form that products have; those that can, in three parts, too. */
static void
run_forms (const OpCase *row, OpGpu *gpu, bool half, GPtrArray *wanted)
{
  for (uint32_t form = 1; form <= op_gpu_n_forms (); form++)
    for (uint32_t splits = 1;
         op_gpu_has_form (gpu, form, half) && splits <= (op_gpu_form_splits (form) ? 3 : 1);
         splits += 2) {
      size_t bytes;
      run_twice (row, gpu, RUN_WIDE, &(OpGpuOptions){.half = half, .form = form, .splits = splits},
                 wanted, &bytes);
    }
}

/* Lowering for a GPU leaves room and strides that every set of the CPU's kernels can do with. */
static void
run_isas (const OpCase *row, OpGpu *gpu, GPtrArray *wanted)
{
  for (int isa = 0; isa < SL_ISA_COUNT; isa++)
    for (int kind = 0; kind < RUN_KINDS && sl_isa_supported ((SlIsa)isa); kind++) {
      size_t bytes;
      if (sl_kernel_set_get ((SlIsa)isa) != NULL)
        run_twice (row, gpu, (RunKind)kind, &(OpGpuOptions){.isa = (SlIsa)isa}, wanted, &bytes);
    }
}

/* Everything again as float16 in memory, against inputs that are rounded to that. */
static void
run_halves (const OpCase *row, OpGpu *gpu)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) contents = NULL;
  SlPasses passes;
  if (op_gpu_get_target (gpu, true).get_halves == NULL)
    return;
  if (!op_reference_build (row, &passes, &contents, &error))
    g_error ("%s: %s", row->name, error->message);
  g_autoptr (SlGraph) graph = passes.graph;
  op_reference_round (graph, contents);
  g_autoptr (GPtrArray) results = op_reference_run (graph, contents);
  OpGpuOptions plain = {.half = true};
  for (int kind = 0; kind < RUN_KINDS; kind++) {
    size_t bytes;
    OpGpuOptions as_gpu = {.half = true, .as_gpu = true};
    run_twice (row, gpu, (RunKind)kind, &plain, results, &bytes);
    run_twice (row, gpu, (RunKind)kind, &as_gpu, results, &bytes);
    OpGpuOptions small = {.half = true, .range = MAX (SMALL_RANGE, bytes / SMALL_PART)};
    sl_aligned_free (run_block (row, gpu, (RunKind)kind, &small, results, &bytes));
  }
  if (plain.ret_has_product)
    run_forms (row, gpu, true, results);
}

/* Every layout; with the forms of real GPUs; in pieces, as on a device that binds little; with cut
 * records; products in all their forms; steps that the CPU does in between by all its sets of
 * kernels. */
static void
test_case_on_gpu (const void *data)
{
  const OpCase *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) contents = NULL;
  const char *why_not;
  OpGpu *gpu = op_gpu_get (&why_not);
  SlPasses passes;
  if (gpu == NULL) {
    g_test_skip (why_not);
    return;
  }
  if (!op_reference_build (row, &passes, &contents, &error))
    g_error ("%s: %s", row->name, error->message);
  g_autoptr (SlGraph) graph = passes.graph;
  g_autoptr (GPtrArray) results = op_reference_run (graph, contents);
  OpGpuOptions plain = {0};
  for (int kind = 0; kind < RUN_KINDS; kind++) {
    size_t bytes;
    if (!run_twice (row, gpu, (RunKind)kind, &plain, results, &bytes))
      return;
    OpGpuOptions as_gpu = {.as_gpu = true};
    run_twice (row, gpu, (RunKind)kind, &as_gpu, results, &bytes);
    OpGpuOptions small = {.range = MAX (SMALL_RANGE, bytes / SMALL_PART)};
    sl_aligned_free (run_block (row, gpu, (RunKind)kind, &small, results, &bytes));
  }
  for (int k = 0; k < 2; k++) {
    size_t bytes;
    OpGpuOptions cut = {.pieces = 3, .as_gpu = k};
    sl_aligned_free (run_block (row, gpu, RUN_WIDE, &cut, results, &bytes));
  }
  if (plain.ret_has_product)
    run_forms (row, gpu, false, results);
  if (plain.ret_has_host)
    run_isas (row, gpu, results);
  run_halves (row, gpu);
}

/* --- Cases --- */

static void
test_case (const void *data)
{
  const OpCase *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) contents = NULL;
  SlPasses passes;
  gboolean built = op_reference_build (row, &passes, &contents, &error);
  g_autoptr (SlGraph) graph = passes.graph;
  if (row->error != NULL) {
    g_assert_false (built);
    if (strstr (error->message, row->error) == NULL || strstr (error->message, "node it") == NULL)
      g_error ("%s: the error is \"%s\", expected \"… node it … %s\"", row->name, error->message,
               row->error);
    return;
  }
  g_assert_no_error (error);
  g_autoptr (GPtrArray) results = op_reference_run (graph, contents);
  op_reference_check_shape (row, graph);
  op_reference_check_stated (row, graph, results, 0, row->expected);
  op_reference_check_stated (row, graph, results, 1, row->second);
  for (int isa = 0; isa < SL_ISA_COUNT; isa++) {
    const SlKernelSet *set = sl_kernel_set_get ((SlIsa)isa);
    for (int kind = 0; kind < RUN_KINDS && set != NULL && sl_isa_supported ((SlIsa)isa); kind++)
      run_kernels (row, set, (RunKind)kind, results);
  }
}

/* Writes each case as a file into a folder: the fuzzer starts from them. */
static void
write_cases (const char *family, const OpCase *cases, const char *folder)
{
  for (const OpCase *row = cases; row->name != NULL; row++) {
    g_autoptr (GByteArray) model = op_case_emit (row);
    g_autofree char *stem = g_strdelimit (g_strdup (row->name), "/ ", '-');
    g_autofree char *name = g_strdup_printf ("%s/%s-%s.onnx", folder, family, stem);
    if (model != NULL)
      g_assert_true (g_file_set_contents (name, (const char *)model->data, model->len, NULL));
  }
}

static void
add_one_channel (const char *path, const OpCase *row, GTestDataFunc func)
{
  OpCase *narrow = op_case_new_one_channel (row);
  g_autofree char *longer = g_strdup_printf ("%s-one-channel", path);
  if (narrow != NULL)
    g_test_add_data_func_full (longer, narrow, func, op_case_free);
}

void
op_add_cases (const char *family, const OpCase *cases)
{
  const char *seeds = g_getenv ("SIGHTLINE_SEEDS");
  if (seeds != NULL) {
    write_cases (family, cases, seeds);
    return;
  }
  for (const OpCase *row = cases; row->name != NULL; row++) {
    g_autofree char *path = g_strdup_printf ("/ops/%s/%s", family, row->name);
    g_test_add_data_func (path, row, test_case);
    add_one_channel (path, row, test_case);
    if (row->error != NULL)
      continue;
    g_autofree char *on_gpu = g_strdup_printf ("/ops/%s/vulkan/%s", family, row->name);
    g_test_add_data_func (on_gpu, row, test_case_on_gpu);
    add_one_channel (on_gpu, row, test_case_on_gpu);
  }
  g_autofree char *path = g_strdup_printf ("/ops/%s/vulkan-pieces/each", family);
  g_test_add_func (path, op_pieces_test);
}
