#include "gstslheatmaker.h"

#include <string.h>

gboolean
gst_sl_heat_maker_prepare (GstSlHeatMaker *self, SlModel *model, SlClassifierOptions *options,
                           GError **error)
{
  gst_sl_heat_maker_clear (self);
  self->cam = sl_cam_new (model, error);
  if (!self->cam) {
    if (error && g_error_matches (*error, SL_ERROR, SL_ERROR_UNSUPPORTED)) {
      g_autofree gchar *text = g_steal_pointer (&(*error)->message);

      (*error)->message = g_strdup_printf (
          "%s; methods by gradients, which take other networks, come with a later version", text);
    }
    return FALSE;
  }
  self->tap = sl_cam_get_tap (self->cam);
  options->taps = &self->tap;
  options->n_taps = 1;
  return TRUE;
}

void
gst_sl_heat_maker_clear (GstSlHeatMaker *self)
{
  sl_cam_free (self->cam);
  g_free (self->raw);
  gst_sl_smooth_clear (&self->smooth);
  *self = (GstSlHeatMaker){.cam = NULL};
}

static guint
find_best (const GstSlInferOutput *output)
{
  guint best = 0;

  for (guint i = 1; i < output->n_scores; i++)
    if (output->scores[i] > output->scores[best])
      best = i;
  return best;
}

gboolean
gst_sl_heat_maker_find_class (const GstSlInferOutput *output, const gchar *target, guint *ret)
{
  gchar **labels = output->rules->labels;
  guint64 number;

  if (g_str_equal (target, "top")) {
    *ret = find_best (output);
    return TRUE;
  }
  for (guint i = 0; labels && i < output->n_scores; i++)
    if (g_str_equal (labels[i], target)) {
      *ret = i;
      return TRUE;
    }
  for (guint i = 0; labels && i < output->n_scores; i++)
    if (!g_ascii_strcasecmp (labels[i], target)) {
      *ret = i;
      return TRUE;
    }
  if (!g_ascii_string_to_unsigned (target, 10, 0, output->n_scores - 1, &number, NULL))
    return FALSE;
  *ret = number;
  return TRUE;
}

static void
begin_anew_if_other (GstSlHeatMaker *self, const GstSlInferOutput *output, guint klass, guint width,
                     const gdouble placement[6])
{
  if (self->past_epoch == output->epoch && self->past_class == klass && self->past_width == width &&
      !memcmp (self->past_placement, placement, sizeof self->past_placement))
    return;
  self->epoch++;
  self->past_epoch = output->epoch;
  self->past_class = klass;
  self->past_width = width;
  memcpy (self->past_placement, placement, sizeof self->past_placement);
}

void
gst_sl_heat_maker_make (GstSlHeatMaker *self, const GstSlInferOutput *output, guint klass,
                        const gdouble placement[6], SlHeatGrid *ret)
{
  gchar **labels = output->rules->labels;
  SlTensorView features;
  uint32_t width, height;
  const gfloat *map;
  gsize n;

  sl_classifier_get_tap (output->classifier, output->slot, 0, &features);
  sl_cam_get_size (self->cam, &features, &width, &height);
  n = (gsize)width * height;
  if (n != self->n_raw) {
    self->raw = g_renew (gfloat, self->raw, n);
    self->n_raw = n;
  }
  sl_cam_map (self->cam, &features, klass, self->raw);
  begin_anew_if_other (self, output, klass, width, placement);
  map = gst_sl_smooth_add (&self->smooth, self->raw, n, output->smoothing, self->epoch);

  *ret = (SlHeatGrid){
      .width = width,
      .height = height,
      .values = g_new (gfloat, n),
      .index = klass,
      .label = labels ? g_strdup (labels[klass]) : g_strdup_printf ("%u", klass),
  };
  memcpy (ret->matrix, placement, sizeof ret->matrix);
  ret->high = sl_map_to_heat (map, n, ret->values);
}
