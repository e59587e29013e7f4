#include "vulkan/device.h"

#include "dispatch/forms.h"
#include "vulkan/matrix.h"
#include "vulkan/pipeline.h"
#include "vulkan/variables.h"

/* A GPU that has shown no result for so long hangs. A CPU that plays one may be slow and shared,
 * and compiles shaders when they first run. */
#define PATIENCE_NS (G_GUINT64_CONSTANT (10) * 1000000000)
#define CPU_PATIENCE_NS (G_GUINT64_CONSTANT (600) * 1000000000)
/* Operations a second that a device of a kind does at least: the slowest are the GPUs of small
 * boards. A command buffer ends where it may take longer than PART_SECONDS: some systems kill what
 * takes longer than two. Nobody kills a CPU that plays a GPU. */
#define DISCRETE_SPEED 1e12
#define OTHER_SPEED 5e9
#define CPU_SPEED 2e9
#define PART_SECONDS 0.1
/* Between two tries of what failed for want of memory. */
#define RETRY_US 10000

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
  const char *extensions[5];
  uint32_t n_extensions = 0;
  if (physical->is_portability)
    extensions[n_extensions++] = SL_VK_PORTABILITY_SUBSET;
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
  VkPhysicalDeviceVulkanMemoryModelFeatures model = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES,
      .pNext = features.pNext,
      .vulkanMemoryModel = VK_TRUE};
  SlVkMatrixFeatures matrix = {
      .sType = SL_VK_MATRIX_FEATURES, .pNext = &model, .cooperativeMatrix = VK_TRUE};
  if (needs & SL_SHADER_MATRIX) {
    features.pNext = &matrix;
    extensions[n_extensions++] = SL_VK_MATRIX_NAME;
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
  VkResult result = sl_vk_try_global (CreateDevice, physical->handle, &info, NULL, &device->handle);
  if (result != VK_SUCCESS)
    device->handle = VK_NULL_HANDLE;
  return result;
}

static void
device_free (SlVkDevice *device)
{
  if (device->handle != VK_NULL_HANDLE) {
    sl_vk_device_drain (device);
    sl_vk_pipelines_free (device);
    sl_vk_constants_free (device);
    if (device->drain_fence != VK_NULL_HANDLE)
      sl_vk_do (device, DestroyFence, device->handle, device->drain_fence, NULL);
    sl_vk_do (device, DestroyDevice, device->handle, NULL);
  }
  g_mutex_clear (&device->queue_lock);
  g_mutex_clear (&device->drain_lock);
  g_free (device);
}

static SlVkLimits
get_limits (const SlVkPhysical *physical)
{
  SlVkLimits limits = {.max_allocation = physical->max_allocation,
                       .speed = OTHER_SPEED,
                       .part_seconds = PART_SECONDS};
  if (physical->type == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU) {
    limits.speed = DISCRETE_SPEED;
  } else if (physical->type == VK_PHYSICAL_DEVICE_TYPE_CPU) {
    limits.speed = CPU_SPEED;
    limits.part_seconds = G_MAXDOUBLE;
  }
  return limits;
}

/* What programs are made for. */
static void
describe (const SlVkPhysical *physical, SlGpu *ret_gpu, SlVkLimits *ret_limits)
{
  const SlVkHooks *hooks = sl_vk_hooks;
  *ret_gpu = physical->gpu;
  *ret_limits = get_limits (physical);
  if (hooks != NULL && hooks->limit != NULL)
    hooks->limit (hooks->data, ret_gpu, ret_limits);
}

SlShaderNeeds
sl_vk_device_get_features (uint32_t index)
{
  SlGpu gpu;
  SlVkLimits limits;
  describe (sl_vk_physical_get (index), &gpu, &limits);
  return gpu.features;
}

/* Drivers differ in what they make of matrices: what comes out wrong is not used. */
static void
try_matrices (SlVkDevice *device)
{
  g_autoptr (GError) error = NULL;
  if ((device->gpu.features & SL_SHADER_MATRIX) == 0 || device->gpu.is_cpu ||
      sl_vk_matrix_test (device, SL_PRODUCT_MATRIX_FORM, &error))
    return;
  g_info ("cooperative matrices are not used: %s", error->message);
  device->gpu.features &= ~SL_SHADER_MATRIX;
}

static SlVkDevice *
device_new (uint32_t index, GError **error)
{
  SlVkDevice *device = g_new0 (SlVkDevice, 1);
  device->refs = 1;
  device->index = index;
  device->physical = sl_vk_physical_get (index);
  describe (device->physical, &device->gpu, &device->limits);
  g_mutex_init (&device->queue_lock);
  g_mutex_init (&device->drain_lock);
  VkResult result = create (device);
  if (result != VK_SUCCESS) {
    sl_vk_error (error, result, "%s cannot be opened", device->physical->info.name);
    device_free (device);
    return NULL;
  }
  volkLoadDeviceTable (&device->table, device->handle);
  device->table.vkGetDeviceQueue (device->handle, device->physical->queue_family, 0,
                                  &device->queue);
  SlVkWork drain = {0};
  const gboolean done = sl_vk_work_init (device, &drain, error) &&
                        sl_vk_pipelines_new (device, error) && sl_vk_constants_new (device, error);
  sl_vk_variables_init (device);
  device->drain_fence = drain.fence;
  if (done) {
    try_matrices (device);
    return device;
  }
  device_free (device);
  return NULL;
}

uint64_t
sl_vk_device_get_free_memory (const SlVkDevice *device)
{
  const SlVkHooks *hooks = sl_vk_hooks;
  uint64_t bytes = sl_vk_physical_get_free_memory (device->physical);
  if (hooks != NULL && hooks->limit_memory != NULL)
    hooks->limit_memory (hooks->data, &bytes);
  return bytes;
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

/* --- The queue --- */

gboolean
sl_vk_work_init (SlVkDevice *device, SlVkWork *work, GError **error)
{
  const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
  *work = (SlVkWork){0};
  VkResult result = sl_vk_try (device, CreateFence, device->handle, &info, NULL, &work->fence);
  if (result == VK_SUCCESS)
    return TRUE;
  work->fence = VK_NULL_HANDLE;
  return sl_vk_device_error (device, error, result, "no fence");
}

void
sl_vk_work_clear (SlVkDevice *device, SlVkWork *work)
{
  if (work->fence != VK_NULL_HANDLE && sl_vk_device_may_destroy (device))
    sl_vk_do (device, DestroyFence, device->handle, work->fence, NULL);
  *work = (SlVkWork){0};
}

/* It hangs: it may be at work for ever. */
static void
abandon (SlVkDevice *device)
{
  g_atomic_int_set (&device->abandoned, 1);
  g_atomic_int_set (&device->lost, 1);
}

static uint64_t
get_patience (const SlVkDevice *device)
{
  return device->gpu.is_cpu ? CPU_PATIENCE_NS : PATIENCE_NS;
}

gboolean
sl_vk_device_submit (SlVkDevice *device, const VkCommandBuffer *commands, uint32_t n,
                     SlVkWork *work, GError **error)
{
  const VkFence fence = work != NULL ? work->fence : VK_NULL_HANDLE;
  const VkSubmitInfo info = {
      .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = n, .pCommandBuffers = commands};
  if (!sl_vk_device_check (device, error))
    return FALSE;
  VkResult result = VK_SUCCESS;
  if (fence != VK_NULL_HANDLE)
    result = sl_vk_try (device, ResetFences, device->handle, 1, &fence);
  g_mutex_lock (&device->queue_lock);
  if (result == VK_SUCCESS)
    result = sl_vk_try (device, QueueSubmit, device->queue, 1, &info, fence);
  if (result == VK_SUCCESS && work != NULL) {
    device->outstanding_ns += work->ns;
    work->limit = device->outstanding_ns + get_patience (device);
    work->pending = true;
  }
  g_mutex_unlock (&device->queue_lock);
  return result == VK_SUCCESS ||
         sl_vk_device_error (device, error, result, "work cannot be submitted");
}

gboolean
sl_vk_device_wait (SlVkDevice *device, SlVkWork *work, GError **error)
{
  if (!work->pending)
    return TRUE;
  VkResult result = VK_ERROR_DEVICE_LOST;
  /* One that hangs is waited for once. */
  if (sl_vk_device_may_destroy (device))
    result =
        sl_vk_try (device, WaitForFences, device->handle, 1, &work->fence, VK_TRUE, work->limit);
  work->pending = false;
  g_mutex_lock (&device->queue_lock);
  device->outstanding_ns -= work->ns;
  g_mutex_unlock (&device->queue_lock);
  if (result == VK_TIMEOUT) {
    abandon (device);
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE, "%s: no result after %.0f s, the device hangs",
                 device->physical->info.name, (double)work->limit / 1e9);
    return FALSE;
  }
  if (result == VK_SUCCESS)
    return TRUE;
  sl_vk_device_error (device, error, result, "waiting failed");
  sl_vk_device_drain (device);
  return FALSE;
}

/* Worth another try: memory may come back. */
static bool
is_passing (VkResult result)
{
  return result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

static VkResult
submit_fence (SlVkDevice *device)
{
  VkResult result = sl_vk_try (device, ResetFences, device->handle, 1, &device->drain_fence);
  if (result != VK_SUCCESS)
    return result;
  g_mutex_lock (&device->queue_lock);
  result = sl_vk_try (device, QueueSubmit, device->queue, 0, NULL, device->drain_fence);
  g_mutex_unlock (&device->queue_lock);
  return result;
}

/* Puts a fence behind everything and waits for it: only what is known to be over may be destroyed.
 */
static VkResult
wait_for_all (SlVkDevice *device, uint64_t limit)
{
  const gint64 end = g_get_monotonic_time () + (gint64)(limit / 1000);
  VkResult result = submit_fence (device);
  while (is_passing (result) && g_get_monotonic_time () < end) {
    g_usleep (RETRY_US);
    result = submit_fence (device);
  }
  if (result != VK_SUCCESS)
    return result;
  do
    result =
        sl_vk_try (device, WaitForFences, device->handle, 1, &device->drain_fence, VK_TRUE, limit);
  while (is_passing (result) && g_get_monotonic_time () < end);
  return result;
}

/* A lost device ends what it was at within finite time, and so does this call (Vulkan 1.3, 5.2.3
 * Lost Device); a fence may be given back before. */
static void
wait_for_loss (SlVkDevice *device)
{
  g_atomic_int_set (&device->lost, 1);
  g_mutex_lock (&device->queue_lock);
  (void)sl_vk_try (device, QueueWaitIdle, device->queue);
  g_mutex_unlock (&device->queue_lock);
}

void
sl_vk_device_drain (SlVkDevice *device)
{
  if (!sl_vk_device_may_destroy (device) || device->drain_fence == VK_NULL_HANDLE ||
      g_atomic_int_get (&device->drained))
    return;
  g_mutex_lock (&device->queue_lock);
  const uint64_t limit = device->outstanding_ns + get_patience (device);
  g_mutex_unlock (&device->queue_lock);
  g_mutex_lock (&device->drain_lock);
  VkResult result = wait_for_all (device, limit);
  g_mutex_unlock (&device->drain_lock);
  if (result == VK_ERROR_DEVICE_LOST)
    wait_for_loss (device);
  else if (result != VK_SUCCESS)
    abandon (device);
  /* Nothing is given to a lost device any more. */
  if (g_atomic_int_get (&device->lost))
    g_atomic_int_set (&device->drained, 1);
}
