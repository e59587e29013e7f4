#include "picture.h"

#include <gst/video/video.h>
#include <string.h>

#define TIMEOUT (60 * GST_SECOND)
#define RGB_BYTES 3

static GstCaps *
make_caps (size_t width, size_t height)
{
  return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT,
                              (int)width, "height", G_TYPE_INT, (int)height, NULL);
}

static gboolean
copy_rows (ToolPicture *picture, GstSample *sample)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!gst_video_info_from_caps (&info, gst_sample_get_caps (sample)) ||
      !gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ))
    return FALSE;
  const size_t row = picture->width * RGB_BYTES;
  for (size_t y = 0; y < picture->height; y++)
    memcpy (picture->rgb + y * row,
            (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) +
                (gssize)y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
            row);
  gst_video_frame_unmap (&frame);
  return TRUE;
}

ToolPicture *
tool_picture_new (const SlDecodedFrame *frame, GError **error)
{
  g_autoptr (ToolPicture) picture = g_new0 (ToolPicture, 1);
  picture->width = (size_t)GST_VIDEO_INFO_WIDTH (frame->info);
  picture->height = (size_t)GST_VIDEO_INFO_HEIGHT (frame->info);
  picture->rgb = g_malloc_n (picture->width * picture->height, RGB_BYTES);
  g_autoptr (GstCaps) caps = make_caps (picture->width, picture->height);
  g_autoptr (GstSample) rgb = gst_video_convert_sample (frame->sample, caps, TIMEOUT, error);
  if (!rgb)
    return NULL;
  if (copy_rows (picture, rgb))
    return g_steal_pointer (&picture);
  g_set_error (error, SL_ERROR, SL_ERROR_DEVICE, "GStreamer cannot make RGB of the frame");
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

gboolean
tool_picture_append_png (GString *bytes, const ToolPicture *picture, GError **error)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, (guint)picture->width,
                             (guint)picture->height);
  const size_t row = picture->width * RGB_BYTES;
  const size_t stride = (size_t)GST_VIDEO_INFO_PLANE_STRIDE (&info, 0);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  for (size_t y = 0; y < picture->height; y++)
    gst_buffer_fill (buffer, y * stride, picture->rgb + y * row, row);
  g_autoptr (GstCaps) raw = make_caps (picture->width, picture->height);
  g_autoptr (GstSample) sample = gst_sample_new (buffer, raw, NULL, NULL);
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
