/* Properties that overrule a model's own preprocessing rules: named as the keys of a side file, and
 * handed to its reader when the model is loaded. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define GST_SL_N_RULES 7

/* Adds them, with ids from `first_id` on. */
void gst_sl_rules_install (GObjectClass *klass, guint first_id);

/* The values, as a side file writes them; NULL: not set. Zero-initialise. */
typedef struct GstSlRules {
  gchar *values[GST_SL_N_RULES];
} GstSlRules;

/* `index` counts from the first property. */
void gst_sl_rules_set (GstSlRules *rules, guint index, const GValue *value);
void gst_sl_rules_get (const GstSlRules *rules, guint index, GValue *ret_value);
void gst_sl_rules_clear (GstSlRules *rules);

/* What is set, as "key=value"; NULL-ended, free with g_strfreev(). */
gchar **gst_sl_rules_list (const GstSlRules *rules);

G_END_DECLS
