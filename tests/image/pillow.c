/* Against Pillow's results, made by tools/dev/pillow_vectors.py. */
#include <sightline/image.h>

#include <math.h>

typedef struct PillowCase {
  uint32_t width, height;
  SlResizeRule rule;
  uint32_t out_width, out_height, resize_size;
  const char *expected; /* [out_height][out_width][3] bytes */
} PillowCase;

#include "data/pillow.h"

/* The same formula as in the script. */
static uint8_t *
make_picture (uint32_t width, uint32_t height)
{
  uint8_t *rgb = g_malloc ((gsize)width * height * 3);
  for (uint32_t y = 0; y < height; y++)
    for (uint32_t x = 0; x < width; x++)
      for (uint32_t c = 0; c < 3; c++)
        rgb[(y * width + x) * 3 + c] =
            (uint8_t)(x * (5 + 3 * c) + y * (9 - 2 * c) + (x * y * 31 >> 2 & 127) + (x ^ y) * 64);
  return rgb;
}

static void
test_case (gconstpointer data)
{
  const PillowCase *tc = data;
  SlImageInfo info = {.format = SL_PIXEL_RGB, .width = tc->width, .height = tc->height};
  SlPreprocess rules;
  sl_preprocess_init (&rules, tc->out_width, tc->out_height, 3);
  rules.resize = tc->rule;
  rules.resize_size = tc->resize_size;
  rules.scale = 1;

  GError *error = NULL;
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&info, &rules, 1, &error);
  g_assert_no_error (error);
  g_autofree uint8_t *rgb = make_picture (tc->width, tc->height);
  SlImage image = {.planes = {rgb}, .strides = {(ptrdiff_t)tc->width * 3}};
  gsize n = (gsize)tc->out_width * tc->out_height * 3;
  g_autofree float *out = g_new (float, n);
  g_assert_true (
      sl_image_sample (sampler, &image, out, (ptrdiff_t[]){1, (ptrdiff_t)tc->out_width * 3, 3}));

  double worst = 0, sum = 0;
  for (gsize i = 0; i < n; i++) {
    double difference = (double)out[i] - (double)(uint8_t)tc->expected[i];
    worst = MAX (worst, fabs (difference));
    sum += difference;
  }
  g_test_message ("largest difference %.3f of 255, mean %.3f", worst, sum / (double)n);
  g_assert_cmpfloat (worst, <=, 1.0);
  if (n > 100)
    g_assert_cmpfloat (fabs (sum / (double)n), <, 0.3); /* Pillow rounds halves up, twice */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (pillow_cases); i++) {
    const PillowCase *tc = &pillow_cases[i];
    g_autofree char *name = g_strdup_printf ("/image/pillow/%s-%ux%u-to-%ux%u",
                                             tc->rule == SL_RESIZE_CROP ? "crop" : "stretch",
                                             tc->width, tc->height, tc->out_width, tc->out_height);
    g_test_add_data_func (name, tc, test_case);
  }
  return g_test_run ();
}
