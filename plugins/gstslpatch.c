#include "gstslpatch.h"

void
gst_sl_patch_fill (GstSlPatch *patch, guint color)
{
  guint alpha = color >> 24, n = patch->width * patch->height;
  guint32 *pixels = g_new (guint32, n), pixel = alpha << 24;

  for (guint shift = 0; shift < 24; shift += 8)
    pixel |= ((color >> shift & 0xff) * alpha + 127) / 255 << shift;
  for (guint i = 0; i < n; i++)
    pixels[i] = pixel;
  patch->pixels = gst_buffer_new_wrapped (pixels, n * sizeof *pixels);
  gst_buffer_add_video_meta (patch->pixels, GST_VIDEO_FRAME_FLAG_NONE,
                             GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, patch->width, patch->height);
}

void
gst_sl_patch_clear (GstSlPatch *patch)
{
  gst_clear_buffer (&patch->pixels);
  g_clear_pointer (&patch->rectangle, gst_video_overlay_rectangle_unref);
}

void
gst_sl_patch_get_block (const GstVideoInfo *info, gint *ret_width, gint *ret_height)
{
  guint w_sub = 0, h_sub = 0;

  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS (info); i++) {
    w_sub = MAX (w_sub, GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, i));
    h_sub = MAX (h_sub, GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, i));
  }
  *ret_width = 1 << w_sub;
  *ret_height = 1 << h_sub;
}

/* --- Blending --- */

/* Formats that pack several pixels together: how many, into how many bytes of each plane. */
static const struct {
  GstVideoFormat format;
  gint pixels, bytes;
} groups[] = {
    {GST_VIDEO_FORMAT_v210, 6, 16},       {GST_VIDEO_FORMAT_UYVP, 2, 5},
    {GST_VIDEO_FORMAT_IYU1, 4, 6},        {GST_VIDEO_FORMAT_GRAY10_LE32, 3, 4},
    {GST_VIDEO_FORMAT_NV12_10LE32, 6, 8}, {GST_VIDEO_FORMAT_NV16_10LE32, 6, 8},
    {GST_VIDEO_FORMAT_NV12_10LE40, 4, 5},
};

/* Pixels that can only be addressed together, 1 for most formats; 0 where none can. */
static gint
get_group (const GstVideoFormatInfo *finfo, gint *ret_bytes)
{
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    if (groups[i].format == GST_VIDEO_FORMAT_INFO_FORMAT (finfo)) {
      *ret_bytes = groups[i].bytes;
      return groups[i].pixels;
    }
  return !GST_VIDEO_FORMAT_INFO_IS_COMPLEX (finfo) && !GST_VIDEO_FORMAT_INFO_IS_TILED (finfo) &&
         !GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo);
}

/* A view of the part of `frame` that the patch lies in, so that blending does not convert whole
 * lines; *ret_x: where in it. FALSE where pixels cannot be addressed. */
static gboolean
view_part (const GstSlPatch *patch, const GstVideoFrame *frame, GstVideoFrame *ret, gint *ret_x)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  gint bytes = 0, group = get_group (finfo, &bytes), left, right;

  if (group == 0)
    return FALSE;
  left = patch->x / group * group;
  right = (patch->x + patch->width + group - 1) / group * group;

  *ret = *frame;
  ret->info.width = MIN (right, frame->info.width) - left;
  ret->info.height = MIN (patch->height, frame->info.height - patch->y);
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_PLANES (finfo); i++) {
    gint component[GST_VIDEO_MAX_COMPONENTS], c, column;

    gst_video_format_info_component (finfo, i, component);
    c = component[0];
    column = group > 1 ? left / group * bytes
                       : GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (finfo, c, left) *
                             GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c);
    ret->data[i] = (guint8 *)frame->data[i] + column +
                   GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (finfo, c, patch->y) * frame->info.stride[i];
  }
  *ret_x = patch->x - left;
  return TRUE;
}

gboolean
gst_sl_patch_blend (const GstSlPatch *patch, GstVideoFrame *frame)
{
  GstVideoFrame pixels, part;
  GstVideoInfo info;
  gboolean ok;
  gint x;

  if (patch->x >= GST_VIDEO_FRAME_WIDTH (frame) || patch->y >= GST_VIDEO_FRAME_HEIGHT (frame))
    return TRUE;
  gst_video_info_set_format (&info, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, patch->width,
                             patch->height);
  info.flags |= GST_VIDEO_FLAG_PREMULTIPLIED_ALPHA;
  if (!gst_video_frame_map (&pixels, &info, patch->pixels, GST_MAP_READ))
    return FALSE;
  if (view_part (patch, frame, &part, &x))
    ok = gst_video_blend (&part, &pixels, x, 0, 1);
  else
    ok = gst_video_blend (frame, &pixels, patch->x, patch->y, 1);
  gst_video_frame_unmap (&pixels);
  return ok;
}

/* --- Compositions --- */

/* Their coordinates are those of the picture that is shown. The same rectangle serves one frame
 * after another, since sinks upload what they have not seen before. */
static GstVideoOverlayRectangle *
get_rectangle (GstSlPatch *patch, gint x, gint y)
{
  gint old_x, old_y;

  if (patch->rectangle) {
    gst_video_overlay_rectangle_get_render_rectangle (patch->rectangle, &old_x, &old_y, NULL, NULL);
    if (old_x != x || old_y != y)
      g_clear_pointer (&patch->rectangle, gst_video_overlay_rectangle_unref);
  }
  if (!patch->rectangle)
    patch->rectangle =
        gst_video_overlay_rectangle_new_raw (patch->pixels, x, y, patch->width, patch->height,
                                             GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  return patch->rectangle;
}

void
gst_sl_patches_attach (GstSlPatch *const *patches, guint n_patches, GstBuffer *buffer)
{
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);
  gint left = crop ? crop->x : 0, top = crop ? crop->y : 0;
  GstVideoOverlayComposition *composition;

  if (meta) { /* others have drawn before */
    composition = gst_video_overlay_composition_copy (meta->overlay);
    gst_buffer_remove_meta (buffer, (GstMeta *)meta);
  } else {
    composition = gst_video_overlay_composition_new (NULL);
  }
  for (guint i = 0; i < n_patches; i++)
    gst_video_overlay_composition_add_rectangle (
        composition, get_rectangle (patches[i], patches[i]->x - left, patches[i]->y - top));
  gst_buffer_add_video_overlay_composition_meta (buffer, composition);
  gst_video_overlay_composition_unref (composition);
}
