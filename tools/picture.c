#include "picture.h"

#include <gst/video/video.h>
#include <string.h>

#define TIMEOUT (60 * GST_SECOND)
#define RGB_BYTES 3

/* Lays video without gaps between rows over the picture's memory. */
static gboolean
map_picture (ToolPicture *picture, const GstVideoInfo *like, GstVideoFrame *ret_frame)
{
  const size_t row = picture->width * RGB_BYTES;
  GstVideoInfo info;
  gst_video_info_set_interlaced_format (&info, GST_VIDEO_FORMAT_RGB,
                                        GST_VIDEO_INFO_INTERLACE_MODE (like), (guint)picture->width,
                                        (guint)picture->height);
  /* The converter changes no rates. */
  GST_VIDEO_INFO_FPS_N (&info) = GST_VIDEO_INFO_FPS_N (like);
  GST_VIDEO_INFO_FPS_D (&info) = GST_VIDEO_INFO_FPS_D (like);
  info.stride[0] = (gint)row;
  info.size = row * picture->height;
  g_autoptr (GstBuffer) buffer =
      gst_buffer_new_wrapped_full (0, picture->rgb, info.size, 0, info.size, NULL, NULL);
  return gst_video_frame_map (ret_frame, &info, buffer, GST_MAP_WRITE);
}

static gboolean
convert (ToolPicture *picture, const SlDecodedFrame *frame)
{
  GstVideoFrame from, to;
  if (!gst_video_frame_map (&from, frame->info, frame->buffer, GST_MAP_READ))
    return FALSE;
  gboolean good = map_picture (picture, frame->info, &to);
  GstVideoConverter *converter =
      good ? gst_video_converter_new (frame->info, &to.info, NULL) : NULL;
  if (converter) {
    gst_video_converter_frame (converter, &from, &to);
    gst_video_converter_free (converter);
  }
  if (good)
    gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  return converter != NULL;
}

ToolPicture *
tool_picture_new (const SlDecodedFrame *frame, GError **error)
{
  g_autoptr (ToolPicture) picture = g_new0 (ToolPicture, 1);
  picture->width = (size_t)GST_VIDEO_INFO_WIDTH (frame->info);
  picture->height = (size_t)GST_VIDEO_INFO_HEIGHT (frame->info);
  picture->rgb = g_malloc_n (picture->width * picture->height, RGB_BYTES);
  if (convert (picture, frame))
    return g_steal_pointer (&picture);
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "GStreamer cannot make RGB of %s frames",
               GST_VIDEO_INFO_NAME (frame->info));
  return NULL;
}

void
tool_picture_free (ToolPicture *picture)
{
  if (!picture)
    return;
  g_free (picture->rgb);
  g_free (picture);
}

void
tool_picture_turn (ToolPicture *picture, guint orientation)
{
  if (orientation < 2 || orientation > 8)
    return;
  const size_t w = picture->width, h = picture->height;
  const gboolean on_side = orientation >= 5;
  /* What of the memory's pictures runs from its last column, from its last row. */
  const gboolean from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const gboolean from_below =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  ToolPicture turned = {
      .width = on_side ? h : w, .height = on_side ? w : h, .rgb = g_malloc_n (w * h, RGB_BYTES)};
  guint8 *to = turned.rgb;
  for (size_t y = 0; y < turned.height; y++)
    for (size_t x = 0; x < turned.width; x++, to += RGB_BYTES) {
      size_t column = on_side ? y : x, row = on_side ? x : y;
      column = from_right ? w - 1 - column : column;
      row = from_below ? h - 1 - row : row;
      memcpy (to, picture->rgb + (row * w + column) * RGB_BYTES, RGB_BYTES);
    }
  g_free (picture->rgb);
  *picture = turned;
}

GstSample *
tool_picture_make_sample (const ToolPicture *picture, const SlDecodedFrame *frame)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, (guint)picture->width,
                             (guint)picture->height);
  const size_t row = picture->width * RGB_BYTES;
  const size_t stride = (size_t)GST_VIDEO_INFO_PLANE_STRIDE (&info, 0);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  for (size_t y = 0; y < picture->height; y++)
    gst_buffer_fill (buffer, y * stride, picture->rgb + y * row, row);
  if (frame) {
    GST_VIDEO_INFO_PAR_N (&info) = GST_VIDEO_INFO_PAR_N (frame->info);
    GST_VIDEO_INFO_PAR_D (&info) = GST_VIDEO_INFO_PAR_D (frame->info);
    GST_VIDEO_INFO_FPS_N (&info) = GST_VIDEO_INFO_FPS_N (frame->info);
    GST_VIDEO_INFO_FPS_D (&info) = GST_VIDEO_INFO_FPS_D (frame->info);
    gst_buffer_copy_into (buffer, frame->buffer, GST_BUFFER_COPY_TIMESTAMPS, 0, (gsize)-1);
  }
  g_autoptr (GstCaps) caps = gst_video_info_to_caps (&info);
  return gst_sample_new (buffer, caps, frame ? gst_sample_get_segment (frame->sample) : NULL, NULL);
}

gboolean
tool_picture_append_png (GString *bytes, const ToolPicture *picture, GError **error)
{
  g_autoptr (GstSample) sample = tool_picture_make_sample (picture, NULL);
  g_autoptr (GstCaps) png = gst_caps_new_empty_simple ("image/png");
  g_autoptr (GstSample) file = gst_video_convert_sample (sample, png, TIMEOUT, error);
  GstMapInfo map;
  if (!file)
    return FALSE;
  if (!gst_buffer_map (gst_sample_get_buffer (file), &map, GST_MAP_READ)) {
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE, "GStreamer's PNG cannot be read");
    return FALSE;
  }
  g_string_append_len (bytes, (const char *)map.data, (gssize)map.size);
  gst_buffer_unmap (gst_sample_get_buffer (file), &map);
  return TRUE;
}
