/* Elements on a Vulkan device: what they say there, what they share, and what becomes of them when
 * it fails. A CPU that plays a GPU is listed as one here, so that `auto` chooses it. Arguments: how
 * many cycles. */
#include "fixture.h"
#include "vulkan/harness.h"

#include <gstslclassify.h>
#include <gstslheatmap.h>
#include <malloc.h>
#include <sightline-gst/geometry-meta.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static TestVulkanHooks *hooks;
static guint n_cycles = 100;

GST_ELEMENT_REGISTER_DECLARE (slclassify)
GST_ELEMENT_REGISTER_DECLARE (slheatmap)
GST_ELEMENT_REGISTER_DECLARE (sltestsrc)

static void
begin (void)
{
  memset (hooks->counts, 0, sizeof hooks->counts);
  test_vulkan_hooks_reset (hooks);
}

/* From now on every call of that kind fails. */
static void
break_device (SlVkCall call, int64_t n)
{
  hooks->fail_call = (int)call;
  hooks->seen = hooks->fail_at = 0;
  hooks->fail_n = n;
  hooks->result = VK_ERROR_DEVICE_LOST;
}

static void
expect_color (Fixture *fixture, guint n)
{
  static const guint32 colors[] = {RED, GREEN, BLUE, BLACK};
  GstBuffer *buffer = fixture_process (fixture, colors[n % 4], n);

  g_assert_cmpuint (fixture_best (buffer), ==, n % 4);
  gst_buffer_unref (buffer);
}

static Fixture *
classify_on (const gchar *device)
{
  Fixture *fixture =
      fixture_new_infer (TINY_METADATA, "device", device, "late-policy", LATE_BLOCK, NULL);

  fixture_set_caps (fixture, "RGB", 16, 16, NULL);
  return fixture;
}

static gchar *
get_device (Fixture *fixture)
{
  g_autoptr (GstStructure) info = NULL;

  g_object_get (fixture->element, "model-info", &info, NULL);
  return g_strdup (gst_structure_get_string (info, "device"));
}

static void
expect_copy_path (Fixture *fixture, const gchar *wanted)
{
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (fixture->element, "stats", &stats, NULL);
  g_assert_cmpstr (gst_structure_get_string (stats, "copy-path"), ==, wanted);
}

static void
check_revived (const gchar *name, SlVkCall call)
{
  const gchar *path = hooks->works_as_gpu ? "upload" : "cpu";
  Fixture *fixture;
  g_autofree gchar *device = NULL;

  begin ();
  fixture = classify_on (name);
  expect_copy_path (fixture, "none");
  expect_color (fixture, 0);
  expect_copy_path (fixture, path);
  device = get_device (fixture);
  g_assert_cmpstr (device, ==, test_vulkan_device ()->id);
  g_assert_cmpuint (hooks->counts[SL_VK_CreateDevice], ==, 1);
  break_device (call, 1);
  for (guint n = 1; n < 8; n++)
    expect_color (fixture, n);
  expect_copy_path (fixture, path);
  g_assert_true (hooks->has_failed);
  g_assert_cmpuint (hooks->counts[SL_VK_CreateDevice], ==, 2);
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
  fixture_free (fixture);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
}

/* One failure, wherever it shows: the frame is run again on a new device and nobody hears of it. */
static void
test_revived (void)
{
  static const SlVkCall calls[] = {SL_VK_QueueSubmit, SL_VK_WaitForFences, SL_VK_ResetFences};
  const gchar *const devices[] = {"auto", "vulkan"};

  for (guint k = 0; k < G_N_ELEMENTS (devices); k++)
    for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
      check_revived (devices[k], calls[i]);
}

/* The same where the device samples the frames. */
static void
test_revived_with_frames (void)
{
  hooks->works_as_gpu = true;
  check_revived ("auto", SL_VK_QueueSubmit);
  check_revived ("vulkan", SL_VK_WaitForFences);
  hooks->works_as_gpu = false;
}

/* One that has no room for frames when it comes back: the CPU samples the one that was on it. */
static void
test_revived_without_room (void)
{
  Fixture *fixture;

  begin ();
  hooks->works_as_gpu = true;
  fixture = classify_on ("vulkan");
  fixture_set_caps (fixture, "RGB", 640, 480, NULL);
  expect_color (fixture, 0);
  expect_copy_path (fixture, "upload");
  hooks->max_allocation = 512 << 10;
  break_device (SL_VK_QueueSubmit, 1);
  expect_color (fixture, 1);
  expect_color (fixture, 2);
  expect_copy_path (fixture, "cpu");
  g_assert_true (hooks->has_failed);
  g_assert_cmpuint (hooks->counts[SL_VK_CreateDevice], ==, 2);
  fixture_free (fixture);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
  hooks->works_as_gpu = false;
  hooks->max_allocation = 0;
}

/* A device that stays lost: nobody asked for it, so the CPU goes on with the same frame, and one
 * warning says so. */
static void
test_lost_auto (void)
{
  Fixture *fixture;
  guint n_warnings = 0;

  begin ();
  fixture = classify_on ("auto");
  expect_color (fixture, 0);
  break_device (SL_VK_QueueSubmit, G_MAXINT64 / 2);
  for (guint n = 1; n < 8; n++)
    expect_color (fixture, n);
  for (GstMessage *message;
       (message = gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
       gst_message_unref (message)) {
    g_autoptr (GError) warning = NULL;

    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
    gst_message_parse_warning (message, &warning, NULL);
    g_test_message ("%s", warning->message);
    g_assert_nonnull (strstr (warning->message, "CPU"));
    g_assert_nonnull (strstr (warning->message, "lost"));
    n_warnings++;
  }
  g_assert_cmpuint (n_warnings, ==, 1);
  /* The first one and two more. */
  g_assert_cmpuint (hooks->counts[SL_VK_CreateDevice], ==, 3);
  fixture_free (fixture);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
}

/* The CPU takes up the frame that was on the device. */
static void
test_lost_with_frames (void)
{
  hooks->works_as_gpu = true;
  test_lost_auto ();
  hooks->works_as_gpu = false;
}

/* The same where the device was asked for: an error. */
static void
test_lost_named (void)
{
  Fixture *fixture;

  begin ();
  fixture = classify_on ("vulkan");
  expect_color (fixture, 0);
  break_device (SL_VK_QueueSubmit, G_MAXINT64 / 2);
  g_assert_cmpint (gst_harness_push (fixture->harness, fixture_frame (fixture, RED, 1)), ==,
                   GST_FLOW_ERROR);
  fixture_expect_error (fixture, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "lost");
  g_assert_cmpuint (hooks->counts[SL_VK_CreateDevice], ==, 3);
  fixture_free (fixture);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
}

/* A GPU that cannot be opened, and one without memory: the CPU, and the bus says why. */
static void
test_refused (void)
{
  static const struct {
    SlVkCall call;
    VkResult result;
  } cases[] = {{SL_VK_CreateDevice, VK_ERROR_INITIALIZATION_FAILED},
               {SL_VK_AllocateMemory, VK_ERROR_OUT_OF_DEVICE_MEMORY},
               {SL_VK_CreateComputePipelines, VK_ERROR_OUT_OF_HOST_MEMORY}};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Fixture *fixture;
    g_autofree gchar *device = NULL;
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GError) info = NULL;

    begin ();
    break_device (cases[i].call, G_MAXINT64 / 2);
    hooks->result = cases[i].result;
    fixture = classify_on ("auto");
    expect_color (fixture, 0);
    device = get_device (fixture);
    g_assert_cmpstr (device, ==, "cpu");
    message = fixture_wait (fixture, GST_MESSAGE_INFO);
    g_assert_nonnull (message);
    gst_message_parse_info (message, &info, NULL);
    g_test_message ("%s", info->message);
    g_assert_nonnull (strstr (info->message, "CPU"));
    fixture_free (fixture);
    g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);

    fixture = classify_on ("vulkan");
    g_assert_cmpint (gst_harness_push (fixture->harness, fixture_frame (fixture, RED, 0)), ==,
                     GST_FLOW_ERROR);
    fixture_free (fixture);
    g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
  }
}

/* A GPU that says all is well and computes nothing: its first answer is not the CPU's. */
static void
test_wrong (void)
{
  Fixture *fixture;
  g_autofree gchar *device = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) info = NULL;

  begin ();
  break_device (SL_VK_CmdDispatch, G_MAXINT64 / 2);
  fixture = classify_on ("auto");
  for (guint n = 0; n < 4; n++)
    expect_color (fixture, n);
  device = get_device (fixture);
  g_assert_cmpstr (device, ==, "cpu");
  message = fixture_wait (fixture, GST_MESSAGE_INFO);
  g_assert_nonnull (message);
  gst_message_parse_info (message, &info, NULL);
  g_test_message ("%s", info->message);
  g_assert_nonnull (strstr (info->message, "from the CPU's"));
  fixture_free (fixture);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
}

/* Two elements with different networks run on one device. */
static void
test_shared (void)
{
  Fixture *one, *other;

  begin ();
  one = classify_on ("vulkan");
  other = fixture_new_infer (TINY_METADATA | TINY_MAX, "device", "vulkan", "late-policy",
                             LATE_BLOCK, NULL);
  fixture_set_caps (other, "RGB", 24, 16, NULL);
  for (guint n = 0; n < 8; n++) {
    expect_color (one, n);
    expect_color (other, n + 1);
  }
  g_assert_cmpuint (hooks->counts[SL_VK_CreateDevice], ==, 1);
  fixture_free (one);
  expect_color (other, 9);
  fixture_free (other);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
}

/* Bytes that are allocated now. Resident memory says less: the driver's compiler leaves arenas half
 * empty, some more with each thread that it starts. */
static gsize
get_memory (void)
{
  const struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

/* Every cycle ends all that it made. What the driver keeps grows to some size in the first third,
 * and then no longer; what the validation layer keeps grows with each command buffer. */
static void
test_cycles (void)
{
  gsize settled = 0;

  begin ();
  for (guint i = 0; i < n_cycles; i++) {
    Fixture *fixture = classify_on ("vulkan");

    if (i % 2)
      expect_color (fixture, i);
    fixture_free (fixture);
    g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
    if (i == n_cycles / 3)
      settled = get_memory ();
  }
  g_test_message ("%.2f MiB after %u cycles, %.2f MiB after %u", (double)settled / (1 << 20),
                  n_cycles / 3, (double)get_memory () / (1 << 20), n_cycles);
  if (g_strcmp0 (g_getenv ("SIGHTLINE_VULKAN_VALIDATE"), "0") == 0)
    g_assert_cmpuint (get_memory (), <, settled + (1 << 20));
}

/* --- Memory that is offered --- */

static GstPadProbeReturn
keep_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  gst_buffer_replace (data, GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
offer_pool (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  g_autoptr (GstBufferPool) pool = NULL;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  pool = gst_video_buffer_pool_new ();
  gst_query_add_allocation_pool (query, pool, 64 * 48 * 3 / 2, 0, 0);
  return GST_PAD_PROBE_HANDLED;
}

/* Runs four frames by a network on `device`; returns the last one, which outlives everything. */
static GstBuffer *
watch (const gchar *device, const gchar *policy, gboolean is_offered, const gchar *wanted_path)
{
  g_autofree gchar *model = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  g_autofree gchar *line = g_strdup_printf (
      "sltestsrc num-buffers=4 ! video/x-raw,format=I420,width=64,height=48 ! slclassify name=it "
      "model-file=%s device=%s late-policy=%s ! fakesink name=sink",
      model, device, policy);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) it = NULL, sink = NULL;
  g_autoptr (GstPad) src_pad = NULL, sink_pad = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstStructure) stats = NULL, info = NULL;
  GstBuffer *kept = NULL;

  g_assert_no_error (error);
  it = gst_bin_get_by_name (GST_BIN (pipeline), "it");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  src_pad = gst_element_get_static_pad (it, "src");
  sink_pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (src_pad, GST_PAD_PROBE_TYPE_BUFFER, keep_buffer, &kept, NULL);
  if (is_offered)
    gst_pad_add_probe (sink_pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, offer_pool, NULL, NULL);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  while (!info) { /* `latest` does not wait for the model */
    g_object_get (it, "model-info", &info, NULL);
    g_usleep (1000);
  }
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  g_object_get (it, "stats", &stats, NULL);
  g_assert_cmpstr (gst_structure_get_string (stats, "copy-path"), ==, wanted_path);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return kept;
}

static gfloat
get_score (GstBuffer *buffer)
{
  SlLabelMeta *meta = sl_buffer_get_label_meta (buffer, NULL);

  g_assert_nonnull (meta);
  return meta->labels[0].score;
}

/* Frames come in the GPU's memory where the network runs before they go on and nobody downstream
 * has a wish. */
static void
test_memory (void)
{
  GstBuffer *uploaded, *in_place;
  GstMapInfo map;

  begin ();
  hooks->works_as_gpu = true;
  gst_buffer_unref (watch ("vulkan", "latest", FALSE, "upload"));
  uploaded = watch ("vulkan", "block", TRUE, "upload");
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
  in_place = watch ("vulkan", "block", FALSE, "in-place");
  g_assert_cmpfloat (get_score (in_place), ==, get_score (uploaded));
  /* The device is there as long as somebody has a frame. */
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), >, 0);
  g_assert_true (gst_buffer_is_writable (in_place));
  g_assert_true (gst_buffer_map (in_place, &map, GST_MAP_READWRITE));
  memset (map.data, 0, map.size);
  gst_buffer_unmap (in_place, &map);
  gst_buffer_unref (in_place);
  gst_buffer_unref (uploaded);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
  hooks->works_as_gpu = false;
  gst_buffer_unref (watch ("vulkan", "block", FALSE, "cpu"));
  gst_buffer_unref (watch ("cpu", "block", FALSE, "cpu"));
}

/* --- Real clips --- */

/* Of all frames of a clip. */
typedef struct {
  GArray *best;   /* guint: the label that comes first */
  GArray *scores; /* float: its score */
  GArray *map;    /* float */
} Seen;

static GstPadProbeReturn
take_results (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Seen *seen = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  SlLabelMeta *labels = sl_buffer_get_label_meta (buffer, NULL);
  SlGeometryMeta *geometry = sl_buffer_get_geometry_meta (buffer, NULL);

  g_assert_nonnull (labels);
  g_assert_cmpuint (labels->n_labels, >, 0);
  g_array_append_val (seen->best, labels->labels[0].index);
  g_array_append_val (seen->scores, labels->labels[0].score);
  if (geometry && geometry->grid.width)
    g_array_append_vals (seen->map, geometry->grid.values,
                         geometry->grid.width * geometry->grid.height);
  return GST_PAD_PROBE_OK;
}

static void
look_through (const gchar *clip, const gchar *element, const gchar *device, Seen *ret)
{
  g_autofree gchar *line =
      g_strdup_printf ("filesrc location=\"%s\" ! decodebin ! %s name=it device=%s "
                       "late-policy=block ! fakesink",
                       clip, element, device);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) it = NULL;
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  g_assert_no_error (error);
  *ret = (Seen){g_array_new (FALSE, FALSE, sizeof (guint)),
                g_array_new (FALSE, FALSE, sizeof (gfloat)),
                g_array_new (FALSE, FALSE, sizeof (gfloat))};
  it = gst_bin_get_by_name (GST_BIN (pipeline), "it");
  pad = gst_element_get_static_pad (it, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, take_results, ret, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (bus, 300 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
seen_clear (Seen *seen)
{
  g_array_unref (seen->best);
  g_array_unref (seen->scores);
  g_array_unref (seen->map);
}

static void
compare_floats (const GArray *got, const GArray *wanted, gdouble tolerance)
{
  g_assert_cmpuint (got->len, ==, wanted->len);
  for (guint i = 0; i < got->len; i++)
    g_assert_cmpfloat_with_epsilon (g_array_index (got, gfloat, i),
                                    g_array_index (wanted, gfloat, i), tolerance);
}

/* The built-in network on a real clip, as the CPU does it. */
static void
test_clip (gconstpointer element)
{
  const gchar *folder = g_getenv ("SIGHTLINE_DATA");
  g_autofree gchar *clip =
      g_build_filename (folder ? folder : "", "clips", "openh264_BA_MW_D.264", NULL);
  g_autoptr (GstElementFactory) parser = gst_element_factory_find ("h264parse");
  Seen got, wanted;

  if (!folder || !g_file_test (clip, G_FILE_TEST_EXISTS) || !parser) {
    g_test_skip ("no clips, or nothing that reads them");
    return;
  }
  begin ();
  look_through (clip, element, "cpu", &wanted);
  g_assert_cmpuint (hooks->counts[SL_VK_CreateDevice], ==, 0);
  look_through (clip, element, "vulkan", &got);
  g_assert_cmpuint (hooks->counts[SL_VK_CreateDevice], ==, 1);
  g_test_message ("%u frames, %u cells", got.best->len, got.map->len);
  g_assert_cmpuint (got.best->len, >=, 90);
  g_assert_cmpmem (got.best->data, got.best->len * sizeof (guint), wanted.best->data,
                   wanted.best->len * sizeof (guint));
  compare_floats (got.scores, wanted.scores, 1e-4);
  compare_floats (got.map, wanted.map, 1e-3);
  g_assert_true (strcmp (element, "slheatmap") != 0 || got.map->len > 0);
  seen_clear (&got);
  seen_clear (&wanted);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
}

int
main (int argc, char **argv)
{
  int status;

  fixture_init (&argc, &argv);
  if (argc > 1)
    n_cycles = (guint)atoi (argv[1]);
  hooks = test_vulkan_hooks_new ();
  hooks->plays_gpu = true;
  if (!test_vulkan_open (&status))
    return status;
  GST_ELEMENT_REGISTER (slclassify, NULL);
  GST_ELEMENT_REGISTER (slheatmap, NULL);
  GST_ELEMENT_REGISTER (sltestsrc, NULL);
  g_test_add_func ("/plugins/devices/revived", test_revived);
  g_test_add_func ("/plugins/devices/revived-with-frames", test_revived_with_frames);
  g_test_add_func ("/plugins/devices/revived-without-room", test_revived_without_room);
  g_test_add_func ("/plugins/devices/lost-auto", test_lost_auto);
  g_test_add_func ("/plugins/devices/lost-with-frames", test_lost_with_frames);
  g_test_add_func ("/plugins/devices/lost-named", test_lost_named);
  g_test_add_func ("/plugins/devices/refused", test_refused);
  g_test_add_func ("/plugins/devices/wrong", test_wrong);
  g_test_add_func ("/plugins/devices/shared", test_shared);
  g_test_add_func ("/plugins/devices/cycles", test_cycles);
  g_test_add_func ("/plugins/devices/memory", test_memory);
  g_test_add_data_func ("/plugins/devices/clip/slclassify", "slclassify", test_clip);
  g_test_add_data_func ("/plugins/devices/clip/slheatmap", "slheatmap", test_clip);
  status = fixture_run ();
  test_vulkan_hooks_free (hooks);
  return status;
}
