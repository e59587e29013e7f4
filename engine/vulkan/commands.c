#include "vulkan/commands.h"

#include "core/memory.h"

#include <string.h>

/* A piece of staging memory: so large that what a submission costs is nothing beside it. */
#define STAGING_BYTES (G_GUINT64_CONSTANT (16) << 20)
/* For copies of so many bytes, by the slowest bus. */
#define COPY_NS (G_GUINT64_CONSTANT (1) * 1000000000)

#define WORK (VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT)
#define WORK_READS (VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT)
#define WORK_WRITES (VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT)

gboolean
sl_vk_commands_init (SlVkDevice *device, SlVkCommands *commands, GError **error)
{
  const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                        .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT |
                                                 VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
                                        .queueFamilyIndex = device->physical->queue_family};
  *commands = (SlVkCommands){.device = device};
  VkResult result =
      sl_vk_try (device, CreateCommandPool, device->handle, &pool, NULL, &commands->pool);
  if (result != VK_SUCCESS) {
    commands->pool = VK_NULL_HANDLE;
    return sl_vk_device_error (device, error, result, "no command pool");
  }
  const VkCommandBufferAllocateInfo buffer = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = commands->pool,
                                              .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                              .commandBufferCount = 1};
  result = sl_vk_try (device, AllocateCommandBuffers, device->handle, &buffer, &commands->buffer);
  if (result != VK_SUCCESS)
    sl_vk_device_error (device, error, result, "no command buffer");
  else if (sl_vk_work_init (device, &commands->work, error))
    return TRUE;
  sl_vk_commands_clear (commands);
  return FALSE;
}

void
sl_vk_commands_clear (SlVkCommands *commands)
{
  SlVkDevice *device = commands->device;
  if (device == NULL || !sl_vk_device_may_destroy (device))
    return;
  sl_vk_work_clear (device, &commands->work);
  if (commands->pool != VK_NULL_HANDLE)
    sl_vk_do (device, DestroyCommandPool, device->handle, commands->pool, NULL);
  *commands = (SlVkCommands){0};
}

static void
add_barrier (SlVkDevice *device, VkCommandBuffer commands, VkPipelineStageFlags from,
             VkAccessFlags written, VkPipelineStageFlags to, VkAccessFlags used)
{
  const VkMemoryBarrier barrier = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = written, .dstAccessMask = used};
  sl_vk_do (device, CmdPipelineBarrier, commands, from, to, 0, 1, &barrier, 0, NULL, 0, NULL);
}

void
sl_vk_barrier (SlVkDevice *device, VkCommandBuffer commands)
{
  add_barrier (device, commands, WORK, WORK_WRITES, WORK, WORK_READS | WORK_WRITES);
}

void
sl_vk_barrier_to_host (SlVkDevice *device, VkCommandBuffer commands)
{
  add_barrier (device, commands, WORK, WORK_WRITES, VK_PIPELINE_STAGE_HOST_BIT,
               VK_ACCESS_HOST_READ_BIT);
}

gboolean
sl_vk_commands_begin (SlVkCommands *commands, GError **error)
{
  SlVkDevice *device = commands->device;
  const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                         .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
  VkResult result = sl_vk_try (device, BeginCommandBuffer, commands->buffer, &info);
  if (result != VK_SUCCESS)
    return sl_vk_device_error (device, error, result, "commands cannot be recorded");
  sl_vk_barrier (device, commands->buffer);
  return TRUE;
}

gboolean
sl_vk_commands_run (SlVkCommands *commands, uint64_t ns, GError **error)
{
  SlVkDevice *device = commands->device;
  sl_vk_barrier_to_host (device, commands->buffer);
  VkResult result = sl_vk_try (device, EndCommandBuffer, commands->buffer);
  if (result != VK_SUCCESS)
    return sl_vk_device_error (device, error, result, "commands cannot be recorded");
  commands->work.ns = ns;
  return sl_vk_device_submit (device, &commands->buffer, 1, &commands->work, error) &&
         sl_vk_device_wait (device, &commands->work, error);
}

gboolean
sl_vk_upload_init (SlVkDevice *device, uint64_t bytes, SlVkUpload *upload, GError **error)
{
  *upload = (SlVkUpload){0};
  if (sl_vk_commands_init (device, &upload->commands, error) &&
      sl_vk_buffer_init (device, SL_VK_MEMORY_STAGING, MIN (bytes, STAGING_BYTES), "an upload",
                         &upload->staging, error))
    return TRUE;
  sl_vk_commands_clear (&upload->commands);
  return FALSE;
}

void
sl_vk_upload_clear (SlVkUpload *upload)
{
  if (upload->commands.device != NULL)
    sl_vk_buffer_clear (upload->commands.device, &upload->staging);
  sl_vk_commands_clear (&upload->commands);
}

gboolean
sl_vk_upload_finish (SlVkUpload *upload, GError **error)
{
  if (upload->used == 0)
    return TRUE;
  upload->used = 0;
  return sl_vk_buffer_flush (upload->commands.device, &upload->staging, error) &&
         sl_vk_commands_run (&upload->commands, COPY_NS, error);
}

gboolean
sl_vk_upload_add (SlVkUpload *upload, const SlVkBuffer *to, uint64_t offset, const void *data,
                  uint64_t bytes, GError **error)
{
  SlVkDevice *device = upload->commands.device;
  for (uint64_t done = 0; done < bytes;) {
    if (upload->used == upload->staging.size && !sl_vk_upload_finish (upload, error))
      return FALSE;
    if (upload->used == 0 && !sl_vk_commands_begin (&upload->commands, error))
      return FALSE;
    const uint64_t n = MIN (bytes - done, upload->staging.size - upload->used);
    const VkBufferCopy region = {.srcOffset = upload->used, .dstOffset = offset + done, .size = n};
    memcpy ((char *)upload->staging.mapped + upload->used, (const char *)data + done, n);
    sl_vk_do (device, CmdCopyBuffer, upload->commands.buffer, upload->staging.handle, to->handle, 1,
              &region);
    upload->used += n;
    done += n;
  }
  return TRUE;
}

/* A place in a list of pieces. */
typedef struct Cursor {
  uint32_t piece;
  uint64_t done; /* bytes of it */
} Cursor;

/* The bytes of the piece at the cursor that fit into `room`, and goes behind them; 0 at the end. */
static uint64_t
take (const SlVkPiece *pieces, uint32_t n, Cursor *at, uint64_t room, Cursor *ret_from)
{
  while (at->piece < n && at->done == pieces[at->piece].bytes)
    *at = (Cursor){at->piece + 1, 0};
  *ret_from = *at;
  if (at->piece == n)
    return 0;
  const uint64_t bytes = MIN (pieces[at->piece].bytes - at->done, room);
  at->done += bytes;
  return bytes;
}

/* As much as the staging memory holds. */
static gboolean
download_some (SlVkCommands *commands, const SlVkBuffer *staging, const SlVkPiece *pieces,
               uint32_t n, Cursor *at, GError **error)
{
  SlVkDevice *device = commands->device;
  Cursor from, again = *at;
  uint64_t used = 0, bytes;
  if (!sl_vk_commands_begin (commands, error))
    return FALSE;
  for (; (bytes = take (pieces, n, at, staging->size - used, &from)) > 0; used += bytes) {
    const SlVkPiece *piece = &pieces[from.piece];
    const VkBufferCopy region = {
        .srcOffset = piece->offset + from.done, .dstOffset = used, .size = bytes};
    sl_vk_do (device, CmdCopyBuffer, commands->buffer, piece->from->handle, staging->handle, 1,
              &region);
  }
  if (!sl_vk_commands_run (commands, COPY_NS, error) ||
      !sl_vk_buffer_invalidate (device, staging, error))
    return FALSE;
  used = 0;
  for (; (bytes = take (pieces, n, &again, staging->size - used, &from)) > 0; used += bytes)
    memcpy ((char *)pieces[from.piece].to + from.done, (const char *)staging->mapped + used, bytes);
  return TRUE;
}

gboolean
sl_vk_download (SlVkDevice *device, const SlVkPiece *pieces, uint32_t n, GError **error)
{
  SlVkCommands commands;
  SlVkBuffer staging = {0};
  Cursor at = {0};
  uint64_t bytes = 0, left;
  for (uint32_t i = 0; i < n; i++)
    bytes += pieces[i].bytes;
  if (!sl_vk_device_check (device, error) || !sl_vk_commands_init (device, &commands, error))
    return FALSE;
  gboolean done = sl_vk_buffer_init (device, SL_VK_MEMORY_STAGING, MIN (bytes, STAGING_BYTES),
                                     "a download", &staging, error);
  for (left = bytes; done && left > 0; left -= MIN (left, staging.size))
    done = download_some (&commands, &staging, pieces, n, &at, error);
  sl_vk_buffer_clear (device, &staging);
  sl_vk_commands_clear (&commands);
  return done;
}
