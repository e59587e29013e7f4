/* Every choice that a recipe offers is taken by a run, and does what it says. */
#include "place.h"

#include <sightline/program.h>

#include <math.h>
#include <string.h>

#define SPLIT "[split]\nvalidation=0.2\n"

/* A short run by `keys`: it ends, in numbers, with a model that is the network's answer to it. */
static char *
train (Place *place, const char *keys)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  g_autofree char *text = g_strconcat (SPLIT "[train]\nepochs=3\nbatch=16\n", keys, NULL);
  g_autoptr (SlRecipe) recipe = place_make_recipe (text);
  g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
  g_assert_cmpint (end, ==, SL_FIT_DONE);
  g_assert_true (isfinite (sl_history_get (sl_fit_get_history (fit), 2)->val_loss));
  g_assert_true (sl_fit_save_model (fit, place->output, &error));
  g_assert_no_error (error);
  return place_fingerprint (fit);
}

/* Other keys, another run: none of them is read and then forgotten. */
static void
check_all_differ (Place *place, const char *const *keys, guint n)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < n; i++)
    if (!g_hash_table_add (seen, train (place, keys[i])))
      g_error ("choice %u, '%s', changes nothing", i, keys[i]);
}

static void
test_losses (Place *place, gconstpointer unused)
{
  static const char *const keys[] = {
      "[loss]\nname=cross-entropy\n",
      "[loss]\nname=hinge\n",
      "[loss]\nname=mse\n",
      "[loss]\nname=mae\n",
      "[loss]\nlabel-smoothing=0.1\n",
      "[loss]\nclass-weights=1,2,0.5\n",
  };
  check_all_differ (place, keys, G_N_ELEMENTS (keys));
}

static void
test_optimizers (Place *place, gconstpointer unused)
{
  static const char *const keys[] = {
      "[optimizer]\nname=sgd\nrate=0.01\n",
      "[optimizer]\nname=sgd\nrate=0.01\nmomentum=0.9\n",
      "[optimizer]\nname=sgd\nrate=0.01\nmomentum=0.9\nnesterov=true\n",
      "[optimizer]\nname=sgd\nrate=0.01\nweight-decay=0.1\n",
      "[optimizer]\nname=sgd\nrate=0.01\nclip-norm=0.01\n",
      "[optimizer]\nname=sgd\nrate=0.01\nclip-value=0.001\n",
      "[optimizer]\nname=rmsprop\nrate=0.01\n",
      "[optimizer]\nname=rmsprop\nrate=0.01\ncentered=true\n",
      "[optimizer]\nname=rmsprop\nrate=0.01\nmomentum=0.5\n",
      "[optimizer]\nname=rmsprop\nrate=0.01\nrho=0.5\n",
      "[optimizer]\nname=adam\nrate=0.01\n",
      "[optimizer]\nname=adam\nrate=0.01\nbeta1=0.5\n",
      "[optimizer]\nname=adam\nrate=0.01\nbeta2=0.5\n",
      "[optimizer]\nname=adam\nrate=0.01\nepsilon=0.1\n",
      "[optimizer]\nname=adam\nrate=0.01\nweight-decay=0.1\n",
      "[optimizer]\nname=adamw\nrate=0.01\nweight-decay=0.1\n",
  };
  check_all_differ (place, keys, G_N_ELEMENTS (keys));
}

static void
test_schedules (Place *place, gconstpointer unused)
{
  static const char *const keys[] = {
      "[schedule]\nname=constant\n",
      "[schedule]\nname=constant\nwarm-up=1\n",
      "[schedule]\nname=step\nevery=1\n",
      "[schedule]\nname=step\nat=2\n",
      "[schedule]\nname=cosine\n",
      "[schedule]\nname=cosine\nper=epoch\n",
      "[schedule]\nname=cosine\nmin-rate=0.0005\n",
      "[schedule]\nname=one-cycle\n",
      "[schedule]\nname=plateau\npatience=0\nthreshold=0.9\nfactor=0.5\n",
  };
  check_all_differ (place, keys, G_N_ELEMENTS (keys));
}

static void
test_augmentations (Place *place, gconstpointer unused)
{
  static const char *const keys[] = {
      "",
      "[augment]\ncrop-padding=1\n",
      "[augment]\nresize-crop=0.5\n",
      "[augment]\nflip=horizontal\n",
      "[augment]\nflip=vertical\n",
      "[augment]\nflip=both\n",
      "[augment]\ntranslate=0.3\n",
      "[augment]\ntranslate=0.3\nfill=edge\n",
      "[augment]\ntranslate=0.3\nfill=reflect\n",
      "[augment]\nrotate=30\n",
      "[augment]\nshear=30\n",
      "[augment]\nzoom=0.3\n",
      "[augment]\nbrightness=0.3\n",
      "[augment]\ncontrast=0.3\n",
      "[augment]\nnoise=0.1\n",
      "[augment]\nblur=1\n",
      "[augment]\nblur=1\nblur-sigma=5\n",
      "[augment]\nerasing=1\n",
      "[augment]\nmask=0.3\n",
      "[augment]\nmixup=1\n",
      "[augment]\ncutmix=1\n",
  };
  check_all_differ (place, keys, G_N_ELEMENTS (keys));
  /* What changes colours has some to change. */
  static const char *const colors[] = {
      "",
      "[augment]\nsaturation=0.5\n",
      "[augment]\nhue=0.3\n",
      "[augment]\npca-noise=0.5\n",
  };
  place_use_network (place, "Input 3x4x3\nFlatten\nDense 3 softmax\n");
  sl_sample_source_unref (place->source);
  place->source = place_make_source (1, TRUE);
  check_all_differ (place, colors, G_N_ELEMENTS (colors));
}

static void
test_data (Place *place, gconstpointer unused)
{
  static const char *const keys[] = {
      "",
      "[data]\nbalance=sampling\n",
      "[data]\ndrop-last=true\n",
      "[data]\nlimit=50\n",
      "[preprocess]\nrange=0..255\n",
      "[preprocess]\nrange=-1..1\n",
      "[preprocess]\nmean=measured\nstd=measured\n",
      "[preprocess]\nmean=0.3\nstd=0.5\n",
      "[preprocess]\nwhiten=pca\n",
      "[preprocess]\nwhiten=zca\n",
      "[preprocess]\nwhiten=zca\nwhiten-epsilon=0.1\n",
      "[preprocess]\nwhiten=zca\nwhiten-samples=60\n",
      "[train]\nseed=2\n",
  };
  check_all_differ (place, keys, G_N_ELEMENTS (keys));
  /* How the parts are divided shows with the same seed, too. */
  g_autofree char *random = train (place, "");
  g_autofree char *last = train (place, "[split]\nby=last\n");
  g_assert_cmpstr (random, !=, last);
}

/* What the file's first layer reads has, over the training set, mean 0 and the identity for
 * covariance: the map in it is the right one, and stands the right way round. */
static void
check_white (SlFit *fit, SlModel *model)
{
  enum { N = SIDE * SIDE };
  static const char *const taps[] = {SL_FIT_WHITENING};
  const SlProgramOptions options = {.taps = taps, .n_taps = 1, .float_ports = TRUE};
  g_autoptr (GError) error = NULL;
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  g_autoptr (SlRun) slot = sl_run_new (program, &error);
  double mean[N] = {0}, square[N][N] = {{0}};
  const uint32_t n = sl_sample_source_get_n_samples (fit->train);
  for (uint32_t s = 0; s < n; s++) {
    SlSample sample;
    SlTensorView input;
    sl_run_get_input (slot, 0, &input);
    g_assert_true (sl_sample_source_load (fit->train, s, &sample, NULL));
    for (guint i = 0; i < N; i++) { /* one channel: rows follow each other in either layout */
      const ptrdiff_t at = i / SIDE * input.stride[2] + i % SIDE * input.stride[3];
      ((float *)input.data)[at] = ((const guint8 *)sample.image.planes[0])[i] / 255.f;
    }
    sl_sample_source_release (fit->train, &sample);
    g_assert_true (sl_run_execute (slot, &error));
    g_autoptr (SlTensor) white = sl_run_copy_output (slot, 1, &error);
    g_assert_no_error (error);
    for (guint i = 0; i < N; i++) {
      mean[i] += sl_tensor_get_double (white, i) / n;
      for (guint j = 0; j < N; j++)
        square[i][j] += sl_tensor_get_double (white, i) * sl_tensor_get_double (white, j) / n;
    }
  }
  for (guint i = 0; i < N; i++) {
    g_assert_cmpfloat_with_epsilon (mean[i], 0, 1e-4);
    for (guint j = 0; j < N; j++)
      g_assert_cmpfloat_with_epsilon (square[i][j], i == j, 1e-3);
  }
}

/* The whitened network's file does it itself; what learns is what did before; and when it is
 * trained on, the map stays as it is. */
static void
test_whitening (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  SlTrainerInfo info;
  static const char *const nets[] = {
      "Input 6x6x1\nFlatten\nDense 3 softmax\n",
      "Input 36\nDense 3 softmax\n",
  };
  for (guint i = 0; i < G_N_ELEMENTS (nets); i++) {
    place_use_network (place, nets[i]);
    g_autoptr (SlRecipe) recipe = place_make_recipe (
        i ? SPLIT "[preprocess]\nwhiten=zca\nwhiten-epsilon=1e-9\n[train]\nepochs=15\nbatch=16\n"
          : SPLIT "[preprocess]\nwhiten=pca\nwhiten-epsilon=1e-9\n[train]\nepochs=15\nbatch=16\n");
    recipe->optimizer.rate = 0.02;
    g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
    sl_fit_get_info (fit, &info);
    g_assert_cmpuint (info.parameters, ==, 3 * 36 + 3);
    g_assert_cmpfloat (sl_history_get (sl_fit_get_history (fit), 14)->accuracy, >, 0.9);
    g_assert_true (sl_fit_save_model (fit, place->output, &error));
    g_assert_no_error (error);

    g_autoptr (SlModel) model = sl_model_load (place->output, NULL, &error);
    g_assert_no_error (error);
    check_white (fit, model);
    g_autoptr (SlRecipe) further = place_make_recipe (SPLIT "[train]\nepochs=1\nbatch=16\n");
    sl_model_unref (place->model);
    place->model = sl_model_ref (model);
    g_clear_pointer (&fit, sl_fit_free);
    fit = place_open_run (place, further, FALSE, &error);
    g_assert_no_error (error);
    sl_fit_get_info (fit, &info);
    g_assert_cmpuint (info.parameters, ==, 3 * 36 + 3);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) \
  g_test_add ("/train/choices/" name, Place, NULL, place_set_up, test, place_tear_down)
  ADD ("losses", test_losses);
  ADD ("optimizers", test_optimizers);
  ADD ("schedules", test_schedules);
  ADD ("augmentations", test_augmentations);
  ADD ("data", test_data);
  ADD ("whitening", test_whitening);
  return g_test_run ();
}
