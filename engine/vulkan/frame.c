#include "vulkan/frame.h"

#include "core/memory.h"
#include "vulkan/commands.h"
#include "vulkan/host.h"

#include <string.h>

static gboolean
upload (SlVkDevice *device, const SlVkBuffer *to, const GArray *words, GError **error)
{
  const uint64_t bytes = words->len * sizeof (uint32_t);
  SlVkUpload upload;
  if (!sl_vk_upload_init (device, bytes, &upload, error))
    return FALSE;
  const gboolean done = sl_vk_upload_add (&upload, to, 0, words->data, bytes, error) &&
                        sl_vk_upload_finish (&upload, error);
  sl_vk_upload_clear (&upload);
  return done;
}

static gboolean
make_buffers (SlVkFrame *frame, SlVkDevice *device, const GArray *table, GError **error)
{
  const uint64_t bytes = sl_align_up (frame->gather.bytes, sizeof (uint32_t));
  return sl_vk_buffer_init (device, SL_VK_MEMORY_STAGING, bytes, "frames", &frame->staging,
                            error) &&
         sl_vk_buffer_init (device, SL_VK_MEMORY_DEVICE, bytes, "frames", &frame->bytes, error) &&
         sl_vk_buffer_init (device, SL_VK_MEMORY_DEVICE, table->len * sizeof (uint32_t),
                            "a frame's geometry", &frame->table, error) &&
         upload (device, &frame->table, table, error);
}

static gboolean
make_set (SlVkFrame *frame, SlVkDevice *device, const SlVkBuffer *arena, uint64_t picture,
          GError **error)
{
  const SlBinding *out = &frame->record.bindings[2];
  const uint64_t at = picture & (device->gpu.alignment - 1);
  const SlVkBound bound[] = {
      {frame->bytes.handle, 0, frame->bytes.size, false},
      {frame->table.handle, 0, frame->table.size, false},
      {arena->handle, picture - at, at + sl_extent_get_span (&out->extent), false}};
  frame->record.push[out->at_push / 4] = (uint32_t)(at / out->element_size);
  if (!sl_vk_pipelines_get (device, &frame->record, 1, &frame->pipeline, error))
    return FALSE;
  VkResult result = sl_vk_sets_init (device, &frame->pipeline, 1, &frame->sets);
  if (result == VK_SUCCESS)
    result = sl_vk_sets_write (&frame->sets, 0, frame->pipeline, bound);
  return result == VK_SUCCESS ||
         sl_vk_device_error (device, error, result, "frames cannot be sampled");
}

gboolean
sl_vk_frame_init (SlVkFrame *frame, SlVkDevice *device, const SlValue *value,
                  const SlImageSampler *sampler, const ptrdiff_t strides[3],
                  const ptrdiff_t *pitches, const SlVkBuffer *arena, uint64_t picture,
                  GError **error)
{
  g_autoptr (GArray) table = g_array_new (FALSE, TRUE, sizeof (uint32_t));
  sl_vk_frame_clear (frame, device);
  frame->value = value;
  frame->sampler = sampler->number;
  memcpy (frame->strides, strides, sizeof frame->strides);
  frame->has_pitches = pitches != NULL;
  /* A CPU that plays a GPU is the CPU that samples them faster, straight into staging memory. */
  frame->can_sample =
      !device->gpu.is_cpu && sl_dispatch_frame (&device->gpu, sampler, strides, pitches,
                                                &frame->gather, &frame->record, table);
  if (!frame->can_sample || (make_buffers (frame, device, table, error) &&
                             make_set (frame, device, arena, picture, error)))
    return TRUE;
  sl_vk_frame_give_up (frame, device);
  return FALSE;
}

const SlVkBuffer *
sl_vk_frame_find (const SlVkDevice *device, const SlGather *gather, const SlImage *image,
                  uint64_t ret_offset[3])
{
  const SlVkBuffer *found = NULL;
  for (uint32_t i = 0; i < 3; i++) {
    if (gather->planes[i].n_rows == 0)
      continue;
    const SlVkBuffer *of_plane = sl_vk_host_find (device, sl_gather_find (gather, i, image),
                                                  sl_gather_get_span (gather, i), &ret_offset[i]);
    if (of_plane == NULL || (found != NULL && of_plane != found))
      return NULL;
    found = of_plane;
  }
  return found;
}

bool
sl_vk_frame_take (SlVkFrame *frame, const SlImage *image, const SlVkBuffer *source,
                  const uint64_t offset[3])
{
  const SlVkBuffer *before = frame->source;
  frame->is_there = true;
  frame->source = source != NULL ? source : &frame->staging;
  for (uint32_t i = 0; i < G_N_ELEMENTS (frame->offset); i++)
    frame->offset[i] = source != NULL ? offset[i] : frame->gather.planes[i].at;
  if (source != NULL) {
    frame->image = *image;
    return true;
  }
  sl_gather (&frame->gather, image, frame->staging.mapped);
  sl_gather_describe (&frame->gather, frame->staging.mapped, &frame->image);
  return before != frame->source;
}

void
sl_vk_frame_give_up (SlVkFrame *frame, SlVkDevice *device)
{
  SlVkFrame left = {.value = frame->value, .sampler = frame->sampler};
  memcpy (left.strides, frame->strides, sizeof left.strides);
  sl_vk_frame_clear (frame, device);
  *frame = left;
}

void
sl_vk_frame_clear (SlVkFrame *frame, SlVkDevice *device)
{
  sl_vk_sets_clear (&frame->sets);
  sl_vk_buffer_clear (device, &frame->staging);
  sl_vk_buffer_clear (device, &frame->bytes);
  sl_vk_buffer_clear (device, &frame->table);
  *frame = (SlVkFrame){0};
}

static void
record_copy (const SlVkFrame *frame, SlVkDevice *device, VkCommandBuffer commands)
{
  VkBufferCopy regions[3];
  uint32_t n = 0;
  for (uint32_t i = 0; i < G_N_ELEMENTS (regions); i++)
    if (frame->gather.planes[i].n_rows > 0)
      regions[n++] = (VkBufferCopy){.srcOffset = frame->offset[i],
                                    .dstOffset = frame->gather.planes[i].at,
                                    .size = sl_gather_get_span (&frame->gather, i)};
  sl_vk_do (device, CmdCopyBuffer, commands, frame->source->handle, frame->bytes.handle, n,
            regions);
}

void
sl_vk_frame_record (const SlVkFrame *frame, SlVkDevice *device, VkCommandBuffer commands)
{
  const SlDispatch *record = &frame->record;
  record_copy (frame, device, commands);
  sl_vk_barrier (device, commands);
  sl_vk_do (device, CmdBindPipeline, commands, VK_PIPELINE_BIND_POINT_COMPUTE,
            frame->pipeline->handle);
  sl_vk_do (device, CmdBindDescriptorSets, commands, VK_PIPELINE_BIND_POINT_COMPUTE,
            frame->pipeline->layout, 0, 1, frame->sets.sets, 0, NULL);
  sl_vk_do (device, CmdPushConstants, commands, frame->pipeline->layout,
            VK_SHADER_STAGE_COMPUTE_BIT, 0, record->shader->push_size, record->push);
  sl_vk_do (device, CmdDispatch, commands, record->groups[0], record->groups[1], record->groups[2]);
}
