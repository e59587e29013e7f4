#include "options.h"

#include "command.h"
#include "report.h"

#include <math.h>

gboolean
tool_parse (int argc, char **argv, const ToolUsage *usage, const GOptionEntry *entries)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_strdup_printf ("sightline %s", argv[0]);
  g_autoptr (GOptionContext) context = g_option_context_new (usage->arguments);
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, usage->summary);
  g_option_context_set_description (context, usage->description);

  /* GOption writes the program's name from here into the usage line. */
  g_set_prgname (program);
  g_auto (GStrv) arguments = g_new0 (char *, (gsize)argc + 1);
  for (int i = 0; i < argc; i++)
    arguments[i] = g_strdup (argv[i]);
  if (g_option_context_parse_strv (context, &arguments, &error))
    return TRUE;
  tool_usage_error (argv[0], "%s", error->message);
  return FALSE;
}

int
tool_usage_error (const char *command, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  tool_error (command, "%s (see sightline %s --help)", text, command);
  return TOOL_USAGE;
}

gboolean
tool_parse_time (const char *text, double *ret_seconds)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 4);
  guint n = g_strv_length (parts);
  double seconds = 0;
  if (n < 1 || n > 3)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    char *end;
    double value = g_ascii_strtod (parts[i], &end);
    if (!g_ascii_isdigit (parts[i][0]) || *end || !isfinite (value) || (i > 0 && value >= 60) ||
        (i + 1 < n && value != floor (value)))
      return FALSE;
    seconds = seconds * 60 + value;
  }
  *ret_seconds = seconds;
  return TRUE;
}
