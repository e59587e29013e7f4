#include "vulkan/physical.h"

#include "dispatch/forms.h"

#include <string.h>

static struct {
  SlVkPhysical *devices;
  SlVulkanInfo *infos;
  uint32_t n;
  GError *error; /* why there are none */
} list;

typedef struct Extensions {
  VkExtensionProperties *all;
  uint32_t n;
} Extensions;

static bool
has_extension (const Extensions *extensions, const char *name)
{
  for (uint32_t i = 0; i < extensions->n; i++)
    if (strcmp (extensions->all[i].extensionName, name) == 0)
      return true;
  return false;
}

static const char *
type_name (VkPhysicalDeviceType type)
{
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    return "discrete GPU";
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
    return "integrated GPU";
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
    return "virtual GPU";
  case VK_PHYSICAL_DEVICE_TYPE_CPU:
    return "CPU";
  default:
    return "other";
  }
}

/* Smaller is better. */
static int
rank_of (VkPhysicalDeviceType type)
{
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    return 0;
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
    return 1;
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
    return 2;
  case VK_PHYSICAL_DEVICE_TYPE_CPU:
    return 4;
  default:
    return 3;
  }
}

static const char *
print_uuid (const uint8_t uuid[VK_UUID_SIZE])
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (uint32_t i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf (text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                            uuid[i]);
  return g_intern_string (text->str);
}

/* What another device, or another version of its driver, has not. */
static const char *
print_identity (const VkPhysicalDeviceProperties *basic, const VkPhysicalDeviceIDProperties *id)
{
  g_autofree char *text = g_strdup_printf (
      "%08x:%08x driver %08x device %s pipelines %s", basic->vendorID, basic->deviceID,
      basic->driverVersion, print_uuid (id->deviceUUID), print_uuid (basic->pipelineCacheUUID));
  return g_intern_string (text);
}

static const char *
print_features (SlShaderNeeds features)
{
  static const struct {
    SlShaderNeeds bit;
    const char *name;
  } names[] = {{SL_SHADER_FLOAT16, "f16"},
               {SL_SHADER_INT16, "int16"},
               {SL_SHADER_INT8, "int8"},
               {SL_SHADER_STORAGE16, "16-bit storage"},
               {SL_SHADER_STORAGE8, "8-bit storage"}};
  g_autoptr (GString) text = g_string_new (NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    if (features & names[i].bit)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", names[i].name);
  return g_intern_string (text->str);
}

static bool
find_queue (SlVkPhysical *device)
{
  uint32_t n = 0;
  vkGetPhysicalDeviceQueueFamilyProperties (device->handle, &n, NULL);
  g_autofree VkQueueFamilyProperties *families = g_new0 (VkQueueFamilyProperties, n + 1);
  vkGetPhysicalDeviceQueueFamilyProperties (device->handle, &n, families);
  bool found = false;
  for (uint32_t i = 0; i < n; i++) {
    const bool computes =
        families[i].queueCount > 0 && families[i].queueFlags & VK_QUEUE_COMPUTE_BIT;
    const bool draws = families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT;
    if (!computes || (found && draws))
      continue;
    device->queue_family = i;
    device->timestamp_bits = families[i].timestampValidBits;
    found = true;
    if (!draws)
      break;
  }
  return found;
}

/* One of the products of matrices that the device offers is the shaders': 16 by 16 by 16, of
 * float16 onto float32, in a subgroup. */
static bool
has_shape (const SlVkPhysical *device)
{
  uint32_t n = 0;
#ifdef VK_KHR_cooperative_matrix
  vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR (device->handle, &n, NULL);
  g_autofree VkCooperativeMatrixPropertiesKHR *all =
      g_new0 (VkCooperativeMatrixPropertiesKHR, n + 1);
  for (uint32_t i = 0; i < n; i++)
    all[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
  vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR (device->handle, &n, all);
#define RESULT ResultType
#else
  vkGetPhysicalDeviceCooperativeMatrixPropertiesNV (device->handle, &n, NULL);
  g_autofree VkCooperativeMatrixPropertiesNV *all = g_new0 (VkCooperativeMatrixPropertiesNV, n + 1);
  for (uint32_t i = 0; i < n; i++)
    all[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_NV;
  vkGetPhysicalDeviceCooperativeMatrixPropertiesNV (device->handle, &n, all);
#define RESULT DType
#endif
  for (uint32_t i = 0; i < n; i++)
    if (all[i].MSize == 16 && all[i].NSize == 16 && all[i].KSize == 16 &&
        all[i].AType == VK_COMPONENT_TYPE_FLOAT16_NV &&
        all[i].BType == VK_COMPONENT_TYPE_FLOAT16_NV &&
        all[i].CType == VK_COMPONENT_TYPE_FLOAT32_NV &&
        all[i].RESULT == VK_COMPONENT_TYPE_FLOAT32_NV && all[i].scope == VK_SCOPE_SUBGROUP_NV)
      return true;
  return false;
}

/* Why products of float16 are not made of cooperative matrices; NULL: they may be. */
static const char *
why_no_matrices (const SlVkPhysical *device, SlShaderNeeds features)
{
  VkPhysicalDeviceVulkanMemoryModelFeatures model = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES};
  SlVkMatrixFeatures matrix = {.sType = SL_VK_MATRIX_FEATURES, .pNext = &model};
  VkPhysicalDeviceFeatures2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                   .pNext = &matrix};
  if (!device->has_matrices)
    return "no " SL_VK_MATRIX_NAME;
  if ((sl_product_get_matrix_needs () & SL_VK_MATRIX) == 0)
    return "the shaders of this build have no " SL_VK_MATRIX_NAME;
  if (device->api_version < VK_API_VERSION_1_2)
    return "no Vulkan 1.2";
  vkGetPhysicalDeviceFeatures2 (device->handle, &all);
  if (!matrix.cooperativeMatrix || !has_shape (device))
    return "no 16x16x16 of float16 onto float32";
  if (!model.vulkanMemoryModel)
    return "no Vulkan memory model";
  return (sl_product_get_matrix_needs () & ~(features | SL_VK_MATRIX)) == 0
             ? NULL
             : "no arithmetic on, or no storage of, 16-bit floats";
}

static SlShaderNeeds
read_features (const SlVkPhysical *device)
{
  VkPhysicalDevice8BitStorageFeatures storage8 = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES};
  VkPhysicalDeviceShaderFloat16Int8Features small = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES};
  VkPhysicalDevice16BitStorageFeatures storage16 = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
  VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                        .pNext = &storage16};
  if (device->has_8bit_storage) {
    storage8.pNext = features.pNext;
    features.pNext = &storage8;
  }
  if (device->has_float16_int8) {
    small.pNext = features.pNext;
    features.pNext = &small;
  }
  vkGetPhysicalDeviceFeatures2 (device->handle, &features);
  SlShaderNeeds found = 0;
  found |= small.shaderFloat16 ? SL_SHADER_FLOAT16 : 0;
  found |= small.shaderInt8 ? SL_SHADER_INT8 : 0;
  found |= features.features.shaderInt16 ? SL_SHADER_INT16 : 0;
  found |= storage16.storageBuffer16BitAccess ? SL_SHADER_STORAGE16 : 0;
  found |= storage8.storageBuffer8BitAccess ? SL_SHADER_STORAGE8 : 0;
  return found;
}

static void
read_limits (SlVkPhysical *device, const VkPhysicalDeviceLimits *limits)
{
  const uint32_t *counts = limits->maxComputeWorkGroupCount;
  const bool is_cpu = device->type == VK_PHYSICAL_DEVICE_TYPE_CPU;
  device->gpu = (SlGpu){
      .is_cpu = is_cpu,
      .cores = is_cpu ? g_get_num_processors () : 0,
      .max_invocations =
          MIN (limits->maxComputeWorkGroupInvocations, limits->maxComputeWorkGroupSize[0]),
      .shared_bytes = limits->maxComputeSharedMemorySize,
      .max_groups = MIN (counts[0], MIN (counts[1], counts[2])),
      .max_bindings =
          MIN (limits->maxPerStageDescriptorStorageBuffers, limits->maxDescriptorSetStorageBuffers),
      .binding_range = MIN (limits->maxStorageBufferRange,
                            is_cpu ? (uint64_t)limits->maxTexelBufferElements * 8 : UINT64_MAX),
      .alignment = (uint32_t)MAX (
          MAX (limits->minStorageBufferOffsetAlignment, limits->minTexelBufferOffsetAlignment), 16),
      .features = read_features (device),
  };
  device->timestamp_ns = (double)limits->timestampPeriod;
  device->coherence_bytes = limits->nonCoherentAtomSize;
}

static void
read_memory (SlVkPhysical *device)
{
  vkGetPhysicalDeviceMemoryProperties (device->handle, &device->memory);
  for (uint32_t i = 0; i < device->memory.memoryHeapCount; i++)
    if (device->memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      device->info.memory = MAX (device->info.memory, device->memory.memoryHeaps[i].size);
}

static void
read_extensions (SlVkPhysical *device, bool *ret_driver)
{
  Extensions extensions = {0};
  vkEnumerateDeviceExtensionProperties (device->handle, NULL, &extensions.n, NULL);
  extensions.all = g_new0 (VkExtensionProperties, extensions.n + 1);
  vkEnumerateDeviceExtensionProperties (device->handle, NULL, &extensions.n, extensions.all);
  const bool is_12 = device->api_version >= VK_API_VERSION_1_2;
  device->has_8bit_storage =
      is_12 || has_extension (&extensions, VK_KHR_8BIT_STORAGE_EXTENSION_NAME);
  device->has_float16_int8 =
      is_12 || has_extension (&extensions, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
  device->is_portability = has_extension (&extensions, SL_VK_PORTABILITY_SUBSET);
  device->has_matrices = has_extension (&extensions, SL_VK_MATRIX_NAME);
  device->has_budget = has_extension (&extensions, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  *ret_driver = is_12 || has_extension (&extensions, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
  g_free (extensions.all);
}

/* FALSE for what programs cannot be made for. */
static bool
read_device (VkPhysicalDevice handle, SlVkPhysical *device)
{
  const SlVkHooks *hooks = sl_vk_hooks;
  VkPhysicalDeviceProperties basic;
  vkGetPhysicalDeviceProperties (handle, &basic);
  if (hooks != NULL && hooks->describe != NULL)
    hooks->describe (hooks->data, &basic);
  *device =
      (SlVkPhysical){.handle = handle, .type = basic.deviceType, .api_version = basic.apiVersion};
  if (basic.apiVersion < VK_API_VERSION_1_1 || !find_queue (device))
    return false;
  bool has_driver;
  read_extensions (device, &has_driver);
  VkPhysicalDeviceDriverProperties driver = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
  VkPhysicalDeviceMaintenance3Properties sizes = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES,
      .pNext = has_driver ? &driver : NULL};
  VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
                                     .pNext = &sizes};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &id};
  vkGetPhysicalDeviceProperties2 (handle, &properties);
  device->max_allocation = sizes.maxMemoryAllocationSize;
  read_limits (device, &basic.limits);
  read_memory (device);
  g_autofree char *text = g_strdup_printf (
      "%s%s%s%sVulkan %u.%u", driver.driverName, driver.driverName[0] != '\0' ? ", " : "",
      driver.driverInfo, driver.driverInfo[0] != '\0' ? ", " : "",
      VK_API_VERSION_MAJOR (basic.apiVersion), VK_API_VERSION_MINOR (basic.apiVersion));
  device->info.name = g_intern_string (basic.deviceName);
  device->info.type = type_name (basic.deviceType);
  device->info.driver = g_intern_string (text);
  device->info.uuid = print_uuid (id.deviceUUID);
  const char *why_not = why_no_matrices (device, device->gpu.features);
  g_autofree char *unused = g_strdup_printf ("unused: %s", why_not);
  device->gpu.features |= why_not == NULL ? SL_VK_MATRIX : 0;
  device->info.matrices = why_not == NULL
                              ? "used for products of 16-bit floats, if a small one comes out right"
                              : g_intern_string (unused);
  device->info.features = print_features (device->gpu.features);
  device->info.is_cpu = device->gpu.is_cpu;
  device->identity = print_identity (&basic, &id);
  return true;
}

/* Best first; equals stay in the loader's order. */
static void
sort_devices (void)
{
  for (uint32_t i = 1; i < list.n; i++)
    for (uint32_t k = i;
         k > 0 && rank_of (list.devices[k].type) < rank_of (list.devices[k - 1].type); k--) {
      const SlVkPhysical device = list.devices[k];
      list.devices[k] = list.devices[k - 1];
      list.devices[k - 1] = device;
    }
}

static void
look_up (void)
{
  VkInstance instance = sl_vk_instance_get (&list.error);
  if (instance == NULL)
    return;
  uint32_t n = 0;
  VkResult result = sl_vk_try_global (EnumeratePhysicalDevices, instance, &n, NULL);
  g_autofree VkPhysicalDevice *handles = g_new0 (VkPhysicalDevice, n + 1);
  if (result == VK_SUCCESS && n > 0)
    result = sl_vk_try_global (EnumeratePhysicalDevices, instance, &n, handles);
  if (result != VK_SUCCESS && result != VK_INCOMPLETE) {
    sl_vk_error (&list.error, result, "the Vulkan devices cannot be listed");
    return;
  }
  list.devices = g_new0 (SlVkPhysical, n + 1);
  list.infos = g_new0 (SlVulkanInfo, n + 1);
  for (uint32_t i = 0; i < n; i++)
    list.n += read_device (handles[i], &list.devices[list.n]);
  sort_devices ();
  for (uint32_t i = 0; i < list.n; i++)
    list.infos[i] = list.devices[i].info;
  if (list.n == 0)
    g_set_error (&list.error, SL_ERROR, SL_ERROR_DEVICE,
                 n == 0 ? "no driver offers a Vulkan device"
                        : "no Vulkan device here computes with version 1.1 or later");
}

const SlVulkanInfo *
sl_vulkan_list (uint32_t *ret_n, GError **error)
{
  static gsize ready;
  if (g_once_init_enter (&ready)) {
    look_up ();
    g_once_init_leave (&ready, 1);
  }
  *ret_n = list.n;
  if (list.error == NULL)
    return list.infos;
  if (error != NULL)
    *error = g_error_copy (list.error);
  return NULL;
}

const SlVkPhysical *
sl_vk_physical_get (uint32_t index)
{
  g_return_val_if_fail (index < list.n, NULL);
  return &list.devices[index];
}

uint64_t
sl_vk_physical_get_free_memory (const SlVkPhysical *physical)
{
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
  VkPhysicalDeviceMemoryProperties2 memory = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
      .pNext = physical->has_budget ? &budget : NULL};
  vkGetPhysicalDeviceMemoryProperties2 (physical->handle, &memory);
  uint64_t most = 0;
  for (uint32_t i = 0; i < physical->memory.memoryHeapCount; i++) {
    const VkMemoryHeap *heap = &physical->memory.memoryHeaps[i];
    uint64_t bytes = heap->size;
    if (physical->has_budget)
      bytes = budget.heapBudget[i] - MIN (budget.heapUsage[i], budget.heapBudget[i]);
    if (heap->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      most = MAX (most, bytes);
  }
  return most;
}
