/* The devices that the drivers offer, and what each can do. */
#pragma once

#include "vulkan/instance.h"
#include "vulkan/backend.h"

/* Has to be turned on where it is there. */
#define SL_VK_PORTABILITY_SUBSET "VK_KHR_portability_subset"

/* Cooperative matrices, as the headers of this build know them: Khronos' or NV's. */
#ifdef VK_KHR_cooperative_matrix
#define SL_VK_MATRIX SL_SHADER_MATRIX_KHR
#define SL_VK_MATRIX_NAME VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME
#define SL_VK_MATRIX_FEATURES VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR
typedef VkPhysicalDeviceCooperativeMatrixFeaturesKHR SlVkMatrixFeatures;
#else
#define SL_VK_MATRIX SL_SHADER_MATRIX_NV
#define SL_VK_MATRIX_NAME VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME
#define SL_VK_MATRIX_FEATURES VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV
typedef VkPhysicalDeviceCooperativeMatrixFeaturesNV SlVkMatrixFeatures;
#endif

typedef struct SlVkPhysical {
  SlVulkanInfo info;
  VkPhysicalDevice handle;
  VkPhysicalDeviceType type;
  uint32_t api_version;
  bool has_8bit_storage, has_float16_int8; /* as extensions, where version 1.2 lacks */
  bool has_matrices;                       /* the extension SL_VK_MATRIX_NAME */
  bool has_budget;                         /* VK_EXT_memory_budget */
  bool is_portability;                     /* it lacks parts of Vulkan, and says so */
  SlGpu gpu;
  uint32_t queue_family;    /* computes; without graphics where there is such a one */
  uint32_t timestamp_bits;  /* 0: it has no timestamps */
  double timestamp_ns;      /* of one tick */
  uint64_t max_allocation;  /* bytes */
  uint64_t coherence_bytes; /* that mapped memory which is not coherent is flushed in */
  VkPhysicalDeviceMemoryProperties memory;
  const char *identity; /* which device with which version of its driver */
} SlVkPhysical;

/* Device `index` of sl_vulkan_list(); it has to be there. */
const SlVkPhysical *sl_vk_physical_get (uint32_t index);

/* Bytes of device-local memory that may still be had, as far as the driver tells, else all. */
uint64_t sl_vk_physical_get_free_memory (const SlVkPhysical *physical);
