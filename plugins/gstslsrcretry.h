/* When to try again: exponential back-off with jitter. Knows no clock and no GStreamer state, so
 * that it can be tested by itself. */
#pragma once

#include <gst/gst.h>

typedef struct GstSlSrcRetry {
  GstClockTime min, max; /* delay before the first attempt, and the longest */
  gint limit;            /* attempts in a row; negative: no limit */
  GRand *random;
  guint attempts;     /* in a row, so far */
  GstClockTime delay; /* before the last of them */
} GstSlSrcRetry;

void gst_sl_src_retry_init (GstSlSrcRetry *retry, guint32 seed);
void gst_sl_src_retry_clear (GstSlSrcRetry *retry);

/* Counts an attempt. *ret_delay says how long to wait before it: the n-th waits between half and
 * the whole of min * 2^(n-1), at most max, so that many cameras of a restarted server do not all
 * come back at once. FALSE if the limit is reached. */
gboolean gst_sl_src_retry_next (GstSlSrcRetry *retry, GstClockTime *ret_delay);

/* Frames have flowed for so long since the last attempt. A source that ran longer than its last
 * delay begins anew; one that drops out at once goes on being asked less and less often. */
void gst_sl_src_retry_ran (GstSlSrcRetry *retry, GstClockTime ran);

/* Forgets all attempts. */
void gst_sl_src_retry_reset (GstSlSrcRetry *retry);
