/* slheatmap: where in the picture a network sees the class that it names. */
#pragma once

#include "gstslclassify.h"

G_BEGIN_DECLS

#define GST_TYPE_SL_HEATMAP (gst_sl_heatmap_get_type ())
G_DECLARE_FINAL_TYPE (GstSlHeatmap, gst_sl_heatmap, GST, SL_HEATMAP, GstSlClassify)

GST_ELEMENT_REGISTER_DECLARE (slheatmap);

G_END_DECLS
