#include "decode-private.h"

#include <string.h>

/* No attempt begins later than this at a server that has never given anything. */
#define FIRST_PATIENCE (5 * G_USEC_PER_SEC)

gboolean
sl_decoder_source_is_live (const char *source)
{
  static const char *const prefixes[] = {"camera:", "rtsp://", "rtsps://", "rtspt://", "rtspu://"};
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_ascii_strncasecmp (source, prefixes[i], strlen (prefixes[i])) == 0)
      return TRUE;
  return FALSE;
}

GstElement *
sl_live_source_new (const char *source, GError **error)
{
  GstElement *element = gst_element_factory_make ("slsrc", NULL);
  if (!element) {
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "GStreamer does not find slsrc (expected Sightline's plugin, installed or in "
                 "GST_PLUGIN_PATH)");
    return NULL;
  }
  g_object_set (element, "location", source, NULL);
  /* A card is no picture of what is before the camera. */
  gst_util_set_object_arg (G_OBJECT (element), "fallback", "none");
  return element;
}

static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  SlDecoder *decoder = data;
  g_mutex_lock (&decoder->lock);
  decoder->arrived++;
  g_mutex_unlock (&decoder->lock);
  return GST_PAD_PROBE_OK;
}

void
sl_live_watch (SlDecoder *decoder)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (decoder->sink, "sink");
  g_object_set (decoder->sink, "max-buffers", 1, "drop", TRUE, NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_frame, decoder, NULL);
  gst_element_link (decoder->input, decoder->sink);
}

guint64
sl_decoder_get_late (SlDecoder *decoder)
{
  g_return_val_if_fail (decoder != NULL, 0);
  if (!decoder->live)
    return 0;
  g_mutex_lock (&decoder->lock);
  guint64 arrived = decoder->arrived;
  g_mutex_unlock (&decoder->lock);
  /* The one that waits is not late. */
  guint64 taken = decoder->frames + decoder->damaged + 1;
  return arrived > taken ? arrived - taken : 0;
}

/* Frames carry the time of their capture on the pipeline's clock; that clock's distance from now
 * gives it on the wall's. */
gint64
sl_live_get_wall_time (SlDecoder *decoder)
{
  gint64 now = g_get_real_time ();
  const GstSegment *segment = gst_sample_get_segment (decoder->sample);
  GstClockTime running = gst_segment_to_running_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS (gst_sample_get_buffer (decoder->sample)));
  g_autoptr (GstClock) clock = gst_element_get_clock (decoder->pipeline);
  if (!clock || !GST_CLOCK_TIME_IS_VALID (running))
    return now;
  GstClockTime here = gst_clock_get_time (clock) - gst_element_get_base_time (decoder->pipeline);
  return running < here ? now - (gint64)((here - running) / GST_USECOND) : now;
}

/* Whether it is no use to try again after `wait`: a camera that is not plugged in shows at once, a
 * server may be about to start. Whoever has given a frame will be back. */
static gboolean
is_nobody (SlDecoder *decoder, guint64 wait)
{
  gint64 waited = g_get_monotonic_time () - decoder->opened_at + (gint64)(wait / GST_USECOND);
  g_mutex_lock (&decoder->lock);
  gboolean came = decoder->arrived > 0;
  g_mutex_unlock (&decoder->lock);
  return !came && (decoder->is_camera || waited >= FIRST_PATIENCE);
}

void
sl_live_take_status (SlDecoder *decoder, const GstStructure *structure)
{
  guint64 wait = 0;
  if (!structure || !gst_structure_has_name (structure, "slsrc"))
    return;
  const char *status = gst_structure_get_string (structure, "status");
  const char *error = gst_structure_get_string (structure, "error");
  if (!status)
    return;
  GString *note = g_string_new (status);
  if (strcmp (status, "retrying") == 0) {
    const char *cause = error && error[0] ? error : gst_structure_get_string (structure, "reason");
    if (gst_structure_get_uint64 (structure, "retry-in", &wait))
      g_string_append_printf (note, " in %.1f s", (double)wait / GST_SECOND);
    g_string_append_printf (note, ": %s", cause);
    if (!decoder->failure && is_nobody (decoder, wait))
      decoder->failure = g_strdelimit (g_strdup (cause), "\r\n", ' ');
  }
  g_free (decoder->note);
  decoder->note = g_strdelimit (g_string_free (note, FALSE), "\r\n", ' ');
  if (decoder->failure) /* says it all */
    g_clear_pointer (&decoder->note, g_free);
}
