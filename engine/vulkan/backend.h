/* The Vulkan backend, as the session sees it. A build without Vulkan has the same functions and no
 * devices (none.c). */
#pragma once

#include "plan/backend.h"

/* A device that runs programs. Strings live as long as the process. */
typedef struct SlVulkanInfo {
  const char *name;     /* "NVIDIA H200" */
  const char *type;     /* "discrete GPU", "integrated GPU", "virtual GPU", "CPU" or "other" */
  const char *driver;   /* "llvmpipe, Mesa 22.3.6 (LLVM 15.0.6), Vulkan 1.3" */
  const char *uuid;     /* 32 hexadecimal digits in groups */
  const char *features; /* what the shaders use of what need not be there: "f16, int8" */
  const char *matrices; /* of cooperative matrices: "used …", or "unused: " and why */
  uint64_t memory;      /* bytes that are local to it */
  bool is_cpu;          /* a CPU that plays a GPU */
} SlVulkanInfo;

/* All devices, best first: discrete, integrated, virtual, then what plays a GPU; NULL with
 * SL_ERROR_DEVICE if there are none, saying why (SL_ERROR_NOT_FOUND: none can be, in this build).
 * Looked up once. Any thread. */
const SlVulkanInfo *sl_vulkan_list (uint32_t *ret_n, GError **error);

/* What lowering and packing need to know about device `index` of them. `half`: to store activations
 * and constant weights as float16, if it can. */
SlTarget sl_vulkan_get_target (uint32_t index, bool half);

/* A piece of memory of the host that runs on device `index` copy from where it is; *ret_data: where
 * it begins. SL_ERROR_UNSUPPORTED where there is nothing to gain. It keeps the device, lost or not,
 * until it is freed. Any thread. */
void *sl_vulkan_host_new (uint32_t index, size_t size, void **ret_data, GError **error);
void sl_vulkan_host_free (void *block);

extern const SlBackend sl_vulkan_backend;
