/* What analysing elements see of a frame, tried on slclassify: formats, memory, crop, orientation.
 */
#include "fixture.h"

#include <sightline-gst/shared-model.h>

static void
test_formats (void)
{
  static const gint sizes[][2] = {{64, 48}, {33, 19}, {1, 1}, {2, 255}};
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);

  for (guint i = 0; i < n_formats; i++) {
    const GstVideoFormatInfo *finfo = gst_video_format_get_info (formats[i]);
    const gchar *name = gst_video_format_to_string (formats[i]);
    gboolean gray = GST_VIDEO_FORMAT_INFO_IS_GRAY (finfo);

    /* MT2110R and MT2110T: see tests/lib/frame.c. */
    if (!finfo->pack_func || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo) ||
        g_str_has_prefix (name, "MT2110"))
      continue;
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++) {
      g_autoptr (GstBuffer) buffer = NULL;

      /* 1.22 writes the last chroma sample of odd widths the wrong way round. */
      if (formats[i] == GST_VIDEO_FORMAT_NV61 && sizes[j][0] == 1)
        continue;
      fixture_set_caps (fixture, name, sizes[j][0], sizes[j][1], NULL);
      buffer = fixture_process (fixture, BLUE, 0);
      if (fixture_best (buffer) != (gray ? TINY_NONE : TINY_BLUE))
        g_error ("%s %dx%d: class %u", name, sizes[j][0], sizes[j][1], fixture_best (buffer));
    }
  }
}

/* The same memory comes out, though somebody else holds the buffer, as after a tee; and the
 * holder's buffer is not touched. */
static void
test_memory_untouched (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  g_autoptr (GstBuffer) mine = NULL, out = NULL;
  GstMemory *memory;
  GstMapInfo map;

  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  mine = fixture_frame (fixture, RED, 0);
  memory = gst_buffer_peek_memory (mine, 0);
  g_assert_cmpint (gst_harness_push (fixture->harness, gst_buffer_ref (mine)), ==, GST_FLOW_OK);
  out = gst_harness_pull (fixture->harness);
  g_assert_true (out != mine);
  g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
  g_assert_cmpuint (fixture_best (out), ==, TINY_RED);
  g_assert_null (sl_buffer_get_label_meta (mine, NULL));
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, GST_BUFFER_PTS (mine));
  g_assert_true (gst_buffer_map (out, &map, GST_MAP_READ));
  g_assert_true (map.memory == memory);
  gst_buffer_unmap (out, &map);
}

/* A buffer that only we hold is not even copied. */
static void
test_buffer_reused (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  GstBuffer *buffer;

  fixture_set_caps (fixture, "I420", 64, 48, NULL);
  buffer = fixture_frame (fixture, RED, 0);
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  g_assert_true (gst_harness_pull (fixture->harness) == buffer);
  gst_buffer_unref (buffer);
}

/* Read-only memory is no obstacle. */
static void
test_read_only (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  g_autofree guint8 *pixels = g_malloc0 (16 * 16 * 3);
  GstBuffer *buffer;

  fixture_set_caps (fixture, "BGR", 16, 16, NULL);
  for (guint i = 0; i < 16 * 16; i++)
    pixels[3 * i] = 255;
  buffer = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, pixels, 16 * 16 * 3, 0,
                                        16 * 16 * 3, NULL, NULL);
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  buffer = gst_harness_pull (fixture->harness);
  g_assert_cmpuint (fixture_best (buffer), ==, TINY_BLUE);
  gst_buffer_unref (buffer);
}

static void
test_wrong_size (void)
{
  static const gsize sizes[] = {1, 100, 64 * 48 * 3 - 1};

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, sizes[i], NULL);

    fixture_set_caps (fixture, "RGB", 64, 48, NULL);
    gst_buffer_memset (buffer, 0, 0, -1);
    g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_ERROR);
    fixture_expect_error (fixture, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "64x48");
  }
}

/* GstVideoMeta that contradicts the caps, or claims more than there is. */
static void
test_wrong_meta (void)
{
  static const struct {
    GstVideoFormat format;
    gint width, height, stride;
  } metas[] = {{GST_VIDEO_FORMAT_RGB, 48, 64, 144},
               {GST_VIDEO_FORMAT_GRAY8, 64, 48, 64},
               {GST_VIDEO_FORMAT_RGB, 64, 48, 4096}};

  for (guint i = 0; i < G_N_ELEMENTS (metas); i++) {
    g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 64 * 48 * 3, NULL);
    gsize offsets[GST_VIDEO_MAX_PLANES] = {0};
    gint strides[GST_VIDEO_MAX_PLANES] = {metas[i].stride};

    fixture_set_caps (fixture, "RGB", 64, 48, NULL);
    gst_buffer_memset (buffer, 0, 0, -1);
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, metas[i].format,
                                    metas[i].width, metas[i].height, 1, offsets, strides);
    g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_ERROR);
    fixture_expect_error (fixture, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "64x48");
  }
}

/* Only the part that GstVideoCropMeta names is looked at. */
static void
test_crop (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  g_autoptr (GstBuffer) out = NULL;
  GstVideoCropMeta *crop;
  GstBuffer *buffer;

  fixture_set_caps (fixture, "RGB", 32, 32, NULL);
  buffer = fixture_frame (fixture, RED, 0);
  gst_buffer_memset (buffer, 16 * 96, 0, 16 * 96); /* the lower half is black */
  crop = gst_buffer_add_video_crop_meta (buffer);
  crop->x = 0;
  crop->y = 16;
  crop->width = 32;
  crop->height = 16;
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  out = gst_harness_pull (fixture->harness);
  g_assert_cmpuint (fixture_best (out), ==, TINY_NONE);
}

/* A picture that looks otherwise from each side, as seen when turned by `quarters` clockwise. */
static GstBuffer *
make_turned (guint quarters)
{
  enum { SIDE = 64 };
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, SIDE * SIDE, NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (guint y = 0; y < SIDE; y++)
    for (guint x = 0; x < SIDE; x++) {
      guint u = x, v = y; /* where this pixel is in the upright picture */

      for (guint i = 0; i < quarters; i++) {
        guint t = u;

        u = v;
        v = SIDE - 1 - t;
      }
      map.data[y * SIDE + x] = v < SIDE / 4 ? 250 : u < SIDE / 4 ? 140 : u > v ? 60 : 10;
    }
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

static void
get_scores (Fixture *fixture, guint quarters, const gchar *orientation, gfloat *ret_scores)
{
  GstTagList *tags = gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION, orientation, NULL);
  g_autoptr (GstBuffer) out = NULL;
  const SlLabelMeta *meta;

  gst_harness_push_event (fixture->harness, gst_event_new_tag (tags));
  g_assert_cmpint (gst_harness_push (fixture->harness, make_turned (quarters)), ==, GST_FLOW_OK);
  out = gst_harness_pull (fixture->harness);
  meta = sl_buffer_get_label_meta (out, NULL);
  for (guint i = 0; i < meta->n_labels; i++)
    ret_scores[meta->labels[i].index] = meta->labels[i].score;
}

/* What lies turned in memory is seen upright if the stream's tag says how it lies. */
static void
test_orientation (void)
{
  static const gchar *const tags[] = {"rotate-0", "rotate-270", "rotate-180", "rotate-90"};
  gfloat upright[1000] = {0}, plain[1000] = {0}, turned[1000] = {0}, most = 0;
  g_autoptr (Fixture) fixture = NULL;

  if (!sl_builtin_model_get_bytes ()) {
    g_test_skip ("no network is built in");
    return;
  }
  fixture = fixture_new ("slclassify", "top-k", 1000, NULL);
  fixture_set_caps (fixture, "GRAY8", 64, 64, NULL);
  get_scores (fixture, 0, "rotate-0", upright);
  for (guint quarters = 1; quarters < 4; quarters++) {
    get_scores (fixture, quarters, tags[quarters], turned);
    for (guint i = 0; i < 1000; i++)
      g_assert_cmpfloat_with_epsilon (turned[i], upright[i], 2e-3f);
  }
  /* The network is one that sees the difference. */
  get_scores (fixture, 1, "rotate-0", plain);
  for (guint i = 0; i < 1000; i++)
    most = MAX (most, ABS (plain[i] - upright[i]));
  g_assert_cmpfloat (most, >, 0.02f);

  /* Another tag says nothing about it; another stream does. */
  get_scores (fixture, 1, "rotate-270", turned);
  gst_harness_push_event (fixture->harness,
                          gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "no matter", NULL)));
  gst_buffer_unref (gst_harness_push_and_pull (fixture->harness, make_turned (1)));
  gst_harness_push_event (fixture->harness, gst_event_new_stream_start ("other"));
  fixture_set_caps (fixture, "GRAY8", 64, 64, NULL);
  {
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (fixture->harness, make_turned (0));
    const SlLabelMeta *meta = sl_buffer_get_label_meta (out, NULL);

    for (guint i = 0; i < meta->n_labels; i++)
      g_assert_cmpfloat_with_epsilon (meta->labels[i].score, upright[meta->labels[i].index], 1e-6f);
  }
}

static void
test_gap_and_empty (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA, NULL);
  GstBuffer *buffer;

  fixture_set_caps (fixture, "RGB", 16, 16, NULL);
  buffer = gst_buffer_new ();
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  buffer = gst_harness_pull (fixture->harness);
  g_assert_null (sl_buffer_get_label_meta (buffer, NULL));
  gst_buffer_unref (buffer);

  buffer = fixture_frame (fixture, RED, 1);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  buffer = gst_harness_pull (fixture->harness);
  g_assert_null (sl_buffer_get_label_meta (buffer, NULL));
  g_assert_true (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  gst_buffer_unref (buffer);

  buffer = fixture_process (fixture, RED, 2);
  g_assert_cmpuint (fixture_best (buffer), ==, TINY_RED);
  g_assert_cmpuint (sl_buffer_get_label_meta (buffer, NULL)->frame, ==, 2);
  gst_buffer_unref (buffer);
}

static void
test_nan (void)
{
  g_autoptr (Fixture) fixture = fixture_new_infer (TINY_METADATA | TINY_NAN, NULL);

  fixture_set_caps (fixture, "RGB", 16, 16, NULL);
  g_assert_cmpint (gst_harness_push (fixture->harness, fixture_frame (fixture, RED, 0)), ==,
                   GST_FLOW_ERROR);
  fixture_expect_error (fixture, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, "score");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/look/formats", test_formats);
  g_test_add_func ("/look/memory-untouched", test_memory_untouched);
  g_test_add_func ("/look/buffer-reused", test_buffer_reused);
  g_test_add_func ("/look/read-only", test_read_only);
  g_test_add_func ("/look/wrong-size", test_wrong_size);
  g_test_add_func ("/look/wrong-meta", test_wrong_meta);
  g_test_add_func ("/look/crop", test_crop);
  g_test_add_func ("/look/orientation", test_orientation);
  g_test_add_func ("/look/gap-and-empty", test_gap_and_empty);
  g_test_add_func ("/look/nan", test_nan);
  return fixture_run ();
}
