/* The backend of a build without Vulkan: no devices. */
#include "vulkan/backend.h"

const SlBackend sl_vulkan_backend = {.name = "vulkan"};

const SlVulkanInfo *
sl_vulkan_list (uint32_t *ret_n, GError **error)
{
  *ret_n = 0;
  g_set_error (error, SL_ERROR, SL_ERROR_NOT_FOUND, "this build has no Vulkan backend");
  return NULL;
}

SlTarget
sl_vulkan_get_target (uint32_t index, bool half)
{
  return (SlTarget){0};
}

void *
sl_vulkan_host_new (uint32_t index, size_t size, void **ret_data, GError **error)
{
  g_return_val_if_reached (NULL);
}

void
sl_vulkan_host_free (void *block)
{
  g_return_if_reached ();
}
