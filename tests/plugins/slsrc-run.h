/* slsrc in a pipeline of its own, whose output is checked frame by frame. */
#pragma once

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>

typedef struct Run {
  GstElement *pipeline, *src;
  GstAppSink *sink;
  GstBus *bus;
  GstStructure *info; /* of the last status message; NULL: none yet */

  GMutex lock; /* of what follows */
  guint stream_starts, segments, caps_events;
  GstClockTime last; /* timestamp */
  gboolean went_back;
} Run;

/* `slsrc location=… PROPERTIES ! DOWNSTREAM appsink` in PLAYING; `downstream` is "" or ends with
 * "!". */
Run *run_new (const gchar *location, const gchar *properties, const gchar *downstream);
/* The same with a consumer that is never late: what is not pulled in time is dropped. */
Run *run_new_live (const gchar *location, const gchar *properties, const gchar *downstream);
/* The same, in NULL. */
Run *run_prepare (const gchar *location, const gchar *properties, const gchar *downstream);
void run_free (Run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Run, run_free)

/* Waits for the next status message that says so; errors fail the test. Returns the message's
 * structure, the run's. */
const GstStructure *run_wait_status (Run *run, const gchar *status);
guint64 run_get_count (const GstStructure *info, const gchar *field);

/* Waits for an error message of slsrc itself, and checks it. */
void run_expect_error (Run *run, GQuark domain, gint code, const gchar *part);

/* Waits for the next frame; fails at an end of stream. */
GstSample *run_pull (Run *run);
/* Pulls until the luma (0 … 255) of a frame's upper left corner is within `tolerance` of `luma`;
 * returns that frame. */
GstSample *run_pull_until (Run *run, guint luma, guint tolerance);
/* That luma. Formats whose first plane or packed pixel begins with luma, and GRAY8. */
guint run_get_luma (GstSample *sample);
/* Luma of the card's ground. */
#define CARD_LUMA 45
#define LUMA_TOLERANCE 12

/* One stream, one segment, and no frame went back in time. */
void run_check_order (Run *run);
