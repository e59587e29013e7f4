/* The geometry meta: content, copies, and where boxes and grid lie after scaling. */
#include <sightline-gst/geometry-meta.h>

#include <gst/video/video.h>

#define WIDTH 64
#define HEIGHT 48

static void
assert_near (gdouble a, gdouble b)
{
  g_assert_cmpfloat_with_epsilon (a, b, 1e-9);
}

/* Two boxes, and a grid that lies turned by 90 degrees, so that every cell of the matrix counts. */
static SlGeometryMeta *
add_meta (GstBuffer *buffer, const gchar *producer, const gchar *model)
{
  gfloat values[] = {0, 0.25f, 0.5f, 0.75f, 1, 0.125f};
  gchar label[] = "hot";
  SlHeatGrid grid = {.width = 3,
                     .height = 2,
                     .values = values,
                     .matrix = {2, 40, 8, -30, 3, 36},
                     .index = 9,
                     .label = label,
                     .low = -2,
                     .high = 7};
  SlGeometryMeta *meta = sl_buffer_add_geometry_meta (buffer, producer, model);

  meta->frame = 7;
  meta->pts = 7 * GST_SECOND;
  meta->age = 2;
  meta->fresh = FALSE;
  sl_geometry_meta_append_box (meta, 8, 6, 16, 12, 3, 0.5f, "first");
  sl_geometry_meta_append_box (meta, -4, 40.5, 72, 9, 4, 0.25f, "beyond");
  sl_geometry_meta_set_grid (meta, &grid);
  values[1] = 9; /* the meta has its own */
  label[0] = 'n';
  return meta;
}

static void
check_meta (const SlGeometryMeta *meta, gdouble sx, gdouble sy)
{
  const gdouble matrix[] = {2, 40, 8, -30, 3, 36};

  g_assert_nonnull (meta);
  g_assert_cmpuint (meta->version, ==, SL_GEOMETRY_META_VERSION);
  g_assert_cmpuint (meta->frame, ==, 7);
  g_assert_cmpuint (meta->pts, ==, 7 * GST_SECOND);
  g_assert_cmpuint (meta->age, ==, 2);
  g_assert_false (meta->fresh);

  g_assert_cmpuint (meta->n_boxes, ==, 2);
  assert_near (meta->boxes[0].x, 8 * sx);
  assert_near (meta->boxes[0].y, 6 * sy);
  assert_near (meta->boxes[0].width, 16 * sx);
  assert_near (meta->boxes[0].height, 12 * sy);
  assert_near (meta->boxes[1].x, -4 * sx);
  assert_near (meta->boxes[1].y, 40.5 * sy);
  assert_near (meta->boxes[1].width, 72 * sx);
  assert_near (meta->boxes[1].height, 9 * sy);
  g_assert_cmpuint (meta->boxes[1].index, ==, 4);
  g_assert_cmpfloat (meta->boxes[1].score, ==, 0.25f);
  g_assert_cmpstr (meta->boxes[1].label, ==, "beyond");

  g_assert_cmpuint (meta->grid.width, ==, 3);
  g_assert_cmpuint (meta->grid.height, ==, 2);
  g_assert_cmpfloat (meta->grid.values[1], ==, 0.25f);
  g_assert_cmpfloat (meta->grid.values[5], ==, 0.125f);
  for (guint i = 0; i < 6; i++)
    assert_near (meta->grid.matrix[i], matrix[i] * (i < 3 ? sx : sy));
  g_assert_cmpuint (meta->grid.index, ==, 9);
  g_assert_cmpstr (meta->grid.label, ==, "hot");
  g_assert_cmpfloat (meta->grid.low, ==, -2);
  g_assert_cmpfloat (meta->grid.high, ==, 7);
}

static void
test_defaults (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  const SlGeometryMeta *meta = sl_buffer_add_geometry_meta (buffer, "one", NULL);

  g_assert_cmpuint (meta->version, ==, SL_GEOMETRY_META_VERSION);
  g_assert_cmpstr (meta->producer, ==, "one");
  g_assert_null (meta->model);
  g_assert_cmpuint (meta->frame, ==, 0);
  g_assert_cmpuint (meta->pts, ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (meta->age, ==, 0);
  g_assert_true (meta->fresh);
  g_assert_cmpuint (meta->n_boxes, ==, 0);
  g_assert_cmpuint (meta->grid.width, ==, 0);
  g_assert_true (gst_meta_api_type_has_tag (
      SL_GEOMETRY_META_API_TYPE, g_quark_from_static_string (GST_META_TAG_VIDEO_SIZE_STR)));
}

/* The last network beats whatever else there is, unless it is asked for by name. */
static void
test_find (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  SlGeometryMeta *truth, *one, *two;

  g_assert_null (sl_buffer_get_geometry_meta (buffer, NULL));
  truth = sl_buffer_add_geometry_meta (buffer, "source", NULL);
  g_assert_true (sl_buffer_get_geometry_meta (buffer, NULL) == truth);
  one = add_meta (buffer, "one", "cafe");
  two = add_meta (buffer, "two", "beef");
  sl_buffer_add_geometry_meta (buffer, "person", NULL);
  g_assert_true (sl_buffer_get_geometry_meta (buffer, NULL) == two);
  g_assert_true (sl_buffer_get_geometry_meta (buffer, "one") == one);
  g_assert_true (sl_buffer_get_geometry_meta (buffer, "source") == truth);
  g_assert_null (sl_buffer_get_geometry_meta (buffer, "three"));
}

static void
test_copy (void)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 64, NULL);
  g_autoptr (GstBuffer) copy = NULL, region = NULL;

  add_meta (buffer, "one", "cafe");
  sl_buffer_add_geometry_meta (buffer, "source", NULL);
  copy = gst_buffer_copy (buffer);
  region = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_ALL, 8, 16);
  gst_buffer_unref (buffer);
  check_meta (sl_buffer_get_geometry_meta (copy, "one"), 1, 1);
  g_assert_cmpstr (sl_buffer_get_geometry_meta (copy, "one")->model, ==, "cafe");
  g_assert_null (sl_buffer_get_geometry_meta (copy, "source")->model);
  g_assert_null (sl_buffer_get_geometry_meta (region, NULL));
}

static void
test_set_grid_again (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  SlGeometryMeta *meta = add_meta (buffer, "one", "cafe");
  gfloat value = 1;
  gchar label[] = "other";
  SlHeatGrid grid = {.width = 1, .height = 1, .values = &value, .label = label};

  sl_geometry_meta_set_grid (meta, &grid);
  g_assert_cmpuint (meta->grid.width, ==, 1);
  g_assert_cmpstr (meta->grid.label, ==, "other");
}

/* --- Scaling --- */

typedef struct {
  gint width, height, par_n, par_d; /* of what 64x48 with square pixels becomes */
  gboolean kept;
} Scale;

static GstBuffer *
scale_buffer (GstBuffer *buffer, const Scale *scale)
{
  GstMeta *meta = (GstMeta *)sl_buffer_get_geometry_meta (buffer, NULL);
  GstBuffer *out = gst_buffer_new ();
  GstVideoInfo from, to;
  GstVideoMetaTransform transform = {&from, &to};

  gst_video_info_set_format (&from, GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  gst_video_info_set_format (&to, GST_VIDEO_FORMAT_I420, scale->width, scale->height);
  to.par_n = scale->par_n;
  to.par_d = scale->par_d;
  g_assert_cmpint (meta->info->transform_func (
                       out, meta, buffer, gst_video_meta_transform_scale_get_quark (), &transform),
                   ==, scale->kept);
  return out;
}

static void
test_scale (void)
{
  static const Scale scales[] = {
      {64, 48, 1, 1, TRUE},   {32, 24, 1, 1, TRUE},
      {200, 150, 1, 1, TRUE}, {32, 32, 4, 3, TRUE},   /* other pixels, same picture */
      {33, 25, 1, 1, TRUE},                           /* the nearest whole size */
      {32, 32, 1, 1, FALSE},  {640, 360, 1, 1, FALSE} /* stretched or with borders: nobody knows */
  };

  for (guint i = 0; i < G_N_ELEMENTS (scales); i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new ();
    g_autoptr (GstBuffer) out = NULL;

    add_meta (buffer, "one", "cafe");
    out = scale_buffer (buffer, &scales[i]);
    if (scales[i].kept)
      check_meta (sl_buffer_get_geometry_meta (out, "one"), scales[i].width / (gdouble)WIDTH,
                  scales[i].height / (gdouble)HEIGHT);
    else
      g_assert_null (sl_buffer_get_geometry_meta (out, NULL));
  }
}

/* What nobody has told it about, it refuses. */
static void
test_other_transform (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstBuffer) out = gst_buffer_new ();
  GstMeta *meta = (GstMeta *)add_meta (buffer, "one", "cafe");

  g_assert_false (meta->info->transform_func (out, meta, buffer,
                                              g_quark_from_static_string ("sl-test-turn"), NULL));
  g_assert_null (sl_buffer_get_geometry_meta (out, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/geometry-meta/defaults", test_defaults);
  g_test_add_func ("/geometry-meta/find", test_find);
  g_test_add_func ("/geometry-meta/copy", test_copy);
  g_test_add_func ("/geometry-meta/set-grid-again", test_set_grid_again);
  g_test_add_func ("/geometry-meta/scale", test_scale);
  g_test_add_func ("/geometry-meta/other-transform", test_other_transform);
  return g_test_run ();
}
