/* Descriptor sets of records, with the views of buffers that shaders read as texels. */
#pragma once

#include "vulkan/pipeline.h"

/* What binding `i` of a record is bound to. */
typedef struct SlVkBound {
  VkBuffer buffer;
  uint64_t offset, range; /* texels: the last one counts as a whole, and the buffer holds it */
  bool is_half;           /* texels: of float16, else of float32 */
} SlVkBound;

typedef struct SlVkSets {
  SlVkDevice *device;
  VkDescriptorPool pool;
  VkDescriptorSet *sets; /* of each record */
  GArray *views;         /* VkBufferView */
} SlVkSets;

/* A set for each of `n` records that use `pipelines`; to be cleared whatever the result. */
VkResult sl_vk_sets_init (SlVkDevice *device, const SlVkPipeline *const *pipelines, uint32_t n,
                          SlVkSets *sets);
/* Writes set `index`; `bound`: one for each binding of the shader. */
VkResult sl_vk_sets_write (SlVkSets *sets, uint32_t index, const SlVkPipeline *pipeline,
                           const SlVkBound *bound);
/* Nothing may use them any more. */
void sl_vk_sets_clear (SlVkSets *sets);
