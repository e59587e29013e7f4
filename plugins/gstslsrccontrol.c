#include "gstslsrccontrol.h"

#include "gstslsrcchain.h"

GST_DEBUG_CATEGORY_EXTERN (gst_sl_src_debug);
#define GST_CAT_DEFAULT gst_sl_src_debug

static gint64
now (void)
{
  return g_get_monotonic_time ();
}

#define TO_US(time) ((gint64)((time) / GST_USECOND))

/* --- What streaming threads report --- */

static void
on_chain_failed (GstElement *chain, const GError *error, const gchar *debug, gpointer data)
{
  GstSlSrcControl *control = data;

  g_mutex_lock (&control->lock);
  /* The first complaint names the cause; those of a chain that is taken down name nothing. */
  if (chain == control->chain && !control->failure && !control->over) {
    control->failure = g_error_copy (error);
    control->failure_debug = g_strdup (debug);
    g_cond_signal (&control->changed);
  }
  g_mutex_unlock (&control->lock);
}

gboolean
gst_sl_src_control_on_switch (GstSlSrcSwitchEvent event, gpointer data)
{
  GstSlSrcControl *control = data;
  gboolean go_on;

  g_mutex_lock (&control->lock);
  control->first |= event == GST_SL_SRC_SWITCH_FIRST;
  control->eos |= event == GST_SL_SRC_SWITCH_EOS;
  control->flow |= event == GST_SL_SRC_SWITCH_FLOW;
  /* Sources that fail end the stream too; another try would then have nowhere to go. */
  go_on = !control->failure || control->settings.retry != GST_SL_SRC_RETRY_ALWAYS;
  g_cond_signal (&control->changed);
  g_mutex_unlock (&control->lock);
  return go_on;
}

/* --- Status --- */

const gchar *
gst_sl_src_status_get_nick (GstSlSrcStatus status)
{
  static const gchar *const nicks[] = {"stopped", "connecting", "running", "retrying"};

  return nicks[status];
}

GstSlSrcStatus
gst_sl_src_control_get_status (GstSlSrcControl *control)
{
  GstSlSrcStatus status;

  g_mutex_lock (&control->lock);
  status = control->status;
  g_mutex_unlock (&control->lock);
  return status;
}

GstStructure *
gst_sl_src_control_get_info (GstSlSrcControl *control)
{
  guint64 frames = gst_sl_src_switch_get_frames (control->output);
  GstClockTime wait = 0;
  guint attempt = 0;
  GstStructure *info;

  g_mutex_lock (&control->lock);
  if (control->status == GST_SL_SRC_RETRYING)
    attempt = control->retry.attempts;
  if (control->status == GST_SL_SRC_RETRYING && !control->chain)
    wait = (GstClockTime)MAX (0, control->retry_at - now ()) * GST_USECOND;
  info = gst_structure_new (
      "slsrc", "status", G_TYPE_STRING, gst_sl_src_status_get_nick (control->status), "reason",
      G_TYPE_STRING, control->reason, "error", G_TYPE_STRING, control->error ? control->error : "",
      "retries", G_TYPE_UINT64, control->retries, "attempt", G_TYPE_UINT, attempt, "retry-in",
      G_TYPE_UINT64, wait, "connects", G_TYPE_UINT64, control->connects, "frames", G_TYPE_UINT64,
      frames, NULL);
  g_mutex_unlock (&control->lock);
  return info;
}

/* With the lock, which it lets go of. */
static void
set_status (GstSlSrcControl *control, GstSlSrcStatus status, const gchar *reason)
{
  control->status = status;
  control->reason = reason;
  GST_INFO_OBJECT (control->bin, "%s, reason %s, last error: %s",
                   gst_sl_src_status_get_nick (status), reason,
                   control->error ? control->error : "none");
  g_mutex_unlock (&control->lock);
  control->status_changed (control->bin);
  g_mutex_lock (&control->lock);
}

/* --- Chains; all with the lock, which they let go of meanwhile --- */

static void
drop_chain (GstSlSrcControl *control)
{
  GstElement *chain = control->chain;

  if (!chain)
    return;
  control->chain = NULL; /* deaf from here on */
  g_mutex_unlock (&control->lock);
  gst_sl_src_switch_close (control->output);
  gst_element_set_state (chain, GST_STATE_NULL);
  gst_bin_remove (control->bin, chain);
  g_mutex_lock (&control->lock);
  control->first = control->eos = FALSE;
}

static void
open_chain (GstSlSrcControl *control)
{
  g_autoptr (GstPad) src = gst_element_get_static_pad (GST_ELEMENT (control->output), "src");
  g_autoptr (GstCaps) allowed = NULL;
  g_autoptr (GError) error = NULL;
  GstSlSrcChainSettings settings = {.location = &control->location,
                                    .live = control->live,
                                    .upright = control->settings.upright,
                                    .latency = control->settings.latency,
                                    .failed = on_chain_failed,
                                    .source_setup = control->source_setup,
                                    .data = control,
                                    .setup_data = control->bin};
  GstElement *chain;

  control->opened_at = now ();
  g_mutex_unlock (&control->lock);
  allowed = gst_pad_get_allowed_caps (src);
  if (!allowed)
    allowed = gst_pad_get_pad_template_caps (src);
  settings.allowed = allowed;
  chain = gst_sl_src_chain_new (&settings, &error);
  if (chain) {
    gst_element_set_locked_state (chain, TRUE);
    gst_bin_add (control->bin, chain);
    gst_sl_src_switch_open (control->output, control->location.kind == GST_SL_SRC_HTTP);
    gst_element_link (chain, GST_ELEMENT (control->output));
  }
  g_mutex_lock (&control->lock);
  control->chain = chain;
  control->state = GST_STATE_NULL;
  if (error && !control->failure)
    control->failure = g_error_copy (error);
}

/* The chain is locked, since its bin must neither wait nor fail for it. */
static void
follow_target (GstSlSrcControl *control)
{
  GstElement *element = GST_ELEMENT (control->bin), *chain = control->chain;
  GstState target = control->target;

  control->state = target;
  g_mutex_unlock (&control->lock);
  gst_element_set_base_time (chain, gst_element_get_base_time (element));
  gst_element_set_start_time (chain, gst_element_get_start_time (element));
  gst_element_set_state (chain, target);
  g_mutex_lock (&control->lock);
  control->opened_at = now ();
}

/* --- What to do about a loss --- */

/* Trying again would not help. */
static gboolean
is_final (const GstSlSrcControl *control, const GError *error)
{
  if (g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
      g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND) ||
      g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE))
    return TRUE;
  /* A wrong password; a server that starts may refuse the right one for a moment. */
  return control->connects == 0 &&
         g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED);
}

static gboolean
may_retry (GstSlSrcControl *control, const GError *error, GstClockTime *ret_delay)
{
  GstSlSrcRetryMode mode = control->settings.retry;

  if (mode == GST_SL_SRC_RETRY_NEVER || (mode == GST_SL_SRC_RETRY_AUTO && !control->live))
    return FALSE;
  if (is_final (control, error))
    return FALSE;
  control->retry.min = control->settings.retry_min;
  control->retry.max = control->settings.retry_max;
  control->retry.limit = control->settings.max_retries;
  return gst_sl_src_retry_next (&control->retry, ret_delay);
}

/* With the lock, which it lets go of. Comes last: an end may wait downstream for what is before it.
 */
static void
send_eos (GstSlSrcControl *control)
{
  g_mutex_unlock (&control->lock);
  gst_sl_src_switch_send_eos (control->output);
  g_mutex_lock (&control->lock);
}

/* With the lock, which it lets go of. */
static void
give_up (GstSlSrcControl *control, const GError *error, const gchar *debug, const gchar *reason)
{
  guint attempts = control->retry.attempts;
  g_autofree gchar *suffix =
      attempts > 0 ? g_strdup_printf (" (given up after %u attempts)", attempts) : g_strdup ("");
  gchar *text = g_strdup_printf ("%s: %s%s", control->location.shown, error->message, suffix);
  /* What a file's decoder still has goes out, and its own end behind it. */
  gboolean ends_itself = !control->live && control->settings.retry != GST_SL_SRC_RETRY_ALWAYS;

  control->over = TRUE;
  if (!ends_itself)
    drop_chain (control);
  g_mutex_unlock (&control->lock);
  gst_element_message_full (GST_ELEMENT (control->bin), GST_MESSAGE_ERROR, error->domain,
                            error->code, text, g_strdup (debug), __FILE__, G_STRFUNC, __LINE__);
  g_mutex_lock (&control->lock);
  set_status (control, GST_SL_SRC_STOPPED, reason);
  if (!ends_itself)
    send_eos (control);
}

/* With the lock, which it lets go of. */
static void
retry_later (GstSlSrcControl *control, const GError *error, const gchar *debug, const gchar *reason,
             GstClockTime delay)
{
  gboolean again = control->status == GST_SL_SRC_RETRYING;
  g_autofree gchar *card =
      g_strdup_printf ("No picture\n%s\n%s", control->location.shown, error->message);
  gboolean show = control->settings.card;

  control->retry_at = now () + TO_US (delay);
  g_mutex_unlock (&control->lock);
  /* Taking the chain down may take a while, and its last frames must not take the card down. */
  gst_sl_src_switch_close (control->output);
  gst_sl_src_switch_set_card (control->output, show ? card : NULL);
  if (!again) /* once an outage */
    gst_element_message_full (
        GST_ELEMENT (control->bin), GST_MESSAGE_WARNING, error->domain, error->code,
        g_strdup_printf ("%s: %s; trying again", control->location.shown, error->message),
        g_strdup (debug), __FILE__, G_STRFUNC, __LINE__);
  g_mutex_lock (&control->lock);
  drop_chain (control);
  set_status (control, GST_SL_SRC_RETRYING, reason);
}

/* With the lock, which it lets go of. Takes `error`. */
static void
handle_loss (GstSlSrcControl *control, const gchar *reason, GError *error)
{
  g_autoptr (GError) cause = error;
  g_autofree gchar *debug = g_steal_pointer (&control->failure_debug);
  GstFlowReturn flow = gst_sl_src_switch_get_flow (control->output);
  GstClockTime delay;

  control->eos = control->flow = FALSE;
  g_free (control->error);
  control->error = g_strdup (cause->message);
  if (control->status == GST_SL_SRC_RUNNING)
    gst_sl_src_retry_ran (&control->retry,
                          (GstClockTime)(now () - control->running_at) * GST_USECOND);
  /* Where downstream is to blame, another source would fare no better. */
  if ((flow != GST_FLOW_OK && flow != GST_FLOW_FLUSHING) || !may_retry (control, cause, &delay))
    give_up (control, cause, debug, reason);
  else
    retry_later (control, cause, debug, reason, delay);
}

static void
handle_eos (GstSlSrcControl *control)
{
  gboolean refused = gst_sl_src_switch_get_flow (control->output) == GST_FLOW_EOS;

  control->eos = FALSE;
  if (control->live && !refused) {
    handle_loss (
        control, "eos",
        g_error_new_literal (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "the stream has ended"));
    return;
  }
  if (control->live) { /* downstream wants no more */
    control->over = TRUE;
    drop_chain (control);
  }
  set_status (control, GST_SL_SRC_STOPPED, "eos");
  if (control->live)
    send_eos (control);
}

static void
handle_flow (GstSlSrcControl *control)
{
  GstFlowReturn flow = gst_sl_src_switch_get_flow (control->output);

  control->flow = FALSE;
  if (flow == GST_FLOW_EOS) {
    handle_eos (control);
    return;
  }
  handle_loss (control, "error",
               g_error_new (GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED,
                            "downstream does not take the pictures (%s)",
                            gst_flow_get_name (flow)));
}

static void
handle_first (GstSlSrcControl *control)
{
  control->first = FALSE;
  if (control->status == GST_SL_SRC_RUNNING)
    return;
  control->running_at = now ();
  control->connects++;
  set_status (control, GST_SL_SRC_RUNNING, "none");
}

/* When the chain is given up, if nothing comes; G_MAXINT64: never. In *ret_patience the setting. */
static gint64
get_deadline (GstSlSrcControl *control, GstClockTime *ret_patience)
{
  gboolean running = control->status == GST_SL_SRC_RUNNING;
  gint64 idle_since = gst_sl_src_switch_get_idle_since (control->output);
  GstClockTime patience = running ? control->settings.timeout : control->settings.connect_timeout;

  *ret_patience = patience;
  /* A frame that waits downstream is no loss, and in PAUSED nothing comes from live sources. */
  if (!control->live || patience == 0 || control->state != GST_STATE_PLAYING)
    return G_MAXINT64;
  return (idle_since < 0 ? now () : MAX (idle_since, control->opened_at)) + TO_US (patience);
}

static void
handle_timeout (GstSlSrcControl *control, GstClockTime patience)
{
  handle_loss (control, "timeout",
               g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "no picture for %.3g s",
                            (gdouble)patience / GST_SECOND));
}

/* --- The thread --- */

/* With the lock: waits until something is reported or due. */
static void
wait_until (GstSlSrcControl *control, gint64 time)
{
  if (time == G_MAXINT64)
    g_cond_wait (&control->changed, &control->lock);
  else
    g_cond_wait_until (&control->changed, &control->lock, time);
}

static void
step (GstSlSrcControl *control)
{
  GstClockTime patience;
  gint64 deadline;

  if (control->first)
    handle_first (control);
  else if (control->failure)
    handle_loss (control, "error", g_steal_pointer (&control->failure));
  else if (control->flow)
    handle_flow (control);
  else if (control->eos)
    handle_eos (control);
  else if (control->chain && control->state != control->target)
    follow_target (control);
  else if (control->chain && control->live) {
    deadline = get_deadline (control, &patience);
    if (deadline <= now ())
      handle_timeout (control, patience);
    else
      wait_until (control, deadline);
  } else if (control->chain || control->over)
    wait_until (control, G_MAXINT64);
  else if (control->retry_at > now ())
    wait_until (control, control->retry_at);
  else {
    control->retries += control->status == GST_SL_SRC_RETRYING;
    open_chain (control);
  }
}

static gpointer
run (gpointer data)
{
  GstSlSrcControl *control = data;

  g_mutex_lock (&control->lock);
  set_status (control, GST_SL_SRC_CONNECTING, "none");
  while (!control->stop)
    step (control);
  drop_chain (control);
  g_mutex_unlock (&control->lock);
  return NULL;
}

/* --- What the element calls --- */

void
gst_sl_src_control_init (GstSlSrcControl *control, GstBin *bin)
{
  control->bin = bin;
  control->reason = "none";
  g_mutex_init (&control->lock);
  g_cond_init (&control->changed);
  gst_sl_src_retry_init (&control->retry, g_random_int ());
}

void
gst_sl_src_control_clear (GstSlSrcControl *control)
{
  gst_sl_src_location_clear (&control->location);
  gst_sl_src_retry_clear (&control->retry);
  g_clear_error (&control->failure);
  g_clear_pointer (&control->failure_debug, g_free);
  g_clear_pointer (&control->error, g_free);
  g_cond_clear (&control->changed);
  g_mutex_clear (&control->lock);
}

gboolean
gst_sl_src_control_is_live (const GstSlSrcControl *control)
{
  return control->live;
}

gboolean
gst_sl_src_control_prepare (GstSlSrcControl *control, const gchar *location, GError **error)
{
  GstSlSrcLocation parsed;

  if (!gst_sl_src_location_parse (location, &parsed, error))
    return FALSE;
  gst_sl_src_location_clear (&control->location);
  control->location = parsed;
  g_mutex_lock (&control->lock);
  control->live = parsed.kind == GST_SL_SRC_CAMERA || parsed.kind == GST_SL_SRC_RTSP ||
                  (parsed.kind == GST_SL_SRC_HTTP && control->settings.is_live);
  control->target = GST_STATE_PAUSED;
  control->stop = control->over = control->first = control->eos = control->flow = FALSE;
  control->retry_at = 0;
  control->retries = control->connects = 0;
  g_clear_pointer (&control->error, g_free);
  gst_sl_src_retry_reset (&control->retry);
  gst_sl_src_switch_set_live (control->output, control->live,
                              parsed.kind == GST_SL_SRC_RTSP ? control->settings.latency : 0);
  g_mutex_unlock (&control->lock);
  return TRUE;
}

void
gst_sl_src_control_start (GstSlSrcControl *control)
{
  control->thread = g_thread_new ("slsrc", run, control);
}

void
gst_sl_src_control_set_target (GstSlSrcControl *control, GstState target)
{
  g_mutex_lock (&control->lock);
  control->target = target;
  g_cond_signal (&control->changed);
  g_mutex_unlock (&control->lock);
}

void
gst_sl_src_control_stop (GstSlSrcControl *control)
{
  if (!control->thread)
    return;
  g_mutex_lock (&control->lock);
  control->stop = TRUE;
  g_cond_signal (&control->changed);
  g_mutex_unlock (&control->lock);
  g_thread_join (g_steal_pointer (&control->thread));
  g_mutex_lock (&control->lock);
  g_clear_error (&control->failure);
  g_clear_pointer (&control->failure_debug, g_free);
  set_status (control, GST_SL_SRC_STOPPED, "none");
  g_mutex_unlock (&control->lock);
}
