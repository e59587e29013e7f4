/* Tensors whose content is elsewhere, and what else only the engine does with tensors. */
#pragma once

#include <sightline/tensor.h>

#include <stdbool.h>

/* A tensor with type, shape and identity but without content: its data are NULL, and reading an
 * element is the caller's bug. `place`: byte of the file where the content stands. */
SlTensor *sl_tensor_new_stub (SlDType dtype, const SlShape *shape, guint64 place, GError **error);
bool sl_tensor_is_stub (const SlTensor *tensor);
guint64 sl_tensor_get_place (const SlTensor *tensor);

/* Nobody but the caller holds a reference. */
bool sl_tensor_is_unshared (const SlTensor *tensor);
