#include "clip.h"

#include "command.h"
#include "encoding.h"
#include "inputs.h"
#include "output.h"
#include "report.h"
#include "sound.h"
#include "stop.h"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <string.h>

/* Decoded frames that wait for the encoder. */
#define MAX_WAITING 8
#define POLL_INTERVAL (5 * GST_MSECOND)
/* Of a picture: MP4's and WebM's muxers take no smaller one. */
#define MIN_SIZE 16
/* Of streams that state no frame rate. */
#define DEFAULT_FPS 25

typedef struct {
  const ToolClip *clip;
  SlDecoder *decoder;
  ToolSelection selection;
  GstElement *pipeline, *feed; /* feed: the appsrc */
  GstBus *bus;
  ToolSound *sound; /* NULL: there is none */
  gboolean ended;   /* the muxer has written all */
  guint64 frames;
} Writer;

/* --- the pipeline --- */

/* How pictures are turned to be upright, by EXIF's number; what slclassify and sloverlay do is for
 * pictures that are, and not every player turns them. */
static const char *const turns[] = {NULL,    NULL,  "horiz", "180", "vert",
                                    "ul-lr", "90r", "ur-ll", "90l"};

/* The only size and format that the encoder sees, whatever comes later in the clip: even, as 4:2:0
 * wants it. */
static GstCaps *
make_encoder_caps (const SlDecodedFrame *frame)
{
  const GstVideoInfo *info = frame->info;
  int width = MAX (GST_VIDEO_INFO_WIDTH (info) & ~1, MIN_SIZE);
  int height = MAX (GST_VIDEO_INFO_HEIGHT (info) & ~1, MIN_SIZE);
  int par_n = MAX (GST_VIDEO_INFO_PAR_N (info), 1), par_d = MAX (GST_VIDEO_INFO_PAR_D (info), 1);
  gboolean sideways = frame->orientation > 4;
  return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT,
                              sideways ? height : width, "height", G_TYPE_INT,
                              sideways ? width : height, "pixel-aspect-ratio", GST_TYPE_FRACTION,
                              sideways ? par_d : par_n, sideways ? par_n : par_d, NULL);
}

static GstElement *
make_element (GstBin *pipeline, const char *factory, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, NULL);
  if (element)
    gst_bin_add (pipeline, element);
  else if (g_str_has_prefix (factory, "sl"))
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "GStreamer does not find %s (expected Sightline's plugin, installed or in "
                 "GST_PLUGIN_PATH)",
                 factory);
  else
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "GStreamer lacks %s (expected Debian's gstreamer1.0-plugins-base and -good)",
                 factory);
  return element;
}

/* Adds an element behind the last one. */
static GstElement *
append (GstElement **last, GstElement *element, GError **error)
{
  if (!element)
    return NULL;
  if (*last && !gst_element_link (*last, element)) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "%s does not fit behind %s",
                 GST_OBJECT_NAME (element), GST_OBJECT_NAME (*last));
    return NULL;
  }
  return *last = element;
}

/* The element that looks: slclassify or slheatmap. */
static void
set_network (const ToolClip *clip, GstElement *element)
{
  const ToolNetwork *network = clip->network;
  g_object_set (element, "model-file", network->model_path, "label-file", network->label_path,
                "preprocess-file", network->preprocess_path, "device",
                network->device_name ? network->device_name : "auto", NULL);
  if (!clip->heatmap)
    return;
  g_object_set (element, "opacity", clip->opacity, NULL);
  gst_util_set_object_arg (G_OBJECT (element), "colormap", clip->colormap);
}

/* feed ! [videoconvert ! videoflip !] [slclassify ! videoconvert ! sloverlay !] videoconvert !
 * videoscale ! caps: the pictures as the encoder gets them. NULL with an error, else the last. */
static GstElement *
build_picture (Writer *self, const SlDecodedFrame *frame, GError **error)
{
  static const char *const names[] = {"appsrc",       "videoconvert", "videoflip",
                                      "slclassify",   "videoconvert", "sloverlay",
                                      "videoconvert", "videoscale",   "capsfilter"};
  enum { FEED, TO_FLIP, FLIP, CLASSIFY, OVERLAY = 5, FILTER = 8, CHAIN };
  const ToolNetwork *network = self->clip->network;
  GstElement *chain[CHAIN] = {NULL}, *last = NULL;
  for (guint i = 0; i < CHAIN; i++) {
    if (((i == TO_FLIP || i == FLIP) && !turns[frame->orientation]) ||
        (i >= CLASSIFY && i <= OVERLAY && !network))
      continue;
    const char *name = i == CLASSIFY && self->clip->heatmap ? "slheatmap" : names[i];
    chain[i] = make_element (GST_BIN (self->pipeline), name, error);
    if (!append (&last, chain[i], error))
      return NULL;
  }
  g_autoptr (GstCaps) caps = make_encoder_caps (frame);
  self->feed = chain[FEED];
  g_object_set (self->feed, "format", GST_FORMAT_TIME, "handle-segment-change", TRUE, NULL);
  if (chain[FLIP])
    gst_util_set_object_arg (G_OBJECT (chain[FLIP]), "video-direction", turns[frame->orientation]);
  if (network)
    set_network (self->clip, chain[CLASSIFY]);
  g_object_set (chain[FILTER], "caps", caps, NULL);
  /* What comes before --from is left out, not black. */
  g_autoptr (GstPad) pad = gst_element_get_static_pad (self->feed, "src");
  gst_pad_set_offset (pad, -(gint64)tool_selection_get_from (self->clip->selection));
  return last;
}

/* Picture ! encoder ! muxer ! file, and the sound into the muxer. */
static gboolean
build_pipeline (Writer *self, const SlDecodedFrame *frame, const char *file, GError **error)
{
  const ToolContainer *container = tool_container_find (self->clip->output_path);
  const ToolSelection *selection = self->clip->selection;
  self->pipeline = gst_pipeline_new (NULL);
  self->bus = gst_element_get_bus (self->pipeline);
  GstBin *bin = GST_BIN (self->pipeline);
  GstElement *last = build_picture (self, frame, error);
  GstElement *encoder = last ? tool_encoder_make (container->video, "video", error) : NULL;
  if (encoder)
    gst_bin_add (bin, encoder);
  if (!append (&last, encoder, error) || !append (&last, make_element (bin, "queue", error), error))
    return FALSE;
  GstElement *muxer = make_element (bin, container->muxer, error);
  GstElement *sink = muxer ? make_element (bin, "filesink", error) : NULL;
  if (!sink)
    return FALSE;
  g_object_set (sink, "location", file, NULL);
  if (!gst_element_link_pads (last, "src", muxer, "video_%u") || !gst_element_link (muxer, sink)) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "the encoder does not fit the container");
    return FALSE;
  }
  if (!sl_decoder_has_audio (self->decoder))
    return TRUE;
  g_autofree char *uri = strstr (self->clip->source, "://")
                             ? g_strdup (self->clip->source)
                             : gst_filename_to_uri (self->clip->source, error);
  self->sound = uri ? tool_sound_new (bin, muxer, container, uri, error) : NULL;
  if (self->sound)
    tool_sound_set_window (self->sound, tool_selection_get_from (selection),
                           tool_selection_get_to (selection));
  return self->sound != NULL;
}

/* --- running it --- */

/* Waits for a message for a moment. FALSE with an error once the pipeline has failed. */
static gboolean
watch_bus (Writer *self, GstClockTime timeout, GError **error)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (self->bus, timeout, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  if (!message)
    return TRUE;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS) {
    self->ended = TRUE;
    return TRUE;
  }
  /* With no sound linked the reader finds nobody who takes its data. */
  if (self->sound && tool_sound_owns (self->sound, message) && tool_sound_count (self->sound) == 0)
    return TRUE;
  gst_message_parse_error (message, error, NULL);
  return FALSE;
}

/* The muxer has to know all streams before the first picture comes. */
static gboolean
wait_for_sound (Writer *self, GError **error)
{
  if (!self->sound)
    return TRUE;
  while (!tool_sound_is_ready (self->sound) && !tool_stop_requested ())
    if (!watch_bus (self, POLL_INTERVAL, error))
      return FALSE;
  if (tool_sound_count (self->sound) == 0)
    tool_sound_remove (self->sound);
  return TRUE;
}

/* The frame as it goes to the encoder: with a time made up by the frame rate where the stream has
 * none, since files need one. */
static GstSample *
stamp (const SlDecodedFrame *frame, GstSample *sample)
{
  if (GST_BUFFER_PTS_IS_VALID (gst_sample_get_buffer (sample)))
    return gst_sample_ref (sample);
  guint64 fps_n = (guint64)MAX (GST_VIDEO_INFO_FPS_N (frame->info), 0);
  guint64 fps_d = (guint64)MAX (GST_VIDEO_INFO_FPS_D (frame->info), 1);
  if (fps_n == 0) {
    fps_n = DEFAULT_FPS;
    fps_d = 1;
  }
  g_autoptr (GstBuffer) buffer = gst_buffer_copy (gst_sample_get_buffer (sample));
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (frame->number, fps_d * GST_SECOND, fps_n);
  GST_BUFFER_DURATION (buffer) = gst_util_uint64_scale (1, fps_d * GST_SECOND, fps_n);
  return gst_sample_new (buffer, gst_sample_get_caps (sample), gst_sample_get_segment (sample),
                         NULL);
}

/* Hands a frame on, after waiting for room. */
static gboolean
push_frame (Writer *self, const SlDecodedFrame *frame, GError **error)
{
  GstAppSrc *feed = GST_APP_SRC (self->feed);
  while (gst_app_src_get_current_level_buffers (feed) >= MAX_WAITING && !self->ended &&
         !tool_stop_requested ())
    if (!watch_bus (self, POLL_INTERVAL, error))
      return FALSE;
  const ToolClip *clip = self->clip;
  g_autoptr (GstSample) picture =
      clip->paint ? clip->paint (clip->data, frame, error) : gst_sample_ref (frame->sample);
  if (!picture)
    return FALSE;
  g_autoptr (GstSample) sample = stamp (frame, picture);
  if (gst_app_src_push_sample (feed, sample) == GST_FLOW_OK)
    return TRUE;
  /* The reason is on the bus, or on its way there. */
  if (watch_bus (self, GST_SECOND, error))
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "the encoder takes no more frames");
  return FALSE;
}

/* Everything from the first frame, which is there already, to the finished file. */
static gboolean
run (Writer *self, SlDecodedFrame *frame, GError **error)
{
  ToolProgress progress;
  gboolean good = FALSE;
  if (gst_element_set_state (self->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    if (watch_bus (self, GST_SECOND, error))
      g_set_error (error, SL_ERROR, SL_ERROR_DEVICE, "the encoding pipeline does not start");
    return FALSE;
  }
  if (!wait_for_sound (self, error))
    return FALSE;
  tool_progress_start (&progress, self->clip->source);
  do {
    if (!(good = push_frame (self, frame, error)))
      break;
    self->frames++;
    tool_progress_update (&progress, sl_decoder_get_progress (self->decoder), self->frames);
  } while (tool_selection_next (&self->selection, self->decoder, frame, error));
  if (good)
    gst_app_src_end_of_stream (GST_APP_SRC (self->feed));
  while (good && !self->ended && !tool_stop_requested ())
    good = watch_bus (self, 10 * POLL_INTERVAL, error);
  tool_progress_end (&progress);
  return good;
}

/* Says how the clip came out. FALSE if something is missing. */
static gboolean
report (Writer *self)
{
  const char *reason;
  gboolean whole = TRUE;
  SlOutcome outcome = sl_decoder_get_outcome (self->decoder, &reason);
  if (outcome == SL_OUTCOME_PARTIAL) {
    tool_error (self->clip->source, "partial, %" G_GUINT64_FORMAT " frames: %s", self->frames,
                reason);
    whole = FALSE;
  } else {
    tool_note ("%s: %s, %" G_GUINT64_FORMAT " frames%s%s", self->clip->source,
               sl_outcome_get_name (outcome), self->frames, reason ? ": " : "",
               reason ? reason : "");
  }
  if (self->sound && (tool_sound_get_error (self->sound) || tool_sound_count (self->sound) == 0)) {
    const GError *error = tool_sound_get_error (self->sound);
    tool_error (self->clip->source, "sound left out: %s",
                error ? error->message
                      : "it cannot be decoded (expected Debian's gstreamer1.0-libav)");
    whole = FALSE;
  }
  return whole;
}

/* --- the file --- */

static void
writer_clear (Writer *self)
{
  if (self->pipeline) {
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
    gst_object_unref (self->bus);
    gst_object_unref (self->pipeline);
  }
  tool_sound_free (self->sound);
  sl_decoder_free (self->decoder);
}

/* The clip to a file of another name. FALSE after a report. */
static gboolean
write_clip (Writer *self, const char *file)
{
  g_autoptr (GError) error = NULL;
  SlDecodedFrame frame;
  const char *reason;
  if (!(self->decoder = sl_decoder_new (self->clip->source, &error))) {
    tool_gerror (self->clip->source, error);
    return FALSE;
  }
  gboolean any = tool_selection_next (&self->selection, self->decoder, &frame, &error);
  if (tool_stop_requested ()) {
    tool_error ("interrupted", "no output written");
    return FALSE;
  }
  if (!any && !error && sl_decoder_get_outcome (self->decoder, &reason) == SL_OUTCOME_FAILED) {
    tool_error (self->clip->source, "%s", reason);
    return FALSE;
  }
  if (!any && !error)
    g_set_error (&error, SL_ERROR, SL_ERROR_IO, "no frame between --from and --to");
  if (error || !build_pipeline (self, &frame, file, &error) || !run (self, &frame, &error)) {
    tool_gerror (self->clip->source, error);
    return FALSE;
  }
  if (!tool_stop_requested ())
    return TRUE;
  tool_error ("interrupted", "no output written");
  return FALSE;
}

static gboolean
is_input (const ToolClip *clip)
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new ();
  g_ptr_array_add (inputs, (gpointer)clip->source);
  g_autoptr (GHashTable) files = tool_inputs_get_files (inputs);
  return tool_inputs_hold (files, clip->output_path);
}

int
tool_clip_write (const ToolClip *clip)
{
  Writer self = {.clip = clip, .selection = *clip->selection};
  g_autoptr (GError) error = NULL;
  gboolean good = FALSE;
  if (is_input (clip)) {
    tool_error (clip->output_path, "is the input too (expected another file for -o)");
    return TOOL_FAILED;
  }
  tool_selection_start (&self.selection);
  g_autoptr (ToolOutput) output = tool_output_open (clip->output_path, &error);
  const char *file = output ? tool_output_get_temporary (output) : NULL;
  if (!output)
    tool_gerror (NULL, error);
  else if (write_clip (&self, file ? file : clip->output_path))
    good = report (&self);
  writer_clear (&self);
  /* A clip that is partial in itself is written as far as it goes. */
  if (output && self.ended && !tool_output_commit (g_steal_pointer (&output), &error)) {
    tool_gerror (NULL, error);
    good = FALSE;
  }
  return good ? TOOL_OK : TOOL_FAILED;
}
