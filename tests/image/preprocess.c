#include <sightline/image.h>

#include <math.h>
#include <string.h>

static void
test_defaults (void)
{
  SlPreprocess rules;
  GError *error = NULL;
  sl_preprocess_init (&rules, 224, 200, 3);
  g_assert_true (sl_preprocess_check (&rules, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (rules.width, ==, 224);
  g_assert_cmpuint (rules.height, ==, 200);
}

#define EXPECT(code, ...)                                  \
  {                                                        \
    SlPreprocess rules;                                    \
    GError *error = NULL;                                  \
    sl_preprocess_init (&rules, 8, 8, 3);                  \
    __VA_ARGS__;                                           \
    g_assert_false (sl_preprocess_check (&rules, &error)); \
    g_assert_error (error, SL_ERROR, code);                \
    g_clear_error (&error);                                \
  }

static void
test_refuses (void)
{
  EXPECT (SL_ERROR_LIMIT, rules.width = 0);
  EXPECT (SL_ERROR_LIMIT, rules.height = SL_IMAGE_MAX_SIZE + 1);
  EXPECT (SL_ERROR_LIMIT, rules.resize_size = SL_IMAGE_MAX_SIZE + 1);
  EXPECT (SL_ERROR_UNSUPPORTED, rules.channels = 2);
  EXPECT (SL_ERROR_UNSUPPORTED, rules.resize = SL_RESIZE_COUNT);
  EXPECT (SL_ERROR_UNSUPPORTED, rules.order = SL_ORDER_COUNT);
  EXPECT (SL_ERROR_UNSUPPORTED, rules.scale = 0);
  EXPECT (SL_ERROR_UNSUPPORTED, rules.scale = NAN);
  EXPECT (SL_ERROR_UNSUPPORTED, rules.mean[2] = INFINITY);
  EXPECT (SL_ERROR_UNSUPPORTED, rules.std[1] = 0);
}

/* Sampled at its own size and brought back, a picture is what it was. */
static void
test_round_trip (gconstpointer data)
{
  SlPreprocess rules;
  sl_preprocess_init (&rules, 19, 11, 3);
  rules.order = (SlColorOrder)GPOINTER_TO_INT (data);
  rules.scale = 1.0f / 127.5f;
  rules.mean[0] = 1, rules.mean[1] = 0.9f, rules.mean[2] = 0.5f;
  rules.std[0] = 0.2f, rules.std[1] = 2, rules.std[2] = 1;

  SlImageInfo info = {.format = SL_PIXEL_RGB, .width = 19, .height = 11};
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&info, &rules, 1, NULL);
  uint8_t rgb[19 * 11 * 3], back[19 * 11 * 3];
  for (gsize i = 0; i < sizeof rgb; i++)
    rgb[i] = (uint8_t)g_test_rand_int_range (0, 256);
  SlImage image = {.planes = {rgb}, .strides = {19 * 3}};
  float tensor[19 * 11 * 3];
  const ptrdiff_t strides[3] = {19 * 11, 19, 1};
  g_assert_true (sl_image_sample (sampler, &image, tensor, strides));
  sl_preprocess_to_rgb (&rules, tensor, strides, back);
  g_assert_cmpmem (rgb, sizeof rgb, back, sizeof back);
}

static void
test_gray_round_trip (void)
{
  SlPreprocess rules;
  sl_preprocess_init (&rules, 16, 16, 1);
  SlImageInfo info = {.format = SL_PIXEL_GRAY8, .width = 16, .height = 16};
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&info, &rules, 1, NULL);
  uint8_t gray[256], back[256 * 3];
  for (int i = 0; i < 256; i++)
    gray[i] = (uint8_t)i;
  SlImage image = {.planes = {gray}, .strides = {16}};
  float tensor[256];
  const ptrdiff_t strides[3] = {256, 16, 1};
  g_assert_true (sl_image_sample (sampler, &image, tensor, strides));
  sl_preprocess_to_rgb (&rules, tensor, strides, back);
  for (int i = 0; i < 256 * 3; i++)
    g_assert_cmpuint (back[i], ==, i / 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image/preprocess/defaults", test_defaults);
  g_test_add_func ("/image/preprocess/refuses", test_refuses);
  g_test_add_data_func ("/image/preprocess/round-trip-rgb", GINT_TO_POINTER (SL_ORDER_RGB),
                        test_round_trip);
  g_test_add_data_func ("/image/preprocess/round-trip-bgr", GINT_TO_POINTER (SL_ORDER_BGR),
                        test_round_trip);
  g_test_add_func ("/image/preprocess/round-trip-gray", test_gray_round_trip);
  return g_test_run ();
}
