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

/* Rows that one call takes at most. */
#define TILE_MAX_ROWS (TILE_ROWS == 14 ? 56 : 60)

/* rows × cols sums over `depth` products. */
typedef struct SlTile {
  size_t rows, cols, depth;

  /* Where the rows of A lie: their depth is cut into runs of `run` elements that follow each other
   * in memory (the last one may be shorter), and run j of row r begins at a[j * a_pitch + r]. */
  const float *const *a;
  size_t a_pitch, run;

  const float *b;      /* panels [depth][PANEL] */
  size_t panel_stride; /* elements from a panel to the next */

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
