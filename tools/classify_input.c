#include "classify.h"

#include "inputs.h"
#include "stop.h"

#include <sightline/sightline.h>

#include <string.h>

#define BAR_WIDTH 30
/* How long a wait for a frame lasts before Ctrl-C and the state of a camera are looked at. */
#define POLL_INTERVAL (100 * GST_MSECOND)

struct ClassifyJob {
  Classify *shared;
  guint number;
  SlClassifier *classifier;
  SlClassScore *best; /* as many as shared->top, as are the labels */
  SlLabel *labels;
  GString *text; /* rows on their way to the output */
};

/* One input while it is looked through. */
typedef struct {
  guint index; /* among shared->inputs */
  char *name;  /* as it is shown */
  SlDecoder *decoder;
  ToolSelection selection;
  guint64 read, rows; /* frames */

  /* Text shows a single picture as a table. Whether it is single shows when a second frame comes or
   * none, so the first row waits here. */
  SlResult first;
  SlLabel *first_labels;

  SlTimeline *timeline; /* WebVTT: rows become intervals */
  ToolOutput *output;
  GstClockTime end; /* of the last frame */
} Input;

ClassifyJob *
classify_job_new (Classify *shared, guint number, GError **error)
{
  const ClassifyOptions *options = shared->options;
  guint threads = options->threads ? (guint)options->threads : g_get_num_processors ();
  SlClassifierOptions wanted = {.device = shared->device, .half = options->half};
  /* With one job 0, which means all, is left to the engine: it knows more of the machine. */
  if (options->threads || shared->jobs > 1)
    wanted.threads = MAX (threads / shared->jobs, 1);
  SlClassifier *classifier = sl_classifier_new (shared->model, shared->rules, &wanted, error);
  if (!classifier)
    return NULL;
  ClassifyJob *job = g_new0 (ClassifyJob, 1);
  job->shared = shared;
  job->number = number;
  job->classifier = classifier;
  job->text = g_string_new (NULL);
  return job;
}

void
classify_job_free (ClassifyJob *job)
{
  if (!job)
    return;
  sl_classifier_free (job->classifier);
  g_free (job->best);
  g_free (job->labels);
  g_string_free (job->text, TRUE);
  g_free (job);
}

gsize
classify_job_get_n_classes (ClassifyJob *job)
{
  size_t n = 0;
  const SlPort *output = sl_program_get_output (sl_classifier_get_program (job->classifier), 0);
  return sl_shape_get_elements (&output->shape, &n) ? n : 0;
}

/* --- one frame --- */

/* Says once where the network runs, if that is not where it should. */
static void
note_device (ClassifyJob *job)
{
  Classify *shared = job->shared;
  g_autofree char *note = sl_classifier_take_note (job->classifier);
  if (!note || shared->options->quiet)
    return;
  g_mutex_lock (&shared->lock);
  if (!shared->noted)
    tool_note ("%s", note);
  shared->noted = TRUE;
  g_mutex_unlock (&shared->lock);
}

/* Runs the network on a frame and fills `ret_result`, whose labels stay until the next frame. */
static gboolean
classify_frame (ClassifyJob *job, const SlDecodedFrame *frame, SlResult *ret_result, GError **error)
{
  Classify *shared = job->shared;
  const float *scores;
  uint32_t n_scores;
  GstVideoFrame mapped;
  sl_classifier_set_orientation (job->classifier, frame->orientation);
  if (!sl_classifier_set_info (job->classifier, frame->info, error))
    return FALSE;
  if (!gst_video_frame_map (&mapped, frame->info, frame->buffer, GST_MAP_READ)) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "frame %" G_GUINT64_FORMAT " does not have the size that its format asks for",
                 frame->number);
    return FALSE;
  }
  gboolean good = sl_classifier_run (job->classifier, &mapped, &scores, &n_scores, error);
  gst_video_frame_unmap (&mapped);
  if (!good)
    return FALSE;
  note_device (job);

  ret_result->frame = frame->number;
  ret_result->pts = frame->pts;
  ret_result->wall_time = frame->wall_time;
  ret_result->labels = job->labels;
  ret_result->n_labels =
      sl_top_k (scores, n_scores, shared->top, (float)shared->options->threshold, FALSE, job->best);
  for (guint i = 0; i < ret_result->n_labels; i++) {
    const SlClassScore *score = &job->best[i];
    job->labels[i] = (SlLabel){score->index, score->score, shared->names[score->index]};
  }
  return TRUE;
}

/* --- rows --- */

static void
write_row (ClassifyJob *job, Input *input, const SlResult *result)
{
  sl_result_append (job->text, &job->shared->layout, result);
  tool_rows_write (job->shared->rows, input->index, job->text);
}

/* What one picture shows, for people. */
static void
write_picture (ClassifyJob *job, Input *input, const SlResult *result)
{
  const char *block = g_get_charset (NULL) ? "█" : "#";
  g_autofree char *source = g_filename_display_name (result->source);
  g_string_append_printf (job->text, "%s\n", source);
  for (guint i = 0; i < result->n_labels; i++) {
    double score = (double)result->labels[i].score;
    int width = (int)(CLAMP (score, 0.0, 1.0) * BAR_WIDTH + 0.5);
    g_string_append_printf (job->text, "  %8.3f  ", score);
    for (int x = 0; x < BAR_WIDTH; x++)
      g_string_append (job->text, x < width ? block : " ");
    g_string_append_printf (job->text, "  %s\n", result->labels[i].label);
  }
  tool_rows_write (job->shared->rows, input->index, job->text);
}

static void
flush_first (ClassifyJob *job, Input *input, gboolean single)
{
  if (input->first_labels && single)
    write_picture (job, input, &input->first);
  else if (input->first_labels)
    write_row (job, input, &input->first);
  g_clear_pointer (&input->first_labels, g_free);
}

static void
write_cues (ClassifyJob *job, Input *input)
{
  const SlInterval *interval;
  while ((interval = sl_timeline_next (input->timeline)))
    sl_result_append_cue (job->text, interval);
}

static void
take_row (ClassifyJob *job, Input *input, const SlResult *result)
{
  gboolean is_first = input->rows++ == 0;
  if (input->timeline) {
    sl_timeline_add (input->timeline, result->pts, result->labels, result->n_labels);
    write_cues (job, input);
  } else if (is_first && job->shared->layout.format == SL_RESULT_TEXT && !job->shared->live) {
    input->first_labels = g_memdup2 (result->labels, sizeof (SlLabel) * MAX (result->n_labels, 1));
    input->first = *result;
    input->first.labels = input->first_labels;
  } else {
    flush_first (job, input, FALSE);
    write_row (job, input, result);
  }
}

/* --- all frames of an input --- */

static gboolean
is_broken (ClassifyJob *job)
{
  return job->shared->rows && tool_rows_is_broken (job->shared->rows);
}

static gboolean
is_stopped (ClassifyJob *job)
{
  return tool_stop_requested () || is_broken (job);
}

/* FALSE if no later frame is wanted, with an error if that is not the user's wish. */
static gboolean
take_frame (ClassifyJob *job, Input *input, const SlDecodedFrame *frame, SlResult *result,
            GError **error)
{
  ToolFrameChoice choice = tool_selection_choose (&input->selection, frame->number, frame->pts);
  if (choice == TOOL_FRAME_PAST_END)
    return FALSE;
  input->read++;
  if (choice == TOOL_FRAME_NO_TIME || (input->timeline && !GST_CLOCK_TIME_IS_VALID (frame->pts))) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "frames have no timestamps (expected some for --rate, --from, --to and vtt)");
    return FALSE;
  }
  input->end = frame->pts;
  if (GST_CLOCK_TIME_IS_VALID (frame->pts) && GST_BUFFER_DURATION_IS_VALID (frame->buffer))
    input->end += GST_BUFFER_DURATION (frame->buffer);
  if (choice == TOOL_FRAME_TAKE) {
    if (!classify_frame (job, frame, result, error))
      return FALSE;
    take_row (job, input, result);
  }
  classify_show_progress (job->shared, job->number, sl_decoder_get_progress (input->decoder),
                          input->read);
  return TRUE;
}

/* *error says why it ended early, if it did. */
static void
look_through (ClassifyJob *job, Input *input, GError **error)
{
  SlResult result = {.source = input->name, .model = sl_model_get_hash (job->shared->model)};
  SlDecodedFrame frame;
  SlDecoderState state;
  tool_selection_start (&input->selection);
  do {
    state = sl_decoder_poll (input->decoder, POLL_INTERVAL, &frame);
    g_autofree char *note = sl_decoder_take_note (input->decoder);
    if (note && !job->shared->options->quiet)
      tool_note ("%s: %s", input->name, note);
    if (job->shared->rows)
      tool_rows_tick (job->shared->rows);
    if (state == SL_DECODER_FRAME && !take_frame (job, input, &frame, &result, error))
      break;
  } while (state != SL_DECODER_END && !is_stopped (job));
  if (!input->timeline) {
    flush_first (job, input, input->read == 1);
    return;
  }
  sl_timeline_close (input->timeline, input->end);
  write_cues (job, input);
}

/* --- how it came out --- */

/* A camera has no end; what it gave until now is all that was asked for. */
static SlOutcome
judge_camera (ClassifyJob *job, Input *input, double seconds)
{
  const char *reason = NULL;
  SlOutcome outcome = sl_decoder_get_outcome (input->decoder, &reason);
  guint64 late = sl_decoder_get_late (input->decoder);
  if (!tool_stop_requested ()) {
    tool_error (input->name, "%s", reason ? reason : "the camera's stream has ended");
    return input->read ? SL_OUTCOME_PARTIAL : outcome;
  }
  if (input->read == 0) {
    tool_error (input->name, "no frame came");
    return SL_OUTCOME_FAILED;
  }
  if (!job->shared->options->quiet)
    tool_note ("%s: %" G_GUINT64_FORMAT " frames in %.1f s, %" G_GUINT64_FORMAT
               " passed over because newer ones had come",
               input->name, input->read, seconds, late);
  return SL_OUTCOME_WHOLE;
}

static SlOutcome
judge_clip (ClassifyJob *job, Input *input, double seconds)
{
  const char *reason = NULL;
  SlOutcome outcome = sl_decoder_get_outcome (input->decoder, &reason);
  if (outcome == SL_OUTCOME_FAILED)
    tool_error (input->name, "%s", reason);
  else if (outcome == SL_OUTCOME_PARTIAL)
    tool_error (input->name, "partial, %" G_GUINT64_FORMAT " frames: %s", input->read, reason);
  else if (!job->shared->options->quiet && (input->read > 1 || outcome == SL_OUTCOME_UNKNOWN))
    tool_note ("%s: %s, %" G_GUINT64_FORMAT " frames in %.1f s%s%s%s", input->name,
               sl_outcome_get_name (outcome), input->read, seconds,
               input->rows ? "" : ", none in the time asked for", reason ? ": " : "",
               reason ? reason : "");
  return outcome;
}

/* Opens the input and, for WebVTT, the file that belongs to it. */
static gboolean
open_input (ClassifyJob *job, Input *input, const char *source, GError **error)
{
  Classify *shared = job->shared;
  SlDecoderOptions options = {.key_frames = shared->options->key_frames,
                              .threads = shared->jobs > 1 ? 1 : 0};
  if (!(input->decoder = sl_decoder_new_with_options (source, &options, error)))
    return FALSE;
  if (shared->layout.format != SL_RESULT_VTT)
    return TRUE;
  const char *path = g_ptr_array_index (shared->outputs, input->index);
  g_autofree char *folder = path ? g_path_get_dirname (path) : NULL;
  if (folder)
    g_mkdir_with_parents (folder, 0777);
  input->timeline = sl_timeline_new (NULL);
  sl_result_append_header (job->text, &shared->layout);
  return (input->output = tool_output_open (path, error)) != NULL;
}

/* WebVTT: the file appears, unless there was nothing to see. */
static void
close_output (ClassifyJob *job, Input *input, SlOutcome *outcome)
{
  g_autoptr (GError) error = NULL;
  if (!input->output || *outcome == SL_OUTCOME_FAILED)
    return;
  if (tool_output_write (input->output, job->text, &error) &&
      tool_output_commit (g_steal_pointer (&input->output), &error))
    return;
  tool_gerror (NULL, error);
  *outcome = SL_OUTCOME_FAILED;
}

static void
input_clear (Input *input)
{
  sl_decoder_free (input->decoder);
  g_clear_pointer (&input->timeline, sl_timeline_free);
  tool_output_discard (input->output);
  g_free (input->first_labels);
  g_free (input->name);
}

static void
count_input (ClassifyJob *job, const Input *input, SlOutcome outcome)
{
  Classify *shared = job->shared;
  g_mutex_lock (&shared->lock);
  shared->counts[outcome]++;
  if (outcome == SL_OUTCOME_FAILED || outcome == SL_OUTCOME_PARTIAL)
    shared->failed = TRUE;
  shared->ended++;
  shared->frames += input->read;
  shared->parts[job->number] = (ClassifyPart){0};
  g_mutex_unlock (&shared->lock);
}

static void
classify_input (ClassifyJob *job, guint index)
{
  g_autoptr (GError) error = NULL;
  const char *source = g_ptr_array_index (job->shared->inputs, index);
  Input input = {.index = index,
                 .name = tool_input_get_name (source),
                 .selection = job->shared->options->selection};
  SlOutcome outcome = SL_OUTCOME_FAILED;
  ToolStamp stamp = tool_stamp_take (source);
  gint64 start = g_get_monotonic_time ();
  g_string_truncate (job->text, 0);
  if (open_input (job, &input, source, &error))
    look_through (job, &input, &error);
  double seconds = (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  if (error)
    tool_gerror (input.name, error);
  else if (is_broken (job)) /* has been said */
    outcome = SL_OUTCOME_FAILED;
  else if (job->shared->live)
    outcome = judge_camera (job, &input, seconds);
  else if (!tool_stop_requested ())
    outcome = judge_clip (job, &input, seconds);
  /* An interrupted clip is neither counted nor kept. */
  if (job->shared->live || !tool_stop_requested ()) {
    close_output (job, &input, &outcome);
    count_input (job, &input, outcome);
    if (job->shared->rows)
      tool_rows_end (job->shared->rows, index, source, stamp, outcome);
  }
  input_clear (&input);
}

void
classify_job_run (ClassifyJob *job)
{
  Classify *shared = job->shared;
  job->best = g_new0 (SlClassScore, shared->top);
  job->labels = g_new0 (SlLabel, shared->top);
  while (!is_stopped (job)) {
    g_mutex_lock (&shared->lock);
    guint index = shared->next++;
    g_mutex_unlock (&shared->lock);
    if (index >= shared->inputs->len)
      return;
    classify_input (job, index);
  }
}
