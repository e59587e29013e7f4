#include "gstslheattypes.h"

#include <sightline/explain.h>
#include <sightline/heat.h>

/* The engine's methods, by its names. */
GType
gst_sl_heatmap_method_get_type (void)
{
  static GType type;
  static GEnumValue values[SL_EXPLAIN_METHOD_COUNT + 1];

  if (g_once_init_enter (&type)) {
    for (gint i = 0; i < SL_EXPLAIN_METHOD_COUNT; i++)
      values[i] = (GEnumValue){i, sl_explain_method_get_help ((SlExplainMethod)i),
                               sl_explain_method_get_name ((SlExplainMethod)i)};
    g_once_init_leave (&type, g_enum_register_static ("GstSlHeatmapMethod", values));
  }
  return type;
}

GType
gst_sl_heatmap_output_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {GST_SL_HEATMAP_BLEND, "The map over the picture", "blend"},
      {GST_SL_HEATMAP_MAP, "The map alone", "map"},
      {GST_SL_HEATMAP_MASK, "White where heat reaches box-threshold, else black", "mask"},
      {GST_SL_HEATMAP_SIDE_BY_SIDE, "The picture, and to its right the picture with the map",
       "side-by-side"},
      {GST_SL_HEATMAP_NONE, "The picture as it came; the map is in its metadata only", "none"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstSlHeatmapOutput", values));
  return type;
}

GType
gst_sl_colormap_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {SL_COLORMAP_VIRIDIS, "Viridis: blue, green, yellow; even for all eyes", "viridis"},
      {SL_COLORMAP_TURBO, "Turbo: a smooth rainbow", "turbo"},
      {SL_COLORMAP_INFERNO, "Inferno: black, red, yellow", "inferno"},
      {SL_COLORMAP_JET, "Jet: the rainbow of older papers", "jet"},
      {SL_COLORMAP_GREY, "Black to white", "grey"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstSlColormap", values));
  return type;
}
