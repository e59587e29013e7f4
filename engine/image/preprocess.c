#include <sightline/image.h>

#include <math.h>

void
sl_preprocess_init (SlPreprocess *rules, uint32_t width, uint32_t height, uint32_t channels)
{
  g_return_if_fail (rules);
  *rules = (SlPreprocess){
      .width = width,
      .height = height,
      .channels = channels,
      .scale = 1.0f / 255,
      .std = {1, 1, 1},
  };
}

gboolean
sl_preprocess_check (const SlPreprocess *rules, GError **error)
{
  g_return_val_if_fail (rules, FALSE);

  if (rules->width < 1 || rules->width > SL_IMAGE_MAX_SIZE || rules->height < 1 ||
      rules->height > SL_IMAGE_MAX_SIZE || rules->resize_size > SL_IMAGE_MAX_SIZE) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "network input is %u x %u, resized to %u (expected 1 to %d)", rules->width,
                 rules->height, rules->resize_size, SL_IMAGE_MAX_SIZE);
    return FALSE;
  }
  if (rules->channels != 1 && rules->channels != 3) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "network input has %u channels (expected 1 or 3)", rules->channels);
    return FALSE;
  }
  if ((unsigned)rules->resize >= SL_RESIZE_COUNT || (unsigned)rules->order >= SL_ORDER_COUNT) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "unknown resize rule %d or colour order %d",
                 rules->resize, rules->order);
    return FALSE;
  }
  if (!isfinite (rules->scale) || rules->scale == 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "scale is %g (expected not zero)",
                 (double)rules->scale);
    return FALSE;
  }
  for (unsigned c = 0; c < rules->channels; c++)
    if (!isfinite (rules->mean[c]) || !isfinite (rules->std[c]) || !(rules->std[c] > 0)) {
      g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                   "channel %u has mean %g and standard deviation %g (expected above zero)", c,
                   (double)rules->mean[c], (double)rules->std[c]);
      return FALSE;
    }
  return TRUE;
}

void
sl_preprocess_to_rgb (const SlPreprocess *rules, const float *input, const ptrdiff_t strides[3],
                      uint8_t *ret_rgb)
{
  g_return_if_fail (rules && input && strides && ret_rgb);

  for (uint32_t y = 0; y < rules->height; y++)
    for (uint32_t x = 0; x < rules->width; x++)
      for (unsigned i = 0; i < 3; i++) {
        unsigned c = rules->channels == 1 ? 0 : rules->order == SL_ORDER_BGR ? 2 - i : i;
        float element = input[strides[0] * (ptrdiff_t)c + strides[1] * (ptrdiff_t)y +
                              strides[2] * (ptrdiff_t)x];
        float value = (element * rules->std[c] + rules->mean[c]) / rules->scale;
        *ret_rgb++ = (uint8_t)(CLAMP (value, 0, 255) + 0.5f);
      }
}
