/* The label meta: content, copies, and what the usual elements leave of it. */
#include <sightline-gst/label-meta.h>

#include <gst/check/gstharness.h>
#include <string.h>

static void
add_meta (GstBuffer *buffer, const gchar *producer)
{
  SlLabelMeta *meta = sl_buffer_add_label_meta (buffer, producer, "cafe");

  meta->frame = 7;
  meta->pts = 7 * GST_SECOND;
  meta->age = 2;
  meta->fresh = FALSE;
  for (guint i = 0; i < 5; i++) {
    g_autofree gchar *text = g_strdup_printf ("label %u", i);

    sl_label_meta_append (meta, 10 * i, 1.0f / (i + 1), text);
  }
}

static void
check_meta (GstBuffer *buffer, const gchar *producer)
{
  const SlLabelMeta *meta = sl_buffer_get_label_meta (buffer, producer);

  g_assert_nonnull (meta);
  g_assert_cmpuint (meta->version, ==, SL_LABEL_META_VERSION);
  g_assert_cmpstr (meta->producer, ==, producer);
  g_assert_cmpstr (meta->model, ==, "cafe");
  g_assert_cmpuint (meta->frame, ==, 7);
  g_assert_cmpuint (meta->pts, ==, 7 * GST_SECOND);
  g_assert_cmpuint (meta->age, ==, 2);
  g_assert_false (meta->fresh);
  g_assert_cmpuint (meta->n_labels, ==, 5);
  g_assert_cmpuint (meta->labels[3].index, ==, 30);
  g_assert_cmpfloat (meta->labels[3].score, ==, 0.25f);
  g_assert_cmpstr (meta->labels[3].label, ==, "label 3");
}

static void
test_defaults (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  SlLabelMeta *meta = sl_buffer_add_label_meta (buffer, "one", "cafe");

  g_assert_cmpuint (meta->version, ==, SL_LABEL_META_VERSION);
  g_assert_cmpuint (meta->frame, ==, 0);
  g_assert_cmpuint (meta->pts, ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (meta->age, ==, 0);
  g_assert_true (meta->fresh);
  g_assert_cmpuint (meta->n_labels, ==, 0);
  g_assert_false (
      gst_meta_api_type_has_tag (SL_LABEL_META_API_TYPE, g_quark_from_static_string ("video")));
}

/* The last network beats whatever else there is, unless it is asked for by name. */
static void
test_find (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstBuffer) copy = NULL;
  SlLabelMeta *truth;

  g_assert_null (sl_buffer_get_label_meta (buffer, NULL));
  truth = sl_buffer_add_label_meta (buffer, "source", NULL);
  g_assert_true (sl_buffer_get_label_meta (buffer, NULL) == truth);
  add_meta (buffer, "one");
  add_meta (buffer, "two");
  sl_buffer_add_label_meta (buffer, "person", NULL);
  check_meta (buffer, "one");
  check_meta (buffer, "two");
  g_assert_true (sl_buffer_get_label_meta (buffer, "source") == truth);
  g_assert_null (sl_buffer_get_label_meta (buffer, "three"));
  g_assert_cmpstr (sl_buffer_get_label_meta (buffer, NULL)->producer, ==, "two");

  copy = gst_buffer_copy (buffer);
  g_assert_cmpstr (sl_buffer_get_label_meta (copy, NULL)->producer, ==, "two");
  g_assert_null (sl_buffer_get_label_meta (copy, "person")->model);
}

static void
test_copy (void)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 64, NULL);
  g_autoptr (GstBuffer) copy = NULL, region = NULL;

  add_meta (buffer, "one");
  copy = gst_buffer_copy (buffer);
  region = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_ALL, 8, 16);
  gst_buffer_unref (buffer);
  check_meta (copy, "one");
  check_meta (region, "one");
}

/* Puts one frame with the meta through a launch line. */
static void
check_survives (gconstpointer data)
{
  const gchar *launch = data;
  g_autofree gchar *line = g_strdup_printf ("%s ! capsfilter", launch);
  GstHarness *h;
  GstBuffer *buffer;

  h = gst_harness_new_parse (line);
  gst_harness_set_src_caps_str (h, "video/x-raw,format=I420,width=64,height=48,framerate=25/1");
  buffer = gst_harness_create_buffer (h, 64 * 48 * 3 / 2);
  gst_buffer_memset (buffer, 0, 128, -1);
  GST_BUFFER_PTS (buffer) = 0;
  add_meta (buffer, "one");
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 25;
  g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  buffer = gst_harness_try_pull (h);
  g_assert_nonnull (buffer);
  check_meta (buffer, "one");
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}

#define N_THREADS 8

static gpointer
register_type (gpointer data)
{
  return (gpointer)sl_label_meta_get_info ();
}

static void
test_threads (void)
{
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("register", register_type, NULL);
  for (guint i = 0; i < N_THREADS; i++)
    g_assert_true (g_thread_join (threads[i]) == sl_label_meta_get_info ());
}

int
main (int argc, char **argv)
{
  static const struct {
    const gchar *path, *launch;
  } elements[] = {
      {"/label-meta/survives/videoconvert", "videoconvert ! video/x-raw,format=RGB"},
      {"/label-meta/survives/videoscale", "videoscale ! video/x-raw,width=32,height=32"},
      {"/label-meta/survives/videocrop", "videocrop left=16 top=8"},
      {"/label-meta/survives/videobox", "videobox left=8 top=-8"},
      {"/label-meta/survives/videoflip", "videoflip method=clockwise"},
      {"/label-meta/survives/videorate", "videorate"},
  };

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/label-meta/threads", test_threads);
  g_test_add_func ("/label-meta/defaults", test_defaults);
  g_test_add_func ("/label-meta/find", test_find);
  g_test_add_func ("/label-meta/copy", test_copy);
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++)
    g_test_add_data_func (elements[i].path, elements[i].launch, check_survives);
  return g_test_run ();
}
