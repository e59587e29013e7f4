#include "vulkan/api.h"

const SlVkHooks *sl_vk_hooks;

const char *
sl_vk_result_text (VkResult result)
{
  static const struct {
    VkResult result;
    const char *text;
  } texts[] = {
      {VK_TIMEOUT, "it did not end in time (VK_TIMEOUT)"},
      {VK_ERROR_OUT_OF_HOST_MEMORY, "out of memory (VK_ERROR_OUT_OF_HOST_MEMORY)"},
      {VK_ERROR_OUT_OF_DEVICE_MEMORY, "out of device memory (VK_ERROR_OUT_OF_DEVICE_MEMORY)"},
      {VK_ERROR_OUT_OF_POOL_MEMORY, "out of descriptors (VK_ERROR_OUT_OF_POOL_MEMORY)"},
      {VK_ERROR_FRAGMENTED_POOL, "out of descriptors (VK_ERROR_FRAGMENTED_POOL)"},
      {VK_ERROR_MEMORY_MAP_FAILED, "memory cannot be mapped (VK_ERROR_MEMORY_MAP_FAILED)"},
      {VK_ERROR_TOO_MANY_OBJECTS, "too many objects (VK_ERROR_TOO_MANY_OBJECTS)"},
      {VK_ERROR_DEVICE_LOST, "the device was lost (VK_ERROR_DEVICE_LOST)"},
      {VK_ERROR_INITIALIZATION_FAILED, "it failed to begin (VK_ERROR_INITIALIZATION_FAILED)"},
      {VK_ERROR_LAYER_NOT_PRESENT, "a layer is missing (VK_ERROR_LAYER_NOT_PRESENT)"},
      {VK_ERROR_EXTENSION_NOT_PRESENT, "an extension is missing (VK_ERROR_EXTENSION_NOT_PRESENT)"},
      {VK_ERROR_FEATURE_NOT_PRESENT, "a feature is missing (VK_ERROR_FEATURE_NOT_PRESENT)"},
      {VK_ERROR_INCOMPATIBLE_DRIVER, "there is no driver (VK_ERROR_INCOMPATIBLE_DRIVER)"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++)
    if (texts[i].result == result)
      return texts[i].text;
  return "it failed for a reason of its own";
}

static SlErrorCode
code_of (VkResult result)
{
  switch (result) {
  case VK_ERROR_OUT_OF_HOST_MEMORY:
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
  case VK_ERROR_OUT_OF_POOL_MEMORY:
  case VK_ERROR_FRAGMENTED_POOL:
  case VK_ERROR_MEMORY_MAP_FAILED:
  case VK_ERROR_TOO_MANY_OBJECTS:
    return SL_ERROR_MEMORY;
  default:
    return SL_ERROR_DEVICE;
  }
}

gboolean
sl_vk_error (GError **error, VkResult result, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, SL_ERROR, code_of (result), "%s: %s", text, sl_vk_result_text (result));
  return FALSE;
}
