#include <sightline/heat.h>

#define TAPS 4
/* Cells for each cell of a map, and the size of maps that are fine enough as they are. */
#define STEPS 4
#define COARSEST_FINE 64

/* Keys's cubic convolution with a = -1/2 (Catmull-Rom): weights of the cells -1 … 2 around a place
 * `t` behind cell 0's centre. */
static void
find_weights (float t, float ret[TAPS])
{
  ret[0] = ((-0.5f * t + 1) * t - 0.5f) * t;
  ret[1] = (1.5f * t - 2.5f) * t * t + 1;
  ret[2] = ((-1.5f * t + 2) * t + 0.5f) * t;
  ret[3] = (0.5f * t - 0.5f) * t * t;
}

/* Where a fine cell's centre lies: the first of the four cells around it, and their weights. */
static int64_t
find_place (uint32_t fine, uint32_t steps, float ret_weights[TAPS])
{
  float offset =
      ((float)(fine % steps) + 0.5f) / (float)steps - 0.5f; /* behind its cell's centre */
  int64_t before = offset < 0 ? -1 : 0;
  find_weights (offset - (float)before, ret_weights);
  return (int64_t)(fine / steps) + before - 1;
}

/* The cells from `first` on, the border's beyond it; cut off, lest two negative weights make heat
 * aslant of a peak. */
static float
sum_row (const float *row, uint32_t n, int64_t first, const float weights[TAPS])
{
  float sum = 0;
  for (int k = 0; k < TAPS; k++)
    sum += weights[k] * row[CLAMP (first + k, 0, (int64_t)n - 1)];
  return CLAMP (sum, 0, 1);
}

uint32_t
sl_heat_find_steps (uint32_t width, uint32_t height)
{
  return MAX (width, height) > COARSEST_FINE ? 1 : STEPS;
}

void
sl_heat_refine (const float *grid, uint32_t width, uint32_t height, uint32_t steps, float *ret)
{
  g_return_if_fail (grid != NULL && ret != NULL && grid != ret && steps > 0);

  for (uint32_t y = 0; y < height * steps; y++) {
    float down[TAPS];
    int64_t top = find_place (y, steps, down);
    for (uint32_t x = 0; x < width * steps; x++) {
      float across[TAPS], sum = 0;
      int64_t left = find_place (x, steps, across);
      for (int k = 0; k < TAPS; k++) {
        int64_t row = CLAMP (top + k, 0, (int64_t)height - 1);
        sum += down[k] * sum_row (grid + row * width, width, left, across);
      }
      *ret++ = CLAMP (sum, 0, 1);
    }
  }
}
