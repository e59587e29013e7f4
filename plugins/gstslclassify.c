/**
 * SECTION:element-slclassify
 * @title: slclassify
 *
 * Runs an image classification network on the frames that pass through and says what is in them: as
 * #SlLabelMeta on the buffer (which sloverlay draws), and as element messages on the bus.
 *
 * Frames of any raw format and size are taken as they are; nothing has to be converted, scaled or
 * turned before. Their memory is neither changed nor copied. Without #GstSlInfer:model-file a small
 * network that is built in runs.
 *
 * From a file every frame is waited for. Live video is never delayed: the network runs beside the
 * stream on the newest frame, and frames carry the newest result that there is, with its age.
 * #GstSlInfer:late-policy changes that.
 *
 * ## Launch lines
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=30 ! slclassify model-file=scenes.onnx ! fakesink
 * ]| prints the labels of each frame.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 \
 *   ! slclassify interval=5 post-messages=false \
 *   ! sloverlay ! videoconvert ! autovideosink
 * ]| shows them in the picture, by the built-in network.
 * |[
 * gst-launch-1.0 -m videotestsrc is-live=true num-buffers=30 \
 *   ! slclassify model-file=scenes.onnx late-policy=skip attach=fresh ! fakesink
 * ]| looks at as many frames as the network can, each of which carries its own labels.
 *
 * ## Message
 * With #slclassify:post-messages on, each result is posted as an element message whose structure is
 * named `slclassify`: #guint64 `timestamp`, `stream-time`, `running-time` and `duration`
 * (nanoseconds), #guint64 `frame` (its number in the stream) and `age` (frames that had come after
 * it when the result was ready), #gchararray `model` (SHA-256 of the file), and #GstValueList
 * `labels`, best first, of structures named `label` with #guint `index`, #gchararray `label` and
 * #gfloat `score`.
 *
 * Since: 0.1
 */
#include "gstslclassify.h"

#include <sightline-gst/analytics.h>

#define DEFAULT_TOP_K 5
#define DEFAULT_THRESHOLD 0.0f
#define DEFAULT_POST_MESSAGES TRUE
#define MAX_TOP_K 1000

enum { PROP_0, PROP_TOP_K, PROP_THRESHOLD, PROP_POST_MESSAGES, N_PROPS };

typedef struct {
  /* Under the object lock. */
  guint top_k;
  gfloat threshold;
  gboolean post_messages;

  SlClassScore best[MAX_TOP_K]; /* of the thread that runs the network */
} GstSlClassifyPrivate;

/* Presets name what a use of the element needs; those that come with it are in presets/. */
G_DEFINE_TYPE_WITH_CODE (GstSlClassify, gst_sl_classify, GST_TYPE_SL_INFER,
                         G_ADD_PRIVATE (GstSlClassify)
                             G_IMPLEMENT_INTERFACE (GST_TYPE_PRESET, NULL))
GST_ELEMENT_REGISTER_DEFINE (slclassify, "slclassify", GST_RANK_NONE, GST_TYPE_SL_CLASSIFY)

#define PRIVATE(self) ((GstSlClassifyPrivate *)gst_sl_classify_get_instance_private (self))

/* --- Results --- */

static gboolean
gst_sl_classify_describe (GstSlInfer *infer, const GstSlInferOutput *output, GstSlResult *result,
                          GError **error)
{
  GstSlClassifyPrivate *priv = PRIVATE (GST_SL_CLASSIFY (infer));
  gchar **texts = output->rules->labels;
  gfloat threshold;
  guint top_k;

  GST_OBJECT_LOCK (infer);
  top_k = priv->top_k;
  threshold = priv->threshold;
  GST_OBJECT_UNLOCK (infer);

  result->n_labels =
      sl_top_k (output->scores, output->n_scores, top_k, threshold, FALSE, priv->best);
  result->labels = g_new (SlLabel, result->n_labels);
  for (guint i = 0; i < result->n_labels; i++) {
    const SlClassScore *best = &priv->best[i];

    result->labels[i] = (SlLabel){
        .index = best->index,
        .score = best->score,
        .label = texts ? g_strdup (texts[best->index]) : g_strdup_printf ("%u", best->index),
    };
  }
  return TRUE;
}

static void
gst_sl_classify_attach (GstSlInfer *infer, GstBuffer *buffer, const GstSlResult *result,
                        guint64 age, gboolean fresh)
{
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (infer));
  SlLabelMeta *meta = sl_buffer_add_label_meta (buffer, name, result->model);

  meta->frame = result->frame.number;
  meta->pts = result->frame.pts;
  meta->age = age;
  meta->fresh = fresh;
  for (guint i = 0; i < result->n_labels; i++)
    sl_label_meta_append (meta, result->labels[i].index, result->labels[i].score,
                          result->labels[i].label);
  sl_buffer_publish_analytics (buffer, meta, NULL);
}

static void
take_label_list (GstStructure *structure, const GstSlResult *result)
{
  GValue list = G_VALUE_INIT;

  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; i < result->n_labels; i++) {
    const SlLabel *label = &result->labels[i];
    GValue item = G_VALUE_INIT;

    g_value_init (&item, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&item, gst_structure_new ("label", "index", G_TYPE_UINT, label->index,
                                                  "label", G_TYPE_STRING, label->label, "score",
                                                  G_TYPE_FLOAT, label->score, NULL));
    gst_value_list_append_and_take_value (&list, &item);
  }
  gst_structure_take_value (structure, "labels", &list);
}

/* Named as the type of element that posts it. */
static const gchar *
name_message (GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory ? GST_OBJECT_NAME (factory) : "slclassify";
}

static void
gst_sl_classify_announce (GstSlInfer *infer, const GstSlResult *result)
{
  GstSlClassify *self = GST_SL_CLASSIFY (infer);
  GstSlClassifyClass *klass = GST_SL_CLASSIFY_GET_CLASS (self);
  const GstSlInferFrame *frame = &result->frame;
  GstStructure *structure;
  gboolean post;

  GST_OBJECT_LOCK (self);
  post = PRIVATE (self)->post_messages;
  GST_OBJECT_UNLOCK (self);
  if (!post)
    return;

  structure = gst_structure_new (
      name_message (GST_ELEMENT (self)), "timestamp", G_TYPE_UINT64, frame->pts, "stream-time",
      G_TYPE_UINT64, frame->stream_time, "running-time", G_TYPE_UINT64, frame->running_time,
      "duration", G_TYPE_UINT64, frame->duration, "frame", G_TYPE_UINT64, frame->number, "age",
      G_TYPE_UINT64, result->delay, "model", G_TYPE_STRING, result->model, NULL);
  take_label_list (structure, result);
  if (klass->extend_message)
    klass->extend_message (self, result, structure);
  gst_element_post_message (GST_ELEMENT (self),
                            gst_message_new_element (GST_OBJECT (self), structure));
}

/* --- The type --- */

static void
gst_sl_classify_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSlClassifyPrivate *priv = PRIVATE (GST_SL_CLASSIFY (object));

  GST_OBJECT_LOCK (object);
  switch (id) {
  case PROP_TOP_K:
    priv->top_k = g_value_get_uint (value);
    break;
  case PROP_THRESHOLD:
    priv->threshold = g_value_get_float (value);
    break;
  case PROP_POST_MESSAGES:
    priv->post_messages = g_value_get_boolean (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (object);
}

static void
gst_sl_classify_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSlClassifyPrivate *priv = PRIVATE (GST_SL_CLASSIFY (object));

  GST_OBJECT_LOCK (object);
  switch (id) {
  case PROP_TOP_K:
    g_value_set_uint (value, priv->top_k);
    break;
  case PROP_THRESHOLD:
    g_value_set_float (value, priv->threshold);
    break;
  case PROP_POST_MESSAGES:
    g_value_set_boolean (value, priv->post_messages);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (object);
}

static void
gst_sl_classify_class_init (GstSlClassifyClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstSlInferClass *infer_class = GST_SL_INFER_CLASS (klass);
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

  infer_class->describe = gst_sl_classify_describe;
  infer_class->attach = gst_sl_classify_attach;
  infer_class->announce = gst_sl_classify_announce;

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
  GstSlClassifyPrivate *priv = PRIVATE (self);

  priv->top_k = DEFAULT_TOP_K;
  priv->threshold = DEFAULT_THRESHOLD;
  priv->post_messages = DEFAULT_POST_MESSAGES;
}
