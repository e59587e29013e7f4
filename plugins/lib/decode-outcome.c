#include "decode-private.h"

#include "stated-size.h"

/* A clip may end this much before the stated end, or a frame if that takes longer: muxers round. */
#define END_TOLERANCE (100 * GST_MSECOND)

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
  if (!decoder->skipped && GST_CLOCK_TIME_IS_VALID (decoder->end) &&
      decoder->end + tolerance < video->end)
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
  g_autofree char *first_error = NULL;
  guint errors = sl_codec_log_get (decoder->log, &first_error);
  if (decoder->failure)
    add_reason (reasons, "stopped: %s", decoder->failure);
  if (decoder->damaged)
    add_reason (reasons, "damaged frames left out: %" G_GUINT64_FORMAT, decoder->damaged);
  if (decoder->jumps > edits && !decoder->skipped)
    add_reason (reasons, "places where frames were lost: %" G_GUINT64_FORMAT,
                decoder->jumps - edits);
  if (errors)
    add_reason (reasons, "errors of the decoder: %u, the first: %s", errors, first_error);
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
    else if (decoder->failure && decoder->live)
      g_string_append (reasons, decoder->failure);
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
