/**
 * SECTION:element-slclassify
 * @title: slclassify
 *
 * Runs an image classification network on the frames that pass through and says what is in them: as
 * #SlLabelMeta on the buffer (which sloverlay draws), and as element messages on the bus.
 *
 * Frames of any raw format and size are taken as they are; nothing has to be converted or scaled
 * before. Their memory is neither changed nor copied.
 *
 * ## Launch lines
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=30 ! slclassify model-file=scenes.onnx ! fakesink
 * ]| prints the labels of each frame.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 \
 *   ! slclassify model-file=scenes.onnx interval=5 post-messages=false \
 *   ! sloverlay ! videoconvert ! autovideosink
 * ]| shows them in the picture.
 *
 * ## Message
 * With #slclassify:post-messages on, each result is posted as an element message whose structure is
 * named `slclassify`: #guint64 `timestamp`, `stream-time`, `running-time` and `duration`
 * (nanoseconds), #guint64 `frame` (its number in the stream), #gchararray `model` (SHA-256 of the
 * file), and #GstValueList `labels`, best first, of structures named `label` with #guint `index`,
 * #gchararray `label` and #gfloat `score`.
 *
 * Since: 0.1
 */
#include "gstslclassify.h"

#include <sightline-gst/label-meta.h>

#define DEFAULT_TOP_K 5
#define DEFAULT_THRESHOLD 0.0f
#define DEFAULT_POST_MESSAGES TRUE
#define MAX_TOP_K 1000

enum { PROP_0, PROP_TOP_K, PROP_THRESHOLD, PROP_POST_MESSAGES, N_PROPS };

struct _GstSlClassify {
  GstSlInfer parent;

  /* Under the object lock. */
  guint top_k;
  gfloat threshold;
  gboolean post_messages;

  SlClassScore best[MAX_TOP_K]; /* the streaming thread's */
};

G_DEFINE_TYPE (GstSlClassify, gst_sl_classify, GST_TYPE_SL_INFER)
GST_ELEMENT_REGISTER_DEFINE (slclassify, "slclassify", GST_RANK_NONE, GST_TYPE_SL_CLASSIFY)

static SlLabelMeta *
attach_labels (GstSlClassify *self, GstBuffer *buffer, const GstSlInferResult *result, guint n)
{
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (self));
  SlLabelMeta *meta = sl_buffer_add_label_meta (buffer, name, sl_model_get_hash (result->model));

  meta->frame = result->frame;
  meta->pts = GST_BUFFER_PTS (buffer);
  meta->fresh = TRUE;
  for (guint i = 0; i < n; i++) {
    guint index = self->best[i].index;

    if (result->rules->labels) {
      sl_label_meta_append (meta, index, self->best[i].score, result->rules->labels[index]);
    } else {
      g_autofree gchar *number = g_strdup_printf ("%u", index);

      sl_label_meta_append (meta, index, self->best[i].score, number);
    }
  }
  return meta;
}

static void
take_label_list (GstStructure *structure, const SlLabelMeta *meta)
{
  GValue list = G_VALUE_INIT;

  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; i < meta->n_labels; i++) {
    const SlLabel *label = &meta->labels[i];
    GValue item = G_VALUE_INIT;

    g_value_init (&item, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&item, gst_structure_new ("label", "index", G_TYPE_UINT, label->index,
                                                  "label", G_TYPE_STRING, label->label, "score",
                                                  G_TYPE_FLOAT, label->score, NULL));
    gst_value_list_append_and_take_value (&list, &item);
  }
  gst_structure_take_value (structure, "labels", &list);
}

static void
post_labels (GstSlClassify *self, GstBuffer *buffer, const SlLabelMeta *meta)
{
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  guint64 stream_time = GST_CLOCK_TIME_NONE, running_time = GST_CLOCK_TIME_NONE;
  GstStructure *structure;

  if (segment->format == GST_FORMAT_TIME) {
    stream_time = gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts);
    running_time = gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
  }
  structure =
      gst_structure_new ("slclassify", "timestamp", G_TYPE_UINT64, pts, "stream-time",
                         G_TYPE_UINT64, stream_time, "running-time", G_TYPE_UINT64, running_time,
                         "duration", G_TYPE_UINT64, GST_BUFFER_DURATION (buffer), "frame",
                         G_TYPE_UINT64, meta->frame, "model", G_TYPE_STRING, meta->model, NULL);
  take_label_list (structure, meta);
  gst_element_post_message (GST_ELEMENT (self),
                            gst_message_new_element (GST_OBJECT (self), structure));
}

static GstFlowReturn
gst_sl_classify_result (GstSlInfer *infer, GstBuffer *buffer, const GstSlInferResult *result)
{
  GstSlClassify *self = GST_SL_CLASSIFY (infer);
  const SlLabelMeta *meta;
  gboolean post;
  guint top_k, n;
  gfloat threshold;

  GST_OBJECT_LOCK (self);
  top_k = self->top_k;
  threshold = self->threshold;
  post = self->post_messages;
  GST_OBJECT_UNLOCK (self);

  n = sl_top_k (result->scores, result->n_scores, top_k, threshold, FALSE, self->best);
  meta = attach_labels (self, buffer, result, n);
  if (post)
    post_labels (self, buffer, meta);
  return GST_FLOW_OK;
}

static void
gst_sl_classify_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSlClassify *self = GST_SL_CLASSIFY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_TOP_K:
    self->top_k = g_value_get_uint (value);
    break;
  case PROP_THRESHOLD:
    self->threshold = g_value_get_float (value);
    break;
  case PROP_POST_MESSAGES:
    self->post_messages = g_value_get_boolean (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_sl_classify_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSlClassify *self = GST_SL_CLASSIFY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_TOP_K:
    g_value_set_uint (value, self->top_k);
    break;
  case PROP_THRESHOLD:
    g_value_set_float (value, self->threshold);
    break;
  case PROP_POST_MESSAGES:
    g_value_set_boolean (value, self->post_messages);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_sl_classify_class_init (GstSlClassifyClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamSpec *props[N_PROPS] = {
      [PROP_TOP_K] = g_param_spec_uint ("top-k", "Top k", "Most labels that a result holds", 1,
                                        MAX_TOP_K, DEFAULT_TOP_K, flags),
      [PROP_THRESHOLD] = g_param_spec_float ("threshold", "Threshold",
                                             "Labels with a lower score are left out of a result",
                                             0, 1, DEFAULT_THRESHOLD, flags),
      [PROP_POST_MESSAGES] = g_param_spec_boolean ("post-messages", "Post messages",
                                                   "Post an element message for each result",
                                                   DEFAULT_POST_MESSAGES, flags),
  };

  object_class->set_property = gst_sl_classify_set_property;
  object_class->get_property = gst_sl_classify_get_property;
  g_object_class_install_properties (object_class, N_PROPS, props);

  GST_SL_INFER_CLASS (klass)->result = gst_sl_classify_result;

  gst_element_class_set_static_metadata (
      GST_ELEMENT_CLASS (klass), "Sightline image classifier", "Filter/Analyzer/Video",
      "Labels frames with an image classification network (ONNX), on the frame and on the bus",
      "The Sightline developers");
  gst_element_class_add_static_metadata (GST_ELEMENT_CLASS (klass), "example",
                                         "gst-launch-1.0 -m videotestsrc num-buffers=30 ! "
                                         "slclassify model-file=scenes.onnx ! fakesink");
}

static void
gst_sl_classify_init (GstSlClassify *self)
{
  self->top_k = DEFAULT_TOP_K;
  self->threshold = DEFAULT_THRESHOLD;
  self->post_messages = DEFAULT_POST_MESSAGES;
}
