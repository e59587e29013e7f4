/* Base of the elements that look at video frames with a network: loads it, runs it on frames as
 * `interval` and `late-policy` say, and passes every frame on. It maps frames for reading only, so
 * their memory goes through untouched and uncopied, whoever else holds it.
 *
 * Three threads call the virtual functions: the loading thread, the streaming thread, and the one
 * that runs the network, which is a thread of the element's own or the streaming thread, but never
 * two at once. A subclass guards with the object lock what it shares between them and with its
 * properties. */
#pragma once

#include "gstslresult.h"

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>
#include <sightline-gst/classifier.h>

G_BEGIN_DECLS

#define GST_TYPE_SL_INFER (gst_sl_infer_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstSlInfer, gst_sl_infer, GST, SL_INFER, GstBaseTransform)

/* What the network says about one frame. All of it is the base's and valid during the call. */
typedef struct GstSlInferOutput {
  const float *scores; /* n_scores of them, smoothed; probabilities where the rules make them so */
  uint32_t n_scores;
  SlModel *model;
  const SlModelRules *rules; /* labels, if there are any, are n_scores */
  SlClassifier *classifier;  /* for sl_classifier_get_tap (), with the slot */
  uint32_t slot;
  /* For what a subclass averages over results itself: the weight of the past, and a number that is
   * another one where the past no longer counts. */
  gfloat smoothing;
  guint epoch;
} GstSlInferOutput;

struct _GstSlInferClass {
  GstBaseTransformClass parent_class;

  /* Loading thread: the model is known, nothing is compiled yet. May set options->taps, which have
   * to stay until release. FALSE with an error: the model is of no use to this element. Optional.
   */
  gboolean (*prepare) (GstSlInfer *self, SlModel *model, SlClassifierOptions *options,
                       GError **error);
  /* State change to READY: nothing runs any more, what prepare made can go. Called once for each
   * start, whether prepare was called or not. Optional. */
  void (*release) (GstSlInfer *self);
  /* Streaming thread: whether a frame that is due is to be looked at at all. Optional. */
  gboolean (*wants) (GstSlInfer *self, GstBuffer *buffer);
  /* Thread that runs the network: fills `result`, whose frame and model are there. FALSE with an
   * error ends the stream. Chain up. */
  gboolean (*describe) (GstSlInfer *self, const GstSlInferOutput *output, GstSlResult *result,
                        GError **error);
  /* Streaming thread: puts the result on a buffer, which is writable (its memory may not be), `age`
   * frames after the one that it was found in; `fresh` on the first that carries it. The buffer may
   * be empty: a GAP, or one that stands for all that no frame carried. Chain up. */
  void (*attach) (GstSlInfer *self, GstBuffer *buffer, const GstSlResult *result, guint64 age,
                  gboolean fresh);
  /* Thread that runs the network: posts messages about a result; once a result, in stream order,
   * and never after a flush for one from before. Chain up. */
  void (*announce) (GstSlInfer *self, const GstSlResult *result);
  /* Streaming thread: the last change to a buffer before it goes on; may replace it. Anything but
   * GST_FLOW_OK ends the stream. Optional. */
  GstFlowReturn (*present) (GstSlInfer *self, GstBuffer **buffer);
};

/* Streaming thread: the format of the frames that arrive; NULL before there are caps. */
const GstVideoInfo *gst_sl_infer_get_video_info (GstSlInfer *self);

/* For tests: `hook` is called by whoever is about to run the network, in that thread and within the
 * time that is measured; it may wait there, in the place of a slow network. Set before the element
 * leaves READY. */
void gst_sl_infer_set_run_hook (GstSlInfer *self, void (*hook) (gpointer data), gpointer data);

G_END_DECLS
