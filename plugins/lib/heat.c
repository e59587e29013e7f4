#include <sightline-gst/heat.h>

#include "frame.h"

#include <math.h>
#include <string.h>

/* All that an inner painter is made for; compared by memcmp. */
typedef struct {
  SlHeatSurface surface;
  guint grid_width, grid_height;
  gdouble matrix[6];
  SlHeatLook look;
} Key;

struct SlFramePainter {
  guint max_threads;
  Key key;
  SlHeatPainter *painter; /* of key; NULL: none yet */
};

SlFramePainter *
sl_frame_painter_new (guint max_threads)
{
  SlFramePainter *self = g_new0 (SlFramePainter, 1);

  self->max_threads = max_threads;
  return self;
}

void
sl_frame_painter_free (SlFramePainter *self)
{
  if (!self)
    return;
  sl_heat_painter_free (self->painter);
  g_free (self);
}

/* --- Rows of formats without a kernel of their own --- */

/* Whether pixels lie one behind the other in whole bytes, so that rows can start anywhere. */
static gboolean
has_plain_rows (const GstVideoFormatInfo *finfo)
{
  /* IYU1 is not even flagged as complex. */
  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo); c++)
    if (GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c) <= 0)
      return FALSE;
  return !GST_VIDEO_FORMAT_INFO_IS_COMPLEX (finfo) && !GST_VIDEO_FORMAT_INFO_IS_TILED (finfo) &&
         !GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo);
}

/* The planes from column `first` on, which chroma begins with. */
static void
shift_planes (const GstVideoFrame *frame, guint first, gpointer ret[GST_VIDEO_MAX_PLANES])
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;

  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_PLANES (finfo); i++) {
    gint component[GST_VIDEO_MAX_COMPONENTS];

    ret[i] = frame->data[i];
    if (first == 0)
      continue;
    gst_video_format_info_component (finfo, i, component);
    ret[i] = (guint8 *)ret[i] + GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (finfo, component[0], first) *
                                    GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, component[0]);
  }
}

typedef struct {
  GstVideoFrame *frame;
  GstVideoPackFlags flags;
} Rows;

/* Whether rows 0 and 2 share chroma, as 1 and 3 do. GStreamer does not unpack tiles so. */
static gboolean
has_interlaced_chroma (const GstVideoFrame *frame)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;

  return GST_VIDEO_FRAME_IS_INTERLACED (frame) && !GST_VIDEO_FORMAT_INFO_IS_TILED (finfo) &&
         GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo) >= 3 &&
         GST_VIDEO_FORMAT_INFO_H_SUB (finfo, 1) == 1;
}

/* Limited range keeps its 16 … 235 times 256; full range has to reach 65535. */
static GstVideoPackFlags
find_flags (const GstVideoFrame *frame, SlColorRange range)
{
  GstVideoPackFlags flags = GST_VIDEO_PACK_FLAG_NONE;

  if (range == SL_RANGE_LIMITED)
    flags |= GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE;
  if (has_interlaced_chroma (frame))
    flags |= GST_VIDEO_PACK_FLAG_INTERLACED;
  return flags;
}

/* SlHeatUnpackFunc; `data` are Rows. */
static gboolean
unpack_row (void *data, uint32_t row, uint32_t first, uint32_t n, void *ret)
{
  const Rows *rows = data;
  const GstVideoFormatInfo *finfo = rows->frame->info.finfo;
  gpointer planes[GST_VIDEO_MAX_PLANES];

  shift_planes (rows->frame, first, planes);
  finfo->unpack_func (finfo, rows->flags, ret, planes, rows->frame->info.stride, 0, row, n);
  return TRUE;
}

/* SlHeatPackFunc */
static gboolean
pack_row (void *data, uint32_t row, uint32_t first, uint32_t n, const void *pixels)
{
  const Rows *rows = data;
  const GstVideoFormatInfo *finfo = rows->frame->info.finfo;
  gpointer planes[GST_VIDEO_MAX_PLANES];

  shift_planes (rows->frame, first, planes);
  finfo->pack_func (finfo, rows->flags, (gpointer)pixels, 0, planes, rows->frame->info.stride,
                    rows->frame->info.chroma_site, row, n);
  return TRUE;
}

/* --- Painting --- */

static void
fill_key (const GstVideoFrame *frame, const GstVideoRectangle *area, const SlHeatGrid *grid,
          const SlHeatLook *look, Key *ret)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;

  memset (ret, 0, sizeof *ret);
  sl_image_info_from_video (&frame->info, &ret->surface.image);
  ret->surface.image.par_n = ret->surface.image.par_d = 0;
  if (area) {
    ret->surface.image.crop.x = area->x;
    ret->surface.image.crop.y = area->y;
    ret->surface.image.crop.width = area->w;
    ret->surface.image.crop.height = area->h;
  }
  ret->surface.interlaced = has_interlaced_chroma (frame);
  if (GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo) >= 3) {
    ret->surface.shift_x = GST_VIDEO_FORMAT_INFO_W_SUB (finfo, 1);
    ret->surface.shift_y = GST_VIDEO_FORMAT_INFO_H_SUB (finfo, 1);
  }
  ret->surface.whole_rows = !has_plain_rows (finfo);
  ret->grid_width = grid->width;
  ret->grid_height = grid->height;
  memcpy (ret->matrix, grid->matrix, sizeof ret->matrix);
  ret->look.style = look->style;
  ret->look.colormap = look->colormap;
  ret->look.opacity = look->opacity;
  ret->look.threshold = look->threshold;
}

static gboolean
update_painter (SlFramePainter *self, const Key *key, GError **error)
{
  if (self->painter && !memcmp (key, &self->key, sizeof *key))
    return TRUE;
  g_clear_pointer (&self->painter, sl_heat_painter_free);
  self->key = *key;
  self->painter = sl_heat_painter_new (&key->surface, key->grid_width, key->grid_height,
                                       key->matrix, &key->look, self->max_threads, error);
  return self->painter != NULL;
}

gboolean
sl_frame_painter_paint (SlFramePainter *self, GstVideoFrame *frame, const GstVideoRectangle *area,
                        const SlHeatGrid *grid, const SlHeatLook *look, GError **error)
{
  SlHeatTarget target = {.unpack = unpack_row, .pack = pack_row};
  SlImage image;
  Rows rows;
  Key key;

  g_return_val_if_fail (self && frame && grid && grid->width && look, FALSE);
  g_return_val_if_fail (!area || (area->x >= 0 && area->y >= 0 && area->w > 0 && area->h > 0),
                        FALSE);

  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (frame->info.finfo) || !frame->info.finfo->pack_func) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s frames cannot be drawn into (expected colours without a palette)",
                 GST_VIDEO_INFO_NAME (&frame->info));
    return FALSE;
  }
  fill_key (frame, area, grid, look, &key);
  if (!update_painter (self, &key, error) || !sl_image_from_frame (frame, &image, error))
    return FALSE;
  rows = (Rows){.frame = frame, .flags = find_flags (frame, key.surface.image.range)};
  target.data = &rows;
  for (guint i = 0; i < G_N_ELEMENTS (target.planes); i++) {
    target.planes[i] = (void *)image.planes[i];
    target.strides[i] = image.strides[i];
  }
  return sl_heat_paint (self->painter, grid->values, &target);
}

/* --- Two frames beside each other --- */

static void
copy_plane_twice (GstVideoFrame *ret, const GstVideoFrame *frame, guint plane)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  gint component[GST_VIDEO_MAX_COMPONENTS];
  gsize row_bytes;
  gint n_rows;

  gst_video_format_info_component (finfo, plane, component);
  row_bytes = (gsize)GST_VIDEO_FRAME_COMP_WIDTH (frame, component[0]) *
              GST_VIDEO_FRAME_COMP_PSTRIDE (frame, component[0]);
  n_rows = GST_VIDEO_FRAME_COMP_HEIGHT (frame, component[0]);
  for (gint y = 0; y < n_rows; y++) {
    const guint8 *from = (const guint8 *)frame->data[plane] + (gssize)y * frame->info.stride[plane];
    guint8 *to = (guint8 *)ret->data[plane] + (gssize)y * ret->info.stride[plane];

    memcpy (to, from, row_bytes);
    memcpy (to + row_bytes, from, row_bytes);
  }
}

/* By way of GStreamer's unpacked rows. */
static gboolean
copy_rows_twice (GstVideoFrame *ret, const GstVideoFrame *frame)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  const GstVideoFormatInfo *unpacked = gst_video_format_get_info (finfo->unpack_format);
  guint width = GST_VIDEO_FRAME_WIDTH (frame);
  gsize bytes = (gsize)width * GST_VIDEO_FORMAT_INFO_PSTRIDE (unpacked, 0);
  GstAllocationParams params = {.align = 63};
  Rows from = {.frame = (GstVideoFrame *)frame, .flags = find_flags (frame, SL_RANGE_LIMITED)};
  Rows to = {.frame = ret, .flags = from.flags};
  GstMemory *memory;
  GstMapInfo map;

  if (!finfo->pack_func || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
    return FALSE;
  memory = gst_allocator_alloc (NULL, 2 * bytes, &params);
  if (!memory || !gst_memory_map (memory, &map, GST_MAP_READWRITE)) {
    g_clear_pointer (&memory, gst_memory_unref);
    return FALSE;
  }
  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (frame); y++) {
    unpack_row (&from, y, 0, width, map.data);
    memcpy (map.data + bytes, map.data, bytes);
    pack_row (&to, y, 0, 2 * width, map.data);
  }
  gst_memory_unmap (memory, &map);
  gst_memory_unref (memory);
  return TRUE;
}

gboolean
sl_video_frame_copy_twice (GstVideoFrame *ret, const GstVideoFrame *frame)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  guint n_components = GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo);
  guint shift = 0;
  SlImage image;

  g_return_val_if_fail (ret != NULL && frame != NULL, FALSE);

  if (GST_VIDEO_FRAME_FORMAT (ret) != GST_VIDEO_FRAME_FORMAT (frame) ||
      GST_VIDEO_FRAME_HEIGHT (ret) != GST_VIDEO_FRAME_HEIGHT (frame) ||
      GST_VIDEO_FRAME_WIDTH (ret) != 2 * GST_VIDEO_FRAME_WIDTH (frame) ||
      !sl_image_from_frame (frame, &image, NULL) || !sl_image_from_frame (ret, &image, NULL))
    return FALSE;
  for (guint c = 0; c < n_components; c++)
    shift = MAX (shift, GST_VIDEO_FORMAT_INFO_W_SUB (finfo, c));
  if (!has_plain_rows (finfo) || GST_VIDEO_FRAME_WIDTH (frame) % (1 << shift))
    return copy_rows_twice (ret, frame);
  for (guint plane = 0; plane < GST_VIDEO_FORMAT_INFO_N_PLANES (finfo); plane++)
    copy_plane_twice (ret, frame, plane);
  return TRUE;
}

/* --- Boxes --- */

gboolean
sl_heat_grid_find_box (const SlHeatGrid *grid, gfloat threshold, guint width, guint height,
                       SlBox *ret)
{
  const gdouble *m = grid->matrix;
  gdouble box[4], left = INFINITY, right = -INFINITY, top = INFINITY, bottom = -INFINITY;

  g_return_val_if_fail (grid != NULL && grid->width && ret != NULL, FALSE);

  if (!sl_heat_find_box (grid->values, grid->width, grid->height, threshold, box))
    return FALSE;
  for (guint corner = 0; corner < 4; corner++) {
    gdouble u = box[corner % 2 ? 2 : 0], v = box[corner / 2 ? 3 : 1];
    gdouble x = m[0] * u + m[1] * v + m[2], y = m[3] * u + m[4] * v + m[5];

    left = fmin (left, x);
    right = fmax (right, x);
    top = fmin (top, y);
    bottom = fmax (bottom, y);
  }
  left = fmax (left, 0);
  top = fmax (top, 0);
  right = fmin (right, width);
  bottom = fmin (bottom, height);
  if (!(left < right && top < bottom))
    return FALSE;
  *ret = (SlBox){.x = left,
                 .y = top,
                 .width = right - left,
                 .height = bottom - top,
                 .index = grid->index,
                 .label = grid->label};
  return TRUE;
}
