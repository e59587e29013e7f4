/* Cooperative matrices: whether what a device makes of them is right. */
#pragma once

#include "vulkan/device.h"

/* Computes a small product on the device in that form (dispatch/forms.h, counted from 1), of whole
 * numbers that any order of sums gives exactly. FALSE with SL_ERROR_DEVICE if it comes out wrong,
 * or does not at all. */
gboolean sl_vk_matrix_test (SlVkDevice *device, uint32_t form, GError **error);
