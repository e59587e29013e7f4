#include "rig.h"

#include <sightline-gst/result-event.h>

void
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

void
engine_wait (Engine *engine, guint n)
{
  gint64 end = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;

  g_mutex_lock (&engine->lock);
  while (engine->begun < n)
    if (!g_cond_wait_until (&engine->changed, &engine->lock, end))
      g_error ("run %u did not begin", n);
  g_mutex_unlock (&engine->lock);
}

void
engine_step (Engine *engine)
{
  g_mutex_lock (&engine->lock);
  engine->allowed++;
  g_cond_broadcast (&engine->changed);
  g_mutex_unlock (&engine->lock);
}

void
engine_open (Engine *engine)
{
  g_mutex_lock (&engine->lock);
  engine->open = TRUE;
  g_cond_broadcast (&engine->changed);
  g_mutex_unlock (&engine->lock);
}

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

void
rig_register_elements (void)
{
  GST_ELEMENT_REGISTER (slclassify, NULL);
  gst_element_register (NULL, "testinfer", GST_RANK_NONE, test_infer_get_type ());
}

void
rig_wait_loaded (Rig *rig)
{
  const GstSlLoaded *loaded;

  g_assert_cmpint (gst_sl_loader_wait (&rig->priv->loader, &loaded), ==, GST_FLOW_OK);
}

void
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

void
rig_init (Rig *rig, guint policy)
{
  rig_init_with (rig, "slclassify", TINY_METADATA, policy);
  rig_wait_loaded (rig);
}

void
rig_clear (Rig *rig)
{
  engine_open (&rig->engine);
  fixture_free (rig->fixture);
  gst_object_unref (rig->clock);
  g_queue_clear_full (&rig->messages, (GDestroyNotify)gst_message_unref);
}
GstClockTime
frame_time (guint n)
{
  return n * GST_SECOND / FPS;
}

GstBuffer *
rig_frame (Rig *rig, guint32 rgb, guint n)
{
  GstBuffer *buffer = fixture_frame (rig->fixture, rgb, n);

  GST_BUFFER_PTS (buffer) = frame_time (n);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / FPS;
  return buffer;
}

GstFlowReturn
rig_push (Rig *rig, guint32 rgb, guint n)
{
  return gst_harness_push (rig->fixture->harness, rig_frame (rig, rgb, n));
}

GstBuffer *
rig_process (Rig *rig, guint32 rgb, guint n)
{
  g_assert_cmpint (rig_push (rig, rgb, n), ==, GST_FLOW_OK);
  return gst_harness_pull (rig->fixture->harness);
}

void
rig_pass (Rig *rig, guint32 rgb, guint n)
{
  gst_buffer_unref (rig_process (rig, rgb, n));
}

void
rig_settle (Rig *rig)
{
  g_assert_true (gst_sl_worker_drain (&rig->priv->worker));
}

void
rig_set_time (Rig *rig, GstClockTime time)
{
  if (gst_clock_get_time (GST_CLOCK (rig->clock)) < time)
    gst_test_clock_set_time (rig->clock, time);
}

void
rig_flush (Rig *rig)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (rig->fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (rig->fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (rig->fixture->harness, gst_event_new_segment (&segment));
}

guint64
rig_stat (Rig *rig, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value;

  g_object_get (rig->fixture->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

void
rig_expect_policy (Rig *rig, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (rig->fixture->element, "stats", &stats, NULL);
  g_assert_cmpstr (gst_structure_get_string (stats, "policy"), ==, name);
}

GstMessage *
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

guint
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

gchar *
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

void
rig_expect_told (Rig *rig, const gchar *frames)
{
  g_autofree gchar *told = rig_told (rig);

  g_assert_cmpstr (told, ==, frames);
}

void
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
