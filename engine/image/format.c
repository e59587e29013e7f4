#include "image/format.h"

#define PLANAR(u, v)                                                                      \
  {                                                                                       \
    .family = SL_FAMILY_YUV, .n_planes = 3, .n_components = 3, .bits = 8, .components = { \
      {0, 0, 1, 0, 0},                                                                    \
      {u, 0, 1, 1, 1},                                                                    \
      {v, 0, 1, 1, 1}                                                                     \
    }                                                                                     \
  }
#define SEMIPLANAR(u, v)                                                                  \
  {                                                                                       \
    .family = SL_FAMILY_YUV, .n_planes = 2, .n_components = 3, .bits = 8, .components = { \
      {0, 0, 1, 0, 0},                                                                    \
      {1, u, 2, 1, 1},                                                                    \
      {1, v, 2, 1, 1}                                                                     \
    }                                                                                     \
  }
#define PACKED_422(y, u, v)                                                               \
  {                                                                                       \
    .family = SL_FAMILY_YUV, .n_planes = 1, .n_components = 3, .bits = 8, .components = { \
      {0, y, 2, 0, 0},                                                                    \
      {0, u, 4, 1, 0},                                                                    \
      {0, v, 4, 1, 0}                                                                     \
    }                                                                                     \
  }
#define PACKED_RGB(step, r, g, b)                                                         \
  {                                                                                       \
    .family = SL_FAMILY_RGB, .n_planes = 1, .n_components = 3, .bits = 8, .components = { \
      {0, r, step, 0, 0},                                                                 \
      {0, g, step, 0, 0},                                                                 \
      {0, b, step, 0, 0}                                                                  \
    }                                                                                     \
  }
#define UNPACKED(bit_count)                                                       \
  {                                                                               \
    .family = SL_FAMILY_ANY, .n_planes = 1, .n_components = 3, .bits = bit_count, \
    .unpacked = true, .components = {                                             \
      {0, 1, 4, 0, 0},                                                            \
      {0, 2, 4, 0, 0},                                                            \
      {0, 3, 4, 0, 0}                                                             \
    }                                                                             \
  }

static const SlFormatLayout layouts[SL_PIXEL_COUNT] = {
    [SL_PIXEL_I420] = PLANAR (1, 2),
    [SL_PIXEL_YV12] = PLANAR (2, 1),
    [SL_PIXEL_NV12] = SEMIPLANAR (0, 1),
    [SL_PIXEL_NV21] = SEMIPLANAR (1, 0),
    [SL_PIXEL_YUY2] = PACKED_422 (0, 1, 3),
    [SL_PIXEL_UYVY] = PACKED_422 (1, 0, 2),
    [SL_PIXEL_RGB] = PACKED_RGB (3, 0, 1, 2),
    [SL_PIXEL_BGR] = PACKED_RGB (3, 2, 1, 0),
    [SL_PIXEL_RGBX] = PACKED_RGB (4, 0, 1, 2),
    [SL_PIXEL_BGRX] = PACKED_RGB (4, 2, 1, 0),
    [SL_PIXEL_XRGB] = PACKED_RGB (4, 1, 2, 3),
    [SL_PIXEL_XBGR] = PACKED_RGB (4, 3, 2, 1),
    [SL_PIXEL_GRAY8] = {.family = SL_FAMILY_GRAY,
                        .n_planes = 1,
                        .n_components = 1,
                        .bits = 8,
                        .components = {{0, 0, 1, 0, 0}}},
    [SL_PIXEL_UNPACKED_8] = UNPACKED (8),
    [SL_PIXEL_UNPACKED_16] = UNPACKED (16),
};

const SlFormatLayout *
sl_format_layout (SlPixelFormat format)
{
  return &layouts[format];
}

/* Weights of red and blue in luma (ITU-T H.273, table 4). */
static const struct {
  double red, blue;
} luma_weights[SL_MATRIX_COUNT] = {
    [SL_MATRIX_BT601] = {0.299, 0.114},     [SL_MATRIX_BT709] = {0.2126, 0.0722},
    [SL_MATRIX_BT2020] = {0.2627, 0.0593},  [SL_MATRIX_FCC] = {0.30, 0.11},
    [SL_MATRIX_SMPTE240M] = {0.212, 0.087},
};

/* Y, Cb, Cr with Y in 0 … 1 and chroma in -0.5 … 0.5 to R, G, B in 0 … 1. */
static void
fill_yuv_matrix (SlColorMatrix matrix, double ret[3][3])
{
  double red = luma_weights[matrix].red, blue = luma_weights[matrix].blue;
  double green = 1 - red - blue;
  double red_from_cr = 2 * (1 - red), blue_from_cb = 2 * (1 - blue);
  const double filled[3][3] = {
      {1, 0, red_from_cr},
      {1, -blue_from_cb * blue / green, -red_from_cr * red / green},
      {1, blue_from_cb, 0},
  };
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      ret[i][j] = filled[i][j];
}

static bool
is_yuv (const SlFormatLayout *layout, SlColorMatrix matrix)
{
  return layout->family == SL_FAMILY_YUV ||
         (layout->family == SL_FAMILY_ANY && matrix != SL_MATRIX_RGB);
}

/* component in 0 … 255 = (sample - zero) * gain */
static void
find_scale (const SlFormatLayout *layout, bool yuv, SlColorRange range, double ret_gain[3],
            double ret_zero[3])
{
  double unit = layout->bits == 8 ? 1 : range == SL_RANGE_LIMITED ? 256 : 65535.0 / 255;
  for (int j = 0; j < 3; j++) {
    bool chroma = yuv && j > 0;
    double limited_span = chroma ? 224 : 219;
    ret_gain[j] = (range == SL_RANGE_LIMITED ? 255 / limited_span : 1) / unit;
    ret_zero[j] = chroma                      ? (layout->bits == 8 ? 128 : 32768)
                  : range == SL_RANGE_LIMITED ? 16 * unit
                                              : 0;
  }
}

SlColorTransform
sl_color_transform (const SlFormatLayout *layout, SlColorMatrix matrix, SlColorRange range)
{
  bool yuv = is_yuv (layout, matrix);
  double m[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  if (yuv)
    fill_yuv_matrix (matrix, m);
  else if (layout->family == SL_FAMILY_GRAY)
    m[1][0] = m[2][0] = 1, m[1][1] = m[2][2] = 0;

  double gain[3], zero[3];
  find_scale (layout, yuv, range, gain, zero);

  SlColorTransform transform;
  for (int i = 0; i < 3; i++) {
    double offset = 0;
    for (int j = 0; j < 3; j++) {
      transform.matrix[i][j] = (float)(m[i][j] * gain[j]);
      offset -= m[i][j] * gain[j] * zero[j];
    }
    transform.offset[i] = (float)offset;
  }
  return transform;
}

void
sl_color_to_samples (const SlFormatLayout *layout, SlColorMatrix matrix, SlColorRange range,
                     const double rgb[3], double ret[3])
{
  bool yuv = is_yuv (layout, matrix), gray = layout->family == SL_FAMILY_GRAY;
  double gain[3], zero[3];
  for (int j = 0; j < 3; j++)
    ret[j] = rgb[j];
  if (yuv || gray) {
    SlColorMatrix weights = matrix == SL_MATRIX_RGB ? SL_MATRIX_BT601 : matrix;
    double red = luma_weights[weights].red, blue = luma_weights[weights].blue;
    double luma = red * rgb[0] + (1 - red - blue) * rgb[1] + blue * rgb[2];
    ret[0] = luma;
    ret[1] = gray ? luma : (rgb[2] - luma) / (2 * (1 - blue));
    ret[2] = gray ? luma : (rgb[0] - luma) / (2 * (1 - red));
  }
  find_scale (layout, yuv, range, gain, zero);
  for (int j = 0; j < 3; j++)
    ret[j] = ret[j] * 255 / gain[j] + zero[j];
}
