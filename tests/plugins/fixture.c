#include "fixture.h"

gchar *fixture_folder;

void
fixture_init (int *argc, char ***argv)
{
  g_test_init (argc, argv, NULL);
  gst_init (NULL, NULL);
  fixture_folder = g_dir_make_tmp ("sightline-plugins-XXXXXX", NULL);
  g_assert_nonnull (fixture_folder);
}

int
fixture_run (void)
{
  int status = g_test_run ();

  tiny_folder_remove (fixture_folder);
  g_free (fixture_folder);
  return status;
}

Fixture *
fixture_wrap (GstElement *element)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  fixture->element = element;
  fixture->bus = gst_bus_new ();
  gst_element_set_bus (element, fixture->bus);
  fixture->harness = gst_harness_new_with_element (element, "sink", "src");
  /* As from a file: every frame is waited for. Live is what GstHarness says otherwise. */
  gst_harness_set_live (fixture->harness, FALSE);
  gst_harness_play (fixture->harness);
  return fixture;
}

static GstElement *
make_element (const gchar *factory, const gchar *first_property, va_list args)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (!element)
    g_error ("no element %s: is GST_PLUGIN_PATH set?", factory);
  if (first_property)
    g_object_set_valist (G_OBJECT (element), first_property, args);
  return gst_object_ref_sink (element);
}

Fixture *
fixture_new (const gchar *factory, const gchar *first_property, ...)
{
  GstElement *element;
  va_list args;

  va_start (args, first_property);
  element = make_element (factory, first_property, args);
  va_end (args);
  return fixture_wrap (element);
}

Fixture *
fixture_new_infer (TinyFlags flags, const gchar *first_property, ...)
{
  g_autofree gchar *path = tiny_model_write (fixture_folder, "tiny.onnx", flags);
  GstElement *element;
  va_list args;

  va_start (args, first_property);
  element = make_element ("slclassify", first_property, args);
  va_end (args);
  g_object_set (element, "model-file", path, NULL);
  return fixture_wrap (element);
}

void
fixture_free (Fixture *fixture)
{
  gst_harness_teardown (fixture->harness);
  gst_element_set_bus (fixture->element, NULL);
  gst_object_unref (fixture->bus);
  gst_object_unref (fixture->element);
  g_free (fixture);
}

void
fixture_set_caps (Fixture *fixture, const gchar *format, gint width, gint height, const gchar *rest)
{
  g_autofree gchar *text =
      g_strdup_printf ("video/x-raw%s,format=%s,width=%d,height=%d,framerate=25/1",
                       rest ? rest : "", format, width, height);
  GstCaps *caps = gst_caps_from_string (text);

  g_assert_nonnull (caps);
  g_assert_true (gst_video_info_from_caps (&fixture->info, caps));
  gst_harness_set_src_caps (fixture->harness, caps);
}

GstBuffer *
fixture_frame (Fixture *fixture, guint32 rgb, guint n)
{
  const GstVideoInfo *info = &fixture->info;
  GstBuffer *source, *buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  GstVideoConverter *converter;
  GstVideoFrame in, out;
  GstVideoInfo one;

  gst_video_info_set_format (&one, GST_VIDEO_FORMAT_ARGB, GST_VIDEO_INFO_WIDTH (info),
                             GST_VIDEO_INFO_HEIGHT (info));
  one.fps_n = info->fps_n;
  one.fps_d = info->fps_d;
  one.par_n = info->par_n;
  one.par_d = info->par_d;
  source = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&one), NULL);
  gst_buffer_memset (buffer, 0, 0, -1);
  g_assert_true (gst_video_frame_map (&in, &one, source, GST_MAP_READWRITE));
  for (gsize i = 0; i < GST_VIDEO_INFO_SIZE (&one) / 4; i++)
    GST_WRITE_UINT32_BE ((guint8 *)in.data[0] + 4 * i, 0xff000000 | rgb);
  g_assert_true (gst_video_frame_map (&out, info, buffer, GST_MAP_READWRITE));
  converter = gst_video_converter_new (&one, info, NULL);
  gst_video_converter_frame (converter, &in, &out);
  gst_video_converter_free (converter);
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
  gst_buffer_unref (source);

  GST_BUFFER_PTS (buffer) = n * GST_SECOND / 25;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 25;
  return buffer;
}

GstBuffer *
fixture_process (Fixture *fixture, guint32 rgb, guint n)
{
  GstBuffer *buffer = fixture_frame (fixture, rgb, n);

  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  buffer = gst_harness_pull (fixture->harness);
  g_assert_nonnull (buffer);
  return buffer;
}

gboolean
fixture_find_change (Fixture *fixture, GstBuffer *buffer, guint32 rgb, GstVideoRectangle *ret)
{
  g_autoptr (GstBuffer) plain = fixture_frame (fixture, rgb, 0);
  gint left = G_MAXINT, top = G_MAXINT, right = -1, bottom = -1;
  GstVideoFrame a, b;
  gint step;

  g_assert_true (gst_video_frame_map (&a, &fixture->info, plain, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&b, &fixture->info, buffer, GST_MAP_READ));
  step = GST_VIDEO_FRAME_COMP_PSTRIDE (&a, 0);
  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (&a); y++)
    for (gint x = 0; x < GST_VIDEO_FRAME_WIDTH (&a); x++) {
      gsize offset = (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE (&a, 0) + x * step;

      if (memcmp ((guint8 *)a.data[0] + offset, (guint8 *)b.data[0] + offset, step) == 0)
        continue;
      left = MIN (left, x);
      right = MAX (right, x);
      top = MIN (top, y);
      bottom = MAX (bottom, y);
    }
  gst_video_frame_unmap (&b);
  gst_video_frame_unmap (&a);
  *ret = (GstVideoRectangle){left, top, right - left + 1, bottom - top + 1};
  return right >= 0;
}

guint
fixture_best (GstBuffer *buffer)
{
  const SlLabelMeta *meta = sl_buffer_get_label_meta (buffer, NULL);

  return meta && meta->n_labels > 0 ? meta->labels[0].index : TINY_CLASSES;
}

GstMessage *
fixture_wait (Fixture *fixture, GstMessageType types)
{
  return gst_bus_timed_pop_filtered (fixture->bus, 10 * GST_SECOND, types);
}

void
fixture_expect_error (Fixture *fixture, GQuark domain, gint code, const gchar *part)
{
  g_autoptr (GstMessage) message = fixture_wait (fixture, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, domain, code);
  if (!strstr (error->message, part))
    g_error ("\"%s\" does not say \"%s\"", error->message, part);
  g_assert_null (strchr (error->message, '\n'));
}
