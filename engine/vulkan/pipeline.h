/* Compiled shaders with their specialisation constants, shared by all programs of a device. */
#pragma once

#include "vulkan/device.h"

typedef struct SlVkPipeline {
  const SlShader *shader;
  VkPipeline handle;
  VkPipelineLayout layout;
  VkDescriptorSetLayout set_layout; /* buffers 0, 1, … */
} SlVkPipeline;

/* Of a new device, and of one whose programs are gone. */
gboolean sl_vk_pipelines_new (SlVkDevice *device, GError **error);
void sl_vk_pipelines_free (SlVkDevice *device);

/* The pipelines of `n` records, built where they are new, on several threads; each one once,
 * whoever else asks for it meanwhile. They live as long as the device. */
gboolean sl_vk_pipelines_get (SlVkDevice *device, const SlDispatch *records, uint32_t n,
                              const SlVkPipeline **ret_pipelines, GError **error);

/* Keeps on disk what was compiled since the last time, for other processes; says nothing if that
 * cannot be done. */
void sl_vk_pipelines_keep (SlVkDevice *device);
