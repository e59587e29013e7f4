#include "inputs.h"

#include "report.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* Folders inside folders: deeper than any real collection, shallower than the stack. */
#define MAX_DEPTH 64

static const char *const suffixes[] = {
    "3gp",  "asf", "avi", "flv", "h264", "h265", "264", "265", "ivf",  "m2ts", "m4v", "mjpeg",
    "mjpg", "mkv", "mov", "mp4", "mpeg", "mpg",  "mts", "mxf", "ogg",  "ogv",  "ts",  "vob",
    "webm", "wmv", "bmp", "gif", "jpeg", "jpg",  "png", "tif", "tiff", "webp", NULL,
};

static gboolean
has_known_suffix (const char *name)
{
  const char *dot = strrchr (name, '.');
  if (!dot)
    return FALSE;
  g_autofree char *suffix = g_ascii_strdown (dot + 1, -1);
  return g_strv_contains (suffixes, suffix);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* Adds what is in `folder`. FALSE if some of it could not be read. */
static gboolean
add_folder (GPtrArray *inputs, const char *folder, gboolean recursive, guint depth)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  if (!dir) {
    tool_gerror (folder, error);
    return FALSE;
  }
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  for (const char *name = g_dir_read_name (dir); name; name = g_dir_read_name (dir))
    if (name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);

  gboolean good = TRUE;
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *path = g_build_filename (folder, name, NULL);
    GStatBuf status;
    if (g_lstat (path, &status) == 0 && S_ISDIR (status.st_mode)) {
      if (recursive && depth < MAX_DEPTH)
        good &= add_folder (inputs, path, recursive, depth + 1);
    } else if (has_known_suffix (name)) {
      g_ptr_array_add (inputs, g_steal_pointer (&path));
    }
  }
  return good;
}

GPtrArray *
tool_inputs_expand (char **names, gboolean recursive, gboolean *ret_failed)
{
  GPtrArray *inputs = g_ptr_array_new_with_free_func (g_free);
  *ret_failed = FALSE;
  for (guint i = 0; names[i]; i++) {
    if (strstr (names[i], "://") || !g_file_test (names[i], G_FILE_TEST_IS_DIR)) {
      g_ptr_array_add (inputs, g_strdup (names[i]));
      continue;
    }
    guint before = inputs->len;
    gboolean good = add_folder (inputs, names[i], recursive, 0);
    if (good && inputs->len == before)
      tool_error (names[i], "holds no video and no picture%s",
                  recursive ? "" : " (expected some, or --recursive for its sub-folders)");
    if (!good || inputs->len == before)
      *ret_failed = TRUE;
  }
  return inputs;
}

/* What a file is, whatever it is called; NULL if there is none. */
static char *
identify_file (const char *path)
{
  GStatBuf status;
  if (g_stat (path, &status) != 0 || !S_ISREG (status.st_mode))
    return NULL;
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64)status.st_dev,
                          (guint64)status.st_ino);
}

GHashTable *
tool_inputs_get_files (GPtrArray *inputs)
{
  GHashTable *files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < inputs->len; i++) {
    const char *input = g_ptr_array_index (inputs, i);
    g_autofree char *path = g_str_has_prefix (input, "file://")
                                ? g_filename_from_uri (input, NULL, NULL)
                                : g_strdup (input);
    char *file = path ? identify_file (path) : NULL;
    if (file)
      g_hash_table_add (files, file);
  }
  return files;
}

gboolean
tool_inputs_hold (GHashTable *files, const char *path)
{
  g_autofree char *file = path ? identify_file (path) : NULL;
  return file && g_hash_table_contains (files, file);
}

char *
tool_input_get_place (char **names, const char *path)
{
  for (guint i = 0; names[i]; i++) {
    gsize length = strlen (names[i]);
    if (length == 0 || !g_str_has_prefix (path, names[i]) || strcmp (path, names[i]) == 0)
      continue;
    const char *rest = path + length;
    while (*rest == G_DIR_SEPARATOR)
      rest++;
    if (rest > path + length || path[length - 1] == G_DIR_SEPARATOR)
      return g_strdup (rest);
  }
  return g_path_get_basename (path);
}

char *
tool_input_get_name (const char *input)
{
  const char *start = strstr (input, "://");
  const char *end = start ? start + 3 + strcspn (start + 3, "/?#") : NULL;
  const char *at = start ? g_strrstr_len (start + 3, end - (start + 3), "@") : NULL;
  const char *colon = at ? memchr (start + 3, ':', (gsize)(at - (start + 3))) : NULL;
  if (!colon)
    return g_strdup (input);
  return g_strdup_printf ("%.*s:***%s", (int)(colon - input), input, at);
}
