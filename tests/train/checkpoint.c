/* Whatever happens to a checkpoint's file, loading gives what was written, or says that it is
 * damaged. */
#include <sightline/checkpoint.h>

#include <glib/gstdio.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WEIGHTS 1000

typedef struct {
  char *folder, *path;
} Place;

static void
set_up (Place *place, gconstpointer unused)
{
  place->folder = g_dir_make_tmp ("sightline-checkpoint-XXXXXX", NULL);
  place->path = g_build_filename (place->folder, "x", NULL);
}

static guint
empty (const char *folder)
{
  guint n = 0;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name (dir)); n++) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_remove (path);
  }
  return n;
}

static void
tear_down (Place *place, gconstpointer unused)
{
  empty (place->folder);
  g_rmdir (place->folder);
  g_free (place->folder);
  g_free (place->path);
}

/* A checkpoint all of whose content follows from `step`, with `n` weights. */
static SlCheckpoint *
make (guint64 step, guint n)
{
  SlCheckpoint *checkpoint = sl_checkpoint_new ();
  g_autoptr (SlTensor) tensor = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (n), NULL);
  g_autoptr (SlTensor) moments = sl_tensor_new (SL_FLOAT64, &SL_SHAPE (3, 1), NULL);
  for (guint i = 0; i < n; i++)
    ((float *)sl_tensor_get_data_writable (tensor))[i] = (float)step + (float)i;
  sl_checkpoint_set_int (checkpoint, "step", (gint64)step);
  sl_checkpoint_set_double (checkpoint, "loss", 1.0 / (double)(step + 3));
  sl_checkpoint_set_text (checkpoint, "recipe", "[train]\n");
  sl_checkpoint_set_text (checkpoint, "empty", "");
  sl_checkpoint_set_tensor (checkpoint, "conv1.weight", tensor);
  sl_checkpoint_set_tensor (checkpoint, "moments", moments);
  return checkpoint;
}

static guint64
check (SlCheckpoint *checkpoint, guint n)
{
  gint64 step;
  double loss;
  g_assert_true (sl_checkpoint_get_int (checkpoint, "step", &step, NULL));
  g_assert_true (sl_checkpoint_get_double (checkpoint, "loss", &loss, NULL));
  g_assert_cmpfloat (loss, ==, 1.0 / (double)(step + 3));
  g_assert_cmpstr (sl_checkpoint_get_text (checkpoint, "recipe"), ==, "[train]\n");
  g_assert_cmpstr (sl_checkpoint_get_text (checkpoint, "empty"), ==, "");
  SlTensor *tensor = sl_checkpoint_get_tensor (checkpoint, "conv1.weight");
  g_assert_true (sl_shape_equal (sl_tensor_get_shape (tensor), &SL_SHAPE (n)));
  for (guint i = 0; i < n; i++)
    g_assert_cmpfloat (((const float *)sl_tensor_get_data (tensor))[i], ==, (float)step + (float)i);
  g_assert_cmpuint (sl_tensor_get_elements (sl_checkpoint_get_tensor (checkpoint, "moments")), ==,
                    3);
  return (guint64)step;
}

static void
test_round_trip (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlCheckpoint) checkpoint = make (7, WEIGHTS);
  g_assert_true (sl_checkpoint_save (checkpoint, place->path, &error));
  g_autoptr (SlCheckpoint) again = sl_checkpoint_load (place->path, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (check (again, WEIGHTS), ==, 7);
  g_assert_cmpstr (sl_checkpoint_get_name (again, 0), ==, "step");
  g_assert_null (sl_checkpoint_get_name (again, 6));
  g_assert_null (sl_checkpoint_get_text (again, "moments"));
  g_assert_null (sl_checkpoint_get_tensor (again, "recipe"));

  gint64 number;
  g_assert_false (sl_checkpoint_get_int (again, "recipe", &number, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
  g_clear_error (&error);
  g_assert_null (sl_checkpoint_load (place->path, 100, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_LIMIT);

  /* What is set again is replaced. */
  sl_checkpoint_set_text (again, "recipe", "other");
  g_assert_cmpstr (sl_checkpoint_get_text (again, "recipe"), ==, "other");
}

/* Not g_file_set_contents(), which syncs: thousands of files are written here. */
static void
put (const char *path, const void *data, gsize length)
{
  FILE *file = fopen (path, "wb");
  g_assert_cmpuint (fwrite (data, 1, length, file), ==, length);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
assert_damaged (const Place *place, const char *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  put (place->path, data, length);
  g_assert_null (sl_checkpoint_load (place->path, 0, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
  g_assert_true (g_str_has_prefix (error->message, place->path));
  g_assert_null (strchr (error->message, '\n'));
}

/* Every length, every byte, and bytes behind the end. */
static void
test_damage (Place *place, gconstpointer unused)
{
  gsize length;
  g_autofree char *data = NULL;
  g_autoptr (SlCheckpoint) checkpoint = make (7, 20);
  g_assert_true (sl_checkpoint_save (checkpoint, place->path, NULL));
  g_assert_true (g_file_get_contents (place->path, &data, &length, NULL));
  for (gsize n = 0; n < length; n++)
    assert_damaged (place, data, n);
  for (gsize i = 0; i < length; i++) {
    const char flipped = (char)(1 << g_test_rand_int_range (0, 8));
    data[i] ^= flipped;
    assert_damaged (place, data, length);
    data[i] ^= flipped;
  }
  g_autofree char *longer = g_malloc0 (length + 64);
  memcpy (longer, data, length);
  assert_damaged (place, longer, length + 1);
  assert_damaged (place, longer, length + 64);
  put (place->path, data, length);
  g_autoptr (SlCheckpoint) undone = sl_checkpoint_load (place->path, 0, NULL);
  g_assert_cmpuint (check (undone, 20), ==, 7);
}

static void
resign (guint8 *data, gsize length)
{
  gsize size = 32;
  guint8 digest[32];
  g_autoptr (GChecksum) body = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (body, data + 64, (gssize)length - 64);
  g_checksum_get_digest (body, data + 24, &size);
  g_autoptr (GChecksum) head = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (head, data, 56);
  g_checksum_get_digest (head, digest, &size);
  memcpy (data + 56, digest, 8);
}

/* Bytes changed by somebody who makes the checksums right: what is in the file is not believed. */
static void
test_forged (Place *place, gconstpointer unused)
{
  gsize length;
  g_autofree char *data = NULL;
  guint refused = 0;
  g_autoptr (SlCheckpoint) checkpoint = make (7, 3);
  g_assert_true (sl_checkpoint_save (checkpoint, place->path, NULL));
  g_assert_true (g_file_get_contents (place->path, &data, &length, NULL));
  for (gsize i = 8; i < length; i++)
    for (guint bit = 0; bit < 8; bit += 7) {
      g_autoptr (GError) error = NULL;
      g_autofree guint8 *forged = g_memdup2 (data, length);
      forged[i] ^= (guint8)(1 << bit);
      resign (forged, length);
      put (place->path, forged, length);
      g_autoptr (SlCheckpoint) loaded = sl_checkpoint_load (place->path, 0, &error);
      g_assert_true (!loaded == !!error);
      refused += !loaded;
    }
  g_assert_cmpuint (refused, >, 100);

  data[8] = 2; /* the version */
  resign ((guint8 *)data, length);
  g_autoptr (GError) error = NULL;
  put (place->path, data, length);
  g_assert_null (sl_checkpoint_load (place->path, 0, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
}

static void
count_note (void *data, const char *text)
{
  g_assert_nonnull (strstr (text, "damaged"));
  ++*(guint *)data;
}

static void
test_folder (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  guint notes = 0;
  char *from = NULL;
  g_assert_null (sl_checkpoint_load_newest (place->folder, count_note, &notes, &from, &error));
  g_assert_no_error (error);

  for (guint64 step = 8; step <= 12; step++) {
    g_autoptr (SlCheckpoint) checkpoint = make (step, WEIGHTS);
    g_assert_true (sl_checkpoint_save_step (checkpoint, place->folder, step, &error));
  }
  g_autoptr (SlCheckpoint) newest =
      sl_checkpoint_load_newest (place->folder, count_note, &notes, &from, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (check (newest, WEIGHTS), ==, 12);
  g_assert_cmpuint (notes, ==, 0);

  /* The newest is damaged: the one before it, and that is said. */
  g_assert_true (g_str_has_suffix (from, "checkpoint-000000000012"));
  g_assert_cmpint (truncate (from, 1000), ==, 0);
  g_free (from);
  g_autoptr (SlCheckpoint) older =
      sl_checkpoint_load_newest (place->folder, count_note, &notes, &from, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (check (older, WEIGHTS), ==, 11);
  g_assert_cmpuint (notes, ==, 1);
  g_assert_cmpint (truncate (from, 1000), ==, 0);
  g_free (from);
  g_assert_null (sl_checkpoint_load_newest (place->folder, count_note, &notes, &from, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
  g_assert_cmpuint (empty (place->folder), ==, 2);
}

static guint
count_temporary (const char *folder)
{
  guint n = 0;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name (dir));)
    n += g_str_has_suffix (name, ".tmp");
  return n;
}

/* A child saves one step after the other until it is killed at a random moment; the newest
 * checkpoint is whole, and no older than what the child had said was saved. */
static void
test_kill (Place *place, gconstpointer unused)
{
  guint64 last = 0, killed_within = 0;
  for (guint round = 0; round < 50; round++) {
    int ends[2];
    g_assert_cmpint (pipe (ends), ==, 0);
    pid_t child = fork ();
    if (child == 0) {
      for (guint64 step = last + 1;; step++) {
        SlCheckpoint *checkpoint = make (step, 100 * WEIGHTS);
        if (!sl_checkpoint_save_step (checkpoint, place->folder, step, NULL) ||
            write (ends[1], &step, sizeof step) != sizeof step)
          _exit (1);
        sl_checkpoint_free (checkpoint);
      }
    }
    close (ends[1]);
    g_assert_cmpint (read (ends[0], &last, sizeof last), ==, sizeof last);
    g_usleep ((gulong)g_test_rand_int_range (0, 12000));
    kill (child, SIGKILL);
    for (guint64 step; read (ends[0], &step, sizeof step) == sizeof step;)
      last = step;
    close (ends[0]);
    waitpid (child, NULL, 0);

    g_autoptr (GError) error = NULL;
    g_autofree char *from = NULL;
    guint notes = 0;
    g_autoptr (SlCheckpoint) newest =
        sl_checkpoint_load_newest (place->folder, count_note, &notes, &from, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (notes, ==, 0);
    guint64 step = check (newest, 100 * WEIGHTS);
    g_assert_cmpuint (step, >=, last);
    g_assert_cmpuint (step, <=, last + 1);
    killed_within += count_temporary (place->folder) > 0;
    last = step;
  }
  /* What killed writers left behind goes with the next one that is saved. */
  g_autoptr (SlCheckpoint) checkpoint = make (last + 1, 1);
  g_assert_true (sl_checkpoint_save_step (checkpoint, place->folder, last + 1, NULL));
  g_assert_cmpuint (count_temporary (place->folder), ==, 0);
  g_test_message ("%" G_GUINT64_FORMAT " of 50 were killed while they wrote", killed_within);
  g_assert_cmpuint (killed_within, >, 0); /* else nothing was tried */
}

/* No room from byte k on, for several k: an error, and what was there before is there still. */
static void
test_full (Place *place, gconstpointer unused)
{
  g_autoptr (SlCheckpoint) before = make (1, WEIGHTS);
  g_autoptr (SlCheckpoint) after = make (2, 10 * WEIGHTS);
  g_assert_true (sl_checkpoint_save_step (before, place->folder, 1, NULL));
  for (rlim_t room = 0; room < 40000; room += 1999) {
    pid_t child = fork ();
    if (child == 0) {
      g_autoptr (GError) error = NULL;
      const struct rlimit limit = {room, room};
      signal (SIGXFSZ, SIG_IGN);
      if (setrlimit (RLIMIT_FSIZE, &limit) < 0)
        _exit (2);
      gboolean saved = sl_checkpoint_save_step (after, place->folder, 2, &error);
      _exit (!saved && g_error_matches (error, SL_ERROR, SL_ERROR_IO) ? 0 : 1);
    }
    int status;
    waitpid (child, &status, 0);
    g_assert_true (WIFEXITED (status));
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
    g_autofree char *from = NULL;
    g_autoptr (SlCheckpoint) newest =
        sl_checkpoint_load_newest (place->folder, NULL, NULL, &from, NULL);
    g_assert_cmpuint (check (newest, WEIGHTS), ==, 1);
  }
  g_assert_cmpuint (empty (place->folder), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) g_test_add ("/train/checkpoint/" name, Place, NULL, set_up, test, tear_down)
  ADD ("round-trip", test_round_trip);
  ADD ("damage", test_damage);
  ADD ("forged", test_forged);
  ADD ("folder", test_folder);
  ADD ("kill", test_kill);
  ADD ("full", test_full);
  return g_test_run ();
}
