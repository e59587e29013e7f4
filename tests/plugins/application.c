/* What applications do with elements: several pipelines at once, no main loop, another network
 * after a stop, an element that comes and goes while video runs. */
#include "fixture.h"

#include <gst/app/app.h>

#define N_FRAMES 40

static GstElement *
make_pipeline (const gchar *line, const gchar *model)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  g_autoptr (GstElement) look = NULL;

  g_assert_no_error (error);
  look = gst_bin_get_by_name (GST_BIN (pipeline), "look");
  if (look)
    g_object_set (look, "model-file", model, NULL);
  return pipeline;
}

/* Whether the stream is at its end; an error fails the test. */
static gboolean
check_bus (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  g_autoptr (GError) error = NULL;

  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
  return message != NULL;
}

/* Pulls to the end; counts the frames whose best label is `klass`. */
static guint
pull_all (GstElement *pipeline, guint klass)
{
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  gboolean at_end = FALSE;
  guint n = 0;

  while (!at_end) {
    g_autoptr (GstSample) sample =
        gst_app_sink_try_pull_sample (GST_APP_SINK (out), 100 * GST_MSECOND);

    if (sample)
      n += fixture_best (gst_sample_get_buffer (sample)) == klass;
    else
      at_end = check_bus (pipeline);
  }
  return n;
}

#define LINE(pattern)                                                                   \
  "videotestsrc num-buffers=40 pattern=" pattern " ! video/x-raw,width=64,height=48 ! " \
  "slclassify name=look ! appsink name=out sync=false max-buffers=2"

/* Both run at once, with one network; nothing iterates a main context. */
static void
test_two_pipelines (void)
{
  g_autofree gchar *model = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  g_autoptr (GstElement) red = make_pipeline (LINE ("red"), model);
  g_autoptr (GstElement) blue = make_pipeline (LINE ("blue"), model);

  gst_element_set_state (red, GST_STATE_PLAYING);
  gst_element_set_state (blue, GST_STATE_PLAYING);
  g_assert_cmpuint (pull_all (red, TINY_RED), ==, N_FRAMES);
  g_assert_cmpuint (pull_all (blue, TINY_BLUE), ==, N_FRAMES);
  gst_element_set_state (red, GST_STATE_NULL);
  gst_element_set_state (blue, GST_STATE_NULL);
}

/* A stop and another network in between; the pipeline is the same. */
static void
test_another_model (void)
{
  g_autofree gchar *rgb = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  g_autofree gchar *bgr = tiny_model_write (fixture_folder, "bgr.onnx", TINY_METADATA | TINY_BGR);
  g_autoptr (GstElement) pipeline = make_pipeline (LINE ("red"), rgb);
  g_autoptr (GstElement) look = gst_bin_get_by_name (GST_BIN (pipeline), "look");

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_assert_cmpuint (pull_all (pipeline, TINY_RED), ==, N_FRAMES);
  gst_element_set_state (pipeline, GST_STATE_READY);

  /* The same network, but its file says that it wants blue first. */
  g_object_set (look, "model-file", bgr, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_assert_cmpuint (pull_all (pipeline, TINY_BLUE), ==, N_FRAMES);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

typedef struct {
  GstElement *pipeline, *look;
  gboolean inserted;
  GMutex lock;
  GCond changed;
} Insertion;

/* The pad is blocked: links the element in, or out again. */
static GstPadProbeReturn
relink (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Insertion *insertion = data;
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (insertion->pipeline), "filter");
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (insertion->pipeline), "out");

  if (!insertion->inserted) {
    gst_element_unlink (filter, out);
    gst_bin_add (GST_BIN (insertion->pipeline), gst_object_ref (insertion->look));
    g_assert_true (gst_element_link_many (filter, insertion->look, out, NULL));
    g_assert_true (gst_element_sync_state_with_parent (insertion->look));
  } else {
    gst_element_set_state (insertion->look, GST_STATE_NULL);
    gst_element_unlink_many (filter, insertion->look, out, NULL);
    gst_bin_remove (GST_BIN (insertion->pipeline), insertion->look);
    g_assert_true (gst_element_link (filter, out));
  }
  g_mutex_lock (&insertion->lock);
  insertion->inserted = !insertion->inserted;
  g_cond_signal (&insertion->changed);
  g_mutex_unlock (&insertion->lock);
  return GST_PAD_PROBE_REMOVE;
}

static void
change (Insertion *insertion, GstPad *pad, gboolean inserted)
{
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_IDLE, relink, insertion, NULL);
  g_mutex_lock (&insertion->lock);
  while (insertion->inserted != inserted)
    g_cond_wait (&insertion->changed, &insertion->lock);
  g_mutex_unlock (&insertion->lock);
}

/* The class of a frame that is pulled after `n` others. */
static guint
best_after (GstElement *out, guint n)
{
  guint best = TINY_CLASSES;

  for (guint i = 0; i <= n; i++) {
    g_autoptr (GstSample) sample =
        gst_app_sink_try_pull_sample (GST_APP_SINK (out), 10 * GST_SECOND);

    g_assert_nonnull (sample);
    best = fixture_best (gst_sample_get_buffer (sample));
  }
  return best;
}

static void
test_comes_and_goes (void)
{
  g_autofree gchar *model = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  g_autoptr (GstElement) pipeline =
      make_pipeline ("videotestsrc pattern=green ! capsfilter name=filter "
                     "caps=video/x-raw,width=64,height=48 ! "
                     "appsink name=out sync=false max-buffers=2 drop=true",
                     NULL);
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (filter, "src");
  Insertion insertion = {.pipeline = pipeline};

  g_mutex_init (&insertion.lock);
  g_cond_init (&insertion.changed);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 5; i++) {
    insertion.look = gst_object_ref_sink (gst_element_factory_make ("slclassify", NULL));
    g_object_set (insertion.look, "model-file", model, NULL);
    gst_util_set_object_arg (G_OBJECT (insertion.look), "late-policy", "block");
    g_assert_cmpuint (best_after (out, 5), ==, TINY_CLASSES);
    change (&insertion, pad, TRUE);
    g_assert_cmpuint (best_after (out, 5), ==, TINY_GREEN);
    change (&insertion, pad, FALSE);
    gst_object_unref (insertion.look);
  }
  g_assert_false (check_bus (pipeline));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_cond_clear (&insertion.changed);
  g_mutex_clear (&insertion.lock);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/application/two-pipelines", test_two_pipelines);
  g_test_add_func ("/application/another-model", test_another_model);
  g_test_add_func ("/application/comes-and-goes", test_comes_and_goes);
  return fixture_run ();
}
