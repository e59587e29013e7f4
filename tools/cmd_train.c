/* `sightline train`: a recipe becomes a network. */
#include "chart.h"
#include "command.h"
#include "dataset.h"
#include "network.h"
#include "options.h"
#include "report.h"
#include "stop.h"
#include "text.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <sightline/checkpoint.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char *net, *base, *transfer, *data, *output, *folder, *device;
  char *optimizer, *rate, *epochs, *batch, *seed, *validation;
  GStrv settings, arguments;
  gboolean resume, anew, check, keys;
  int threads;
} TrainOptions;

static void
train_options_clear (TrainOptions *options)
{
  char *const texts[] = {options->net,       options->base,   options->transfer,  options->data,
                         options->output,    options->folder, options->device,    options->rate,
                         options->epochs,    options->batch,  options->optimizer, options->seed,
                         options->validation};
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_strfreev (options->settings);
  g_strfreev (options->arguments);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TrainOptions, train_options_clear)

/* From one picture of the curves to the next. */
#define PNG_INTERVAL (10 * G_USEC_PER_SEC)

/* What the callbacks of a run need. */
typedef struct {
  ToolProgress progress;
  guint n_epochs;
  const char *output;
  char *folder;
  SlFit *fit;
  const char *keep;    /* [train] keep */
  char validation[32]; /* the last epoch's figure, for the bar; "" before there is one */
  gint64 drawn;        /* curves.png, monotonic; 0: not yet */
} Training;

/* --- the recipe --- */

/* One option in the place of a key. */
static gboolean
set_key (SlRecipe *recipe, const char *group, const char *key, const char *value, GError **error)
{
  return !value || sl_recipe_set (recipe, group, key, value, error);
}

/* A path of the command line counts from the working folder, one of a recipe from its own. */
static char *
make_absolute (const char *path)
{
  return path ? g_canonicalize_filename (path, NULL) : NULL;
}

static gboolean
apply_options (SlRecipe *recipe, const TrainOptions *options, GError **error)
{
  g_autofree char *found = tool_network_find (options->net);
  g_autofree char *net = make_absolute (found), *base = make_absolute (options->base);
  g_autofree char *data = make_absolute (options->data);
  if ((net || base) && (recipe->network.net || recipe->network.base)) {
    g_clear_pointer (&recipe->network.net, g_free);
    g_clear_pointer (&recipe->network.base, g_free);
  }
  if (!set_key (recipe, "network", "net", net, error) ||
      !set_key (recipe, "network", "base", base, error) ||
      !set_key (recipe, "network", "case", options->transfer, error) ||
      !set_key (recipe, "data", "path", data, error) ||
      !set_key (recipe, "optimizer", "name", options->optimizer, error) ||
      !set_key (recipe, "optimizer", "rate", options->rate, error) ||
      !set_key (recipe, "split", "validation", options->validation, error) ||
      !set_key (recipe, "train", "epochs", options->epochs, error) ||
      !set_key (recipe, "train", "batch", options->batch, error) ||
      !set_key (recipe, "train", "seed", options->seed, error))
    return FALSE;
  for (char **setting = options->settings; setting && *setting; setting++)
    if (!tool_recipe_set (recipe, *setting, error))
      return FALSE;
  return TRUE;
}

/* What options say wrongly is wrong usage, what a file says is not. */
static int
make_recipe (const TrainOptions *options, const char *command, SlRecipe **ret)
{
  g_autoptr (GError) error = NULL;
  const char *path = options->arguments ? options->arguments[0] : NULL;
  g_autoptr (SlRecipe) recipe = path ? sl_recipe_load (path, &error) : sl_recipe_new ();
  if (recipe && !apply_options (recipe, options, &error))
    return tool_usage_error (command, "%s", error->message);
  if (!recipe || !sl_recipe_complete (recipe, &error)) {
    tool_gerror (NULL, error);
    return path ? TOOL_FAILED : TOOL_USAGE;
  }
  if (!recipe->data.path)
    return tool_usage_error (command, "no data are named (expected --data DIR, or [data] path)");
  *ret = g_steal_pointer (&recipe);
  return TOOL_OK;
}

static int
print_keys (void)
{
  const char *group = "";
  for (guint i = 0; sl_recipe_get_key (i); i++) {
    const SlRecipeKey *key = sl_recipe_get_key (i);
    if (strcmp (group, key->group) != 0)
      printf ("%s[%s]\n", i ? "\n" : "", key->group);
    group = key->group;
    printf ("# %s: %s%s%s%s\n", key->help, key->expected, key->only_with ? "; only with " : "",
            key->only_with ? key->only_with : "", *key->initial ? "" : "; not set by default");
    printf ("%s%s=%s\n", *key->initial && !strchr (key->initial, ' ') ? "" : "#", key->name,
            key->initial);
  }
  return TOOL_OK;
}

/* --- while it runs --- */

static void
on_note (void *data, const char *text)
{
  tool_note ("%s", text);
}

static char *
format_time (double seconds)
{
  if (!isfinite (seconds))
    return g_strdup ("-:--");
  const guint64 whole = (guint64)(seconds + 0.5);
  if (whole >= 3600)
    return g_strdup_printf ("%" G_GUINT64_FORMAT ":%02u:%02u", whole / 3600,
                            (guint)(whole / 60 % 60), (guint)(whole % 60));
  return g_strdup_printf ("%u:%02u", (guint)(whole / 60), (guint)(whole % 60));
}

static gboolean
on_progress (void *data, const SlFitProgress *progress)
{
  Training *training = data;
  char accuracy[32] = "";
  if (progress->validating) {
    g_autofree char *text =
        g_strdup_printf ("epoch %u/%u  validation", progress->epoch, progress->n_epochs);
    tool_progress_draw (&training->progress, (double)progress->step / progress->n_steps, text);
    return !tool_stop_requested ();
  }
  g_autofree char *left = format_time (progress->seconds_left);
  g_autofree char *speed = tool_group_digits ((guint64)progress->images_per_second);
  if (isfinite (progress->accuracy))
    g_snprintf (accuracy, sizeof accuracy, "  %.2f %%", 100 * progress->accuracy);
  g_autofree char *text =
      g_strdup_printf ("epoch %u/%u  %s left  loss %.4f%s%s  rate %.3g  %s images/s",
                       progress->epoch, progress->n_epochs, left, progress->loss, accuracy,
                       training->validation, progress->rate, speed);
  tool_progress_draw (&training->progress, (double)progress->step / progress->n_steps, text);
  return !tool_stop_requested ();
}

/* Curves are for looking at: what is wrong with them ends no run. PNG takes a tenth of a second to
 * compress, which short epochs have not to spare. */
static void
draw_curves (Training *training, gboolean is_last)
{
  static const char *const names[] = {"curves.svg", "curves.png"};
  g_autofree char *title = g_path_get_basename (training->output);
  const gint64 now = g_get_monotonic_time ();
  const gboolean with_png = is_last || now - training->drawn > PNG_INTERVAL;
  if (with_png)
    training->drawn = now;
  for (guint i = 0; i < (with_png ? 2 : 1); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = g_build_filename (training->folder, names[i], NULL);
    if (!tool_chart_write_history (path, sl_fit_get_history (training->fit), title, &error))
      tool_gerror (path, error);
  }
}

static void
on_epoch (void *data, const SlEpoch *epoch)
{
  Training *training = data;
  GString *line = g_string_new (NULL);
  if (isfinite (epoch->val_accuracy))
    g_snprintf (training->validation, sizeof training->validation, "  val %.2f %%",
                100 * epoch->val_accuracy);
  else if (isfinite (epoch->val_loss))
    g_snprintf (training->validation, sizeof training->validation, "  val %.4f", epoch->val_loss);
  g_autofree char *speed = tool_group_digits ((guint64)epoch->images_per_second);
  g_string_printf (line, "epoch %*" G_GINT64_FORMAT "/%u  loss %.4f",
                   (int)g_snprintf (NULL, 0, "%u", training->n_epochs), epoch->epoch,
                   training->n_epochs, epoch->loss);
  if (isfinite (epoch->accuracy))
    g_string_append_printf (line, "  accuracy %.4f", epoch->accuracy);
  if (isfinite (epoch->val_loss))
    g_string_append_printf (line, "  val-loss %.4f", epoch->val_loss);
  if (isfinite (epoch->val_accuracy))
    g_string_append_printf (line, "  val-accuracy %.4f", epoch->val_accuracy);
  g_string_append_printf (line, "  rate %.3g  %s images/s  %.1f %% waiting  %.1f s%s", epoch->rate,
                          speed, 100 * epoch->waiting, epoch->seconds,
                          epoch->best ? "  best so far" : "");
  tool_note ("%s", line->str);
  g_string_free (line, TRUE);
  draw_curves (training, FALSE);
}

/* --- before and after --- */

static char *
format_size (guint64 bytes)
{
  return g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
}

/* What keeps a step below the limit of memory; "" where nothing has to. */
static char *
describe_recomputation (const SlTrainerInfo *info)
{
  if (info->recomputed_flops <= 0)
    return g_strdup ("");
  g_autofree char *kept = format_size (info->kept_bytes);
  return g_strdup_printf (
      " (with all activations kept %s; it computes some again, %.1f %% more "
      "work)",
      kept, 100 * info->recomputed_flops / (info->step_flops - info->recomputed_flops));
}

static void
describe_run (SlFit *fit, gboolean has_own_validation)
{
  SlTrainerInfo info;
  SlSampleSource *validation = sl_fit_get_validation (fit);
  SlSampleSource *taken = has_own_validation ? NULL : validation;
  g_autofree char *train = tool_dataset_describe (sl_fit_get_train (fit));
  g_autofree char *fault = tool_dataset_find_fault (sl_fit_get_train (fit), taken);
  tool_note ("training: %s", train);
  if (validation) {
    g_autofree char *text = tool_dataset_describe (validation);
    tool_note ("validation: %s", text);
  }
  if (fault)
    tool_note ("%s", fault);
  sl_fit_get_info (fit, &info);
  g_autofree char *n = tool_group_digits (info.parameters);
  g_autofree char *frozen = tool_group_digits (info.frozen);
  g_autofree char *step = format_size (info.step_bytes);
  g_autofree char *kept = format_size (info.parameter_bytes + info.optimizer_bytes);
  g_autofree char *less = describe_recomputation (&info);
  tool_note ("%s parameters learn, %s stay; a step takes %s%s, parameters and their moments %s", n,
             frozen, step, less, kept);
  if (info.n_reference_steps > 0)
    tool_note ("%u of its operations %s no fast kernel", info.n_reference_steps,
               info.n_reference_steps == 1 ? "has" : "have");
}

static void
report_failures (SlFit *fit)
{
  g_auto (GStrv) failures = sl_fit_list_failures (fit);
  const guint n = g_strv_length (failures);
  for (guint i = 0; i < n; i++)
    tool_note ("left out: %s", failures[i]);
  if (n > 0)
    tool_note ("%u samples could not be read and were left out", n);
}

static int
finish (Training *training, SlFitEnd end)
{
  g_autoptr (GError) error = NULL;
  const SlHistory *history = sl_fit_get_history (training->fit);
  const guint n = sl_history_get_n (history);
  report_failures (training->fit);
  if (end == SL_FIT_INTERRUPTED) {
    tool_error (training->output,
                "not written: stopped in epoch %u of %u; the checkpoint in %s is "
                "whole, and the same command with --resume goes on",
                n + 1, training->n_epochs, training->folder);
    return TOOL_FAILED;
  }
  if (end == SL_FIT_EARLY)
    tool_note ("stopped after epoch %u: none since epoch %" G_GINT64_FORMAT " was better", n,
               sl_fit_get_best_epoch (training->fit));
  draw_curves (training, TRUE);
  if (!sl_fit_save_model (training->fit, training->output, &error)) {
    tool_gerror (training->output, error);
    return TOOL_FAILED;
  }
  const gint64 best = sl_fit_get_best_epoch (training->fit);
  const gboolean keeps_best = strcmp (training->keep, "best") == 0;
  tool_note ("%s: written, with the parameters of epoch %" G_GINT64_FORMAT " of %u%s",
             training->output, keeps_best ? best : (gint64)n, n,
             keeps_best && best < n ? ", the best" : "");
  return TOOL_OK;
}

/* --- the command --- */

/* The data's own validation part, or NULL where they have none. Whether they have a test part of
 * their own matters only where one is to be taken off. */
static gboolean
open_data (const SlRecipe *recipe, SlSampleSource **ret_train, SlSampleSource **ret_validation,
           gboolean *ret_has_test)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlSampleSource) test = NULL;
  g_autofree char *path = tool_dataset_find (recipe);
  *ret_train = *ret_validation = NULL;
  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    tool_error (path,
                "is not there (expected the samples: name them by --data, or the folder that "
                "'%s' lies in by SIGHTLINE_DATA)",
                recipe->data.path);
    return FALSE;
  }
  *ret_train = tool_dataset_open (path, SL_PART_TRAIN, &error);
  if (*ret_train)
    *ret_validation = tool_dataset_open_if_there (path, SL_PART_VALIDATION, &error);
  if (!error && recipe->split.test > 0)
    test = tool_dataset_open_if_there (path, SL_PART_TEST, &error);
  *ret_has_test = test != NULL;
  if (test)
    tool_note ("the data have a test part of their own: [split] test takes none off");
  if (error)
    tool_gerror (path, error);
  return !error;
}

static SlModel *
load_network (const SlRecipe *recipe)
{
  g_autoptr (GError) error = NULL;
  const char *name = recipe->network.net ? recipe->network.net : recipe->network.base;
  g_autofree char *beside = sl_recipe_resolve (recipe, name);
  /* A bare name is that of a network that Sightline ships, unless a file has it. */
  g_autofree char *path =
      g_file_test (beside, G_FILE_TEST_EXISTS) ? g_strdup (beside) : tool_network_find (name);
  SlModel *model = sl_model_load (path, NULL, &error);
  if (!model)
    tool_gerror (path, error);
  return model;
}

/* "net.onnx" has its run in "net.training". */
static char *
choose_folder (const TrainOptions *options)
{
  if (options->folder)
    return g_strdup (options->folder);
  const gboolean has_suffix = g_str_has_suffix (options->output, ".onnx");
  g_autofree char *stem =
      g_strndup (options->output, strlen (options->output) - (has_suffix ? strlen (".onnx") : 0));
  return g_strconcat (stem, ".training", NULL);
}

/* Before hours of training, not after them: there is a place for the result, and what is there
 * already is not in the way. */
static gboolean
check_places (const TrainOptions *options, const char *folder)
{
  g_autofree char *parent = g_path_get_dirname (options->output);
  if (g_access (parent, W_OK | X_OK) < 0) {
    tool_error (options->output, "cannot be written: %s: %s", parent, g_strerror (errno));
    return FALSE;
  }
  g_autofree char *checkpoint = sl_checkpoint_find_newest (folder);
  if (checkpoint && !options->resume && !options->anew && !options->check) {
    tool_error (folder,
                "holds an earlier run (expected --resume to go on with it, --anew to remove "
                "it, or another --folder)");
    return FALSE;
  }
  return TRUE;
}

static int
train (const TrainOptions *options, const SlRecipe *recipe)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlSampleSource) samples = NULL, validation = NULL;
  gboolean has_test;
  gst_init (NULL, NULL);
  tool_quiet_libraries ();
  g_autoptr (SlModel) model = load_network (recipe);
  const SlDevice *device = model ? tool_find_device (options->device) : NULL;
  if (!device || !open_data (recipe, &samples, &validation, &has_test))
    return TOOL_FAILED;
  g_autofree char *folder = choose_folder (options);
  if (!check_places (options, folder))
    return TOOL_FAILED;
  g_autofree char *features =
      g_build_filename (g_get_user_cache_dir (), "sightline", "features", NULL);
  Training training = {.n_epochs = (guint)recipe->train.epochs,
                       .output = options->output,
                       .folder = folder,
                       .keep = recipe->train.keep};
  const SlFitOptions fit_options = {
      .recipe = recipe,
      .model = model,
      .train = samples,
      .validation = validation,
      .has_test = has_test,
      .folder = options->check ? NULL : folder,
      .features = features,
      .resume = options->resume,
      .anew = options->anew,
      .device = device,
      .threads = (guint)options->threads,
      .data = &training,
      .note = on_note,
      .progress = on_progress,
      .epoch = on_epoch,
  };
  g_autoptr (SlFit) fit = training.fit = sl_fit_new (&fit_options, &error);
  if (!fit) {
    tool_gerror (NULL, error);
    return TOOL_FAILED;
  }
  describe_run (fit, validation != NULL);
  if (options->check)
    return TOOL_OK;
  SlFitEnd end;
  tool_stop_watch ();
  tool_progress_start (&training.progress, options->output);
  gboolean good = sl_fit_run (fit, &end, &error);
  tool_progress_end (&training.progress);
  if (good)
    return finish (&training, end);
  report_failures (fit);
  tool_gerror (NULL, error);
  return TOOL_FAILED;
}

static const ToolUsage train_usage = {
    "[RECIPE]",
    "Trains a network on labelled pictures and writes one ONNX file that holds all it needs:\n"
    "labels, preprocessing, the recipe, history and scores. A recipe is a key file; options beat\n"
    "what it says, and do without one.",
    "Data are a folder CLASS/picture.jpg or train|val|test/CLASS/picture.jpg (clips, too), a tar\n"
    "archive of one (or a folder with only that), or a folder with the files of MNIST, its kin, "
    "or\n"
    "CIFAR-10. A relative [data] path is looked up beneath SIGHTLINE_DATA, if that is set.\n\n"
    "Beside NET.onnx the folder NET.training holds checkpoints (the last two, so that a crash or "
    "a\n"
    "full disk leaves one that is whole), history.jsonl, curves.svg, curves.png, TensorBoard's\n"
    "event files, and the recipe with all defaults spelled out. Ctrl-C saves and stops; --resume\n"
    "goes on to the very same result. The same seed gives the same weights, with any number of\n"
    "threads; another device rounds otherwise.\n\n"
    "Examples:\n"
    "  sightline train --network mnist-mlp --data mnist -o digits.onnx\n"
    "  sightline train fashion.recipe --data fashion-mnist -o clothes.onnx\n"
    "  sightline train fashion.recipe -e 40 --set schedule.name=cosine -o clothes.onnx\n"
    "  sightline train fashion.recipe -o clothes.onnx --resume   go on after Ctrl-C or a crash\n"
    "  sightline train fashion.recipe -o clothes.onnx --anew     begin again\n"
    "  sightline train fashion.recipe -o clothes.onnx --check    all but the training\n"
    "  sightline train --keys > my.recipe                        every key with its meaning\n\n"
    "A recipe, in short:\n"
    "  [network]\n"
    "  net=fashion-cnn\n"
    "  [data]\n"
    "  path=fashion-mnist\n"
    "  [optimizer]\n"
    "  name=adam\n"
    "  [train]\n"
    "  epochs=20\n"
    "  batch=64"};

static int
check_usage (const char *command, const TrainOptions *options)
{
  const guint n = options->arguments ? g_strv_length (options->arguments) : 0;
  if (n > 1)
    return tool_usage_error (command, "%u recipes are given (expected one)", n);
  if (n == 0 && !options->net && !options->base)
    return tool_usage_error (command, "no recipe and no --network is given");
  if (options->net && options->base)
    return tool_usage_error (command, "--network and --base are given (expected one of them)");
  if (!options->output)
    return tool_usage_error (command, "no -o MODEL is given");
  if (options->threads < 0)
    return tool_usage_error (command, "--threads has to be 0 or more");
  if (options->resume && options->anew)
    return tool_usage_error (command, "--resume and --anew are given (expected one of them)");
  return TOOL_OK;
}

static int
train_run (int argc, char **argv)
{
  g_auto (TrainOptions) options = {0};
  const GOptionEntry entries[] = {
      {"network", 'n', 0, G_OPTION_ARG_FILENAME, &options.net, "The network's layers", "FILE.net"},
      {"base", 0, 0, G_OPTION_ARG_FILENAME, &options.base, "Or a network to train on", "FILE.onnx"},
      {"case", 0, 0, G_OPTION_ARG_STRING, &options.transfer,
       "Data beside those of the base: small-similar (its last layer learns), large-similar (all, "
       "slowly), large-different (all)",
       "CASE"},
      {"data", 0, 0, G_OPTION_ARG_FILENAME, &options.data, "The samples", "DIR"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "The trained network",
       "MODEL.onnx"},
      {"epochs", 'e', 0, G_OPTION_ARG_STRING, &options.epochs, "Passes over the samples", "N"},
      {"batch", 'b', 0, G_OPTION_ARG_STRING, &options.batch, "Samples of a step", "N"},
      {"optimizer", 0, 0, G_OPTION_ARG_STRING, &options.optimizer, "sgd, rmsprop, adam or adamw",
       "NAME"},
      {"rate", 'r', 0, G_OPTION_ARG_STRING, &options.rate, "Learning rate", "R"},
      {"validation", 0, 0, G_OPTION_ARG_STRING, &options.validation,
       "Part of the samples that is for validation", "PART"},
      {"seed", 0, 0, G_OPTION_ARG_STRING, &options.seed, "Of all that is drawn", "N"},
      {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &options.settings,
       "Any key of the recipe (again and again)", "GROUP.KEY=VALUE"},
      {"resume", 0, 0, G_OPTION_ARG_NONE, &options.resume, "Go on from the last checkpoint", NULL},
      {"anew", 0, 0, G_OPTION_ARG_NONE, &options.anew,
       "Remove what an earlier run left in its folder, and begin again", NULL},
      {"folder", 0, 0, G_OPTION_ARG_FILENAME, &options.folder,
       "Of the run (default: MODEL.training)", "DIR"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options.device,
       "cpu, vulkan, vulkan:N …; auto is the CPU (default: auto)", "NAME"},
      {"threads", 't', 0, G_OPTION_ARG_INT, &options.threads, "Most threads of a step", "N"},
      {"check", 0, 0, G_OPTION_ARG_NONE, &options.check,
       "Check everything, say what a step takes, train nothing", NULL},
      {"keys", 0, 0, G_OPTION_ARG_NONE, &options.keys, "Print all keys of a recipe", NULL},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.arguments, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  if (!tool_parse (argc, argv, &train_usage, entries))
    return TOOL_USAGE;
  if (options.keys)
    return print_keys ();
  int status = check_usage (argv[0], &options);
  if (status != TOOL_OK)
    return status;
  g_autoptr (SlRecipe) recipe = NULL;
  status = make_recipe (&options, argv[0], &recipe);
  if (status != TOOL_OK)
    return status;
  return train (&options, recipe);
}

const Command cmd_train = {"train", "make a network learn from labelled pictures", train_run};
