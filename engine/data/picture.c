#include "data/picture.h"

#include "image/format.h"

#include <string.h>

/* Sizes of pictures whose coefficients are kept. */
#define N_KEPT 4
#define N_LEVELS 256

typedef struct Kept {
  SlImageInfo info;
  SlImageSampler *sampler; /* NULL: free */
  gboolean one_to_one;     /* every element is one component of one pixel, looked up in `levels` */
  const SlFormatLayout *layout;
  float levels[3][N_LEVELS]; /* by output channel */
  guint64 used_at;
} Kept;

struct SlPictureMaker {
  SlPreprocess rules; /* of sampling; with augmentation: planes of 0 … 255, in R, G, B */
  Kept kept[N_KEPT];
  guint64 n_used;

  SlAugmenter *augmenter; /* NULL: no augmentation, and nothing of the following */
  SlAugment augment;
  float *planes;          /* [C][H][W] */
  unsigned order[3];      /* output channel to plane */
  float gain[3], bias[3]; /* by output channel */
};

/* Takes normalisation and colour order off the rules: they come after augmentation. */
static gboolean
init_augmentation (SlPictureMaker *maker, const SlAugment *augment, GError **error)
{
  SlPreprocess *rules = &maker->rules;
  maker->augment = *augment;
  maker->augmenter =
      sl_augmenter_new (augment, rules->width, rules->height, rules->channels, error);
  if (!maker->augmenter)
    return FALSE;
  maker->planes =
      g_try_malloc_n (rules->channels * sizeof (float), (gsize)rules->width * rules->height);
  if (!maker->planes) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory to augment %u x %u pixels",
                 rules->width, rules->height);
    return FALSE;
  }
  for (unsigned c = 0; c < 3; c++) { /* as the sampler, to the bit */
    maker->order[c] = rules->channels == 1 ? 0 : rules->order == SL_ORDER_BGR ? 2 - c : c;
    maker->gain[c] = (float)((double)rules->scale / (double)rules->std[c]);
    maker->bias[c] = (float)(-(double)rules->mean[c] / (double)rules->std[c]);
    rules->mean[c] = 0;
    rules->std[c] = 1;
  }
  rules->scale = 1;
  rules->order = SL_ORDER_RGB;
  return TRUE;
}

SlPictureMaker *
sl_picture_maker_new (const SlPreprocess *rules, const SlAugment *augment, GError **error)
{
  SlPictureMaker *maker = g_new0 (SlPictureMaker, 1);
  maker->rules = *rules;
  if (augment && !init_augmentation (maker, augment, error))
    g_clear_pointer (&maker, sl_picture_maker_free);
  return maker;
}

void
sl_picture_maker_free (SlPictureMaker *maker)
{
  if (!maker)
    return;
  for (unsigned k = 0; k < N_KEPT; k++)
    sl_image_sampler_free (maker->kept[k].sampler);
  sl_augmenter_free (maker->augmenter);
  g_free (maker->planes);
  g_free (maker);
}

/* Fills `levels` with what sampling makes of the 256 values of a gray picture, which each component
 * of a colour picture becomes, too: the matrix between is the identity. */
static gboolean
init_levels (const SlPreprocess *rules, Kept *kept, GError **error)
{
  guint8 ramp[N_LEVELS];
  for (unsigned v = 0; v < N_LEVELS; v++)
    ramp[v] = (guint8)v;
  SlPreprocess row = *rules;
  row.width = N_LEVELS;
  row.height = 1;
  row.resize = SL_RESIZE_STRETCH;
  const SlImageInfo info = {.format = SL_PIXEL_GRAY8, .width = N_LEVELS, .height = 1};
  const SlImage image = {.planes = {ramp}, .strides = {N_LEVELS}};
  const ptrdiff_t strides[3] = {N_LEVELS, N_LEVELS, 1};
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&info, &row, 1, error);
  return sampler && sl_image_sample (sampler, &image, kept->levels[0], strides);
}

/* Whether sampling changes no pixel: neither size nor orientation, and no mixing of components. */
static gboolean
is_one_to_one (const SlPreprocess *rules, const Kept *kept)
{
  double matrix[6];
  const SlImageInfo *info = &kept->info;
  sl_image_sampler_get_placement (kept->sampler, matrix);
  return rules->width == info->width && rules->height == info->height && matrix[0] == info->width &&
         matrix[1] == 0 && matrix[2] == 0 && matrix[3] == 0 && matrix[4] == info->height &&
         matrix[5] == 0 && info->range == SL_RANGE_FULL &&
         (kept->layout->family == SL_FAMILY_GRAY ||
          (kept->layout->family == SL_FAMILY_RGB && rules->channels == 3));
}

/* What is known of pictures like `info`; NULL on failure. */
static Kept *
find_kept (SlPictureMaker *maker, const SlImageInfo *info, GError **error)
{
  Kept *oldest = &maker->kept[0];
  for (unsigned k = 0; k < N_KEPT; k++) {
    Kept *kept = &maker->kept[k];
    if (kept->sampler && memcmp (&kept->info, info, sizeof *info) == 0) {
      kept->used_at = ++maker->n_used;
      return kept;
    }
    if (kept->used_at < oldest->used_at)
      oldest = kept;
  }

  sl_image_sampler_free (oldest->sampler);
  *oldest = (Kept){.info = *info, .used_at = ++maker->n_used};
  oldest->sampler = sl_image_sampler_new (info, &maker->rules, 1, error);
  if (!oldest->sampler)
    return NULL;
  oldest->layout = sl_format_layout (info->format);
  oldest->one_to_one = is_one_to_one (&maker->rules, oldest);
  if (!oldest->one_to_one || init_levels (&maker->rules, oldest, error))
    return oldest;
  g_clear_pointer (&oldest->sampler, sl_image_sampler_free); /* not to be found again */
  return NULL;
}

static void
look_up (const SlPreprocess *rules, const Kept *kept, const SlImage *image, float *ret,
         const ptrdiff_t strides[3])
{
  for (unsigned c = 0; c < rules->channels; c++) {
    unsigned of = rules->order == SL_ORDER_BGR ? 2 - c : c;
    const SlComponentLayout *component =
        &kept->layout->components[MIN (of, kept->layout->n_components - 1u)];
    for (uint32_t y = 0; y < rules->height; y++) {
      const guint8 *from = (const guint8 *)image->planes[component->plane] +
                           image->strides[component->plane] * (ptrdiff_t)y + component->offset;
      float *row = ret + strides[0] * (ptrdiff_t)c + strides[1] * (ptrdiff_t)y;
      for (uint32_t x = 0; x < rules->width; x++)
        row[strides[2] * (ptrdiff_t)x] = kept->levels[c][from[(gsize)component->step * x]];
    }
  }
}

static gboolean
sample_picture (SlImageSampler *sampler, const SlImage *image, float *ret,
                const ptrdiff_t strides[3], GError **error)
{
  if (sl_image_sample (sampler, image, ret, strides))
    return TRUE;
  g_set_error_literal (error, SL_ERROR, SL_ERROR_IO,
                       "the picture's rows could not be unpacked (expected pixels)");
  return FALSE;
}

static gboolean
fill_plainly (SlPictureMaker *maker, const SlSample *sample, float *ret, const ptrdiff_t strides[3],
              GError **error)
{
  Kept *kept = find_kept (maker, &sample->info, error);
  if (!kept)
    return FALSE;
  if (!kept->one_to_one)
    return sample_picture (kept->sampler, &sample->image, ret, strides, error);
  look_up (&maker->rules, kept, &sample->image, ret, strides);
  return TRUE;
}

/* A part of the frame, which has coefficients of its own each time. */
static gboolean
fill_part (SlPictureMaker *maker, const SlSample *sample, const SlAugmentDraw *draw, float *ret,
           const ptrdiff_t strides[3], GError **error)
{
  SlImageInfo info = sample->info;
  SlPreprocess rules = maker->rules;
  sl_augment_crop (draw, &info, &rules);
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&info, &rules, 1, error);
  return sampler && sample_picture (sampler, &sample->image, ret, strides, error);
}

/* Planes of 0 … 255 to the network's input. */
static void
normalize (const SlPictureMaker *maker, float *ret, const ptrdiff_t strides[3])
{
  gsize width = maker->rules.width, height = maker->rules.height;
  for (unsigned c = 0; c < maker->rules.channels; c++) {
    const float gain = maker->gain[c], bias = maker->bias[c];
    const float *plane = maker->planes + maker->order[c] * width * height;
    for (gsize y = 0; y < height; y++) {
      const float *from = plane + y * width;
      float *to = ret + strides[0] * (ptrdiff_t)c + strides[1] * (ptrdiff_t)y;
      if (strides[2] == 1)
        for (gsize x = 0; x < width; x++)
          to[x] = from[x] * gain + bias;
      else
        for (gsize x = 0; x < width; x++)
          to[strides[2] * (ptrdiff_t)x] = from[x] * gain + bias;
    }
  }
}

static void
get_view (const SlImageInfo *info, double ret_size[2])
{
  gboolean cropped = info->crop.width != 0, on_side = info->orientation >= 5;
  double width = cropped ? info->crop.width : info->width;
  double height = cropped ? info->crop.height : info->height;
  if (info->par_n && info->par_d)
    width *= (double)info->par_n / info->par_d;
  ret_size[0] = on_side ? height : width;
  ret_size[1] = on_side ? width : height;
}

static void
copy_features (const SlPreprocess *rules, const float *features, float *ret,
               const ptrdiff_t strides[3])
{
  for (ptrdiff_t c = 0; c < (ptrdiff_t)rules->channels; c++)
    for (ptrdiff_t y = 0; y < (ptrdiff_t)rules->height; y++)
      for (ptrdiff_t x = 0; x < (ptrdiff_t)rules->width; x++)
        ret[c * strides[0] + y * strides[1] + x * strides[2]] = *features++;
}

gboolean
sl_picture_maker_fill (SlPictureMaker *maker, const SlSample *sample, const SlPictureKey *key,
                       float *ret, const ptrdiff_t strides[3], GError **error)
{
  if (sample->features) {
    copy_features (&maker->rules, sample->features, ret, strides);
    return TRUE;
  }
  if (!maker->augmenter)
    return fill_plainly (maker, sample, ret, strides, error);

  double view[2];
  SlAugmentDraw draw;
  const SlPreprocess *rules = &maker->rules;
  const ptrdiff_t packed[3] = {(ptrdiff_t)rules->width * (ptrdiff_t)rules->height,
                               (ptrdiff_t)rules->width, 1};
  get_view (&sample->info, view);
  sl_augment_draw (&maker->augment, key->seed, key->epoch, key->index, rules->width, rules->height,
                   view[0], view[1], &draw);
  if (!(draw.cropped ? fill_part (maker, sample, &draw, maker->planes, packed, error)
                     : fill_plainly (maker, sample, maker->planes, packed, error)))
    return FALSE;
  sl_augmenter_apply (maker->augmenter, &draw, maker->planes);
  normalize (maker, ret, strides);
  return TRUE;
}
