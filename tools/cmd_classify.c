/* `sightline classify`: footage and pictures to labels. */
#include "command.h"
#include "inputs.h"
#include "network.h"
#include "options.h"
#include "output.h"
#include "report.h"
#include "selection.h"
#include "stop.h"

#include <sightline-gst/classifier.h>
#include <sightline-gst/decode.h>
#include <sightline-gst/results.h>
#include <sightline/sightline.h>

#include <math.h>
#include <string.h>

#define DEFAULT_TOP 5
#define MAX_TOP 1000000
#define BAR_WIDTH 30

typedef struct {
  ToolNetwork network;
  ToolSelection selection;
  SlResultFormat format;
  int top, threads;
  double threshold;
  gboolean recursive, quiet;
  char *output_path;
} ClassifyOptions;

/* The network at work. */
typedef struct {
  const ClassifyOptions *options;
  SlModel *model;
  SlModelRules *rules;
  SlClassifier *classifier;
  GStrv names;        /* of all classes */
  guint top;          /* labels a frame: no more than there are classes */
  SlClassScore *best; /* top of them, as are the labels */
  SlLabel *labels;
  SlResultLayout layout;
  ToolOutput *output;
  GString *text;   /* rows on their way to the output */
  guint counts[4]; /* inputs by SlOutcome */
  gboolean failed; /* something asked for was not done */
  gboolean broken; /* the output cannot be written: no use going on */
} Classify;

/* --- one frame --- */

/* Runs the network on a frame and fills `ret_result`, whose labels stay until the next frame. */
static gboolean
classify_frame (Classify *self, const SlDecodedFrame *frame, SlResult *ret_result, GError **error)
{
  const float *scores;
  uint32_t n_scores;
  GstVideoFrame mapped;
  if (!sl_classifier_set_info (self->classifier, frame->info, error))
    return FALSE;
  if (!gst_video_frame_map (&mapped, frame->info, frame->buffer, GST_MAP_READ)) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "frame %" G_GUINT64_FORMAT " does not have the size that its format asks for",
                 frame->number);
    return FALSE;
  }
  gboolean good = sl_classifier_run (self->classifier, &mapped, &scores, &n_scores, error);
  gst_video_frame_unmap (&mapped);
  if (!good)
    return FALSE;

  ret_result->frame = frame->number;
  ret_result->pts = frame->pts;
  ret_result->labels = self->labels;
  ret_result->n_labels =
      sl_top_k (scores, n_scores, self->top, (float)self->options->threshold, FALSE, self->best);
  for (guint i = 0; i < ret_result->n_labels; i++) {
    const SlClassScore *score = &self->best[i];
    self->labels[i] = (SlLabel){score->index, score->score, self->names[score->index]};
  }
  return TRUE;
}

/* --- rows --- */

static void
write_text (Classify *self)
{
  g_autoptr (GError) error = NULL;
  if (self->broken || tool_output_write (self->output, self->text, &error))
    return;
  tool_gerror (NULL, error);
  self->broken = self->failed = TRUE;
}

static void
write_row (Classify *self, const SlResult *result)
{
  sl_result_append (self->text, &self->layout, result);
  write_text (self);
}

/* What one picture shows, for people. */
static void
write_picture (Classify *self, const SlResult *result)
{
  const char *block = g_get_charset (NULL) ? "█" : "#";
  g_autofree char *source = g_filename_display_name (result->source);
  g_string_append_printf (self->text, "%s\n", source);
  for (guint i = 0; i < result->n_labels; i++) {
    double score = (double)result->labels[i].score;
    int width = (int)(CLAMP (score, 0.0, 1.0) * BAR_WIDTH + 0.5);
    g_string_append_printf (self->text, "  %8.3f  ", score);
    for (int x = 0; x < BAR_WIDTH; x++)
      g_string_append (self->text, x < width ? block : " ");
    g_string_append_printf (self->text, "  %s\n", result->labels[i].label);
  }
  write_text (self);
}

/* Text shows a single picture as a table. Whether it is single shows when a second frame comes or
 * none, so the first row waits here. */
typedef struct {
  SlResult result;
  SlLabel *labels;
  gboolean waits;
} FirstRow;

static void
first_row_flush (Classify *self, FirstRow *first, gboolean single)
{
  if (first->waits && single)
    write_picture (self, &first->result);
  else if (first->waits)
    write_row (self, &first->result);
  first->waits = FALSE;
  g_clear_pointer (&first->labels, g_free);
}

static void
take_row (Classify *self, FirstRow *first, const SlResult *result, gboolean is_first)
{
  if (is_first && self->options->format == SL_RESULT_TEXT) {
    first->labels = g_memdup2 (result->labels, sizeof (SlLabel) * MAX (result->n_labels, 1));
    first->result = *result;
    first->result.labels = first->labels;
    first->waits = TRUE;
    return;
  }
  first_row_flush (self, first, FALSE);
  write_row (self, result);
}

/* --- one input --- */

/* All frames of a clip. Returns the frames read; *ret_error says why it ended early, if it did. */
static guint64
classify_frames (Classify *self, const char *source, SlDecoder *decoder, GError **error)
{
  ToolSelection selection = self->options->selection;
  SlResult result = {.source = source, .model = sl_model_get_hash (self->model)};
  FirstRow first = {0};
  ToolProgress progress;
  SlDecodedFrame frame;
  guint64 read = 0, rows = 0;

  tool_progress_start (&progress, source);
  tool_selection_start (&selection);
  while (!self->broken && !tool_stop_requested () && sl_decoder_next (decoder, &frame)) {
    ToolFrameChoice choice = tool_selection_choose (&selection, frame.number, frame.pts);
    if (choice == TOOL_FRAME_PAST_END)
      break;
    read++;
    if (choice == TOOL_FRAME_NO_TIME) {
      g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                   "frames have no timestamps (expected some for --rate, --from and --to)");
      break;
    }
    if (choice == TOOL_FRAME_TAKE) {
      if (!classify_frame (self, &frame, &result, error))
        break;
      take_row (self, &first, &result, rows++ == 0);
    }
    tool_progress_update (&progress, sl_decoder_get_progress (decoder), read);
  }
  first_row_flush (self, &first, read == 1);
  tool_progress_end (&progress);
  return read;
}

static void
classify_input (Classify *self, const char *source)
{
  g_autoptr (GError) error = NULL;
  const char *reason = NULL;
  SlOutcome outcome = SL_OUTCOME_FAILED;
  gint64 start = g_get_monotonic_time ();
  guint64 frames = 0;
  g_autoptr (SlDecoder) decoder = sl_decoder_new (source, &error);
  if (decoder) {
    frames = classify_frames (self, source, decoder, &error);
    outcome = sl_decoder_get_outcome (decoder, &reason);
  }
  if (tool_stop_requested ())
    return;
  if (error) {
    tool_gerror (source, error);
    outcome = SL_OUTCOME_FAILED;
  } else if (outcome == SL_OUTCOME_FAILED) {
    tool_error (source, "%s", reason);
  } else if (outcome == SL_OUTCOME_PARTIAL) {
    tool_error (source, "partial, %" G_GUINT64_FORMAT " frames: %s", frames, reason);
  } else if (!self->options->quiet && (frames > 1 || outcome == SL_OUTCOME_UNKNOWN)) {
    double seconds = (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC;
    tool_note ("%s: %s, %" G_GUINT64_FORMAT " frames in %.1f s%s%s", source,
               sl_outcome_get_name (outcome), frames, seconds, reason ? ": " : "",
               reason ? reason : "");
  }
  self->counts[outcome]++;
  if (outcome == SL_OUTCOME_FAILED || outcome == SL_OUTCOME_PARTIAL)
    self->failed = TRUE;
}

/* --- all of them --- */

/* Names of all classes: the rules' labels, or numbers. NULL, after a report, if there are more or
 * fewer. */
static GStrv
make_names (Classify *self)
{
  size_t n = 0;
  const SlPort *output = sl_program_get_output (sl_classifier_get_program (self->classifier), 0);
  if (!sl_shape_get_elements (&output->shape, &n))
    n = 0;
  if (self->rules->labels && self->rules->n_labels != n) {
    tool_error (self->options->network.label_path ? self->options->network.label_path
                                                  : sl_model_get_name (self->model),
                "%u labels (expected %" G_GSIZE_FORMAT ", the classes of the network)",
                self->rules->n_labels, n);
    return NULL;
  }
  GStrv names = g_new0 (char *, n + 1);
  for (size_t i = 0; i < n; i++)
    names[i] = self->rules->labels ? g_strdup (self->rules->labels[i])
                                   : g_strdup_printf ("%" G_GSIZE_FORMAT, i);
  return names;
}

/* FALSE after a report. */
static gboolean
classify_open (Classify *self, const ClassifyOptions *options)
{
  g_autoptr (GError) error = NULL;
  self->options = options;
  const SlDevice *device = tool_find_device (options->network.device_name);
  if (!device || !(self->model = tool_network_load_model (&options->network)) ||
      !(self->rules = tool_network_load_rules (&options->network, self->model)))
    return FALSE;
  self->classifier = sl_classifier_new (
      self->model, self->rules,
      &(SlClassifierOptions){.device = device, .threads = (uint32_t)options->threads}, &error);
  if (!self->classifier) {
    tool_gerror (sl_model_get_name (self->model), error);
    return FALSE;
  }
  if (!(self->names = make_names (self)))
    return FALSE;
  if (!(self->output = tool_output_open (options->output_path, &error))) {
    tool_gerror (NULL, error);
    return FALSE;
  }
  self->top = MIN ((guint)options->top, g_strv_length (self->names));
  self->best = g_new0 (SlClassScore, self->top);
  self->labels = g_new0 (SlLabel, self->top);
  self->layout = (SlResultLayout){.format = options->format, .labels = self->top};
  self->text = g_string_new (NULL);
  return TRUE;
}

static void
classify_close (Classify *self)
{
  tool_output_discard (self->output);
  sl_classifier_free (self->classifier);
  g_clear_pointer (&self->rules, sl_model_rules_free);
  g_clear_pointer (&self->model, sl_model_unref);
  g_strfreev (self->names);
  g_free (self->best);
  g_free (self->labels);
  if (self->text)
    g_string_free (self->text, TRUE);
}

/* Rows of the inputs that worked are kept even if others failed; a file is replaced only if there
 * are some. */
static void
classify_finish (Classify *self)
{
  g_autoptr (GError) error = NULL;
  guint done = self->counts[SL_OUTCOME_WHOLE] + self->counts[SL_OUTCOME_UNKNOWN] +
               self->counts[SL_OUTCOME_PARTIAL];
  if (tool_stop_requested ()) {
    tool_error ("interrupted", "%s", self->options->output_path ? "no output written" : "stopped");
    self->failed = TRUE;
    return;
  }
  if (self->broken || done == 0)
    return;
  if (!tool_output_commit (g_steal_pointer (&self->output), &error)) {
    tool_gerror (NULL, error);
    self->failed = TRUE;
  }
}

static int
classify (const ClassifyOptions *options, char **names)
{
  Classify self = {0};
  if (!classify_open (&self, options)) {
    classify_close (&self);
    return TOOL_FAILED;
  }
  g_autoptr (GPtrArray) inputs = tool_inputs_expand (names, options->recursive, &self.failed);
  sl_result_append_header (self.text, &self.layout);
  write_text (&self);
  for (guint i = 0; i < inputs->len && !self.broken && !tool_stop_requested (); i++)
    classify_input (&self, g_ptr_array_index (inputs, i));
  if (inputs->len > 1 && !options->quiet)
    tool_note ("%u inputs: %u whole, %u unknown, %u partial, %u failed", inputs->len,
               self.counts[SL_OUTCOME_WHOLE], self.counts[SL_OUTCOME_UNKNOWN],
               self.counts[SL_OUTCOME_PARTIAL], self.counts[SL_OUTCOME_FAILED]);
  classify_finish (&self);
  gboolean failed = self.failed;
  classify_close (&self);
  return failed ? TOOL_FAILED : TOOL_OK;
}

/* What GOption cannot check. Returns TOOL_OK or, after a report, TOOL_USAGE. */
static int
check_options (const char *command, ClassifyOptions *options, const char *format, const char *from,
               const char *to, char **inputs)
{
  ToolSelection *selection = &options->selection;
  if (!inputs)
    return tool_usage_error (command, "no input given");
  if (format &&
      (!sl_result_format_from_name (format, &options->format) || options->format == SL_RESULT_VTT))
    return tool_usage_error (command, "unknown format %s (expected text, jsonl or csv)", format);
  if (options->top < 1 || options->top > MAX_TOP)
    return tool_usage_error (command, "--top %d (expected 1 to %d)", options->top, MAX_TOP);
  if (isnan (options->threshold))
    return tool_usage_error (command, "--threshold nan (expected a number)");
  if (options->threads < 0)
    return tool_usage_error (command, "--threads %d (expected 1 or more)", options->threads);
  if (selection->every < 1)
    return tool_usage_error (command, "--every %d (expected 1 or more)", selection->every);
  if (!(selection->rate >= 0 && selection->rate <= 1e6))
    return tool_usage_error (command, "--rate %g (expected frames a second, more than 0)",
                             selection->rate);
  if (selection->rate > 0 && selection->every > 1)
    return tool_usage_error (command, "--every and --rate exclude each other");
  if (from && !tool_parse_time (from, &selection->from))
    return tool_usage_error (command, "--from %s (expected seconds or H:MM:SS)", from);
  if (to && (!tool_parse_time (to, &selection->to) || selection->to <= selection->from))
    return tool_usage_error (command, "--to %s (expected seconds or H:MM:SS after --from)", to);
  return TOOL_OK;
}

static int
classify_run (int argc, char **argv)
{
  ClassifyOptions options = {.top = DEFAULT_TOP, .threshold = -INFINITY, .selection.every = 1};
  g_autofree char *format = NULL, *from = NULL, *to = NULL;
  g_auto (GStrv) inputs = NULL;
  const GOptionEntry entries[] = {
      TOOL_NETWORK_ENTRIES (options.network),
      {"top", 'k', 0, G_OPTION_ARG_INT, &options.top, "Labels a frame (default: 5)", "K"},
      {"threshold", 0, 0, G_OPTION_ARG_DOUBLE, &options.threshold,
       "Leave out labels with lower scores (default: none)", "S"},
      {"format", 'f', 0, G_OPTION_ARG_STRING, &format, "text (default), jsonl or csv", "FORMAT"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output_path,
       "Write to a file, which appears when all is done", "FILE"},
      {"every", 0, 0, G_OPTION_ARG_INT, &options.selection.every, "Look at each N-th frame", "N"},
      {"rate", 0, 0, G_OPTION_ARG_DOUBLE, &options.selection.rate,
       "Look at no more than HZ frames a second of footage", "HZ"},
      {"from", 0, 0, G_OPTION_ARG_STRING, &from, "Begin at this time of the clip", "T"},
      {"to", 0, 0, G_OPTION_ARG_STRING, &to, "End before this time of the clip", "T"},
      {"recursive", 0, 0, G_OPTION_ARG_NONE, &options.recursive, "Sub-folders of folders too",
       NULL},
      {"threads", 0, 0, G_OPTION_ARG_INT, &options.threads, "Most threads of the network", "N"},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options.quiet, "Only errors on standard error", NULL},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &inputs, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  static const ToolUsage usage = {"INPUT…",
                                  "Says what is in each frame of footage, or in pictures. An INPUT "
                                  "is a file, a folder or a URI.",
                                  "Times are seconds, M:SS or H:MM:SS. Clips are decoded from "
                                  "their start in any case, so that frames keep their\n"
                                  "numbers. Every input is called whole, partial (it is cut or "
                                  "damaged), unknown (its format states no\n"
                                  "duration, so a cut would not show) or failed. Exit status 0 "
                                  "only if none was partial or failed.\n\n"
                                  "Examples:\n"
                                  "  sightline classify photo.jpg\n"
                                  "  sightline classify -m net.onnx -l labels.txt -k 1 --rate 2 -f "
                                  "jsonl -o out.jsonl clip.mp4\n"
                                  "  sightline classify --recursive -f csv footage/ > all.csv"};
  int status = TOOL_USAGE;
  if (tool_parse (argc, argv, &usage, entries))
    status = check_options (argv[0], &options, format, from, to, inputs);
  if (status == TOOL_OK) {
    tool_stop_watch ();
    tool_quiet_libraries ();
    sl_decoder_watch_codec_log ();
    gst_init (NULL, NULL);
    status = classify (&options, inputs);
  }
  tool_network_clear (&options.network);
  g_free (options.output_path);
  return status;
}

const Command cmd_classify = {"classify", "say what is in each frame of footage, or in pictures",
                              classify_run};
