/* From a location to raw video: a bin that opens it once. It never fails a state change and never
 * holds one up; what goes wrong it tells its owner instead of the bus. */
#pragma once

#include "gstslsrclocation.h"

#include <gst/gst.h>

typedef struct GstSlSrcChainSettings {
  const GstSlSrcLocation *location; /* outlives the chain */
  gboolean live;                    /* HTTP is read as it comes, stamped with its arrival */
  gboolean upright;                 /* pictures are turned as their orientation tag says */
  GstClockTime latency;             /* of the buffer against jitter */
  const GstCaps *allowed;           /* that downstream takes */

  /* Both in any thread, `failed` as often as elements complain; the error's text names no user and
   * no password. */
  void (*failed) (GstElement *chain, const GError *error, const gchar *debug, gpointer data);
  void (*source_setup) (GstElement *source, gpointer data);
  gpointer data, setup_data;
} GstSlSrcChainSettings;

/* Returns a floating bin with one pad, `src`. Errors: GST_RESOURCE_ERROR or GST_CORE_ERROR. May
 * probe devices. */
GstElement *gst_sl_src_chain_new (const GstSlSrcChainSettings *settings, GError **error);
