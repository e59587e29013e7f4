/* Frames as pictures that can be drawn on and written to PNG files. */
#pragma once

#include <sightline-gst/decode.h>

typedef struct ToolPicture {
  size_t width, height;
  guint8 *rgb; /* width * height * 3, rows from the top, without gaps */
} ToolPicture;

/* The frame as it lies in memory, not turned. NULL with an error. */
ToolPicture *tool_picture_new (const SlDecodedFrame *frame, GError **error);
void tool_picture_free (ToolPicture *picture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolPicture, tool_picture_free)

/* Turns it so that it can be viewed; `orientation` is EXIF's, 1 … 8. */
void tool_picture_turn (ToolPicture *picture, guint orientation);

/* A copy as raw video, with times, segment and pixel aspect ratio of its frame, if that is given.
 */
GstSample *tool_picture_make_sample (const ToolPicture *picture, const SlDecodedFrame *frame);

/* Appends the bytes of a PNG file. */
gboolean tool_picture_append_png (GString *bytes, const ToolPicture *picture, GError **error);
