#include "results-fixture.h"

#include <unistd.h>

Fixture *
results_start (const gchar *location, const gchar *first_property, ...)
{
  GstElement *element = gst_element_factory_make ("slresults", "out");
  Fixture *fixture = g_new0 (Fixture, 1);
  va_list args;

  g_assert_nonnull (element);
  g_object_set (element, "location", location, "wall-clock", FALSE, "source", "s", NULL);
  va_start (args, first_property);
  if (first_property)
    g_object_set_valist (G_OBJECT (element), first_property, args);
  va_end (args);
  fixture->element = gst_object_ref_sink (element);
  fixture->bus = gst_bus_new ();
  gst_element_set_bus (element, fixture->bus);
  fixture->harness = gst_harness_new_with_element (element, "sink", "src");
  gst_harness_set_live (fixture->harness, FALSE);
  gst_harness_play (fixture->harness);
  gst_harness_set_src_caps_str (fixture->harness, "video/x-anything,whatever=true");
  return fixture;
}

gchar *
results_place (const gchar *name)
{
  gchar *path = g_build_filename (fixture_folder, name, NULL);

  unlink (path);
  return path;
}

GstBuffer *
results_buffer (guint n)
{
  GstBuffer *buffer = gst_buffer_new ();

  GST_BUFFER_PTS (buffer) = n * STEP;
  GST_BUFFER_DURATION (buffer) = STEP;
  return buffer;
}

SlLabelMeta *
results_add_labels (GstBuffer *buffer, const gchar *producer, const gchar *model, guint64 frame,
                    guint64 age, const gchar *label, gfloat score)
{
  SlLabelMeta *meta = sl_buffer_add_label_meta (buffer, producer, model);

  meta->frame = frame;
  meta->pts = frame * STEP;
  meta->age = age;
  meta->fresh = age == 0;
  if (label)
    sl_label_meta_append (meta, *label - 'a', score, label);
  return meta;
}

void
results_push (Fixture *fixture, GstBuffer *buffer)
{
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  gst_buffer_unref (gst_harness_pull (fixture->harness));
}

void
results_push_frame (Fixture *fixture, guint n, const gchar *label)
{
  GstBuffer *buffer = results_buffer (n);

  results_add_labels (buffer, "net", "m", n, 0, label, 0.75f);
  results_push (fixture, buffer);
}

void
results_push_eos (Fixture *fixture)
{
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_eos ()));
}

guint64
results_get_stat (Fixture *fixture, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = G_MAXUINT64;

  g_object_get (fixture->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

void
results_assert_file (const gchar *path, const gchar *expected)
{
  g_autofree gchar *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
}

void
results_assert_no_message (Fixture *fixture)
{
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  g_assert_null (message);
}

void
results_expect_warning (Fixture *fixture, gint code, const gchar *part)
{
  g_autoptr (GstMessage) message = fixture_wait (fixture, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, code);
  if (!strstr (error->message, part))
    g_error ("\"%s\" does not say \"%s\"", error->message, part);
}

void
results_push_run (Fixture *fixture, guint from, guint to, const gchar *label)
{
  for (guint i = from; i < to; i++)
    results_push_frame (fixture, i, label);
}
