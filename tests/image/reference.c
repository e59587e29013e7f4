#include "reference.h"

#include <math.h>
#include <string.h>

gboolean
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

Frame *
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

void
frame_free (Frame *frame)
{
  for (unsigned i = 0; i < 3; i++)
    g_free (frame->samples[i]);
  for (unsigned i = 0; i < 4; i++)
    g_free (frame->memory[i]);
  g_free (frame);
}
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

void
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
