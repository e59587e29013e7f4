/* Vulkan as this folder calls it: every function through one place, where tests count the calls and
 * let them fail. */
#pragma once

#include "dispatch/dispatch.h"

#include <sightline/error.h>

#include <volk.h>

/* Everything that is called, by Vulkan's names. */
#define SL_VK_CALLS(X)             \
  X (CreateInstance)               \
  X (CreateDebugUtilsMessengerEXT) \
  X (EnumeratePhysicalDevices)     \
  X (CreateDevice)                 \
  X (DestroyDevice)                \
  X (CreateBuffer)                 \
  X (DestroyBuffer)                \
  X (CreateBufferView)             \
  X (DestroyBufferView)            \
  X (AllocateMemory)               \
  X (FreeMemory)                   \
  X (BindBufferMemory)             \
  X (MapMemory)                    \
  X (FlushMappedMemoryRanges)      \
  X (InvalidateMappedMemoryRanges) \
  X (CreateShaderModule)           \
  X (DestroyShaderModule)          \
  X (CreateDescriptorSetLayout)    \
  X (DestroyDescriptorSetLayout)   \
  X (CreatePipelineLayout)         \
  X (DestroyPipelineLayout)        \
  X (CreatePipelineCache)          \
  X (DestroyPipelineCache)         \
  X (GetPipelineCacheData)         \
  X (MergePipelineCaches)          \
  X (CreateComputePipelines)       \
  X (DestroyPipeline)              \
  X (CreateDescriptorPool)         \
  X (DestroyDescriptorPool)        \
  X (AllocateDescriptorSets)       \
  X (UpdateDescriptorSets)         \
  X (CreateCommandPool)            \
  X (DestroyCommandPool)           \
  X (AllocateCommandBuffers)       \
  X (FreeCommandBuffers)           \
  X (BeginCommandBuffer)           \
  X (EndCommandBuffer)             \
  X (CreateFence)                  \
  X (DestroyFence)                 \
  X (ResetFences)                  \
  X (WaitForFences)                \
  X (QueueSubmit)                  \
  X (QueueWaitIdle)                \
  X (CreateQueryPool)              \
  X (DestroyQueryPool)             \
  X (GetQueryPoolResults)          \
  X (CmdBindPipeline)              \
  X (CmdBindDescriptorSets)        \
  X (CmdPushConstants)             \
  X (CmdDispatch)                  \
  X (CmdDispatchBase)              \
  X (CmdPipelineBarrier)           \
  X (CmdCopyBuffer)                \
  X (CmdFillBuffer)                \
  X (CmdResetQueryPool)            \
  X (CmdWriteTimestamp)

#define SL_VK_CALL_ID(name) SL_VK_##name,
typedef enum { SL_VK_CALLS (SL_VK_CALL_ID) SL_VK_N_CALLS } SlVkCall;
#undef SL_VK_CALL_ID

/* What a device can do, besides what dispatchers ask for. */
typedef struct SlVkLimits {
  uint64_t max_allocation; /* bytes in one piece */
  double speed;            /* operations a second that it does at least */
  double part_seconds;     /* that a command buffer may take by that */
} SlVkLimits;

/* What tests put between us and Vulkan. */
typedef struct SlVkHooks {
  /* Before each call, from any thread. What is not VK_SUCCESS is the result of the call, if it has
   * one, and the call does not take place. NULL: nothing. */
  VkResult (*call) (void *data, SlVkCall call);
  /* Makes a device another one than it is: when the devices are listed, and smaller when one is
   * made. NULL: nothing. */
  void (*describe) (void *data, VkPhysicalDeviceProperties *properties);
  void (*limit) (void *data, SlGpu *gpu, SlVkLimits *limits);
  /* Bytes that its memory has left. NULL: what the driver says. */
  void (*limit_memory) (void *data, uint64_t *free_bytes);
  /* A buffer of so many bytes has got memory, or gives it back where that is less than 0. NULL:
   * nothing. */
  void (*allocated) (void *data, int64_t bytes);
  void *data;
} SlVkHooks;

/* NULL but in tests, which set it while nobody else is here. */
extern const SlVkHooks *sl_vk_hooks;

static inline VkResult
sl_vk_note (SlVkCall call)
{
  const SlVkHooks *hooks = sl_vk_hooks;
  return hooks != NULL && hooks->call != NULL ? hooks->call (hooks->data, call) : VK_SUCCESS;
}

/* A function that returns a VkResult, of the device's table. */
#define sl_vk_try(device, name, ...)                                            \
  ({                                                                            \
    VkResult refused_ = sl_vk_note (SL_VK_##name);                              \
    refused_ != VK_SUCCESS ? refused_ : (device)->table.vk##name (__VA_ARGS__); \
  })
/* The same of the instance, before there is a device. */
#define sl_vk_try_global(name, ...)                             \
  ({                                                            \
    VkResult refused_ = sl_vk_note (SL_VK_##name);              \
    refused_ != VK_SUCCESS ? refused_ : vk##name (__VA_ARGS__); \
  })
/* A function without result. */
#define sl_vk_do(device, name, ...) \
  (sl_vk_note (SL_VK_##name) == VK_SUCCESS ? (device)->table.vk##name (__VA_ARGS__) : (void)0)

/* "the device was lost (VK_ERROR_DEVICE_LOST)" */
const char *sl_vk_result_text (VkResult result);

/* SL_ERROR_MEMORY where memory ran out, else SL_ERROR_DEVICE: "FORMAT: text". Returns FALSE. */
G_GNUC_PRINTF (3, 4)
gboolean sl_vk_error (GError **error, VkResult result, const char *format, ...);
