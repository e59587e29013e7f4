/* A live harness around an element with a network, on a clock that stands still unless told: a hook
 * in the place of a slow network, so that nothing depends on how fast the machine is. */
#pragma once

#include "fixture.h"
#include "gstslclassify.h"
#include "gstslinferprivate.h"

#define FPS 30
#define DELAY (100 * GST_MSECOND) /* of the slow network */

/* --- A network that is slow or stuck --- */

typedef struct {
  GMutex lock;
  GCond changed;
  guint begun, ended; /* runs */
  guint allowed;      /* to end */
  gboolean open;      /* all are */
  GstTestClock *clock;
  GstClockTime takes; /* moves the clock on by itself, and ends */
} Engine;

/* For gst_sl_infer_set_run_hook(), with the engine. */
void engine_hook (gpointer data);
/* Waits until run number `n` (from 1) has begun. */
void engine_wait (Engine *engine, guint n);
/* Lets one more run end. */
void engine_step (Engine *engine);
/* Lets all runs end at once. */
void engine_open (Engine *engine);

/* --- An element that can be stopped while it prepares a model, and counts its calls --- */

typedef struct {
  GstSlClassify parent;
  Engine gate;     /* that prepare waits at */
  gboolean wanted; /* frames are */
  guint n_prepared, n_released, n_presented;
} TestInfer;

/* Registers it as "testinfer", and slclassify, from what is linked in. */
void rig_register_elements (void);

/* --- The harness --- */

typedef struct {
  Engine engine;
  Fixture *fixture;
  GstTestClock *clock;
  GstSlInferPrivate *priv;
  GQueue messages; /* that came before one that was asked for */
} Rig;

/* An element that loads a model of these flags, live, with caps set. */
void rig_init_with (Rig *rig, const gchar *factory, TinyFlags flags, guint policy);
void rig_wait_loaded (Rig *rig);
/* slclassify that has loaded. */
void rig_init (Rig *rig, guint policy);
void rig_clear (Rig *rig);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rig, rig_clear)

/* Of the n-th frame. */
GstClockTime frame_time (guint n);
GstBuffer *rig_frame (Rig *rig, guint32 rgb, guint n);
GstFlowReturn rig_push (Rig *rig, guint32 rgb, guint n);
/* Pushes a frame and gives what comes out. */
GstBuffer *rig_process (Rig *rig, guint32 rgb, guint n);
/* The same, and forgets it. */
void rig_pass (Rig *rig, guint32 rgb, guint n);
/* Waits until nothing is under way. */
void rig_settle (Rig *rig);
/* The clock goes on to that time; never back. */
void rig_set_time (Rig *rig, GstClockTime time);
void rig_flush (Rig *rig);

/* A number of the property `stats`. */
guint64 rig_stat (Rig *rig, const gchar *name);
void rig_expect_policy (Rig *rig, const gchar *name);
/* The oldest message of a type, for the caller; NULL if there is none. The others stay. */
GstMessage *rig_pop (Rig *rig, GstMessageType type);
/* How many there are of a type; they are gone then. */
guint rig_count (Rig *rig, GstMessageType type);
/* Numbers of the frames that messages have told of, in their order, as text. */
gchar *rig_told (Rig *rig);
void rig_expect_told (Rig *rig, const gchar *frames);
/* What went downstream besides buffers: frame numbers of results, and "eos". */
void rig_expect_events (Rig *rig, const gchar *expected);
