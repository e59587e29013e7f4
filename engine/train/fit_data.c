/* What goes into a run: samples divided, pictures prepared, options of the trainer. */
#include "train/fit.h"

#include "core/random.h"
#include "onnx/keys.h"
#include "train/number.h"

#include <math.h>
#include <string.h>

/* [augment] mask's own numbers, apart from those that <core/random.h> lists. */
#define RANDOM_MASK ((SlRandomUse)64)

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
sl_fit_divide (const SlRecipe *recipe, SlSampleSource *all, gboolean has_validation,
               SlSampleSource **ret_train, SlSampleSource **ret_validation,
               SlSampleSource **ret_test, GError **error)
{
  g_return_val_if_fail (recipe && all && ret_train && ret_validation && ret_test, FALSE);

  const double test = recipe->split.test;
  const double validation = has_validation ? 0 : recipe->split.validation;
  g_autoptr (SlSampleSource) rest = sl_sample_source_ref (all);
  *ret_train = *ret_validation = *ret_test = NULL;
  if (!take_part (recipe, &rest, test, ret_test, error) ||
      !take_part (recipe, &rest, validation / (1 - test), ret_validation, error)) {
    g_clear_pointer (ret_test, sl_sample_source_unref);
    return FALSE;
  }
  *ret_train = g_steal_pointer (&rest);
  return TRUE;
}

static gboolean
divide (SlFit *fit, GError **error)
{
  const SlRecipe *recipe = fit->recipe;
  g_autoptr (SlSampleSource) test = NULL, validation = NULL;
  if (!sl_fit_divide (recipe, fit->options.train, fit->options.validation != NULL, &fit->train,
                      &validation, &test, error))
    return FALSE;
  fit->validation = fit->options.validation ? sl_sample_source_ref (fit->options.validation)
                                            : g_steal_pointer (&validation);
  const guint32 n = sl_sample_source_get_n_samples (fit->train);
  if (recipe->data.limit > 0 && recipe->data.limit < n) {
    g_autofree uint32_t *indices = g_new (uint32_t, recipe->data.limit);
    for (guint32 i = 0; i < recipe->data.limit; i++)
      indices[i] = i;
    SlSampleSource *first =
        sl_sample_source_new_subset (fit->train, indices, (uint32_t)recipe->data.limit, error);
    if (!first)
      return FALSE;
    sl_sample_source_unref (fit->train);
    fit->train = first;
  }
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

/* "0.13" or "0.49,0.48,0.45", plus `offset`. */
static char *
format_channels (const float *values, guint32 n, double offset)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  GString *text = g_string_new (NULL);
  for (guint32 i = 0; i < n; i++)
    g_string_append_printf (text, "%s%s", i ? "," : "",
                            sl_number_format ((float)(values[i] + offset), number));
  return g_string_free (text, FALSE);
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
  const double offset = strcmp (recipe->preprocess.range, "-1..1") == 0 ? -1 : 0;
  g_autofree char *mean_text = format_channels (mean, channels, offset);
  g_autofree char *std_text = format_channels (std, channels, 0);
  return (!is_measured (recipe->preprocess.mean) || set_rule (fit, "mean", mean_text, error)) &&
         (!is_measured (recipe->preprocess.std) || set_rule (fit, "std", std_text, error));
}

/* What a base network's file says of itself holds where the recipe has only its default. */
static const char *
unless_base (SlFit *fit, const char *value, const char *initial)
{
  return fit->recipe->network.base && strcmp (value, initial) == 0 ? NULL : value;
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
  const char *const color = auto_color ? unless_base (fit, plain, plain) : recipe->preprocess.color;
  return set_rule (fit, "color", color, error) &&
         set_rule (fit, "range", unless_base (fit, recipe->preprocess.range, "0..1"), error) &&
         set_rule (fit, "mean",
                   is_measured (recipe->preprocess.mean) ? "0" : recipe->preprocess.mean, error) &&
         set_rule (fit, "std", is_measured (recipe->preprocess.std) ? "1" : recipe->preprocess.std,
                   error) &&
         set_rule (fit, "resize", unless_base (fit, recipe->preprocess.resize, "stretch"), error) &&
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
  return TRUE;
}

/* --- batches --- */

static gboolean
check_classes (SlFit *fit, GError **error)
{
  const guint32 classes = sl_sample_source_get_n_classes (fit->train);
  const gint64 outputs = fit->target.shape.rank == 2 ? fit->target.shape.dim[1] : 0;
  if (fit->targets_are_inputs) {
    size_t in, out;
    if (sl_shape_get_elements (&fit->input.shape, &in) &&
        sl_shape_get_elements (&fit->target.shape, &out) && in == out)
      return TRUE;
    g_autofree char *input = sl_shape_to_string (&fit->input.shape);
    g_autofree char *output = sl_shape_to_string (&fit->target.shape);
    return sl_fit_fail (error, SL_ERROR_SHAPE,
                        "%s: makes %s of %s (expected as much, since [data] target is input)",
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
  SlAugment augment;
  sl_recipe_get_augment (recipe, &fit->rules->preprocess, &augment);
  SlLoaderOptions options = {
      .augment = &augment,
      .rules = &fit->rules->preprocess,
      .batch = fit->batch,
      .shuffle = TRUE,
      .balance = strcmp (recipe->data.balance, "none") != 0,
      .drop_last = recipe->data.drop_last,
      .seed = (guint64)recipe->train.seed,
      .workers = (uint32_t)recipe->data.workers,
  };
  if (!check_classes (fit, error) || !(fit->loader = sl_loader_new (fit->train, &options, error)))
    return FALSE;
  fit->n_batches = sl_loader_get_n_batches (fit->loader);
  options.augment = NULL;
  options.shuffle = FALSE;
  options.balance = FALSE;
  options.drop_last = FALSE;
  if (fit->validation)
    fit->validation_loader = sl_loader_new (fit->validation, &options, error);
  return !fit->validation || fit->validation_loader;
}

/* Copies a batch of samples, each element of a view by its own stride. Both hold as many. */
static void
copy_samples (const SlTensorView *from, const SlTensorView *to)
{
  int64_t at[SL_MAX_RANK] = {0}, at_to[SL_MAX_RANK] = {0};
  size_t n;
  if (!sl_shape_get_elements (&from->shape, &n))
    return;
  const float *source = from->data;
  float *target = to->data;
  for (size_t i = 0; i < n; i++) {
    ptrdiff_t offset = 0, offset_to = 0;
    for (uint32_t k = 0; k < from->shape.rank; k++)
      offset += at[k] * from->stride[k];
    for (uint32_t k = 0; k < to->shape.rank; k++)
      offset_to += at_to[k] * to->stride[k];
    target[offset_to] = source[offset];
    for (uint32_t k = from->shape.rank; k-- > 0 && ++at[k] == from->shape.dim[k];)
      at[k] = 0;
    for (uint32_t k = to->shape.rank; k-- > 0 && ++at_to[k] == to->shape.dim[k];)
      at_to[k] = 0;
  }
}

/* Which elements, follows from seed, epoch, sample and element alone. */
static void
mask_input (SlFit *fit, const SlBatch *batch)
{
  const float part = (float)fit->recipe->augment.mask;
  const SlTensorView *view = &fit->input;
  for (uint32_t i = 0; i < view->shape.dim[0]; i++) {
    SlRandom random = sl_random_start ((guint64)fit->recipe->train.seed, RANDOM_MASK, batch->epoch,
                                       batch->indices[i]);
    SlTensorView sample = {.shape = view->shape};
    size_t n;
    sample.shape.dim[0] = 1;
    if (!sl_shape_get_elements (&sample.shape, &n))
      return;
    int64_t at[SL_MAX_RANK] = {0};
    for (size_t j = 0; j < n; j++) {
      ptrdiff_t offset = (ptrdiff_t)i * view->stride[0];
      for (uint32_t k = 1; k < view->shape.rank; k++)
        offset += at[k] * view->stride[k];
      if (sl_random_between (&random, 0, 1) < part)
        ((float *)view->data)[offset] = 0;
      for (uint32_t k = view->shape.rank; k-- > 1 && ++at[k] == view->shape.dim[k];)
        at[k] = 0;
    }
  }
}

gboolean
sl_fit_next_batch (SlFit *fit, SlBatch *ret_batch, GError **error)
{
  guint32 epoch, step;
  sl_loader_get_position (fit->loader, &epoch, &step);
  sl_trainer_choose_last (fit->trainer, sl_loader_get_batch_size (fit->loader, step) < fit->batch);
  sl_trainer_get_input (fit->trainer, &fit->input);
  sl_trainer_get_target (fit->trainer, &fit->target);
  const SlTensorView *targets = fit->targets_are_inputs ? NULL : &fit->target;
  if (!sl_loader_next (fit->loader, &fit->input, targets, ret_batch, error))
    return FALSE;
  if (fit->targets_are_inputs)
    copy_samples (&fit->input, &fit->target);
  if (fit->recipe->augment.mask > 0)
    mask_input (fit, ret_batch);
  return TRUE;
}

gboolean
sl_fit_next_validation_batch (SlFit *fit, SlBatch *ret_batch, GError **error)
{
  const SlTensorView *targets = fit->targets_are_inputs ? NULL : &fit->eval_target;
  if (!sl_loader_next (fit->validation_loader, &fit->eval_input, targets, ret_batch, error))
    return FALSE;
  if (fit->targets_are_inputs)
    copy_samples (&fit->eval_input, &fit->eval_target);
  return TRUE;
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
