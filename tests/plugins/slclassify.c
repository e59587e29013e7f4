/* slclassify: what is said about a frame, on it and on the bus. */
#include "fixture.h"

static void
test_meta (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (fixture->element));
  g_autoptr (GstStructure) info = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  const SlLabelMeta *meta;

  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  gst_buffer_unref (fixture_process (fixture, RED, 0));
  buffer = fixture_process (fixture, GREEN, 1);
  meta = sl_buffer_get_label_meta (buffer, name);
  g_assert_nonnull (meta);
  g_object_get (fixture->element, "model-info", &info, NULL);
  g_assert_cmpstr (meta->model, ==, gst_structure_get_string (info, "hash"));
  g_assert_cmpuint (meta->frame, ==, 1);
  g_assert_cmpuint (meta->pts, ==, GST_SECOND / 25);
  g_assert_cmpuint (meta->age, ==, 0);
  g_assert_true (meta->fresh);
  g_assert_cmpuint (meta->n_labels, ==, TINY_CLASSES);
  g_assert_cmpstr (meta->labels[0].label, ==, "green");
  g_assert_cmpfloat (meta->labels[0].score, >, 0.99f);
  for (guint i = 1; i < meta->n_labels; i++)
    g_assert_cmpfloat (meta->labels[i].score, <=, meta->labels[i - 1].score);
}

static guint
count_labels (Fixture *fixture, guint n)
{
  g_autoptr (GstBuffer) buffer = fixture_process (fixture, RED, n);

  return sl_buffer_get_label_meta (buffer, NULL)->n_labels;
}

/* All of it changes while playing. */
static void
test_top_k_and_threshold (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, "top-k", 2, NULL);

  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  g_assert_cmpuint (count_labels (fixture, 0), ==, 2);
  g_object_set (fixture->element, "top-k", 3, NULL);
  g_assert_cmpuint (count_labels (fixture, 1), ==, 3);
  g_object_set (fixture->element, "top-k", 1000, NULL);
  g_assert_cmpuint (count_labels (fixture, 2), ==, TINY_CLASSES);
  g_object_set (fixture->element, "threshold", 0.5f, NULL);
  g_assert_cmpuint (count_labels (fixture, 3), ==, 1);
  /* Nothing is certain: an empty result, which is not the same as none. */
  g_object_set (fixture->element, "threshold", 1.0f, NULL);
  fixture_set_caps (fixture, "GRAY8", 16, 16, NULL);
  g_assert_cmpuint (count_labels (fixture, 4), ==, 0);
}

static void
test_label_file (void)
{
  g_autofree gchar *labels = g_build_filename (fixture_folder, "labels.txt", NULL);
  g_autoptr (Fixture) fixture = NULL;
  g_autoptr (GstBuffer) buffer = NULL;

  g_assert_true (g_file_set_contents (labels, "rouge\nvert\nbleu\nrien\n", -1, NULL));
  fixture = fixture_new_infer (TINY_METADATA, "label-file", labels, NULL);
  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  buffer = fixture_process (fixture, BLUE, 0);
  g_assert_cmpstr (sl_buffer_get_label_meta (buffer, NULL)->labels[0].label, ==, "bleu");
}

static void
test_message (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, "top-k", 2, NULL);
  guint64 timestamp, stream_time, running_time, duration, frame;
  g_autoptr (GstMessage) message = NULL;
  const GstStructure *structure, *label;
  const GValue *labels;
  GstSegment segment;
  gfloat score;
  guint index;

  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.position = GST_SECOND;
  segment.time = 5 * GST_SECOND;
  segment.base = 2 * GST_SECOND;
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  gst_buffer_unref (fixture_process (fixture, BLUE, 50)); /* two seconds */

  message = fixture_wait (fixture, GST_MESSAGE_ELEMENT);
  g_assert_nonnull (message);
  g_assert_true (GST_MESSAGE_SRC (message) == GST_OBJECT (fixture->element));
  structure = gst_message_get_structure (message);
  g_assert_true (gst_structure_has_name (structure, "slclassify"));
  g_assert_true (gst_structure_get (structure, "timestamp", G_TYPE_UINT64, &timestamp,
                                    "stream-time", G_TYPE_UINT64, &stream_time, "running-time",
                                    G_TYPE_UINT64, &running_time, "duration", G_TYPE_UINT64,
                                    &duration, "frame", G_TYPE_UINT64, &frame, NULL));
  g_assert_cmpuint (timestamp, ==, 2 * GST_SECOND);
  g_assert_cmpuint (stream_time, ==, 6 * GST_SECOND);
  g_assert_cmpuint (running_time, ==, 3 * GST_SECOND);
  g_assert_cmpuint (duration, ==, GST_SECOND / 25);
  g_assert_cmpuint (frame, ==, 0);
  g_assert_cmpuint (strlen (gst_structure_get_string (structure, "model")), ==, 64);

  labels = gst_structure_get_value (structure, "labels");
  g_assert_true (GST_VALUE_HOLDS_LIST (labels));
  g_assert_cmpuint (gst_value_list_get_size (labels), ==, 2);
  label = gst_value_get_structure (gst_value_list_get_value (labels, 0));
  g_assert_true (
      gst_structure_get (label, "index", G_TYPE_UINT, &index, "score", G_TYPE_FLOAT, &score, NULL));
  g_assert_cmpuint (index, ==, TINY_BLUE);
  g_assert_cmpfloat (score, >, 0.99f);
  g_assert_cmpstr (gst_structure_get_string (label, "label"), ==, "blue");
}

static void
test_post_messages (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, "post-messages", FALSE, NULL);

  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  gst_buffer_unref (fixture_process (fixture, RED, 0));
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_ELEMENT));
  g_object_set (fixture->element, "post-messages", TRUE, NULL);
  gst_buffer_unref (fixture_process (fixture, RED, 1));
  gst_message_unref (fixture_wait (fixture, GST_MESSAGE_ELEMENT));
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_ELEMENT));
}

/* --- In whole pipelines --- */

/* Runs to EOS, and gives back what `launch` left in its appsink-like fakesink: how many buffers had
 * which best class. */
static void
on_handoff (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  const SlLabelMeta *meta = sl_buffer_get_label_meta (buffer, NULL);
  guint *counts = data;

  /* From a file every frame has a result of its own. */
  g_assert_nonnull (meta);
  g_assert_true (meta->fresh);
  g_assert_cmpuint (meta->age, ==, 0);
  counts[fixture_best (buffer)]++;
}

static void
run_pipeline (const gchar *launch, guint *counts)
{
  g_autofree gchar *path = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  g_autofree gchar *line = g_strdup_printf (launch, path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstBus) bus = NULL;

  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (sink, "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_handoff), counts);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_assert_no_error (error);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* No main loop, no converter, every frame. */
static void
test_pipeline (void)
{
  guint counts[TINY_CLASSES + 1] = {0};

  run_pipeline ("videotestsrc pattern=red num-buffers=50 ! video/x-raw,width=320,height=240 ! "
                "slclassify model-file=%s ! fakesink name=sink",
                counts);
  g_assert_cmpuint (counts[TINY_RED], ==, 50);
}

static void
test_survives (void)
{
  guint counts[TINY_CLASSES + 1] = {0};

  run_pipeline ("videotestsrc pattern=blue num-buffers=20 ! video/x-raw,width=320,height=240 ! "
                "slclassify model-file=%s ! queue ! videoconvert ! video/x-raw,format=RGB ! "
                "videoscale ! video/x-raw,width=64,height=64 ! videocrop top=8 ! "
                "videoflip method=clockwise ! fakesink name=sink",
                counts);
  g_assert_cmpuint (counts[TINY_BLUE], ==, 20);
}

typedef struct {
  GMutex lock;
  GHashTable
      *memory; /* memories that went into the tee, counted by those that came out of slclassify */
  guint n_in, n_same;
} TeeWatch;

static GstPadProbeReturn
watch_in (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  TeeWatch *watch = data;

  g_mutex_lock (&watch->lock);
  g_hash_table_add (watch->memory, gst_buffer_peek_memory (GST_PAD_PROBE_INFO_BUFFER (info), 0));
  watch->n_in++;
  g_mutex_unlock (&watch->lock);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
watch_out (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  TeeWatch *watch = data;

  g_mutex_lock (&watch->lock);
  if (g_hash_table_contains (watch->memory,
                             gst_buffer_peek_memory (GST_PAD_PROBE_INFO_BUFFER (info), 0)))
    watch->n_same++;
  g_mutex_unlock (&watch->lock);
  return GST_PAD_PROBE_OK;
}

static void
add_watch (GstElement *pipeline, const gchar *name, const gchar *pad_name,
           GstPadProbeCallback callback, TeeWatch *watch)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, pad_name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, watch, NULL);
}

/* After a tee everybody holds every frame; still none is copied. */
static void
test_tee (void)
{
  g_autofree gchar *path = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  g_autofree gchar *line = g_strdup_printf (
      "videotestsrc num-buffers=20 ! video/x-raw,width=320,height=240 ! tee name=t "
      "t. ! queue ! slclassify name=c model-file=%s ! fakesink "
      "t. ! queue ! fakesink",
      path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  TeeWatch watch = {.memory = g_hash_table_new (NULL, NULL)};
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstBus) bus = NULL;

  g_assert_no_error (error);
  g_mutex_init (&watch.lock);
  add_watch (pipeline, "c", "sink", watch_in, &watch);
  add_watch (pipeline, "c", "src", watch_out, &watch);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (watch.n_in, ==, 20);
  g_assert_cmpuint (watch.n_same, ==, 20);
  g_hash_table_unref (watch.memory);
  g_mutex_clear (&watch.lock);
}

/* Two in a row keep apart by name. */
static void
test_two (void)
{
  g_autofree gchar *path = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  g_autofree gchar *line = g_strdup_printf (
      "slclassify name=one model-file=%s top-k=1 ! slclassify name=two model-file=%s top-k=2", path,
      path);
  GstHarness *h = gst_harness_new_parse (line);
  g_autoptr (GstBuffer) buffer = NULL;

  gst_harness_set_live (h, FALSE);
  gst_harness_set_src_caps_str (h, "video/x-raw,format=GRAY8,width=16,height=16,framerate=25/1");
  buffer = gst_harness_create_buffer (h, 256);
  gst_buffer_memset (buffer, 0, 0, -1);
  buffer = gst_harness_push_and_pull (h, buffer);
  g_assert_cmpuint (sl_buffer_get_label_meta (buffer, "one")->n_labels, ==, 1);
  g_assert_cmpuint (sl_buffer_get_label_meta (buffer, "two")->n_labels, ==, 2);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/slclassify/meta", test_meta);
  g_test_add_func ("/slclassify/top-k-and-threshold", test_top_k_and_threshold);
  g_test_add_func ("/slclassify/label-file", test_label_file);
  g_test_add_func ("/slclassify/message", test_message);
  g_test_add_func ("/slclassify/post-messages", test_post_messages);
  g_test_add_func ("/slclassify/pipeline", test_pipeline);
  g_test_add_func ("/slclassify/survives", test_survives);
  g_test_add_func ("/slclassify/tee", test_tee);
  g_test_add_func ("/slclassify/two", test_two);
  return fixture_run ();
}
