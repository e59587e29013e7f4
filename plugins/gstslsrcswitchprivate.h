/* Inside of GstSlSrcSwitch: the frames and the element in gstslsrcswitch.c, events and queries in
 * gstslsrcevents.c, the card's thread in gstslsrcfallback.c. */
#pragma once

#include "gstslsrcswitch.h"

struct _GstSlSrcSwitch {
  GstElement parent;

  GstPad *sink, *src;
  GstSlSrcSwitchFunc func;
  gpointer data;
  gboolean live; /* constant outside READY */

  GMutex lock; /* of what follows, save what belongs to the pusher */
  GCond changed;
  gboolean open, playing, running; /* running: not in READY */
  gboolean pushing;                /* a thread owns the source pad: "the pusher" */
  gboolean first;                  /* no frame yet */
  gboolean align;
  GstClockTime latency;
  gchar *card; /* text; NULL: no card */
  GstClockID clock_id;
  gint64 idle_since;
  guint64 frames;
  GstFlowReturn flow;
  GstClockTime last, next; /* running time: the last frame's start and end; NONE: no frame yet */

  /* The sink pad's streaming thread's. */
  GstSegment segment;
  GstClockTimeDiff offset; /* from its running time to ours */
  GstEvent *tags[2];       /* of stream and global scope, to go out before the next frame */

  /* The pusher's. */
  gboolean segmented;    /* the segment is out */
  GstBuffer *card_frame; /* of card_caps and card_text */
  GstCaps *card_caps;
  gchar *card_text;
};

/* The source pad has one owner at a time, the pusher: a chain's streaming thread, the card's, or
 * the one that ends the stream. */

/* With the lock, which it lets go of while it waits. FALSE if a chain's thread is to go home. */
gboolean gst_sl_src_switch_acquire (GstSlSrcSwitch *self);
/* With the lock. */
void gst_sl_src_switch_release (GstSlSrcSwitch *self);

/* With the lock: running time that a frame which arrives now is stamped with. */
GstClockTime gst_sl_src_switch_get_arrival (GstSlSrcSwitch *self);

/* The pusher's: events that stand before a frame of `caps`, as far as they are not out. */
void gst_sl_src_switch_send_events (GstSlSrcSwitch *self, GstCaps *caps);

/* The next frame is a first one. */
void gst_sl_src_switch_expect_first (GstSlSrcSwitch *self);

/* Pad functions. */
gboolean gst_sl_src_switch_sink_event (GstPad *pad, GstObject *parent, GstEvent *event);
gboolean gst_sl_src_switch_src_event (GstPad *pad, GstObject *parent, GstEvent *event);
gboolean gst_sl_src_switch_sink_query (GstPad *pad, GstObject *parent, GstQuery *query);
gboolean gst_sl_src_switch_src_query (GstPad *pad, GstObject *parent, GstQuery *query);

/* The pusher's: the stream has begun. */
void gst_sl_src_switch_send_start (GstSlSrcSwitch *self);

/* With the lock: the card's thread looks anew at what is to be shown, and when; it is started if
 * there is something and nobody did so yet. It stops when `running` does. */
void gst_sl_src_switch_wake_card (GstSlSrcSwitch *self);
