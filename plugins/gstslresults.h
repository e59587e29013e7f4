/* slresults: writes what frames carry to a file. */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_SL_RESULTS (gst_sl_results_get_type ())
G_DECLARE_FINAL_TYPE (GstSlResults, gst_sl_results, GST, SL_RESULTS, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (slresults);

G_END_DECLS
