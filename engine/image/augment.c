#include "core/memory.h"
#include "core/random.h"
#include "image/augment-rows.h"

#include <sightline/augment.h>

#include <math.h>
#include <string.h>

#define BLUR_DEVIATIONS 3
#define MAX_BLUR_TAPS (2 * 96 + 1) /* sl_augment_check() allows deviations up to 32 */

struct SlAugmenter {
  const SlAugmentLoops *loops;
  SlFillRule fill_rule;
  float fill[3], erase_color[3];
  ptrdiff_t width, height;
  unsigned channels;
  float *copy; /* [H][W] of one channel */
};

SlAugmenter *
sl_augmenter_new (const SlAugment *augment, uint32_t width, uint32_t height, uint32_t channels,
                  GError **error)
{
  g_return_val_if_fail (augment && (channels == 1 || channels == 3), NULL);
  g_return_val_if_fail (width >= 1 && width <= SL_IMAGE_MAX_SIZE, NULL);
  g_return_val_if_fail (height >= 1 && height <= SL_IMAGE_MAX_SIZE, NULL);
  if (!sl_augment_check (augment, error))
    return NULL;

  SlAugmenter *augmenter = g_new0 (SlAugmenter, 1);
  augmenter->loops = sl_augment_loops (sl_isa_best ());
  augmenter->fill_rule = augment->fill_rule;
  augmenter->width = (ptrdiff_t)width;
  augmenter->height = (ptrdiff_t)height;
  augmenter->channels = channels;
  memcpy (augmenter->fill, augment->fill, sizeof augmenter->fill);
  memcpy (augmenter->erase_color, augment->erase_color, sizeof augmenter->erase_color);
  if (channels == 1) {
    const float *colors[] = {augment->fill, augment->erase_color};
    float *grays[] = {augmenter->fill, augmenter->erase_color};
    for (int i = 0; i < 2; i++)
      grays[i][0] = 0.299f * colors[i][0] + 0.587f * colors[i][1] + 0.114f * colors[i][2];
  }
  augmenter->copy = sl_aligned_alloc ((gsize)width * height * sizeof (float));
  if (!augmenter->copy) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory to augment %u x %u pixels", width,
                 height);
    g_clear_pointer (&augmenter, sl_augmenter_free);
  }
  return augmenter;
}

void
sl_augmenter_free (SlAugmenter *augmenter)
{
  if (!augmenter)
    return;
  sl_aligned_free (augmenter->copy);
  g_free (augmenter);
}

/* --- geometry --- */

/* The pixel that stands at place `i` of 0 … n - 1, also beyond the edges; -1 for the fill colour.
 */
static ptrdiff_t
find_place (SlFillRule rule, ptrdiff_t i, ptrdiff_t n)
{
  if (i >= 0 && i < n)
    return i;
  if (rule == SL_FILL_COLOR)
    return -1;
  if (rule == SL_FILL_EDGE)
    return i < 0 ? 0 : n - 1;
  ptrdiff_t k = i % (2 * n);
  k = k < 0 ? k + 2 * n : k;
  return k < n ? k : 2 * n - 1 - k;
}

static float
get_pixel (const SlAugmenter *augmenter, const float *plane, float fill, ptrdiff_t x, ptrdiff_t y)
{
  x = find_place (augmenter->fill_rule, x, augmenter->width);
  y = find_place (augmenter->fill_rule, y, augmenter->height);
  return x < 0 || y < 0 ? fill : plane[y * augmenter->width + x];
}

/* As the inner loop, where neighbours may be outside. */
static float
get_between (const SlAugmenter *augmenter, const float *plane, float fill, float x, float y)
{
  /* Far away nothing changes any more, and whole numbers stay within what they can hold. */
  const float far = 1 << 20;
  x = CLAMP (x, -far, far);
  y = CLAMP (y, -far, far);
  float column = floorf (x), row = floorf (y), u = x - column, v = y - row;
  ptrdiff_t i = (ptrdiff_t)column, j = (ptrdiff_t)row;
  float above = get_pixel (augmenter, plane, fill, i, j);
  float below = get_pixel (augmenter, plane, fill, i, j + 1);
  above += u * (get_pixel (augmenter, plane, fill, i + 1, j) - above);
  below += u * (get_pixel (augmenter, plane, fill, i + 1, j + 1) - below);
  return above + v * (below - above);
}

/* Narrows begin … end to where low <= start + step * i <= high. */
static void
clip_run (double start, double step, double low, double high, ptrdiff_t *begin, ptrdiff_t *end)
{
  if (step == 0) {
    if (start < low || start > high)
      *end = *begin;
    return;
  }
  double first = ((step > 0 ? low : high) - start) / step;
  double last = ((step > 0 ? high : low) - start) / step;
  *begin = (ptrdiff_t)CLAMP (ceil (first), (double)*begin, (double)*end);
  *end = (ptrdiff_t)CLAMP (floor (last) + 1, (double)*begin, (double)*end);
}

static void
warp_row (const SlAugmenter *augmenter, const SlAugmentDraw *draw, const float *plane, float fill,
          ptrdiff_t y, float *ret)
{
  const float *m = draw->matrix;
  /* of the row's first pixel, counted from the middle of the picture's first */
  float from_x = m[0] * 0.5f + m[1] * ((float)y + 0.5f) + m[2] - 0.5f;
  float from_y = m[3] * 0.5f + m[4] * ((float)y + 0.5f) + m[5] - 0.5f;
  ptrdiff_t begin = 0, end = augmenter->width;
  /* a margin, since the loop rounds in another way */
  const double margin = 1e-2;
  clip_run ((double)from_x, (double)m[0], margin, (double)augmenter->width - 1 - margin, &begin,
            &end);
  clip_run ((double)from_y, (double)m[3], margin, (double)augmenter->height - 1 - margin, &begin,
            &end);
  for (ptrdiff_t x = 0; x < augmenter->width; x++) {
    if (x == begin && begin < end) {
      const SlAugmentLine run = {.x = from_x + m[0] * (float)begin,
                                 .y = from_y + m[3] * (float)begin,
                                 .dx = m[0],
                                 .dy = m[3],
                                 .n = (size_t)(end - begin)};
      augmenter->loops->line (ret + begin, plane, (size_t)augmenter->width, &run);
      x = end - 1;
      continue;
    }
    ret[x] =
        get_between (augmenter, plane, fill, from_x + m[0] * (float)x, from_y + m[3] * (float)x);
  }
}

/* A matrix of whole pixels: columns forwards or backwards from `from` on. */
static void
shift_row (const SlAugmenter *augmenter, const float *row, float fill, ptrdiff_t from,
           ptrdiff_t step, float *ret)
{
  ptrdiff_t n = augmenter->width;
  for (ptrdiff_t x = 0; x < n; x++) {
    ptrdiff_t at = from + step * x;
    if (at >= 0 && at < n && step > 0) {
      ptrdiff_t run = MIN (n - at, n - x);
      memcpy (ret + x, row + at, (gsize)run * sizeof *ret);
      x += run - 1;
    } else {
      at = find_place (augmenter->fill_rule, at, n);
      ret[x] = at < 0 ? fill : row[at];
    }
  }
}

static void
shift_plane (const SlAugmenter *augmenter, const SlAugmentDraw *draw, const float *plane,
             float fill, float *ret)
{
  const float *m = draw->matrix;
  ptrdiff_t from_x = (ptrdiff_t)floorf (0.5f * m[0] + m[2]), step_x = m[0] < 0 ? -1 : 1;
  ptrdiff_t from_y = (ptrdiff_t)floorf (0.5f * m[4] + m[5]), step_y = m[4] < 0 ? -1 : 1;
  for (ptrdiff_t y = 0; y < augmenter->height; y++, ret += augmenter->width) {
    ptrdiff_t row = find_place (augmenter->fill_rule, from_y + step_y * y, augmenter->height);
    for (ptrdiff_t x = 0; x < augmenter->width && row < 0; x++)
      ret[x] = fill;
    if (row >= 0)
      shift_row (augmenter, plane + row * augmenter->width, fill, from_x, step_x, ret);
  }
}

static void
move_plane (const SlAugmenter *augmenter, const SlAugmentDraw *draw, unsigned channel, float *plane)
{
  float fill = augmenter->fill[channel];
  memcpy (augmenter->copy, plane, (gsize)(augmenter->width * augmenter->height) * sizeof *plane);
  if (draw->whole) {
    shift_plane (augmenter, draw, augmenter->copy, fill, plane);
    return;
  }
  for (ptrdiff_t y = 0; y < augmenter->height; y++)
    warp_row (augmenter, draw, augmenter->copy, fill, y, plane + y * augmenter->width);
}

/* --- colours --- */

static void
change_contrast (const SlAugmenter *augmenter, float factor, float *const planes[3])
{
  double sums[8] = {0}, sum = 0;
  gsize n = (gsize)(augmenter->width * augmenter->height);
  if (augmenter->channels == 3)
    augmenter->loops->add_gray (sums, (const float *const *)planes, n);
  for (gsize i = 0; i < n && augmenter->channels == 1; i++)
    sums[i % 8] += (double)planes[0][i];
  for (int i = 0; i < 8; i++)
    sum += sums[i];
  float add = (1 - factor) * (float)(sum / (double)n);
  for (unsigned c = 0; c < augmenter->channels; c++)
    augmenter->loops->scale (planes[c], factor, add, n);
}

static void
change_color (const SlAugmenter *augmenter, const SlAugmentDraw *draw, unsigned step,
              float *const planes[3])
{
  gsize n = (gsize)(augmenter->width * augmenter->height);
  gboolean color = augmenter->channels == 3;
  if (step == 0 && draw->brightness != 1)
    for (unsigned c = 0; c < augmenter->channels; c++)
      augmenter->loops->scale (planes[c], draw->brightness, 0, n);
  else if (step == 1 && draw->contrast != 1)
    change_contrast (augmenter, draw->contrast, planes);
  else if (step == 2 && draw->saturation != 1 && color)
    augmenter->loops->saturate (planes, draw->saturation, 1 - draw->saturation, n);
  else if (step == 3 && draw->hue != 0 && color)
    augmenter->loops->turn_hue (planes, 6 * (draw->hue < 0 ? draw->hue + 1 : draw->hue), n);
}

static void
change_colors (const SlAugmenter *augmenter, const SlAugmentDraw *draw, float *const planes[3])
{
  gsize n = (gsize)(augmenter->width * augmenter->height);
  for (int i = 0; i < 4; i++)
    change_color (augmenter, draw, draw->color_order[i], planes);
  for (unsigned c = 0; c < 3 && augmenter->channels == 3; c++)
    if (draw->rgb_shift[c] != 0)
      augmenter->loops->scale (planes[c], 1, draw->rgb_shift[c], n);
}

/* --- blur, noise, erasing --- */

static void
blur_plane (const SlAugmenter *augmenter, const float *weights, ptrdiff_t radius, float *plane)
{
  ptrdiff_t width = augmenter->width, height = augmenter->height, n_taps = 2 * radius + 1;
  const float *rows[MAX_BLUR_TAPS];
  for (ptrdiff_t y = 0; y < height; y++) {
    for (ptrdiff_t k = 0; k < n_taps; k++) /* the edge once, as torchvision mirrors */
    {
      ptrdiff_t at = ABS (y + k - radius), last = height - 1;
      at = last ? at % (2 * last) : 0;
      rows[k] = plane + (at > last ? 2 * last - at : at) * width;
    }
    augmenter->loops->blend (augmenter->copy + y * width, rows, weights, (size_t)n_taps,
                             (size_t)width);
  }
  for (ptrdiff_t y = 0; y < height; y++) {
    const float *row = augmenter->copy + y * width;
    ptrdiff_t inside = MAX (width - 2 * radius, 0);
    for (ptrdiff_t k = 0; k < n_taps && inside; k++)
      rows[k] = row + k;
    if (inside)
      augmenter->loops->blend (plane + y * width + radius, rows, weights, (size_t)n_taps,
                               (size_t)inside);
    for (ptrdiff_t x = 0; x < width; x++) {
      if (inside && x == radius)
        x += inside;
      if (x >= width)
        break;
      float sum = 0;
      for (ptrdiff_t k = 0; k < n_taps; k++) {
        ptrdiff_t at = ABS (x + k - radius), last = width - 1;
        at = last ? at % (2 * last) : 0;
        sum += weights[k] * row[at > last ? 2 * last - at : at];
      }
      plane[y * width + x] = sum;
    }
  }
}

static void
blur (const SlAugmenter *augmenter, float sigma, float *const planes[3])
{
  float weights[MAX_BLUR_TAPS];
  double sum = 0, wide = 2.0 * (double)sigma * (double)sigma;
  ptrdiff_t radius = MIN ((ptrdiff_t)ceilf (BLUR_DEVIATIONS * sigma), MAX_BLUR_TAPS / 2);
  for (ptrdiff_t k = -radius; k <= radius; k++)
    sum += exp (-(double)(k * k) / wide);
  for (ptrdiff_t k = -radius; k <= radius; k++)
    weights[k + radius] = (float)(exp (-(double)(k * k) / wide) / sum);
  for (unsigned c = 0; c < augmenter->channels; c++)
    blur_plane (augmenter, weights, radius, planes[c]);
}

static void
add_noise (const SlAugmenter *augmenter, const SlAugmentDraw *draw, float *planes)
{
  gsize n = (gsize)(augmenter->width * augmenter->height) * augmenter->channels;
  SlRandom random =
      sl_random_start (draw->noise_seed, SL_RANDOM_NOISE, draw->noise_name[0], draw->noise_name[1]);
  for (gsize i = 0; i < n; i++) {
    float value = planes[i] + draw->noise * sl_normal (sl_random_bits (&random));
    planes[i] = CLAMP (value, 0, 255);
  }
}

static void
erase (const SlAugmenter *augmenter, const guint32 part[4], float *const planes[3])
{
  for (unsigned c = 0; c < augmenter->channels; c++)
    for (ptrdiff_t y = part[1]; y < (ptrdiff_t)part[1] + part[3]; y++)
      for (ptrdiff_t x = part[0]; x < (ptrdiff_t)part[0] + part[2]; x++)
        planes[c][y * augmenter->width + x] = augmenter->erase_color[c];
}

void
sl_augmenter_apply (SlAugmenter *augmenter, const SlAugmentDraw *draw, float *planes)
{
  g_return_if_fail (augmenter && draw && planes);
  g_return_if_fail ((ptrdiff_t)draw->erase[0] + draw->erase[2] <= augmenter->width &&
                    (ptrdiff_t)draw->erase[1] + draw->erase[3] <= augmenter->height);
  float *channels[3];
  for (unsigned c = 0; c < 3; c++)
    channels[c] = planes + MIN (c, augmenter->channels - 1) * augmenter->width * augmenter->height;

  for (unsigned c = 0; c < augmenter->channels && draw->moved; c++)
    move_plane (augmenter, draw, c, channels[c]);
  change_colors (augmenter, draw, channels);
  if (draw->blur_sigma > 0)
    blur (augmenter, draw->blur_sigma, channels);
  if (draw->noise > 0)
    add_noise (augmenter, draw, planes);
  if (draw->erase[2])
    erase (augmenter, draw->erase, channels);
}
