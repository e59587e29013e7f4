/* slsrc with cameras that only this test knows: a device provider lists them, live test sources
 * stand behind them, and they can be unplugged. */
#include "gstslsrccamera.h"
#include "slsrc-run.h"

#include <string.h>

#define QUICK " retry-min=20000000 retry-max=200000000 "
#define RAW_LUMA 235 /* white */
#define JPEG_LUMA 16 /* black */

typedef struct Model {
  const gchar *name, *caps, *line;
} Model;

static const Model models[] = {
    {"Sightline Test Rawcam",
     "video/x-raw,format=YUY2,width=640,height=480,framerate={15/1,30/1};"
     "video/x-raw,format=YUY2,width=1280,height=720,framerate=30/1",
     "videotestsrc is-live=true pattern=white"},
    {"Sightline Test MJPG Café",
     "video/x-raw,format=YUY2,width=320,height=240,framerate=30/1;"
     "image/jpeg,width=640,height=480,framerate=30/1;image/jpeg,width=320,height=240,"
     "framerate=30/1",
     "videotestsrc is-live=true pattern=black ! jpegenc"},
    {"Sightline Test Stalls", "video/x-raw,format=I420,width=64,height=48,framerate=30/1",
     "videotestsrc is-live=true pattern=white ! valve name=valve"},
};

/* What the test does with them. */
static GMutex lock;
static gboolean unplugged[G_N_ELEMENTS (models)];
static GstElement *opened; /* a reference to the last one */

/* --- A camera --- */

typedef struct FakeCamera {
  GstDevice parent;
  guint model;
} FakeCamera;
typedef GstDeviceClass FakeCameraClass;

static GType fake_camera_get_type (void);
G_DEFINE_TYPE (FakeCamera, fake_camera, GST_TYPE_DEVICE)

static GstElement *
fake_camera_create_element (GstDevice *device, const gchar *name)
{
  const Model *model = &models[((FakeCamera *)device)->model];
  GstElement *element = gst_parse_bin_from_description (model->line, TRUE, NULL);

  g_mutex_lock (&lock);
  gst_clear_object (&opened);
  opened = gst_object_ref (element);
  g_mutex_unlock (&lock);
  g_object_force_floating (G_OBJECT (element));
  return element;
}

static void
fake_camera_class_init (FakeCameraClass *klass)
{
  klass->create_element = fake_camera_create_element;
}

static void
fake_camera_init (FakeCamera *self)
{
}

/* --- The provider --- */

typedef GstDeviceProvider FakeProvider;
typedef GstDeviceProviderClass FakeProviderClass;

static GType fake_provider_get_type (void);
G_DEFINE_TYPE (FakeProvider, fake_provider, GST_TYPE_DEVICE_PROVIDER)

static GList *
fake_provider_probe (GstDeviceProvider *provider)
{
  GList *devices = NULL;

  g_mutex_lock (&lock);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (models[i].caps);
    FakeCamera *camera;

    if (unplugged[i])
      continue;
    camera = g_object_new (fake_camera_get_type (), "display-name", models[i].name, "caps", caps,
                           "device-class", "Video/Source", NULL);
    camera->model = i;
    devices = g_list_append (devices, gst_object_ref_sink (camera));
  }
  g_mutex_unlock (&lock);
  return devices;
}

static void
fake_provider_class_init (FakeProviderClass *klass)
{
  klass->probe = fake_provider_probe;
  gst_device_provider_class_set_static_metadata (klass, "Fake cameras", "Video/Source", "Tests",
                                                 "Sightline");
}

static void
fake_provider_init (FakeProvider *self)
{
}

/* As a driver's source tells it. */
static void
unplug (guint model)
{
  g_autoptr (GstElement) element = NULL;

  g_mutex_lock (&lock);
  unplugged[model] = TRUE;
  element = g_steal_pointer (&opened);
  g_mutex_unlock (&lock);
  GST_ELEMENT_ERROR (element, RESOURCE, READ, ("Could not read from resource."),
                     ("fake: poll error: No such device"));
}

static void
replug (guint model)
{
  g_mutex_lock (&lock);
  unplugged[model] = FALSE;
  g_mutex_unlock (&lock);
}

/* --- Modes --- */

static void
check_mode (const gchar *offered, const gchar *allowed, const gchar *expected)
{
  g_autoptr (GstCaps) offered_caps = gst_caps_from_string (offered);
  g_autoptr (GstCaps) allowed_caps = gst_caps_from_string (allowed);
  g_autoptr (GstCaps) mode = gst_sl_src_camera_choose_mode (offered_caps, allowed_caps);
  g_autoptr (GstCaps) expected_caps = expected ? gst_caps_from_string (expected) : NULL;

  if (!expected)
    g_assert_null (mode);
  else if (!mode || !gst_caps_is_equal (mode, expected_caps))
    g_error ("%" GST_PTR_FORMAT " instead of %s", mode, expected);
}

#define RAW(size, rate) "video/x-raw,format=YUY2," size ",framerate=" rate
#define JPEG(size, rate) "image/jpeg," size ",framerate=" rate
#define VGA "width=640,height=480"
#define HD "width=1280,height=720"
#define FULL_HD "width=1920,height=1080"

static void
test_modes (void)
{
  static const struct {
    const gchar *offered, *allowed, *expected;
  } rows[] = {
      /* The usual webcam: 720p is raw only at 10 frames a second. */
      {RAW (VGA, "30/1") ";" RAW (HD, "10/1") ";" JPEG (VGA, "30/1") ";" JPEG (HD, "30/1"), "ANY",
       JPEG (HD, "30/1")},
      /* Raw as good as MJPG, wherever it stands. */
      {JPEG (HD, "30/1") ";" RAW (HD, "30/1"), "ANY", RAW (HD, "30/1")},
      {JPEG (HD, "{60/1,30/1}") ";" RAW (HD, "{60/1,30/1,15/1}"), "ANY", RAW (HD, "30/1")},
      /* What downstream asks for. */
      {RAW (VGA, "30/1") ";" JPEG (HD, "30/1"), "video/x-raw," VGA, RAW (VGA, "30/1")},
      {RAW (VGA, "30/1") ";" JPEG (FULL_HD, "30/1"), "video/x-raw," FULL_HD,
       JPEG (FULL_HD, "30/1")},
      {RAW (HD, "10/1") ";" JPEG (HD, "30/1"), "video/x-raw,framerate=10/1", RAW (HD, "10/1")},
      {RAW (HD, "30/1") ";" JPEG (HD, "30/1"), "video/x-raw,format=I420", JPEG (HD, "30/1")},
      {RAW (VGA, "30/1"), "video/x-raw," HD, NULL},
      /* Ranges. */
      {"video/x-raw,format={NV12,I420},width=[32,4000],height=[32,3000],framerate=[1/1,120/1]",
       "ANY", "video/x-raw,format=NV12," HD ",framerate=30/1"},
      /* The frame rate counts more than the size. */
      {RAW (VGA, "30/1") ";" RAW (HD, "5/1"), "ANY", RAW (VGA, "30/1")},
      /* Other memory is of no use, nor is a Bayer pattern; other codecs are, if need be. */
      {"video/x-raw(memory:DMABuf),format=YUY2," HD ",framerate=30/1;" RAW (VGA, "30/1"), "ANY",
       RAW (VGA, "30/1")},
      {"video/x-bayer,format=bggr," HD ",framerate=30/1", "ANY", NULL},
      {"video/x-h264," HD ",framerate=30/1", "ANY", "video/x-h264," HD ",framerate=30/1"},
      {"video/x-h264," HD ",framerate=30/1;" JPEG (HD, "30/1"), "ANY", JPEG (HD, "30/1")},
      /* Drivers' other fields are not asked for. */
      {RAW (VGA, "30/1") ",colorimetry=2:4:7:1,pixel-aspect-ratio=1/1", "ANY", RAW (VGA, "30/1")},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    check_mode (rows[i].offered, rows[i].allowed, rows[i].expected);
}

/* --- In a pipeline --- */

static void
check_size (GstSample *sample, gint width, gint height)
{
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  g_assert_cmpint (info.width, ==, width);
  g_assert_cmpint (info.height, ==, height);
}

/* Frames, unplugged: a card of the same caps; plugged in again: frames. */
static void
check_replug (guint model, const gchar *location, guint luma, gint width, gint height)
{
  g_autoptr (Run) run = run_new_live (location, QUICK, "");
  g_autoptr (GstSample) frame = NULL, card = NULL, again = NULL;
  const GstStructure *info;
  guint64 frames;

  run_wait_status (run, "running");
  frame = run_pull (run);
  check_size (frame, width, height);
  g_assert_cmpuint (ABS ((gint)run_get_luma (frame) - (gint)luma), <=, LUMA_TOLERANCE);
  unplug (model);
  info = run_wait_status (run, "retrying");
  frames = run_get_count (info, "frames");
  g_assert_cmpuint (frames, >, 0);
  g_assert_nonnull (strstr (gst_structure_get_string (info, "error"), "No such device"));
  card = run_pull_until (run, CARD_LUMA, LUMA_TOLERANCE);
  check_size (card, width, height);
  replug (model);
  info = run_wait_status (run, "running");
  g_assert_cmpuint (run_get_count (info, "connects"), ==, 2);
  again = run_pull_until (run, luma, LUMA_TOLERANCE);
  run_check_order (run);
  g_assert_cmpuint (run->caps_events, ==, 1);
}

static void
test_raw (void)
{
  check_replug (0, "camera:sightline test rawcam", RAW_LUMA, 1280, 720);
}

static void
test_mjpg (void)
{
  check_replug (1, "camera:mjpg CAFÉ", JPEG_LUMA, 640, 480);
}

static void
test_filter (void)
{
  g_autoptr (Run) run = run_new_live ("camera:Rawcam", "", "video/x-raw,framerate=15/1 !");
  g_autoptr (GstSample) sample = run_pull (run);

  check_size (sample, 640, 480);
}

/* The number is the place in GStreamer's list, whatever else is plugged in. */
static void
test_number (void)
{
  g_autoptr (GstDeviceMonitor) monitor = gst_device_monitor_new ();
  GList *devices;
  gint n = -1, i = 0;
  g_autofree gchar *location = NULL;
  g_autoptr (Run) run = NULL;

  gst_device_monitor_add_filter (monitor, "Video/Source", NULL);
  devices = gst_device_monitor_get_devices (monitor);
  for (GList *item = devices; item; item = item->next, i++) {
    g_autofree gchar *name = gst_device_get_display_name (item->data);

    if (g_str_equal (name, models[1].name))
      n = i;
  }
  g_list_free_full (devices, gst_object_unref);
  g_assert_cmpint (n, >=, 0);
  location = g_strdup_printf ("camera:%d", n);
  run = run_new_live (location, "", "");
  gst_sample_unref (run_pull_until (run, JPEG_LUMA, LUMA_TOLERANCE));
}

static void
test_unknown (void)
{
  {
    g_autoptr (Run) run = run_new_live ("camera:nobody's", "retry=never", "");

    run_expect_error (run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                      "no camera \"nobody's\" (there are ");
  }
  {
    g_autoptr (Run) run = run_new_live ("camera:4711", "retry=never", "");

    run_expect_error (run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, models[1].name);
  }
  {
    g_autoptr (Run) run =
        run_new_live ("camera:Rawcam", "retry=never", "video/x-raw,width=31,height=17 !");

    run_expect_error (run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "width=(int)31");
  }
}

/* A camera that stands still without a word. */
static void
test_stall (void)
{
  g_autoptr (Run) run =
      run_new_live ("camera:stalls", QUICK "timeout=300000000 connect-timeout=300000000", "");
  g_autoptr (GstElement) valve = NULL;
  const GstStructure *info;

  run_wait_status (run, "running");
  g_mutex_lock (&lock);
  valve = gst_bin_get_by_name (GST_BIN (opened), "valve");
  g_mutex_unlock (&lock);
  g_object_set (valve, "drop", TRUE, NULL);
  info = run_wait_status (run, "retrying");
  g_assert_cmpstr (gst_structure_get_string (info, "reason"), ==, "timeout");
  /* The next one opened has an open valve. */
  info = run_wait_status (run, "running");
  g_assert_cmpuint (run_get_count (info, "connects"), ==, 2);
  run_check_order (run);
}

/* A consumer that stands still is no loss. */
static void
test_slow_consumer (void)
{
  g_autoptr (Run) run =
      run_new ("camera:rawcam", QUICK "timeout=200000000 connect-timeout=200000000", "");
  g_autoptr (GstStructure) info = NULL;

  run_wait_status (run, "running");
  /* appsink is full after four frames. Longer than the timeout, that is all that counts. */
  g_usleep (800 * G_TIME_SPAN_MILLISECOND);
  g_object_get (run->src, "status-info", &info, NULL);
  g_assert_cmpstr (gst_structure_get_string (info, "status"), ==, "running");
  g_assert_cmpuint (run_get_count (info, "retries"), ==, 0);
  for (guint i = 0; i < 8; i++)
    gst_sample_unref (run_pull (run));
  run_check_order (run);
}

/* Where downstream refuses the pictures, no camera would help. */
static void
test_refusal (void)
{
  g_autoptr (Run) run =
      run_new_live ("camera:mjpg", QUICK, "identity error-after=3 name=refuses !");
  g_autoptr (GstMessage) message = NULL;

  /* identity's own error comes first; then the stream ends, and no other camera is tried. */
  message = gst_bus_timed_pop_filtered (run->bus, 60 * GST_SECOND, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  run_expect_error (run, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "Internal data stream error");
}

/* Where downstream wants no more, that is the end. */
static void
test_downstream_eos (void)
{
  g_autoptr (Run) run = run_new_live ("camera:rawcam", QUICK, "identity eos-after=4 !");
  const GstStructure *info = run_wait_status (run, "stopped");

  g_assert_cmpstr (gst_structure_get_string (info, "reason"), ==, "eos");
  g_assert_cmpuint (run_get_count (info, "retries"), ==, 0);
  for (guint n = 0;; n++) {
    GstSample *sample = gst_app_sink_pull_sample (run->sink); /* waits for ever without an EOS */

    if (!sample)
      break;
    gst_sample_unref (sample);
    g_assert_cmpuint (n, <, 4);
  }
}

/* A live stream cannot be sought in, and has no length. */
static void
test_queries (void)
{
  g_autoptr (Run) run = run_new_live ("camera:rawcam", QUICK, "");
  g_autoptr (GstQuery) seeking = gst_query_new_seeking (GST_FORMAT_TIME);
  g_autoptr (GstQuery) latency = gst_query_new_latency ();
  g_autoptr (GstPad) pad = gst_element_get_static_pad (GST_ELEMENT (run->sink), "sink");
  gboolean seekable = TRUE, live = FALSE;
  gint64 duration;

  run_wait_status (run, "running");
  g_assert_true (gst_element_query (GST_ELEMENT (run->sink), seeking));
  gst_query_parse_seeking (seeking, NULL, &seekable, NULL, NULL);
  g_assert_false (seekable);
  g_assert_true (gst_pad_peer_query (pad, latency));
  gst_query_parse_latency (latency, &live, NULL, NULL);
  g_assert_true (live);
  g_assert_false (gst_element_query_duration (GST_ELEMENT (run->sink), GST_FORMAT_TIME, &duration));
  g_assert_false (gst_element_seek_simple (GST_ELEMENT (run->sink), GST_FORMAT_TIME,
                                           GST_SEEK_FLAG_FLUSH, GST_SECOND));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_assert_true (gst_device_provider_register (NULL, "sightlinetestprovider", GST_RANK_PRIMARY,
                                               fake_provider_get_type ()));
  g_test_add_func ("/slsrc-camera/modes", test_modes);
  g_test_add_func ("/slsrc-camera/raw", test_raw);
  g_test_add_func ("/slsrc-camera/mjpg", test_mjpg);
  g_test_add_func ("/slsrc-camera/filter", test_filter);
  g_test_add_func ("/slsrc-camera/number", test_number);
  g_test_add_func ("/slsrc-camera/unknown", test_unknown);
  g_test_add_func ("/slsrc-camera/stall", test_stall);
  g_test_add_func ("/slsrc-camera/slow-consumer", test_slow_consumer);
  g_test_add_func ("/slsrc-camera/refusal", test_refusal);
  g_test_add_func ("/slsrc-camera/downstream-eos", test_downstream_eos);
  g_test_add_func ("/slsrc-camera/queries", test_queries);
  status = g_test_run ();
  gst_clear_object (&opened);
  return status;
}
