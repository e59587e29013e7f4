/**
 * SECTION:element-slheatmap
 * @title: slheatmap
 *
 * Does what slclassify does, and shows where in the picture the network sees the class: as a map
 * drawn over the video, and as a heat grid and the box around its largest hot region in a
 * #SlGeometryMeta.
 *
 * Class activation maps are exact for networks that end in a global average of feature maps and at
 * most one linear layer: the network that comes with Sightline, SqueezeNet, ResNet, MobileNet,
 * DenseNet, Inception … They cost nothing besides the run of the network. For other networks, and
 * for other layers, there are maps by gradients: Grad-CAM of the last feature maps is what
 * #slheatmap:method auto takes then. Maps of the loaded method begin at its layer; one that is set
 * while playing may have to run the whole network once more for each frame.
 *
 * Where a frame carries a heat grid already (from an slheatmap with #slheatmap:output none further
 * up), it is drawn, and the network is not run.
 *
 * Frames of any raw format are drawn into as they are. Pixels without heat keep their bits; with
 * #slheatmap:output none, frames are not even mapped for writing.
 *
 * ## Launch lines
 * |[
 * gst-launch-1.0 sltestsrc num-buffers=30 ! slheatmap ! videoconvert ! autovideosink
 * ]| shows it on synthetic scenes.
 * |[
 * gst-launch-1.0 sltestsrc num-buffers=30 ! slheatmap output=none ! tee name=t \
 *   t. ! queue ! slheatmap output=side-by-side colormap=turbo ! videoconvert ! autovideosink \
 *   t. ! queue ! slresults location=scenes.jsonl ! fakesink
 * ]| draws in one branch what was found before, and writes it down in the other.
 * |[
 * gst-launch-1.0 sltestsrc num-buffers=30 \
 *   ! slheatmap output=none smoothing=0.8 box-threshold=0.4 \
 *   ! sloverlay ! videoconvert ! autovideosink
 * ]| shows the box alone, steadied over some frames.
 *
 * ## Message
 * As slclassify's, named `slheatmap`; with it come #GstStructure `map` (#guint `index`, #gchararray
 * `label`, #gfloat `high`) and #GstValueList `boxes` of structures named `box` with #gdouble `x`,
 * `y`, `width` and `height` in pixels of the frame, #guint `index`, #gchararray `label` and #gfloat
 * `score`.
 *
 * Since: 0.1
 */
#include "gstslheatmap.h"

#include "gstslheatcanvas.h"
#include "gstslheatcaps.h"
#include "gstslheatmaker.h"
#include "gstslheattypes.h"

#include <sightline-gst/analytics.h>

GST_DEBUG_CATEGORY_STATIC (gst_sl_heatmap_debug);
#define GST_CAT_DEFAULT gst_sl_heatmap_debug

#define DEFAULT_METHOD SL_EXPLAIN_AUTO
#define DEFAULT_TARGET "top"
#define DEFAULT_COLORMAP SL_COLORMAP_TURBO
#define DEFAULT_OPACITY 0.6f
#define DEFAULT_HEAT_THRESHOLD 0.0f
#define DEFAULT_BOX_THRESHOLD 0.5f
#define DEFAULT_OUTPUT GST_SL_HEATMAP_BLEND

enum {
  PROP_0,
  PROP_METHOD,
  PROP_LAYER,
  PROP_TARGET,
  PROP_AGAINST,
  PROP_COLORMAP,
  PROP_OPACITY,
  PROP_HEAT_THRESHOLD,
  PROP_BOX_THRESHOLD,
  PROP_OUTPUT,
  N_PROPS
};

struct _GstSlHeatmap {
  GstSlClassify parent;

  /* Under the object lock. */
  SlExplainMethod method;
  gchar *layer, *target, *against; /* layer and against may be NULL */
  gboolean target_refused;         /* said already */
  SlColormap colormap;
  gfloat opacity, heat_threshold, box_threshold;
  GstSlHeatmapOutput output;

  GstSlHeatMaker maker; /* the loading thread's, then that of who runs the network */

  /* The streaming thread's. */
  GstSlHeatCanvas canvas;
  gboolean doubled; /* negotiated: frames that go out are twice as wide */
  GstVideoInfo out_info;
};

G_DEFINE_TYPE (GstSlHeatmap, gst_sl_heatmap, GST_TYPE_SL_CLASSIFY)
GST_ELEMENT_REGISTER_DEFINE (slheatmap, "slheatmap", GST_RANK_NONE, GST_TYPE_SL_HEATMAP)

/* --- Results --- */

static void
get_wish (GstSlHeatmap *self, GstSlHeatWish *ret_wish)
{
  GST_OBJECT_LOCK (self);
  *ret_wish = (GstSlHeatWish){.method = self->method, .layer = g_strdup (self->layer)};
  GST_OBJECT_UNLOCK (self);
}

/* What "auto" has become is worth knowing. */
static void
say_method (GstSlHeatmap *self)
{
  const SlExplainer *explainer = self->maker.explainer;
  const gchar *layer = sl_explainer_get_layer (explainer);

  GST_INFO_OBJECT (self, "maps by %s of %s%s",
                   sl_explain_method_get_name (sl_explainer_get_method (explainer)),
                   layer ? "layer " : "the input", layer ? layer : "");
}

static gboolean
gst_sl_heatmap_prepare (GstSlInfer *infer, SlModel *model, SlClassifierOptions *options,
                        GError **error)
{
  GstSlHeatmap *self = GST_SL_HEATMAP (infer);
  g_auto (GstSlHeatWish) wish = {0};

  get_wish (self, &wish);
  if (!gst_sl_heat_maker_prepare (&self->maker, model, &wish, options, error))
    return FALSE;
  say_method (self);
  return TRUE;
}

static void
gst_sl_heatmap_release (GstSlInfer *infer)
{
  GstSlHeatmap *self = GST_SL_HEATMAP (infer);

  gst_sl_heat_maker_clear (&self->maker);
  gst_sl_heat_canvas_clear (&self->canvas);
}

static void
refuse_target (GstSlHeatmap *self, const gchar *target, guint n_classes)
{
  gboolean refused;

  GST_OBJECT_LOCK (self);
  refused = self->target_refused;
  self->target_refused = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (!refused)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
                         ("There is no class \"%s\" to show a map of (expected \"top\", a label of "
                          "the network, or 0 to %u).",
                          target, n_classes - 1),
                         (NULL));
}

static void
add_box (GstSlResult *result, gfloat threshold, gfloat score)
{
  SlBox box;

  if (!sl_heat_grid_find_box (&result->grid, threshold, result->frame.width, result->frame.height,
                              &box))
    return;
  box.score = score;
  box.label = g_strdup (box.label);
  result->boxes = g_new (SlBox, 1);
  result->boxes[0] = box;
  result->n_boxes = 1;
}

/* What the properties ask for now; what cannot be had is said once, and the old goes on. */
static void
follow_wish (GstSlHeatmap *self)
{
  g_auto (GstSlHeatWish) wish = {0};
  g_autoptr (GError) error = NULL;

  get_wish (self, &wish);
  if (!gst_sl_heat_maker_set_wish (&self->maker, &wish, &error))
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
                         ("Maps stay as they are, for %s%s%s cannot be had: %s.",
                          sl_explain_method_get_name (wish.method), wish.layer ? " of " : "",
                          wish.layer ? wish.layer : "", error->message),
                         (NULL));
}

/* FALSE after saying so, once, if there is no such class. */
static gboolean
find_target (GstSlHeatmap *self, const GstSlInferOutput *output, SlExplainTarget *ret)
{
  g_autofree gchar *target = NULL, *against = NULL;

  GST_OBJECT_LOCK (self);
  target = g_strdup (self->target);
  against = g_strdup (self->against);
  GST_OBJECT_UNLOCK (self);
  *ret = (SlExplainTarget){.has_other = against != NULL};
  if (!gst_sl_heat_maker_find_class (output, target, &ret->klass)) {
    refuse_target (self, target, output->n_scores);
    return FALSE;
  }
  if (against && !gst_sl_heat_maker_find_class (output, against, &ret->other)) {
    refuse_target (self, against, output->n_scores);
    return FALSE;
  }
  return TRUE;
}

static gboolean
gst_sl_heatmap_describe (GstSlInfer *infer, const GstSlInferOutput *output, GstSlResult *result,
                         GError **error)
{
  GstSlHeatmap *self = GST_SL_HEATMAP (infer);
  GstSlInferClass *parent_class = GST_SL_INFER_CLASS (gst_sl_heatmap_parent_class);
  SlExplainTarget target;
  gfloat threshold;

  if (!parent_class->describe (infer, output, result, error))
    return FALSE;
  follow_wish (self);
  if (!find_target (self, output, &target))
    return TRUE;
  if (!gst_sl_heat_maker_make (&self->maker, output, &target, result->frame.placement,
                               &result->grid, error))
    return FALSE;
  GST_OBJECT_LOCK (self);
  threshold = self->box_threshold;
  GST_OBJECT_UNLOCK (self);
  if (result->grid.high > 0)
    add_box (result, threshold, output->scores[target.klass]);
  return TRUE;
}

/* A box in a frame of other caps would be anywhere in this one. */
static gboolean
is_of_same_size (GstSlInfer *infer, GstBuffer *buffer, const GstSlResult *result)
{
  const GstVideoInfo *info = gst_sl_infer_get_video_info (infer);

  return gst_buffer_get_size (buffer) == 0 ||
         (result->frame.width == GST_VIDEO_INFO_WIDTH (info) &&
          result->frame.height == GST_VIDEO_INFO_HEIGHT (info));
}

static void
gst_sl_heatmap_attach (GstSlInfer *infer, GstBuffer *buffer, const GstSlResult *result, guint64 age,
                       gboolean fresh)
{
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (infer));
  SlGeometryMeta *meta;

  GST_SL_INFER_CLASS (gst_sl_heatmap_parent_class)->attach (infer, buffer, result, age, fresh);
  if (!is_of_same_size (infer, buffer, result))
    return;
  meta = sl_buffer_add_geometry_meta (buffer, name, result->model);
  meta->frame = result->frame.number;
  meta->pts = result->frame.pts;
  meta->age = age;
  meta->fresh = fresh;
  for (guint i = 0; i < result->n_boxes; i++) {
    const SlBox *box = &result->boxes[i];

    sl_geometry_meta_append_box (meta, box->x, box->y, box->width, box->height, box->index,
                                 box->score, box->label);
  }
  if (result->grid.width)
    sl_geometry_meta_set_grid (meta, &result->grid);
  sl_buffer_publish_analytics (buffer, NULL, meta);
}

static void
gst_sl_heatmap_extend_message (GstSlClassify *classify, const GstSlResult *result,
                               GstStructure *message)
{
  const SlHeatGrid *grid = &result->grid;
  GValue list = G_VALUE_INIT;

  if (grid->width) {
    GstStructure *map =
        gst_structure_new ("map", "index", G_TYPE_UINT, grid->index, "label", G_TYPE_STRING,
                           grid->label, "high", G_TYPE_FLOAT, grid->high, NULL);

    gst_structure_set (message, "map", GST_TYPE_STRUCTURE, map, NULL);
    gst_structure_free (map);
  }
  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; i < result->n_boxes; i++) {
    const SlBox *box = &result->boxes[i];
    GValue item = G_VALUE_INIT;

    g_value_init (&item, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&item,
                        gst_structure_new ("box", "x", G_TYPE_DOUBLE, box->x, "y", G_TYPE_DOUBLE,
                                           box->y, "width", G_TYPE_DOUBLE, box->width, "height",
                                           G_TYPE_DOUBLE, box->height, "index", G_TYPE_UINT,
                                           box->index, "label", G_TYPE_STRING, box->label, "score",
                                           G_TYPE_FLOAT, box->score, NULL));
    gst_value_list_append_and_take_value (&list, &item);
  }
  gst_structure_take_value (message, "boxes", &list);
}

/* --- Drawing --- */

/* The grid that a buffer carries: this element's, else the one that was attached last. */
static const SlHeatGrid *
find_grid (GstSlHeatmap *self, GstBuffer *buffer)
{
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (self));
  const SlHeatGrid *found = NULL;
  gpointer state = NULL;
  GstMeta *item;

  while ((item = gst_buffer_iterate_meta_filtered (buffer, &state, SL_GEOMETRY_META_API_TYPE))) {
    const SlGeometryMeta *meta = (const SlGeometryMeta *)item;

    if (meta->version > SL_GEOMETRY_META_VERSION || !meta->grid.width)
      continue;
    found = &meta->grid;
    if (!g_strcmp0 (meta->producer, name))
      break;
  }
  return found;
}

static gboolean
gst_sl_heatmap_wants (GstSlInfer *infer, GstBuffer *buffer)
{
  return !find_grid (GST_SL_HEATMAP (infer), buffer);
}

static GstSlHeatmapOutput
get_look (GstSlHeatmap *self, SlHeatLook *ret_look)
{
  GstSlHeatmapOutput output;

  GST_OBJECT_LOCK (self);
  output = self->output;
  *ret_look = (SlHeatLook){
      .colormap = self->colormap, .opacity = self->opacity, .threshold = self->heat_threshold};
  if (output == GST_SL_HEATMAP_MASK) {
    ret_look->style = SL_HEAT_MASK;
    ret_look->threshold = self->box_threshold;
  } else if (output == GST_SL_HEATMAP_MAP) {
    ret_look->style = SL_HEAT_MAP;
  }
  GST_OBJECT_UNLOCK (self);
  return output;
}

static GstFlowReturn
draw_beside (GstSlHeatmap *self, GstBuffer **buffer, const SlHeatLook *look)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  const GstVideoInfo *info = gst_sl_infer_get_video_info (GST_SL_INFER (self));
  GstBuffer *ret = NULL;
  GstFlowReturn flow;

  flow = GST_BASE_TRANSFORM_GET_CLASS (self)->prepare_output_buffer (trans, *buffer, &ret);
  if (flow != GST_FLOW_OK)
    return flow;
  if (!gst_sl_heat_canvas_draw_beside (&self->canvas, GST_ELEMENT (self), ret, &self->out_info,
                                       *buffer, info, find_grid (self, *buffer), look)) {
    gst_buffer_unref (ret);
    return GST_FLOW_ERROR;
  }
  gst_buffer_unref (*buffer);
  *buffer = ret;
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_sl_heatmap_present (GstSlInfer *infer, GstBuffer **buffer)
{
  GstSlHeatmap *self = GST_SL_HEATMAP (infer);
  SlHeatLook look;
  GstSlHeatmapOutput output = get_look (self, &look);

  if (gst_buffer_get_size (*buffer) == 0)
    return GST_FLOW_OK;
  if (self->doubled)
    return draw_beside (self, buffer, &look);
  if (output == GST_SL_HEATMAP_NONE || output == GST_SL_HEATMAP_SIDE_BY_SIDE)
    return GST_FLOW_OK; /* side by side: from the next caps on */
  if (look.style == SL_HEAT_BLEND &&
      !gst_sl_heat_canvas_shows (find_grid (self, *buffer), look.threshold))
    return GST_FLOW_OK;
  *buffer = gst_buffer_make_writable (*buffer);
  return gst_sl_heat_canvas_draw (&self->canvas, GST_ELEMENT (self), *buffer,
                                  gst_sl_infer_get_video_info (infer), find_grid (self, *buffer),
                                  &look)
             ? GST_FLOW_OK
             : GST_FLOW_ERROR;
}

/* --- Caps and allocation --- */

static GstCaps *
gst_sl_heatmap_transform_caps (GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps,
                               GstCaps *filter)
{
  GstCaps *result;
  gboolean beside;

  GST_OBJECT_LOCK (trans);
  beside = GST_SL_HEATMAP (trans)->output == GST_SL_HEATMAP_SIDE_BY_SIDE;
  GST_OBJECT_UNLOCK (trans);
  result = beside ? gst_sl_heat_caps_scale (caps, direction == GST_PAD_SINK) : gst_caps_ref (caps);
  if (filter) {
    GstCaps *intersection = gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (result);
    result = intersection;
  }
  return result;
}

static gboolean
gst_sl_heatmap_set_caps (GstBaseTransform *trans, GstCaps *incaps, GstCaps *outcaps)
{
  GstSlHeatmap *self = GST_SL_HEATMAP (trans);
  const GstVideoInfo *info;

  if (!GST_BASE_TRANSFORM_CLASS (gst_sl_heatmap_parent_class)->set_caps (trans, incaps, outcaps) ||
      !sl_video_info_from_caps (&self->out_info, outcaps))
    return FALSE;
  info = gst_sl_infer_get_video_info (GST_SL_INFER (self));
  self->doubled = GST_VIDEO_INFO_WIDTH (&self->out_info) == 2 * GST_VIDEO_INFO_WIDTH (info);
  self->canvas.warned = FALSE;
  gst_base_transform_set_passthrough (trans, !self->doubled);
  return TRUE;
}

static gboolean
gst_sl_heatmap_transform_size (GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps,
                               gsize size, GstCaps *othercaps, gsize *othersize)
{
  GstVideoInfo info;

  if (!gst_video_info_from_caps (&info, othercaps))
    return FALSE;
  *othersize = GST_VIDEO_INFO_SIZE (&info);
  return TRUE;
}

/* Upstream may choose its strides: frames are copied row by row. */
static gboolean
gst_sl_heatmap_propose_allocation (GstBaseTransform *trans, GstQuery *decide_query, GstQuery *query)
{
  if (!GST_BASE_TRANSFORM_CLASS (gst_sl_heatmap_parent_class)
           ->propose_allocation (trans, decide_query, query))
    return FALSE;
  if (decide_query)
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

/* What goes from a frame to the one twice as wide: what is true of the left half. */
static gboolean
gst_sl_heatmap_transform_meta (GstBaseTransform *trans, GstBuffer *outbuf, GstMeta *meta,
                               GstBuffer *inbuf)
{
  if (meta->info->api == GST_VIDEO_CROP_META_API_TYPE)
    return FALSE;
  if (meta->info->api == SL_GEOMETRY_META_API_TYPE)
    return gst_buffer_get_video_crop_meta (inbuf) == NULL;
  return GST_BASE_TRANSFORM_CLASS (gst_sl_heatmap_parent_class)
      ->transform_meta (trans, outbuf, meta, inbuf);
}

/* Never called, since the base replaces what would call it; that there is one tells
 * GstBaseTransform that buffers may have to be allocated. */
static GstFlowReturn
gst_sl_heatmap_transform (GstBaseTransform *trans, GstBuffer *inbuf, GstBuffer *outbuf)
{
  g_return_val_if_reached (GST_FLOW_ERROR);
}

/* --- Properties --- */

static void
gst_sl_heatmap_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSlHeatmap *self = GST_SL_HEATMAP (object);
  gboolean renegotiate = FALSE;

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_METHOD:
    self->method = g_value_get_enum (value);
    break;
  case PROP_LAYER:
    g_free (self->layer);
    self->layer = g_value_dup_string (value);
    break;
  case PROP_AGAINST:
    self->target_refused = FALSE;
    g_free (self->against);
    self->against = g_value_dup_string (value);
    break;
  case PROP_TARGET:
    if (g_strcmp0 (self->target, g_value_get_string (value)))
      self->target_refused = FALSE;
    g_free (self->target);
    self->target =
        g_strdup (g_value_get_string (value) ? g_value_get_string (value) : DEFAULT_TARGET);
    break;
  case PROP_COLORMAP:
    self->colormap = g_value_get_enum (value);
    break;
  case PROP_OPACITY:
    self->opacity = g_value_get_float (value);
    break;
  case PROP_HEAT_THRESHOLD:
    self->heat_threshold = g_value_get_float (value);
    break;
  case PROP_BOX_THRESHOLD:
    self->box_threshold = g_value_get_float (value);
    break;
  case PROP_OUTPUT:
    renegotiate = (self->output == GST_SL_HEATMAP_SIDE_BY_SIDE) !=
                  (g_value_get_enum (value) == GST_SL_HEATMAP_SIDE_BY_SIDE);
    self->output = g_value_get_enum (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
  if (renegotiate)
    gst_base_transform_reconfigure_src (GST_BASE_TRANSFORM (self));
}

static void
gst_sl_heatmap_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSlHeatmap *self = GST_SL_HEATMAP (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_METHOD:
    g_value_set_enum (value, self->method);
    break;
  case PROP_LAYER:
    g_value_set_string (value, self->layer);
    break;
  case PROP_TARGET:
    g_value_set_string (value, self->target);
    break;
  case PROP_AGAINST:
    g_value_set_string (value, self->against);
    break;
  case PROP_COLORMAP:
    g_value_set_enum (value, self->colormap);
    break;
  case PROP_OPACITY:
    g_value_set_float (value, self->opacity);
    break;
  case PROP_HEAT_THRESHOLD:
    g_value_set_float (value, self->heat_threshold);
    break;
  case PROP_BOX_THRESHOLD:
    g_value_set_float (value, self->box_threshold);
    break;
  case PROP_OUTPUT:
    g_value_set_enum (value, self->output);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags playing =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  const GParamFlags controllable = playing | GST_PARAM_CONTROLLABLE;
  GParamSpec *props[N_PROPS] = {
      [PROP_METHOD] = g_param_spec_enum ("method", "Method", "How maps are made",
                                         GST_TYPE_SL_HEATMAP_METHOD, DEFAULT_METHOD, playing),
      [PROP_LAYER] = g_param_spec_string (
          "layer", "Layer", "Whose feature maps are looked at (default: the network's last)", NULL,
          playing),
      [PROP_TARGET] = g_param_spec_string (
          "target", "Target",
          "Class that the map is about: top (the best of each result), a label, or a number",
          DEFAULT_TARGET, playing),
      [PROP_AGAINST] = g_param_spec_string (
          "against", "Against",
          "Class that the target is compared with: what speaks for one rather than the other", NULL,
          playing),
      [PROP_COLORMAP] = g_param_spec_enum ("colormap", "Colour map", "Colours from cold to hot",
                                           GST_TYPE_SL_COLORMAP, DEFAULT_COLORMAP, playing),
      [PROP_OPACITY] = g_param_spec_float (
          "opacity", "Opacity", "Of the hottest place; what is less hot shows more of the picture",
          0, 1, DEFAULT_OPACITY, controllable),
      [PROP_HEAT_THRESHOLD] =
          g_param_spec_float ("heat-threshold", "Heat threshold",
                              "Heat below is not drawn (1: only the hottest place of each map)", 0,
                              1, DEFAULT_HEAT_THRESHOLD, controllable),
      [PROP_BOX_THRESHOLD] = g_param_spec_float (
          "box-threshold", "Box threshold",
          "The box is drawn around the largest region of at least this heat; the mask is white "
          "there",
          0, 1, DEFAULT_BOX_THRESHOLD, controllable),
      [PROP_OUTPUT] = g_param_spec_enum ("output", "Output", "What the frames show",
                                         GST_TYPE_SL_HEATMAP_OUTPUT, DEFAULT_OUTPUT, playing),
  };

  g_object_class_install_properties (klass, N_PROPS, props);
}

/* --- The type --- */

static void
gst_sl_heatmap_finalize (GObject *object)
{
  GstSlHeatmap *self = GST_SL_HEATMAP (object);

  g_free (self->layer);
  g_free (self->target);
  g_free (self->against);
  gst_sl_heat_maker_clear (&self->maker);
  gst_sl_heat_canvas_clear (&self->canvas);
  G_OBJECT_CLASS (gst_sl_heatmap_parent_class)->finalize (object);
}

static void
gst_sl_heatmap_class_init (GstSlHeatmapClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstSlInferClass *infer_class = GST_SL_INFER_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_sl_heatmap_debug, "slheatmap", 0, "showing where a network looks");

  object_class->set_property = gst_sl_heatmap_set_property;
  object_class->get_property = gst_sl_heatmap_get_property;
  object_class->finalize = gst_sl_heatmap_finalize;
  install_properties (object_class);

  trans_class->transform_caps = gst_sl_heatmap_transform_caps;
  trans_class->set_caps = gst_sl_heatmap_set_caps;
  trans_class->transform_size = gst_sl_heatmap_transform_size;
  trans_class->propose_allocation = gst_sl_heatmap_propose_allocation;
  trans_class->transform_meta = gst_sl_heatmap_transform_meta;
  trans_class->transform = gst_sl_heatmap_transform;

  infer_class->prepare = gst_sl_heatmap_prepare;
  infer_class->release = gst_sl_heatmap_release;
  infer_class->wants = gst_sl_heatmap_wants;
  infer_class->describe = gst_sl_heatmap_describe;
  infer_class->attach = gst_sl_heatmap_attach;
  infer_class->present = gst_sl_heatmap_present;
  GST_SL_CLASSIFY_CLASS (klass)->extend_message = gst_sl_heatmap_extend_message;

  gst_element_class_set_static_metadata (
      element_class, "Sightline class heatmap", "Filter/Analyzer/Video",
      "Labels frames as slclassify does, and shows where in them the network sees the class",
      "The Sightline developers");
  gst_element_class_add_static_metadata (
      element_class, "example",
      "gst-launch-1.0 sltestsrc num-buffers=30 ! slheatmap ! videoconvert ! autovideosink");

  gst_type_mark_as_plugin_api (GST_TYPE_SL_HEATMAP_METHOD, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_SL_HEATMAP_OUTPUT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_SL_COLORMAP, 0);
}

static void
gst_sl_heatmap_init (GstSlHeatmap *self)
{
  self->method = DEFAULT_METHOD;
  self->target = g_strdup (DEFAULT_TARGET);
  self->colormap = DEFAULT_COLORMAP;
  self->opacity = DEFAULT_OPACITY;
  self->heat_threshold = DEFAULT_HEAT_THRESHOLD;
  self->box_threshold = DEFAULT_BOX_THRESHOLD;
  self->output = DEFAULT_OUTPUT;
}
