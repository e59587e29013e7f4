/* Buffers, each with memory of its own. Any thread; a buffer is one thread's at a time. */
#pragma once

#include "vulkan/device.h"

/* Of places in buffers: no device asks for more of a binding's offset. */
#define SL_VK_PLACE_ALIGNMENT 256

typedef enum {
  SL_VK_MEMORY_DEVICE,  /* local to the device: what shaders work on */
  SL_VK_MEMORY_STAGING, /* mapped, what the host writes and reads: cached where there is such */
} SlVkMemoryKind;

typedef struct SlVkBuffer {
  VkBuffer handle;
  VkDeviceMemory memory;
  uint64_t size;
  void *mapped; /* of staging memory */
  bool is_coherent, is_cached;
} SlVkBuffer;

/* `what` names it in errors: "weights". SL_ERROR_MEMORY with the number if it cannot be had;
 * `buffer` is then empty, which is fine to clear. A size of 0 makes no buffer. */
gboolean sl_vk_buffer_init (SlVkDevice *device, SlVkMemoryKind kind, uint64_t size,
                            const char *what, SlVkBuffer *buffer, GError **error);
void sl_vk_buffer_clear (SlVkDevice *device, SlVkBuffer *buffer);

/* TRUE if staging memory takes from what is local to the device, as where there is one memory for
 * both. */
bool sl_vk_staging_is_local (const SlVkDevice *device);

/* Before the device reads what the host wrote, and the other way round; nothing for coherent
 * memory.
 */
gboolean sl_vk_buffer_flush (SlVkDevice *device, const SlVkBuffer *buffer, GError **error);
gboolean sl_vk_buffer_invalidate (SlVkDevice *device, const SlVkBuffer *buffer, GError **error);
