/* sloverlay's panel: where it draws, when it draws anew, and how it hands the panel on. */
#include "fixture.h"

#define WIDTH 320
#define HEIGHT 240

static void
add_labels (GstBuffer *buffer, const gchar *first, gfloat score)
{
  SlLabelMeta *meta = sl_buffer_add_label_meta (buffer, "test", "cafe");

  sl_label_meta_append (meta, 0, score, first);
  sl_label_meta_append (meta, 1, 1 - score, "something else");
}

static GstBuffer *
process (Fixture *fixture, guint32 rgb, guint n, const gchar *label, gfloat score)
{
  GstBuffer *buffer = fixture_frame (fixture, rgb, n);

  if (label)
    add_labels (buffer, label, score);
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  return gst_harness_pull (fixture->harness);
}

/* --- Blending --- */

static void
test_no_labels (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  GstVideoRectangle box;
  GstBuffer *buffer, *out;

  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  buffer = fixture_frame (fixture, BLUE, 0);
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  out = gst_harness_pull (fixture->harness);
  g_assert_true (out == buffer);
  g_assert_false (fixture_find_change (fixture, out, BLUE, &box));
  gst_buffer_unref (out);
}

static void
test_positions (void)
{
  static const gchar *names[] = {"top-left", "top-right", "bottom-left", "bottom-right"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
    g_autoptr (GstBuffer) out = NULL;
    GstVideoRectangle box;

    gst_util_set_object_arg (G_OBJECT (fixture->element), "position", names[i]);
    fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
    out = process (fixture, BLUE, 0, "cat", 0.9f);
    g_assert_true (fixture_find_change (fixture, out, BLUE, &box));
    g_assert_cmpint (box.w, >, 40);
    g_assert_cmpint (box.h, >, 20);
    g_assert_cmpint (box.w, <, WIDTH * 3 / 4);
    g_assert_cmpint (box.h, <, HEIGHT / 2);
    if (i % 2 == 0)
      g_assert_cmpint (box.x, <, WIDTH / 20);
    else
      g_assert_cmpint (box.x + box.w, >, WIDTH - WIDTH / 20);
    if (i < 2)
      g_assert_cmpint (box.y, <, HEIGHT / 20);
    else
      g_assert_cmpint (box.y + box.h, >, HEIGHT - HEIGHT / 20);
  }
}

/* Every format, odd sizes, and ones in which nothing can be read. */
static void
test_formats (void)
{
  static const gint sizes[][2] = {{160, 120}, {161, 119}, {1, 1}, {20, 300}};
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);

  for (guint i = 0; i < n_formats; i++) {
    const GstVideoFormatInfo *finfo = gst_video_format_get_info (formats[i]);
    g_autoptr (Fixture) fixture = NULL;

    if (!finfo->pack_func || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
      continue;
    fixture = fixture_new ("sloverlay", NULL);
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++) {
      g_autoptr (GstBuffer) out = NULL, plain = NULL;
      GstMapInfo a, b;
      gboolean same;

      fixture_set_caps (fixture, finfo->name, sizes[j][0], sizes[j][1], NULL);
      out = process (fixture, BLUE, j, "cat", 0.9f);
      plain = fixture_frame (fixture, BLUE, j);
      g_assert_true (gst_buffer_map (out, &a, GST_MAP_READ));
      g_assert_true (gst_buffer_map (plain, &b, GST_MAP_READ));
      g_assert_cmpuint (a.size, ==, b.size);
      same = memcmp (a.data, b.data, a.size) == 0;
      gst_buffer_unmap (out, &a);
      gst_buffer_unmap (plain, &b);
      if (same != (sizes[j][0] < 60))
        g_error ("%s %dx%d: %s", finfo->name, sizes[j][0], sizes[j][1],
                 same ? "nothing was drawn" : "something was drawn");
    }
  }
}

/* Somebody else's frame is copied before it is drawn into. */
static void
test_shared_frame (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  g_autoptr (GstBuffer) mine = NULL, out = NULL;
  GstVideoRectangle box;

  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  mine = fixture_frame (fixture, BLUE, 0);
  add_labels (mine, "cat", 0.9f);
  g_assert_cmpint (gst_harness_push (fixture->harness, gst_buffer_ref (mine)), ==, GST_FLOW_OK);
  out = gst_harness_pull (fixture->harness);
  g_assert_true (fixture_find_change (fixture, out, BLUE, &box));
  g_assert_false (fixture_find_change (fixture, mine, BLUE, &box));
}

static void
test_hold (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", "hold", 80 * GST_MSECOND, NULL);
  GstVideoRectangle box;

  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  for (guint i = 0; i < 6; i++) { /* every 40 ms */
    g_autoptr (GstBuffer) out = process (fixture, BLUE, i, i == 0 ? "cat" : NULL, 0.9f);

    g_assert_cmpint (fixture_find_change (fixture, out, BLUE, &box), ==, i <= 2);
  }
}

/* An empty result says that there is nothing to show. */
static void
test_empty_result (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  g_autoptr (GstBuffer) out = NULL;
  GstVideoRectangle box;
  GstBuffer *buffer;

  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  gst_buffer_unref (process (fixture, BLUE, 0, "cat", 0.9f));
  buffer = fixture_frame (fixture, BLUE, 1);
  sl_buffer_add_label_meta (buffer, "test", "cafe");
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  out = gst_harness_pull (fixture->harness);
  g_assert_false (fixture_find_change (fixture, out, BLUE, &box));
}

static void
test_flush (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  g_autoptr (GstBuffer) out = NULL;
  GstVideoRectangle box;
  GstSegment segment;

  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  gst_buffer_unref (process (fixture, BLUE, 0, "cat", 0.9f));
  gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  out = process (fixture, BLUE, 1, NULL, 0);
  g_assert_false (fixture_find_change (fixture, out, BLUE, &box));
}

static void
get_box (Fixture *fixture, guint n, GstVideoRectangle *ret)
{
  g_autoptr (GstBuffer) out = process (fixture, BLUE, n, "cat", 0.7f);

  g_assert_true (fixture_find_change (fixture, out, BLUE, ret));
}

/* Properties take effect on the next frame. */
static void
test_properties (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  GstVideoRectangle both, one, plain, large;

  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  get_box (fixture, 0, &both);
  g_object_set (fixture->element, "max-labels", 1, NULL);
  get_box (fixture, 1, &one);
  g_assert_cmpint (one.h, <, both.h);
  g_object_set (fixture->element, "bars", FALSE, NULL);
  get_box (fixture, 2, &plain);
  g_assert_cmpint (plain.h, <, one.h);
  g_object_set (fixture->element, "text-size", 0.2, "font", "Sans Italic", NULL);
  get_box (fixture, 3, &large);
  g_assert_cmpint (large.h, >, 2 * plain.h);
  g_object_set (fixture->element, "min-score", 0.9f, NULL);
  {
    g_autoptr (GstBuffer) out = process (fixture, BLUE, 4, "cat", 0.7f);

    g_assert_false (fixture_find_change (fixture, out, BLUE, &both));
  }
}

/* Labels come from files: whatever they hold must be drawn or left out, not crash. */
static void
test_odd_labels (void)
{
  g_autofree gchar *lengthy = g_strnfill (5000, 'W');
  const gchar *labels[] = {
      "", " ", "a <b>b</b> & c", "\xff\xfe broken", "two\nlines", "日本語 العربية", lengthy};
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);

  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (labels); i++) {
    g_autoptr (GstBuffer) out = process (fixture, BLUE, i, labels[i], 0.5f + i / 100.0f);
    GstVideoRectangle box;

    g_assert_true (fixture_find_change (fixture, out, BLUE, &box));
    g_assert_cmpint (box.h, <, HEIGHT / 2);
  }
}

static void
test_wrong_size (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 100, NULL);

  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  add_labels (buffer, "cat", 0.9f);
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_ERROR);
  fixture_expect_error (fixture, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "320x240");
}

/* --- Compositions --- */

#define WITH_META "(memory:SystemMemory,meta:GstVideoOverlayComposition)"

/* What leaves the element: the composition, or NULL. */
static GstVideoOverlayComposition *
get_composition (GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);

  return meta ? meta->overlay : NULL;
}

static void
test_composition (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  g_autoptr (GstBuffer) out = NULL, next = NULL;
  GstVideoOverlayRectangle *rectangle;
  GstVideoRectangle box;
  guint width, height;
  gint x, y;

  gst_harness_add_propose_allocation_meta (fixture->harness,
                                           GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  out = process (fixture, BLUE, 0, "cat", 0.9f);
  g_assert_false (fixture_find_change (fixture, out, BLUE, &box));
  g_assert_nonnull (get_composition (out));
  g_assert_cmpuint (gst_video_overlay_composition_n_rectangles (get_composition (out)), ==, 1);
  rectangle = gst_video_overlay_composition_get_rectangle (get_composition (out), 0);
  g_assert_true (
      gst_video_overlay_rectangle_get_render_rectangle (rectangle, &x, &y, &width, &height));
  g_assert_cmpint (x + (gint)width, <, WIDTH);
  g_assert_cmpint (y + (gint)height, <, HEIGHT);
  g_assert_cmpuint (width, >, 40);

  /* The same labels: the same picture, drawn once. */
  next = process (fixture, BLUE, 1, "cat", 0.9f);
  g_assert_true (gst_video_overlay_rectangle_get_pixels_unscaled_argb (
                     gst_video_overlay_composition_get_rectangle (get_composition (next), 0),
                     GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA) ==
                 gst_video_overlay_rectangle_get_pixels_unscaled_argb (
                     rectangle, GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA));
}

/* What others have drawn stays, below. */
static void
test_composition_joined (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  GstVideoOverlayComposition *composition;
  GstVideoOverlayRectangle *rectangle;
  g_autoptr (GstBuffer) out = NULL;
  GstBuffer *buffer, *pixels = gst_buffer_new_allocate (NULL, 4 * 4 * 4, NULL);

  gst_harness_add_propose_allocation_meta (fixture->harness,
                                           GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, WITH_META);
  gst_buffer_memset (pixels, 0, 255, -1);
  gst_buffer_add_video_meta (pixels, GST_VIDEO_FRAME_FLAG_NONE,
                             GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, 4, 4);
  rectangle =
      gst_video_overlay_rectangle_new_raw (pixels, 0, 0, 4, 4, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  composition = gst_video_overlay_composition_new (rectangle);
  buffer = fixture_frame (fixture, BLUE, 0);
  gst_buffer_add_video_overlay_composition_meta (buffer, composition);
  add_labels (buffer, "cat", 0.9f);
  gst_video_overlay_rectangle_unref (rectangle);
  gst_video_overlay_composition_unref (composition);
  gst_buffer_unref (pixels);

  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  out = gst_harness_pull (fixture->harness);
  g_assert_cmpuint (gst_video_overlay_composition_n_rectangles (get_composition (out)), ==, 2);
}

/* Frames in other memory can be labelled, as long as downstream takes compositions. */
static void
test_composition_other_memory (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  g_autoptr (GstBuffer) out = NULL;

  gst_harness_add_propose_allocation_meta (fixture->harness,
                                           GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  fixture_set_caps (fixture, "RGBA", WIDTH, HEIGHT, "(memory:GLMemory)");
  out = process (fixture, BLUE, 0, "cat", 0.9f);
  g_assert_nonnull (get_composition (out));
}

/* Who wants nothing else gets compositions, without having said in its allocation that it draws
 * them. */
static void
test_composition_demanded (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  g_autoptr (GstBuffer) out = NULL;
  GstVideoRectangle box;

  gst_harness_set_sink_caps_str (fixture->harness, "video/x-raw" WITH_META);
  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  out = process (fixture, BLUE, 0, "cat", 0.9f);
  g_assert_nonnull (get_composition (out));
  g_assert_false (fixture_find_change (fixture, out, BLUE, &box));
}

/* A sink that says nothing about compositions gets pixels. */
static void
test_blend_where_needed (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  g_autoptr (GstBuffer) out = NULL;
  GstVideoRectangle box;

  gst_harness_set_sink_caps_str (fixture->harness, "video/x-raw,format=I420");
  gst_harness_add_propose_allocation_meta (fixture->harness,
                                           GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  out = process (fixture, BLUE, 0, "cat", 0.9f);
  g_assert_null (get_composition (out));
  g_assert_true (fixture_find_change (fixture, out, BLUE, &box));
}

/* Nor do those that take whatever comes, without saying that they draw. */
static void
test_blend_for_any (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstVideoRectangle box;

  fixture_set_caps (fixture, "I420", WIDTH, HEIGHT, NULL);
  out = process (fixture, BLUE, 0, "cat", 0.9f);
  g_assert_null (get_composition (out));
  g_assert_true (fixture_find_change (fixture, out, BLUE, &box));
  caps = gst_pad_get_current_caps (fixture->harness->sinkpad);
  g_assert_false (gst_caps_features_contains (gst_caps_get_features (caps, 0),
                                              "meta:GstVideoOverlayComposition"));
}

/* Other memory cannot be drawn into, so there the stream ends with an error. */
static void
test_no_way (void)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  g_autoptr (GstBuffer) buffer = NULL;

  fixture_set_caps (fixture, "RGBA", WIDTH, HEIGHT, "(memory:GLMemory)");
  buffer = fixture_frame (fixture, BLUE, 0);
  g_assert_cmpint (gst_harness_push (fixture->harness, gst_buffer_ref (buffer)), ==,
                   GST_FLOW_NOT_NEGOTIATED);
}

/* Pixel aspect ratio: the panel is squeezed so that it shows undistorted. */
static void
test_aspect (void)
{
  GstVideoRectangle square, narrow;

  for (guint i = 0; i < 2; i++) {
    g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
    GstCaps *caps = gst_caps_from_string (
        i ? "video/x-raw,format=I420,width=160,height=240,framerate=25/1,pixel-aspect-ratio=2/1"
          : "video/x-raw,format=I420,width=320,height=240,framerate=25/1");

    g_assert_true (gst_video_info_from_caps (&fixture->info, caps));
    gst_harness_set_src_caps (fixture->harness, caps);
    get_box (fixture, 0, i ? &narrow : &square);
  }
  g_assert_cmpint (ABS (narrow.h - square.h), <=, 1);
  g_assert_cmpint (ABS (2 * narrow.w - square.w), <=, 6);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/sloverlay/no-labels", test_no_labels);
  g_test_add_func ("/sloverlay/positions", test_positions);
  g_test_add_func ("/sloverlay/formats", test_formats);
  g_test_add_func ("/sloverlay/shared-frame", test_shared_frame);
  g_test_add_func ("/sloverlay/hold", test_hold);
  g_test_add_func ("/sloverlay/empty-result", test_empty_result);
  g_test_add_func ("/sloverlay/flush", test_flush);
  g_test_add_func ("/sloverlay/properties", test_properties);
  g_test_add_func ("/sloverlay/odd-labels", test_odd_labels);
  g_test_add_func ("/sloverlay/wrong-size", test_wrong_size);
  g_test_add_func ("/sloverlay/composition", test_composition);
  g_test_add_func ("/sloverlay/composition-demanded", test_composition_demanded);
  g_test_add_func ("/sloverlay/composition-joined", test_composition_joined);
  g_test_add_func ("/sloverlay/composition-other-memory", test_composition_other_memory);
  g_test_add_func ("/sloverlay/blend-where-needed", test_blend_where_needed);
  g_test_add_func ("/sloverlay/blend-for-any", test_blend_for_any);
  g_test_add_func ("/sloverlay/no-way", test_no_way);
  g_test_add_func ("/sloverlay/aspect", test_aspect);
  return fixture_run ();
}
