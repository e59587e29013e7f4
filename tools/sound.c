#include "sound.h"

#include <sightline/error.h>

#include <string.h>

/* The sound waits in the muxer while the picture's encoder looks ahead: some seconds of it have to
 * fit. */
#define QUEUE "queue max-size-buffers=0 max-size-bytes=0 max-size-time=20000000000"

struct ToolSound {
  GstBin *pipeline;
  GstElement *reader, *muxer; /* the pipeline's */
  const ToolContainer *container;
  GstClockTime from, to; /* stream time */

  GMutex lock;         /* of what follows: streaming threads write it */
  gboolean structured; /* there is a demuxer: pads are streams */
  gboolean ready;
  guint count;
  GError *error;
};

static gboolean
is_sound (const GstCaps *caps)
{
  return g_str_has_prefix (gst_structure_get_name (gst_caps_get_structure (caps, 0)), "audio/");
}

/* Whether the muxer takes the stream as it is. */
static gboolean
muxer_takes (ToolSound *sound, const GstCaps *caps)
{
  GstPadTemplate *template = gst_element_get_pad_template (sound->muxer, "audio_%u");
  g_autoptr (GstCaps) accepted = template ? gst_pad_template_get_caps (template) : NULL;
  return accepted && gst_caps_can_intersect (accepted, caps);
}

static gboolean
on_autoplug_continue (GstElement *reader, GstPad *pad, GstCaps *caps, ToolSound *sound)
{
  g_mutex_lock (&sound->lock);
  gboolean structured = sound->structured;
  g_mutex_unlock (&sound->lock);
  if (!structured)
    return TRUE;
  return is_sound (caps) && !muxer_takes (sound, caps);
}

static void
on_element_added (GstBin *bin, GstBin *inner, GstElement *element, ToolSound *sound)
{
  const char *klass = gst_element_get_metadata (element, GST_ELEMENT_METADATA_KLASS);
  if (GST_IS_BIN (element) || !klass || !strstr (klass, "Demux"))
    return;
  g_mutex_lock (&sound->lock);
  sound->structured = TRUE;
  g_mutex_unlock (&sound->lock);
}

/* Adds an element and links `pad` to it. */
static gboolean
add_linked (ToolSound *sound, GstPad *pad, GstElement *element)
{
  gst_bin_add (sound->pipeline, element);
  g_autoptr (GstPad) sink = gst_element_get_static_pad (element, "sink");
  return gst_pad_link (pad, sink) == GST_PAD_LINK_OK &&
         gst_element_sync_state_with_parent (element);
}

/* Packets are not cut: what begins outside the window is left out. */
static GstPadProbeReturn
on_sound (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  ToolSound *sound = data;
  const GstSegment *segment;
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  if (!event)
    return GST_PAD_PROBE_OK;
  gst_event_parse_segment (event, &segment);
  GstClockTime time = gst_segment_to_stream_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info)));
  gboolean inside = !GST_CLOCK_TIME_IS_VALID (time) || (time >= sound->from && time < sound->to);
  return inside ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static gboolean
link_stream (ToolSound *sound, GstPad *pad, gboolean raw, GError **error)
{
  GstElement *queue = gst_parse_bin_from_description (QUEUE, TRUE, error);
  if (!queue || !add_linked (sound, pad, queue))
    return FALSE;
  if (sound->from > 0 || GST_CLOCK_TIME_IS_VALID (sound->to))
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_sound, sound, NULL);
  g_autoptr (GstPad) last = gst_element_get_static_pad (queue, "src");
  gst_pad_set_offset (last, -(gint64)sound->from);
  if (raw) {
    GstElement *encoder = tool_encoder_make (sound->container->audio, "sound", error);
    if (!encoder || !add_linked (sound, last, encoder))
      return FALSE;
    gst_object_unref (last);
    last = gst_element_get_static_pad (encoder, "src");
  }
  g_autoptr (GstPad) sink = gst_element_request_pad_simple (sound->muxer, "audio_%u");
  return sink && gst_pad_link (last, sink) == GST_PAD_LINK_OK;
}

static void
on_pad_added (GstElement *reader, GstPad *pad, ToolSound *sound)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  if (gst_caps_is_empty (caps) || gst_caps_is_any (caps) || !is_sound (caps))
    return;
  gboolean raw = gst_structure_has_name (gst_caps_get_structure (caps, 0), "audio/x-raw");
  gboolean good = link_stream (sound, pad, raw, &error);
  g_mutex_lock (&sound->lock);
  if (good)
    sound->count++;
  else if (!sound->error)
    sound->error = error ? g_steal_pointer (&error)
                         : g_error_new (SL_ERROR, SL_ERROR_UNSUPPORTED,
                                        "the sound cannot be put into this container");
  g_mutex_unlock (&sound->lock);
}

static void
on_no_more_pads (GstElement *reader, ToolSound *sound)
{
  g_mutex_lock (&sound->lock);
  sound->ready = TRUE;
  g_mutex_unlock (&sound->lock);
}

ToolSound *
tool_sound_new (GstBin *pipeline, GstElement *muxer, const ToolContainer *container,
                const char *uri, GError **error)
{
  GstElement *reader = gst_element_factory_make ("uridecodebin", NULL);
  if (!reader) {
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "GStreamer lacks uridecodebin (expected in Debian's gstreamer1.0-plugins-base)");
    return NULL;
  }
  ToolSound *sound = g_new0 (ToolSound, 1);
  g_mutex_init (&sound->lock);
  sound->pipeline = pipeline;
  sound->muxer = muxer;
  sound->container = container;
  sound->to = GST_CLOCK_TIME_NONE;
  sound->reader = gst_object_ref (reader);
  g_object_set (reader, "uri", uri, NULL);
  g_signal_connect (reader, "deep-element-added", G_CALLBACK (on_element_added), sound);
  g_signal_connect (reader, "autoplug-continue", G_CALLBACK (on_autoplug_continue), sound);
  g_signal_connect (reader, "pad-added", G_CALLBACK (on_pad_added), sound);
  g_signal_connect (reader, "no-more-pads", G_CALLBACK (on_no_more_pads), sound);
  gst_bin_add (pipeline, reader);
  return sound;
}

void
tool_sound_free (ToolSound *sound)
{
  if (!sound)
    return;
  gst_object_unref (sound->reader);
  g_clear_error (&sound->error);
  g_mutex_clear (&sound->lock);
  g_free (sound);
}

void
tool_sound_set_window (ToolSound *sound, GstClockTime from, GstClockTime to)
{
  sound->from = from;
  sound->to = to;
}

gboolean
tool_sound_is_ready (ToolSound *sound)
{
  g_mutex_lock (&sound->lock);
  gboolean ready = sound->ready;
  g_mutex_unlock (&sound->lock);
  return ready;
}

guint
tool_sound_count (ToolSound *sound)
{
  g_mutex_lock (&sound->lock);
  guint count = sound->count;
  g_mutex_unlock (&sound->lock);
  return count;
}

void
tool_sound_remove (ToolSound *sound)
{
  gst_element_set_locked_state (sound->reader, TRUE);
  gst_element_set_state (sound->reader, GST_STATE_NULL);
  gst_bin_remove (sound->pipeline, sound->reader);
}

gboolean
tool_sound_owns (ToolSound *sound, GstMessage *message)
{
  return gst_object_has_as_ancestor (GST_MESSAGE_SRC (message), GST_OBJECT (sound->reader));
}

const GError *
tool_sound_get_error (ToolSound *sound)
{
  return sound->error;
}
