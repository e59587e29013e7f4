/* Operators of Sightline's own, which passes and prepare functions put into a graph whose shapes
 * are known. No file can name them. Each returns the new node's output, its shape inferred. */
#pragma once

#include "graph/op.h"
#include "kernels/gemm.h"

/* A node of such a class with one output; returns that. `attrs` is copied. */
SlValue *sl_add_internal (SlGraph *graph, const SlOpClass *op, const char *name, const void *attrs,
                          uint32_t n_inputs, SlValue *const *inputs);

/* Weights are packed once for all layers and programs that ask for the same, which the bytes of the
 * attributes tell (constants.h): those of packing have no padding. `fields`: bytes of all fields.
 */
#define SL_NO_PADDING(type, fields) _Static_assert(sizeof (type) == (fields), #type " has padding")

/* The same numbers in another layout. */
SlValue *sl_relayout (SlGraph *graph, SlValue *value, SlLayout layout);

/* `value` as floats of another width, as `output` or, NULL, a value that is made up. */
SlValue *sl_cast (SlGraph *graph, SlValue *value, SlDType to, SlValue *output);

/* The same numbers, in memory as float16 or as float32 (SlValue.is_half), as `output` or, NULL, a
 * value that is made up. */
SlValue *sl_store (SlGraph *graph, SlValue *value, bool half, SlValue *output);

/* TRUE if the value is made of constants alone, so that the last folding pass makes it one. */
bool sl_is_constant (const SlValue *value);

/* Weight panels as kernel "pack_weights" makes them, of one dimension: float32, or float16 where
 * the target asks for it and the weights are constant. */
SlValue *sl_pack_weights (SlGraph *graph, SlValue *weights, const SlPackParams *pack,
                          const SlTarget *target);

/* Weights (M, C, 3, 3), turned ones (C, M, 3, 3), as kernel "pack_winograd" makes them for output
 * tiles of that side, 2 or 4. */
SlValue *sl_pack_winograd (SlGraph *graph, SlValue *weights, uint32_t tile, bool turned,
                           const SlTarget *target);

/* Weights (C, 1, kernel…) as (kernel positions, C). */
SlValue *sl_pack_depthwise (SlGraph *graph, SlValue *weights);

/* x * scale[c] + shift[c], channels on axis 1. */
SlValue *sl_channel_affine (SlGraph *graph, const char *name, SlValue *x, SlValue *scale,
                            SlValue *shift);

/* Channels as (groups, channels of a group) exchanged: channel k of group j becomes number k *
 * groups + j. */
SlValue *sl_channel_shuffle (SlGraph *graph, const char *name, SlValue *x, int64_t groups);

/* Batch normalisation's gamma, beta, mean and variance (C each) as scale and shift. */
void sl_affine_of_norm (SlGraph *graph, SlValue *const *vectors, float epsilon, SlValue **ret_scale,
                        SlValue **ret_shift);

/* Weights times scale, which has one element for each index of `axis`. */
SlValue *sl_scale_weights (SlGraph *graph, SlValue *weights, uint32_t axis, SlValue *scale);

/* bias * scale + shift, each of one element a channel or NULL (0, 1, 0). NULL if that is nothing.
 */
SlValue *sl_scale_bias (SlGraph *graph, SlValue *bias, SlValue *scale, SlValue *shift);
