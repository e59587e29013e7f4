#include "net/scope.h"

#include <string.h>

void
sl_net_scope_init (SlNetScope *scope, const SlNetScope *parent, char *prefix, SlValue *in)
{
  *scope = (SlNetScope){.parent = parent, .prefix = prefix, .in = in, .current = in};
  scope->variables = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  scope->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
sl_net_scope_clear (SlNetScope *scope)
{
  g_free (scope->prefix);
  g_hash_table_unref (scope->variables);
  g_hash_table_unref (scope->counts);
}

bool
sl_net_is_name (const char *text)
{
  if (!g_ascii_isalpha (text[0]) && text[0] != '_')
    return false;
  return text[strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.")] == '\0';
}

static const char *
find_variable (const SlNetScope *scope, const char *name)
{
  const char *found = NULL;
  for (; scope != NULL && found == NULL; scope = scope->parent)
    found = g_hash_table_lookup (scope->variables, name);
  return found;
}

static char *
substitute (const SlNetScope *scope, const SlNetWord *word, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (const char *at = word->text; *at != '\0' && text->len <= SL_NET_MAX_WORD;) {
    const size_t plain = strcspn (at, "$");
    g_string_append_len (text, at, (gssize)plain);
    at += plain;
    if (*at == '\0')
      break;
    const size_t length = strspn (++at, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_");
    g_autofree char *name = g_strndup (at, length);
    const char *value = find_variable (scope, name);
    if (value == NULL) {
      sl_net_error (error, SL_ERROR_MALFORMED, word,
                    "'$%s' is unknown (expected a parameter of the block, or the counter of a "
                    "repeat)",
                    name);
      return NULL;
    }
    g_string_append (text, value);
    at += length;
  }
  if (text->len <= SL_NET_MAX_WORD)
    return g_strdup (text->str);
  sl_net_error (error, SL_ERROR_LIMIT, word, "'%s' becomes longer than %d bytes", word->text,
                SL_NET_MAX_WORD);
  return NULL;
}

GArray *
sl_net_scope_substitute (const SlNetScope *scope, const GArray *words, GError **error)
{
  g_autoptr (GArray) result = g_array_new (FALSE, FALSE, sizeof (SlNetWord));
  g_array_set_clear_func (result, sl_net_word_clear);
  for (uint32_t i = 0; i < words->len; i++) {
    SlNetWord word = g_array_index (words, SlNetWord, i);
    word.text = substitute (scope, &word, error);
    if (word.text == NULL)
      return NULL;
    g_array_append_val (result, word);
  }
  return g_steal_pointer (&result);
}

SlValue *
sl_net_scope_find (const SlNetScope *scope, GHashTable *labels, const SlNetWord *at,
                   const char *name, GError **error)
{
  SlValue *found = NULL;
  if (strcmp (name, "in") == 0)
    found = scope->in;
  for (; scope != NULL && found == NULL; scope = scope->parent) {
    g_autofree char *full = g_strconcat (scope->prefix, name, NULL);
    found = g_hash_table_lookup (labels, full);
  }
  if (found == NULL)
    sl_net_error (error, SL_ERROR_MALFORMED, at,
                  "no layer named '%s' stands before this line (expected a label)", name);
  return found;
}

/* As Keras: "MaxPooling2D" → "max_pooling2d", "ReLU" → "re_lu". */
static char *
snake_case (const char *type)
{
  GString *name = g_string_new (NULL);
  for (size_t i = 0; type[i] != '\0'; i++) {
    const bool is_upper = g_ascii_isupper (type[i]);
    const bool begins =
        is_upper && (g_ascii_islower (type[i + 1]) || g_ascii_isdigit (type[i + 1]));
    if (i > 0 && is_upper && (begins || g_ascii_islower (type[i - 1])))
      g_string_append_c (name, '_');
    g_string_append_c (name, g_ascii_tolower (type[i]));
  }
  return g_string_free (name, FALSE);
}

char *
sl_net_scope_name (SlNetScope *scope, GHashTable *labels, const char *label, const char *type)
{
  if (label != NULL)
    return g_strconcat (scope->prefix, label, NULL);
  g_autofree char *stem = snake_case (type);
  for (;;) {
    guint count = GPOINTER_TO_UINT (g_hash_table_lookup (scope->counts, stem));
    g_hash_table_insert (scope->counts, g_strdup (stem), GUINT_TO_POINTER (count + 1));
    char *name = count == 0 ? g_strconcat (scope->prefix, stem, NULL)
                            : g_strdup_printf ("%s%s_%u", scope->prefix, stem, count);
    if (!g_hash_table_contains (labels, name))
      return name;
    g_free (name);
  }
}
