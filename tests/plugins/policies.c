/* late-policy, attach and their kin, on a clock that stands still unless told: with the run hook in
 * the place of a slow network, nothing here depends on how fast the machine is. */
#include "fixture.h"
#include "gstslclassify.h"
#include "gstslinferprivate.h"

#include <sightline-gst/result-event.h>

#define FPS 30
#define DELAY (100 * GST_MSECOND) /* of the slow network */
#define N_FRAMES 30

/* --- A network that is slow or stuck --- */

typedef struct {
  GMutex lock;
  GCond changed;
  guint begun, ended; /* runs */
  guint allowed;      /* to end */
  gboolean open;      /* all are */
  GstTestClock *clock;
  GstClockTime takes; /* moves the clock on by itself, and ends */
} Engine;

static void
engine_hook (gpointer data)
{
  Engine *engine = data;
  guint turn;

  g_mutex_lock (&engine->lock);
  turn = ++engine->begun;
  g_cond_broadcast (&engine->changed);
  if (engine->takes)
    gst_test_clock_advance_time (engine->clock, engine->takes);
  else
    while (!engine->open && engine->allowed < turn)
      g_cond_wait (&engine->changed, &engine->lock);
  engine->ended++;
  g_mutex_unlock (&engine->lock);
}

/* Waits until run number `n` (from 1) has begun. */
static void
engine_wait (Engine *engine, guint n)
{
  gint64 end = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;

  g_mutex_lock (&engine->lock);
  while (engine->begun < n)
    if (!g_cond_wait_until (&engine->changed, &engine->lock, end))
      g_error ("run %u did not begin", n);
  g_mutex_unlock (&engine->lock);
}

/* Lets one more run end. */
static void
engine_step (Engine *engine)
{
  g_mutex_lock (&engine->lock);
  engine->allowed++;
  g_cond_broadcast (&engine->changed);
  g_mutex_unlock (&engine->lock);
}

static void
engine_open (Engine *engine)
{
  g_mutex_lock (&engine->lock);
  engine->open = TRUE;
  g_cond_broadcast (&engine->changed);
  g_mutex_unlock (&engine->lock);
}

/* --- An element that can be stopped while it prepares a model --- */

typedef struct {
  GstSlClassify parent;
  Engine gate;
  gboolean wanted;
  guint n_prepared, n_released, n_presented;
} TestInfer;

typedef GstSlClassifyClass TestInferClass;

static GType test_infer_get_type (void);
G_DEFINE_TYPE (TestInfer, test_infer, GST_TYPE_SL_CLASSIFY)

static gboolean
test_infer_prepare (GstSlInfer *infer, SlModel *model, SlClassifierOptions *options, GError **error)
{
  static const char *const taps[] = {"means"};
  TestInfer *self = (TestInfer *)infer;

  engine_hook (&self->gate);
  self->n_prepared++;
  options->taps = taps;
  options->n_taps = 1;
  return TRUE;
}

static void
test_infer_release (GstSlInfer *infer)
{
  ((TestInfer *)infer)->n_released++;
}

static gboolean
test_infer_wants (GstSlInfer *infer, GstBuffer *buffer)
{
  return ((TestInfer *)infer)->wanted;
}

/* Says in a message what the tapped value was. */
static void
test_infer_extend (GstSlClassify *self, const GstSlResult *result, GstStructure *message)
{
  gst_structure_set (message, "red", G_TYPE_FLOAT, result->grid.high, NULL);
}

static gboolean
test_infer_describe (GstSlInfer *infer, const GstSlInferOutput *output, GstSlResult *result,
                     GError **error)
{
  SlTensorView means;

  sl_classifier_get_tap (output->classifier, output->slot, 0, &means);
  result->grid.high = ((const float *)means.data)[0];
  return GST_SL_INFER_CLASS (test_infer_parent_class)->describe (infer, output, result, error);
}

static GstFlowReturn
test_infer_present (GstSlInfer *infer, GstBuffer **buffer)
{
  ((TestInfer *)infer)->n_presented++;
  g_assert_cmpint (GST_VIDEO_INFO_WIDTH (gst_sl_infer_get_video_info (infer)), ==, 64);
  return GST_FLOW_OK;
}

static void
test_infer_class_init (TestInferClass *klass)
{
  GstSlInferClass *infer = GST_SL_INFER_CLASS (klass);

  infer->prepare = test_infer_prepare;
  infer->release = test_infer_release;
  infer->wants = test_infer_wants;
  infer->describe = test_infer_describe;
  infer->present = test_infer_present;
  GST_SL_CLASSIFY_CLASS (klass)->extend_message = test_infer_extend;
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "Test", "Test", "Test", "Test");
}

static void
test_infer_init (TestInfer *self)
{
  self->wanted = TRUE;
}

/* --- A live harness around it --- */

typedef struct {
  Engine engine;
  Fixture *fixture;
  GstTestClock *clock;
  GstSlInferPrivate *priv;
  GQueue messages; /* that came before one that was asked for */
} Rig;

static void
rig_wait_loaded (Rig *rig)
{
  const GstSlLoaded *loaded;

  g_assert_cmpint (gst_sl_loader_wait (&rig->priv->loader, &loaded), ==, GST_FLOW_OK);
}

/* Not yet loaded. Caps are set. */
static void
rig_init_with (Rig *rig, const gchar *factory, TinyFlags flags, guint policy)
{
  g_autofree gchar *name = g_strdup_printf ("tiny-%u.onnx", flags);
  g_autofree gchar *path = g_build_filename (fixture_folder, name, NULL);
  GstElement *element = gst_object_ref_sink (gst_element_factory_make (factory, NULL));

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    g_free (tiny_model_write (fixture_folder, name, flags));
  *rig = (Rig){0};
  g_object_set (element, "model-file", path, "late-policy", policy, NULL);
  gst_sl_infer_set_run_hook (GST_SL_INFER (element), engine_hook, &rig->engine);
  rig->priv = gst_sl_infer_get_private (GST_SL_INFER (element));
  rig->fixture = fixture_wrap (element);
  gst_harness_set_live (rig->fixture->harness, TRUE);
  gst_harness_use_testclock (rig->fixture->harness);
  rig->clock = gst_harness_get_testclock (rig->fixture->harness);
  rig->engine.clock = rig->clock;
  fixture_set_caps (rig->fixture, "RGB", 64, 48, NULL);
}

static void
rig_init (Rig *rig, guint policy)
{
  rig_init_with (rig, "slclassify", TINY_METADATA, policy);
  rig_wait_loaded (rig);
}

static void
rig_clear (Rig *rig)
{
  engine_open (&rig->engine);
  fixture_free (rig->fixture);
  gst_object_unref (rig->clock);
  g_queue_clear_full (&rig->messages, (GDestroyNotify)gst_message_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rig, rig_clear)

static GstClockTime
frame_time (guint n)
{
  return n * GST_SECOND / FPS;
}

static GstBuffer *
rig_frame (Rig *rig, guint32 rgb, guint n)
{
  GstBuffer *buffer = fixture_frame (rig->fixture, rgb, n);

  GST_BUFFER_PTS (buffer) = frame_time (n);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / FPS;
  return buffer;
}

static GstFlowReturn
rig_push (Rig *rig, guint32 rgb, guint n)
{
  return gst_harness_push (rig->fixture->harness, rig_frame (rig, rgb, n));
}

static GstBuffer *
rig_process (Rig *rig, guint32 rgb, guint n)
{
  g_assert_cmpint (rig_push (rig, rgb, n), ==, GST_FLOW_OK);
  return gst_harness_pull (rig->fixture->harness);
}

/* The same, and forget it. */
static void
rig_pass (Rig *rig, guint32 rgb, guint n)
{
  gst_buffer_unref (rig_process (rig, rgb, n));
}

/* Until nothing is under way. */
static void
rig_settle (Rig *rig)
{
  g_assert_true (gst_sl_worker_drain (&rig->priv->worker));
}

/* Not backwards. */
static void
rig_set_time (Rig *rig, GstClockTime time)
{
  if (gst_clock_get_time (GST_CLOCK (rig->clock)) < time)
    gst_test_clock_set_time (rig->clock, time);
}

static void
rig_flush (Rig *rig)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (rig->fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (rig->fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (rig->fixture->harness, gst_event_new_segment (&segment));
}

static guint64
rig_stat (Rig *rig, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value;

  g_object_get (rig->fixture->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

static void
rig_expect_policy (Rig *rig, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (rig->fixture->element, "stats", &stats, NULL);
  g_assert_cmpstr (gst_structure_get_string (stats, "policy"), ==, name);
}

/* The oldest message of a type, for the caller; NULL if there is none. The others stay. */
static GstMessage *
rig_pop (Rig *rig, GstMessageType type)
{
  GstMessage *message;

  while ((message = gst_bus_pop (rig->fixture->bus)))
    g_queue_push_tail (&rig->messages, message);
  for (GList *item = rig->messages.head; item; item = item->next) {
    message = item->data;
    if (GST_MESSAGE_TYPE (message) == type) {
      g_queue_delete_link (&rig->messages, item);
      return message;
    }
  }
  return NULL;
}

static guint
rig_count (Rig *rig, GstMessageType type)
{
  GstMessage *message;
  guint n = 0;

  while ((message = rig_pop (rig, type))) {
    gst_message_unref (message);
    n++;
  }
  return n;
}

/* Numbers of the frames that messages have told of, in their order, as text. */
static gchar *
rig_told (Rig *rig)
{
  GString *told = g_string_new (NULL);
  GstMessage *message;

  while ((message = rig_pop (rig, GST_MESSAGE_ELEMENT))) {
    guint64 frame;

    g_assert_true (gst_structure_get_uint64 (gst_message_get_structure (message), "frame", &frame));
    g_string_append_printf (told, "%s%" G_GUINT64_FORMAT, told->len ? " " : "", frame);
    gst_message_unref (message);
  }
  return g_string_free (told, FALSE);
}

static void
rig_expect_told (Rig *rig, const gchar *frames)
{
  g_autofree gchar *told = rig_told (rig);

  g_assert_cmpstr (told, ==, frames);
}

/* What went downstream besides buffers: frame numbers of results, and "eos". */
static void
rig_expect_events (Rig *rig, const gchar *expected)
{
  g_autoptr (GString) seen = g_string_new (NULL);
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (rig->fixture->harness))) {
    GstBuffer *buffer = sl_result_event_get_buffer (event);

    if (buffer)
      g_string_append_printf (seen, "%s%" G_GUINT64_FORMAT, seen->len ? " " : "",
                              sl_buffer_get_label_meta (buffer, NULL)->frame);
    else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
      g_string_append (seen, seen->len ? " eos" : "eos");
    gst_event_unref (event);
  }
  g_assert_cmpstr (seen->str, ==, expected);
}

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

/* The message says how many frames had come meanwhile, and so does the event at the end. */
static void
test_delay (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstMessage) message = NULL;
  guint64 age;

  rig_init (&rig, LATE_LATEST);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  rig_pass (&rig, RED, 1);
  rig_pass (&rig, RED, 2);
  engine_open (&rig.engine);
  rig_settle (&rig);
  message = rig_pop (&rig, GST_MESSAGE_ELEMENT);
  g_assert_true (gst_structure_get_uint64 (gst_message_get_structure (message), "age", &age));
  g_assert_cmpuint (age, ==, 2);

  g_assert_true (gst_harness_push_event (rig.fixture->harness, gst_event_new_eos ()));
  rig_expect_events (&rig, "0 2 eos");
  g_assert_cmpuint (rig_stat (&rig, "age-last"), ==, 0);
  g_assert_cmpuint (rig_stat (&rig, "age-max"), ==, 2);
}

/* Two results between two buffers: the older goes ahead by itself. */
static void
test_two_results (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstBuffer) out = NULL;

  rig_init (&rig, LATE_LATEST);
  g_object_set (rig.fixture->element, "interval", 2, NULL);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  rig_pass (&rig, RED, 1);
  rig_pass (&rig, GREEN, 2);
  engine_open (&rig.engine);
  rig_settle (&rig);
  out = rig_process (&rig, BLUE, 3); /* not its turn */
  g_assert_cmpuint (fixture_best (out), ==, TINY_GREEN);
  g_assert_cmpuint (sl_buffer_get_label_meta (out, NULL)->age, ==, 1);
  rig_expect_events (&rig, "0");
  rig_expect_told (&rig, "0 2");
}

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

/* --- Flush, end, stop --- */

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
  rig_pass (&rig, RED, 2);
  rig_settle (&rig);
  out = rig_process (&rig, RED, 3);
  g_assert_cmpuint (sl_buffer_get_label_meta (out, NULL)->frame, ==, 2);
  rig_expect_told (&rig, "0 1 2");
  rig_expect_events (&rig, "");
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

  rig_init (&rig, LATE_LATEST);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  thread = g_thread_new ("eos", push_eos, &rig);
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

/* --- Which frames carry a result --- */

static void
test_attach (void)
{
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_BLOCK);
  engine_open (&rig.engine);
  g_object_set (rig.fixture->element, "interval", 10, "max-age", frame_time (4), NULL);
  for (guint n = 0; n < 30; n++) {
    g_autoptr (GstBuffer) out = NULL;
    const SlLabelMeta *meta;
    guint age = n % 10;

    if (n == 10)
      g_object_set (rig.fixture->element, "max-age", G_GUINT64_CONSTANT (0), NULL);
    else if (n == 20)
      g_object_set (rig.fixture->element, "attach", ATTACH_FRESH, NULL);
    out = rig_process (&rig, RED, n);
    meta = sl_buffer_get_label_meta (out, NULL);
    g_assert_true ((meta != NULL) == (n < 10 ? age <= 4 : n < 20 ? TRUE : age == 0));
    if (meta) {
      g_assert_cmpuint (meta->age, ==, age);
      g_assert_true (meta->fresh == (age == 0));
      g_assert_cmpuint (meta->pts, ==, frame_time (n - age));
    }
  }
}

/* Without timestamps nothing is too old. */
static void
test_max_age_without_time (void)
{
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_BLOCK);
  engine_open (&rig.engine);
  g_object_set (rig.fixture->element, "interval", 100, "max-age", (guint64)1, NULL);
  rig_pass (&rig, RED, 0);
  for (guint n = 1; n < 4; n++) {
    GstBuffer *buffer = rig_frame (&rig, RED, n);

    GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
    g_assert_cmpint (gst_harness_push (rig.fixture->harness, buffer), ==, GST_FLOW_OK);
    buffer = gst_harness_pull (rig.fixture->harness);
    g_assert_cmpuint (sl_buffer_get_label_meta (buffer, NULL)->age, ==, n);
    gst_buffer_unref (buffer);
  }
}

static gfloat
get_score (GstBuffer *buffer, guint index)
{
  const SlLabelMeta *meta = sl_buffer_get_label_meta (buffer, NULL);

  for (guint i = 0; i < meta->n_labels; i++)
    if (meta->labels[i].index == index)
      return meta->labels[i].score;
  return -1;
}

static void
test_smoothing (void)
{
  static const struct {
    guint32 color;
    gboolean flush;
    gfloat red, blue;
  } steps[] = {
      {.color = RED, .red = 1},
      {.color = BLUE, .red = 0.75f, .blue = 0.25f},
      {.color = BLUE, .red = 0.5625f, .blue = 0.4375f},
      {.color = BLUE, .flush = TRUE, .blue = 1},
      {.color = RED, .red = 0.25f, .blue = 0.75f},
  };
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_BLOCK);
  engine_open (&rig.engine);
  g_object_set (rig.fixture->element, "smoothing", 0.75f, NULL);
  for (guint n = 0; n < G_N_ELEMENTS (steps); n++) {
    g_autoptr (GstBuffer) out = NULL;

    if (steps[n].flush)
      rig_flush (&rig);
    out = rig_process (&rig, steps[n].color, n);
    g_assert_cmpfloat_with_epsilon (get_score (out, TINY_RED), steps[n].red, 1e-3f);
    g_assert_cmpfloat_with_epsilon (get_score (out, TINY_BLUE), steps[n].blue, 1e-3f);
  }
}

/* --- For derived elements --- */

static void
test_derived (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstBuffer) out = NULL;
  const GstStructure *structure;
  TestInfer *element;
  gfloat red;

  rig_init_with (&rig, "testinfer", TINY_METADATA, LATE_BLOCK);
  element = (TestInfer *)rig.fixture->element;
  engine_open (&element->gate);
  engine_open (&rig.engine);
  rig_pass (&rig, RED, 0);
  message = rig_pop (&rig, GST_MESSAGE_ELEMENT);
  structure = gst_message_get_structure (message);
  g_assert_cmpstr (gst_structure_get_name (structure), ==, "testinfer");
  g_assert_true (gst_structure_get (structure, "red", G_TYPE_FLOAT, &red, NULL));
  g_assert_cmpfloat_with_epsilon (red, 1, 1e-3);

  element->wanted = FALSE;
  rig_pass (&rig, BLUE, 1);
  g_assert_cmpuint (rig_stat (&rig, "inferred"), ==, 1);
  g_assert_cmpuint (element->n_presented, ==, 2);
  g_assert_cmpuint (element->n_prepared, ==, 1);
  gst_element_set_state (rig.fixture->element, GST_STATE_READY);
  g_assert_cmpuint (element->n_released, ==, 1);
}

/* The weights of elements that name the same file are in memory once. */
static void
test_shared (void)
{
  g_auto (Rig) one = {0}, two = {0};

  rig_init (&one, LATE_BLOCK);
  rig_init (&two, LATE_BLOCK);
  g_assert_true (one.priv->loader.loaded.model == two.priv->loader.loaded.model);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  GST_ELEMENT_REGISTER (slclassify, NULL);
  gst_element_register (NULL, "testinfer", GST_RANK_NONE, test_infer_get_type ());

  g_test_add_func ("/policies/latest", test_latest);
  g_test_add_func ("/policies/latest/delay", test_delay);
  g_test_add_func ("/policies/latest/two-results", test_two_results);
  g_test_add_func ("/policies/latest/caps", test_latest_caps);
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
  g_test_add_func ("/policies/flush", test_flush);
  g_test_add_func ("/policies/flush/finished", test_flush_finished);
  g_test_add_func ("/policies/flush/at-eos", test_flush_at_eos);
  g_test_add_func ("/policies/flush/from-message", test_flush_from_message);
  g_test_add_func ("/policies/stream-start", test_stream_start);
  g_test_add_func ("/policies/stop", test_stop);
  g_test_add_func ("/policies/error", test_error);
  g_test_add_func ("/policies/attach", test_attach);
  g_test_add_func ("/policies/attach/without-time", test_max_age_without_time);
  g_test_add_func ("/policies/smoothing", test_smoothing);
  g_test_add_func ("/policies/derived", test_derived);
  g_test_add_func ("/policies/shared", test_shared);
  return fixture_run ();
}
