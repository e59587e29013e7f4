#include "net/layer.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Larger sizes are mistakes, and their products would overflow. */
#define MAX_INT G_MAXINT32

static gboolean
parse_number (const char **text, const char *end, int64_t *ret)
{
  int64_t number = 0;
  const char *at = *text;
  for (; at < end && g_ascii_isdigit (*at) && number <= MAX_INT; at++)
    number = number * 10 + (*at - '0');
  if (at == *text || number > MAX_INT)
    return FALSE;
  *text = at;
  *ret = number;
  return TRUE;
}

gboolean
sl_net_parse_int (const char *text, size_t length, int64_t *ret)
{
  const char *end = text + length;
  int64_t value, factor;
  if (!parse_number (&text, end, &value))
    return FALSE;
  while (text < end) {
    const char sign = *text++;
    const bool floors = sign == '/' && text < end && *text == '/';
    text += floors;
    if ((sign != '*' && sign != '/') || !parse_number (&text, end, &factor))
      return FALSE;
    if (sign == '/' && (factor == 0 || (!floors && value % factor != 0)))
      return FALSE;
    value = sign == '*' ? value * factor : value / factor;
    if (value > MAX_INT)
      return FALSE;
  }
  *ret = value;
  return TRUE;
}

/* "3", "3x5", "1,2,3": up to SL_INTS_MAX numbers of `min` or more. */
static gboolean
parse_ints (const char *text, int64_t min, SlInts *ret)
{
  ret->n = 0;
  for (;;) {
    const size_t length = strcspn (text, "x,");
    int64_t value;
    if (ret->n == SL_INTS_MAX || !sl_net_parse_int (text, length, &value) || value < min)
      return FALSE;
    ret->v[ret->n++] = value;
    if (text[length] == '\0')
      return TRUE;
    text += length + 1;
  }
}

static gboolean
parse_double (const char *text, double *ret)
{
  char *end;
  errno = 0;
  *ret = g_ascii_strtod (text, &end);
  return errno == 0 && end != text && *end == '\0' && fabs (*ret) <= (double)G_MAXFLOAT;
}

static gboolean
parse_bool (const char *text, bool *ret)
{
  *ret = strcmp (text, "true") == 0 || strcmp (text, "True") == 0;
  return *ret || strcmp (text, "false") == 0 || strcmp (text, "False") == 0;
}

static gboolean
parse_padding (const char *text, SlNetPadding *ret)
{
  *ret = (SlNetPadding){.same = strcmp (text, "same") == 0};
  return ret->same || strcmp (text, "valid") == 0 || parse_ints (text, 0, &ret->sizes);
}

static gboolean
parse_initializer (const char *text, SlNetInit *ret)
{
  ret->initializer = sl_initializer_find (text);
  return ret->initializer != NULL || parse_double (text, &ret->value);
}

static gboolean
parse (const SlNetArg *arg, const char *text, void *ret)
{
  switch (arg->type) {
  case SL_NET_INT:
    return sl_net_parse_int (text, strlen (text), ret) && *(int64_t *)ret >= arg->min;
  case SL_NET_INTS:
    return parse_ints (text, arg->min, ret);
  case SL_NET_FLOAT:
    return parse_double (text, ret);
  case SL_NET_BOOL:
    return parse_bool (text, ret);
  case SL_NET_PADDING:
    return parse_padding (text, ret);
  case SL_NET_ACTIVATION:
    *(const SlNetActivation **)ret = sl_net_activation_find (text);
    return *(const SlNetActivation **)ret != NULL;
  default:
    return parse_initializer (text, ret);
  }
}

/* What parse() takes. Free with g_free(). */
static char *
describe (const SlNetArg *arg)
{
  g_autoptr (GString) names = g_string_new ("one of ");
  switch (arg->type) {
  case SL_NET_INT:
    return g_strdup_printf ("a whole number from %" G_GINT64_FORMAT " on", arg->min);
  case SL_NET_INTS:
    return g_strdup_printf ("whole numbers from %" G_GINT64_FORMAT " on, such as 3 or 3x5",
                            arg->min);
  case SL_NET_FLOAT:
    return g_strdup ("a number");
  case SL_NET_BOOL:
    return g_strdup ("true or false");
  case SL_NET_PADDING:
    return g_strdup ("same, valid, or numbers such as 1 or 1x2");
  case SL_NET_ACTIVATION:
    return sl_net_activation_list ();
  default:
    for (size_t i = 0; sl_initializer_list (i) != NULL; i++)
      g_string_append_printf (names, "%s, ", sl_initializer_list (i)->name);
    g_string_append (names, "or a number");
    return g_strdup (names->str);
  }
}

static char *
list_names (const SlNetArg *table)
{
  GString *names = g_string_new (NULL);
  for (const SlNetArg *arg = table; arg != NULL && arg->name != NULL; arg++)
    g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", arg->name);
  if (names->len == 0)
    g_string_append (names, "none");
  return g_string_free (names, FALSE);
}

static const SlNetArg *
find (const SlNetArg *table, const char *name, size_t length)
{
  for (const SlNetArg *arg = table; arg != NULL && arg->name != NULL; arg++)
    if (strlen (arg->name) == length && memcmp (arg->name, name, length) == 0)
      return arg;
  return NULL;
}

/* The row that a word is for, and its value. */
static const SlNetArg *
match (const char *type, const SlNetArg *table, uint32_t n_positional, const SlNetWord *word,
       uint32_t *position, const char **ret_value, GError **error)
{
  const char *equals = strchr (word->text, '=');
  if (equals != NULL) {
    const SlNetArg *arg = find (table, word->text, (size_t)(equals - word->text));
    g_autofree char *names = list_names (table);
    *ret_value = equals + 1;
    if (arg == NULL)
      sl_net_error (error, SL_ERROR_MALFORMED, word,
                    "%s has no argument '%.*s' (expected one of: %s)", type,
                    (int)(equals - word->text), word->text, names);
    return arg;
  }
  *ret_value = word->text;
  if (*position < n_positional)
    return &table[(*position)++];
  sl_net_error (error, SL_ERROR_MALFORMED, word,
                "'%s' is one word too many: %s takes %u without a name (expected NAME=VALUE)",
                word->text, type, n_positional);
  return NULL;
}

/* `said`: bit i, row i has been said. */
static gboolean
read_word (const char *type, const SlNetArg *table, uint32_t n_positional, const SlNetWord *word,
           uint32_t *position, uint32_t *said, void *ret, GError **error)
{
  const char *value;
  const SlNetArg *arg = match (type, table, n_positional, word, position, &value, error);
  if (arg == NULL)
    return FALSE;
  const uint32_t bit = 1u << (arg - table);
  if (*said & bit) {
    sl_net_error (error, SL_ERROR_MALFORMED, word, "%s is said twice", arg->name);
    return FALSE;
  }
  *said |= bit;
  if (parse (arg, value, (char *)ret + arg->offset))
    return TRUE;
  g_autofree char *expected = describe (arg);
  sl_net_error (error, SL_ERROR_MALFORMED, word, "%s is '%s' (expected %s)", arg->name, value,
                expected);
  return FALSE;
}

gboolean
sl_net_args_read (const char *type, const SlNetArg *table, uint32_t n_positional,
                  const GArray *defaults, const GArray *words, uint32_t first, void *ret,
                  GError **error)
{
  uint32_t position = 0, said = 0, preset = 0;
  for (const SlNetArg *arg = table; arg != NULL && arg->name != NULL; arg++)
    if (arg->preset != NULL && arg->preset[0] != 0 &&
        !parse (arg, arg->preset, (char *)ret + arg->offset))
      g_assert_not_reached ();
  for (uint32_t i = 0; defaults != NULL && i < defaults->len; i++, said = 0)
    if (!read_word (type, table, 0, &g_array_index (defaults, SlNetWord, i), &position, &said, ret,
                    error))
      return FALSE;
    else
      preset |= said;
  for (uint32_t i = first; i < words->len; i++)
    if (!read_word (type, table, n_positional, &g_array_index (words, SlNetWord, i), &position,
                    &said, ret, error))
      return FALSE;
  for (const SlNetArg *arg = table; arg != NULL && arg->name != NULL; arg++) {
    if (arg->preset != NULL || ((said | preset) & 1u << (arg - table)))
      continue;
    g_autofree char *expected = describe (arg);
    sl_net_error (error, SL_ERROR_MALFORMED,
                  &g_array_index (words, SlNetWord, first > 0 ? first - 1 : 0),
                  "%s wants %s= (expected %s)", type, arg->name, expected);
    return FALSE;
  }
  return TRUE;
}
