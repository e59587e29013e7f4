#include "gstsllate.h"

#define LATENCY_STEP (5 * GST_MSECOND)
#define PEAK_WINDOW 64 /* runs */

GType
gst_sl_late_policy_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {GST_SL_LATE_AUTO, "latest if upstream is live, else block", "auto"},
      {GST_SL_LATE_BLOCK, "Wait for each frame's result", "block"},
      {GST_SL_LATE_LATEST, "Never wait: results go with later frames, the newest frame is next",
       "latest"},
      {GST_SL_LATE_SKIP, "Wait, but pass over frames that came while the network was busy", "skip"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstSlLatePolicy", values));
  return type;
}

/* --- Measuring --- */

static GstSlSpan
read_clocks (GstClock *clock)
{
  GstClockTime real = gst_util_get_timestamp ();

  return (GstSlSpan){.on_clock = clock ? gst_clock_get_time (clock) : real, .real = real};
}

GstSlStopwatch
gst_sl_stopwatch_start (GstElement *element)
{
  GstSlStopwatch watch = {.clock = gst_element_get_clock (element)};

  watch.start = read_clocks (watch.clock);
  return watch;
}

void
gst_sl_stopwatch_clear (GstSlStopwatch *watch)
{
  gst_clear_object (&watch->clock);
}

GstSlSpan
gst_sl_stopwatch_read (const GstSlStopwatch *watch)
{
  GstSlSpan now = read_clocks (watch->clock), start = watch->start;

  return (GstSlSpan){
      .on_clock = now.on_clock > start.on_clock ? now.on_clock - start.on_clock : 0,
      .real = now.real - start.real,
  };
}

static GstClockTime
round_up (GstClockTime time)
{
  return (time + LATENCY_STEP - 1) / LATENCY_STEP * LATENCY_STEP;
}

gboolean
gst_sl_peak_add (GstSlPeak *self, GstClockTime time)
{
  const GstClockTime before = self->stated;

  self->most = MAX (self->most, time);
  self->stated = MAX (self->stated, round_up (time));
  if (++self->n == PEAK_WINDOW) {
    if (round_up (self->most) <= self->stated / 2)
      self->stated = round_up (self->most);
    self->n = 0;
    self->most = 0;
  }
  return self->stated != before;
}

/* --- What is known --- */

/* Leaves `trans` alone: others read it to lock. */
static void
forget (GstSlLate *self)
{
  self->asked = FALSE;
  self->live = FALSE;
  self->upstream = 0;
  self->free_at = GST_CLOCK_TIME_NONE;
  self->in_force = GST_SL_LATE_AUTO;
  self->peak = (GstSlPeak){0};
}

void
gst_sl_late_init (GstSlLate *self, GstBaseTransform *trans)
{
  self->trans = trans;
  forget (self);
}

void
gst_sl_late_reset (GstSlLate *self)
{
  GST_OBJECT_LOCK (self->trans);
  forget (self);
  GST_OBJECT_UNLOCK (self->trans);
}

void
gst_sl_late_ask_again (GstSlLate *self)
{
  GST_OBJECT_LOCK (self->trans);
  self->asked = FALSE;
  GST_OBJECT_UNLOCK (self->trans);
}

void
gst_sl_late_forget_times (GstSlLate *self)
{
  GST_OBJECT_LOCK (self->trans);
  self->free_at = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self->trans);
}

static void
learn (GstSlLate *self, gboolean live, GstClockTime upstream)
{
  GST_OBJECT_LOCK (self->trans);
  self->asked = TRUE;
  self->live = live;
  self->upstream = upstream;
  GST_OBJECT_UNLOCK (self->trans);
}

static void
ask_upstream (GstSlLate *self)
{
  GstQuery *query = gst_query_new_latency ();
  GstClockTime least;
  gboolean live;

  /* Who does not know yet is asked again with the next frame. */
  if (gst_pad_peer_query (self->trans->sinkpad, query)) {
    gst_query_parse_latency (query, &live, &least, NULL);
    learn (self, live, least);
  }
  gst_query_unref (query);
}

/* --- Policies --- */

static GstSlLatePolicy
resolve (GstSlLatePolicy wanted, gboolean live)
{
  if (wanted == GST_SL_LATE_AUTO)
    return live ? GST_SL_LATE_LATEST : GST_SL_LATE_BLOCK;
  /* Nothing is late where nobody waits for the clock. */
  if (wanted == GST_SL_LATE_SKIP && !live)
    return GST_SL_LATE_BLOCK;
  return wanted;
}

/* Under the object lock. */
static GstClockTime
find_stated (const GstSlLate *self)
{
  gboolean waits = self->in_force == GST_SL_LATE_BLOCK || self->in_force == GST_SL_LATE_SKIP;

  return self->live && waits ? self->peak.stated : 0;
}

static void
post_latency (GstSlLate *self)
{
  GstObject *object = GST_OBJECT (self->trans);

  gst_element_post_message (GST_ELEMENT (object), gst_message_new_latency (object));
}

GstSlLatePolicy
gst_sl_late_choose (GstSlLate *self, GstSlLatePolicy wanted)
{
  GstSlLatePolicy policy;
  gboolean asked, changed;
  GstClockTime before;

  GST_OBJECT_LOCK (self->trans);
  asked = self->asked;
  GST_OBJECT_UNLOCK (self->trans);
  if (!asked)
    ask_upstream (self);

  GST_OBJECT_LOCK (self->trans);
  before = find_stated (self);
  policy = self->in_force = resolve (wanted, self->live);
  changed = find_stated (self) != before;
  GST_OBJECT_UNLOCK (self->trans);
  if (changed)
    post_latency (self);
  return policy;
}

gboolean
gst_sl_late_missed (GstSlLate *self, const GstSlInferFrame *frame, GstClockTime *ret_by)
{
  GstClockTime free_at, there;

  GST_OBJECT_LOCK (self->trans);
  free_at = self->free_at;
  there = frame->running_time + self->upstream;
  GST_OBJECT_UNLOCK (self->trans);

  if (!GST_CLOCK_TIME_IS_VALID (free_at) || !GST_CLOCK_TIME_IS_VALID (frame->running_time) ||
      there >= free_at)
    return FALSE;
  *ret_by = free_at - there;
  return TRUE;
}

/* NONE without a clock. */
static GstClockTime
get_running_time (GstElement *element)
{
  GstClock *clock = gst_element_get_clock (element);
  GstClockTime now, base = gst_element_get_base_time (element);

  if (!clock)
    return GST_CLOCK_TIME_NONE;
  now = gst_clock_get_time (clock);
  gst_object_unref (clock);
  return GST_CLOCK_TIME_IS_VALID (base) && now >= base ? now - base : GST_CLOCK_TIME_NONE;
}

void
gst_sl_late_ran (GstSlLate *self, GstClockTime time)
{
  GstClockTime now = get_running_time (GST_ELEMENT (self->trans)), before;
  gboolean changed;

  GST_OBJECT_LOCK (self->trans);
  before = find_stated (self);
  gst_sl_peak_add (&self->peak, time);
  self->free_at = now;
  changed = find_stated (self) != before;
  GST_OBJECT_UNLOCK (self->trans);
  if (changed)
    post_latency (self);
}

/* --- What others are told --- */

GstClockTime
gst_sl_late_get_stated (GstSlLate *self)
{
  GstClockTime stated;

  GST_OBJECT_LOCK (self->trans);
  stated = find_stated (self);
  GST_OBJECT_UNLOCK (self->trans);
  return stated;
}

gboolean
gst_sl_late_query (GstSlLate *self, GstQuery *query, GstSlLatePolicy wanted)
{
  GstClockTime least, most, stated = 0;
  gboolean live;

  if (!gst_pad_peer_query (self->trans->sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &least, &most);
  learn (self, live, least);
  if (live && resolve (wanted, live) != GST_SL_LATE_LATEST) {
    GST_OBJECT_LOCK (self->trans);
    stated = self->peak.stated;
    GST_OBJECT_UNLOCK (self->trans);
  }
  if (stated > 0)
    gst_query_set_latency (query, live, least + stated,
                           GST_CLOCK_TIME_IS_VALID (most) ? most + stated : most);
  return TRUE;
}

void
gst_sl_late_post_qos (GstSlLate *self, const GstSlInferFrame *frame, GstClockTime by,
                      guint64 inferred, guint64 skipped)
{
  GstObject *object = GST_OBJECT (self->trans);
  const gdouble proportion = 1.0;
  const gint quality = 1000000; /* nothing else is done less well */
  GstMessage *message;
  gboolean live;

  GST_OBJECT_LOCK (object);
  live = self->live;
  GST_OBJECT_UNLOCK (object);
  message = gst_message_new_qos (object, live, frame->running_time, frame->stream_time, frame->pts,
                                 frame->duration);
  gst_message_set_qos_values (message, by, proportion, quality);
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, inferred, skipped);
  gst_element_post_message (GST_ELEMENT (object), message);
}
