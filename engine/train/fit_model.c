/* What comes out of a run: one ONNX file that says all of itself. */
#include "train/fit.h"

#include "onnx/keys.h"
#include "train/number.h"

#include <sightline/golden.h>

#include <math.h>
#include <string.h>

#define MAX_KEYS 32

/* Keys and values of the metadata; values are owned. */
typedef struct {
  const char *keys[MAX_KEYS];
  char *values[MAX_KEYS];
  guint n;
} Metadata;

static void
metadata_clear (Metadata *metadata)
{
  for (guint i = 0; i < metadata->n; i++)
    g_free (metadata->values[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Metadata, metadata_clear)

/* Takes `value`; NULL is left out. */
static void
add (Metadata *metadata, const char *key, char *value)
{
  g_return_if_fail (metadata->n < MAX_KEYS);
  if (!value)
    return;
  metadata->keys[metadata->n] = key;
  metadata->values[metadata->n++] = value;
}

/* --- preprocessing, back as the keys that say it --- */

const char *
sl_fit_get_range (const SlPreprocess *rules)
{
  return rules->scale == 1 ? "0..255" : rules->scale == 2 / 255.f ? "-1..1" : "0..1";
}

const char *
sl_fit_get_resize (const SlPreprocess *rules)
{
  static const char *const names[SL_RESIZE_COUNT] = {[SL_RESIZE_STRETCH] = "stretch",
                                                     [SL_RESIZE_CROP] = "crop",
                                                     [SL_RESIZE_LETTERBOX] = "letterbox"};
  return names[rules->resize];
}

double
sl_fit_get_middle (const SlPreprocess *rules)
{
  return rules->scale == 2 / 255.f ? 1 : 0;
}

char *
sl_fit_format_channels (const float *values, guint32 n, double offset)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  GString *text = g_string_new (NULL);
  for (guint32 i = 0; i < n; i++)
    g_string_append_printf (text, "%s%s", i ? "," : "",
                            sl_number_format ((float)((double)values[i] - offset), number));
  return g_string_free (text, FALSE);
}

static void
add_rules (SlFit *fit, Metadata *metadata)
{
  const SlPreprocess *rules = &fit->rules->preprocess;
  add (metadata, "sightline.color",
       g_strdup (rules->channels == 1           ? "gray"
                 : rules->order == SL_ORDER_BGR ? "bgr"
                                                : "rgb"));
  add (metadata, "sightline.range", g_strdup (sl_fit_get_range (rules)));
  add (metadata, "sightline.mean",
       sl_fit_format_channels (rules->mean, rules->channels, sl_fit_get_middle (rules)));
  add (metadata, "sightline.std", sl_fit_format_channels (rules->std, rules->channels, 0));
  add (metadata, "sightline.resize", g_strdup (sl_fit_get_resize (rules)));
  if (rules->resize == SL_RESIZE_CROP)
    add (metadata, "sightline.resize-size", g_strdup_printf ("%u", rules->resize_size));
  if (rules->resize != SL_RESIZE_STRETCH)
    add (metadata, "sightline.pad",
         g_strdup_printf ("%u,%u,%u", rules->pad[0], rules->pad[1], rules->pad[2]));
}

/* What the output is, so that nobody has to assume it. What restores its input is no score of
 * anything: it is taken as it is, as probabilities are. */
static void
add_output (SlFit *fit, Metadata *metadata)
{
  const char *op = sl_model_get_output_op (fit->options.model, 0);
  const gboolean is_squashed = g_strcmp0 (op, "Softmax") == 0 || g_strcmp0 (op, "Sigmoid") == 0;
  add (metadata, "sightline.output",
       g_strdup (is_squashed || !fit->has_classes ? "probabilities" : "logits"));
}

/* --- a golden input and output --- */

/* A sample as the network sees it: RGB bytes, or gray ones where it reads gray. */
static guint8 *
make_golden_input (SlFit *fit, GError **error)
{
  const SlPreprocess *rules = &fit->rules->preprocess;
  const gsize pixels = (gsize)rules->width * rules->height;
  const ptrdiff_t strides[3] = {(ptrdiff_t)pixels, rules->width, 1};
  SlSampleSource *source = fit->validation ? fit->validation : fit->train;
  g_autofree float *planes = g_new (float, pixels * rules->channels);
  SlSample sample;
  if (!sl_fit_load_first (source, &sample, error))
    return NULL;
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&sample.info, rules, 1, error);
  const gboolean good = sampler && sl_image_sample (sampler, &sample.image, planes, strides);
  sl_sample_source_release (source, &sample);
  if (sampler && !good)
    sl_fit_fail (error, SL_ERROR_IO, "a sample cannot be unpacked");
  if (!good)
    return NULL;
  guint8 *bytes = g_malloc (pixels * 3);
  sl_preprocess_to_rgb (rules, planes, strides, bytes);
  for (gsize i = 0; i < pixels && rules->channels == 1; i++)
    bytes[i] = bytes[3 * i];
  return bytes;
}

/* What the network says to it, computed as an application would. */
static char *
make_golden_output (SlFit *fit, const guint8 *bytes, GError **error)
{
  g_autoptr (SlTensor) output =
      sl_golden_run (sl_trainer_get_model (fit->trainer), &fit->rules->preprocess,
                     fit->options.device, bytes, error);
  if (!output)
    return NULL;
  GString *text = g_string_new (NULL);
  for (size_t i = 0; i < sl_tensor_get_elements (output); i++) {
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd (number, sizeof number, "%.9g", sl_tensor_get_double (output, i));
    g_string_append_printf (text, "%s%s", i ? "," : "", number);
  }
  return g_string_free (text, FALSE);
}

static gboolean
add_golden (SlFit *fit, Metadata *metadata, GError **error)
{
  const SlPreprocess *rules = &fit->rules->preprocess;
  g_autofree guint8 *bytes = make_golden_input (fit, error);
  char *output = bytes ? make_golden_output (fit, bytes, error) : NULL;
  if (!output)
    return FALSE;
  add (metadata, "sightline.golden-input",
       g_base64_encode (bytes, (gsize)rules->width * rules->height * rules->channels));
  add (metadata, "sightline.golden-output", output);
  return TRUE;
}

/* --- the rest --- */

static void
append_score (GString *text, const char *name, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  if (isfinite (value))
    g_string_append_printf (text, ", %s %s", name,
                            g_ascii_formatd (number, sizeof number, "%.6g", value));
}

/* "epoch 7 of 10, loss 0.12, accuracy 0.97, val-loss …" */
static char *
describe_scores (SlFit *fit, gint64 epoch)
{
  const guint n = sl_history_get_n (fit->history);
  if (epoch < 1 || epoch > n)
    return NULL;
  const SlEpoch *record = sl_history_get (fit->history, (guint)epoch - 1);
  GString *text = g_string_new (NULL);
  g_string_printf (text, "epoch %" G_GINT64_FORMAT " of %u", epoch, n);
  append_score (text, "loss", record->loss);
  append_score (text, "accuracy", record->accuracy);
  append_score (text, "val-loss", record->val_loss);
  append_score (text, "val-accuracy", record->val_accuracy);
  return g_string_free (text, FALSE);
}

gboolean
sl_fit_save_model (SlFit *fit, const char *path, GError **error)
{
  g_return_val_if_fail (fit && path, FALSE);

  g_auto (Metadata) metadata = {.n = 0};
  gint64 epoch = sl_history_get_n (fit->history);
  if (strcmp (fit->recipe->train.keep, "best") == 0 && fit->best_epoch > 0 &&
      fit->best_epoch != epoch) {
    if (!sl_fit_load_best (fit, error))
      return FALSE;
    epoch = fit->best_epoch;
  }
  add (&metadata, "sightline.version", g_strdup ("1"));
  if (fit->has_classes)
    add (&metadata, "sightline.labels",
         g_strjoinv ("\n", (char **)sl_sample_source_get_class_names (fit->train)));
  add_rules (fit, &metadata);
  add_output (fit, &metadata);
  if (!add_golden (fit, &metadata, error))
    return FALSE;
  add (&metadata, "sightline.recipe", g_strdup (fit->recipe_text));
  add (&metadata, "sightline.seed", g_strdup_printf ("%" G_GINT64_FORMAT, fit->recipe->train.seed));
  add (&metadata, "sightline.data", g_strdup (fit->data_hash));
  add (&metadata, "sightline.history", sl_history_to_text (fit->history));
  add (&metadata, "sightline.scores", describe_scores (fit, epoch));
  return sl_trainer_save_model (fit->trainer, path, metadata.keys,
                                (const char *const *)metadata.values, metadata.n, error);
}
