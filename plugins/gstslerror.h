/* From the engine's errors to the bus. */
#pragma once

#include <gst/gst.h>

/* Posts `error` as an element error of the fitting domain, with `debug` (may be NULL) for the log.
 * Any thread. */
void gst_sl_element_error (GstElement *element, const GError *error, const gchar *debug);
