/* How long late-policy=latest keeps a buffer, live at 30 frames a second, with a network that takes
 * 100 ms: asleep, and at work on every core. Prints a line each; fails if a buffer is lost.
 * Argument: seconds (10). */
#include "fixture.h"
#include "gstslclassify.h"

#include <sightline-gst/shared-model.h>
#include <stdio.h>
#include <stdlib.h>

#define NETWORK_TIME (100 * G_TIME_SPAN_MILLISECOND)

static void
sleep_hook (gpointer data)
{
  g_usleep (NETWORK_TIME);
}

/* The built-in network, again and again: with all threads of the engine, as a large one would. */
static void
work_hook (gpointer data)
{
  gint64 end = g_get_monotonic_time () + NETWORK_TIME;
  const float *scores;
  uint32_t n;

  while (g_get_monotonic_time () < end)
    g_assert_true (sl_classifier_execute (data, 0, &scores, &n, NULL));
}

/* The streaming thread's. */
typedef struct {
  gint64 came; /* µs */
  GArray *kept;
} Watch;

static GstPadProbeReturn
note_in (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  ((Watch *)data)->came = g_get_monotonic_time ();
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
note_out (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Watch *watch = data;
  gint64 kept = g_get_monotonic_time () - watch->came;

  g_array_append_val (watch->kept, kept);
  return GST_PAD_PROBE_OK;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

  return (x > y) - (x < y);
}

static void
add_probe (GstElement *element, const gchar *name, GstPadProbeCallback callback, Watch *watch)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, watch, NULL);
}

static void
run (const gchar *path, guint n_frames, const gchar *what, void (*hook) (gpointer data),
     gpointer data)
{
  g_autofree gchar *line =
      g_strdup_printf ("videotestsrc is-live=true num-buffers=%u ! "
                       "video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1 ! "
                       "slclassify name=c post-messages=false model-file=%s ! fakesink sync=false",
                       n_frames, path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) element = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstStructure) stats = NULL;
  g_autoptr (GstBus) bus = NULL;
  Watch watch = {.kept = g_array_new (FALSE, FALSE, sizeof (gint64))};
  guint64 inferred = 0;

  g_assert_no_error (error);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  gst_sl_infer_set_run_hook (GST_SL_INFER (element), hook, data);
  add_probe (element, "sink", note_in, &watch);
  add_probe (element, "src", note_out, &watch);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  g_object_get (element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "inferred", &inferred);
  gst_element_set_state (pipeline, GST_STATE_NULL);

  g_assert_cmpuint (watch.kept->len, ==, n_frames);
  g_array_sort (watch.kept, compare);
#define AT(i) (g_array_index (watch.kept, gint64, i) / 1000.0)
  printf ("network %-7s %u frames, %" G_GUINT64_FORMAT " results; kept: median %.2f ms, p95 %.2f "
          "ms, max %.2f ms\n",
          what, n_frames, inferred, AT (n_frames / 2), AT (n_frames * 95 / 100), AT (n_frames - 1));
#undef AT
  g_array_unref (watch.kept);
}

int
main (int argc, char **argv)
{
  const guint seconds = argc > 1 ? MAX (1, atoi (argv[1])) : 10;
  g_autoptr (SlModel) model = NULL;
  g_autoptr (SlModelRules) rules = NULL;
  g_autoptr (SlClassifier) classifier = NULL;
  g_autofree gchar *path = NULL;
  int no_args = 1;

  fixture_init (&no_args, &argv);
  GST_ELEMENT_REGISTER (slclassify, NULL);
  path = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  run (path, seconds * 30, "asleep", sleep_hook, NULL);

  if (!(model = sl_shared_model_load (NULL, NULL)))
    return fixture_run ();
  rules = sl_model_rules_new (model, NULL, NULL, NULL);
  classifier = sl_classifier_new (model, rules, NULL, NULL);
  g_assert_nonnull (classifier);
  run (path, seconds * 30, "at work", work_hook, classifier);
  return fixture_run ();
}
