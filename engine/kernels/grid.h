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
 * input, and where there are few rows also chunks of channels. `work` is multiply-adds or the like.
 */
#define BAND_TILES 32
#define BAND_WORK (128 * 1024)
#define BAND_CHANNELS 64

typedef struct SlBandGrid {
  size_t bands, chunks;
  size_t rows, channels;
} SlBandGrid;

typedef struct SlBandTile {
  size_t row, row_end, channel, channel_end;
} SlBandTile;

ALWAYS_INLINE SlBandGrid
band_grid (size_t rows, size_t channels, size_t work)
{
  size_t want = min_size (BAND_TILES, max_size (1, work / BAND_WORK));
  size_t bands = min_size (rows, want);
  size_t chunks =
      min_size (ceil_div (channels, BAND_CHANNELS), ceil_div (want, max_size (bands, 1)));
  return (SlBandGrid){bands, chunks, rows, channels};
}

ALWAYS_INLINE SlBandTile
band_tile (const SlBandGrid *grid, size_t index)
{
  size_t band = index / grid->chunks, chunk = index % grid->chunks;
  size_t units = ceil_div (grid->channels, VEC_WIDTH);
  return (SlBandTile){
      part_begin (grid->rows, grid->bands, band),
      part_begin (grid->rows, grid->bands, band + 1),
      part_begin (units, grid->chunks, chunk) * VEC_WIDTH,
      min_size (grid->channels, part_begin (units, grid->chunks, chunk + 1) * VEC_WIDTH),
  };
}
