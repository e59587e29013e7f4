#include "gstslsrcswitchprivate.h"

#include "gstslsrccard.h"

#include <gst/video/video.h>

#define CARD_WIDTH 640
#define CARD_HEIGHT 360
#define CARD_RATE 5

/* The caps of the pictures before; else what downstream likes, near the default. */
static GstCaps *
choose_card_caps (GstSlSrcSwitch *self)
{
  GstCaps *caps = gst_pad_get_current_caps (self->src);
  g_autoptr (GstCaps) allowed = NULL;
  GstStructure *structure;

  if (caps)
    return caps;
  allowed = gst_pad_get_allowed_caps (self->src);
  if (!allowed || gst_caps_is_empty (allowed))
    return gst_caps_from_string ("video/x-raw,format=I420,width=640,height=360,framerate=5/1");
  caps = gst_caps_make_writable (gst_caps_truncate (g_steal_pointer (&allowed)));
  structure = gst_caps_get_structure (caps, 0);
  gst_structure_fixate_field_string (structure, "format", "I420");
  gst_structure_fixate_field_nearest_int (structure, "width", CARD_WIDTH);
  gst_structure_fixate_field_nearest_int (structure, "height", CARD_HEIGHT);
  gst_structure_fixate_field_nearest_fraction (structure, "framerate", CARD_RATE, 1);
  if (gst_structure_has_field (structure, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction (structure, "pixel-aspect-ratio", 1, 1);
  return gst_caps_fixate (caps);
}

static GstClockTime
get_card_duration (const GstVideoInfo *info)
{
  if (info->fps_n <= 0)
    return GST_SECOND / CARD_RATE;
  return MIN (GST_SECOND, gst_util_uint64_scale_int (GST_SECOND, info->fps_d, info->fps_n));
}

/* With the lock: waits for the time of the next card; FALSE if it is not wanted any more. */
static gboolean
wait_for_card (GstSlSrcSwitch *self, GstClockTime duration, GstClockTime *ret_time)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (GST_ELEMENT (self));
  GstClockTime time = gst_sl_src_switch_get_arrival (self), last = self->last;
  GstClockReturn waited;

  if (GST_CLOCK_TIME_IS_VALID (self->last))
    time = MAX (time, self->last + duration);
  *ret_time = time;
  if (!clock) {
    g_cond_wait_until (&self->changed, &self->lock,
                       g_get_monotonic_time () + (gint64)(duration / GST_USECOND));
    return self->last == last && self->card && self->playing && !self->pushing;
  }
  self->clock_id = gst_clock_new_single_shot_id (
      clock, gst_element_get_base_time (GST_ELEMENT (self)) + time + self->latency);
  g_mutex_unlock (&self->lock);
  waited = gst_clock_id_wait (self->clock_id, NULL); /* only this thread replaces it */
  g_mutex_lock (&self->lock);
  gst_clock_id_unref (g_steal_pointer (&self->clock_id));
  /* Pictures may have come and gone meanwhile. */
  return waited != GST_CLOCK_UNSCHEDULED && self->last == last && self->card && self->playing &&
         !self->pushing;
}

/* The pusher's. The card is drawn anew only if text or caps are. */
static GstBuffer *
get_card (GstSlSrcSwitch *self, GstCaps *caps, const GstVideoInfo *info, const gchar *text)
{
  if (!self->card_frame || g_strcmp0 (text, self->card_text) != 0 ||
      !gst_caps_is_equal (caps, self->card_caps)) {
    gst_clear_buffer (&self->card_frame);
    g_free (self->card_text);
    self->card_text = g_strdup (text);
    gst_caps_replace (&self->card_caps, caps);
    self->card_frame = gst_sl_src_card_draw (info, text);
  }
  return self->card_frame ? gst_buffer_copy (self->card_frame) : NULL;
}

/* Owns the pad, without the lock. */
static GstFlowReturn
push_card (GstSlSrcSwitch *self, GstCaps *caps, const GstVideoInfo *info, const gchar *text,
           GstClockTime time)
{
  GstBuffer *buffer = get_card (self, caps, info, text);

  if (!buffer)
    return GST_FLOW_NOT_SUPPORTED;
  gst_sl_src_switch_send_events (self, caps);
  GST_BUFFER_PTS (buffer) = time;
  GST_BUFFER_DURATION (buffer) = get_card_duration (info);
  return gst_pad_push (self->src, buffer);
}

/* With the lock: one card, unless a chain's frame comes in between. */
static void
show_card (GstSlSrcSwitch *self)
{
  g_autoptr (GstCaps) caps = NULL;
  g_autofree gchar *text = NULL;
  GstVideoInfo info;
  GstClockTime time;
  GstFlowReturn flow = GST_FLOW_NOT_NEGOTIATED;
  gboolean usable;

  /* Downstream is asked without the lock. */
  g_mutex_unlock (&self->lock);
  caps = choose_card_caps (self);
  usable = gst_video_info_from_caps (&info, caps);
  g_mutex_lock (&self->lock);
  if (!self->card || !self->playing ||
      !wait_for_card (self, usable ? get_card_duration (&info) : 0, &time))
    return;
  text = g_strdup (self->card);
  self->pushing = TRUE;
  self->last = time;
  g_mutex_unlock (&self->lock);
  if (usable)
    flow = push_card (self, caps, &info, text, time);
  g_mutex_lock (&self->lock);
  gst_sl_src_switch_release (self);
  if (flow == GST_FLOW_OK)
    return;
  self->flow = flow;
  g_clear_pointer (&self->card, g_free);
  g_mutex_unlock (&self->lock);
  if (flow != GST_FLOW_FLUSHING)
    self->func (GST_SL_SRC_SWITCH_FLOW, self->data);
  g_mutex_lock (&self->lock);
}

/* The source pad's task; stands still while there is no card to show. */
static void
card_loop (gpointer data)
{
  GstSlSrcSwitch *self = data;

  g_mutex_lock (&self->lock);
  while (self->running && (!self->card || !self->playing || self->pushing))
    g_cond_wait (&self->changed, &self->lock);
  if (self->running)
    show_card (self);
  else
    gst_pad_pause_task (self->src);
  g_mutex_unlock (&self->lock);
}

void
gst_sl_src_switch_wake_card (GstSlSrcSwitch *self)
{
  if (self->running && self->playing && self->card &&
      gst_pad_get_task_state (self->src) != GST_TASK_STARTED)
    gst_pad_start_task (self->src, card_loop, self, NULL);
  if (self->clock_id)
    gst_clock_id_unschedule (self->clock_id);
  g_cond_broadcast (&self->changed);
}
