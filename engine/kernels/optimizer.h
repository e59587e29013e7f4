/* Steps of optimisers: each element of a parameter and of its moments is read once and written
 * once. */
#pragma once

#include "kernels/kernel.h"

/* Moments that a kernel may have besides the parameter; those that it does not use are NULL. */
#define SL_OPTIMIZER_MOMENTS 3

/* Kernels "sgd_update" "rmsprop_update" "adam_update" "adagrad_update"; the formulas stand in
 * ops/optimizer.c. All operands are dense float32 of `count` elements but for the scalars.
 * Operands: 0 parameter, 1 … 3 moments, 4 gradient, 5 rate, 6 what the gradient is multiplied with
 * first (NULL: 1; NaN: nothing happens, the next contents are the old ones), 7 step (int64, NULL:
 * 0); then next contents: 8 parameter, 9 … 11 moments. Next contents may lie where the old ones do.
 */
typedef struct SlOptimizerParams {
  size_t count;
  float rate_factor, decay, clip; /* clip: of each element of the gradient, 0: not */
  float momentum, dampening;
  float beta1, beta2, epsilon; /* beta2: rho of "rmsprop_update" */
  float rate_decay;
  bool nesterov, decoupled, plain_epsilon;
} SlOptimizerParams;

/* Kernel "square_sum": the sum of squares of each SL_SQUARE_BLOCK elements. Operands: 0 input
 * (float32, `count` of them), 1 output (one for each block). */
#define SL_SQUARE_BLOCK 16384
typedef struct SlSquareSumParams {
  size_t count;
} SlSquareSumParams;

/* Kernel "clip_factor": what all gradients are multiplied with so that the norm of all together is
 * at most max_norm (0: any): PyTorch's clip_grad_norm_(). NaN if the norm or the loss is not
 * finite, so that the optimiser leaves everything as it is. Operands: 0 loss (one float32), 1 sums
 * of squares (float32, `count` of them), 2 factor, 3 norm; either may be NULL. */
#define SL_CLIP_EPSILON 1e-6
typedef struct SlClipFactorParams {
  size_t count;
  float max_norm;
} SlClipFactorParams;
