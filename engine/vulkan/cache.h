/* Pipelines as a driver has compiled them, kept on disk from one process to the next:
 * sightline/vulkan-KEY.pipelines in the user's cache folder (g_get_user_cache_dir()). The key is
 * the device, its driver's version and the shaders of this build, so that what is of others is not
 * even opened. Whatever is wrong with the file or the folder, programs work all the same. */
#pragma once

#include "vulkan/physical.h"

/* Free with g_free(). */
char *sl_vk_cache_get_path (const SlVkPhysical *physical);

/* What was kept for this device; NULL if there is nothing, or if it is damaged or of another
 * device. Any thread. */
GBytes *sl_vk_cache_read (const SlVkPhysical *physical);

/* Keeps it in the place of what was there: other processes see the one or the other. FALSE if that
 * cannot be done, which is said in the log. Any thread. */
gboolean sl_vk_cache_write (const SlVkPhysical *physical, const void *data, size_t size);
