/* What is under way beside the stream, when the stream flushes, ends, changes, stops or fails. */
#include "rig.h"

/* Frames of other sizes and formats while the network is at work. */
static void
test_latest_caps (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstBuffer) out = NULL;

  rig_init (&rig, LATE_LATEST);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  fixture_set_caps (rig.fixture, "I420", 1280, 720, NULL);
  rig_pass (&rig, GREEN, 1);
  fixture_set_caps (rig.fixture, "NV12", 16, 16, NULL);
  rig_pass (&rig, BLUE, 2);
  engine_step (&rig.engine);
  engine_wait (&rig.engine, 2);
  out = rig_process (&rig, GREEN, 3);
  g_assert_cmpuint (fixture_best (out), ==, TINY_RED);
  g_clear_pointer (&out, gst_buffer_unref);
  g_object_set (rig.fixture->element, "interval", 100, NULL);
  engine_open (&rig.engine);
  rig_settle (&rig);
  out = rig_process (&rig, RED, 4);
  g_assert_cmpuint (fixture_best (out), ==, TINY_GREEN); /* of frame 3 */
  rig_expect_told (&rig, "0 2 3");
}

/* A flush while the network is at work, and frames after it before that has ended. */
static void
test_flush (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstBuffer) out = NULL;

  rig_init (&rig, LATE_LATEST);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  rig_pass (&rig, RED, 1);
  rig_flush (&rig);
  out = rig_process (&rig, BLUE, 2);
  g_assert_null (sl_buffer_get_label_meta (out, NULL));
  rig_pass (&rig, BLUE, 3);
  engine_step (&rig.engine); /* the end of frame 0's run */
  engine_wait (&rig.engine, 2);
  g_clear_pointer (&out, gst_buffer_unref);
  out = rig_process (&rig, BLUE, 4);
  g_assert_null (sl_buffer_get_label_meta (out, NULL));
  rig_expect_told (&rig, "");
  engine_open (&rig.engine);
  g_assert_true (gst_harness_push_event (rig.fixture->harness, gst_event_new_eos ()));
  rig_expect_told (&rig, "3 4");
  rig_expect_events (&rig, "3 4 eos");
}

/* A result that is ready when a flush comes is not carried after it. */
static void
test_flush_finished (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstBuffer) out = NULL;

  rig_init (&rig, LATE_LATEST);
  engine_open (&rig.engine);
  rig_pass (&rig, RED, 0);
  rig_settle (&rig);
  rig_flush (&rig);
  g_object_set (rig.fixture->element, "interval", 100, NULL);
  gst_buffer_unref (rig_process (&rig, BLUE, 1)); /* the first after a flush is looked at */
  rig_settle (&rig);
  rig_flush (&rig);
  rig.engine.open = FALSE;
  out = rig_process (&rig, RED, 2);
  g_assert_null (sl_buffer_get_label_meta (out, NULL));
  g_clear_pointer (&out, gst_buffer_unref);
  engine_open (&rig.engine);
  rig_settle (&rig);
  out = rig_process (&rig, RED, 3);
  g_assert_cmpuint (sl_buffer_get_label_meta (out, NULL)->frame, ==, 2);
  rig_expect_told (&rig, "0 1 2");
  rig_expect_events (&rig, "");
}

/* A flush while a frame is being sampled: the frame is not looked at any more. */
static void
test_flush_sampling (void)
{
  g_auto (Rig) rig = {0};
  GstSlWorker *worker;
  GstSlJob job = {0}, replaced;
  guint slot;

  rig_init (&rig, LATE_LATEST);
  engine_open (&rig.engine);
  worker = &rig.priv->worker;
  slot = gst_sl_worker_acquire (worker);
  gst_sl_worker_set_flushing (worker, TRUE);
  gst_sl_worker_set_flushing (worker, FALSE);
  g_assert_true (gst_sl_worker_submit (worker, slot, &job, &replaced, NULL));
  g_assert_true (gst_sl_worker_drain (worker));
  g_assert_null (gst_sl_worker_take (worker));
  g_assert_cmpuint (rig.engine.begun, ==, 0);
}

/* A frame that came in before a flush, and is to be looked at after that has begun. */
static void
test_flush_before_sampling (void)
{
  g_auto (Rig) rig = {0};
  GstSlWorker *worker;

  rig_init (&rig, LATE_LATEST);
  worker = &rig.priv->worker;
  gst_sl_worker_set_flushing (worker, TRUE);
  g_assert_cmpuint (gst_sl_worker_acquire (worker), ==, GST_SL_N_SLOTS);
  gst_sl_worker_set_flushing (worker, FALSE);
  g_assert_cmpuint (gst_sl_worker_acquire (worker), <, GST_SL_N_SLOTS);
}

static gpointer
push_eos (gpointer data)
{
  Rig *rig = data;

  gst_harness_push_event (rig->fixture->harness, gst_event_new_eos ());
  return NULL;
}

/* A flush releases an EOS that waits for the network, and takes it. */
static void
test_flush_at_eos (void)
{
  g_auto (Rig) rig = {0};
  GstSegment segment;
  GThread *thread;
  GstPad *pad;

  rig_init (&rig, LATE_LATEST);
  pad = GST_BASE_TRANSFORM_SINK_PAD (rig.fixture->element);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  thread = g_thread_new ("eos", push_eos, &rig);
  while (GST_PAD_STREAM_TRYLOCK (pad)) { /* until EOS has it */
    GST_PAD_STREAM_UNLOCK (pad);
    g_thread_yield ();
  }
  gst_harness_push_event (rig.fixture->harness, gst_event_new_flush_start ());
  g_thread_join (thread);
  gst_harness_push_event (rig.fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (rig.fixture->harness, gst_event_new_segment (&segment));
  engine_open (&rig.engine);
  rig_pass (&rig, GREEN, 1);
  rig_settle (&rig);
  rig_expect_told (&rig, "1");
  rig_expect_events (&rig, "");
}

static GstBusSyncReply
flush_on_result (GstBus *bus, GstMessage *message, gpointer data)
{
  Rig *rig = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT) {
    guint64 frame;

    gst_structure_get_uint64 (gst_message_get_structure (message), "frame", &frame);
    if (frame == 0)
      rig_flush (rig);
  }
  return GST_BUS_PASS;
}

/* An application that seeks as soon as it sees something, in the thread that tells it. */
static void
test_flush_from_message (void)
{
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_LATEST);
  gst_bus_set_sync_handler (rig.fixture->bus, flush_on_result, &rig, NULL);
  rig_pass (&rig, RED, 0);
  engine_step (&rig.engine);
  while (!gst_sl_worker_drain (&rig.priv->worker)) /* the flush, which releases us, has to end */
    g_thread_yield ();
  rig_pass (&rig, GREEN, 1);
  engine_step (&rig.engine);
  rig_settle (&rig);
  gst_bus_set_sync_handler (rig.fixture->bus, NULL, NULL, NULL);
  rig_expect_told (&rig, "0 1");
  g_assert_true (gst_harness_push_event (rig.fixture->harness, gst_event_new_eos ()));
  rig_expect_events (&rig, "1 eos"); /* the flush took the result of frame 0 */
}

/* Another stream begins when the results of the one before are out. */
static void
test_stream_start (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstBuffer) out = NULL;

  rig_init (&rig, LATE_LATEST);
  engine_open (&rig.engine);
  rig_pass (&rig, RED, 0);
  rig_pass (&rig, RED, 1);
  gst_harness_push_event (rig.fixture->harness, gst_event_new_stream_start ("second"));
  g_object_set (rig.fixture->element, "interval", 100, NULL);
  fixture_set_caps (rig.fixture, "RGB", 64, 48, NULL);
  rig_pass (&rig, BLUE, 2);
  rig_settle (&rig);
  out = rig_process (&rig, RED, 3);
  g_assert_cmpuint (sl_buffer_get_label_meta (out, NULL)->frame, ==, 0);
  g_assert_cmpuint (fixture_best (out), ==, TINY_BLUE);
}

static gpointer
set_ready (gpointer data)
{
  Rig *rig = data;

  gst_element_set_state (rig->fixture->element, GST_STATE_READY);
  return NULL;
}

static void
test_stop (void)
{
  g_auto (Rig) rig = {0};
  GThread *thread;

  rig_init (&rig, LATE_LATEST);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  rig_pass (&rig, RED, 1);
  thread = g_thread_new ("stop", set_ready, &rig);
  while (!g_atomic_int_get (&rig.priv->worker.stopping))
    g_thread_yield ();
  engine_open (&rig.engine);
  g_thread_join (thread);
  rig_expect_told (&rig, ""); /* what waited was not begun, what ran was dropped */
  g_assert_cmpuint (rig.engine.begun, ==, 1);

  gst_element_set_state (rig.fixture->element, GST_STATE_PLAYING);
  gst_harness_push_event (rig.fixture->harness, gst_event_new_stream_start ("again"));
  fixture_set_caps (rig.fixture, "RGB", 64, 48, NULL);
  rig_wait_loaded (&rig);
  rig_pass (&rig, BLUE, 0);
  rig_settle (&rig);
  rig_expect_told (&rig, "0");
}

/* Told once; then the stream ends. */
static void
test_error (void)
{
  g_auto (Rig) rig = {0};

  rig_init_with (&rig, "slclassify", TINY_METADATA | TINY_NAN, LATE_LATEST);
  rig_wait_loaded (&rig);
  engine_open (&rig.engine);
  rig_pass (&rig, RED, 0);
  rig_settle (&rig);
  g_assert_cmpint (rig_push (&rig, RED, 1), ==, GST_FLOW_ERROR);
  g_assert_cmpint (rig_push (&rig, RED, 2), ==, GST_FLOW_ERROR);
  fixture_expect_error (rig.fixture, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, "score");
  g_assert_cmpuint (rig_count (&rig, GST_MESSAGE_ERROR), ==, 0);
  g_assert_cmpuint (rig_stat (&rig, "errors"), ==, 1);
}

/* Nor is the frame that waits behind one that failed looked at. */
static void
test_error_waiting (void)
{
  g_auto (Rig) rig = {0};

  rig_init_with (&rig, "slclassify", TINY_METADATA | TINY_NAN, LATE_LATEST);
  rig_wait_loaded (&rig);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  rig_pass (&rig, RED, 1);
  engine_open (&rig.engine);
  rig_settle (&rig);
  g_assert_cmpint (rig_push (&rig, RED, 2), ==, GST_FLOW_ERROR);
  g_assert_cmpuint (rig.engine.begun, ==, 1);
  g_assert_cmpuint (rig_count (&rig, GST_MESSAGE_ERROR), ==, 1);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  rig_register_elements ();
  g_test_add_func ("/worker/latest/caps", test_latest_caps);
  g_test_add_func ("/worker/flush", test_flush);
  g_test_add_func ("/worker/flush/finished", test_flush_finished);
  g_test_add_func ("/worker/flush/sampling", test_flush_sampling);
  g_test_add_func ("/worker/flush/before-sampling", test_flush_before_sampling);
  g_test_add_func ("/worker/flush/at-eos", test_flush_at_eos);
  g_test_add_func ("/worker/flush/from-message", test_flush_from_message);
  g_test_add_func ("/worker/stream-start", test_stream_start);
  g_test_add_func ("/worker/stop", test_stop);
  g_test_add_func ("/worker/error", test_error);
  g_test_add_func ("/worker/error/waiting", test_error_waiting);
  return fixture_run ();
}
