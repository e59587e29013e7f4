#include "evaluation.h"

#include "report.h"
#include "text.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define READ_WORKERS 2

void
tool_scores_free (ToolScores *scores)
{
  if (!scores)
    return;
  g_free (scores->logits);
  g_free (scores->labels);
  g_free (scores->indices);
  g_strfreev (scores->failures);
  g_free (scores);
}

/* Probabilities become logits whose softmax they are. */
static void
take_outputs (ToolScores *scores, const SlTensorView *output, const guint32 *columns,
              const SlBatch *batch, gboolean are_logits)
{
  const float *data = output->data;
  for (guint32 i = 0; i < batch->n; i++) {
    float *row = scores->logits + (scores->n + i) * scores->n_classes;
    for (guint32 k = 0; k < scores->n_classes; k++) {
      const float value = data[i * output->stride[0] + columns[k] * output->stride[1]];
      row[k] = are_logits ? value : logf (MAX (value, FLT_MIN));
    }
  }
  memcpy (scores->labels + scores->n, batch->labels, batch->n * sizeof scores->labels[0]);
  memcpy (scores->indices + scores->n, batch->indices, batch->n * sizeof scores->indices[0]);
  scores->n += batch->n;
}

static gboolean
check_output (SlProgram *program, SlSampleSource *source, GError **error)
{
  const SlPort *output = sl_program_get_output (program, 0);
  const guint32 n = sl_sample_source_get_n_classes (source);
  if (output->shape.rank == 2 && output->shape.dim[1] == n && output->dtype == SL_FLOAT32)
    return TRUE;
  g_autofree char *shape = sl_shape_to_string (&output->shape);
  g_set_error (error, SL_ERROR, SL_ERROR_SHAPE,
               "the network says %s of %s to a batch (expected a float32 score for each of the "
               "data's %u classes)",
               sl_dtype_get_name (output->dtype), shape, n);
  return FALSE;
}

/* The output that says each of the source's classes: of the same name where the network's are
 * known, so that no order of folders is taken for another. */
static gboolean
match_classes (const SlModelRules *rules, SlSampleSource *source, guint32 *ret_columns,
               GError **error)
{
  const guint32 n = sl_sample_source_get_n_classes (source);
  const char *const *names = sl_sample_source_get_class_names (source);
  g_autofree gboolean *taken = g_new0 (gboolean, n);
  for (guint32 k = 0; k < n; k++) {
    guint32 column = rules->labels ? 0 : k;
    while (rules->labels && column < MIN (n, rules->n_labels) &&
           (taken[column] || strcmp (rules->labels[column], names[k]) != 0))
      column++;
    if (column >= n || (rules->labels && column >= rules->n_labels)) {
      g_set_error (error, SL_ERROR, SL_ERROR_SHAPE,
                   "the data's class %u, '%s', is none of the network's, whose first is '%s' "
                   "(expected the same names; -l FILE says others)",
                   k, names[k], rules->n_labels ? rules->labels[0] : "");
      return FALSE;
    }
    taken[column] = TRUE;
    ret_columns[k] = column;
  }
  return TRUE;
}

static gboolean
run_batches (ToolScores *scores, SlRun *run, SlLoader *loader, const guint32 *columns,
             gboolean are_logits, const char *what, GError **error)
{
  SlTensorView input, output;
  ToolProgress progress;
  const guint32 n = sl_loader_get_n_batches (loader);
  sl_run_get_input (run, 0, &input);
  sl_run_get_output (run, 0, &output);
  tool_progress_start (&progress, what);
  gboolean good = TRUE;
  for (guint32 i = 0; i < n && good; i++) {
    SlBatch batch;
    good = sl_loader_next (loader, &input, NULL, &batch, error) &&
           (batch.n == 0 || sl_run_execute (run, error));
    if (good)
      take_outputs (scores, &output, columns, &batch, are_logits);
    tool_progress_draw (&progress, (double)(i + 1) / n, what);
  }
  tool_progress_end (&progress);
  return good;
}

ToolScores *
tool_scores_new (SlModel *model, const SlModelRules *rules, const SlDevice *device,
                 SlSampleSource *source, guint batch, const char *what, GError **error)
{
  const guint32 n = sl_sample_source_get_n_samples (source);
  const SlProgramOptions options = {
      .device = device, .batch = MIN (batch, n), .float_ports = TRUE, .frozen = TRUE};
  const SlLoaderOptions loading = {
      .rules = &rules->preprocess, .batch = MIN (batch, n), .workers = READ_WORKERS};
  g_autoptr (ToolScores) scores = g_new0 (ToolScores, 1);
  g_autoptr (SlProgram) program = sl_program_new (model, &options, error);
  if (!program || !check_output (program, source, error))
    return NULL;
  g_autoptr (SlRun) run = sl_run_new (program, error);
  g_autoptr (SlLoader) loader = run ? sl_loader_new (source, &loading, error) : NULL;
  if (!loader)
    return NULL;
  scores->n_classes = sl_sample_source_get_n_classes (source);
  g_autofree guint32 *columns = g_new (guint32, scores->n_classes);
  if (!match_classes (rules, source, columns, error))
    return NULL;
  scores->logits = g_new (float, (gsize)n * scores->n_classes);
  scores->labels = g_new (guint32, n);
  scores->indices = g_new (guint32, n);
  if (!run_batches (scores, run, loader, columns, rules->apply_softmax, what, error))
    return NULL;
  scores->failures = sl_loader_list_failures (loader);
  if (scores->n == 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "none of %u samples can be read, the first: %s", n,
                 scores->failures[0]);
    return NULL;
  }
  return g_steal_pointer (&scores);
}
