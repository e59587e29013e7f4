#include "missing-plugin.h"

#include <string.h>

#define BASE "gstreamer1.0-plugins-base"
#define GOOD "gstreamer1.0-plugins-good"
#define BAD "gstreamer1.0-plugins-bad"
#define UGLY "gstreamer1.0-plugins-ugly"
#define LIBAV "gstreamer1.0-libav"

typedef struct {
  const char *what, *package;
} Row;

/* What handles a media type, in Debian 12 and 13; what is not here is libav's, if anybody's. */
static const Row types[] = {
    /* containers */
    {"application/mxf", BAD},
    {"application/ogg", BASE},
    {"application/sdp", BAD},
    {"application/vnd.rn-realmedia", UGLY},
    {"application/x-hls", BAD},
    {"application/dash+xml", BAD},
    {"application/x-rtp", GOOD},
    {"multipart/x-mixed-replace", GOOD},
    {"video/mpegts", BAD},
    {"video/quicktime", GOOD},
    {"video/webm", GOOD},
    {"video/x-flv", GOOD},
    {"video/x-ivf", BAD},
    {"video/x-matroska", GOOD},
    {"video/x-ms-asf", UGLY},
    {"video/x-msvideo", GOOD},
    /* codecs */
    {"video/x-av1", BAD},
    {"video/x-dv", GOOD},
    {"video/x-theora", BASE},
    {"video/x-vp8", GOOD},
    {"video/x-vp9", GOOD},
    /* pictures */
    {"image/jp2", BAD},
    {"image/jpeg", GOOD},
    {"image/png", GOOD},
    {"image/svg+xml", BAD},
    {"image/webp", BAD},
    {"image/x-jpc", BAD},
};

/* What reads a URI of a protocol. */
static const Row protocols[] = {
    {"http", GOOD}, {"https", GOOD}, {"rist", BAD},   {"rtmp", BAD}, {"rtmps", BAD},
    {"rtp", GOOD},  {"rtsp", GOOD},  {"rtsps", GOOD}, {"srt", BAD},  {"udp", GOOD},
};

static const char *
find_package (const Row *rows, guint n, const char *what)
{
  for (guint i = 0; i < n; i++)
    if (g_ascii_strcasecmp (rows[i].what, what) == 0)
      return rows[i].package;
  return NULL;
}

/* NULL if the caps are of no picture. */
static const char *
find_package_of_caps (const GstCaps *caps)
{
  if (gst_caps_is_empty (caps) || gst_caps_is_any (caps))
    return NULL;
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  const char *type = gst_structure_get_name (structure);
  const char *package = find_package (types, G_N_ELEMENTS (types), type);
  gboolean is_container = FALSE;
  if (package)
    return package;
  gst_structure_get_boolean (structure, "systemstream", &is_container);
  if (is_container && strcmp (type, "video/mpeg") == 0)
    return BAD;
  if (g_str_has_prefix (type, "video/") || g_str_has_prefix (type, "image/"))
    return LIBAV;
  return NULL;
}

char *
sl_missing_plugin_describe (const GstStructure *structure)
{
  if (!structure || !gst_structure_has_name (structure, "missing-plugin"))
    return NULL;
  const char *name = gst_structure_get_string (structure, "name");
  const GValue *detail = gst_structure_get_value (structure, "detail");
  const char *package = NULL;
  if (!name || !detail)
    return NULL;
  if (GST_VALUE_HOLDS_CAPS (detail)) {
    package = find_package_of_caps (gst_value_get_caps (detail));
  } else if (G_VALUE_HOLDS_STRING (detail)) {
    package = find_package (protocols, G_N_ELEMENTS (protocols), g_value_get_string (detail));
    if (!package)
      return g_strdup_printf ("%s: no such protocol (expected a file, http, https, rtsp, …)",
                              g_value_get_string (detail));
  }
  if (!package)
    return NULL;
  return g_strdup_printf ("%s is not installed (expected in Debian's %s)", name, package);
}
