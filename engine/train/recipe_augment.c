#include <sightline/recipe.h>

#include <string.h>

/* Pixels; torchvision's GaussianBlur draws from here up. */
#define SMALLEST_BLUR 0.1f

/* The colour that normalisation makes 0 of, in R, G, B of 0 … 255. */
static void
get_mean_color (const SlPreprocess *rules, float ret_color[3])
{
  for (unsigned i = 0; i < 3; i++) {
    unsigned c = rules->channels == 1 ? 0 : rules->order == SL_ORDER_BGR ? 2 - i : i;
    float value = rules->mean[c] / rules->scale;
    ret_color[i] = CLAMP (value, 0, 255);
  }
}

static float
flip_probability (const char *chosen, const char *way)
{
  return strcmp (chosen, way) == 0 || strcmp (chosen, "both") == 0 ? 0.5f : 0;
}

void
sl_recipe_get_augment (const SlRecipe *recipe, const SlPreprocess *rules, SlAugment *ret_augment)
{
  static const char *const fills[SL_FILL_COUNT] = {
      [SL_FILL_COLOR] = "black", [SL_FILL_EDGE] = "edge", [SL_FILL_REFLECT] = "reflect"};
  g_return_if_fail (recipe && rules && ret_augment);
  const float zoom = (float)recipe->augment.zoom, area = (float)recipe->augment.resize_crop;
  const float shift = (float)recipe->augment.translate;
  *ret_augment = (SlAugment){
      .crop_area = {area, area > 0 ? 1 : 0},
      .crop_padding = (uint32_t)recipe->augment.crop_padding,
      .flip_horizontal = flip_probability (recipe->augment.flip, "horizontal"),
      .flip_vertical = flip_probability (recipe->augment.flip, "vertical"),
      .rotate = (float)recipe->augment.rotate,
      .shear = (float)recipe->augment.shear,
      .translate = {shift, shift},
      .zoom = {zoom > 0 ? 1 - zoom : 0, zoom > 0 ? 1 + zoom : 0},
      .brightness = (float)recipe->augment.brightness,
      .contrast = (float)recipe->augment.contrast,
      .saturation = (float)recipe->augment.saturation,
      .hue = (float)recipe->augment.hue,
      .rgb_pca = (float)recipe->augment.pca_noise,
      .blur = (float)recipe->augment.blur,
      .noise = (float)recipe->augment.noise,
      .erase = (float)recipe->augment.erasing,
      .mixup = (float)recipe->augment.mixup,
      .cutmix = (float)recipe->augment.cutmix,
  };
  for (guint i = 0; i < SL_FILL_COUNT; i++)
    if (strcmp (recipe->augment.fill, fills[i]) == 0)
      ret_augment->fill_rule = (SlFillRule)i;
  if (ret_augment->blur > 0) {
    ret_augment->blur_sigma[0] = MIN (SMALLEST_BLUR, (float)recipe->augment.blur_sigma);
    ret_augment->blur_sigma[1] = (float)recipe->augment.blur_sigma;
  }
  get_mean_color (rules, ret_augment->erase_color);
}
