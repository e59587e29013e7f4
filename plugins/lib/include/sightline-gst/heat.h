/* Heat grids painted into GStreamer's video frames, of any raw format but those with a palette. */
#pragma once

#include <gst/video/video.h>
#include <sightline-gst/geometry-meta.h>
#include <sightline/heat.h>

G_BEGIN_DECLS

/* Paints one frame after the other; what depends on their format, size and placement is kept until
 * one of them changes. One thread at a time. */
typedef struct SlFramePainter SlFramePainter;

/* `max_threads`: most threads that painting uses, the caller included; 0: all of the pool. */
SL_API SlFramePainter *sl_frame_painter_new (guint max_threads);
SL_API void sl_frame_painter_free (SlFramePainter *painter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlFramePainter, sl_frame_painter_free)

/* Paints `grid` into a frame that is mapped for reading and writing, changing pixels of `area` only
 * (NULL: the whole frame; it has to lie in the frame). Styles and what keeps its bits:
 * <sightline/heat.h>. Interlaced frames are painted as the two fields lie in them.
 * SL_ERROR_UNSUPPORTED for a format with a palette and for a look or a placement that
 * sl_heat_painter_new() refuses; SL_ERROR_SHAPE if a plane is larger than the memory behind it. */
SL_API gboolean sl_frame_painter_paint (SlFramePainter *painter, GstVideoFrame *frame,
                                        const GstVideoRectangle *area, const SlHeatGrid *grid,
                                        const SlHeatLook *look, GError **error);

/* Copies a frame to the left and to the right half of one of the same format and height, twice as
 * wide, mapped for writing. Where the halves meet within a chroma sample (odd widths), it is the
 * left one's. FALSE if sizes, formats or the memory behind the planes do not fit that. */
SL_API gboolean sl_video_frame_copy_twice (GstVideoFrame *ret, const GstVideoFrame *frame);

/* The box around the largest connected region of a grid that is at least `threshold` hot, in
 * pixels, clipped to a frame of width x height. FALSE if there is none, or it lies beyond the
 * frame. Sets the box's place and the grid's class, with a score of 0 and a label that is the
 * grid's own. */
SL_API gboolean sl_heat_grid_find_box (const SlHeatGrid *grid, gfloat threshold, guint width,
                                       guint height, SlBox *ret);

G_END_DECLS
