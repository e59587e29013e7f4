/* The label meta: content and copies. */
#include <sightline-gst/label-meta.h>

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
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/label-meta/threads", test_threads);
  g_test_add_func ("/label-meta/defaults", test_defaults);
  g_test_add_func ("/label-meta/find", test_find);
  g_test_add_func ("/label-meta/copy", test_copy);
  return g_test_run ();
}
