/* What was found in one frame: what the inference thread hands over to the stream. */
#pragma once

#include <gst/gst.h>
#include <sightline-gst/geometry-meta.h>
#include <sightline-gst/label-meta.h>

G_BEGIN_DECLS

/* The frame that was looked at. */
typedef struct GstSlInferFrame {
  guint64 number;                                        /* buffers before it since stream start */
  GstClockTime pts, duration, stream_time, running_time; /* NONE where the buffer had none */
  gint width, height;                                    /* of the caps, pixels */
  /* Where the network's input lies on it: sl_classifier_get_placement(). */
  gdouble placement[6];
} GstSlInferFrame;

/* Reference-counted; once described, nobody changes it, so any thread may read it. */
typedef struct GstSlResult {
  gint refs;
  GstSlInferFrame frame;
  guint64 delay; /* buffers that had come after the frame when the result was ready */
  gchar *model;  /* SHA-256 of the model file */
  guint n_labels;
  SlLabel *labels; /* best first, texts owned, as those of what follows */
  guint n_boxes;
  SlBox *boxes;
  SlHeatGrid grid;
} GstSlResult;

/* Empty, but for frame and model, which are copied. */
GstSlResult *gst_sl_result_new (const GstSlInferFrame *frame, const gchar *model);
GstSlResult *gst_sl_result_ref (GstSlResult *result);
void gst_sl_result_unref (GstSlResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstSlResult, gst_sl_result_unref)

G_END_DECLS
