/* How an element keeps up with its stream: the late policies, what they say to LATENCY queries, and
 * which frames come too late. The table in plugins/README.md says what each policy does. */
#pragma once

#include "gstslresult.h"

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

typedef enum {
  GST_SL_LATE_AUTO,
  GST_SL_LATE_BLOCK,
  GST_SL_LATE_LATEST,
  GST_SL_LATE_SKIP
} GstSlLatePolicy;

#define GST_TYPE_SL_LATE_POLICY (gst_sl_late_policy_get_type ())
GType gst_sl_late_policy_get_type (void);

/* How long something took: by the element's clock, which is what latency is about, and in real
 * nanoseconds. The same where there is no clock. */
typedef struct GstSlSpan {
  GstClockTime on_clock, real;
} GstSlSpan;

typedef struct GstSlStopwatch {
  GstClock *clock;
  GstSlSpan start;
} GstSlStopwatch;

GstSlStopwatch gst_sl_stopwatch_start (GstElement *element);
void gst_sl_stopwatch_clear (GstSlStopwatch *watch);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstSlStopwatch, gst_sl_stopwatch_clear)
/* The time since the start. */
GstSlSpan gst_sl_stopwatch_read (const GstSlStopwatch *watch);

/* The slowest of what was measured lately, in steps, so that it changes rarely: rises at once,
 * falls after a whole window of much less. Zero-initialise. */
typedef struct GstSlPeak {
  GstClockTime stated;
  GstClockTime most; /* in this window */
  guint n;
} GstSlPeak;

/* TRUE if that changed what is stated. */
gboolean gst_sl_peak_add (GstSlPeak *peak, GstClockTime time);

/* Embedded in its element. */
typedef struct GstSlLate {
  GstBaseTransform *trans; /* not a reference */

  /* Under the object lock. */
  gboolean asked;           /* the next two are known */
  gboolean live;            /* upstream is */
  GstClockTime upstream;    /* its latency */
  GstClockTime free_at;     /* running time at which the network was last free; NONE: not known */
  GstSlLatePolicy in_force; /* BLOCK, LATEST or SKIP; AUTO before it is known */
  GstSlPeak peak;
} GstSlLate;

void gst_sl_late_init (GstSlLate *late, GstBaseTransform *trans);
/* At the start: nothing is known. */
void gst_sl_late_reset (GstSlLate *late);
/* Another stream, or another pipeline around: upstream is asked once more. */
void gst_sl_late_ask_again (GstSlLate *late);
/* After a flush running time may begin anew. */
void gst_sl_late_forget_times (GstSlLate *late);

/* Streaming thread: what `wanted` comes to here and now (BLOCK, LATEST or SKIP). */
GstSlLatePolicy gst_sl_late_choose (GstSlLate *late, GstSlLatePolicy wanted);

/* Streaming thread: with SKIP in force, whether this frame was there before the network was free
 * again. *ret_by: how much before. */
gboolean gst_sl_late_missed (GstSlLate *late, const GstSlInferFrame *frame, GstClockTime *ret_by);

/* Executing thread: the network is free, and a frame took `time`. Posts a LATENCY message if that
 * changes what has to be answered. */
void gst_sl_late_ran (GstSlLate *late, GstClockTime time);

/* What is added to upstream's latency, ns. */
GstClockTime gst_sl_late_get_stated (GstSlLate *late);

/* Answers a LATENCY query at the source pad. */
gboolean gst_sl_late_query (GstSlLate *late, GstQuery *query, GstSlLatePolicy wanted);

/* Tells that a frame was passed over, `by` so much too late (0: not known), as one of `skipped`
 * while `inferred` were looked at. */
void gst_sl_late_post_qos (GstSlLate *late, const GstSlInferFrame *frame, GstClockTime by,
                           guint64 inferred, guint64 skipped);

G_END_DECLS
