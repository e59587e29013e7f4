/* The checkpoints of a run: a folder with the last two. */
#include <sightline/checkpoint.h>

#include <glib/gstdio.h>

#include <string.h>

#define PREFIX "checkpoint-"
#define KEPT 2

/* The later step first. */
static gint
compare_steps (gconstpointer a, gconstpointer b)
{
  const char *x = *(const char *const *)a, *y = *(const char *const *)b;
  guint64 of_x = g_ascii_strtoull (x + strlen (PREFIX), NULL, 10);
  guint64 of_y = g_ascii_strtoull (y + strlen (PREFIX), NULL, 10);
  return of_x < of_y ? 1 : of_x > of_y ? -1 : 0;
}

static gboolean
is_checkpoint (const char *name)
{
  const char *step = g_str_has_prefix (name, PREFIX) ? name + strlen (PREFIX) : "";
  return *step && strspn (step, "0123456789") == strlen (step);
}

/* What sl_file_write() leaves of a process that was killed. */
static gboolean
is_left_over (const char *name)
{
  return g_str_has_prefix (name, ".sightline-") && g_str_has_suffix (name, ".tmp");
}

/* Names in the folder, the latest step first. */
static GPtrArray *
list_names (const char *folder, gboolean (*is_wanted) (const char *name), GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &cause);
  if (!dir && g_error_matches (cause, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return g_steal_pointer (&names);
  if (!dir) {
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s: %s", folder, cause->message);
    return NULL;
  }
  for (const char *name; (name = g_dir_read_name (dir));)
    if (is_wanted (name))
      g_ptr_array_add (names, g_strdup (name));
  if (is_wanted == is_checkpoint)
    g_ptr_array_sort (names, compare_steps);
  return g_steal_pointer (&names);
}

static gboolean
remove_from (const char *folder, gboolean (*is_wanted) (const char *name), guint first,
             GError **error)
{
  g_autoptr (GPtrArray) names = list_names (folder, is_wanted, error);
  if (!names)
    return FALSE;
  for (guint i = first; i < names->len; i++) {
    g_autofree char *path = g_build_filename (folder, g_ptr_array_index (names, i), NULL);
    g_unlink (path);
  }
  return TRUE;
}

gboolean
sl_checkpoint_save_step (SlCheckpoint *checkpoint, const char *folder, guint64 step, GError **error)
{
  g_return_val_if_fail (checkpoint && folder, FALSE);

  g_autofree char *name = g_strdup_printf (PREFIX "%012" G_GUINT64_FORMAT, step);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  if (!sl_checkpoint_save (checkpoint, path, error))
    return FALSE;
  /* The new one is on disk: only now may an old one go. */
  return remove_from (folder, is_checkpoint, KEPT, error) &&
         remove_from (folder, is_left_over, 0, error);
}

gboolean
sl_checkpoint_remove_all (const char *folder, GError **error)
{
  g_return_val_if_fail (folder, FALSE);
  return remove_from (folder, is_checkpoint, 0, error) &&
         remove_from (folder, is_left_over, 0, error);
}

char *
sl_checkpoint_find_newest (const char *folder)
{
  g_return_val_if_fail (folder, NULL);

  g_autoptr (GPtrArray) names = list_names (folder, is_checkpoint, NULL);
  return names && names->len > 0 ? g_build_filename (folder, names->pdata[0], NULL) : NULL;
}

SlCheckpoint *
sl_checkpoint_load_newest (const char *folder, SlCheckpointNote note, void *data, char **ret_path,
                           GError **error)
{
  g_return_val_if_fail (folder && ret_path, NULL);

  g_autoptr (GPtrArray) names = list_names (folder, is_checkpoint, error);
  *ret_path = NULL;
  if (!names)
    return NULL;
  for (guint i = 0; i < names->len; i++) {
    g_autoptr (GError) cause = NULL;
    g_autofree char *path = g_build_filename (folder, g_ptr_array_index (names, i), NULL);
    SlCheckpoint *checkpoint = sl_checkpoint_load (path, 0, &cause);
    if (checkpoint) {
      *ret_path = g_steal_pointer (&path);
      return checkpoint;
    }
    if (note)
      note (data, cause->message);
  }
  if (names->len > 0)
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "%s: none of %u checkpoints is whole (expected one)", folder, names->len);
  return NULL;
}
