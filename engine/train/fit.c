#include "train/fit.h"

#include "core/file.h"
#include "core/text.h"
#include "model-private.h"
#include "plan/backend.h"
#include "train/head.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

void
sl_fit_note (SlFit *fit, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  if (fit->options.note)
    fit->options.note (fit->options.data, text);
}

gboolean
sl_fit_fail (GError **error, SlErrorCode code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *line = sl_text_on_one_line (text);
  g_set_error_literal (error, SL_ERROR, code, line);
  return FALSE;
}

static gboolean
make_trainer (SlFit *fit, GError **error)
{
  SlTrainerOptions options;
  g_autofree float *weights = NULL;
  g_autofree SlRateRule *rules = NULL;
  g_auto (GStrv) patterns = NULL;
  if (!sl_fit_read_trainer_options (fit, &options, &weights, &rules, &patterns, error))
    return FALSE;
  options.begin = fit->begin;
  if (!(fit->trainer = sl_trainer_new (fit->options.model, &options, error)))
    return FALSE;
  sl_trainer_get_input (fit->trainer, &fit->input);
  sl_trainer_get_target (fit->trainer, &fit->target);
  sl_trainer_get_eval_input (fit->trainer, &fit->eval_input);
  sl_trainer_get_eval_target (fit->trainer, &fit->eval_target);
  return TRUE;
}

/* Without validation the training's own figure decides. */
static gboolean
choose_monitor (SlFit *fit, GError **error)
{
  fit->monitor = fit->recipe->train.monitor;
  if (!fit->has_classes && g_str_has_suffix (fit->monitor, "accuracy"))
    return sl_fit_fail (error, SL_ERROR_UNSUPPORTED,
                        "%s: [train] monitor is %s, but targets are no classes (expected loss or "
                        "val-loss)",
                        fit->recipe->name, fit->monitor);
  if (fit->validation || !g_str_has_prefix (fit->monitor, "val-"))
    return TRUE;
  fit->monitor += strlen ("val-");
  sl_fit_note (fit,
               "there is no validation set: %s of the training set decides which epoch is best",
               fit->monitor);
  return TRUE;
}

/* What a run that goes on has to find as it was. */
static gboolean
take_fingerprints (SlFit *fit, GError **error)
{
  SlSampleSource *validation = fit->options.validation;
  g_autofree char *graph = sl_graph_print_text (sl_model_get_graph (fit->options.model));
  fit->network_hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, graph, -1);
  fit->base_hash = g_strdup (sl_model_get_hash (fit->options.model));
  fit->data_hash = sl_sample_source_get_hash (fit->options.train, error);
  if (fit->data_hash)
    fit->validation_hash =
        validation ? sl_sample_source_get_hash (validation, error) : g_strdup ("");
  return fit->validation_hash != NULL;
}

/* A base may have been trained on other classes. */
static gboolean
fit_base (SlFit *fit, GError **error)
{
  if (!fit->recipe->network.base || !fit->has_classes)
    return TRUE;
  g_autofree char *note = NULL;
  SlModel *model = sl_train_set_classes (fit->options.model,
                                         sl_sample_source_get_class_names (fit->options.train),
                                         &note, &fit->head_names, error);
  if (!model)
    return FALSE;
  sl_model_unref (fit->options.model);
  fit->options.model = model;
  if (note)
    sl_fit_note (fit, "%s", note);
  return TRUE;
}

/* The recipe as the run and its model keep it: without folders of this machine. */
static char *
describe_recipe (const SlRecipe *recipe)
{
  static const char *const paths[][2] = {{"network", "net"}, {"network", "base"}, {"data", "path"}};
  g_autofree char *text = sl_recipe_to_text (recipe);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_key_file_load_from_data (file, text, (gsize)-1, G_KEY_FILE_NONE, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree char *path = g_key_file_get_string (file, paths[i][0], paths[i][1], NULL);
    g_autofree char *name = path ? g_path_get_basename (path) : NULL;
    if (name && g_path_is_absolute (path))
      g_key_file_set_string (file, paths[i][0], paths[i][1], name);
  }
  return g_key_file_to_data (file, NULL, NULL);
}

static gboolean
prepare (SlFit *fit, GError **error)
{
  if (!take_fingerprints (fit, error) || (fit->folder && !sl_fit_open_folder (fit, error)) ||
      !fit_base (fit, error) || !sl_fit_prepare_data (fit, error) ||
      !sl_fit_prepare_front (fit, error) || !sl_fit_prepare_features (fit, error) ||
      !make_trainer (fit, error) || !sl_fit_prepare_loaders (fit, error) ||
      !choose_monitor (fit, error))
    return FALSE;
  fit->recipe_text = describe_recipe (fit->recipe);
  sl_schedule_init (&fit->schedule, fit->recipe, fit->n_batches);
  return !fit->folder || !fit->options.resume || sl_fit_restore (fit, error);
}

SlFit *
sl_fit_new (const SlFitOptions *options, GError **error)
{
  g_return_val_if_fail (options && options->recipe && options->model, NULL);
  g_return_val_if_fail (options->train, NULL);

  g_autoptr (SlFit) fit = g_new0 (SlFit, 1);
  fit->options = *options;
  fit->effective = *options->recipe;
  fit->recipe = &fit->effective;
  fit->folder = g_strdup (options->folder);
  fit->options.folder = fit->folder;
  fit->lock = -1;
  fit->history = sl_history_new ();
  fit->monitored = g_array_new (FALSE, FALSE, sizeof (double));
  fit->targets_are_inputs = strcmp (options->recipe->data.target, "input") == 0;
  fit->has_classes = !fit->targets_are_inputs;
  sl_model_ref (options->model);
  return prepare (fit, error) ? g_steal_pointer (&fit) : NULL;
}

void
sl_fit_free (SlFit *fit)
{
  if (!fit)
    return;
  g_clear_pointer (&fit->loader, sl_loader_free);
  g_clear_pointer (&fit->validation_loader, sl_loader_free);
  g_clear_pointer (&fit->trainer, sl_trainer_free);
  g_clear_pointer (&fit->rules, sl_model_rules_free);
  g_clear_pointer (&fit->train, sl_sample_source_unref);
  g_clear_pointer (&fit->validation, sl_sample_source_unref);
  g_clear_pointer (&fit->events, sl_event_file_free);
  sl_schedule_clear (&fit->schedule);
  sl_history_free (fit->history);
  g_array_unref (fit->monitored);
  sl_model_unref (fit->options.model);
  if (fit->lock >= 0)
    close (fit->lock);
  g_free (fit->recipe_text);
  g_free (fit->data_hash);
  g_free (fit->validation_hash);
  g_free (fit->network_hash);
  g_free (fit->base_hash);
  g_strfreev (fit->head_names);
  g_clear_pointer (&fit->features, sl_sample_source_unref);
  g_clear_pointer (&fit->validation_features, sl_sample_source_unref);
  g_free (fit->begin);
  g_free (fit->folder);
  g_free (fit);
}

SlSampleSource *
sl_fit_get_train (SlFit *fit)
{
  return fit->train;
}

SlSampleSource *
sl_fit_get_validation (SlFit *fit)
{
  return fit->validation;
}

void
sl_fit_get_info (SlFit *fit, SlTrainerInfo *ret_info)
{
  sl_trainer_get_info (fit->trainer, ret_info);
}

char **
sl_fit_list_failures (SlFit *fit)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  SlLoader *const loaders[] = {fit->loader, fit->validation_loader};
  for (guint i = 0; i < G_N_ELEMENTS (loaders); i++) {
    g_auto (GStrv) failures = loaders[i] ? sl_loader_list_failures (loaders[i]) : NULL;
    if (failures)
      g_strv_builder_addv (builder, (const char **)failures);
  }
  return g_strv_builder_end (builder);
}

const SlHistory *
sl_fit_get_history (SlFit *fit)
{
  return fit->history;
}

gint64
sl_fit_get_best_epoch (SlFit *fit)
{
  return fit->best_epoch;
}

double
sl_fit_get_monitored (const SlFit *fit, const SlEpoch *epoch)
{
  if (strcmp (fit->monitor, "val-loss") == 0)
    return epoch->val_loss;
  if (strcmp (fit->monitor, "val-accuracy") == 0)
    return epoch->val_accuracy;
  return strcmp (fit->monitor, "loss") == 0 ? epoch->loss : epoch->accuracy;
}

/* --- an epoch --- */

static double
get_rate (SlFit *fit, guint64 step)
{
  return sl_schedule_get_rate (&fit->schedule, step, (const double *)fit->monitored->data,
                               fit->monitored->len);
}

static void
start_clock (SlFit *fit)
{
  fit->start = g_get_monotonic_time ();
  fit->start_waited = sl_loader_get_waited (fit->loader);
  fit->start_n = fit->sums.n;
}

static double
get_seconds (const SlFit *fit)
{
  return (double)(g_get_monotonic_time () - fit->start) / G_USEC_PER_SEC;
}

/* TRUE: go on. `done` of `n` batches, of the epoch or of its validation. */
static gboolean
report (SlFit *fit, double rate, guint epoch, gboolean validating, guint done, guint n_batches)
{
  if (!fit->options.progress)
    return TRUE;
  const double seconds = get_seconds (fit), n = (double)fit->sums.n;
  const double here = n - (double)fit->start_n;
  const guint n_epochs = (guint)fit->recipe->train.epochs;
  const double all = sl_sample_source_get_n_samples (fit->train);
  const SlFitProgress progress = {
      .epoch = epoch + 1,
      .n_epochs = n_epochs,
      .validating = validating,
      .step = done,
      .n_steps = n_batches,
      .loss = n > 0 ? fit->sums.loss / n : NAN,
      .accuracy = fit->has_classes && n > 0 ? (double)fit->sums.right / n : NAN,
      .rate = rate,
      .images_per_second = seconds > 0 ? here / seconds : 0,
      .seconds_left = here > 0 ? fmax (0, (n_epochs - epoch) * all - n) * seconds / here : NAN,
  };
  return fit->options.progress (fit->options.data, &progress);
}

/* Trains from the loader's position to the end of that epoch, unless interrupted. */
static gboolean
train_epoch (SlFit *fit, guint epoch, guint step, gboolean *ret_interrupted, GError **error)
{
  while (step < fit->n_batches) {
    SlBatch batch;
    SlTrainResult result;
    const double rate = get_rate (fit, sl_trainer_get_step (fit->trainer));
    if (!sl_fit_next_batch (fit, &batch, error) ||
        !sl_trainer_step (fit->trainer, rate, &result, error))
      return FALSE;
    fit->sums.loss += result.loss * batch.n;
    fit->sums.right += result.n_right;
    fit->sums.n += batch.n;
    step++;
    if (!report (fit, rate, epoch, FALSE, step, fit->n_batches)) {
      *ret_interrupted = TRUE;
      return TRUE;
    }
  }
  return TRUE;
}

/* *ret_interrupted: not all of it was done, and `epoch` says nothing of it. */
static gboolean
validate (SlFit *fit, SlEpoch *epoch, gboolean *ret_interrupted, GError **error)
{
  SlFitSums sums = {0};
  epoch->val_loss = epoch->val_accuracy = NAN;
  if (!fit->validation_loader)
    return TRUE;
  const guint32 n = sl_loader_get_n_batches (fit->validation_loader);
  for (guint32 i = 0; i < n; i++) {
    SlBatch batch;
    SlTrainResult result;
    if (!sl_fit_next_validation_batch (fit, &batch, error))
      return FALSE;
    if (batch.n == 0) /* none of them can be read */
      continue;
    if (!sl_trainer_evaluate (fit->trainer, batch.n, &result, error))
      return FALSE;
    sums.loss += result.loss * batch.n;
    sums.right += result.n_right;
    sums.n += batch.n;
    if (!report (fit, epoch->rate, (guint)MAX (epoch->epoch, 1) - 1, TRUE, i + 1, n)) {
      *ret_interrupted = TRUE;
      return TRUE;
    }
  }
  if (sums.n == 0)
    return sl_fit_fail (error, SL_ERROR_IO,
                        "none of the %u validation samples can be read (expected one that can)",
                        sl_sample_source_get_n_samples (fit->validation));
  epoch->val_loss = sums.loss / (double)sums.n;
  if (fit->has_classes)
    epoch->val_accuracy = (double)sums.right / (double)sums.n;
  if (!isfinite (epoch->val_loss))
    return sl_fit_fail (error, SL_ERROR_NUMERIC,
                        "epoch %" G_GINT64_FORMAT ", after step %" G_GINT64_FORMAT
                        " at rate %g: the loss of the validation set is %g "
                        "(expected a finite number; the last checkpoint is the epoch before)",
                        epoch->epoch, epoch->step, epoch->rate, epoch->val_loss);
  return TRUE;
}

static bool
is_better (const SlFit *fit, double value)
{
  const double delta = fit->recipe->train.min_delta;
  if (!isfinite (value))
    return false;
  if (fit->best_epoch == 0)
    return true;
  return fit->schedule.larger_is_better ? value > fit->best + delta : value < fit->best - delta;
}

/* Event files are for looking at: what is wrong with them ends no run, but is said. */
static void
write_events (SlFit *fit, const SlEpoch *epoch)
{
  static const char *const tags[] = {
      "loss/train", "loss/validation",         "accuracy/train", "accuracy/validation",
      "rate",       "speed/images_per_second", "speed/waiting"};
  const double values[] = {epoch->loss,         epoch->val_loss, epoch->accuracy,
                           epoch->val_accuracy, epoch->rate,     epoch->images_per_second,
                           epoch->waiting};
  g_autoptr (GError) error = NULL;
  if (!fit->events)
    fit->events = sl_event_file_new (fit->folder, epoch->epoch, &error);
  if (!fit->events ||
      !sl_event_file_add (fit->events, epoch->epoch, tags, values, G_N_ELEMENTS (tags), &error))
    sl_fit_note (fit, "no TensorBoard events: %s", error->message);
}

/* What is kept can be gone on from: the optimiser's last update is looked at by no loss. */
static gboolean
check_variables (SlFit *fit, GError **error)
{
  for (guint32 i = 0; i < sl_trainer_get_n_variables (fit->trainer); i++) {
    SlVariable variable;
    sl_trainer_get_variable (fit->trainer, i, &variable);
    const void *data = sl_variable_read (&variable, error);
    if (data == NULL)
      return FALSE;
    if (!sl_is_finite (variable.dtype, data, variable.elements))
      return sl_fit_fail (error, SL_ERROR_NUMERIC,
                          "step %" G_GUINT64_FORMAT " at rate %g: '%s' holds NaN or infinity "
                          "(the checkpoints are those before)",
                          sl_trainer_get_step (fit->trainer),
                          get_rate (fit, sl_trainer_get_step (fit->trainer) - 1), variable.name);
  }
  return TRUE;
}

/* History, best, checkpoint: in this order, so that what a checkpoint names is there already. */
static gboolean
keep_epoch (SlFit *fit, SlEpoch *epoch, GError **error)
{
  g_autofree char *path = g_build_filename (fit->folder, "history.jsonl", NULL);
  const double value = sl_fit_get_monitored (fit, epoch);
  if (!check_variables (fit, error))
    return FALSE;
  epoch->best = is_better (fit, value);
  if (epoch->best) {
    fit->best = value;
    fit->best_epoch = epoch->epoch;
    fit->best_step = (guint64)epoch->step;
  }
  sl_history_add (fit->history, epoch);
  g_array_append_val (fit->monitored, value);
  memset (&fit->sums, 0, sizeof fit->sums);
  if ((epoch->best && !sl_fit_save_best (fit, error)) || !sl_fit_save (fit, error) ||
      !sl_history_append (path, epoch, error))
    return FALSE;
  write_events (fit, epoch);
  if (fit->options.epoch)
    fit->options.epoch (fit->options.data, epoch);
  return TRUE;
}

/* Validates and keeps what epoch `epoch` (from 0) made; interrupted, it is still to validate. */
static gboolean
end_epoch (SlFit *fit, guint epoch, gboolean *ret_interrupted, GError **error)
{
  const double seconds = get_seconds (fit);
  const double waited =
      (double)(sl_loader_get_waited (fit->loader) - fit->start_waited) / G_USEC_PER_SEC;
  const double n = (double)fit->sums.n, here = n - (double)fit->start_n;
  const guint64 step = sl_trainer_get_step (fit->trainer);
  SlEpoch record = {
      .epoch = (gint64)epoch + 1,
      .step = (gint64)step,
      .loss = fit->sums.loss / n,
      .accuracy = fit->has_classes ? (double)fit->sums.right / n : NAN,
      .rate = get_rate (fit, step - 1),
      .images_per_second = seconds > 0 && here > 0 ? here / seconds : NAN,
      .waiting = seconds > 0 ? waited / seconds : 0,
  };
  if (!validate (fit, &record, ret_interrupted, error))
    return FALSE;
  if (*ret_interrupted)
    return TRUE;
  record.seconds = get_seconds (fit);
  return keep_epoch (fit, &record, error);
}

/* --- the run --- */

static bool
is_over (const SlFit *fit)
{
  const guint n = sl_history_get_n (fit->history);
  const gint64 patience = fit->recipe->train.patience;
  return patience > 0 && n > 0 && (gint64)n - fit->best_epoch >= patience;
}

/* What the untrained network does, so that it shows what training adds. */
static gboolean
note_start (SlFit *fit, gboolean *ret_interrupted, GError **error)
{
  SlEpoch epoch = {.rate = get_rate (fit, 0)};
  if (!fit->validation_loader || sl_trainer_get_step (fit->trainer) > 0)
    return TRUE;
  if (!validate (fit, &epoch, ret_interrupted, error))
    return FALSE;
  if (*ret_interrupted)
    return TRUE;
  if (fit->has_classes)
    sl_fit_note (fit, "before training: val-loss %.4f, val-accuracy %.4f", epoch.val_loss,
                 epoch.val_accuracy);
  else
    sl_fit_note (fit, "before training: val-loss %.4f", epoch.val_loss);
  return TRUE;
}

/* The files that grow say what the checkpoint says before they grow on. */
static gboolean
begin (SlFit *fit, GError **error)
{
  g_autofree char *history = g_build_filename (fit->folder, "history.jsonl", NULL);
  g_autofree char *recipe = g_build_filename (fit->folder, "recipe", NULL);
  if (sl_trainer_get_step (fit->trainer) == 0 && !sl_fit_clear_folder (fit, error))
    return FALSE;
  if (!sl_file_write (recipe, fit->recipe_text, strlen (fit->recipe_text), error)) {
    g_prefix_error (error, "%s: ", recipe);
    return FALSE;
  }
  return sl_history_save (fit->history, history, error);
}

gboolean
sl_fit_run (SlFit *fit, SlFitEnd *ret_end, GError **error)
{
  g_return_val_if_fail (fit && ret_end && fit->folder, FALSE);

  gboolean interrupted = FALSE;
  start_clock (fit);
  if (!begin (fit, error) || !note_start (fit, &interrupted, error))
    return FALSE;
  while (!interrupted) {
    guint32 epoch, step;
    sl_loader_get_position (fit->loader, &epoch, &step);
    if (step == 0 && fit->sums.n > 0) { /* the epoch before is trained and not yet validated */
      if (!end_epoch (fit, epoch - 1, &interrupted, error))
        return FALSE;
    } else if (epoch >= fit->recipe->train.epochs) {
      *ret_end = SL_FIT_DONE;
      return TRUE;
    } else if (step == 0 && is_over (fit)) {
      *ret_end = SL_FIT_EARLY;
      return TRUE;
    } else {
      start_clock (fit);
      if (!train_epoch (fit, epoch, step, &interrupted, error))
        return FALSE;
    }
  }
  *ret_end = SL_FIT_INTERRUPTED;
  return check_variables (fit, error) && sl_fit_save (fit, error);
}
