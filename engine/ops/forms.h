/* Older ONNX forms of an operator, put into the canonical one: what used to be an attribute is a
 * constant input. For SlOnnxForm.import. */
#pragma once

#include "graph/op.h"

/* One node of class `op` whose inputs from number `first` on are the attributes named in `names`
 * (NULL-ended): a list of integers becomes an int64 vector, an integer an int64 scalar, a float a
 * float32 scalar, and an absent attribute leaves its input out. The other attributes are read as
 * sl_import_default() reads them, but those in `dropped` (NULL-ended, or NULL), which say nothing
 * about inference. Inputs of the file from `first` on are refused. */
gboolean sl_import_attrs_as_inputs (const SlImport *im, const SlOpClass *op, uint32_t first,
                                    const char *const *names, const char *const *dropped,
                                    GError **error);

/* sl_import_default() without the attributes named in `dropped` (NULL-ended). */
gboolean sl_import_dropping (const SlImport *im, const SlOpClass *op, const char *const *dropped,
                             GError **error);

/* One more node with one output, whose value is made up and returned; NULL attrs: the defaults. */
SlValue *sl_import_add (const SlImport *im, const SlOpClass *op, const void *attrs,
                        uint32_t n_inputs, SlValue *const *inputs);

/* `value` as a matrix: the dimensions before `axis` and those from it on. */
SlValue *sl_flatten (const SlImport *im, SlValue *value, int64_t axis);

/* `value` with as many dimensions of size 1 behind its own as make it fit `other` from dimension
 * `axis` on, which is how operands broadcast before opset 7. */
SlValue *sl_align_axis (const SlImport *im, SlValue *value, SlValue *other, int64_t axis);

/* SlOnnxForm.import of operators with two operands before opset 7: the second one broadcasts only
 * where the attribute `broadcast` says so, and then from dimension `axis` on. */
gboolean sl_import_with_axis (const SlImport *im, const SlOpClass *op, GError **error);
