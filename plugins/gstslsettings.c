#include "gstslsettings.h"

#define DEFAULT_DEVICE "auto"
#define DEFAULT_INTERVAL 1
#define DEFAULT_LATE_POLICY GST_SL_LATE_AUTO
#define DEFAULT_ATTACH GST_SL_ATTACH_LAST
#define DEFAULT_MAX_AGE GST_SECOND
#define DEFAULT_SMOOTHING 0.0f
#define MAX_SMOOTHING 0.999f /* the past never stands alone */
#define MAX_THREADS 1024

/* From the first id on. */
enum {
  MODEL_FILE,
  LABEL_FILE,
  PREPROCESS_FILE,
  DEVICE,
  THREADS,
  INTERVAL,
  LATE_POLICY,
  ATTACH,
  MAX_AGE,
  SMOOTHING,
  RULES, /* the first of GST_SL_N_RULES */
  N_SETTINGS = RULES
};

#define GST_TYPE_SL_ATTACH (gst_sl_attach_get_type ())
static GType
gst_sl_attach_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {GST_SL_ATTACH_LAST,
       "Frames without a result of their own carry the newest one, with its age", "last"},
      {GST_SL_ATTACH_FRESH, "Only the first frame after a result carries it", "fresh"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstSlAttach", values));
  return type;
}

void
gst_sl_settings_init (GstSlSettings *self)
{
  *self = (GstSlSettings){
      .load.device = g_strdup (DEFAULT_DEVICE),
      .interval = DEFAULT_INTERVAL,
      .late_policy = DEFAULT_LATE_POLICY,
      .attach = DEFAULT_ATTACH,
      .max_age = DEFAULT_MAX_AGE,
      .smoothing = DEFAULT_SMOOTHING,
  };
}

void
gst_sl_settings_clear (GstSlSettings *self)
{
  gst_sl_load_settings_clear (&self->load);
  gst_sl_rules_clear (&self->rules);
}

GstSlLoadSettings
gst_sl_settings_copy_load (const GstSlSettings *self)
{
  return (GstSlLoadSettings){
      .model_file = g_strdup (self->load.model_file),
      .label_file = g_strdup (self->load.label_file),
      .preprocess_file = g_strdup (self->load.preprocess_file),
      .device = g_strdup (self->load.device),
      .threads = self->load.threads,
      .overrides = gst_sl_rules_list (&self->rules),
  };
}

guint
gst_sl_settings_install (GObjectClass *klass, guint first_id)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags playing =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  GParamSpec *props[N_SETTINGS] = {
      [MODEL_FILE] = g_param_spec_string (
          "model-file", "Model file",
          "ONNX file of the network (unset: that of SIGHTLINE_MODEL, else the built-in one)", NULL,
          ready),
      [LABEL_FILE] = g_param_spec_string (
          "label-file", "Label file",
          "Text file with one label a line, in the order of the outputs (unset: the model's own)",
          NULL, ready),
      [PREPROCESS_FILE] = g_param_spec_string (
          "preprocess-file", "Preprocess file",
          "Key file with preprocessing rules (unset: MODEL.onnx.ini, else the model's own)", NULL,
          ready),
      [DEVICE] = g_param_spec_string (
          "device", "Device",
          "Where the network runs: auto (a GPU, or the CPU where that does not work), cpu, vulkan, "
          "vulkan:N, part of a GPU's name, or ref (slow, double precision)",
          DEFAULT_DEVICE, ready),
      [THREADS] = g_param_spec_uint ("threads", "Threads",
                                     "Most threads that one frame uses (0: all of the device)", 0,
                                     MAX_THREADS, 0, ready),
      [INTERVAL] = g_param_spec_uint ("interval", "Interval",
                                      "Look at every n-th frame only; the others pass", 1, G_MAXINT,
                                      DEFAULT_INTERVAL, playing),
      [LATE_POLICY] = g_param_spec_enum ("late-policy", "Late policy",
                                         "What happens when the network is slower than the stream",
                                         GST_TYPE_SL_LATE_POLICY, DEFAULT_LATE_POLICY, playing),
      [ATTACH] = g_param_spec_enum ("attach", "Attach", "Which frames carry a result",
                                    GST_TYPE_SL_ATTACH, DEFAULT_ATTACH, playing),
      [MAX_AGE] = g_param_spec_uint64 (
          "max-age", "Maximum age",
          "With attach=last, carry no result of a frame that is older than this, in ns (0: any)", 0,
          G_MAXINT64, DEFAULT_MAX_AGE, playing),
      [SMOOTHING] = g_param_spec_float (
          "smoothing", "Smoothing",
          "Weight of the past in a moving average over scores (0: each frame by itself)", 0,
          MAX_SMOOTHING, DEFAULT_SMOOTHING, playing),
  };

  for (guint i = 0; i < N_SETTINGS; i++)
    g_object_class_install_property (klass, first_id + i, props[i]);
  gst_sl_rules_install (klass, first_id + RULES);
  gst_type_mark_as_plugin_api (GST_TYPE_SL_LATE_POLICY, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_SL_ATTACH, 0);
  return first_id + N_SETTINGS + GST_SL_N_RULES;
}

static void
replace_string (gchar **field, const GValue *value)
{
  const gchar *text = g_value_get_string (value);

  g_free (*field);
  *field = g_strdup (text && *text ? text : NULL);
}

gboolean
gst_sl_settings_set (GstSlSettings *self, guint index, const GValue *value)
{
  switch (index) {
  case MODEL_FILE:
    replace_string (&self->load.model_file, value);
    break;
  case LABEL_FILE:
    replace_string (&self->load.label_file, value);
    break;
  case PREPROCESS_FILE:
    replace_string (&self->load.preprocess_file, value);
    break;
  case DEVICE:
    replace_string (&self->load.device, value);
    break;
  case THREADS:
    self->load.threads = g_value_get_uint (value);
    break;
  case INTERVAL:
    self->interval = g_value_get_uint (value);
    break;
  case LATE_POLICY:
    self->late_policy = g_value_get_enum (value);
    break;
  case ATTACH:
    self->attach = g_value_get_enum (value);
    break;
  case MAX_AGE:
    self->max_age = g_value_get_uint64 (value);
    break;
  case SMOOTHING:
    self->smoothing = g_value_get_float (value);
    break;
  default:
    if (index - RULES >= GST_SL_N_RULES)
      return FALSE;
    gst_sl_rules_set (&self->rules, index - RULES, value);
  }
  return TRUE;
}

gboolean
gst_sl_settings_get (const GstSlSettings *self, guint index, GValue *ret_value)
{
  switch (index) {
  case MODEL_FILE:
    g_value_set_string (ret_value, self->load.model_file);
    break;
  case LABEL_FILE:
    g_value_set_string (ret_value, self->load.label_file);
    break;
  case PREPROCESS_FILE:
    g_value_set_string (ret_value, self->load.preprocess_file);
    break;
  case DEVICE:
    g_value_set_string (ret_value, self->load.device);
    break;
  case THREADS:
    g_value_set_uint (ret_value, self->load.threads);
    break;
  case INTERVAL:
    g_value_set_uint (ret_value, self->interval);
    break;
  case LATE_POLICY:
    g_value_set_enum (ret_value, self->late_policy);
    break;
  case ATTACH:
    g_value_set_enum (ret_value, self->attach);
    break;
  case MAX_AGE:
    g_value_set_uint64 (ret_value, self->max_age);
    break;
  case SMOOTHING:
    g_value_set_float (ret_value, self->smoothing);
    break;
  default:
    if (index - RULES >= GST_SL_N_RULES)
      return FALSE;
    gst_sl_rules_get (&self->rules, index - RULES, ret_value);
  }
  return TRUE;
}
