/* The inner product of the library: rows of A times packed panels of B, in registers. */
#pragma once

#include "kernels/act.h"

/* B is packed in panels of at most TILE_VECS vectors of columns. A product's columns, counted in
 * vectors, are dealt out as evenly as possible over as few panels as that takes: 80 columns make
 * panels of 48 and 32 where a vector holds 16. A panel is stored [depth][its columns], panels
 * follow each other, and only the last vector may hold columns that do not exist, which are zeros.
 * A run of panels is dealt out like the whole, so that a part of a product is a product. */
#if defined __AVX512F__ || defined __aarch64__
#define TILE_VECS 4
#else
#define TILE_VECS 2
#endif
#define PANEL_MAX (TILE_VECS * VEC_WIDTH)

static inline size_t
panel_count (size_t cols)
{
  return ceil_div (cols, PANEL_MAX);
}

/* First column of a panel. That of panel_count() is where the packed columns end. */
static inline size_t
panel_begin (size_t cols, size_t panel)
{
  return part_begin (ceil_div (cols, VEC_WIDTH), panel_count (cols), panel) * VEC_WIDTH;
}

/* The same of what is packed, for those who pack: in panels of `width` columns each, which another
 * kind of device reads, or, 0, dealt out as above. */
static inline size_t
packed_count (size_t cols, size_t width)
{
  return width > 0 ? ceil_div (cols, width) : panel_count (cols);
}

static inline size_t
packed_begin (size_t cols, size_t width, size_t panel)
{
  return width > 0 ? panel * width : panel_begin (cols, panel);
}

/* A vector of columns from number `n` on, of which `cols` exist; 0 beyond. */
ALWAYS_INLINE Vec
load_columns (const float *src, size_t n, size_t cols)
{
  return n < cols ? vec_load_n (src + n, min_size (VEC_WIDTH, cols - n)) : vec_splat (0);
}

/* Where element `index` of panels is. */
static inline const void *
panels_at (const void *panels, bool half, size_t index)
{
  return (const char *)panels + index * (half ? sizeof (uint16_t) : sizeof (float));
}

/* Register tiles, X (rows, vectors) each: rows × vectors sums, a panel's vectors and an element of
 * A fill the registers, and the others hold a pointer to each row. */
#define ROWS_6(X, vecs) X (1, vecs) X (2, vecs) X (3, vecs) X (4, vecs) X (5, vecs) X (6, vecs)
#define ROWS_8(X, vecs) ROWS_6 (X, vecs) X (7, vecs) X (8, vecs)
#define ROWS_12(X, vecs) ROWS_8 (X, vecs) X (9, vecs) X (10, vecs) X (11, vecs) X (12, vecs)
#if TILE_VECS == 4
#define FOR_TILES(X) ROWS_12 (X, 1) ROWS_12 (X, 2) ROWS_8 (X, 3) ROWS_6 (X, 4)
#else
#define FOR_TILES(X) ROWS_12 (X, 1) ROWS_6 (X, 2)
#endif
#define TILE_MOST_ROWS 12
#define TILE_SUMS 24

/* Rows of the tallest tile of so many vectors. */
static inline size_t
tile_rows (size_t vecs)
{
  static const size_t rows[] = {12, TILE_VECS == 4 ? 12 : 6, 8, 6};
  return rows[vecs - 1];
}

/* Bytes of a panel that one pass covers, so that they stay in the first cache while all rows use
 * them. Sums are carried from pass to pass as floats, which does not change their bits. */
#define TILE_BYTES (32 * 1024)

/* Rows that one call takes at most. */
#define TILE_MAX_ROWS 60

/* rows × cols sums over `depth` products. */
typedef struct SlTile {
  size_t rows, cols, depth;

  /* Where the rows of A lie: their depth is cut into runs of `run` elements that follow each other
   * in memory (the last one may be shorter), and run j of row r begins at a[j * a_pitch + r]. */
  const float *const *a;
  size_t a_pitch, run;

  const void *b; /* panels of floats, or */
  bool half;     /* of half floats */

  float *c; /* [rows][cols] */
  size_t c_stride;
  const float *bias;     /* [cols] or NULL */
  const float *residual; /* [rows][cols] or NULL */
  size_t residual_stride;
  const SlAct *act;
} SlTile;

void SL_KERNEL_NAME (sl_tile_run) (const SlTile *tile);

/* How a product is cut into tiles that threads take: row blocks × column blocks, the latter of
 * whole panels. A thread takes tiles that follow each other, so their order says what it reads
 * alone: its part of the columns, hence of B, or its part of the rows, which it then finds in its
 * core's cache if it wrote them in the layer before. */
typedef struct SlTileGrid {
  size_t row_blocks, col_blocks;
  bool cols_first; /* tiles go down a block of columns, then on to the next one */
} SlTileGrid;

/* `in_size`: elements that the rows of all products are made of. */
SlTileGrid SL_KERNEL_NAME (sl_tile_grid) (size_t rows, size_t cols, size_t depth, size_t products,
                                          size_t in_size);

typedef struct SlTilePlace {
  size_t product, row_block, col_block;
} SlTilePlace;

static inline SlTilePlace
tile_place (const SlTileGrid *grid, size_t index)
{
  size_t blocks = grid->row_blocks * grid->col_blocks, at = index % blocks;
  if (grid->cols_first)
    return (SlTilePlace){index / blocks, at % grid->row_blocks, at / grid->row_blocks};
  return (SlTilePlace){index / blocks, at / grid->col_blocks, at % grid->col_blocks};
}
