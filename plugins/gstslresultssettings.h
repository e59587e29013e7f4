/* The properties of slresults but for its statistics. */
#pragma once

#include "gstsloutput.h"

#include <sightline-gst/results.h>

#define GST_SL_FORMAT_AUTO -1 /* beside SlResultFormat */

typedef struct {
  gchar *location, *source, *producer; /* NULL: unset */
  gint fd;                             /* -1: unset */
  gint format;
  GstSlExisting existing;
  gboolean every_frame, wall_clock, wait_for_reader, continue_on_error;
  guint top_k, max_bytes;
  GstClockTime drain_timeout;
  SlTimelineOptions timeline;
} GstSlResultsSettings;

void gst_sl_results_settings_init (GstSlResultsSettings *settings);
void gst_sl_results_settings_clear (GstSlResultsSettings *settings);

/* Installs the properties, from the id `first` on. Returns the first id that is free. */
guint gst_sl_results_settings_install (GObjectClass *klass, guint first);

/* The property with the id first + `which`. FALSE: it is not one of these. */
gboolean gst_sl_results_settings_set (GstSlResultsSettings *settings, guint which,
                                      const GValue *value);
gboolean gst_sl_results_settings_get (const GstSlResultsSettings *settings, guint which,
                                      GValue *value);
