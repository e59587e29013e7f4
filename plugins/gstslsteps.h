/* The tracer `slsteps`: how long each step of each network takes, frame by frame. See
 * plugins/README.md for its record. */
#pragma once

#define GST_USE_UNSTABLE_API
#include <gst/gst.h>
#include <gst/gsttracer.h>
#include <sightline/sightline.h>

G_BEGIN_DECLS

#define GST_TYPE_SL_STEPS (gst_sl_steps_get_type ())
G_DECLARE_FINAL_TYPE (GstSlSteps, gst_sl_steps, GST, SL_STEPS, GstTracer)

/* TRUE if somebody traces: steps are to be timed, which costs a GPU a barrier behind each. */
gboolean gst_sl_steps_is_active (void);

/* Logs the nanoseconds of each step of `program` on the frame of that number. Any thread. */
void gst_sl_steps_log (GstElement *element, SlProgram *program, guint64 frame, const guint64 *ns);

G_END_DECLS
