#include "gstslinfer.h"

#include "gstslerror.h"
#include "gstslframe.h"
#include "gstslmemory.h"
#include "gstslmodelinfo.h"
#include "gstslsettings.h"
#include "gstslsmooth.h"
#include "gstslstats.h"
#include "gstslworker.h"

#include <sightline-gst/result-event.h>

GST_DEBUG_CATEGORY_STATIC (gst_sl_infer_debug);
#define GST_CAT_DEFAULT gst_sl_infer_debug

enum { PROP_0, PROP_MODEL_INFO, PROP_STATS, PROP_SETTINGS /* the first of them */ };

typedef struct {
  GstSlLoader loader;
  GstSlWorker worker;
  GstSlLate late;

  /* Under the object lock. */
  GstSlSettings settings;
  GstStructure *model_info;
  GstSlStats stats;
  guint64 frame; /* buffers since stream start */

  /* The streaming thread's. */
  GstVideoInfo info;
  gboolean have_info;
  guint since_run;   /* buffers since the last one whose turn it was; G_MAXUINT: there was none */
  guint orientation; /* of the frames: EXIF's number */
  guint epoch;       /* raised where the past no longer counts */
  GstSlResult *last; /* the newest result that a buffer carried */

  GstSlSmooth smooth; /* the executing thread's */

  void (*hook) (gpointer data);
  gpointer hook_data;
} GstSlInferPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstSlInfer, gst_sl_infer, GST_TYPE_BASE_TRANSFORM)

#define PRIVATE(self) ((GstSlInferPrivate *)gst_sl_infer_get_instance_private (self))

const GstVideoInfo *
gst_sl_infer_get_video_info (GstSlInfer *self)
{
  GstSlInferPrivate *priv = PRIVATE (self);

  return priv->have_info ? &priv->info : NULL;
}

void
gst_sl_infer_set_run_hook (GstSlInfer *self, void (*hook) (gpointer data), gpointer data)
{
  PRIVATE (self)->hook = hook;
  PRIVATE (self)->hook_data = data;
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

static const GstSlLoaderFuncs loader_funcs = {prepare_model, model_loaded};

static gboolean
gst_sl_infer_start (GstBaseTransform *trans)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (trans));
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
  GstSlInferPrivate *priv = PRIVATE (self);

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

/* --- Running the network: in the worker's thread, or with block and skip the stream's --- */

static GstSlResult *
describe (GstSlInfer *self, guint slot, const GstSlJob *job, const float *scores, uint32_t n_scores,
          GError **error)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  const GstSlLoaded *loaded = &priv->loader.loaded; /* or there would be no job */
  g_autoptr (GstSlResult) result =
      gst_sl_result_new (&job->frame, sl_model_get_hash (loaded->model));
  GstSlInferOutput output = {
      .n_scores = n_scores,
      .model = loaded->model,
      .rules = loaded->rules,
      .classifier = loaded->classifier,
      .slot = slot,
  };
  gfloat smoothing;

  GST_OBJECT_LOCK (self);
  smoothing = priv->settings.smoothing;
  result->delay = priv->frame - 1 - job->frame.number;
  GST_OBJECT_UNLOCK (self);
  output.scores = gst_sl_smooth_add (&priv->smooth, scores, n_scores, smoothing, job->epoch);
  if (!GST_SL_INFER_GET_CLASS (self)->describe (self, &output, result, error))
    return NULL;
  return g_steal_pointer (&result);
}

static GstSlResult *
run_network (GstElement *element, guint slot, const GstSlJob *job, GError **error)
{
  GstSlInfer *self = GST_SL_INFER (element);
  GstSlInferPrivate *priv = PRIVATE (self);
  GstSlStopwatch watch = gst_sl_stopwatch_start (element);
  GstSlResult *result = NULL;
  const float *scores;
  GstSlSpan span;
  uint32_t n_scores;

  if (priv->hook)
    priv->hook (priv->hook_data);
  if (sl_classifier_execute (priv->loader.loaded.classifier, slot, &scores, &n_scores, error))
    result = describe (self, slot, job, scores, n_scores, error);
  span = gst_sl_stopwatch_stop (&watch);

  GST_OBJECT_LOCK (self);
  if (result)
    gst_sl_stats_add_run (&priv->stats, job->sampling.real + span.real);
  else
    priv->stats.errors++;
  GST_OBJECT_UNLOCK (self);
  gst_sl_late_ran (&priv->late, job->sampling.on_clock + span.on_clock);
  return result;
}

static void
tell_result (GstElement *element, const GstSlResult *result, const GError *error)
{
  GstSlInferClass *klass = GST_SL_INFER_GET_CLASS (element);

  if (!result)
    gst_sl_element_error (element, error, "while running the network");
  else if (klass->announce)
    klass->announce (GST_SL_INFER (element), result);
}

static const GstSlWorkerFuncs worker_funcs = {run_network, tell_result};

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
  priv->frame++;
  due = priv->since_run >= priv->settings.interval - 1;
  GST_OBJECT_UNLOCK (self);
  if (priv->since_run < G_MAXUINT)
    priv->since_run++;
  return due && has_picture;
}

static void
describe_frame (GstSlInfer *self, GstBuffer *buffer, GstSlInferFrame *ret_frame)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  GstClockTime pts = GST_BUFFER_PTS (buffer);

  *ret_frame = (GstSlInferFrame){
      .number = priv->frame - 1,
      .pts = pts,
      .duration = GST_BUFFER_DURATION (buffer),
      .stream_time = GST_CLOCK_TIME_NONE,
      .running_time = GST_CLOCK_TIME_NONE,
      .width = GST_VIDEO_INFO_WIDTH (&priv->info),
      .height = GST_VIDEO_INFO_HEIGHT (&priv->info),
  };
  if (segment->format == GST_FORMAT_TIME) {
    ret_frame->stream_time = gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts);
    ret_frame->running_time = gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
  }
}

static void
count_skipped (GstSlInfer *self, const GstSlInferFrame *frame, GstClockTime by)
{
  GstSlStats *stats = &PRIVATE (self)->stats;
  guint64 inferred, skipped;

  GST_OBJECT_LOCK (self);
  inferred = stats->inferred;
  skipped = ++stats->skipped;
  GST_OBJECT_UNLOCK (self);
  gst_sl_late_post_qos (&PRIVATE (self)->late, frame, by, inferred, skipped);
}

/* Brings the picture into the slot's input; the buffer stays as it is. Errors are on the bus. */
static GstFlowReturn
sample (GstSlInfer *self, guint slot, GstBuffer *buffer, const GstSlLoaded *loaded, GstSlJob *job)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  GstElement *element = GST_ELEMENT (self);
  GstSlStopwatch watch = gst_sl_stopwatch_start (element);
  g_autoptr (GError) error = NULL;
  GstVideoFrame frame;

  if (!sl_classifier_set_info (loaded->classifier, &priv->info, &error)) {
    gst_sl_element_error (element, error, "while preparing for the caps");
    gst_sl_stopwatch_stop (&watch);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  sl_classifier_set_orientation (loaded->classifier, priv->orientation);
  if (gst_sl_frame_map (element, &frame, &priv->info, buffer, GST_MAP_READ)) {
    gboolean ok = sl_classifier_sample (loaded->classifier, slot, &frame, &error);

    gst_video_frame_unmap (&frame);
    job->sampling = gst_sl_stopwatch_stop (&watch);
    if (ok) {
      sl_classifier_get_placement (loaded->classifier, job->frame.placement);
      return GST_FLOW_OK;
    }
  }
  if (g_error_matches (error, SL_ERROR, SL_ERROR_SHAPE))
    gst_sl_frame_refuse (element, &priv->info, buffer);
  else if (error)
    gst_sl_element_error (element, error, "while sampling a frame");
  GST_OBJECT_LOCK (self);
  priv->stats.errors++;
  GST_OBJECT_UNLOCK (self);
  return GST_FLOW_ERROR;
}

/* Leaves the slot to the worker's thread. */
static GstFlowReturn
submit (GstSlInfer *self, guint slot, const GstSlJob *job)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  g_autoptr (GError) error = NULL;
  GstSlJob replaced;

  if (!gst_sl_worker_submit (&priv->worker, slot, job, &replaced, &error)) {
    gst_sl_element_error (GST_ELEMENT (self), error, "while starting a thread");
    return GST_FLOW_ERROR;
  }
  if (replaced.frame.number != G_MAXUINT64)
    count_skipped (self, &replaced.frame, 0);
  return GST_FLOW_OK;
}

/* It is the turn of this picture: runs the network on it, has that done, or passes it over. */
static GstFlowReturn
look_at (GstSlInfer *self, GstBuffer *buffer, GstSlLatePolicy policy)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  const gboolean waits = policy != GST_SL_LATE_LATEST;
  const GstSlLoaded *loaded;
  GstSlJob job = {.epoch = priv->epoch};
  GstFlowReturn flow;
  GstClockTime by;
  guint slot;

  if (!priv->have_info)
    return GST_FLOW_NOT_NEGOTIATED;
  flow = waits ? gst_sl_loader_wait (&priv->loader, &loaded)
               : gst_sl_loader_peek (&priv->loader, &loaded);
  if (flow != GST_FLOW_OK || !loaded)
    return flow;

  priv->since_run = 0;
  describe_frame (self, buffer, &job.frame);
  if (policy == GST_SL_LATE_SKIP && gst_sl_late_missed (&priv->late, &job.frame, &by)) {
    count_skipped (self, &job.frame, by);
    return GST_FLOW_OK;
  }
  /* What an earlier policy left to the worker. */
  if (waits && !gst_sl_worker_drain (&priv->worker))
    return GST_FLOW_FLUSHING;
  slot = gst_sl_worker_acquire (&priv->worker);
  flow = sample (self, slot, buffer, loaded, &job);
  if (flow != GST_FLOW_OK) {
    gst_sl_worker_release (&priv->worker, slot);
    return flow;
  }
  return waits ? gst_sl_worker_run (&priv->worker, slot, &job) : submit (self, slot, &job);
}

/* --- Results on buffers --- */

static void
attach (GstSlInfer *self, GstBuffer *buffer, const GstSlResult *result, gboolean fresh)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  guint64 age;

  GST_OBJECT_LOCK (self);
  age = priv->frame - 1 - result->frame.number;
  gst_sl_stats_add_age (&priv->stats, age);
  GST_OBJECT_UNLOCK (self);
  GST_SL_INFER_GET_CLASS (self)->attach (self, buffer, result, age, fresh);
}

/* Sends on a result that no buffer carries. */
static void
send_alone (GstSlInfer *self, const GstSlResult *result)
{
  GstBuffer *buffer = gst_buffer_new ();

  GST_BUFFER_PTS (buffer) = result->frame.pts;
  GST_BUFFER_DURATION (buffer) = result->frame.duration;
  attach (self, buffer, result, TRUE);
  gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self), sl_result_event_new (buffer));
}

/* Whether a buffer without a result of its own gets the newest there is. */
static gboolean
repeats (GstSlInfer *self, GstBuffer *buffer)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  GstClockTime max_age, then, now = GST_BUFFER_PTS (buffer);
  GstSlAttach mode;

  GST_OBJECT_LOCK (self);
  mode = priv->settings.attach;
  max_age = priv->settings.max_age;
  GST_OBJECT_UNLOCK (self);
  if (mode != GST_SL_ATTACH_LAST || !priv->last)
    return FALSE;
  then = priv->last->frame.pts;
  if (max_age == 0 || !GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (then))
    return TRUE;
  return MAX (now, then) - MIN (now, then) <= max_age;
}

/* Gives the buffer the newest result; older ones that are ready go ahead of it. */
static void
carry_result (GstSlInfer *self, GstBuffer **buffer)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  GstSlResult *fresh = NULL, *next;

  while ((next = gst_sl_worker_take (&priv->worker))) {
    if (fresh) {
      send_alone (self, fresh);
      gst_sl_result_unref (fresh);
    }
    fresh = next;
  }
  if (fresh) {
    g_clear_pointer (&priv->last, gst_sl_result_unref);
    priv->last = fresh;
  } else if (!repeats (self, *buffer)) {
    return;
  }
  /* Copies the buffer if somebody else has it, but not its memory. */
  *buffer = gst_buffer_make_writable (*buffer);
  attach (self, *buffer, priv->last, fresh != NULL);
}

static GstFlowReturn
handle_buffer (GstSlInfer *self, GstBuffer **buffer)
{
  GstSlInferClass *klass = GST_SL_INFER_GET_CLASS (self);
  GstSlInferPrivate *priv = PRIVATE (self);
  GstFlowReturn flow = GST_FLOW_OK;
  GstSlLatePolicy wanted;

  if (gst_sl_worker_failed (&priv->worker))
    return GST_FLOW_ERROR;
  if (count_frame (self, *buffer) && (!klass->wants || klass->wants (self, *buffer))) {
    GST_OBJECT_LOCK (self);
    wanted = priv->settings.late_policy;
    GST_OBJECT_UNLOCK (self);
    flow = look_at (self, *buffer, gst_sl_late_choose (&priv->late, wanted));
  }
  if (flow != GST_FLOW_OK)
    return flow;
  carry_result (self, buffer);
  return klass->present ? klass->present (self, buffer) : GST_FLOW_OK;
}

/* Instead of transform_ip, which in passthrough mode could not replace the buffer and otherwise
 * would be given one whose memory was made writable. */
static GstFlowReturn
gst_sl_infer_generate_output (GstBaseTransform *trans, GstBuffer **outbuf)
{
  GstBuffer *buffer = g_steal_pointer (&trans->queued_buf);
  GstFlowReturn flow;

  if (!buffer)
    return GST_FLOW_OK;
  flow = handle_buffer (GST_SL_INFER (trans), &buffer);
  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return flow;
  }
  *outbuf = buffer;
  return GST_FLOW_OK;
}

/* --- Events, queries, states --- */

/* Lets everything that is under way finish and go on, ahead of what comes next. FALSE if a flush
 * took it. */
static gboolean
drain (GstSlInfer *self)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  GstSlResult *result;

  if (!gst_sl_worker_drain (&priv->worker))
    return FALSE;
  while ((result = gst_sl_worker_take (&priv->worker))) {
    send_alone (self, result);
    gst_sl_result_unref (result);
  }
  return TRUE;
}

static void
begin_stream (GstSlInfer *self)
{
  GstSlInferPrivate *priv = PRIVATE (self);

  drain (self);
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
  GstSlInferPrivate *priv = PRIVATE (self);

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
    PRIVATE (self)->orientation = sl_orientation_from_tags (tags);
}

static gboolean
gst_sl_infer_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstSlInfer *self = GST_SL_INFER (trans);
  GstSlInferPrivate *priv = PRIVATE (self);

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
    if (!drain (self)) {
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
    gst_sl_late_ask_again (&PRIVATE (GST_SL_INFER (trans))->late);
  return GST_BASE_TRANSFORM_CLASS (gst_sl_infer_parent_class)->src_event (trans, event);
}

static gboolean
gst_sl_infer_query (GstBaseTransform *trans, GstPadDirection direction, GstQuery *query)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (trans));
  GstSlLatePolicy wanted;

  if (direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    GST_OBJECT_LOCK (trans);
    wanted = priv->settings.late_policy;
    GST_OBJECT_UNLOCK (trans);
    return gst_sl_late_query (&priv->late, query, wanted);
  }
  return GST_BASE_TRANSFORM_CLASS (gst_sl_infer_parent_class)->query (trans, direction, query);
}

static GstStateChangeReturn
gst_sl_infer_change_state (GstElement *element, GstStateChange transition)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (element));

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
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (object));

  GST_OBJECT_LOCK (object);
  if (!gst_sl_settings_set (&priv->settings, id - PROP_SETTINGS, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (object);
}

static void
gst_sl_infer_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (object));
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
  GstSlInferPrivate *priv = PRIVATE (GST_SL_INFER (object));

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
  trans_class->generate_output = gst_sl_infer_generate_output;

  gst_type_mark_as_plugin_api (GST_TYPE_SL_INFER, 0);
}

static void
gst_sl_infer_init (GstSlInfer *self)
{
  GstSlInferPrivate *priv = PRIVATE (self);
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);

  gst_sl_loader_init (&priv->loader, GST_ELEMENT (self), &loader_funcs);
  gst_sl_worker_init (&priv->worker, GST_ELEMENT (self), &worker_funcs);
  gst_sl_late_init (&priv->late, trans);
  gst_sl_settings_init (&priv->settings);

  /* Allocation queries go through to downstream: frames are only read here. */
  gst_base_transform_set_passthrough (trans, TRUE);
  gst_base_transform_set_gap_aware (trans, TRUE);
  gst_sl_memory_watch (GST_ELEMENT (self), trans->sinkpad);
}
