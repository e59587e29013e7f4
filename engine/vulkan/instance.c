#include "vulkan/instance.h"

#include <string.h>

#define LAYER "VK_LAYER_KHRONOS_validation"
/* As older headers do not have it. */
#define PORTABILITY "VK_KHR_portability_enumeration"
#define PORTABILITY_FLAG ((VkInstanceCreateFlags)1)

static struct {
  VkInstance handle;
  bool validates;
  GError *error; /* why there is none */
} instance;

static struct {
  GMutex lock;
  char *first;
  uint32_t n;
} messages;

static VKAPI_ATTR VkBool32 VKAPI_CALL
take_message (VkDebugUtilsMessageSeverityFlagBitsEXT severity,
              VkDebugUtilsMessageTypeFlagsEXT types,
              const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
  g_mutex_lock (&messages.lock);
  if (messages.n++ == 0)
    messages.first = g_strdup (data->pMessage);
  g_mutex_unlock (&messages.lock);
  return VK_FALSE;
}

static bool
has_layer (void)
{
  uint32_t n = 0;
  if (vkEnumerateInstanceLayerProperties (&n, NULL) != VK_SUCCESS)
    return false;
  g_autofree VkLayerProperties *layers = g_new0 (VkLayerProperties, n + 1);
  vkEnumerateInstanceLayerProperties (&n, layers);
  for (uint32_t i = 0; i < n; i++)
    if (strcmp (layers[i].layerName, LAYER) == 0)
      return true;
  return false;
}

/* Drivers that are not Vulkan through and through, such as MoltenVK, are hidden from who does not
 * ask for them. */
static bool
has_portability (void)
{
  uint32_t n = 0;
  if (vkEnumerateInstanceExtensionProperties (NULL, &n, NULL) != VK_SUCCESS)
    return false;
  g_autofree VkExtensionProperties *all = g_new0 (VkExtensionProperties, n + 1);
  vkEnumerateInstanceExtensionProperties (NULL, &n, all);
  for (uint32_t i = 0; i < n; i++)
    if (strcmp (all[i].extensionName, PORTABILITY) == 0)
      return true;
  return false;
}

static VkResult
create (bool validate)
{
  const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                         .pApplicationName = "Sightline",
                                         .pEngineName = "Sightline",
                                         .apiVersion = VK_API_VERSION_1_2};
  /* Errors and warnings; of instance and devices while they are made and destroyed, too. */
  const VkDebugUtilsMessengerCreateInfoEXT messenger = {
      .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
      .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                         VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
      .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
      .pfnUserCallback = take_message};
  const VkValidationFeatureEnableEXT enabled[] = {
      VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
  const VkValidationFeaturesEXT features = {.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                            .pNext = &messenger,
                                            .enabledValidationFeatureCount = G_N_ELEMENTS (enabled),
                                            .pEnabledValidationFeatures = enabled};
  const char *const layers[] = {LAYER};
  const char *extensions[2];
  uint32_t n_extensions = 0;
  const bool portability = has_portability ();
  if (validate)
    extensions[n_extensions++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  if (portability)
    extensions[n_extensions++] = PORTABILITY;
  const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                     .pNext = validate ? &features : NULL,
                                     .flags = portability ? PORTABILITY_FLAG : 0,
                                     .pApplicationInfo = &application,
                                     .enabledLayerCount = validate,
                                     .ppEnabledLayerNames = layers,
                                     .enabledExtensionCount = n_extensions,
                                     .ppEnabledExtensionNames = extensions};
  VkResult result = sl_vk_try_global (CreateInstance, &info, NULL, &instance.handle);
  if (result != VK_SUCCESS) {
    instance.handle = VK_NULL_HANDLE;
    return result;
  }
  volkLoadInstanceOnly (instance.handle);
  VkDebugUtilsMessengerEXT listener;
  if (validate)
    result = sl_vk_try_global (CreateDebugUtilsMessengerEXT, instance.handle, &messenger, NULL,
                               &listener);
  return result;
}

static void
make (void)
{
  const bool validate = g_strcmp0 (g_getenv ("SIGHTLINE_VULKAN_VALIDATE"), "1") == 0;
  if (volkInitialize () != VK_SUCCESS) {
    g_set_error (&instance.error, SL_ERROR, SL_ERROR_DEVICE,
                 "there is no Vulkan loader (libvulkan.so.1) on this system");
    return;
  }
  if (volkGetInstanceVersion () < VK_API_VERSION_1_1) {
    g_set_error (&instance.error, SL_ERROR, SL_ERROR_DEVICE,
                 "the Vulkan loader knows version 1.0, expected 1.1 or later");
    return;
  }
  if (validate && !has_layer ()) {
    g_set_error (&instance.error, SL_ERROR, SL_ERROR_DEVICE,
                 "SIGHTLINE_VULKAN_VALIDATE=1, but %s is not installed", LAYER);
    return;
  }
  VkResult result = create (validate);
  instance.validates = validate;
  if (result != VK_SUCCESS)
    sl_vk_error (&instance.error, result, "Vulkan cannot be used");
}

VkInstance
sl_vk_instance_get (GError **error)
{
  static gsize ready;
  if (g_once_init_enter (&ready)) {
    make ();
    g_once_init_leave (&ready, 1);
  }
  if (instance.error == NULL)
    return instance.handle;
  if (error != NULL)
    *error = g_error_copy (instance.error);
  return NULL;
}

bool
sl_vk_validates (void)
{
  return instance.validates;
}

gboolean
sl_vk_check_messages (GError **error)
{
  g_mutex_lock (&messages.lock);
  g_autofree char *first = g_steal_pointer (&messages.first);
  uint32_t n = messages.n;
  messages.n = 0;
  g_mutex_unlock (&messages.lock);
  if (n == 0)
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_DEVICE, "Vulkan validation: %s (%u message%s)", first, n,
               n == 1 ? "" : "s");
  return FALSE;
}
