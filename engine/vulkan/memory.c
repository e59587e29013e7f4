#include "vulkan/memory.h"

#include "core/limit.h"
#include "core/memory.h"

#define DEVICE_LOCAL VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT
#define VISIBLE VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
#define COHERENT VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
#define CACHED VK_MEMORY_PROPERTY_HOST_CACHED_BIT
/* Properties that are no gain here and make memory slow or useless. */
#define UNWANTED                                                                \
  (VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT | \
   VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD)

/* What is tried one after the other. */
static const VkMemoryPropertyFlags device_kinds[] = {DEVICE_LOCAL, 0};
static const VkMemoryPropertyFlags staging_kinds[] = {VISIBLE | COHERENT | CACHED, VISIBLE | CACHED,
                                                      VISIBLE | COHERENT, 0};

/* Drivers list the fastest first. -1: none. */
static int
find_type (const SlVkDevice *device, uint32_t allowed, VkMemoryPropertyFlags wanted)
{
  const VkPhysicalDeviceMemoryProperties *memory = &device->physical->memory;
  for (uint32_t i = 0; i < memory->memoryTypeCount; i++) {
    const VkMemoryPropertyFlags flags = memory->memoryTypes[i].propertyFlags;
    if ((allowed & 1u << i) && (flags & wanted) == wanted && !(flags & UNWANTED))
      return (int)i;
  }
  return -1;
}

static void
note_bytes (int64_t bytes)
{
  if (sl_vk_hooks != NULL && sl_vk_hooks->allocated != NULL)
    sl_vk_hooks->allocated (sl_vk_hooks->data, bytes);
}

static VkResult
allocate (SlVkDevice *device, const VkMemoryPropertyFlags *kinds, SlVkBuffer *buffer)
{
  VkMemoryRequirements needs;
  VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  device->table.vkGetBufferMemoryRequirements (device->handle, buffer->handle, &needs);
  if (needs.size > device->limits.max_allocation)
    return result;
  for (; *kinds != 0 && buffer->memory == VK_NULL_HANDLE; kinds++) {
    const int type = find_type (device, needs.memoryTypeBits, *kinds);
    if (type < 0)
      continue;
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .allocationSize = needs.size,
                                       .memoryTypeIndex = (uint32_t)type};
    result = sl_vk_try (device, AllocateMemory, device->handle, &info, NULL, &buffer->memory);
    if (result != VK_SUCCESS)
      buffer->memory = VK_NULL_HANDLE;
    else
      note_bytes ((int64_t)buffer->size);
    const VkMemoryPropertyFlags found = device->physical->memory.memoryTypes[type].propertyFlags;
    buffer->is_coherent = found & COHERENT;
    buffer->is_cached = found & CACHED;
  }
  return result;
}

bool
sl_vk_staging_is_local (const SlVkDevice *device)
{
  const VkPhysicalDeviceMemoryProperties *memory = &device->physical->memory;
  for (const VkMemoryPropertyFlags *kind = staging_kinds; *kind != 0; kind++) {
    const int type = find_type (device, UINT32_MAX, *kind);
    if (type >= 0)
      return memory->memoryHeaps[memory->memoryTypes[type].heapIndex].flags &
             VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
  }
  return false;
}

static VkResult
fill_buffer (SlVkDevice *device, SlVkMemoryKind kind, SlVkBuffer *buffer)
{
  const bool staging = kind == SL_VK_MEMORY_STAGING;
  const VkBufferCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
      .size = sl_align_up (buffer->size, 16), /* whole texels */
      .usage =
          VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
          (staging ? 0
                   : VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT),
      .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
  VkResult result = sl_vk_try (device, CreateBuffer, device->handle, &info, NULL, &buffer->handle);
  if (result != VK_SUCCESS) {
    buffer->handle = VK_NULL_HANDLE;
    return result;
  }
  result = allocate (device, staging ? staging_kinds : device_kinds, buffer);
  if (result == VK_SUCCESS)
    result =
        sl_vk_try (device, BindBufferMemory, device->handle, buffer->handle, buffer->memory, 0);
  if (result == VK_SUCCESS && staging)
    result = sl_vk_try (device, MapMemory, device->handle, buffer->memory, 0, VK_WHOLE_SIZE, 0,
                        &buffer->mapped);
  return result;
}

gboolean
sl_vk_buffer_init (SlVkDevice *device, SlVkMemoryKind kind, uint64_t size, const char *what,
                   SlVkBuffer *buffer, GError **error)
{
  *buffer = (SlVkBuffer){.size = size};
  if (size == 0)
    return TRUE;
  if (!sl_vk_device_check (device, error))
    return FALSE;
  VkResult result = fill_buffer (device, kind, buffer);
  if (result == VK_SUCCESS)
    return TRUE;
  sl_vk_buffer_clear (device, buffer);
  g_autofree char *bytes = sl_limit_print_bytes (size);
  return sl_vk_device_error (device, error, result, "no %s of memory for %s", bytes, what);
}

void
sl_vk_buffer_clear (SlVkDevice *device, SlVkBuffer *buffer)
{
  if (!sl_vk_device_may_destroy (device))
    return;
  if (buffer->handle != VK_NULL_HANDLE)
    sl_vk_do (device, DestroyBuffer, device->handle, buffer->handle, NULL);
  if (buffer->memory != VK_NULL_HANDLE) {
    sl_vk_do (device, FreeMemory, device->handle, buffer->memory, NULL);
    note_bytes (-(int64_t)buffer->size);
  }
  *buffer = (SlVkBuffer){0};
}

gboolean
sl_vk_buffer_flush (SlVkDevice *device, const SlVkBuffer *buffer, GError **error)
{
  const VkMappedMemoryRange range = {.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
                                     .memory = buffer->memory,
                                     .size = VK_WHOLE_SIZE};
  if (buffer->is_coherent || buffer->size == 0)
    return TRUE;
  VkResult result = sl_vk_try (device, FlushMappedMemoryRanges, device->handle, 1, &range);
  return result == VK_SUCCESS ||
         sl_vk_device_error (device, error, result, "memory cannot be flushed");
}

gboolean
sl_vk_buffer_invalidate (SlVkDevice *device, const SlVkBuffer *buffer, GError **error)
{
  const VkMappedMemoryRange range = {.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
                                     .memory = buffer->memory,
                                     .size = VK_WHOLE_SIZE};
  if (buffer->is_coherent || buffer->size == 0)
    return TRUE;
  VkResult result = sl_vk_try (device, InvalidateMappedMemoryRanges, device->handle, 1, &range);
  return result == VK_SUCCESS ||
         sl_vk_device_error (device, error, result, "memory cannot be read");
}
