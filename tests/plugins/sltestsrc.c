/* sltestsrc: the renderer's pictures in every format, the truth about them, and time. */
#include "fixture.h"
#include "scene.h"

#include <gst/app/gstappsink.h>
#include <math.h>
#include <sightline-gst/geometry-meta.h>

#define MS GST_MSECOND

/* What the sources of this test show if no other property was set. */
static SlScene
make_scene (gdouble turn)
{
  return (SlScene){.seed = 7,
                   .difficulty = SL_SCENE_DIFFICULTY (0.4),
                   .klass = SL_SCENE_EVERY_CLASS,
                   .turn = turn};
}

/* A source without downstream caps, not yet playing. */
static GstHarness *
make (const gchar *first_property, ...)
{
  GstElement *element = gst_element_factory_make ("sltestsrc", "scenes");
  GstHarness *harness;
  va_list args;

  g_assert_nonnull (element);
  g_object_set (element, "seed", (guint64)7, NULL);
  va_start (args, first_property);
  if (first_property)
    g_object_set_valist (G_OBJECT (element), first_property, args);
  va_end (args);
  harness = gst_harness_new_with_element (element, NULL, "src");
  gst_object_unref (element);
  return harness;
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstHarness, gst_harness_teardown)

static void
set_caps (GstHarness *harness, const gchar *format, gint width, gint height, const gchar *rate)
{
  g_autofree gchar *text = g_strdup_printf ("video/x-raw,format=%s,width=%d,height=%d,framerate=%s",
                                            format, width, height, rate);

  gst_harness_set_sink_caps_str (harness, text);
}

/* Whether the buffer carries this truth, from this frame. */
static void
check_truth (GstBuffer *buffer, const SlSceneTruth *truth, guint64 number)
{
  const SlLabelMeta *labels = sl_buffer_get_label_meta (buffer, "scenes");
  const SlGeometryMeta *geometry = sl_buffer_get_geometry_meta (buffer, "scenes");
  const gchar *label = sl_scene_label (truth->klass);

  g_assert_true (labels && geometry);
  g_assert_null (labels->model);
  g_assert_null (geometry->model);
  g_assert_true (labels->fresh && labels->age == 0 && geometry->fresh && geometry->age == 0);
  g_assert_cmpuint (labels->frame, ==, number);
  g_assert_cmpuint (geometry->frame, ==, number);
  g_assert_cmpuint (labels->pts, ==, GST_BUFFER_PTS (buffer));
  g_assert_cmpuint (geometry->pts, ==, GST_BUFFER_PTS (buffer));
  g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, number);
  g_assert_cmpuint (labels->n_labels, ==, 1);
  g_assert_cmpstr (labels->labels[0].label, ==, label);
  g_assert_cmpuint (labels->labels[0].index, ==, truth->klass);
  g_assert_cmpfloat (labels->labels[0].score, ==, 1);
  g_assert_cmpuint (geometry->grid.width, ==, 0);
  g_assert_cmpuint (geometry->n_boxes, ==, g_str_equal (label, "nothing") ? 0 : 1);
  if (geometry->n_boxes > 0) {
    const SlBox *box = &geometry->boxes[0];

    g_assert_cmpstr (box->label, ==, label);
    g_assert_cmpuint (box->index, ==, truth->klass);
    g_assert_cmpfloat (box->score, ==, 1);
    g_assert_cmpfloat (box->x, ==, truth->x);
    g_assert_cmpfloat (box->y, ==, truth->y);
    g_assert_cmpfloat (box->width, ==, truth->width);
    g_assert_cmpfloat (box->height, ==, truth->height);
  }
}

static gdouble
get_luma (guint32 word)
{
  return 0.299 * (word >> 16 & 255) + 0.587 * (word >> 8 & 255) + 0.114 * (word & 255);
}

/* The mean difference of brightness between a frame, whatever its format, and the scene. */
static gdouble
compare (GstBuffer *buffer, const GstVideoInfo *info, const guint8 *pixels)
{
  gsize n = (gsize)info->width * (gsize)info->height;
  g_autoptr (GstBuffer) plain = gst_buffer_new_allocate (NULL, 4 * n, NULL);
  GstVideoConverter *converter;
  GstVideoFrame in, out;
  GstVideoInfo rgb;
  gdouble sum = 0;

  gst_video_info_set_format (&rgb, GST_VIDEO_FORMAT_ARGB, (guint)info->width, (guint)info->height);
  rgb.fps_n = info->fps_n;
  rgb.fps_d = info->fps_d;
  g_assert_true (gst_video_frame_map (&in, info, buffer, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&out, &rgb, plain, GST_MAP_READWRITE));
  converter = gst_video_converter_new (info, &rgb, NULL);
  g_assert_nonnull (converter);
  gst_video_converter_frame (converter, &in, &out);
  gst_video_converter_free (converter);
  for (gsize i = 0; i < n; i++) {
    guint32 word;

    memcpy (&word, pixels + 4 * i, 4);
    sum += fabs (get_luma (word) - get_luma (GST_READ_UINT32_BE ((guint8 *)out.data[0] + 4 * i)));
  }
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
  return sum / (gdouble)n;
}

/* Checks picture and truth of the buffer against the renderer's, and its size against the caps. */
static void
check_picture (const GstCaps *caps, GstBuffer *buffer, const SlScene *scene, gdouble seconds,
               guint64 number)
{
  GstVideoInfo info;
  g_autofree guint8 *pixels = NULL;
  SlSceneTruth truth;
  gdouble difference;
  gsize n;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  n = (gsize)info.width * (gsize)info.height;
  pixels = g_malloc (4 * n);
  g_assert_true (sl_scene_draw (scene, seconds, pixels, info.width, info.height,
                                4 * (gsize)info.width, &truth));
  check_truth (buffer, &truth, number);
  difference = compare (buffer, &info, pixels);
  if (difference > 6)
    g_error ("%s %dx%d at %g s: brightness differs by %.1f levels", info.finfo->name, info.width,
             info.height, seconds, difference);
  if (g_str_equal (info.finfo->name, "BGRA")) {
    GstMapInfo map;

    g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_assert_cmpmem (map.data, map.size, pixels, 4 * n);
    gst_buffer_unmap (buffer, &map);
  }
}

/* The same with the caps that a harness has now. */
static void
check_frame (GstHarness *harness, GstBuffer *buffer, const SlScene *scene, gdouble seconds,
             guint64 number)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (harness->sinkpad);

  check_picture (caps, buffer, scene, seconds, number);
}

/* --- Caps --- */

static void
test_default_caps (void)
{
  g_autoptr (GstHarness) h = make ("num-buffers", 1, NULL);
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstCaps) caps = NULL, expected = NULL;

  gst_harness_play (h);
  buffer = gst_harness_pull (h);
  caps = gst_pad_get_current_caps (h->sinkpad);
  expected = gst_caps_from_string ("video/x-raw,width=640,height=360,framerate=30/1,"
                                   "pixel-aspect-ratio=1/1,interlace-mode=progressive,format="
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
                                   "BGRx"
#else
                                   "xRGB"
#endif
  );
  if (!gst_caps_is_equal (caps, expected))
    g_error ("%s", gst_caps_to_string (caps));
}

static void
test_formats (void)
{
  static const gint sizes[][2] = {{64, 48}, {33, 17}, {1, 1}};
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);

  for (guint i = 0; i < n_formats; i++) {
    const GstVideoFormatInfo *finfo = gst_video_format_get_info (formats[i]);

    /* MT2110R and MT2110T: see tests/lib/frame.c. */
    if (!finfo->pack_func || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo) ||
        g_str_has_prefix (finfo->name, "MT2110"))
      continue;
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++) {
      const SlScene scene = make_scene (2);
      g_autoptr (GstHarness) h = make ("num-buffers", 1, NULL);
      g_autoptr (GstBuffer) buffer = NULL;

      set_caps (h, finfo->name, sizes[j][0], sizes[j][1], "25/1");
      gst_harness_play (h);
      buffer = gst_harness_pull (h);
      check_frame (h, buffer, &scene, 0, 0);
    }
  }
}

static void
test_sizes (void)
{
  static const gint sizes[][2] = {{1, 1}, {2, 3}, {1, 300}, {300, 1}, {161, 91}, {16384, 2}};
  static const gchar *formats[] = {"BGRA", "RGB", "I420", "YUY2"};

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint j = 0; j < G_N_ELEMENTS (formats); j++) {
      const SlScene scene = make_scene (2);
      g_autoptr (GstHarness) h = make ("num-buffers", 2, NULL);

      set_caps (h, formats[j], sizes[i][0], sizes[i][1], "2/1");
      gst_harness_play (h);
      for (guint k = 0; k < 2; k++) {
        g_autoptr (GstBuffer) buffer = gst_harness_pull (h);

        check_frame (h, buffer, &scene, 0.5 * k, k);
      }
    }
}

/* A line of a picture that downstream wants wider than it is. */
static GstPadProbeReturn
offer_padded_pool (GstPad *pad, GstPadProbeInfo *probe, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (probe);
  g_autoptr (GstBufferPool) pool = NULL;
  GstVideoAlignment align;
  GstStructure *config;
  GstCaps *caps;
  GstVideoInfo info;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_parse_allocation (query, &caps, NULL);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  pool = gst_video_buffer_pool_new ();
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, info.size, 0, 0);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
  gst_video_alignment_reset (&align);
  align.padding_right = 37;
  align.padding_top = 3;
  gst_buffer_pool_config_set_video_alignment (config, &align);
  g_assert_true (gst_buffer_pool_set_config (pool, config));
  gst_query_add_allocation_pool (query, pool, info.size, 0, 0);
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return GST_PAD_PROBE_HANDLED;
}

static void
test_padded_lines (void)
{
  static const gchar *formats[] = {"BGRx", "I420"};

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    const SlScene scene = make_scene (2);
    g_autoptr (GstHarness) h = make ("num-buffers", 1, NULL);
    g_autoptr (GstBuffer) buffer = NULL;
    const GstVideoMeta *meta;

    gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, offer_padded_pool, NULL,
                       NULL);
    set_caps (h, formats[i], 64, 48, "25/1");
    gst_harness_play (h);
    buffer = gst_harness_pull (h);
    meta = gst_buffer_get_video_meta (buffer);
    g_assert_nonnull (meta);
    g_assert_cmpint (meta->stride[0], >=, i == 0 ? 4 * 101 : 101);
    check_frame (h, buffer, &scene, 0, 0);
  }
}

static void
test_refused_caps (void)
{
  static const gchar *caps[] = {"video/x-raw,format=BGRx,width=16385,height=2",
                                "video/x-raw,pixel-aspect-ratio=4/3",
                                "video/x-raw,interlace-mode=interleaved", "image/jpeg"};

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    g_autoptr (GstHarness) h = make (NULL);
    g_autoptr (GstCaps) wanted = gst_caps_from_string (caps[i]);
    g_autoptr (GstPad) pad = gst_element_get_static_pad (h->element, "src");
    g_autoptr (GstCaps) have = gst_pad_query_caps (pad, wanted);

    g_assert_true (gst_caps_is_empty (have));
  }
}

/* --- Scenes --- */

static void
test_truth (void)
{
  const SlScene scene = make_scene (0.1);
  g_autoptr (GstHarness) h = make ("num-buffers", 33, "turn", 0.1, NULL);
  guint without = 0;

  set_caps (h, "BGRA", 160, 90, "30/1");
  gst_harness_play (h);
  for (guint i = 0; i < 33; i++) {
    g_autoptr (GstBuffer) buffer = gst_harness_pull (h);
    GstClockTime pts = gst_util_uint64_scale (i, GST_SECOND, 30);

    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, pts);
    g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==,
                      gst_util_uint64_scale (i + 1, GST_SECOND, 30) - pts);
    check_frame (h, buffer, &scene, pts / 1e9, i);
    without += sl_buffer_get_geometry_meta (buffer, NULL)->n_boxes == 0;
  }
  /* A round of all classes, three frames each; one of them has nothing to show. */
  g_assert_cmpuint (without, >=, 2);
  g_assert_cmpuint (without, <=, 4);
}

/* Each property reaches the scene, and another one than its neighbours do. */
static void
test_properties (void)
{
  const SlScene scene = {.seed = 99,
                         .difficulty = {.clutter = 0.9, .dimness = 0.2, .blur = 0.6, .noise = 0.7},
                         .klass = 5,
                         .turn = 0.3,
                         .session = 0.5,
                         .min_diameter = 0.1,
                         .max_diameter = 0.3};
  g_autoptr (GstHarness) h =
      make ("num-buffers", 5, "seed", (guint64)99, "clutter", 0.9, "dimness", 0.2, "blur", 0.6,
            "noise", 0.7, "turn", 0.3, "session", 0.5, "min-size", 0.1, "max-size", 0.3, NULL);
  g_autofree gchar *label = NULL;
  gdouble number;
  guint64 seed;

  gst_util_set_object_arg (G_OBJECT (h->element), "class", sl_scene_label (5));
  set_caps (h, "BGRA", 120, 80, "5/1");
  gst_harness_play (h);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (GstBuffer) buffer = gst_harness_pull (h);

    check_frame (h, buffer, &scene, i / 5.0, i);
  }
  g_object_get (h->element, "seed", &seed, "blur", &number, NULL);
  g_assert_cmpuint (seed, ==, 99);
  g_assert_cmpfloat (number, ==, 0.6);
}

static void
test_difficulty (void)
{
  static const gdouble unset = -0.5;
  SlScene scene = make_scene (2);
  g_autoptr (GstHarness) h =
      make ("num-buffers", 1, "difficulty", 1.0, "clutter", unset, "blur", 0.0, NULL);
  g_autoptr (GstBuffer) buffer = NULL;

  scene.difficulty = (SlSceneDifficulty){1, 1, 0, 1};
  set_caps (h, "BGRA", 120, 80, "5/1");
  gst_harness_play (h);
  buffer = gst_harness_pull (h);
  check_frame (h, buffer, &scene, 0, 0);
}

/* Frame by frame, on the clock of a test: what changes shows in the next frame but one at latest,
 * since one may be waiting for its time. */
static GstHarness *
make_live (const gchar *first_property, ...)
{
  GstHarness *harness = make ("is-live", TRUE, NULL);
  va_list args;

  va_start (args, first_property);
  if (first_property)
    g_object_set_valist (G_OBJECT (harness->element), first_property, args);
  va_end (args);
  gst_harness_use_testclock (harness);
  return harness;
}

/* Waits until a frame is waiting for its time, and returns that. */
static GstClockTime
next_due (GstHarness *harness)
{
  g_autoptr (GstTestClock) clock = gst_harness_get_testclock (harness);
  GstClockTime time;
  GstClockID id;

  gst_test_clock_wait_for_next_pending_id (clock, &id);
  time = gst_clock_id_get_time (id);
  gst_clock_id_unref (id);
  return time;
}

static GstBuffer *
crank (GstHarness *harness)
{
  g_assert_true (gst_harness_crank_single_clock_wait (harness));
  return gst_harness_pull (harness);
}

static void
test_change_while_playing (void)
{
  g_autoptr (GstHarness) h = make_live ("class", 8, "turn", 0.0, NULL);
  SlScene scene = make_scene (0);
  guint number = 0;

  set_caps (h, "BGRA", 96, 54, "10/1");
  gst_harness_play (h);
  for (guint klass = 8; klass <= 10; klass++) {
    g_object_set (h->element, "class", klass, NULL);
    scene.klass = (int)klass;
    for (guint i = 0; i < 3; i++, number++) {
      g_autoptr (GstBuffer) buffer = crank (h);

      if (i > 0)
        check_frame (h, buffer, &scene, number / 10.0, number);
    }
  }
}

/* --- Live --- */

static void
test_live (void)
{
  g_autoptr (GstHarness) h = make_live (NULL);
  const SlScene scene = make_scene (2);
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime min, max;
  gboolean live;

  set_caps (h, "BGRx", 64, 36, "20/1");
  gst_harness_play (h);
  for (guint i = 0; i < 10; i++) {
    g_autoptr (GstBuffer) buffer = NULL;

    g_assert_cmpuint (next_due (h), ==, i * 50 * MS);
    g_assert_cmpuint (gst_harness_buffers_received (h), ==, i);
    buffer = crank (h);
    check_frame (h, buffer, &scene, i / 20.0, i);
  }
  g_assert_true (gst_pad_peer_query (h->sinkpad, query));
  gst_query_parse_latency (query, &live, &min, &max);
  g_assert_true (live);
  g_assert_cmpuint (min, ==, 50 * MS);
  g_assert_cmpuint (max, ==, GST_CLOCK_TIME_NONE);
}

/* --- Time --- */

static void
test_still (void)
{
  const SlScene scene = make_scene (2);
  g_autoptr (GstHarness) h = make (NULL);
  g_autoptr (GstBuffer) buffer = NULL;

  set_caps (h, "BGRA", 96, 54, "0/1");
  gst_harness_play (h);
  buffer = gst_harness_pull (h);
  check_frame (h, buffer, &scene, 0, 0);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, 0);
  g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, GST_CLOCK_TIME_NONE);
  g_assert_true (gst_harness_pull_until_eos (h, &buffer));
  g_assert_null (buffer);
}

/* Ends at a number of frames, of which queries know. */
static void
test_queries (void)
{
  g_autoptr (GstHarness) h = make ("num-buffers", 30, "timestamp-offset", (gint64)GST_SECOND, NULL);
  GstBuffer *buffer;
  GstFormat time = GST_FORMAT_TIME;
  gint64 value;
  guint n = 0;

  set_caps (h, "GRAY8", 10, 10, "20/1");
  gst_harness_play (h);
  while (gst_harness_pull_until_eos (h, &buffer) && buffer) {
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, GST_SECOND + n * 50 * MS);
    gst_buffer_unref (buffer);
    n++;
  }
  g_assert_cmpuint (n, ==, 30);
  g_assert_true (gst_pad_peer_query_duration (h->sinkpad, time, &value));
  g_assert_cmpint (value, ==, 30 * 50 * MS);
  g_assert_true (gst_pad_peer_query_duration (h->sinkpad, GST_FORMAT_DEFAULT, &value));
  g_assert_cmpint (value, ==, 30);
  g_assert_true (gst_pad_peer_query_convert (h->sinkpad, GST_FORMAT_DEFAULT, 7, time, &value));
  g_assert_cmpint (value, ==, 7 * 50 * MS);
  g_assert_true (gst_pad_peer_query_convert (h->sinkpad, GST_FORMAT_BYTES, 360, time, &value));
  g_assert_cmpint (value, ==, 3 * 50 * MS); /* lines of 12 bytes */
}

typedef struct Player {
  GstElement *pipeline, *source;
  GstAppSink *sink;
} Player;

static void
player_clear (Player *p)
{
  gst_element_set_state (p->pipeline, GST_STATE_NULL);
  gst_object_unref (p->sink);
  gst_object_unref (p->source);
  gst_object_unref (p->pipeline);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Player, player_clear)

static Player
play (const gchar *properties, const gchar *caps)
{
  g_autofree gchar *line = g_strdup_printf ("sltestsrc name=scenes seed=7 %s ! %s ! appsink "
                                            "name=sink sync=false max-buffers=1",
                                            properties, caps);
  g_autoptr (GError) error = NULL;
  Player p = {.pipeline = gst_parse_launch (line, &error)};

  g_assert_no_error (error);
  p.source = gst_bin_get_by_name (GST_BIN (p.pipeline), "scenes");
  p.sink = GST_APP_SINK (gst_bin_get_by_name (GST_BIN (p.pipeline), "sink"));
  gst_element_set_state (p.pipeline, GST_STATE_PAUSED);
  g_assert_cmpint (gst_element_get_state (p.pipeline, NULL, NULL, 10 * GST_SECOND), ==,
                   GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (p.pipeline, GST_STATE_PLAYING);
  return p;
}

static GstSample *
pull (Player *p)
{
  GstSample *sample = gst_app_sink_try_pull_sample (p->sink, 10 * GST_SECOND);

  g_assert_nonnull (sample);
  return sample;
}

/* Pulls a frame that has this number, and is of a clip of 30 frames a second. */
static void
expect_frame (Player *p, const SlScene *scene, guint64 number)
{
  g_autoptr (GstSample) sample = pull (p);
  GstClockTime pts = gst_util_uint64_scale (number, GST_SECOND, 30);

  g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (sample)), ==, pts);
  check_picture (gst_sample_get_caps (sample), gst_sample_get_buffer (sample), scene, pts / 1e9,
                 number);
}

static void
expect_end (Player *p)
{
  g_assert_null (gst_app_sink_try_pull_sample (p->sink, 10 * GST_SECOND));
  g_assert_true (gst_app_sink_is_eos (p->sink));
}

static gboolean
seek (Player *p, gdouble rate, GstClockTime start, GstClockTime stop)
{
  return gst_element_seek (p->pipeline, rate, GST_FORMAT_TIME,
                           GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET, start,
                           GST_CLOCK_TIME_IS_VALID (stop) ? GST_SEEK_TYPE_SET : GST_SEEK_TYPE_NONE,
                           stop);
}

#define CLIP "video/x-raw,format=BGRA,width=64,height=36,framerate=30/1"

/* The frame that is shown at a time is the first one after a seek to it, in mid-stream, backward,
 * and after the end, and its pixels are those of playing through. */
static void
test_seek (void)
{
  const SlScene scene = make_scene (0.7);
  g_auto (Player) p = play ("num-buffers=60 turn=0.7", CLIP);

  for (guint i = 0; i < 5; i++)
    expect_frame (&p, &scene, i);
  /* 1/30 s is no whole number of nanoseconds, so each begins a little before it is due. */
  for (guint64 n = 56; n >= 20; n -= 4) {
    GstClockTime time = gst_util_uint64_scale (n, GST_SECOND, 30);

    g_assert_true (seek (&p, 1, time, GST_CLOCK_TIME_NONE));
    expect_frame (&p, &scene, n);
    expect_frame (&p, &scene, n + 1);
    g_assert_true (seek (&p, 1, time - 1, GST_CLOCK_TIME_NONE));
    expect_frame (&p, &scene, n - 1);
  }
  g_assert_true (seek (&p, 1, 1900 * MS, GST_CLOCK_TIME_NONE));
  for (guint i = 57; i < 60; i++)
    expect_frame (&p, &scene, i);
  expect_end (&p);
  g_assert_true (seek (&p, 1, 0, 100 * MS));
  for (guint i = 0; i < 3; i++)
    expect_frame (&p, &scene, i);
  expect_end (&p);
}

/* Nothing runs backward, and being asked to changes nothing. */
static void
test_seek_backward (void)
{
  const SlScene scene = make_scene (2);
  g_auto (Player) p = play ("num-buffers=20", CLIP);

  expect_frame (&p, &scene, 0);
  g_assert_false (seek (&p, -1, 0, GST_SECOND));
  for (guint i = 1; i < 20; i++)
    expect_frame (&p, &scene, i);
  expect_end (&p);
}

/* Without a rate a seek chooses the moment of the one picture. */
static void
test_seek_still (void)
{
  const SlScene scene = make_scene (2);
  g_auto (Player) p = play ("", "video/x-raw,format=BGRA,width=64,height=36,framerate=0/1");
  g_autoptr (GstSample) sample = NULL;

  g_assert_true (seek (&p, 1, 5 * GST_SECOND, GST_CLOCK_TIME_NONE));
  sample = pull (&p);
  check_picture (gst_sample_get_caps (sample), gst_sample_get_buffer (sample), &scene, 5, 0);
  g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (sample)), ==, 5 * GST_SECOND);
  expect_end (&p);
}

/* A live source goes on at once after a seek, whatever the time that was sought. */
static void
test_seek_live (void)
{
  g_autoptr (GstHarness) h = make_live ("num-buffers", 1000, NULL);
  const SlScene scene = make_scene (2);

  set_caps (h, "BGRA", 64, 36, "10/1");
  gst_harness_play (h);
  gst_buffer_unref (crank (h));
  /* GstBaseSrc notices a flush while it waits, not when it is about to. */
  g_assert_cmpuint (next_due (h), ==, 100 * MS);
  gst_harness_push_upstream_event (
      h, gst_event_new_seek (1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                             50 * GST_SECOND + 30 * MS, GST_SEEK_TYPE_NONE, -1));
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) buffer = NULL;

    /* The first frame is on for 70 ms more. */
    g_assert_cmpuint (next_due (h), ==, i == 0 ? 0 : i * 100 * MS - 30 * MS);
    buffer = crank (h);
    check_frame (h, buffer, &scene, 50 + i / 10.0, 500 + i);
  }
}

/* Downstream asks for another size, format and rate: frames go on where they were. */
static void
test_new_caps (void)
{
  static const gchar *wanted[] = {"video/x-raw,format=BGRA,width=64,height=36,framerate=30/1",
                                  "video/x-raw,format=I420,width=33,height=65,framerate=30/1",
                                  "video/x-raw,format=I420,width=33,height=65,framerate=24/1"};
  const SlScene scene = make_scene (2);
  g_auto (Player) p = play ("", "capsfilter name=filter caps=" CLIP);
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (p.pipeline), "filter");
  GstClockTime expected = 0;
  guint64 number = 0;

  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (wanted[i]);

    g_object_set (filter, "caps", caps, NULL);
    /* Some frames are on their way, or wait to be pulled. */
    for (guint late = 0, arrived = 0; arrived < 3; number++) {
      g_autoptr (GstSample) sample = pull (&p);
      GstBuffer *buffer = gst_sample_get_buffer (sample);

      g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, expected);
      check_picture (gst_sample_get_caps (sample), buffer, &scene, expected / 1e9, number);
      expected += GST_BUFFER_DURATION (buffer);
      if (gst_caps_is_subset (gst_sample_get_caps (sample), caps))
        arrived++;
      else
        g_assert_cmpuint (++late, <, 5);
    }
  }
}

/* --- States --- */

static void
test_states (void)
{
  g_autoptr (GstHarness) h = make ("num-buffers", 3, NULL);
  const SlScene scene = make_scene (2);

  set_caps (h, "RGB", 50, 50, "10/1");
  for (guint cycle = 0; cycle < 10; cycle++) {
    gst_harness_play (h);
    for (guint i = 0; i < 3; i++) {
      g_autoptr (GstBuffer) buffer = gst_harness_pull (h);

      check_frame (h, buffer, &scene, i / 10.0, i);
    }
    g_assert_cmpint (
        gst_element_set_state (h->element, cycle % 2 ? GST_STATE_NULL : GST_STATE_READY), ==,
        GST_STATE_CHANGE_SUCCESS);
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/sltestsrc/default-caps", test_default_caps);
  g_test_add_func ("/sltestsrc/formats", test_formats);
  g_test_add_func ("/sltestsrc/sizes", test_sizes);
  g_test_add_func ("/sltestsrc/padded-lines", test_padded_lines);
  g_test_add_func ("/sltestsrc/refused-caps", test_refused_caps);
  g_test_add_func ("/sltestsrc/truth", test_truth);
  g_test_add_func ("/sltestsrc/properties", test_properties);
  g_test_add_func ("/sltestsrc/difficulty", test_difficulty);
  g_test_add_func ("/sltestsrc/change-while-playing", test_change_while_playing);
  g_test_add_func ("/sltestsrc/live", test_live);
  g_test_add_func ("/sltestsrc/still", test_still);
  g_test_add_func ("/sltestsrc/queries", test_queries);
  g_test_add_func ("/sltestsrc/seek", test_seek);
  g_test_add_func ("/sltestsrc/seek-backward", test_seek_backward);
  g_test_add_func ("/sltestsrc/seek-still", test_seek_still);
  g_test_add_func ("/sltestsrc/seek-live", test_seek_live);
  g_test_add_func ("/sltestsrc/new-caps", test_new_caps);
  g_test_add_func ("/sltestsrc/states", test_states);
  return fixture_run ();
}
