/**
 * SECTION:element-slresults
 * @title: slresults
 *
 * Writes what buffers carry as #SlLabelMeta and #SlGeometryMeta (from slclassify, slheatmap,
 * sltestsrc) as text, while the buffers pass through as they are: JSON Lines, CSV, lines for
 * people, or WebVTT subtitles of what is seen when. Any stream will do, encoded video too, if its
 * elements keep metas.
 *
 * ## Launch lines
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! slclassify model-file=scenes.onnx \
 *   ! slresults location=seen.jsonl ! fakesink
 * ]| adds a line for each frame to a file, which `tail -f` can follow.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! slclassify model-file=scenes.onnx interval=10 \
 *   ! slresults location=- format=text every-frame=true wall-clock=false ! fakesink
 * ]| says what is known of every frame on standard output.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=90 ! slclassify model-file=scenes.onnx \
 *   ! slresults location=seen.vtt existing=replace enter-score=0.1 leave-score=0.05 ! fakesink
 * ]| makes subtitles for the footage, here of weak scores too.
 *
 * ## Rows
 * A result makes one row, however many buffers repeat it: source, number and stream time of the
 * frame that was looked at, labels, hash of the model; wall clock, producer, and boxes if there
 * are; and its age if it came later than with that frame. With #slresults:every-frame each buffer
 * that carries a result makes a row about itself, with the age of what is said.
 *
 * The wall clock tells when a live source recorded the frame (by its timestamp and the pipeline's
 * clock), and of other sources when the frame passed here.
 *
 * WebVTT has a cue for each time that a class is seen: it enters when it is the best of a frame at
 * #slresults:enter-score or more, stays down to #slresults:leave-score while no other one enters,
 * and only ends if that lasts for #slresults:hold. It tells one producer's story: the named one's,
 * or the first network's that is heard.
 *
 * ## The video comes first
 * A thread of its own writes. A pipe whose reader is slow gets as many rows as it takes; what finds
 * no room in the queue is left out, with a warning and counted in #slresults:stats. EOS passes when
 * all rows before it are written.
 *
 * Since: 0.1
 */
#include "gstslresults.h"

#include "gstslresultssettings.h"
#include "gstslrowmaker.h"
#include "gstslrowwriter.h"

#include <sightline-gst/result-event.h>

GST_DEBUG_CATEGORY_STATIC (gst_sl_results_debug);
#define GST_CAT_DEFAULT gst_sl_results_debug

#define CSV_LABELS 5 /* room in a row, unless told */

enum { PROP_0, PROP_STATS, PROP_SETTINGS };

struct _GstSlResults {
  GstBaseTransform parent;

  /* Under the object lock. */
  GstSlResultsSettings settings;
  GstSlRowWriter *writer; /* from start to stop, which alone set it */
  GstSlRowStats stats;    /* while there is no writer: the last one's */

  /* Set by start. */
  GstSlRowMaker *maker; /* the streaming thread's */
  gchar *output_name;
  gboolean output_is_file;

  gboolean told_refused; /* the streaming thread's: the warning was given */
  gint failed;           /* atomic: an error was posted */
};

G_DEFINE_TYPE (GstSlResults, gst_sl_results, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (slresults, "slresults", GST_RANK_NONE, GST_TYPE_SL_RESULTS)

/* --- Rows --- */

/* Whoever waits for every row should hear of it; whoever shows the video should go on. */
static void
report_lost (GstSlResults *self)
{
  if (self->told_refused)
    return;
  self->told_refused = TRUE;
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
                       ("%s is slower than the stream, so rows are left out.", self->output_name),
                       ("see the property stats; wait-for-reader=true would let the stream wait"));
}

/* GstSlRowErrorFunc, in any thread */
static void
report_error (gpointer data, const GError *error)
{
  GstSlResults *self = data;
  gboolean goes_on;

  GST_OBJECT_LOCK (self);
  goes_on = self->settings.continue_on_error;
  GST_OBJECT_UNLOCK (self);
  if (!goes_on)
    g_atomic_int_set (&self->failed, TRUE);
  gst_element_message_full (GST_ELEMENT (self), goes_on ? GST_MESSAGE_WARNING : GST_MESSAGE_ERROR,
                            error->domain, error->code, g_strdup (error->message),
                            g_strdup (goes_on ? "the video goes on" : NULL), __FILE__, G_STRFUNC,
                            __LINE__);
}

/* GstSlRowFunc. A live stream waits for nobody; one from a file waits for a disk, which is never
 * slow for long, but not for a reader of whom nothing is known. */
static void
push_row (gpointer data, const GString *row)
{
  GstSlResults *self = data;
  gboolean wait;

  GST_OBJECT_LOCK (self);
  wait = self->settings.wait_for_reader;
  GST_OBJECT_UNLOCK (self);
  wait = wait || (self->output_is_file && !gst_sl_row_maker_is_live (self->maker));
  if (!gst_sl_row_writer_push (self->writer, row, wait))
    report_lost (self);
}

static void
take_buffer (GstSlResults *self, GstBuffer *buffer, gboolean alone)
{
  g_autofree gchar *source = NULL, *producer = NULL;
  GstSlRowWishes wishes;

  GST_OBJECT_LOCK (self);
  source = g_strdup (self->settings.source);
  producer = g_strdup (self->settings.producer);
  wishes = (GstSlRowWishes){source, producer, self->settings.every_frame};
  GST_OBJECT_UNLOCK (self);
  gst_sl_row_maker_take (self->maker, &wishes, &GST_BASE_TRANSFORM (self)->segment, buffer, alone);
}

/* Waits until all is written. */
static void
drain (GstSlResults *self)
{
  GstSlRowStats before, after;
  GstClockTime timeout;

  GST_OBJECT_LOCK (self);
  timeout = self->settings.drain_timeout;
  GST_OBJECT_UNLOCK (self);
  gst_sl_row_writer_get_stats (self->writer, &before);
  gst_sl_row_writer_drain (self->writer, timeout);
  gst_sl_row_writer_get_stats (self->writer, &after);
  /* What an error left out is told already. */
  if (after.refused > before.refused && after.errors == before.errors)
    report_lost (self);
}

/* --- The stream --- */

static GstFlowReturn
gst_sl_results_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstSlResults *self = GST_SL_RESULTS (trans);

  if (g_atomic_int_get (&self->failed))
    return GST_FLOW_ERROR;
  take_buffer (self, buffer, FALSE);
  return GST_FLOW_OK;
}

static void
set_flushing (GstSlResults *self, gboolean flushing)
{
  GST_OBJECT_LOCK (self);
  if (self->writer)
    gst_sl_row_writer_set_flushing (self->writer, flushing);
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_sl_results_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstSlResults *self = GST_SL_RESULTS (trans);
  GstBuffer *buffer;

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_START:
    set_flushing (self, TRUE);
    break;
  case GST_EVENT_FLUSH_STOP:
    set_flushing (self, FALSE);
    gst_sl_row_maker_finish (self->maker);
    gst_sl_row_maker_reset (self->maker);
    break;
  case GST_EVENT_STREAM_START:
    gst_sl_row_maker_finish (self->maker);
    gst_sl_row_maker_reset (self->maker);
    break;
  case GST_EVENT_SEGMENT:
    gst_sl_row_maker_ask_again (self->maker);
    break;
  case GST_EVENT_CUSTOM_DOWNSTREAM:
    buffer = sl_result_event_get_buffer (event);
    if (buffer)
      take_buffer (self, buffer, TRUE);
    break;
  case GST_EVENT_EOS:
    gst_sl_row_maker_finish (self->maker);
    drain (self);
    break;
  default:
    break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_sl_results_parent_class)->sink_event (trans, event);
}

/* --- Start and stop --- */

static SlResultFormat
choose_format (const GstSlResultsSettings *settings)
{
  SlResultFormat format = SL_RESULT_JSONL;

  if (settings->format != GST_SL_FORMAT_AUTO)
    return (SlResultFormat)settings->format;
  sl_result_format_from_path (settings->location, &format);
  return format;
}

static SlResultLayout
choose_layout (const GstSlResultsSettings *settings)
{
  SlResultLayout layout = {
      .format = choose_format (settings),
      .labels = settings->top_k,
      .columns = SL_RESULT_COLUMN_PRODUCER | SL_RESULT_COLUMN_AGE,
  };

  if (settings->wall_clock)
    layout.columns |= SL_RESULT_COLUMN_TIME;
  if (layout.labels == 0)
    layout.labels = layout.format == SL_RESULT_CSV ? CSV_LABELS : G_MAXUINT;
  return layout;
}

/* NULL, after an error message. */
static GstSlRowWriter *
open_writer (GstSlResults *self, const GstSlResultsSettings *settings, const SlResultLayout *layout)
{
  static const gchar *const names[] = {"text", "JSON Lines", "CSV", "WebVTT"};
  g_autoptr (GString) header = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  GstSlRowWriter *writer = NULL;
  const gchar *start = NULL;
  GstSlOutput *output;

  sl_result_append_header (header, layout);
  GstSlOutputSettings output_settings = {
      .location = settings->location,
      .fd = settings->fd,
      .existing = settings->existing,
      .format = names[layout->format],
      .begins_with = layout->format == SL_RESULT_JSONL ? "{" : header->str,
      .continuable = layout->format != SL_RESULT_VTT,
  };
  output = gst_sl_output_open (&output_settings, &start, &error);
  if (output) {
    self->output_name = g_strdup (gst_sl_output_get_name (output));
    self->output_is_file = gst_sl_output_is_file (output);
    writer = gst_sl_row_writer_new (output, settings->max_bytes, report_error, self, &error);
  }
  if (!writer) {
    gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, error->domain, error->code,
                              g_strdup (error->message), NULL, __FILE__, G_STRFUNC, __LINE__);
    return NULL;
  }
  gst_sl_row_writer_begin (writer, start ? start : header->str);
  return writer;
}

static gboolean
gst_sl_results_start (GstBaseTransform *trans)
{
  GstSlResults *self = GST_SL_RESULTS (trans);
  GstSlRowWriter *writer;
  SlResultLayout layout;
  GstSlResultsSettings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  settings.location = g_strdup (settings.location);
  GST_OBJECT_UNLOCK (self);
  g_autofree gchar *location = settings.location;

  if ((settings.location != NULL) == (settings.fd >= 0)) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
                       ("%s for results: set the property location or fd.",
                        settings.location ? "Two places" : "No place"),
                       (NULL));
    return FALSE;
  }
  layout = choose_layout (&settings);
  writer = open_writer (self, &settings, &layout);
  if (!writer) {
    g_clear_pointer (&self->output_name, g_free);
    return FALSE;
  }
  self->maker = gst_sl_row_maker_new (&(GstSlRowMakerSettings){.layout = layout,
                                                               .wall_clock = settings.wall_clock,
                                                               .timeline = settings.timeline,
                                                               .element = GST_ELEMENT (self),
                                                               .func = push_row,
                                                               .data = self});
  self->told_refused = FALSE;
  g_atomic_int_set (&self->failed, FALSE);
  GST_OBJECT_LOCK (self);
  self->writer = writer;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_sl_results_stop (GstBaseTransform *trans)
{
  GstSlResults *self = GST_SL_RESULTS (trans);
  GstSlRowWriter *writer = self->writer;

  if (!writer)
    return TRUE;
  /* Without waiting for room: there is no stream any more that could. */
  set_flushing (self, TRUE);
  gst_sl_row_maker_finish (self->maker);
  set_flushing (self, FALSE);
  /* A file that lacks rows does not take another's place where every row counts. */
  if (!g_atomic_int_get (&self->failed))
    drain (self);

  GST_OBJECT_LOCK (self);
  gst_sl_row_writer_get_stats (writer, &self->stats);
  self->writer = NULL;
  GST_OBJECT_UNLOCK (self);
  gst_sl_row_writer_free (writer);
  g_clear_pointer (&self->maker, gst_sl_row_maker_free);
  g_clear_pointer (&self->output_name, g_free);
  return TRUE;
}

static GstStateChangeReturn
gst_sl_results_change_state (GstElement *element, GstStateChange transition)
{
  /* Before the pads are shut, for which a streaming thread that waits has to come back. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    set_flushing (GST_SL_RESULTS (element), TRUE);
  return GST_ELEMENT_CLASS (gst_sl_results_parent_class)->change_state (element, transition);
}

/* --- Properties --- */

static GstStructure *
describe_stats (GstSlResults *self)
{
  GstSlRowStats stats = self->stats;

  if (self->writer)
    gst_sl_row_writer_get_stats (self->writer, &stats);
  return gst_structure_new ("stats", "rows", G_TYPE_UINT64, stats.rows, "refused", G_TYPE_UINT64,
                            stats.refused, "bytes", G_TYPE_UINT64, stats.bytes, "errors",
                            G_TYPE_UINT64, stats.errors, "queued", G_TYPE_UINT64, stats.queued,
                            NULL);
}

static void
gst_sl_results_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSlResults *self = GST_SL_RESULTS (object);

  GST_OBJECT_LOCK (self);
  if (!gst_sl_results_settings_set (&self->settings, id - PROP_SETTINGS, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_sl_results_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSlResults *self = GST_SL_RESULTS (object);

  GST_OBJECT_LOCK (self);
  if (id == PROP_STATS)
    g_value_take_boxed (value, describe_stats (self));
  else if (!gst_sl_results_settings_get (&self->settings, id - PROP_SETTINGS, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_sl_results_finalize (GObject *object)
{
  gst_sl_results_settings_clear (&GST_SL_RESULTS (object)->settings);
  G_OBJECT_CLASS (gst_sl_results_parent_class)->finalize (object);
}

static void
gst_sl_results_class_init (GstSlResultsClass *klass)
{
  static GstStaticPadTemplate sink =
      GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  static GstStaticPadTemplate src =
      GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_sl_results_debug, "slresults", 0, "results as text");

  object_class->set_property = gst_sl_results_set_property;
  object_class->get_property = gst_sl_results_get_property;
  object_class->finalize = gst_sl_results_finalize;
  g_object_class_install_property (
      object_class, PROP_STATS,
      g_param_spec_boxed (
          "stats", "Statistics",
          "Since the start: rows and bytes written, rows refused, errors; bytes queued now",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  gst_sl_results_settings_install (object_class, PROP_SETTINGS);

  element_class->change_state = gst_sl_results_change_state;
  gst_element_class_add_static_pad_template (element_class, &sink);
  gst_element_class_add_static_pad_template (element_class, &src);
  gst_element_class_set_static_metadata (
      element_class, "Sightline result writer", "Filter/Metadata",
      "Writes labels and boxes that buffers carry as JSON Lines, CSV, text or WebVTT",
      "The Sightline developers");
  gst_element_class_add_static_metadata (
      element_class, "example",
      "gst-launch-1.0 videotestsrc num-buffers=30 ! slclassify model-file=scenes.onnx "
      "! slresults location=seen.jsonl ! fakesink");

  trans_class->start = gst_sl_results_start;
  trans_class->stop = gst_sl_results_stop;
  trans_class->sink_event = gst_sl_results_sink_event;
  trans_class->transform_ip = gst_sl_results_transform_ip;
}

static void
gst_sl_results_init (GstSlResults *self)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);

  gst_sl_results_settings_init (&self->settings);
  /* Buffers are read, never changed, and need not be writable. */
  gst_base_transform_set_passthrough (trans, TRUE);
  gst_base_transform_set_gap_aware (trans, TRUE);
}
