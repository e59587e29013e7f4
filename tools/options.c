#include "options.h"

#include "command.h"
#include "report.h"

#include <math.h>

static const GOptionEntry *
find_entry (const GOptionEntry *entries, const char *argument)
{
  for (; entries->long_name; entries++)
    if ((argument[0] == '-' && argument[1] == '-' &&
         g_str_equal (argument + 2, entries->long_name)) ||
        (argument[0] == '-' && argument[1] && argument[1] == entries->short_name))
      return entries;
  return NULL;
}

/* GOption does not know "-k1", which everybody types: such arguments become two. */
static GStrv
split_arguments (int argc, char **argv, const GOptionEntry *entries)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean options_end = FALSE;
  for (int i = 0; i < argc; i++) {
    const GOptionEntry *entry = i > 0 && !options_end ? find_entry (entries, argv[i]) : NULL;
    gboolean has_value = entry && entry->arg != G_OPTION_ARG_NONE;
    options_end |= g_str_equal (argv[i], "--");
    if (has_value && argv[i][1] != '-' && argv[i][2]) {
      const char option[] = {'-', entry->short_name, '\0'};
      g_strv_builder_add (builder, option);
      g_strv_builder_add (builder, argv[i] + 2);
      continue;
    }
    g_strv_builder_add (builder, argv[i]);
    if (has_value && i + 1 < argc)
      g_strv_builder_add (builder, argv[++i]);
  }
  return g_strv_builder_end (builder);
}

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
  g_auto (GStrv) arguments = split_arguments (argc, argv, entries);
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

gboolean
tool_recipe_set (SlRecipe *recipe, const char *setting, GError **error)
{
  const char *dot = strchr (setting, '.'), *equals = dot ? strchr (dot, '=') : NULL;
  if (!equals) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "--set is '%s' (expected GROUP.KEY=VALUE, such as optimizer.rate=0.01)", setting);
    return FALSE;
  }
  g_autofree char *group = g_strndup (setting, (gsize)(dot - setting));
  g_autofree char *key = g_strndup (dot + 1, (gsize)(equals - dot - 1));
  return sl_recipe_set (recipe, group, key, equals + 1, error);
}
