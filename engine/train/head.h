/* A trained network for other classes. */
#pragma once

#include <sightline/model.h>

#include <stdbool.h>

/* `model`, whose first output has a number for each class, with as many classes as there are
 * `labels` (NULL-ended): a new reference on itself where it has that many, else a copy. In a copy
 * the last layer that has weights (Gemm, MatMul, Conv …) begins anew: its weights and bias will be
 * drawn (Keras's glorot_uniform and zeros), the metadata say the new labels, everything before it
 * is as it was. *ret_note (or NULL) is then a line that says so, to be freed. *ret_names:
 * NULL-ended, the names of that layer's parameters, in either case, to be freed; NULL if no such
 * layer was found.
 *
 * SL_ERROR_UNSUPPORTED where no such layer stands at the end, or where what follows it depends on
 * the number of classes. */
SlModel *sl_train_set_classes (SlModel *model, const char *const *labels, char **ret_note,
                               char ***ret_names, GError **error);
