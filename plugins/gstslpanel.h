/* A panel of labels with their scores, drawn with cairo and pango. */
#pragma once

#include <gst/video/video.h>
#include <sightline-gst/label-meta.h>

G_BEGIN_DECLS

typedef enum {
  GST_SL_PANEL_TOP_LEFT,
  GST_SL_PANEL_TOP_RIGHT,
  GST_SL_PANEL_BOTTOM_LEFT,
  GST_SL_PANEL_BOTTOM_RIGHT
} GstSlPanelPosition;

typedef struct GstSlPanelStyle {
  GstSlPanelPosition position;
  gchar *font;       /* Pango's description of a family and style; a size in it is ignored */
  gdouble text_size; /* height of a line of text, as a share of the frame's shorter side */
  guint color;       /* of the bars, 0xAARRGGBB */
  gboolean bars;
} GstSlPanelStyle;

/* A line, as it is shown: two results that look the same have the same rows. */
typedef struct GstSlPanelRow {
  gchar *label;
  gchar *score;
  gdouble fill; /* of the bar, 0 … 1 */
} GstSlPanelRow;

void gst_sl_panel_row_init (GstSlPanelRow *row, const SlLabel *label);
gboolean gst_sl_panel_row_equal (const GstSlPanelRow *a, const GstSlPanelRow *b);
void gst_sl_panel_row_clear (GstSlPanelRow *row);

/* A drawn panel. */
typedef struct GstSlPanel {
  GstBuffer
      *pixels; /* of GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, premultiplied, with GstVideoMeta */
  gint x, y;   /* of its corner in the frame, multiples of 4 */
  gint width, height;
} GstSlPanel;

/* Draws `n_rows` (at least 1) rows to fit frames of `info`. FALSE if the frame is too small to hold
 * a line of readable text. Release with gst_sl_panel_clear(). */
gboolean gst_sl_panel_draw (const GstSlPanelStyle *style, const GstSlPanelRow *rows, guint n_rows,
                            const GstVideoInfo *info, GstSlPanel *ret_panel);

/* Attaches the panel to a writable buffer as an overlay composition, on top of one that is there
 * already. */
void gst_sl_panel_attach (const GstSlPanel *panel, GstBuffer *buffer);

/* Draws the panel into a frame of the size that it was made for, mapped for reading and writing.
 * FALSE if the format cannot be drawn into. */
gboolean gst_sl_panel_blend (const GstSlPanel *panel, GstVideoFrame *frame);

void gst_sl_panel_clear (GstSlPanel *panel);

G_END_DECLS
