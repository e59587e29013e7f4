/**
 * SECTION:element-slsrc
 * @title: slsrc
 *
 * Raw video from files, HTTP, RTSP and cameras, as it is decoded: nothing is converted. Sound and
 * other streams are left aside.
 *
 * Cameras, RTSP and, with #GstSlSrc:is-live, HTTP are live. A live source that fails, ends or
 * stands still is taken down and opened again, ever less often, and meanwhile a card takes its
 * place, with the reason on it; the stream goes on in one segment, and its timestamps never go
 * back. #GstSlSrc:status tells what goes on; each change is notified and posted as an element
 * message `slsrc` with the fields of #GstSlSrc:status-info. Nothing of this needs a main loop.
 *
 * Files end when they end, and their errors are errors. Seeks reach them.
 *
 * Rotation that a file or a camera asks for stays a tag on the stream, which the analysing elements
 * honour; with orientation=upright the pixels are turned.
 *
 * ## Launch lines
 * |[
 * gst-launch-1.0 slsrc location=clip.mkv ! slclassify model-file=scenes.onnx ! fakesink
 * ]| classifies every frame of a clip.
 * |[
 * gst-launch-1.0 slsrc location=clip.mkv orientation=upright ! videoconvert ! autovideosink
 * ]| plays it, upright.
 *
 * A camera and a server, which go on until they are stopped:
 * |[
 * slsrc location=camera:0 ! slclassify ! sloverlay ! videoconvert ! autovideosink
 * slsrc location=rtsp://camera.lan/stream retry-max=10000000000 ! slclassify ! fakesink
 * slsrc location=camera:c920 ! video/x-raw,width=640,height=480,framerate=30/1 ! fakesink
 * ]|
 *
 * Since: 0.2
 */
#include "gstslsrc.h"

#include "gstslsrccontrol.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY (gst_sl_src_debug);
#define GST_CAT_DEFAULT gst_sl_src_debug

typedef enum { ORIENTATION_TAG, ORIENTATION_UPRIGHT } Orientation;
typedef enum { FALLBACK_NONE, FALLBACK_CARD } Fallback;

#define DEFAULT_IS_LIVE FALSE
#define DEFAULT_LATENCY (200 * GST_MSECOND)
#define DEFAULT_ORIENTATION ORIENTATION_TAG
#define DEFAULT_RETRY GST_SL_SRC_RETRY_AUTO
#define DEFAULT_MAX_RETRIES (-1)
#define DEFAULT_RETRY_MIN (500 * GST_MSECOND)
#define DEFAULT_RETRY_MAX (30 * GST_SECOND)
#define DEFAULT_TIMEOUT (10 * GST_SECOND)
#define DEFAULT_CONNECT_TIMEOUT (30 * GST_SECOND)
#define DEFAULT_FALLBACK FALLBACK_CARD
#define MAX_TIME (G_MAXINT64 / 4) /* sums of a few do not overflow */

enum {
  PROP_0,
  PROP_LOCATION,
  PROP_IS_LIVE,
  PROP_LATENCY,
  PROP_ORIENTATION,
  PROP_RETRY,
  PROP_MAX_RETRIES,
  PROP_RETRY_MIN,
  PROP_RETRY_MAX,
  PROP_TIMEOUT,
  PROP_CONNECT_TIMEOUT,
  PROP_FALLBACK,
  PROP_STATUS,
  PROP_STATUS_INFO,
  N_PROPS
};

enum { SIGNAL_SOURCE_SETUP, N_SIGNALS };

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

struct _GstSlSrc {
  GstBin parent;

  gchar *location; /* under the object lock */
  GstSlSrcControl control;
};

G_DEFINE_TYPE_WITH_CODE (GstSlSrc, gst_sl_src, GST_TYPE_BIN,
                         GST_DEBUG_CATEGORY_INIT (gst_sl_src_debug, "slsrc", 0,
                                                  "video from files, servers and cameras"))
GST_ELEMENT_REGISTER_DEFINE (slsrc, "slsrc", GST_RANK_NONE, GST_TYPE_SL_SRC)

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                             GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL)));

/* --- Types of properties --- */

#define DEFINE_ENUM(Type, name, ...)                                    \
  static GType gst_sl_src_##name##_get_type (void)                      \
  {                                                                     \
    static GType type;                                                  \
    static const GEnumValue values[] = {__VA_ARGS__, {0, NULL, NULL}};  \
    if (g_once_init_enter (&type))                                      \
      g_once_init_leave (&type, g_enum_register_static (Type, values)); \
    return type;                                                        \
  }

DEFINE_ENUM ("GstSlSrcOrientation", orientation,
             {ORIENTATION_TAG, "Pictures stay as they are, with the tag on the stream", "tag"},
             {ORIENTATION_UPRIGHT, "Pictures are turned as the tag says", "upright"})

DEFINE_ENUM ("GstSlSrcRetry", retry,
             {GST_SL_SRC_RETRY_AUTO, "Live sources are opened again", "auto"},
             {GST_SL_SRC_RETRY_NEVER, "The first failure is an error", "never"},
             {GST_SL_SRC_RETRY_ALWAYS, "Files too, from their start", "always"})

DEFINE_ENUM ("GstSlSrcFallback", fallback, {FALLBACK_NONE, "No frames", "none"},
             {FALLBACK_CARD, "A card that says why there is no picture", "card"})

DEFINE_ENUM ("GstSlSrcStatus", status, {GST_SL_SRC_STOPPED, "Not running, or ended", "stopped"},
             {GST_SL_SRC_CONNECTING, "No frame yet", "connecting"},
             {GST_SL_SRC_RUNNING, "Frames flow", "running"},
             {GST_SL_SRC_RETRYING, "Lost, and opened again and again", "retrying"})

/* --- Properties --- */

/* Where a property's value is in the settings; NULL: elsewhere. */
static GstClockTime *
find_time (GstSlSrcSettings *settings, guint id)
{
  switch (id) {
  case PROP_LATENCY:
    return &settings->latency;
  case PROP_RETRY_MIN:
    return &settings->retry_min;
  case PROP_RETRY_MAX:
    return &settings->retry_max;
  case PROP_TIMEOUT:
    return &settings->timeout;
  case PROP_CONNECT_TIMEOUT:
    return &settings->connect_timeout;
  default:
    return NULL;
  }
}

static void
set_setting (GstSlSrcSettings *settings, guint id, const GValue *value)
{
  GstClockTime *time = find_time (settings, id);

  if (time)
    *time = g_value_get_uint64 (value);
  else if (id == PROP_IS_LIVE)
    settings->is_live = g_value_get_boolean (value);
  else if (id == PROP_ORIENTATION)
    settings->upright = g_value_get_enum (value) == ORIENTATION_UPRIGHT;
  else if (id == PROP_RETRY)
    settings->retry = g_value_get_enum (value);
  else if (id == PROP_MAX_RETRIES)
    settings->max_retries = g_value_get_int (value);
  else if (id == PROP_FALLBACK)
    settings->card = g_value_get_enum (value) == FALLBACK_CARD;
}

static void
get_setting (GstSlSrcSettings *settings, guint id, GValue *value)
{
  GstClockTime *time = find_time (settings, id);

  if (time)
    g_value_set_uint64 (value, *time);
  else if (id == PROP_IS_LIVE)
    g_value_set_boolean (value, settings->is_live);
  else if (id == PROP_ORIENTATION)
    g_value_set_enum (value, settings->upright ? ORIENTATION_UPRIGHT : ORIENTATION_TAG);
  else if (id == PROP_RETRY)
    g_value_set_enum (value, settings->retry);
  else if (id == PROP_MAX_RETRIES)
    g_value_set_int (value, settings->max_retries);
  else if (id == PROP_FALLBACK)
    g_value_set_enum (value, settings->card ? FALLBACK_CARD : FALLBACK_NONE);
}

static void
gst_sl_src_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSlSrc *self = GST_SL_SRC (object);

  if (id == PROP_LOCATION) {
    GST_OBJECT_LOCK (self);
    g_free (self->location);
    self->location = g_value_dup_string (value);
    GST_OBJECT_UNLOCK (self);
  } else if (id > PROP_LOCATION && id < PROP_STATUS) {
    g_mutex_lock (&self->control.lock);
    set_setting (&self->control.settings, id, value);
    g_cond_signal (&self->control.changed); /* a deadline may be another now */
    g_mutex_unlock (&self->control.lock);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
gst_sl_src_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSlSrc *self = GST_SL_SRC (object);

  if (id == PROP_LOCATION) {
    GST_OBJECT_LOCK (self);
    g_value_set_string (value, self->location);
    GST_OBJECT_UNLOCK (self);
  } else if (id == PROP_STATUS) {
    g_value_set_enum (value, gst_sl_src_control_get_status (&self->control));
  } else if (id == PROP_STATUS_INFO) {
    g_value_take_boxed (value, gst_sl_src_control_get_info (&self->control));
  } else if (id > PROP_LOCATION && id < PROP_STATUS) {
    g_mutex_lock (&self->control.lock);
    get_setting (&self->control.settings, id, value);
    g_mutex_unlock (&self->control.lock);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

/* --- States --- */

static void
on_status_changed (GstBin *bin)
{
  GstSlSrc *self = GST_SL_SRC (bin);

  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATUS]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATUS_INFO]);
  gst_element_post_message (
      GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), gst_sl_src_control_get_info (&self->control)));
}

static void
on_source_setup (GstElement *source, gpointer bin)
{
  g_signal_emit (bin, signals[SIGNAL_SOURCE_SETUP], 0, source);
}

static gboolean
prepare (GstSlSrc *self)
{
  g_autofree gchar *location = NULL;
  g_autoptr (GError) error = NULL;

  GST_OBJECT_LOCK (self);
  location = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);
  if (gst_sl_src_control_prepare (&self->control, location, &error))
    return TRUE;
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, error->domain, error->code,
                            g_strdup (error->message), NULL, __FILE__, G_STRFUNC, __LINE__);
  return FALSE;
}

static GstStateChangeReturn
gst_sl_src_change_state (GstElement *element, GstStateChange transition)
{
  GstSlSrc *self = GST_SL_SRC (element);
  GstSlSrcControl *control = &self->control;
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !prepare (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    gst_sl_src_control_set_target (control, GST_STATE_PAUSED);
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_sl_src_control_stop (control);

  ret = GST_ELEMENT_CLASS (gst_sl_src_parent_class)->change_state (element, transition);
  /* The control thread may be changing the chain's state, which a bin takes for asynchronous. */
  if (ret == GST_STATE_CHANGE_ASYNC)
    ret = GST_STATE_CHANGE_SUCCESS;
  if (ret == GST_STATE_CHANGE_FAILURE)
    return ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    gst_sl_src_control_start (control);
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    gst_sl_src_control_set_target (control, GST_STATE_PLAYING);
  if (control->live && GST_STATE_TRANSITION_NEXT (transition) == GST_STATE_PAUSED)
    return GST_STATE_CHANGE_NO_PREROLL;
  return ret;
}

static void
gst_sl_src_finalize (GObject *object)
{
  GstSlSrc *self = GST_SL_SRC (object);

  g_free (self->location);
  gst_sl_src_control_clear (&self->control);
  G_OBJECT_CLASS (gst_sl_src_parent_class)->finalize (object);
}

/* --- Class --- */

#define READY (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define PLAYING (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)
#define READ_ONLY (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
install_source_properties (void)
{
  properties[PROP_LOCATION] =
      g_param_spec_string ("location", "Location",
                           "Path, file://, http://, https://, rtsp://, camera:NUMBER (the first is "
                           "0) or camera:NAME (a part of its name)",
                           NULL, READY);
  properties[PROP_IS_LIVE] = g_param_spec_boolean (
      "is-live", "Is live",
      "HTTP is a camera: live, opened again when it fails or ends (cameras and RTSP always are)",
      DEFAULT_IS_LIVE, READY);
  properties[PROP_LATENCY] = g_param_spec_uint64 (
      "latency", "Latency", "How long RTSP packets are kept back against jitter (ns)", 0, MAX_TIME,
      DEFAULT_LATENCY, READY);
  properties[PROP_ORIENTATION] = g_param_spec_enum (
      "orientation", "Orientation",
      "What becomes of rotation that the stream asks for (image-orientation tag)",
      gst_sl_src_orientation_get_type (), DEFAULT_ORIENTATION, READY);
  properties[PROP_FALLBACK] =
      g_param_spec_enum ("fallback", "Fallback", "What goes downstream while a live source is lost",
                         gst_sl_src_fallback_get_type (), DEFAULT_FALLBACK, PLAYING);
}

static void
install_retry_properties (void)
{
  properties[PROP_RETRY] =
      g_param_spec_enum ("retry", "Retry", "Which sources are opened again when they are lost",
                         gst_sl_src_retry_get_type (), DEFAULT_RETRY, PLAYING);
  properties[PROP_MAX_RETRIES] = g_param_spec_int (
      "max-retries", "Most retries", "Attempts in a row before a loss is an error (-1: no end)", -1,
      G_MAXINT, DEFAULT_MAX_RETRIES, PLAYING);
  properties[PROP_RETRY_MIN] = g_param_spec_uint64 (
      "retry-min", "Shortest delay",
      "Before the first attempt (ns); each further one waits twice as long, less up to a half at "
      "random",
      0, MAX_TIME, DEFAULT_RETRY_MIN, PLAYING);
  properties[PROP_RETRY_MAX] =
      g_param_spec_uint64 ("retry-max", "Longest delay", "Between attempts (ns)", 0, MAX_TIME,
                           DEFAULT_RETRY_MAX, PLAYING);
  properties[PROP_TIMEOUT] = g_param_spec_uint64 (
      "timeout", "Timeout", "A live source that gives no frame for so long is lost (ns; 0: never)",
      0, MAX_TIME, DEFAULT_TIMEOUT, PLAYING);
  properties[PROP_CONNECT_TIMEOUT] = g_param_spec_uint64 (
      "connect-timeout", "Connect timeout",
      "A live source has so long until its first frame, keyframe included (ns; 0: for ever)", 0,
      MAX_TIME, DEFAULT_CONNECT_TIMEOUT, PLAYING);
  properties[PROP_STATUS] =
      g_param_spec_enum ("status", "Status", "What the source does", gst_sl_src_status_get_type (),
                         GST_SL_SRC_STOPPED, READ_ONLY);
  properties[PROP_STATUS_INFO] = g_param_spec_boxed (
      "status-info", "Status in detail",
      "status; reason (none, error, eos, timeout) and last error; retries so far, attempt in this "
      "outage, retry-in (ns); connects; frames",
      GST_TYPE_STRUCTURE, READ_ONLY);
}

static void
gst_sl_src_class_init (GstSlSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = gst_sl_src_set_property;
  object_class->get_property = gst_sl_src_get_property;
  object_class->finalize = gst_sl_src_finalize;
  element_class->change_state = gst_sl_src_change_state;

  install_source_properties ();
  install_retry_properties ();
  g_object_class_install_properties (object_class, N_PROPS, properties);

  /**
   * GstSlSrc::source-setup:
   * @src: the slsrc
   * @source: an element that was just made: rtspsrc, souphttpsrc, filesrc, v4l2src …
   *
   * For settings that slsrc has no property for. Emitted for each attempt, not in the
   * application's thread.
   */
  signals[SIGNAL_SOURCE_SETUP] =
      g_signal_new ("source-setup", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, GST_TYPE_ELEMENT);

  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (
      element_class, "Video source", "Source/Network/Video",
      "Raw video from files, HTTP, RTSP and cameras; comes back when a live source is lost",
      "Sightline");
  gst_element_class_add_metadata (element_class, "example",
                                  "gst-launch-1.0 slsrc location=clip.mkv ! slclassify ! fakesink");
  gst_type_mark_as_plugin_api (gst_sl_src_orientation_get_type (), 0);
  gst_type_mark_as_plugin_api (gst_sl_src_retry_get_type (), 0);
  gst_type_mark_as_plugin_api (gst_sl_src_fallback_get_type (), 0);
  gst_type_mark_as_plugin_api (gst_sl_src_status_get_type (), 0);
}

static void
gst_sl_src_init (GstSlSrc *self)
{
  GstSlSrcControl *control = &self->control;
  g_autoptr (GstPadTemplate) template = gst_static_pad_template_get (&src_template);
  g_autoptr (GstPad) pad = NULL;

  gst_sl_src_control_init (control, GST_BIN (self));
  control->settings = (GstSlSrcSettings){.is_live = DEFAULT_IS_LIVE,
                                         .upright = DEFAULT_ORIENTATION == ORIENTATION_UPRIGHT,
                                         .card = DEFAULT_FALLBACK == FALLBACK_CARD,
                                         .retry = DEFAULT_RETRY,
                                         .max_retries = DEFAULT_MAX_RETRIES,
                                         .retry_min = DEFAULT_RETRY_MIN,
                                         .retry_max = DEFAULT_RETRY_MAX,
                                         .timeout = DEFAULT_TIMEOUT,
                                         .connect_timeout = DEFAULT_CONNECT_TIMEOUT,
                                         .latency = DEFAULT_LATENCY};
  control->status_changed = on_status_changed;
  control->source_setup = on_source_setup;
  control->output = gst_sl_src_switch_new (gst_sl_src_control_on_switch, control);
  gst_bin_add (GST_BIN (self), GST_ELEMENT (control->output));

  pad = gst_element_get_static_pad (GST_ELEMENT (control->output), "src");
  gst_element_add_pad (GST_ELEMENT (self), gst_ghost_pad_new_from_template ("src", pad, template));
  gst_bin_set_suppressed_flags (GST_BIN (self), GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
}
