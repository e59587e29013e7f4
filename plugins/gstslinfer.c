#include "gstslinfer.h"

#include "gstslinferprivate.h"

#include "gstslallocator.h"
#include "gstslmemory.h"
#include "gstslmodelinfo.h"

GST_DEBUG_CATEGORY_STATIC (gst_sl_infer_debug);
#define GST_CAT_DEFAULT gst_sl_infer_debug

enum { PROP_0, PROP_MODEL_INFO, PROP_STATS, PROP_SETTINGS /* the first of them */ };

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstSlInfer, gst_sl_infer, GST_TYPE_BASE_TRANSFORM)

GstSlInferPrivate *
gst_sl_infer_get_private (GstSlInfer *self)
{
  return gst_sl_infer_get_instance_private (self);
}

const GstVideoInfo *
gst_sl_infer_get_video_info (GstSlInfer *self)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);

  return priv->have_info ? &priv->info : NULL;
}

void
gst_sl_infer_set_run_hook (GstSlInfer *self, void (*hook) (gpointer data), gpointer data)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);

  priv->hook = hook;
  priv->hook_data = data;
}

/* --- Loading --- */

static gboolean
prepare_model (GstElement *element, SlModel *model, SlClassifierOptions *options, GError **error)
{
  GstSlInferClass *klass = GST_SL_INFER_GET_CLASS (element);

  return !klass->prepare || klass->prepare (GST_SL_INFER (element), model, options, error);
}

static void
model_loaded (GstElement *element, const GstSlLoaded *loaded)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (GST_SL_INFER (element));
  GstStructure *info = gst_sl_model_info_new (loaded);
  g_autofree gchar *note = sl_classifier_take_note (loaded->classifier);

  GST_INFO_OBJECT (element, "%" GST_PTR_FORMAT, info);
  GST_OBJECT_LOCK (element);
  priv->model_info = info;
  GST_OBJECT_UNLOCK (element);
  g_object_notify (G_OBJECT (element), "model-info");

  /* A wrong guess gives wrong labels without any other sign, so it is said aloud. */
  if (loaded->rules->assumed)
    GST_ELEMENT_INFO (element, LIBRARY, SETTINGS,
                      ("%s: %s", sl_model_get_name (loaded->model), loaded->rules->assumed),
                      ("rules come from %s", loaded->rules->source));
  if (note)
    GST_ELEMENT_INFO (element, RESOURCE, SETTINGS, ("%s", note), (NULL));
}

static const GstSlLoaderFuncs loader_funcs = {prepare_model, model_loaded};

static gboolean
gst_sl_infer_start (GstBaseTransform *trans)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (GST_SL_INFER (trans));
  GstSlLoadSettings load;

  GST_OBJECT_LOCK (trans);
  load = gst_sl_settings_copy_load (&priv->settings);
  priv->stats = (GstSlStats){0};
  priv->frame = 0;
  GST_OBJECT_UNLOCK (trans);
  priv->have_info = FALSE;
  priv->since_run = G_MAXUINT;
  priv->orientation = 1;
  gst_sl_late_reset (&priv->late);
  gst_sl_worker_set_flushing (&priv->worker, FALSE);
  gst_sl_loader_start (&priv->loader, &load, GST_SL_N_SLOTS);
  return TRUE;
}

static gboolean
gst_sl_infer_stop (GstBaseTransform *trans)
{
  GstSlInfer *self = GST_SL_INFER (trans);
  GstSlInferClass *klass = GST_SL_INFER_GET_CLASS (self);
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);

  gst_sl_worker_stop (&priv->worker);
  gst_sl_loader_stop (&priv->loader);
  if (klass->release)
    klass->release (self);
  gst_sl_smooth_clear (&priv->smooth);
  g_clear_pointer (&priv->last, gst_sl_result_unref);
  GST_OBJECT_LOCK (trans);
  g_clear_pointer (&priv->model_info, gst_structure_free);
  GST_OBJECT_UNLOCK (trans);
  return TRUE;
}

/* --- Frames --- */

static gboolean
gst_sl_infer_set_caps (GstBaseTransform *trans, GstCaps *incaps, GstCaps *outcaps)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (GST_SL_INFER (trans));

  priv->have_info = sl_video_info_from_caps (&priv->info, incaps);
  if (!priv->have_info)
    GST_ELEMENT_ERROR (trans, STREAM, FORMAT, ("These caps describe no video frame."),
                       ("%" GST_PTR_FORMAT, incaps));
  return priv->have_info;
}

/* Instead of transform_ip, which in passthrough mode could not replace the buffer and otherwise
 * would be given one whose memory was made writable. */
static GstFlowReturn
gst_sl_infer_generate_output (GstBaseTransform *trans, GstBuffer **outbuf)
{
  GstSlInfer *self = GST_SL_INFER (trans);
  GstSlInferClass *klass = GST_SL_INFER_GET_CLASS (self);
  GstBuffer *buffer = g_steal_pointer (&trans->queued_buf);
  GstFlowReturn flow;

  if (!buffer)
    return GST_FLOW_OK;
  flow = gst_sl_look_at (self, buffer);
  if (flow == GST_FLOW_OK)
    gst_sl_carry (self, &buffer);
  if (flow == GST_FLOW_OK && klass->present)
    flow = klass->present (self, &buffer);
  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return flow;
  }
  *outbuf = buffer;
  return GST_FLOW_OK;
}

/* --- Events, queries, states --- */

static void
begin_stream (GstSlInfer *self)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);

  gst_sl_carry_rest (self);
  g_clear_pointer (&priv->last, gst_sl_result_unref);
  GST_OBJECT_LOCK (self);
  priv->frame = 0;
  GST_OBJECT_UNLOCK (self);
  priv->since_run = G_MAXUINT;
  priv->orientation = 1;
  priv->epoch++;
  gst_sl_late_ask_again (&priv->late);
}

static void
end_flush (GstSlInfer *self)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);

  gst_sl_loader_set_flushing (&priv->loader, FALSE);
  gst_sl_worker_set_flushing (&priv->worker, FALSE);
  g_clear_pointer (&priv->last, gst_sl_result_unref);
  gst_sl_late_forget_times (&priv->late);
  priv->since_run = G_MAXUINT;
  priv->epoch++;
}

static void
read_tags (GstSlInfer *self, GstEvent *event)
{
  GstTagList *tags;

  gst_event_parse_tag (event, &tags);
  if (gst_tag_list_get_value_index (tags, GST_TAG_IMAGE_ORIENTATION, 0))
    gst_sl_infer_get_private (self)->orientation = sl_orientation_from_tags (tags);
}

static gboolean
gst_sl_infer_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstSlInfer *self = GST_SL_INFER (trans);
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_START:
    gst_sl_loader_set_flushing (&priv->loader, TRUE);
    gst_sl_worker_set_flushing (&priv->worker, TRUE);
    break;
  case GST_EVENT_FLUSH_STOP:
    end_flush (self);
    break;
  case GST_EVENT_STREAM_START:
    begin_stream (self);
    break;
  case GST_EVENT_SEGMENT:
    priv->epoch++;
    gst_sl_late_ask_again (&priv->late);
    break;
  case GST_EVENT_CAPS:
    gst_sl_late_ask_again (&priv->late);
    break;
  case GST_EVENT_TAG:
    read_tags (self, event);
    break;
  case GST_EVENT_EOS:
    if (!gst_sl_carry_rest (self)) {
      gst_event_unref (event);
      return FALSE;
    }
    break;
  default:
    break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_sl_infer_parent_class)->sink_event (trans, event);
}

/* What changes around the element changes whether upstream is live. */
static gboolean
gst_sl_infer_src_event (GstBaseTransform *trans, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE ||
      GST_EVENT_TYPE (event) == GST_EVENT_LATENCY)
    gst_sl_late_ask_again (&gst_sl_infer_get_private (GST_SL_INFER (trans))->late);
  return GST_BASE_TRANSFORM_CLASS (gst_sl_infer_parent_class)->src_event (trans, event);
}

static gboolean
gst_sl_infer_query (GstBaseTransform *trans, GstPadDirection direction, GstQuery *query)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (GST_SL_INFER (trans));
  GstSlLatePolicy wanted;

  if (direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    GST_OBJECT_LOCK (trans);
    wanted = priv->settings.late_policy;
    GST_OBJECT_UNLOCK (trans);
    return gst_sl_late_query (&priv->late, query, wanted);
  }
  return GST_BASE_TRANSFORM_CLASS (gst_sl_infer_parent_class)->query (trans, direction, query);
}

/* The device that the network runs on; NULL: not known. Only where the network runs in this thread:
 * the stream waits for its model anyway then. */
static const SlDevice *
find_device (GstSlInfer *self)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  const GstSlLoaded *loaded;

  if (gst_sl_choose_policy (self) == GST_SL_LATE_LATEST ||
      gst_sl_loader_wait (&priv->loader, &loaded) != GST_FLOW_OK ||
      !gst_sl_worker_drain (&priv->worker))
    return NULL;
  return sl_program_get_device (sl_classifier_get_program (loaded->classifier));
}

/* Frames are only read here, so that downstream says what memory is best. If it does not care, they
 * may come in memory that the device reads where it is, as it does with frames that nobody else
 * gets before the network has run. */
static gboolean
gst_sl_infer_propose_allocation (GstBaseTransform *trans, GstQuery *decide_query, GstQuery *query)
{
  const gboolean answered = GST_BASE_TRANSFORM_CLASS (gst_sl_infer_parent_class)
                                ->propose_allocation (trans, decide_query, query);
  const SlDevice *device = NULL;

  if (gst_query_get_n_allocation_pools (query) == 0 &&
      gst_query_get_n_allocation_params (query) == 0)
    device = find_device (GST_SL_INFER (trans));
  return (device && gst_sl_allocator_propose (device, query)) || answered;
}

static GstStateChangeReturn
gst_sl_infer_change_state (GstElement *element, GstStateChange transition)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (GST_SL_INFER (element));

  /* Before the pads are shut, for which the streaming thread has to come back. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    gst_sl_loader_set_flushing (&priv->loader, TRUE);
    gst_sl_worker_set_flushing (&priv->worker, TRUE);
  }
  return GST_ELEMENT_CLASS (gst_sl_infer_parent_class)->change_state (element, transition);
}

/* --- The type --- */

static void
gst_sl_infer_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (GST_SL_INFER (object));

  GST_OBJECT_LOCK (object);
  if (!gst_sl_settings_set (&priv->settings, id - PROP_SETTINGS, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (object);
}

static void
gst_sl_infer_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (GST_SL_INFER (object));
  GstClockTime latency = gst_sl_late_get_stated (&priv->late);

  GST_OBJECT_LOCK (object);
  if (id == PROP_MODEL_INFO)
    g_value_set_boxed (value, priv->model_info);
  else if (id == PROP_STATS)
    g_value_take_boxed (value, gst_sl_stats_describe (&priv->stats, latency, priv->late.in_force));
  else if (!gst_sl_settings_get (&priv->settings, id - PROP_SETTINGS, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (object);
}

static void
gst_sl_infer_finalize (GObject *object)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (GST_SL_INFER (object));

  gst_sl_worker_clear (&priv->worker);
  gst_sl_loader_clear (&priv->loader);
  gst_sl_settings_clear (&priv->settings);
  gst_sl_smooth_clear (&priv->smooth);
  g_clear_pointer (&priv->last, gst_sl_result_unref);
  g_clear_pointer (&priv->model_info, gst_structure_free);
  G_OBJECT_CLASS (gst_sl_infer_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  gst_sl_settings_install (klass, PROP_SETTINGS);
  g_object_class_install_property (
      klass, PROP_MODEL_INFO,
      g_param_spec_boxed (
          "model-info", "Model info",
          "What was loaded: path, hash, device, size of the input, rules and what was assumed",
          GST_TYPE_STRUCTURE, flags));
  g_object_class_install_property (
      klass, PROP_STATS,
      g_param_spec_boxed (
          "stats", "Statistics",
          "Since the start: frames, inferred, skipped, errors; time-last, -average, "
          "-min, -max in ns; age-last, -max in frames; latency in ns; policy",
          GST_TYPE_STRUCTURE, flags));
}

static void
add_pad_templates (GstElementClass *klass)
{
  /* Overlays that wait to be drawn further on ride along. */
  GstCaps *caps = gst_caps_from_string (
      GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL) ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES (
          GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY
          "," GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION,
          GST_VIDEO_FORMATS_ALL));

  gst_element_class_add_pad_template (
      klass, gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template (
      klass, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref (caps);
}

static void
gst_sl_infer_class_init (GstSlInferClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_sl_infer_debug, "slinfer", 0, "looking at frames with a network");

  object_class->set_property = gst_sl_infer_set_property;
  object_class->get_property = gst_sl_infer_get_property;
  object_class->finalize = gst_sl_infer_finalize;
  install_properties (object_class);

  add_pad_templates (GST_ELEMENT_CLASS (klass));
  GST_ELEMENT_CLASS (klass)->change_state = gst_sl_infer_change_state;

  trans_class->start = gst_sl_infer_start;
  trans_class->stop = gst_sl_infer_stop;
  trans_class->set_caps = gst_sl_infer_set_caps;
  trans_class->sink_event = gst_sl_infer_sink_event;
  trans_class->src_event = gst_sl_infer_src_event;
  trans_class->query = gst_sl_infer_query;
  trans_class->propose_allocation = gst_sl_infer_propose_allocation;
  trans_class->generate_output = gst_sl_infer_generate_output;

  gst_type_mark_as_plugin_api (GST_TYPE_SL_INFER, 0);
}

static void
gst_sl_infer_init (GstSlInfer *self)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);

  gst_sl_loader_init (&priv->loader, GST_ELEMENT (self), &loader_funcs);
  gst_sl_worker_init (&priv->worker, GST_ELEMENT (self), &gst_sl_look_funcs);
  gst_sl_late_init (&priv->late, trans);
  gst_sl_settings_init (&priv->settings);

  /* Allocation queries go through to downstream first: frames are only read here. */
  gst_base_transform_set_passthrough (trans, TRUE);
  gst_base_transform_set_gap_aware (trans, TRUE);
  gst_sl_memory_watch (GST_ELEMENT (self), trans->sinkpad);
}
