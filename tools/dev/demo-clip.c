/* demo-clip OUT SECONDS: renders a clip that shows all that the built-in network knows, one scene
 * after the other. Not installed: tools/demo runs it. */
#include "../../plugins/lib/scene.h"
#include "../encoding.h"

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <stdlib.h>

enum { WIDTH = 640, HEIGHT = 360, RATE = 25 };

/* Fixed: everybody's demo shows the same clip. */
static const SlScene show = {.seed = 2026,
                             .difficulty = SL_SCENE_DIFFICULTY (0.4),
                             .klass = SL_SCENE_EVERY_CLASS,
                             .turn = 1.5};

static GstBuffer *
draw_frame (guint64 number)
{
  g_autofree guint8 *pixels = g_malloc (WIDTH * HEIGHT * 4);
  if (!sl_scene_draw (&show, (double)number / RATE, pixels, WIDTH, HEIGHT, WIDTH * 4, NULL))
    g_error ("no memory for a frame");
  GstBuffer *buffer = gst_buffer_new_wrapped (g_steal_pointer (&pixels), WIDTH * HEIGHT * 4);
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (number, GST_SECOND, RATE);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / RATE;
  return buffer;
}

static GstElement *
build_pipeline (const char *path, GstElement **ret_source, GError **error)
{
  const ToolContainer *container = tool_container_find (path);
  if (!container) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_FAILED,
                 "%s: no container has that suffix (expected .mkv, .mp4 or .webm)", path);
    return NULL;
  }
  GstElement *encoder = tool_encoder_make (container->video, "video", error);
  if (!encoder)
    return NULL;
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *source = gst_element_factory_make ("appsrc", NULL);
  GstElement *convert = gst_element_factory_make ("videoconvert", NULL);
  GstElement *muxer = gst_element_factory_make (container->muxer, NULL);
  GstElement *sink = gst_element_factory_make ("filesink", NULL);
  g_autoptr (GstCaps) caps = gst_caps_new_simple (
      "video/x-raw", "format", G_TYPE_STRING, G_BYTE_ORDER == G_LITTLE_ENDIAN ? "BGRx" : "xRGB",
      "width", G_TYPE_INT, WIDTH, "height", G_TYPE_INT, HEIGHT, "framerate", GST_TYPE_FRACTION,
      RATE, 1, NULL);
  g_object_set (source, "caps", caps, "format", GST_FORMAT_TIME, "block", TRUE, NULL);
  g_object_set (sink, "location", path, NULL);
  gst_bin_add_many (GST_BIN (pipeline), source, convert, encoder, muxer, sink, NULL);
  if (!gst_element_link_many (source, convert, encoder, muxer, sink, NULL)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION, "%s: cannot be encoded", path);
    gst_object_unref (pipeline);
    return NULL;
  }
  *ret_source = source;
  return pipeline;
}

/* Pushes all frames and waits until the file is closed. */
static gboolean
render (GstElement *pipeline, GstElement *source, guint64 frames, GError **error)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint64 i = 0; i < frames; i++)
    if (gst_app_src_push_buffer (GST_APP_SRC (source), draw_frame (i)) != GST_FLOW_OK)
      break;
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gboolean ok = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  if (!ok)
    gst_message_parse_error (message, error, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return ok;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  guint64 seconds = 0;
  GstElement *source = NULL;
  gst_init (&argc, &argv);
  if (argc != 3 || !g_ascii_string_to_unsigned (argv[2], 10, 1, 3600, &seconds, NULL)) {
    g_printerr ("Usage: demo-clip OUT.mkv SECONDS (1 to 3600)\n");
    return 2;
  }
  g_autoptr (GstElement) pipeline = build_pipeline (argv[1], &source, &error);
  if (!pipeline || !render (pipeline, source, seconds * RATE, &error)) {
    g_printerr ("demo-clip: %s\n", error->message);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
