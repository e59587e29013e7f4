/* slclassify: the labels of a frame, by an image classification network. */
#pragma once

#include "gstslinfer.h"

G_BEGIN_DECLS

#define GST_TYPE_SL_CLASSIFY (gst_sl_classify_get_type ())
G_DECLARE_FINAL_TYPE (GstSlClassify, gst_sl_classify, GST, SL_CLASSIFY, GstSlInfer)

GST_ELEMENT_REGISTER_DECLARE (slclassify);

G_END_DECLS
