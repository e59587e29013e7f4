#include "gstslheatmaker.h"

#include <string.h>

void
gst_sl_heat_wish_clear (GstSlHeatWish *wish)
{
  g_clear_pointer (&wish->layer, g_free);
}

static void
copy_wish (GstSlHeatWish *to, const GstSlHeatWish *from)
{
  gst_sl_heat_wish_clear (to);
  to->method = from->method;
  to->layer = g_strdup (from->layer);
}

static SlExplainer *
make_explainer (GstSlHeatMaker *self, const GstSlHeatWish *wish, gboolean from_input,
                GError **error)
{
  SlExplainOptions options = self->options;

  options.method = wish->method;
  options.layer = wish->layer;
  options.from_input = from_input;
  return sl_explainer_new (self->model, &options, error);
}

gboolean
gst_sl_heat_maker_prepare (GstSlHeatMaker *self, SlModel *model, const GstSlHeatWish *wish,
                           SlClassifierOptions *options, GError **error)
{
  gst_sl_heat_maker_clear (self);
  self->model = sl_model_ref (model);
  self->options = (SlExplainOptions){.device = options->device, .threads = options->threads};
  self->explainer = make_explainer (self, wish, FALSE, error);
  if (!self->explainer)
    return FALSE;
  copy_wish (&self->wish, wish);
  self->tap = g_strdup (sl_explainer_get_tap (self->explainer));
  self->taps[0] = self->tap;
  self->taps[1] = sl_model_get_input (model, 0)->name;
  options->taps = self->taps;
  options->n_taps = G_N_ELEMENTS (self->taps);
  return TRUE;
}

void
gst_sl_heat_maker_clear (GstSlHeatMaker *self)
{
  sl_explainer_free (self->explainer);
  g_clear_pointer (&self->model, sl_model_unref);
  gst_sl_heat_wish_clear (&self->wish);
  g_free (self->tap);
  g_free (self->raw);
  gst_sl_smooth_clear (&self->smooth);
  *self = (GstSlHeatMaker){.model = NULL};
}

/* Which of the values that the program yields anyway this one looks at; -1: none of them. */
static gint
find_tapped (const GstSlHeatMaker *self, const SlExplainer *explainer)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->taps); i++)
    if (g_str_equal (self->taps[i], sl_explainer_get_tap (explainer)))
      return i;
  return -1;
}

gboolean
gst_sl_heat_maker_set_wish (GstSlHeatMaker *self, const GstSlHeatWish *wish, GError **error)
{
  SlExplainer *explainer;

  if (wish->method == self->wish.method && !g_strcmp0 (wish->layer, self->wish.layer))
    return TRUE;
  copy_wish (&self->wish, wish); /* that cannot be had is said once */
  explainer = make_explainer (self, wish, FALSE, error);
  if (explainer && find_tapped (self, explainer) < 0) {
    sl_explainer_free (explainer);
    explainer = make_explainer (self, wish, TRUE, error);
  }
  if (!explainer)
    return FALSE;
  sl_explainer_free (self->explainer);
  self->explainer = explainer;
  self->tapped = find_tapped (self, explainer);
  self->past_width = 0;
  return TRUE;
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

static gboolean
is_same_target (const SlExplainTarget *a, const SlExplainTarget *b)
{
  return a->klass == b->klass && a->has_other == b->has_other && a->other == b->other;
}

static void
begin_anew_if_other (GstSlHeatMaker *self, const GstSlInferOutput *output,
                     const SlExplainTarget *target, guint width, const gdouble placement[6])
{
  if (self->past_epoch == output->epoch && is_same_target (&self->past_target, target) &&
      self->past_width == width &&
      !memcmp (self->past_placement, placement, sizeof self->past_placement))
    return;
  self->epoch++;
  self->past_epoch = output->epoch;
  self->past_target = *target;
  self->past_width = width;
  memcpy (self->past_placement, placement, sizeof self->past_placement);
}

gboolean
gst_sl_heat_maker_make (GstSlHeatMaker *self, const GstSlInferOutput *output,
                        const SlExplainTarget *target, const gdouble placement[6], SlHeatGrid *ret,
                        GError **error)
{
  gchar **labels = output->rules->labels;
  SlTensorView tapped;
  uint32_t width, height;
  const gfloat *map;
  gsize n;

  sl_classifier_get_tap (output->classifier, output->slot, self->tapped, &tapped);
  if (!sl_explainer_prepare (self->explainer, &tapped, &width, &height, error))
    return FALSE;
  n = (gsize)width * height;
  if (n != self->n_raw) {
    self->raw = g_renew (gfloat, self->raw, n);
    self->n_raw = n;
  }
  if (!sl_explainer_map (self->explainer, &tapped, target, self->raw, error))
    return FALSE;
  begin_anew_if_other (self, output, target, width, placement);
  map = gst_sl_smooth_add (&self->smooth, self->raw, n, output->smoothing, self->epoch);

  *ret = (SlHeatGrid){
      .width = width,
      .height = height,
      .values = g_new (gfloat, n),
      .index = target->klass,
      .label = labels ? g_strdup (labels[target->klass]) : g_strdup_printf ("%u", target->klass),
  };
  memcpy (ret->matrix, placement, sizeof ret->matrix);
  ret->high = sl_explainer_to_heat (self->explainer, map, n, ret->values);
  return TRUE;
}
