#include "vulkan/device.h"

#include "vulkan/pipeline.h"
#include "vulkan/weights.h"

static struct {
  GMutex lock;
  GPtrArray *devices; /* SlVkDevice, of each number at most one that is not lost */
} shared;

/* --- Making --- */

/* Turns on what shaders may need of what need not be there. */
static VkResult
create (SlVkDevice *device)
{
  const SlVkPhysical *physical = device->physical;
  const SlShaderNeeds needs = device->gpu.features;
  const bool is_12 = physical->api_version >= VK_API_VERSION_1_2;
  VkPhysicalDevice8BitStorageFeatures storage8 = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES,
      .storageBuffer8BitAccess = (needs & SL_SHADER_STORAGE8) != 0};
  VkPhysicalDeviceShaderFloat16Int8Features small = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
      .shaderFloat16 = (needs & SL_SHADER_FLOAT16) != 0,
      .shaderInt8 = (needs & SL_SHADER_INT8) != 0};
  VkPhysicalDevice16BitStorageFeatures storage16 = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
      .storageBuffer16BitAccess = (needs & SL_SHADER_STORAGE16) != 0};
  VkPhysicalDeviceFeatures2 features = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
      .pNext = &storage16,
      .features = {.shaderInt16 = (needs & SL_SHADER_INT16) != 0}};
  const char *extensions[4];
  uint32_t n_extensions = 0;
  if (physical->has_8bit_storage) {
    storage8.pNext = features.pNext;
    features.pNext = &storage8;
    if (!is_12) {
      /* 8-bit storage of version 1.1 asks for this one. */
      extensions[n_extensions++] = VK_KHR_STORAGE_BUFFER_STORAGE_CLASS_EXTENSION_NAME;
      extensions[n_extensions++] = VK_KHR_8BIT_STORAGE_EXTENSION_NAME;
    }
  }
  if (physical->has_float16_int8) {
    small.pNext = features.pNext;
    features.pNext = &small;
    if (!is_12)
      extensions[n_extensions++] = VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME;
  }
  const float priority = 1;
  const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                         .queueFamilyIndex = physical->queue_family,
                                         .queueCount = 1,
                                         .pQueuePriorities = &priority};
  const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                   .pNext = &features,
                                   .queueCreateInfoCount = 1,
                                   .pQueueCreateInfos = &queue,
                                   .enabledExtensionCount = n_extensions,
                                   .ppEnabledExtensionNames = extensions};
  return sl_vk_try_global (CreateDevice, physical->handle, &info, NULL, &device->handle);
}

/* Waits until the queue is empty. */
static void
drain (SlVkDevice *device)
{
  if (!sl_vk_device_may_destroy (device))
    return;
  g_mutex_lock (&device->queue_lock);
  VkResult result = sl_vk_try (device, QueueWaitIdle, device->queue);
  g_mutex_unlock (&device->queue_lock);
  if (result == VK_ERROR_DEVICE_LOST)
    g_atomic_int_set (&device->lost, 1);
}

static void
device_free (SlVkDevice *device)
{
  if (device->handle != VK_NULL_HANDLE) {
    drain (device);
    sl_vk_pipelines_free (device);
    sl_vk_constants_free (device);
    sl_vk_do (device, DestroyDevice, device->handle, NULL);
  }
  g_mutex_clear (&device->queue_lock);
  g_free (device);
}

static SlVkDevice *
device_new (uint32_t index, GError **error)
{
  SlVkDevice *device = g_new0 (SlVkDevice, 1);
  device->refs = 1;
  device->index = index;
  device->physical = sl_vk_physical_get (index);
  device->gpu = device->physical->gpu;
  g_mutex_init (&device->queue_lock);
  const SlVkHooks *hooks = sl_vk_hooks;
  if (hooks != NULL && hooks->limit != NULL)
    hooks->limit (hooks->data, &device->gpu);
  VkResult result = create (device);
  if (result != VK_SUCCESS) {
    sl_vk_error (error, result, "%s cannot be opened", device->physical->info.name);
    device_free (device);
    return NULL;
  }
  volkLoadDeviceTable (&device->table, device->handle);
  device->table.vkGetDeviceQueue (device->handle, device->physical->queue_family, 0,
                                  &device->queue);
  if (!sl_vk_pipelines_new (device, error) || !sl_vk_constants_new (device, error)) {
    device_free (device);
    return NULL;
  }
  return device;
}

SlVkDevice *
sl_vk_device_get (uint32_t index, GError **error)
{
  g_mutex_lock (&shared.lock);
  if (shared.devices == NULL)
    shared.devices = g_ptr_array_new ();
  SlVkDevice *found = NULL;
  for (uint32_t i = 0; found == NULL && i < shared.devices->len; i++) {
    SlVkDevice *device = g_ptr_array_index (shared.devices, i);
    if (device->index == index && !g_atomic_int_get (&device->lost))
      found = device;
  }
  if (found != NULL)
    found->refs++;
  else if ((found = device_new (index, error)) != NULL)
    g_ptr_array_add (shared.devices, found);
  g_mutex_unlock (&shared.lock);
  return found;
}

SlVkDevice *
sl_vk_device_ref (SlVkDevice *device)
{
  g_mutex_lock (&shared.lock);
  device->refs++;
  g_mutex_unlock (&shared.lock);
  return device;
}

void
sl_vk_device_unref (SlVkDevice *device)
{
  if (device == NULL)
    return;
  g_mutex_lock (&shared.lock);
  /* One that may still be at work stays for good. */
  const bool is_last = --device->refs == 0 && sl_vk_device_may_destroy (device);
  if (is_last)
    g_ptr_array_remove_fast (shared.devices, device);
  if (is_last && shared.devices->len == 0)
    g_clear_pointer (&shared.devices, g_ptr_array_unref);
  g_mutex_unlock (&shared.lock);
  if (is_last)
    device_free (device);
}

/* --- Using --- */

gboolean
sl_vk_device_check (SlVkDevice *device, GError **error)
{
  if (!g_atomic_int_get (&device->lost))
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
               "%s was lost before: what runs on it has to be made anew",
               device->physical->info.name);
  return FALSE;
}

gboolean
sl_vk_device_error (SlVkDevice *device, GError **error, VkResult result, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  if (result == VK_ERROR_DEVICE_LOST)
    g_atomic_int_set (&device->lost, 1);
  return sl_vk_error (error, result, "%s: %s", device->physical->info.name, text);
}

gboolean
sl_vk_device_submit (SlVkDevice *device, VkCommandBuffer commands, VkFence fence, GError **error)
{
  if (!sl_vk_device_check (device, error))
    return FALSE;
  const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                             .commandBufferCount = 1,
                             .pCommandBuffers = &commands};
  g_mutex_lock (&device->queue_lock);
  VkResult result = sl_vk_try (device, QueueSubmit, device->queue, 1, &info, fence);
  g_mutex_unlock (&device->queue_lock);
  return result == VK_SUCCESS ||
         sl_vk_device_error (device, error, result, "work cannot be submitted");
}

gboolean
sl_vk_device_wait (SlVkDevice *device, VkFence fence, uint64_t ns, GError **error)
{
  VkResult result = sl_vk_try (device, WaitForFences, device->handle, 1, &fence, VK_TRUE, ns);
  if (result == VK_TIMEOUT) {
    g_atomic_int_set (&device->abandoned, 1);
    g_atomic_int_set (&device->lost, 1);
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE, "%s: no result after %.0f s, the device hangs",
                 device->physical->info.name, (double)ns / 1e9);
    return FALSE;
  }
  if (result == VK_SUCCESS)
    result = sl_vk_try (device, ResetFences, device->handle, 1, &fence);
  return result == VK_SUCCESS || sl_vk_device_error (device, error, result, "waiting failed");
}

void
sl_vk_device_recover (SlVkDevice *device, VkFence fence)
{
  drain (device);
  if (sl_vk_device_may_destroy (device))
    (void)sl_vk_try (device, ResetFences, device->handle, 1, &fence);
}
