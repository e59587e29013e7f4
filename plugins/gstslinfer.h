/* Base of the elements that look at video frames with a network: loads it, runs it on every n-th
 * frame, and passes every frame on. It maps frames for reading only, so their memory goes through
 * untouched and uncopied, whoever else holds it. */
#pragma once

#include <gst/base/gstbasetransform.h>
#include <sightline/sightline.h>

G_BEGIN_DECLS

#define GST_TYPE_SL_INFER (gst_sl_infer_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstSlInfer, gst_sl_infer, GST, SL_INFER, GstBaseTransform)

/* What the network says about one frame. All of it is the base's and valid during the call. */
typedef struct GstSlInferResult {
  const float *scores; /* n_scores of them, probabilities where the rules make them so */
  uint32_t n_scores;
  SlModel *model;
  const SlModelRules *rules; /* labels, if there are any, are n_scores */
  guint64 frame;             /* buffers since stream start, this one is not counted */
} GstSlInferResult;

struct _GstSlInferClass {
  GstBaseTransformClass parent_class;

  /* Attaches what the element makes of a result to `buffer`, which is writable, though its memory
   * may not be. Called in the streaming thread. Anything but GST_FLOW_OK ends the stream; the
   * element has posted the error then. */
  GstFlowReturn (*result) (GstSlInfer *self, GstBuffer *buffer, const GstSlInferResult *result);
};

G_END_DECLS
