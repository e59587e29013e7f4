/* An evaluation as text and as JSON. */
#include "evaluation.h"
#include "json.h"
#include "text.h"

#include <math.h>
#include <string.h>

#define LABEL_WIDTH 20
/* Wider tables do not fit a terminal: the picture and JSON have them. */
#define MAX_TABLE_CLASSES 12

static void
append_cell (GString *text, const char *cell, glong width)
{
  g_autofree char *shown = tool_shorten (cell, width);
  g_string_append_printf (text, "%s%*s ", shown, (int)(width - g_utf8_strlen (shown, -1)), "");
}

static char *
get_label (const ToolEvaluation *evaluation, guint32 class)
{
  return evaluation->labels ? g_strdup (evaluation->labels[class]) : g_strdup_printf ("%u", class);
}

static void
append_figure (GString *text, double value)
{
  if (isnan (value))
    g_string_append_printf (text, "%10s", "-");
  else
    g_string_append_printf (text, "%10.4f", value);
}

/* Which other class samples of this one are taken for most often; -1: none. */
static gint64
find_rival (const SlMetrics *metrics, guint32 class)
{
  const uint64_t *row = metrics->confusion + (gsize) class * metrics->n_classes;
  gint64 rival = -1;
  for (guint32 i = 0; i < metrics->n_classes; i++)
    if (i != class && row[i] > 0 && (rival < 0 || row[i] > row[rival]))
      rival = i;
  return rival;
}

static void
append_classes (const ToolEvaluation *evaluation, GString *text)
{
  const SlMetrics *metrics = evaluation->metrics;
  append_cell (text, "class", LABEL_WIDTH);
  g_string_append (text, "   samples precision    recall        F1  most often taken for\n");
  for (guint32 i = 0; i < metrics->n_classes; i++) {
    const SlClassMetrics *class = &metrics->classes[i];
    g_autofree char *label = get_label (evaluation, i);
    const gint64 rival = find_rival (metrics, i);
    append_cell (text, label, LABEL_WIDTH);
    g_string_append_printf (text, "%10" G_GUINT64_FORMAT, class->support);
    append_figure (text, class->precision);
    append_figure (text, class->recall);
    append_figure (text, class->f1);
    if (rival >= 0) {
      g_autofree char *other = get_label (evaluation, (guint32)rival);
      const guint64 count = metrics->confusion[(gsize)i * metrics->n_classes + (gsize)rival];
      g_string_append_printf (text, "  %s (%.1f %%)", other,
                              100.0 * (double)count / (double)class->support);
    }
    g_string_append_c (text, '\n');
  }
}

static void
append_confusion (const ToolEvaluation *evaluation, GString *text)
{
  const SlMetrics *metrics = evaluation->metrics;
  const guint32 n = metrics->n_classes;
  g_string_append (text, "\n");
  append_cell (text, "true \\ predicted", LABEL_WIDTH);
  for (guint32 i = 0; i < n; i++) {
    g_autofree char *label = get_label (evaluation, i);
    g_autofree char *shown = tool_shorten (label, 7);
    g_string_append_printf (text, "%*s%s", (int)(8 - g_utf8_strlen (shown, -1)), "", shown);
  }
  g_string_append_c (text, '\n');
  for (guint32 i = 0; i < n; i++) {
    g_autofree char *label = get_label (evaluation, i);
    append_cell (text, label, LABEL_WIDTH);
    for (guint32 j = 0; j < n; j++)
      g_string_append_printf (text, "%8" G_GUINT64_FORMAT, metrics->confusion[(gsize)i * n + j]);
    g_string_append_c (text, '\n');
  }
}

void
tool_evaluation_format_text (const ToolEvaluation *evaluation, GString *text)
{
  const SlMetrics *metrics = evaluation->metrics;
  g_autofree char *n = tool_group_digits (metrics->n_samples);
  g_string_append_printf (text, "%s on %s samples, part %s\n", evaluation->model, n,
                          evaluation->part);
  g_string_append_printf (text, "top-1 %.2f %%", 100 * metrics->top1);
  if (metrics->n_classes > 5) /* of fewer, five are all */
    g_string_append_printf (text, "  top-5 %.2f %%", 100 * metrics->top5);
  g_string_append_printf (text, "  loss %.4f  macro F1 %.4f\n", metrics->loss, metrics->macro_f1);
  g_string_append_printf (text, "calibration error %.4f in %d bins", metrics->calibration_error,
                          SL_CALIBRATION_BINS);
  if (evaluation->before) {
    g_autofree char *fitted = tool_group_digits (evaluation->n_fitted);
    g_string_append_printf (
        text,
        ", with temperature %.4f fitted on %s validation samples (without: loss "
        "%.4f, calibration error %.4f)",
        evaluation->temperature, fitted, evaluation->before->loss,
        evaluation->before->calibration_error);
  }
  g_string_append (text, "\n\n");
  append_classes (evaluation, text);
  if (metrics->n_classes <= MAX_TABLE_CLASSES)
    append_confusion (evaluation, text);
}

static void
add_class (const ToolEvaluation *evaluation, guint32 i, JsonBuilder *builder)
{
  const SlClassMetrics *class = &evaluation->metrics->classes[i];
  g_autofree char *label = get_label (evaluation, i);
  json_builder_begin_object (builder);
  tool_json_int (builder, "index", i);
  tool_json_string (builder, "label", label);
  tool_json_int (builder, "samples", (gint64) class->support);
  tool_json_int (builder, "predicted", (gint64) class->predicted);
  tool_json_int (builder, "right", (gint64) class->right);
  tool_json_double (builder, "precision", class->precision);
  tool_json_double (builder, "recall", class->recall);
  tool_json_double (builder, "f1", class->f1);
  json_builder_end_object (builder);
}

static void
add_calibration (const ToolEvaluation *evaluation, JsonBuilder *builder)
{
  const SlMetrics *metrics = evaluation->metrics;
  json_builder_set_member_name (builder, "calibration");
  json_builder_begin_object (builder);
  tool_json_double (builder, "error", metrics->calibration_error);
  tool_json_double (builder, "temperature", evaluation->temperature);
  if (evaluation->before) {
    tool_json_int (builder, "fitted_on", (gint64)evaluation->n_fitted);
    tool_json_double (builder, "error_before", evaluation->before->calibration_error);
    tool_json_double (builder, "loss_before", evaluation->before->loss);
  }
  json_builder_set_member_name (builder, "bins");
  json_builder_begin_array (builder);
  for (guint i = 0; i < SL_CALIBRATION_BINS; i++) {
    json_builder_begin_object (builder);
    tool_json_int (builder, "samples", (gint64)metrics->bins[i].count);
    tool_json_double (builder, "confidence", metrics->bins[i].confidence);
    tool_json_double (builder, "accuracy", metrics->bins[i].accuracy);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

void
tool_evaluation_format_json (const ToolEvaluation *evaluation, GString *text)
{
  const SlMetrics *metrics = evaluation->metrics;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  tool_json_string (builder, "file", evaluation->model);
  tool_json_string (builder, "model", evaluation->hash);
  tool_json_string (builder, "part", evaluation->part);
  tool_json_int (builder, "samples", (gint64)metrics->n_samples);
  tool_json_double (builder, "loss", metrics->loss);
  tool_json_double (builder, "top1", metrics->top1);
  tool_json_double (builder, "top5", metrics->top5);
  tool_json_double (builder, "macro_f1", metrics->macro_f1);
  add_calibration (evaluation, builder);
  json_builder_set_member_name (builder, "classes");
  json_builder_begin_array (builder);
  for (guint32 i = 0; i < metrics->n_classes; i++)
    add_class (evaluation, i, builder);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "confusion");
  json_builder_begin_array (builder);
  for (guint32 i = 0; i < metrics->n_classes; i++) {
    json_builder_begin_array (builder);
    for (guint32 j = 0; j < metrics->n_classes; j++)
      json_builder_add_int_value (builder,
                                  (gint64)metrics->confusion[(gsize)i * metrics->n_classes + j]);
    json_builder_end_array (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *json = json_to_string (root, FALSE);
  g_string_append (text, json);
  g_string_append_c (text, '\n');
}
