/* An application that asks a pipeline what it sees: prints the label and the warmest place of every
 * frame as it comes out of an appsink. No main loop, no signal, one thread of its own.
 *
 *   cc watch.c -o watch $(pkg-config --cflags --libs sightline-gst gstreamer-app-1.0)
 *   ./watch                        the built-in scenes and network
 *   ./watch clip.mp4 model.onnx    footage, a camera ("camera:0") or a stream ("rtsp://…") */
#include <gst/app/app.h>
#include <sightline-gst/geometry-meta.h>
#include <sightline-gst/label-meta.h>

#define POLL_INTERVAL (100 * GST_MSECOND)

/* Properties are set as values, not pasted into the line: a file name may hold anything. */
static GstElement *
make_pipeline (const char *location, const char *model, GError **error)
{
  const char *line = location ? "slsrc name=source ! slheatmap name=look output=none ! "
                                "appsink name=out sync=false max-buffers=4"
                              : "sltestsrc name=source num-buffers=60 ! slheatmap name=look "
                                "output=none ! appsink name=out sync=false max-buffers=4";
  /* Without the flag a pipeline that lacks an element comes as far as it goes. */
  GstElement *pipeline = gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!pipeline)
    return NULL;
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_autoptr (GstElement) look = gst_bin_get_by_name (GST_BIN (pipeline), "look");
  if (location)
    g_object_set (source, "location", location, NULL);
  if (model)
    g_object_set (look, "model-file", model, NULL);
  return pipeline;
}

/* Metadata are the buffer's: read them while you hold it. */
static void
print_frame (GstBuffer *buffer)
{
  const SlLabelMeta *labels = sl_buffer_get_label_meta (buffer, "look");
  const SlGeometryMeta *places = sl_buffer_get_geometry_meta (buffer, "look");
  if (!labels || labels->n_labels == 0)
    return;
  g_print ("%6.3f s  %-10s %.2f", (double)GST_BUFFER_PTS (buffer) / GST_SECOND,
           labels->labels[0].label, (double)labels->labels[0].score);
  /* Live, the network may be slower than the video: this says how old the answer is. */
  if (labels->age > 0)
    g_print ("  (%" G_GUINT64_FORMAT " frames old)", labels->age);
  if (places && places->n_boxes > 0) {
    const SlBox *box = &places->boxes[0];
    g_print ("  at %.0f,%.0f, %.0f x %.0f", box->x, box->y, box->width, box->height);
  }
  g_print ("\n");
}

/* What went wrong, if anything did. */
static gboolean
check_bus (GstBus *bus)
{
  g_autoptr (GstMessage) message = NULL;
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT))) {
    const GstStructure *structure = gst_message_get_structure (message);
    g_autoptr (GError) error = NULL;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, &error, NULL);
      g_printerr ("%s: %s\n", GST_MESSAGE_SRC_NAME (message), error->message);
      return FALSE;
    }
    /* Each result is a message, too: for who needs no pictures. slsrc tells how the camera is. */
    if (gst_structure_has_name (structure, "slsrc")) {
      g_autofree char *text = gst_structure_to_string (structure);
      g_printerr ("%s\n", text);
    }
    g_clear_pointer (&message, gst_message_unref);
  }
  return TRUE;
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline =
      make_pipeline (argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL, &error);
  if (!pipeline) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  guint64 n_frames = 0;
  gboolean good = TRUE;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (good && !gst_app_sink_is_eos (GST_APP_SINK (out))) {
    g_autoptr (GstSample) sample = gst_app_sink_try_pull_sample (GST_APP_SINK (out), POLL_INTERVAL);
    if (sample) {
      print_frame (gst_sample_get_buffer (sample));
      n_frames++;
    }
    good = check_bus (bus);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return good && n_frames > 0 ? 0 : 1;
}
