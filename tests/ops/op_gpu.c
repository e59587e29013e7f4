#include "op_gpu.h"

#include "core/memory.h"
#include "dispatch/forms.h"
#include "vulkan/commands.h"
#include "vulkan/sets.h"

#include <string.h>

/* Of what bindings begin at: more than lavapipe asks for, so that offsets behind it are tested. */
#define ALIGNMENT 64
/* Workgroups in a dimension, of what is run as on a GPU: more are folded, or the work is cut. */
#define FEW_GROUPS 16
#define SECONDS (G_GUINT64_CONSTANT (1000000000))

struct OpGpu {
  SlVkDevice *device;
  SlGpu limits;
  SlVkCommands commands;
  SlVkBuffer table; /* what absent operands are bound to */
};

static void
must (gboolean done, GError **error)
{
  if (!done)
    g_error ("%s", (*error)->message);
}

static OpGpu *
open_gpu (GError **error)
{
  uint32_t n = 0;
  if (sl_vulkan_list (&n, error) == NULL)
    return NULL;
  SlVkDevice *device = sl_vk_device_get (0, error);
  if (device == NULL)
    return NULL;
  OpGpu *gpu = g_new0 (OpGpu, 1);
  gpu->device = device;
  gpu->limits = device->gpu;
  gpu->limits.alignment = MAX (gpu->limits.alignment, ALIGNMENT);
  if (sl_vk_commands_init (device, &gpu->commands, error) &&
      sl_vk_buffer_init (device, SL_VK_MEMORY_DEVICE, 256, "nothing", &gpu->table, error))
    return gpu;
  g_error ("%s", (*error)->message);
}

static OpGpu *the_gpu;

/* Before the process ends, so that the layer sees what is left over. */
static void
close_gpu (void)
{
  sl_vk_buffer_clear (the_gpu->device, &the_gpu->table);
  sl_vk_commands_clear (&the_gpu->commands);
  sl_vk_device_unref (the_gpu->device);
  g_free (the_gpu);
}

OpGpu *
op_gpu_get (const char **ret_why_not)
{
  static char *why_not;
  if (the_gpu == NULL && why_not == NULL) {
    g_autoptr (GError) error = NULL;
    the_gpu = open_gpu (&error);
    if (the_gpu != NULL)
      atexit (close_gpu);
    else if (g_strcmp0 (g_getenv ("SIGHTLINE_TEST_VULKAN"), "require") == 0)
      g_error ("a Vulkan device is required: %s", error->message);
    else
      why_not = g_strdup (error->message);
  }
  *ret_why_not = why_not;
  return the_gpu;
}

SlTarget
op_gpu_get_target (const OpGpu *gpu, bool half)
{
  return sl_vulkan_get_target (gpu->device->index, half);
}

uint32_t
op_gpu_n_forms (void)
{
  return sl_product_n_forms;
}

bool
op_gpu_form_splits (uint32_t form)
{
  return !sl_product_forms[form - 1].for_cpu;
}

bool
op_gpu_has_form (const OpGpu *gpu, uint32_t form, bool half)
{
  if (form == SL_PRODUCT_MATRIX_FORM)
    return half && (sl_product_get_matrix_needs () & ~gpu->limits.features) == 0;
  return true;
}

bool
op_gpu_has_dispatcher (const char *kernel)
{
  return sl_dispatch_find (kernel) != NULL;
}

bool
op_gpu_leaves_to_host (const char *kernel)
{
  return sl_dispatch_is_host (kernel, NULL);
}

/* --- One step --- */

typedef struct Work {
  OpGpu *gpu;
  SlGpu limits;
  GArray *records;
  const SlVkPipeline **pipelines;
  SlVkBuffer block, scratch, staging;
  SlVkSets sets;
  size_t bytes;
  bool *may_write; /* which bytes of the block records say that they write */
  OpGpuFind find;
  const void *data;
} Work;

static void
note_writes (const Work *work, const SlExtent *extent, uint64_t at)
{
  for (uint64_t row = 0; row < extent->rows; row++)
    for (uint64_t i = 0; i < extent->row_bytes; i++)
      work->may_write[at + row * extent->pitch + i] = true;
}

/* Barriers are set by what records say of their bindings, so it has to be true. */
static void
check_writes (const Work *work, const char *kernel, const char *before, const char *after)
{
  for (size_t i = 0; i < work->bytes; i++)
    if (before[i] != after[i] && !work->may_write[i])
      g_error ("%s: byte %zu of the block is written, which lies in no record's extent", kernel, i);
}

/* What a binding of a record is bound to; fills in the push constant that says how far behind it
 * the first element lies, and where its bytes are. */
static SlVkBound
locate (const Work *work, SlDispatch *record, const SlBinding *binding, SlPlace *ret_place)
{
  const uint64_t span = sl_extent_get_span (&binding->extent);
  *ret_place = (SlPlace){.buffer = binding->kind, .writes = binding->writes};
  if (binding->kind == SL_BIND_NONE || span == 0)
    return (SlVkBound){work->gpu->table.handle, 0, work->gpu->table.size, false};
  const bool is_value = binding->kind == SL_BIND_OPERAND;
  const SlVkBuffer *buffer = is_value ? &work->block : &work->scratch;
  uint64_t at = binding->extent.begin;
  if (is_value)
    at += work->find (work->data, binding->value);
  const uint64_t aligned = at / work->limits.alignment * work->limits.alignment;
  if (binding->at_push != SL_AT_NONE)
    record->push[binding->at_push / 4] = (uint32_t)((at - aligned) / binding->element_size);
  /* As the validation layer sees it, which knows of no rows and counts what stands before them. */
  ret_place->extent = sl_extent (aligned, at + span - aligned + 15);
  g_assert_cmpuint (at + span, <=, buffer->size);
  if (is_value && binding->writes)
    note_writes (work, &binding->extent, at);
  g_assert_cmpuint (at + span - aligned, <=, work->limits.binding_range);
  /* Words as a whole: bytes behind the last are nobody's, or the guard's, and stay what they are.
   */
  return (SlVkBound){buffer->handle, aligned, (at + span - aligned + 3) / 4 * 4,
                     binding->element_size == 2};
}

static void
record_one (Work *work, uint32_t index, SlBarriers *barriers)
{
  SlVkDevice *device = work->gpu->device;
  VkCommandBuffer commands = work->gpu->commands.buffer;
  SlDispatch *record = &g_array_index (work->records, SlDispatch, index);
  const SlVkPipeline *pipeline = work->pipelines[index];
  SlVkBound bound[SL_DISPATCH_MAX_BINDINGS];
  SlPlace places[SL_DISPATCH_MAX_BINDINGS];
  const uint32_t n = record->shader->n_bindings;
  for (uint32_t i = 0; i < n; i++)
    bound[i] = locate (work, record, &record->bindings[i], &places[i]);
  if (sl_barriers_add (barriers, places, n))
    sl_vk_barrier (device, commands);

  g_assert_cmpint (sl_vk_sets_write (&work->sets, index, pipeline, bound), ==, VK_SUCCESS);
  sl_vk_do (device, CmdBindPipeline, commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->handle);
  sl_vk_do (device, CmdBindDescriptorSets, commands, VK_PIPELINE_BIND_POINT_COMPUTE,
            pipeline->layout, 0, 1, &work->sets.sets[index], 0, NULL);
  if (record->shader->push_size > 0)
    sl_vk_do (device, CmdPushConstants, commands, pipeline->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
              record->shader->push_size, record->push);
  if (record->is_cut)
    sl_vk_do (device, CmdDispatchBase, commands, record->base[0], record->base[1], 0,
              record->groups[0], record->groups[1], record->groups[2]);
  else
    sl_vk_do (device, CmdDispatch, commands, record->groups[0], record->groups[1],
              record->groups[2]);
}

static void
run_records (Work *work, void *block)
{
  g_autoptr (GError) error = NULL;
  SlVkDevice *device = work->gpu->device;
  SlVkCommands *commands = &work->gpu->commands;
  g_autoptr (SlBarriers) barriers = sl_barriers_new ();
  const VkBufferCopy copy = {.size = work->bytes};

  must (sl_vk_pipelines_get (device, (const SlDispatch *)(void *)work->records->data,
                             work->records->len, work->pipelines, &error),
        &error);
  g_assert_cmpint (sl_vk_sets_init (device, work->pipelines, work->records->len, &work->sets), ==,
                   VK_SUCCESS);
  memcpy (work->staging.mapped, block, work->bytes);
  must (sl_vk_buffer_flush (device, &work->staging, &error), &error);
  must (sl_vk_commands_begin (commands, &error), &error);
  sl_vk_do (device, CmdCopyBuffer, commands->buffer, work->staging.handle, work->block.handle, 1,
            &copy);
  sl_vk_barrier (device, commands->buffer);
  for (uint32_t i = 0; i < work->records->len; i++)
    record_one (work, i, barriers);
  sl_vk_barrier (device, commands->buffer);
  sl_vk_do (device, CmdCopyBuffer, commands->buffer, work->block.handle, work->staging.handle, 1,
            &copy);
  must (sl_vk_commands_run (commands, 60 * SECONDS, &error), &error);
  must (sl_vk_buffer_invalidate (device, &work->staging, &error), &error);
  memcpy (block, work->staging.mapped, work->bytes);
  must (sl_vk_check_messages (&error), &error);
  sl_vk_sets_clear (&work->sets);
}

uint32_t
op_gpu_run (OpGpu *gpu, const SlStep *steps, uint32_t n, void *block, size_t bytes,
            OpGpuOptions *options, OpGpuFind find, const void *data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) records = g_array_new (FALSE, FALSE, sizeof (SlDispatch));
  g_autoptr (GArray) table = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  Work work = {.gpu = gpu,
               .limits = gpu->limits,
               .records = records,
               .bytes = bytes,
               .find = find,
               .data = data};
  if (options->range > 0)
    work.limits.binding_range = options->range;
  if (options->as_gpu) {
    work.limits.is_cpu = false;
    work.limits.cores = 0;
    work.limits.max_groups = FEW_GROUPS;
  }
  work.limits.product_form = options->form;
  work.limits.product_splits = options->splits;
  SlDispatcher to = {
      .gpu = &work.limits, .records = records, .table = table, .steps = steps, .n_steps = n};
  const uint32_t done = sl_dispatch_steps (&to);
  options->ret_records = records->len;
  if (done == 0 || records->len == 0)
    return done;
  for (uint32_t i = 0; i < records->len; i++)
    options->ret_has_product |=
        g_str_has_prefix (g_array_index (records, SlDispatch, i).shader->name, "gem");
  for (uint32_t i = 0; i < records->len && options->pieces > 1;)
    i += sl_dispatch_cut (records, i, options->pieces);
  g_autofree const SlVkPipeline **pipelines = g_new0 (const SlVkPipeline *, records->len);
  g_autofree bool *may_write = g_new0 (bool, bytes);
  g_autofree char *before = g_memdup2 (block, bytes);
  work.pipelines = pipelines;
  work.may_write = may_write;
  must (
      sl_vk_buffer_init (gpu->device, SL_VK_MEMORY_DEVICE, bytes, "a block", &work.block, &error) &&
          sl_vk_buffer_init (gpu->device, SL_VK_MEMORY_STAGING, bytes, "a block", &work.staging,
                             &error) &&
          sl_vk_buffer_init (gpu->device, SL_VK_MEMORY_DEVICE, to.scratch_size, "scratch",
                             &work.scratch, &error),
      &error);
  run_records (&work, block);
  check_writes (&work, steps->kernel, before, block);
  sl_vk_buffer_clear (gpu->device, &work.block);
  sl_vk_buffer_clear (gpu->device, &work.staging);
  sl_vk_buffer_clear (gpu->device, &work.scratch);
  return done;
}
