/* A logical device with its one queue, shared by all programs of the process. */
#pragma once

#include "vulkan/physical.h"

typedef struct SlVkPipelines SlVkPipelines;
typedef struct SlVkConstants SlVkConstants;

/* Reference-counted; functions from any thread. */
typedef struct SlVkDevice {
  uint32_t refs; /* guarded by the lock of device.c */
  uint32_t index;
  const SlVkPhysical *physical;
  SlGpu gpu; /* what dispatchers may count on: the physical device's, or less in tests */
  VkDevice handle;
  struct VolkDeviceTable table;
  VkQueue queue;
  GMutex queue_lock;
  gint lost;      /* atomic: it failed, and everything that is tried with it fails at once */
  gint abandoned; /* atomic: something may still be at work on it, so that nothing is destroyed */
  SlVkPipelines *pipelines;
  SlVkConstants *constants;
} SlVkDevice;

/* The process's device of that number in sl_vulkan_list(), made where nobody has it, or where it is
 * lost. */
SlVkDevice *sl_vk_device_get (uint32_t index, GError **error);
SlVkDevice *sl_vk_device_ref (SlVkDevice *device);
/* The last one waits until nothing is at work any more and destroys it. */
void sl_vk_device_unref (SlVkDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlVkDevice, sl_vk_device_unref)

/* FALSE with SL_ERROR_DEVICE if it is lost. */
gboolean sl_vk_device_check (SlVkDevice *device, GError **error);

/* sl_vk_error(), which notes a lost device as well. */
G_GNUC_PRINTF (4, 5)
gboolean sl_vk_device_error (SlVkDevice *device, GError **error, VkResult result,
                             const char *format, ...);

/* Gives one command buffer to the queue; `fence` (VK_NULL_HANDLE: none) says when it and all that
 * was given before are done. */
gboolean sl_vk_device_submit (SlVkDevice *device, VkCommandBuffer commands, VkFence fence,
                              GError **error);

/* Waits for a fence and resets it. After `ns` nanoseconds the device counts as lost and what it is
 * at work on as abandoned: nothing of it is ever destroyed. */
gboolean sl_vk_device_wait (SlVkDevice *device, VkFence fence, uint64_t ns, GError **error);

/* After an error that may have left work in the queue: waits until it is empty, and resets the
 * fence. */
void sl_vk_device_recover (SlVkDevice *device, VkFence fence);

/* TRUE if objects may be destroyed. */
static inline bool
sl_vk_device_may_destroy (SlVkDevice *device)
{
  return !g_atomic_int_get (&device->abandoned);
}
