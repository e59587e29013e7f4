#include "core/limit.h"

#include <sightline/error.h>

#include <string.h>

#define VARIABLE "SIGHTLINE_LIMITS"

const char *const sl_limit_names[] = {"file",          "tensor", "text",   "nodes",
                                      "ends",          "values", "memory", "constants",
                                      "constant-work", "work",   "data",   NULL};

static gboolean
parse_size (const char *text, guint64 *ret)
{
  static const char units[] = "KMGT";
  char *end;
  if (!g_ascii_isdigit (text[0]))
    return FALSE;
  guint64 number = g_ascii_strtoull (text, &end, 10);
  const char *unit = *end != '\0' ? strchr (units, g_ascii_toupper (*end)) : NULL;
  const unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
  if (number == 0 || (*end != '\0' && (unit == NULL || end[1] != '\0')) ||
      number > G_MAXUINT64 >> shift)
    return FALSE;
  *ret = number << shift;
  return TRUE;
}

gboolean
sl_limit_read (const char *name, guint64 *ret, GError **error)
{
  const char *text = g_getenv (VARIABLE);
  g_auto (GStrv) entries = g_strsplit (text != NULL ? text : "", ",", -1);
  for (char **entry = entries; *entry != NULL; entry++) {
    char *equals = strchr (*entry, '=');
    guint64 value;
    if ((*entry)[0] == '\0')
      continue;
    if (equals != NULL)
      *equals = '\0';
    if (equals == NULL || !g_strv_contains (sl_limit_names, *entry) ||
        !parse_size (equals + 1, &value)) {
      g_autofree char *found = g_strescape (text, NULL);
      g_autofree char *names = g_strjoinv (", ", (char **)sl_limit_names);
      g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                   VARIABLE " is '%.200s' (expected NAME=NUMBER[K|M|G|T],… of %s)", found, names);
      return FALSE;
    }
    if (strcmp (*entry, name) == 0)
      *ret = value;
  }
  return TRUE;
}

char *
sl_limit_print_bytes (guint64 bytes)
{
  static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024)
    return g_strdup_printf ("%u bytes", (unsigned)bytes);
  double number = (double)bytes / 1024;
  unsigned unit = 0;
  for (; number >= 1024 && unit + 1 < G_N_ELEMENTS (units); unit++)
    number /= 1024;
  return g_strdup_printf ("%.1f %s", number, units[unit]);
}
