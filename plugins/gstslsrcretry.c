#include "gstslsrcretry.h"

void
gst_sl_src_retry_init (GstSlSrcRetry *retry, guint32 seed)
{
  retry->min = 0;
  retry->max = 0;
  retry->limit = -1;
  retry->random = g_rand_new_with_seed (seed);
  gst_sl_src_retry_reset (retry);
}

void
gst_sl_src_retry_clear (GstSlSrcRetry *retry)
{
  g_clear_pointer (&retry->random, g_rand_free);
}

gboolean
gst_sl_src_retry_next (GstSlSrcRetry *retry, GstClockTime *ret_delay)
{
  GstClockTime longest = MAX (retry->min, retry->max), whole = retry->min;

  if (retry->limit >= 0 && retry->attempts >= (guint)retry->limit)
    return FALSE;
  for (guint i = 0; i < retry->attempts && whole < longest; i++)
    whole = whole > longest / 2 ? longest : whole * 2;
  retry->attempts++;
  retry->delay = whole / 2 + (GstClockTime)(g_rand_double (retry->random) * (gdouble)(whole / 2));
  *ret_delay = retry->delay;
  return TRUE;
}

void
gst_sl_src_retry_ran (GstSlSrcRetry *retry, GstClockTime ran)
{
  if (ran > retry->delay)
    gst_sl_src_retry_reset (retry);
}

void
gst_sl_src_retry_reset (GstSlSrcRetry *retry)
{
  retry->attempts = 0;
  retry->delay = 0;
}
