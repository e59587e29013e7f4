/* Memory of the host that others fill with frames and runs copy from: backend.h makes it. */
#pragma once

#include "vulkan/memory.h"

/* The buffer in which `size` bytes from `data` on lie as a whole, and where; NULL: in none of this
 * device's. It is there as long as whoever owns the memory keeps it. Any thread. */
const SlVkBuffer *sl_vk_host_find (const SlVkDevice *device, const void *data, size_t size,
                                   uint64_t *ret_offset);
