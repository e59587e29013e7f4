/**
 * SECTION:element-sloverlay
 * @title: sloverlay
 *
 * Draws the labels that frames carry as #SlLabelMeta (from slclassify) as a panel in a corner of
 * the picture: one line a label, its score, and a bar. Boxes of #SlGeometryMeta (from slheatmap and
 * sltestsrc) become outlines with the label above.
 *
 * With several producers on a frame, the last network's result is shown, and the truth (as
 * sltestsrc tells it) only where no network says anything; `producer` names another.
 *
 * Where downstream takes overlay compositions (video sinks on GPUs do), panel and outlines travel
 * beside the frame and the frame's memory stays as it is. Elsewhere they are blended into the
 * frame.
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
 * |[
 * gst-launch-1.0 sltestsrc name=truth num-buffers=30 ! slclassify model-file=scenes.onnx \
 *   ! sloverlay producer=truth ! videoconvert ! autovideosink
 * ]| outlines what is known to be in synthetic scenes, whatever the network says.
 *
 * Since: 0.1
 */
#include "gstsloverlay.h"

#include "gstslcomposition.h"
#include "gstslframe.h"
#include "gstsloutline.h"
#include "gstslpanel.h"
#include "gstslshown.h"

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
#define DEFAULT_BOXES TRUE

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
  PROP_BOXES,
  PROP_PRODUCER,
  N_PROPS
};

struct _GstSlOverlay {
  GstBaseTransform parent;

  /* Under the object lock. */
  GstSlPanelStyle style;
  GstSlShownRules rules;
  gboolean restyled;   /* since panel and outlines were drawn */
  gboolean rules_anew; /* whose results are shown has changed */
  gboolean
      refused; /* downstream's caps took compositions, its answer to the ALLOCATION query did not */

  /* The streaming thread's. */
  GstVideoInfo info;
  gboolean decided; /* since the caps were set */
  gboolean attach;  /* rather than blend */
  GstSlShown shown;
  GstSlPatch panel;     /* of the labels; pixels NULL: not drawn yet, or nothing to draw */
  gboolean panel_drawn; /* or tried */
  gint panel_x, panel_y;
  GstSlOutline outline;
  gboolean outline_drawn;
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

/* --- What is drawn --- */

static void
drop_drawings (GstSlOverlay *self)
{
  gst_sl_patch_clear (&self->panel);
  self->panel_drawn = FALSE;
  gst_sl_outline_reset (&self->outline);
  self->outline_drawn = FALSE;
}

/* The style, its font in a copy. */
static GstSlPanelStyle
take_style (GstSlOverlay *self)
{
  GstSlPanelStyle style;

  GST_OBJECT_LOCK (self);
  if (self->restyled)
    drop_drawings (self);
  self->restyled = FALSE;
  style = self->style;
  style.font = g_strdup (style.font);
  GST_OBJECT_UNLOCK (self);
  return style;
}

static void
update_shown (GstSlOverlay *self, GstBuffer *buffer)
{
  GstSlShownRules rules;

  GST_OBJECT_LOCK (self);
  if (self->rules_anew)
    gst_sl_shown_clear (&self->shown);
  self->rules_anew = FALSE;
  rules = self->rules;
  rules.producer = g_strdup (rules.producer);
  GST_OBJECT_UNLOCK (self);

  gst_sl_shown_update (&self->shown, buffer, &rules);
  g_free (rules.producer);
  if (self->shown.rows_changed) {
    gst_sl_patch_clear (&self->panel);
    self->panel_drawn = FALSE;
  }
  if (self->shown.boxes_changed)
    self->outline_drawn = FALSE;
  self->shown.rows_changed = self->shown.boxes_changed = FALSE;
}

/* `place` tells where the picture begins in the frame's memory. */
static void
draw_panel (GstSlOverlay *self, const GstSlPanelStyle *style, const GstSlOutlinePlace *place)
{
  GstSlPatch *panel = &self->panel;

  if (!self->panel_drawn && self->shown.n_rows > 0) {
    if (gst_sl_panel_draw (style, self->shown.rows, self->shown.n_rows, &self->info, panel)) {
      self->panel_x = panel->x;
      self->panel_y = panel->y;
    } else {
      GST_INFO_OBJECT (self, "frames of %dx%d are too small for labels",
                       GST_VIDEO_INFO_WIDTH (&self->info), GST_VIDEO_INFO_HEIGHT (&self->info));
    }
  }
  self->panel_drawn = TRUE;
  panel->x = self->panel_x + place->left;
  panel->y = self->panel_y + place->top;
  if (!self->attach) {
    panel->x = GST_ROUND_UP_N (panel->x, GST_SL_PATCH_BLOCK);
    panel->y = GST_ROUND_UP_N (panel->y, GST_SL_PATCH_BLOCK);
  }
}

/* The part of the memory that is shown, on whole chroma samples if it is blended into. */
static GstSlOutlinePlace
find_place (GstSlOverlay *self, GstBuffer *buffer)
{
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  GstSlOutlinePlace place = {
      .left = crop ? crop->x : 0, .top = crop ? crop->y : 0, .block_width = 1, .block_height = 1};

  place.right = place.left + GST_VIDEO_INFO_WIDTH (&self->info);
  place.bottom = place.top + GST_VIDEO_INFO_HEIGHT (&self->info);
  if (!self->attach) {
    gst_sl_patch_get_block (&self->info, &place.block_width, &place.block_height);
    place.left -= place.left % place.block_width;
    place.top -= place.top % place.block_height;
    place.right = GST_ROUND_UP_N (place.right, place.block_width);
    place.bottom = GST_ROUND_UP_N (place.bottom, place.block_height);
  }
  return place;
}

static void
draw (GstSlOverlay *self, GstBuffer *buffer)
{
  GstSlOutlinePlace place = find_place (self, buffer);
  GstSlPanelStyle style = take_style (self);

  draw_panel (self, &style, &place);
  if (!self->outline_drawn || memcmp (&place, &self->outline.place, sizeof place) != 0)
    gst_sl_outline_draw (&self->outline, self->shown.boxes, self->shown.n_boxes, &style,
                         &self->info, &place);
  self->outline_drawn = TRUE;
  g_free (style.font);
}

static GstFlowReturn
blend (GstSlOverlay *self, GstBuffer *buffer, GstSlPatch *const *patches, guint n_patches)
{
  GstVideoFrame frame;
  gboolean ok = TRUE;

  if (!gst_sl_frame_map (GST_ELEMENT (self), &frame, &self->info, buffer, GST_MAP_READWRITE))
    return GST_FLOW_ERROR;
  for (guint i = 0; i < n_patches && ok; i++)
    ok = gst_sl_patch_blend (patches[i], &frame);
  if (!ok)
    GST_WARNING_OBJECT (self, "cannot draw into %s frames", GST_VIDEO_INFO_NAME (&self->info));
  gst_video_frame_unmap (&frame);
  return GST_FLOW_OK;
}

/* --- Attach or blend? --- */

static void
set_refused (GstSlOverlay *self, gboolean refused)
{
  GST_OBJECT_LOCK (self);
  self->refused = refused;
  GST_OBJECT_UNLOCK (self);
}

/* Attach or blend? Asked when downstream knows the caps, since only then it can answer. Who wants
 * nothing but caps with compositions gets them, whatever it answers. */
static gboolean
decide (GstSlOverlay *self)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  g_autoptr (GstCaps) in = gst_pad_get_current_caps (trans->sinkpad);
  g_autoptr (GstCaps) out = gst_pad_get_current_caps (trans->srcpad);

  self->decided = TRUE;
  self->attach = gst_sl_composition_in_caps (out) &&
                 (gst_sl_composition_in_caps (in) || gst_sl_composition_ask (trans->srcpad, out) ||
                  !gst_pad_peer_query_accept_caps (trans->srcpad, in));
  GST_DEBUG_OBJECT (self, "labels and boxes are %s", self->attach ? "attached" : "blended");
  if (self->attach || !gst_sl_composition_in_caps (out))
    return TRUE;

  if (!gst_sl_composition_is_system_memory (in)) {
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

static gboolean
has_anything (GstSlOverlay *self)
{
  return self->shown.n_rows > 0 || self->shown.n_boxes > 0;
}

/* A buffer that somebody else holds is copied, without its memory, only if there is something to
 * draw. */
static GstFlowReturn
gst_sl_overlay_prepare_output_buffer (GstBaseTransform *trans, GstBuffer *input, GstBuffer **outbuf)
{
  GstSlOverlay *self = GST_SL_OVERLAY (trans);

  if (!self->decided && !decide (self))
    return GST_FLOW_NOT_NEGOTIATED;
  update_shown (self, input);
  *outbuf = input;
  if (has_anything (self) && !gst_buffer_is_writable (input))
    *outbuf = gst_buffer_copy (input);
  return GST_FLOW_OK;
}

/* The panel lies above the boxes. */
static GstFlowReturn
gst_sl_overlay_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstSlOverlay *self = GST_SL_OVERLAY (trans);
  g_autoptr (GPtrArray) patches = NULL;
  GstFlowReturn flow = GST_FLOW_OK;

  if (!has_anything (self) || gst_buffer_get_size (buffer) == 0)
    return GST_FLOW_OK;
  draw (self, buffer);
  patches = g_ptr_array_new ();
  for (guint i = 0; i < self->outline.patches->len; i++)
    g_ptr_array_add (patches, &g_array_index (self->outline.patches, GstSlPatch, i));
  if (self->panel.pixels)
    g_ptr_array_add (patches, &self->panel);
  if (patches->len > 0 && self->attach)
    gst_sl_patches_attach ((GstSlPatch **)patches->pdata, patches->len, buffer);
  else if (patches->len > 0)
    flow = blend (self, buffer, (GstSlPatch **)patches->pdata, patches->len);
  return flow;
}

/* --- Caps and allocation --- */

static GstCaps *
gst_sl_overlay_transform_caps (GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps,
                               GstCaps *filter)
{
  gboolean refused;
  GstCaps *result;

  GST_OBJECT_LOCK (trans);
  refused = GST_SL_OVERLAY (trans)->refused;
  GST_OBJECT_UNLOCK (trans);
  result = gst_sl_composition_transform_caps (caps, direction, !refused);
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

  drop_drawings (self);
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
    gst_sl_shown_clear (&GST_SL_OVERLAY (trans)->shown);
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
  gst_sl_shown_clear (&GST_SL_OVERLAY (trans)->shown);
  drop_drawings (GST_SL_OVERLAY (trans));
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
    self->rules.max_labels = g_value_get_uint (value);
    break;
  case PROP_MIN_SCORE:
    self->rules.min_score = g_value_get_float (value);
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
    self->rules.hold = g_value_get_uint64 (value);
    break;
  case PROP_BOXES:
    self->rules.boxes = g_value_get_boolean (value);
    break;
  case PROP_PRODUCER:
    g_free (self->rules.producer);
    self->rules.producer = g_value_dup_string (value);
    self->rules_anew = TRUE;
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
    g_value_set_uint (value, self->rules.max_labels);
    break;
  case PROP_MIN_SCORE:
    g_value_set_float (value, self->rules.min_score);
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
    g_value_set_uint64 (value, self->rules.hold);
    break;
  case PROP_BOXES:
    g_value_set_boolean (value, self->rules.boxes);
    break;
  case PROP_PRODUCER:
    g_value_set_string (value, self->rules.producer);
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
                                             GST_SL_SHOWN_MAX_LABELS, DEFAULT_MAX_LABELS, flags),
      [PROP_MIN_SCORE] = g_param_spec_float ("min-score", "Least score",
                                             "Labels and boxes with a lower score are not shown", 0,
                                             1, DEFAULT_MIN_SCORE, flags),
      [PROP_BARS] =
          g_param_spec_boolean ("bars", "Bars", "Draw a bar for each score", DEFAULT_BARS, flags),
      [PROP_FONT] = g_param_spec_string ("font", "Font",
                                         "Family and style of the text, such as \"Sans Italic\"",
                                         DEFAULT_FONT, flags),
      [PROP_TEXT_SIZE] = g_param_spec_double (
          "text-size", "Text size", "Height of a line as a share of the frame's shorter side", 0.01,
          0.25, DEFAULT_TEXT_SIZE, controllable),
      [PROP_COLOR] =
          g_param_spec_uint ("color", "Colour", "Colour of bars and boxes (big-endian ARGB)", 0,
                             G_MAXUINT32, DEFAULT_COLOR, controllable),
      [PROP_HOLD] = g_param_spec_uint64 (
          "hold", "Hold",
          "How long labels and boxes are shown on frames that carry none, in nanoseconds", 0,
          G_MAXUINT64, DEFAULT_HOLD, flags),
      [PROP_BOXES] = g_param_spec_boolean ("boxes", "Boxes",
                                           "Outline the boxes that frames carry, with their labels",
                                           DEFAULT_BOXES, flags),
      [PROP_PRODUCER] = g_param_spec_string (
          "producer", "Producer",
          "Name of the element whose results are shown (unset: the last network's; what the source "
          "knows to be true only where no network says anything)",
          NULL, flags),
  };

  g_object_class_install_properties (klass, N_PROPS, props);
}

static void
gst_sl_overlay_finalize (GObject *object)
{
  GstSlOverlay *self = GST_SL_OVERLAY (object);

  gst_sl_shown_clear (&self->shown);
  gst_sl_patch_clear (&self->panel);
  gst_sl_outline_free (&self->outline);
  g_free (self->style.font);
  g_free (self->rules.producer);
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

  GST_DEBUG_CATEGORY_INIT (gst_sl_overlay_debug, "sloverlay", 0, "drawing labels and boxes");

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
      "Draws the labels that frames carry, with their scores, and outlines boxes",
      "The Sightline developers");
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
  self->rules = (GstSlShownRules){.max_labels = DEFAULT_MAX_LABELS,
                                  .min_score = DEFAULT_MIN_SCORE,
                                  .boxes = DEFAULT_BOXES,
                                  .hold = DEFAULT_HOLD};
  gst_sl_outline_init (&self->outline);
  gst_video_info_init (&self->info);
  gst_base_transform_set_gap_aware (GST_BASE_TRANSFORM (self), TRUE);
}
