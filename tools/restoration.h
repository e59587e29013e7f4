/* How well a network restores its input: what autoencoders are judged by. */
#pragma once

#include <sightline/sightline.h>

/* Errors of what the network says against its input, in the units of the input: means over all
 * elements of all samples. */
typedef struct ToolRestoration {
  const char *model, *hash, *part;
  guint64 n; /* samples that could be read */
  double mse, mae;
  double mask;       /* part of the input's elements that were set to 0 for the figure below */
  double masked_mse; /* against the whole input; NaN with mask 0 */
  GStrv failures;    /* of reading */
} ToolRestoration;

typedef struct ToolRestorationOptions {
  SlModel *model;
  const SlModelRules *rules;
  const SlDevice *device;
  guint batch;
  double mask; /* 0: none; which elements, follows from `seed` and the sample */
  guint64 seed;
} ToolRestorationOptions;

/* Runs the network over a source. SL_ERROR_SHAPE where its output has not as many elements as its
 * input. Free with tool_restoration_free(). */
ToolRestoration *tool_restoration_new (const ToolRestorationOptions *options,
                                       SlSampleSource *source, const char *part, GError **error);
void tool_restoration_free (ToolRestoration *restoration);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolRestoration, tool_restoration_free)

/* Appends a report for people, or one JSON object. */
void tool_restoration_format_text (const ToolRestoration *restoration, GString *text);
void tool_restoration_format_json (const ToolRestoration *restoration, GString *text);

/* Writes a grid of samples evenly from all: the picture, what the network was given where that is
 * masked, and what it made of it; as SVG or PNG. */
gboolean tool_restoration_write_samples (const char *path, const ToolRestorationOptions *options,
                                         SlSampleSource *source, GError **error);
