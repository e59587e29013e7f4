/**
 * SECTION:element-sloverlay
 * @title: sloverlay
 *
 * Draws the labels that frames carry as #SlLabelMeta (from slclassify) as a panel in a corner of
 * the picture: one line a label, its score, and a bar.
 *
 * Where downstream takes overlay compositions (video sinks on GPUs do), the panel travels beside
 * the frame and the frame's memory stays as it is. Elsewhere it is blended into the frame.
 *
 * ## Launch lines
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! slclassify model-file=scenes.onnx \
 *   ! sloverlay ! videoconvert ! autovideosink
 * ]| shows labels in the picture.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! slclassify model-file=scenes.onnx interval=10 \
 *   ! sloverlay position=bottom-right max-labels=2 hold=2000000000 \
 *   ! videoconvert ! autovideosink
 * ]| looks at every tenth frame, and shows a result until there is a newer one.
 *
 * Since: 0.1
 */
#include "gstsloverlay.h"

#include "gstslframe.h"
#include "gstslpanel.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC (gst_sl_overlay_debug);
#define GST_CAT_DEFAULT gst_sl_overlay_debug

#define DEFAULT_POSITION GST_SL_PANEL_TOP_LEFT
#define DEFAULT_MAX_LABELS 5
#define DEFAULT_MIN_SCORE 0.01f
#define DEFAULT_BARS TRUE
#define DEFAULT_FONT "Sans"
#define DEFAULT_TEXT_SIZE 0.045
#define DEFAULT_COLOR 0xff4cc38a
#define DEFAULT_HOLD GST_SECOND
#define MAX_LABELS 20

#define COMPOSITION GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION

enum {
  PROP_0,
  PROP_POSITION,
  PROP_MAX_LABELS,
  PROP_MIN_SCORE,
  PROP_BARS,
  PROP_FONT,
  PROP_TEXT_SIZE,
  PROP_COLOR,
  PROP_HOLD,
  N_PROPS
};

struct _GstSlOverlay {
  GstBaseTransform parent;

  /* Under the object lock. */
  GstSlPanelStyle style;
  guint max_labels;
  gfloat min_score;
  GstClockTime hold;
  gboolean restyled; /* since the panel was drawn */
  gboolean
      refused; /* downstream's caps took compositions, its answer to the ALLOCATION query did not */

  /* The streaming thread's. */
  GstVideoInfo info;
  gboolean decided; /* since the caps were set */
  gboolean attach;  /* rather than blend */
  GstSlPanelRow rows[MAX_LABELS];
  guint n_rows;
  GstClockTime since; /* of the frame that rows come from */
  GstSlPanel panel;   /* of rows; pixels NULL: not drawn yet, or nothing to draw */
  gboolean drawn;
};

G_DEFINE_TYPE (GstSlOverlay, gst_sl_overlay, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (sloverlay, "sloverlay", GST_RANK_NONE, GST_TYPE_SL_OVERLAY)

#define GST_TYPE_SL_OVERLAY_POSITION (gst_sl_overlay_position_get_type ())
static GType
gst_sl_overlay_position_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {GST_SL_PANEL_TOP_LEFT, "Top left corner", "top-left"},
      {GST_SL_PANEL_TOP_RIGHT, "Top right corner", "top-right"},
      {GST_SL_PANEL_BOTTOM_LEFT, "Bottom left corner", "bottom-left"},
      {GST_SL_PANEL_BOTTOM_RIGHT, "Bottom right corner", "bottom-right"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstSlOverlayPosition", values));
  return type;
}

/* --- Labels to rows --- */

static void
drop_panel (GstSlOverlay *self)
{
  gst_sl_panel_clear (&self->panel);
  self->drawn = FALSE;
}

static void
drop_rows (GstSlOverlay *self)
{
  for (guint i = 0; i < self->n_rows; i++)
    gst_sl_panel_row_clear (&self->rows[i]);
  self->n_rows = 0;
  drop_panel (self);
}

/* Text is drawn anew only if what is shown changes. */
static void
take_rows (GstSlOverlay *self, GstSlPanelRow *rows, guint n_rows)
{
  gboolean same = n_rows == self->n_rows;

  for (guint i = 0; same && i < n_rows; i++)
    same = gst_sl_panel_row_equal (&rows[i], &self->rows[i]);
  if (same) {
    for (guint i = 0; i < n_rows; i++)
      gst_sl_panel_row_clear (&rows[i]);
    return;
  }
  drop_rows (self);
  for (guint i = 0; i < n_rows; i++)
    self->rows[i] = rows[i];
  self->n_rows = n_rows;
}

static void
read_labels (GstSlOverlay *self, const SlLabelMeta *meta)
{
  GstSlPanelRow rows[MAX_LABELS];
  guint max_labels, n = 0;
  gfloat min_score;

  GST_OBJECT_LOCK (self);
  max_labels = self->max_labels;
  min_score = self->min_score;
  GST_OBJECT_UNLOCK (self);

  for (guint i = 0; i < meta->n_labels && n < max_labels; i++)
    if (meta->labels[i].score >= min_score)
      gst_sl_panel_row_init (&rows[n++], &meta->labels[i]);
  take_rows (self, rows, n);
}

/* Brings rows up to date with the buffer: its own labels, else the last ones while they are young
 * enough. */
static void
update_rows (GstSlOverlay *self, GstBuffer *buffer)
{
  const SlLabelMeta *meta = sl_buffer_get_label_meta (buffer, NULL);
  GstClockTime now = GST_BUFFER_PTS (buffer), hold;

  if (meta && meta->version <= SL_LABEL_META_VERSION) {
    read_labels (self, meta);
    self->since = now;
    return;
  }
  GST_OBJECT_LOCK (self);
  hold = self->hold;
  GST_OBJECT_UNLOCK (self);
  if (GST_CLOCK_TIME_IS_VALID (now) && GST_CLOCK_TIME_IS_VALID (self->since) &&
      (now < self->since || now - self->since > hold))
    drop_rows (self);
}

static void
update_panel (GstSlOverlay *self)
{
  GstSlPanelStyle style;

  GST_OBJECT_LOCK (self);
  if (self->restyled)
    drop_panel (self);
  self->restyled = FALSE;
  style = self->style;
  style.font = g_strdup (style.font);
  GST_OBJECT_UNLOCK (self);

  if (!self->drawn && self->n_rows > 0 &&
      !gst_sl_panel_draw (&style, self->rows, self->n_rows, &self->info, &self->panel))
    GST_INFO_OBJECT (self, "frames of %dx%d are too small for labels",
                     GST_VIDEO_INFO_WIDTH (&self->info), GST_VIDEO_INFO_HEIGHT (&self->info));
  self->drawn = TRUE;
  g_free (style.font);
}

/* --- Rows into the frame --- */

static GstFlowReturn
blend_panel (GstSlOverlay *self, GstBuffer *buffer)
{
  GstVideoFrame frame;

  if (!gst_sl_frame_map (GST_ELEMENT (self), &frame, &self->info, buffer, GST_MAP_READWRITE))
    return GST_FLOW_ERROR;
  if (!gst_sl_panel_blend (&self->panel, &frame))
    GST_WARNING_OBJECT (self, "cannot draw into %s frames", GST_VIDEO_INFO_NAME (&self->info));
  gst_video_frame_unmap (&frame);
  return GST_FLOW_OK;
}

static gboolean
is_system_memory (const GstCapsFeatures *features)
{
  return gst_caps_features_is_any (features) ||
         gst_caps_features_contains (features, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY);
}

static gboolean
has_composition (const GstCaps *caps)
{
  return caps && gst_caps_features_contains (gst_caps_get_features (caps, 0), COMPOSITION);
}

static void
set_refused (GstSlOverlay *self, gboolean refused)
{
  GST_OBJECT_LOCK (self);
  self->refused = refused;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
ask_downstream (GstPad *srcpad, GstCaps *caps)
{
  GstQuery *query = gst_query_new_allocation (caps, FALSE);
  gboolean takes =
      gst_pad_peer_query (srcpad, query) &&
      gst_query_find_allocation_meta (query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);

  gst_query_unref (query);
  return takes;
}

/* Attach or blend? Asked when downstream knows the caps, since only then it can answer. */
static gboolean
decide (GstSlOverlay *self)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  g_autoptr (GstCaps) in = gst_pad_get_current_caps (trans->sinkpad);
  g_autoptr (GstCaps) out = gst_pad_get_current_caps (trans->srcpad);

  self->decided = TRUE;
  self->attach =
      has_composition (out) && (has_composition (in) || ask_downstream (trans->srcpad, out));
  GST_DEBUG_OBJECT (self, "labels are %s", self->attach ? "attached" : "blended");
  if (self->attach || !has_composition (out))
    return TRUE;

  if (!is_system_memory (gst_caps_get_features (in, 0))) {
    GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE,
                       ("Frames are not in system memory, and downstream takes no overlays: put an "
                        "element that downloads them before sloverlay."),
                       ("%" GST_PTR_FORMAT, in));
    return FALSE;
  }
  /* Who takes any caps (fakesink, appsink) is not thereby one who draws: back to those that came
   * in. */
  set_refused (self, TRUE);
  gst_base_transform_update_src_caps (trans, in);
  return TRUE;
}

/* A buffer that somebody else holds is copied, without its memory, only if there is something to
 * draw. */
static GstFlowReturn
gst_sl_overlay_prepare_output_buffer (GstBaseTransform *trans, GstBuffer *input, GstBuffer **outbuf)
{
  GstSlOverlay *self = GST_SL_OVERLAY (trans);

  if (!self->decided && !decide (self))
    return GST_FLOW_NOT_NEGOTIATED;
  update_rows (self, input);
  update_panel (self);
  *outbuf = input;
  if (self->panel.pixels && !gst_buffer_is_writable (input))
    *outbuf = gst_buffer_copy (input);
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_sl_overlay_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstSlOverlay *self = GST_SL_OVERLAY (trans);

  if (!self->panel.pixels || gst_buffer_get_size (buffer) == 0)
    return GST_FLOW_OK;
  if (!self->attach)
    return blend_panel (self, buffer);
  gst_sl_panel_attach (&self->panel, buffer);
  return GST_FLOW_OK;
}

/* --- Caps and allocation --- */

/* What comes out for one structure that goes in: with a composition beside the frame, which any
 * memory allows, or blended, which only system memory allows. The other way round: what may go in.
 */
static void
add_variants (GstCaps *caps, GstPadDirection direction, gboolean offer_composition,
              const GstStructure *structure, const GstCapsFeatures *features)
{
  gboolean has_composition = gst_caps_features_contains (features, COMPOSITION);

  if (gst_caps_features_is_any (features) || has_composition) {
    gst_caps_append_structure_full (caps, gst_structure_copy (structure),
                                    gst_caps_features_copy (features));
  }
  if (direction == GST_PAD_SINK && offer_composition && !has_composition &&
      !gst_caps_features_is_any (features)) {
    GstCapsFeatures *with = gst_caps_features_copy (features);

    gst_caps_features_add (with, COMPOSITION);
    gst_caps_append_structure_full (caps, gst_structure_copy (structure), with);
  }
  if (direction == GST_PAD_SRC && has_composition) {
    GstCapsFeatures *without = gst_caps_features_copy (features);

    gst_caps_features_remove (without, COMPOSITION);
    gst_caps_append_structure_full (caps, gst_structure_copy (structure), without);
  }
  if (!has_composition && !gst_caps_features_is_any (features) && is_system_memory (features))
    gst_caps_append_structure_full (caps, gst_structure_copy (structure),
                                    gst_caps_features_copy (features));
}

static GstCaps *
gst_sl_overlay_transform_caps (GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps,
                               GstCaps *filter)
{
  GstCaps *result = gst_caps_new_empty ();
  gboolean refused;

  GST_OBJECT_LOCK (trans);
  refused = GST_SL_OVERLAY (trans)->refused;
  GST_OBJECT_UNLOCK (trans);
  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    add_variants (result, direction, !refused, gst_caps_get_structure (caps, i),
                  gst_caps_get_features (caps, i));
  if (filter) {
    GstCaps *intersection = gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (result);
    result = intersection;
  }
  return result;
}

static gboolean
gst_sl_overlay_set_caps (GstBaseTransform *trans, GstCaps *incaps, GstCaps *outcaps)
{
  GstSlOverlay *self = GST_SL_OVERLAY (trans);

  drop_panel (self);
  self->decided = FALSE;
  if (gst_video_info_from_caps (&self->info, incaps))
    return TRUE;
  GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("These caps describe no video frame."),
                     ("%" GST_PTR_FORMAT, incaps));
  return FALSE;
}

/* Upstream's buffers are those that downstream gets. */
static gboolean
gst_sl_overlay_propose_allocation (GstBaseTransform *trans, GstQuery *decide_query, GstQuery *query)
{
  return gst_pad_peer_query (trans->srcpad, query);
}

static gboolean
gst_sl_overlay_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstSlOverlay *self = GST_SL_OVERLAY (trans);

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_STOP:
  case GST_EVENT_STREAM_START:
    drop_rows (self);
    break;
  case GST_EVENT_CAPS:
    set_refused (self, FALSE);
    break;
  default:
    break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_sl_overlay_parent_class)->sink_event (trans, event);
}

static gboolean
gst_sl_overlay_src_event (GstBaseTransform *trans, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    set_refused (GST_SL_OVERLAY (trans), FALSE);
  return GST_BASE_TRANSFORM_CLASS (gst_sl_overlay_parent_class)->src_event (trans, event);
}

static gboolean
gst_sl_overlay_stop (GstBaseTransform *trans)
{
  drop_rows (GST_SL_OVERLAY (trans));
  return TRUE;
}

/* --- Properties --- */

static void
gst_sl_overlay_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSlOverlay *self = GST_SL_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  self->restyled = TRUE;
  switch (id) {
  case PROP_POSITION:
    self->style.position = g_value_get_enum (value);
    break;
  case PROP_MAX_LABELS:
    self->max_labels = g_value_get_uint (value);
    break;
  case PROP_MIN_SCORE:
    self->min_score = g_value_get_float (value);
    break;
  case PROP_BARS:
    self->style.bars = g_value_get_boolean (value);
    break;
  case PROP_FONT:
    g_free (self->style.font);
    self->style.font =
        g_strdup (g_value_get_string (value) ? g_value_get_string (value) : DEFAULT_FONT);
    break;
  case PROP_TEXT_SIZE:
    self->style.text_size = g_value_get_double (value);
    break;
  case PROP_COLOR:
    self->style.color = g_value_get_uint (value);
    break;
  case PROP_HOLD:
    self->hold = g_value_get_uint64 (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_sl_overlay_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSlOverlay *self = GST_SL_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_POSITION:
    g_value_set_enum (value, self->style.position);
    break;
  case PROP_MAX_LABELS:
    g_value_set_uint (value, self->max_labels);
    break;
  case PROP_MIN_SCORE:
    g_value_set_float (value, self->min_score);
    break;
  case PROP_BARS:
    g_value_set_boolean (value, self->style.bars);
    break;
  case PROP_FONT:
    g_value_set_string (value, self->style.font);
    break;
  case PROP_TEXT_SIZE:
    g_value_set_double (value, self->style.text_size);
    break;
  case PROP_COLOR:
    g_value_set_uint (value, self->style.color);
    break;
  case PROP_HOLD:
    g_value_set_uint64 (value, self->hold);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  const GParamFlags controllable = flags | GST_PARAM_CONTROLLABLE;
  GParamSpec *props[N_PROPS] = {
      [PROP_POSITION] = g_param_spec_enum ("position", "Position", "Corner that the panel is in",
                                           GST_TYPE_SL_OVERLAY_POSITION, DEFAULT_POSITION, flags),
      [PROP_MAX_LABELS] = g_param_spec_uint ("max-labels", "Most labels", "Most labels shown", 1,
                                             MAX_LABELS, DEFAULT_MAX_LABELS, flags),
      [PROP_MIN_SCORE] =
          g_param_spec_float ("min-score", "Least score", "Labels with a lower score are not shown",
                              0, 1, DEFAULT_MIN_SCORE, flags),
      [PROP_BARS] =
          g_param_spec_boolean ("bars", "Bars", "Draw a bar for each score", DEFAULT_BARS, flags),
      [PROP_FONT] = g_param_spec_string ("font", "Font",
                                         "Family and style of the text, such as \"Sans Italic\"",
                                         DEFAULT_FONT, flags),
      [PROP_TEXT_SIZE] = g_param_spec_double (
          "text-size", "Text size", "Height of a line as a share of the frame's shorter side", 0.01,
          0.25, DEFAULT_TEXT_SIZE, controllable),
      [PROP_COLOR] = g_param_spec_uint ("color", "Colour", "Colour of the bars (big-endian ARGB)",
                                        0, G_MAXUINT32, DEFAULT_COLOR, controllable),
      [PROP_HOLD] = g_param_spec_uint64 (
          "hold", "Hold", "How long labels are shown on frames that carry none, in nanoseconds", 0,
          G_MAXUINT64, DEFAULT_HOLD, flags),
  };

  g_object_class_install_properties (klass, N_PROPS, props);
}

static void
gst_sl_overlay_finalize (GObject *object)
{
  GstSlOverlay *self = GST_SL_OVERLAY (object);

  drop_rows (self);
  g_free (self->style.font);
  G_OBJECT_CLASS (gst_sl_overlay_parent_class)->finalize (object);
}

static void
gst_sl_overlay_class_init (GstSlOverlayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstCaps *caps = gst_caps_from_string (GST_VIDEO_CAPS_MAKE (
      GST_VIDEO_FORMATS_ALL) ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES ("ANY", GST_VIDEO_FORMATS_ALL));

  GST_DEBUG_CATEGORY_INIT (gst_sl_overlay_debug, "sloverlay", 0, "drawing labels");

  object_class->set_property = gst_sl_overlay_set_property;
  object_class->get_property = gst_sl_overlay_get_property;
  object_class->finalize = gst_sl_overlay_finalize;
  install_properties (object_class);

  gst_element_class_add_pad_template (
      element_class, gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template (
      element_class, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref (caps);
  gst_element_class_set_static_metadata (
      element_class, "Sightline label overlay", "Visualization/Video",
      "Draws the labels that frames carry, with their scores", "The Sightline developers");
  gst_element_class_add_static_metadata (
      element_class, "example",
      "gst-launch-1.0 videotestsrc num-buffers=30 ! slclassify model-file=scenes.onnx ! sloverlay "
      "! videoconvert ! autovideosink");
  trans_class->stop = gst_sl_overlay_stop;
  trans_class->transform_caps = gst_sl_overlay_transform_caps;
  trans_class->set_caps = gst_sl_overlay_set_caps;
  trans_class->propose_allocation = gst_sl_overlay_propose_allocation;
  trans_class->sink_event = gst_sl_overlay_sink_event;
  trans_class->src_event = gst_sl_overlay_src_event;
  trans_class->prepare_output_buffer = gst_sl_overlay_prepare_output_buffer;
  trans_class->transform_ip = gst_sl_overlay_transform_ip;

  gst_type_mark_as_plugin_api (GST_TYPE_SL_OVERLAY_POSITION, 0);
}

static void
gst_sl_overlay_init (GstSlOverlay *self)
{
  self->style = (GstSlPanelStyle){.position = DEFAULT_POSITION,
                                  .font = g_strdup (DEFAULT_FONT),
                                  .text_size = DEFAULT_TEXT_SIZE,
                                  .color = DEFAULT_COLOR,
                                  .bars = DEFAULT_BARS};
  self->max_labels = DEFAULT_MAX_LABELS;
  self->min_score = DEFAULT_MIN_SCORE;
  self->hold = DEFAULT_HOLD;
  self->since = GST_CLOCK_TIME_NONE;
  gst_video_info_init (&self->info);
  gst_base_transform_set_gap_aware (GST_BASE_TRANSFORM (self), TRUE);
}
