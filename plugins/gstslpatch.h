/* A small picture over a frame: attached beside it as an overlay composition, or blended into it.
 */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

typedef struct GstSlPatch {
  GstBuffer
      *pixels; /* of GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, premultiplied, with GstVideoMeta */
  gint x, y;   /* of its corner in the frame's memory, so before any GstVideoCropMeta */
  gint width, height;
  GstVideoOverlayRectangle *rectangle; /* gst_sl_patches_attach()'s */
} GstSlPatch;

/* Makes pixels of `width` x `height`, all of one colour, 0xAARRGGBB. */
void gst_sl_patch_fill (GstSlPatch *patch, guint color);
void gst_sl_patch_clear (GstSlPatch *patch);

/* Pixels that share a chroma sample: a patch that begins and ends on multiples of these sizes
 * touches no pixel outside of itself when it is blended. */
void gst_sl_patch_get_block (const GstVideoInfo *info, gint *ret_width, gint *ret_height);
/* Such sizes for any format. */
#define GST_SL_PATCH_BLOCK 4

/* Draws the patch into a frame mapped for reading and writing; what reaches beyond the frame to the
 * right or below is left out. FALSE if the format cannot be drawn into. */
gboolean gst_sl_patch_blend (const GstSlPatch *patch, GstVideoFrame *frame);

/* Attaches patches to a writable buffer as one overlay composition, the last one uppermost, on top
 * of one that is there already. */
void gst_sl_patches_attach (GstSlPatch *const *patches, guint n_patches, GstBuffer *buffer);

G_END_DECLS
