/* The elements under all that can happen to them at once: frames, caps, segments, GAPs, ends and
 * new streams from one thread, flushes and state changes from a second, properties, queries and
 * upstream events from a third, while the network takes random times. What has to hold whatever
 * comes is in check_…(). Arguments: seconds; a seed, of what is done, not of when. Without one it
 * is the time. It is told. */
#include "rig.h"

#include "gstslheatmap.h"
#include "gstsloverlay.h"
#include "gstslresults.h"

#include <sightline-gst/geometry-meta.h>
#include <sightline-gst/result-event.h>
#include <stdlib.h>

#define ERA (1000 * GST_SECOND) /* of timestamps: one for each flush, stop and stream */

static guint seconds = 3;
static guint32 seed;

typedef struct {
  Fixture *fixture; /* a bin */
  GstElement *net;
  GstSlInferPrivate *priv; /* of net */
  GstTestClock *clock;
  gint ending;    /* atomic */
  gint disturbed; /* atomic: a flush or state change is under way */

  GMutex turn; /* of pushing, and of what follows */
  GRand *random;
  guint64 n_in_era;   /* frames */
  GHashTable *passed; /* timestamps of fresh results of this era that went on */
  guint n_frames, n_passed, n_ends;

  GMutex lock; /* of what follows; inside `turn` */
  guint era;
  GHashTable *told; /* timestamps of results of this era that messages have told of */
} Stress;

/* --- What has to hold --- */

static void
check_once (GHashTable *seen, GstClockTime pts, const gchar *what)
{
  if (!g_hash_table_add (seen, g_memdup2 (&pts, sizeof pts)))
    g_error ("%s for %" GST_TIME_FORMAT " came twice", what, GST_TIME_ARGS (pts));
}

/* Nothing of before a flush, stop or stream start comes after it. */
static void
check_era (Stress *self, GstClockTime pts, const gchar *what)
{
  if (pts / ERA != self->era)
    g_error ("%s of era %u in era %u", what, (guint)(pts / ERA), self->era);
}

/* In any thread. */
static GstBusSyncReply
check_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Stress *self = data;
  guint64 pts;

  /* GstBaseTransform warns if it negotiates while what is behind it is shut. */
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR ||
      (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING && !g_atomic_int_get (&self->disturbed))) {
    g_autofree gchar *text = gst_structure_to_string (gst_message_get_structure (message));

    g_error ("%s", text);
  }
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT) {
    g_assert_true (
        gst_structure_get_uint64 (gst_message_get_structure (message), "timestamp", &pts));
    g_mutex_lock (&self->lock);
    check_era (self, pts, "a message");
    check_once (self->told, pts, "a message");
    g_mutex_unlock (&self->lock);
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static void
check_result (Stress *self, GstBuffer *buffer, const gchar *what)
{
  const SlLabelMeta *labels = sl_buffer_get_label_meta (buffer, NULL);
  const SlGeometryMeta *geometry = sl_buffer_get_geometry_meta (buffer, NULL);

  g_assert_true (labels || !geometry);
  if (!labels)
    return;
  check_era (self, labels->pts, what);
  if (labels->fresh) {
    check_once (self->passed, labels->pts, what);
    self->n_passed++;
  }
  if (geometry)
    g_assert_cmpuint (geometry->frame, ==, labels->frame);
}

static void
check_output (Stress *self)
{
  GstHarness *harness = self->fixture->harness;
  GstBuffer *buffer;
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (harness))) {
    if ((buffer = sl_result_event_get_buffer (event)))
      check_result (self, buffer, "an event");
    gst_event_unref (event);
  }
  while ((buffer = gst_harness_try_pull (harness))) {
    const SlLabelMeta *labels = sl_buffer_get_label_meta (buffer, NULL);

    check_result (self, buffer, "a buffer");
    if (labels)
      g_assert_cmpuint (labels->frame + labels->age + 1, ==, self->priv->frame);
    gst_buffer_unref (buffer);
  }
}

/* All that was told went on. */
static void
check_end (Stress *self)
{
  if (g_atomic_int_get (&self->disturbed))
    return;
  g_mutex_lock (&self->lock);
  g_assert_cmpuint (g_hash_table_size (self->passed), ==, g_hash_table_size (self->told));
  g_mutex_unlock (&self->lock);
  self->n_ends++;
}

/* --- The stream --- */

static void
begin_era (Stress *self)
{
  g_mutex_lock (&self->lock);
  self->era++;
  g_hash_table_remove_all (self->told);
  g_mutex_unlock (&self->lock);
  g_hash_table_remove_all (self->passed);
  self->n_in_era = 0;
}

static gint
draw (Stress *self, gint n)
{
  return g_rand_int_range (self->random, 0, n);
}

static gboolean
push_event (Stress *self, GstEvent *event)
{
  return gst_pad_push_event (self->fixture->harness->srcpad, event);
}

static void
push_caps (Stress *self)
{
  static const GstVideoFormat formats[] = {GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_I420,
                                           GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_BGRx,
                                           GST_VIDEO_FORMAT_v210};
  GstVideoInfo *info = &self->fixture->info;
  GstCaps *caps;

  gst_video_info_set_format (info, formats[draw (self, G_N_ELEMENTS (formats))],
                             2 * (8 + draw (self, 40)), 2 * (8 + draw (self, 40)));
  caps = gst_video_info_to_caps (info);
  push_event (self, gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

static void
push_segment (Stress *self)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = draw (self, 3) * GST_SECOND;
  segment.rate = draw (self, 4) ? 1.0 : 2.0;
  push_event (self, gst_event_new_segment (&segment));
}

static void
push_stream_start (Stress *self)
{
  if (push_event (self, gst_event_new_stream_start ("stress"))) {
    check_output (self); /* what of the stream before went ahead of it */
    begin_era (self);
  }
  push_caps (self);
  push_segment (self);
}

static void
push_eos (Stress *self)
{
  if (push_event (self, gst_event_new_eos ())) {
    check_output (self);
    check_end (self);
  }
  push_stream_start (self);
}

static void
push_frame (Stress *self)
{
  const GstVideoInfo *info = &self->fixture->info;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  GstBuffer *held = NULL;

  gst_buffer_memset (buffer, 0, draw (self, 256), -1);
  if (draw (self, 20) == 0)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  if (draw (self, 20) == 0)
    gst_buffer_remove_all_memory (buffer);
  if (draw (self, 3) == 0)
    held = gst_buffer_ref (buffer);
  GST_BUFFER_PTS (buffer) = self->era * ERA + self->n_in_era++ * 10 * GST_MSECOND;
  gst_test_clock_set_time (self->clock, GST_BUFFER_PTS (buffer) + draw (self, 3) * GST_MSECOND);
  gst_pad_push (self->fixture->harness->srcpad, buffer);
  gst_clear_buffer (&held);
  self->n_frames++;
}

static gpointer
stream (gpointer data)
{
  Stress *self = data;

  while (!g_atomic_int_get (&self->ending)) {
    gint what = draw (self, 200);

    g_mutex_lock (&self->turn);
    if (what < 4)
      push_caps (self);
    else if (what < 6)
      push_segment (self);
    else if (what < 8)
      push_stream_start (self);
    else if (what < 11)
      push_eos (self);
    else if (what < 14)
      push_event (self, gst_event_new_gap (self->era * ERA, GST_SECOND));
    else
      push_frame (self);
    check_output (self);
    g_mutex_unlock (&self->turn);
    if (what % 8 == 0)
      g_usleep (500);
  }
  return NULL;
}

/* --- Disturbances --- */

static void
flush (Stress *self, GRand *random)
{
  push_event (self, gst_event_new_flush_start ());
  if (g_rand_int_range (random, 0, 2))
    g_usleep (g_rand_int_range (random, 0, 1000));
  g_mutex_lock (&self->turn);
  check_output (self);
  push_event (self, gst_event_new_flush_stop (TRUE));
  begin_era (self);
  push_segment (self);
  g_mutex_unlock (&self->turn);
}

static void
stop (Stress *self, GRand *random)
{
  GstState state = g_rand_int_range (random, 0, 3) ? GST_STATE_READY : GST_STATE_NULL;

  gst_element_set_state (self->fixture->element, state);
  g_mutex_lock (&self->turn);
  check_output (self);
  begin_era (self);
  gst_element_set_state (self->fixture->element, GST_STATE_PLAYING);
  push_stream_start (self);
  g_mutex_unlock (&self->turn);
}

static gpointer
disturb (gpointer data)
{
  Stress *self = data;
  GRand *random = g_rand_new_with_seed (seed + 1);

  while (!g_atomic_int_get (&self->ending)) {
    gint what = g_rand_int_range (random, 0, 40);

    g_usleep (g_rand_int_range (random, 0, 20000));
    g_atomic_int_set (&self->disturbed, TRUE);
    if (what == 0)
      stop (self, random);
    for (gint i = 0; i < (what < 4 ? 20 : 1); i++)
      flush (self, random);
    g_atomic_int_set (&self->disturbed, FALSE);
  }
  g_rand_free (random);
  return NULL;
}

static void
set_property (GstElement *net, GRand *random)
{
  static const struct {
    const gchar *name, *values[4];
  } settings[] = {
      {"late-policy", {"auto", "block", "latest", "skip"}},
      {"interval", {"1", "1", "2", "5"}},
      {"attach", {"last", "fresh", "last", "last"}},
      {"max-age", {"0", "10000000", "100000000", "1000000000"}},
      {"smoothing", {"0", "0.5", "0.9", "0"}},
      {"threshold", {"0", "0.2", "1", "0"}},
      {"top-k", {"1", "2", "5", "1000"}},
      {"output", {"blend", "side-by-side", "none", "map"}},
      {"target", {"top", "red", "2", "top"}},
  };
  const guint which = g_rand_int_range (random, 0, G_N_ELEMENTS (settings));
  const gchar *name = settings[which].name;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (net), name) &&
      !(which == 0 && g_rand_boolean (random)))
    gst_util_set_object_arg (G_OBJECT (net), name,
                             settings[which].values[g_rand_int_range (random, 0, 4)]);
}

static gpointer
change (gpointer data)
{
  Stress *self = data;
  GRand *random = g_rand_new_with_seed (seed + 2);

  while (!g_atomic_int_get (&self->ending)) {
    g_autoptr (GstStructure) stats = NULL, info = NULL;
    g_autoptr (GstQuery) query = gst_query_new_latency ();
    GstPad *sinkpad = self->fixture->harness->sinkpad;

    set_property (self->net, random);
    g_object_get (self->net, "stats", &stats, "model-info", &info, NULL);
    g_assert_nonnull (stats);
    gst_pad_peer_query (sinkpad, query);
    switch (g_rand_int_range (random, 0, 20)) {
    case 0:
      gst_pad_push_event (sinkpad, gst_event_new_reconfigure ());
      break;
    case 1:
      gst_pad_push_event (sinkpad, gst_event_new_latency (GST_SECOND));
      break;
    }
    g_usleep (g_rand_int_range (random, 0, 1000));
  }
  g_rand_free (random);
  return NULL;
}

/* --- Runs --- */

/* In the place of a network that is sometimes slow. */
static void
run_hook (gpointer data)
{
  guint n = g_random_int_range (0, 8);

  if (n < 4)
    g_usleep (n * 500);
}

static void
stress_init (Stress *self, const gchar *factory)
{
  g_autofree gchar *path = tiny_model_write (fixture_folder, "stress.onnx", TINY_METADATA);
  g_autofree gchar *line = g_strdup_printf (
      "%s name=net model-file=%s ! sloverlay text-size=0.2 ! slresults location=%s/stress.jsonl",
      factory, path, fixture_folder);
  g_autoptr (GError) error = NULL;
  GstElement *bin = gst_parse_bin_from_description (line, TRUE, &error);

  g_assert_no_error (error);
  *self = (Stress){.random = g_rand_new_with_seed (seed)};
  g_mutex_init (&self->turn);
  g_mutex_init (&self->lock);
  self->told = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->passed = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->net = gst_bin_get_by_name (GST_BIN (bin), "net");
  self->priv = gst_sl_infer_get_private (GST_SL_INFER (self->net));
  gst_sl_infer_set_run_hook (GST_SL_INFER (self->net), run_hook, NULL);
  self->fixture = fixture_wrap (gst_object_ref_sink (bin));
  gst_bus_set_sync_handler (self->fixture->bus, check_message, self, NULL);
  gst_harness_set_live (self->fixture->harness, TRUE);
  gst_harness_use_testclock (self->fixture->harness);
  self->clock = gst_harness_get_testclock (self->fixture->harness);
  push_stream_start (self);
}

static void
stress_clear (Stress *self)
{
  fixture_free (self->fixture);
  gst_object_unref (self->net);
  gst_object_unref (self->clock);
  g_rand_free (self->random);
  g_hash_table_unref (self->told);
  g_hash_table_unref (self->passed);
  g_mutex_clear (&self->turn);
  g_mutex_clear (&self->lock);
}

/* When all is calm again, everything works. */
static void
check_calm (Stress *self)
{
  const GstSlLoaded *loaded;

  g_object_set (self->net, "late-policy", LATE_BLOCK, "interval", 1, NULL);
  g_assert_cmpint (gst_sl_loader_wait (&self->priv->loader, &loaded), ==, GST_FLOW_OK);
  push_stream_start (self);
  while (g_hash_table_size (self->passed) == 0) { /* unless it was a GAP */
    push_frame (self);
    check_output (self);
  }
  push_eos (self);
  g_assert_cmpuint (self->n_ends, >, 0);
}

static void
test_stress (gconstpointer factory)
{
  GThread *threads[3];
  Stress self;

  stress_init (&self, factory);
  threads[0] = g_thread_new ("stream", stream, &self);
  threads[1] = g_thread_new ("disturb", disturb, &self);
  threads[2] = g_thread_new ("change", change, &self);
  g_usleep (seconds * G_USEC_PER_SEC);
  g_atomic_int_set (&self.ending, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  check_calm (&self);
  g_test_message ("seed %u: %u frames, %u results, %u eras, %u ends", seed, self.n_frames,
                  self.n_passed, self.era, self.n_ends);
  stress_clear (&self);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  rig_register_elements ();
  GST_ELEMENT_REGISTER (slheatmap, NULL);
  GST_ELEMENT_REGISTER (sloverlay, NULL);
  GST_ELEMENT_REGISTER (slresults, NULL);
  if (argc > 1)
    seconds = atoi (argv[1]);
  seed = argc > 2 ? strtoul (argv[2], NULL, 10) : (guint32)g_get_real_time ();
  g_test_message ("seed %u", seed);
  g_test_add_data_func ("/stress/slclassify", "slclassify", test_stress);
  g_test_add_data_func ("/stress/slheatmap", "slheatmap", test_stress);
  return fixture_run ();
}
