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
  SlPreprocess rules;
  Kept kept[N_KEPT];
  guint64 n_used;
};

SlPictureMaker *
sl_picture_maker_new (const SlPreprocess *rules)
{
  SlPictureMaker *maker = g_new0 (SlPictureMaker, 1);
  maker->rules = *rules;
  return maker;
}

void
sl_picture_maker_free (SlPictureMaker *maker)
{
  if (!maker)
    return;
  for (unsigned k = 0; k < N_KEPT; k++)
    sl_image_sampler_free (maker->kept[k].sampler);
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
  return !oldest->one_to_one || init_levels (&maker->rules, oldest, error) ? oldest : NULL;
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

gboolean
sl_picture_maker_fill (SlPictureMaker *maker, const SlSample *sample, float *ret,
                       const ptrdiff_t strides[3], GError **error)
{
  Kept *kept = find_kept (maker, &sample->info, error);
  if (!kept)
    return FALSE;
  if (kept->one_to_one) {
    look_up (&maker->rules, kept, &sample->image, ret, strides);
    return TRUE;
  }
  if (sl_image_sample (kept->sampler, &sample->image, ret, strides))
    return TRUE;
  g_set_error_literal (error, SL_ERROR, SL_ERROR_IO,
                       "the picture's rows could not be unpacked (expected pixels)");
  return FALSE;
}
