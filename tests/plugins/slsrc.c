/* slsrc's parts that need no source, and slsrc on files. */
#include "fixture.h"
#include "gstslsrclocation.h"
#include "gstslsrcretry.h"
#include "slsrc-run.h"

#include <string.h>

#define CLIP_FRAMES 25

static gchar *clip; /* a second of video and sound */

/* --- Locations --- */

static void
test_locations (void)
{
  static const struct {
    const gchar *text;
    GstSlSrcKind kind;
    const gchar *uri, *camera, *shown;
  } rows[] = {
      {"/a/b c.mkv", GST_SL_SRC_FILE, "file:///a/b%20c.mkv", NULL, "/a/b c.mkv"},
      {"file:///a.mkv", GST_SL_SRC_FILE, "file:///a.mkv", NULL, "file:///a.mkv"},
      {"/a:b", GST_SL_SRC_FILE, "file:///a:b", NULL, "/a:b"},
      {"http://h/x?a=b", GST_SL_SRC_HTTP, "http://h/x?a=b", NULL, "http://h/x"},
      {"https://h/x#y", GST_SL_SRC_HTTP, "https://h/x#y", NULL, "https://h/x"},
      {"rtsp://me:pw@h:554/x", GST_SL_SRC_RTSP, "rtsp://me:pw@h:554/x", NULL, "rtsp://h:554/x"},
      {"rtspt://h/x@y", GST_SL_SRC_RTSP, "rtspt://h/x@y", NULL, "rtspt://h/x@y"},
      {"RTSP://a@b@h/x", GST_SL_SRC_RTSP, "RTSP://a@b@h/x", NULL, "RTSP://h/x"},
      {"camera:0", GST_SL_SRC_CAMERA, NULL, "0", "camera:0"},
      {"camera: HD Webcam ", GST_SL_SRC_CAMERA, NULL, "HD Webcam", "camera: HD Webcam "},
  };
  static const gchar *const bad[] = {NULL, "", "camera:", "camera: ", "udp://h:1", "gopher://h/x"};
  GstSlSrcLocation location;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_true (gst_sl_src_location_parse (rows[i].text, &location, NULL));
    g_assert_cmpint (location.kind, ==, rows[i].kind);
    g_assert_cmpstr (location.uri, ==, rows[i].uri);
    g_assert_cmpstr (location.camera, ==, rows[i].camera);
    g_assert_cmpstr (location.shown, ==, rows[i].shown);
    gst_sl_src_location_clear (&location);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (gst_sl_src_location_parse (bad[i], &location, &error));
    g_assert_true (error->domain == GST_RESOURCE_ERROR);
    g_assert_nonnull (strstr (error->message, "(expected a path, "));
  }
}

static void
test_secrets (void)
{
  static const gchar *const rows[][3] = {
      {"rtsp://me:p%40ss@h/x", "cannot open rtsp://me:p%40ss@h/x now",
       "cannot open rtsp://h/x now"},
      {"rtsp://me:p%40ss@h/x", "h: me:p%40ss is wrong", "h: *** is wrong"},
      {"rtsp://me:p%40ss@h/x", "user me:p@ss, password p%40ss", "user ***, password ***"},
      {"rtsp://me:pw@h/x", "tried rtsp://me:pw@h/x/track1", "tried rtsp://h/x/track1"},
      {"http://h/x?key=1", "GET http://h/x?key=1, then /x?key=1", "GET http://h/x, then /x"},
      {"rtsp://h/x", "rtsp://h/x", "rtsp://h/x"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *clean = NULL;
    GstSlSrcLocation location;

    g_assert_true (gst_sl_src_location_parse (rows[i][0], &location, NULL));
    clean = gst_sl_src_location_redact (&location, rows[i][1]);
    g_assert_cmpstr (clean, ==, rows[i][2]);
    g_assert_null (gst_sl_src_location_redact (&location, NULL));
    gst_sl_src_location_clear (&location);
  }
}

/* --- Back-off --- */

static void
test_back_off (void)
{
  static const GstClockTime whole[] = {100, 200, 400, 800, 1000, 1000, 1000};
  GstClockTime delay, delays[2][G_N_ELEMENTS (whole)];

  for (guint seed = 0; seed < 2; seed++) {
    GstSlSrcRetry retry;

    gst_sl_src_retry_init (&retry, seed);
    retry.min = 100;
    retry.max = 1000;
    for (guint i = 0; i < G_N_ELEMENTS (whole); i++) {
      g_assert_true (gst_sl_src_retry_next (&retry, &delays[seed][i]));
      g_assert_cmpuint (delays[seed][i], >=, whole[i] / 2);
      g_assert_cmpuint (delays[seed][i], <=, whole[i]);
    }
    /* One that drops out at once goes on waiting long, one that ran begins anew. */
    gst_sl_src_retry_ran (&retry, 50);
    g_assert_true (gst_sl_src_retry_next (&retry, &delay));
    g_assert_cmpuint (delay, >=, 500);
    gst_sl_src_retry_ran (&retry, 1001);
    g_assert_true (gst_sl_src_retry_next (&retry, &delay));
    g_assert_cmpuint (delay, <=, 100);
    gst_sl_src_retry_clear (&retry);
  }
  g_assert_cmpint (memcmp (delays[0], delays[1], sizeof delays[0]), !=, 0); /* two cameras differ */
}

static void
test_limit (void)
{
  GstSlSrcRetry retry;
  GstClockTime delay;

  gst_sl_src_retry_init (&retry, 1);
  retry.limit = 0;
  g_assert_false (gst_sl_src_retry_next (&retry, &delay));
  retry.limit = 2;
  for (guint round = 0; round < 2; round++) {
    g_assert_true (gst_sl_src_retry_next (&retry, &delay));
    g_assert_true (gst_sl_src_retry_next (&retry, &delay));
    g_assert_cmpuint (delay, ==, 0); /* no delay is asked for */
    g_assert_false (gst_sl_src_retry_next (&retry, &delay));
    gst_sl_src_retry_reset (&retry);
  }
  retry.min = retry.max = G_MAXINT64 / 4;
  retry.limit = -1;
  for (guint i = 0; i < 100; i++) {
    g_assert_true (gst_sl_src_retry_next (&retry, &delay));
    g_assert_cmpuint (delay, <=, retry.max);
  }
  gst_sl_src_retry_clear (&retry);
}

/* --- Files --- */

static guint
count_frames (Run *run)
{
  guint n = 0;
  GstSample *sample;

  while ((sample = gst_app_sink_pull_sample (run->sink))) {
    gst_sample_unref (sample);
    n++;
  }
  return n;
}

static void
test_file (void)
{
  g_autofree gchar *uri = gst_filename_to_uri (clip, NULL);
  const gchar *locations[] = {clip, uri};

  for (guint i = 0; i < G_N_ELEMENTS (locations); i++) {
    g_autoptr (Run) run = run_new (locations[i], "", "");
    const GstStructure *info;

    g_assert_cmpuint (count_frames (run), ==, CLIP_FRAMES);
    run_check_order (run);
    info = run_wait_status (run, "stopped");
    g_assert_cmpstr (gst_structure_get_string (info, "reason"), ==, "eos");
    g_assert_cmpuint (run_get_count (info, "frames"), ==, CLIP_FRAMES);
    g_assert_cmpuint (run_get_count (info, "connects"), ==, 1);
    g_assert_cmpuint (run_get_count (info, "retries"), ==, 0);
    g_assert_true (gst_app_sink_is_eos (run->sink));
  }
}

/* It prerolls, is not live, has a length, and can be sought in, at its end too. */
static void
test_seek (void)
{
  g_autoptr (Run) run = run_prepare (clip, "", "");
  g_autoptr (GstQuery) latency = gst_query_new_latency ();
  gboolean live = TRUE;
  gint64 duration;

  g_assert_cmpint (gst_element_set_state (run->pipeline, GST_STATE_PAUSED), ==,
                   GST_STATE_CHANGE_ASYNC);
  g_assert_cmpint (gst_element_get_state (run->pipeline, NULL, NULL, 60 * GST_SECOND), ==,
                   GST_STATE_CHANGE_SUCCESS);
  g_assert_true (gst_element_query (run->pipeline, latency));
  gst_query_parse_latency (latency, &live, NULL, NULL);
  g_assert_false (live);
  g_assert_true (gst_element_query_duration (run->pipeline, GST_FORMAT_TIME, &duration));
  g_assert_cmpint (duration, ==, GST_SECOND);
  g_assert_true (gst_element_seek_simple (run->pipeline, GST_FORMAT_TIME,
                                          GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
                                          15 * GST_SECOND / CLIP_FRAMES));
  gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
  g_assert_cmpuint (count_frames (run), ==, CLIP_FRAMES - 15);
  run_wait_status (run, "stopped");
  g_assert_true (gst_element_seek_simple (run->pipeline, GST_FORMAT_TIME,
                                          GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, 0));
  run_wait_status (run, "running");
  g_assert_cmpuint (count_frames (run), ==, CLIP_FRAMES);
  run_wait_status (run, "stopped");
}

static void
test_errors (void)
{
  g_autofree gchar *missing = g_build_filename (fixture_folder, "missing.mkv", NULL);
  g_autofree gchar *sound = g_build_filename (fixture_folder, "sound.wav", NULL);
  g_autofree gchar *text = g_build_filename (fixture_folder, "broken.mkv", NULL);
  g_autofree gchar *line =
      g_strdup_printf ("audiotestsrc num-buffers=5 ! wavenc ! filesink location=\"%s\"", sound);
  const struct {
    const gchar *location, *part;
    GQuark domain;
    gint code;
  } rows[] = {
      {missing, "missing.mkv: No such file", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND},
      {sound, "no video", GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE},
      {text, "broken.mkv: ", GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND},
  };
  g_autoptr (GstElement) writer = gst_parse_launch (line, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (writer);

  gst_element_set_state (writer, GST_STATE_PLAYING);
  gst_message_unref (gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS));
  gst_element_set_state (writer, GST_STATE_NULL);
  g_assert_true (g_file_set_contents (text, "\x01\x02 nothing that is known \x03", -1, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Run) run = run_new (rows[i].location, "", "");

    run_expect_error (run, rows[i].domain, rows[i].code, rows[i].part);
  }
}

/* What is missing is named, and where to get it. */
static void
test_missing_plugin (void)
{
  GstRegistry *registry = gst_registry_get ();
  g_autoptr (GstPluginFeature) demuxer = gst_registry_lookup_feature (registry, "matroskademux");

  g_assert_nonnull (demuxer);
  gst_registry_remove_feature (registry, demuxer);
  {
    g_autoptr (Run) run = run_new (clip, "retry=always", "");

    run_expect_error (run, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                      "clip.mkv: Matroska demuxer is not installed (expected in Debian's "
                      "gstreamer1.0-plugins-good)");
    g_assert_null (gst_app_sink_pull_sample (run->sink));
  }
  gst_registry_add_feature (registry, gst_object_ref (demuxer));
}

/* Wrong locations fail the change of state. */
static void
test_refused_locations (void)
{
  static const gchar *const bad[] = {NULL, "camera:", "gopher://h/x"};

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (Run) run = run_prepare (bad[i], "", "");

    g_assert_cmpint (gst_element_set_state (run->pipeline, GST_STATE_PLAYING), ==,
                     GST_STATE_CHANGE_FAILURE);
    run_expect_error (run, GST_RESOURCE_ERROR,
                      bad[i] ? GST_RESOURCE_ERROR_SETTINGS : GST_RESOURCE_ERROR_NOT_FOUND,
                      "(expected a path");
    gst_element_set_state (run->pipeline, GST_STATE_NULL);
    /* And the element is as good as before. */
    g_object_set (run->src, "location", clip, NULL);
    gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
    g_assert_cmpuint (count_frames (run), ==, CLIP_FRAMES);
  }
}

/* A file that comes later. */
static void
test_retry_always (void)
{
  g_autofree gchar *late = g_build_filename (fixture_folder, "late.mkv", NULL);
  g_autofree gchar *content = NULL;
  gsize size;
  g_autoptr (Run) run = run_new (late, "retry=always retry-min=1000000 retry-max=50000000", "");
  const GstStructure *info = run_wait_status (run, "retrying");

  g_assert_nonnull (strstr (gst_structure_get_string (info, "error"), "No such file"));
  g_assert_true (g_file_get_contents (clip, &content, &size, NULL));
  g_assert_true (g_file_set_contents (late, content, size, NULL));
  g_assert_cmpuint (count_frames (run), ==, CLIP_FRAMES);
  info = run_wait_status (run, "stopped");
  g_assert_cmpuint (run_get_count (info, "retries"), >=, 1);
}

static void
on_notify (GObject *object, GParamSpec *pspec, gpointer data)
{
  g_atomic_int_inc ((gint *)data);
}

static void
on_source_setup (GstElement *src, GstElement *source, gpointer data)
{
  g_assert_true (g_object_class_find_property (G_OBJECT_GET_CLASS (source), "location") != NULL);
  g_atomic_int_inc ((gint *)data);
}

static void
test_status (void)
{
  g_autoptr (Run) run = run_prepare (clip, "", "");
  gint notified = 0, sources = 0;
  g_autoptr (GstStructure) info = NULL;
  gint status;

  g_object_get (run->src, "status", &status, "status-info", &info, NULL);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpstr (gst_structure_get_string (info, "status"), ==, "stopped");
  g_signal_connect (run->src, "notify::status", G_CALLBACK (on_notify), &notified);
  g_signal_connect (run->src, "source-setup", G_CALLBACK (on_source_setup), &sources);
  gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
  run_wait_status (run, "connecting");
  run_wait_status (run, "running");
  count_frames (run);
  run_wait_status (run, "stopped");
  g_assert_cmpint (g_atomic_int_get (&notified), ==, 3);
  g_assert_cmpint (g_atomic_int_get (&sources), ==, 1);
  gst_element_set_state (run->pipeline, GST_STATE_NULL);
  g_assert_cmpint (g_atomic_int_get (&notified), ==, 4);
}

/* Stopped at any time. */
static void
test_cycles (void)
{
  g_autoptr (Run) run = run_prepare (clip, "", "");

  for (guint i = 0; i < 20; i++) {
    gst_element_set_state (run->pipeline, i % 2 ? GST_STATE_PLAYING : GST_STATE_PAUSED);
    if (i % 4 >= 2)
      gst_sample_unref (i % 2 ? run_pull (run) : gst_app_sink_pull_preroll (run->sink));
    gst_element_set_state (run->pipeline, i % 3 ? GST_STATE_NULL : GST_STATE_READY);
  }
}

/* --- Orientation --- */

static gchar *
find_orientation (Run *run)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (run->src, "src");
  gchar *orientation = NULL;
  GstEvent *event;

  for (guint i = 0; !orientation && (event = gst_pad_get_sticky_event (pad, GST_EVENT_TAG, i));
       i++) {
    GstTagList *tags;

    gst_event_parse_tag (event, &tags);
    gst_tag_list_get_string (tags, GST_TAG_IMAGE_ORIENTATION, &orientation);
    gst_event_unref (event);
  }
  return orientation;
}

static void
test_orientation (void)
{
  g_autofree gchar *path =
      g_build_filename (g_getenv ("SIGHTLINE_DATA"), "odd", "rotated90.mp4", NULL);
  static const struct {
    const gchar *property, *tag;
    gboolean portrait;
  } rows[] = {{"orientation=tag", "rotate-270", FALSE}, {"orientation=upright", "rotate-0", TRUE}};

  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_test_skip ("SIGHTLINE_DATA has no odd/rotated90.mp4");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Run) run = run_new (path, rows[i].property, "");
    g_autofree gchar *orientation = NULL;
    guint n_portrait = 0, n = 0;
    GstSample *sample;

    while ((sample = gst_app_sink_pull_sample (run->sink))) {
      GstVideoInfo info;

      gst_video_info_from_caps (&info, gst_sample_get_caps (sample));
      n_portrait += info.height > info.width;
      n++;
      gst_sample_unref (sample);
    }
    g_assert_cmpuint (n, >, 0);
    g_assert_cmpuint (n_portrait, ==, rows[i].portrait ? n : 0);
    orientation = find_orientation (run);
    g_assert_cmpstr (orientation, ==, rows[i].tag);
  }
}

static void
write_clip (void)
{
  g_autofree gchar *line = NULL;
  g_autoptr (GstElement) writer = NULL;
  g_autoptr (GstBus) bus = NULL;

  clip = g_build_filename (fixture_folder, "clip.mkv", NULL);
  line = g_strdup_printf (
      "videotestsrc num-buffers=%u ! video/x-raw,width=64,height=48,framerate=25/1 ! jpegenc "
      "! matroskamux name=m ! filesink location=\"%s\" "
      "audiotestsrc num-buffers=10 samplesperbuffer=800 ! audio/x-raw,rate=8000 ! m.",
      CLIP_FRAMES, clip);
  writer = gst_parse_launch (line, NULL);
  bus = gst_element_get_bus (writer);
  gst_element_set_state (writer, GST_STATE_PLAYING);
  gst_message_unref (gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS));
  gst_element_set_state (writer, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  int status;

  fixture_init (&argc, &argv);
  write_clip ();
  g_test_add_func ("/slsrc/locations", test_locations);
  g_test_add_func ("/slsrc/secrets", test_secrets);
  g_test_add_func ("/slsrc/back-off", test_back_off);
  g_test_add_func ("/slsrc/limit", test_limit);
  g_test_add_func ("/slsrc/file", test_file);
  g_test_add_func ("/slsrc/seek", test_seek);
  g_test_add_func ("/slsrc/errors", test_errors);
  g_test_add_func ("/slsrc/missing-plugin", test_missing_plugin);
  g_test_add_func ("/slsrc/refused-locations", test_refused_locations);
  g_test_add_func ("/slsrc/retry-always", test_retry_always);
  g_test_add_func ("/slsrc/status", test_status);
  g_test_add_func ("/slsrc/cycles", test_cycles);
  g_test_add_func ("/slsrc/orientation", test_orientation);
  status = fixture_run ();
  g_free (clip);
  return status;
}
