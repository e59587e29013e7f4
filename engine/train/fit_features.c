/* The part of a network that stays as it is, computed once for each sample. */
#include "train/feature_source.h"
#include "train/fit.h"

#include <string.h>

/* Pictures are the same in each epoch. */
static gboolean
is_plain (SlFit *fit)
{
  SlAugment augment;
  static const SlAugment none;
  sl_recipe_get_augment (fit->recipe, &fit->rules->preprocess, &augment);
  /* How something is done that is not done at all. */
  augment.fill_rule = none.fill_rule;
  memcpy (augment.erase_color, none.erase_color, sizeof augment.erase_color);
  return memcmp (&augment, &none, sizeof augment) == 0 && fit->recipe->augment.mask == 0;
}

static SlPreprocess
rules_of (const SlShape *shape)
{
  return (SlPreprocess){.channels = (guint32)shape->dim[1],
                        .height = shape->rank == 4 ? (guint32)shape->dim[2] : 1,
                        .width = shape->rank == 4 ? (guint32)shape->dim[3] : 1,
                        .scale = 1,
                        .std = {1, 1, 1}};
}

static SlSampleSource *
features_of (SlFit *fit, SlSampleSource *source, const char *data_hash, GError **error)
{
  const SlFeatureOptions options = {.name = fit->begin,
                                    .rules = &fit->rules->preprocess,
                                    .device = fit->options.device ? fit->options.device
                                                                  : sl_device_find ("auto", NULL),
                                    .threads = fit->options.threads,
                                    .model_hash = fit->base_hash,
                                    .data_hash = data_hash,
                                    .folder = fit->options.features};
  const guint n = sl_sample_source_get_n_samples (source);
  const gint64 start = g_get_monotonic_time ();
  gboolean was_kept;
  SlSampleSource *features =
      sl_features_new (source, fit->options.model, &options, &was_kept, error);
  if (features && was_kept)
    sl_fit_note (fit, "features of %u samples, kept from an earlier run", n);
  else if (features)
    sl_fit_note (fit,
                 "features of %u samples computed in %.1f s: what '%s' is, which nothing trains", n,
                 (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC, fit->begin);
  return features;
}

/* Divided as the pictures are: by the same labels and sessions. */
static gboolean
divide (SlFit *fit, SlSampleSource *all, GError **error)
{
  g_autoptr (SlSampleSource) test = NULL, validation = NULL;
  if (!sl_fit_divide (fit->recipe, all, &fit->features, &validation, &test, error))
    return FALSE;
  if (fit->options.validation)
    fit->validation_features =
        features_of (fit, fit->options.validation, fit->validation_hash, error);
  else
    fit->validation_features = g_steal_pointer (&validation);
  return !fit->validation || fit->validation_features;
}

gboolean
sl_fit_prepare_features (SlFit *fit, GError **error)
{
  SlTrainerOptions options;
  g_autofree float *weights = NULL;
  g_autofree SlRateRule *rules = NULL;
  g_auto (GStrv) patterns = NULL;
  g_autoptr (GError) problem = NULL;
  SlShape shape;
  if (!fit->recipe->network.base || !fit->recipe->network.features || !fit->base_hash ||
      fit->targets_are_inputs || !fit->folder || !is_plain (fit))
    return TRUE;
  if (!sl_fit_read_trainer_options (fit, &options, &weights, &rules, &patterns, error))
    return FALSE;
  fit->begin = sl_features_find (fit->options.model, &options, &shape, &problem);
  if (!fit->begin) {
    if (problem)
      g_propagate_error (error, g_steal_pointer (&problem));
    return problem == NULL && (!error || !*error);
  }
  fit->feature_rules = rules_of (&shape);
  g_autoptr (SlSampleSource) all = features_of (fit, fit->options.train, fit->data_hash, error);
  return all && divide (fit, all, error);
}
