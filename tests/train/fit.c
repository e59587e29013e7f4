/* Runs of a small network on made-up pictures: interrupted, resumed, failing, stopped. */
#include "place.h"

#include <sightline/golden.h>
#include <sightline/program.h>

#include <math.h>
#include <string.h>

#define SHORT \
  "[optimizer]\nname=adam\nrate=0.01\n[split]\nvalidation=0.2\n[train]\nepochs=4\nbatch=16\n"

static void
test_learns (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe = place_make_recipe (
      "[optimizer]\nname=adam\nrate=0.01\n[split]\nvalidation=0.2\n"
      "[train]\nepochs=20\nbatch=16\n[preprocess]\nmean=measured\nstd=measured\n");
  g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
  g_assert_cmpint (end, ==, SL_FIT_DONE);
  const SlHistory *history = sl_fit_get_history (fit);
  g_assert_cmpuint (sl_history_get_n (history), ==, 20);
  const SlEpoch *last = sl_history_get (history, 19);
  g_assert_cmpfloat (last->accuracy, >, 0.9);
  g_assert_cmpfloat (last->val_accuracy, >, 0.9);
  g_assert_cmpint (last->step, ==, 20 * 7); /* 104 samples in batches of 16, the last one of 8 */
  g_assert_true (g_str_has_prefix (g_ptr_array_index (place->notes, 0), "before training: "));

  g_assert_true (sl_fit_save_model (fit, place->output, &error));
  g_assert_no_error (error);
  g_autofree char *path = g_build_filename (place->run, "history.jsonl", NULL);
  g_autoptr (SlHistory) written = sl_history_load (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sl_history_get_n (written), ==, 20);
}

/* The file says all of itself, and its golden output is what it gives. */
static void
test_model (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe =
      place_make_recipe (SHORT "[preprocess]\nrange=-1..1\nmean=measured\nstd=measured\n");
  g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
  g_assert_true (sl_fit_save_model (fit, place->output, &error));
  g_autoptr (SlModel) model = sl_model_load (place->output, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rules->n_labels, ==, CLASSES);
  g_assert_cmpstr (rules->labels[2], ==, "bottom");
  g_assert_null (rules->assumed);
  g_assert_cmpfloat_with_epsilon (rules->preprocess.mean[0], fit->rules->preprocess.mean[0], 1e-6);
  g_assert_cmpfloat_with_epsilon (rules->preprocess.std[0], fit->rules->preprocess.std[0], 1e-6);
  g_assert_cmpstr (sl_model_get_metadata (model, "sightline.seed"), ==, "1");
  g_assert_cmpstr (sl_model_get_metadata (model, "sightline.data"), ==, fit->data_hash);
  const char *history = sl_model_get_metadata (model, "sightline.history");
  g_autoptr (SlHistory) read = sl_history_parse (history, strlen (history), "h", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sl_history_get_n (read), ==, 4);
  const char *text = sl_model_get_metadata (model, "sightline.recipe");
  g_autoptr (SlRecipe) same = sl_recipe_parse (text, strlen (text), "again", &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (same->optimizer.rate, ==, 0.01);

  gsize n;
  g_autofree guchar *golden =
      g_base64_decode (sl_model_get_metadata (model, "sightline.golden-input"), &n);
  g_assert_cmpuint (n, ==, SIDE * SIDE);
  g_auto (GStrv) expected =
      g_strsplit (sl_model_get_metadata (model, "sightline.golden-output"), ",", -1);
  g_assert_cmpuint (g_strv_length (expected), ==, CLASSES);
  gboolean checked;
  g_assert_true (sl_golden_check (model, &rules->preprocess, NULL, &checked, &error));
  g_assert_true (checked);
  SlPreprocess wrong = rules->preprocess;
  wrong.mean[0] += 0.3f;
  g_assert_false (sl_golden_check (model, &wrong, NULL, &checked, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
  g_clear_error (&error);
  wrong.width++;
  g_assert_false (sl_golden_check (model, &wrong, NULL, &checked, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
  g_clear_error (&error);
  g_autoptr (SlProgram) program = sl_program_new (model, NULL, &error);
  g_autoptr (SlRun) slot = sl_run_new (program, &error);
  SlTensorView input, output;
  sl_run_get_input (slot, 0, &input);
  for (guint i = 0; i < n; i++)
    ((float *)input.data)[(i / SIDE) * input.stride[2] + (i % SIDE) * input.stride[3]] =
        ((float)golden[i] * rules->preprocess.scale - rules->preprocess.mean[0]) /
        rules->preprocess.std[0];
  g_assert_true (sl_run_execute (slot, &error));
  sl_run_get_output (slot, 0, &output);
  for (guint i = 0; i < CLASSES; i++)
    g_assert_cmpfloat_with_epsilon (((float *)output.data)[i * output.stride[1]],
                                    g_ascii_strtod (expected[i], NULL), 1e-5);
}

/* Stopped after any step and taken up again it is the same run, to the bit: dropout, order,
 * moments, figures, which epoch is the best. */
static void
test_resume (Place *place, gconstpointer unused)
{
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe =
      place_make_recipe ("[optimizer]\nname=sgd\nrate=1.5\nmomentum=0.9\n[split]\nvalidation=0.2\n"
                         "[schedule]\nname=plateau\npatience=0\nfactor=0.5\n"
                         "[augment]\ncrop-padding=1\nnoise=0.1\n[train]\nepochs=5\nbatch=16\n");
  g_autoptr (SlFit) whole =
      place_run (place, recipe, TRUE, 0, &end); /* nothing there: the beginning */
  g_autofree char *wanted = place_fingerprint (whole);
  const gint64 best = sl_fit_get_best_epoch (whole);
  guint n_worse = 0;
  for (guint i = 0; i < 5; i++)
    n_worse += !sl_history_get (sl_fit_get_history (whole), i)->best;
  g_assert_cmpuint (n_worse, >, 0); /* else nothing shows whether a resumed run forgot the best */
  g_clear_pointer (&whole, sl_fit_free);

  for (guint stop = 1; stop < 5 * 7; stop += 4) {
    g_autoptr (SlFit) first = place_run (place, recipe, FALSE, stop, &end);
    g_assert_cmpint (end, ==, SL_FIT_INTERRUPTED);
    g_clear_pointer (&first, sl_fit_free);
    g_autoptr (SlFit) second = place_run (place, recipe, TRUE, 2, &end);
    g_clear_pointer (&second, sl_fit_free);
    g_autoptr (SlFit) third = place_run (place, recipe, TRUE, 0, &end);
    g_assert_cmpint (end, ==, SL_FIT_DONE);
    g_autofree char *got = place_fingerprint (third);
    g_assert_cmpstr (got, ==, wanted);
    g_assert_cmpint (sl_fit_get_best_epoch (third), ==, best);
  }
}

static void
test_refuses (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe = place_make_recipe (SHORT);
  g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 9, &end);

  /* Two runs in one folder. */
  g_assert_null (place_open_run (place, recipe, TRUE, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "another run is at work there"));
  g_clear_error (&error);
  g_clear_pointer (&fit, sl_fit_free);

  g_autoptr (SlRecipe) other = place_make_recipe (SHORT "[augment]\nflip=both\n");
  g_assert_null (place_open_run (place, other, TRUE, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "was made with [augment] flip=none (the recipe now "
                                            "says both"));
  g_clear_error (&error);

  sl_sample_source_unref (place->source);
  place->source = place_make_source (2, FALSE);
  g_assert_null (place_open_run (place, recipe, TRUE, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "was made with other data"));
  g_clear_error (&error);

  sl_sample_source_unref (place->source);
  place->source = place_make_source (1, FALSE);
  place_use_network (place, "Input 6x6x1\nFlatten\nDense 16 tanh\nDropout 0.2\nDense 3 softmax\n");
  g_assert_null (place_open_run (place, recipe, TRUE, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "was made with another network than"));
  g_clear_error (&error);

  g_autoptr (SlRecipe) autoencoder =
      place_make_recipe ("[loss]\nname=mse\n[data]\ntarget=input\n[train]\nmonitor=val-accuracy\n");
  place_use_network (place, "Input 36\nDense 36\n");
  g_assert_null (place_open_run (place, autoencoder, FALSE, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "targets are no classes (expected loss or val-loss)"));
  g_clear_error (&error);

  place_use_network (place, "Input 6x6x1\nFlatten\nDense 2 softmax\n");
  g_assert_null (place_open_run (place, recipe, FALSE, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "has 2 outputs (expected 3, one for each class)"));
}

/* What an earlier run left is not removed without a word, nor by looking. */
static void
test_kept (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe = place_make_recipe (SHORT);
  g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
  g_autofree char *wanted = place_fingerprint (fit);
  g_clear_pointer (&fit, sl_fit_free);
  place->anew = FALSE;
  g_assert_null (place_open_run (place, recipe, FALSE, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "an earlier run left this there"));
  g_clear_error (&error);

  const SlFitOptions only_look = {.recipe = recipe, .model = place->model, .train = place->source};
  g_autoptr (SlFit) looked = sl_fit_new (&only_look, &error);
  g_assert_no_error (error);
  g_assert_nonnull (looked);

  fit = place_run (place, recipe, TRUE, 0, &end);
  g_autofree char *got = place_fingerprint (fit);
  g_assert_cmpstr (got, ==, wanted);
}

/* Every sample of an epoch counts as much as any other, whatever the last batch has: with a rate
 * that changes nothing the figures are those of one batch of all. */
static void
test_last_batch (Place *place, gconstpointer unused)
{
  SlFitEnd end;
  double loss[2], accuracy[2];
  place_use_network (place, "Input 6x6x1\nFlatten\nDense 3 softmax\n");
  for (guint i = 0; i < 2; i++) {
    g_autofree char *text = g_strdup_printf (
        "[optimizer]\nname=sgd\nrate=1e-30\n[split]\nvalidation=0\n[train]\nepochs=1\nbatch=%d\n",
        i ? SAMPLES : 48);
    g_autoptr (SlRecipe) recipe = place_make_recipe (text);
    g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
    const SlEpoch *epoch = sl_history_get (sl_fit_get_history (fit), 0);
    g_assert_cmpint (epoch->step, ==, i ? 1 : 3);
    loss[i] = epoch->loss;
    accuracy[i] = epoch->accuracy;
  }
  g_assert_cmpfloat_with_epsilon (loss[0], loss[1], 1e-6);
  g_assert_cmpfloat (accuracy[0], ==, accuracy[1]);
}

/* More epochs than before may be asked for, unless the schedule stretches over all of them. */
static void
test_longer (Place *place, gconstpointer unused)
{
  SlFitEnd end;
  g_autoptr (SlRecipe) shorter = place_make_recipe (SHORT), longer = place_make_recipe (SHORT);
  longer->train.epochs = 6;
  g_autoptr (SlFit) whole = place_run (place, longer, FALSE, 0, &end);
  g_autofree char *wanted = place_fingerprint (whole);
  g_clear_pointer (&whole, sl_fit_free);
  g_autoptr (SlFit) part = place_run (place, shorter, FALSE, 0, &end);
  g_assert_cmpint (end, ==, SL_FIT_DONE);
  g_clear_pointer (&part, sl_fit_free);
  g_autoptr (SlFit) rest = place_run (place, longer, TRUE, 0, &end);
  g_autofree char *got = place_fingerprint (rest);
  g_assert_cmpstr (got, ==, wanted);
  g_clear_pointer (&rest, sl_fit_free);

  g_autoptr (GError) error = NULL;
  g_autoptr (SlRecipe) cosine = place_make_recipe (SHORT "[schedule]\nname=cosine\n");
  g_autoptr (SlRecipe) stretched = place_make_recipe (SHORT "[schedule]\nname=cosine\n");
  stretched->train.epochs = 6;
  g_autoptr (SlFit) half = place_run (place, cosine, FALSE, 9, &end);
  g_clear_pointer (&half, sl_fit_free);
  g_assert_null (place_open_run (place, stretched, TRUE, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_assert_nonnull (
      strstr (error->message, "was made with [train] epochs=4 (the recipe now says 6"));
}

/* A number that is none is not kept, even if no loss has seen it. */
static void
test_nan_is_not_kept (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe =
      place_make_recipe ("[split]\nvalidation=0\n[train]\nepochs=2\nbatch=64\n");
  g_autoptr (SlFit) fit = place_open_run (place, recipe, FALSE, &error);
  g_assert_no_error (error);
  SlVariable moment;
  sl_trainer_get_variable (fit->trainer, sl_trainer_get_n_variables (fit->trainer) - 1, &moment);
  g_assert_true (moment.is_state);
  /* The mean square of an Adam: its parameter stands still. */
  g_autofree float *content = g_memdup2 (sl_variable_read (&moment, NULL), moment.bytes);
  content[0] = INFINITY;
  sl_variable_set (&moment, content);
  place->stop_at = 0;
  g_assert_false (sl_fit_run (fit, &end, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
  g_assert_nonnull (strstr (error->message, "holds NaN or infinity"));
  g_autofree char *checkpoint = sl_checkpoint_find_newest (place->run);
  g_assert_null (checkpoint);
}

/* Stopped in a validation, be it the one before training or the last one, a run goes on with that
 * validation and trains no step twice. */
static void
test_stopped_validation (Place *place, gconstpointer unused)
{
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe = place_make_recipe (SHORT);
  g_autoptr (SlFit) whole = place_run (place, recipe, FALSE, 0, &end);
  g_autofree char *wanted = place_fingerprint (whole);
  const guint n = place->n_progress;
  g_assert_cmpuint (n, >, 4 * 7 + 5); /* four epochs of seven steps, five validations */
  g_clear_pointer (&whole, sl_fit_free);

  const guint stops[] = {1, n - 1, n};
  for (guint i = 0; i < G_N_ELEMENTS (stops); i++) {
    g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, stops[i], &end);
    g_assert_cmpint (end, ==, SL_FIT_INTERRUPTED);
    g_assert_cmpuint (sl_history_get_n (sl_fit_get_history (fit)), ==, i ? 3 : 0);
    g_clear_pointer (&fit, sl_fit_free);
    fit = place_run (place, recipe, TRUE, 0, &end);
    g_assert_cmpint (end, ==, SL_FIT_DONE);
    g_assert_cmpuint (place->n_progress, <=, i ? n - 4 * 7 : n);
    g_autofree char *got = place_fingerprint (fit);
    g_assert_cmpstr (got, ==, wanted);
  }
}

/* A rate that grows beyond all bounds: the run ends with step and rate, the model is not written,
 * and the checkpoint is that of the last whole epoch. */
static void
test_nan (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  place_use_network (place, "Input 6x6x1\nFlatten\nDense 3\n");
  g_autoptr (SlRecipe) recipe = place_make_recipe (
      "[loss]\nname=mse\n[optimizer]\nname=sgd\nrate=1e3\n[split]\nvalidation=0.2\n"
      "[schedule]\nname=one-cycle\nrise=0.9\nstart-divisor=1e6\n"
      "[train]\nepochs=40\nbatch=16\n");
  g_autoptr (SlFit) fit = place_open_run (place, recipe, FALSE, &error);
  g_assert_no_error (error);
  place->stop_at = 0;
  g_assert_false (sl_fit_run (fit, &end, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
  g_test_message ("%s", error->message);
  const guint n = sl_history_get_n (sl_fit_get_history (fit));
  g_assert_cmpuint (n, >, 0);
  for (guint i = 0; i < n; i++) {
    g_assert_true (isfinite (sl_history_get (fit->history, i)->loss));
    g_assert_true (isfinite (sl_history_get (fit->history, i)->val_loss));
  }
  g_clear_error (&error);
  g_autofree char *path = NULL;
  g_autoptr (SlCheckpoint) newest =
      sl_checkpoint_load_newest (place->run, NULL, NULL, &path, &error);
  g_assert_no_error (error);
  gint64 step;
  g_assert_nonnull (newest);
  g_assert_true (sl_checkpoint_get_int (newest, "step", &step, NULL));
  g_assert_cmpint (step, ==, (gint64)n * 7);
  for (guint i = 0; sl_checkpoint_get_name (newest, i); i++) {
    SlTensor *tensor = sl_checkpoint_get_tensor (newest, sl_checkpoint_get_name (newest, i));
    for (size_t k = 0; tensor && k < sl_tensor_get_elements (tensor); k++)
      g_assert_true (isfinite (sl_tensor_get_double (tensor, k)));
  }
}

/* The best epoch's parameters are what is written, whether the run stopped early or not; and it
 * stops as many epochs after the best as the recipe says. */
static void
test_best (Place *place, gconstpointer unused)
{
  const char *const keys =
      "[optimizer]\nname=sgd\nrate=1.5\nmomentum=0.9\n[split]\nvalidation=0.2\n"
      "[train]\nepochs=30\nbatch=16\npatience=";
  for (guint patience = 0; patience <= 3; patience += 3) {
    g_autoptr (GError) error = NULL;
    SlFitEnd end;
    g_autofree char *text = g_strdup_printf ("%s%u\n", keys, patience);
    g_autoptr (SlRecipe) recipe = place_make_recipe (text);
    g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
    const gint64 best = sl_fit_get_best_epoch (fit), n = sl_history_get_n (fit->history);
    g_assert_cmpint (best, <, n);
    g_assert_cmpint (end, ==, patience ? SL_FIT_EARLY : SL_FIT_DONE);
    if (patience)
      g_assert_cmpint (n, ==, best + patience);
    for (guint i = 0; i < n; i++) /* no other epoch is better */
      g_assert_cmpfloat (sl_history_get (fit->history, i)->val_loss, >=,
                         sl_history_get (fit->history, (guint)best - 1)->val_loss);
    g_assert_true (sl_fit_save_model (fit, place->output, &error));
    SlEpoch again = {0};
    SlFitSums sums = {0};
    for (guint i = 0; i < sl_loader_get_n_batches (fit->validation_loader); i++) {
      SlBatch batch;
      SlTrainResult result;
      g_assert_true (sl_fit_next_validation_batch (fit, &batch, &error));
      g_assert_true (sl_trainer_evaluate (fit->trainer, batch.n, &result, &error));
      sums.loss += result.loss * batch.n;
      sums.n += batch.n;
    }
    again.val_loss = sums.loss / (double)sums.n;
    g_assert_cmpfloat (again.val_loss, ==,
                       sl_history_get (fit->history, (guint)best - 1)->val_loss);
  }
}

static void
test_no_validation (Place *place, gconstpointer unused)
{
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe =
      place_make_recipe ("[split]\nvalidation=0\n[train]\nepochs=2\nbatch=64\n");
  g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
  g_assert_null (sl_fit_get_validation (fit));
  g_assert_cmpuint (place->notes->len, ==, 1);
  g_assert_true (isnan (sl_history_get (fit->history, 0)->val_loss));
  g_assert_cmpint (sl_fit_get_best_epoch (fit), >, 0);
}

/* An autoencoder: the target is the input, of which a part is masked. */
static void
test_autoencoder (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  place_use_network (place, "Input 36\nDense 12 relu\nDense 36\n");
  g_autoptr (SlRecipe) recipe =
      place_make_recipe ("[loss]\nname=mse\n[data]\ntarget=input\n[augment]\nmask=0.3\n"
                         "[optimizer]\nrate=0.01\n[train]\nepochs=15\nbatch=16\n");
  g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
  const SlEpoch *first = sl_history_get (fit->history, 0);
  const SlEpoch *last = sl_history_get (fit->history, 14);
  g_assert_true (isnan (last->accuracy) && isnan (last->val_accuracy));
  g_assert_cmpfloat (last->loss, <, 0.6 * first->loss);
  g_assert_true (sl_fit_save_model (fit, place->output, &error));
  g_assert_no_error (error);
}

/* A base of other classes: its head begins anew, the rest is as it was and may stay so. */
static void
test_base (Place *place, gconstpointer unused)
{
  static const char *const keys =
      "[network]\nbase=base.onnx\nfreeze=first*\n[optimizer]\nname=adam\nrate=0.01\n"
      "[split]\nvalidation=0.2\n[train]\nepochs=20\nbatch=16\n";
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  SlTrainerOptions options = {.seed = 9};
  place_use_network (place, "Input 6x6x1\nFlatten\nfirst: Dense 16 relu\nlast: Dense 5 softmax\n");
  g_autoptr (SlTrainer) trainer = sl_trainer_new (place->model, &options, &error);
  g_assert_no_error (error);
  const char *const label_keys[] = {"sightline.labels"}, *const labels[] = {"a\nb\nc\nd\ne"};
  sl_trainer_save_model (trainer, place->output, label_keys, labels, 1, &error);
  g_assert_no_error (error);
  sl_model_unref (place->model);
  place->model = sl_model_load (place->output, NULL, &error);
  g_assert_no_error (error);

  g_autoptr (SlRecipe) recipe = sl_recipe_parse (keys, strlen (keys), "r", &error);
  g_assert_no_error (error);
  g_assert_true (sl_recipe_complete (recipe, &error));
  g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
  g_assert_nonnull (strstr (g_ptr_array_index (place->notes, 0), "'last/kernel' (Gemm), begins "
                                                                 "anew: 3 outputs instead of 5"));
  g_assert_cmpfloat (sl_history_get (sl_fit_get_history (fit), 19)->val_accuracy, >, 0.8);
  for (uint32_t i = 0; i < sl_trainer_get_n_variables (fit->trainer); i++) {
    SlVariable now, before;
    sl_trainer_get_variable (fit->trainer, i, &now);
    for (uint32_t k = 0; k < sl_trainer_get_n_variables (trainer); k++) {
      sl_trainer_get_variable (trainer, k, &before);
      if (strcmp (now.name, before.name) == 0 && g_str_has_prefix (now.name, "first"))
        g_assert_cmpmem (sl_variable_read (&now, NULL), now.bytes, sl_variable_read (&before, NULL),
                         before.bytes);
    }
    if (strcmp (now.name, "last/kernel") == 0)
      g_assert_cmpint (now.shape.dim[1], ==, CLASSES);
  }
  g_assert_true (sl_fit_save_model (fit, place->output, &error));
  g_autoptr (SlModel) written = sl_model_load (place->output, NULL, &error);
  g_autoptr (SlModelRules) rules = sl_model_rules_new (written, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rules->n_labels, ==, CLASSES);
}

/* What ends in no layer with weights cannot be given other classes. */
static void
test_base_refused (Place *place, gconstpointer unused)
{
  static const char *const keys = "[network]\nbase=base.onnx\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (SlRecipe) recipe = sl_recipe_parse (keys, strlen (keys), "r", &error);
  g_assert_true (sl_recipe_complete (recipe, &error));
  place_use_network (place, "Input 6x6x1\nFlatten\na: Dense 5\nDense 5 from=a\nAdd a\nSoftmax\n");
  g_assert_null (place_open_run (place, recipe, FALSE, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "has 5 outputs, there are 3 classes"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) \
  g_test_add ("/train/fit/" name, Place, NULL, place_set_up, test, place_tear_down)
  ADD ("learns", test_learns);
  ADD ("model", test_model);
  ADD ("resume", test_resume);
  ADD ("refuses", test_refuses);
  ADD ("kept", test_kept);
  ADD ("last-batch", test_last_batch);
  ADD ("longer", test_longer);
  ADD ("nan-is-not-kept", test_nan_is_not_kept);
  ADD ("stopped-validation", test_stopped_validation);
  ADD ("nan", test_nan);
  ADD ("best", test_best);
  ADD ("no-validation", test_no_validation);
  ADD ("autoencoder", test_autoencoder);
  ADD ("base", test_base);
  ADD ("base-refused", test_base_refused);
  return g_test_run ();
}
