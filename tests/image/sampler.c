/* Every pixel format, matrix, range, orientation and rule against a direct double-precision sum. */
#include "core/pool.h"
#include "reference.h"

#include <sightline/image.h>

#include <math.h>
#include <string.h>

/* Samples and compares every element; also that nothing outside is written. */
static void
check (const SlImageInfo *info, const SlPreprocess *rules, int padding, gboolean channels_last)
{
  g_autoptr (Frame) frame = frame_new (info, padding);
  GError *error = NULL;
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (info, rules, 0, &error);
  g_assert_no_error (error);

  uint32_t w = rules->width, h = rules->height, n = rules->channels;
  const ptrdiff_t first[3] = {(ptrdiff_t)h * (w + 2), w + 2, 1};
  const ptrdiff_t last[3] = {1, (ptrdiff_t)w * n + 1, n};
  const ptrdiff_t *strides = channels_last ? last : first;
  gsize size = (gsize)(h * (w + 2)) * n;
  g_autofree float *out = g_new (float, size);
  const float untouched = -12345;
  for (gsize i = 0; i < size; i++)
    out[i] = untouched;
  g_assert_true (sl_image_sample (sampler, &frame->image, out, strides));

  gsize written = 0;
  for (uint32_t y = 0; y < h; y++)
    for (uint32_t x = 0; x < w; x++) {
      double rgb[3];
      reference_pixel (frame, rules, x, y, rgb);
      double gray = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
      for (uint32_t c = 0; c < n; c++) {
        double value = n == 1 ? gray : rgb[rules->order == SL_ORDER_BGR ? 2 - c : c];
        double expected =
            (value * (double)rules->scale - (double)rules->mean[c]) / (double)rules->std[c];
        double level = (double)rules->scale / (double)rules->std[c]; /* one of 255 */
        float *element = &out[strides[0] * c + strides[1] * y + strides[2] * x];
        if (fabs ((double)*element - expected) > 0.01 * level)
          g_error ("format %d matrix %d range %d orientation %u, pixel %u,%u channel %u: %g "
                   "(expected %g)",
                   info->format, info->matrix, info->range, info->orientation, x, y, c,
                   (double)*element, expected);
        *element = untouched;
        written++;
      }
    }
  g_assert_cmpuint (written, ==, (gsize)w * h * n);
  for (gsize i = 0; i < size; i++)
    g_assert_true (out[i] == untouched);
}

static SlPreprocess
make_rules (uint32_t width, uint32_t height)
{
  SlPreprocess rules;
  sl_preprocess_init (&rules, width, height, 3);
  const float mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {0.229f, 0.224f, 0.225f};
  memcpy (rules.mean, mean, sizeof mean);
  memcpy (rules.std, std, sizeof std);
  return rules;
}

static SlColorMatrix
usual_matrix (SlPixelFormat format)
{
  return is_subsampled (format, FALSE) || format >= SL_PIXEL_UNPACKED_8 ? SL_MATRIX_BT709
                                                                        : SL_MATRIX_RGB;
}

static void
test_formats (void)
{
  /* odd sizes, so that subsampled planes are cut; reduced, enlarged, and one direction each */
  static const uint32_t sizes[][4] = {
      {37, 23, 11, 9}, {7, 5, 13, 16}, {64, 3, 10, 11},  {3, 70, 9, 6},
      {1, 1, 3, 2},    {2, 2, 1, 1},   {90, 51, 21, 12},
  };
  for (int format = 0; format < SL_PIXEL_COUNT; format++)
    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
      for (int variant = 0; variant < 4; variant++) {
        SlImageInfo info = {.format = (SlPixelFormat)format,
                            .width = sizes[i][0],
                            .height = sizes[i][1],
                            .matrix = usual_matrix ((SlPixelFormat)format),
                            .range = variant & 1 ? SL_RANGE_LIMITED : SL_RANGE_FULL,
                            .siting = (unsigned)variant};
        SlPreprocess rules = make_rules (sizes[i][2], sizes[i][3]);
        static const int paddings[] = {0, 5, -3, -64};
        check (&info, &rules, paddings[variant], variant & 1);
      }
}

static void
test_matrices (void)
{
  static const SlPixelFormat formats[] = {SL_PIXEL_I420, SL_PIXEL_YUY2, SL_PIXEL_UNPACKED_8,
                                          SL_PIXEL_UNPACKED_16};
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    for (int matrix = formats[i] >= SL_PIXEL_UNPACKED_8 ? 0 : 1; matrix < SL_MATRIX_COUNT; matrix++)
      for (int range = 0; range < 2; range++) {
        SlImageInfo info = {.format = formats[i],
                            .width = 9,
                            .height = 8,
                            .matrix = (SlColorMatrix)matrix,
                            .range = (SlColorRange)range};
        SlPreprocess rules = make_rules (6, 7);
        check (&info, &rules, 0, FALSE);
      }
}

static void
test_orientations (void)
{
  static const SlPixelFormat formats[] = {SL_PIXEL_NV12, SL_PIXEL_RGB, SL_PIXEL_UNPACKED_8};
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    for (unsigned orientation = 0; orientation <= 8; orientation++)
      for (int rule = 0; rule < SL_RESIZE_COUNT; rule++) {
        SlImageInfo info = {.format = formats[i],
                            .width = 31,
                            .height = 18,
                            .matrix = usual_matrix (formats[i]),
                            .siting = SL_SITING_COSITED_X,
                            .orientation = orientation};
        SlPreprocess rules = make_rules (10, 13);
        rules.resize = (SlResizeRule)rule;
        rules.resize_size = 14;
        check (&info, &rules, 2, TRUE);
      }
}

static void
test_rules (void)
{
  static const uint32_t frames[][2] = {{40, 30}, {30, 40}, {33, 33}, {90, 7}, {5, 80}, {1, 1}};
  static const uint32_t resize_sizes[] = {0, 9, 16, 17};
  for (gsize i = 0; i < G_N_ELEMENTS (frames); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (resize_sizes); j++)
      for (int rule = 0; rule < SL_RESIZE_COUNT; rule++) {
        SlImageInfo info = {.format = SL_PIXEL_RGB, .width = frames[i][0], .height = frames[i][1]};
        SlPreprocess rules = make_rules (14, 11);
        rules.resize = (SlResizeRule)rule;
        rules.resize_size = resize_sizes[j];
        rules.pad[0] = 114, rules.pad[1] = 7, rules.pad[2] = 255;
        rules.order = j & 1 ? SL_ORDER_BGR : SL_ORDER_RGB;
        rules.channels = j & 2 ? 1 : 3;
        check (&info, &rules, 0, i & 1);
      }
}

static void
test_crop_and_aspect (void)
{
  for (int format = 0; format < SL_PIXEL_COUNT; format++)
    for (uint32_t x = 0; x < 3; x++)
      for (unsigned orientation = 1; orientation <= 6; orientation += 5) {
        SlImageInfo info = {.format = (SlPixelFormat)format,
                            .width = 29,
                            .height = 20,
                            .matrix = usual_matrix ((SlPixelFormat)format),
                            .siting = SL_SITING_COSITED_X,
                            .crop = {x, 4 - x, 21 + x, 9 + x},
                            .orientation = orientation,
                            .par_n = 4,
                            .par_d = 3};
        SlPreprocess rules = make_rules (8, 9);
        rules.resize = SL_RESIZE_LETTERBOX;
        check (&info, &rules, 1, FALSE);
      }
}

/* Taps beyond what a thread keeps of unpacked rows. */
static void
test_large_reduction (void)
{
  static const SlPixelFormat formats[] = {SL_PIXEL_GRAY8, SL_PIXEL_UNPACKED_8,
                                          SL_PIXEL_UNPACKED_16};
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
    SlImageInfo info = {
        .format = formats[i], .width = 40, .height = 777, .matrix = usual_matrix (formats[i])};
    SlPreprocess rules = make_rules (3, 2);
    check (&info, &rules, 0, FALSE);
  }
}

/* The largest frame sides: no overflow, and a flat picture stays flat. */
static void
test_extreme_sizes (void)
{
  static const uint32_t sizes[][2] = {{SL_IMAGE_MAX_SIZE, 1}, {1, SL_IMAGE_MAX_SIZE}};
  g_autofree uint8_t *flat = g_malloc (SL_IMAGE_MAX_SIZE);
  memset (flat, 200, SL_IMAGE_MAX_SIZE);

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (int rule = 0; rule < SL_RESIZE_COUNT; rule++) {
      SlImageInfo info = {.format = SL_PIXEL_GRAY8,
                          .width = sizes[i][0],
                          .height = sizes[i][1],
                          .par_n = G_MAXINT32,
                          .par_d = 1};
      SlPreprocess rules;
      sl_preprocess_init (&rules, 8, 6, 1);
      rules.resize = (SlResizeRule)rule;
      rules.resize_size = rule == SL_RESIZE_CROP ? SL_IMAGE_MAX_SIZE : 0;
      memset (rules.pad, 200, 3);
      GError *error = NULL;
      g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&info, &rules, 1, &error);
      g_assert_no_error (error);
      SlImage image = {.planes = {flat}, .strides = {sizes[i][0]}};
      float out[48];
      g_assert_true (sl_image_sample (sampler, &image, out, (ptrdiff_t[]){48, 8, 1}));
      for (gsize k = 0; k < 48; k++)
        g_assert_cmpfloat_with_epsilon (out[k], 200.0f / 255, 1e-4f);
    }
}

static void
test_threads (void)
{
  SlImageInfo info = {
      .format = SL_PIXEL_NV12, .width = 301, .height = 203, .matrix = SL_MATRIX_BT601};
  SlPreprocess rules = make_rules (64, 61);
  g_autoptr (Frame) frame = frame_new (&info, 0);
  float *results[2];
  const ptrdiff_t strides[3] = {64 * 61, 64, 1};

  g_assert_cmpuint (sl_pool_get_threads (), >, 1);
  for (unsigned i = 0; i < 2; i++) {
    g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&info, &rules, i, NULL);
    results[i] = g_new (float, 3 * 64 * 61);
    for (int repeat = 0; repeat < 50; repeat++)
      g_assert_true (sl_image_sample (sampler, &frame->image, results[i], strides));
  }
  g_assert_cmpmem (results[0], 3 * 64 * 61 * sizeof (float), results[1],
                   3 * 64 * 61 * sizeof (float));
  g_free (results[0]);
  g_free (results[1]);
}

static void
test_unpack_fails (void)
{
  SlImageInfo info = {.format = SL_PIXEL_UNPACKED_8, .width = 20, .height = 20};
  SlPreprocess rules = make_rules (8, 8);
  g_autoptr (Frame) frame = frame_new (&info, 0);
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&info, &rules, 0, NULL);
  float out[3 * 8 * 8];
  const ptrdiff_t strides[3] = {64, 8, 1};

  frame->unpack_limit = 15;
  g_assert_false (sl_image_sample (sampler, &frame->image, out, strides));
  frame->unpack_limit = 20;
  g_assert_true (sl_image_sample (sampler, &frame->image, out, strides));
}

static void
expect_error (const SlImageInfo *info, int code)
{
  SlPreprocess rules = make_rules (8, 8);
  GError *error = NULL;
  g_assert_null (sl_image_sampler_new (info, &rules, 1, &error));
  g_assert_error (error, SL_ERROR, code);
  g_clear_error (&error);
}

static void
test_bad_frames (void)
{
  const SlImageInfo good = {
      .format = SL_PIXEL_I420, .width = 16, .height = 16, .matrix = SL_MATRIX_BT601};
#define EXPECT(code, ...)       \
  {                             \
    SlImageInfo info = good;    \
    __VA_ARGS__;                \
    expect_error (&info, code); \
  }
  EXPECT (SL_ERROR_LIMIT, info.width = 0);
  EXPECT (SL_ERROR_LIMIT, info.height = SL_IMAGE_MAX_SIZE + 1);
  EXPECT (SL_ERROR_UNSUPPORTED, info.format = SL_PIXEL_COUNT);
  EXPECT (SL_ERROR_UNSUPPORTED, info.matrix = SL_MATRIX_RGB);
  EXPECT (SL_ERROR_UNSUPPORTED, info.matrix = SL_MATRIX_COUNT);
  EXPECT (SL_ERROR_UNSUPPORTED, info.orientation = 9);
  EXPECT (SL_ERROR_UNSUPPORTED, info.par_n = G_MAXUINT32; info.par_d = 1);
  EXPECT (SL_ERROR_UNSUPPORTED, info.crop.width = 4); /* and no height */
  EXPECT (SL_ERROR_UNSUPPORTED, info.crop.x = 13; info.crop.width = 4; info.crop.height = 4);
  EXPECT (SL_ERROR_UNSUPPORTED, info.crop.y = G_MAXUINT32; info.crop.width = 4;
          info.crop.height = 4);
}

/* Red and green say where a pixel of the frame is: what is sampled there has to be what the
 * placement says. */
static void
check_placement (const SlImageInfo *info, const SlPreprocess *rules)
{
  g_autoptr (Frame) frame = frame_new (info, 0);
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (info, rules, 0, NULL);
  guint8 *pixels = (guint8 *)frame->image.planes[0];
  g_autofree float *out = g_new (float, rules->width * rules->height * 3);
  const ptrdiff_t strides[3] = {(ptrdiff_t)(rules->width * rules->height), rules->width, 1};
  double m[6];
  guint inside = 0;

  for (guint y = 0; y < info->height; y++)
    for (guint x = 0; x < info->width; x++) {
      guint8 *pixel = pixels + frame->image.strides[0] * y + 3 * x;
      pixel[0] = (guint8)(4 * x);
      pixel[1] = (guint8)(4 * y);
      pixel[2] = 0;
    }
  g_assert_true (sl_image_sample (sampler, &frame->image, out, strides));
  sl_image_sampler_get_placement (sampler, m);
  for (guint j = 0; j < rules->height; j++)
    for (guint i = 0; i < rules->width; i++) {
      double u = (i + 0.5) / rules->width, v = (j + 0.5) / rules->height;
      double x = m[0] * u + m[1] * v + m[2], y = m[3] * u + m[4] * v + m[5];
      const float *sampled = out + strides[1] * j + i;
      /* Towards the picture's edges the filter is cut off. */
      double margin = 6;

      if (x < info->crop.x + margin || x > info->crop.x + info->crop.width - margin ||
          y < info->crop.y + margin || y > info->crop.y + info->crop.height - margin)
        continue;
      inside++;
      /* A triangle's samples give a ramp back to within this. */
      g_assert_cmpfloat_with_epsilon ((double)sampled[0] / 4 + 0.5, x, 0.15);
      g_assert_cmpfloat_with_epsilon ((double)sampled[strides[0]] / 4 + 0.5, y, 0.15);
    }
  g_assert_cmpuint (inside, >, 50);
}

static void
test_placement (void)
{
  SlImageInfo info = {.format = SL_PIXEL_RGB, .width = 60, .height = 47, .crop = {3, 5, 54, 40}};

  for (info.orientation = 1; info.orientation <= 8; info.orientation++)
    for (unsigned resize = 0; resize < SL_RESIZE_COUNT; resize++) {
      SlPreprocess rules;
      sl_preprocess_init (&rules, 33, 20, 3);
      rules.scale = 1;
      rules.resize = (SlResizeRule)resize;
      rules.resize_size = resize == SL_RESIZE_CROP && info.orientation % 2 ? 27 : 0;
      check_placement (&info, &rules);
    }
}

int
main (int argc, char **argv)
{
  g_setenv ("SIGHTLINE_THREADS", "4", FALSE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image/sampler/formats", test_formats);
  g_test_add_func ("/image/sampler/matrices", test_matrices);
  g_test_add_func ("/image/sampler/orientations", test_orientations);
  g_test_add_func ("/image/sampler/rules", test_rules);
  g_test_add_func ("/image/sampler/crop-and-aspect", test_crop_and_aspect);
  g_test_add_func ("/image/sampler/large-reduction", test_large_reduction);
  g_test_add_func ("/image/sampler/extreme-sizes", test_extreme_sizes);
  g_test_add_func ("/image/sampler/threads", test_threads);
  g_test_add_func ("/image/sampler/unpack-fails", test_unpack_fails);
  g_test_add_func ("/image/sampler/bad-frames", test_bad_frames);
  g_test_add_func ("/image/sampler/placement", test_placement);
  return g_test_run ();
}
