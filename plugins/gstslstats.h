/* What an element has done since its start, for the property `stats`. */
#pragma once

#include "gstsllate.h"

G_BEGIN_DECLS

/* Zero-initialise; guard with the object lock. */
typedef struct GstSlStats {
  guint64 frames;   /* buffers that arrived */
  guint64 inferred; /* frames that the network ran on */
  guint64 skipped;  /* frames whose turn it was, but which came too late */
  guint64 errors;
  const gchar *copy_path; /* how the last frame came to the network; NULL: there was none */
  GstClockTime time_last, time_min, time_max, time_sum; /* of sampling and network */
  guint64 age_last, age_max;                            /* of results on buffers, in frames */
} GstSlStats;

void gst_sl_stats_add_run (GstSlStats *stats, GstClockTime time);
void gst_sl_stats_add_age (GstSlStats *stats, guint64 age);

/* A new structure "stats"; see plugins/README.md for its fields. */
GstStructure *gst_sl_stats_describe (const GstSlStats *stats, GstClockTime latency,
                                     GstSlLatePolicy policy);

G_END_DECLS
