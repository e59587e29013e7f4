#include "gstslrules.h"

#include <gst/gst.h>

/* Value 0 of each enum: the model and its files decide. */
static const GEnumValue colors[] = {
    {0, "What the model says", "auto"},
    {1, "Red, green, blue", "rgb"},
    {2, "Blue, green, red", "bgr"},
    {3, "Brightness", "gray"},
    {0, NULL, NULL},
};
static const GEnumValue resizes[] = {
    {0, "What the model says", "auto"},
    {1, "Each side by itself", "stretch"},
    {2, "Short side to resize-size, then the middle cut out", "crop"},
    {3, "As large as fits, padded", "letterbox"},
    {0, NULL, NULL},
};
static const GEnumValue outputs[] = {
    {0, "What the model says", "auto"},
    {1, "Scores as they are", "probabilities"},
    {2, "A softmax makes scores of them", "logits"},
    {0, NULL, NULL},
};

static const struct {
  const gchar *name, *nick, *blurb;
  const gchar *enum_name; /* else a string */
  const GEnumValue *enum_values;
  gint max; /* instead: an unsigned number up to this, 0 for not set */
} rule_props[GST_SL_N_RULES] = {
    {"color", "Colour order", "Order of the network's input channels", "GstSlColor", colors, 0},
    {"range", "Range",
     "What pixel values become before mean and std: 0..1, 0..255 or -1..1 (unset: what the model "
     "says)",
     NULL, NULL, 0},
    {"mean", "Mean",
     "Subtracted from the ranged value: a number, or one a channel: a,b,c (unset: what the model "
     "says)",
     NULL, NULL, 0},
    {"std", "Standard deviation",
     "The difference is divided by it: a number, or one a channel: a,b,c (unset: what the model "
     "says)",
     NULL, NULL, 0},
    {"resize", "Resize rule", "How a frame fills the network's input", "GstSlResize", resizes, 0},
    {"resize-size", "Resize size",
     "With resize=crop, the short side before the cut in pixels (0: what the model says)", NULL,
     NULL, 32768},
    {"output", "Output", "What the network's output is", "GstSlOutput", outputs, 0},
};

static GParamSpec *
make_pspec (guint i)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const gchar *name = rule_props[i].name, *nick = rule_props[i].nick, *blurb = rule_props[i].blurb;

  if (rule_props[i].enum_name) {
    GType type = g_enum_register_static (rule_props[i].enum_name, rule_props[i].enum_values);

    gst_type_mark_as_plugin_api (type, 0);
    return g_param_spec_enum (name, nick, blurb, type, 0, flags);
  }
  if (rule_props[i].max)
    return g_param_spec_uint (name, nick, blurb, 0, rule_props[i].max, 0, flags);
  return g_param_spec_string (name, nick, blurb, NULL, flags);
}

void
gst_sl_rules_install (GObjectClass *klass, guint first_id)
{
  for (guint i = 0; i < GST_SL_N_RULES; i++)
    g_object_class_install_property (klass, first_id + i, make_pspec (i));
}

void
gst_sl_rules_set (GstSlRules *rules, guint index, const GValue *value)
{
  gchar *text = NULL;

  if (rule_props[index].enum_values) {
    gint chosen = g_value_get_enum (value);

    if (chosen > 0)
      text = g_strdup (rule_props[index].enum_values[chosen].value_nick);
  } else if (rule_props[index].max) {
    if (g_value_get_uint (value) > 0)
      text = g_strdup_printf ("%u", g_value_get_uint (value));
  } else if (g_value_get_string (value) && *g_value_get_string (value)) {
    text = g_value_dup_string (value);
  }
  g_free (rules->values[index]);
  rules->values[index] = text;
}

void
gst_sl_rules_get (const GstSlRules *rules, guint index, GValue *ret_value)
{
  const GEnumValue *choices = rule_props[index].enum_values;
  const gchar *text = rules->values[index];

  if (choices) {
    gint chosen = 0;

    for (gint i = 1; text && choices[i].value_nick; i++)
      if (g_str_equal (choices[i].value_nick, text))
        chosen = i;
    g_value_set_enum (ret_value, chosen);
  } else if (rule_props[index].max) {
    g_value_set_uint (ret_value, text ? g_ascii_strtoull (text, NULL, 10) : 0);
  } else {
    g_value_set_string (ret_value, text);
  }
}

void
gst_sl_rules_clear (GstSlRules *rules)
{
  for (guint i = 0; i < GST_SL_N_RULES; i++)
    g_clear_pointer (&rules->values[i], g_free);
}

gchar **
gst_sl_rules_list (const GstSlRules *rules)
{
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < GST_SL_N_RULES; i++)
    if (rules->values[i])
      g_ptr_array_add (list, g_strdup_printf ("%s=%s", rule_props[i].name, rules->values[i]));
  g_ptr_array_add (list, NULL);
  return (gchar **)g_ptr_array_free (list, FALSE);
}
