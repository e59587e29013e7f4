#include "gstslinferprivate.h"

#include "gstslerror.h"
#include "gstslframe.h"
#include "gstslsteps.h"

/* --- Running the network: in the worker's thread, or with block and skip the stream's --- */

static GstSlResult *
describe (GstSlInfer *self, guint slot, const GstSlJob *job, const float *scores, uint32_t n_scores,
          GError **error)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  const GstSlLoaded *loaded = &priv->loader.loaded; /* or there would be no job */
  g_autoptr (GstSlResult) result =
      gst_sl_result_new (&job->frame, sl_model_get_hash (loaded->model));
  GstSlInferOutput output = {
      .n_scores = n_scores,
      .model = loaded->model,
      .rules = loaded->rules,
      .classifier = loaded->classifier,
      .slot = slot,
      .epoch = job->epoch,
  };

  GST_OBJECT_LOCK (self);
  output.smoothing = priv->settings.smoothing;
  result->delay = priv->frame - 1 - job->frame.number;
  GST_OBJECT_UNLOCK (self);
  output.scores = gst_sl_smooth_add (&priv->smooth, scores, n_scores, output.smoothing, job->epoch);
  if (!GST_SL_INFER_GET_CLASS (self)->describe (self, &output, result, error))
    return NULL;
  return g_steal_pointer (&result);
}

/* Once: the CPU has taken over. */
static void
warn_of_device (GstSlInfer *self, SlClassifier *classifier)
{
  g_autofree gchar *note = sl_classifier_take_note (classifier);

  if (note)
    GST_ELEMENT_WARNING (self, RESOURCE, FAILED, ("%s", note), (NULL));
}

static gboolean
execute (GstSlInfer *self, guint slot, const GstSlJob *job, const float **ret_scores,
         uint32_t *ret_n_scores, GError **error)
{
  SlClassifier *classifier = gst_sl_infer_get_private (self)->loader.loaded.classifier;
  const guint64 *ns;

  sl_classifier_set_timed (classifier, gst_sl_steps_is_active ());
  if (!sl_classifier_execute (classifier, slot, ret_scores, ret_n_scores, error))
    return FALSE;
  ns = sl_classifier_get_times (classifier, slot);
  if (ns)
    gst_sl_steps_log (GST_ELEMENT (self), sl_classifier_get_program (classifier), job->frame.number,
                      ns);
  return TRUE;
}

static GstSlResult *
run_network (GstElement *element, guint slot, const GstSlJob *job, GError **error)
{
  GstSlInfer *self = GST_SL_INFER (element);
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  g_auto (GstSlStopwatch) watch = gst_sl_stopwatch_start (element);
  GstSlResult *result = NULL;
  const float *scores;
  GstSlSpan span;
  uint32_t n_scores;

  if (priv->hook)
    priv->hook (priv->hook_data);
  if (execute (self, slot, job, &scores, &n_scores, error))
    result = describe (self, slot, job, scores, n_scores, error);
  warn_of_device (self, priv->loader.loaded.classifier);
  span = gst_sl_stopwatch_read (&watch);

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

const GstSlWorkerFuncs gst_sl_look_funcs = {run_network, tell_result};

/* --- The streaming thread --- */

/* Counts the buffer, and says whether its picture is to be looked at. */
static gboolean
count_frame (GstSlInfer *self, GstBuffer *buffer)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
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
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
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
  GstSlStats *stats = &gst_sl_infer_get_private (self)->stats;
  guint64 inferred, skipped;

  GST_OBJECT_LOCK (self);
  inferred = stats->inferred;
  skipped = ++stats->skipped;
  GST_OBJECT_UNLOCK (self);
  gst_sl_late_post_qos (&gst_sl_infer_get_private (self)->late, frame, by, inferred, skipped);
}

/* Brings the picture into the slot's input; the buffer stays as it is, `stays`: until the network
 * has run. Errors are on the bus. */
static GstFlowReturn
sample (GstSlInfer *self, guint slot, GstBuffer *buffer, gboolean stays, const GstSlLoaded *loaded,
        GstSlJob *job)
{
  static const gchar *const paths[] = {"cpu", "upload", "in-place"};

  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  GstElement *element = GST_ELEMENT (self);
  g_auto (GstSlStopwatch) watch = gst_sl_stopwatch_start (element);
  g_autoptr (GError) error = NULL;
  GstVideoFrame frame;

  if (!sl_classifier_set_info (loaded->classifier, &priv->info, &error)) {
    gst_sl_element_error (element, error, "while preparing for the caps");
    return GST_FLOW_NOT_NEGOTIATED;
  }
  sl_classifier_set_orientation (loaded->classifier, priv->orientation);
  if (gst_sl_frame_map (element, &frame, &priv->info, buffer, GST_MAP_READ)) {
    gboolean ok = sl_classifier_sample (loaded->classifier, slot, &frame, stays, &error);

    gst_video_frame_unmap (&frame);
    job->sampling = gst_sl_stopwatch_read (&watch);
    if (ok) {
      sl_classifier_get_placement (loaded->classifier, job->frame.placement);
      GST_OBJECT_LOCK (self);
      priv->stats.copy_path = paths[sl_classifier_get_frame_path (loaded->classifier)];
      GST_OBJECT_UNLOCK (self);
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
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
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

GstSlLatePolicy
gst_sl_choose_policy (GstSlInfer *self)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  GstSlLatePolicy wanted;

  GST_OBJECT_LOCK (self);
  wanted = priv->settings.late_policy;
  GST_OBJECT_UNLOCK (self);
  return gst_sl_late_choose (&priv->late, wanted);
}

/* It is the turn of this picture: runs the network on it, has that done, or passes it over. */
static GstFlowReturn
take_turn (GstSlInfer *self, GstBuffer *buffer)
{
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);
  const GstSlLatePolicy policy = gst_sl_choose_policy (self);
  const gboolean waits = policy != GST_SL_LATE_LATEST;
  const GstSlLoaded *loaded;
  GstSlJob job = {.epoch = priv->epoch};
  GstFlowReturn flow;
  GstClockTime by;
  guint slot;

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
  if (slot == GST_SL_N_SLOTS)
    return GST_FLOW_FLUSHING;
  flow = sample (self, slot, buffer, waits, loaded, &job);
  if (flow != GST_FLOW_OK) {
    gst_sl_worker_release (&priv->worker, slot);
    return flow;
  }
  return waits ? gst_sl_worker_run (&priv->worker, slot, &job) : submit (self, slot, &job);
}

GstFlowReturn
gst_sl_look_at (GstSlInfer *self, GstBuffer *buffer)
{
  GstSlInferClass *klass = GST_SL_INFER_GET_CLASS (self);
  GstSlInferPrivate *priv = gst_sl_infer_get_private (self);

  if (!priv->have_info)
    return GST_FLOW_NOT_NEGOTIATED;
  if (gst_sl_worker_failed (&priv->worker))
    return GST_FLOW_ERROR;
  if (!count_frame (self, buffer) || (klass->wants && !klass->wants (self, buffer)))
    return GST_FLOW_OK;
  return take_turn (self, buffer);
}
