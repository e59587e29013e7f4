/* Work that is recorded, done and waited for at once: uploads, looking into a run. */
#pragma once

#include "vulkan/memory.h"

/* One thread's. */
typedef struct SlVkCommands {
  SlVkDevice *device;
  VkCommandPool pool;
  VkCommandBuffer buffer;
  SlVkWork work;
} SlVkCommands;

gboolean sl_vk_commands_init (SlVkDevice *device, SlVkCommands *commands, GError **error);
/* One that was never initialised may be all zeros. */
void sl_vk_commands_clear (SlVkCommands *commands);

/* Begins anew, with a barrier behind everything that the queue did before. */
gboolean sl_vk_commands_begin (SlVkCommands *commands, GError **error);
/* Ends, submits, and waits for what may take `ns` nanoseconds; the host may read then what was
 * copied. */
gboolean sl_vk_commands_run (SlVkCommands *commands, uint64_t ns, GError **error);

/* Makes what compute shaders and copies wrote, and the host before submission, visible to those
 * that follow; and at the end of a command buffer to the host. */
void sl_vk_barrier (SlVkDevice *device, VkCommandBuffer commands);
void sl_vk_barrier_to_host (SlVkDevice *device, VkCommandBuffer commands);

/* Copies from the host to device memory, by way of a piece of staging memory. */
typedef struct SlVkUpload {
  SlVkCommands commands;
  SlVkBuffer staging;
  uint64_t used; /* bytes of the staging memory that wait */
} SlVkUpload;

/* For `bytes` altogether. */
gboolean sl_vk_upload_init (SlVkDevice *device, uint64_t bytes, SlVkUpload *upload, GError **error);
void sl_vk_upload_clear (SlVkUpload *upload);
gboolean sl_vk_upload_add (SlVkUpload *upload, const SlVkBuffer *to, uint64_t offset,
                           const void *data, uint64_t bytes, GError **error);
/* Does what still waits. */
gboolean sl_vk_upload_finish (SlVkUpload *upload, GError **error);

/* A piece of device memory that goes to the host. */
typedef struct SlVkPiece {
  const SlVkBuffer *from;
  uint64_t offset, bytes;
  void *to;
} SlVkPiece;

/* Copies them, behind everything that the queue was given before, and waits. */
gboolean sl_vk_download (SlVkDevice *device, const SlVkPiece *pieces, uint32_t n, GError **error);
