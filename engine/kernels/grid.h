/* Cutting work into tiles, from sizes alone. */
#pragma once

#include "kernels/vector.h"

/* Elements of a tile in kernels that do little to each: some microseconds. */
#define GRID_ELEMENTS 16384

/* A plane of rows × cols elements in blocks of about `block` elements: parts of a row where rows
 * are longer than that, else several rows. */
typedef struct SlPlaneGrid {
  size_t rows, cols;
  size_t block_rows, block_cols;
} SlPlaneGrid;

typedef struct SlPlaneTile {
  size_t row, rows, col, cols;
} SlPlaneTile;

ALWAYS_INLINE SlPlaneGrid
plane_grid (size_t rows, size_t cols, size_t block)
{
  block = round_up (max_size (block, 1), VEC_WIDTH);
  if (cols >= block)
    return (SlPlaneGrid){rows, cols, 1, block};
  return (SlPlaneGrid){rows, cols, max_size (1, block / max_size (cols, 1)), max_size (cols, 1)};
}

ALWAYS_INLINE size_t
plane_tiles (const SlPlaneGrid *grid)
{
  return ceil_div (grid->rows, grid->block_rows) * ceil_div (grid->cols, grid->block_cols);
}

ALWAYS_INLINE SlPlaneTile
plane_tile (const SlPlaneGrid *grid, size_t index)
{
  size_t per_row = ceil_div (grid->cols, grid->block_cols);
  size_t row = index / per_row * grid->block_rows, col = index % per_row * grid->block_cols;
  return (SlPlaneTile){row, min_size (grid->block_rows, grid->rows - row), col,
                       min_size (grid->block_cols, grid->cols - col)};
}

/* Rows of pixels with channels, for windowed kernels: bands of neighbouring rows, which share
 * input, and where there are few rows also chunks of channels.
 *
 * Where channels are many and pixels few the chunks come first. The 1x1 convolution next to such a
 * layer has more weights than pixels, so that a thread computes some of its channels (SlTileGrid)
 * and should go on with them: between c and c / 6 channels, as in MobileNet's blocks, that is from
 * c = 7 × pixels on. */
#define BAND_TILES 32
#define BAND_WORK (32 * 1024)
#define BAND_CHANNELS 64
#define BAND_CHANNELS_FIRST 7

typedef struct SlBandGrid {
  size_t bands, chunks;
  size_t rows, channels;
  bool channels_first; /* tiles go down a chunk of channels, then on to the next one */
} SlBandGrid;

typedef struct SlBandTile {
  size_t row, row_end, channel, channel_end;
} SlBandTile;

/* `width`: pixels of a row; `work`: multiply-adds or the like for a pixel's channel. */
ALWAYS_INLINE SlBandGrid
band_grid (size_t rows, size_t width, size_t channels, size_t work)
{
  size_t want = rows * width * channels * work / BAND_WORK;
  size_t chunks = ceil_div (channels, BAND_CHANNELS), bands = rows;
  SlBandGrid grid = {.rows = rows, .channels = channels};

  want = min_size (BAND_TILES, max_size (1, want));
  grid.channels_first = channels >= BAND_CHANNELS_FIRST * rows * width;
  if (grid.channels_first) {
    chunks = min_size (chunks, want);
    bands = min_size (bands, ceil_div (want, max_size (chunks, 1)));
  } else {
    bands = min_size (bands, want);
    chunks =
        min_size (chunks, max_size (1, want / max_size (2 * bands, 1))); /* or no row is shared */
  }
  grid.bands = bands;
  grid.chunks = chunks;
  return grid;
}

ALWAYS_INLINE SlBandTile
band_tile (const SlBandGrid *grid, size_t index)
{
  size_t band = grid->channels_first ? index % grid->bands : index / grid->chunks;
  size_t chunk = grid->channels_first ? index / grid->bands : index % grid->chunks;
  size_t units = ceil_div (grid->channels, VEC_WIDTH);
  return (SlBandTile){
      part_begin (grid->rows, grid->bands, band),
      part_begin (grid->rows, grid->bands, band + 1),
      part_begin (units, grid->chunks, chunk) * VEC_WIDTH,
      min_size (grid->channels, part_begin (units, grid->chunks, chunk + 1) * VEC_WIDTH),
  };
}

/* Cuts a range of output positions to those whose tap, `offset` positions from where their window
 * begins, lies inside `in` positions. *begin may come out beyond *end. */
ALWAYS_INLINE void
clip_to_input (ptrdiff_t offset, size_t stride, size_t in, size_t *begin, size_t *end)
{
  ptrdiff_t last = (ptrdiff_t)in - 1 - offset;
  size_t lo = offset < 0 ? (size_t)-offset : 0, hi = last < 0 ? 0 : (size_t)last + 1;

  if (stride > 1) {
    lo = ceil_div (lo, stride);
    hi = ceil_div (hi, stride);
  }
  *begin = max_size (*begin, lo);
  *end = min_size (*end, hi);
}

/* Pointers to every step-th element. */
ALWAYS_INLINE void
fill_pointers (const float **to, size_t n, const float *first, size_t step)
{
  for (size_t i = 0; i < n; i++)
    to[i] = first + i * step;
}
