#include <sightline/heat.h>

#define TAPS 4

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

/* Element `i` of `n`, the border's beyond it. */
static float
get (const float *line, uint32_t n, ptrdiff_t stride, int64_t i)
{
  return line[stride * (ptrdiff_t)CLAMP (i, 0, (int64_t)n - 1)];
}

/* A line of `n` to one of n * steps. */
static void
refine_line (const float *line, uint32_t n, ptrdiff_t stride, uint32_t steps, float *ret,
             ptrdiff_t ret_stride)
{
  for (uint32_t phase = 0; phase < steps; phase++) {
    /* Of the new cell's centre, in cells behind the centre of the cell it lies in. */
    float offset = ((float)phase + 0.5f) / (float)steps - 0.5f;
    int64_t before = offset < 0 ? -1 : 0;
    float weights[TAPS];
    find_weights (offset - (float)before, weights);
    for (uint32_t i = 0; i < n; i++) {
      float sum = 0;
      for (int k = 0; k < TAPS; k++)
        sum += weights[k] * get (line, n, stride, (int64_t)i + before + k - 1);
      ret[ret_stride * (ptrdiff_t)(i * steps + phase)] = CLAMP (sum, 0, 1);
    }
  }
}

void
sl_heat_refine (const float *grid, uint32_t width, uint32_t height, uint32_t steps, float *ret)
{
  uint32_t fine = width * steps;
  g_return_if_fail (grid != NULL && ret != NULL && grid != ret && steps > 0);

  g_autofree float *rows = g_new (float, (size_t)fine *height);
  for (uint32_t y = 0; y < height; y++)
    refine_line (grid + (size_t)y * width, width, 1, steps, rows + (size_t)y * fine, 1);
  for (uint32_t x = 0; x < fine; x++)
    refine_line (rows + x, height, fine, steps, ret + x, fine);
}
