/* Every pixel format, matrix, range, orientation and rule against a direct double-precision sum. */
#include "core/pool.h"

#include <sightline/image.h>

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* A frame of random samples: tightly packed planes of 16-bit values, which the reference reads, and
 * the same in the memory form of the format. */
typedef struct Frame {
  SlImageInfo info;
  uint32_t width[3], height[3]; /* of each component's grid */
  uint16_t *samples[3];         /* R, G, B or Y, Cb, Cr */
  SlImage image;
  uint8_t *memory[4];
  uint32_t bytes_per_row[4], rows[4];
  guint unpack_limit; /* rows from here on fail */
} Frame;

static gboolean
is_subsampled (SlPixelFormat format, gboolean vertical)
{
  switch (format) {
  case SL_PIXEL_I420:
  case SL_PIXEL_YV12:
  case SL_PIXEL_NV12:
  case SL_PIXEL_NV21:
    return TRUE;
  case SL_PIXEL_YUY2:
  case SL_PIXEL_UYVY:
    return !vertical;
  default:
    return FALSE;
  }
}

static gboolean
is_yuv (const SlImageInfo *info)
{
  return is_subsampled (info->format, FALSE) ||
         (info->format >= SL_PIXEL_UNPACKED_8 && info->matrix != SL_MATRIX_RGB);
}

static gboolean
unpack (void *data, uint32_t row, void *ret)
{
  const Frame *frame = data;
  g_assert_cmpuint (row, <, frame->info.height);
  if (row >= frame->unpack_limit)
    return FALSE;
  for (uint32_t i = 0; i < frame->info.width * 4; i++) {
    size_t x = (size_t)row * frame->info.width + i / 4;
    uint16_t value = i % 4 ? frame->samples[i % 4 - 1][x] : 0x5a;
    if (frame->info.format == SL_PIXEL_UNPACKED_8)
      ((uint8_t *)ret)[i] = (uint8_t)value;
    else
      ((uint16_t *)ret)[i] = value;
  }
  return TRUE;
}

/* A plane whose rows are `padding` bytes apart, filled with junk between; upside down if that is <
 * 0. */
static void
add_plane (Frame *frame, unsigned plane, uint32_t bytes, uint32_t rows, int padding)
{
  size_t stride = bytes + (size_t)ABS (padding);
  frame->bytes_per_row[plane] = bytes;
  frame->rows[plane] = rows;
  /* Exactly as much as the contract says: reading beyond it is seen by the address sanitizer. */
  frame->memory[plane] = g_malloc (stride * (rows - 1) + bytes);
  memset (frame->memory[plane], 0xee, stride * (rows - 1) + bytes);
  frame->image.planes[plane] = frame->memory[plane] + (padding < 0 ? stride * (rows - 1) : 0);
  frame->image.strides[plane] = padding < 0 ? -(ptrdiff_t)stride : (ptrdiff_t)stride;
}

static void
put (Frame *frame, unsigned plane, uint32_t step, uint32_t offset, unsigned component)
{
  for (uint32_t y = 0; y < frame->height[component]; y++)
    for (uint32_t x = 0; x < frame->width[component]; x++)
      ((uint8_t *)frame->image
           .planes[plane])[frame->image.strides[plane] * (ptrdiff_t)y + step * x + offset] =
          (uint8_t)frame->samples[component][y * frame->width[component] + x];
}

static void
put_planar (Frame *frame, int padding, unsigned u, unsigned v)
{
  add_plane (frame, 0, frame->width[0], frame->height[0], padding);
  add_plane (frame, u, frame->width[1], frame->height[1], padding);
  add_plane (frame, v, frame->width[1], frame->height[1], padding);
  put (frame, 0, 1, 0, 0);
  put (frame, u, 1, 0, 1);
  put (frame, v, 1, 0, 2);
}

static void
put_semiplanar (Frame *frame, int padding, uint32_t u, uint32_t v)
{
  add_plane (frame, 0, frame->width[0], frame->height[0], padding);
  add_plane (frame, 1, frame->width[1] * 2, frame->height[1], padding);
  put (frame, 0, 1, 0, 0);
  put (frame, 1, 2, u, 1);
  put (frame, 1, 2, v, 2);
}

static void
put_422 (Frame *frame, int padding, uint32_t y, uint32_t u, uint32_t v)
{
  add_plane (frame, 0, frame->width[1] * 4, frame->height[0], padding);
  put (frame, 0, 2, y, 0);
  put (frame, 0, 4, u, 1);
  put (frame, 0, 4, v, 2);
}

static void
put_rgb (Frame *frame, int padding, uint32_t step, uint32_t r, uint32_t g, uint32_t b)
{
  add_plane (frame, 0, frame->width[0] * step, frame->height[0], padding);
  put (frame, 0, step, r, 0);
  put (frame, 0, step, g, 1);
  put (frame, 0, step, b, 2);
}

static Frame *
frame_new (const SlImageInfo *info, int padding)
{
  Frame *frame = g_new0 (Frame, 1);
  frame->info = *info;
  frame->unpack_limit = G_MAXUINT;
  for (unsigned c = 0; c < 3; c++) {
    frame->width[c] =
        c && is_subsampled (info->format, FALSE) ? (info->width + 1) / 2 : info->width;
    frame->height[c] =
        c && is_subsampled (info->format, TRUE) ? (info->height + 1) / 2 : info->height;
    gsize n = (gsize)frame->width[c] * frame->height[c];
    frame->samples[c] = g_new (uint16_t, n);
    for (gsize i = 0; i < n; i++)
      frame->samples[c][i] =
          (uint16_t)g_test_rand_int_range (0, info->format == SL_PIXEL_UNPACKED_16 ? 65536 : 256);
  }

  switch (info->format) {
  case SL_PIXEL_I420:
    put_planar (frame, padding, 1, 2);
    break;
  case SL_PIXEL_YV12:
    put_planar (frame, padding, 2, 1);
    break;
  case SL_PIXEL_NV12:
    put_semiplanar (frame, padding, 0, 1);
    break;
  case SL_PIXEL_NV21:
    put_semiplanar (frame, padding, 1, 0);
    break;
  case SL_PIXEL_YUY2:
    put_422 (frame, padding, 0, 1, 3);
    break;
  case SL_PIXEL_UYVY:
    put_422 (frame, padding, 1, 0, 2);
    break;
  case SL_PIXEL_RGB:
    put_rgb (frame, padding, 3, 0, 1, 2);
    break;
  case SL_PIXEL_BGR:
    put_rgb (frame, padding, 3, 2, 1, 0);
    break;
  case SL_PIXEL_RGBX:
    put_rgb (frame, padding, 4, 0, 1, 2);
    break;
  case SL_PIXEL_BGRX:
    put_rgb (frame, padding, 4, 2, 1, 0);
    break;
  case SL_PIXEL_XRGB:
    put_rgb (frame, padding, 4, 1, 2, 3);
    break;
  case SL_PIXEL_XBGR:
    put_rgb (frame, padding, 4, 3, 2, 1);
    break;
  case SL_PIXEL_GRAY8:
    add_plane (frame, 0, info->width, info->height, padding);
    put (frame, 0, 1, 0, 0);
    break;
  default:
    frame->image.unpack = unpack;
    frame->image.unpack_data = frame;
  }
  return frame;
}

static void
frame_free (Frame *frame)
{
  for (unsigned i = 0; i < 3; i++)
    g_free (frame->samples[i]);
  for (unsigned i = 0; i < 4; i++)
    g_free (frame->memory[i]);
  g_free (frame);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Frame, frame_free)

/* The triangle-weighted mean of one component around a place of the frame, in frame pixels. */
static double
reference_component (const Frame *frame, unsigned c, double x, double y, double scale_x,
                     double scale_y)
{
  const SlImageInfo *info = &frame->info;
  double sub_x = c && is_subsampled (info->format, FALSE) ? 2 : 1;
  double sub_y = c && is_subsampled (info->format, TRUE) ? 2 : 1;
  uint32_t crop_width = info->crop.width ? info->crop.width : info->width;
  uint32_t crop_height = info->crop.width ? info->crop.height : info->height;

  x = x / sub_x + (sub_x > 1 && info->siting & SL_SITING_COSITED_X ? 0.25 : 0);
  y = y / sub_y + (sub_y > 1 && info->siting & SL_SITING_COSITED_Y ? 0.25 : 0);
  double wide = fmax (scale_x / sub_x, 1), high = fmax (scale_y / sub_y, 1);

  double sum = 0, weights = 0;
  for (uint32_t j = (uint32_t)floor (info->crop.y / sub_y);
       j < (uint32_t)ceil ((info->crop.y + crop_height) / sub_y); j++) {
    double weight_y = fmax (0, 1 - fabs (j + 0.5 - y) / high);
    for (uint32_t i = (uint32_t)floor (info->crop.x / sub_x);
         i < (uint32_t)ceil ((info->crop.x + crop_width) / sub_x); i++) {
      double weight = weight_y * fmax (0, 1 - fabs (i + 0.5 - x) / wide);
      sum += weight * frame->samples[c][j * frame->width[c] + i];
      weights += weight;
    }
  }
  return sum / weights;
}

/* Components to R, G, B in 0 … 255 by the textbook formulas. */
static void
reference_color (const SlImageInfo *info, const double in[3], double ret[3])
{
  gboolean wide = info->format == SL_PIXEL_UNPACKED_16, limited = info->range == SL_RANGE_LIMITED;
  double v[3];
  for (int c = 0; c < 3; c++) {
    gboolean chroma = is_yuv (info) && c > 0;
    double eight = limited ? in[c] / (wide ? 256 : 1) : in[c] / (wide ? 257 : 1);
    if (chroma)
      v[c] = limited ? (eight - 128) / 224 : (wide ? (in[c] - 32768) / 65535 : (in[c] - 128) / 255);
    else
      v[c] = limited ? (eight - 16) / 219 : eight / 255;
  }

  static const double kr[] = {0, 0.299, 0.2126, 0.2627, 0.30, 0.212};
  static const double kb[] = {0, 0.114, 0.0722, 0.0593, 0.11, 0.087};
  double r = v[0], g = v[1], b = v[2];
  if (is_yuv (info)) {
    double red = kr[info->matrix], blue = kb[info->matrix];
    r = v[0] + 2 * (1 - red) * v[2];
    b = v[0] + 2 * (1 - blue) * v[1];
    g = (v[0] - red * r - blue * b) / (1 - red - blue);
  } else if (info->format == SL_PIXEL_GRAY8) {
    g = b = r;
  }
  const double rgb[3] = {r, g, b};
  for (int c = 0; c < 3; c++)
    ret[c] = fmin (fmax (rgb[c] * 255, 0), 255);
}

/* Where the picture of w x h lies: scaled size, first scaled pixel shown, first output pixel. */
static void
reference_placement (const SlPreprocess *rules, double w, double h, double scaled[2],
                     double skip[2], double start[2])
{
  const double out[2] = {rules->width, rules->height};
  double size = rules->resize_size;
  scaled[0] = out[0];
  scaled[1] = out[1];
  if (rules->resize == SL_RESIZE_CROP && size) {
    scaled[0] = w <= h ? size : floor (size * w / h);
    scaled[1] = w <= h ? floor (size * h / w) : size;
  } else if (rules->resize != SL_RESIZE_STRETCH) {
    double by_width = out[0] / w, by_height = out[1] / h;
    double factor =
        rules->resize == SL_RESIZE_CROP ? fmax (by_width, by_height) : fmin (by_width, by_height);
    scaled[0] = fmax (1, floor (w * factor + 0.5 + 1e-9));
    scaled[1] = fmax (1, floor (h * factor + 0.5 + 1e-9));
  }
  for (int i = 0; i < 2; i++) {
    skip[i] = scaled[i] >= out[i] ? rint ((scaled[i] - out[i]) / 2) : 0;
    start[i] = scaled[i] >= out[i] ? 0 : floor ((out[i] - scaled[i]) / 2);
  }
}

/* The value that the contract gives for pixel x, y of the input, as R, G, B. */
static void
reference_pixel (const Frame *frame, const SlPreprocess *rules, uint32_t x, uint32_t y,
                 double ret_rgb[3])
{
  const SlImageInfo *info = &frame->info;
  double w = info->crop.width ? info->crop.width : info->width;
  double h = info->crop.width ? info->crop.height : info->height;
  double par = info->par_n && info->par_d ? (double)info->par_n / info->par_d : 1;
  unsigned o = info->orientation ? info->orientation : 1;
  gboolean turned = o >= 5;
  double scaled[2], skip[2], start[2];
  reference_placement (rules, turned ? h : w * par, turned ? w * par : h, scaled, skip, start);

  if (x < start[0] || x >= start[0] + scaled[0] || y < start[1] || y >= start[1] + scaled[1]) {
    for (int c = 0; c < 3; c++)
      ret_rgb[c] = rules->pad[c];
    return;
  }
  /* the place in the viewed picture, 0 … 1, then in the frame: EXIF's table */
  double u = (x - start[0] + skip[0] + 0.5) / scaled[0];
  double v = (y - start[1] + skip[1] + 0.5) / scaled[1];
  const double places[8][2] = {{u, v}, {1 - u, v}, {1 - u, 1 - v}, {u, 1 - v},
                               {v, u}, {v, 1 - u}, {1 - v, 1 - u}, {1 - v, u}};
  double fx = info->crop.x + places[o - 1][0] * w, fy = info->crop.y + places[o - 1][1] * h;
  double components[3];
  for (unsigned c = 0; c < 3; c++)
    components[c] = reference_component (frame, c, fx, fy, w / scaled[turned], h / scaled[!turned]);
  reference_color (info, components, ret_rgb);
}

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
      {37, 23, 11, 9}, {7, 5, 13, 16}, {64, 3, 10, 11},   {3, 70, 9, 6},
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
  return g_test_run ();
}
