/* The decoder on clips made at run time. What it says of real and broken ones is in tests/tools. */
#include <glib/gstdio.h>
#include <sightline-gst/decode.h>
#include <string.h>

typedef struct {
  char *folder, *path;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = g_dir_make_tmp ("sightline-test-XXXXXX", NULL);
  self->path = g_build_filename (self->folder, "clip.mkv", NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_unlink (self->path);
  g_rmdir (self->folder);
  g_free (self->path);
  g_free (self->folder);
}

static gboolean
make_clip (Fixture *self, const char *launch)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = g_strdup_printf ("%s ! filesink location=\"%s\"", launch, self->path);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (g_error_matches (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT)) {
    g_test_skip (error->message);
    return FALSE;
  }
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_true (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  return TRUE;
}

#define MOVIE                                                                                 \
  "videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=33,height=21,framerate=5/1 ! " \
  "jpegenc ! queue ! m. matroskamux name=m"

static void
test_frames (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *reason = "not set";
  SlDecodedFrame frame;
  if (!make_clip (self, MOVIE))
    return;
  g_autoptr (SlDecoder) decoder = sl_decoder_new (self->path, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 10; i++) {
    GstVideoFrame mapped;
    g_assert_true (sl_decoder_next (decoder, &frame));
    g_assert_cmpuint (frame.number, ==, i);
    g_assert_cmpuint (frame.pts, ==, i * GST_SECOND / 5);
    g_assert_cmpint (GST_VIDEO_INFO_WIDTH (frame.info), ==, 33);
    g_assert_cmpint (GST_VIDEO_INFO_HEIGHT (frame.info), ==, 21);
    g_assert_true (frame.buffer == gst_sample_get_buffer (frame.sample));
    g_assert_true (gst_video_frame_map (&mapped, frame.info, frame.buffer, GST_MAP_READ));
    gst_video_frame_unmap (&mapped);
    g_assert_cmpint (sl_decoder_get_outcome (decoder, NULL), ==, SL_OUTCOME_WHOLE);
    g_assert_cmpfloat_with_epsilon (sl_decoder_get_progress (decoder), (i + 1) / 10.0, 0.02);
  }
  g_assert_false (sl_decoder_next (decoder, &frame));
  g_assert_false (sl_decoder_next (decoder, &frame));
  g_assert_cmpint (sl_decoder_get_outcome (decoder, &reason), ==, SL_OUTCOME_WHOLE);
  g_assert_null (reason);
  g_assert_false (sl_decoder_has_audio (decoder));
}

/* Key frames alone, which count as all that was wanted. */
static void
test_key_frames (Fixture *self, gconstpointer data)
{
  const SlDecoderOptions options = {.key_frames = TRUE, .threads = 1};
  SlDecodedFrame frame;
  if (!make_clip (self, "videotestsrc num-buffers=25 ! "
                        "video/x-raw,format=I420,width=64,height=48,framerate=5/1 ! "
                        "vp8enc keyframe-max-dist=10 ! matroskamux"))
    return;
  g_autoptr (SlDecoder) decoder = sl_decoder_new_with_options (self->path, &options, NULL);
  for (guint i = 0; i < 3; i++) {
    g_assert_true (sl_decoder_next (decoder, &frame));
    g_assert_cmpuint (frame.number, ==, i);
    g_assert_cmpuint (frame.pts, ==, 10 * i * GST_SECOND / 5);
  }
  g_assert_false (sl_decoder_next (decoder, &frame));
  g_assert_cmpint (sl_decoder_get_outcome (decoder, NULL), ==, SL_OUTCOME_WHOLE);
}

/* A time limit never loses a frame, and after the end there is the end. */
static void
test_poll (Fixture *self, gconstpointer data)
{
  SlDecodedFrame frame;
  SlDecoderState state;
  guint n = 0;
  if (!make_clip (self, MOVIE))
    return;
  g_autoptr (SlDecoder) decoder = sl_decoder_new (self->path, NULL);
  while ((state = sl_decoder_poll (decoder, 0, &frame)) != SL_DECODER_END)
    if (state == SL_DECODER_FRAME)
      g_assert_cmpuint (frame.number, ==, n++);
  g_assert_cmpuint (n, ==, 10);
  g_assert_cmpint (sl_decoder_poll (decoder, GST_SECOND, &frame), ==, SL_DECODER_END);
  g_assert_cmpint (sl_decoder_get_outcome (decoder, NULL), ==, SL_OUTCOME_WHOLE);
  g_assert_null (sl_decoder_take_note (decoder));
  g_assert_cmpuint (sl_decoder_get_late (decoder), ==, 0);
}

/* Where the matrix of an MP4 track header (version 0) lies behind its name. */
#define MATRIX_OFFSET 44

/* Sets the upper left of the matrix, a, b, c, d: a quarter turn clockwise is 0, 1, -1, 0. */
static void
set_matrix (const char *path, const int matrix[4])
{
  static const guint places[] = {0, 1, 3, 4};
  g_autofree char *bytes = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  char *header = memmem (bytes, size, "tkhd", 4);
  g_assert_nonnull (header);
  for (guint i = 0; i < 4; i++) {
    guint32 fixed = GUINT32_TO_BE ((guint32)(matrix[i] * 65536));
    memcpy (header + MATRIX_OFFSET + 4 * places[i], &fixed, 4);
  }
  g_assert_true (g_file_set_contents (path, bytes, (gssize)size, NULL));
}

/* What MP4 says of how the pictures were held. */
static void
test_orientation (Fixture *self, gconstpointer data)
{
  static const struct {
    int matrix[4];
    guint orientation;
  } cases[] = {{{1, 0, 0, 1}, 1}, {{0, 1, -1, 0}, 6}, {{-1, 0, 0, -1}, 3}, {{0, -1, 1, 0}, 8}};
  SlDecodedFrame frame;
  if (!make_clip (self, "videotestsrc num-buffers=3 ! x264enc ! mp4mux"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    set_matrix (self->path, cases[i].matrix);
    g_autoptr (SlDecoder) decoder = sl_decoder_new (self->path, NULL);
    for (guint n = 0; n < 3; n++) {
      g_assert_true (sl_decoder_next (decoder, &frame));
      g_assert_cmpuint (frame.orientation, ==, cases[i].orientation);
      g_assert_cmpint (frame.wall_time, ==, 0);
    }
  }
}

/* A stream without times: those of its key frames are unknown once others are left out, since
 * codecs make them up from the frames that they get. */
static void
test_key_frames_untimed (Fixture *self, gconstpointer data)
{
  SlDecodedFrame frame;
  if (!make_clip (self, "videotestsrc num-buffers=30 ! video/x-raw,framerate=10/1 ! "
                        "x264enc key-int-max=10 ! video/x-h264,stream-format=byte-stream"))
    return;
  g_autoptr (SlDecoder) every = sl_decoder_new (self->path, NULL);
  guint n = 0;
  for (; sl_decoder_next (every, &frame); n++)
    g_assert_cmpuint (frame.pts, ==, n * 100 * GST_MSECOND);
  g_assert_cmpuint (n, ==, 30);
  const SlDecoderOptions options = {.key_frames = TRUE};
  g_autoptr (SlDecoder) keys = sl_decoder_new_with_options (self->path, &options, NULL);
  for (n = 0; sl_decoder_next (keys, &frame); n++) {
    g_assert_cmpuint (frame.number, ==, n);
    g_assert_true (frame.pts == (n ? GST_CLOCK_TIME_NONE : 0));
  }
  g_assert_cmpuint (n, ==, 3);
}

static void
test_live_sources (Fixture *self, gconstpointer data)
{
  g_assert_true (sl_decoder_source_is_live ("camera:0"));
  g_assert_true (sl_decoder_source_is_live ("Camera:front door"));
  g_assert_true (sl_decoder_source_is_live ("rtsp://host/stream"));
  g_assert_true (sl_decoder_source_is_live ("rtsps://host/stream"));
  g_assert_false (sl_decoder_source_is_live ("./camera:0"));
  g_assert_false (sl_decoder_source_is_live ("cameras"));
  g_assert_false (sl_decoder_source_is_live ("http://host/rtsp://"));
}

/* Nobody needs to read to the end. */
static void
test_freed_early (Fixture *self, gconstpointer data)
{
  if (!make_clip (self, MOVIE))
    return;
  for (guint n = 0; n < 4; n++) {
    g_autoptr (SlDecoder) decoder = sl_decoder_new (self->path, NULL);
    SlDecodedFrame frame;
    for (guint i = 0; i < n; i++)
      g_assert_true (sl_decoder_next (decoder, &frame));
  }
}

static void
test_audio (Fixture *self, gconstpointer data)
{
  SlDecodedFrame frame;
  if (!make_clip (self, "audiotestsrc num-buffers=90 ! vorbisenc ! queue ! m. " MOVIE))
    return;
  g_autoptr (SlDecoder) decoder = sl_decoder_new (self->path, NULL);
  guint n = 0;
  for (; sl_decoder_next (decoder, &frame); n++)
    g_assert_true (sl_decoder_has_audio (decoder));
  g_assert_cmpuint (n, ==, 10);
  g_assert_cmpint (sl_decoder_get_outcome (decoder, NULL), ==, SL_OUTCOME_WHOLE);
}

/* Sound that goes on after the pictures is not a part that is missing. */
static void
test_longer_audio (Fixture *self, gconstpointer data)
{
  SlDecodedFrame frame;
  if (!make_clip (self, "audiotestsrc num-buffers=300 ! vorbisenc ! queue ! m. " MOVIE))
    return;
  g_autoptr (SlDecoder) decoder = sl_decoder_new (self->path, NULL);
  while (sl_decoder_next (decoder, &frame))
    continue;
  const char *reason;
  SlOutcome outcome = sl_decoder_get_outcome (decoder, &reason);
  g_test_message ("%s", reason);
  g_assert_cmpint (outcome, ==, SL_OUTCOME_WHOLE);
}

static void
test_missing_file (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (sl_decoder_new (self->path, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
}

/* Bytes of a picture that are cut or changed anywhere: some outcome, and never a crash or a hang.
 */
static void
test_damage (Fixture *self, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  gsize size;
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  if (!make_clip (self, MOVIE))
    return;
  g_assert_true (g_file_get_contents (self->path, &bytes, &size, NULL));
  /* GStreamer's demuxers warn about themselves when a file is broken enough: no failure here. */
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
  for (guint round = 0; round < 30; round++) {
    g_autofree char *damaged = g_memdup2 (bytes, size);
    gsize length = round % 2 ? size : (gsize)g_rand_int_range (random, 0, (gint32)size);
    for (guint i = 0; i < 20 && round % 2; i++)
      damaged[g_rand_int_range (random, 0, (gint32)size)] = (char)g_rand_int (random);
    g_assert_true (g_file_set_contents (self->path, damaged, (gssize)length, NULL));
    g_autoptr (SlDecoder) decoder = sl_decoder_new (self->path, NULL);
    SlDecodedFrame frame;
    const char *reason;
    guint n = 0;
    while (sl_decoder_next (decoder, &frame))
      n++;
    SlOutcome outcome = sl_decoder_get_outcome (decoder, &reason);
    g_assert_cmpint (outcome == SL_OUTCOME_FAILED, ==, n == 0);
    g_assert_true ((reason == NULL) == (outcome == SL_OUTCOME_WHOLE));
    if (outcome == SL_OUTCOME_WHOLE && length < size)
      g_assert_cmpuint (n, ==, 10); /* what is cut off was no picture */
    if (reason)
      g_assert_null (strchr (reason, '\n'));
  }
  g_log_set_always_fatal (fatal);
}

#define ADD(name, function) \
  g_test_add ("/lib/decode/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sl_decoder_watch_codec_log ();
  gst_init (NULL, NULL);
  ADD ("frames", test_frames);
  ADD ("key-frames", test_key_frames);
  ADD ("key-frames-untimed", test_key_frames_untimed);
  ADD ("poll", test_poll);
  ADD ("orientation", test_orientation);
  ADD ("live-sources", test_live_sources);
  ADD ("freed-early", test_freed_early);
  ADD ("audio", test_audio);
  ADD ("longer-audio", test_longer_audio);
  ADD ("missing-file", test_missing_file);
  ADD ("damage", test_damage);
  return g_test_run ();
}
