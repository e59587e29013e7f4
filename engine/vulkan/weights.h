/* Constants on the device: one copy of each, whatever number of programs reads it. */
#pragma once

#include "vulkan/memory.h"

/* A constant's place; it belongs to those that asked for it. */
typedef struct SlVkConstant {
  const SlVkBuffer *buffer;
  uint64_t offset; /* bytes, aligned for a binding */
} SlVkConstant;

gboolean sl_vk_constants_new (SlVkDevice *device, GError **error);
void sl_vk_constants_free (SlVkDevice *device);

/* The places of `n` different tensors, whose content does not change, uploaded where they are new.
 * What another thread is uploading is waited for. On failure none is held. */
gboolean sl_vk_constants_get (SlVkDevice *device, SlTensor *const *tensors, uint32_t n,
                              const SlVkConstant **ret_constants, GError **error);
/* Gives them back; nothing may be at work on them. */
void sl_vk_constants_release (SlVkDevice *device, const SlVkConstant *const *constants, uint32_t n);

/* Bytes of those among `tensors` that are not on the device yet. */
uint64_t sl_vk_constants_get_missing (SlVkDevice *device, SlTensor *const *tensors, uint32_t n);
