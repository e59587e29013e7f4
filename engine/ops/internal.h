/* Operators of Sightline's own, which passes and prepare functions put into a graph. No file can name them. */
#pragma once

#include "graph/op.h"
#include "kernels/gemm.h"

/* x laid out another way; the numbers stay. */
SlValue *sl_relayout (SlGraph *graph, SlValue *value, SlLayout layout);

/* Weight panels as kernel "pack_weights" makes them: row-major float32 of one dimension. */
SlValue *sl_pack_weights (SlGraph *graph, SlValue *weights, const SlPackParams *pack,
                          const SlTarget *target);

/* Weights (C, 1, kernel…) as (kernel…, C). */
SlValue *sl_pack_depthwise (SlGraph *graph, SlValue *weights);

/* y = x * scale[c] + shift[c] with channels on axis 1; takes over the place of `old`. */
SlNode *sl_add_channel_affine (SlGraph *graph, const char *name, SlValue *x, SlValue *scale,
                               SlValue *shift);

/* Batch normalisation's four vectors as scale and shift. */
void sl_affine_of_norm (SlGraph *graph, SlValue *gamma, SlValue *beta, SlValue *mean,
                        SlValue *variance, float epsilon, SlValue **ret_scale, SlValue **ret_shift);

/* Weights (M, …) times scale[m]. */
SlValue *sl_scale_weights (SlGraph *graph, SlValue *weights, SlValue *scale);
/* bias * scale + shift; `bias` may be NULL. */
SlValue *sl_scale_bias (SlGraph *graph, SlValue *bias, SlValue *scale, SlValue *shift);
