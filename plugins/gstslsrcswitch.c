#include "gstslsrcswitch.h"

#include "gstslsrcswitchprivate.h"

#include <gst/video/video.h>

#define RAW_CAPS GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL)

typedef GstElementClass GstSlSrcSwitchClass;

static GType gst_sl_src_switch_get_type (void);
G_DEFINE_TYPE (GstSlSrcSwitch, gst_sl_src_switch, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (RAW_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (RAW_CAPS));

/* --- What its files share --- */

gboolean
gst_sl_src_switch_acquire (GstSlSrcSwitch *self)
{
  while (self->pushing && self->open && !GST_PAD_IS_FLUSHING (self->sink))
    g_cond_wait (&self->changed, &self->lock);
  if (!self->open || GST_PAD_IS_FLUSHING (self->sink))
    return FALSE;
  self->pushing = TRUE;
  return TRUE;
}

void
gst_sl_src_switch_release (GstSlSrcSwitch *self)
{
  self->pushing = FALSE;
  g_cond_broadcast (&self->changed);
}

/* With the lock: running time; NONE without a clock. */
static GstClockTime
get_now (GstSlSrcSwitch *self)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (GST_ELEMENT (self));
  GstClockTime base = gst_element_get_base_time (GST_ELEMENT (self));
  GstClockTime time = clock ? gst_clock_get_time (clock) : GST_CLOCK_TIME_NONE;

  if (!GST_CLOCK_TIME_IS_VALID (time) || !GST_CLOCK_TIME_IS_VALID (base))
    return GST_CLOCK_TIME_NONE;
  return time > base ? time - base : 0;
}

GstClockTime
gst_sl_src_switch_get_arrival (GstSlSrcSwitch *self)
{
  GstClockTime now = get_now (self);

  if (!GST_CLOCK_TIME_IS_VALID (now))
    return GST_CLOCK_TIME_IS_VALID (self->next) ? self->next : 0;
  return now > self->latency ? now - self->latency : 0;
}

void
gst_sl_src_switch_send_start (GstSlSrcSwitch *self)
{
  g_autofree gchar *id = NULL;
  GstEvent *event = gst_pad_get_sticky_event (self->src, GST_EVENT_STREAM_START, 0);

  if (event) {
    gst_event_unref (event);
    return;
  }
  id = gst_pad_create_stream_id (self->src, GST_ELEMENT (self), "live");
  event = gst_event_new_stream_start (id);
  gst_event_set_group_id (event, gst_util_group_id_next ());
  gst_pad_push_event (self->src, event);
}

void
gst_sl_src_switch_send_events (GstSlSrcSwitch *self, GstCaps *caps)
{
  g_autoptr (GstCaps) current = NULL;

  if (!self->segmented)
    gst_sl_src_switch_send_start (self);
  current = gst_pad_get_current_caps (self->src);
  if (!current || !gst_caps_is_equal (current, caps))
    gst_pad_push_event (self->src, gst_event_new_caps (caps));
  if (!self->segmented) {
    GstSegment segment;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_pad_push_event (self->src, gst_event_new_segment (&segment));
    self->segmented = TRUE;
  }
}

/* --- Frames of a chain --- */

/* With the lock. Where a frame goes in our running time; NONE: nowhere, it would go back. */
static GstClockTime
place_frame (GstSlSrcSwitch *self, const GstBuffer *buffer, gboolean first)
{
  GstClockTime time = GST_CLOCK_TIME_NONE;
  GstClockTimeDiff place;

  if (GST_BUFFER_PTS_IS_VALID (buffer) && self->segment.format == GST_FORMAT_TIME) {
    time = gst_segment_to_running_time (&self->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
    if (!GST_CLOCK_TIME_IS_VALID (time))
      return GST_CLOCK_TIME_NONE; /* outside its segment */
  }
  if (!GST_CLOCK_TIME_IS_VALID (time)) {
    time = gst_sl_src_switch_get_arrival (self);
    if (GST_CLOCK_TIME_IS_VALID (self->last))
      time = MAX (time, self->last + 1);
    return time;
  }
  if (first && self->align)
    self->offset = GST_CLOCK_DIFF (time, gst_sl_src_switch_get_arrival (self));
  place = (GstClockTimeDiff)time + self->offset;
  if (place < 0 || (GST_CLOCK_TIME_IS_VALID (self->last) && (GstClockTime)place <= self->last))
    return GST_CLOCK_TIME_NONE;
  return (GstClockTime)place;
}

/* A new chain may need more or less time than the last. */
static void
update_latency (GstSlSrcSwitch *self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime min;
  gboolean changed;

  if (!gst_pad_peer_query (self->sink, query))
    return;
  gst_query_parse_latency (query, NULL, &min, NULL);
  g_mutex_lock (&self->lock);
  changed = self->latency != min;
  self->latency = min;
  g_mutex_unlock (&self->lock);
  if (changed)
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
}

/* A frame is here, so the card is not needed. FALSE if the chain's thread is to go home. */
static gboolean
announce (GstSlSrcSwitch *self, gboolean *ret_first)
{
  gboolean open;

  g_mutex_lock (&self->lock);
  open = self->open;
  *ret_first = open && self->first;
  if (open) {
    self->first = FALSE;
    self->idle_since = -1;
    if (self->card) {
      g_clear_pointer (&self->card, g_free);
      gst_sl_src_switch_wake_card (self);
    }
  }
  g_mutex_unlock (&self->lock);
  if (*ret_first)
    self->func (GST_SL_SRC_SWITCH_FIRST, self->data);
  return open;
}

/* The pusher's; it is no more. */
static GstFlowReturn
finish_frame (GstSlSrcSwitch *self, GstFlowReturn flow, gboolean pushed)
{
  g_mutex_lock (&self->lock);
  self->idle_since = g_get_monotonic_time ();
  if (pushed) {
    self->flow = flow;
    self->frames += flow == GST_FLOW_OK;
  }
  gst_sl_src_switch_release (self);
  g_mutex_unlock (&self->lock);
  return flow;
}

static GstFlowReturn
push_live (GstSlSrcSwitch *self, GstBuffer *buffer, GstClockTime time, gboolean first)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sink);
  g_autoptr (GstCaps) before = gst_pad_get_current_caps (self->src);

  if (!caps) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  gst_sl_src_switch_send_events (self, caps);
  for (guint i = 0; i < G_N_ELEMENTS (self->tags); i++)
    if (self->tags[i])
      gst_pad_push_event (self->src, g_steal_pointer (&self->tags[i]));
  /* What downstream proposed to the decoder was for other caps. */
  if (first && before && !gst_caps_is_equal (before, caps))
    gst_pad_push_event (self->sink, gst_event_new_reconfigure ());
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_PTS (buffer) = time;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  if (first)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  return gst_pad_push (self->src, buffer);
}

static GstFlowReturn
chain_live (GstSlSrcSwitch *self, GstBuffer *buffer)
{
  GstClockTime time = GST_CLOCK_TIME_NONE;
  gboolean first;

  /* Before the wait for the pad: that the pictures are back does not hang on who takes them. */
  if (!announce (self, &first)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_FLUSHING;
  }
  if (first)
    update_latency (self);
  g_mutex_lock (&self->lock);
  if (!gst_sl_src_switch_acquire (self)) {
    g_mutex_unlock (&self->lock);
    gst_buffer_unref (buffer);
    return GST_FLOW_FLUSHING;
  }
  time = place_frame (self, buffer, first);
  if (GST_CLOCK_TIME_IS_VALID (time)) {
    self->last = self->next = time;
    if (GST_BUFFER_DURATION_IS_VALID (buffer))
      self->next += GST_BUFFER_DURATION (buffer);
  }
  g_mutex_unlock (&self->lock);
  if (GST_CLOCK_TIME_IS_VALID (time))
    return finish_frame (self, push_live (self, buffer, time, first), TRUE);
  gst_buffer_unref (buffer);
  return finish_frame (self, GST_FLOW_OK, FALSE);
}

static GstFlowReturn
chain_recorded (GstSlSrcSwitch *self, GstBuffer *buffer)
{
  GstClockTime end = GST_CLOCK_TIME_NONE;
  gboolean first;

  if (!announce (self, &first)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_FLUSHING;
  }
  if (GST_BUFFER_PTS_IS_VALID (buffer) && self->segment.format == GST_FORMAT_TIME) {
    end = gst_segment_to_running_time (&self->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
    if (GST_CLOCK_TIME_IS_VALID (end) && GST_BUFFER_DURATION_IS_VALID (buffer))
      end += GST_BUFFER_DURATION (buffer);
  }
  g_mutex_lock (&self->lock);
  if (GST_CLOCK_TIME_IS_VALID (end))
    self->next = end;
  g_mutex_unlock (&self->lock);
  return finish_frame (self, gst_pad_push (self->src, buffer), TRUE);
}

static GstFlowReturn
gst_sl_src_switch_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstSlSrcSwitch *self = (GstSlSrcSwitch *)parent;

  return self->live ? chain_live (self, buffer) : chain_recorded (self, buffer);
}

/* --- Activation --- */

static gboolean
gst_sl_src_switch_activate_src (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstSlSrcSwitch *self = (GstSlSrcSwitch *)parent;

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  g_mutex_lock (&self->lock);
  self->running = active;
  gst_sl_src_switch_wake_card (self);
  g_mutex_unlock (&self->lock);
  return active || gst_pad_stop_task (pad);
}

/* --- What slsrc calls --- */

void
gst_sl_src_switch_set_live (GstSlSrcSwitch *self, gboolean live, GstClockTime latency)
{
  self->live = live;
  self->latency = latency;
}

void
gst_sl_src_switch_open (GstSlSrcSwitch *self, gboolean align)
{
  g_mutex_lock (&self->lock);
  self->open = TRUE;
  self->first = TRUE;
  self->align = align;
  self->idle_since = g_get_monotonic_time ();
  self->flow = GST_FLOW_OK;
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->offset = 0;
  if (!self->live && GST_CLOCK_TIME_IS_VALID (self->next)) {
    GstClockTime now = self->playing ? get_now (self) : GST_CLOCK_TIME_NONE;

    self->offset = GST_CLOCK_TIME_IS_VALID (now) ? MAX (now, self->next) : self->next;
  }
  g_mutex_unlock (&self->lock);
}

void
gst_sl_src_switch_close (GstSlSrcSwitch *self)
{
  g_mutex_lock (&self->lock);
  self->open = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
gst_sl_src_switch_set_card (GstSlSrcSwitch *self, const gchar *text)
{
  if (!self->live)
    return;
  g_mutex_lock (&self->lock);
  g_free (self->card);
  self->card = g_strdup (text);
  gst_sl_src_switch_wake_card (self);
  g_mutex_unlock (&self->lock);
}

void
gst_sl_src_switch_send_eos (GstSlSrcSwitch *self)
{
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->card, g_free);
  gst_sl_src_switch_wake_card (self);
  while (self->pushing)
    g_cond_wait (&self->changed, &self->lock);
  self->pushing = TRUE;
  g_mutex_unlock (&self->lock);
  gst_sl_src_switch_send_start (self);
  gst_pad_push_event (self->src, gst_event_new_eos ());
  g_mutex_lock (&self->lock);
  gst_sl_src_switch_release (self);
  g_mutex_unlock (&self->lock);
}

gint64
gst_sl_src_switch_get_idle_since (GstSlSrcSwitch *self)
{
  gint64 since;

  g_mutex_lock (&self->lock);
  since = self->idle_since;
  g_mutex_unlock (&self->lock);
  return since;
}

guint64
gst_sl_src_switch_get_frames (GstSlSrcSwitch *self)
{
  guint64 frames;

  g_mutex_lock (&self->lock);
  frames = self->frames;
  g_mutex_unlock (&self->lock);
  return frames;
}

GstFlowReturn
gst_sl_src_switch_get_flow (GstSlSrcSwitch *self)
{
  GstFlowReturn flow;

  g_mutex_lock (&self->lock);
  flow = self->flow;
  g_mutex_unlock (&self->lock);
  return flow;
}

/* --- Element --- */

static void
set_playing (GstSlSrcSwitch *self, gboolean playing)
{
  g_mutex_lock (&self->lock);
  self->playing = playing;
  gst_sl_src_switch_wake_card (self);
  g_mutex_unlock (&self->lock);
}

/* In READY. */
static void
reset (GstSlSrcSwitch *self)
{
  g_clear_pointer (&self->card, g_free);
  g_clear_pointer (&self->card_text, g_free);
  gst_clear_caps (&self->card_caps);
  gst_clear_buffer (&self->card_frame);
  for (guint i = 0; i < G_N_ELEMENTS (self->tags); i++)
    gst_clear_event (&self->tags[i]);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->segmented = self->pushing = FALSE;
  self->open = FALSE;
  self->flow = GST_FLOW_OK;
  self->last = self->next = GST_CLOCK_TIME_NONE;
  self->offset = 0;
}

static GstStateChangeReturn
gst_sl_src_switch_change_state (GstElement *element, GstStateChange transition)
{
  GstSlSrcSwitch *self = (GstSlSrcSwitch *)element;
  GstElementClass *parent_class = GST_ELEMENT_CLASS (gst_sl_src_switch_parent_class);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    self->frames = 0; /* those of the last run may be asked for until now */
  else if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    set_playing (self, FALSE);
  ret = parent_class->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    set_playing (self, TRUE);
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    reset (self);
  return ret;
}

static void
gst_sl_src_switch_finalize (GObject *object)
{
  GstSlSrcSwitch *self = (GstSlSrcSwitch *)object;

  reset (self);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_sl_src_switch_parent_class)->finalize (object);
}

static void
gst_sl_src_switch_class_init (GstSlSrcSwitchClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_sl_src_switch_finalize;
  klass->change_state = gst_sl_src_switch_change_state;
  gst_element_class_add_static_pad_template (klass, &sink_template);
  gst_element_class_add_static_pad_template (klass, &src_template);
  gst_element_class_set_static_metadata (klass, "Switch of slsrc", "Generic",
                                         "Passes a source's frames, or a card", "Sightline");
}

static void
gst_sl_src_switch_init (GstSlSrcSwitch *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->sink = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sink, gst_sl_src_switch_chain);
  gst_pad_set_event_function (self->sink, gst_sl_src_switch_sink_event);
  gst_pad_set_query_function (self->sink, gst_sl_src_switch_sink_query);
  GST_PAD_SET_PROXY_CAPS (self->sink);
  GST_PAD_SET_PROXY_ALLOCATION (self->sink);
  gst_element_add_pad (GST_ELEMENT (self), self->sink);
  self->src = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_activatemode_function (self->src, gst_sl_src_switch_activate_src);
  gst_pad_set_event_function (self->src, gst_sl_src_switch_src_event);
  gst_pad_set_query_function (self->src, gst_sl_src_switch_src_query);
  GST_PAD_SET_PROXY_CAPS (self->src);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
  reset (self);
}

GstSlSrcSwitch *
gst_sl_src_switch_new (GstSlSrcSwitchFunc func, gpointer data)
{
  GstSlSrcSwitch *self = g_object_new (gst_sl_src_switch_get_type (), "name", "switch", NULL);

  self->func = func;
  self->data = data;
  return self;
}
