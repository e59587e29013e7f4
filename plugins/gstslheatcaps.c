#include "gstslheatcaps.h"

/* A width, twice as large or half as large: a number, a range, or a list of them. FALSE if there is
 * no such. */
static gboolean
scale_width (const GValue *width, gboolean twice, GValue *ret)
{
  if (G_VALUE_HOLDS_INT (width)) {
    gint value = g_value_get_int (width);

    if (twice ? value > G_MAXINT / 2 : value % 2 != 0)
      return FALSE;
    g_value_init (ret, G_TYPE_INT);
    g_value_set_int (ret, twice ? 2 * value : value / 2);
    return TRUE;
  }
  if (GST_VALUE_HOLDS_INT_RANGE (width)) {
    gint low = gst_value_get_int_range_min (width), high = gst_value_get_int_range_max (width);

    low = twice ? 2 * MIN (low, G_MAXINT / 2) : (low + (low & 1)) / 2;
    high = twice ? 2 * MIN (high, G_MAXINT / 2) : high / 2;
    low = MAX (low, 1);
    if (low > high)
      return FALSE;
    if (low == high) {
      g_value_init (ret, G_TYPE_INT);
      g_value_set_int (ret, low);
      return TRUE;
    }
    g_value_init (ret, GST_TYPE_INT_RANGE);
    if (twice)
      gst_value_set_int_range_step (ret, low + (low & 1), high, 2);
    else
      gst_value_set_int_range (ret, low, high);
    return TRUE;
  }
  if (GST_VALUE_HOLDS_LIST (width)) {
    g_value_init (ret, GST_TYPE_LIST);
    for (guint i = 0; i < gst_value_list_get_size (width); i++) {
      GValue item = G_VALUE_INIT;

      if (scale_width (gst_value_list_get_value (width, i), twice, &item))
        gst_value_list_append_and_take_value (ret, &item);
    }
    if (gst_value_list_get_size (ret) > 0)
      return TRUE;
    g_value_unset (ret);
  }
  return FALSE;
}

GstCaps *
gst_sl_heat_caps_scale (GstCaps *caps, gboolean twice)
{
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *structure = gst_structure_copy (gst_caps_get_structure (caps, i));
    const GValue *width = gst_structure_get_value (structure, "width");
    GValue scaled = G_VALUE_INIT;

    if (width && !scale_width (width, twice, &scaled)) {
      gst_structure_free (structure);
      continue;
    }
    if (width)
      gst_structure_take_value (structure, "width", &scaled);
    gst_caps_append_structure_full (result, structure,
                                    gst_caps_features_copy (gst_caps_get_features (caps, i)));
  }
  return result;
}
