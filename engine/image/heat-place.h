/* Where a heat grid lies on a frame, and its levels along a row of pixels. */
#pragma once

#include "image/heat-rows.h"

#include <sightline/heat.h>

#include <stdbool.h>

/* Pixels begin … end - 1 of a row lie between the centres of cells `cell` and cell + 1, or outside
 * of the first (cell -1) or last centre (n - 1). */
typedef struct SlHeatRun {
  uint32_t begin, end;
  int32_t cell;
  float fraction, slope; /* way to the next cell at `begin`, and what a pixel adds */
} SlHeatRun;

typedef struct SlHeatPlace {
  /* Pixels that may change. */
  uint32_t left, right, top, bottom;
  uint32_t grid_width, grid_height;
  /* Position in cells (0: the centre of the first) of the pixel at (x, y), by its centre:
   * across = cell[0] x + cell[1] y + cell[2], down = cell[3] x + cell[4] y + cell[5]. */
  double cell[6];
  bool swapped; /* rows of the frame are columns of the grid; what stands here is for the grid with
                   both exchanged */
  bool free;    /* rows run through the grid at an angle; else: */
  SlHeatRun *runs; /* of any row, from left to right */
  uint32_t n_runs;
} SlHeatPlace;

/* SL_ERROR_… as sl_heat_painter_new(). */
bool sl_heat_place_init (SlHeatPlace *place, const SlImageInfo *image, uint32_t grid_width,
                         uint32_t grid_height, const double matrix[6], GError **error);
void sl_heat_place_clear (SlHeatPlace *place);

/* Heat along a row of pixels. */
typedef struct SlHeatLine {
  uint32_t begin, end; /* columns outside are cold; equal: all are */
  uint32_t y;
  float *cells; /* grid_width: the grid at the row's height, where the placement is not free */
} SlHeatLine;

/* Fills the line, but for `cells`, which points at memory for them. `grid` is already exchanged if
 * the placement is swapped. */
void sl_heat_place_line (const SlHeatPlace *place, const float *grid, float threshold, uint32_t y,
                         SlHeatLine *line);

/* ret[x - first] = level of column x, first <= x < last; 0 where x is not in left … right - 1. */
void sl_heat_place_levels (const SlHeatPlace *place, const SlHeatLoops *loops,
                           const SlHeatScale *scale, const float *grid, const SlHeatLine *line,
                           uint32_t first, uint32_t last, uint16_t *ret);
