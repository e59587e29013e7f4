/* The inner product of the library: rows of A times packed panels of B, in registers. */
#pragma once

#include "kernels/act.h"

/* Registers decide: TILE_ROWS × TILE_VECS sums, TILE_VECS vectors of B and one of A must fit.
 * PANEL, the columns of a packed panel, is the SlKernelSet.panel of the set. */
#if defined __AVX512F__
#define TILE_ROWS 14
#define TILE_VECS 2
#elif defined __AVX__
#define TILE_ROWS 6
#define TILE_VECS 2
#elif defined __aarch64__
#define TILE_ROWS 6
#define TILE_VECS 4
#else
#define TILE_ROWS 6
#define TILE_VECS 2
#endif
#define PANEL (TILE_VECS * VEC_WIDTH)

/* Depth that one pass covers, so that its part of a panel and of A stay near the core. Sums are
 * carried from pass to pass as floats, which does not change their bits. */
#define TILE_DEPTH 384

/* rows × cols sums over `depth` products. */
typedef struct SlTile {
  size_t rows, cols, depth;
  const float *a; /* [rows][depth] */
  size_t a_stride;
  const float *b;      /* panels [depth][PANEL], the first one's row for this pass */
  size_t panel_stride; /* elements from a panel to the next */

  /* Passes over a long depth: all but the last leave their sums in `partial`, all but the first
   * begin with them. [rows][cols rounded up to PANEL] */
  bool first, last;
  float *partial;
  size_t partial_stride;

  float *c; /* [rows][cols] */
  size_t c_stride;
  const float *bias;     /* [cols] or NULL */
  const float *residual; /* [rows][cols] or NULL */
  size_t residual_stride;
  const SlAct *act;
} SlTile;

void SL_KERNEL_NAME (sl_tile_run) (const SlTile *tile);

/* How a product is cut into tiles that threads take: row blocks × column blocks. */
typedef struct SlTileGrid {
  size_t row_blocks, col_blocks;
} SlTileGrid;

SlTileGrid SL_KERNEL_NAME (sl_tile_grid) (size_t rows, size_t cols, size_t depth, size_t products);
