#include "missing-plugin.h"

/* The Debian package that brings what handles a media type; the first prefix that fits counts. */
static const struct {
  const char *prefix, *package;
} packages[] = {
    {"video/quicktime", "gstreamer1.0-plugins-good"},
    {"video/x-matroska", "gstreamer1.0-plugins-good"},
    {"video/webm", "gstreamer1.0-plugins-good"},
    {"video/x-msvideo", "gstreamer1.0-plugins-good"},
    {"video/x-flv", "gstreamer1.0-plugins-good"},
    {"video/x-vp", "gstreamer1.0-plugins-good"},
    {"video/x-av1", "gstreamer1.0-plugins-bad"},
    {"video/x-theora", "gstreamer1.0-plugins-base"},
    {"application/ogg", "gstreamer1.0-plugins-base"},
    {"video/mpegts", "gstreamer1.0-plugins-bad"},
    {"video/x-ms-asf", "gstreamer1.0-plugins-ugly"},
    {"image/jpeg", "gstreamer1.0-plugins-good"},
    {"image/png", "gstreamer1.0-plugins-good"},
    {"image/webp", "gstreamer1.0-plugins-bad"},
    {"video/", "gstreamer1.0-libav"},
    {"image/", "gstreamer1.0-libav"},
};

char *
sl_missing_plugin_describe (const GstStructure *structure)
{
  if (!gst_structure_has_name (structure, "missing-plugin"))
    return NULL;
  const char *name = gst_structure_get_string (structure, "name");
  const GValue *detail = gst_structure_get_value (structure, "detail");
  if (!name || !detail)
    return NULL;
  if (!GST_VALUE_HOLDS_CAPS (detail)) /* a URI's protocol */
    return g_strdup_printf ("%s is not installed (expected in Debian's gstreamer1.0-plugins-good)",
                            name);
  const GstCaps *caps = gst_value_get_caps (detail);
  if (gst_caps_is_empty (caps) || gst_caps_is_any (caps))
    return NULL;
  const char *type = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  for (guint i = 0; i < G_N_ELEMENTS (packages); i++)
    if (g_str_has_prefix (type, packages[i].prefix))
      return g_strdup_printf ("%s is not installed (expected in Debian's %s)", name,
                              packages[i].package);
  return NULL;
}
