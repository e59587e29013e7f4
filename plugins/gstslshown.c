#include "gstslshown.h"

#include <math.h>

static void
drop_rows (GstSlShown *shown)
{
  for (guint i = 0; i < shown->n_rows; i++)
    gst_sl_panel_row_clear (&shown->rows[i]);
  shown->rows_changed |= shown->n_rows > 0;
  shown->n_rows = 0;
  shown->labels_span.any = FALSE;
}

static void
drop_boxes (GstSlShown *shown)
{
  for (guint i = 0; i < shown->n_boxes; i++)
    gst_sl_outline_box_clear (&shown->boxes[i]);
  shown->boxes_changed |= shown->n_boxes > 0;
  shown->n_boxes = 0;
  shown->boxes_span.any = FALSE;
}

void
gst_sl_shown_clear (GstSlShown *shown)
{
  drop_rows (shown);
  drop_boxes (shown);
}

/* Text and boxes are drawn anew only if what is shown changes: row by row, box by box. */
static void
take_labels (GstSlShown *shown, const SlLabelMeta *meta, const GstSlShownRules *rules)
{
  guint n = 0;

  for (guint i = 0; i < meta->n_labels && n < rules->max_labels; i++) {
    GstSlPanelRow row;

    if (meta->labels[i].score < rules->min_score)
      continue;
    gst_sl_panel_row_init (&row, &meta->labels[i]);
    if (n < shown->n_rows && gst_sl_panel_row_equal (&row, &shown->rows[n])) {
      gst_sl_panel_row_clear (&row);
    } else {
      if (n < shown->n_rows)
        gst_sl_panel_row_clear (&shown->rows[n]);
      shown->rows[n] = row;
      shown->n_rows = MAX (shown->n_rows, n + 1);
      shown->rows_changed = TRUE;
    }
    n++;
  }
  while (shown->n_rows > n) {
    gst_sl_panel_row_clear (&shown->rows[--shown->n_rows]);
    shown->rows_changed = TRUE;
  }
}

static gboolean
is_drawable (const SlBox *box, const GstSlShownRules *rules)
{
  return box->score >= rules->min_score && isfinite (box->x) && isfinite (box->y) &&
         isfinite (box->width) && isfinite (box->height) && box->width > 0 && box->height > 0;
}

static void
take_boxes (GstSlShown *shown, const SlGeometryMeta *meta, const GstSlShownRules *rules)
{
  guint n = 0;

  for (guint i = 0; i < meta->n_boxes && n < GST_SL_SHOWN_MAX_BOXES; i++) {
    GstSlOutlineBox box;

    if (!is_drawable (&meta->boxes[i], rules))
      continue;
    gst_sl_outline_box_init (&box, &meta->boxes[i]);
    if (n < shown->n_boxes && gst_sl_outline_box_equal (&box, &shown->boxes[n])) {
      gst_sl_outline_box_clear (&box);
    } else {
      if (n < shown->n_boxes)
        gst_sl_outline_box_clear (&shown->boxes[n]);
      shown->boxes[n] = box;
      shown->n_boxes = MAX (shown->n_boxes, n + 1);
      shown->boxes_changed = TRUE;
    }
    n++;
  }
  while (shown->n_boxes > n) {
    gst_sl_outline_box_clear (&shown->boxes[--shown->n_boxes]);
    shown->boxes_changed = TRUE;
  }
}

static gboolean
is_held (const GstSlShownSpan *span, GstClockTime now, GstClockTime hold)
{
  if (!span->any || !GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (span->since))
    return span->any;
  return now >= span->since && now - span->since <= hold;
}

/* The buffer's results that count; the truth does not while a network's are there or held. */
static void
choose (const GstSlShown *shown, GstBuffer *buffer, const GstSlShownRules *rules,
        const SlLabelMeta **labels, const SlGeometryMeta **geometry)
{
  GstClockTime now = GST_BUFFER_PTS (buffer);
  gboolean network;

  *labels = sl_buffer_get_label_meta (buffer, rules->producer);
  *geometry = rules->boxes ? sl_buffer_get_geometry_meta (buffer, rules->producer) : NULL;
  if (*labels && (*labels)->version > SL_LABEL_META_VERSION)
    *labels = NULL;
  if (*geometry && (*geometry)->version > SL_GEOMETRY_META_VERSION)
    *geometry = NULL;
  if (rules->producer)
    return;

  network = (*labels && (*labels)->model) || (*geometry && (*geometry)->model) ||
            (!shown->truth && (is_held (&shown->labels_span, now, rules->hold) ||
                               is_held (&shown->boxes_span, now, rules->hold)));
  if (network && *labels && !(*labels)->model)
    *labels = NULL;
  if (network && *geometry && !(*geometry)->model)
    *geometry = NULL;
}

void
gst_sl_shown_update (GstSlShown *shown, GstBuffer *buffer, const GstSlShownRules *rules)
{
  GstClockTime now = GST_BUFFER_PTS (buffer);
  const SlLabelMeta *labels;
  const SlGeometryMeta *geometry;

  choose (shown, buffer, rules, &labels, &geometry);
  if (labels || geometry) {
    gboolean truth = labels ? !labels->model : !geometry->model;

    /* Held by the other kind of source, what is not replaced now would stand beside it. */
    if (truth != shown->truth && !labels)
      drop_rows (shown);
    if (truth != shown->truth && !geometry)
      drop_boxes (shown);
    shown->truth = truth;
  }
  if (labels) {
    take_labels (shown, labels, rules);
    shown->labels_span = (GstSlShownSpan){TRUE, now};
  } else if (!is_held (&shown->labels_span, now, rules->hold)) {
    drop_rows (shown);
  }
  if (geometry) {
    take_boxes (shown, geometry, rules);
    shown->boxes_span = (GstSlShownSpan){TRUE, now};
  } else if (!rules->boxes || !is_held (&shown->boxes_span, now, rules->hold)) {
    drop_boxes (shown);
  }
}
