#include "heat-fixture.h"

Fixture *
heat_make (const gchar *property, ...)
{
  g_autofree gchar *path = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  Fixture *fixture;
  GstElement *element = gst_element_factory_make ("slheatmap", NULL);
  va_list args;

  g_assert_nonnull (element);
  g_object_set (element, "model-file", path, NULL);
  va_start (args, property);
  if (property)
    g_object_set_valist (G_OBJECT (element), property, args);
  va_end (args);
  fixture = fixture_wrap (element);
  return fixture;
}

void
heat_fill (GstVideoFrame *frame, gint left, gint top, gint size, guint32 rgb)
{
  for (gint y = top; y < top + size; y++)
    for (gint x = left; x < left + size; x++) {
      guint8 *pixel = (guint8 *)frame->data[0] + y * frame->info.stride[0] + 3 * x;

      pixel[0] = rgb >> 16;
      pixel[1] = rgb >> 8;
      pixel[2] = rgb;
    }
}

GstBuffer *
heat_make_square (Fixture *fixture, gint x, gint y, guint32 rgb, guint n)
{
  GstBuffer *buffer = fixture_frame (fixture, BLACK, n);
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, &fixture->info, buffer, GST_MAP_READWRITE));
  heat_fill (&frame, x, y, SQUARE_SIZE, rgb);
  gst_video_frame_unmap (&frame);
  return buffer;
}

GstBuffer *
heat_process (Fixture *fixture, GstBuffer *buffer)
{
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  buffer = gst_harness_pull (fixture->harness);
  g_assert_nonnull (buffer);
  return buffer;
}

GstBuffer *
heat_process_square (Fixture *fixture, guint32 rgb, guint n)
{
  return heat_process (fixture, heat_make_square (fixture, SQUARE_X, SQUARE_Y, rgb, n));
}

void
heat_set_rgb_caps (Fixture *fixture)
{
  fixture_set_caps (fixture, "RGB", SIZE, SIZE, NULL);
}

const SlGeometryMeta *
heat_get_meta (GstBuffer *buffer)
{
  return sl_buffer_get_geometry_meta (buffer, NULL);
}

guint8
heat_get_byte (GstBuffer *buffer, gint x, gint y, gint c)
{
  guint8 byte;

  g_assert_cmpuint (gst_buffer_extract (buffer, (y * SIZE + x) * 3 + c, &byte, 1), ==, 1);
  return byte;
}

guint64
heat_get_stat (Fixture *fixture, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (fixture->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}
