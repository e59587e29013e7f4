/* sloverlay: draws the labels that a frame carries. */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_SL_OVERLAY (gst_sl_overlay_get_type ())
G_DECLARE_FINAL_TYPE (GstSlOverlay, gst_sl_overlay, GST, SL_OVERLAY, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (sloverlay);

G_END_DECLS
