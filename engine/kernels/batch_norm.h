/* Normalisation by the moments of a batch, and its gradient, over rows × channels. */
#pragma once

#include "kernels/kernel.h"

/* A workspace is [parts + 1][2][channels rounded up to vectors]: two numbers a channel for each
 * part of the rows, then for all of them.
 *
 * Kernel "batch_moments": of each part the mean and the sum of squared differences from it.
 * Operands: 0 x, 1 workspace. "batch_moments_join": of all rows the mean and the variance (biased).
 * Operands: 0 and 1 workspace. Kernel "batch_saved": `which` 0: the mean, 1: 1 / sqrt (variance +
 * epsilon). Operands: 0 workspace, 1 output [channels]. Kernel "batch_running": old * momentum + (1
 * - momentum) * mean (which = 0) or variance (1). Operands: 0 workspace, 1 old, 2 output
 * [channels]. Kernel "batch_normalize": y = act ((x - mean) / sqrt (variance + epsilon) * gamma +
 * beta). Operands: 0 x, 1 workspace, 2 gamma, 3 beta, 4 y.
 *
 * Kernel "batch_sums": of each part the sum of dy, and of dy * h with h = (x - mean) * inverse.
 * Operands: 0 x, 1 dy, 2 mean, 3 inverse, 4 workspace. "batch_sums_join": of all rows. Operands: 0
 * and 1 workspace. "batch_sum": one of them, beta's gradient (which = 0) or gamma's (1). Operands:
 * 0 workspace, 1 output [channels]. Kernel "batch_normalize_gradient": dx = gamma * inverse * (dy -
 * mean of dy - h * mean of dy * h). Operands: 0 x, 1 dy, 2 gamma, 3 mean, 4 inverse, 5 workspace, 6
 * dx. */
typedef struct SlBatchNormParams {
  size_t rows, channels; /* at least 1 each */
  size_t x_stride, dy_stride, out_stride;
  uint32_t parts; /* sl_batch_norm_parts() */
  uint32_t which;
  float epsilon, momentum;
  SlAct act;
} SlBatchNormParams;

/* Kernel "affine_of_norm": what normalisation by known moments comes to, scale = gamma / sqrt
 * (variance + epsilon), shift = beta - mean * scale. Operands: 0 gamma, 1 beta, 2 mean, 3 variance,
 * 4 scale, 5 shift, `count` elements each. */
typedef struct SlAffineOfNormParams {
  size_t count;
  float epsilon;
} SlAffineOfNormParams;

/* Enough for 16 threads, or for a GPU: `panel_width` is SlTarget's. */
static inline uint32_t
sl_batch_norm_parts (size_t rows, size_t channels, size_t panel_width)
{
  size_t parts = rows * channels / 16384, most = panel_width > 0 ? 256 : 16;
  parts = parts < most ? parts : most;
  parts = parts < rows ? parts : rows;
  return parts > 0 ? (uint32_t)parts : 1;
}

/* Elements of the workspace, for a set whose vectors hold `panel`. */
static inline size_t
sl_batch_norm_workspace (size_t rows, size_t channels, size_t panel, size_t panel_width)
{
  size_t pitch = (channels + panel - 1) / panel * panel;
  return ((size_t)sl_batch_norm_parts (rows, channels, panel_width) + 1) * 2 * pitch;
}
