#include "gstslresultssettings.h"

#define DEFAULT_FD -1
#define DEFAULT_EXISTING GST_SL_EXISTING_APPEND
#define DEFAULT_FORMAT GST_SL_FORMAT_AUTO
#define DEFAULT_EVERY_FRAME FALSE
#define DEFAULT_TOP_K 0
#define DEFAULT_WALL_CLOCK TRUE
#define DEFAULT_WAIT_FOR_READER FALSE
#define DEFAULT_CONTINUE_ON_ERROR TRUE
#define DEFAULT_MAX_BYTES (1024 * 1024)
#define DEFAULT_DRAIN_TIMEOUT (2 * GST_SECOND)
#define MAX_TOP_K 1000

enum {
  PROP_LOCATION,
  PROP_FD,
  PROP_EXISTING,
  PROP_FORMAT,
  PROP_SOURCE,
  PROP_PRODUCER,
  PROP_EVERY_FRAME,
  PROP_TOP_K,
  PROP_WALL_CLOCK,
  PROP_WAIT_FOR_READER,
  PROP_CONTINUE_ON_ERROR,
  PROP_MAX_BYTES,
  PROP_DRAIN_TIMEOUT,
  PROP_ENTER_SCORE,
  PROP_LEAVE_SCORE,
  PROP_HOLD,
  PROP_MIN_DURATION,
  N_PROPS
};

#define GST_TYPE_SL_RESULTS_FORMAT (gst_sl_results_format_get_type ())
static GType
gst_sl_results_format_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {GST_SL_FORMAT_AUTO, "By the suffix of location, else JSON Lines", "auto"},
      {SL_RESULT_TEXT, "Lines for people", "text"},
      {SL_RESULT_JSONL, "JSON Lines: an object a row", "jsonl"},
      {SL_RESULT_CSV, "Comma-separated values with a line of names", "csv"},
      {SL_RESULT_VTT, "WebVTT subtitles: when what is seen", "vtt"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstSlResultsFormat", values));
  return type;
}

#define GST_TYPE_SL_RESULTS_EXISTING (gst_sl_results_existing_get_type ())
static GType
gst_sl_results_existing_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {GST_SL_EXISTING_APPEND, "Add to it, if it holds rows of this kind; WebVTT: refuse",
       "append"},
      {GST_SL_EXISTING_REPLACE, "Replace it when the new one is whole: at EOS or stop", "replace"},
      {GST_SL_EXISTING_REFUSE, "An error", "refuse"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstSlResultsExisting", values));
  return type;
}

void
gst_sl_results_settings_init (GstSlResultsSettings *settings)
{
  *settings = (GstSlResultsSettings){
      .fd = DEFAULT_FD,
      .format = DEFAULT_FORMAT,
      .existing = DEFAULT_EXISTING,
      .every_frame = DEFAULT_EVERY_FRAME,
      .wall_clock = DEFAULT_WALL_CLOCK,
      .wait_for_reader = DEFAULT_WAIT_FOR_READER,
      .continue_on_error = DEFAULT_CONTINUE_ON_ERROR,
      .top_k = DEFAULT_TOP_K,
      .max_bytes = DEFAULT_MAX_BYTES,
      .drain_timeout = DEFAULT_DRAIN_TIMEOUT,
      .timeline = {SL_TIMELINE_ENTER, SL_TIMELINE_LEAVE, SL_TIMELINE_HOLD,
                   SL_TIMELINE_MIN_DURATION},
  };
}

void
gst_sl_results_settings_clear (GstSlResultsSettings *settings)
{
  g_free (settings->location);
  g_free (settings->source);
  g_free (settings->producer);
}

guint
gst_sl_results_settings_install (GObjectClass *klass, guint first)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags playing =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  GParamSpec *props[N_PROPS] = {
      [PROP_LOCATION] = g_param_spec_string (
          "location", "Location", "File for the rows; - is standard output (needed, or else fd)",
          NULL, ready),
      [PROP_FD] = g_param_spec_int ("fd", "File descriptor",
                                    "Descriptor for the rows, which stays open (-1: location)", -1,
                                    G_MAXINT, DEFAULT_FD, ready),
      [PROP_EXISTING] =
          g_param_spec_enum ("existing", "Existing file", "What becomes of a file that exists",
                             GST_TYPE_SL_RESULTS_EXISTING, DEFAULT_EXISTING, ready),
      [PROP_FORMAT] = g_param_spec_enum ("format", "Format", "What rows look like",
                                         GST_TYPE_SL_RESULTS_FORMAT, DEFAULT_FORMAT, ready),
      [PROP_SOURCE] =
          g_param_spec_string ("source", "Source",
                               "What rows call the source (unset: upstream's file or URI without "
                               "password, else this element's name)",
                               NULL, playing),
      [PROP_PRODUCER] =
          g_param_spec_string ("producer", "Producer",
                               "Name of the element whose results are written, which may be the "
                               "truth (unset: those of every network)",
                               NULL, playing),
      [PROP_EVERY_FRAME] = g_param_spec_boolean (
          "every-frame", "Every frame",
          "A row for each buffer that carries a result, not for each result (not for vtt)",
          DEFAULT_EVERY_FRAME, playing),
      [PROP_TOP_K] = g_param_spec_uint (
          "top-k", "Top K", "Most labels in a row (0: all; csv, where each has its columns: 5)", 0,
          MAX_TOP_K, DEFAULT_TOP_K, ready),
      [PROP_WALL_CLOCK] = g_param_spec_boolean (
          "wall-clock", "Wall clock",
          "Write the date and time too: when a live source recorded the frame, or when the frame "
          "of another source passed (not for vtt)",
          DEFAULT_WALL_CLOCK, ready),
      [PROP_WAIT_FOR_READER] = g_param_spec_boolean (
          "wait-for-reader", "Wait for reader",
          "Let the stream wait where the queue is full, instead of leaving rows out; for a file "
          "and a stream that is not live that is always so",
          DEFAULT_WAIT_FOR_READER, playing),
      [PROP_CONTINUE_ON_ERROR] = g_param_spec_boolean (
          "continue-on-error", "Continue on error",
          "If rows cannot be written (disk full, reader gone): warn and let the stream go on; "
          "false: an error",
          DEFAULT_CONTINUE_ON_ERROR, playing),
      [PROP_MAX_BYTES] =
          g_param_spec_uint ("max-size-bytes", "Most bytes", "Room in the queue for rows that wait",
                             0, G_MAXUINT, DEFAULT_MAX_BYTES, ready),
      [PROP_DRAIN_TIMEOUT] = g_param_spec_uint64 (
          "drain-timeout", "Drain timeout",
          "How long, in ns, a reader who takes nothing can hold up EOS and stop", 0,
          G_MAXINT64 / 1000, DEFAULT_DRAIN_TIMEOUT, playing),
      [PROP_ENTER_SCORE] = g_param_spec_float (
          "enter-score", "Enter score", "vtt: a class is seen once it is the best with this score",
          0, 1, SL_TIMELINE_ENTER, ready),
      [PROP_LEAVE_SCORE] = g_param_spec_float (
          "leave-score", "Leave score",
          "vtt: and until its score is below this one, or another class is seen", 0, 1,
          SL_TIMELINE_LEAVE, ready),
      [PROP_HOLD] = g_param_spec_uint64 (
          "hold", "Hold", "vtt: what contradicts for less than this time, in ns, is flicker", 0,
          G_MAXUINT64, SL_TIMELINE_HOLD, ready),
      [PROP_MIN_DURATION] = g_param_spec_uint64 ("min-duration", "Least duration",
                                                 "vtt: shorter cues, in ns, are left out", 0,
                                                 G_MAXINT64, SL_TIMELINE_MIN_DURATION, ready),
  };

  for (guint i = 0; i < N_PROPS; i++)
    g_object_class_install_property (klass, first + i, props[i]);
  gst_type_mark_as_plugin_api (GST_TYPE_SL_RESULTS_FORMAT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_SL_RESULTS_EXISTING, 0);
  return first + N_PROPS;
}

static void
replace_string (gchar **field, const GValue *value)
{
  const gchar *text = g_value_get_string (value);

  g_free (*field);
  *field = g_strdup (text && *text ? text : NULL);
}

gboolean
gst_sl_results_settings_set (GstSlResultsSettings *settings, guint which, const GValue *value)
{
  switch (which) {
  case PROP_LOCATION:
    replace_string (&settings->location, value);
    break;
  case PROP_FD:
    settings->fd = g_value_get_int (value);
    break;
  case PROP_EXISTING:
    settings->existing = g_value_get_enum (value);
    break;
  case PROP_FORMAT:
    settings->format = g_value_get_enum (value);
    break;
  case PROP_SOURCE:
    replace_string (&settings->source, value);
    break;
  case PROP_PRODUCER:
    replace_string (&settings->producer, value);
    break;
  case PROP_EVERY_FRAME:
    settings->every_frame = g_value_get_boolean (value);
    break;
  case PROP_TOP_K:
    settings->top_k = g_value_get_uint (value);
    break;
  case PROP_WALL_CLOCK:
    settings->wall_clock = g_value_get_boolean (value);
    break;
  case PROP_WAIT_FOR_READER:
    settings->wait_for_reader = g_value_get_boolean (value);
    break;
  case PROP_CONTINUE_ON_ERROR:
    settings->continue_on_error = g_value_get_boolean (value);
    break;
  case PROP_MAX_BYTES:
    settings->max_bytes = g_value_get_uint (value);
    break;
  case PROP_DRAIN_TIMEOUT:
    settings->drain_timeout = g_value_get_uint64 (value);
    break;
  case PROP_ENTER_SCORE:
    settings->timeline.enter = g_value_get_float (value);
    break;
  case PROP_LEAVE_SCORE:
    settings->timeline.leave = g_value_get_float (value);
    break;
  case PROP_HOLD:
    settings->timeline.hold = g_value_get_uint64 (value);
    break;
  case PROP_MIN_DURATION:
    settings->timeline.min_duration = g_value_get_uint64 (value);
    break;
  default:
    return FALSE;
  }
  return TRUE;
}

gboolean
gst_sl_results_settings_get (const GstSlResultsSettings *settings, guint which, GValue *value)
{
  switch (which) {
  case PROP_LOCATION:
    g_value_set_string (value, settings->location);
    break;
  case PROP_FD:
    g_value_set_int (value, settings->fd);
    break;
  case PROP_EXISTING:
    g_value_set_enum (value, settings->existing);
    break;
  case PROP_FORMAT:
    g_value_set_enum (value, settings->format);
    break;
  case PROP_SOURCE:
    g_value_set_string (value, settings->source);
    break;
  case PROP_PRODUCER:
    g_value_set_string (value, settings->producer);
    break;
  case PROP_EVERY_FRAME:
    g_value_set_boolean (value, settings->every_frame);
    break;
  case PROP_TOP_K:
    g_value_set_uint (value, settings->top_k);
    break;
  case PROP_WALL_CLOCK:
    g_value_set_boolean (value, settings->wall_clock);
    break;
  case PROP_WAIT_FOR_READER:
    g_value_set_boolean (value, settings->wait_for_reader);
    break;
  case PROP_CONTINUE_ON_ERROR:
    g_value_set_boolean (value, settings->continue_on_error);
    break;
  case PROP_MAX_BYTES:
    g_value_set_uint (value, settings->max_bytes);
    break;
  case PROP_DRAIN_TIMEOUT:
    g_value_set_uint64 (value, settings->drain_timeout);
    break;
  case PROP_ENTER_SCORE:
    g_value_set_float (value, settings->timeline.enter);
    break;
  case PROP_LEAVE_SCORE:
    g_value_set_float (value, settings->timeline.leave);
    break;
  case PROP_HOLD:
    g_value_set_uint64 (value, settings->timeline.hold);
    break;
  case PROP_MIN_DURATION:
    g_value_set_uint64 (value, settings->timeline.min_duration);
    break;
  default:
    return FALSE;
  }
  return TRUE;
}
