/* Runs a fuzz target without a fuzzer.
 *
 *   replay-TARGET [GTESTOPTION…]       its seeds, the inputs in $FUZZ_CORPUS (one file each: what
 *                                      once went wrong), and damaged copies of the seeds
 *   replay-TARGET --write FOLDER DICT  writes the seeds and the dictionary
 *   replay-TARGET --run FILE…          runs these inputs
 *
 * $FUZZ_SEEDERS: programs, separated by ";", that write more seeds into the folder that
 * SIGHTLINE_SEEDS names. */
#include "fuzz.h"

#include <glib/gstdio.h>

#include <string.h>

static void
run (const void *data, gsize size)
{
  /* A copy of exactly this size, so that a sanitizer sees a byte read too far. */
  g_autofree uint8_t *copy = g_memdup2 (data, size);
  LLVMFuzzerTestOneInput (copy, size);
}

static gboolean
run_file (const char *path)
{
  g_autofree char *data = NULL;
  gsize size;
  if (!g_file_get_contents (path, &data, &size, NULL))
    return FALSE;
  run (data, size);
  return TRUE;
}

/* Calls for each file of a folder; returns how many there are. */
static guint
each_file (const char *folder, void (*call) (const char *path))
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  guint n = 0;
  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL; n++) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    call (path);
  }
  if (dir != NULL)
    g_dir_close (dir);
  return n;
}

static void
replay (const char *path)
{
  g_test_message ("%s", path);
  g_assert_true (run_file (path));
}

static void
discard (const char *path)
{
  g_assert_cmpint (g_unlink (path), ==, 0);
}

static void
test_seeds (void)
{
  guint n = 0;
  for (GByteArray *seed; (seed = fuzz_seed (n)) != NULL; n++) {
    run (seed->data, seed->len);
    g_byte_array_unref (seed);
  }
  g_assert_cmpuint (n, >, 0);
}

/* Every input that was ever found to break something. */
static void
test_corpus (void)
{
  const char *corpus = g_getenv ("FUZZ_CORPUS");
  if (corpus == NULL || each_file (corpus, replay) == 0)
    g_test_skip ("nothing is in $FUZZ_CORPUS");
}

/* Lets the seeders write into `folder`. */
static void
run_seeders (const char *folder)
{
  const char *list = g_getenv ("FUZZ_SEEDERS");
  g_auto (GStrv) programs = g_strsplit (list != NULL ? list : "", ";", -1);
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "SIGHTLINE_SEEDS", folder, TRUE);
  for (char **program = programs; *program != NULL && **program != '\0'; program++) {
    char *argv[] = {*program, NULL};
    GError *error = NULL;
    int status;
    g_spawn_sync (NULL, argv, environment, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                  &status, &error);
    if (error != NULL || !g_spawn_check_wait_status (status, &error))
      g_error ("%s: %s", *program, error->message);
  }
}

static void
test_seeders (void)
{
  const char *list = g_getenv ("FUZZ_SEEDERS");
  if (list == NULL || list[0] == '\0') {
    g_test_skip ("$FUZZ_SEEDERS names no programs");
    return;
  }
  g_autofree char *folder = g_dir_make_tmp ("sightline-seeds-XXXXXX", NULL);
  g_assert_nonnull (folder);
  run_seeders (folder);
  const guint n = each_file (folder, replay);
  g_test_message ("%u inputs", n);
  g_assert_cmpuint (n, >, 0);
  each_file (folder, discard);
  g_rmdir (folder);
}

/* Bytes of a seed changed, cut out, doubled. */
static void
damage (GByteArray *seed)
{
  for (int n = g_test_rand_int_range (1, 5); n > 0 && seed->len > 0; n--) {
    const guint at = (guint)g_test_rand_int_range (0, (gint)seed->len);
    const guint length = (guint)g_test_rand_int_range (0, (gint)MIN (seed->len - at, 32) + 1);
    const guint to = (guint)g_test_rand_int_range (0, (gint)(seed->len - length) + 1);
    switch (g_test_rand_int_range (0, 4)) {
    case 0:
      seed->data[at] ^= (guint8)(1 << g_test_rand_int_range (0, 8));
      break;
    case 1:
      seed->data[at] = (guint8)g_test_rand_int_range (0, 256);
      break;
    case 2:
      g_byte_array_remove_range (seed, at, length);
      break;
    default:
      memmove (seed->data + to, seed->data + at, length);
      break;
    }
  }
}

static void
test_damaged (void)
{
  enum { ROUNDS = 1000 };
  for (unsigned i = 0; i < ROUNDS; i++) {
    GByteArray *seed = NULL;
    for (unsigned index = i; (seed = fuzz_seed (index)) == NULL; index /= 2)
      ;
    damage (seed);
    run (seed->data, seed->len);
    g_byte_array_unref (seed);
  }
}

static int
write_all (const char *folder, const char *dictionary)
{
  g_autoptr (GString) words = g_string_new (NULL);
  for (unsigned i = 0;; i++) {
    g_autoptr (GByteArray) seed = fuzz_seed (i);
    if (seed == NULL)
      break;
    g_autofree char *path = g_strdup_printf ("%s/seed-%u", folder, i);
    if (!g_file_set_contents (path, (const char *)seed->data, seed->len, NULL))
      return 1;
  }
  run_seeders (folder);
  fuzz_dictionary (words);
  return !g_file_set_contents (dictionary, words->str, (gssize)words->len, NULL);
}

int
main (int argc, char **argv)
{
  if (argc == 4 && strcmp (argv[1], "--write") == 0)
    return write_all (argv[2], argv[3]);
  if (argc > 2 && strcmp (argv[1], "--run") == 0) {
    for (int i = 2; i < argc; i++)
      if (!run_file (argv[i]))
        return 1;
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fuzz/" TARGET "/seeds", test_seeds);
  g_test_add_func ("/fuzz/" TARGET "/seeders", test_seeders);
  g_test_add_func ("/fuzz/" TARGET "/corpus", test_corpus);
  g_test_add_func ("/fuzz/" TARGET "/damaged", test_damaged);
  return g_test_run ();
}
