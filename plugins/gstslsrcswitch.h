/* Between the source chain and slsrc's pad: an element with one sink and one source pad that lives
 * longer than the chains before it.
 *
 * Not live, it passes everything; a chain that follows another goes on in running time where that
 * one stopped. Live, it makes one endless stream of all chains: one segment from 0, timestamps are
 * running time and never go back, and where no chain gives pictures it can show a card, at the
 * size, format and rate of the pictures before. */
#pragma once

#include <gst/gst.h>

typedef enum {
  GST_SL_SRC_SWITCH_FIRST, /* the first frame since _open(), or since an end of stream or a flush */
  GST_SL_SRC_SWITCH_EOS,   /* the chain has ended */
  GST_SL_SRC_SWITCH_FLOW   /* downstream refused a card: see _get_flow() */
} GstSlSrcSwitchEvent;

/* In streaming threads. What it returns counts for EOS when not live: whether that goes on. */
typedef gboolean (*GstSlSrcSwitchFunc) (GstSlSrcSwitchEvent event, gpointer data);

typedef struct _GstSlSrcSwitch GstSlSrcSwitch;

/* Floating. `func` is called until the element is back in READY. */
GstSlSrcSwitch *gst_sl_src_switch_new (GstSlSrcSwitchFunc func, gpointer data);

/* In READY. `latency` is what LATENCY queries are told until a chain knows better. */
void gst_sl_src_switch_set_live (GstSlSrcSwitch *self, gboolean live, GstClockTime latency);

/* Around the life of a chain. `align`: its timestamps are its own (a file's, sent as live), so that
 * its first frame is placed at the time of its arrival. _close() lets go of the chain's threads
 * that wait here, and those that come are told FLUSHING. */
void gst_sl_src_switch_open (GstSlSrcSwitch *self, gboolean align);
void gst_sl_src_switch_close (GstSlSrcSwitch *self);

/* Shows a card with these lines, "\n" between them, until the next frame of a chain; NULL: none.
 * Live and in PLAYING only; may be called anyway. */
void gst_sl_src_switch_set_card (GstSlSrcSwitch *self, const gchar *text);

/* Ends the stream from outside. */
void gst_sl_src_switch_send_eos (GstSlSrcSwitch *self);

/* Since when (monotonic, us) the chain has given nothing; -1 while downstream holds a frame. */
gint64 gst_sl_src_switch_get_idle_since (GstSlSrcSwitch *self);

/* Frames of chains that went downstream since READY. */
guint64 gst_sl_src_switch_get_frames (GstSlSrcSwitch *self);

/* What downstream said to the last buffer. */
GstFlowReturn gst_sl_src_switch_get_flow (GstSlSrcSwitch *self);
