/* Maps by other methods and of other layers, changed on the running pipeline, with the built-in
 * network. */
#include "fixture.h"

#include <sightline-gst/geometry-meta.h>

/* What is set before a frame, and the size of the maps from the one after it on. */
typedef struct {
  guint frame;
  const gchar *property, *value;
  guint side;
  gboolean is_refused; /* with a warning */
} Change;

#define LAYER "/features/features.5/Relu"

static const Change changes[] = {
    {4, "method", "cam", 12, FALSE},       {8, "method", "gradcam", 12, FALSE},
    {12, "layer", LAYER, 24, FALSE},       {16, "method", "layercam", 24, FALSE},
    {20, "target", "star", 24, FALSE},     {24, "against", "cross", 24, FALSE},
    {28, "layer", "nowhere", 24, TRUE},    {32, "layer", LAYER, 24, FALSE},
    {36, "method", "saliency", 96, FALSE}, {40, "method", "eigencam", 24, FALSE},
    {44, "layer", NULL, 12, FALSE},        {48, "method", "auto", 12, FALSE},
};

typedef struct {
  GstElement *heat;
  guint n_frames;
  guint side; /* that maps have now */
  gboolean settled;
} Run;

static void
set_property (GstElement *element, const Change *change)
{
  if (change->value)
    gst_util_set_object_arg (G_OBJECT (element), change->property, change->value);
  else
    g_object_set (element, change->property, NULL, NULL);
}

/* late-policy is block: a map is of its own frame, and what is set holds from the next one on. */
static GstPadProbeReturn
look_at (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  const SlGeometryMeta *meta =
      sl_buffer_get_geometry_meta (GST_PAD_PROBE_INFO_BUFFER (info), "heat");
  Run *run = data;

  g_assert_nonnull (meta);
  if (run->settled)
    g_assert_cmpuint (meta->grid.width, ==, run->side);
  g_assert_cmpuint (meta->grid.width, ==, meta->grid.height);
  if (run->n_frames > 22) /* whose target may have no say in a frame */
    g_assert_cmpstr (meta->grid.label, ==, "star");
  run->settled = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    if (changes[i].frame == run->n_frames) {
      set_property (run->heat, &changes[i]);
      run->side = changes[i].side;
      run->settled = FALSE; /* a frame may be on its way */
    }
  run->n_frames++;
  return GST_PAD_PROBE_OK;
}

static void
test_changes (gconstpointer data)
{
  g_autofree gchar *line = g_strdup_printf (
      "sltestsrc num-buffers=56 seed=5 ! video/x-raw,width=160,height=120,framerate=25/1 ! "
      "slheatmap name=heat %s late-policy=block ! fakesink name=sink",
      (const gchar *)data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error), sink = NULL, heat = NULL;
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstPad) pad = NULL;
  guint n_warnings = 0;
  Run run = {.side = 12};

  g_assert_no_error (error);
  run.heat = heat = gst_bin_get_by_name (GST_BIN (pipeline), "heat");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, look_at, &run, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (gboolean done = FALSE; !done;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
      g_autoptr (GError) warning = NULL;

      gst_message_parse_warning (message, &warning, NULL);
      g_assert_nonnull (strstr (warning->message, "'nowhere' is not in the network"));
      n_warnings++;
    } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, &error, NULL);
      g_assert_no_error (error);
    } else {
      done = TRUE;
    }
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (run.n_frames, ==, 56);
  g_assert_cmpuint (n_warnings, ==, 1);
}

/* What cannot be had from the start is an error. */
static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "sltestsrc num-buffers=1 ! slheatmap method=layercam layer=nowhere ! fakesink", NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "'nowhere' is not in the network"));
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_data_func ("/slheatmap/methods/changes", "method=auto", test_changes);
  g_test_add_data_func ("/slheatmap/methods/changes-from-gradcam", "method=gradcam", test_changes);
  g_test_add_func ("/slheatmap/methods/refused", test_refused);
  return fixture_run ();
}
