/* What goes into a run: samples divided, pictures prepared, options of the trainer. */
#include "train/fit.h"

#include "onnx/keys.h"
#include "train/recipe_keys.h"

#include <math.h>
#include <string.h>

/* Part of the rate at which layers of a base learn that are good already. */
#define SLOWER 0.1

/* --- which samples --- */

static SlSplitRule
find_rule (const char *by)
{
  if (strcmp (by, "last") == 0)
    return SL_SPLIT_LAST;
  return strcmp (by, "session") == 0 ? SL_SPLIT_GROUP : SL_SPLIT_RANDOM;
}

/* Takes `part` of *source off it. */
static gboolean
take_part (const SlRecipe *recipe, SlSampleSource **source, double part, SlSampleSource **ret,
           GError **error)
{
  SlSampleSource *kept;
  if (part <= 0)
    return TRUE;
  if (!sl_sample_source_split (*source, find_rule (recipe->split.by), part,
                               (guint64)recipe->train.seed, &kept, ret, error))
    return FALSE;
  sl_sample_source_unref (*source);
  *source = kept;
  return TRUE;
}

gboolean
sl_fit_divide (const SlRecipe *recipe, SlSampleSource *all, SlSampleSource **ret_train,
               SlSampleSource **ret_validation, SlSampleSource **ret_test, GError **error)
{
  g_return_val_if_fail (recipe && all && ret_train && ret_validation && ret_test, FALSE);

  const double test = recipe->split.test, validation = recipe->split.validation;
  const guint32 limit = (guint32)MIN (recipe->data.limit, G_MAXUINT32);
  g_autoptr (SlSampleSource) rest = sl_sample_source_ref (all);
  *ret_train = *ret_validation = *ret_test = NULL;
  if (!take_part (recipe, &rest, test, ret_test, error) ||
      !take_part (recipe, &rest, validation / (1 - test), ret_validation, error)) {
    g_clear_pointer (ret_test, sl_sample_source_unref);
    return FALSE;
  }
  *ret_train = limit ? sl_sample_source_draw (rest, limit, (guint64)recipe->train.seed, error)
                     : g_steal_pointer (&rest);
  return *ret_train != NULL;
}

/* A part that lacks a class says nothing of it. */
static void
note_missing_class (SlFit *fit)
{
  const guint32 n = sl_sample_source_get_n_classes (fit->train);
  g_autofree guint32 *train = g_new (guint32, n), *validation = g_new (guint32, n);
  if (!fit->has_classes || sl_sample_source_get_n_classes (fit->validation) != n)
    return;
  sl_sample_source_count (fit->train, train);
  sl_sample_source_count (fit->validation, validation);
  for (guint32 i = 0; i < n; i++)
    if (train[i] > 0 && validation[i] == 0) {
      sl_fit_note (fit, "class '%s' has no validation samples%s",
                   sl_sample_source_get_class_names (fit->train)[i],
                   strcmp (fit->recipe->split.by, "random") != 0 && !fit->options.validation
                       ? " (with [split] by=random each class has its share)"
                       : "");
      return;
    }
}

static gboolean
divide (SlFit *fit, GError **error)
{
  g_autoptr (SlSampleSource) test = NULL, validation = NULL;
  if (fit->options.validation)
    fit->effective.split.validation = 0;
  if (fit->options.has_test)
    fit->effective.split.test = 0;
  if (!sl_fit_divide (fit->recipe, fit->options.train, &fit->train, &validation, &test, error))
    return FALSE;
  fit->validation = fit->options.validation ? sl_sample_source_ref (fit->options.validation)
                                            : g_steal_pointer (&validation);
  if (fit->validation)
    note_missing_class (fit);
  return TRUE;
}

/* --- how pictures are prepared --- */

static gboolean
parse_size (const char *text, guint32 *ret_width, guint32 *ret_height)
{
  char *end;
  guint64 width = g_ascii_strtoull (text, &end, 10), height = width;
  if (end > text && *end == 'x')
    height = g_ascii_strtoull (end + 1, &end, 10);
  if (*end || width < 1 || width > SL_IMAGE_MAX_SIZE || height < 1 || height > SL_IMAGE_MAX_SIZE)
    return FALSE;
  *ret_width = (guint32)width;
  *ret_height = (guint32)height;
  return TRUE;
}

gboolean
sl_fit_load_first (SlSampleSource *source, SlSample *ret_sample, GError **error)
{
  const uint32_t n = sl_sample_source_get_n_samples (source);
  for (uint32_t i = 0; i + 1 < n; i++)
    if (sl_sample_source_load (source, i, ret_sample, NULL))
      return TRUE;
  return sl_sample_source_load (source, n - 1, ret_sample, error);
}

/* Rules for an input of so many numbers a sample: pictures of the size that the recipe or the first
 * sample has. */
static SlModelRules *
make_flat_rules (SlFit *fit, gint64 elements, GError **error)
{
  const SlRecipe *recipe = fit->recipe;
  guint32 width, height;
  SlSample sample;
  if (!sl_fit_load_first (fit->train, &sample, error))
    return NULL;
  width = sample.info.width;
  height = sample.info.height;
  sl_sample_source_release (fit->train, &sample);
  if (recipe->preprocess.size && !parse_size (recipe->preprocess.size, &width, &height)) {
    sl_fit_fail (error, SL_ERROR_MALFORMED,
                 "%s: [preprocess] size is '%s' (expected SIZE or WIDTHxHEIGHT)", recipe->name,
                 recipe->preprocess.size);
    return NULL;
  }
  const gint64 pixels = (gint64)width * height;
  if (elements != pixels && elements != 3 * pixels) {
    sl_fit_fail (error, SL_ERROR_SHAPE,
                 "the network reads %" G_GINT64_FORMAT " numbers (expected %" G_GINT64_FORMAT
                 " or three times that, of pictures of %ux%u)",
                 elements, pixels, width, height);
    return NULL;
  }
  SlRules *rules = g_new0 (SlRules, 1);
  sl_preprocess_init (&rules->public.preprocess, width, height, elements == pixels ? 1 : 3);
  rules->public.source = g_strdup ("recipe");
  for (guint i = 0; i < SL_RULE_MAX_CHANNELS; i++)
    rules->public.preprocess.std[i] = 1;
  return &rules->public;
}

static gboolean
set_rule (SlFit *fit, const char *key, const char *value, GError **error)
{
  g_autoptr (GError) cause = NULL;
  if (!value)
    return TRUE;
  if (sl_model_rules_set (fit->rules, key, value, &cause))
    return TRUE;
  return sl_fit_fail (error, SL_ERROR_MALFORMED, "%s: [preprocess] %s", fit->recipe->name,
                      cause->message);
}

static gboolean
is_measured (const char *text)
{
  return text && strcmp (text, "measured") == 0;
}

/* Mean and deviation over what is trained on, as texts of the keys. */
static gboolean
measure (SlFit *fit, GError **error)
{
  const SlRecipe *recipe = fit->recipe;
  float mean[3], std[3];
  if (!is_measured (recipe->preprocess.mean) && !is_measured (recipe->preprocess.std))
    return TRUE;
  if (!sl_sample_source_measure (fit->train, &fit->rules->preprocess, mean, std, error))
    return FALSE;
  const guint32 channels = fit->rules->preprocess.channels;
  const double middle = sl_fit_get_middle (&fit->rules->preprocess);
  g_autofree char *mean_text = sl_fit_format_channels (mean, channels, middle);
  g_autofree char *std_text = sl_fit_format_channels (std, channels, 0);
  return (!is_measured (recipe->preprocess.mean) || set_rule (fit, "mean", mean_text, error)) &&
         (!is_measured (recipe->preprocess.std) || set_rule (fit, "std", std_text, error));
}

/* What a base network's file says of itself holds where the recipe says nothing. */
static const char *
unless_base (SlFit *fit, const char *key, const char *value)
{
  const SlRecipe *recipe = fit->options.recipe;
  return recipe->network.base && !sl_recipe_is_set (recipe, "preprocess", key) ? NULL : value;
}

static gboolean
make_rules (SlFit *fit, GError **error)
{
  const SlRecipe *recipe = fit->recipe;
  const SlPort *input = sl_model_get_input (fit->options.model, 0);
  if (input->shape.rank == 2)
    fit->rules = make_flat_rules (fit, input->shape.dim[1], error);
  else
    fit->rules = sl_model_rules_new (fit->options.model, NULL, NULL, error);
  if (!fit->rules)
    return FALSE;
  char resize_size[24];
  g_snprintf (resize_size, sizeof resize_size, "%" G_GINT64_FORMAT, recipe->preprocess.resize_size);
  const gboolean auto_color = strcmp (recipe->preprocess.color, "auto") == 0;
  const char *const plain = fit->rules->preprocess.channels == 1 ? "gray" : "rgb";
  const char *const color = !auto_color            ? recipe->preprocess.color
                            : recipe->network.base ? NULL
                                                   : plain;
  return set_rule (fit, "color", color, error) &&
         set_rule (fit, "range", unless_base (fit, "range", recipe->preprocess.range), error) &&
         set_rule (fit, "mean",
                   is_measured (recipe->preprocess.mean) ? "0" : recipe->preprocess.mean, error) &&
         set_rule (fit, "std", is_measured (recipe->preprocess.std) ? "1" : recipe->preprocess.std,
                   error) &&
         set_rule (fit, "resize", unless_base (fit, "resize", recipe->preprocess.resize), error) &&
         set_rule (fit, "resize-size", recipe->preprocess.resize_size ? resize_size : NULL,
                   error) &&
         set_rule (fit, "pad", recipe->preprocess.pad, error) &&
         (input->shape.rank == 2 || set_rule (fit, "size", recipe->preprocess.size, error)) &&
         measure (fit, error);
}

gboolean
sl_fit_prepare_data (SlFit *fit, GError **error)
{
  if (sl_model_get_n_inputs (fit->options.model) != 1)
    return sl_fit_fail (error, SL_ERROR_UNSUPPORTED, "%s: has %u inputs (expected one)",
                        sl_model_get_name (fit->options.model),
                        sl_model_get_n_inputs (fit->options.model));
  if (!divide (fit, error) || !make_rules (fit, error))
    return FALSE;
  /* No batch has more samples than there are. */
  const guint n = sl_sample_source_get_n_samples (fit->train);
  fit->batch = (guint)MIN ((gint64)n, fit->recipe->train.batch);
  fit->n_last = fit->recipe->data.drop_last ? 0 : n % fit->batch;
  fit->effective.preprocess.range = sl_fit_get_range (&fit->rules->preprocess);
  fit->effective.preprocess.resize = sl_fit_get_resize (&fit->rules->preprocess);
  return TRUE;
}

/* --- batches --- */

static gboolean
check_classes (SlFit *fit, GError **error)
{
  const guint32 classes = sl_sample_source_get_n_classes (fit->train);
  const gint64 outputs = fit->target.shape.rank == 2 ? fit->target.shape.dim[1] : 0;
  if (fit->targets_are_inputs) {
    const SlShape *made = &fit->target.shape;
    size_t in, out;
    if (sl_shape_get_elements (&fit->input.shape, &in) && sl_shape_get_elements (made, &out) &&
        in == out && (made->rank == 2 || sl_shape_equal (made, &fit->input.shape)))
      return TRUE;
    g_autofree char *input = sl_shape_to_string (&fit->input.shape);
    g_autofree char *output = sl_shape_to_string (&fit->target.shape);
    return sl_fit_fail (error, SL_ERROR_SHAPE,
                        "%s: makes %s of %s (expected the same, or as many numbers a sample, since "
                        "[data] target is input)",
                        sl_model_get_name (fit->options.model), output, input);
  }
  if (outputs == classes && classes > 1)
    return TRUE;
  return sl_fit_fail (error, SL_ERROR_SHAPE,
                      "%s: has %" G_GINT64_FORMAT " outputs (expected %u, one for each class)",
                      sl_model_get_name (fit->options.model), outputs, classes);
}

gboolean
sl_fit_prepare_loaders (SlFit *fit, GError **error)
{
  const SlRecipe *recipe = fit->recipe;
  SlSampleSource *train = fit->begin ? fit->features : fit->train;
  SlSampleSource *validation = fit->begin ? fit->validation_features : fit->validation;
  SlAugment augment;
  sl_recipe_get_augment (recipe, &fit->rules->preprocess, &augment);
  SlLoaderOptions options = {
      .augment = fit->begin ? NULL : &augment,
      .rules = fit->begin ? &fit->feature_rules : &fit->rules->preprocess,
      .features = fit->begin != NULL,
      .batch = fit->batch,
      .shuffle = TRUE,
      .balance = strcmp (recipe->data.balance, "none") != 0,
      .drop_last = recipe->data.drop_last,
      .mask = (float)recipe->augment.mask,
      .restore = fit->targets_are_inputs,
      .seed = (guint64)recipe->train.seed,
      .workers = (uint32_t)recipe->data.workers,
  };
  if (!check_classes (fit, error) || !(fit->loader = sl_loader_new (train, &options, error)))
    return FALSE;
  fit->n_batches = sl_loader_get_n_batches (fit->loader);
  options.augment = NULL;
  options.mask = 0;
  options.shuffle = FALSE;
  options.balance = FALSE;
  options.drop_last = FALSE;
  if (validation)
    fit->validation_loader = sl_loader_new (validation, &options, error);
  return !validation || fit->validation_loader;
}

gboolean
sl_fit_next_batch (SlFit *fit, SlBatch *ret_batch, GError **error)
{
  guint32 epoch, step;
  sl_loader_get_position (fit->loader, &epoch, &step);
  sl_trainer_choose_last (fit->trainer, sl_loader_get_batch_size (fit->loader, step) < fit->batch);
  sl_trainer_get_input (fit->trainer, &fit->input);
  sl_trainer_get_target (fit->trainer, &fit->target);
  return sl_loader_next (fit->loader, &fit->input, &fit->target, ret_batch, error);
}

gboolean
sl_fit_next_validation_batch (SlFit *fit, SlBatch *ret_batch, GError **error)
{
  return sl_loader_next (fit->validation_loader, &fit->eval_input, &fit->eval_target, ret_batch,
                         error);
}

/* --- options of the trainer --- */

static gboolean
read_class_weights (SlFit *fit, SlTrainerOptions *ret, float **ret_weights, GError **error)
{
  const char *text = fit->recipe->loss.class_weights;
  const guint32 n = sl_sample_source_get_n_classes (fit->train);
  if (!text)
    return TRUE;
  float *weights = *ret_weights = g_new0 (float, n);
  ret->class_weights = weights;
  ret->n_class_weights = n;
  if (strcmp (text, "balanced") == 0) {
    g_autofree uint32_t *counts = g_new0 (uint32_t, n);
    sl_sample_source_count (fit->train, counts);
    const double all = sl_sample_source_get_n_samples (fit->train);
    for (guint32 i = 0; i < n; i++)
      weights[i] = counts[i] ? (float)(all / ((double)n * counts[i])) : 1;
    return TRUE;
  }
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  gboolean good = g_strv_length (parts) == n;
  for (guint32 i = 0; i < n && good; i++) {
    char *end;
    double weight = g_ascii_strtod (g_strstrip (parts[i]), &end);
    good = end > parts[i] && !*end && weight >= 0 && isfinite (weight);
    weights[i] = (float)weight;
  }
  return good || sl_fit_fail (error, SL_ERROR_MALFORMED,
                              "%s: [loss] class-weights is '%s' (expected balanced, or %u numbers)",
                              fit->recipe->name, text, n);
}

static void
add_rule (GArray *rules, const char *pattern, double factor)
{
  const SlRateRule rule = {pattern, factor, FALSE};
  g_array_append_val (rules, rule);
}

/* Of a base: its new layer as said, the others as the case has them. Explicit rules come first. */
static void
add_transfer_rules (SlFit *fit, GArray *rules)
{
  const char *transfer = fit->recipe->network.transfer;
  const SlRateRule others = {"*", strcmp (transfer, "small-similar") == 0 ? 0 : SLOWER, TRUE};
  if (strcmp (transfer, "small-similar") != 0 && strcmp (transfer, "large-similar") != 0)
    return;
  for (char **name = fit->head_names; name && *name; name++)
    add_rule (rules, *name, 1);
  g_array_append_val (rules, others);
}

/* Frozen patterns first: the first rule that fits counts. Pattern texts live in *ret_patterns. */
static gboolean
read_rate_rules (SlFit *fit, SlTrainerOptions *ret, SlRateRule **ret_rules, GStrv *ret_patterns,
                 GError **error)
{
  const SlRecipe *recipe = fit->recipe;
  g_autoptr (GArray) rules = g_array_new (FALSE, FALSE, sizeof (SlRateRule));
  const char *const frozen = recipe->network.freeze, *const factors = recipe->network.rate_factors;
  g_autofree char *both = g_strconcat (frozen ? frozen : "", frozen && factors ? "," : "",
                                       factors ? factors : "", NULL);
  GStrv parts = *ret_patterns = g_strsplit (both, ",", -1);
  /* Of a base network, where it may be a parameter. */
  const SlRateRule whitening = {SL_FIT_WHITENING "*", 0, TRUE};
  g_array_append_val (rules, whitening);
  for (char **part = parts; *part; part++) {
    char *equals = strrchr (g_strstrip (*part), '='), *end = NULL;
    double factor = equals ? g_ascii_strtod (equals + 1, &end) : 0;
    if (equals && (end == equals + 1 || *end || !(factor >= 0) || !isfinite (factor)))
      return sl_fit_fail (error, SL_ERROR_MALFORMED,
                          "%s: [network] rate-factors is '%s' (expected PATTERN=FACTOR)",
                          recipe->name, factors);
    if (equals)
      *equals = '\0';
    if (**part)
      add_rule (rules, *part, factor);
  }
  add_transfer_rules (fit, rules);
  ret->n_rules = rules->len;
  ret->rules = *ret_rules = (SlRateRule *)g_array_free (g_steal_pointer (&rules), FALSE);
  return TRUE;
}

gboolean
sl_fit_read_trainer_options (SlFit *fit, SlTrainerOptions *ret, float **ret_weights,
                             SlRateRule **ret_rules, GStrv *ret_patterns, GError **error)
{
  sl_recipe_get_trainer_options (fit->recipe, ret);
  ret->device = fit->options.device;
  ret->threads = fit->options.threads;
  ret->memory_limit = fit->options.memory_limit;
  ret->batch = fit->batch;
  ret->last_batch = fit->n_last;
  return read_class_weights (fit, ret, ret_weights, error) &&
         read_rate_rules (fit, ret, ret_rules, ret_patterns, error);
}
