/* Heat grids on buffers: into the frame itself, or beside a copy of it. */
#pragma once

#include <gst/video/video.h>
#include <sightline-gst/heat.h>

G_BEGIN_DECLS

/* Zero-initialise; the streaming thread's. */
typedef struct GstSlHeatCanvas {
  SlFramePainter *painter;
  gfloat *fine; /* the grid that is painted, n_fine values */
  gsize n_fine;
  gboolean warned; /* that frames of this format cannot be drawn into */
} GstSlHeatCanvas;

void gst_sl_heat_canvas_clear (GstSlHeatCanvas *canvas);

/* Whether blending would change anything: `grid` (NULL: none) has heat of at least `threshold`. */
gboolean gst_sl_heat_canvas_shows (const SlHeatGrid *grid, gfloat threshold);

/* Draws into a writable buffer; memory that somebody else holds too is copied by that. `grid` may
 * be NULL: all is cold. FALSE, with an element error posted, if the buffer is not what `info` says;
 * a format that cannot be drawn into is left alone, with one warning. */
gboolean gst_sl_heat_canvas_draw (GstSlHeatCanvas *canvas, GstElement *element, GstBuffer *buffer,
                                  const GstVideoInfo *info, const SlHeatGrid *grid,
                                  const SlHeatLook *look);

/* Copies the picture of `buffer` (described by `info`) to both halves of `ret` (by `ret_info`), and
 * draws into the right one. As above. */
gboolean gst_sl_heat_canvas_draw_beside (GstSlHeatCanvas *canvas, GstElement *element,
                                         GstBuffer *ret, const GstVideoInfo *ret_info,
                                         GstBuffer *buffer, const GstVideoInfo *info,
                                         const SlHeatGrid *grid, const SlHeatLook *look);

G_END_DECLS
