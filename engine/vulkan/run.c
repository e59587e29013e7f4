#include "vulkan/run.h"

#include "core/clock.h"
#include "core/memory.h"

#include <string.h>

/* --- Recording --- */

void
sl_vk_run_record_copies (const SlVkRun *run, VkCommandBuffer commands, const GArray *copies,
                         bool upload)
{
  for (uint32_t i = 0; copies != NULL && i < copies->len; i++) {
    const SlVkCopy *copy = &g_array_index (copies, SlVkCopy, i);
    uint64_t at;
    const SlVkBuffer *found = sl_vk_program_find (run->program, copy->value, &at);
    const VkBuffer buffer = found != NULL ? found->handle : run->arena.handle;
    const VkBufferCopy region = {.srcOffset = upload ? copy->staging : at,
                                 .dstOffset = upload ? at : copy->staging,
                                 .size = copy->bytes};
    sl_vk_do (run->device, CmdCopyBuffer, commands, upload ? run->staging.handle : buffer,
              upload ? buffer : run->staging.handle, 1, &region);
  }
}

void
sl_vk_run_record (const SlVkRun *run, VkCommandBuffer commands, uint32_t index)
{
  const SlVkRecord *record = &g_array_index (run->program->records, SlVkRecord, index);
  const SlVkPipeline *pipeline = record->pipeline;
  sl_vk_do (run->device, CmdBindPipeline, commands, VK_PIPELINE_BIND_POINT_COMPUTE,
            pipeline->handle);
  sl_vk_do (run->device, CmdBindDescriptorSets, commands, VK_PIPELINE_BIND_POINT_COMPUTE,
            pipeline->layout, 0, 1, &run->sets.sets[index], 0, NULL);
  if (record->push_size > 0)
    sl_vk_do (run->device, CmdPushConstants, commands, pipeline->layout,
              VK_SHADER_STAGE_COMPUTE_BIT, 0, record->push_size, record->push);
  if (record->is_cut)
    sl_vk_do (run->device, CmdDispatchBase, commands, record->base[0], record->base[1], 0,
              record->groups[0], record->groups[1], record->groups[2]);
  else
    sl_vk_do (run->device, CmdDispatch, commands, record->groups[0], record->groups[1],
              record->groups[2]);
}

void
sl_vk_run_record_inputs (const SlVkRun *run, VkCommandBuffer commands)
{
  const SlVkPlaces *places = &run->program->places;
  const GPtrArray *inputs = places->plan->graph->inputs;
  const bool has_frame = run->frame.is_there;
  for (uint32_t i = 0; i < inputs->len; i++) {
    const SlValue *value = inputs->pdata[i];
    VkBufferCopy region = {.srcOffset = places->staging[value->id],
                           .size = sl_value_get_bytes (value)};
    int32_t constant;
    if ((has_frame && value == run->frame.value) || region.srcOffset == UINT64_MAX ||
        region.size == 0 || !sl_vk_places_find (places, value, &region.dstOffset, &constant))
      continue;
    sl_vk_do (run->device, CmdCopyBuffer, commands, run->staging.handle, run->arena.handle, 1,
              &region);
  }
  if (has_frame)
    sl_vk_frame_record (&run->frame, run->device, commands);
}

/* The command buffer for inputs as they come now. */
static VkResult
record_inputs (SlVkRun *run)
{
  SlVkDevice *device = run->device;
  VkCommandBuffer *commands = &run->inputs[run->frame.is_there];
  const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  const VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                            .commandPool = run->pool,
                                            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                            .commandBufferCount = 1};
  VkResult result = VK_SUCCESS;
  if (*commands == VK_NULL_HANDLE)
    result = sl_vk_try (device, AllocateCommandBuffers, device->handle, &info, commands);
  if (result != VK_SUCCESS) {
    *commands = VK_NULL_HANDLE;
    return result;
  }
  result = sl_vk_try (device, BeginCommandBuffer, *commands, &begin);
  if (result != VK_SUCCESS)
    return result;
  sl_vk_barrier (device, *commands);
  sl_vk_run_record_inputs (run, *commands);
  return sl_vk_try (device, EndCommandBuffer, *commands);
}

static VkResult
record_part (SlVkRun *run, const SlVkPart *part, VkCommandBuffer commands)
{
  SlVkDevice *device = run->device;
  const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  VkResult result = sl_vk_try (device, BeginCommandBuffer, commands, &info);
  if (result != VK_SUCCESS)
    return result;
  sl_vk_barrier (device, commands);
  sl_vk_run_record_copies (run, commands, part->uploads, true);
  if (part->uploads != NULL)
    sl_vk_barrier (device, commands);
  for (uint32_t i = part->first; i < part->first + part->n; i++) {
    if (g_array_index (run->program->records, SlVkRecord, i).barrier)
      sl_vk_barrier (device, commands);
    sl_vk_run_record (run, commands, i);
  }
  if (part->downloads != NULL) {
    sl_vk_barrier (device, commands);
    sl_vk_run_record_copies (run, commands, part->downloads, false);
    sl_vk_barrier_to_host (device, commands);
  }
  return sl_vk_try (device, EndCommandBuffer, commands);
}

static VkResult
make_commands (SlVkRun *run)
{
  SlVkDevice *device = run->device;
  const GArray *parts = run->program->parts;
  const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                        .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                        .queueFamilyIndex = device->physical->queue_family};
  VkResult result = sl_vk_try (device, CreateCommandPool, device->handle, &pool, NULL, &run->pool);
  if (result != VK_SUCCESS) {
    run->pool = VK_NULL_HANDLE;
    return result;
  }
  const VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                            .commandPool = run->pool,
                                            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                            .commandBufferCount = parts->len};
  run->commands = g_new0 (VkCommandBuffer, parts->len);
  result = sl_vk_try (device, AllocateCommandBuffers, device->handle, &info, run->commands);
  if (result == VK_SUCCESS)
    result = record_inputs (run);
  for (uint32_t i = 0; result == VK_SUCCESS && i < parts->len; i++)
    if (!g_array_index (parts, SlVkPart, i).is_host)
      result = record_part (run, &g_array_index (parts, SlVkPart, i), run->commands[i]);
  return result;
}

/* --- Descriptors --- */

static VkResult
make_sets (SlVkRun *run)
{
  const GArray *records = run->program->records;
  g_autofree const SlVkPipeline **pipelines = g_new (const SlVkPipeline *, records->len + 1);
  for (uint32_t i = 0; i < records->len; i++)
    pipelines[i] = g_array_index (records, SlVkRecord, i).pipeline;
  VkResult result = sl_vk_sets_init (run->device, pipelines, records->len, &run->sets);
  for (uint32_t i = 0; result == VK_SUCCESS && i < records->len; i++) {
    const SlVkRecord *record = &g_array_index (records, SlVkRecord, i);
    SlVkBound bound[SL_DISPATCH_MAX_BINDINGS];
    for (uint32_t k = 0; k < record->n_bindings; k++) {
      const SlVkBinding *binding = &record->bindings[k];
      const SlVkBuffer *buffer = binding->buffer != NULL ? binding->buffer : &run->arena;
      bound[k] = (SlVkBound){buffer->handle, binding->offset, binding->range, binding->is_half};
    }
    result = sl_vk_sets_write (&run->sets, i, record->pipeline, bound);
  }
  return result;
}

/* --- Memory --- */

static void *
stage (const SlVkRun *run, uint64_t at)
{
  return (char *)run->staging.mapped + at;
}

static gboolean
make_memory (SlVkRun *run, GError **error)
{
  const SlVkPlaces *places = &run->program->places;
  SlVkCommands commands;
  if (!sl_vk_buffer_init (run->device, SL_VK_MEMORY_DEVICE, places->arena_bytes, "a run",
                          &run->arena, error) ||
      !sl_vk_buffer_init (run->device, SL_VK_MEMORY_STAGING, places->staging_bytes,
                          "a run's inputs and outputs", &run->staging, error))
    return FALSE;
  if (run->staging.mapped != NULL)
    memset (run->staging.mapped, 0, run->staging.size);
  if (run->arena.size == 0)
    return TRUE;
  /* What a driver hands out may hold anybody's old numbers. */
  if (!sl_vk_commands_init (run->device, &commands, error))
    return FALSE;
  gboolean done = sl_vk_commands_begin (&commands, error);
  if (done)
    sl_vk_do (run->device, CmdFillBuffer, commands.buffer, run->arena.handle, 0, VK_WHOLE_SIZE, 0);
  done = done && sl_vk_commands_run (&commands, run->program->work_ns, error);
  sl_vk_commands_clear (&commands);
  return done;
}

static gboolean
make_operands (SlVkRun *run, GError **error)
{
  const GArray *steps = run->program->host_steps;
  run->operands = g_new0 (void **, steps->len + 1);
  for (uint32_t i = 0; i < steps->len; i++) {
    const SlVkHostStep *host = &g_array_index (steps, SlVkHostStep, i);
    run->operands[i] = g_new0 (void *, host->step->n_operands + 1);
    for (uint32_t k = 0; k < host->step->n_operands; k++) {
      const SlValue *value = host->step->operands[k];
      size_t offset;
      if (host->staging[k] != UINT64_MAX)
        run->operands[i][k] = stage (run, host->staging[k]);
      else if (value != NULL)
        run->operands[i][k] =
            (char *)sl_tensor_get_data (sl_value_get_root (value, &offset)->data) + offset;
    }
  }
  if (run->program->host_scratch == 0)
    return TRUE;
  run->scratch = sl_aligned_alloc (run->program->host_scratch);
  if (run->scratch == NULL)
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory for a run's %zu bytes of scratch",
                 run->program->host_scratch);
  return run->scratch != NULL;
}

void *
sl_vk_run_memory (void *data, const SlValue *value)
{
  SlVkRun *run = data;
  const uint64_t at = run->program->places.staging[value->id];
  size_t offset;
  if (value == run->frame.value)
    run->frame.is_there = false;
  if (at != UINT64_MAX)
    return stage (run, at);
  return (char *)sl_tensor_get_data (sl_value_get_root (value, &offset)->data) + offset;
}

static bool
is_prepared (const SlVkFrame *frame, const SlValue *value, const SlImageSampler *sampler,
             const ptrdiff_t strides[3])
{
  return frame->value == value && frame->sampler == sampler->number &&
         memcmp (frame->strides, strides, sizeof frame->strides) == 0;
}

/* Room for frames by this sampler. */
static gboolean
prepare_frame (SlVkRun *run, const SlValue *value, const SlImageSampler *sampler,
               const ptrdiff_t strides[3], const ptrdiff_t *pitches, GError **error)
{
  uint64_t picture;
  int32_t constant;
  const bool is_placed = sl_vk_places_find (&run->program->places, value, &picture, &constant);
  g_return_val_if_fail (is_placed, FALSE);
  return sl_vk_frame_init (&run->frame, run->device, value, sampler, strides, pitches, &run->arena,
                           picture, error);
}

gboolean
sl_vk_run_sample (void *data, const SlValue *value, SlImageSampler *sampler, const SlImage *image,
                  const ptrdiff_t strides[3], bool stays, SlFramePath *ret_path, GError **error)
{
  SlVkRun *run = data;
  SlVkFrame *frame = &run->frame;
  const SlVkBuffer *source = NULL;
  uint64_t offset[3];
  SlGather gather;
  if (stays && sl_gather_init (&gather, sampler, image->strides))
    source = sl_vk_frame_find (run->device, &gather, image, offset);
  const bool is_known = is_prepared (frame, value, sampler, strides);
  const ptrdiff_t *pitches = source != NULL ? image->strides : NULL;
  /* Once there are frames to be copied from where they are, the others go where those do. */
  const bool lacks_pitches = frame->can_sample && !frame->has_pitches && pitches != NULL;
  if ((!is_known || lacks_pitches) && !prepare_frame (run, value, sampler, strides, pitches, error))
    return FALSE;
  *ret_path = SL_FRAME_BY_CPU;
  frame->is_there = false;
  if (!frame->can_sample)
    return TRUE;
  if (source != NULL && memcmp (&gather, &frame->gather, sizeof gather) != 0)
    source = NULL;
  *ret_path = source != NULL ? SL_FRAME_IN_PLACE : SL_FRAME_UPLOAD;
  VkResult result =
      sl_vk_frame_take (frame, image, source, offset) ? record_inputs (run) : VK_SUCCESS;
  if (result == VK_SUCCESS)
    return TRUE;
  sl_vk_frame_give_up (frame, run->device);
  return sl_vk_device_error (run->device, error, result, "frames cannot be sampled");
}

gboolean
sl_vk_run_frame (void *data, const SlValue *value, SlImage *ret_image)
{
  const SlVkFrame *frame = &((const SlVkRun *)data)->frame;
  if (!frame->is_there || frame->value != value)
    return FALSE;
  *ret_image = frame->image;
  return TRUE;
}

/* --- A run --- */

void *
sl_vk_run_new (void *data, GError **error)
{
  const SlVkProgram *program = data;
  SlVkRun *run = g_new0 (SlVkRun, 1);
  run->program = program;
  run->device = program->device;
  if (!sl_vk_device_check (run->device, error) || !make_memory (run, error) ||
      !make_operands (run, error) || !sl_vk_work_init (run->device, &run->work, error)) {
    sl_vk_run_free (run);
    return NULL;
  }
  run->work.ns = program->work_ns;
  VkResult result = make_sets (run);
  if (result == VK_SUCCESS)
    result = make_commands (run);
  if (result != VK_SUCCESS)
    sl_vk_device_error (run->device, error, result, "a run cannot be prepared");
  if (result == VK_SUCCESS && sl_vk_check_messages (error))
    return run;
  sl_vk_run_free (run);
  return NULL;
}

static void
destroy_objects (SlVkRun *run)
{
  SlVkDevice *device = run->device;
  if (run->queries != VK_NULL_HANDLE)
    sl_vk_do (device, DestroyQueryPool, device->handle, run->queries, NULL);
  if (run->pool != VK_NULL_HANDLE)
    sl_vk_do (device, DestroyCommandPool, device->handle, run->pool, NULL);
}

void
sl_vk_run_free (void *data)
{
  SlVkRun *run = data;
  sl_vk_device_wait (run->device, &run->work, NULL);
  if (sl_vk_device_may_destroy (run->device))
    destroy_objects (run);
  sl_vk_work_clear (run->device, &run->work);
  sl_vk_buffer_clear (run->device, &run->arena);
  sl_vk_buffer_clear (run->device, &run->staging);
  for (uint32_t i = 0; run->operands != NULL && i < run->program->host_steps->len; i++)
    g_free (run->operands[i]);
  g_free (run->operands);
  sl_vk_sets_clear (&run->sets);
  sl_vk_frame_clear (&run->frame, run->device);
  g_free (run->commands);
  g_free (run->timed_commands);
  sl_aligned_free (run->scratch);
  g_free (run);
}

/* --- Executing --- */

gboolean
sl_vk_run_load_variables (const SlVkRun *run, GError **error)
{
  const SlVkProgram *program = run->program;
  return program->n_variables == 0 ||
         sl_vk_variables_load (program->device, program->variables, program->n_variables, error);
}

void
sl_vk_run_advance_variables (const SlVkRun *run)
{
  const GPtrArray *updated = run->program->updated;
  sl_vk_variables_advance (run->device, (SlVkConstant **)updated->pdata, updated->len);
}

void
sl_vk_run_lose_variables (const SlVkRun *run)
{
  const GPtrArray *updated = run->program->updated;
  for (uint32_t i = 0; i < updated->len; i++)
    sl_live_lose (((SlVkConstant *)updated->pdata[i])->tensor);
}

void
sl_vk_run_host_step (SlVkRun *run, uint32_t index)
{
  const SlVkHostStep *host = &g_array_index (run->program->host_steps, SlVkHostStep, index);
  run->program->host->run (host->bound, run->operands[index], run->scratch);
}

static void
run_host_steps (SlVkRun *run, const SlVkPart *part, uint64_t *ret_ns)
{
  const SlVkProgram *program = run->program;
  for (uint32_t i = part->first; i < part->first + part->n; i++) {
    const SlVkHostStep *host = &g_array_index (program->host_steps, SlVkHostStep, i);
    const uint64_t start = sl_clock_ns ();
    sl_vk_run_host_step (run, i);
    if (ret_ns != NULL)
      ret_ns[host->step - (const SlStep *)program->plan->steps->data] = sl_clock_ns () - start;
  }
}

static gboolean
finish_part (SlVkRun *run, GError **error)
{
  return sl_vk_device_wait (run->device, &run->work, error) &&
         sl_vk_buffer_invalidate (run->device, &run->staging, error);
}

static gboolean
run_part (SlVkRun *run, uint32_t index, const VkCommandBuffer *commands, uint64_t *ret_ns,
          GError **error)
{
  const GArray *parts = run->program->parts;
  const SlVkPart *part = &g_array_index (parts, SlVkPart, index);
  if (part->is_host) {
    run_host_steps (run, part, ret_ns);
    return TRUE;
  }
  /* The host has to be done with what it wrote, and waits for what it reads. */
  const bool is_last = index + 1 == parts->len;
  const bool after_host = index == 0 || g_array_index (parts, SlVkPart, index - 1).is_host;
  const bool before_host = !is_last && g_array_index (parts, SlVkPart, index + 1).is_host;
  const VkCommandBuffer list[] = {run->inputs[run->frame.is_there], commands[index]};
  const uint32_t skipped = index > 0;
  if ((!after_host || sl_vk_buffer_flush (run->device, &run->staging, error)) &&
      (skipped || !run->frame.is_there ||
       sl_vk_buffer_flush (run->device, run->frame.source, error)) &&
      sl_vk_device_submit (run->device, list + skipped, 2 - skipped,
                           is_last || before_host ? &run->work : NULL, error)) {
    run->has_begun = true;
    return !before_host || finish_part (run, error);
  }
  sl_vk_device_drain (run->device);
  return FALSE;
}

gboolean
sl_vk_run_submit_parts (SlVkRun *run, const VkCommandBuffer *commands, uint64_t *ret_ns,
                        GError **error)
{
  const uint32_t n = run->program->parts->len;
  const bool is_live = run->program->n_variables > 0;
  uint32_t n_done = 0;
  run->has_begun = false;
  if (is_live)
    sl_live_lock ();
  if (sl_vk_run_load_variables (run, error))
    while (n_done < n && run_part (run, n_done, commands, ret_ns, error))
      n_done++;
  if (n_done == n)
    sl_vk_run_advance_variables (run);
  else if (run->has_begun)
    sl_vk_run_lose_variables (run);
  if (is_live)
    sl_live_unlock ();
  return n_done == n;
}

gboolean
sl_vk_run_submit (void *data, GError **error)
{
  SlVkRun *run = data;
  return sl_vk_run_submit_parts (run, run->commands, NULL, error);
}

gboolean
sl_vk_run_finish (SlVkRun *run, GError **error)
{
  if (finish_part (run, error))
    return TRUE;
  sl_live_lock ();
  sl_vk_run_lose_variables (run);
  sl_live_unlock ();
  return FALSE;
}

gboolean
sl_vk_run_wait (void *data, GError **error)
{
  return sl_vk_run_finish (data, error) && sl_vk_check_messages (error);
}

gboolean
sl_vk_run_execute (void *run, GError **error)
{
  return sl_vk_run_submit (run, error) && sl_vk_run_wait (run, error);
}
