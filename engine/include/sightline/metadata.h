/* What a network needs to know besides its weights: labels and preprocessing, gathered from
 * everywhere they can be said. The key table stands in engine/onnx/README.md. */
#pragma once

#include <sightline/image.h>
#include <sightline/model.h>

G_BEGIN_DECLS

/* Everything known about using one network on pictures. */
typedef struct SlModelRules {
  SlPreprocess preprocess; /* width, height, channels come from the network's input */
  char **labels;           /* NULL-ended; NULL if nobody said */
  uint32_t n_labels;
  gboolean apply_softmax; /* the outputs are logits: scores want a softmax */
  char *assumed;          /* one sentence: what nobody said and was assumed; NULL if all was said */
  char *source;           /* where the rules came from: "metadata", "FILE.ini", "defaults", … */
} SlModelRules;

/* Resolves the rules of `model` for a picture network (one input of rank 4, 1 or 3 channels; else
 * SL_ERROR_UNSUPPORTED). Strongest first: keys of `override_path` (a GKeyFile such as --preprocess
 * names, or NULL), the side file MODEL.onnx.ini if there is one, the model's metadata, defaults.
 * `label_path` (or NULL) replaces the labels. Wrong values are errors that name file and key. */
SL_API SlModelRules *sl_model_rules_new (SlModel *model, const char *override_path,
                                         const char *label_path, GError **error);
/* Sets one rule by its key (without "sightline."), `value` written as in a side file: what
 * properties do, which beat every other source. Drops `assumed` once nothing of it is left. Errors
 * name key and value. */
SL_API gboolean sl_model_rules_set (SlModelRules *rules, const char *key, const char *value,
                                    GError **error);
SL_API void sl_model_rules_free (SlModelRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlModelRules, sl_model_rules_free)

/* Reads a label file: one label a line, UTF-8 (BOM and CRLF are fine); ImageNet's "n01440764 tench,
 * Tinca tinca" form gives "tench". Control characters, lines over 4 KiB and more than 1,000,000
 * lines are errors. */
SL_API char **sl_labels_read (const char *path, uint32_t *ret_n, GError **error);

/* One class and its score. */
typedef struct SlClassScore {
  uint32_t index;
  float score;
} SlClassScore;

/* The `k` best of n scores, best first (ties: the smaller index), those below `threshold` left out.
 * Returns how many were written. `softmax`: scores are made probabilities first. */
SL_API uint32_t sl_top_k (const float *scores, uint32_t n, uint32_t k, float threshold,
                          gboolean softmax, SlClassScore *ret);

/* A tensor in ONNX's TensorProto form (input_0.pb of a backend test). */
SL_API SlTensor *sl_tensor_load_pb (const char *path, GError **error);

G_END_DECLS
