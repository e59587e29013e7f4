/* slclassify: the labels of a frame, by an image classification network. */
#pragma once

#include "gstslinfer.h"

G_BEGIN_DECLS

#define GST_TYPE_SL_CLASSIFY (gst_sl_classify_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstSlClassify, gst_sl_classify, GST, SL_CLASSIFY, GstSlInfer)

struct _GstSlClassifyClass {
  GstSlInferClass parent_class;

  /* Thread that runs the network: adds fields to the message about a result, which has the labels
   * already. Optional. */
  void (*extend_message) (GstSlClassify *self, const GstSlResult *result, GstStructure *message);
};

GST_ELEMENT_REGISTER_DECLARE (slclassify);

G_END_DECLS
