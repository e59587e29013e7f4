#include "gstslsrcchain.h"

#include "gstslsrccamera.h"
#include "lib/missing-plugin.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct GstSlSrcChain {
  GstBin parent;

  GstSlSrcChainSettings settings;
  GstPad *src;       /* ghost pad, the bin's */
  GstElement *turn;  /* in front of it, the bin's; NULL: pictures stay as they are */
  gint has_video;    /* atomic: a stream is taken */
  gint has_demuxed;  /* atomic: a demuxer's video stream is taken */
  gint has_selected; /* atomic: an RTSP server's video stream is taken */
  GMutex lock;       /* of what follows */
  gchar *missing;    /* what GStreamer lacks, and where to get it */
} GstSlSrcChain;

typedef GstBinClass GstSlSrcChainClass;

static GType gst_sl_src_chain_get_type (void);
G_DEFINE_TYPE (GstSlSrcChain, gst_sl_src_chain, GST_TYPE_BIN)

/* --- What goes wrong --- */

/* One line: what an element says, and what it says for the log after file, function and object. */
static gchar *
describe (const GError *error, const gchar *debug)
{
  g_autofree gchar *text = g_strchomp (g_strdup (error->message));
  const gchar *detail = debug ? strchr (debug, '\n') : NULL;
  g_autofree gchar *line =
      detail ? g_strchomp (g_strndup (detail + 1, strcspn (detail + 1, "\n"))) : NULL;

  if (g_str_has_suffix (text, "."))
    text[strlen (text) - 1] = '\0';
  if (line && g_str_has_suffix (line, "."))
    line[strlen (line) - 1] = '\0';
  g_strdelimit (text, "\n", ' ');
  return line && *line ? g_strdup_printf ("%s (%s)", text, line) : g_steal_pointer (&text);
}

static void
fail (GstSlSrcChain *self, const GError *error, const gchar *debug)
{
  const GstSlSrcLocation *location = self->settings.location;
  g_autofree gchar *said = describe (error, debug);
  g_autofree gchar *text = gst_sl_src_location_redact (location, said);
  g_autofree gchar *clean_debug = gst_sl_src_location_redact (location, debug);
  g_autoptr (GError) clean = NULL;

  g_mutex_lock (&self->lock);
  if (self->missing &&
      (g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
       g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND)))
    clean = g_error_new_literal (GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN, self->missing);
  else
    clean = g_error_new_literal (error->domain, error->code, text);
  g_mutex_unlock (&self->lock);
  self->settings.failed (GST_ELEMENT (self), clean, clean_debug, self->settings.data);
}

static void
note_missing (GstSlSrcChain *self, GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  gchar *missing = structure ? sl_missing_plugin_describe (structure) : NULL;

  if (!missing)
    return;
  g_mutex_lock (&self->lock);
  g_free (self->missing);
  self->missing = missing;
  g_mutex_unlock (&self->lock);
}

/* The same warning without user and password. */
static GstMessage *
redact_warning (GstSlSrcChain *self, GstMessage *message)
{
  g_autoptr (GError) error = NULL, clean = NULL;
  g_autofree gchar *debug = NULL, *text = NULL, *clean_debug = NULL;
  GstMessage *copy;

  gst_message_parse_warning (message, &error, &debug);
  text = gst_sl_src_location_redact (self->settings.location, error->message);
  clean_debug = gst_sl_src_location_redact (self->settings.location, debug);
  clean = g_error_new_literal (error->domain, error->code, text);
  copy = gst_message_new_warning (GST_MESSAGE_SRC (message), clean, clean_debug);
  gst_message_unref (message);
  return copy;
}

static void
gst_sl_src_chain_handle_message (GstBin *bin, GstMessage *message)
{
  GstSlSrcChain *self = (GstSlSrcChain *)bin;

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR: {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *debug = NULL;

    gst_message_parse_error (message, &error, &debug);
    fail (self, error, debug);
    gst_message_unref (message);
    return;
  }
  /* A chain that is taken down would leave their ends out. */
  case GST_MESSAGE_ASYNC_START:
  case GST_MESSAGE_ASYNC_DONE:
  case GST_MESSAGE_PROGRESS:
  /* A clock that can be unplugged is none to run a pipeline by. */
  case GST_MESSAGE_CLOCK_PROVIDE:
  case GST_MESSAGE_CLOCK_LOST:
    gst_message_unref (message);
    return;
  case GST_MESSAGE_WARNING:
    message = redact_warning (self, message);
    break;
  case GST_MESSAGE_ELEMENT:
    note_missing (self, message);
    break;
  default:
    break;
  }
  GST_BIN_CLASS (gst_sl_src_chain_parent_class)->handle_message (bin, message);
}

/* Elements that cannot change their state have said why, or nearly so. */
static GstStateChangeReturn
gst_sl_src_chain_change_state (GstElement *element, GstStateChange transition)
{
  GstElementClass *parent_class = GST_ELEMENT_CLASS (gst_sl_src_chain_parent_class);

  if (parent_class->change_state (element, transition) == GST_STATE_CHANGE_FAILURE) {
    g_autoptr (GError) error = g_error_new_literal (
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, "the source cannot be started");

    fail ((GstSlSrcChain *)element, error, NULL);
  }
  return GST_STATE_CHANGE_SUCCESS;
}

/* --- Streams --- */

/* `pad` gives raw pictures. */
static void
take_video (GstSlSrcChain *self, GstPad *pad)
{
  g_autoptr (GstPad) sink = NULL;

  if (!g_atomic_int_compare_and_exchange (&self->has_video, FALSE, TRUE))
    return;
  if (!self->turn) {
    gst_ghost_pad_set_target (GST_GHOST_PAD (self->src), pad);
    return;
  }
  sink = gst_element_get_static_pad (self->turn, "sink");
  gst_pad_link (pad, sink);
}

static void
on_pad_added (GstElement *decoder, GstPad *pad, GstSlSrcChain *self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  if (gst_caps_get_size (caps) > 0 &&
      g_str_equal (gst_structure_get_name (gst_caps_get_structure (caps, 0)), "video/x-raw"))
    take_video (self, pad);
}

static void
on_no_more_pads (GstElement *decoder, GstSlSrcChain *self)
{
  g_autoptr (GError) error = NULL;

  if (g_atomic_int_get (&self->has_video))
    return;
  error = g_error_new_literal (GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE,
                               "there is no video in it (expected a video or a picture)");
  fail (self, error, NULL);
}

static gboolean
comes_from_demuxer (GstPad *pad)
{
  g_autoptr (GstPad) target = GST_IS_GHOST_PAD (pad)
                                  ? gst_ghost_pad_get_target (GST_GHOST_PAD (pad))
                                  : gst_object_ref (pad);
  g_autoptr (GstElement) element = target ? gst_pad_get_parent_element (target) : NULL;
  const gchar *klass =
      element ? gst_element_get_metadata (element, GST_ELEMENT_METADATA_KLASS) : NULL;

  return klass && strstr (klass, "Demux");
}

/* Only pictures are worth decoding, and of several streams the first. */
static gboolean
on_autoplug_continue (GstElement *decoder, GstPad *pad, GstCaps *caps, GstSlSrcChain *self)
{
  static const gchar *const others[] = {"audio/",
                                        "text/",
                                        "subpicture/",
                                        "closedcaption/",
                                        "application/x-subtitle",
                                        "application/x-ssa",
                                        "application/x-ass"};
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  const gchar *type = gst_structure_get_name (structure);
  const gchar *media = gst_structure_get_string (structure, "media");

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (g_str_has_prefix (type, others[i]))
      return FALSE;
  if (g_str_equal (type, "application/x-rtp") && media && !g_str_equal (media, "video"))
    return FALSE;
  if ((g_str_has_prefix (type, "video/") || g_str_has_prefix (type, "image/")) &&
      comes_from_demuxer (pad))
    return g_atomic_int_compare_and_exchange (&self->has_demuxed, FALSE, TRUE);
  return TRUE;
}

/* --- Sources --- */

/* What an RTSP server offers besides the first video stream need not be sent. */
static gboolean
on_select_stream (GstElement *source, guint n, GstCaps *caps, GstSlSrcChain *self)
{
  const gchar *media = gst_structure_get_string (gst_caps_get_structure (caps, 0), "media");

  if (media && !g_str_equal (media, "video"))
    return FALSE;
  return g_atomic_int_compare_and_exchange (&self->has_selected, FALSE, TRUE);
}

static gboolean
has_property (GstElement *element, const gchar *name)
{
  return g_object_class_find_property (G_OBJECT_GET_CLASS (element), name) != NULL;
}

static void
on_source_setup (GstElement *decoder, GstElement *source, GstSlSrcChain *self)
{
  const GstSlSrcChainSettings *settings = &self->settings;

  if (settings->location->kind == GST_SL_SRC_RTSP) {
    if (has_property (source, "latency"))
      g_object_set (source, "latency", (guint)(settings->latency / GST_MSECOND), NULL);
    if (g_signal_lookup ("select-stream", G_OBJECT_TYPE (source)))
      g_signal_connect_object (source, "select-stream", G_CALLBACK (on_select_stream), self, 0);
  } else if (settings->live) {
    if (has_property (source, "is-live"))
      g_object_set (source, "is-live", TRUE, NULL);
    if (has_property (source, "do-timestamp"))
      g_object_set (source, "do-timestamp", TRUE, NULL);
  }
  settings->source_setup (source, settings->setup_data);
}

/* Elements and the package that has them, as a fallback for broken installations. */
static GstElement *
add_element (GstSlSrcChain *self, const gchar *factory, const gchar *package, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (element)
    gst_bin_add (GST_BIN (self), element);
  else
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                 "GStreamer has no %s (expected in Debian's %s)", factory, package);
  return element;
}

#define BASE "gstreamer1.0-plugins-base"
#define GOOD "gstreamer1.0-plugins-good"

static GstElement *
add_decoder (GstSlSrcChain *self, const gchar *factory, GError **error)
{
  GstElement *decoder = add_element (self, factory, BASE, error);

  if (!decoder)
    return NULL;
  g_signal_connect (decoder, "pad-added", G_CALLBACK (on_pad_added), self);
  g_signal_connect (decoder, "no-more-pads", G_CALLBACK (on_no_more_pads), self);
  g_signal_connect (decoder, "autoplug-continue", G_CALLBACK (on_autoplug_continue), self);
  return decoder;
}

static gboolean
build_uri (GstSlSrcChain *self, GError **error)
{
  const GstSlSrcLocation *location = self->settings.location;
  g_autofree gchar *path =
      location->kind == GST_SL_SRC_FILE ? g_filename_from_uri (location->uri, NULL, NULL) : NULL;
  GstElement *decoder;
  GStatBuf status;

  if (path && g_stat (path, &status) != 0) {
    gint code = errno == ENOENT ? GST_RESOURCE_ERROR_NOT_FOUND : GST_RESOURCE_ERROR_OPEN_READ;

    g_set_error (error, GST_RESOURCE_ERROR, code, "%s (expected a video or a picture)",
                 g_strerror (errno));
    return FALSE;
  }
  decoder = add_decoder (self, "uridecodebin", error);
  if (!decoder)
    return FALSE;
  g_signal_connect (decoder, "source-setup", G_CALLBACK (on_source_setup), self);
  g_object_set (decoder, "uri", location->uri, NULL);
  return TRUE;
}

static gboolean
build_camera (GstSlSrcChain *self, GError **error)
{
  const GstSlSrcChainSettings *settings = &self->settings;
  g_autoptr (GstCaps) mode = NULL;
  g_autoptr (GstPad) pad = NULL;
  const gchar *type;
  GstElement *source, *filter, *decoder = NULL;
  gboolean raw, jpeg;

  source = gst_sl_src_camera_open (settings->location->camera, settings->allowed, &mode, error);
  if (!source)
    return FALSE;
  settings->source_setup (source, settings->setup_data);
  gst_bin_add (GST_BIN (self), source);
  type = gst_structure_get_name (gst_caps_get_structure (mode, 0));
  raw = g_str_equal (type, "video/x-raw");
  jpeg = g_str_equal (type, "image/jpeg");
  filter = add_element (self, "capsfilter", "libgstreamer1.0-0", error);
  if (!filter)
    return FALSE;
  if (jpeg)
    decoder = add_element (self, "jpegdec", GOOD, error);
  else if (!raw)
    decoder = add_decoder (self, "decodebin", error);
  if (!raw && !decoder)
    return FALSE;
  g_object_set (filter, "caps", mode, NULL);
  if (!gst_element_link (source, filter) || (decoder && !gst_element_link (filter, decoder))) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                 "camera \"%s\" does not give the %s that it lists", settings->location->camera,
                 type);
    return FALSE;
  }
  if (!raw && !jpeg)
    return TRUE;
  pad = gst_element_get_static_pad (jpeg ? decoder : filter, "src");
  take_video (self, pad);
  return TRUE;
}

/* Older videoflips leave the tag as it was, and somebody downstream would turn the picture again.
 */
static GstPadProbeReturn
drop_orientation (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info), *upright;
  GstTagList *tags;

  if (GST_EVENT_TYPE (event) != GST_EVENT_TAG)
    return GST_PAD_PROBE_OK;
  gst_event_parse_tag (event, &tags);
  if (gst_tag_list_get_tag_size (tags, GST_TAG_IMAGE_ORIENTATION) == 0)
    return GST_PAD_PROBE_OK;
  tags = gst_tag_list_copy (tags);
  gst_tag_list_add (tags, GST_TAG_MERGE_REPLACE, GST_TAG_IMAGE_ORIENTATION, "rotate-0", NULL);
  upright = gst_event_new_tag (tags);
  gst_event_set_seqnum (upright, gst_event_get_seqnum (event));
  gst_event_unref (event);
  GST_PAD_PROBE_INFO_DATA (info) = upright;
  return GST_PAD_PROBE_OK;
}

/* videoflip knows fewer formats than decoders do. */
static gboolean
build_turn (GstSlSrcChain *self, GError **error)
{
  GstElement *convert = add_element (self, "videoconvert", BASE, error);
  GstElement *flip = convert ? add_element (self, "videoflip", GOOD, error) : NULL;
  g_autoptr (GstPad) pad = NULL;

  if (!flip || !gst_element_link (convert, flip))
    return FALSE;
  gst_util_set_object_arg (G_OBJECT (flip), "video-direction", "auto");
  pad = gst_element_get_static_pad (flip, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, drop_orientation, NULL, NULL);
  gst_ghost_pad_set_target (GST_GHOST_PAD (self->src), pad);
  self->turn = convert;
  return TRUE;
}

GstElement *
gst_sl_src_chain_new (const GstSlSrcChainSettings *settings, GError **error)
{
  GstSlSrcChain *self = g_object_new (gst_sl_src_chain_get_type (), NULL);
  gboolean ok;

  gst_object_ref_sink (self);
  self->settings = *settings;
  ok = !settings->upright || build_turn (self, error);
  if (settings->location->kind == GST_SL_SRC_CAMERA)
    ok = ok && build_camera (self, error);
  else
    ok = ok && build_uri (self, error);
  self->settings.allowed = NULL; /* was the caller's */
  if (!ok) {
    gst_object_unref (self);
    return NULL;
  }
  g_object_force_floating (G_OBJECT (self));
  return GST_ELEMENT (self);
}

static void
gst_sl_src_chain_finalize (GObject *object)
{
  GstSlSrcChain *self = (GstSlSrcChain *)object;

  g_free (self->missing);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_sl_src_chain_parent_class)->finalize (object);
}

static void
gst_sl_src_chain_class_init (GstSlSrcChainClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_sl_src_chain_finalize;
  GST_ELEMENT_CLASS (klass)->change_state = gst_sl_src_chain_change_state;
  GST_ELEMENT_CLASS (klass)->provide_clock = NULL;
  GST_BIN_CLASS (klass)->handle_message = gst_sl_src_chain_handle_message;
}

static void
gst_sl_src_chain_init (GstSlSrcChain *self)
{
  g_mutex_init (&self->lock);
  self->src = gst_ghost_pad_new_no_target ("src", GST_PAD_SRC);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
}
