/* Frames of every raw format as the engine samples them, against GStreamer's own converter. */
#include "frame.h"

#include <sightline-gst/classifier.h>

#include <gst/gst.h>
#include <string.h>

/* A smooth picture, so that how chroma is interpolated hardly matters. */
static GstBuffer *
make_picture (const GstVideoInfo *rgb)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (rgb), NULL);
  gint width = GST_VIDEO_INFO_WIDTH (rgb), height = GST_VIDEO_INFO_HEIGHT (rgb);
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, rgb, buffer, GST_MAP_WRITE));
  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width; x++) {
      guint8 *pixel = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) +
                      y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + 3 * x;

      pixel[0] = 60 + 2 * x;
      pixel[1] = 70 + 2 * y;
      pixel[2] = 180 - x - y;
    }
  gst_video_frame_unmap (&frame);
  return buffer;
}

static GstBuffer *
convert (GstBuffer *buffer, const GstVideoInfo *from, const GstVideoInfo *to)
{
  GstVideoConverter *converter = gst_video_converter_new (
      from, to,
      gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
                         GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL));
  GstBuffer *result = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (to), NULL);
  GstVideoFrame in, out;

  g_assert_nonnull (converter);
  gst_buffer_memset (result, 0, 0, -1);
  g_assert_true (gst_video_frame_map (&in, from, buffer, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&out, to, result, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &in, &out);
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
  gst_video_converter_free (converter);
  return result;
}

/* Samples at the frame's own size: dense RGB, 0 … 255. */
static gfloat *
sample (GstBuffer *buffer, const GstVideoInfo *info)
{
  gint width = GST_VIDEO_INFO_WIDTH (info), height = GST_VIDEO_INFO_HEIGHT (info);
  const ptrdiff_t strides[] = {1, 3 * width, 3};
  gfloat *result = g_new0 (gfloat, 3 * width * height);
  g_autoptr (SlImageSampler) sampler = NULL;
  g_autoptr (GError) error = NULL;
  SlPreprocess rules;
  SlImageInfo image_info;
  GstVideoFrame frame;
  SlImage image;

  sl_preprocess_init (&rules, width, height, 3);
  rules.scale = 1;
  sl_image_info_from_video (info, &image_info);
  sampler = sl_image_sampler_new (&image_info, &rules, 1, &error);
  g_assert_no_error (error);
  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));
  g_assert_true (sl_image_from_frame (&frame, &image, &error));
  g_assert_no_error (error);
  g_assert_true (sl_image_sample (sampler, &image, result, strides));
  gst_video_frame_unmap (&frame);
  return result;
}

/* What may differ: bits that the format lacks, and chroma that we take from the nearest sample, or
 * interpolate, where GStreamer does the other. */
static gfloat
get_tolerance (const GstVideoInfo *info)
{
  gint depth = 8;
  guint sub = 0;

  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS (info); i++) {
    depth = MIN (depth, (gint)GST_VIDEO_INFO_COMP_DEPTH (info, i));
    sub = MAX (sub, GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, i));
  }
  return 3 + 3 * sub + (depth < 8 ? 255.0f / ((1 << depth) - 1) : 0);
}

/* Columns at the right that are not compared: with odd widths, 1.22 packs the last chroma sample of
 * some formats wrong, and its own interpolation spreads that. */
static gint
get_spoilt (const GstVideoInfo *info)
{
  switch (GST_VIDEO_INFO_FORMAT (info)) {
  case GST_VIDEO_FORMAT_NV61:
  case GST_VIDEO_FORMAT_NV12_10LE32:
  case GST_VIDEO_FORMAT_NV16_10LE32:
    return GST_VIDEO_INFO_WIDTH (info) % 2 ? 3 : 0;
  default:
    return 0;
  }
}

static void
check_format (GstVideoFormat format, gint width, gint height, const gchar *colorimetry)
{
  GstVideoInfo rgb, deep, info;
  g_autoptr (GstBuffer) picture = NULL, frame = NULL, back = NULL;
  g_autofree gfloat *sampled = NULL;
  GstVideoFrame reference;
  gfloat worst = 0;

  gst_video_info_set_format (&rgb, GST_VIDEO_FORMAT_RGB, width, height);
  gst_video_info_set_format (&deep, GST_VIDEO_FORMAT_ARGB64, width, height);
  gst_video_info_set_format (&info, format, width, height);
  if (colorimetry && GST_VIDEO_INFO_IS_YUV (&info))
    g_assert_true (gst_video_colorimetry_from_string (&info.colorimetry, colorimetry));
  picture = make_picture (&rgb);
  frame = convert (picture, &rgb, &info);
  /* Its way from 8 to 8 bits is off by up to 5, that to 16 bits is not. */
  back = convert (frame, &info, &deep);
  sampled = sample (frame, &info);

  g_assert_true (gst_video_frame_map (&reference, &deep, back, GST_MAP_READ));
  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width - get_spoilt (&info); x++) {
      const guint16 *pixel = (guint16 *)GST_VIDEO_FRAME_PLANE_DATA (&reference, 0) +
                             y * GST_VIDEO_FRAME_PLANE_STRIDE (&reference, 0) / 2 + 4 * x;

      for (gint c = 0; c < 3; c++)
        worst = MAX (worst, ABS (sampled[(y * width + x) * 3 + c] - pixel[1 + c] / 257.0f));
    }
  gst_video_frame_unmap (&reference);
  if (worst > get_tolerance (&info))
    g_test_message ("%s %dx%d %s: off by %.1f", gst_video_format_to_string (format), width, height,
                    colorimetry ? colorimetry : "", worst);
  g_assert_cmpfloat (worst, <=, get_tolerance (&info));
}

static void
test_formats (void)
{
  static const gint sizes[][2] = {{48, 32}, {33, 19}, {7, 3}, {1, 1}};
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);

  for (guint i = 0; i < n_formats; i++) {
    const GstVideoFormatInfo *finfo = gst_video_format_get_info (formats[i]);

    /* Formats with a palette, and some that are read only, cannot be written here. MT2110R and
     * MT2110T (GStreamer 1.24; from hardware only) come back wrong where tiles are not full; whose
     * fault that is has not been found out. */
    if (!finfo->pack_func || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo) ||
        g_str_has_prefix (gst_video_format_to_string (formats[i]), "MT2110"))
      continue;
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++)
      check_format (formats[i], sizes[j][0], sizes[j][1], NULL);
  }
}

static void
test_colorimetry (void)
{
  static const gchar *names[] = {"bt601", "bt709", "smpte240m", "bt2020", "1:4:0:0", "1:3:0:0"};
  static const GstVideoFormat formats[] = {GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_NV12,
                                           GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_AYUV,
                                           GST_VIDEO_FORMAT_Y444, GST_VIDEO_FORMAT_I420_10LE};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    for (guint j = 0; j < G_N_ELEMENTS (formats); j++)
      check_format (formats[j], 48, 32, names[i]);
}

/* The plane of GstVideoMeta counts, not what the caps would give. */
static void
test_video_meta (void)
{
  const gint width = 20, height = 10, stride = 128;
  const gsize start = 256;
  gsize offsets[GST_VIDEO_MAX_PLANES] = {start};
  gint strides[GST_VIDEO_MAX_PLANES] = {stride};
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, start + stride * height, NULL);
  g_autofree gfloat *sampled = NULL;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, width, height);
  gst_buffer_memset (buffer, 0, 255, -1);
  for (gint y = 0; y < height; y++)
    gst_buffer_memset (buffer, start + y * stride, 100, width);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, width,
                                  height, 1, offsets, strides);
  sampled = sample (buffer, &info);
  for (gint i = 0; i < 3 * width * height; i++)
    g_assert_cmpfloat (ABS (sampled[i] - 100), <, 0.01f);
}

static void
test_meta_beyond_memory (void)
{
  const gint width = 20, height = 10;
  gsize offsets[GST_VIDEO_MAX_PLANES] = {0};
  gint strides[GST_VIDEO_MAX_PLANES] = {4096};
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 4096, NULL);
  g_autoptr (GError) error = NULL;
  GstVideoInfo info;
  GstVideoFrame frame;
  SlImage image;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, width, height);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, width,
                                  height, 1, offsets, strides);
  if (!gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ)) {
    g_test_skip ("this GStreamer refuses to map the frame itself");
    return;
  }
  g_assert_false (sl_image_from_frame (&frame, &image, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
  gst_video_frame_unmap (&frame);
}

static void
test_crop (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
  g_autoptr (GstBuffer) plain = gst_buffer_new ();
  SlImageInfo info = {.width = 64, .height = 70};

  crop->x = 3;
  crop->y = 4;
  crop->width = 50;
  crop->height = 60;
  sl_image_info_set_crop (&info, buffer, 50, 60);
  g_assert_cmpuint (info.crop.x, ==, 3);
  g_assert_cmpuint (info.crop.height, ==, 60);
  sl_image_info_set_crop (&info, plain, 64, 70);
  g_assert_cmpuint (info.crop.width, ==, 0);
  sl_image_info_set_crop (&info, plain, 64, 60); /* padded rows below the picture */
  g_assert_cmpuint (info.crop.width, ==, 64);
  g_assert_cmpuint (info.crop.height, ==, 60);
}

static void
test_info (void)
{
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("video/x-raw,format=NV12,width=720,height=576,pixel-aspect-ratio=16/15,"
                            "colorimetry=bt709,chroma-site=mpeg2,framerate=25/1");
  GstVideoInfo info;
  SlImageInfo image;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  sl_image_info_from_video (&info, &image);
  g_assert_cmpint (image.format, ==, SL_PIXEL_NV12);
  g_assert_cmpuint (image.width, ==, 720);
  g_assert_cmpuint (image.height, ==, 576);
  g_assert_cmpint (image.matrix, ==, SL_MATRIX_BT709);
  g_assert_cmpint (image.range, ==, SL_RANGE_LIMITED);
  g_assert_cmpuint (image.siting, ==, SL_SITING_COSITED_X);
  g_assert_cmpuint (image.par_n, ==, 16);
  g_assert_cmpuint (image.par_d, ==, 15);
}

/* GStreamer alone reads full range without a matrix as limited range. */
static void
test_range_without_matrix (void)
{
  const struct {
    const gchar *colorimetry;
    GstVideoColorRange range;
  } cases[] = {{"1:0:0:0", GST_VIDEO_COLOR_RANGE_0_255},
               {"2:0:0:0", GST_VIDEO_COLOR_RANGE_16_235},
               {"1:4:0:0", GST_VIDEO_COLOR_RANGE_0_255},
               {"bt709", GST_VIDEO_COLOR_RANGE_16_235}};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GstCaps) caps = gst_caps_new_simple (
        "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, 64, "height",
        G_TYPE_INT, 48, "framerate", GST_TYPE_FRACTION, 25, 1, "colorimetry", G_TYPE_STRING,
        cases[i].colorimetry, "chroma-site", G_TYPE_STRING, "mpeg2", NULL);
    GstVideoInfo info;

    g_assert_true (sl_video_info_from_caps (&info, caps));
    g_assert_cmpint (info.colorimetry.range, ==, cases[i].range);
    g_assert_cmpint (info.chroma_site, ==, GST_VIDEO_CHROMA_SITE_MPEG2);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/frame/info", test_info);
  g_test_add_func ("/frame/formats", test_formats);
  g_test_add_func ("/frame/colorimetry", test_colorimetry);
  g_test_add_func ("/frame/range-without-matrix", test_range_without_matrix);
  g_test_add_func ("/frame/video-meta", test_video_meta);
  g_test_add_func ("/frame/meta-beyond-memory", test_meta_beyond_memory);
  g_test_add_func ("/frame/crop", test_crop);
  return g_test_run ();
}
