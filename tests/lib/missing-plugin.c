/* Advice on what to install; made from messages, so that it does not matter what is installed. */
#include "missing-plugin.h"

#include <gst/pbutils/pbutils.h>
#include <string.h>

static GstElement *element; /* that misses something */

static char *
describe (GstMessage *message)
{
  char *text = sl_missing_plugin_describe (gst_message_get_structure (message));
  gst_message_unref (message);
  if (text) {
    g_test_message ("%s", text);
    g_assert_null (strchr (text, '\n'));
  }
  return text;
}

static void
test_types (void)
{
  static const struct {
    const char *caps, *package;
  } cases[] = {
      {"video/x-h264, stream-format=(string)avc", "gstreamer1.0-libav"},
      {"video/x-h265", "gstreamer1.0-libav"},
      {"video/mpeg, mpegversion=(int)2, systemstream=(boolean)false", "gstreamer1.0-libav"},
      {"video/mpeg, mpegversion=(int)4", "gstreamer1.0-libav"},
      {"video/mpeg, systemstream=(boolean)true", "gstreamer1.0-plugins-bad"},
      {"video/x-vp6", "gstreamer1.0-libav"},
      {"video/x-vp8", "gstreamer1.0-plugins-good"},
      {"video/x-vp9", "gstreamer1.0-plugins-good"},
      {"video/x-av1", "gstreamer1.0-plugins-bad"},
      {"video/x-theora", "gstreamer1.0-plugins-base"},
      {"video/x-ffv, ffvversion=(int)1", "gstreamer1.0-libav"},
      {"video/x-prores", "gstreamer1.0-libav"},
      {"video/x-wmv", "gstreamer1.0-libav"},
      {"video/quicktime", "gstreamer1.0-plugins-good"},
      {"video/x-matroska", "gstreamer1.0-plugins-good"},
      {"video/mpegts", "gstreamer1.0-plugins-bad"},
      {"video/x-ms-asf", "gstreamer1.0-plugins-ugly"},
      {"application/ogg", "gstreamer1.0-plugins-base"},
      {"application/mxf", "gstreamer1.0-plugins-bad"},
      {"image/jpeg", "gstreamer1.0-plugins-good"},
      {"image/png", "gstreamer1.0-plugins-good"},
      {"image/webp", "gstreamer1.0-plugins-bad"},
      {"image/gif", "gstreamer1.0-libav"},
      {"image/tiff", "gstreamer1.0-libav"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (cases[i].caps);
    g_autofree char *text = describe (gst_missing_decoder_message_new (element, caps));
    g_autofree char *end =
        g_strdup_printf (" is not installed (expected in Debian's %s)", cases[i].package);
    g_assert_true (text && g_str_has_suffix (text, end));
    g_assert_cmpuint (strlen (text), >, strlen (end));
  }
}

static void
test_protocols (void)
{
  static const struct {
    const char *protocol, *says;
  } cases[] = {{"https", "gstreamer1.0-plugins-good"},
               {"rtmp", "gstreamer1.0-plugins-bad"},
               {"frob", "no such protocol"}};
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text =
        describe (gst_missing_uri_source_message_new (element, cases[i].protocol));
    g_assert_true (text && strstr (text, cases[i].says));
  }
}

/* Streams that nobody wants, and other messages. */
static void
test_nothing (void)
{
  static const char *const others[] = {"audio/mpeg, mpegversion=(int)1", "text/x-raw",
                                       "application/x-ssa"};
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (others[i]);
    g_assert_null (describe (gst_missing_decoder_message_new (element, caps)));
  }
  g_assert_null (describe (
      gst_message_new_element (GST_OBJECT (element), gst_structure_new_empty ("another"))));
  g_assert_null (describe (
      gst_message_new_element (GST_OBJECT (element), gst_structure_new_empty ("missing-plugin"))));
  g_assert_null (sl_missing_plugin_describe (NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  gst_pb_utils_init ();
  element = gst_pipeline_new (NULL);
  g_test_add_func ("/lib/missing-plugin/types", test_types);
  g_test_add_func ("/lib/missing-plugin/protocols", test_protocols);
  g_test_add_func ("/lib/missing-plugin/nothing", test_nothing);
  int status = g_test_run ();
  gst_object_unref (element);
  return status;
}
