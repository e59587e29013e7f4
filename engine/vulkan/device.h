/* A logical device with its one queue, shared by all programs of the process. */
#pragma once

#include "graph/live.h"
#include "vulkan/physical.h"

typedef struct SlVkPipelines SlVkPipelines;
typedef struct SlVkConstants SlVkConstants;

/* Reference-counted; functions from any thread. */
typedef struct SlVkDevice {
  uint32_t refs; /* guarded by the lock of device.c */
  uint32_t index;
  const SlVkPhysical *physical;
  SlGpu gpu; /* what dispatchers may count on: the physical device's, or less in tests */
  SlVkLimits limits;
  VkDevice handle;
  struct VolkDeviceTable table;
  VkQueue queue;
  GMutex queue_lock;
  uint64_t outstanding_ns; /* what all may take that is in the queue; under the lock */
  GMutex drain_lock;
  VkFence drain_fence; /* under its lock */
  gint lost;           /* atomic: it failed, and everything that is tried with it fails at once */
  gint drained;        /* atomic: what a lost device was at work on is over */
  gint abandoned; /* atomic: something may still be at work on it, so that nothing is destroyed */
  SlVkPipelines *pipelines;
  SlVkConstants *constants;
  SlLiveHolder holder; /* of what runs changed: variables.c */
} SlVkDevice;

/* What shaders may need that device `index` has, whether it is open or not. */
SlShaderNeeds sl_vk_device_get_features (uint32_t index);

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

/* A fence with how long one may wait for it. What a queue was given is done in order, and a fence
 * stands behind everything before it: so one waits as long as all of that may take, whoever's it
 * is. One thread's at a time. */
typedef struct SlVkWork {
  VkFence fence;
  uint64_t ns;    /* that it may take by itself, besides the device's patience */
  uint64_t limit; /* with what was in the queue before */
  bool pending;   /* submitted and not waited for */
} SlVkWork;

/* What is all zeros may be cleared; what is pending may not. */
gboolean sl_vk_work_init (SlVkDevice *device, SlVkWork *work, GError **error);
void sl_vk_work_clear (SlVkDevice *device, SlVkWork *work);

/* Gives `n` command buffers to the queue. `work` (NULL: none) becomes pending, until they and all
 * that was given before are done. */
gboolean sl_vk_device_submit (SlVkDevice *device, const VkCommandBuffer *commands, uint32_t n,
                              SlVkWork *work, GError **error);

/* Waits for what is pending; nothing else is no error. After its limit the device counts as lost
 * and what it is at work on as abandoned: nothing of it is ever destroyed. */
gboolean sl_vk_device_wait (SlVkDevice *device, SlVkWork *work, GError **error);

/* After an error that may have left something in the queue: waits until that is done, as long as it
 * may take. */
void sl_vk_device_drain (SlVkDevice *device);

/* Bytes of its memory that may still be had, as far as the driver tells. */
uint64_t sl_vk_device_get_free_memory (const SlVkDevice *device);

/* TRUE if objects may be destroyed. */
static inline bool
sl_vk_device_may_destroy (SlVkDevice *device)
{
  return !g_atomic_int_get (&device->abandoned);
}
