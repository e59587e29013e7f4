/* Mapping frames that may not be what their caps announce. */
#pragma once

#include <gst/video/video.h>

/* Maps the buffer's frame without a reference to it. FALSE, with an element error posted, if the
 * buffer is smaller than the caps make it, or its GstVideoMeta contradicts them. The mapped frame
 * may be larger than `info`: then it has a GstVideoCropMeta, or the picture is at its top left. */
gboolean gst_sl_frame_map (GstElement *element, GstVideoFrame *ret_frame, const GstVideoInfo *info,
                           GstBuffer *buffer, GstMapFlags flags);

/* Posts that same error, for what shows up only later. */
void gst_sl_frame_refuse (GstElement *element, const GstVideoInfo *info, GstBuffer *buffer);
