#include "kernels/tile.h"

/* Sums of the widest tile of one or two rows, in vectors, and the panels that makes. */
#define TILE_SUMS 8
#define WIDE_1 (TILE_SUMS / TILE_VECS)
#define WIDE_2 (TILE_SUMS / 2 / TILE_VECS)

/* What one register tile computes of an SlTile: its rows and columns, and the depth of one pass. */
typedef struct Part {
  const SlTile *tile;
  size_t row, col, n_cols;
  size_t k0, k1;
  const float *b;    /* the panel at k0 */
  const char *ahead; /* memory that will be wanted next; one line a step is fetched from here */
  size_t ahead_step;
  float *partial; /* [rows][vectors]: sums of the passes so far */
} Part;

/* All three sizes are constants where this is inlined. Few rows take several panels at once: a row
 * alone would wait for its own sums, and a stream of weights wants more than one open page. */
ALWAYS_INLINE void
multiply (const Part *p, const size_t rows, const size_t panels, const size_t vecs,
          Vec sum[TILE_ROWS][TILE_SUMS])
{
  const SlTile *t = p->tile;
  const float *const *a_run = t->a + p->row, *b = p->b;
  const char *ahead = p->ahead;
  size_t panel_stride = t->panel_stride, ahead_step = p->ahead_step, i = p->k0;

  if (i >= t->run) {
    a_run += i / t->run * t->a_pitch;
    i %= t->run;
  }
  for (size_t k = p->k0; k < p->k1; a_run += t->a_pitch, i = 0) {
    size_t end = min_size (t->run, i + p->k1 - k);
    const float *a[TILE_ROWS];
    UNROLL
    for (size_t r = 0; r < rows; r++)
      a[r] = a_run[r];
    k += end - i;
    for (; i < end; i++) {
      Vec w[TILE_SUMS];
      UNROLL
      for (size_t v = 0; v < panels * vecs; v++)
        w[v] = vec_load (b + v / vecs * panel_stride + v % vecs * VEC_WIDTH);
      __builtin_prefetch (ahead, 0, 2);
      UNROLL
      for (size_t r = 0; r < rows; r++) {
        Vec x = vec_splat (a[r][i]);
        UNROLL
        for (size_t v = 0; v < panels * vecs; v++)
          sum[r][v] = vec_fma (x, w[v], sum[r][v]);
      }
      b += PANEL;
      ahead += ahead_step;
    }
  }
}

/* The sums of earlier passes, or the bias. */
ALWAYS_INLINE void
begin_sums (const Part *p, const size_t rows, const size_t vecs, Vec sum[TILE_ROWS][TILE_SUMS])
{
  const float *bias = p->tile->bias;

  UNROLL
  for (size_t v = 0; v < vecs; v++) {
    size_t c = v * VEC_WIDTH;
    Vec first = vec_splat (0);
    if (p->k0 == 0 && bias && c < p->n_cols)
      first = vec_load_n (bias + p->col + c, min_size (VEC_WIDTH, p->n_cols - c));
    UNROLL
    for (size_t r = 0; r < rows; r++)
      sum[r][v] = first;
  }
  if (p->k0 > 0) {
    UNROLL
    for (size_t r = 0; r < rows; r++) {
      UNROLL
      for (size_t v = 0; v < vecs; v++)
        sum[r][v] = vec_load (p->partial + (r * vecs + v) * VEC_WIDTH);
    }
  }
}

ALWAYS_INLINE void
keep_sums (const Part *p, const size_t rows, const size_t vecs, Vec sum[TILE_ROWS][TILE_SUMS])
{
  UNROLL
  for (size_t r = 0; r < rows; r++) {
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      vec_store (p->partial + (r * vecs + v) * VEC_WIDTH, sum[r][v]);
  }
}

/* Column vector v of all rows: residual, clip, store. Only n of its lanes exist. */
ALWAYS_INLINE void
finish_column (const Part *p, const size_t rows, const size_t v, const bool whole, size_t n,
               Vec sum[TILE_ROWS][TILE_SUMS])
{
  const SlTile *t = p->tile;
  SlClip clip = act_clip (t->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);
  float *c = t->c + p->row * t->c_stride + p->col + v * VEC_WIDTH;

  if (t->residual) {
    const float *residual = t->residual + p->row * t->residual_stride + p->col + v * VEC_WIDTH;
    UNROLL
    for (size_t r = 0; r < rows; r++, residual += t->residual_stride)
      sum[r][v] += whole ? vec_load (residual) : vec_load_n (residual, n);
  }
  UNROLL
  for (size_t r = 0; r < rows; r++, c += t->c_stride) {
    Vec x = vec_clip (sum[r][v], lo, hi);
    if (whole)
      vec_store (c, x);
    else
      vec_store_n (c, x, n);
  }
}

ALWAYS_INLINE void
run_registers (const Part *p, const size_t rows, const size_t panels, const size_t vecs)
{
  Vec sum[TILE_ROWS][TILE_SUMS];

  begin_sums (p, rows, panels * vecs, sum);
  multiply (p, rows, panels, vecs, sum);
  if (p->k1 < p->tile->depth) {
    keep_sums (p, rows, panels * vecs, sum);
    return;
  }
  UNROLL
  for (size_t v = 0; v < panels * vecs; v++) {
    if ((v + 1) * VEC_WIDTH <= p->n_cols)
      finish_column (p, rows, v, true, VEC_WIDTH, sum);
    else if (v * VEC_WIDTH < p->n_cols)
      finish_column (p, rows, v, false, p->n_cols - v * VEC_WIDTH, sum);
  }
}

typedef void (*TileFunc) (const Part *part);

/* A panel, a panel whose columns end in its first half, several panels. */
#define TILE_FULL(rows)                        \
  static void tile_full_##rows (const Part *p) \
  {                                            \
    run_registers (p, rows, 1, TILE_VECS);     \
  }
#define TILE_HALF(rows)                        \
  static void tile_half_##rows (const Part *p) \
  {                                            \
    run_registers (p, rows, 1, TILE_VECS / 2); \
  }
#define TILE_WIDE(rows, panels)                 \
  static void tile_wide_##rows (const Part *p)  \
  {                                             \
    run_registers (p, rows, panels, TILE_VECS); \
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

/* One panel, or group of panels, for all rows: pass by pass through the depth, in each pass down
 * the rows, so that this piece of the panel stays in the first cache and far weights are read once.
 * The rows after the first have its bandwidth to spare: meanwhile the next piece is fetched.
 * Returns how many panels that were. */
static size_t
run_panel (const SlTile *t, size_t col, size_t parts, size_t passes)
{
  float partial[TILE_MAX_ROWS * PANEL] __attribute__ ((aligned (64)));
  size_t rows_each = t->rows / parts, rows_left = t->rows % parts, panels = 1;
  Part part = {
      .tile = t,
      .col = col,
      .b = t->b + col / PANEL * t->panel_stride,
      .ahead_step = PANEL * sizeof (float) / parts,
  };

  for (size_t pass = 0; pass < passes; pass++) {
    part.k0 = part.k1;
    part.k1 = part_begin (t->depth, passes, pass + 1);
    part.ahead = (const char *)(part.b + (part.k1 - part.k0) * PANEL);
    part.row = 0;
    part.partial = partial;
    for (size_t i = 0; i < parts; i++) {
      size_t rows = rows_each + (i < rows_left);
      TileFunc func = choose_tile (rows, t->cols - col, &panels);

      part.n_cols = min_size (t->cols - col, panels * PANEL);
      func (&part);
      part.row += rows;
      part.partial += rows * PANEL;
      part.ahead += (part.k1 - part.k0) * part.ahead_step;
    }
    part.b += (part.k1 - part.k0) * PANEL;
  }
  return panels;
}

void
SL_KERNEL_NAME (sl_tile_run) (const SlTile *tile)
{
  size_t parts = max_size (1, ceil_div (tile->rows, TILE_ROWS));
  size_t passes = parts == 1 ? 1 : max_size (1, ceil_div (tile->depth, TILE_DEPTH));

  for (size_t col = 0; col < tile->cols;)
    col += run_panel (tile, col, parts, passes) * PANEL;
  act_finish (tile->act, tile->c, tile->rows, tile->cols, tile->c_stride);
}

/* A tile should be long enough that handing it out costs nothing, and there should be enough of
 * them for 16 threads. */
#define GRID_TILES 16
#define GRID_WORK (256 * 1024)
#define GRID_COLS 256

SlTileGrid
SL_KERNEL_NAME (sl_tile_grid) (size_t rows, size_t cols, size_t depth, size_t products)
{
  size_t panels = ceil_div (cols, PANEL), units = ceil_div (rows, TILE_ROWS);
  SlTileGrid grid = {ceil_div (rows, TILE_MAX_ROWS), ceil_div (cols, GRID_COLS)};

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
