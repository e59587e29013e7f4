/* Parameters and state on the device: live content (graph/live.h). They lie among the constants,
 * one copy for all programs, which is brought up to date before a run that touches it and stays on
 * the device when a run changes it. */
#pragma once

#include "vulkan/weights.h"

void sl_vk_variables_init (SlVkDevice *device);

/* Uploads what is newer elsewhere. On failure nothing else has changed, and what was being uploaded
 * counts as not there. Under the live content's lock, as the rest. */
gboolean sl_vk_variables_load (SlVkDevice *device, SlVkConstant *const *variables, uint32_t n,
                               GError **error);

/* What was submitted changes them: the newest is the device's. */
void sl_vk_variables_advance (SlVkDevice *device, SlVkConstant *const *variables, uint32_t n);

/* Before they are released: brings down what the device alone has and nobody else holds there. What
 * cannot be brought is lost with its last owner (sl_vk_constants_release()). */
void sl_vk_variables_save (SlVkDevice *device, SlVkConstant *const *variables, uint32_t n);
