#include "gstslheatcanvas.h"

#include "gstslerror.h"
#include "gstslframe.h"

#include <string.h>

void
gst_sl_heat_canvas_clear (GstSlHeatCanvas *self)
{
  g_clear_pointer (&self->painter, sl_frame_painter_free);
  g_clear_pointer (&self->fine, g_free);
  self->n_fine = 0;
  self->warned = FALSE;
}

gboolean
gst_sl_heat_canvas_shows (const SlHeatGrid *grid, gfloat threshold)
{
  for (gsize i = 0; grid && i < (gsize)grid->width * grid->height; i++)
    if (grid->values[i] > 0 && grid->values[i] >= threshold)
      return TRUE;
  return FALSE;
}

/* One cell without heat all over the frame. */
static SlHeatGrid
make_cold (const GstVideoFrame *frame)
{
  static gfloat zero;

  return (SlHeatGrid){
      .width = 1,
      .height = 1,
      .values = &zero,
      .matrix = {GST_VIDEO_FRAME_WIDTH (frame), 0, 0, 0, GST_VIDEO_FRAME_HEIGHT (frame), 0},
  };
}

/* The grid with cells small enough that their edges do not show. */
static SlHeatGrid
refine (GstSlHeatCanvas *self, const SlHeatGrid *grid)
{
  SlHeatGrid fine = *grid;
  guint steps = sl_heat_find_steps (grid->width, grid->height);
  gsize n = (gsize)grid->width * grid->height * steps * steps;

  if (steps == 1)
    return fine;
  if (n != self->n_fine) {
    self->fine = g_renew (gfloat, self->fine, n);
    self->n_fine = n;
  }
  sl_heat_refine (grid->values, grid->width, grid->height, steps, self->fine);
  fine.width *= steps;
  fine.height *= steps;
  fine.values = self->fine;
  return fine;
}

static gboolean
paint (GstSlHeatCanvas *self, GstElement *element, GstVideoFrame *frame,
       const GstVideoRectangle *area, const SlHeatGrid *grid, const SlHeatLook *look)
{
  g_autoptr (GError) error = NULL;
  SlHeatGrid painted = grid ? refine (self, grid) : make_cold (frame);

  if (!self->painter)
    self->painter = sl_frame_painter_new (1);
  if (sl_frame_painter_paint (self->painter, frame, area, &painted, look, &error))
    return TRUE;
  if (!g_error_matches (error, SL_ERROR, SL_ERROR_UNSUPPORTED)) {
    gst_sl_element_error (element, error, "while drawing heat");
    return FALSE;
  }
  if (!self->warned)
    GST_ELEMENT_WARNING (element, STREAM, FORMAT, ("Heat is not drawn: %s.", error->message),
                         (NULL));
  self->warned = TRUE;
  return TRUE;
}

gboolean
gst_sl_heat_canvas_draw (GstSlHeatCanvas *self, GstElement *element, GstBuffer *buffer,
                         const GstVideoInfo *info, const SlHeatGrid *grid, const SlHeatLook *look)
{
  GstVideoFrame frame;
  gboolean ok;

  if (!gst_sl_frame_map (element, &frame, info, buffer, GST_MAP_READWRITE))
    return FALSE;
  ok = paint (self, element, &frame, NULL, grid, look);
  gst_video_frame_unmap (&frame);
  return ok;
}

/* Narrows a frame that is larger than its caps to the picture in it: where its GstVideoCropMeta
 * begins, or the top left. FALSE where pixels cannot be addressed one by one. */
static gboolean
view_picture (GstVideoFrame *frame, const GstVideoInfo *info, gint *ret_x, gint *ret_y)
{
  const GstVideoFormatInfo *finfo = info->finfo;
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (frame->buffer);
  gint x = crop ? crop->x : 0, y = crop ? crop->y : 0;

  *ret_x = x;
  *ret_y = y;
  if (x > frame->info.width - GST_VIDEO_INFO_WIDTH (info) ||
      y > frame->info.height - GST_VIDEO_INFO_HEIGHT (info))
    return FALSE;
  frame->info.width = GST_VIDEO_INFO_WIDTH (info);
  frame->info.height = GST_VIDEO_INFO_HEIGHT (info);
  if (x == 0 && y == 0)
    return TRUE;
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_PLANES (finfo); i++) {
    gint component[GST_VIDEO_MAX_COMPONENTS], c;

    gst_video_format_info_component (finfo, i, component);
    c = component[0];
    if (c < 0 || GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c) <= 0 ||
        GST_VIDEO_FORMAT_INFO_IS_TILED (finfo) ||
        x % (1 << GST_VIDEO_FORMAT_INFO_W_SUB (finfo, c)) ||
        y % (1 << GST_VIDEO_FORMAT_INFO_H_SUB (finfo, c)))
      return FALSE;
    frame->data[i] =
        (guint8 *)frame->data[i] +
        (gssize)GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (finfo, c, y) * frame->info.stride[i] +
        (gssize)GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (finfo, c, x) *
            GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c);
  }
  return TRUE;
}

gboolean
gst_sl_heat_canvas_draw_beside (GstSlHeatCanvas *self, GstElement *element, GstBuffer *ret,
                                const GstVideoInfo *ret_info, GstBuffer *buffer,
                                const GstVideoInfo *info, const SlHeatGrid *grid,
                                const SlHeatLook *look)
{
  GstVideoRectangle right = {.x = GST_VIDEO_INFO_WIDTH (info),
                             .w = GST_VIDEO_INFO_WIDTH (info),
                             .h = GST_VIDEO_INFO_HEIGHT (info)};
  GstVideoFrame from, to;
  gboolean ok = FALSE;
  gint x, y;

  if (!gst_sl_frame_map (element, &from, info, buffer, GST_MAP_READ))
    return FALSE;
  if (gst_sl_frame_map (element, &to, ret_info, ret, GST_MAP_READWRITE)) {
    ok = view_picture (&from, info, &x, &y) && sl_video_frame_copy_twice (&to, &from);
    if (!ok) {
      GST_ELEMENT_ERROR (element, STREAM, FORMAT,
                         ("%s frames of this kind cannot be set side by side: put videoconvert "
                          "before.",
                          GST_VIDEO_INFO_NAME (info)),
                         ("%" GST_PTR_FORMAT, buffer));
    } else if (grid) {
      SlHeatGrid moved = *grid;

      moved.matrix[2] += right.x - x;
      moved.matrix[5] -= y;
      ok = paint (self, element, &to, &right, &moved, look);
    }
    gst_video_frame_unmap (&to);
  }
  gst_video_frame_unmap (&from);
  return ok;
}
