/* slresults: which rows come of what buffers carry. */
#include "results-fixture.h"

#include <gst/check/gsttestclock.h>
#include <sightline-gst/geometry-meta.h>
#include <sightline-gst/result-event.h>
#include <string.h>

/* --- Which rows --- */

static void
test_passthrough (void)
{
  g_autofree gchar *path = results_place ("passthrough.jsonl");
  g_autoptr (Fixture) fixture = results_start (path, NULL);
  GstBuffer *buffer = results_buffer (0);

  /* Held by somebody else too, and yet not copied. */
  results_add_labels (buffer, "net", "m", 0, 0, "a", 0.75f);
  gst_buffer_ref (buffer);
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  g_autoptr (GstBuffer) out = gst_harness_pull (fixture->harness);
  g_assert_true (out == buffer);
  gst_buffer_unref (buffer);

  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (fixture->harness->sinkpad);
  g_assert_cmpstr (gst_structure_get_name (gst_caps_get_structure (caps, 0)), ==,
                   "video/x-anything");
  /* Others in mid-stream, and buffers without results or content. */
  gst_harness_set_src_caps_str (fixture->harness, "video/x-raw(memory:Other),format=NV12");
  results_push (fixture, results_buffer (1));
  buffer = results_buffer (2);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  results_add_labels (buffer, "net", "m", 2, 0, "a", 0.5f);
  results_push (fixture, buffer);
  results_push_eos (fixture);
  results_assert_file (path, ROW ("0", "0", "a", "0.75") ROW ("2", "0.2", "a", "0.5"));
  results_assert_no_message (fixture);
}

/* Whoever waits for EOS finds everything. */
static void
test_eos (void)
{
  g_autofree gchar *path = results_place ("eos.jsonl"), *text = NULL;
  g_autoptr (Fixture) fixture = results_start (path, "max-size-bytes", 100, NULL);

  for (guint i = 0; i < 3000; i++)
    results_push_frame (fixture, i, "a");
  results_push_eos (fixture);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3001);
  g_assert_nonnull (strstr (lines[2999], "\"frame\":2999,"));
  g_assert_cmpuint (results_get_stat (fixture, "rows"), ==, 3000);
  g_assert_cmpuint (results_get_stat (fixture, "bytes"), ==, strlen (text));
  g_assert_cmpuint (results_get_stat (fixture, "refused"), ==, 0);
  g_assert_cmpuint (results_get_stat (fixture, "queued"), ==, 0);
}

/* A result that several buffers carry makes one row, also where the one that it was new on is lost
 * or comes twice. */
static void
test_once (void)
{
  g_autofree gchar *path = results_place ("once.jsonl");
  g_autoptr (Fixture) fixture = results_start (path, NULL);
  const struct {
    guint n, frame;
  } buffers[] = {{0, 0}, {0, 0}, {1, 0}, {2, 1}, {3, 1}};

  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++) {
    GstBuffer *buffer = results_buffer (buffers[i].n);
    results_add_labels (buffer, "net", "m", buffers[i].frame, buffers[i].n - buffers[i].frame, "a",
                        0.75f);
    results_push (fixture, buffer);
  }
  /* The same numbers in another stream are other frames. */
  gst_harness_push_event (fixture->harness, gst_event_new_stream_start ("other"));
  results_push_frame (fixture, 1, "a");
  results_push_eos (fixture);
  results_assert_file (
      path, ROW ("0", "0", "a",
                 "0.75") "{\"source\":\"s\",\"frame\":1,\"pts\":0.1,\"labels\":[{\"index\":0,"
                         "\"label\":\"a\","
                         "\"score\":0.75}],\"model\":\"m\",\"producer\":\"net\",\"age\":1}\n" ROW (
                             "1", "0.1", "a", "0.75"));
}

/* As behind an encoder with B-frames: frames that are shown earlier come later, and all timestamps
 * lie a thousand hours on, but for those that the metas tell of. */
static void
test_encoded (void)
{
  static const guint order[] = {0, 3, 1, 2, 6, 4, 5};
  const GstClockTime start = 1000 * 3600 * GST_SECOND - 1234;
  g_autofree gchar *path = results_place ("encoded.jsonl");
  g_autoptr (Fixture) fixture = results_start (path, NULL);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = start;
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    GstBuffer *buffer = results_buffer (order[i]);

    results_add_labels (buffer, "net", "m", order[i] / 3 * 3, 0, "a", 0.75f);
    GST_BUFFER_PTS (buffer) += start;
    results_push (fixture, buffer);
  }
  results_push_eos (fixture);
  results_assert_file (path, ROW ("0", "0", "a", "0.75") ROW ("3", "0.3", "a", "0.75")
                                 ROW ("6", "0.6", "a", "0.75"));
}

/* Changed while playing, and back. */
static void
test_every_frame (void)
{
  g_autofree gchar *path = results_place ("every.csv");
  g_autoptr (Fixture) fixture = results_start (path, "top-k", 1, NULL);

  for (guint i = 0; i < 6; i++) {
    GstBuffer *buffer = results_buffer (i);
    g_object_set (fixture->element, "every-frame", i >= 2 && i < 5, NULL);
    results_add_labels (buffer, "net", "m", 0, i, "a", 0.75f);
    results_push (fixture, buffer);
  }
  results_push_eos (fixture);
  results_assert_file (path, "source,frame,pts,model,producer,age,index1,label1,score1\n"
                             "s,0,0,m,net,0,0,a,0.75\n"
                             "s,2,0.2,m,net,2,0,a,0.75\n"
                             "s,3,0.3,m,net,3,0,a,0.75\n"
                             "s,4,0.4,m,net,4,0,a,0.75\n");
}

static void
test_producers (void)
{
  g_autofree gchar *path = results_place ("producers.csv");
  g_autoptr (Fixture) fixture = results_start (path, "top-k", 1, NULL);
  const gchar *const names[] = {NULL, "one", "scene", "nobody"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GstBuffer *buffer = results_buffer (i);
    g_object_set (fixture->element, "producer", names[i], NULL);
    results_add_labels (buffer, "scene", NULL, i, 0, "c", 1);
    results_add_labels (buffer, "one", "m1", i, 0, "a", 0.75f);
    results_add_labels (buffer, "two", "m2", i, 0, NULL, 0);
    results_push (fixture, buffer);
  }
  results_push_eos (fixture);
  results_assert_file (path, "source,frame,pts,model,producer,age,index1,label1,score1\n"
                             "s,0,0,m1,one,0,0,a,0.75\n"
                             "s,0,0,m2,two,0,,,\n"
                             "s,1,0.1,m1,one,0,0,a,0.75\n"
                             "s,2,0.2,,scene,0,2,c,1\n");
}

static void
add_box (GstBuffer *buffer, const gchar *producer, guint64 frame)
{
  SlGeometryMeta *meta = sl_buffer_add_geometry_meta (buffer, producer, "m");

  meta->frame = frame;
  meta->pts = frame * STEP;
  sl_geometry_meta_append_box (meta, 1, 2, 3.5, 4, 0, 0.5f, "a");
}

#define BOXES                                                                            \
  ",\"boxes\":[{\"x\":1,\"y\":2,\"width\":3.5,\"height\":4,\"index\":0,\"label\":\"a\"," \
  "\"score\":0.5}]}\n"

/* Labels and boxes of one result share a row. */
static void
test_boxes (void)
{
  g_autofree gchar *path = results_place ("boxes.jsonl");
  g_autoptr (Fixture) fixture = results_start (path, NULL);
  GstBuffer *buffer = results_buffer (0);

  results_add_labels (buffer, "net", "m", 0, 0, NULL, 0);
  add_box (buffer, "net", 0);
  add_box (buffer, "other", 0);
  sl_buffer_add_geometry_meta (buffer, "empty", "m");
  results_push (fixture, buffer);
  /* Boxes of another frame are not this one's. */
  buffer = results_buffer (1);
  results_add_labels (buffer, "net", "m", 1, 0, NULL, 0);
  add_box (buffer, "net", 0);
  results_push (fixture, buffer);
  results_push_eos (fixture);
  results_assert_file (path,
                       "{\"source\":\"s\",\"frame\":0,\"pts\":0,\"labels\":[],\"model\":\"m\","
                       "\"producer\":\"net\"" BOXES
                       "{\"source\":\"s\",\"frame\":0,\"pts\":0,\"labels\":[],\"model\":\"m\","
                       "\"producer\":\"other\"" BOXES
                       "{\"source\":\"s\",\"frame\":1,\"pts\":0.1,\"labels\":[],\"model\":\"m\","
                       "\"producer\":\"net\"}\n");
}

/* What comes from a newer Sightline may mean something else. */
static void
test_version (void)
{
  g_autofree gchar *path = results_place ("version.jsonl");
  g_autoptr (Fixture) fixture = results_start (path, NULL);
  GstBuffer *buffer = results_buffer (0);

  results_add_labels (buffer, "net", "m", 0, 0, "a", 1)->version = SL_LABEL_META_VERSION + 1;
  results_push (fixture, buffer);
  results_push_eos (fixture);
  results_assert_file (path, "");
}

/* Results that no buffer carried, before EOS; with every-frame as without. */
static void
test_event (void)
{
  g_autofree gchar *path = results_place ("event.jsonl");
  g_autoptr (Fixture) fixture = results_start (path, NULL);

  results_push_frame (fixture, 0, "a");
  for (guint i = 1; i < 3; i++) {
    GstBuffer *buffer = gst_buffer_new ();
    g_object_set (fixture->element, "every-frame", i == 2, NULL);
    results_add_labels (buffer, "net", "m", i, 0, "a", 0.75f);
    g_assert_true (gst_harness_push_event (fixture->harness, sl_result_event_new (buffer)));
  }
  /* Others are none of its business. */
  g_assert_true (gst_harness_push_event (
      fixture->harness, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
                                              gst_structure_new_empty ("sightline-result"))));
  results_push_eos (fixture);
  results_assert_file (path, ROW ("0", "0", "a", "0.75") ROW ("1", "0.1", "a", "0.75")
                                 ROW ("2", "0.2", "a", "0.75"));

  /* It goes on to those who come after. */
  guint n = 0;
  GstEvent *event;
  while ((event = gst_harness_try_pull_event (fixture->harness))) {
    n += gst_event_has_name (event, "sightline-result") ? 1 : 0;
    gst_event_unref (event);
  }
  g_assert_cmpuint (n, ==, 3);
}

/* Of a network that never makes the stream wait, too, every result is in the file at EOS. */
static void
test_latest (void)
{
  g_autofree gchar *path = results_place ("latest.jsonl"), *text = NULL;
  g_autofree gchar *model = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  g_autofree gchar *line = g_strdup_printf (
      "videotestsrc num-buffers=200 ! video/x-raw,width=64,height=48 ! slclassify name=net "
      "late-policy=latest model-file=%s ! slresults location=%s ! fakesink",
      model, path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  g_autoptr (GstElement) net = gst_bin_get_by_name (GST_BIN (pipeline), "net");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstStructure) info = NULL;
  g_autoptr (GstStructure) stats = NULL;
  guint64 inferred = 0;

  /* Held back by the sink until the model is loaded. */
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  while (!info) {
    g_object_get (net, "model-info", &info, NULL);
    g_thread_yield ();
  }
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  g_object_get (net, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "inferred", &inferred));
  g_assert_cmpuint (inferred, >, 0);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines) - 1, ==, inferred);
  g_assert_nonnull (strstr (text, "\"frame\":199,"));
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* --- Times and names --- */

static void
test_segment (void)
{
  g_autofree gchar *path = results_place ("segment.csv");
  g_autoptr (Fixture) fixture = results_start (path, "top-k", 1, "every-frame", TRUE, NULL);
  GstSegment segment;

  results_push_frame (fixture, 1, "a");
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 2 * STEP;
  segment.time = 100 * GST_SECOND;
  gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  results_push_frame (fixture, 3, "a");
  /* Before the segment's start, as after a seek between two key frames. */
  results_push_frame (fixture, 1, "a");
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  results_push_frame (fixture, 4, "a");
  results_push_eos (fixture);
  results_assert_file (path, "source,frame,pts,model,producer,age,index1,label1,score1\n"
                             "s,1,0.1,m,net,0,0,a,0.75\n"
                             "s,3,100.1,m,net,0,0,a,0.75\n"
                             "s,1,99.9,m,net,0,0,a,0.75\n"
                             "s,4,,m,net,0,0,a,0.75\n");
}

static GDateTime *
get_row_time (const gchar *path, guint row)
{
  g_autofree gchar *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  const gchar *time = strstr (lines[row], "\"time\":\"");
  g_assert_nonnull (time);
  g_autofree gchar *iso = g_strndup (time + 8, strlen ("2026-11-22T04:17:29.123456Z"));
  GDateTime *result = g_date_time_new_from_iso8601 (iso, NULL);
  g_assert_nonnull (result);
  return result;
}

/* Pushes frame 40, of second 4, at second 10 of the clock; the stream began at second 1. The row's
 * time is that moment, or `earlier` by so many microseconds. */
static void
check_wall_clock (gboolean live, gint64 earlier)
{
  g_autofree gchar *path = results_place ("wall.jsonl");
  g_autoptr (Fixture) fixture = results_start (path, NULL);
  g_autoptr (GDateTime) time = NULL;
  g_autoptr (GDateTime) from = NULL;
  g_autoptr (GDateTime) to = NULL;

  gst_element_set_state (fixture->element, GST_STATE_READY);
  g_object_set (fixture->element, "wall-clock", TRUE, NULL);
  gst_harness_use_testclock (fixture->harness);
  gst_harness_set_live (fixture->harness, live);
  gst_harness_play (fixture->harness);
  gst_element_set_base_time (fixture->element, GST_SECOND);
  g_assert_true (gst_harness_set_time (fixture->harness, 10 * GST_SECOND));

  from = g_date_time_new_now_utc ();
  results_push_frame (fixture, 40, "a");
  to = g_date_time_new_now_utc ();
  results_push_eos (fixture);
  time = get_row_time (path, 0);
  g_assert_cmpint (g_date_time_difference (time, from), >=, -earlier);
  g_assert_cmpint (g_date_time_difference (time, to), <=, -earlier);
}

static void
test_wall_clock (void)
{
  check_wall_clock (TRUE, 5 * G_USEC_PER_SEC);
  check_wall_clock (FALSE, 0);
}

static GstPadProbeReturn
answer_uri (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) != GST_QUERY_URI || !data)
    return GST_PAD_PROBE_OK;
  gst_query_set_uri (query, data);
  return GST_PAD_PROBE_HANDLED;
}

static void
test_source (void)
{
  static const gchar *const rows[][2] = {
      {"file:///a/b%20c.mp4", "/a/b c.mp4"},
      {"rtsp://me:secret@cam.example:554/live?token=secret", "rtsp://cam.example:554/live"},
      {NULL, "out"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *path = results_place ("source.txt");
    g_autoptr (Fixture) fixture = results_start (path, "source", NULL, NULL);
    g_autofree gchar *expected = g_strdup_printf ("%s  0  0.000s  net:  a 0.750\n"
                                                  "mine  1  0.100s  net:  a 0.750\n",
                                                  rows[i][1]);

    gst_pad_add_probe (fixture->harness->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, answer_uri,
                       (gpointer)rows[i][0], NULL);
    results_push_frame (fixture, 0, "a");
    g_object_set (fixture->element, "source", "mine", NULL);
    results_push_frame (fixture, 1, "a");
    results_push_eos (fixture);
    results_assert_file (path, expected);
  }
}

/* --- WebVTT --- */

static void
test_vtt (void)
{
  g_autofree gchar *path = results_place ("cues.vtt");
  g_autoptr (Fixture) fixture = results_start (path, NULL);
  GstSegment segment;

  results_push_run (fixture, 0, 10, "a");
  results_push_run (fixture, 10, 12, "b<"); /* too short to count */
  results_push_run (fixture, 12, 20, "a");
  results_push_run (fixture, 20, 40, "b<");
  /* A jump ends what is open; what passes a second time is not told again. */
  gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  results_push_run (fixture, 0, 10, "c");
  results_push_run (fixture, 60, 70, "c");
  /* Nobody else's story. */
  GstBuffer *buffer = results_buffer (70);
  results_add_labels (buffer, "two", "m", 70, 0, "d", 1);
  results_push (fixture, buffer);
  results_push_eos (fixture);
  results_assert_file (path, "WEBVTT\n\n"
                             "00:00:00.000 --> 00:00:02.000\na 75%\n\n"
                             "00:00:02.000 --> 00:00:04.000\nb&lt; 75%\n\n"
                             "00:00:06.000 --> 00:00:07.100\nc 75%\n\n");
}

static void
test_vtt_thresholds (void)
{
  g_autofree gchar *path = results_place ("thresholds.vtt");
  g_autoptr (Fixture) fixture =
      results_start (path, "enter-score", 0.8f, "leave-score", 0.7f, "hold", (guint64)0,
                     "min-duration", (guint64)STEP, NULL);
  const gfloat scores[] = {0.75f, 0.85f, 0.75f, 0.65f, 0.9f};

  for (guint i = 0; i < G_N_ELEMENTS (scores); i++) {
    GstBuffer *buffer = results_buffer (i);
    results_add_labels (buffer, "net", "m", i, 0, "a", scores[i]);
    results_push (fixture, buffer);
  }
  results_push_eos (fixture);
  results_assert_file (path, "WEBVTT\n\n00:00:00.100 --> 00:00:00.300\na 80%\n\n"
                             "00:00:00.400 --> 00:00:00.500\na 90%\n\n");
}

/* Without EOS what is open is told when the element stops. */
static void
test_vtt_stop (void)
{
  g_autofree gchar *path = results_place ("stop.vtt");
  g_autoptr (Fixture) fixture = results_start (path, NULL);

  results_push_run (fixture, 0, 10, "a");
  gst_element_set_state (fixture->element, GST_STATE_NULL);
  results_assert_file (path, "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na 75%\n\n");
  g_assert_cmpuint (results_get_stat (fixture, "rows"), ==, 1);
}

static void
test_properties (void)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("slresults", NULL));
  guint n;
  GParamSpec **specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  /* Every property gives back what it was set to. */
  for (guint i = 0; i < n; i++) {
    g_auto (GValue) value = G_VALUE_INIT, back = G_VALUE_INIT;
    if (specs[i]->owner_type != G_OBJECT_TYPE (element) || !(specs[i]->flags & G_PARAM_WRITABLE))
      continue;
    g_value_init (&value, specs[i]->value_type);
    g_value_init (&back, specs[i]->value_type);
    if (G_VALUE_HOLDS_STRING (&value))
      g_value_set_static_string (&value, "text");
    else if (G_VALUE_HOLDS_BOOLEAN (&value))
      g_value_set_boolean (&value,
                           !g_value_get_boolean (g_param_spec_get_default_value (specs[i])));
    else if (G_VALUE_HOLDS_FLOAT (&value))
      g_value_set_float (&value, 0.125f);
    else if (G_VALUE_HOLDS_UINT64 (&value))
      g_value_set_uint64 (&value, 7);
    else if (G_VALUE_HOLDS_UINT (&value))
      g_value_set_uint (&value, 7);
    else if (G_VALUE_HOLDS_ENUM (&value))
      g_value_set_enum (&value, 2);
    else
      g_value_set_int (&value, 7);
    g_object_set_property (G_OBJECT (element), specs[i]->name, &value);
    g_object_get_property (G_OBJECT (element), specs[i]->name, &back);
    g_assert_cmpint (g_param_values_cmp (specs[i], &value, &back), ==, 0);
  }
  g_free (specs);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/slresults/passthrough", test_passthrough);
  g_test_add_func ("/slresults/eos", test_eos);
  g_test_add_func ("/slresults/once", test_once);
  g_test_add_func ("/slresults/encoded", test_encoded);
  g_test_add_func ("/slresults/every-frame", test_every_frame);
  g_test_add_func ("/slresults/producers", test_producers);
  g_test_add_func ("/slresults/boxes", test_boxes);
  g_test_add_func ("/slresults/version", test_version);
  g_test_add_func ("/slresults/event", test_event);
  g_test_add_func ("/slresults/latest", test_latest);
  g_test_add_func ("/slresults/segment", test_segment);
  g_test_add_func ("/slresults/wall-clock", test_wall_clock);
  g_test_add_func ("/slresults/source", test_source);
  g_test_add_func ("/slresults/vtt", test_vtt);
  g_test_add_func ("/slresults/vtt-thresholds", test_vtt_thresholds);
  g_test_add_func ("/slresults/vtt-stop", test_vtt_stop);
  g_test_add_func ("/slresults/properties", test_properties);
  return fixture_run ();
}
