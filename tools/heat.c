#include "heat.h"

#include "command.h"
#include "report.h"

#include <sightline-gst/classifier.h>

#include <string.h>

struct ToolHeat {
  SlModel *model;
  SlModelRules *rules;
  SlCam *cam;
  SlClassifier *classifier;
  gboolean has_target;
  uint32_t target;
  char *label; /* of a class without one: its number */
  float *map;
};

/* A class by its number or its label. */
static gboolean
find_target (ToolHeat *self, const char *target)
{
  const uint32_t n = sl_cam_get_n_classes (self->cam);
  guint64 number;
  self->has_target = TRUE;
  if (g_ascii_string_to_unsigned (target, 10, 0, n - 1, &number, NULL)) {
    self->target = (uint32_t)number;
    return TRUE;
  }
  for (uint32_t i = 0; self->rules->labels && i < n; i++)
    if (g_ascii_strcasecmp (self->rules->labels[i], target) == 0) {
      self->target = i;
      return TRUE;
    }
  tool_error (target, "no such class (expected a label of the network or a number up to %u)",
              n - 1);
  return FALSE;
}

static gboolean
open_classifier (ToolHeat *self, const SlDevice *device, int threads, GError **error)
{
  if (!(self->cam = sl_cam_new (self->model, error)))
    return FALSE;
  const char *tap = sl_cam_get_tap (self->cam);
  const SlClassifierOptions options = {
      .device = device, .threads = (uint32_t)threads, .taps = &tap, .n_taps = 1};
  self->classifier = sl_classifier_new (self->model, self->rules, &options, error);
  return self->classifier != NULL;
}

ToolHeat *
tool_heat_new (const ToolNetwork *network, const char *target, int threads, int *ret_status)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ToolHeat) self = g_new0 (ToolHeat, 1);
  const SlDevice *device;
  *ret_status = TOOL_FAILED;
  if (!tool_network_find_device (network, &device) ||
      !(self->model = tool_network_load_model (network)) ||
      !(self->rules = tool_network_load_rules (network, self->model)))
    return NULL;
  if (!open_classifier (self, device, threads, &error)) {
    tool_gerror (sl_model_get_name (self->model), error);
    return NULL;
  }
  if (target && strcmp (target, "top") != 0 && !find_target (self, target)) {
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
  sl_cam_free (self->cam);
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

gboolean
tool_heat_run (ToolHeat *self, const SlDecodedFrame *frame, ToolHeatMap *ret_map, GError **error)
{
  const float *scores;
  uint32_t n;
  SlTensorView features;
  SlClassScore best;
  if (!classify (self, frame, &scores, &n, error))
    return FALSE;
  sl_classifier_get_tap (self->classifier, 0, 0, &features);
  sl_cam_get_size (self->cam, &features, &ret_map->width, &ret_map->height);
  if (!self->map)
    self->map = g_new (float, (size_t)ret_map->width * ret_map->height);
  sl_top_k (scores, n, 1, -G_MAXFLOAT, FALSE, &best);
  ret_map->index = self->has_target ? self->target : best.index;
  ret_map->label = label_of (self, ret_map->index);
  ret_map->score = scores[ret_map->index];
  ret_map->values = self->map;
  sl_cam_map (self->cam, &features, ret_map->index, self->map);
  sl_classifier_get_placement (self->classifier, ret_map->matrix);
  return TRUE;
}

gboolean
tool_heat_paint (const ToolHeatMap *map, ToolPicture *picture, const SlHeatLook *look,
                 GError **error)
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
  sl_map_to_heat (map->values, n, heat);
  sl_heat_refine (heat, map->width, map->height, steps, fine);
  return sl_heat_paint (painter, fine, &target);
}
