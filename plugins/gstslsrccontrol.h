/* The life of slsrc's chains: a thread that opens one, watches it, takes it down when it is lost,
 * waits, tries again. Only that thread changes a chain's state, so nobody waits for a camera or a
 * server save who takes slsrc to READY. */
#pragma once

#include "gstslsrclocation.h"
#include "gstslsrcretry.h"
#include "gstslsrcswitch.h"

typedef enum {
  GST_SL_SRC_STOPPED,
  GST_SL_SRC_CONNECTING,
  GST_SL_SRC_RUNNING,
  GST_SL_SRC_RETRYING
} GstSlSrcStatus;

typedef enum {
  GST_SL_SRC_RETRY_AUTO,
  GST_SL_SRC_RETRY_NEVER,
  GST_SL_SRC_RETRY_ALWAYS
} GstSlSrcRetryMode;

/* Times in ns. */
typedef struct GstSlSrcSettings {
  gboolean is_live;
  gboolean upright;
  gboolean card;
  GstSlSrcRetryMode retry;
  gint max_retries;
  GstClockTime retry_min, retry_max;
  GstClockTime timeout;         /* without a frame; 0: none */
  GstClockTime connect_timeout; /* to the first frame; 0: none */
  GstClockTime latency;
} GstSlSrcSettings;

/* Embedded in its element. */
typedef struct GstSlSrcControl {
  GstBin *bin; /* not a reference: it contains this */
  GstSlSrcSwitch *output;
  void (*status_changed) (GstBin *bin); /* in the control thread, or that of stop */
  void (*source_setup) (GstElement *source, gpointer bin);

  /* Of the thread that changes the element's state; constant while the control thread runs. */
  GThread *thread;
  GstSlSrcLocation location;
  gboolean live;

  GMutex lock; /* of what follows */
  GCond changed;
  GstSlSrcSettings settings;
  GstState target; /* PAUSED or PLAYING */
  gboolean stop;

  /* What streaming threads report. */
  GstElement *chain; /* the bin's; NULL: none */
  gboolean first, eos, flow;
  GError *failure;
  gchar *failure_debug;

  /* The control thread's, read under the lock by anybody. */
  GstState state; /* of the chain */
  GstSlSrcRetry retry;
  gint64 opened_at, running_at, retry_at; /* monotonic, us */
  gboolean over;                          /* nothing more is tried */
  GstSlSrcStatus status;
  const gchar *reason; /* none, error, eos, timeout */
  gchar *error;        /* last one; NULL: none yet */
  guint64 retries, connects;
} GstSlSrcControl;

void gst_sl_src_control_init (GstSlSrcControl *control, GstBin *bin);
void gst_sl_src_control_clear (GstSlSrcControl *control);

/* Whether what it now is set to gives live video: cameras, RTSP, HTTP if is-live is set. */
gboolean gst_sl_src_control_is_live (const GstSlSrcControl *control);

/* READY to PAUSED: takes the location; FALSE with an error if it is none. */
gboolean gst_sl_src_control_prepare (GstSlSrcControl *control, const gchar *location,
                                     GError **error);
void gst_sl_src_control_start (GstSlSrcControl *control);
/* PAUSED or PLAYING; does not wait until the chain is there. */
void gst_sl_src_control_set_target (GstSlSrcControl *control, GstState target);
/* PAUSED to READY: takes the chain down. */
void gst_sl_src_control_stop (GstSlSrcControl *control);

/* Any thread. Free with gst_structure_free(). */
GstStructure *gst_sl_src_control_get_info (GstSlSrcControl *control);
GstSlSrcStatus gst_sl_src_control_get_status (GstSlSrcControl *control);
/* "stopped", "connecting", "running", "retrying" */
const gchar *gst_sl_src_status_get_nick (GstSlSrcStatus status);

/* Of the switch, with the control for data. */
gboolean gst_sl_src_control_on_switch (GstSlSrcSwitchEvent event, gpointer data);
