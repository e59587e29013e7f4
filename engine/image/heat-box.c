#include <sightline/heat.h>

#include <math.h>
#include <stdbool.h>

/* The grid is looked at in this many steps a cell, unless it is fine already: an odd number, so
 * that one of them is the centre. */
#define STEPS 9
#define MAX_COARSE 128

typedef struct Region {
  uint32_t left, right, top, bottom; /* in steps, right and bottom are included */
  size_t size;
  float hottest;
} Region;

typedef struct Search {
  uint32_t width, height; /* in steps */
  float *values;          /* width * height; NaN: cold, or seen already */
  size_t *stack;          /* width * height */
  size_t n;
} Search;

/* Value of one direction's position between two cells, the same as the painter's. */
static void
find_neighbours (uint32_t step, uint32_t steps, uint32_t n, uint32_t *ret_cell, uint32_t *ret_next,
                 float *ret_fraction)
{
  float position = ((float)step + 0.5f) / (float)steps - 0.5f;
  position = CLAMP (position, 0, (float)(n - 1));
  *ret_cell = (uint32_t)position;
  *ret_next = MIN (*ret_cell + 1, n - 1);
  *ret_fraction = position - (float)*ret_cell;
}

static void
refine (Search *search, const float *grid, uint32_t width, uint32_t height, float threshold)
{
  uint32_t steps = search->width / width;
  float *out = search->values;
  for (uint32_t y = 0; y < search->height; y++) {
    uint32_t j, below;
    float down;
    find_neighbours (y, steps, height, &j, &below, &down);
    for (uint32_t x = 0; x < search->width; x++) {
      uint32_t i, right;
      float across;
      find_neighbours (x, steps, width, &i, &right, &across);
      const float *upper = grid + (size_t)j * width, *lower = grid + (size_t)below * width;
      float top = upper[i] + across * (upper[right] - upper[i]);
      float bottom = lower[i] + across * (lower[right] - lower[i]);
      float value = top + down * (bottom - top);
      *out++ = value >= threshold ? value : NAN;
    }
  }
}

/* Takes a step into the region unless it is cold or in one already. */
static void
visit (Search *search, Region *region, size_t at)
{
  float value = search->values[at];
  if (isnan (value))
    return;
  uint32_t x = (uint32_t)(at % search->width), y = (uint32_t)(at / search->width);
  search->values[at] = NAN;
  search->stack[search->n++] = at;
  region->size++;
  region->hottest = MAX (region->hottest, value);
  region->left = MIN (region->left, x);
  region->right = MAX (region->right, x);
  region->top = MIN (region->top, y);
  region->bottom = MAX (region->bottom, y);
}

/* All that is connected to `start` by its edges. */
static Region
take_region (Search *search, size_t start)
{
  Region region = {.left = G_MAXUINT32, .top = G_MAXUINT32, .hottest = -INFINITY};
  search->n = 0;
  visit (search, &region, start);
  while (search->n > 0) {
    size_t at = search->stack[--search->n];
    uint32_t x = (uint32_t)(at % search->width), y = (uint32_t)(at / search->width);
    if (x > 0)
      visit (search, &region, at - 1);
    if (x + 1 < search->width)
      visit (search, &region, at + 1);
    if (y > 0)
      visit (search, &region, at - search->width);
    if (y + 1 < search->height)
      visit (search, &region, at + search->width);
  }
  return region;
}

static bool
is_better (const Region *a, const Region *b)
{
  return a->size > b->size || (a->size == b->size && a->hottest > b->hottest);
}

gboolean
sl_heat_find_box (const float *grid, uint32_t width, uint32_t height, float threshold,
                  double ret_box[4])
{
  g_return_val_if_fail (grid && ret_box, FALSE);
  g_return_val_if_fail (width >= 1 && width <= SL_HEAT_MAX_GRID, FALSE);
  g_return_val_if_fail (height >= 1 && height <= SL_HEAT_MAX_GRID, FALSE);

  uint32_t steps = MAX (width, height) <= MAX_COARSE ? STEPS : 1;
  Search search = {.width = width * steps, .height = height * steps};
  size_t n = (size_t)search.width * search.height;
  g_autofree float *values = search.values = g_try_new (float, n);
  g_autofree size_t *stack = search.stack = g_try_new (size_t, n);
  if (!values || !stack)
    return FALSE;
  refine (&search, grid, width, height, threshold);

  Region best = {.size = 0};
  for (size_t at = 0; at < n; at++) {
    if (isnan (values[at]))
      continue;
    Region region = take_region (&search, at);
    if (is_better (&region, &best))
      best = region;
  }
  if (best.size == 0)
    return FALSE;
  ret_box[0] = (double)best.left / search.width;
  ret_box[1] = (double)best.top / search.height;
  ret_box[2] = (double)(best.right + 1) / search.width;
  ret_box[3] = (double)(best.bottom + 1) / search.height;
  return TRUE;
}
