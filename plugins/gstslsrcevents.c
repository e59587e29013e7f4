#include "gstslsrcswitchprivate.h"

/* A chain begins where the last one stopped, in running time. */
static GstEvent *
shift_segment (GstSlSrcSwitch *self, GstEvent *event)
{
  GstEvent *shifted;
  GstSegment segment;

  gst_event_copy_segment (event, &segment);
  if (self->offset <= 0 || segment.format != GST_FORMAT_TIME) {
    self->segment = segment;
    return event;
  }
  segment.base += self->offset;
  self->segment = segment;
  shifted = gst_event_new_segment (&segment);
  gst_event_set_seqnum (shifted, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return shifted;
}

void
gst_sl_src_switch_expect_first (GstSlSrcSwitch *self)
{
  g_mutex_lock (&self->lock);
  self->first = TRUE;
  g_cond_broadcast (&self->changed); /* somebody may wait on a pad that flushes now */
  g_mutex_unlock (&self->lock);
}

static void
forget_time (GstSlSrcSwitch *self)
{
  g_mutex_lock (&self->lock);
  self->last = self->next = GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&self->lock);
}

static gboolean
event_recorded (GstSlSrcSwitch *self, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_SEGMENT:
    event = shift_segment (self, event);
    break;
  case GST_EVENT_FLUSH_STOP:
    gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
    self->offset = 0; /* running time begins anew */
    gst_sl_src_switch_expect_first (self);
    forget_time (self);
    break;
  case GST_EVENT_EOS:
    gst_sl_src_switch_expect_first (self);
    if (!self->func (GST_SL_SRC_SWITCH_EOS, self->data)) {
      gst_event_unref (event);
      return TRUE;
    }
    break;
  default:
    break;
  }
  return gst_pad_event_default (self->sink, GST_OBJECT (self), event);
}

/* Caps go on at once if the pad is free, so that the decoder's question for buffers reaches
 * elements that know them. */
static void
offer_caps (GstSlSrcSwitch *self, GstCaps *caps)
{
  g_mutex_lock (&self->lock);
  if (self->card || !gst_sl_src_switch_acquire (self)) {
    g_mutex_unlock (&self->lock);
    return;
  }
  g_mutex_unlock (&self->lock);
  gst_sl_src_switch_send_events (self, caps);
  g_mutex_lock (&self->lock);
  gst_sl_src_switch_release (self);
  g_mutex_unlock (&self->lock);
}

/* A later list replaces one of the same scope, as on pads. */
static void
keep_tags (GstSlSrcSwitch *self, GstEvent *event)
{
  GstTagList *tags;
  GstEvent **kept;

  gst_event_parse_tag (event, &tags);
  kept = &self->tags[gst_tag_list_get_scope (tags) == GST_TAG_SCOPE_GLOBAL];
  gst_event_replace (kept, event);
}

static gboolean
event_live (GstSlSrcSwitch *self, GstEvent *event)
{
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_CAPS:
    gst_event_parse_caps (event, &caps);
    offer_caps (self, caps);
    break;
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment (event, &self->segment);
    break;
  case GST_EVENT_TAG:
    keep_tags (self, event);
    break;
  case GST_EVENT_FLUSH_START:
  case GST_EVENT_FLUSH_STOP:
    gst_sl_src_switch_expect_first (self);
    break;
  case GST_EVENT_EOS:
    self->func (GST_SL_SRC_SWITCH_EOS, self->data);
    break;
  default:
    break;
  }
  gst_event_unref (event); /* downstream sees one stream, and this was a chain's own */
  return TRUE;
}

gboolean
gst_sl_src_switch_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstSlSrcSwitch *self = (GstSlSrcSwitch *)parent;

  return self->live ? event_live (self, event) : event_recorded (self, event);
}

gboolean
gst_sl_src_switch_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstSlSrcSwitch *self = (GstSlSrcSwitch *)parent;

  if (self->live && GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    gst_event_unref (event);
    return FALSE;
  }
  return gst_pad_event_default (pad, parent, event);
}

gboolean
gst_sl_src_switch_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstSlSrcSwitch *self = (GstSlSrcSwitch *)parent;

  if (self->live && GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION) {
    g_autoptr (GstCaps) current = gst_pad_get_current_caps (self->src);
    GstCaps *caps;

    /* Downstream still sees a card of other caps. */
    gst_query_parse_allocation (query, &caps, NULL);
    if (!current || !caps || !gst_caps_is_equal (current, caps))
      return FALSE;
  }
  return gst_pad_query_default (pad, parent, query);
}

static gboolean
answer_latency (GstSlSrcSwitch *self, GstQuery *query)
{
  GstClockTime min, max = GST_CLOCK_TIME_NONE;

  g_mutex_lock (&self->lock);
  min = self->latency;
  g_mutex_unlock (&self->lock);
  if (gst_pad_peer_query (self->sink, query))
    gst_query_parse_latency (query, NULL, &min, &max);
  if (max < min) /* souphttpsrc says so; what it does not read the network keeps */
    max = GST_CLOCK_TIME_NONE;
  gst_query_set_latency (query, TRUE, min, max);
  return TRUE;
}

gboolean
gst_sl_src_switch_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstSlSrcSwitch *self = (GstSlSrcSwitch *)parent;
  GstFormat format;

  if (!self->live)
    return gst_pad_query_default (pad, parent, query);
  switch (GST_QUERY_TYPE (query)) {
  case GST_QUERY_LATENCY:
    return answer_latency (self, query);
  case GST_QUERY_SEEKING:
    gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
    gst_query_set_seeking (query, format, FALSE, 0, -1);
    return TRUE;
  case GST_QUERY_DURATION:
    return FALSE;
  default:
    return gst_pad_query_default (pad, parent, query);
  }
}
