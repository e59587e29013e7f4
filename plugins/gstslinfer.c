#include "gstslinfer.h"

#include "gstslerror.h"
#include "gstslframe.h"
#include "gstslloader.h"
#include "gstslmemory.h"
#include "gstslmodelinfo.h"
#include "gstslrules.h"

#include <sightline-gst/classifier.h>

GST_DEBUG_CATEGORY_STATIC (gst_sl_infer_debug);
#define GST_CAT_DEFAULT gst_sl_infer_debug

typedef enum { GST_SL_LATE_BLOCK } GstSlLatePolicy;

#define DEFAULT_DEVICE "auto"
#define DEFAULT_INTERVAL 1
#define DEFAULT_LATE_POLICY GST_SL_LATE_BLOCK
#define MAX_THREADS 1024

enum {
  PROP_0,
  PROP_MODEL_FILE,
  PROP_LABEL_FILE,
  PROP_PREPROCESS_FILE,
  PROP_DEVICE,
  PROP_THREADS,
  PROP_INTERVAL,
  PROP_LATE_POLICY,
  PROP_MODEL_INFO,
  PROP_STATS,
  PROP_RULES, /* the first of GST_SL_N_RULES */
  N_PROPS = PROP_RULES
};

typedef struct {
  guint64 frames;   /* buffers that arrived */
  guint64 inferred; /* results */
  guint64 errors;
  GstClockTime time_last, time_min, time_max, time_sum;
} Stats;

typedef struct {
  GstSlLoader loader;

  /* Under the object lock. */
  GstSlLoadSettings settings;
  GstSlRules rules;
  guint interval;
  GstSlLatePolicy late_policy;
  GstStructure *model_info;
  Stats stats;

  /* The streaming thread's. */
  GstVideoInfo info;
  gboolean have_info;
  guint64 frame;   /* buffers since stream start */
  guint since_run; /* buffers since the last one that was looked at; G_MAXUINT: none was */
} GstSlInferPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstSlInfer, gst_sl_infer, GST_TYPE_BASE_TRANSFORM)

#define PRIVATE(self) ((GstSlInferPrivate *)gst_sl_infer_get_instance_private (self))

#define GST_TYPE_SL_LATE_POLICY (gst_sl_late_policy_get_type ())
static GType
gst_sl_late_policy_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {GST_SL_LATE_BLOCK, "Wait for each frame's result", "block"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstSlLatePolicy", values));
  return type;
}

/* --- Loading --- */

/* The settings of this moment, for the loader to keep. */
static GstSlLoadSettings
copy_settings (GstSlInfer *self)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  GstSlLoadSettings copy;

  GST_OBJECT_LOCK (self);
  copy = (GstSlLoadSettings){
      .model_file = g_strdup (priv->settings.model_file),
      .label_file = g_strdup (priv->settings.label_file),
      .preprocess_file = g_strdup (priv->settings.preprocess_file),
      .device = g_strdup (priv->settings.device),
      .threads = priv->settings.threads,
      .overrides = gst_sl_rules_list (&priv->rules),
  };
  GST_OBJECT_UNLOCK (self);
  return copy;
}

/* GstSlLoadedFunc */
static void
model_loaded (GstElement *element, const GstSlLoaded *loaded)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (element));
  GstStructure *info = gst_sl_model_info_new (loaded);

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
}

static gboolean
gst_sl_infer_start (GstBaseTransform *trans)
{
  GstSlInfer *self = GST_SL_INFER (trans);
  GstSlInferPrivate *priv = PRIVATE (self);
  GstSlLoadSettings settings = copy_settings (self);

  if (!settings.model_file) {
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
                       ("No model: set the property model-file to an ONNX file."), (NULL));
    gst_sl_load_settings_clear (&settings);
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  priv->stats = (Stats){.time_min = GST_CLOCK_TIME_NONE};
  GST_OBJECT_UNLOCK (self);
  priv->have_info = FALSE;
  priv->frame = 0;
  priv->since_run = G_MAXUINT;
  gst_sl_loader_start (&priv->loader, &settings);
  return TRUE;
}

static gboolean
gst_sl_infer_stop (GstBaseTransform *trans)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (trans));

  gst_sl_loader_stop (&priv->loader);
  GST_OBJECT_LOCK (trans);
  g_clear_pointer (&priv->model_info, gst_structure_free);
  GST_OBJECT_UNLOCK (trans);
  return TRUE;
}

/* --- Frames --- */

static gboolean
gst_sl_infer_set_caps (GstBaseTransform *trans, GstCaps *incaps, GstCaps *outcaps)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (trans));

  priv->have_info = sl_video_info_from_caps (&priv->info, incaps);
  if (!priv->have_info)
    GST_ELEMENT_ERROR (trans, STREAM, FORMAT, ("These caps describe no video frame."),
                       ("%" GST_PTR_FORMAT, incaps));
  return priv->have_info;
}

/* Counts the buffer, and says whether its picture is to be looked at. */
static gboolean
count_frame (GstSlInfer *self, GstBuffer *buffer)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  gboolean has_picture =
      gst_buffer_get_size (buffer) > 0 && !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);
  gboolean due;

  GST_OBJECT_LOCK (self);
  priv->stats.frames++;
  due = priv->since_run >= priv->interval - 1;
  GST_OBJECT_UNLOCK (self);

  priv->frame++;
  if (due && has_picture)
    priv->since_run = 0;
  else if (priv->since_run < G_MAXUINT)
    priv->since_run++;
  return due && has_picture;
}

static void
count_result (GstSlInfer *self, GstClockTime time, gboolean ok)
{
  Stats *stats = &PRIVATE (self)->stats;

  GST_OBJECT_LOCK (self);
  if (ok) {
    stats->inferred++;
    stats->time_last = time;
    stats->time_sum += time;
    stats->time_min = MIN (stats->time_min, time);
    stats->time_max = MAX (stats->time_max, time);
  } else {
    stats->errors++;
  }
  GST_OBJECT_UNLOCK (self);
}

/* Runs the network; the buffer stays as it is. */
static GstFlowReturn
run_network (GstSlInfer *self, GstBuffer *buffer, const GstSlLoaded *loaded,
             GstSlInferResult *ret_result)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  GstClockTime before = gst_util_get_timestamp ();
  g_autoptr (GError) error = NULL;
  GstVideoFrame frame;
  gboolean ok;

  if (!sl_classifier_set_info (loaded->classifier, &priv->info, &error)) {
    gst_sl_element_error (GST_ELEMENT (self), error, "while preparing for the caps");
    return GST_FLOW_NOT_NEGOTIATED;
  }
  ok = gst_sl_frame_map (GST_ELEMENT (self), &frame, &priv->info, buffer, GST_MAP_READ);
  if (ok) {
    ok = sl_classifier_run (loaded->classifier, &frame, &ret_result->scores, &ret_result->n_scores,
                            &error);
    gst_video_frame_unmap (&frame);
  }
  count_result (self, gst_util_get_timestamp () - before, ok);
  if (g_error_matches (error, SL_ERROR, SL_ERROR_SHAPE))
    gst_sl_frame_refuse (GST_ELEMENT (self), &priv->info, buffer);
  else if (error)
    gst_sl_element_error (GST_ELEMENT (self), error, "while running the network");
  if (!ok)
    return GST_FLOW_ERROR;

  ret_result->model = loaded->model;
  ret_result->rules = loaded->rules;
  ret_result->frame = priv->frame - 1;
  return GST_FLOW_OK;
}

static GstFlowReturn
look_at (GstSlInfer *self, GstBuffer **buffer)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  const GstSlLoaded *loaded;
  GstSlInferResult result;
  GstFlowReturn flow;

  if (!priv->have_info)
    return GST_FLOW_NOT_NEGOTIATED;
  flow = gst_sl_loader_wait (&priv->loader, &loaded);
  if (flow == GST_FLOW_OK)
    flow = run_network (self, *buffer, loaded, &result);
  if (flow != GST_FLOW_OK)
    return flow;

  /* Copies the buffer if somebody else has it, but not its memory. */
  *buffer = gst_buffer_make_writable (*buffer);
  return GST_SL_INFER_GET_CLASS (self)->result (self, *buffer, &result);
}

/* Instead of transform_ip, which in passthrough mode could not replace the buffer and otherwise
 * would be given one whose memory was made writable. */
static GstFlowReturn
gst_sl_infer_generate_output (GstBaseTransform *trans, GstBuffer **outbuf)
{
  GstSlInfer *self = GST_SL_INFER (trans);
  GstBuffer *buffer = g_steal_pointer (&trans->queued_buf);
  GstFlowReturn flow = GST_FLOW_OK;

  if (!buffer)
    return GST_FLOW_OK;
  if (count_frame (self, buffer))
    flow = look_at (self, &buffer);
  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return flow;
  }
  *outbuf = buffer;
  return GST_FLOW_OK;
}

static gboolean
gst_sl_infer_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (trans));

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_START:
    gst_sl_loader_set_flushing (&priv->loader, TRUE);
    break;
  case GST_EVENT_FLUSH_STOP:
    gst_sl_loader_set_flushing (&priv->loader, FALSE);
    priv->since_run = G_MAXUINT;
    break;
  case GST_EVENT_STREAM_START:
    priv->frame = 0;
    priv->since_run = G_MAXUINT;
    break;
  default:
    break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_sl_infer_parent_class)->sink_event (trans, event);
}

static GstStateChangeReturn
gst_sl_infer_change_state (GstElement *element, GstStateChange transition)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (element));

  /* Before the pads are shut, for which the streaming thread has to come back. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_sl_loader_set_flushing (&priv->loader, TRUE);
  return GST_ELEMENT_CLASS (gst_sl_infer_parent_class)->change_state (element, transition);
}

/* --- Properties --- */

static GstStructure *
describe_stats (const Stats *stats)
{
  GstClockTime average = stats->inferred ? stats->time_sum / stats->inferred : 0;
  GstClockTime least = stats->inferred ? stats->time_min : 0;

  return gst_structure_new ("stats", "frames", G_TYPE_UINT64, stats->frames, "inferred",
                            G_TYPE_UINT64, stats->inferred, "errors", G_TYPE_UINT64, stats->errors,
                            "time-last", G_TYPE_UINT64, stats->time_last, "time-average",
                            G_TYPE_UINT64, average, "time-min", G_TYPE_UINT64, least, "time-max",
                            G_TYPE_UINT64, stats->time_max, NULL);
}

static void
replace_string (gchar **field, const GValue *value)
{
  const gchar *text = g_value_get_string (value);

  g_free (*field);
  *field = g_strdup (text && *text ? text : NULL);
}

static void
gst_sl_infer_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (object));

  GST_OBJECT_LOCK (object);
  switch (id) {
  case PROP_MODEL_FILE:
    replace_string (&priv->settings.model_file, value);
    break;
  case PROP_LABEL_FILE:
    replace_string (&priv->settings.label_file, value);
    break;
  case PROP_PREPROCESS_FILE:
    replace_string (&priv->settings.preprocess_file, value);
    break;
  case PROP_DEVICE:
    replace_string (&priv->settings.device, value);
    break;
  case PROP_THREADS:
    priv->settings.threads = g_value_get_uint (value);
    break;
  case PROP_INTERVAL:
    priv->interval = g_value_get_uint (value);
    break;
  case PROP_LATE_POLICY:
    priv->late_policy = g_value_get_enum (value);
    break;
  default:
    if (id >= PROP_RULES && id < PROP_RULES + GST_SL_N_RULES)
      gst_sl_rules_set (&priv->rules, id - PROP_RULES, value);
    else
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (object);
}

static void
gst_sl_infer_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (object));

  GST_OBJECT_LOCK (object);
  switch (id) {
  case PROP_MODEL_FILE:
    g_value_set_string (value, priv->settings.model_file);
    break;
  case PROP_LABEL_FILE:
    g_value_set_string (value, priv->settings.label_file);
    break;
  case PROP_PREPROCESS_FILE:
    g_value_set_string (value, priv->settings.preprocess_file);
    break;
  case PROP_DEVICE:
    g_value_set_string (value, priv->settings.device);
    break;
  case PROP_THREADS:
    g_value_set_uint (value, priv->settings.threads);
    break;
  case PROP_INTERVAL:
    g_value_set_uint (value, priv->interval);
    break;
  case PROP_LATE_POLICY:
    g_value_set_enum (value, priv->late_policy);
    break;
  case PROP_MODEL_INFO:
    g_value_set_boxed (value, priv->model_info);
    break;
  case PROP_STATS:
    g_value_take_boxed (value, describe_stats (&priv->stats));
    break;
  default:
    if (id >= PROP_RULES && id < PROP_RULES + GST_SL_N_RULES)
      gst_sl_rules_get (&priv->rules, id - PROP_RULES, value);
    else
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (object);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags playing =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  GParamSpec *props[N_PROPS] = {
      [PROP_MODEL_FILE] = g_param_spec_string ("model-file", "Model file",
                                               "ONNX file of the network (needed)", NULL, ready),
      [PROP_LABEL_FILE] = g_param_spec_string (
          "label-file", "Label file",
          "Text file with one label a line, in the order of the outputs (unset: the model's own)",
          NULL, ready),
      [PROP_PREPROCESS_FILE] = g_param_spec_string (
          "preprocess-file", "Preprocess file",
          "Key file with preprocessing rules (unset: MODEL.onnx.ini, else the model's own)", NULL,
          ready),
      [PROP_DEVICE] = g_param_spec_string (
          "device", "Device", "Where the network runs: auto, cpu or ref (slow, double precision)",
          DEFAULT_DEVICE, ready),
      [PROP_THREADS] = g_param_spec_uint ("threads", "Threads",
                                          "Most threads that one frame uses (0: all of the device)",
                                          0, MAX_THREADS, 0, ready),
      [PROP_INTERVAL] = g_param_spec_uint (
          "interval", "Interval", "Look at every n-th frame only; the others pass without a result",
          1, G_MAXINT, DEFAULT_INTERVAL, playing),
      [PROP_LATE_POLICY] = g_param_spec_enum (
          "late-policy", "Late policy", "What happens when the network is slower than the stream",
          GST_TYPE_SL_LATE_POLICY, DEFAULT_LATE_POLICY, playing),
      [PROP_MODEL_INFO] = g_param_spec_boxed (
          "model-info", "Model info",
          "What was loaded: path, hash, device, size of the input, rules and what was assumed",
          GST_TYPE_STRUCTURE, readable),
      [PROP_STATS] = g_param_spec_boxed (
          "stats", "Statistics",
          "Since the start: frames, inferred, errors; time-last, -average, -min, -max in ns",
          GST_TYPE_STRUCTURE, readable),
  };

  g_object_class_install_properties (klass, N_PROPS, props);
  gst_sl_rules_install (klass, PROP_RULES);
}

static void
gst_sl_infer_finalize (GObject *object)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (object));

  gst_sl_loader_clear (&priv->loader);
  gst_sl_load_settings_clear (&priv->settings);
  gst_sl_rules_clear (&priv->rules);
  g_clear_pointer (&priv->model_info, gst_structure_free);
  G_OBJECT_CLASS (gst_sl_infer_parent_class)->finalize (object);
}

static void
gst_sl_infer_class_init (GstSlInferClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  /* Overlays that wait to be drawn further on ride along. */
  GstCaps *caps = gst_caps_from_string (
      GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL) ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES (
          GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY
          "," GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION,
          GST_VIDEO_FORMATS_ALL));

  GST_DEBUG_CATEGORY_INIT (gst_sl_infer_debug, "slinfer", 0, "looking at frames with a network");

  object_class->set_property = gst_sl_infer_set_property;
  object_class->get_property = gst_sl_infer_get_property;
  object_class->finalize = gst_sl_infer_finalize;
  install_properties (object_class);

  element_class->change_state = gst_sl_infer_change_state;
  gst_element_class_add_pad_template (
      element_class, gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template (
      element_class, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref (caps);

  trans_class->start = gst_sl_infer_start;
  trans_class->stop = gst_sl_infer_stop;
  trans_class->set_caps = gst_sl_infer_set_caps;
  trans_class->sink_event = gst_sl_infer_sink_event;
  trans_class->generate_output = gst_sl_infer_generate_output;

  gst_type_mark_as_plugin_api (GST_TYPE_SL_INFER, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_SL_LATE_POLICY, 0);
}

static void
gst_sl_infer_init (GstSlInfer *self)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);

  gst_sl_loader_init (&priv->loader, GST_ELEMENT (self), model_loaded);
  priv->settings.device = g_strdup (DEFAULT_DEVICE);
  priv->interval = DEFAULT_INTERVAL;
  priv->late_policy = DEFAULT_LATE_POLICY;
  priv->stats.time_min = GST_CLOCK_TIME_NONE;
  priv->since_run = G_MAXUINT;

  /* Allocation queries go through to downstream: frames are only read here. */
  gst_base_transform_set_passthrough (trans, TRUE);
  gst_base_transform_set_gap_aware (trans, TRUE);
  gst_sl_memory_watch (GST_ELEMENT (self), trans->sinkpad);
}
