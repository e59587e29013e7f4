#include "slsrc-run.h"

#include <string.h>

#define PATIENCE (60 * GST_SECOND)

static GstPadProbeReturn
on_data (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Run *run = data;

  g_mutex_lock (&run->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    GstClockTime time = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));

    if (GST_CLOCK_TIME_IS_VALID (run->last) && time <= run->last)
      run->went_back = TRUE;
    run->last = time;
  } else {
    GstEventType type = GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info));

    run->stream_starts += type == GST_EVENT_STREAM_START;
    run->segments += type == GST_EVENT_SEGMENT;
    run->caps_events += type == GST_EVENT_CAPS;
  }
  g_mutex_unlock (&run->lock);
  return GST_PAD_PROBE_OK;
}

Run *
run_prepare (const gchar *location, const gchar *properties, const gchar *downstream)
{
  Run *run = g_new0 (Run, 1);
  g_autofree gchar *line = g_strdup_printf ("slsrc name=s %s ! %s appsink name=k sync=false "
                                            "max-buffers=4",
                                            properties, downstream);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPad) pad = NULL;

  run->pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  run->src = gst_bin_get_by_name (GST_BIN (run->pipeline), "s");
  run->sink = GST_APP_SINK (gst_bin_get_by_name (GST_BIN (run->pipeline), "k"));
  run->bus = gst_element_get_bus (run->pipeline);
  run->last = GST_CLOCK_TIME_NONE;
  g_mutex_init (&run->lock);
  g_object_set (run->src, "location", location, NULL);
  pad = gst_element_get_static_pad (run->src, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_data,
                     run, NULL);
  return run;
}

Run *
run_new (const gchar *location, const gchar *properties, const gchar *downstream)
{
  Run *run = run_prepare (location, properties, downstream);

  gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
  return run;
}

Run *
run_new_live (const gchar *location, const gchar *properties, const gchar *downstream)
{
  Run *run = run_prepare (location, properties, downstream);

  g_object_set (run->sink, "drop", TRUE, NULL);
  gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
  return run;
}

void
run_free (Run *run)
{
  gst_element_set_state (run->pipeline, GST_STATE_NULL);
  g_clear_pointer (&run->info, gst_structure_free);
  gst_object_unref (run->bus);
  gst_object_unref (run->sink);
  gst_object_unref (run->src);
  gst_object_unref (run->pipeline);
  g_mutex_clear (&run->lock);
  g_free (run);
}

static void
fail_on_error (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return;
  gst_message_parse_error (message, &error, &debug);
  g_error ("%s (%s)", error->message, debug);
}

const GstStructure *
run_wait_status (Run *run, const gchar *status)
{
  for (;;) {
    g_autoptr (GstMessage) message =
        gst_bus_timed_pop_filtered (run->bus, PATIENCE, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);
    const GstStructure *info;

    if (!message)
      g_error ("never %s", status);
    fail_on_error (message);
    info = gst_message_get_structure (message);
    if (GST_MESSAGE_SRC (message) != GST_OBJECT (run->src) ||
        !gst_structure_has_name (info, "slsrc"))
      continue;
    g_clear_pointer (&run->info, gst_structure_free);
    run->info = gst_structure_copy (info);
    if (g_strcmp0 (gst_structure_get_string (info, "status"), status) == 0)
      return run->info;
  }
}

guint64
run_get_count (const GstStructure *info, const gchar *field)
{
  guint64 count = 0;

  g_assert_true (gst_structure_get_uint64 (info, field, &count));
  return count;
}

void
run_expect_error (Run *run, GQuark domain, gint code, const gchar *part)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (run->bus, PATIENCE, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (message);
  g_assert_true (GST_MESSAGE_SRC (message) == GST_OBJECT (run->src));
  gst_message_parse_error (message, &error, NULL);
  if (!strstr (error->message, part))
    g_error ("\"%s\" does not say \"%s\"", error->message, part);
  g_assert_error (error, domain, code);
  g_assert_null (strchr (error->message, '\n'));
}

GstSample *
run_pull (Run *run)
{
  GstSample *sample = gst_app_sink_try_pull_sample (run->sink, PATIENCE);
  g_autoptr (GstMessage) message = NULL;

  if (sample)
    return sample;
  message = gst_bus_pop_filtered (run->bus, GST_MESSAGE_ERROR);
  if (message)
    fail_on_error (message);
  g_error ("no frame");
}

guint
run_get_luma (GstSample *sample)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  guint luma;

  g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  g_assert_true (gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ));
  luma = *((const guint8 *)GST_VIDEO_FRAME_COMP_DATA (&frame, 0));
  gst_video_frame_unmap (&frame);
  return luma;
}

GstSample *
run_pull_until (Run *run, guint luma, guint tolerance)
{
  for (;;) {
    GstSample *sample = run_pull (run);

    if (ABS ((gint)run_get_luma (sample) - (gint)luma) <= (gint)tolerance)
      return sample;
    gst_sample_unref (sample);
  }
}

void
run_check_order (Run *run)
{
  g_mutex_lock (&run->lock);
  g_assert_false (run->went_back);
  g_assert_cmpuint (run->stream_starts, ==, 1);
  g_assert_cmpuint (run->segments, ==, 1);
  g_mutex_unlock (&run->lock);
}
