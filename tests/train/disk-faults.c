/* Checkpoints and runs on a disk that fails: at each call in turn the process is killed, the disk
 * is full, or the call fails; and the power goes at each moment, with whatever had not been synced
 * lost. What is loaded then is the old or the new, whole. */
#include "disk.h"
#include "place.h"

#include <sightline/checkpoint.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* More calls than a save, or a run, makes. */
#define MAX_CALLS 2000u

/* --- checkpoints --- */

static SlCheckpoint *
make_checkpoint (guint64 step)
{
  SlCheckpoint *checkpoint = sl_checkpoint_new ();
  g_autoptr (SlTensor) tensor = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (5000), NULL);
  for (guint i = 0; i < 5000; i++)
    ((float *)sl_tensor_get_data_writable (tensor))[i] = (float)step + (float)i;
  sl_checkpoint_set_int (checkpoint, "step", (gint64)step);
  sl_checkpoint_set_tensor (checkpoint, "w", tensor);
  return checkpoint;
}

static gboolean
save (const char *folder, guint64 step, GError **error)
{
  g_autoptr (SlCheckpoint) checkpoint = make_checkpoint (step);
  return sl_checkpoint_save_step (checkpoint, folder, step, error);
}

static void
refuse_note (void *data, const char *text)
{
  g_error ("a checkpoint is damaged: %s", text);
}

/* The step of the newest, which is whole; so are all others. 0: there is none. */
static guint64
load (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  gint64 step;
  g_autoptr (SlCheckpoint) newest =
      sl_checkpoint_load_newest (folder, refuse_note, NULL, &path, &error);
  g_assert_no_error (error);
  if (!newest)
    return 0;
  g_assert_true (sl_checkpoint_get_int (newest, "step", &step, NULL));
  const float *weights = sl_tensor_get_data (sl_checkpoint_get_tensor (newest, "w"));
  for (guint i = 0; i < 5000; i++)
    g_assert_cmpfloat (weights[i], ==, (float)step + (float)i);
  return (guint64)step;
}

/* Saves step 3 in a folder with 1 and 2, in another process, with the fault; what it said: 0:
 * saved, 1: an error of one line, 9: killed. */
static int
save_with (const char *folder, const DiskPlan *plan)
{
  int status;
  g_assert_true (save (folder, 1, NULL) && save (folder, 2, NULL));
  const pid_t child = fork ();
  if (child == 0) {
    g_autoptr (GError) error = NULL;
    disk_start (plan);
    const gboolean saved = save (folder, 3, &error);
    const guint n = disk_stop ();
    if (saved != !error || (error && (error->domain != SL_ERROR || error->code != SL_ERROR_IO ||
                                      strchr (error->message, '\n'))))
      _exit (3);
    _exit (n <= plan->call ? 2 : saved ? 0 : 1);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFSIGNALED (status))
    return WTERMSIG (status);
  return WEXITSTATUS (status);
}

/* The fault at each call in turn, up to the last. */
static void
fail_each (Place *place, DiskFault fault, int error, guint least)
{
  guint n_calls = 0, n_errors = 0;
  for (;; n_calls++) {
    const DiskPlan plan = {.fault = fault, .call = n_calls, .error = error};
    const int said = save_with (place->folder, &plan);
    const guint64 step = load (place->folder);
    if (said == 2) /* there is no such call any more */
      break;
    g_assert_cmpint (said, !=, 3);
    g_assert_true (step == 2 || step == 3);
    if (said == 0)
      g_assert_cmpuint (step, ==, 3);
    n_errors += said != 0;
    g_assert_cmpuint (n_calls, <, MAX_CALLS);
    g_assert_true (sl_checkpoint_remove_all (place->folder, NULL));
  }
  g_test_message ("%u calls, %u of which end the saving", n_calls, n_errors);
  g_assert_cmpuint (n_calls, >=, least);
  g_assert_cmpuint (n_errors, >=, least - 2); /* those that remove old ones may fail */
}

static void
test_killed (Place *place, gconstpointer unused)
{
  fail_each (place, DISK_KILL, 0, 6);
}

static void
test_full (Place *place, gconstpointer unused)
{
  fail_each (place, DISK_FULL, 0, 6);
}

static void
test_errors (Place *place, gconstpointer unused)
{
  static const int errors[] = {EIO, EROFS, EDQUOT, EACCES};
  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    fail_each (place, DISK_ERROR, errors[i], 6);
}

/* Less written than asked for is no fault: the rest follows. EINTR is none either. */
static void
test_short (Place *place, gconstpointer unused)
{
  guint n = 0;
  for (;; n++) {
    const DiskPlan half = {.fault = DISK_SHORT, .call = n, .only = 'w'};
    const int said = save_with (place->folder, &half);
    g_assert_cmpuint (load (place->folder), ==, 3);
    if (said == 2)
      break;
    g_assert_cmpint (said, ==, 0);
    const DiskPlan again = {.fault = DISK_ERROR, .error = EINTR, .call = n, .only = 'w'};
    g_assert_cmpint (save_with (place->folder, &again), ==, 0);
  }
  g_assert_cmpuint (n, >, 0);
}

/* fsync says EIO once: the data may be lost, so nothing takes the new file for good. */
static void
test_sync_fails (Place *place, gconstpointer unused)
{
  const DiskPlan plan = {.fault = DISK_ERROR, .error = EIO, .call = 0, .only = 's'};
  g_assert_cmpint (save_with (place->folder, &plan), ==, 1);
  g_assert_cmpuint (load (place->folder), ==, 2);
}

/* --- power loss --- */

/* What a disk holds: names of files, and of each file what was written and what of it was synced.
 */
typedef struct {
  GHashTable *names; /* char * to number + 1 */
  GByteArray *content[64];
  guint synced[64];
} DiskState;

/* Does what the records say, up to `end`; changes of names only up to `names_end`. */
static void
replay (DiskState *state, const GArray *records, guint end, guint names_end)
{
  for (guint i = 0; i < end; i++) {
    const DiskRecord *record = &g_array_index (records, DiskRecord, i);
    if (record->op == 'w' && record->file >= 0)
      g_byte_array_append (state->content[record->file], g_bytes_get_data (record->content, NULL),
                           (guint)g_bytes_get_size (record->content));
    if (record->op == 's' && record->file >= 0)
      state->synced[record->file] = state->content[record->file]->len;
    if (i >= names_end)
      continue;
    if (record->op == 'c')
      g_hash_table_insert (state->names, g_strdup (record->name),
                           GINT_TO_POINTER (record->file + 1));
    if (record->op == 'u')
      g_hash_table_remove (state->names, record->name);
    if (record->op == 'r') {
      gpointer number = g_hash_table_lookup (state->names, record->name);
      g_hash_table_insert (state->names, g_strdup (record->to), number);
      g_hash_table_remove (state->names, record->name);
    }
  }
}

/* The folder as it is found after the power went behind record `end`: changes of names up to
 * `names_end` are on disk, and of what was not synced in a file `kept` in 1,000. */
static void
lose_power (const char *folder, const GArray *records, guint end, guint names_end, guint kept)
{
  DiskState state = {.names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL)};
  for (guint i = 0; i < G_N_ELEMENTS (state.content); i++)
    state.content[i] = g_byte_array_new ();
  replay (&state, records, end, names_end);
  GHashTableIter iter;
  gpointer name, number;
  g_hash_table_iter_init (&iter, state.names);
  while (g_hash_table_iter_next (&iter, &name, &number)) {
    const int file = GPOINTER_TO_INT (number) - 1;
    const guint synced = state.synced[file];
    const guint n = synced + (state.content[file]->len - synced) * kept / 1000;
    g_autofree char *path = g_build_filename (folder, name, NULL);
    FILE *out = fopen (path, "wb");
    if (n > 0) /* no bytes have no address */
      g_assert_cmpuint (fwrite (state.content[file]->data, 1, n, out), ==, n);
    g_assert_cmpint (fclose (out), ==, 0);
  }
  for (guint i = 0; i < G_N_ELEMENTS (state.content); i++)
    g_byte_array_unref (state.content[i]);
  g_hash_table_unref (state.names);
}

/* The record behind the last sync of the folder before `end`: names up to there are safe. */
static guint
find_synced (const GArray *records, guint end)
{
  for (guint i = end; i > 0; i--)
    if (g_array_index (records, DiskRecord, i - 1).op == 'f')
      return i;
  return 0;
}

static guint64
find_mark (const GArray *records, guint end)
{
  for (guint i = end; i > 0; i--)
    if (g_array_index (records, DiskRecord, i - 1).op == 'm')
      return g_array_index (records, DiskRecord, i - 1).mark;
  return 0;
}

/* Four steps are saved. Whenever the power goes, and whatever of what was not synced is on disk,
 * the newest checkpoint is whole and no older than the last that was said to be saved. */
static void
test_power (Place *place, gconstpointer unused)
{
  const DiskPlan plan = {.keeps = TRUE, .call = MAX_CALLS};
  disk_start (&plan);
  for (guint64 step = 1; step <= 4; step++) {
    g_assert_true (save (place->folder, step, NULL));
    disk_mark (step);
  }
  disk_stop ();
  const GArray *records = disk_get_records ();
  g_assert_cmpuint (records->len, >, 20);
  g_autofree char *after = g_build_filename (place->folder, "after", NULL);
  guint n = 0;
  for (guint end = 0; end <= records->len; end++)
    for (guint names_end = find_synced (records, end); names_end <= end; names_end++)
      for (guint kept = 0; kept <= 1000; kept += 500) {
        g_assert_cmpint (g_mkdir (after, 0755), ==, 0);
        lose_power (after, records, end, names_end, kept);
        const guint64 step = load (after), said = find_mark (records, end);
        g_assert_cmpuint (step, >=, said);
        g_assert_cmpuint (step, <=, said + 1);
        place_remove_tree (after);
        n++;
      }
  g_test_message ("%u ways to lose power", n);
}

/* --- runs --- */

#define RUN \
  "[optimizer]\nname=adam\nrate=0.01\n[split]\nvalidation=0.2\n[train]\nepochs=2\nbatch=52\n"

/* A run, or what is left of one, in another process with the fault; its fingerprint goes to *ret.
 * 0: done, 1: an error of one line, 2: done, and the fault's call never came, 9: killed. */
static int
run_with (Place *place, const DiskPlan *plan, gboolean resume, char **ret)
{
  int ends[2], status;
  char text[65] = "";
  g_assert_cmpint (pipe (ends), ==, 0);
  const pid_t child = fork ();
  if (child == 0) {
    g_autoptr (GError) error = NULL;
    SlFitEnd end;
    g_autoptr (SlRecipe) recipe = place_make_recipe (RUN);
    disk_start (plan);
    SlFit *fit = place_open_run (place, recipe, resume, &error);
    place->stop_at = 0;
    const gboolean good = fit && sl_fit_run (fit, &end, &error);
    const guint n = disk_stop ();
    if (good != !error || (error && (error->domain != SL_ERROR || strchr (error->message, '\n'))))
      _exit (3);
    g_autofree char *sum = good ? place_fingerprint (fit) : NULL;
    if (good && write (ends[1], sum, 64) != 64)
      _exit (3);
    _exit (!good ? 1 : n <= plan->call ? 2 : 0);
  }
  close (ends[1]);
  g_assert_cmpint (read (ends[0], text, 64), >=, 0);
  close (ends[0]);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (ret)
    *ret = g_strdup (text);
  return WIFSIGNALED (status) ? WTERMSIG (status) : WEXITSTATUS (status);
}

/* Interrupted by the fault at call after call, and each time taken up on a good disk: the same end.
 */
static void
interrupt_each (Place *place, DiskFault fault)
{
  const DiskPlan good = {.call = MAX_CALLS};
  g_autofree char *wanted = NULL;
  guint n_ended = 0, call = 0;
  g_assert_cmpint (run_with (place, &good, FALSE, &wanted), ==, 2);
  g_assert_cmpuint (strlen (wanted), ==, 64);
  for (;; call++) {
    g_autofree char *got = NULL;
    const DiskPlan plan = {.fault = fault, .call = call};
    const int said = run_with (place, &plan, FALSE, NULL);
    if (said == 2)
      break;
    g_assert_cmpint (said, !=, 3);
    n_ended += said != 0;
    g_assert_cmpint (run_with (place, &good, TRUE, &got), ==, 2);
    g_assert_cmpstr (got, ==, wanted);
    g_assert_cmpuint (call, <, MAX_CALLS);
  }
  g_test_message ("%u calls, at %u of which the run ended", call, n_ended);
  g_assert_cmpuint (n_ended, >, 20);
}

static void
test_run_killed (Place *place, gconstpointer unused)
{
  interrupt_each (place, DISK_KILL);
}

static void
test_run_full (Place *place, gconstpointer unused)
{
  interrupt_each (place, DISK_FULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) \
  g_test_add ("/train/disk-faults/" name, Place, NULL, place_set_up, test, place_tear_down)
  ADD ("killed", test_killed);
  ADD ("full", test_full);
  ADD ("errors", test_errors);
  ADD ("short", test_short);
  ADD ("sync-fails", test_sync_fails);
  ADD ("power", test_power);
  ADD ("run-killed", test_run_killed);
  ADD ("run-full", test_run_full);
  return g_test_run ();
}
