/* A run's folder: its lock, and everything that is needed to go on. */
#include "train/fit.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define BEST_PREFIX "best-"
/* The checkpoint before the newest may name the best before the newest. */
#define BEST_KEPT 2

gboolean
sl_fit_open_folder (SlFit *fit, GError **error)
{
  g_autofree char *path = g_build_filename (fit->folder, "lock", NULL);
  if (g_mkdir_with_parents (fit->folder, 0777) < 0)
    return sl_fit_fail (error, SL_ERROR_IO, "%s: cannot be made: %s", fit->folder,
                        g_strerror (errno));
  fit->lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fit->lock < 0)
    return sl_fit_fail (error, SL_ERROR_IO, "%s: cannot be opened: %s", path, g_strerror (errno));
  if (flock (fit->lock, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
    return sl_fit_fail (error, SL_ERROR_IO, "%s: another run is at work there (expected none)",
                        fit->folder);
  /* A file system without locks is used without. */
  if (fit->options.resume || fit->options.anew)
    return TRUE;
  g_autofree char *checkpoint = sl_checkpoint_find_newest (fit->folder);
  return !checkpoint ||
         sl_fit_fail (error, SL_ERROR_IO,
                      "%s: an earlier run left this there (expected to be told whether to resume "
                      "it, or to train anew and remove it)",
                      checkpoint);
}

/* "variables/3/conv1.weight" */
static char *
name_variable (guint32 index, const SlVariable *variable)
{
  return g_strdup_printf ("variables/%u/%s", index, variable->name);
}

/* A tensor that is the variable's memory, not a copy: for a checkpoint that is written at once. */
static gboolean
add_variables (SlFit *fit, guint32 n, SlCheckpoint *checkpoint, GError **error)
{
  for (guint32 i = 0; i < n; i++) {
    SlVariable variable;
    sl_trainer_get_variable (fit->trainer, i, &variable);
    const void *data = sl_variable_read (&variable, error);
    if (!data)
      return FALSE;
    g_autoptr (GBytes) bytes = g_bytes_new_static (data, variable.bytes);
    g_autoptr (SlTensor) tensor =
        sl_tensor_new_bytes (variable.dtype, &variable.shape, bytes, 0, error);
    g_autofree char *name = name_variable (i, &variable);
    if (!tensor)
      return FALSE;
    sl_checkpoint_set_tensor (checkpoint, name, tensor);
  }
  return TRUE;
}

static gboolean
restore_variables (SlFit *fit, guint32 n, SlCheckpoint *checkpoint, const char *path,
                   GError **error)
{
  for (guint32 i = 0; i < n; i++) {
    SlVariable variable;
    sl_trainer_get_variable (fit->trainer, i, &variable);
    g_autofree char *name = name_variable (i, &variable);
    SlTensor *tensor = sl_checkpoint_get_tensor (checkpoint, name);
    if (!tensor || sl_tensor_get_dtype (tensor) != variable.dtype ||
        !sl_shape_equal (sl_tensor_get_shape (tensor), &variable.shape)) {
      g_autofree char *expected = sl_shape_to_string (&variable.shape);
      return sl_fit_fail (error, SL_ERROR_MALFORMED, "%s: %s %s (expected %s of %s)", path, name,
                          tensor ? "has another type or shape" : "is not there",
                          sl_dtype_get_name (variable.dtype), expected);
    }
    sl_variable_set (&variable, sl_tensor_get_data (tensor));
  }
  return TRUE;
}

gboolean
sl_fit_save (SlFit *fit, GError **error)
{
  guint32 epoch, step;
  g_autoptr (SlCheckpoint) checkpoint = sl_checkpoint_new ();
  g_autofree char *history = sl_history_to_text (fit->history);
  sl_loader_get_position (fit->loader, &epoch, &step);
  sl_checkpoint_set_text (checkpoint, "recipe", fit->recipe_text);
  sl_checkpoint_set_text (checkpoint, "data", fit->data_hash);
  sl_checkpoint_set_text (checkpoint, "validation", fit->validation_hash);
  sl_checkpoint_set_text (checkpoint, "network", fit->network_hash);
  sl_checkpoint_set_text (checkpoint, "history", history);
  sl_checkpoint_set_int (checkpoint, "step", (gint64)sl_trainer_get_step (fit->trainer));
  sl_checkpoint_set_int (checkpoint, "loader/epoch", epoch);
  sl_checkpoint_set_int (checkpoint, "loader/step", step);
  sl_checkpoint_set_double (checkpoint, "epoch/loss", fit->sums.loss);
  sl_checkpoint_set_int (checkpoint, "epoch/right", (gint64)fit->sums.right);
  sl_checkpoint_set_int (checkpoint, "epoch/n", (gint64)fit->sums.n);
  sl_checkpoint_set_int (checkpoint, "best/epoch", fit->best_epoch);
  sl_checkpoint_set_int (checkpoint, "best/step", (gint64)fit->best_step);
  sl_checkpoint_set_double (checkpoint, "best/value", fit->best_epoch ? fit->best : 0);
  return add_variables (fit, sl_trainer_get_n_variables (fit->trainer), checkpoint, error) &&
         sl_checkpoint_save_step (checkpoint, fit->folder, sl_trainer_get_step (fit->trainer),
                                  error);
}

/* --- going on --- */

/* Keys that may change between a run and its continuation: they decide how far it goes, not what a
 * step does. Some schedules stretch over all epochs, which therefore stay as many. */
static bool
may_change (const SlRecipe *recipe, const char *group, const char *key)
{
  static const char *const stretched[] = {"cosine", "one-cycle", NULL};
  static const char *const free_keys[][2] = {
      {"train", "epochs"}, {"train", "patience"}, {"train", "keep"},  {"data", "workers"},
      {"data", "path"},    {"network", "net"},    {"network", "base"}};
  for (guint i = 0; i < G_N_ELEMENTS (free_keys); i++)
    if (strcmp (free_keys[i][0], group) == 0 && strcmp (free_keys[i][1], key) == 0)
      return i > 0 || !g_strv_contains (stretched, recipe->schedule.name);
  return false;
}

/* The first key that makes another run of it is named. */
static gboolean
check_recipe (SlFit *fit, const char *path, const char *text, GError **error)
{
  g_autoptr (GKeyFile) then = g_key_file_new (), now = g_key_file_new ();
  if (!text || !g_key_file_load_from_data (then, text, (gsize)-1, G_KEY_FILE_NONE, NULL) ||
      !g_key_file_load_from_data (now, fit->recipe_text, (gsize)-1, G_KEY_FILE_NONE, NULL))
    return sl_fit_fail (error, SL_ERROR_MALFORMED, "%s: holds no recipe (expected one)", path);
  for (guint i = 0; sl_recipe_get_key (i); i++) {
    const SlRecipeKey *key = sl_recipe_get_key (i);
    g_autofree char *old = g_key_file_get_value (then, key->group, key->name, NULL);
    g_autofree char *new = g_key_file_get_value (now, key->group, key->name, NULL);
    if (g_strcmp0 (old, new) != 0 && !may_change (fit->recipe, key->group, key->name))
      return sl_fit_fail (
          error, SL_ERROR_UNSUPPORTED,
          "%s: was made with [%s] %s=%s (the recipe now says %s; train anew without "
          "--resume, or with the old recipe)",
          path, key->group, key->name, old ? old : "", new ? new : "nothing");
  }
  return TRUE;
}

static gboolean
restore_history (SlFit *fit, const char *text, const char *path, GError **error)
{
  SlHistory *history = sl_history_parse (text ? text : "", text ? strlen (text) : 0, path, error);
  if (!history)
    return FALSE;
  sl_history_free (fit->history);
  fit->history = history;
  for (guint i = 0; i < sl_history_get_n (history); i++) {
    double value = sl_fit_get_monitored (fit, sl_history_get (history, i));
    g_array_append_val (fit->monitored, value);
  }
  return TRUE;
}

static gboolean
restore_numbers (SlFit *fit, SlCheckpoint *checkpoint, const char *path, GError **error)
{
  gint64 step, epoch, at, right, n, best_step;
  if (!sl_checkpoint_get_int (checkpoint, "step", &step, error) ||
      !sl_checkpoint_get_int (checkpoint, "loader/epoch", &epoch, error) ||
      !sl_checkpoint_get_int (checkpoint, "loader/step", &at, error) ||
      !sl_checkpoint_get_double (checkpoint, "epoch/loss", &fit->sums.loss, error) ||
      !sl_checkpoint_get_int (checkpoint, "epoch/right", &right, error) ||
      !sl_checkpoint_get_int (checkpoint, "epoch/n", &n, error) ||
      !sl_checkpoint_get_int (checkpoint, "best/epoch", &fit->best_epoch, error) ||
      !sl_checkpoint_get_int (checkpoint, "best/step", &best_step, error) ||
      !sl_checkpoint_get_double (checkpoint, "best/value", &fit->best, error))
    return FALSE;
  if (epoch < 0 || epoch > G_MAXUINT32 || step < 0 || step / fit->n_batches != epoch ||
      step % fit->n_batches != at)
    return sl_fit_fail (error, SL_ERROR_MALFORMED,
                        "%s: step %" G_GINT64_FORMAT " is not batch %" G_GINT64_FORMAT
                        " of epoch %" G_GINT64_FORMAT " (expected %u batches an epoch)",
                        path, step, at, epoch, fit->n_batches);
  fit->sums.right = (guint64)right;
  fit->sums.n = (guint64)n;
  fit->best_step = (guint64)best_step;
  sl_trainer_set_step (fit->trainer, (guint64)step);
  sl_loader_seek (fit->loader, (guint32)epoch, (guint32)at);
  return TRUE;
}

static void
pass_note (void *data, const char *text)
{
  sl_fit_note (data, "%s; the one before it is taken", text);
}

gboolean
sl_fit_restore (SlFit *fit, GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) cause = NULL;
  g_autoptr (SlCheckpoint) checkpoint =
      sl_checkpoint_load_newest (fit->folder, pass_note, fit, &path, &cause);
  if (cause) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return FALSE;
  }
  if (!checkpoint) {
    sl_fit_note (fit, "%s: no checkpoint to go on from, so this is the beginning", fit->folder);
    return TRUE;
  }
  if (g_strcmp0 (sl_checkpoint_get_text (checkpoint, "data"), fit->data_hash) != 0 ||
      g_strcmp0 (sl_checkpoint_get_text (checkpoint, "validation"), fit->validation_hash) != 0)
    return sl_fit_fail (error, SL_ERROR_UNSUPPORTED,
                        "%s: was made with other data (expected the same samples)", path);
  if (g_strcmp0 (sl_checkpoint_get_text (checkpoint, "network"), fit->network_hash) != 0)
    return sl_fit_fail (
        error, SL_ERROR_UNSUPPORTED,
        "%s: was made with another network than %s is now (expected the same layers)", path,
        sl_model_get_name (fit->options.model));
  if (!check_recipe (fit, path, sl_checkpoint_get_text (checkpoint, "recipe"), error) ||
      !restore_history (fit, sl_checkpoint_get_text (checkpoint, "history"), path, error) ||
      !restore_numbers (fit, checkpoint, path, error) ||
      !restore_variables (fit, sl_trainer_get_n_variables (fit->trainer), checkpoint, path, error))
    return FALSE;
  sl_fit_note (fit, "%s: going on after step %" G_GUINT64_FORMAT, path,
               sl_trainer_get_step (fit->trainer));
  return TRUE;
}

/* --- the best --- */

static char *
name_best (SlFit *fit, guint64 step)
{
  g_autofree char *name = g_strdup_printf (BEST_PREFIX "%012" G_GUINT64_FORMAT, step);
  return g_build_filename (fit->folder, name, NULL);
}

static gint
compare_descending (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)b, *(const char *const *)a);
}

static void
remove_bests (SlFit *fit, guint kept)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (fit->folder, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name (dir));)
    if (g_str_has_prefix (name, BEST_PREFIX))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_descending);
  for (guint i = kept; i < names->len; i++) {
    g_autofree char *path = g_build_filename (fit->folder, g_ptr_array_index (names, i), NULL);
    g_unlink (path);
  }
}

gboolean
sl_fit_save_best (SlFit *fit, GError **error)
{
  g_autoptr (SlCheckpoint) checkpoint = sl_checkpoint_new ();
  g_autofree char *path = name_best (fit, fit->best_step);
  const guint32 n = sl_model_get_n_variables (sl_trainer_get_model (fit->trainer));
  if (!add_variables (fit, n, checkpoint, error) || !sl_checkpoint_save (checkpoint, path, error))
    return FALSE;
  remove_bests (fit, BEST_KEPT);
  return TRUE;
}

gboolean
sl_fit_load_best (SlFit *fit, GError **error)
{
  g_autofree char *path = name_best (fit, fit->best_step);
  g_autoptr (SlCheckpoint) checkpoint = sl_checkpoint_load (path, 0, error);
  const guint32 n = sl_model_get_n_variables (sl_trainer_get_model (fit->trainer));
  return checkpoint && restore_variables (fit, n, checkpoint, path, error);
}

gboolean
sl_fit_clear_folder (SlFit *fit, GError **error)
{
  remove_bests (fit, 0);
  return sl_checkpoint_remove_all (fit->folder, error);
}
