#include "gstslmodelinfo.h"

static const gchar *
name_color (const SlPreprocess *rules)
{
  if (rules->channels == 1)
    return "gray";
  return rules->order == SL_ORDER_BGR ? "bgr" : "rgb";
}

static const gchar *
name_resize (const SlPreprocess *rules)
{
  switch (rules->resize) {
  case SL_RESIZE_CROP:
    return "crop";
  case SL_RESIZE_LETTERBOX:
    return "letterbox";
  case SL_RESIZE_STRETCH:
  default:
    return "stretch";
  }
}

static void
set_numbers (GstStructure *info, const gchar *field, const float *values, guint n)
{
  GValue array = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  for (guint i = 0; i < n; i++) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, G_TYPE_DOUBLE);
    g_value_set_double (&value, values[i]);
    gst_value_array_append_and_take_value (&array, &value);
  }
  gst_structure_take_value (info, field, &array);
}

GstStructure *
gst_sl_model_info_new (const GstSlLoaded *loaded)
{
  const SlModelRules *rules = loaded->rules;
  const SlPreprocess *input = &rules->preprocess;
  SlProgram *program = sl_classifier_get_program (loaded->classifier);
  GstStructure *info = gst_structure_new (
      "model-info", "path", G_TYPE_STRING, sl_model_get_name (loaded->model), "hash", G_TYPE_STRING,
      sl_model_get_hash (loaded->model), "device", G_TYPE_STRING,
      sl_program_get_device (program)->id, "parameters", G_TYPE_UINT64,
      sl_model_get_n_parameters (loaded->model), "labels", G_TYPE_UINT, (guint)rules->n_labels,
      "width", G_TYPE_UINT, (guint)input->width, "height", G_TYPE_UINT, (guint)input->height,
      "channels", G_TYPE_UINT, (guint)input->channels, "color", G_TYPE_STRING, name_color (input),
      "scale", G_TYPE_DOUBLE, (gdouble)input->scale, "resize", G_TYPE_STRING, name_resize (input),
      "resize-size", G_TYPE_UINT, (guint)input->resize_size, "softmax", G_TYPE_BOOLEAN,
      rules->apply_softmax, "rules-from", G_TYPE_STRING, rules->source, NULL);

  set_numbers (info, "mean", input->mean, input->channels);
  set_numbers (info, "std", input->std, input->channels);
  if (rules->assumed)
    gst_structure_set (info, "assumed", G_TYPE_STRING, rules->assumed, NULL);
  return info;
}
