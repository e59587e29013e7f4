/* What every analysing element shares, tried on slclassify: loading, caps, flushes, states,
 * properties. */
#include "fixture.h"

#include <glib/gstdio.h>
#include <sightline-gst/shared-model.h>

/* --- Loading --- */

static void
expect_progress (Fixture *fixture, GstProgressType wanted)
{
  g_autoptr (GstMessage) message = fixture_wait (fixture, GST_MESSAGE_PROGRESS);
  g_autofree gchar *code = NULL, *text = NULL;
  GstProgressType type;

  g_assert_nonnull (message);
  gst_message_parse_progress (message, &type, &code, &text);
  g_assert_cmpint (type, ==, wanted);
  g_assert_cmpstr (code, ==, "model");
  g_assert_nonnull (strstr (text, ".onnx"));
}

static void
test_progress (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);

  expect_progress (fixture, GST_PROGRESS_TYPE_START);
  expect_progress (fixture, GST_PROGRESS_TYPE_COMPLETE);
  gst_element_set_state (fixture->element, GST_STATE_NULL);
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_PROGRESS));
}

/* Every start has its end, however quickly the state changes. */
static void
test_progress_pairs (void)
{
  g_autofree gchar *path = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("slclassify", NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  guint n_started = 0, n_ended = 0;
  GstMessage *message;

  g_object_set (element, "model-file", path, NULL);
  gst_element_set_bus (element, bus);
  for (guint i = 0; i < 30; i++) {
    GstPad *pad = gst_element_get_static_pad (element, "sink");

    gst_element_set_state (element, GST_STATE_PAUSED);
    gst_pad_set_active (pad, TRUE);
    gst_object_unref (pad);
    if (i % 3 == 0)
      g_usleep (2000);
    gst_element_set_state (element, GST_STATE_NULL);
    while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_PROGRESS | GST_MESSAGE_ERROR))) {
      GstProgressType type;

      g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_PROGRESS);
      gst_message_parse_progress (message, &type, NULL, NULL);
      if (type == GST_PROGRESS_TYPE_START)
        n_started++;
      else
        n_ended++;
      g_assert_cmpint (type, !=, GST_PROGRESS_TYPE_ERROR);
      gst_message_unref (message);
    }
    g_assert_cmpuint (n_started, ==, i + 1);
    g_assert_cmpuint (n_ended, ==, i + 1);
  }
  gst_element_set_bus (element, NULL);
}

/* Without model-file the network that is built in runs. */
static void
test_default_model (void)
{
  g_autoptr (Fixture) fixture = NULL;
  g_autoptr (GstStructure) info = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  const SlLabelMeta *meta;

  if (!sl_builtin_model_get_bytes ()) {
    g_test_skip ("no network is built in");
    return;
  }
  fixture = fixture_new ("slclassify", NULL);
  fixture_set_caps (fixture, "I420", 64, 64, NULL);
  buffer = fixture_process (fixture, RED, 0);
  meta = sl_buffer_get_label_meta (buffer, NULL);
  g_assert_cmpuint (meta->n_labels, >, 0);
  g_object_get (fixture->element, "model-info", &info, NULL);
  g_assert_cmpstr (gst_structure_get_string (info, "hash"), ==, meta->model);
  g_assert_nonnull (strstr (gst_structure_get_string (info, "path"), "built in"));
}

/* The environment names another one. */
static void
test_default_from_environment (void)
{
  g_autofree gchar *path = tiny_model_write (fixture_folder, "default.onnx", TINY_METADATA);
  g_autoptr (Fixture) fixture = NULL;
  g_autoptr (GstBuffer) buffer = NULL;

  g_setenv ("SIGHTLINE_MODEL", path, TRUE);
  fixture = fixture_new ("slclassify", NULL);
  fixture_set_caps (fixture, "I420", 64, 64, NULL);
  buffer = fixture_process (fixture, GREEN, 0);
  g_unsetenv ("SIGHTLINE_MODEL");
  g_assert_cmpuint (fixture_best (buffer), ==, TINY_GREEN);
}

static void
check_broken (const gchar *property, const gchar *name, const gchar *content, gssize size,
              GQuark domain, gint code)
{
  g_autofree gchar *path = g_build_filename (fixture_folder, name, NULL);
  g_autoptr (Fixture) fixture = NULL;
  GstBuffer *frame;

  if (content)
    g_assert_true (g_file_set_contents (path, content, size, NULL));
  fixture = fixture_new_infer (TINY_METADATA, NULL);
  gst_element_set_state (fixture->element, GST_STATE_NULL);
  gst_bus_set_flushing (fixture->bus, TRUE);
  gst_bus_set_flushing (fixture->bus, FALSE);

  g_object_set (fixture->element, property, path, NULL);
  gst_element_set_state (fixture->element, GST_STATE_PLAYING);
  fixture_set_caps (fixture, "RGB", 16, 16, NULL);
  frame = fixture_frame (fixture, RED, 0);
  g_assert_cmpint (gst_harness_push (fixture->harness, frame), ==, GST_FLOW_ERROR);
  expect_progress (fixture, GST_PROGRESS_TYPE_START);
  expect_progress (fixture, GST_PROGRESS_TYPE_ERROR);
  fixture_expect_error (fixture, domain, code, name);
  if (content)
    g_unlink (path);
}

static void
test_broken_model (void)
{
  check_broken ("model-file", "absent.onnx", NULL, 0, GST_RESOURCE_ERROR,
                GST_RESOURCE_ERROR_OPEN_READ);
  check_broken ("model-file", "empty.onnx", "", 0, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
  check_broken ("model-file", "text.onnx", "\x89PNG, or so it says", -1, GST_LIBRARY_ERROR,
                GST_LIBRARY_ERROR_SETTINGS);
}

static void
test_broken_labels (void)
{
  check_broken ("label-file", "absent.txt", NULL, 0, GST_RESOURCE_ERROR,
                GST_RESOURCE_ERROR_OPEN_READ);
}

static void
test_labels_do_not_fit (void)
{
  g_autofree gchar *labels = g_build_filename (fixture_folder, "two.txt", NULL);
  g_autoptr (Fixture) fixture = NULL;

  g_assert_true (g_file_set_contents (labels, "one\ntwo\n", -1, NULL));
  fixture = fixture_new_infer (TINY_METADATA, "label-file", labels, NULL);
  fixture_expect_error (fixture, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "2");
}

static void
test_unknown_device (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, "device", "abacus", NULL);

  fixture_expect_error (fixture, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "abacus");
}

static void
test_wrong_rule (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, "mean", "a lot", NULL);

  fixture_expect_error (fixture, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "a lot");
}

/* What the properties say beats what the model says (here: wrongly). */
static void
test_rules (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA | TINY_BGR, "color", 1, NULL);
  g_autoptr (GstBuffer) buffer = NULL;

  fixture_set_caps (fixture, "RGB", 16, 16, NULL);
  buffer = fixture_process (fixture, RED, 0);
  g_assert_cmpuint (fixture_best (buffer), ==, TINY_RED);
}

/* Each rule can be set, read back, and unset. */
static void
test_rule_properties (void)
{
  static const gchar *rules[][3] = {
      {"color", "bgr", "auto"},
      {"range", "-1..1", ""},
      {"mean", "0.1,0.2,0.3", ""},
      {"std", "2", ""},
      {"resize", "crop", "auto"},
      {"resize-size", "12", "0"},
      {"output", "probabilities", "auto"},
  };
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("slclassify", NULL));

  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    for (guint k = 1; k < 3; k++) {
      GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), rules[i][0]);
      g_auto (GValue) value = G_VALUE_INIT;
      g_autofree gchar *text = NULL;

      g_value_init (&value, pspec->value_type);
      gst_util_set_object_arg (G_OBJECT (element), rules[i][0], rules[i][k]);
      g_object_get_property (G_OBJECT (element), rules[i][0], &value);
      if (k == 2)
        g_assert_true (g_param_value_defaults (pspec, &value));
      else if (G_VALUE_HOLDS_STRING (&value))
        g_assert_cmpstr (g_value_get_string (&value), ==, rules[i][k]);
      else
        g_assert_cmpstr ((text = gst_value_serialize (&value)), ==, rules[i][k]);
    }
}

/* All of them reach the model. */
static void
test_rules_reach_model (void)
{
  g_autoptr (Fixture) fixture =
      fixture_new_infer (TINY_METADATA, "color", 2, "range", "-1..1", "mean", "0.5", "std", "2",
                         "resize", 2, "resize-size", 12, NULL);
  g_autoptr (GstStructure) info = NULL;
  const GValue *array;
  guint size;

  expect_progress (fixture, GST_PROGRESS_TYPE_START);
  expect_progress (fixture, GST_PROGRESS_TYPE_COMPLETE);
  g_object_get (fixture->element, "model-info", &info, NULL);
  g_assert_cmpstr (gst_structure_get_string (info, "color"), ==, "bgr");
  g_assert_cmpstr (gst_structure_get_string (info, "resize"), ==, "crop");
  g_assert_true (gst_structure_get_uint (info, "resize-size", &size));
  g_assert_cmpuint (size, ==, 12);
  array = gst_structure_get_value (info, "std");
  g_assert_cmpuint (gst_value_array_get_size (array), ==, 3);
}

/* A network that says nothing is used with defaults, and that is said once. */
static void
test_assumed (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_PLAIN, NULL);
  g_autoptr (GstMessage) message = fixture_wait (fixture, GST_MESSAGE_INFO);
  g_autoptr (GstStructure) info = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  const SlLabelMeta *meta;

  g_assert_nonnull (message);
  g_object_get (fixture->element, "model-info", &info, NULL);
  g_assert_nonnull (gst_structure_get_string (info, "assumed"));

  fixture_set_caps (fixture, "RGB", 16, 16, NULL);
  buffer = fixture_process (fixture, GREEN, 0);
  meta = sl_buffer_get_label_meta (buffer, NULL);
  g_assert_cmpstr (meta->labels[0].label, ==, "1"); /* nobody gave a name */
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_INFO));
}

static void
test_model_info (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  g_autoptr (GstStructure) info = NULL;
  guint width, labels;

  expect_progress (fixture, GST_PROGRESS_TYPE_START);
  expect_progress (fixture, GST_PROGRESS_TYPE_COMPLETE);
  g_object_get (fixture->element, "model-info", &info, NULL);
  g_assert_nonnull (info);
  g_assert_true (g_str_has_suffix (gst_structure_get_string (info, "path"), "tiny.onnx"));
  g_assert_cmpuint (strlen (gst_structure_get_string (info, "hash")), ==, 64);
  g_assert_cmpstr (gst_structure_get_string (info, "device"), ==, "cpu");
  g_assert_cmpstr (gst_structure_get_string (info, "color"), ==, "rgb");
  g_assert_cmpstr (gst_structure_get_string (info, "resize"), ==, "stretch");
  g_assert_false (gst_structure_has_field (info, "assumed"));
  g_assert_true (gst_structure_get_uint (info, "width", &width));
  g_assert_true (gst_structure_get_uint (info, "labels", &labels));
  g_assert_cmpuint (width, ==, TINY_SIZE);
  g_assert_cmpuint (labels, ==, TINY_CLASSES);
}

/* --- Caps --- */

static void
test_renegotiation (void)
{
  static const struct {
    const gchar *format;
    gint width, height;
    guint32 color;
    guint best;
  } steps[] = {
      {"I420", 64, 48, RED, TINY_RED},       {"I420", 65, 47, GREEN, TINY_GREEN},
      {"RGBx", 1920, 1080, BLUE, TINY_BLUE}, {"NV12", 16, 16, BLACK, TINY_NONE},
      {"I420_10LE", 16, 16, RED, TINY_RED},  {"I420", 64, 48, GREEN, TINY_GREEN},
  };
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    fixture_set_caps (fixture, steps[i].format, steps[i].width, steps[i].height, NULL);
    for (guint k = 0; k < 2; k++) {
      g_autoptr (GstBuffer) buffer = fixture_process (fixture, steps[i].color, 2 * i + k);

      g_assert_cmpuint (fixture_best (buffer), ==, steps[i].best);
    }
  }
}

static void
test_too_large (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 32769, NULL);

  fixture_set_caps (fixture, "GRAY8", 32769, 1, NULL);
  gst_buffer_memset (buffer, 0, 0, -1);
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_NOT_NEGOTIATED);
  fixture_expect_error (fixture, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "32768");
}

static void
test_no_caps (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (fixture->harness, gst_event_new_stream_start ("stream"));
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  g_assert_cmpint (
      gst_pad_push (fixture->harness->srcpad, gst_buffer_new_allocate (NULL, 64, NULL)), ==,
      GST_FLOW_NOT_NEGOTIATED);
}

static void
test_caps_template (void)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("slclassify", NULL));
  static const struct {
    const gchar *caps;
    gboolean accepted;
  } cases[] = {
      {"video/x-raw,format=I420,width=1,height=1,framerate=0/1", TRUE},
      {"video/x-raw,format=v210,width=1920,height=1080,framerate=60/1", TRUE},
      {"video/x-raw,format=I420_12LE,width=640,height=480,framerate=30000/1001", TRUE},
      {"video/x-raw(memory:SystemMemory,meta:GstVideoOverlayComposition),format=I420,width=64,"
       "height=48,framerate=25/1",
       TRUE},
      {"video/x-raw(memory:GLMemory),format=RGBA,width=64,height=48,framerate=25/1", FALSE},
      {"video/x-h264", FALSE},
  };
  GstPad *pad = gst_element_get_static_pad (element, "sink");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (cases[i].caps);

    if (gst_pad_query_accept_caps (pad, caps) != cases[i].accepted)
      g_error ("%s", cases[i].caps);
  }
  gst_object_unref (pad);
}

static void
test_other_memory (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-raw(memory:GLMemory),format=RGBA,width=64,height=48,framerate=25/1");

  gst_harness_push_event (fixture->harness, gst_event_new_stream_start ("stream"));
  gst_harness_push_event (fixture->harness, gst_event_new_caps (caps));
  fixture_expect_error (fixture, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, "gldownload");
}

/* Upstream may use downstream's pool: we only look. */
static void
test_allocation_passes (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  g_autoptr (GstCaps) caps = NULL;
  GstQuery *query;

  gst_harness_add_propose_allocation_meta (fixture->harness, GST_VIDEO_META_API_TYPE, NULL);
  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  gst_buffer_unref (fixture_process (fixture, RED, 0));
  caps = gst_pad_get_current_caps (fixture->harness->sinkpad);
  query = gst_query_new_allocation (caps, FALSE);
  g_assert_true (gst_pad_peer_query (fixture->harness->srcpad, query));
  g_assert_true (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  gst_query_unref (query);
}

/* --- Flow --- */

static void
test_eos (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  gboolean seen = FALSE;

  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  gst_buffer_unref (fixture_process (fixture, RED, 0));
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_eos ()));
  while (!seen) {
    GstEvent *event = gst_harness_try_pull_event (fixture->harness);

    g_assert_nonnull (event);
    seen = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
}

/* EOS without a frame is no error, whether the model is there yet or not. */
static void
test_eos_at_once (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);

  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_eos ()));
  gst_element_set_state (fixture->element, GST_STATE_NULL);
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_ERROR));
}

static void
test_flush (void)
{
  g_autoptr (Fixture) fixture =
      fixture_new_infer (TINY_METADATA, "interval", 100, "attach", ATTACH_FRESH, NULL);
  GstSegment segment;
  GstBuffer *buffer;

  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  for (guint i = 0; i < 3; i++) {
    buffer = fixture_process (fixture, RED, i);
    g_assert_cmpuint (fixture_best (buffer), ==, i == 0 ? TINY_RED : TINY_CLASSES);
    gst_buffer_unref (buffer);
  }
  gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  g_assert_cmpint (gst_harness_push (fixture->harness, fixture_frame (fixture, RED, 3)), ==,
                   GST_FLOW_FLUSHING);
  gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));

  /* After a seek the first picture is looked at, whatever the interval. */
  buffer = fixture_process (fixture, BLUE, 4);
  g_assert_cmpuint (fixture_best (buffer), ==, TINY_BLUE);
  gst_buffer_unref (buffer);
}

static gpointer
push_frame (gpointer data)
{
  Fixture *fixture = data;
  GstBuffer *buffer = fixture_frame (fixture, RED, 0);

  return GINT_TO_POINTER (gst_harness_push (fixture->harness, buffer));
}

/* A state change releases the streaming thread, whether it still waits for the model or not. */
static void
test_stop_while_waiting (void)
{
  for (guint i = 0; i < 10; i++) {
    g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
    GstFlowReturn flow;
    GThread *thread;

    fixture_set_caps (fixture, "I420", 64, 48, NULL);
    thread = g_thread_new ("push", push_frame, fixture);
    gst_element_set_state (fixture->element, GST_STATE_READY);
    flow = GPOINTER_TO_INT (g_thread_join (thread));
    g_assert_true (flow == GST_FLOW_OK || flow == GST_FLOW_FLUSHING);
    g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_ERROR));
  }
}

static void
test_state_cycles (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);

  for (guint i = 0; i < 30; i++) {
    gst_element_set_state (fixture->element, i % 2 ? GST_STATE_NULL : GST_STATE_READY);
    gst_element_set_state (fixture->element, GST_STATE_PLAYING);
    gst_harness_push_event (fixture->harness, gst_event_new_stream_start ("stream"));
    fixture_set_caps (fixture, "I420", 32, 32, NULL);
    gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
    gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
    gst_harness_set_src_caps_str (fixture->harness,
                                  "video/x-raw,format=I420,width=32,height=32,framerate=25/1");
    gst_buffer_unref (fixture_process (fixture, RED, i));
  }
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_ERROR));
}

/* --- Properties --- */

static void
test_interval (void)
{
  g_autoptr (Fixture) fixture =
      fixture_new_infer (TINY_METADATA, "interval", 3, "attach", ATTACH_FRESH, NULL);
  g_autoptr (GstStructure) stats = NULL;
  guint64 frames, inferred, least, most;

  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  for (guint i = 0; i < 10; i++) {
    g_autoptr (GstBuffer) buffer = fixture_process (fixture, RED, i);

    g_assert_cmpuint (fixture_best (buffer), ==, i % 3 == 0 ? TINY_RED : TINY_CLASSES);
  }
  g_object_set (fixture->element, "interval", 1, NULL);
  for (guint i = 10; i < 13; i++) {
    g_autoptr (GstBuffer) buffer = fixture_process (fixture, GREEN, i);

    g_assert_cmpuint (fixture_best (buffer), ==, TINY_GREEN);
    g_assert_cmpuint (sl_buffer_get_label_meta (buffer, NULL)->frame, ==, i);
  }

  g_object_get (fixture->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get (stats, "frames", G_TYPE_UINT64, &frames, "inferred",
                                    G_TYPE_UINT64, &inferred, "time-min", G_TYPE_UINT64, &least,
                                    "time-max", G_TYPE_UINT64, &most, NULL));
  g_assert_cmpuint (frames, ==, 13);
  g_assert_cmpuint (inferred, ==, 7);
  g_assert_cmpuint (least, >, 0);
  g_assert_cmpuint (most, >=, least);
}

static void
test_stream_start (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);

  for (guint stream = 0; stream < 2; stream++) {
    gst_harness_push_event (fixture->harness, gst_event_new_stream_start (stream ? "b" : "a"));
    fixture_set_caps (fixture, "I420", 64, 48, NULL);
    for (guint i = 0; i < 3; i++) {
      g_autoptr (GstBuffer) buffer = fixture_process (fixture, RED, i);

      g_assert_cmpuint (sl_buffer_get_label_meta (buffer, NULL)->frame, ==, i);
    }
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/slinfer/progress", test_progress);
  g_test_add_func ("/slinfer/progress-pairs", test_progress_pairs);
  g_test_add_func ("/slinfer/default-model", test_default_model);
  g_test_add_func ("/slinfer/default-from-environment", test_default_from_environment);
  g_test_add_func ("/slinfer/broken-model", test_broken_model);
  g_test_add_func ("/slinfer/broken-labels", test_broken_labels);
  g_test_add_func ("/slinfer/labels-do-not-fit", test_labels_do_not_fit);
  g_test_add_func ("/slinfer/unknown-device", test_unknown_device);
  g_test_add_func ("/slinfer/wrong-rule", test_wrong_rule);
  g_test_add_func ("/slinfer/rules", test_rules);
  g_test_add_func ("/slinfer/rule-properties", test_rule_properties);
  g_test_add_func ("/slinfer/rules-reach-model", test_rules_reach_model);
  g_test_add_func ("/slinfer/assumed", test_assumed);
  g_test_add_func ("/slinfer/model-info", test_model_info);
  g_test_add_func ("/slinfer/renegotiation", test_renegotiation);
  g_test_add_func ("/slinfer/too-large", test_too_large);
  g_test_add_func ("/slinfer/no-caps", test_no_caps);
  g_test_add_func ("/slinfer/caps-template", test_caps_template);
  g_test_add_func ("/slinfer/other-memory", test_other_memory);
  g_test_add_func ("/slinfer/allocation-passes", test_allocation_passes);
  g_test_add_func ("/slinfer/eos", test_eos);
  g_test_add_func ("/slinfer/eos-at-once", test_eos_at_once);
  g_test_add_func ("/slinfer/flush", test_flush);
  g_test_add_func ("/slinfer/stop-while-waiting", test_stop_while_waiting);
  g_test_add_func ("/slinfer/state-cycles", test_state_cycles);
  g_test_add_func ("/slinfer/interval", test_interval);
  g_test_add_func ("/slinfer/stream-start", test_stream_start);
  return fixture_run ();
}
