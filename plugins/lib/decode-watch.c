#include "decode-private.h"

#include <string.h>

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
  sl_exif_push (decoder->exif, map.data, map.size);
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

/* What goes into the codec. */
static GstPadProbeReturn
on_packet (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  SlDecoder *decoder = data;
  GstBuffer *packet = GST_PAD_PROBE_INFO_BUFFER (info);
  sl_codec_log_bind (decoder->log);
  if (!decoder->options.key_frames)
    return GST_PAD_PROBE_OK;
  gboolean needed = !GST_BUFFER_FLAG_IS_SET (packet, GST_BUFFER_FLAG_DELTA_UNIT);
  g_mutex_lock (&decoder->lock);
  decoder->skipped |= !needed;
  decoder->untimed |= needed && decoder->skipped && !GST_BUFFER_PTS_IS_VALID (packet);
  g_mutex_unlock (&decoder->lock);
  return needed ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

/* Codecs differ in what they call it. */
static void
limit_threads (GstElement *element, guint threads)
{
  static const char *const names[] = {"max-threads", "n-threads", "threads"};
  for (guint i = 0; i < G_N_ELEMENTS (names) && threads > 0; i++)
    if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), names[i])) {
      g_autofree char *value = g_strdup_printf ("%u", threads);
      gst_util_set_object_arg (G_OBJECT (element), names[i], value);
    }
}

static void
watch_video_decoder (SlDecoder *decoder, GstElement *element)
{
  limit_threads (element, decoder->options.threads);
  /* Its default has changed over the years; damaged pictures are wanted, to count them. */
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), "output-corrupt"))
    g_object_set (element, "output-corrupt", TRUE, NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "sink");
  if (!pad)
    return;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_packet, decoder, NULL);
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

void
sl_decoder_watch (SlDecoder *decoder)
{
  GstElement *input = decoder->input;
  g_signal_connect (decoder->pipeline, "deep-element-added", G_CALLBACK (on_element_added),
                    decoder);
  g_signal_connect (input, "autoplug-continue", G_CALLBACK (on_autoplug_continue), decoder);
  g_signal_connect (input, "pad-added", G_CALLBACK (on_pad_added), decoder);
  g_signal_connect (input, "source-setup", G_CALLBACK (on_source_setup), decoder);
  g_signal_connect (input, "no-more-pads", G_CALLBACK (on_no_more_pads), decoder);
}
