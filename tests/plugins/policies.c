/* late-policy: which frames are looked at, who waits, what is said of it. */
#include "rig.h"

#define N_FRAMES 30

/* --- latest --- */

/* Time goes on to `until`; runs end when they have taken DELAY. *begun_at is when the one under way
 * began; a frame waits whenever one ends. */
static void
run_until (Rig *rig, GstClockTime until, GstClockTime *begun_at)
{
  while (*begun_at + DELAY <= until) {
    guint n = rig->engine.begun;

    *begun_at += DELAY;
    rig_set_time (rig, *begun_at);
    engine_step (&rig->engine);
    engine_wait (&rig->engine, n + 1);
  }
  rig_set_time (rig, until);
}

/* What a live stream gets: nobody waits, and nobody holds a buffer back. */
static void
test_latest (void)
{
  const guint most = 2 * DELAY * FPS / GST_SECOND; /* two runs, in frames */
  g_auto (Rig) rig = {0};
  GstClockTime begun_at = 0;
  guint n_fresh = 0, oldest = 0;

  rig_init (&rig, LATE_LATEST);
  for (guint n = 0; n < N_FRAMES; n++) {
    GstBuffer *in = rig_frame (&rig, n < 15 ? RED : BLUE, n), *out;
    GstMemory *memory = gst_buffer_peek_memory (in, 0);
    const SlLabelMeta *meta;

    if (n > 0)
      run_until (&rig, frame_time (n), &begun_at);
    g_assert_cmpint (gst_harness_push (rig.fixture->harness, in), ==, GST_FLOW_OK);
    out = gst_harness_try_pull (rig.fixture->harness);
    g_assert_true (out == in);
    g_assert_true (gst_buffer_is_writable (out)); /* though the network is at work */
    g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
    if (n == 0)
      engine_wait (&rig.engine, 1);

    meta = sl_buffer_get_label_meta (out, NULL);
    g_assert_true ((meta != NULL) == (n >= 3)); /* the first run ends with the third frame */
    if (meta) {
      g_assert_cmpuint (meta->age, ==, n - meta->frame);
      g_assert_cmpuint (meta->pts, ==, frame_time (meta->frame));
      g_assert_cmpuint (fixture_best (out), ==, meta->frame < 15 ? TINY_RED : TINY_BLUE);
      g_assert_true (meta->fresh == (n % 3 == 0));
      n_fresh += meta->fresh;
      oldest = MAX (oldest, meta->age);
    }
    gst_buffer_unref (out);
  }
  g_assert_cmpuint (n_fresh, ==, 9);
  g_assert_cmpuint (oldest, <=, most);
  g_assert_cmpuint (gst_harness_query_latency (rig.fixture->harness), ==, 0);
  rig_expect_told (&rig, "0 2 5 8 11 14 17 20 23");

  /* What is under way and what waits come before the end. */
  engine_open (&rig.engine);
  g_assert_true (gst_harness_push_event (rig.fixture->harness, gst_event_new_eos ()));
  rig_expect_events (&rig, "26 29 eos");
  rig_expect_told (&rig, "26 29");
  g_assert_cmpuint (rig_stat (&rig, "frames"), ==, N_FRAMES);
  g_assert_cmpuint (rig_stat (&rig, "inferred"), ==, 11);
  g_assert_cmpuint (rig_stat (&rig, "skipped"), ==, N_FRAMES - 11);
  g_assert_cmpuint (rig_count (&rig, GST_MESSAGE_QOS), ==, N_FRAMES - 11);
  g_assert_cmpuint (rig_stat (&rig, "age-max"), ==, oldest);
  rig_expect_policy (&rig, "latest");
}

/* The stream goes on while the model is loading. */
static void
test_latest_loading (void)
{
  g_auto (Rig) rig = {0};
  TestInfer *element;

  rig_init_with (&rig, "testinfer", TINY_METADATA, LATE_LATEST);
  element = (TestInfer *)rig.fixture->element;
  engine_wait (&element->gate, 1);
  for (guint n = 0; n < 3; n++)
    rig_pass (&rig, RED, n);
  g_assert_cmpuint (rig_stat (&rig, "skipped"), ==, 0);
  engine_open (&element->gate);
  rig_wait_loaded (&rig);
  engine_open (&rig.engine);
  rig_pass (&rig, RED, 3);
  rig_settle (&rig);
  rig_expect_told (&rig, "3");
}

/* EOS before the model is there waits for nothing. */
static void
test_latest_eos_loading (void)
{
  g_auto (Rig) rig = {0};
  TestInfer *element;

  rig_init_with (&rig, "testinfer", TINY_METADATA, LATE_LATEST);
  element = (TestInfer *)rig.fixture->element;
  rig_pass (&rig, RED, 0);
  g_assert_true (gst_harness_push_event (rig.fixture->harness, gst_event_new_eos ()));
  rig_expect_events (&rig, "eos");
  engine_open (&element->gate);
}

static void
test_latest_broken_model (void)
{
  g_autofree gchar *path = g_build_filename (fixture_folder, "absent.onnx", NULL);
  g_auto (Rig) rig = {0};
  const GstSlLoaded *loaded;

  rig_init (&rig, LATE_LATEST);
  gst_element_set_state (rig.fixture->element, GST_STATE_NULL);
  g_object_set (rig.fixture->element, "model-file", path, NULL);
  gst_element_set_state (rig.fixture->element, GST_STATE_PLAYING);
  fixture_set_caps (rig.fixture, "RGB", 64, 48, NULL);
  g_assert_cmpint (gst_sl_loader_wait (&rig.priv->loader, &loaded), ==, GST_FLOW_ERROR);
  g_assert_cmpint (rig_push (&rig, RED, 0), ==, GST_FLOW_ERROR);
  g_assert_cmpuint (rig_count (&rig, GST_MESSAGE_ERROR), ==, 1);
}

/* A GAP carries the last result like any other frame, and the next picture is looked at instead. */
static void
test_latest_gap (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstBuffer) out = NULL;
  GstBuffer *gap;

  rig_init (&rig, LATE_LATEST);
  engine_open (&rig.engine);
  rig_pass (&rig, RED, 0);
  rig_settle (&rig);
  gap = rig_frame (&rig, BLUE, 1);
  GST_BUFFER_FLAG_SET (gap, GST_BUFFER_FLAG_GAP);
  g_assert_cmpint (gst_harness_push (rig.fixture->harness, gap), ==, GST_FLOW_OK);
  out = gst_harness_pull (rig.fixture->harness);
  g_assert_cmpuint (fixture_best (out), ==, TINY_RED);
  rig_pass (&rig, GREEN, 2);
  rig_settle (&rig);
  rig_expect_told (&rig, "0 2");
}

/* --- block and skip --- */

static void
test_block_live (void)
{
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_BLOCK);
  rig.engine.takes = DELAY;
  gst_harness_set_upstream_latency (rig.fixture->harness, 20 * GST_MSECOND);
  g_assert_cmpuint (gst_harness_query_latency (rig.fixture->harness), ==, 20 * GST_MSECOND);
  for (guint n = 0; n < N_FRAMES; n++) {
    g_autoptr (GstBuffer) out = NULL;
    const SlLabelMeta *meta;

    rig_set_time (&rig, frame_time (n) + 20 * GST_MSECOND);
    out = rig_process (&rig, RED, n);
    meta = sl_buffer_get_label_meta (out, NULL);
    g_assert_cmpuint (meta->frame, ==, n);
    g_assert_cmpuint (meta->age, ==, 0);
    g_assert_true (meta->fresh);
  }
  g_assert_cmpuint (gst_harness_query_latency (rig.fixture->harness), ==, 120 * GST_MSECOND);
  g_assert_cmpuint (rig_stat (&rig, "latency"), ==, DELAY);
  g_assert_cmpuint (rig_stat (&rig, "skipped"), ==, 0);
  g_assert_cmpuint (rig_count (&rig, GST_MESSAGE_LATENCY), ==, 1);
  g_assert_cmpuint (rig_count (&rig, GST_MESSAGE_QOS), ==, 0);
  rig_expect_policy (&rig, "block");
}

/* From a file nothing is stated: it would delay what comes behind for nothing. */
static void
test_block_not_live (void)
{
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_BLOCK);
  gst_harness_set_live (rig.fixture->harness, FALSE);
  rig.engine.takes = DELAY;
  rig_pass (&rig, RED, 0);
  g_assert_cmpuint (gst_harness_query_latency (rig.fixture->harness), ==, 0);
  g_assert_cmpuint (rig_stat (&rig, "latency"), ==, 0);
  g_assert_cmpuint (rig_count (&rig, GST_MESSAGE_LATENCY), ==, 0);
}

static void
test_skip (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstMessage) message = NULL;
  guint64 processed, dropped, timestamp;
  GstFormat format;
  gint64 late;

  rig_init (&rig, LATE_SKIP);
  rig.engine.takes = DELAY;
  for (guint n = 0; n < N_FRAMES; n++) {
    g_autoptr (GstBuffer) out = NULL;
    const SlLabelMeta *meta;

    rig_set_time (&rig, frame_time (n));
    out = rig_process (&rig, RED, n);
    meta = sl_buffer_get_label_meta (out, NULL);
    g_assert_cmpuint (meta->age, ==, n % 3);
    g_assert_true (meta->fresh == (n % 3 == 0));
  }
  g_assert_cmpuint (rig_stat (&rig, "inferred"), ==, 10);
  g_assert_cmpuint (rig_stat (&rig, "skipped"), ==, 20);
  g_assert_cmpuint (rig_stat (&rig, "latency"), ==, DELAY);
  g_assert_cmpuint (gst_harness_query_latency (rig.fixture->harness), ==, DELAY);
  rig_expect_told (&rig, "0 3 6 9 12 15 18 21 24 27");

  message = rig_pop (&rig, GST_MESSAGE_QOS);
  gst_message_parse_qos (message, NULL, NULL, NULL, &timestamp, NULL);
  gst_message_parse_qos_values (message, &late, NULL, NULL);
  gst_message_parse_qos_stats (message, &format, &processed, &dropped);
  g_assert_cmpuint (timestamp, ==, frame_time (1));
  g_assert_cmpint (late, ==, DELAY - frame_time (1));
  g_assert_cmpint (format, ==, GST_FORMAT_BUFFERS);
  g_assert_cmpuint (processed, ==, 1);
  g_assert_cmpuint (dropped, ==, 1);
  g_assert_cmpuint (rig_count (&rig, GST_MESSAGE_QOS), ==, 19);
}

/* What upstream's latency delays is not late; nor is anything without clock or timestamps, or from
 * a file. */
static void
test_skip_nothing (void)
{
  for (guint variant = 0; variant < 4; variant++) {
    g_auto (Rig) rig = {0};

    rig_init (&rig, LATE_SKIP);
    rig.engine.takes = DELAY;
    if (variant == 0)
      gst_harness_set_upstream_latency (rig.fixture->harness, N_FRAMES * DELAY);
    else if (variant == 1)
      gst_harness_set_live (rig.fixture->harness, FALSE);
    else if (variant == 2)
      gst_element_set_clock (rig.fixture->element, NULL);
    for (guint n = 0; n < 6; n++) {
      GstBuffer *buffer = rig_frame (&rig, RED, n);

      if (variant == 3)
        GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
      g_assert_cmpint (gst_harness_push (rig.fixture->harness, buffer), ==, GST_FLOW_OK);
      gst_buffer_unref (gst_harness_pull (rig.fixture->harness));
    }
    g_assert_cmpuint (rig_stat (&rig, "inferred"), ==, 6);
    g_assert_cmpuint (rig_stat (&rig, "skipped"), ==, 0);
  }
}

/* After a flush running time begins anew: nothing is late by what was before. */
static void
test_skip_flush (void)
{
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_SKIP);
  rig.engine.takes = DELAY;
  rig_pass (&rig, RED, 0);
  rig_flush (&rig);
  rig_pass (&rig, RED, 1);
  g_assert_cmpuint (rig_stat (&rig, "inferred"), ==, 2);
}

/* The stated latency follows the slowest run at once, and a faster network after a while. */
static void
test_peak (void)
{
  GstSlPeak peak = {0};
  guint n = 0;

  g_assert_true (gst_sl_peak_add (&peak, 1));
  g_assert_cmpuint (peak.stated, >=, 1);
  g_assert_cmpuint (peak.stated, <=, 10 * GST_MSECOND);
  g_assert_true (gst_sl_peak_add (&peak, 100 * GST_MSECOND + 1));
  g_assert_cmpuint (peak.stated, >, 100 * GST_MSECOND);
  g_assert_cmpuint (peak.stated, <=, 110 * GST_MSECOND);
  g_assert_false (gst_sl_peak_add (&peak, 99 * GST_MSECOND));
  while (!gst_sl_peak_add (&peak, 20 * GST_MSECOND))
    g_assert_cmpuint (++n, <, 1000);
  g_assert_cmpuint (n, >, 50);
  g_assert_cmpuint (peak.stated, ==, 20 * GST_MSECOND);
  /* A little less is no reason to change. */
  for (n = 0; n < 1000; n++)
    g_assert_false (gst_sl_peak_add (&peak, 15 * GST_MSECOND));
}

/* --- auto, and changes --- */

static void
test_auto (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstBuffer) out = NULL;

  rig_init (&rig, LATE_AUTO);
  rig_pass (&rig, RED, 0); /* or this would wait for the network */
  engine_wait (&rig.engine, 1);
  rig_expect_policy (&rig, "latest");
  engine_open (&rig.engine);
  rig_settle (&rig);

  /* Upstream is asked once more with each segment. */
  gst_harness_set_live (rig.fixture->harness, FALSE);
  rig_flush (&rig);
  out = rig_process (&rig, BLUE, 1);
  g_assert_cmpuint (sl_buffer_get_label_meta (out, NULL)->frame, ==, 1);
  rig_expect_policy (&rig, "block");
}

/* A pipeline that hands out another latency may have another source. */
static void
test_auto_asks_again (void)
{
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_AUTO);
  engine_open (&rig.engine);
  rig_pass (&rig, RED, 0);
  rig_expect_policy (&rig, "latest");
  gst_harness_set_live (rig.fixture->harness, FALSE);
  rig_pass (&rig, RED, 1);
  rig_expect_policy (&rig, "latest");
  gst_harness_push_upstream_event (rig.fixture->harness, gst_event_new_latency (0));
  rig_pass (&rig, RED, 2);
  rig_expect_policy (&rig, "block");
}

static gpointer
push_next (gpointer data)
{
  return GINT_TO_POINTER (rig_push (data, GREEN, 1));
}

/* What an earlier policy began is finished, told and sent on before the next is in force. */
static void
test_latest_to_block (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstBuffer) out = NULL;
  GThread *thread;

  rig_init (&rig, LATE_LATEST);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  g_object_set (rig.fixture->element, "late-policy", LATE_BLOCK, NULL);
  thread = g_thread_new ("push", push_next, &rig);
  engine_open (&rig.engine);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_OK);
  out = gst_harness_pull (rig.fixture->harness);
  g_assert_cmpuint (fixture_best (out), ==, TINY_GREEN);
  g_assert_cmpuint (sl_buffer_get_label_meta (out, NULL)->age, ==, 0);
  rig_expect_events (&rig, "0");
  rig_expect_told (&rig, "0 1");
}

/* And back: nobody waits from the next frame on, and the latency that was stated is taken back. */
static void
test_block_to_latest (void)
{
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_BLOCK);
  rig.engine.takes = DELAY;
  rig_pass (&rig, RED, 0);
  g_assert_cmpuint (rig_count (&rig, GST_MESSAGE_LATENCY), ==, 1);
  rig.engine.takes = 0;
  g_object_set (rig.fixture->element, "late-policy", LATE_LATEST, NULL);
  rig_pass (&rig, RED, 1);
  engine_wait (&rig.engine, 2);
  g_assert_cmpuint (rig_count (&rig, GST_MESSAGE_LATENCY), ==, 1);
  g_assert_cmpuint (gst_harness_query_latency (rig.fixture->harness), ==, 0);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  rig_register_elements ();
  g_test_add_func ("/policies/latest", test_latest);
  g_test_add_func ("/policies/latest/loading", test_latest_loading);
  g_test_add_func ("/policies/latest/eos-loading", test_latest_eos_loading);
  g_test_add_func ("/policies/latest/broken-model", test_latest_broken_model);
  g_test_add_func ("/policies/latest/gap", test_latest_gap);
  g_test_add_func ("/policies/block/live", test_block_live);
  g_test_add_func ("/policies/block/not-live", test_block_not_live);
  g_test_add_func ("/policies/skip", test_skip);
  g_test_add_func ("/policies/skip/nothing", test_skip_nothing);
  g_test_add_func ("/policies/skip/flush", test_skip_flush);
  g_test_add_func ("/policies/peak", test_peak);
  g_test_add_func ("/policies/auto", test_auto);
  g_test_add_func ("/policies/auto/asks-again", test_auto_asks_again);
  g_test_add_func ("/policies/latest-to-block", test_latest_to_block);
  g_test_add_func ("/policies/block-to-latest", test_block_to_latest);
  return fixture_run ();
}
