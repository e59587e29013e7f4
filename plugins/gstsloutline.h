/* Boxes as outlines: four thin patches and a tag with the label for each, never one of the box's
 * size. */
#pragma once

#include "gstslpanel.h"

#include <sightline-gst/geometry-meta.h>

G_BEGIN_DECLS

typedef struct GstSlOutlineBox {
  gdouble x, y, width, height; /* as in SlBox */
  gchar *label;                /* valid UTF-8; empty: no tag */
} GstSlOutlineBox;

void gst_sl_outline_box_init (GstSlOutlineBox *box, const SlBox *from);
gboolean gst_sl_outline_box_equal (const GstSlOutlineBox *a, const GstSlOutlineBox *b);
void gst_sl_outline_box_clear (GstSlOutlineBox *box);

/* Where outlines may lie. */
typedef struct GstSlOutlinePlace {
  gint left, top, right, bottom;  /* of the frame's memory; right and bottom just outside */
  gint block_width, block_height; /* lines begin and end on multiples, or at the right or bottom */
} GstSlOutlinePlace;

/* Drawn outlines, for frames of one kind. */
typedef struct GstSlOutline {
  GArray *patches;  /* of GstSlPatch */
  GHashTable *tags; /* label to GstSlPatch: text that has been drawn */
  GstSlOutlinePlace place;
} GstSlOutline;

void gst_sl_outline_init (GstSlOutline *outline);
void gst_sl_outline_free (GstSlOutline *outline);
/* Forgets all that was drawn: another style, other caps. */
void gst_sl_outline_reset (GstSlOutline *outline);

/* Draws boxes just inside their edges, in the place of those drawn before. */
void gst_sl_outline_draw (GstSlOutline *outline, const GstSlOutlineBox *boxes, guint n_boxes,
                          const GstSlPanelStyle *style, const GstVideoInfo *info,
                          const GstSlOutlinePlace *place);

G_END_DECLS
