/* Real clips in formats that few elements take: slclassify stands right behind the decoder, with no
 * converter between, and says what is in every frame. */
#include "tiny-model.h"

#include <gst/gst.h>
#include <string.h>

#define DEADLINE (60 * GST_SECOND)

typedef struct {
  const char *name, *format; /* that the decoder gives; NULL: one or another */
  guint frames, least;       /* GStreamer 1.26's decoder of VP8 with alpha keeps the last frame */
} Clip;

static const Clip clips[] = {
    {"tenbit_vp9.webm", "I420_10LE", 20, 20}, {"alpha_vp8.webm", "A420", 10, 9},
    {"gray_ffv1.mkv", "GRAY8", 10, 10},       {"raw_bgr.avi", "BGR", 10, 10},
    {"odd_161x91_vp9.webm", "I420", 20, 20},  {"interlaced_h264.mp4", "I420", 45, 45},
    {"mjpeg422.mkv", NULL, 20, 20},           {"odd_35x17_mjpeg444.mkv", NULL, 20, 20},
};

static char *folder, *model;

/* The format that slclassify's sink pad has at the end. */
static GstPadProbeReturn
on_event (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstCaps *caps;
  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (event, &caps);
  char **format = data;
  g_free (*format);
  *format = g_strdup (gst_structure_get_string (gst_caps_get_structure (caps, 0), "format"));
  return GST_PAD_PROBE_OK;
}

static void
test_clip (gconstpointer data)
{
  const Clip *clip = data;
  const char *real = g_getenv ("SIGHTLINE_DATA");
  g_autofree char *path = real ? g_build_filename (real, "odd", clip->name, NULL) : NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *format = NULL;
  guint results = 0;
  if (!path || !g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_test_skip ("no real data (expected in the folder that SIGHTLINE_DATA names)");
    return;
  }
  g_autofree char *launch = g_strdup_printf (
      "filesrc location=\"%s\" ! decodebin ! slclassify name=net model-file=\"%s\" "
      "! fakesink sync=false",
      path, model);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, &error);
  g_assert_no_error (error);
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (net, "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, &format, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (gboolean ended = FALSE; !ended;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, DEADLINE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_ELEMENT);
    g_assert_nonnull (message);
    ended = GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT;
    if (gst_message_has_name (message, "slclassify"))
      results++;
    if (gst_message_has_name (message, "missing-plugin")) {
      gst_element_set_state (pipeline, GST_STATE_NULL);
      g_test_skip ("a decoder is not installed");
      return;
    }
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      gst_message_parse_error (message, &error, NULL);
    g_assert_no_error (error);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (clip->format)
    g_assert_cmpstr (format, ==, clip->format);
  g_assert_cmpuint (results, >=, clip->least);
  g_assert_cmpuint (results, <=, clip->frames);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  folder = g_dir_make_tmp ("sightline-test-XXXXXX", NULL);
  model = tiny_model_write (folder, "tiny.onnx", TINY_METADATA);
  for (guint i = 0; i < G_N_ELEMENTS (clips); i++) {
    g_autofree char *name = g_strconcat ("/plugins/odd-clips/", clips[i].name, NULL);
    g_test_add_data_func (name, &clips[i], test_clip);
  }
  int status = g_test_run ();
  tiny_folder_remove (folder);
  g_free (folder);
  g_free (model);
  return status;
}
