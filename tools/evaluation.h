/* What a network says to labelled samples: its scores, and how they are told. */
#pragma once

#include <sightline/sightline.h>

#include <stdio.h>

/* The network's logits for all samples of a source, in its order. */
typedef struct ToolScores {
  guint32 n_classes;
  guint64 n;
  float *logits;    /* [n][n_classes], in the order of the source's classes */
  guint32 *labels;  /* [n] */
  guint32 *indices; /* [n] which sample of the source: those that cannot be read are left out */
  GStrv failures;   /* of reading */
} ToolScores;

/* Runs the network, batch by batch. Draws a bar with `what` meanwhile. Where the network's labels
 * are known they have to be the source's class names, in any order: SL_ERROR_SHAPE. */
ToolScores *tool_scores_new (SlModel *model, const SlModelRules *rules, const SlDevice *device,
                             SlSampleSource *source, guint batch, const char *what, GError **error);
void tool_scores_free (ToolScores *scores);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolScores, tool_scores_free)

/* A network's figures on a part of the data. */
typedef struct ToolEvaluation {
  const char *model, *hash, *part;
  const SlMetrics *metrics;
  const char *const *labels; /* or NULL */
  double temperature;        /* 1: none fitted */
  guint64 n_fitted;          /* samples that it was fitted on */
  const SlMetrics *before;   /* with temperature 1; NULL where that is what `metrics` has */
} ToolEvaluation;

/* Appends a report for people, or one JSON object. */
void tool_evaluation_format_text (const ToolEvaluation *evaluation, GString *text);
void tool_evaluation_format_json (const ToolEvaluation *evaluation, GString *text);

/* Writes a grid of samples, right ones and wrong ones (the surest first), with what they are and
 * were taken for, as SVG or PNG. */
gboolean tool_evaluation_write_samples (const char *path, SlSampleSource *source,
                                        const ToolScores *scores, const char *const *labels,
                                        double temperature, GError **error);
