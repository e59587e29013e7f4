#include "encoding.h"

#include <sightline/error.h>

#include <string.h>

/* H.264 at a visually lossless quality; keyframes no further apart than players like to seek. */
#define X264 "x264enc pass=qual quantizer=20 speed-preset=veryfast key-int-max=250 ! h264parse"
#define OPENH264 "openh264enc rate-control=bitrate bitrate=6000000 gop-size=250 ! h264parse"
#define VP8 "vp8enc end-usage=cq cq-level=12 target-bitrate=8000000 cpu-used=8 deadline=1 threads=4"
#define OPUS "audioconvert ! audioresample ! opusenc bitrate=128000"
#define VORBIS "audioconvert ! audioresample ! vorbisenc quality=0.5"
#define AAC(encoder) "audioconvert ! audioresample ! " encoder " ! aacparse"

static const ToolContainer containers[] = {
    {".mkv", "matroskamux", {X264, OPENH264, VP8}, {OPUS, VORBIS}},
    {".mp4", "mp4mux", {X264, OPENH264}, {AAC ("fdkaacenc"), AAC ("avenc_aac"), AAC ("voaacenc")}},
    {".webm", "webmmux", {VP8}, {OPUS, VORBIS}},
};

const ToolContainer *
tool_container_find (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);
  for (guint i = 0; i < G_N_ELEMENTS (containers); i++)
    if (g_str_has_suffix (lower, containers[i].suffix))
      return &containers[i];
  return NULL;
}

/* Whether all elements of a launch text are installed. */
static gboolean
is_installed (const char *launch)
{
  g_auto (GStrv) parts = g_strsplit (launch, "!", -1);
  for (guint i = 0; parts[i]; i++) {
    g_auto (GStrv) words = g_strsplit (g_strstrip (parts[i]), " ", 2);
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (words[0]);
    if (!factory)
      return FALSE;
  }
  return TRUE;
}

GstElement *
tool_encoder_make (const char *const *encoders, const char *kind, GError **error)
{
  for (guint i = 0; encoders[i]; i++)
    if (is_installed (encoders[i]))
      return gst_parse_bin_from_description_full (encoders[i], TRUE, NULL,
                                                  GST_PARSE_FLAG_FATAL_ERRORS, error);
  g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
               "GStreamer has no %s encoder for this container (expected Debian's "
               "gstreamer1.0-plugins-good, -bad, -ugly or gstreamer1.0-libav)",
               kind);
  return NULL;
}
