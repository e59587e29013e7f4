/* Labels drawn with cairo and pango: the panel of labels with their scores, and tags of boxes. */
#pragma once

#include "gstslpatch.h"

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
  guint color;       /* of bars and boxes, 0xAARRGGBB */
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

/* Draws `n_rows` (at least 1) rows to fit frames of `info`; the patch lies as if the picture began
 * at the frame's top left corner. FALSE if the frame is too small to hold a line of readable text.
 */
gboolean gst_sl_panel_draw (const GstSlPanelStyle *style, const GstSlPanelRow *rows, guint n_rows,
                            const GstVideoInfo *info, GstSlPatch *ret_patch);

/* Draws one line of text, cut to what frames of `info` have room for; where it lies is the caller's
 * to say. FALSE as above. */
gboolean gst_sl_panel_draw_tag (const GstSlPanelStyle *style, const gchar *text,
                                const GstVideoInfo *info, GstSlPatch *ret_patch);

G_END_DECLS
