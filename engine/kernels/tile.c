#include "kernels/tile.h"
#include "kernels/half.h"

/* A single row takes this many full panels at once: it would wait for its own sums, and a stream
 * of weights wants more than one open page. */
#define WIDE 4

/* What one register tile computes of an SlTile: its rows and columns, and the depth of one pass. */
typedef struct Part {
  const SlTile *tile;
  size_t row, col, n_cols;
  size_t k0, k1;
  const void *b;      /* the panel at k0 */
  const char *next_b; /* what the next pass reads of it: fetched from here, */
  size_t next_b_step; /* bytes a step */
  float *partial;     /* [rows][vectors]: sums of the passes so far */
} Part;

/* All three sizes are constants where this is inlined, as is `half`: what the panel holds. */
ALWAYS_INLINE void
multiply (const Part *p, const size_t rows, const size_t panels, const size_t vecs, const bool half,
          Vec sum[TILE_SUMS])
{
  const SlTile *t = p->tile;
  const float *const *a_run = t->a + p->row;
  const void *b = p->b;
  const char *next_b = p->next_b;
  size_t panel_stride = t->depth * PANEL_MAX, i = p->k0;

  if (i >= t->run) {
    a_run += i / t->run * t->a_pitch;
    i %= t->run;
  }
  for (size_t k = p->k0; k < p->k1; a_run += t->a_pitch, i = 0) {
    size_t end = min_size (t->run, i + p->k1 - k);
    const float *a[TILE_MOST_ROWS];
    UNROLL
    for (size_t r = 0; r < rows; r++)
      a[r] = a_run[r];
    k += end - i;
    for (; i < end; i++) {
      __builtin_prefetch (next_b, 0, 2);
      Vec w[WIDE * TILE_VECS];
      UNROLL
      for (size_t v = 0; v < panels * vecs; v++) {
        const void *at = panels_at (b, half, v / vecs * panel_stride + v % vecs * VEC_WIDTH);
        w[v] = half ? vec_load_half (at) : vec_load (at);
      }
      UNROLL
      for (size_t r = 0; r < rows; r++) {
        Vec x = vec_splat (a[r][i]);
        UNROLL
        for (size_t v = 0; v < panels * vecs; v++)
          sum[r * panels * vecs + v] = vec_fma (x, w[v], sum[r * panels * vecs + v]);
      }
      b = panels_at (b, half, vecs * VEC_WIDTH);
      next_b += p->next_b_step;
    }
  }
}

/* The sums of earlier passes, or the bias. */
ALWAYS_INLINE void
begin_sums (const Part *p, const size_t rows, const size_t vecs, Vec sum[TILE_SUMS])
{
  const float *bias = p->tile->bias;

  if (p->k0 > 0) {
    UNROLL
    for (size_t i = 0; i < rows * vecs; i++)
      sum[i] = vec_load (p->partial + i * VEC_WIDTH);
    return;
  }
  UNROLL
  for (size_t v = 0; v < vecs; v++) {
    Vec first = vec_splat (0);
    if (bias) {
      size_t c = v * VEC_WIDTH;
      first = v + 1 < vecs ? vec_load (bias + p->col + c)
                           : vec_load_n (bias + p->col + c, min_size (VEC_WIDTH, p->n_cols - c));
    }
    UNROLL
    for (size_t r = 0; r < rows; r++)
      sum[r * vecs + v] = first;
  }
}

/* Residual, clip, store. Only n lanes of each row's last vector exist. */
ALWAYS_INLINE void
finish_rows (const Part *p, const size_t rows, const size_t vecs, const bool whole, size_t n,
             Vec sum[TILE_SUMS])
{
  const SlTile *t = p->tile;
  SlClip clip = act_clip (t->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);
  float *c = t->c + p->row * t->c_stride + p->col;

  if (t->residual) {
    const float *residual = t->residual + p->row * t->residual_stride + p->col;
    UNROLL
    for (size_t r = 0; r < rows; r++, residual += t->residual_stride) {
      UNROLL
      for (size_t v = 0; v < vecs; v++)
        sum[r * vecs + v] += whole || v + 1 < vecs ? vec_load (residual + v * VEC_WIDTH)
                                                   : vec_load_n (residual + v * VEC_WIDTH, n);
    }
  }
  UNROLL
  for (size_t r = 0; r < rows; r++, c += t->c_stride) {
    UNROLL
    for (size_t v = 0; v < vecs; v++) {
      Vec x = vec_clip (sum[r * vecs + v], lo, hi);
      if (whole || v + 1 < vecs)
        vec_store (c + v * VEC_WIDTH, x);
      else
        vec_store_n (c + v * VEC_WIDTH, x, n);
    }
  }
}

/* The lines of C are on their way while the sums grow. */
ALWAYS_INLINE void
fetch_c (const Part *p, const size_t rows, const size_t vecs)
{
  const SlTile *t = p->tile;
  const float *c = t->c + p->row * t->c_stride + p->col;

  UNROLL
  for (size_t r = 0; r < rows; r++, c += t->c_stride) {
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      __builtin_prefetch (c + v * VEC_WIDTH, 1, 3);
  }
}

ALWAYS_INLINE void
run_registers (const Part *p, const size_t rows, const size_t panels, const size_t vecs,
               const bool half)
{
  Vec sum[TILE_SUMS];
  size_t n = p->n_cols - (panels * vecs - 1) * VEC_WIDTH;
  bool last = p->k1 == p->tile->depth;

  if (last)
    fetch_c (p, rows, panels * vecs);
  begin_sums (p, rows, panels * vecs, sum);
  multiply (p, rows, panels, vecs, half, sum);
  if (!last) {
    UNROLL
    for (size_t i = 0; i < rows * panels * vecs; i++)
      vec_store (p->partial + i * VEC_WIDTH, sum[i]);
  } else if (n >= VEC_WIDTH) {
    finish_rows (p, rows, panels * vecs, true, VEC_WIDTH, sum);
  } else {
    finish_rows (p, rows, panels * vecs, false, n, sum);
  }
}

typedef void (*TileFunc) (const Part *part);

#define TILE(rows, vecs)                              \
  static void tile_##rows##x##vecs (const Part *part) \
  {                                                   \
    run_registers (part, rows, 1, vecs, false);       \
  }
FOR_TILES (TILE)

static void
tile_wide (const Part *part)
{
  run_registers (part, 1, WIDE, TILE_VECS, false);
}

static void
tile_wide_half (const Part *part)
{
  run_registers (part, 1, WIDE, TILE_VECS, true);
}

#define TILE_ENTRY(rows, vecs) [vecs - 1][rows - 1] = tile_##rows##x##vecs,
static const TileFunc tiles[TILE_VECS][TILE_MOST_ROWS] = {FOR_TILES (TILE_ENTRY)};

/* The piece of a panel of half floats that a pass covers, as floats. */
static void
widen_piece (const uint16_t *from, size_t n, float *to)
{
  for (size_t i = 0; i < n; i += VEC_WIDTH)
    vec_store (to + i, vec_load_half (from + i));
}

/* One panel from `panel` on, or group of panels, for all rows: pass by pass through the depth, in
 * each pass down the rows, so that this piece of the panel stays near and far weights are read
 * once. The rows after the first have its bandwidth to spare: meanwhile the next piece is fetched.
 */
static void
run_panel (const SlTile *t, Part *part, const void *panel, TileFunc wide)
{
  float partial[TILE_MAX_ROWS * PANEL_MAX] __attribute__ ((aligned (64)));
  float piece[TILE_BYTES / sizeof (float) + PANEL_MAX] __attribute__ ((aligned (64)));
  size_t vecs = ceil_div (part->n_cols, VEC_WIDTH);
  size_t parts = wide ? 1 : max_size (1, ceil_div (t->rows, tile_rows (vecs)));
  size_t rows_each = t->rows / parts, rows_left = t->rows % parts, width = vecs * VEC_WIDTH;
  size_t bytes = t->depth * width * sizeof (float);
  bool widen = t->half && !wide;
  size_t passes = parts == 1 && !widen ? 1 : max_size (1, ceil_div (bytes, TILE_BYTES));

  part->k1 = 0;
  /* Rows that read all of it once have no bandwidth to spare. */
  part->next_b_step = wide ? 0 : width * (t->half ? sizeof (uint16_t) : sizeof (float)) / parts;
  for (size_t pass = 0; pass < passes; pass++) {
    part->k0 = part->k1;
    part->k1 = part_begin (t->depth, passes, pass + 1);
    part->next_b = panels_at (panel, t->half, part->k1 * width);
    part->row = 0;
    part->partial = partial;
    part->b = panels_at (panel, t->half, part->k0 * width);
    if (widen) {
      widen_piece (part->b, (part->k1 - part->k0) * width, piece);
      part->b = piece;
    }
    for (size_t i = 0; i < parts; i++) {
      size_t rows = rows_each + (i < rows_left);
      TileFunc func = wide ? wide : tiles[vecs - 1][rows - 1];

      func (part);
      part->row += rows;
      part->partial += rows * width;
      part->next_b += (part->k1 - part->k0) * part->next_b_step;
    }
  }
}

void
SL_KERNEL_NAME (sl_tile_run) (const SlTile *tile)
{
  size_t panels = panel_count (tile->cols), count;
  Part part = {.tile = tile};

  for (size_t i = 0; i < panels; i += count) {
    size_t begin = panel_begin (tile->cols, i);
    bool wide = tile->rows == 1 && i + WIDE <= panels &&
                panel_begin (tile->cols, i + WIDE) - begin == WIDE * PANEL_MAX;

    count = wide ? WIDE : 1;
    part.col = begin;
    part.n_cols = min_size (tile->cols, panel_begin (tile->cols, i + count)) - begin;
    run_panel (tile, &part, panels_at (tile->b, tile->half, begin * tile->depth),
               wide ? tile->half ? tile_wide_half : tile_wide : NULL);
  }
  act_finish (tile->act, tile->c, tile->rows, tile->cols, tile->c_stride);
}

/* A tile should be long enough that handing it out costs nothing, and there should be enough of
 * them for 16 threads. */
#define GRID_TILES 16
#define GRID_WORK (256 * 1024)
#define GRID_COLS 256
/* Fewer rows than this would wait for the panel. */
#define GRID_ROWS 24

SlTileGrid
SL_KERNEL_NAME (sl_tile_grid) (size_t rows, size_t cols, size_t depth, size_t products,
                               size_t in_size)
{
  size_t panels = panel_count (cols), units = ceil_div (rows, GRID_ROWS);
  SlTileGrid grid = {ceil_div (rows, TILE_MAX_ROWS), ceil_div (cols, GRID_COLS),
                     .cols_first = products * cols * depth > in_size + products * rows * cols};

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
