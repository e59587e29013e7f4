/* Batch normalisation in training mode: kernels and gradient. */
#pragma once

#include "graph/op.h"

typedef struct SlBatchNormAttrs {
  float epsilon, momentum;
  bool training_mode;
} SlBatchNormAttrs;

/* Members of BatchNormalization's class. In inference mode the reference, for want of kernels,
 * until the simplify pass makes an affine map of it. */
void sl_batch_norm_prepare (SlGraph *graph, SlNode *node, const SlTarget *target);
void sl_batch_norm_lower (const SlNode *node, SlLowering *to);
gboolean sl_batch_norm_row_major_only (const SlNode *node);

/* In training mode: of x, gamma and beta; the running statistics of before have no say in y. */
gboolean sl_batch_norm_gradient (SlGradients *to, SlNode *node);
