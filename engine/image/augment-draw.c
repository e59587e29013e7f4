#include "core/random.h"

#include <sightline/augment.h>

#include <math.h>
#include <string.h>

#define N_TRIES 10 /* torchvision's, for crops and for erasing */
#define MAX_BLUR_SIGMA 32

/* Principal components of ImageNet's RGB in 0 … 1 and their eigenvalues, as published with
 * fb.resnet.torch (2016) for AlexNet's augmentation. */
static const float pca_values[3] = {0.2175f, 0.0188f, 0.0045f};
static const float pca_vectors[3][3] = {
    {-0.5675f, 0.7192f, 0.4009f}, {-0.5808f, -0.0045f, -0.8140f}, {-0.5836f, -0.6948f, 0.4203f}};

/* --- checks --- */

static gboolean
check (const char *what, const float *values, unsigned n, float low, float high, GError **error)
{
  for (unsigned i = 0; i < n; i++)
    if (!(values[i] >= low && values[i] <= high)) {
      g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                   "augmentation '%s' is %g (expected %g to %g)", what, (double)values[i],
                   (double)low, (double)high);
      return FALSE;
    }
  return TRUE;
}

/* A pair that is off, or from a lowest to a highest value in order. */
static gboolean
check_pair (const char *what, const float pair[2], float low, float high, GError **error)
{
  if (pair[0] == 0 && pair[1] == 0)
    return TRUE;
  if (!check (what, pair, 2, low, high, error))
    return FALSE;
  if (pair[0] <= pair[1])
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
               "augmentation '%s' is from %g to %g (expected the lower value first)", what,
               (double)pair[0], (double)pair[1]);
  return FALSE;
}

gboolean
sl_augment_check (const SlAugment *augment, GError **error)
{
  const SlAugment *a = augment;
  const float least = 1e-6f, many = 1e6f;
  g_return_val_if_fail (a, FALSE);
  if ((unsigned)a->fill_rule >= SL_FILL_COUNT || a->crop_padding > SL_IMAGE_MAX_SIZE) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "augmentation has fill rule %d and pads by %u (expected 0 to %d, and at most %d)",
                 a->fill_rule, a->crop_padding, SL_FILL_COUNT - 1, SL_IMAGE_MAX_SIZE);
    return FALSE;
  }
  if (a->blur > 0 && a->blur_sigma[1] == 0) {
    g_set_error_literal (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                         "augmentation blurs by no deviation (expected a pair above 0)");
    return FALSE;
  }
  return check_pair ("crop-area", a->crop_area, least, 1, error) &&
         check_pair ("crop-ratio", a->crop_ratio, least, many, error) &&
         check ("flip-horizontal", &a->flip_horizontal, 1, 0, 1, error) &&
         check ("flip-vertical", &a->flip_vertical, 1, 0, 1, error) &&
         check ("rotate", &a->rotate, 1, 0, 180, error) &&
         check ("shear", &a->shear, 1, 0, 89, error) &&
         check ("translate", a->translate, 2, 0, 1, error) &&
         check_pair ("zoom", a->zoom, 1e-3f, 1e3f, error) &&
         check ("fill", a->fill, 3, 0, 255, error) &&
         check ("brightness", &a->brightness, 1, 0, many, error) &&
         check ("contrast", &a->contrast, 1, 0, many, error) &&
         check ("saturation", &a->saturation, 1, 0, many, error) &&
         check ("hue", &a->hue, 1, 0, 0.5f, error) &&
         check ("rgb-pca", &a->rgb_pca, 1, 0, many, error) &&
         check ("blur", &a->blur, 1, 0, 1, error) &&
         check_pair ("blur-sigma", a->blur_sigma, least, MAX_BLUR_SIGMA, error) &&
         check ("noise", &a->noise, 1, 0, many, error) &&
         check ("erase", &a->erase, 1, 0, 1, error) &&
         check_pair ("erase-area", a->erase_area, least, 1, error) &&
         check_pair ("erase-ratio", a->erase_ratio, least, many, error) &&
         check ("erase-color", a->erase_color, 3, 0, 255, error) &&
         check ("mixup", &a->mixup, 1, 0, many, error) &&
         check ("cutmix", &a->cutmix, 1, 0, many, error);
}

/* --- drawing --- */

static double
draw_uniform (SlRandom *random, double low, double high)
{
  return low + (high - low) * (double)sl_uniform (sl_random_bits (random));
}

static double
draw_in_logs (SlRandom *random, const float pair[2], double low, double high)
{
  if (pair[1] > 0) {
    low = (double)pair[0];
    high = (double)pair[1];
  }
  return exp (draw_uniform (random, log (low), log (high)));
}

static gboolean
draw_chance (SlRandom *random, float probability)
{
  return sl_uniform (sl_random_bits (random)) < probability;
}

static void
draw_crop (const SlAugment *augment, SlRandom *random, double width, double height,
           SlAugmentDraw *draw)
{
  const double low = augment->crop_ratio[1] > 0 ? (double)augment->crop_ratio[0] : 3.0 / 4;
  const double high = augment->crop_ratio[1] > 0 ? (double)augment->crop_ratio[1] : 4.0 / 3;
  double w = 0, h = 0, x, y;
  draw->cropped = TRUE;
  for (int tries = 0; tries < N_TRIES; tries++) {
    double area =
        width * height *
        draw_uniform (random, (double)augment->crop_area[0], (double)augment->crop_area[1]);
    double ratio = draw_in_logs (random, augment->crop_ratio, low, high);
    w = floor (sqrt (area * ratio) + 0.5);
    h = floor (sqrt (area / ratio) + 0.5);
    if (w >= 1 && w <= width && h >= 1 && h <= height)
      break;
    w = 0;
  }
  if (w > 0) {
    x = floor (draw_uniform (random, 0, width - w + 1));
    y = floor (draw_uniform (random, 0, height - h + 1));
  } else { /* the largest of allowed proportion, in the middle */
    w = MIN (width, floor (height * high + 0.5));
    h = MIN (height, floor (width / low + 0.5));
    x = floor ((width - w) / 2);
    y = floor ((height - h) / 2);
  }
  draw->crop[0] = (float)(MIN (x, width - w) / width);
  draw->crop[1] = (float)(MIN (y, height - h) / height);
  draw->crop[2] = (float)(w / width);
  draw->crop[3] = (float)(h / height);
}

/* Inverts turn, shear and zoom about the middle, then mirroring and the shift of the crop. */
static void
draw_matrix (const SlAugment *a, SlRandom *random, double width, double height, SlAugmentDraw *draw)
{
  const double degree = G_PI / 180;
  double angle = degree * draw_uniform (random, -(double)a->rotate, (double)a->rotate);
  double shear = tan (degree * draw_uniform (random, -(double)a->shear, (double)a->shear));
  double zoom = a->zoom[1] > 0 ? draw_uniform (random, (double)a->zoom[0], (double)a->zoom[1]) : 1;
  double by_x = draw_uniform (random, -1, 1) * (double)a->translate[0] * width;
  double by_y = draw_uniform (random, -1, 1) * (double)a->translate[1] * height;
  double shift_x = (double)sl_random_below (random, 2 * a->crop_padding + 1) - a->crop_padding;
  double shift_y = (double)sl_random_below (random, 2 * a->crop_padding + 1) - a->crop_padding;
  double flip_x = draw_chance (random, a->flip_horizontal) ? -1 : 1;
  double flip_y = draw_chance (random, a->flip_vertical) ? -1 : 1;

  draw->whole = !a->rotate && !a->shear && !a->zoom[1] && !a->translate[0] && !a->translate[1];
  draw->moved = !draw->whole || flip_x < 0 || flip_y < 0 || shift_x || shift_y;
  /* forwards: turn * (1 shear; 0 1) * zoom; backwards: (1 -shear; 0 1) / zoom * turn back */
  double c = cos (angle) / zoom, s = sin (angle) / zoom;
  double m[2][2] = {{c + shear * s, s - shear * c}, {-s, c}};
  double offset[2] = {width / 2 + shift_x, height / 2 + shift_y};
  for (int i = 0; i < 2; i++) {
    double from_x = width / 2 * flip_x + by_x, from_y = height / 2 * flip_y + by_y;
    draw->matrix[3 * i] = (float)(m[i][0] * flip_x);
    draw->matrix[3 * i + 1] = (float)(m[i][1] * flip_y);
    draw->matrix[3 * i + 2] = (float)(offset[i] - m[i][0] * from_x - m[i][1] * from_y);
  }
}

/* Strength 0 gives factor 1 exactly. */
static float
draw_factor (SlRandom *random, float strength)
{
  float low = strength < 1 ? 1 - strength : 0;
  return sl_random_between (random, low, 1 + strength);
}

static void
draw_colors (const SlAugment *a, SlRandom *random, SlAugmentDraw *draw)
{
  for (guint8 i = 0; i < 4; i++) {
    guint8 j = (guint8)sl_random_below (random, i + 1u);
    draw->color_order[i] = draw->color_order[j];
    draw->color_order[j] = i;
  }
  draw->brightness = draw_factor (random, a->brightness);
  draw->contrast = draw_factor (random, a->contrast);
  draw->saturation = draw_factor (random, a->saturation);
  draw->hue = sl_random_between (random, -a->hue, a->hue);
  for (int k = 0; k < 3; k++) {
    float weight = a->rgb_pca * sl_normal (sl_random_bits (random)) * pca_values[k] * 255;
    for (int c = 0; c < 3 && a->rgb_pca > 0; c++)
      draw->rgb_shift[c] += pca_vectors[c][k] * weight;
  }
  float sigma = sl_random_between (random, a->blur_sigma[0], a->blur_sigma[1]);
  draw->blur_sigma = draw_chance (random, a->blur) ? sigma : 0;
}

static void
draw_erasing (const SlAugment *a, SlRandom *random, uint32_t width, uint32_t height,
              SlAugmentDraw *draw)
{
  if (!draw_chance (random, a->erase))
    return;
  const double low = a->erase_area[1] > 0 ? (double)a->erase_area[0] : 0.02;
  const double high = a->erase_area[1] > 0 ? (double)a->erase_area[1] : 0.33;
  for (int tries = 0; tries < N_TRIES; tries++) {
    double area = draw_uniform (random, low, high) * width * height;
    double ratio = draw_in_logs (random, a->erase_ratio, 0.3, 3.3);
    double h = floor (sqrt (area * ratio) + 0.5), w = floor (sqrt (area / ratio) + 0.5);
    if (w < 1 || h < 1 || w >= width || h >= height)
      continue;
    draw->erase[2] = (uint32_t)w;
    draw->erase[3] = (uint32_t)h;
    draw->erase[0] = sl_random_below (random, width - draw->erase[2] + 1);
    draw->erase[1] = sl_random_below (random, height - draw->erase[3] + 1);
    return;
  }
}

void
sl_augment_draw (const SlAugment *augment, guint64 seed, guint32 epoch, guint32 sample,
                 uint32_t width, uint32_t height, double view_width, double view_height,
                 SlAugmentDraw *ret_draw)
{
  g_return_if_fail (augment && ret_draw && width && height);
  SlRandom random = sl_random_start (seed, SL_RANDOM_AUGMENT, sample, epoch);
  memset (ret_draw, 0, sizeof *ret_draw);
  if (augment->crop_area[1] > 0)
    draw_crop (augment, &random, view_width, view_height, ret_draw);
  draw_matrix (augment, &random, width, height, ret_draw);
  draw_colors (augment, &random, ret_draw);
  draw_erasing (augment, &random, width, height, ret_draw);
  ret_draw->noise = augment->noise * 255;
  ret_draw->noise_seed = seed;
  ret_draw->noise_name[0] = sample;
  ret_draw->noise_name[1] = epoch;
}

/* --- the crop, which sampling does --- */

void
sl_augment_crop (const SlAugmentDraw *draw, SlImageInfo *info, SlPreprocess *rules)
{
  g_return_if_fail (draw && info && rules);
  if (!draw->cropped)
    return;
  /* from the frame as viewed to the frame in memory, as the sampler turns it */
  unsigned turn = info->orientation ? info->orientation : 1;
  gboolean flip_x = turn == 2 || turn == 3 || turn == 7 || turn == 8;
  gboolean flip_y = turn == 3 || turn == 4 || turn == 6 || turn == 7;
  int across = turn >= 5 ? 1 : 0;
  double begin[2] = {(double)draw->crop[across], (double)draw->crop[1 - across]};
  double size[2] = {(double)draw->crop[2 + across], (double)draw->crop[3 - across]};
  if (flip_x)
    begin[0] = 1 - begin[0] - size[0];
  if (flip_y)
    begin[1] = 1 - begin[1] - size[1];

  uint32_t whole[2] = {info->crop.width ? info->crop.width : info->width,
                       info->crop.width ? info->crop.height : info->height};
  uint32_t from[2], n[2];
  for (int i = 0; i < 2; i++) {
    n[i] = CLAMP ((uint32_t)(size[i] * whole[i] + 0.5), 1, whole[i]);
    from[i] = MIN ((uint32_t)(MAX (begin[i], 0) * whole[i] + 0.5), whole[i] - n[i]);
  }
  info->crop.x = (info->crop.width ? info->crop.x : 0) + from[0];
  info->crop.y = (info->crop.width ? info->crop.y : 0) + from[1];
  info->crop.width = n[0];
  info->crop.height = n[1];
  rules->resize = SL_RESIZE_STRETCH;
}
