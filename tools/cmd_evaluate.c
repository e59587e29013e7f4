/* `sightline evaluate`: how well a network does on labelled pictures. */
#include "chart.h"
#include "command.h"
#include "dataset.h"
#include "evaluation.h"
#include "network.h"
#include "options.h"
#include "output.h"
#include "report.h"
#include "restoration.h"
#include "text.h"

#include <gst/gst.h>
#include <sightline-gst/samples.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_BATCH 64

typedef struct {
  ToolNetwork network;
  char *data, *part, *format, *output, *confusion, *samples, *target;
  gboolean fit_temperature;
  double temperature;
  int batch;
} EvaluateOptions;

static void
evaluate_options_clear (EvaluateOptions *options)
{
  char *const texts[] = {options->data,      options->part,    options->format, options->output,
                         options->confusion, options->samples, options->target};
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  tool_network_clear (&options->network);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EvaluateOptions, evaluate_options_clear)

/* --- which samples --- */

/* The recipe that the network was trained by, from its metadata; NULL if it has none. */
static SlRecipe *
read_recipe (SlModel *model, GError **error)
{
  const char *text = sl_model_get_metadata (model, "sightline.recipe");
  g_autoptr (SlRecipe) recipe = NULL;
  if (!text) {
    g_set_error (
        error, SL_ERROR, SL_ERROR_UNSUPPORTED,
        "the network says no recipe, so what it was trained on is not known (expected data "
        "with a part of their own)");
    return NULL;
  }
  recipe = sl_recipe_parse (text, strlen (text), "sightline.recipe", error);
  return recipe && sl_recipe_complete (recipe, error) ? g_steal_pointer (&recipe) : NULL;
}

/* Whether these are the samples that the network was trained on. Else nobody knows which of them it
 * has seen. */
static gboolean
check_fingerprint (SlModel *model, SlSampleSource *all, GError **error)
{
  const char *then = sl_model_get_metadata (model, "sightline.data");
  g_autofree char *now = sl_sample_source_get_hash (all, error);
  if (!now || (then && strcmp (then, now) == 0))
    return now != NULL;
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
               "the training samples are not those that the network was trained on, so which of "
               "them it has seen is not known (expected fingerprint %.12s, found %.12s; or data "
               "with a part of their own)",
               then ? then : "of its metadata, which says none", now);
  return FALSE;
}

/* What the network's recipe made of the training part. */
static SlSampleSource *
divide (SlModel *model, SlSampleSource *all, SlDataPart part, GError **error)
{
  SlSampleSource *parts[SL_PART_COUNT] = {NULL};
  g_autoptr (SlRecipe) recipe = read_recipe (model, error);
  if (!recipe || !check_fingerprint (model, all, error) ||
      !sl_fit_divide (recipe, all, &parts[SL_PART_TRAIN], &parts[SL_PART_VALIDATION],
                      &parts[SL_PART_TEST], error))
    return NULL;
  SlSampleSource *wanted = g_steal_pointer (&parts[part]);
  for (guint i = 0; i < SL_PART_COUNT; i++)
    sl_sample_source_unref (parts[i]);
  if (!wanted)
    g_set_error (error, SL_ERROR, SL_ERROR_NOT_FOUND,
                 "has no %s part, and the network's recipe took none off (expected one)",
                 sl_data_part_get_name (part));
  return wanted;
}

/* The data's own part, or what the network's recipe took off the training part for it. Of training
 * samples those that the network was trained on, where that is known. */
static SlSampleSource *
open_part (SlModel *model, const char *path, SlDataPart part, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (SlSampleSource) own = NULL;
  if (part != SL_PART_TRAIN)
    own = tool_dataset_open_if_there (path, part, &cause);
  if (own || cause) {
    if (cause)
      g_propagate_error (error, g_steal_pointer (&cause));
    return g_steal_pointer (&own);
  }
  g_autoptr (SlSampleSource) all = tool_dataset_open (path, SL_PART_TRAIN, error);
  SlSampleSource *divided = all ? divide (model, all, part, &cause) : NULL;
  if (divided || !all)
    return divided;
  if (part == SL_PART_TRAIN && g_error_matches (cause, SL_ERROR, SL_ERROR_UNSUPPORTED)) {
    tool_note ("all samples of the training part are judged: %s", cause->message);
    return g_steal_pointer (&all);
  }
  g_propagate_error (error, g_steal_pointer (&cause));
  return NULL;
}

static gboolean
is_json (const EvaluateOptions *options)
{
  return strcmp (options->format, "json") == 0;
}

/* --- what to do with them --- */

typedef struct {
  const EvaluateOptions *options;
  SlModel *model;
  SlModelRules *rules;
  const SlDevice *device;
  SlDataPart part;
} Evaluation;

static ToolScores *
score (const Evaluation *evaluation, SlSampleSource *source, const char *what)
{
  g_autoptr (GError) error = NULL;
  ToolScores *scores = tool_scores_new (evaluation->model, evaluation->rules, evaluation->device,
                                        source, (guint)evaluation->options->batch, what, &error);
  if (!scores)
    tool_gerror (sl_model_get_name (evaluation->model), error);
  for (guint i = 0; scores && scores->failures && scores->failures[i]; i++)
    tool_error (NULL, "left out: %s", scores->failures[i]);
  return scores;
}

/* Fits on validation samples, never on those that are judged. 0 after a report. */
static double
fit_temperature (const Evaluation *evaluation, guint64 *ret_n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlSampleSource) validation =
      open_part (evaluation->model, evaluation->options->data, SL_PART_VALIDATION, &error);
  if (!validation) {
    tool_gerror (sl_model_get_name (evaluation->model), error);
    return 0;
  }
  g_autoptr (ToolScores) scores = score (evaluation, validation, "validation samples");
  if (!scores)
    return 0;
  *ret_n = scores->n;
  return sl_metrics_fit_temperature (scores->logits, scores->labels, scores->n, scores->n_classes);
}

/* "92.31 % of 10,000" as a title. */
static char *
make_title (const Evaluation *evaluation, const SlMetrics *metrics)
{
  g_autofree char *name = g_path_get_basename (sl_model_get_name (evaluation->model));
  g_autofree char *n = tool_group_digits (metrics->n_samples);
  return g_strdup_printf ("%s, %s: %.2f %% of %s", name, sl_data_part_get_name (evaluation->part),
                          100 * metrics->top1, n);
}

static gboolean
write_pictures (const Evaluation *evaluation, SlSampleSource *source, const ToolScores *scores,
                const SlMetrics *metrics, double temperature, GError **error)
{
  const EvaluateOptions *options = evaluation->options;
  const char *const *labels = sl_sample_source_get_class_names (source);
  g_autofree char *title = make_title (evaluation, metrics);
  return (!options->confusion ||
          tool_chart_write_confusion (options->confusion, metrics, labels, title, error)) &&
         (!options->samples || tool_evaluation_write_samples (options->samples, source, scores,
                                                              labels, temperature, error));
}

static gboolean
write_report (const EvaluateOptions *options, GString *text, GError **error)
{
  g_autoptr (ToolOutput) output = tool_output_open (options->output, error);
  return output && tool_output_write (output, text, error) &&
         tool_output_commit (g_steal_pointer (&output), error);
}

/* Of classes. */
static int
evaluate_classes (const Evaluation *evaluation, SlSampleSource *source)
{
  const EvaluateOptions *options = evaluation->options;
  g_autoptr (GError) error = NULL;
  guint64 n_fitted = 0;
  double temperature = options->temperature;
  if (options->fit_temperature && !(temperature = fit_temperature (evaluation, &n_fitted)))
    return TOOL_FAILED;
  g_autoptr (ToolScores) scores =
      score (evaluation, source, sl_data_part_get_name (evaluation->part));
  if (!scores)
    return TOOL_FAILED;
  g_autoptr (SlMetrics) plain =
      sl_metrics_new (scores->logits, scores->labels, scores->n, scores->n_classes, 1, &error);
  g_autoptr (SlMetrics) metrics = plain ? sl_metrics_new (scores->logits, scores->labels, scores->n,
                                                          scores->n_classes, temperature, &error)
                                        : NULL;
  const ToolEvaluation told = {
      .model = sl_model_get_name (evaluation->model),
      .hash = sl_model_get_hash (evaluation->model),
      .part = sl_data_part_get_name (evaluation->part),
      .metrics = metrics,
      .labels = sl_sample_source_get_class_names (source),
      .temperature = temperature,
      .n_fitted = n_fitted,
      .before = options->fit_temperature ? plain : NULL,
  };
  g_autoptr (GString) text = g_string_new (NULL);
  if (metrics)
    (is_json (options) ? tool_evaluation_format_json : tool_evaluation_format_text) (&told, text);
  if (!metrics || !write_pictures (evaluation, source, scores, metrics, temperature, &error) ||
      !write_report (options, text, &error)) {
    tool_gerror (sl_model_get_name (evaluation->model), error);
    return TOOL_FAILED;
  }
  return scores->failures && scores->failures[0] ? TOOL_FAILED : TOOL_OK;
}

/* Of a network that says its input again. */
static int
evaluate_restoration (const Evaluation *evaluation, SlSampleSource *source, const SlRecipe *recipe)
{
  const EvaluateOptions *options = evaluation->options;
  const char *name = sl_model_get_name (evaluation->model);
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  const ToolRestorationOptions how = {
      .model = evaluation->model,
      .rules = evaluation->rules,
      .device = evaluation->device,
      .batch = (guint)options->batch,
      .mask = recipe ? recipe->augment.mask : 0,
      .seed = recipe ? (guint64)recipe->train.seed : 0,
  };
  if (options->confusion || options->fit_temperature || options->temperature != 1) {
    tool_error (name, "restores its input: there are no classes to confuse or to calibrate "
                      "(expected --samples, -f, -o only)");
    return TOOL_FAILED;
  }
  g_autoptr (ToolRestoration) restoration =
      tool_restoration_new (&how, source, sl_data_part_get_name (evaluation->part), &error);
  for (guint i = 0; restoration && restoration->failures[i]; i++)
    tool_error (NULL, "left out: %s", restoration->failures[i]);
  if (restoration)
    (is_json (options) ? tool_restoration_format_json : tool_restoration_format_text) (restoration,
                                                                                       text);
  if (!restoration ||
      (options->samples &&
       !tool_restoration_write_samples (options->samples, &how, source, &error)) ||
      !write_report (options, text, &error)) {
    tool_gerror (name, error);
    return TOOL_FAILED;
  }
  return restoration->failures[0] ? TOOL_FAILED : TOOL_OK;
}

static int
evaluate (const Evaluation *evaluation)
{
  const EvaluateOptions *options = evaluation->options;
  gboolean checked;
  g_autoptr (GError) error = NULL;
  if (!sl_golden_check (evaluation->model, &evaluation->rules->preprocess, evaluation->device,
                        &checked, &error)) {
    tool_gerror (sl_model_get_name (evaluation->model), error);
    return TOOL_FAILED;
  }
  g_autoptr (SlSampleSource) source =
      open_part (evaluation->model, options->data, evaluation->part, &error);
  if (!source) {
    tool_gerror (options->data, error);
    return TOOL_FAILED;
  }
  g_autoptr (SlRecipe) recipe = read_recipe (evaluation->model, NULL);
  const char *target = options->target ? options->target : recipe ? recipe->data.target : "class";
  return strcmp (target, "input") == 0 ? evaluate_restoration (evaluation, source, recipe)
                                       : evaluate_classes (evaluation, source);
}

static const ToolUsage evaluate_usage = {
    "",
    "Says how well a network does on labelled samples that it was not trained on: loss, top-1 and\n"
    "top-5, precision, recall and F1 of each class, the confusion matrix, and how far its scores\n"
    "can be taken for probabilities (calibration error). Of a network that restores its input (an\n"
    "autoencoder) it says the mean squared and the mean absolute error.",
    "Nothing is chosen by the samples that are judged: --fit-temperature uses the validation\n"
    "samples, which are the data's own or those that the network's recipe took off the training\n"
    "part.\n\n"
    "Examples:\n"
    "  sightline evaluate -m clothes.onnx --data fashion-mnist\n"
    "  sightline evaluate -m clothes.onnx --data fashion-mnist --fit-temperature -f json\n"
    "  sightline evaluate -m clothes.onnx --data fashion-mnist --confusion t.svg --samples g.png\n"
    "  sightline evaluate -m clothes.onnx --data fashion-mnist --split val   as training judged "
    "it\n"
    "  sightline evaluate -m autoencoder.onnx --data mnist --samples restored.png"};

static int
check_usage (const char *command, EvaluateOptions *options, SlDataPart *ret_part)
{
  if (!options->format)
    options->format = g_strdup ("text");
  if (!options->part)
    options->part = g_strdup (sl_data_part_get_name (SL_PART_TEST));
  if (!options->data)
    return tool_usage_error (command, "no --data DIR is given");
  if (!options->network.model_path)
    return tool_usage_error (command, "no -m MODEL is given");
  if (!tool_dataset_find_part (options->part, ret_part))
    return tool_usage_error (command, "--split is '%s' (expected test, val or train)",
                             options->part);
  if (strcmp (options->format, "text") != 0 && strcmp (options->format, "json") != 0)
    return tool_usage_error (command, "-f is '%s' (expected text or json)", options->format);
  if (options->target && strcmp (options->target, "class") != 0 &&
      strcmp (options->target, "input") != 0)
    return tool_usage_error (command, "--target is '%s' (expected class or input)",
                             options->target);
  if (!(options->temperature > 0) || !isfinite (options->temperature))
    return tool_usage_error (command, "--temperature has to be above 0");
  if (options->batch < 1)
    return tool_usage_error (command, "--batch has to be 1 or more");
  if (options->fit_temperature && options->temperature != 1)
    return tool_usage_error (command, "--temperature and --fit-temperature are both given");
  return TOOL_OK;
}

static int
evaluate_run (int argc, char **argv)
{
  g_auto (EvaluateOptions) options = {.temperature = 1, .batch = DEFAULT_BATCH};
  const GOptionEntry entries[] = {
      TOOL_NETWORK_ENTRIES (options.network),
      {"data", 0, 0, G_OPTION_ARG_FILENAME, &options.data, "The samples", "DIR"},
      {"split", 0, 0, G_OPTION_ARG_STRING, &options.part, "test, val or train (default: test)",
       "PART"},
      {"format", 'f', 0, G_OPTION_ARG_STRING, &options.format, "text or json (default: text)",
       "FORMAT"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
       "Where the report goes (default: standard output)", "FILE"},
      {"confusion", 0, 0, G_OPTION_ARG_FILENAME, &options.confusion,
       "The confusion matrix as a picture", "FILE.svg|png"},
      {"samples", 0, 0, G_OPTION_ARG_FILENAME, &options.samples,
       "A grid of right and wrong samples as a picture", "FILE.png|svg"},
      {"target", 0, 0, G_OPTION_ARG_STRING, &options.target,
       "What the network says: class or input (default: as it was trained)", "TARGET"},
      {"fit-temperature", 0, 0, G_OPTION_ARG_NONE, &options.fit_temperature,
       "Fit what scores are divided by on the validation samples", NULL},
      {"temperature", 0, 0, G_OPTION_ARG_DOUBLE, &options.temperature,
       "Divide scores by this before the softmax (default: 1)", "T"},
      {"batch", 'b', 0, G_OPTION_ARG_INT, &options.batch, "Samples at once (default: 64)", "N"},
      G_OPTION_ENTRY_NULL};
  Evaluation evaluation = {.options = &options};
  if (!tool_parse (argc, argv, &evaluate_usage, entries))
    return TOOL_USAGE;
  int status = check_usage (argv[0], &options, &evaluation.part);
  if (status != TOOL_OK)
    return status;
  gst_init (NULL, NULL);
  tool_quiet_libraries ();
  g_autoptr (SlModel) model = evaluation.model = tool_network_load_model (&options.network);
  g_autoptr (SlModelRules) rules = evaluation.rules =
      model ? tool_network_load_rules (&options.network, model) : NULL;
  if (!rules || !(evaluation.device = tool_find_device (options.network.device_name)))
    return TOOL_FAILED;
  return evaluate (&evaluation);
}

const Command cmd_evaluate = {"evaluate", "say how well a network does on labelled pictures",
                              evaluate_run};
