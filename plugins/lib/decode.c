#include <sightline-gst/decode.h>

#include "codec-log.h"
#include "demuxed.h"
#include "missing-plugin.h"
#include "stated-size.h"

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
/* A clip may end this much before the stated end, or a frame if that takes longer: muxers round. */
#define END_TOLERANCE (100 * GST_MSECOND)

struct SlDecoder {
  GstElement *pipeline, *sink;
  GstBus *bus;
  GstSample *sample; /* of the frame that the caller has */
  GstVideoInfo info;
  GstCaps *caps;      /* that info was made from */
  gboolean done;      /* sl_decoder_next() said FALSE */
  guint64 frames;     /* given to the caller */
  guint64 damaged;    /* left out */
  guint64 jumps;      /* frames after the first that the codec marks as following a loss */
  GstClockTime end;   /* of the last frame, on the clock of the packets */
  guint codec_errors; /* of the process when this one began */
  char *failure;      /* what the bus said */
  char *reason;       /* of the outcome */
  char *path;         /* of a file; NULL for anything else */
  gint reads;         /* by the source so far; atomic */
  SlDemuxed *demuxed;

  GMutex lock;         /* of what follows: streaming threads write it */
  char *container;     /* media type of the input as a whole */
  char *video_id;      /* stream id of the stream that is decoded */
  char *missing;       /* what GStreamer lacks, and where to get it */
  gboolean structured; /* a parser, demuxer or decoder is there: pads are streams */
  gboolean has_audio;
  gboolean no_video;    /* all streams are known, and none is video */
  gboolean jpeg_broken; /* the JPEG data so far stop within a picture */
  guint8 jpeg_previous;
};

/* --- what streaming threads see --- */

/* JPEG decoders fill up a picture that stops early with grey, and say nothing. Within entropy-coded
 * data FF is followed by 0 or a restart marker only, so the data are complete if an end marker
 * follows the last start of a scan. */
static GstPadProbeReturn
on_jpeg (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  SlDecoder *decoder = data;
  GstMapInfo map;
  if (!gst_buffer_map (GST_PAD_PROBE_INFO_BUFFER (info), &map, GST_MAP_READ))
    return GST_PAD_PROBE_OK;
  g_mutex_lock (&decoder->lock);
  for (gsize i = 0; i < map.size; i++) {
    if (decoder->jpeg_previous == 0xff && map.data[i] == 0xda)
      decoder->jpeg_broken = TRUE;
    else if (decoder->jpeg_previous == 0xff && map.data[i] == 0xd9)
      decoder->jpeg_broken = FALSE;
    decoder->jpeg_previous = map.data[i];
  }
  g_mutex_unlock (&decoder->lock);
  gst_buffer_unmap (GST_PAD_PROBE_INFO_BUFFER (info), &map);
  return GST_PAD_PROBE_OK;
}

static void
watch_video_decoder (SlDecoder *decoder, GstElement *element)
{
  /* Its default has changed over the years; damaged pictures are wanted, to count them. */
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), "output-corrupt"))
    g_object_set (element, "output-corrupt", TRUE, NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "sink");
  if (!pad)
    return;
  g_autoptr (GstCaps) caps = gst_pad_get_pad_template_caps (pad);
  g_autoptr (GstCaps) jpeg = gst_caps_new_empty_simple ("image/jpeg");
  if (gst_caps_can_intersect (caps, jpeg))
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_jpeg, decoder, NULL);
}

static void
on_element_added (GstBin *bin, GstBin *inner, GstElement *element, SlDecoder *decoder)
{
  const char *klass = gst_element_get_metadata (element, GST_ELEMENT_METADATA_KLASS);
  if (GST_IS_BIN (element) || !klass)
    return;
  if (strstr (klass, "Demux") || strstr (klass, "Parser") || strstr (klass, "Decoder")) {
    g_mutex_lock (&decoder->lock);
    decoder->structured = TRUE;
    g_mutex_unlock (&decoder->lock);
  }
  sl_demuxed_see_element (decoder->demuxed, element);
  if (strstr (klass, "Decoder") && (strstr (klass, "Video") || strstr (klass, "Image")))
    watch_video_decoder (decoder, element);
}

/* Whether to go on decoding what a pad gives: yes for the container and for the first video stream.
 */
static gboolean
on_autoplug_continue (GstElement *element, GstPad *pad, GstCaps *caps, SlDecoder *decoder)
{
  const char *type = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  g_autoptr (GstPad) target =
      GST_IS_GHOST_PAD (pad) ? gst_ghost_pad_get_target (GST_GHOST_PAD (pad)) : NULL;
  g_autofree char *id = gst_pad_get_stream_id (target ? target : pad);
  gboolean go_on = TRUE;

  g_mutex_lock (&decoder->lock);
  if (!decoder->container)
    decoder->container = g_strdup (type);
  if (decoder->structured) {
    if (g_str_has_prefix (type, "video/") || g_str_has_prefix (type, "image/")) {
      if (!decoder->video_id)
        decoder->video_id = g_strdup (id ? id : "");
      go_on = !id || strcmp (id, decoder->video_id) == 0;
    } else {
      decoder->has_audio |= g_str_has_prefix (type, "audio/");
      go_on = g_str_has_prefix (type, "application/") && !strstr (type, "subtitle");
    }
  }
  g_mutex_unlock (&decoder->lock);
  return go_on;
}

static void
on_pad_added (GstElement *element, GstPad *pad, SlDecoder *decoder)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  g_autoptr (GstPad) sink = gst_element_get_static_pad (decoder->sink, "sink");
  if (gst_caps_is_empty (caps) || gst_caps_is_any (caps) || gst_pad_is_linked (sink))
    return;
  if (g_str_equal (gst_structure_get_name (gst_caps_get_structure (caps, 0)), "video/x-raw"))
    gst_pad_link (pad, sink);
}

static GstPadProbeReturn
on_read (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_atomic_int_inc (&((SlDecoder *)data)->reads);
  return GST_PAD_PROBE_OK;
}

static void
on_source_setup (GstElement *element, GstElement *source, SlDecoder *decoder)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");
  if (pad)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_PULL, on_read, decoder,
                       NULL);
}

static void
on_no_more_pads (GstElement *element, SlDecoder *decoder)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (decoder->sink, "sink");
  if (gst_pad_is_linked (sink))
    return;
  g_mutex_lock (&decoder->lock);
  decoder->no_video = TRUE;
  g_mutex_unlock (&decoder->lock);
}

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

SlDecoder *
sl_decoder_new (const char *source, GError **error)
{
  g_return_val_if_fail (source != NULL, NULL);
  g_autofree char *uri = source_to_uri (source, error);
  if (!uri)
    return NULL;
  GstElement *input = gst_element_factory_make ("uridecodebin", NULL);
  GstElement *sink = gst_element_factory_make ("appsink", NULL);
  if (!input || !sink) {
    g_clear_pointer (&input, gst_object_unref);
    g_clear_pointer (&sink, gst_object_unref);
    g_set_error (
        error, SL_ERROR, SL_ERROR_DEVICE,
        "GStreamer lacks uridecodebin or appsink (expected in Debian's gstreamer1.0-plugins-base)");
    return NULL;
  }

  SlDecoder *decoder = g_new0 (SlDecoder, 1);
  decoder->path = strstr (source, "://") ? NULL : g_strdup (source);
  g_mutex_init (&decoder->lock);
  decoder->demuxed = sl_demuxed_new ();
  decoder->codec_errors = sl_codec_log_count ();
  sl_codec_log_forget ();
  decoder->end = GST_CLOCK_TIME_NONE;
  decoder->pipeline = gst_pipeline_new (NULL);
  decoder->bus = gst_element_get_bus (decoder->pipeline);
  decoder->sink = sink;
  g_autoptr (GstCaps) raw = gst_caps_new_empty_simple ("video/x-raw");
  g_object_set (input, "uri", uri, NULL);
  g_object_set (sink, "caps", raw, "sync", FALSE, "max-buffers", 2, "wait-on-eos", FALSE, NULL);
  g_signal_connect (decoder->pipeline, "deep-element-added", G_CALLBACK (on_element_added),
                    decoder);
  g_signal_connect (input, "autoplug-continue", G_CALLBACK (on_autoplug_continue), decoder);
  g_signal_connect (input, "pad-added", G_CALLBACK (on_pad_added), decoder);
  g_signal_connect (input, "source-setup", G_CALLBACK (on_source_setup), decoder);
  g_signal_connect (input, "no-more-pads", G_CALLBACK (on_no_more_pads), decoder);
  gst_bin_add_many (GST_BIN (decoder->pipeline), input, sink, NULL);
  gst_element_set_state (decoder->pipeline, GST_STATE_PLAYING);
  return decoder;
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
  g_mutex_clear (&decoder->lock);
  g_free (decoder->container);
  g_free (decoder->video_id);
  g_free (decoder->missing);
  g_free (decoder->failure);
  g_free (decoder->reason);
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
    } else if (!decoder->missing) {
      decoder->missing = sl_missing_plugin_describe (structure);
    }
    gst_message_unref (message);
  }
}

/* The next buffer, or NULL at the end. Frames that are queued when an error comes are still given.
 */
static GstSample *
pull_sample (SlDecoder *decoder)
{
  GstAppSink *sink = GST_APP_SINK (decoder->sink);
  gint64 patience = decoder->path ? FILE_PATIENCE : URI_PATIENCE;
  gint64 quiet_since = g_get_monotonic_time ();
  gint reads = g_atomic_int_get (&decoder->reads);
  for (;;) {
    GstSample *sample = gst_app_sink_try_pull_sample (sink, POLL_INTERVAL);
    if (sample)
      return sample;
    read_bus (decoder);
    g_mutex_lock (&decoder->lock);
    gboolean no_video = decoder->no_video;
    g_mutex_unlock (&decoder->lock);
    if (no_video || decoder->failure || gst_app_sink_is_eos (sink))
      return NULL;
    gint now_reads = g_atomic_int_get (&decoder->reads);
    if (now_reads != reads)
      quiet_since = g_get_monotonic_time ();
    else if (g_get_monotonic_time () - quiet_since > patience)
      decoder->failure = g_strdup ("decoding stands still, GStreamer says no cause");
    reads = now_reads;
  }
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

gboolean
sl_decoder_next (SlDecoder *decoder, SlDecodedFrame *ret_frame)
{
  g_return_val_if_fail (decoder != NULL && ret_frame != NULL, FALSE);
  g_clear_pointer (&decoder->sample, gst_sample_unref);
  while (!decoder->done && (decoder->sample = pull_sample (decoder))) {
    mend_aspect (decoder);
    GstBuffer *buffer = gst_sample_get_buffer (decoder->sample);
    GstClockTime pts = GST_BUFFER_PTS (buffer);
    gboolean first = decoder->frames + decoder->damaged == 0;
    if (!set_caps (decoder, gst_sample_get_caps (decoder->sample)))
      break;
    if (!first && GST_BUFFER_IS_DISCONT (buffer))
      decoder->jumps++;
    if (GST_CLOCK_TIME_IS_VALID (pts))
      decoder->end =
          pts + (GST_BUFFER_DURATION_IS_VALID (buffer) ? GST_BUFFER_DURATION (buffer) : 0);
    if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_CORRUPTED)) {
      decoder->damaged++;
      g_clear_pointer (&decoder->sample, gst_sample_unref);
      continue;
    }
    ret_frame->sample = decoder->sample;
    ret_frame->buffer = buffer;
    ret_frame->info = &decoder->info;
    ret_frame->number = decoder->frames++;
    ret_frame->pts =
        gst_segment_to_stream_time (gst_sample_get_segment (decoder->sample), GST_FORMAT_TIME, pts);
    return TRUE;
  }
  read_bus (decoder);
  decoder->done = TRUE;
  return FALSE;
}

/* --- outcome --- */

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

static void G_GNUC_PRINTF (2, 3) add_reason (GString *reasons, const char *format, ...)
{
  va_list args;
  if (reasons->len)
    g_string_append (reasons, "; ");
  va_start (args, format);
  g_string_append_vprintf (reasons, format, args);
  va_end (args);
}

/* What the container states against what came. */
static void
compare_ends (SlDecoder *decoder, const SlDemuxedStream *video, GString *reasons)
{
  GstClockTime tolerance = MAX (video->interval, END_TOLERANCE);
  if (GST_CLOCK_TIME_IS_VALID (video->stated) && video->read + tolerance < video->stated)
    add_reason (reasons, "ends at %.2f s of the %.2f s that its container states",
                video->read / 1e9, video->stated / 1e9);
  if (GST_CLOCK_TIME_IS_VALID (decoder->end) && decoder->end + tolerance < video->end)
    add_reason (reasons, "the last frame decoded is at %.2f s of %.2f s", decoder->end / 1e9,
                video->end / 1e9);
}

/* What the file's own structure says of its length. */
static void
compare_sizes (SlDecoder *decoder, GString *reasons)
{
  guint64 stated, actual;
  if (decoder->done && decoder->path && sl_stated_size_is_cut (decoder->path, &stated, &actual))
    add_reason (reasons,
                "holds %" G_GUINT64_FORMAT " of the %" G_GUINT64_FORMAT
                " bytes that its header states",
                actual, stated);
}

/* Losses inside the part that was read. */
static void
find_losses (SlDecoder *decoder, guint64 edits, GString *reasons)
{
  guint errors = sl_codec_log_count () - decoder->codec_errors;
  if (decoder->failure)
    add_reason (reasons, "stopped: %s", decoder->failure);
  if (decoder->damaged)
    add_reason (reasons, "damaged frames left out: %" G_GUINT64_FORMAT, decoder->damaged);
  if (decoder->jumps > edits)
    add_reason (reasons, "places where frames were lost: %" G_GUINT64_FORMAT,
                decoder->jumps - edits);
  if (errors) {
    g_autofree char *first_error = sl_codec_log_get_first ();
    add_reason (reasons, "errors of the decoder: %u, the first: %s", errors,
                first_error ? first_error : "none");
  }
  if (decoder->done && decoder->jpeg_broken)
    add_reason (reasons, "the last picture stops before its end");
}

static SlOutcome
judge (SlDecoder *decoder, GString *reasons)
{
  if (decoder->frames == 0 && decoder->done) {
    if (decoder->missing)
      g_string_append (reasons, decoder->missing);
    else if (decoder->no_video)
      g_string_append (reasons, "no video stream (expected a video or a picture)");
    else if (decoder->failure)
      g_string_append_printf (reasons, "%s (expected a video or a picture)", decoder->failure);
    else
      g_string_append (reasons, "no frame could be decoded (expected at least one whole picture)");
    return SL_OUTCOME_FAILED;
  }
  SlDemuxedStream video;
  gboolean found = sl_demuxed_get_stream (decoder->demuxed, decoder->video_id, &video);
  gboolean states = found && GST_CLOCK_TIME_IS_VALID (video.stated);
  if (found && decoder->done)
    compare_ends (decoder, &video, reasons);
  if (reasons->len == 0)
    compare_sizes (decoder, reasons);
  find_losses (decoder, found ? video.edits : 0, reasons);
  if (reasons->len)
    return SL_OUTCOME_PARTIAL;
  gboolean still =
      decoder->container && g_str_has_prefix (decoder->container, "image/") && decoder->frames == 1;
  if (states || still || !decoder->done)
    return SL_OUTCOME_WHOLE;
  g_string_append (reasons, "the file states no duration, so a cut would not show");
  return SL_OUTCOME_UNKNOWN;
}

SlOutcome
sl_decoder_get_outcome (SlDecoder *decoder, const char **ret_reason)
{
  g_return_val_if_fail (decoder != NULL, SL_OUTCOME_FAILED);
  GString *reasons = g_string_new (NULL);
  g_mutex_lock (&decoder->lock);
  SlOutcome outcome = judge (decoder, reasons);
  g_mutex_unlock (&decoder->lock);
  g_free (decoder->reason);
  decoder->reason =
      reasons->len ? g_string_free (reasons, FALSE) : (g_string_free (reasons, TRUE), NULL);
  if (ret_reason)
    *ret_reason = decoder->reason;
  return outcome;
}

const char *
sl_outcome_get_name (SlOutcome outcome)
{
  static const char *const names[] = {"whole", "unknown", "partial", "failed"};
  g_return_val_if_fail ((guint)outcome < G_N_ELEMENTS (names), "unknown");
  return names[outcome];
}
