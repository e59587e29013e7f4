/* Heat painted into frames of every raw format: against blending in double precision of what
 * GStreamer unpacks, and byte by byte where it is cold. */
#include <sightline-gst/heat.h>

#include <math.h>
#include <string.h>

#define MAX_GRID 8

/* A frame with padded strides and a plane offset, filled at random. */
typedef struct {
  GstVideoInfo info;
  GstBuffer *buffer;
  gsize size;
} Picture;

static Picture
make_picture (GstVideoFormat format, gint width, gint height, const gchar *colorimetry,
              gboolean interlaced, GRand *rand)
{
  Picture picture;
  GstVideoAlignment align;
  GstMapInfo map;

  g_assert_true (gst_video_info_set_interlaced_format (
      &picture.info, format,
      interlaced ? GST_VIDEO_INTERLACE_MODE_INTERLEAVED : GST_VIDEO_INTERLACE_MODE_PROGRESSIVE,
      width, height));
  if (colorimetry && GST_VIDEO_INFO_IS_YUV (&picture.info))
    g_assert_true (gst_video_colorimetry_from_string (&picture.info.colorimetry, colorimetry));
  gst_video_alignment_reset (&align);
  if (!GST_VIDEO_FORMAT_INFO_IS_TILED (picture.info.finfo)) {
    align.padding_right = 32;
    align.padding_bottom = 3;
  }
  g_assert_true (gst_video_info_align (&picture.info, &align));
  picture.size = GST_VIDEO_INFO_SIZE (&picture.info);
  picture.buffer = gst_buffer_new_allocate (NULL, picture.size, NULL);
  gst_buffer_add_video_meta_full (picture.buffer, GST_VIDEO_FRAME_FLAG_NONE, format, width, height,
                                  GST_VIDEO_INFO_N_PLANES (&picture.info), picture.info.offset,
                                  picture.info.stride);
  if (interlaced)
    GST_BUFFER_FLAG_SET (picture.buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
  g_assert_true (gst_buffer_map (picture.buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = g_rand_int (rand);
  gst_buffer_unmap (picture.buffer, &map);
  return picture;
}

static SlColorRange
find_range (const GstVideoInfo *info)
{
  return info->colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235 ? SL_RANGE_LIMITED : SL_RANGE_FULL;
}

/* The fields' chroma lies in every other row; GStreamer does not look at tiles so. */
static gboolean
is_interlaced (const GstVideoFrame *frame)
{
  return GST_VIDEO_FRAME_IS_INTERLACED (frame) &&
         !GST_VIDEO_FORMAT_INFO_IS_TILED (frame->info.finfo) &&
         GST_VIDEO_FORMAT_INFO_H_SUB (frame->info.finfo, 1) == 1;
}

/* Reads all pixels, four values each, of 8 or 16 bits; and writes them back, which clears the bits
 * that a format leaves unused. */
static gdouble *
unpack (const GstVideoFrame *frame, gboolean pack)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  const GstVideoFormatInfo *unpacked = gst_video_format_get_info (finfo->unpack_format);
  gboolean deep = GST_VIDEO_FORMAT_INFO_DEPTH (unpacked, 0) > 8;
  guint width = GST_VIDEO_FRAME_WIDTH (frame), height = GST_VIDEO_FRAME_HEIGHT (frame);
  g_autofree guint8 *memory = g_malloc (width * 8 + 128);
  guint8 *row = (guint8 *)(((guintptr)memory + 63) & ~(guintptr)63);
  gdouble *ret = g_new (gdouble, width * height * 4);
  GstVideoPackFlags flags = GST_VIDEO_PACK_FLAG_NONE;

  if (find_range (&frame->info) == SL_RANGE_LIMITED)
    flags |= GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE;
  if (is_interlaced (frame))
    flags |= GST_VIDEO_PACK_FLAG_INTERLACED;
  for (guint y = 0; y < height; y++) {
    finfo->unpack_func (finfo, flags, row, (const gpointer *)frame->data, frame->info.stride, 0, y,
                        width);
    if (pack)
      finfo->pack_func (finfo, flags, row, 0, (gpointer *)frame->data, frame->info.stride,
                        frame->info.chroma_site, y, width);
    for (guint i = 0; i < width * 4; i++)
      ret[y * width * 4 + i] = deep ? ((guint16 *)row)[i] : row[i];
  }
  return ret;
}

/* --- Reference --- */

static gdouble
get_cell (const SlHeatGrid *grid, gint i, gint j)
{
  i = CLAMP (i, 0, (gint)grid->width - 1);
  j = CLAMP (j, 0, (gint)grid->height - 1);
  return grid->values[j * grid->width + i];
}

/* Of a pixel; -1 beyond the grid. */
static gdouble
find_heat (const SlHeatGrid *grid, gdouble x, gdouble y)
{
  const gdouble *m = grid->matrix;
  gdouble area = m[0] * m[4] - m[1] * m[3], px = x + 0.5 - m[2], py = y + 0.5 - m[5];
  gdouble u = (m[4] * px - m[1] * py) / area, v = (m[0] * py - m[3] * px) / area;
  gdouble a = u * grid->width - 0.5, b = v * grid->height - 0.5;
  gint i = floor (a), j = floor (b);

  if (u < 0 || u > 1 || v < 0 || v > 1)
    return -1;
  a -= i;
  b -= j;
  return (1 - b) * ((1 - a) * get_cell (grid, i, j) + a * get_cell (grid, i + 1, j)) +
         b * ((1 - a) * get_cell (grid, i, j + 1) + a * get_cell (grid, i + 1, j + 1));
}

/* Colour of heat as the format unpacks it, without alpha. */
static void
find_color (const GstVideoInfo *info, gboolean deep, SlColormap map, gdouble heat, gdouble ret[3])
{
  static guint8 table[SL_COLORMAP_SIZE][3];
  static SlColormap last = SL_COLORMAP_COUNT;
  gdouble rgb[3], position = heat * 255, full = deep ? 65535 : 255, kr, kb, y;
  gint k = MIN ((gint)position, 254);

  if (last != map)
    sl_colormap_get (last = map, table);
  for (guint c = 0; c < 3; c++)
    rgb[c] = (table[k][c] * (k + 1 - position) + table[k + 1][c] * (position - k)) / 255;
  if (GST_VIDEO_INFO_IS_RGB (info)) {
    for (guint c = 0; c < 3; c++)
      ret[c] = rgb[c] * full;
    return;
  }
  if (!gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, &kr, &kb))
    kr = 0.299, kb = 0.114;
  y = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2];
  ret[0] = y;
  ret[1] = (rgb[2] - y) / (2 * (1 - kb));
  ret[2] = (rgb[0] - y) / (2 * (1 - kr));
  if (find_range (info) == SL_RANGE_LIMITED) {
    ret[0] = (16 + 219 * ret[0]) * (deep ? 256 : 1);
    for (guint c = 1; c < 3; c++)
      ret[c] = (128 + 224 * ret[c]) * (deep ? 256 : 1);
  } else {
    ret[0] *= full;
    for (guint c = 1; c < 3; c++)
      ret[c] = (deep ? 32768 : 128) + full * ret[c];
  }
}

/* Of the heat of the pixels that share chroma with (x, y); 0 if one of them is cold. */
static gdouble
find_block_heat (const GstVideoFrame *frame, const SlHeatGrid *grid, guint x, guint y)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  guint shift_x = GST_VIDEO_FORMAT_INFO_W_SUB (finfo, 1);
  guint shift_y = GST_VIDEO_FORMAT_INFO_H_SUB (finfo, 1);
  gboolean interlaced = is_interlaced (frame);
  guint left = x >> shift_x << shift_x, width = GST_VIDEO_FRAME_WIDTH (frame);
  gdouble sum = 0, n = 0;

  for (guint row = y & ~3; row < MIN ((y & ~3) + 4, (guint)GST_VIDEO_FRAME_HEIGHT (frame)); row++) {
    if (interlaced ? row / 4 != y / 4 || row % 2 != y % 2 : row >> shift_y != y >> shift_y)
      continue;
    for (guint i = left; i < left + (1u << shift_x); i++) {
      gdouble heat = find_heat (grid, MIN (i, width - 1), row);

      if (heat <= 0)
        return 0;
      sum += heat;
      n++;
    }
  }
  return sum / n;
}

/* --- Checks --- */

static gdouble
get_tolerance (const GstVideoInfo *info, gboolean deep)
{
  gint depth = 16;

  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS (info); i++)
    depth = MIN (depth, (gint)GST_VIDEO_INFO_COMP_DEPTH (info, i));
  /* Two of 255, and what packing cuts off. */
  return ((depth < 8 ? 255.0 / ((1 << depth) - 1) : 0) + (deep && depth == 8 ? 1 : 0) + 2) *
         (deep ? 257 : 1);
}

/* Bytes of the memory that belong to components of cold pixels. */
static void
check_cold_bytes (const GstVideoFrame *frame, const guint8 *before, const SlHeatGrid *grid)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;

  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (frame); y++)
    for (gint x = 0; x < GST_VIDEO_FRAME_WIDTH (frame); x++) {
      if (find_heat (grid, x, y) > 0)
        continue;
      for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo); c++) {
        guint shift = GST_VIDEO_FORMAT_INFO_H_SUB (finfo, c);
        gint row = shift == 1 && is_interlaced (frame) ? y / 4 * 2 + y % 2 : y >> shift;
        gsize at = (guint8 *)GST_VIDEO_FRAME_COMP_DATA (frame, c) - (guint8 *)frame->map[0].data +
                   (gsize)row * GST_VIDEO_FRAME_COMP_STRIDE (frame, c) +
                   (gsize)(x >> GST_VIDEO_FORMAT_INFO_W_SUB (finfo, c)) *
                       GST_VIDEO_FRAME_COMP_PSTRIDE (frame, c);
        gsize n = MAX (1, (GST_VIDEO_FORMAT_INFO_DEPTH (finfo, c) + 7) / 8);

        if (memcmp (frame->map[0].data + at, before + at, n))
          g_error ("%s: component %u of the cold pixel %d, %d has changed",
                   GST_VIDEO_INFO_NAME (&frame->info), c, x, y);
      }
    }
}

static void
check_colors (const GstVideoFrame *frame, const gdouble *before, const gdouble *after,
              const SlHeatGrid *grid, const SlHeatLook *look)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  gboolean deep =
      GST_VIDEO_FORMAT_INFO_DEPTH (gst_video_format_get_info (finfo->unpack_format), 0) > 8;
  gboolean shared =
      GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo) >= 3 &&
      (GST_VIDEO_FORMAT_INFO_W_SUB (finfo, 1) || GST_VIDEO_FORMAT_INFO_H_SUB (finfo, 1));
  guint width = GST_VIDEO_FRAME_WIDTH (frame), height = GST_VIDEO_FRAME_HEIGHT (frame);
  gdouble tolerance = get_tolerance (&frame->info, deep);
  guint n_colors = GST_VIDEO_INFO_IS_GRAY (&frame->info) ? 1 : 3;

  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      gdouble heat = find_heat (grid, x, y);
      gdouble chroma = shared ? find_block_heat (frame, grid, x, y) : heat;
      const gdouble *was = before + (y * width + x) * 4, *is = after + (y * width + x) * 4;

      g_assert_cmpfloat (is[0], ==, was[0]); /* alpha */
      for (guint c = 0; c < n_colors; c++) {
        gdouble here = c ? chroma : heat, color[3], alpha, wanted;

        if (here <= 0) {
          if (is[1 + c] != was[1 + c])
            g_error ("%s %ux%u: value %u of the cold pixel %u, %u: %g, was %g",
                     GST_VIDEO_INFO_NAME (&frame->info), width, height, c, x, y, is[1 + c],
                     was[1 + c]);
          continue;
        }
        find_color (&frame->info, deep, look->colormap, here, color);
        alpha = look->opacity * here;
        wanted = was[1 + c] * (1 - alpha) + color[c] * alpha;
        if (ABS (wanted - is[1 + c]) > tolerance)
          g_error ("%s %ux%u, %u, %u, value %u: %g, wanted %g (was %g, heat %g)",
                   GST_VIDEO_INFO_NAME (&frame->info), width, height, x, y, c, is[1 + c], wanted,
                   was[1 + c], here);
      }
    }
}

static void
fill_grid (SlHeatGrid *grid, guint width, guint height, GRand *rand)
{
  grid->width = width;
  grid->height = height;
  for (guint j = 0; j < height; j++)
    for (guint i = 0; i < width; i++)
      grid->values[j * width + i] = i < width / 3 ? 0 : g_rand_double (rand);
}

/* Where the grid lies on a frame of 1 x 1. */
static const gdouble placements[][6] = {
    {1, 0, 0, 0, 1, 0},
    {0.6137, 0, 0.2071, 0, 0.7193, 0.1213}, /* no pixel is centred on its edge */
    {0, -1.3173, 1.1317, 1.2979, 0, -0.1571},
};

/* Frames that GStreamer's own pack functions get wrong, so that what they pack is not what they
 * unpack: tests/lib/frame.c. */
static gboolean
is_spoilt (const GstVideoFormatInfo *finfo, gint width)
{
  const gchar *name = GST_VIDEO_FORMAT_INFO_NAME (finfo);

  if (g_str_has_prefix (name, "MT2110"))
    return TRUE;
  return width % 2 && (!strcmp (name, "NV61") || g_str_has_suffix (name, "_10LE32"));
}

static void
run_format (GstVideoFormat format, const gint size[2], guint i, GRand *rand)
{
  static const gchar *colorimetries[] = {"bt601", "bt709", "1:4:0:0", NULL};
  const SlHeatLook look = {
      .style = SL_HEAT_BLEND, .colormap = i % SL_COLORMAP_COUNT, .opacity = i % 3 ? 0.7f : 1};
  Picture picture = make_picture (format, size[0], size[1], colorimetries[i % 4], i % 4 == 3, rand);
  g_autoptr (SlFramePainter) painter = sl_frame_painter_new (1);
  g_autoptr (GError) error = NULL;
  g_autofree gdouble *before = NULL, *after = NULL;
  g_autofree guint8 *bytes = NULL;
  gfloat values[MAX_GRID * MAX_GRID];
  SlHeatGrid grid = {.values = values};
  GstVideoFrame frame;

  fill_grid (&grid, 1 + i % MAX_GRID, 1 + i / 2 % MAX_GRID, rand);
  for (guint k = 0; k < 6; k++)
    grid.matrix[k] = placements[i % G_N_ELEMENTS (placements)][k] * size[k / 3];
  g_assert_true (gst_video_frame_map (&frame, &picture.info, picture.buffer, GST_MAP_READWRITE));
  g_free (unpack (&frame, TRUE));
  before = unpack (&frame, FALSE);
  bytes = g_memdup2 (frame.map[0].data, picture.size);
  g_assert_true (sl_frame_painter_paint (painter, &frame, NULL, &grid, &look, &error));
  g_assert_no_error (error);
  after = unpack (&frame, FALSE);
  check_colors (&frame, before, after, &grid, &look);
  /* 1.22 says the wrong places for the components of Y210 and Y212. */
  if (!GST_VIDEO_FORMAT_INFO_IS_COMPLEX (frame.info.finfo) &&
      !GST_VIDEO_FORMAT_INFO_IS_TILED (frame.info.finfo) &&
      GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 0) > 0 &&
      !g_str_has_prefix (GST_VIDEO_INFO_NAME (&picture.info), "Y21"))
    check_cold_bytes (&frame, bytes, &grid);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (picture.buffer);
}

static void
test_formats (void)
{
  static const gint sizes[][2] = {{1, 1}, {3, 5}, {161, 91}, {48, 32}};
  GRand *rand = g_rand_new_with_seed (11);
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);

  for (guint i = 0; i < n_formats; i++) {
    const GstVideoFormatInfo *finfo = gst_video_format_get_info (formats[i]);

    if (!finfo->pack_func || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
      continue;
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++)
      for (guint k = 0; k < 8 && !is_spoilt (finfo, sizes[j][0]); k++)
        run_format (formats[i], sizes[j], k, rand);
  }
  g_rand_free (rand);
}

/* --- One painter, many frames --- */

/* What another painter, made for this frame alone, gives. */
static void
check_same (SlFramePainter *painter, GstVideoFormat format, gint width, gint height,
            const GstVideoRectangle *area, const SlHeatGrid *grid, const SlHeatLook *look)
{
  g_autoptr (SlFramePainter) fresh = sl_frame_painter_new (1);
  g_autoptr (GError) error = NULL;
  GstVideoFrame frames[2];
  Picture pictures[2];

  for (guint i = 0; i < 2; i++) {
    GRand *rand = g_rand_new_with_seed (21);

    pictures[i] = make_picture (format, width, height, NULL, FALSE, rand);
    g_rand_free (rand);
    g_assert_true (
        gst_video_frame_map (&frames[i], &pictures[i].info, pictures[i].buffer, GST_MAP_READWRITE));
    g_assert_true (
        sl_frame_painter_paint (i ? fresh : painter, &frames[i], area, grid, look, &error));
    g_assert_no_error (error);
  }
  g_assert_cmpmem (frames[0].map[0].data, pictures[0].size, frames[1].map[0].data,
                   pictures[1].size);
  for (guint i = 0; i < 2; i++) {
    gst_video_frame_unmap (&frames[i]);
    gst_buffer_unref (pictures[i].buffer);
  }
}

static void
test_changes (void)
{
  g_autoptr (SlFramePainter) painter = sl_frame_painter_new (1);
  const GstVideoRectangle area = {3, 4, 17, 12};
  SlHeatLook look = {.style = SL_HEAT_BLEND, .opacity = 0.5f};
  gfloat values[] = {0, 1, 0.5f, 0.2f, 0.3f, 0.9f};
  SlHeatGrid grid = {.width = 3, .height = 2, .values = values, .matrix = {32, 0, 0, 0, 24, 0}};

  check_same (painter, GST_VIDEO_FORMAT_I420, 32, 24, NULL, &grid, &look);
  check_same (painter, GST_VIDEO_FORMAT_I420, 32, 24, NULL, &grid, &look);
  values[0] = 1;
  check_same (painter, GST_VIDEO_FORMAT_I420, 32, 24, NULL, &grid, &look);
  check_same (painter, GST_VIDEO_FORMAT_RGBx, 32, 24, NULL, &grid, &look);
  check_same (painter, GST_VIDEO_FORMAT_Y42B, 32, 24, NULL, &grid, &look);
  check_same (painter, GST_VIDEO_FORMAT_Y42B, 36, 22, NULL, &grid, &look);
  check_same (painter, GST_VIDEO_FORMAT_I420, 36, 22, &area, &grid, &look);
  grid.width = 2;
  grid.height = 3;
  check_same (painter, GST_VIDEO_FORMAT_I420, 36, 22, &area, &grid, &look);
  grid.matrix[2] = 5;
  check_same (painter, GST_VIDEO_FORMAT_I420, 36, 22, &area, &grid, &look);
  look.opacity = 1;
  look.style = SL_HEAT_MAP;
  check_same (painter, GST_VIDEO_FORMAT_I420, 36, 22, &area, &grid, &look);
}

static void
test_refusals (void)
{
  GRand *rand = g_rand_new_with_seed (1);
  Picture palette = make_picture (GST_VIDEO_FORMAT_RGB8P, 16, 16, NULL, FALSE, rand);
  Picture picture = make_picture (GST_VIDEO_FORMAT_GRAY8, 16, 16, NULL, FALSE, rand);
  g_autoptr (SlFramePainter) painter = sl_frame_painter_new (1);
  const SlHeatLook look = {.style = SL_HEAT_BLEND, .opacity = 1};
  g_autoptr (GError) error = NULL;
  gfloat value = 1;
  SlHeatGrid grid = {.width = 1, .height = 1, .values = &value, .matrix = {16, 0, 0, 0, 16, 0}};
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, &palette.info, palette.buffer, GST_MAP_READWRITE));
  g_assert_false (sl_frame_painter_paint (painter, &frame, NULL, &grid, &look, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  gst_video_frame_unmap (&frame);

  g_assert_true (gst_video_frame_map (&frame, &picture.info, picture.buffer, GST_MAP_READWRITE));
  grid.matrix[0] = 0;
  g_assert_false (sl_frame_painter_paint (painter, &frame, NULL, &grid, &look, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  grid.matrix[0] = 16;
  frame.info.stride[0] = 4096;
  g_assert_false (sl_frame_painter_paint (painter, &frame, NULL, &grid, &look, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
  g_clear_error (&error);
  gst_video_frame_unmap (&frame);

  gst_buffer_unref (palette.buffer);
  gst_buffer_unref (picture.buffer);
  g_rand_free (rand);
}

/* --- Beside each other --- */

static void
check_twice (GstVideoFormat format, gint width, gint height, GRand *rand)
{
  const GstVideoFormatInfo *finfo = gst_video_format_get_info (format);
  Picture one = make_picture (format, width, height, NULL, FALSE, rand);
  Picture two = make_picture (format, 2 * width, height, NULL, FALSE, rand);
  g_autofree gdouble *from = NULL, *to = NULL;
  GstVideoFrame frame, ret;

  g_assert_true (gst_video_frame_map (&frame, &one.info, one.buffer, GST_MAP_READWRITE));
  g_assert_true (gst_video_frame_map (&ret, &two.info, two.buffer, GST_MAP_READWRITE));
  g_free (unpack (&frame, TRUE));
  from = unpack (&frame, FALSE);
  g_assert_true (sl_video_frame_copy_twice (&ret, &frame));
  to = unpack (&ret, FALSE);
  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < 2 * width; x++)
      for (gint c = 0; c < 4; c++) {
        gint shift = GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo) >= 3
                         ? GST_VIDEO_FORMAT_INFO_W_SUB (finfo, 1)
                         : 0;
        gint first = x >> shift << shift; /* pixel that packing takes chroma from */
        gint source = (c > 1 ? first : x) % width;

        g_assert_cmpfloat (to[(y * 2 * width + x) * 4 + c], ==, from[(y * width + source) * 4 + c]);
      }
  gst_video_frame_unmap (&ret);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (one.buffer);
  gst_buffer_unref (two.buffer);
}

static void
test_twice (void)
{
  static const gint sizes[][2] = {{1, 1}, {3, 5}, {48, 32}, {33, 6}};
  GRand *rand = g_rand_new_with_seed (31);
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);

  for (guint i = 0; i < n_formats; i++) {
    const GstVideoFormatInfo *finfo = gst_video_format_get_info (formats[i]);

    if (!finfo->pack_func || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
      continue;
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++)
      if (!is_spoilt (finfo, sizes[j][0]))
        check_twice (formats[i], sizes[j][0], sizes[j][1], rand);
  }
  g_rand_free (rand);
}

/* --- Boxes --- */

static void
test_box (void)
{
  gfloat values[] = {0, 0, 0, 0, /**/ 0, 1, 0, 0, /**/ 0, 0, 0, 0};
  gchar label[] = "cat";
  SlHeatGrid grid = {.width = 4,
                     .height = 3,
                     .values = values,
                     .index = 7,
                     .label = label,
                     .matrix = {400, 0, -50, 0, 300, 10}};
  SlBox box;

  /* Half of the way to the neighbours: 50 pixels each way from the cell's centre. */
  g_assert_true (sl_heat_grid_find_box (&grid, 0.5f, 1000, 1000, &box));
  g_assert_cmpfloat_with_epsilon (box.x, 150 - 50 - 50, 12);
  g_assert_cmpfloat_with_epsilon (box.y, 150 - 50 + 10, 12);
  g_assert_cmpfloat_with_epsilon (box.width, 100, 24);
  g_assert_cmpfloat_with_epsilon (box.height, 100, 24);
  g_assert_cmpuint (box.index, ==, 7);
  g_assert_cmpstr (box.label, ==, "cat");

  /* Turned by 90 degrees: u runs down, v to the left. */
  memcpy (grid.matrix, (gdouble[]){0, -300, 300, 400, 0, 0}, sizeof grid.matrix);
  g_assert_true (sl_heat_grid_find_box (&grid, 0.5f, 1000, 1000, &box));
  g_assert_cmpfloat_with_epsilon (box.x, 300 - 150 - 50, 12);
  g_assert_cmpfloat_with_epsilon (box.y, 150 - 50, 12);

  /* Clipped, and gone. */
  memcpy (grid.matrix, (gdouble[]){400, 0, -150, 0, 300, 0}, sizeof grid.matrix);
  g_assert_true (sl_heat_grid_find_box (&grid, 0.5f, 1000, 130, &box));
  g_assert_cmpfloat (box.x, ==, 0);
  g_assert_cmpfloat_with_epsilon (box.width, 50, 12);
  g_assert_cmpfloat_with_epsilon (box.y + box.height, 130, 1e-9);
  grid.matrix[2] = -1000;
  g_assert_false (sl_heat_grid_find_box (&grid, 0.5f, 1000, 130, &box));
  values[5] = 0;
  g_assert_false (sl_heat_grid_find_box (&grid, 0.5f, 1000, 130, &box));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lib/heat/formats", test_formats);
  g_test_add_func ("/lib/heat/changes", test_changes);
  g_test_add_func ("/lib/heat/refusals", test_refusals);
  g_test_add_func ("/lib/heat/twice", test_twice);
  g_test_add_func ("/lib/heat/box", test_box);
  return g_test_run ();
}
