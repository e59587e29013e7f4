/* Constants on the device: one copy of each, whatever number of programs reads it. */
#pragma once

#include "vulkan/memory.h"

/* A constant's place; it belongs to those that asked for it. */
typedef struct SlVkConstant {
  const SlVkBuffer *buffer;
  uint64_t offset; /* bytes, aligned for a binding */
  SlTensor *tensor;
  bool is_live;     /* parameter or state: variables.h brings it there */
  uint64_t version; /* of live content; SL_LIVE_NONE: none. Under the live content's lock */
} SlVkConstant;

gboolean sl_vk_constants_new (SlVkDevice *device, GError **error);
void sl_vk_constants_free (SlVkDevice *device);

/* The places of `n` different tensors, from number `first_live` on with live content; the content
 * of the others does not change and is uploaded where they are new. What another thread is
 * uploading is waited for. On failure none is held. */
gboolean sl_vk_constants_get (SlVkDevice *device, SlTensor *const *tensors, uint32_t n,
                              uint32_t first_live, SlVkConstant **ret_constants, GError **error);
/* Gives them back; nothing may be at work on them. Under the live content's lock: that of which the
 * last copy goes is lost. */
void sl_vk_constants_release (SlVkDevice *device, SlVkConstant *const *constants, uint32_t n);

/* TRUE if it goes when it is given back once. */
bool sl_vk_constants_is_last (SlVkDevice *device, const SlVkConstant *constant);

/* All with live content (SlVkConstant), which stay while the live content's lock is held. */
GPtrArray *sl_vk_constants_list_live (SlVkDevice *device);

/* Bytes of those among `tensors` that are not on the device yet. */
uint64_t sl_vk_constants_get_missing (SlVkDevice *device, SlTensor *const *tensors, uint32_t n);
