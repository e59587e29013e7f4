#include "image/heat-place.h"

#include <math.h>
#include <string.h>

/* An angle this small moves no pixel by more than this share of a cell. */
#define SMALL 1e-6

static bool
is_finite (const double matrix[6])
{
  for (int i = 0; i < 6; i++)
    if (!isfinite (matrix[i]))
      return false;
  return true;
}

/* Pixels to cells: the matrix's inverse, times the grid's size, half a cell and half a pixel off.
 */
static bool
invert (const double m[6], uint32_t grid_width, uint32_t grid_height, double ret[6])
{
  double area = m[0] * m[4] - m[1] * m[3], w = grid_width, h = grid_height;
  if (!isnormal (area))
    return false;
  ret[0] = m[4] / area * w;
  ret[1] = -m[1] / area * w;
  ret[2] = -(ret[0] * m[2] + ret[1] * m[5]) - 0.5 + (ret[0] + ret[1]) / 2;
  ret[3] = -m[3] / area * h;
  ret[4] = m[0] / area * h;
  ret[5] = -(ret[3] * m[2] + ret[4] * m[5]) - 0.5 + (ret[3] + ret[4]) / 2;
  return is_finite (ret);
}

static bool
is_inside (double position, uint32_t n)
{
  return position >= -0.5 && position <= n - 0.5;
}

/* The cell before a position, and the way to the next; outside of the centres no way at all. */
static int32_t
find_cell (double position, uint32_t n, double *ret_fraction)
{
  *ret_fraction = 0;
  if (position < 0)
    return -1;
  if (position >= n - 1)
    return (int32_t)n - 1;
  int32_t cell = (int32_t)position;
  *ret_fraction = position - cell;
  return cell;
}

static void
find_runs (SlHeatPlace *place)
{
  uint32_t n = place->grid_width;
  SlHeatRun *run = NULL;
  for (uint32_t x = place->left; x < place->right; x++) {
    double position = place->cell[0] * x + place->cell[2], fraction;
    if (!is_inside (position, n))
      continue;
    int32_t cell = find_cell (position, n, &fraction);
    if (!run || run->cell != cell) {
      run = &place->runs[place->n_runs++];
      *run = (SlHeatRun){.begin = x, .cell = cell, .fraction = (float)fraction};
      run->slope = cell < 0 || cell == (int32_t)n - 1 ? 0 : (float)place->cell[0];
    }
    run->end = x + 1;
  }
}

static void
swap_axes (SlHeatPlace *place)
{
  uint32_t size = place->grid_width;
  place->grid_width = place->grid_height;
  place->grid_height = size;
  for (int i = 0; i < 3; i++) {
    double across = place->cell[i];
    place->cell[i] = place->cell[i + 3];
    place->cell[i + 3] = across;
  }
}

bool
sl_heat_place_init (SlHeatPlace *place, const SlImageInfo *image, uint32_t grid_width,
                    uint32_t grid_height, const double matrix[6], GError **error)
{
  bool cropped = image->crop.width != 0;
  *place = (SlHeatPlace){
      .left = cropped ? image->crop.x : 0,
      .right = cropped ? image->crop.x + image->crop.width : image->width,
      .top = cropped ? image->crop.y : 0,
      .bottom = cropped ? image->crop.y + image->crop.height : image->height,
      .grid_width = grid_width,
      .grid_height = grid_height,
  };
  double *cell = place->cell;
  if (!is_finite (matrix) || !invert (matrix, grid_width, grid_height, cell)) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "heat grid placed by %g %g %g, %g %g %g covers no area", matrix[0], matrix[1],
                 matrix[2], matrix[3], matrix[4], matrix[5]);
    return false;
  }

  double width = image->width, height = image->height;
  place->swapped = fabs (cell[0]) * width < SMALL && fabs (cell[4]) * height < SMALL;
  if (place->swapped)
    swap_axes (place);
  place->free = fabs (cell[1]) * height >= SMALL || fabs (cell[3]) * width >= SMALL;
  if (place->free)
    return true;
  /* One before the first centre, one behind each. */
  size_t most = MIN ((size_t)place->grid_width + 1, image->width);
  place->runs = g_try_new (SlHeatRun, most);
  if (!place->runs) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory for a heat grid of %u x %u",
                 grid_width, grid_height);
    return false;
  }
  find_runs (place);
  return true;
}

void
sl_heat_place_clear (SlHeatPlace *place)
{
  g_clear_pointer (&place->runs, g_free);
}

static float
run_left (const SlHeatRun *run, const float *cells)
{
  return cells[run->cell < 0 ? 0 : run->cell];
}

static float
run_right (const SlHeatRun *run, const float *cells, uint32_t n)
{
  return cells[run->cell + 1 < (int32_t)n ? run->cell + 1 : run->cell];
}

void
sl_heat_place_line (const SlHeatPlace *place, const float *grid, float threshold, uint32_t y,
                    SlHeatLine *line)
{
  line->y = y;
  line->begin = line->end = place->left;
  if (y < place->top || y >= place->bottom)
    return;
  if (place->free) {
    line->end = place->right;
    return;
  }
  double position = place->cell[4] * y + place->cell[5], fraction;
  if (!is_inside (position, place->grid_height))
    return;
  uint32_t n = place->grid_width;
  int32_t cell = find_cell (position, place->grid_height, &fraction);
  const float *above = grid + (size_t)MAX (cell, 0) * n;
  const float *below = cell + 1 < (int32_t)place->grid_height && cell >= 0 ? above + n : above;
  for (uint32_t i = 0; i < n; i++)
    line->cells[i] = above[i] + (float)fraction * (below[i] - above[i]);

  for (uint32_t i = 0; i < place->n_runs; i++) {
    const SlHeatRun *run = &place->runs[i];
    if (!(run_left (run, line->cells) >= threshold) &&
        !(run_right (run, line->cells, n) >= threshold))
      continue;
    if (line->begin == line->end)
      line->begin = run->begin;
    line->end = run->end;
  }
}

/* Bilinear, pixel by pixel; NaN, which is never hot, beyond the grid. */
static float
find_heat (const SlHeatPlace *place, const float *grid, double x, double y)
{
  const double *m = place->cell;
  double across = m[0] * x + m[1] * y + m[2], down = m[3] * x + m[4] * y + m[5];
  if (!is_inside (across, place->grid_width) || !is_inside (down, place->grid_height))
    return NAN;
  double right, below;
  int32_t i = find_cell (across, place->grid_width, &right);
  int32_t j = find_cell (down, place->grid_height, &below);
  const float *row = grid + (size_t)MAX (j, 0) * place->grid_width + MAX (i, 0);
  size_t next = right > 0 ? 1 : 0, under = below > 0 ? place->grid_width : 0;
  double top = row[0] + right * ((double)row[next] - row[0]);
  double bottom = row[under] + right * ((double)row[under + next] - row[under]);
  return (float)(top + below * (bottom - top));
}

static void
fill_runs (const SlHeatPlace *place, const SlHeatLoops *loops, const SlHeatScale *scale,
           const SlHeatLine *line, uint32_t first, uint32_t last, uint16_t *ret)
{
  for (uint32_t i = 0; i < place->n_runs; i++) {
    const SlHeatRun *run = &place->runs[i];
    uint32_t begin = MAX (run->begin, MAX (first, line->begin));
    uint32_t end = MIN (run->end, MIN (last, line->end));
    if (begin >= end)
      continue;
    float left = run_left (run, line->cells);
    float rise = run_right (run, line->cells, place->grid_width) - left;
    float fraction = run->fraction + run->slope * (float)(begin - run->begin);
    loops->ramp (ret + (begin - first), left + fraction * rise, run->slope * rise, scale,
                 end - begin);
  }
}

void
sl_heat_place_levels (const SlHeatPlace *place, const SlHeatLoops *loops, const SlHeatScale *scale,
                      const float *grid, const SlHeatLine *line, uint32_t first, uint32_t last,
                      uint16_t *ret)
{
  memset (ret, 0, (last - first) * sizeof *ret);
  if (line->y < place->top || line->y >= place->bottom)
    return;
  if (scale->cold)
    for (uint32_t x = MAX (first, place->left); x < MIN (last, place->right); x++)
      ret[x - first] = (uint16_t)scale->cold;
  if (!place->free) {
    fill_runs (place, loops, scale, line, first, last, ret);
    return;
  }
  for (uint32_t x = MAX (first, line->begin); x < MIN (last, line->end); x++) {
    float heat = find_heat (place, grid, x, line->y);
    loops->ramp (ret + (x - first), heat, 0, scale, 1);
  }
}
