#include "decode-private.h"

#include "missing-plugin.h"

#include <sightline-gst/classifier.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <string.h>

/* How long a wait for a frame lasts before the bus is looked at again. */
#define POLL_INTERVAL (50 * GST_MSECOND)
/* Broken files make GStreamer stand still without a word. So long nothing is read and no frame
 * comes before that is believed: of a file, and of anything else, where the network may be at
 * fault. */
#define FILE_PATIENCE (10 * G_USEC_PER_SEC)
#define URI_PATIENCE (60 * G_USEC_PER_SEC)

/* --- making and freeing --- */

static char *
source_to_uri (const char *source, GError **error)
{
  GStatBuf status;
  if (strstr (source, "://"))
    return g_strdup (source);
  if (g_stat (source, &status) == 0)
    return gst_filename_to_uri (source, error);
  g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s (expected a video or a picture)",
               g_strerror (errno));
  return NULL;
}

/* The element that reads `source` and decodes it. */
static GstElement *
make_input (const char *source, GError **error)
{
  if (sl_decoder_source_is_live (source))
    return sl_live_source_new (source, error);
  g_autofree char *uri = source_to_uri (source, error);
  GstElement *input = uri ? gst_element_factory_make ("uridecodebin", NULL) : NULL;
  if (input)
    g_object_set (input, "uri", uri, NULL);
  else if (uri)
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "GStreamer lacks uridecodebin (expected in Debian's gstreamer1.0-plugins-base)");
  return input;
}

static GstElement *
make_sink (GError **error)
{
  GstElement *sink = gst_element_factory_make ("appsink", NULL);
  g_autoptr (GstCaps) raw = gst_caps_new_empty_simple ("video/x-raw");
  if (sink)
    g_object_set (sink, "caps", raw, "sync", FALSE, "max-buffers", 2, "wait-on-eos", FALSE, NULL);
  else
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "GStreamer lacks appsink (expected in Debian's gstreamer1.0-plugins-base)");
  return sink;
}

SlDecoder *
sl_decoder_new_with_options (const char *source, const SlDecoderOptions *options, GError **error)
{
  g_return_val_if_fail (source != NULL, NULL);
  GstElement *input = make_input (source, error);
  GstElement *sink = input ? make_sink (error) : NULL;
  if (!sink) {
    g_clear_pointer (&input, gst_object_unref);
    return NULL;
  }

  SlDecoder *decoder = g_new0 (SlDecoder, 1);
  if (options)
    decoder->options = *options;
  decoder->live = sl_decoder_source_is_live (source);
  decoder->is_camera = decoder->live && !strstr (source, "://");
  decoder->path = strstr (source, "://") || decoder->live ? NULL : g_strdup (source);
  g_mutex_init (&decoder->lock);
  decoder->demuxed = sl_demuxed_new ();
  decoder->log = sl_codec_log_new ();
  decoder->exif = sl_exif_new ();
  decoder->end = GST_CLOCK_TIME_NONE;
  decoder->pipeline = gst_pipeline_new (NULL);
  decoder->bus = gst_element_get_bus (decoder->pipeline);
  decoder->input = input;
  decoder->sink = sink;
  gst_bin_add_many (GST_BIN (decoder->pipeline), input, sink, NULL);
  if (decoder->live)
    sl_live_watch (decoder);
  else
    sl_decoder_watch (decoder);
  decoder->opened_at = g_get_monotonic_time ();
  gst_element_set_state (decoder->pipeline, GST_STATE_PLAYING);
  return decoder;
}

SlDecoder *
sl_decoder_new (const char *source, GError **error)
{
  return sl_decoder_new_with_options (source, NULL, error);
}

void
sl_decoder_free (SlDecoder *decoder)
{
  if (!decoder)
    return;
  gst_element_set_state (decoder->pipeline, GST_STATE_NULL);
  g_clear_pointer (&decoder->sample, gst_sample_unref);
  gst_clear_caps (&decoder->caps);
  gst_object_unref (decoder->bus);
  gst_object_unref (decoder->pipeline);
  sl_demuxed_free (decoder->demuxed);
  sl_codec_log_free (decoder->log);
  sl_exif_free (decoder->exif);
  g_mutex_clear (&decoder->lock);
  g_free (decoder->container);
  g_free (decoder->video_id);
  g_free (decoder->missing);
  g_free (decoder->failure);
  g_free (decoder->reason);
  g_free (decoder->note);
  g_free (decoder->path);
  g_free (decoder);
}

/* --- frames --- */

/* One line of an error on the bus: its text, and the detail where the text alone says little. */
static char *
describe_error (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  gst_message_parse_error (message, &error, &debug);
  g_autofree char *detail = NULL;
  const char *second = debug ? strchr (debug, '\n') : NULL;
  if (second && (g_strrstr (error->message, "general") || g_strrstr (error->message, "Internal")))
    detail = g_strdup (second + 1);
  g_autofree char *text = g_strdup (detail ? detail : error->message);
  g_strdelimit (text, "\n\r", ' ');
  gsize length = strlen (g_strstrip (text));
  if (length > 0 && text[length - 1] == '.')
    text[length - 1] = '\0';
  return g_steal_pointer (&text);
}

/* Takes what the bus has. The first error counts: those after it are its echoes. */
static void
read_bus (SlDecoder *decoder)
{
  GstMessage *message;
  while ((message = gst_bus_pop_filtered (decoder->bus, GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT))) {
    const GstStructure *structure = gst_message_get_structure (message);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      if (!decoder->failure)
        decoder->failure = describe_error (message);
      /* What GStreamer's sources say where nobody answers. */
      if (!decoder->path && decoder->frames == 0 &&
          strcmp (decoder->failure, "streaming stopped, reason error (-5)") == 0) {
        g_free (decoder->failure);
        decoder->failure = g_strdup ("nothing could be read");
      }
    } else if (decoder->live) {
      sl_live_take_status (decoder, structure);
    } else if (!decoder->missing) {
      decoder->missing = sl_missing_plugin_describe (structure);
    }
    gst_message_unref (message);
  }
}

/* Whether no frame comes any more. A camera that has given some never stands still for good: its
 * source starts it anew. */
static gboolean
is_over (SlDecoder *decoder)
{
  gint64 now = g_get_monotonic_time ();
  gint reads = g_atomic_int_get (&decoder->reads);
  g_mutex_lock (&decoder->lock);
  gboolean no_video = decoder->no_video;
  g_mutex_unlock (&decoder->lock);
  if (no_video || decoder->failure || gst_app_sink_is_eos (GST_APP_SINK (decoder->sink)))
    return TRUE;
  if (decoder->quiet_since == 0 || reads != decoder->last_reads)
    decoder->quiet_since = now;
  decoder->last_reads = reads;
  if (decoder->live || now - decoder->quiet_since <= (decoder->path ? FILE_PATIENCE : URI_PATIENCE))
    return FALSE;
  decoder->failure = g_strdup ("decoding stands still, GStreamer says no cause");
  return TRUE;
}

/* avidemux makes -1/1 of an aspect ratio that a file does not state. */
static void
mend_aspect (SlDecoder *decoder)
{
  GstCaps *caps = gst_sample_get_caps (decoder->sample);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  int n, d;
  if (!gst_structure_get_fraction (structure, "pixel-aspect-ratio", &n, &d) || (n > 0 && d > 0))
    return;
  g_autoptr (GstCaps) mended = gst_caps_copy (caps);
  gst_caps_set_simple (mended, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, NULL);
  decoder->sample = gst_sample_make_writable (decoder->sample);
  gst_sample_set_caps (decoder->sample, mended);
}

static gboolean
set_caps (SlDecoder *decoder, GstCaps *caps)
{
  if (decoder->caps && (decoder->caps == caps || gst_caps_is_equal (decoder->caps, caps)))
    return TRUE;
  if (!sl_video_info_from_caps (&decoder->info, caps)) {
    decoder->failure = gst_caps_to_string (caps);
    return FALSE;
  }
  gst_caps_replace (&decoder->caps, caps);
  return TRUE;
}

/* Tags come in the order of the frames: those of a stream end with it. */
static void
take_event (SlDecoder *decoder, GstEvent *event)
{
  GstTagList *tags;
  if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    decoder->orientation = 0;
  if (GST_EVENT_TYPE (event) != GST_EVENT_TAG)
    return;
  gst_event_parse_tag (event, &tags);
  if (gst_tag_list_get_tag_size (tags, GST_TAG_IMAGE_ORIENTATION) > 0)
    decoder->orientation = sl_orientation_from_tags (tags);
}

static guint
get_orientation (SlDecoder *decoder)
{
  if (decoder->orientation)
    return decoder->orientation;
  g_mutex_lock (&decoder->lock);
  guint orientation = sl_exif_get_orientation (decoder->exif);
  g_mutex_unlock (&decoder->lock);
  return orientation;
}

/* Stream time of the frame, where it is known. */
static GstClockTime
get_time (SlDecoder *decoder)
{
  g_mutex_lock (&decoder->lock);
  gboolean untimed = decoder->untimed && decoder->frames > 0;
  g_mutex_unlock (&decoder->lock);
  if (untimed)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_stream_time (gst_sample_get_segment (decoder->sample), GST_FORMAT_TIME,
                                     GST_BUFFER_PTS (gst_sample_get_buffer (decoder->sample)));
}

/* Counts a frame that has come. FALSE if it is none for the caller. */
static gboolean
take_sample (SlDecoder *decoder, SlDecodedFrame *ret_frame)
{
  mend_aspect (decoder);
  GstBuffer *buffer = gst_sample_get_buffer (decoder->sample);
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  gboolean first = decoder->frames + decoder->damaged == 0;
  if (!set_caps (decoder, gst_sample_get_caps (decoder->sample)))
    return FALSE;
  if (!first && GST_BUFFER_IS_DISCONT (buffer))
    decoder->jumps++;
  if (GST_CLOCK_TIME_IS_VALID (pts))
    decoder->end = pts + (GST_BUFFER_DURATION_IS_VALID (buffer) ? GST_BUFFER_DURATION (buffer) : 0);
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_CORRUPTED)) {
    decoder->damaged++;
    return FALSE;
  }
  *ret_frame = (SlDecodedFrame){.sample = decoder->sample,
                                .buffer = buffer,
                                .info = &decoder->info,
                                .pts = get_time (decoder),
                                .number = decoder->frames,
                                .orientation = get_orientation (decoder),
                                .wall_time = decoder->live ? sl_live_get_wall_time (decoder) : 0};
  decoder->frames++;
  return TRUE;
}

SlDecoderState
sl_decoder_poll (SlDecoder *decoder, GstClockTime timeout, SlDecodedFrame *ret_frame)
{
  g_return_val_if_fail (decoder != NULL && ret_frame != NULL, SL_DECODER_END);
  GstAppSink *sink = GST_APP_SINK (decoder->sink);
  GstMiniObject *object;
  g_clear_pointer (&decoder->sample, gst_sample_unref);
  if (decoder->live) /* there may be a frame each time, and there is something to tell */
    read_bus (decoder);
  while (!decoder->done && !decoder->failure &&
         (object = gst_app_sink_try_pull_object (sink, timeout))) {
    if (GST_IS_EVENT (object)) {
      take_event (decoder, GST_EVENT (object));
      gst_mini_object_unref (object);
      continue;
    }
    decoder->sample = GST_SAMPLE (object);
    decoder->quiet_since = 0;
    if (take_sample (decoder, ret_frame))
      return SL_DECODER_FRAME;
    g_clear_pointer (&decoder->sample, gst_sample_unref);
  }
  read_bus (decoder);
  decoder->done = decoder->done || is_over (decoder);
  return decoder->done ? SL_DECODER_END : SL_DECODER_WAITING;
}

gboolean
sl_decoder_next (SlDecoder *decoder, SlDecodedFrame *ret_frame)
{
  SlDecoderState state;
  do
    state = sl_decoder_poll (decoder, POLL_INTERVAL, ret_frame);
  while (state == SL_DECODER_WAITING);
  return state == SL_DECODER_FRAME;
}

/* --- what is known of the input --- */

char *
sl_decoder_take_note (SlDecoder *decoder)
{
  g_return_val_if_fail (decoder != NULL, NULL);
  return g_steal_pointer (&decoder->note);
}

gboolean
sl_decoder_has_audio (SlDecoder *decoder)
{
  g_return_val_if_fail (decoder != NULL, FALSE);
  g_mutex_lock (&decoder->lock);
  gboolean has_audio = decoder->has_audio;
  g_mutex_unlock (&decoder->lock);
  return has_audio;
}

double
sl_decoder_get_progress (SlDecoder *decoder)
{
  g_return_val_if_fail (decoder != NULL, -1);
  SlDemuxedStream video;
  g_mutex_lock (&decoder->lock);
  gboolean known = sl_demuxed_get_stream (decoder->demuxed, decoder->video_id, &video);
  g_mutex_unlock (&decoder->lock);
  if (!known || !GST_CLOCK_TIME_IS_VALID (video.stated) || video.stated <= video.first ||
      !GST_CLOCK_TIME_IS_VALID (decoder->end) || decoder->end < video.first)
    return -1;
  return MIN (1.0, (double)(decoder->end - video.first) / (double)(video.stated - video.first));
}
