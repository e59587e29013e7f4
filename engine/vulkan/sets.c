#include "vulkan/sets.h"

#include "core/memory.h"

#define TEXEL_BYTES 16

static bool
is_texels (const SlShader *shader, uint32_t binding)
{
  return shader->texels >> binding & 1;
}

static VkResult
make_pool (SlVkSets *sets, const SlVkPipeline *const *pipelines, uint32_t n)
{
  VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0},
                                  {VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 0}};
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t k = 0; k < pipelines[i]->shader->n_bindings; k++)
      sizes[is_texels (pipelines[i]->shader, k)].descriptorCount++;
  const bool has_buffers = sizes[0].descriptorCount > 0;
  const VkDescriptorPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                           .maxSets = n,
                                           .poolSizeCount =
                                               has_buffers + (sizes[1].descriptorCount > 0),
                                           .pPoolSizes = sizes + !has_buffers};
  VkResult result = sl_vk_try (sets->device, CreateDescriptorPool, sets->device->handle, &info,
                               NULL, &sets->pool);
  if (result != VK_SUCCESS)
    sets->pool = VK_NULL_HANDLE;
  return result;
}

VkResult
sl_vk_sets_init (SlVkDevice *device, const SlVkPipeline *const *pipelines, uint32_t n,
                 SlVkSets *sets)
{
  *sets = (SlVkSets){.device = device};
  if (n == 0)
    return VK_SUCCESS;
  VkResult result = make_pool (sets, pipelines, n);
  if (result != VK_SUCCESS)
    return result;
  g_autofree VkDescriptorSetLayout *layouts = g_new (VkDescriptorSetLayout, n);
  for (uint32_t i = 0; i < n; i++)
    layouts[i] = pipelines[i]->set_layout;
  const VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                            .descriptorPool = sets->pool,
                                            .descriptorSetCount = n,
                                            .pSetLayouts = layouts};
  sets->sets = g_new0 (VkDescriptorSet, n);
  sets->views = g_array_new (FALSE, FALSE, sizeof (VkBufferView));
  return sl_vk_try (device, AllocateDescriptorSets, device->handle, &info, sets->sets);
}

static VkResult
make_view (SlVkSets *sets, const SlVkBound *bound, VkBufferView *ret_view)
{
  const VkBufferViewCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                       .buffer = bound->buffer,
                                       .format = bound->is_half ? VK_FORMAT_R16G16B16A16_SFLOAT
                                                                : VK_FORMAT_R32G32B32A32_SFLOAT,
                                       .offset = bound->offset,
                                       .range = sl_align_up (bound->range, TEXEL_BYTES)};
  VkResult result =
      sl_vk_try (sets->device, CreateBufferView, sets->device->handle, &info, NULL, ret_view);
  if (result == VK_SUCCESS)
    g_array_append_val (sets->views, *ret_view);
  return result;
}

VkResult
sl_vk_sets_write (SlVkSets *sets, uint32_t index, const SlVkPipeline *pipeline,
                  const SlVkBound *bound)
{
  const uint32_t n = pipeline->shader->n_bindings;
  VkDescriptorBufferInfo buffers[SL_DISPATCH_MAX_BINDINGS];
  VkBufferView views[SL_DISPATCH_MAX_BINDINGS];
  VkWriteDescriptorSet writes[SL_DISPATCH_MAX_BINDINGS];
  for (uint32_t i = 0; i < n; i++) {
    const bool texels = is_texels (pipeline->shader, i);
    VkResult result = texels ? make_view (sets, &bound[i], &views[i]) : VK_SUCCESS;
    if (result != VK_SUCCESS)
      return result;
    buffers[i] = (VkDescriptorBufferInfo){bound[i].buffer, bound[i].offset, bound[i].range};
    writes[i] = (VkWriteDescriptorSet){
        .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
        .dstSet = sets->sets[index],
        .dstBinding = i,
        .descriptorCount = 1,
        .descriptorType =
            texels ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
        .pBufferInfo = texels ? NULL : &buffers[i],
        .pTexelBufferView = texels ? &views[i] : NULL,
    };
  }
  sl_vk_do (sets->device, UpdateDescriptorSets, sets->device->handle, n, writes, 0, NULL);
  return VK_SUCCESS;
}

void
sl_vk_sets_clear (SlVkSets *sets)
{
  SlVkDevice *device = sets->device;
  if (device != NULL && sl_vk_device_may_destroy (device)) {
    if (sets->pool != VK_NULL_HANDLE)
      sl_vk_do (device, DestroyDescriptorPool, device->handle, sets->pool, NULL);
    for (uint32_t i = 0; sets->views != NULL && i < sets->views->len; i++)
      sl_vk_do (device, DestroyBufferView, device->handle,
                g_array_index (sets->views, VkBufferView, i), NULL);
  }
  g_clear_pointer (&sets->views, g_array_unref);
  g_clear_pointer (&sets->sets, g_free);
  sets->device = NULL;
}
