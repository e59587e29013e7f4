/* What to install when GStreamer lacks an element for pictures. */
#pragma once

#include <gst/gst.h>

/* The "missing-plugin" message of a decodebin as one line of advice, free with g_free(). NULL for
 * any other message, and for streams that are no pictures. */
char *sl_missing_plugin_describe (const GstStructure *structure);
