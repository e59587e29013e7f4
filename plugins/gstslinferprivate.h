/* What the files of GstSlInfer share: gstslinfer.c is the type (states, events, properties),
 * gstsllook.c looks at frames, gstslcarry.c puts results on buffers. */
#pragma once

#include "gstslinfer.h"
#include "gstslsettings.h"
#include "gstslsmooth.h"
#include "gstslstats.h"
#include "gstslworker.h"

G_BEGIN_DECLS

typedef struct {
  GstSlLoader loader;
  GstSlWorker worker;
  GstSlLate late;

  /* Under the object lock. */
  GstSlSettings settings;
  GstStructure *model_info;
  GstSlStats stats;
  guint64 frame; /* buffers since stream start */

  /* The streaming thread's. */
  GstVideoInfo info;
  gboolean have_info;
  guint since_run;   /* buffers since the last one whose turn it was; G_MAXUINT: there was none */
  guint orientation; /* of the frames: EXIF's number */
  guint epoch;       /* raised where the past no longer counts */
  GstSlResult *last; /* the newest result that a buffer carried */

  GstSlSmooth smooth; /* the executing thread's */

  void (*hook) (gpointer data);
  gpointer hook_data;
} GstSlInferPrivate;

GstSlInferPrivate *gst_sl_infer_get_private (GstSlInfer *self);

/* gstsllook.c */

/* For the worker: runs the network, tells the bus. */
extern const GstSlWorkerFuncs gst_sl_look_funcs;

/* Streaming thread: the policy from now on. */
GstSlLatePolicy gst_sl_choose_policy (GstSlInfer *self);

/* Streaming thread: counts a buffer that arrives; if it is its turn, has the network run on its
 * picture, at once or later, or passes it over. The buffer stays as it is. */
GstFlowReturn gst_sl_look_at (GstSlInfer *self, GstBuffer *buffer);

/* gstslcarry.c */

/* Streaming thread: gives the buffer the newest result, if it gets one; older ones that are ready
 * go ahead of it. */
void gst_sl_carry (GstSlInfer *self, GstBuffer **buffer);

/* Streaming thread: lets everything that is under way finish and go on, ahead of what comes next.
 * FALSE if a flush took it. */
gboolean gst_sl_carry_rest (GstSlInfer *self);

G_END_DECLS
