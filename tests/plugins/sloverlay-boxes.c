/* sloverlay's outlines: whose boxes are drawn, for how long, and how they are handed on. */
#include "fixture.h"

#include <math.h>
#include <sightline-gst/geometry-meta.h>

#define WIDTH 320
#define HEIGHT 240

static void
add_box (GstBuffer *buffer, const gchar *producer, const gchar *model, gdouble x, gdouble y,
         gdouble width, gdouble height, const gchar *label)
{
  sl_geometry_meta_append_box (sl_buffer_add_geometry_meta (buffer, producer, model), x, y, width,
                               height, 3, 0.5f, label);
}

static void
add_label (GstBuffer *buffer, const gchar *producer, const gchar *model)
{
  sl_label_meta_append (sl_buffer_add_label_meta (buffer, producer, model), 3, 0.5f, "cat");
}

static GstBuffer *
push (Fixture *fixture, GstBuffer *buffer)
{
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  return gst_harness_pull (fixture->harness);
}

static Fixture *
fixture_new_rgb (void)
{
  Fixture *fixture = fixture_new ("sloverlay", NULL);

  fixture_set_caps (fixture, "RGB", WIDTH, HEIGHT, NULL);
  return fixture;
}

/* Pushes it, and expects that what changes begins at (x, y) and has that size; width 0: nothing. */
static void
expect_drawn (Fixture *fixture, GstBuffer *buffer, gint x, gint y, gint width, gint height)
{
  g_autoptr (GstBuffer) out = push (fixture, buffer);
  GstVideoRectangle found;

  g_assert_cmpint (fixture_find_change (fixture, out, BLUE, &found), ==, width > 0);
  if (width == 0)
    return;
  g_assert_cmpint (found.x, ==, x);
  g_assert_cmpint (found.y, ==, y);
  g_assert_cmpint (found.w, ==, width);
  g_assert_cmpint (found.h, ==, height);
}

/* --- What is drawn --- */

static void
test_place (void)
{
  static const struct {
    gdouble x, y, width, height;
    GstVideoRectangle drawn;
  } rows[] = {
      {40, 30, 100, 80, {40, 30, 100, 80}},     {40.4, 29.6, 100, 80.3, {40, 30, 100, 80}},
      {-50, -50, 100, 80, {0, 0, 50, 30}},      /* partly outside */
      {300, 200, 1e9, 1e9, {300, 200, 20, 40}}, /* beyond any frame */
      {-10, -10, 340, 260, {0, 0, 0, 0}},       /* around the frame: no line in it */
      {400, 10, 50, 50, {0, 0, 0, 0}},          /* beside it */
      {100, 100, 0.1, 0.1, {100, 100, 4, 4}},   /* tiny ones are seen */
      {100, 100, 0, 50, {0, 0, 0, 0}},          /* no box */
      {NAN, 100, 50, 50, {0, 0, 0, 0}},         {100, 100, INFINITY, 50, {0, 0, 0, 0}},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Fixture) fixture = fixture_new_rgb ();
    GstBuffer *buffer = fixture_frame (fixture, BLUE, 0);

    add_box (buffer, "test", "cafe", rows[i].x, rows[i].y, rows[i].width, rows[i].height, "");
    expect_drawn (fixture, buffer, rows[i].drawn.x, rows[i].drawn.y, rows[i].drawn.w,
                  rows[i].drawn.h);
  }
}

/* The label stands above the box; inside, where the frame ends; and never beyond it. */
static void
test_tags (void)
{
  static const struct {
    gdouble x, y;
    gboolean above;
  } rows[] = {{40, 60, TRUE}, {40, 2, FALSE}, {290, 60, TRUE}, {-15, 60, TRUE}, {40, 5000, FALSE}};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Fixture) fixture = fixture_new_rgb ();
    GstBuffer *buffer = fixture_frame (fixture, BLUE, 0);
    g_autoptr (GstBuffer) out = NULL;
    GstVideoRectangle drawn;

    add_box (buffer, "test", "cafe", rows[i].x, rows[i].y, 30, 100, "elephant");
    out = push (fixture, buffer);
    g_assert_cmpint (fixture_find_change (fixture, out, BLUE, &drawn), ==, rows[i].y < HEIGHT);
    if (rows[i].y >= HEIGHT)
      continue;
    if (rows[i].above)
      g_assert_cmpint (drawn.y, <=, rows[i].y - 8);
    else
      g_assert_cmpint (drawn.y, ==, rows[i].y);
    g_assert_cmpint (drawn.y + drawn.h, ==, rows[i].y + 100);
    g_assert_cmpint (drawn.w, >, 40); /* wider than the box: the whole word */
  }
}

/* Labels come from files. */
static void
test_odd_labels (void)
{
  g_autofree gchar *lengthy = g_strnfill (5000, 'W');
  const gchar *labels[] = {"", " ", "a <b>b</b>", "\xff\xfe broken", "two\nlines", lengthy};

  for (guint i = 0; i < G_N_ELEMENTS (labels); i++) {
    g_autoptr (Fixture) fixture = fixture_new_rgb ();
    GstBuffer *buffer = fixture_frame (fixture, BLUE, 0);
    g_autoptr (GstBuffer) out = NULL;
    GstVideoRectangle drawn;

    add_box (buffer, "test", "cafe", 40, 60, 30, 100, labels[i]);
    out = push (fixture, buffer);
    g_assert_true (fixture_find_change (fixture, out, BLUE, &drawn));
    g_assert_cmpint (drawn.y, >, 60 - HEIGHT / 8);
  }
}

/* Frames that hold no text, and hardly a line. */
static void
test_small_frames (void)
{
  static const gint sizes[][2] = {{1, 1}, {3, 2}, {16, 16}, {5, 300}};

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
    g_autoptr (GstBuffer) out = NULL;
    GstVideoRectangle drawn;
    GstBuffer *buffer;

    fixture_set_caps (fixture, "I420", sizes[i][0], sizes[i][1], NULL);
    buffer = fixture_frame (fixture, BLUE, 0);
    add_box (buffer, "test", "cafe", 0, 0, sizes[i][0], sizes[i][1], "cat");
    out = push (fixture, buffer);
    g_assert_true (fixture_find_change (fixture, out, BLUE, &drawn));
    g_assert_cmpint (drawn.w, ==, sizes[i][0]);
    g_assert_cmpint (drawn.h, ==, sizes[i][1]);
  }
}

/* Many boxes, ever new labels. */
static void
test_many (void)
{
  g_autoptr (Fixture) fixture = fixture_new_rgb ();

  for (guint n = 0; n < 3; n++) {
    GstBuffer *buffer = fixture_frame (fixture, BLUE, n);
    SlGeometryMeta *meta = sl_buffer_add_geometry_meta (buffer, "test", "cafe");
    g_autoptr (GstBuffer) out = NULL;
    GstVideoRectangle drawn;

    for (guint i = 0; i < 500; i++) {
      g_autofree gchar *label = g_strdup_printf ("label %u %u", n, i);

      sl_geometry_meta_append_box (meta, i % 30 * 10, i / 30 * 10 + 50, 8, 8, i, 0.5f, label);
    }
    out = push (fixture, buffer);
    g_assert_true (fixture_find_change (fixture, out, BLUE, &drawn));
  }
}

/* --- Whose boxes --- */

/* Boxes of different producers begin at different columns. */
enum { TRUTH = 140, ONE = 200, TWO = 260 };

static GstBuffer *
make_frame (Fixture *fixture, guint n, gboolean truth, gboolean one, gboolean two)
{
  GstBuffer *buffer = fixture_frame (fixture, BLUE, n);

  if (truth)
    add_box (buffer, "source", NULL, TRUTH, 10, 50, 50, "");
  if (one)
    add_box (buffer, "one", "cafe", ONE, 10, 50, 50, "");
  if (two)
    add_box (buffer, "two", "beef", TWO, 10, 50, 50, "");
  return buffer;
}

static void
expect (Fixture *fixture, GstBuffer *buffer, gint x)
{
  expect_drawn (fixture, buffer, x, 10, x ? 50 : 0, 50);
}

static void
test_last_network (void)
{
  g_autoptr (Fixture) fixture = fixture_new_rgb ();

  expect (fixture, make_frame (fixture, 0, TRUE, FALSE, FALSE), TRUTH);
  expect (fixture, make_frame (fixture, 1, TRUE, TRUE, TRUE), TWO);
  expect (fixture, make_frame (fixture, 2, TRUE, TRUE, FALSE), ONE);
  /* Held rather than replaced by the truth: this network looks at some frames only. */
  expect (fixture, make_frame (fixture, 3, TRUE, FALSE, FALSE), ONE);
  expect (fixture, make_frame (fixture, 50, TRUE, FALSE, FALSE), TRUTH);
}

static void
test_producer (void)
{
  g_autoptr (Fixture) fixture = fixture_new_rgb ();

  g_object_set (fixture->element, "producer", "one", NULL);
  expect (fixture, make_frame (fixture, 0, TRUE, TRUE, TRUE), ONE);
  expect (fixture, make_frame (fixture, 1, TRUE, FALSE, TRUE), ONE); /* held */
  g_object_set (fixture->element, "producer", "source", NULL);
  expect (fixture, make_frame (fixture, 2, TRUE, TRUE, TRUE), TRUTH);
  g_object_set (fixture->element, "producer", "nobody", NULL);
  expect (fixture, make_frame (fixture, 3, TRUE, TRUE, TRUE), 0);
  g_object_set (fixture->element, "producer", NULL, NULL);
  expect (fixture, make_frame (fixture, 4, TRUE, TRUE, TRUE), TWO);
}

/* A network that tells labels only is not shown beside boxes of the truth, be they on the frame or
 * held: they would seem its. */
static void
test_no_mixture (void)
{
  g_autoptr (Fixture) alone = fixture_new_rgb (), fixture = fixture_new_rgb ();
  GstBuffer *buffer = fixture_frame (alone, BLUE, 0);
  g_autoptr (GstBuffer) out = NULL;
  GstVideoRectangle panel;

  add_label (buffer, "one", "cafe");
  out = push (alone, buffer);
  g_assert_true (fixture_find_change (alone, out, BLUE, &panel));

  expect (fixture, make_frame (fixture, 0, TRUE, FALSE, FALSE), TRUTH);
  for (guint n = 1; n < 4; n++) {
    buffer = make_frame (fixture, n, n > 1, FALSE, FALSE);
    add_label (buffer, "one", "cafe");
    expect_drawn (fixture, buffer, panel.x, panel.y, panel.w, panel.h);
  }
}

static void
test_hold (void)
{
  g_autoptr (Fixture) fixture = fixture_new_rgb ();

  g_object_set (fixture->element, "hold", 80 * GST_MSECOND, NULL);
  for (guint i = 0; i < 6; i++) /* every 40 ms */
    expect (fixture, make_frame (fixture, i, FALSE, i == 0, FALSE), i <= 2 ? ONE : 0);
}

/* One without boxes says that there is nothing. */
static void
test_empty_result (void)
{
  g_autoptr (Fixture) fixture = fixture_new_rgb ();
  GstBuffer *buffer = fixture_frame (fixture, BLUE, 1);

  expect (fixture, make_frame (fixture, 0, FALSE, TRUE, FALSE), ONE);
  sl_buffer_add_geometry_meta (buffer, "one", "cafe");
  expect (fixture, buffer, 0);
}

static void
test_flush (void)
{
  g_autoptr (Fixture) fixture = fixture_new_rgb ();
  GstSegment segment;

  expect (fixture, make_frame (fixture, 0, FALSE, TRUE, FALSE), ONE);
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment)));
  expect (fixture, make_frame (fixture, 1, FALSE, FALSE, FALSE), 0);
}

static void
test_properties (void)
{
  g_autoptr (Fixture) fixture = fixture_new_rgb ();
  g_autofree gchar *producer = NULL;
  gboolean boxes;

  g_object_get (fixture->element, "boxes", &boxes, "producer", &producer, NULL);
  g_assert_true (boxes);
  g_assert_null (producer);
  g_object_set (fixture->element, "boxes", FALSE, NULL);
  expect (fixture, make_frame (fixture, 0, FALSE, TRUE, FALSE), 0);
  g_object_set (fixture->element, "boxes", TRUE, NULL);
  expect (fixture, make_frame (fixture, 1, FALSE, TRUE, FALSE), ONE);
  g_object_set (fixture->element, "boxes", FALSE, NULL);
  expect (fixture, make_frame (fixture, 2, FALSE, FALSE, FALSE), 0);
  g_object_set (fixture->element, "boxes", TRUE, "min-score", 0.6f, NULL);
  expect (fixture, make_frame (fixture, 3, FALSE, TRUE, FALSE), 0);
  g_object_set (fixture->element, "min-score", 0.4f, "color", 0xff000000 | BLUE, NULL);
  expect (fixture, make_frame (fixture, 4, FALSE, TRUE, FALSE), 0); /* blue on blue */
  g_object_set (fixture->element, "color", 0xff000000 | RED, NULL);
  expect (fixture, make_frame (fixture, 5, FALSE, FALSE, FALSE), ONE); /* held, drawn anew */
}

/* --- Compositions --- */

static GstVideoOverlayComposition *
get_composition (GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);

  g_assert_nonnull (meta);
  return meta->overlay;
}

/* Lines and a tag, never the whole box, in the coordinates of the part that is shown; and the same
 * rectangles again, since sinks keep what they have uploaded. */
static void
test_composition (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  GstVideoOverlayRectangle *before[5] = {NULL};
  GstVideoRectangle drawn;

  gst_harness_add_propose_allocation_meta (fixture->harness,
                                           GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  for (guint n = 0; n < 3; n++) {
    gint shift = n == 2 ? 7 : 0, left = G_MAXINT, top = G_MAXINT, right = 0, bottom = 0;
    GstBuffer *buffer = fixture_frame (fixture, BLUE, n);
    GstVideoOverlayComposition *composition;
    g_autoptr (GstBuffer) out = NULL;
    GstVideoCropMeta *crop;

    add_box (buffer, "one", "cafe", 41, 61, 100, 80, "cat");
    crop = gst_buffer_add_video_crop_meta (buffer);
    crop->x = crop->y = shift;
    out = push (fixture, buffer);
    g_assert_false (fixture_find_change (fixture, out, BLUE, &drawn));
    composition = get_composition (out);
    g_assert_cmpuint (gst_video_overlay_composition_n_rectangles (composition), ==, 5);
    for (guint i = 0; i < 5; i++) {
      GstVideoOverlayRectangle *rectangle =
          gst_video_overlay_composition_get_rectangle (composition, i);
      guint width, height;
      gint x, y;

      if (n == 1)
        g_assert_true (rectangle == before[i]);
      before[i] = rectangle;
      gst_video_overlay_rectangle_get_render_rectangle (rectangle, &x, &y, &width, &height);
      g_assert_cmpuint (MIN (width, height), <=, i < 4 ? 2 : 16);
      if (i == 4)
        continue;
      left = MIN (left, x);
      top = MIN (top, y);
      right = MAX (right, x + (gint)width);
      bottom = MAX (bottom, y + (gint)height);
    }
    g_assert_cmpint (left, ==, 41 - shift);
    g_assert_cmpint (top, ==, 61 - shift);
    g_assert_cmpint (right, ==, 141 - shift);
    g_assert_cmpint (bottom, ==, 141 - shift);
  }
}

/* Somebody else's frame is copied before it is drawn into. */
static void
test_shared_frame (void)
{
  g_autoptr (Fixture) fixture = fixture_new_rgb ();
  g_autoptr (GstBuffer) mine = make_frame (fixture, 0, FALSE, TRUE, FALSE);
  GstVideoRectangle drawn;

  expect (fixture, gst_buffer_ref (mine), ONE);
  g_assert_false (fixture_find_change (fixture, mine, BLUE, &drawn));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/sloverlay-boxes/place", test_place);
  g_test_add_func ("/sloverlay-boxes/tags", test_tags);
  g_test_add_func ("/sloverlay-boxes/odd-labels", test_odd_labels);
  g_test_add_func ("/sloverlay-boxes/small-frames", test_small_frames);
  g_test_add_func ("/sloverlay-boxes/many", test_many);
  g_test_add_func ("/sloverlay-boxes/last-network", test_last_network);
  g_test_add_func ("/sloverlay-boxes/producer", test_producer);
  g_test_add_func ("/sloverlay-boxes/no-mixture", test_no_mixture);
  g_test_add_func ("/sloverlay-boxes/hold", test_hold);
  g_test_add_func ("/sloverlay-boxes/empty-result", test_empty_result);
  g_test_add_func ("/sloverlay-boxes/flush", test_flush);
  g_test_add_func ("/sloverlay-boxes/properties", test_properties);
  g_test_add_func ("/sloverlay-boxes/composition", test_composition);
  g_test_add_func ("/sloverlay-boxes/shared-frame", test_shared_frame);
  return fixture_run ();
}
