/* Results in GstAnalytics' form, read back with its own functions; without it, that nothing is
 * added. */
#include <sightline-gst/analytics.h>

#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

static SlLabelMeta *
add_labels (GstBuffer *buffer, const gchar *model, guint n)
{
  SlLabelMeta *meta = sl_buffer_add_label_meta (buffer, "one", model);

  for (guint i = 0; i < n; i++) {
    g_autofree gchar *text = g_strdup_printf ("label %u", i);

    sl_label_meta_append (meta, i, 1.0f / (i + 1), text);
  }
  return meta;
}

static SlGeometryMeta *
add_boxes (GstBuffer *buffer, const gchar *model, guint n)
{
  SlGeometryMeta *meta = sl_buffer_add_geometry_meta (buffer, "one", model);

  for (guint i = 0; i < n; i++) {
    g_autofree gchar *text = g_strdup_printf ("box %u", i);

    sl_geometry_meta_append_box (meta, 10 * i + 0.6, i, 9.8, 20.2, i, 1.0f / (i + 1), text);
  }
  return meta;
}

#ifdef HAVE_GST_ANALYTICS

static void
check_labels (GstBuffer *buffer, guint n)
{
  GstAnalyticsRelationMeta *relation = gst_buffer_get_analytics_relation_meta (buffer);
  gpointer state = NULL;
  GstAnalyticsClsMtd labels;

  g_assert_nonnull (relation);
  g_assert_true (gst_analytics_relation_meta_iterate (
      relation, &state, gst_analytics_cls_mtd_get_mtd_type (), &labels));
  g_assert_cmpuint (gst_analytics_cls_mtd_get_length (&labels), ==, n);
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *text = g_strdup_printf ("label %u", i);

    g_assert_cmpfloat (gst_analytics_cls_mtd_get_level (&labels, i), ==, 1.0f / (i + 1));
    g_assert_cmpstr (g_quark_to_string (gst_analytics_cls_mtd_get_quark (&labels, i)), ==, text);
  }
  g_assert_false (gst_analytics_relation_meta_iterate (
      relation, &state, gst_analytics_cls_mtd_get_mtd_type (), &labels));
}

static void
check_boxes (GstBuffer *buffer, guint n)
{
  GstAnalyticsRelationMeta *relation = gst_buffer_get_analytics_relation_meta (buffer);
  gpointer state = NULL;
  GstAnalyticsODMtd box;
  gint x, y, width, height;
  gfloat score;

  g_assert_nonnull (relation);
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *text = g_strdup_printf ("box %u", i);

    g_assert_true (gst_analytics_relation_meta_iterate (
        relation, &state, gst_analytics_od_mtd_get_mtd_type (), &box));
    g_assert_true (gst_analytics_od_mtd_get_location (&box, &x, &y, &width, &height, &score));
    /* From 0.6 to 10.4, thus 1 to 10, and so on. */
    g_assert_cmpint (x, ==, 10 * i + 1);
    g_assert_cmpint (y, ==, i);
    g_assert_cmpint (width, ==, 9);
    g_assert_cmpint (height, ==, 20);
    g_assert_cmpfloat (score, ==, 1.0f / (i + 1));
    g_assert_cmpstr (g_quark_to_string (gst_analytics_od_mtd_get_obj_type (&box)), ==, text);
  }
  g_assert_false (gst_analytics_relation_meta_iterate (relation, &state,
                                                       gst_analytics_od_mtd_get_mtd_type (), &box));
}

/* More of both than the meta has room for at first. */
static void
test_publish (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstBuffer) copy = NULL;

  g_assert_true (sl_analytics_is_available ());
  g_assert_true (sl_buffer_publish_analytics (buffer, add_labels (buffer, "cafe", 1000),
                                              add_boxes (buffer, "cafe", 50)));
  check_labels (buffer, 1000);
  check_boxes (buffer, 50);
  copy = gst_buffer_copy (buffer);
  check_labels (copy, 1000);
  check_boxes (copy, 50);
}

/* Two calls, one meta: readers look at one. */
static void
test_joined (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  g_assert_true (sl_buffer_publish_analytics (buffer, add_labels (buffer, "cafe", 2), NULL));
  g_assert_true (sl_buffer_publish_analytics (buffer, NULL, add_boxes (buffer, "cafe", 3)));
  check_labels (buffer, 2);
  check_boxes (buffer, 3);
  g_assert_cmpuint (gst_buffer_get_n_meta (buffer, GST_ANALYTICS_RELATION_META_API_TYPE), ==, 1);
}

static void
assert_untouched (GstBuffer *buffer)
{
  g_assert_null (gst_buffer_get_analytics_relation_meta (buffer));
}

#else

static void
test_unavailable (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  g_assert_false (sl_analytics_is_available ());
  g_assert_false (sl_buffer_publish_analytics (buffer, add_labels (buffer, "cafe", 2),
                                               add_boxes (buffer, "cafe", 3)));
}

static void
assert_untouched (GstBuffer *buffer)
{
}

#endif

/* What is empty, and what no network said. */
static void
test_nothing (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  g_assert_false (sl_buffer_publish_analytics (buffer, NULL, NULL));
  g_assert_false (sl_buffer_publish_analytics (buffer, add_labels (buffer, "cafe", 0),
                                               add_boxes (buffer, "cafe", 0)));
  g_assert_false (sl_buffer_publish_analytics (buffer, add_labels (buffer, NULL, 2),
                                               add_boxes (buffer, NULL, 3)));
  assert_untouched (buffer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
#ifdef HAVE_GST_ANALYTICS
  g_test_add_func ("/analytics/publish", test_publish);
  g_test_add_func ("/analytics/joined", test_joined);
#else
  g_test_add_func ("/analytics/unavailable", test_unavailable);
#endif
  g_test_add_func ("/analytics/nothing", test_nothing);
  return g_test_run ();
}
