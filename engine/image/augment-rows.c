#include "image/augment-rows.h"

/* torchvision's and ITU-R BT.601's weights of gray. */
#define GRAY(r, g, b) (0.2989f * (r) + 0.587f * (g) + 0.114f * (b))

static inline float
min (float a, float b)
{
  return a < b ? a : b;
}

static inline float
max (float a, float b)
{
  return a > b ? a : b;
}

static inline float
keep (float value)
{
  return min (max (value, 0), 255);
}

static void
line (float *restrict ret, const float *restrict plane, size_t stride, const SlAugmentLine *on)
{
  for (size_t i = 0; i < on->n; i++) {
    float x = on->x + on->dx * (float)(int)i, y = on->y + on->dy * (float)(int)i;
    int column = (int)x, row = (int)y; /* not negative: truncated is floor */
    float u = x - (float)column, v = y - (float)row;
    int at = row * (int)stride + column;
    float above = plane[at] + u * (plane[at + 1] - plane[at]);
    float below =
        plane[at + (int)stride] + u * (plane[at + (int)stride + 1] - plane[at + (int)stride]);
    ret[i] = above + v * (below - above);
  }
}

static void
scale (float *row, float factor, float add, size_t n)
{
  for (size_t i = 0; i < n; i++)
    row[i] = keep (row[i] * factor + add);
}

static void
saturate (float *const rgb[3], float factor, float add, size_t n)
{
  float *restrict r = rgb[0], *restrict g = rgb[1], *restrict b = rgb[2];
  for (size_t i = 0; i < n; i++) {
    float gray = add * GRAY (r[i], g[i], b[i]);
    r[i] = keep (r[i] * factor + gray);
    g[i] = keep (g[i] * factor + gray);
    b[i] = keep (b[i] * factor + gray);
  }
}

/* A colour of hue `sixths` (0 … 12), as an amount to take off the value: 0 where the component is
 * the largest, 1 where it is the smallest. */
static inline float
distance (float sixths)
{
  float k = sixths >= 6 ? sixths - 6 : sixths;
  k = k >= 6 ? k - 6 : k;
  return max (0, min (min (k, 4 - k), 1));
}

static void
turn_hue (float *const rgb[3], float turn, size_t n)
{
  float *restrict red = rgb[0], *restrict green = rgb[1], *restrict blue = rgb[2];
  for (size_t i = 0; i < n; i++) {
    float r = red[i], g = green[i], b = blue[i];
    float value = max (max (r, g), b), range = value - min (min (r, g), b);
    float part = range > 0 ? 1 / range : 0;
    float of_red = (g - b) * part, of_green = 2 + (b - r) * part, of_blue = 4 + (r - g) * part;
    float hue = value == r ? of_red : value == g ? of_green : of_blue; /* -1 … 5 */
    hue = (hue < 0 ? hue + 6 : hue) + turn;
    hue = hue >= 6 ? hue - 6 : hue;
    red[i] = value - range * distance (hue + 5);
    green[i] = value - range * distance (hue + 3);
    blue[i] = value - range * distance (hue + 1);
  }
}

static void
add_gray (double sums[8], const float *const rgb[3], size_t n)
{
  for (size_t i = 0; i < n; i++)
    sums[i % 8] += (double)GRAY (rgb[0][i], rgb[1][i], rgb[2][i]);
}

static void
blend (float *restrict ret, const float *const *rows, const float *weights, size_t n_weights,
       size_t n)
{
  for (size_t i = 0; i < n; i++)
    ret[i] = weights[0] * rows[0][i];
  for (size_t k = 1; k < n_weights; k++) {
    const float *restrict row = rows[k];
    float weight = weights[k];
    for (size_t i = 0; i < n; i++)
      ret[i] += weight * row[i];
  }
}

const SlAugmentLoops SL_AUGMENT_SYMBOL = {
    .line = line,
    .scale = scale,
    .saturate = saturate,
    .turn_hue = turn_hue,
    .add_gray = add_gray,
    .blend = blend,
};
