/* GStreamer's video frames as the engine's images. */
#pragma once

#include <gst/video/video.h>
#include <sightline/image.h>

/* Describes frames of `info`. Common formats are sampled directly, every other one through its
 * unpack function. */
void sl_image_info_from_video (const GstVideoInfo *info, SlImageInfo *ret_info);

/* Sets the part of the frame that is the picture: what the buffer's GstVideoCropMeta says, else
 * `width` x `height` (of the caps) at the top left. */
void sl_image_info_set_crop (SlImageInfo *info, GstBuffer *buffer, guint width, guint height);

/* A view of a frame that is mapped for reading; good as long as the mapping and `frame` itself.
 * SL_ERROR_SHAPE if a plane is larger than the memory behind it, which GstVideoMeta can claim. */
gboolean sl_image_from_frame (const GstVideoFrame *frame, SlImage *ret_image, GError **error);
