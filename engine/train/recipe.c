#include <sightline/recipe.h>

#include "core/file.h"
#include "core/text.h"
#include "train/recipe_keys.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define MAX_FILE_BYTES ((guint64)1 << 20)
#define MAX_FIELDS 128
/* A name with more wrong letters than this part of its length is not taken for a slip. */
#define NEAR 0.5

/* The recipe with what is needed to tell keys that somebody has set from defaults. */
typedef struct {
  SlRecipe public; /* first: callers hold its address */
  bool is_set[MAX_FIELDS];
} Recipe;

G_GNUC_PRINTF (3, 4)
static gboolean
fail (const SlRecipe *recipe, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *whole = g_strdup_printf ("%s: %s", recipe->name, text);
  g_autofree char *line = sl_text_on_one_line (whole);
  g_set_error_literal (error, SL_ERROR, SL_ERROR_MALFORMED, line);
  return FALSE;
}

SlRecipe *
sl_recipe_new (void)
{
  g_assert (sl_recipe_n_fields <= MAX_FIELDS);
  Recipe *recipe = g_new0 (Recipe, 1);
  recipe->public.name = g_strdup ("options");
  for (guint i = 0; i < sl_recipe_n_fields; i++) {
    const SlRecipeField *field = &sl_recipe_fields[i];
    /* A number whose default is a sentence waits for sl_recipe_complete(). */
    if (!sl_recipe_field_parse (field, &recipe->public, field->public.initial) &&
        field->type == SL_RECIPE_REAL)
      G_STRUCT_MEMBER (double, &recipe->public, field->offset) = NAN;
  }
  return &recipe->public;
}

void
sl_recipe_free (SlRecipe *recipe)
{
  if (!recipe)
    return;
  for (guint i = 0; i < sl_recipe_n_fields; i++)
    if (sl_recipe_fields[i].type == SL_RECIPE_TEXT)
      g_free (G_STRUCT_MEMBER (char *, recipe, sl_recipe_fields[i].offset));
  g_free (recipe->name);
  g_free (recipe->folder);
  g_free (recipe);
}

const SlRecipeKey *
sl_recipe_get_key (guint index)
{
  return index < sl_recipe_n_fields ? &sl_recipe_fields[index].public : NULL;
}

/* Levenshtein's distance: letters to change, add or leave out. */
static guint
distance (const char *a, const char *b)
{
  const gsize n = strlen (b);
  g_autofree guint *row = g_new (guint, n + 1);
  for (gsize j = 0; j <= n; j++)
    row[j] = (guint)j;
  for (gsize i = 0; a[i]; i++) {
    guint diagonal = row[0];
    row[0] = (guint)i + 1;
    for (gsize j = 0; j < n; j++) {
      guint above = row[j + 1];
      row[j + 1] = MIN (MIN (row[j], above) + 1, diagonal + (a[i] != b[j]));
      diagonal = above;
    }
  }
  return row[n];
}

/* The name that `text` is most likely meant to be; NULL if none is near. */
static const char *
find_nearest (const char *text, const char *group)
{
  const char *nearest = NULL;
  guint best = G_MAXUINT;
  for (guint i = 0; i < sl_recipe_n_fields; i++) {
    const SlRecipeKey *key = &sl_recipe_fields[i].public;
    if (group && strcmp (key->group, group) != 0)
      continue;
    const char *name = group ? key->name : key->group;
    guint d = distance (text, name);
    if (d < best) {
      best = d;
      nearest = name;
    }
  }
  return nearest && best <= NEAR * (double)MAX (strlen (text), strlen (nearest)) ? nearest : NULL;
}

static gboolean
fail_unknown (const SlRecipe *recipe, const char *group, const char *key, GError **error)
{
  const char *near_group = find_nearest (group, NULL);
  if (!near_group || strcmp (near_group, group) != 0)
    return fail (recipe, error, "[%s] is no group of a recipe (expected %s%s)", group,
                 near_group ? "its nearest name, " : "network, data, optimizer, train …",
                 near_group ? near_group : "");
  const char *near_key = find_nearest (key, group);
  if (near_key)
    return fail (recipe, error, "[%s] %s is no key (expected its nearest name, %s)", group, key,
                 near_key);
  GString *names = g_string_new (NULL);
  for (guint i = 0; i < sl_recipe_n_fields; i++)
    if (strcmp (sl_recipe_fields[i].public.group, group) == 0)
      g_string_append_printf (names, "%s%s", names->len ? ", " : "",
                              sl_recipe_fields[i].public.name);
  fail (recipe, error, "[%s] %s is no key (expected one of %s)", group, key, names->str);
  g_string_free (names, TRUE);
  return FALSE;
}

gboolean
sl_recipe_set (SlRecipe *recipe, const char *group, const char *key, const char *value,
               GError **error)
{
  g_return_val_if_fail (recipe && group && key && value, FALSE);

  for (guint i = 0; i < sl_recipe_n_fields; i++) {
    const SlRecipeField *field = &sl_recipe_fields[i];
    if (strcmp (field->public.group, group) != 0 || strcmp (field->public.name, key) != 0)
      continue;
    if (!sl_recipe_field_parse (field, recipe, value))
      return fail (recipe, error, "[%s] %s is '%s' (expected %s)", group, key, value,
                   field->public.expected);
    ((Recipe *)recipe)->is_set[i] = true;
    return TRUE;
  }
  return fail_unknown (recipe, group, key, error);
}

gboolean
sl_recipe_is_set (const SlRecipe *recipe, const char *group, const char *key)
{
  for (guint i = 0; i < sl_recipe_n_fields; i++) {
    const SlRecipeKey *public = &sl_recipe_fields[i].public;
    if (strcmp (public->group, group) == 0 && strcmp (public->name, key) == 0)
      return ((const Recipe *)recipe)->is_set[i];
  }
  g_return_val_if_reached (FALSE);
}

/* GKeyFile keeps the last of several: which one was meant, nobody knows. */
static gboolean
check_repeats (const SlRecipe *recipe, const char *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *group = g_strdup ("");
  for (char **line = lines; *line; line++) {
    char *name = g_strstrip (*line);
    if (*name == '[' && strchr (name, ']')) {
      g_free (group);
      group = g_strndup (name + 1, (gsize)(strchr (name, ']') - name - 1));
      continue;
    }
    char *equals = strchr (name, '=');
    if (*name == '#' || !equals)
      continue;
    *equals = '\0';
    g_strchomp (name);
    if (!g_hash_table_add (seen, g_strdup_printf ("%s\n%s", group, name)))
      return fail (recipe, error, "[%s] %s is there twice (expected once)", group, name);
  }
  return TRUE;
}

static gboolean
read_group (SlRecipe *recipe, GKeyFile *file, const char *group, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, group, NULL, NULL);
  if (!find_nearest (group, NULL) || strcmp (find_nearest (group, NULL), group) != 0)
    return fail_unknown (recipe, group, "", error);
  for (char **key = keys; *key; key++) {
    g_autofree char *value = g_key_file_get_string (file, group, *key, NULL);
    if (!value)
      return fail (recipe, error, "[%s] %s has an escape or a byte that is no text (expected %s)",
                   group, *key, "UTF-8, a backslash as \\\\");
    g_strchomp (value);
    if (!sl_recipe_set (recipe, group, *key, value, error))
      return FALSE;
  }
  return TRUE;
}

SlRecipe *
sl_recipe_parse (const char *text, gsize length, const char *name, GError **error)
{
  g_return_val_if_fail (text && name, NULL);

  g_autoptr (SlRecipe) recipe = sl_recipe_new ();
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) cause = NULL;
  g_autofree char *copy = g_strndup (text, length);
  g_free (recipe->name);
  recipe->name = g_strdup (name);

  if (length == 0 || strlen (copy) != length) {
    fail (recipe, error, "%s (expected a key file with groups such as [train])",
          length ? "has a byte 0" : "is empty");
    return NULL;
  }
  if (!g_key_file_load_from_data (file, copy, length, G_KEY_FILE_NONE, &cause)) {
    fail (recipe, error, "%s (expected KEY=VALUE, [GROUP] or # comment)", cause->message);
    return NULL;
  }
  if (!check_repeats (recipe, copy, error))
    return NULL;
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  for (char **group = groups; *group; group++)
    if (!read_group (recipe, file, *group, error))
      return NULL;
  return g_steal_pointer (&recipe);
}

SlRecipe *
sl_recipe_load (const char *path, GError **error)
{
  g_return_val_if_fail (path, NULL);

  g_autoptr (GBytes) bytes = sl_file_read (path, MAX_FILE_BYTES, error);
  if (!bytes)
    return NULL;
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);
  SlRecipe *recipe = sl_recipe_parse (text ? text : "", length, path, error);
  if (recipe)
    recipe->folder = g_path_get_dirname (path);
  return recipe;
}

static void
complete_optimizer (SlRecipe *recipe)
{
  const char *name = recipe->optimizer.name;
  if (isnan (recipe->optimizer.rate))
    recipe->optimizer.rate = strcmp (name, "sgd") == 0 ? 0.01 : 0.001;
  if (isnan (recipe->optimizer.weight_decay))
    recipe->optimizer.weight_decay = strcmp (name, "adamw") == 0 ? 0.004 : 0;
}

static gboolean
check_schedule (const SlRecipe *recipe, GError **error)
{
  const gboolean step = strcmp (recipe->schedule.name, "step") == 0;
  double last = 0;
  if (step && !recipe->schedule.every && !recipe->schedule.at)
    return fail (recipe, error, "[schedule] step says neither every nor at (expected one of them)");
  if (step && recipe->schedule.every && recipe->schedule.at)
    return fail (recipe, error, "[schedule] step says every and at (expected one of them)");
  g_auto (GStrv) parts =
      g_strsplit (step && recipe->schedule.at ? recipe->schedule.at : "", ",", -1);
  for (char **part = parts; *part; part++) {
    char *end;
    double epoch = g_ascii_strtod (g_strstrip (*part), &end);
    if (end == *part || *end || epoch != floor (epoch) || epoch <= last || epoch > 1e6)
      return fail (recipe, error, "[schedule] at is '%s' (expected rising numbers of epochs)",
                   recipe->schedule.at);
    last = epoch;
  }
  if (strcmp (recipe->schedule.name, "one-cycle") != 0 &&
      recipe->schedule.warm_up >= (double)recipe->train.epochs)
    return fail (recipe, error,
                 "[schedule] warm-up takes %g epochs of %" G_GINT64_FORMAT " (expected fewer)",
                 recipe->schedule.warm_up, recipe->train.epochs);
  return TRUE;
}

gboolean
sl_recipe_complete (SlRecipe *recipe, GError **error)
{
  g_return_val_if_fail (recipe, FALSE);

  for (guint i = 0; i < sl_recipe_n_fields; i++) {
    const SlRecipeField *field = &sl_recipe_fields[i];
    if (((Recipe *)recipe)->is_set[i] && !sl_recipe_field_applies (field, recipe))
      return fail (recipe, error, "[%s] %s has no effect here (expected with %s only)",
                   field->public.group, field->public.name, field->public.only_with);
  }
  if (!recipe->network.net == !recipe->network.base)
    return fail (recipe, error, "[network] names %s net %s base (expected one of them)",
                 recipe->network.net ? "both" : "neither", recipe->network.net ? "and" : "nor");
  if (recipe->split.validation + recipe->split.test >= 1)
    return fail (recipe, error,
                 "[split] validation and test take %g of the data (expected below 1)",
                 recipe->split.validation + recipe->split.test);
  if (recipe->optimizer.nesterov && recipe->optimizer.momentum == 0)
    return fail (recipe, error, "[optimizer] nesterov is true without momentum (expected one)");
  complete_optimizer (recipe);
  return check_schedule (recipe, error);
}

char *
sl_recipe_to_text (const SlRecipe *recipe)
{
  g_return_val_if_fail (recipe, NULL);

  g_autoptr (GKeyFile) file = g_key_file_new ();
  for (guint i = 0; i < sl_recipe_n_fields; i++) {
    const SlRecipeField *field = &sl_recipe_fields[i];
    g_autofree char *value = sl_recipe_field_format (field, recipe);
    if (value && sl_recipe_field_applies (field, recipe))
      g_key_file_set_string (file, field->public.group, field->public.name, value);
  }
  return g_key_file_to_data (file, NULL, NULL);
}

char *
sl_recipe_resolve (const SlRecipe *recipe, const char *path)
{
  g_return_val_if_fail (recipe && path, NULL);

  if (g_path_is_absolute (path) || !recipe->folder)
    return g_strdup (path);
  return g_build_filename (recipe->folder, path, NULL);
}
