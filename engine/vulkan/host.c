#include "vulkan/host.h"

#include "vulkan/backend.h"

typedef struct Block {
  SlVkDevice *device;
  SlVkBuffer buffer;
} Block;

/* All there are: some for each stream. */
static struct {
  GMutex lock;
  GPtrArray *blocks; /* Block; NULL: none */
} known;

static void
block_free (Block *block)
{
  sl_vk_buffer_clear (block->device, &block->buffer);
  sl_vk_device_unref (block->device);
  g_free (block);
}

static gboolean
fill_block (Block *block, size_t size, GError **error)
{
  /* Nothing is sampled on a CPU that plays a GPU; and frames are read by others, too. */
  if (!block->device->gpu.is_cpu && !sl_vk_buffer_init (block->device, SL_VK_MEMORY_STAGING, size,
                                                        "frames", &block->buffer, error))
    return FALSE;
  if (block->buffer.is_cached)
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "%s gains nothing by frames in its memory",
               block->device->physical->info.name);
  return FALSE;
}

void *
sl_vulkan_host_new (uint32_t index, size_t size, void **ret_data, GError **error)
{
  SlVkDevice *device = sl_vk_device_get (index, error);
  if (device == NULL)
    return NULL;
  Block *block = g_new0 (Block, 1);
  block->device = device;
  if (!fill_block (block, size, error)) {
    block_free (block);
    return NULL;
  }
  g_mutex_lock (&known.lock);
  if (known.blocks == NULL)
    known.blocks = g_ptr_array_new ();
  g_ptr_array_add (known.blocks, block);
  g_mutex_unlock (&known.lock);
  *ret_data = block->buffer.mapped;
  return block;
}

void
sl_vulkan_host_free (void *block)
{
  g_mutex_lock (&known.lock);
  g_ptr_array_remove_fast (known.blocks, block);
  if (known.blocks->len == 0)
    g_clear_pointer (&known.blocks, g_ptr_array_unref);
  g_mutex_unlock (&known.lock);
  block_free (block);
}

const SlVkBuffer *
sl_vk_host_find (const SlVkDevice *device, const void *data, size_t size, uint64_t *ret_offset)
{
  const SlVkBuffer *found = NULL;
  g_mutex_lock (&known.lock);
  for (uint32_t i = 0; known.blocks != NULL && found == NULL && i < known.blocks->len; i++) {
    const Block *block = g_ptr_array_index (known.blocks, i);
    const uint64_t offset = (uintptr_t)data - (uintptr_t)block->buffer.mapped;
    if (block->device != device || offset > block->buffer.size ||
        size > block->buffer.size - offset)
      continue;
    found = &block->buffer;
    *ret_offset = offset;
  }
  g_mutex_unlock (&known.lock);
  return found;
}
