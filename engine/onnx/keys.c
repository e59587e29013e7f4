#include "onnx/keys.h"

#include "onnx/labels.h"

#include <math.h>
#include <string.h>

#define SCHEMA_VERSION "1"
#define SCALE_SIGNED (1 / 127.5f) /* 0 … 255 to 0 … 2 */

static bool
parse_number (const char *text, double *ret)
{
  char *end;
  *ret = g_ascii_strtod (text, &end);
  while (g_ascii_isspace (*end))
    end++;
  return end != text && *end == '\0' && isfinite (*ret);
}

/* "a" or one number for each channel. */
static bool
parse_numbers (const SlRules *rules, const char *value, float ret[static SL_RULE_MAX_CHANNELS])
{
  g_auto (GStrv) parts = g_strsplit (value, ",", SL_RULE_MAX_CHANNELS + 1);
  const guint n = g_strv_length (parts);
  if (n != 1 && n != rules->public.preprocess.channels)
    return false;
  float numbers[SL_RULE_MAX_CHANNELS];
  for (guint i = 0; i < SL_RULE_MAX_CHANNELS; i++) {
    double number;
    if (!parse_number (parts[MIN (i, n - 1)], &number))
      return false;
    numbers[i] = (float)number;
    if (!isfinite (numbers[i])) /* a number, but not one of ours */
      return false;
  }
  memcpy (ret, numbers, sizeof numbers);
  return true;
}

static bool
parse_uint (const char *value, guint64 max, uint32_t *ret)
{
  guint64 number;
  if (!g_ascii_string_to_unsigned (value, 10, 1, max, &number, NULL))
    return false;
  *ret = (uint32_t)number;
  return true;
}

static bool
parse_choice (const char *value, const char *const *choices, uint32_t *ret)
{
  for (uint32_t i = 0; choices[i] != NULL; i++) {
    if (strcmp (choices[i], value) == 0) {
      *ret = i;
      return true;
    }
  }
  return false;
}

static gboolean
set_version (SlRules *rules, const char *value, const char *folder, GError **error)
{
  return strcmp (value, SCHEMA_VERSION) == 0;
}

static gboolean
set_size (SlRules *rules, const char *value, const char *folder, GError **error)
{
  SlPreprocess *to = &rules->public.preprocess;
  uint32_t width, height;
  g_auto (GStrv) parts = g_strsplit (value, "x", 2);
  if (parts[0] == NULL || !parse_uint (parts[0], SL_IMAGE_MAX_SIZE, &width))
    return FALSE;
  height = width;
  if (parts[1] != NULL && !parse_uint (parts[1], SL_IMAGE_MAX_SIZE, &height))
    return FALSE;
  if (!rules->free_size && (width != to->width || height != to->height))
    return FALSE;
  to->width = width;
  to->height = height;
  return TRUE;
}

static gboolean
set_color (SlRules *rules, const char *value, const char *folder, GError **error)
{
  static const char *const choices[] = {"rgb", "bgr", "gray", NULL};
  static const SlColorOrder orders[] = {SL_ORDER_RGB, SL_ORDER_BGR, SL_ORDER_RGB};
  uint32_t choice;
  if (!parse_choice (value, choices, &choice))
    return FALSE;
  const bool is_gray = choice == 2;
  rules->public.preprocess.order = orders[choice];
  return is_gray == (rules->public.preprocess.channels == 1);
}

/* 0 … 255 becomes the range by one factor and one difference; the latter goes with the mean. */
static void
update_mean (SlRules *rules)
{
  SlPreprocess *to = &rules->public.preprocess;
  const float offset = to->scale == SCALE_SIGNED ? 1 : 0;
  for (int i = 0; i < SL_RULE_MAX_CHANNELS; i++)
    to->mean[i] = rules->mean[i] + offset;
}

static gboolean
set_range (SlRules *rules, const char *value, const char *folder, GError **error)
{
  static const char *const choices[] = {"0..1", "0..255", "-1..1", NULL};
  static const float scales[] = {1 / 255.f, 1, SCALE_SIGNED};
  uint32_t choice;
  if (!parse_choice (value, choices, &choice))
    return FALSE;
  rules->public.preprocess.scale = scales[choice];
  update_mean (rules);
  return TRUE;
}

static gboolean
set_mean (SlRules *rules, const char *value, const char *folder, GError **error)
{
  if (!parse_numbers (rules, value, rules->mean))
    return FALSE;
  update_mean (rules);
  return TRUE;
}

static gboolean
set_std (SlRules *rules, const char *value, const char *folder, GError **error)
{
  float std[SL_RULE_MAX_CHANNELS];
  if (!parse_numbers (rules, value, std))
    return FALSE;
  for (int i = 0; i < SL_RULE_MAX_CHANNELS; i++)
    if (!(std[i] > 0))
      return FALSE;
  memcpy (rules->public.preprocess.std, std, sizeof std);
  return TRUE;
}

static gboolean
set_resize (SlRules *rules, const char *value, const char *folder, GError **error)
{
  static const char *const choices[] = {"stretch", "crop", "letterbox", NULL};
  static const SlResizeRule resizes[] = {SL_RESIZE_STRETCH, SL_RESIZE_CROP, SL_RESIZE_LETTERBOX};
  uint32_t choice;
  if (!parse_choice (value, choices, &choice))
    return FALSE;
  rules->public.preprocess.resize = resizes[choice];
  return TRUE;
}

static gboolean
set_resize_size (SlRules *rules, const char *value, const char *folder, GError **error)
{
  return parse_uint (value, SL_IMAGE_MAX_SIZE, &rules->public.preprocess.resize_size);
}

static gboolean
set_pad (SlRules *rules, const char *value, const char *folder, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (value, ",", SL_RULE_MAX_CHANNELS + 1);
  if (g_strv_length (parts) != SL_RULE_MAX_CHANNELS)
    return FALSE;
  for (int i = 0; i < SL_RULE_MAX_CHANNELS; i++) {
    guint64 number;
    if (!g_ascii_string_to_unsigned (g_strstrip (parts[i]), 10, 0, 255, &number, NULL))
      return FALSE;
    rules->public.preprocess.pad[i] = (uint8_t)number;
  }
  return TRUE;
}

/* Frames are always resized with antialiasing: a network that was trained without is told so. */
static gboolean
set_antialias (SlRules *rules, const char *value, const char *folder, GError **error)
{
  return strcmp (value, "true") == 0;
}

static gboolean
set_output (SlRules *rules, const char *value, const char *folder, GError **error)
{
  static const char *const choices[] = {"probabilities", "logits", NULL};
  uint32_t choice;
  if (!parse_choice (value, choices, &choice))
    return FALSE;
  rules->public.apply_softmax = choice == 1;
  return TRUE;
}

/* Takes over `labels`, which may be NULL after a failure to read them. */
static gboolean
take_labels (SlRules *rules, char **labels, uint32_t n, const char *name, GError **error)
{
  if (labels != NULL && rules->n_classes != 0 && rules->n_classes != n) {
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE,
                 "%s: holds %u labels (expected %" G_GUINT64_FORMAT ", one for each class)", name,
                 n, rules->n_classes);
    g_clear_pointer (&labels, g_strfreev);
  }
  if (labels == NULL)
    return FALSE;
  g_strfreev (rules->public.labels);
  rules->public.labels = labels;
  rules->public.n_labels = n;
  return TRUE;
}

gboolean
sl_rule_set_labels (SlRules *rules, const char *value, const char *folder, GError **error)
{
  uint32_t n = 0;
  char **labels = sl_labels_parse (value, strlen (value), "labels", &n, error);
  return take_labels (rules, labels, n, "labels", error);
}

gboolean
sl_rule_set_label_file (SlRules *rules, const char *value, const char *folder, GError **error)
{
  uint32_t n = 0;
  g_autofree char *path = folder != NULL && !g_path_is_absolute (value)
                              ? g_build_filename (folder, value, NULL)
                              : g_strdup (value);
  char **labels = sl_labels_read (path, &n, error);
  return take_labels (rules, labels, n, path, error);
}

const SlRuleKey sl_rule_keys[] = {
    {"version", set_version, SCHEMA_VERSION, NULL},
    {"size", set_size, "WIDTHxHEIGHT, as the network's input where that is fixed", NULL},
    {"color", set_color, "rgb or bgr for three channels, gray for one", "color=rgb"},
    {"range", set_range, "0..1, 0..255 or -1..1", "range=0..1"},
    {"mean", set_mean, "one number, or one a channel", "mean=0"},
    {"std", set_std, "one positive number, or one a channel", "std=1"},
    {"resize", set_resize, "stretch, crop or letterbox", "resize=stretch"},
    {"resize-size", set_resize_size, "a number of pixels", NULL},
    {"pad", set_pad, "three numbers 0 to 255", NULL},
    {"antialias", set_antialias, "true", NULL},
    {"output", set_output, "probabilities or logits", "output=logits"},
    {"label-file", sl_rule_set_label_file, "a file of labels", NULL},
    {"labels", sl_rule_set_labels, "one label a line", NULL},
    {"origin", NULL, NULL, NULL},
    {"license", NULL, NULL, NULL},
    {"scores", NULL, NULL, NULL},
    {"recipe", NULL, NULL, NULL},
    {"seed", NULL, NULL, NULL},
    {"data", NULL, NULL, NULL},
    {"history", NULL, NULL, NULL},
    {"golden-input", NULL, NULL, NULL},
    {"golden-output", NULL, NULL, NULL},
    {0},
};

int
sl_rule_find (const char *name)
{
  for (guint i = 0; sl_rule_keys[i].name != NULL; i++)
    if (strcmp (sl_rule_keys[i].name, name) == 0)
      return (int)i;
  return -1;
}

void
sl_rule_note_said (SlRules *rules, const char *name)
{
  rules->unsaid &= ~(1u << sl_rule_find (name));
}

/* Who has said what the values are has said what is subtracted from them: nothing. */
void
sl_rules_update_assumed (SlRules *rules)
{
  g_autoptr (GString) text = g_string_new (NULL);
  if (!(rules->unsaid & 1u << sl_rule_find ("range"))) {
    sl_rule_note_said (rules, "mean");
    sl_rule_note_said (rules, "std");
  }
  for (guint i = 0; sl_rule_keys[i].name != NULL; i++)
    if (rules->unsaid & 1u << i)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "assumed ",
                              sl_rule_keys[i].assumed);
  g_clear_pointer (&rules->public.assumed, g_free);
  if (text->len == 0)
    return;
  g_string_append (text, ": neither the network nor a side file says");
  rules->public.assumed = g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
sl_rule_set (SlRules *rules, int key, const char *value, const char *folder, GError **error)
{
  g_autoptr (GError) cause = NULL;
  if (sl_rule_keys[key].set == NULL || sl_rule_keys[key].set (rules, value, folder, &cause)) {
    sl_rule_note_said (rules, sl_rule_keys[key].name);
    return TRUE;
  }
  if (cause != NULL) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return FALSE;
  }
  g_autofree char *found = g_strescape (value, NULL);
  g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "%s is '%.80s' (expected %s)",
               sl_rule_keys[key].name, found, sl_rule_keys[key].expected);
  return FALSE;
}
