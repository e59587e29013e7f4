#include "gstslinferprivate.h"

#include <sightline-gst/result-event.h>

static void
attach (GstSlInfer *self, GstBuffer *buffer, const GstSlResult *result, gboolean fresh)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  guint64 age;

  GST_OBJECT_LOCK (self);
  age = priv->frame - 1 - result->frame.number;
  gst_sl_stats_add_age (&priv->stats, age);
  GST_OBJECT_UNLOCK (self);
  GST_SL_INFER_GET_CLASS (self)->attach (self, buffer, result, age, fresh);
}

/* Sends on a result that no buffer carries. */
static void
send_alone (GstSlInfer *self, const GstSlResult *result)
{
  GstBuffer *buffer = gst_buffer_new ();

  GST_BUFFER_PTS (buffer) = result->frame.pts;
  GST_BUFFER_DURATION (buffer) = result->frame.duration;
  attach (self, buffer, result, TRUE);
  gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self), sl_result_event_new (buffer));
}

/* Whether a buffer without a result of its own gets the newest there is. */
static gboolean
repeats (GstSlInfer *self, GstBuffer *buffer)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  GstClockTime max_age, then, now = GST_BUFFER_PTS (buffer);
  GstSlAttach mode;

  GST_OBJECT_LOCK (self);
  mode = priv->settings.attach;
  max_age = priv->settings.max_age;
  GST_OBJECT_UNLOCK (self);
  if (mode != GST_SL_ATTACH_LAST || !priv->last)
    return FALSE;
  then = priv->last->frame.pts;
  if (max_age == 0 || !GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (then))
    return TRUE;
  return MAX (now, then) - MIN (now, then) <= max_age;
}

void
gst_sl_carry (GstSlInfer *self, GstBuffer **buffer)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  GstSlResult *fresh = NULL, *next;

  while ((next = gst_sl_worker_take (&priv->worker))) {
    if (fresh) {
      send_alone (self, fresh);
      gst_sl_result_unref (fresh);
    }
    fresh = next;
  }
  if (fresh) {
    g_clear_pointer (&priv->last, gst_sl_result_unref);
    priv->last = fresh;
  } else if (!repeats (self, *buffer)) {
    return;
  }
  /* Copies the buffer if somebody else has it, but not its memory. */
  *buffer = gst_buffer_make_writable (*buffer);
  attach (self, *buffer, priv->last, fresh != NULL);
}

gboolean
gst_sl_carry_rest (GstSlInfer *self)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  GstSlResult *result;

  if (!gst_sl_worker_drain (&priv->worker))
    return FALSE;
  while ((result = gst_sl_worker_take (&priv->worker))) {
    send_alone (self, result);
    gst_sl_result_unref (result);
  }
  return TRUE;
}
