/* Matrix product with packed right-hand side, and the packing that it and conv2d read. */
#pragma once

#include "kernels/kernel.h"

/* Kernel "gemm": C[b][m][n] = act (bias[n] + residual[b][m][n] + sum over k of A[b][m][k] *
 * B[b][k][n]). Strides are in elements. With one row it streams the weights once and splits the
 * columns over tiles.
 *
 * Operands: 0 A, 1 packed B, 2 bias [cols] or NULL, 3 residual or NULL, 4 C. */
typedef struct SlGemmParams {
  uint32_t batch;                             /* independent products; 1 if there is no batch */
  uint32_t rows, cols, depth;                 /* M, N, K; a depth of 0 gives bias + residual */
  bool half;                                  /* B's panels are of half floats */
  size_t a_stride, residual_stride, c_stride; /* from one row to the next */
  size_t a_batch, b_batch, residual_batch,
      c_batch; /* from one product to the next; 0 shares. b_batch counts packed elements */
  SlAct act;
} SlGemmParams;

/* Kernel "pack_weights": B[g][k][n] → panels[g][n / width][k][n % width], columns beyond the last
 * are 0, in panels of `width` columns each or, 0, of the widths that the set's kernels like, where
 * k runs over depth[0] × depth[1] × depth[2] (last fastest) and the source element lies at g *
 * group_stride + k0 * depth_stride[0] + k1 * depth_stride[1] + k2 * depth_stride[2] + n
 * * col_stride.
 *
 * Operands: 0 source, 1 panels. Packed size: sl_packed_elements(). */
typedef struct SlPackParams {
  uint32_t groups, cols;
  uint32_t depth[3];
  uint32_t half; /* panels of half floats; numbers beyond them become the largest one */
  size_t width;  /* of a panel: SlTarget.panel_width, a multiple of 16; 0: the set's own */
  size_t group_stride, col_stride;
  size_t depth_stride[3];
} SlPackParams;

/* Elements of one group's (or product's) packed panels for a set with `panel` columns a panel, or
 * in panels of that width. */
static inline size_t
sl_packed_elements (size_t cols, size_t depth, size_t panel)
{
  return (cols + panel - 1) / panel * panel * depth;
}
