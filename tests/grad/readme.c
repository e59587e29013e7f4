#include "grad/readme.h"

#include <stdbool.h>
#include <string.h>

/* The words between backquotes in the row's first column. */
static void
add_words (GHashTable *names, const char *row)
{
  g_auto (GStrv) columns = g_strsplit (row, "|", 3); /* nothing stands before the first "|" */
  g_auto (GStrv) words = g_strsplit (columns[1], "`", -1);
  for (guint i = 1; i < g_strv_length (words); i += 2)
    g_hash_table_add (names, g_strdup (words[i]));
}

GHashTable *
readme_list (const char *heading)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "engine", "ops", "README.md", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  bool inside = false;
  for (char **line = lines; *line != NULL; line++) {
    if (**line == '#')
      inside = strcmp (g_strchug (*line + strspn (*line, "#")), heading) == 0;
    else if (inside && **line == '|')
      add_words (names, *line);
  }
  g_assert_cmpuint (g_hash_table_size (names), >, 0);
  return names;
}
