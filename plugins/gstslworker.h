/* Where frames wait for the network, and the thread that runs it beside the stream.
 *
 * Two slots, each with an input of its own in the classifier. A slot is
 *   FREE     nobody's
 *   FILLING  the streaming thread's, which samples a frame into its input
 *   WAITING  nobody's: sampled, not yet begun; never more than one, the newest
 *   RUNNING  the executing thread's
 * and changes hands under `lock`. At most one is RUNNING: the worker's thread takes one at a time,
 * and gst_sl_worker_run(), in the streaming thread, is only called after gst_sl_worker_drain(). So
 * there is always a slot to fill, nobody waits to fill it, and the classifier's executing side has
 * one thread at a time. No buffer is kept: what the worker sees of a frame is its slot's input and
 * a GstSlJob.
 *
 * Generations. A flush and a stop raise `generation`; a slot remembers the one that it was taken
 * in. What ends in another generation than it began in is dropped: neither told, nor kept, nor
 * counted as skipped. Telling (messages) goes on under `telling`, in which the generation is looked
 * at once more; the end of a flush passes through `telling` before it goes downstream. Hence
 * nothing from before a flush is told after it, and its beginning waits for nobody. `telling` is
 * recursive: who is told, in a bus's sync handler, may begin a flush. Lock order: stream lock,
 * telling, lock, object lock.
 *
 * - flush while RUNNING: the run goes on in its slot and is dropped; new frames fill the other one,
 *   and wait until it ends
 * - flush while FILLING: the slot becomes FREE when it is submitted
 * - flush before FILLING: there is no slot for the frame, which is of before the flush
 * - flush or stop in drain: the waiting thread comes back at once, with FALSE
 * - EOS with one WAITING: drain; it is run too
 * - stop while FILLING: pads are shut first, so the streaming thread is gone when stop is called
 * - stop while RUNNING: waits for the end of the run; what is WAITING is not begun
 * - new caps while RUNNING: the sampling side makes another sampler; a run reads its slot's input
 *   only
 * - run fails: told once, what is WAITING is dropped; then every gst_sl_worker_failed() says so,
 *   until flush or stop
 * - another policy: the streaming thread drains before it runs the network itself
 */
#pragma once

#include "gstsllate.h"
#include "gstslresult.h"

G_BEGIN_DECLS

#define GST_SL_N_SLOTS 2

/* What goes with a slot's input. */
typedef struct GstSlJob {
  GstSlInferFrame frame;
  guint epoch;        /* results of one epoch are smoothed together */
  GstSlSpan sampling; /* time that it took */
} GstSlJob;

typedef struct GstSlWorkerFuncs {
  /* Executing thread: runs the network on what was sampled into `slot`. NULL with an error. */
  GstSlResult *(*run) (GstElement *element, guint slot, const GstSlJob *job, GError **error);
  /* The same thread, in stream order: the result, or if that is NULL the error, of a frame that no
   * flush has overtaken. */
  void (*tell) (GstElement *element, const GstSlResult *result, const GError *error);
} GstSlWorkerFuncs;

typedef enum {
  GST_SL_SLOT_FREE,
  GST_SL_SLOT_FILLING,
  GST_SL_SLOT_WAITING,
  GST_SL_SLOT_RUNNING
} GstSlSlotState;

/* Embedded in its element. */
typedef struct GstSlWorker {
  GstElement *element; /* not a reference: the worker is a part of it */
  const GstSlWorkerFuncs *funcs;
  GThread *thread; /* from the first submission to the stop; the streaming thread's */
  GRecMutex telling;

  GMutex lock; /* of what follows */
  GCond changed;
  guint generation;
  gboolean flushing, stopping, failed;
  GQueue finished; /* of GstSlResult, oldest first */
  struct {
    GstSlSlotState state;
    guint generation;
    gboolean replaces; /* FILLING: `job` is still that of a frame that waited here */
    GstSlJob job;
  } slots[GST_SL_N_SLOTS];
} GstSlWorker;

void gst_sl_worker_init (GstSlWorker *worker, GstElement *element, const GstSlWorkerFuncs *funcs);
void gst_sl_worker_clear (GstSlWorker *worker);

/* --- The streaming thread's --- */

/* A slot to fill; never waits. Ends with one of the three below. GST_SL_N_SLOTS while flushing: a
 * frame that arrived before the flush would be taken for one of after it. */
guint gst_sl_worker_acquire (GstSlWorker *worker);
void gst_sl_worker_release (GstSlWorker *worker, guint slot);
/* Leaves the slot to the worker's thread, which is started if need be. *ret_replaced is set if a
 * frame that waited is passed over for this one: its number is not G_MAXUINT64 then. FALSE, with an
 * error: there is no thread to be had. */
gboolean gst_sl_worker_submit (GstSlWorker *worker, guint slot, const GstSlJob *job,
                               GstSlJob *ret_replaced, GError **error);
/* Runs the slot in this thread; nothing may be under way. Its result is the next one to take. OK,
 * ERROR (told already), or FLUSHING if a flush came meanwhile. */
GstFlowReturn gst_sl_worker_run (GstSlWorker *worker, guint slot, const GstSlJob *job);

/* Waits until nothing is under way. FALSE if a flush or a stop came instead. */
gboolean gst_sl_worker_drain (GstSlWorker *worker);

/* The oldest result that nobody took yet, a reference for the caller; NULL if there is none. */
GstSlResult *gst_sl_worker_take (GstSlWorker *worker);
/* A run beside the stream has failed. */
gboolean gst_sl_worker_failed (GstSlWorker *worker);

/* --- Any thread's --- */

/* TRUE drops what is under way and waits for nobody; FALSE is for before the flush's end goes on.
 */
void gst_sl_worker_set_flushing (GstSlWorker *worker, gboolean flushing);
/* Ends the thread. The streaming thread has to be gone. */
void gst_sl_worker_stop (GstSlWorker *worker);

G_END_DECLS
