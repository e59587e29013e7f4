/* The same results in the form that GStreamer's own analytics elements read. */
#pragma once

#include <sightline-gst/geometry-meta.h>
#include <sightline-gst/label-meta.h>

G_BEGIN_DECLS

/* Whether this library was built with GstAnalytics (GStreamer 1.24 or newer). */
SL_API gboolean sl_analytics_is_available (void);

/* Adds to the buffer's GstAnalyticsRelationMeta (a new one where there is none): the labels as one
 * classification, each box as an object detection, in whole pixels, with label and score. Either
 * may be NULL; one that has nothing to tell adds nothing, and so does the truth (no model), since
 * readers could not tell it from a network's result. Nor can they see the age of a result: call it
 * once a buffer for each meta that is attached.
 *
 * The buffer must be writable (its memory need not be). TRUE if something was added; always FALSE
 * where GstAnalytics is not available. Any thread. */
SL_API gboolean sl_buffer_publish_analytics (GstBuffer *buffer, const SlLabelMeta *labels,
                                             const SlGeometryMeta *geometry);

G_END_DECLS
