#include <sightline-gst/analytics.h>

#ifdef HAVE_GST_ANALYTICS

#include <gst/analytics/analytics.h>
#include <math.h>

gboolean
sl_analytics_is_available (void)
{
  return TRUE;
}

static gboolean
add_labels (GstAnalyticsRelationMeta *relation, const SlLabelMeta *labels)
{
  guint n = labels->n_labels;
  g_autofree GQuark *quarks = g_new (GQuark, n);
  g_autofree gfloat *scores = g_new (gfloat, n);
  GstAnalyticsClsMtd unused;

  for (guint i = 0; i < n; i++) {
    quarks[i] = g_quark_from_string (labels->labels[i].label);
    scores[i] = labels->labels[i].score;
  }
  return gst_analytics_relation_meta_add_cls_mtd (relation, n, scores, quarks, &unused);
}

/* Edges are rounded rather than sizes, so that boxes that touch still do. */
static gboolean
add_box (GstAnalyticsRelationMeta *relation, const SlBox *box)
{
  gint x = round (box->x), y = round (box->y);
  gint width = (gint)round (box->x + box->width) - x;
  gint height = (gint)round (box->y + box->height) - y;
  GstAnalyticsODMtd unused;

  return gst_analytics_relation_meta_add_od_mtd (relation, g_quark_from_string (box->label), x, y,
                                                 width, height, box->score, &unused);
}

gboolean
sl_buffer_publish_analytics (GstBuffer *buffer, const SlLabelMeta *labels,
                             const SlGeometryMeta *geometry)
{
  GstAnalyticsRelationMeta *relation;
  gboolean added = FALSE;

  g_return_val_if_fail (GST_IS_BUFFER (buffer) && gst_buffer_is_writable (buffer), FALSE);

  if (labels && (!labels->model || labels->n_labels == 0))
    labels = NULL;
  if (geometry && (!geometry->model || geometry->n_boxes == 0))
    geometry = NULL;
  if (!labels && !geometry)
    return FALSE;

  relation = gst_buffer_get_analytics_relation_meta (buffer);
  if (!relation)
    relation = gst_buffer_add_analytics_relation_meta (buffer);
  if (labels)
    added |= add_labels (relation, labels);
  for (guint i = 0; geometry && i < geometry->n_boxes; i++)
    added |= add_box (relation, &geometry->boxes[i]);
  return added;
}

#else

gboolean
sl_analytics_is_available (void)
{
  return FALSE;
}

gboolean
sl_buffer_publish_analytics (GstBuffer *buffer, const SlLabelMeta *labels,
                             const SlGeometryMeta *geometry)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer) && gst_buffer_is_writable (buffer), FALSE);
  return FALSE;
}

#endif
