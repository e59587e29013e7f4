#include "kernels/tile.h"

/* Sums of the widest tile of one or two rows, in vectors, and the panels that makes. */
#define TILE_SUMS 8
#define WIDE_1 (TILE_SUMS / TILE_VECS)
#define WIDE_2 (TILE_SUMS / 2 / TILE_VECS)

/* One register tile: `rows` × (`panels` × `vecs` vectors). All three are constants where this is
 * inlined. Few rows take several panels at once: a row alone would wait for its own sums, and a
 * stream of weights wants more than one open page. */
ALWAYS_INLINE void
multiply (const SlTile *t, const size_t rows, const size_t panels, const size_t vecs,
          Vec sum[TILE_ROWS][TILE_SUMS])
{
  const float *a[TILE_ROWS], *b = t->b;
  size_t a_stride = t->a_stride, panel_stride = t->panel_stride;

  /* Three rows share a pointer: x86 addresses base, base + stride and base + 2 * stride. */
  UNROLL
  for (size_t r = 0; r < rows; r += 3)
    a[r] = t->a + r * a_stride;

  for (size_t k = 0; k < t->depth; k++) {
    Vec w[TILE_SUMS];
    UNROLL
    for (size_t v = 0; v < panels * vecs; v++)
      w[v] = vec_load (b + v / vecs * panel_stride + v % vecs * VEC_WIDTH);
    UNROLL
    for (size_t r = 0; r < rows; r++) {
      Vec x = vec_splat (a[r / 3 * 3][r % 3 * a_stride + k]);
      UNROLL
      for (size_t v = 0; v < panels * vecs; v++)
        sum[r][v] = vec_fma (x, w[v], sum[r][v]);
    }
    b += PANEL;
  }
}

ALWAYS_INLINE void
load_partial (const SlTile *t, const size_t rows, const size_t vecs, Vec sum[TILE_ROWS][TILE_SUMS])
{
  UNROLL
  for (size_t r = 0; r < rows; r++) {
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      sum[r][v] =
          t->first ? vec_splat (0) : vec_load (t->partial + r * t->partial_stride + v * VEC_WIDTH);
  }
}

ALWAYS_INLINE void
store_partial (const SlTile *t, const size_t rows, const size_t vecs, Vec sum[TILE_ROWS][TILE_SUMS])
{
  UNROLL
  for (size_t r = 0; r < rows; r++) {
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      vec_store (t->partial + r * t->partial_stride + v * VEC_WIDTH, sum[r][v]);
  }
}

/* Column vector v of all rows: bias, residual, clip, store. Only n of its lanes exist. */
ALWAYS_INLINE void
finish_column (const SlTile *t, const size_t rows, const size_t v, const bool whole, size_t n,
               Vec sum[TILE_ROWS][TILE_SUMS])
{
  SlClip clip = act_clip (t->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi), bias = vec_splat (0);
  size_t c = v * VEC_WIDTH;

  if (t->bias)
    bias = whole ? vec_load (t->bias + c) : vec_load_n (t->bias + c, n);
  UNROLL
  for (size_t r = 0; r < rows; r++) {
    Vec x = sum[r][v] + bias;
    if (t->residual) {
      const float *residual = t->residual + r * t->residual_stride + c;
      x += whole ? vec_load (residual) : vec_load_n (residual, n);
    }
    x = vec_clip (x, lo, hi);
    if (whole)
      vec_store (t->c + r * t->c_stride + c, x);
    else
      vec_store_n (t->c + r * t->c_stride + c, x, n);
  }
}

ALWAYS_INLINE void
run_registers (const SlTile *t, const size_t rows, const size_t panels, const size_t vecs)
{
  Vec sum[TILE_ROWS][TILE_SUMS];

  load_partial (t, rows, panels * vecs, sum);
  multiply (t, rows, panels, vecs, sum);
  if (!t->last) {
    store_partial (t, rows, panels * vecs, sum);
    return;
  }
  UNROLL
  for (size_t v = 0; v < panels * vecs; v++) {
    if ((v + 1) * VEC_WIDTH <= t->cols)
      finish_column (t, rows, v, true, VEC_WIDTH, sum);
    else if (v * VEC_WIDTH < t->cols)
      finish_column (t, rows, v, false, t->cols - v * VEC_WIDTH, sum);
  }
}

typedef void (*TileFunc) (const SlTile *tile);

/* A panel, a panel whose columns end in its first half, several panels. */
#define TILE_FULL(rows)                          \
  static void tile_full_##rows (const SlTile *t) \
  {                                              \
    run_registers (t, rows, 1, TILE_VECS);       \
  }
#define TILE_HALF(rows)                          \
  static void tile_half_##rows (const SlTile *t) \
  {                                              \
    run_registers (t, rows, 1, TILE_VECS / 2);   \
  }
#define TILE_WIDE(rows, panels)                  \
  static void tile_wide_##rows (const SlTile *t) \
  {                                              \
    run_registers (t, rows, panels, TILE_VECS);  \
  }
#if TILE_ROWS == 14
#define FOR_ROWS(X) \
  X (1) X (2) X (3) X (4) X (5) X (6) X (7) X (8) X (9) X (10) X (11) X (12) X (13) X (14)
#else
#define FOR_ROWS(X) X (1) X (2) X (3) X (4) X (5) X (6)
#endif
FOR_ROWS (TILE_FULL)
FOR_ROWS (TILE_HALF)
TILE_WIDE (1, WIDE_1)
TILE_WIDE (2, WIDE_2)

#define FULL_ENTRY(rows) tile_full_##rows,
#define HALF_ENTRY(rows) tile_half_##rows,
static const TileFunc full_tiles[TILE_ROWS] = {FOR_ROWS (FULL_ENTRY)};
static const TileFunc half_tiles[TILE_ROWS] = {FOR_ROWS (HALF_ENTRY)};

/* How many panels the first column of `left` columns and this many rows take at once, and by what.
 */
static TileFunc
choose_tile (size_t rows, size_t left, size_t *panels)
{
  *panels = 1;
  if (rows == 1 && left > (WIDE_1 - 1) * PANEL) {
    *panels = WIDE_1;
    return tile_wide_1;
  }
  if (rows == 2 && left > (WIDE_2 - 1) * PANEL) {
    *panels = WIDE_2;
    return tile_wide_2;
  }
  return left <= PANEL / 2 ? half_tiles[rows - 1] : full_tiles[rows - 1];
}

/* Down the rows of one group of panels before the next: that part of the panel stays in the first
 * cache, and far weights are read once. */
void
SL_KERNEL_NAME (sl_tile_run) (const SlTile *tile)
{
  size_t parts = ceil_div (tile->rows, TILE_ROWS), panels;

  for (size_t c = 0; c < tile->cols; c += panels * PANEL) {
    panels = 1;
    for (size_t p = 0; p < parts; p++) {
      SlTile t = *tile;
      size_t r = part_begin (tile->rows, parts, p);

      t.rows = part_begin (tile->rows, parts, p + 1) - r;
      t.a += r * t.a_stride;
      t.b += c / PANEL * t.panel_stride;
      t.c += r * t.c_stride + c;
      if (t.partial)
        t.partial += r * t.partial_stride + c;
      if (t.bias)
        t.bias += c;
      if (t.residual)
        t.residual += r * t.residual_stride + c;
      TileFunc func = choose_tile (t.rows, tile->cols - c, &panels);
      t.cols = min_size (tile->cols - c, panels * PANEL);
      func (&t);
    }
  }
  if (tile->last)
    act_finish (tile->act, tile->c, tile->rows, tile->cols, tile->c_stride);
}

/* A tile should be long enough that handing it out costs nothing, and there should be enough of
 * them for 16 threads. */
#define GRID_TILES 16
#define GRID_WORK (256 * 1024)
#define GRID_ROWS (TILE_ROWS == 14 ? 56 : 60)
#define GRID_COLS 256

SlTileGrid
SL_KERNEL_NAME (sl_tile_grid) (size_t rows, size_t cols, size_t depth, size_t products)
{
  size_t panels = ceil_div (cols, PANEL), units = ceil_div (rows, TILE_ROWS);
  SlTileGrid grid = {ceil_div (rows, GRID_ROWS), ceil_div (cols, GRID_COLS)};

  /* With few rows the time goes into reading weights, worth some rows of products. */
  double work = (double)products * (rows + 8) * cols * depth;
  double want = work / GRID_WORK < GRID_TILES ? work / GRID_WORK : GRID_TILES;

  while ((double)(products * grid.row_blocks * grid.col_blocks) < want) {
    bool more_cols = grid.col_blocks < panels, more_rows = grid.row_blocks < units;
    if (more_cols && (!more_rows || cols / grid.col_blocks >= rows / grid.row_blocks))
      grid.col_blocks = min_size (grid.col_blocks * 2, panels);
    else if (more_rows)
      grid.row_blocks = min_size (grid.row_blocks * 2, units);
    else
      break;
  }
  return grid;
}
