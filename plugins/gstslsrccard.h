/* The picture that stands in for a lost one. */
#pragma once

#include <gst/video/video.h>

/* A frame of `info`'s size and format, in its default layout, with the lines of `text` on a dark
 * ground; the first is the title. NULL if there is no conversion to that format. */
GstBuffer *gst_sl_src_card_draw (const GstVideoInfo *info, const gchar *text);
