#include "heat.h"

#include "command.h"
#include "report.h"

#include <sightline-gst/classifier.h>

#include <string.h>

struct ToolHeat {
  SlModel *model;
  SlModelRules *rules;
  SlExplainer *explainer;
  SlClassifier *classifier;
  gboolean has_target;
  SlExplainTarget target;
  char *label; /* of a class without one: its number */
  float *map;
  size_t n_map;
};

/* A class by its number or its label. */
static gboolean
find_class (ToolHeat *self, const char *name, uint32_t *ret)
{
  const uint32_t n = sl_explainer_get_n_classes (self->explainer);
  guint64 number;
  if (g_ascii_string_to_unsigned (name, 10, 0, n - 1, &number, NULL)) {
    *ret = (uint32_t)number;
    return TRUE;
  }
  for (uint32_t i = 0; self->rules->labels && i < n; i++)
    if (g_ascii_strcasecmp (self->rules->labels[i], name) == 0) {
      *ret = i;
      return TRUE;
    }
  tool_error (name, "no such class (expected a label of the network or a number up to %u)", n - 1);
  return FALSE;
}

static gboolean
find_target (ToolHeat *self, const ToolHeatOptions *options)
{
  self->has_target = options->target && strcmp (options->target, "top") != 0;
  self->target.has_other = options->against != NULL;
  return (!self->has_target || find_class (self, options->target, &self->target.klass)) &&
         (!options->against || find_class (self, options->against, &self->target.other));
}

static gboolean
open_classifier (ToolHeat *self, const SlDevice *device, const ToolHeatOptions *options,
                 GError **error)
{
  const SlExplainOptions how = {.method = options->method,
                                .layer = options->layer,
                                .device = device,
                                .threads = (uint32_t)options->threads};
  if (!(self->explainer = sl_explainer_new (self->model, &how, error)))
    return FALSE;
  const char *tap = sl_explainer_get_tap (self->explainer);
  const SlClassifierOptions classifier = {
      .device = device, .threads = (uint32_t)options->threads, .taps = &tap, .n_taps = 1};
  self->classifier = sl_classifier_new (self->model, self->rules, &classifier, error);
  return self->classifier != NULL;
}

ToolHeat *
tool_heat_new (const ToolNetwork *network, const ToolHeatOptions *options, int *ret_status)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ToolHeat) self = g_new0 (ToolHeat, 1);
  const SlDevice *device;
  *ret_status = TOOL_FAILED;
  if (!tool_network_find_device (network, &device) ||
      !(self->model = tool_network_load_model (network)) ||
      !(self->rules = tool_network_load_rules (network, self->model)))
    return NULL;
  if (!open_classifier (self, device, options, &error)) {
    tool_gerror (sl_model_get_name (self->model), error);
    return NULL;
  }
  if (!find_target (self, options)) {
    *ret_status = TOOL_USAGE;
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
tool_heat_free (ToolHeat *self)
{
  if (!self)
    return;
  sl_classifier_free (self->classifier);
  sl_explainer_free (self->explainer);
  g_clear_pointer (&self->rules, sl_model_rules_free);
  g_clear_pointer (&self->model, sl_model_unref);
  g_free (self->label);
  g_free (self->map);
  g_free (self);
}

SlModel *
tool_heat_get_model (ToolHeat *self)
{
  return self->model;
}

/* Classifies the frame. */
static gboolean
classify (ToolHeat *self, const SlDecodedFrame *frame, const float **ret_scores, uint32_t *ret_n,
          GError **error)
{
  GstVideoFrame mapped;
  if (!sl_classifier_set_info (self->classifier, frame->info, error))
    return FALSE;
  sl_classifier_set_orientation (self->classifier, frame->orientation);
  if (!gst_video_frame_map (&mapped, frame->info, frame->buffer, GST_MAP_READ)) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "frame %" G_GUINT64_FORMAT " does not have the size that its format asks for",
                 frame->number);
    return FALSE;
  }
  gboolean good = sl_classifier_run (self->classifier, &mapped, ret_scores, ret_n, error);
  gst_video_frame_unmap (&mapped);
  g_autofree char *note = sl_classifier_take_note (self->classifier);
  if (note)
    tool_note ("%s", note);
  return good;
}

static const char *
label_of (ToolHeat *self, uint32_t index)
{
  if (self->rules->labels)
    return self->rules->labels[index];
  g_free (self->label);
  return self->label = g_strdup_printf ("%u", index);
}

/* The map of the frame that was classified last. */
static gboolean
explain (ToolHeat *self, uint32_t best, ToolHeatMap *ret_map, GError **error)
{
  SlTensorView tapped;
  SlExplainTarget target = self->target;
  if (!self->has_target)
    target.klass = best;
  sl_classifier_get_tap (self->classifier, 0, 0, &tapped);
  if (!sl_explainer_prepare (self->explainer, &tapped, &ret_map->width, &ret_map->height, error))
    return FALSE;
  const size_t n = (size_t)ret_map->width * ret_map->height;
  if (n != self->n_map) {
    self->map = g_renew (float, self->map, n);
    self->n_map = n;
  }
  ret_map->index = target.klass;
  ret_map->label = label_of (self, target.klass);
  ret_map->values = self->map;
  return sl_explainer_map (self->explainer, &tapped, &target, self->map, error);
}

gboolean
tool_heat_run (ToolHeat *self, const SlDecodedFrame *frame, ToolHeatMap *ret_map, GError **error)
{
  const float *scores;
  uint32_t n;
  SlClassScore best;
  if (!classify (self, frame, &scores, &n, error))
    return FALSE;
  sl_top_k (scores, n, 1, -G_MAXFLOAT, FALSE, &best);
  if (!explain (self, best.index, ret_map, error))
    return FALSE;
  ret_map->score = scores[ret_map->index];
  sl_classifier_get_placement (self->classifier, ret_map->matrix);
  return TRUE;
}

gboolean
tool_heat_paint (ToolHeat *self, const ToolHeatMap *map, ToolPicture *picture,
                 const SlHeatLook *look, GError **error)
{
  const size_t n = (size_t)map->width * map->height;
  const uint32_t steps = sl_heat_find_steps (map->width, map->height);
  const size_t n_fine = n * steps * steps;
  g_autofree float *heat = g_new (float, n);
  g_autofree float *fine = g_new (float, n_fine);
  const SlHeatSurface surface = {.image = {.format = SL_PIXEL_RGB,
                                           .width = (uint32_t)picture->width,
                                           .height = (uint32_t)picture->height}};
  const SlHeatTarget target = {.planes = {picture->rgb},
                               .strides = {3 * (ptrdiff_t)picture->width}};
  g_autoptr (SlHeatPainter) painter = sl_heat_painter_new (
      &surface, map->width * steps, map->height * steps, map->matrix, look, 0, error);
  if (!painter)
    return FALSE;
  sl_explainer_to_heat (self->explainer, map->values, n, heat);
  sl_heat_refine (heat, map->width, map->height, steps, fine);
  return sl_heat_paint (painter, fine, &target);
}
