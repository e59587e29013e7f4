/* Enumerations of slheatmap's properties. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum {
  GST_SL_HEATMAP_BLEND,
  GST_SL_HEATMAP_MAP,
  GST_SL_HEATMAP_MASK,
  GST_SL_HEATMAP_SIDE_BY_SIDE,
  GST_SL_HEATMAP_NONE
} GstSlHeatmapOutput;

#define GST_TYPE_SL_HEATMAP_METHOD (gst_sl_heatmap_method_get_type ())
#define GST_TYPE_SL_HEATMAP_OUTPUT (gst_sl_heatmap_output_get_type ())
#define GST_TYPE_SL_COLORMAP (gst_sl_colormap_get_type ())

GType gst_sl_heatmap_method_get_type (void);
GType gst_sl_heatmap_output_get_type (void);
GType gst_sl_colormap_get_type (void);

G_END_DECLS
