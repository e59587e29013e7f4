/* Which results are shown on a frame: its own, or for a while the last ones before it. */
#pragma once

#include "gstsloutline.h"
#include "gstslpanel.h"

G_BEGIN_DECLS

#define GST_SL_SHOWN_MAX_LABELS 20
#define GST_SL_SHOWN_MAX_BOXES 100

typedef struct GstSlShownRules {
  gchar *producer; /* element whose results are shown; NULL: the last network's, the truth only
                      where no network says anything */
  guint max_labels;
  gfloat min_score;
  gboolean boxes;
  GstClockTime hold; /* how long results stay on frames that carry none */
} GstSlShownRules;

/* Since when something is shown, for labels and for boxes. */
typedef struct GstSlShownSpan {
  gboolean any;
  GstClockTime since; /* timestamp of the frame that it came with; NONE if that had none */
} GstSlShownSpan;

/* One thread at a time. Zero-initialised it shows nothing. */
typedef struct GstSlShown {
  GstSlPanelRow rows[GST_SL_SHOWN_MAX_LABELS];
  guint n_rows;
  GstSlOutlineBox boxes[GST_SL_SHOWN_MAX_BOXES];
  guint n_boxes;
  gboolean rows_changed, boxes_changed; /* since they were last set to FALSE */
  GstSlShownSpan labels_span, boxes_span;
  gboolean truth; /* no network's */
} GstSlShown;

/* Brings it up to date with the buffer. */
void gst_sl_shown_update (GstSlShown *shown, GstBuffer *buffer, const GstSlShownRules *rules);
void gst_sl_shown_clear (GstSlShown *shown);

G_END_DECLS
