#include "onnx/keys.h"

#include "core/file.h"
#include "core/text.h"

#include <string.h>

#define GROUP "sightline"
#define METADATA_PREFIX "sightline."
#define SIDE_FILE_SUFFIX ".ini"
#define MAX_FILE_BYTES (64 << 20)

/* One place that may say how to use the network. */
typedef struct {
  char *name;     /* "FILE" or "metadata" */
  char *folder;   /* of the file */
  GKeyFile *file; /* NULL: the model's metadata */
  SlModel *model;
} Source;

static void
source_clear (void *data)
{
  Source *source = data;
  g_free (source->name);
  g_free (source->folder);
  g_clear_pointer (&source->file, g_key_file_unref);
}

/* ONNX's own keys for image inputs, which Windows' tools write. */
static const char *
image_metadata (SlModel *model, const char *key)
{
  static const struct {
    const char *key, *name, *value, *rule;
  } table[] = {
      {"color", "Image.BitmapPixelFormat", "Gray8", "gray"},
      {"color", "Image.BitmapPixelFormat", "Rgb8", "rgb"},
      {"color", "Image.BitmapPixelFormat", "Bgr8", "bgr"},
      {"range", "Image.NominalPixelRange", "NominalRange_0_255", "0..255"},
      {"range", "Image.NominalPixelRange", "Normalized_0_1", "0..1"},
      {"range", "Image.NominalPixelRange", "Normalized_1_1", "-1..1"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    if (strcmp (table[i].key, key) == 0 &&
        g_strcmp0 (sl_model_get_metadata (model, table[i].name), table[i].value) == 0)
      return table[i].rule;
  return NULL;
}

/* What `source` says about a key, or NULL; free with g_free(). */
static char *
source_get (const Source *source, const char *key, GError **error)
{
  if (source->file != NULL)
    return g_key_file_has_key (source->file, GROUP, key, NULL)
               ? g_key_file_get_string (source->file, GROUP, key, error)
               : NULL;
  g_autofree char *name = g_strconcat (METADATA_PREFIX, key, NULL);
  const char *value = sl_model_get_metadata (source->model, name);
  return g_strdup (value != NULL ? value : image_metadata (source->model, key));
}

static gboolean
check_keys (const Source *source, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (source->file, GROUP, NULL, NULL);
  if (names == NULL) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "%s: has no group [%s]", source->name, GROUP);
    return FALSE;
  }
  for (char **name = names; *name != NULL; name++) {
    if (sl_rule_find (*name) >= 0)
      continue;
    g_autoptr (GString) known = g_string_new (NULL);
    for (guint i = 0; sl_rule_keys[i].name != NULL; i++)
      g_string_append_printf (known, "%s%s", i > 0 ? ", " : "", sl_rule_keys[i].name);
    g_autofree char *found = g_strescape (*name, NULL);
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "%s: key %.80s is not known (expected %s)",
                 source->name, found, known->str);
    return FALSE;
  }
  return TRUE;
}

static gboolean
add_file (GArray *sources, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = sl_file_read (path, MAX_FILE_BYTES, error);
  g_autoptr (GError) cause = NULL;
  if (bytes == NULL)
    return FALSE;
  Source source = {.name = g_strdup (path), .folder = g_path_get_dirname (path)};
  source.file = g_key_file_new ();
  g_array_append_val (sources, source);
  if (g_bytes_get_size (bytes) > 0 &&
      !g_key_file_load_from_bytes (source.file, bytes, G_KEY_FILE_NONE, &cause)) {
    g_autofree char *text = sl_text_on_one_line (cause->message);
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "%s: %s", path, text);
    return FALSE;
  }
  return check_keys (&source, error);
}

/* Strongest first. */
static gboolean
gather_sources (SlModel *model, const char *override_path, GArray *sources, GError **error)
{
  if (override_path != NULL && !add_file (sources, override_path, error))
    return FALSE;
  const char *path = sl_model_get_path (model);
  g_autofree char *side = path != NULL ? g_strconcat (path, SIDE_FILE_SUFFIX, NULL) : NULL;
  if (side != NULL && g_file_test (side, G_FILE_TEST_EXISTS) && !add_file (sources, side, error))
    return FALSE;
  Source metadata = {.name = g_strdup ("metadata"), .model = model};
  g_array_append_val (sources, metadata);
  return TRUE;
}

/* The strongest of the first `n` sources that says something about a key sets it; *ret_source is
 * its index, or `n` where none does. */
static gboolean
apply_key (SlRules *rules, int key, const GArray *sources, guint n, guint *ret_source,
           GError **error)
{
  guint i = 0;
  for (; i < n; i++) {
    const Source *source = &g_array_index (sources, Source, i);
    g_autoptr (GError) cause = NULL;
    g_autofree char *value = source_get (source, sl_rule_keys[key].name, &cause);
    /* GLib returns something beside the error of a wrong escape. */
    if (cause == NULL && value != NULL && sl_rule_set (rules, key, value, source->folder, &cause))
      break;
    if (cause == NULL)
      continue;
    g_autofree char *text = sl_text_on_one_line (cause->message);
    const char *file = source->model != NULL ? sl_model_get_name (source->model) : NULL;
    g_set_error (error, SL_ERROR, cause->domain == SL_ERROR ? cause->code : SL_ERROR_MALFORMED,
                 "%s%s%s: %s", file != NULL ? file : "", file != NULL ? ": " : "", source->name,
                 text);
    return FALSE;
  }
  *ret_source = i;
  return TRUE;
}

/* Labels count only where neither `label_path` nor the same or a stronger source names a file of
 * them. */
static gboolean
apply_sources (SlRules *rules, const GArray *sources, const char *label_path, GError **error)
{
  g_autofree gboolean *used = g_new0 (gboolean, sources->len + 1);
  guint n_labelling = label_path != NULL ? 0 : sources->len;
  for (guint i = 0; sl_rule_keys[i].name != NULL; i++) {
    const bool is_file = sl_rule_keys[i].set == sl_rule_set_label_file,
               is_list = sl_rule_keys[i].set == sl_rule_set_labels;
    const guint n = is_file || is_list ? n_labelling : sources->len;
    guint at;
    if (!apply_key (rules, (int)i, sources, n, &at, error))
      return FALSE;
    used[at] |= at < n;
    if (is_file)
      n_labelling = at;
  }
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < sources->len; i++)
    if (used[i])
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "",
                              g_array_index (sources, Source, i).name);
  rules->public.source = g_strdup (text->len > 0 ? text->str : "defaults");
  return TRUE;
}

/* Does the network itself end in scores that add up, or stand for themselves? */
static bool
gives_probabilities (SlModel *model)
{
  const char *op = sl_model_get_output_op (model, 0);
  return g_strcmp0 (op, "Softmax") == 0 || g_strcmp0 (op, "Sigmoid") == 0 ||
         g_strcmp0 (op, "HardSigmoid") == 0;
}

static uint64_t
count_classes (const SlPort *output)
{
  uint64_t n = 1;
  for (uint32_t i = 1; i < output->shape.rank; i++)
    if (output->shape.dim[i] < 0 || __builtin_mul_overflow (n, (uint64_t)output->shape.dim[i], &n))
      return 0;
  return output->shape.rank > 1 ? n : 0;
}

/* Floats that a program takes as float32 (SlProgramOptions.float_ports). */
static bool
is_float (SlDType dtype)
{
  return dtype == SL_FLOAT32 || dtype == SL_FLOAT16 || dtype == SL_BFLOAT16;
}

/* The picture that the network takes: float32 or less, N x 1 or 3 x H x W. NULL with the error set.
 */
static const SlPort *
find_picture (SlModel *model, GError **error)
{
  const uint32_t n = sl_model_get_n_inputs (model);
  const SlPort *input = n > 0 ? sl_model_get_input (model, 0) : NULL;
  const SlShape *shape = input != NULL ? &input->shape : NULL;
  if (n == 1 && is_float (input->dtype) && shape->rank == 4 && shape->dim[2] != 0 &&
      shape->dim[3] != 0 && (shape->dim[1] == 1 || shape->dim[1] == SL_RULE_MAX_CHANNELS) &&
      MAX (shape->dim[2], shape->dim[3]) <= SL_IMAGE_MAX_SIZE)
    return input;
  g_autofree char *text = input != NULL ? sl_shape_to_string (shape) : g_strdup ("");
  g_set_error (
      error, SL_ERROR, SL_ERROR_UNSUPPORTED,
      "takes %u inputs, %s %s (expected one picture, float32 Nx3xHxW or Nx1xHxW, at most %d "
      "a side)",
      n, sl_dtype_get_name (input != NULL ? input->dtype : SL_DTYPE_NONE), text, SL_IMAGE_MAX_SIZE);
  return NULL;
}

/* Defaults that follow from the network alone. */
static gboolean
rules_init (SlRules *rules, SlModel *model, GError **error)
{
  const SlPort *input = find_picture (model, error);
  if (input == NULL)
    return FALSE;
  const int64_t *dim = input->shape.dim;
  rules->free_size = dim[2] < 0 || dim[3] < 0;
  sl_preprocess_init (&rules->public.preprocess, rules->free_size ? 1 : (uint32_t)dim[3],
                      rules->free_size ? 1 : (uint32_t)dim[2], (uint32_t)dim[1]);
  if (rules->free_size)
    rules->public.preprocess.width = rules->public.preprocess.height = 0;
  if (sl_model_get_n_outputs (model) > 0)
    rules->n_classes = count_classes (sl_model_get_output (model, 0));
  rules->public.apply_softmax = !gives_probabilities (model);
  for (guint i = 0; sl_rule_keys[i].name != NULL; i++)
    rules->unsaid |= sl_rule_keys[i].assumed != NULL ? 1u << i : 0;
  if (dim[1] == 1)
    sl_rule_note_said (rules, "color");
  if (!rules->public.apply_softmax)
    sl_rule_note_said (rules, "output");
  return TRUE;
}

static gboolean
check_rules (const SlRules *rules, GError **error)
{
  if (rules->public.preprocess.width == 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "leaves the size of its pictures open (expected the key size)");
    return FALSE;
  }
  return sl_preprocess_check (&rules->public.preprocess, error);
}

SlModelRules *
sl_model_rules_new (SlModel *model, const char *override_path, const char *label_path,
                    GError **error)
{
  g_return_val_if_fail (model != NULL, NULL);

  SlRules *rules = g_new0 (SlRules, 1);
  g_autoptr (SlModelRules) owned = &rules->public;
  g_autoptr (GArray) sources = g_array_new (FALSE, FALSE, sizeof (Source));
  g_array_set_clear_func (sources, source_clear);

  if (!rules_init (rules, model, error)) {
    g_prefix_error (error, "%s: ", sl_model_get_name (model));
    return NULL;
  }
  if (!gather_sources (model, override_path, sources, error) ||
      !apply_sources (rules, sources, label_path, error))
    return NULL;
  if (label_path != NULL && !sl_rule_set_label_file (rules, label_path, NULL, error))
    return NULL;
  if (!check_rules (rules, error)) {
    g_prefix_error (error, "%s: ", sl_model_get_name (model));
    return NULL;
  }
  sl_rules_update_assumed (rules);
  return g_steal_pointer (&owned);
}

gboolean
sl_model_rules_set (SlModelRules *public, const char *key, const char *value, GError **error)
{
  g_return_val_if_fail (public != NULL && key != NULL && value != NULL, FALSE);

  SlRules *rules = (SlRules *)public;
  const int index = sl_rule_find (key);
  if (index < 0) {
    g_autofree char *found = g_strescape (key, NULL);
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "%.80s is no key of a network's rules",
                 found);
    return FALSE;
  }
  if (!sl_rule_set (rules, index, value, NULL, error))
    return FALSE;
  sl_rules_update_assumed (rules);
  return TRUE;
}

void
sl_model_rules_free (SlModelRules *rules)
{
  if (rules == NULL)
    return;
  g_strfreev (rules->labels);
  g_free (rules->assumed);
  g_free (rules->source);
  g_free (rules);
}
