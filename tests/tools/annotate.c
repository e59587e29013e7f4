/* `sightline annotate`: what it writes is decoded again and looked at. */
#include "tiny-model.h"
#include "tool.h"

#include <gst/gst.h>
#include <gst/app/gstappsink.h>
#include <gst/video/video.h>
#include <string.h>

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = tool_folder_new ();
  g_free (tiny_model_write (self->folder, "tiny.onnx", TINY_METADATA));
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  tool_folder_remove (self->folder);
  g_free (self->folder);
}

/* What is in a clip. */
typedef struct {
  guint frames, audio_buffers;
  int width, height;
  double overlay; /* part of the first frame's pixels that are not the plain red of the source */
  gboolean panel_at_top_left; /* more of them are in that quarter than in any other */
  guint8 spots[2][3];         /* RGB of the first frame near its bottom left and right corner */
  GstClockTime first, audio_first, audio_end; /* running time */
} Clip;

static void
count_audio (GstElement *sink, GstBuffer *buffer, GstPad *pad, Clip *clip)
{
  const GstSegment *segment;
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  gst_event_parse_segment (event, &segment);
  GstClockTime time =
      gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  if (clip->audio_buffers++ == 0)
    clip->audio_first = time;
  clip->audio_end = time + GST_BUFFER_DURATION (buffer);
}

/* Looks for pixels that are far from red. */
static void
measure_overlay (GstSample *sample, Clip *clip)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  guint far = 0, quarters[4] = {0};
  g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  g_assert_true (gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ));
  for (int y = 0; y < info.height; y++)
    for (int x = 0; x < info.width; x++) {
      const guint8 *p = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) +
                        y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + 4 * x;
      gboolean is_far = p[0] < 200 || p[1] > 60 || p[2] > 60;
      far += is_far;
      quarters[(2 * y >= info.height) * 2 + (2 * x >= info.width)] += is_far;
    }
  for (guint i = 0; i < 2; i++)
    memcpy (clip->spots[i],
            (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) +
                info.height * 7 / 8 * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) +
                4 * (i ? info.width * 7 / 8 : info.width / 8),
            3);
  gst_video_frame_unmap (&frame);
  clip->overlay = (double)far / (info.width * info.height);
  clip->panel_at_top_left =
      quarters[0] > quarters[1] && quarters[0] > quarters[2] && quarters[0] > quarters[3];
}

/* libav 1.26 with several threads now and then aborts on widths like 322: "video meta uses
 * 336x240". */
static void
use_one_thread (GstBin *bin, GstBin *parent, GstElement *element, gpointer data)
{
  if (g_str_has_prefix (GST_OBJECT_NAME (element), "avdec_") &&
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), "max-threads"))
    g_object_set (element, "max-threads", 1, NULL);
}

static void
read_clip (const char *folder, const char *name, gboolean with_sound, Clip *clip)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = tool_path (folder, name);
  g_autofree char *launch = g_strdup_printf (
      "filesrc location=\"%s\" ! decodebin name=d d. ! queue ! videoconvert ! "
      "video/x-raw,format=RGBA ! "
      "appsink name=video sync=false%s",
      path,
      with_sound ? " d. ! audio/x-raw ! fakesink name=sound sync=false signal-handoffs=true" : "");
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, &error);
  g_assert_no_error (error);
  g_autoptr (GstElement) video = gst_bin_get_by_name (GST_BIN (pipeline), "video");
  *clip = (Clip){0};
  g_signal_connect (pipeline, "deep-element-added", G_CALLBACK (use_one_thread), NULL);
  if (with_sound) {
    g_autoptr (GstElement) sound = gst_bin_get_by_name (GST_BIN (pipeline), "sound");
    g_signal_connect (sound, "handoff", G_CALLBACK (count_audio), clip);
  }
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstSample *sample;
  while ((sample = gst_app_sink_try_pull_sample (GST_APP_SINK (video), 20 * GST_SECOND))) {
    if (clip->frames++ == 0) {
      const GstStructure *s = gst_caps_get_structure (gst_sample_get_caps (sample), 0);
      gst_structure_get_int (s, "width", &clip->width);
      gst_structure_get_int (s, "height", &clip->height);
      clip->first = gst_segment_to_running_time (gst_sample_get_segment (sample), GST_FORMAT_TIME,
                                                 GST_BUFFER_PTS (gst_sample_get_buffer (sample)));
      measure_overlay (sample, clip);
    }
    gst_sample_unref (sample);
  }
  g_assert_true (gst_app_sink_is_eos (GST_APP_SINK (video)));
  /* The sound may be behind. */
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  g_assert_true (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static gboolean
has_plugin (void)
{
  g_autoptr (GstElementFactory) overlay = gst_element_factory_find ("sloverlay");
  g_autoptr (GstElementFactory) classify = gst_element_factory_find ("slclassify");
  g_assert_nonnull (classify);
  return overlay != NULL;
}

#define RED_MOVIE                                                                                \
  "videotestsrc num-buffers=20 pattern=red ! video/x-raw,width=322,height=241,framerate=10/1 ! " \
  "jpegenc quality=95 ! "

static void
test_containers (Fixture *self, gconstpointer data)
{
  static const char *const names[] = {"out.mkv", "out.mp4", "out.webm"};
  g_auto (ToolRun) run = {0};
  if (!has_plugin () ||
      !tool_make_clip (self->folder, "in.mkv", RED_MOVIE "matroskamux ! filesink"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    Clip clip;
    tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "in.mkv", "-o", names[i], NULL);
    tool_assert_ok (&run);
    g_assert_cmpstr (run.out, ==, "");
    g_assert_nonnull (strstr (run.err, "whole, 20 frames"));
    read_clip (self->folder, names[i], FALSE, &clip);
    g_assert_cmpuint (clip.frames, ==, 20);
    g_assert_cmpint (clip.width, ==, 322);
    g_assert_cmpint (clip.height, ==, 240);
    g_assert_cmpfloat (clip.overlay, >, 0.01);
    g_assert_cmpfloat (clip.overlay, <, 0.6);
  }
}

/* Sound that the container takes goes through; other sound is encoded anew. */
static void
test_sound (Fixture *self, gconstpointer data)
{
  static const char *const names[] = {"out.mkv", "out.mp4", "out.webm"};
  g_auto (ToolRun) run = {0};
  if (!has_plugin () ||
      !tool_make_clip (self->folder, "in.mkv",
                       "audiotestsrc num-buffers=86 samplesperbuffer=1024 ! vorbisenc ! queue ! m. "
                       "videotestsrc num-buffers=20 pattern=red ! "
                       "video/x-raw,width=64,height=48,framerate=10/1 ! jpegenc ! queue ! m. "
                       "matroskamux name=m ! filesink"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    Clip clip;
    tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "in.mkv", "-o", names[i], NULL);
    tool_assert_ok (&run);
    read_clip (self->folder, names[i], TRUE, &clip);
    g_assert_cmpuint (clip.frames, ==, 20);
    g_assert_cmpuint (clip.audio_buffers, >, 20);
  }
}

/* Streams without timestamps and with sizes that change give one playable clip. */
static void
test_raw_stream (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  Clip clip;
  if (!has_plugin () || !tool_make_clip (self->folder, "in.mjpeg", RED_MOVIE "filesink"))
    return;
  tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "in.mjpeg", "-o", "out.mkv", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.err, "unknown, 20 frames"));
  read_clip (self->folder, "out.mkv", FALSE, &clip);
  g_assert_cmpuint (clip.frames, ==, 20);
}

static void
test_partial (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  Clip clip;
  g_autofree char *path = tool_path (self->folder, "in.mkv");
  if (!has_plugin () ||
      !tool_make_clip (self->folder, "in.mkv", RED_MOVIE "matroskamux ! filesink"))
    return;
  tool_cut (path, 0.5);
  tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "in.mkv", "-o", "out.mkv", NULL);
  tool_assert_error (&run, 1, "in.mkv: partial, ");
  read_clip (self->folder, "out.mkv", FALSE, &clip);
  g_assert_cmpuint (clip.frames, >, 3);
  g_assert_cmpuint (clip.frames, <, 20);
}

/* A part of the clip, with the sound that belongs to it. */
static void
test_window (Fixture *self, gconstpointer data)
{
  static const char *const names[] = {"out.mkv", "out.mp4", "out.webm"};
  g_auto (ToolRun) run = {0};
  Clip clip;
  if (!has_plugin () ||
      !tool_make_clip (self->folder, "in.mkv",
                       "audiotestsrc num-buffers=86 samplesperbuffer=1024 ! vorbisenc ! queue ! m. "
                       "videotestsrc num-buffers=20 pattern=red ! "
                       "video/x-raw,width=64,height=48,framerate=10/1 ! jpegenc ! queue ! m. "
                       "matroskamux name=m ! filesink"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "--from=0.5", "--to=1.5", "in.mkv",
              "-o", names[i], NULL);
    tool_assert_ok (&run);
    g_assert_nonnull (strstr (run.err, "10 frames"));
    read_clip (self->folder, names[i], TRUE, &clip);
    g_assert_cmpuint (clip.frames, ==, 10);
    g_assert_cmpuint (clip.first, <, 100 * GST_MSECOND);
    g_assert_cmpuint (clip.audio_first, <, 100 * GST_MSECOND);
    g_assert_cmpuint (clip.audio_end, >, 900 * GST_MSECOND);
    g_assert_cmpuint (clip.audio_end, <, 1100 * GST_MSECOND);
  }
  tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "--from=7", "in.mkv", "-o",
            "none.mkv", NULL);
  tool_assert_error (&run, 1, "no frame between");
}

/* A picture that has to be turned is written upright, and the labels stand upright in it. */
static void
test_turned (Fixture *self, gconstpointer data)
{
  static const guint8 exif[] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,    'M', 'M',
                                0,    42,   0, 0,  0,   8,   0,   1,   1, 0x12, 0,   3,
                                0,    0,    0, 1,  0,   6,   0,   0,   0, 0,    0,   0};
  g_auto (ToolRun) run = {0};
  g_autofree char *jpeg = NULL;
  g_autofree char *path = tool_path (self->folder, "in.jpg");
  gsize size;
  Clip clip;
  if (!has_plugin () ||
      !tool_make_clip (self->folder, "in.jpg",
                       "videotestsrc num-buffers=1 pattern=red ! "
                       "video/x-raw,width=240,height=320 ! jpegenc quality=95 ! filesink"))
    return;
  g_assert_true (g_file_get_contents (path, &jpeg, &size, NULL));
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_byte_array_append (bytes, (const guint8 *)jpeg, 2);
  g_byte_array_append (bytes, exif, sizeof exif);
  g_byte_array_append (bytes, (const guint8 *)jpeg + 2, (guint)size - 2);
  g_assert_true (g_file_set_contents (path, (const char *)bytes->data, bytes->len, NULL));
  tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "in.jpg", "-o", "out.mkv", NULL);
  tool_assert_ok (&run);
  read_clip (self->folder, "out.mkv", FALSE, &clip);
  g_assert_cmpuint (clip.frames, ==, 1);
  g_assert_cmpint (clip.width, ==, 320);
  g_assert_cmpint (clip.height, ==, 240);
  /* The labels' panel is where it is in any upright picture. */
  g_assert_true (clip.panel_at_top_left);
}

static void
assert_color (const guint8 color[3], guint8 r, guint8 g, guint8 b)
{
  g_test_message ("%u %u %u", color[0], color[1], color[2]);
  g_assert_cmpint (ABS (color[0] - r), <, 40);
  g_assert_cmpint (ABS (color[1] - g), <, 40);
  g_assert_cmpint (ABS (color[2] - b), <, 40);
}

/* Most is blue, so that is the best class: white there, and the red corner is as it was. */
static void
test_heatmap (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  Clip clip;
  if (!has_plugin () ||
      !tool_make_clip (self->folder, "in.mkv",
                       "videotestsrc num-buffers=8 pattern=red ! "
                       "video/x-raw,format=AYUV,width=120,height=90,framerate=10/1 ! "
                       "videobox left=-200 top=-150 fill=blue ! videoconvert ! "
                       "jpegenc quality=95 ! matroskamux ! filesink"))
    return;
  tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "in.mkv", "-o", "plain.mkv", NULL);
  tool_assert_ok (&run);
  read_clip (self->folder, "plain.mkv", FALSE, &clip);
  assert_color (clip.spots[0], 0, 0, 255);
  assert_color (clip.spots[1], 255, 0, 0);
  tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "--heatmap", "--colormap=grey",
            "--opacity=1", "in.mkv", "-o", "heat.mkv", NULL);
  tool_assert_ok (&run);
  read_clip (self->folder, "heat.mkv", FALSE, &clip);
  g_assert_cmpuint (clip.frames, ==, 8);
  assert_color (clip.spots[0], 255, 255, 255);
  assert_color (clip.spots[1], 255, 0, 0);
  tool_run (&run, self->folder, "annotate", "--heatmap", "--colormap=mud", "in.mkv", "-o",
            "out.mkv", NULL);
  tool_assert_error (&run, 2, "unknown colour map mud (expected ");
  tool_run (&run, self->folder, "annotate", "--heatmap", "--opacity=2", "in.mkv", "-o", "out.mkv",
            NULL);
  tool_assert_error (&run, 2, "--opacity 2 (expected 0 to 1)");
  tool_run (&run, self->folder, "annotate", "--opacity=0.2", "in.mkv", "-o", "out.mkv", NULL);
  tool_assert_error (&run, 2, "--heatmap");
}

/* One line for what goes wrong; the file that was there stays, nothing else is left. */
static void
test_errors (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *out = tool_path (self->folder, "out.mkv");
  g_autofree char *noise = tool_path (self->folder, "noise.mp4");
  g_autofree char *text = NULL;
  g_assert_true (g_file_set_contents (out, "before", -1, NULL));
  g_assert_true (g_file_set_contents (noise, "noise noise noise noise \1\2\3", -1, NULL));
  tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "missing.mkv", "-o", "out.mkv",
            NULL);
  tool_assert_error (&run, 1, "missing.mkv");
  tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "noise.mp4", "-o", "out.mkv", NULL);
  tool_assert_error (&run, 1, "noise.mp4");
  tool_run (&run, self->folder, "annotate", "-m", "missing.onnx", "noise.mp4", "-o", "out.mkv",
            NULL);
  tool_assert_error (&run, 1, "missing.onnx");
  tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "noise.mp4", "-o", "no/out.mkv",
            NULL);
  tool_assert_error (&run, 1, "no/out.mkv");
  if (tool_make_clip (self->folder, "sound.mkv",
                      "audiotestsrc num-buffers=20 ! vorbisenc ! matroskamux ! filesink")) {
    tool_run (&run, self->folder, "annotate", "-m", "tiny.onnx", "sound.mkv", "-o", "out.mkv",
              NULL);
    tool_assert_error (&run, 1, "no video stream");
  }
  g_assert_true (g_file_get_contents (out, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "before");
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  for (const char *name = g_dir_read_name (dir); name; name = g_dir_read_name (dir))
    g_assert_cmpint (name[0], !=, '.');
}

#define ADD(name, function) \
  g_test_add ("/tools/annotate/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  ADD ("containers", test_containers);
  ADD ("sound", test_sound);
  ADD ("raw-stream", test_raw_stream);
  ADD ("partial", test_partial);
  ADD ("window", test_window);
  ADD ("turned", test_turned);
  ADD ("heatmap", test_heatmap);
  ADD ("errors", test_errors);
  return g_test_run ();
}
