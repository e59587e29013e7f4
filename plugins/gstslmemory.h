/* Frames that do not lie in system memory: which element brings them there. */
#pragma once

#include <gst/gst.h>

/* Makes `element` post an error with advice, instead of a bare "not negotiated", when caps with a
 * memory feature that it cannot read arrive at its sink pad. */
void gst_sl_memory_watch (GstElement *element, GstPad *sinkpad);
