/* `sightline classify`: footage, pictures and cameras to labels. */
#include "classify.h"
#include "command.h"
#include "inputs.h"
#include "options.h"
#include "plugin.h"
#include "stop.h"

#include <sightline/sightline.h>

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define DEFAULT_TOP 5
#define MAX_TOP 1000000
#define MAX_JOBS 256

/* --- progress --- */

void
classify_show_progress (Classify *shared, guint number, double part, guint64 frames)
{
  g_mutex_lock (&shared->lock);
  shared->parts[number] = (ClassifyPart){MAX (part, 0), frames};
  double sum = shared->ended;
  guint64 sum_frames = shared->frames;
  for (guint i = 0; i < shared->jobs; i++) {
    sum += shared->parts[i].part;
    sum_frames += shared->parts[i].frames;
  }
  gboolean unknown = shared->inputs->len == 1 && part < 0;
  tool_progress_update (&shared->progress, unknown ? -1 : sum / shared->inputs->len, sum_frames);
  g_mutex_unlock (&shared->lock);
}

/* --- the network --- */

/* Names of all classes: the rules' labels, or numbers. NULL, after a report, if there are more or
 * fewer. */
static GStrv
make_names (Classify *self, gsize n)
{
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

/* The first job, by which the network shows whether it works; NULL after a report. */
static ClassifyJob *
open_network (Classify *self)
{
  g_autoptr (GError) error = NULL;
  if (!tool_network_find_device (&self->options->network, &self->device) ||
      !(self->model = tool_network_load_model (&self->options->network)) ||
      !(self->rules = tool_network_load_rules (&self->options->network, self->model)))
    return NULL;
  ClassifyJob *job = classify_job_new (self, 0, &error);
  if (!job) {
    tool_gerror (sl_model_get_name (self->model), error);
    return NULL;
  }
  if (!(self->names = make_names (self, classify_job_get_n_classes (job)))) {
    classify_job_free (job);
    return NULL;
  }
  self->top = MIN ((guint)self->options->top, g_strv_length (self->names));
  self->layout = (SlResultLayout){.format = self->options->format,
                                  .labels = self->top,
                                  .columns = self->live ? SL_RESULT_COLUMN_TIME : 0};
  return job;
}

/* --- inputs --- */

static gboolean
is_single (char **names)
{
  return !names[1] && !g_file_test (names[0], G_FILE_TEST_IS_DIR);
}

/* The WebVTT file of an input. */
static char *
make_output_name (Classify *self, char **names, const char *input)
{
  if (is_single (names) &&
      !(self->options->output_path && g_file_test (self->options->output_path, G_FILE_TEST_IS_DIR)))
    return g_strdup (self->options->output_path);
  g_autofree char *place = tool_input_get_place (names, input);
  char *dot = strrchr (place, '.');
  if (dot && dot != place && !strchr (dot, G_DIR_SEPARATOR))
    *dot = '\0';
  g_autofree char *file = g_strconcat (place, ".vtt", NULL);
  return g_build_filename (self->options->output_path, file, NULL);
}

/* Each input's own file; inputs whose file another one has already are reported and left out. */
static void
name_outputs (Classify *self, char **names)
{
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);
  self->outputs = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < self->inputs->len;) {
    const char *input = g_ptr_array_index (self->inputs, i);
    g_autofree char *output = make_output_name (self, names, input);
    const char *other = output ? g_hash_table_lookup (taken, output) : NULL;
    if (other) {
      tool_error (input, "would be written to %s as %s is (expected names that differ)", output,
                  other);
      self->failed = TRUE;
      g_ptr_array_remove_index (self->inputs, i);
      continue;
    }
    if (output)
      g_hash_table_insert (taken, output, (gpointer)input);
    g_ptr_array_add (self->outputs, g_steal_pointer (&output));
    i++;
  }
}

/* Whether an input's WebVTT file is there and newer than the input. */
static gboolean
has_output (Classify *self, guint i)
{
  const char *output = g_ptr_array_index (self->outputs, i);
  ToolStamp made = tool_stamp_take (output);
  return made.time && made.time >= tool_stamp_take (g_ptr_array_index (self->inputs, i)).time;
}

/* Takes inputs off the list that an earlier run has done. Returns how many. */
static guint
skip_done (Classify *self, ToolJournal *journal)
{
  guint skipped = 0;
  for (guint i = 0; i < self->inputs->len;) {
    SlOutcome outcome = SL_OUTCOME_WHOLE;
    if (journal ? !tool_journal_find (journal, g_ptr_array_index (self->inputs, i), &outcome)
                : !has_output (self, i)) {
      i++;
      continue;
    }
    /* The exit status is that of a run from the beginning. */
    self->failed |= outcome == SL_OUTCOME_PARTIAL;
    g_ptr_array_remove_index (self->inputs, i);
    if (self->outputs)
      g_ptr_array_remove_index (self->outputs, i);
    skipped++;
  }
  return skipped;
}

/* All that rows depend on besides the input, as one word. */
static char *
describe_settings (const Classify *self)
{
  const ClassifyOptions *o = self->options;
  const ToolSelection *s = &o->selection;
  const SlPreprocess *p = &self->rules->preprocess;
  g_autoptr (GString) text = g_string_new (sl_model_get_hash (self->model));
  g_string_append_printf (text, "\n%d %u %a %d %a %a %a %d\n", (int)o->format, self->top,
                          o->threshold, s->every, s->rate, s->from, s->to, o->key_frames);
  g_string_append_printf (text, "%u %u %u %d %u %u %u %u %d %a %d\n", p->width, p->height,
                          p->channels, (int)p->resize, p->resize_size, p->pad[0], p->pad[1],
                          p->pad[2], (int)p->order, (double)p->scale, self->rules->apply_softmax);
  for (guint i = 0; i < 3; i++)
    g_string_append_printf (text, "%a %a\n", (double)p->mean[i], (double)p->std[i]);
  for (guint i = 0; self->names[i]; i++)
    g_string_append_printf (text, "%s\n", self->names[i]);
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text->str, (gssize)text->len);
}

/* --- the run --- */

/* One of the further jobs. */
static gpointer
run_job (gpointer data)
{
  ClassifyJob *job = data;
  classify_job_run (job);
  classify_job_free (job);
  return NULL;
}

/* All inputs by as many threads as there are jobs; the first is the caller's. */
static void
run_jobs (Classify *self, ClassifyJob *first)
{
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  const char *what = self->inputs->len == 1 ? g_ptr_array_index (self->inputs, 0) : "";
  g_autofree char *name = tool_input_get_name (what);
  tool_progress_start (&self->progress, name);
  for (guint i = 1; i < MIN (self->jobs, self->inputs->len); i++) {
    g_autoptr (GError) error = NULL;
    ClassifyJob *job = classify_job_new (self, i, &error);
    if (job) {
      g_ptr_array_add (threads, g_thread_new ("classify", run_job, job));
      continue;
    }
    /* Fewer will do, save for cameras. */
    tool_gerror (sl_model_get_name (self->model), error);
    self->failed |= self->live;
    break;
  }
  classify_job_run (first);
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (g_ptr_array_index (threads, i));
  tool_progress_end (&self->progress);
}

static void
summarise (const Classify *self, guint n, guint skipped)
{
  g_autoptr (GString) text = g_string_new (NULL);
  if (n + skipped < 2 || self->options->quiet)
    return;
  g_string_printf (text, "%u inputs: %u whole, %u unknown, %u partial, %u failed", n + skipped,
                   self->counts[SL_OUTCOME_WHOLE], self->counts[SL_OUTCOME_UNKNOWN],
                   self->counts[SL_OUTCOME_PARTIAL], self->counts[SL_OUTCOME_FAILED]);
  if (skipped)
    g_string_append_printf (text, ", %u done before", skipped);
  tool_note ("%s", text->str);
}

/* What was written so far is kept for --resume. Takes output and journal. */
static void
interrupt (Classify *self, ToolOutput *output, ToolJournal *journal)
{
  g_autoptr (GError) error = NULL;
  guint n = journal ? tool_journal_get_n_done (journal) : 0;
  gboolean keep = n > 0 && tool_journal_flush (journal, TRUE, &error);
  if (error)
    tool_gerror (NULL, error);
  if (keep)
    tool_error ("interrupted", "%s not written yet; --resume goes on after the %u inputs done",
                tool_output_get_path (output), n);
  else
    tool_error ("interrupted", "%s", self->options->output_path ? "no output written" : "stopped");
  if (keep)
    tool_output_leave (output);
  else
    tool_output_discard (output);
  tool_journal_free (journal, keep);
  self->failed = TRUE;
}

/* Rows of the inputs that worked are kept even if others failed; a file is replaced only if there
 * are some. Takes output and journal. */
static void
finish (Classify *self, ToolOutput *output, ToolJournal *journal, guint skipped)
{
  g_autoptr (GError) error = NULL;
  gboolean broken = tool_rows_is_broken (self->rows);
  guint done = self->counts[SL_OUTCOME_WHOLE] + self->counts[SL_OUTCOME_UNKNOWN] +
               self->counts[SL_OUTCOME_PARTIAL] + skipped;
  gboolean keep = self->options->resume && !broken && done > 0;
  self->failed |= broken;
  if (broken || done == 0) {
    tool_output_discard (output);
  } else if ((journal && !tool_journal_flush (journal, TRUE, &error)) ||
             !tool_output_commit (g_steal_pointer (&output), &error)) {
    tool_output_discard (output);
    tool_gerror (NULL, error);
    self->failed = TRUE;
    keep = FALSE;
  }
  tool_journal_free (journal, keep);
}

/* Everything into one output. */
static void
run_to_output (Classify *self, ClassifyJob *first)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *settings = describe_settings (self);
  g_autoptr (GString) header = g_string_new (NULL);
  ToolOutput *output = tool_output_open (self->options->output_path, &error);
  ToolJournal *journal = NULL;
  /* One input is done or not: there is nothing to go on from, unless there will be more. */
  gboolean wanted = self->options->resume || self->inputs->len > 1;
  if (output && tool_output_get_temporary (output) && wanted && !self->live)
    journal = tool_journal_new (output, settings, self->options->resume, &error);
  if (error) {
    tool_gerror (NULL, error);
    tool_output_discard (output);
    self->failed = TRUE;
    return;
  }
  guint skipped = journal ? skip_done (self, journal) : 0, n = self->inputs->len;
  self->rows = tool_rows_new (output, journal, n, !self->live);
  if (!journal || !tool_journal_find (journal, "", NULL)) {
    sl_result_append_header (header, &self->layout);
    tool_rows_write_header (self->rows, header);
  }
  run_jobs (self, first);
  summarise (self, n, skipped);
  if (tool_stop_requested () && !self->live)
    interrupt (self, output, journal);
  else
    finish (self, output, journal, skipped);
}

/* A file for each. */
static void
run_to_outputs (Classify *self, ClassifyJob *first, char **names)
{
  name_outputs (self, names);
  guint skipped = self->options->resume ? skip_done (self, NULL) : 0, n = self->inputs->len;
  run_jobs (self, first);
  summarise (self, n, skipped);
  if (!tool_stop_requested () || self->live)
    return;
  tool_error ("interrupted", "%u of %u inputs done", self->ended, n);
  self->failed = TRUE;
}

static void
classify_clear (Classify *self)
{
  tool_rows_free (self->rows);
  g_clear_pointer (&self->rules, sl_model_rules_free);
  g_clear_pointer (&self->model, sl_model_unref);
  g_clear_pointer (&self->inputs, g_ptr_array_unref);
  g_clear_pointer (&self->outputs, g_ptr_array_unref);
  g_strfreev (self->names);
  g_free (self->parts);
  g_mutex_clear (&self->lock);
}

/* Cameras, or none: *ret_live. FALSE after a report if there are some of both. */
static gboolean
check_live (const char *command, const ClassifyOptions *options, char **names, gboolean *ret_live)
{
  guint n_live = 0, n = g_strv_length (names);
  for (guint i = 0; i < n; i++)
    n_live += sl_decoder_source_is_live (names[i]);
  *ret_live = n_live > 0;
  if (n_live > 0 && n_live < n)
    tool_usage_error (command, "cameras have no end (expected no files beside them)");
  else if (n_live > 0 && options->resume)
    tool_usage_error (command, "--resume is for files, not for cameras");
  else
    return TRUE;
  return FALSE;
}

static int
classify (const char *command, const ClassifyOptions *options, char **names)
{
  Classify self = {.options = options};
  if (!check_live (command, options, names, &self.live))
    return TOOL_USAGE;
  g_mutex_init (&self.lock);
  self.jobs = self.live ? g_strv_length (names) : (guint)options->jobs;
  self.parts = g_new0 (ClassifyPart, self.jobs);
  if (self.live)
    tool_load_plugin ();
  ClassifyJob *first = open_network (&self);
  if (first) {
    self.inputs = tool_inputs_expand (names, options->recursive, &self.failed);
    g_autoptr (GHashTable) files = tool_inputs_get_files (self.inputs);
    if (tool_inputs_hold (files, options->output_path)) {
      tool_error (options->output_path, "is an input too (expected another file for -o)");
      self.failed = TRUE;
    } else if (options->format == SL_RESULT_VTT)
      run_to_outputs (&self, first, names);
    else
      run_to_output (&self, first);
  }
  classify_job_free (first);
  gboolean good = first && !self.failed;
  classify_clear (&self);
  return good ? TOOL_OK : TOOL_FAILED;
}

/* --- the command line --- */

/* The format by name, else by the output's suffix, else text. Returns TOOL_OK or, after a report,
 * TOOL_USAGE. */
static int
check_output (const char *command, ClassifyOptions *options, const char *format, char **inputs)
{
  const char *path = options->output_path;
  gboolean to_file = path && strcmp (path, "-") != 0;
  if (format && !sl_result_format_from_name (format, &options->format))
    return tool_usage_error (command, "unknown format %s (expected text, jsonl, csv or vtt)",
                             format);
  if (!format && to_file)
    sl_result_format_from_path (path, &options->format);
  if (options->format == SL_RESULT_VTT && !is_single (inputs) &&
      (!to_file || (g_str_has_suffix (path, ".vtt") && !g_file_test (path, G_FILE_TEST_IS_DIR))))
    return tool_usage_error (command, "vtt is a file for each input (expected -o FOLDER)");
  if (options->resume && !to_file)
    return tool_usage_error (command, "--resume needs a file that was written (expected -o FILE)");
  return TOOL_OK;
}

/* What GOption cannot check. Returns TOOL_OK or, after a report, TOOL_USAGE. */
static int
check_options (const char *command, ClassifyOptions *options, const char *from, const char *to)
{
  if (options->top < 1 || options->top > MAX_TOP)
    return tool_usage_error (command, "--top %d (expected 1 to %d)", options->top, MAX_TOP);
  if (isnan (options->threshold))
    return tool_usage_error (command, "--threshold nan (expected a number)");
  if (options->threads < 0)
    return tool_usage_error (command, "--threads %d (expected 1 or more)", options->threads);
  if (options->jobs < 1 || options->jobs > MAX_JOBS)
    return tool_usage_error (command, "--jobs %d (expected 1 to %d)", options->jobs, MAX_JOBS);
  return tool_selection_parse (command, &options->selection, from, to);
}

static int
classify_run (int argc, char **argv)
{
  ClassifyOptions options = {
      .top = DEFAULT_TOP, .threshold = -INFINITY, .selection.every = 1, .jobs = 1};
  g_autofree char *format = NULL, *from = NULL, *to = NULL;
  g_auto (GStrv) inputs = NULL;
  const GOptionEntry entries[] = {
      TOOL_NETWORK_ENTRIES (options.network),
      {"top", 'k', 0, G_OPTION_ARG_INT, &options.top, "Labels a frame (default: 5)", "K"},
      {"threshold", 0, 0, G_OPTION_ARG_DOUBLE, &options.threshold,
       "Leave out labels with lower scores (default: none)", "S"},
      {"format", 'f', 0, G_OPTION_ARG_STRING, &format,
       "text, jsonl, csv or vtt (default: by the suffix of FILE, else text)", "FORMAT"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output_path,
       "Write to a file, which appears when all is done; vtt: a folder for several inputs", "FILE"},
      {"resume", 0, 0, G_OPTION_ARG_NONE, &options.resume,
       "Leave out inputs that are done in FILE: go on with a run that was interrupted", NULL},
      {"jobs", 'j', 0, G_OPTION_ARG_INT, &options.jobs, "Inputs at once (default: 1)", "N"},
      {"every", 0, 0, G_OPTION_ARG_INT, &options.selection.every, "Look at each N-th frame", "N"},
      {"rate", 0, 0, G_OPTION_ARG_DOUBLE, &options.selection.rate,
       "Look at no more than HZ frames a second of footage", "HZ"},
      {"from", 0, 0, G_OPTION_ARG_STRING, &from, "Begin at this time of the clip", "T"},
      {"to", 0, 0, G_OPTION_ARG_STRING, &to, "End before this time of the clip", "T"},
      {"keyframes", 0, 0, G_OPTION_ARG_NONE, &options.key_frames,
       "Decode key frames only, which is fast; frames are counted among them", NULL},
      {"recursive", 0, 0, G_OPTION_ARG_NONE, &options.recursive, "Sub-folders of folders too",
       NULL},
      {"threads", 0, 0, G_OPTION_ARG_INT, &options.threads,
       "Most threads of the network, all jobs together", "N"},
      {"half", 0, 0, G_OPTION_ARG_NONE, &options.half,
       "Keep weights, on a GPU activations too, as 16-bit floats", NULL},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options.quiet, "Only errors on standard error", NULL},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &inputs, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  static const ToolUsage usage = {
      "INPUT…",
      "Says what is in each frame of footage, in pictures, or before a camera. An INPUT is a file, "
      "a\n"
      "folder, a URI, or camera:N, camera:NAME, rtsp://…, which run until Ctrl-C.",
      "Times are seconds, M:SS or H:MM:SS. Clips are decoded from their start in any case, so that "
      "frames keep their\n"
      "numbers. Every input is called whole, partial (it is cut or damaged), unknown (its format "
      "states no\n"
      "duration, so a cut would not show) or failed. Exit status 0 only if none was partial or "
      "failed.\n\n"
      "Examples:\n"
      "  sightline classify photo.jpg\n"
      "  sightline classify -m net.onnx -l labels.txt -k 1 --rate 2 -o out.jsonl clip.mp4\n"
      "  sightline classify --recursive --jobs 4 --resume -o all.csv footage/\n"
      "  sightline classify -f jsonl camera:0"};
  int status = TOOL_USAGE;
  if (tool_parse (argc, argv, &usage, entries)) {
    if (!inputs)
      status = tool_usage_error (argv[0], "no input given");
    else if ((status = check_options (argv[0], &options, from, to)) == TOOL_OK)
      status = check_output (argv[0], &options, format, inputs);
  }
  if (status == TOOL_OK) {
    tool_stop_watch ();
    tool_quiet_libraries ();
    sl_decoder_watch_codec_log ();
    gst_init (NULL, NULL);
    status = classify (argv[0], &options, inputs);
  }
  tool_network_clear (&options.network);
  g_free (options.output_path);
  return status;
}

const Command cmd_classify = {"classify", "say what is in footage, pictures or before a camera",
                              classify_run};
