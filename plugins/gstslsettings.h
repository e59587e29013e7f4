/* The properties that all elements with a network share, and their values. */
#pragma once

#include "gstsllate.h"
#include "gstslloader.h"
#include "gstslrules.h"

G_BEGIN_DECLS

typedef enum {
  GST_SL_ATTACH_LAST, /* frames without a result of their own carry the newest one */
  GST_SL_ATTACH_FRESH /* each result is on one frame */
} GstSlAttach;

/* Named as the properties. Zero is not the default of all: see gst_sl_settings_init(). */
typedef struct GstSlSettings {
  GstSlLoadSettings load; /* `overrides` stays NULL: `rules` has them */
  GstSlRules rules;
  guint interval;
  GstSlLatePolicy late_policy;
  GstSlAttach attach;
  GstClockTime max_age; /* 0: no limit */
  gfloat smoothing;
} GstSlSettings;

void gst_sl_settings_init (GstSlSettings *settings);
void gst_sl_settings_clear (GstSlSettings *settings);

/* Adds the properties, with ids from `first_id` on; the next free id. */
guint gst_sl_settings_install (GObjectClass *klass, guint first_id);

/* `index` counts from the first property. FALSE: there is no such property. */
gboolean gst_sl_settings_set (GstSlSettings *settings, guint index, const GValue *value);
gboolean gst_sl_settings_get (const GstSlSettings *settings, guint index, GValue *ret_value);

/* What the loader is to know, for it to keep. */
GstSlLoadSettings gst_sl_settings_copy_load (const GstSlSettings *settings);

G_END_DECLS
