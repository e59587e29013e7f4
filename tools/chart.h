/* Pictures of figures: curves of a training run, a table of confusions; as SVG or PNG. */
#pragma once

#include <sightline/sightline.h>

#include <cairo.h>

/* Draws a picture of width x height points, whatever it is written as. */
typedef void (*ToolDrawFunc) (cairo_t *cairo, double width, double height, const void *data);

/* Writes what `draw` draws, as SVG or PNG by the suffix of `path`; it appears whole or not at all.
 */
gboolean tool_chart_write (const char *path, double width, double height, ToolDrawFunc draw,
                           const void *data, GError **error);
/* The same of what is drawn already, pixel by pixel, as PNG. */
gboolean tool_chart_write_surface (const char *path, cairo_surface_t *surface, GError **error);

/* Loss, accuracy (where there is one) and rate by epoch, the best epoch marked. */
gboolean tool_chart_write_history (const char *path, const SlHistory *history, const char *title,
                                   GError **error);

/* True classes by predicted ones; with their numbers where these can be read. `labels` may be
 * NULL. */
gboolean tool_chart_write_confusion (const char *path, const SlMetrics *metrics,
                                     const char *const *labels, const char *title, GError **error);

/* What the charts share. */
typedef enum { TOOL_ALIGN_LEFT, TOOL_ALIGN_MIDDLE, TOOL_ALIGN_RIGHT } ToolAlign;
void tool_chart_set_color (cairo_t *cairo, guint32 rgb);
/* Text on one line at a base line; shortened with "…" to `limit` points, if that is above 0. */
void tool_chart_text (cairo_t *cairo, double x, double y, ToolAlign align, double limit,
                      const char *text);
/* A picture of R, G, B bytes, width * height * 3 of them. Free with cairo_surface_destroy(). */
cairo_surface_t *tool_chart_new_picture (const guint8 *rgb, guint32 width, guint32 height);
/* Draws it as large as fits into a square at 0, 0, in its middle; small ones as their pixels. */
void tool_chart_draw_picture (cairo_t *cairo, cairo_surface_t *picture, double side);
