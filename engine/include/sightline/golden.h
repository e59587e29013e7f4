/* A golden input and output: a picture, and what the network said to it when its file was made.
 * What it says now shows whether weights, preprocessing and kernels are still what they were. */
#pragma once

#include <sightline/device.h>
#include <sightline/metadata.h>

G_BEGIN_DECLS

/* Largest difference, as a part of the golden output's largest value, that is the same answer:
 * other instruction sets and devices add in another order. */
#define SL_GOLDEN_TOLERANCE 1e-3

/* The network's first output for one picture of its input's size: bytes of R, G, B, or of gray
 * where it reads gray, prepared as `rules` say. `device`: NULL for the first. Free with
 * sl_tensor_unref(). */
SL_API SlTensor *sl_golden_run (SlModel *model, const SlPreprocess *rules, const SlDevice *device,
                                const guint8 *bytes, GError **error);

/* Runs the golden input of the model's metadata (golden-input and golden-output of
 * engine/onnx/README.md). TRUE where the answer is the golden output, or the metadata have none:
 * *ret_checked says which. SL_ERROR_NUMERIC with the difference where it is another,
 * SL_ERROR_MALFORMED where the metadata do not fit the network. */
SL_API gboolean sl_golden_check (SlModel *model, const SlPreprocess *rules, const SlDevice *device,
                                 gboolean *ret_checked, GError **error);

G_END_DECLS
