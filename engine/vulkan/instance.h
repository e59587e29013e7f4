/* The process's one VkInstance. */
#pragma once

#include "vulkan/api.h"

/* Made on first use and kept; what went wrong then is the error from then on. Any thread. */
VkInstance sl_vk_instance_get (GError **error);

/* TRUE with SIGHTLINE_VULKAN_VALIDATE=1: the validation layer looks at every call. */
bool sl_vk_validates (void);

/* FALSE with SL_ERROR_DEVICE if the validation layer has complained since the last time: the first
 * complaint, and how many there are. There is one list for all threads: one may hear of another's.
 */
gboolean sl_vk_check_messages (GError **error);
