/* Command lines by GOption, with the same manners in every command. */
#pragma once

#include <sightline/sightline.h>

typedef struct ToolUsage {
  const char *arguments;   /* "[OPTION…] FILE…" without the options' part: "INPUT…" */
  const char *summary;     /* what the command does, a few lines */
  const char *description; /* examples and what else is good to know */
} ToolUsage;

/* Parses argv[1…] into `entries`. --help prints and exits. FALSE, after one line on standard error,
 * if the command line is wrong; then the command returns TOOL_USAGE. */
gboolean tool_parse (int argc, char **argv, const ToolUsage *usage, const GOptionEntry *entries);

/* Says what is wrong with the command line and returns TOOL_USAGE. */
int tool_usage_error (const char *command, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Seconds of "12.5", "1:30" or "1:02:03.5". FALSE for anything else. */
gboolean tool_parse_time (const char *text, double *ret_seconds);

/* One key by the text of --set, "GROUP.KEY=VALUE". */
gboolean tool_recipe_set (SlRecipe *recipe, const char *setting, GError **error);
