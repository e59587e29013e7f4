#include "gstslframe.h"

void
gst_sl_frame_refuse (GstElement *element, const GstVideoInfo *info, GstBuffer *buffer)
{
  GST_ELEMENT_ERROR (
      element, STREAM, FORMAT,
      ("A buffer of %" G_GSIZE_FORMAT
       " bytes does not hold the %s frame of %dx%d that the caps announce (%" G_GSIZE_FORMAT
       " bytes).",
       gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (info), GST_VIDEO_INFO_WIDTH (info),
       GST_VIDEO_INFO_HEIGHT (info), GST_VIDEO_INFO_SIZE (info)),
      ("%" GST_PTR_FORMAT, buffer));
}

/* gst_video_frame_map() takes a contradiction for a bug of its caller, but here it comes from
 * outside. */
static gboolean
meta_agrees (const GstVideoInfo *info, GstBuffer *buffer)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  return !meta || (meta->format == GST_VIDEO_INFO_FORMAT (info) &&
                   meta->n_planes == GST_VIDEO_INFO_N_PLANES (info) &&
                   meta->width >= (guint)GST_VIDEO_INFO_WIDTH (info) &&
                   meta->height >= (guint)GST_VIDEO_INFO_HEIGHT (info));
}

gboolean
gst_sl_frame_map (GstElement *element, GstVideoFrame *ret_frame, const GstVideoInfo *info,
                  GstBuffer *buffer, GstMapFlags flags)
{
  if (meta_agrees (info, buffer) &&
      gst_video_frame_map (ret_frame, info, buffer, flags | GST_VIDEO_FRAME_MAP_FLAG_NO_REF))
    return TRUE;
  gst_sl_frame_refuse (element, info, buffer);
  return FALSE;
}
