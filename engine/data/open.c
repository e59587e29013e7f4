#include "core/file.h"
#include "core/text.h"

#include <sightline/dataset.h>

#include <string.h>

/* Most bytes of a file of class names. */
#define MAX_NAMES_BYTES (1 << 20)
#define MAX_FILES 5

const char *
sl_data_part_get_name (SlDataPart part)
{
  static const char *const names[SL_PART_COUNT] = {"train", "val", "test"};
  g_return_val_if_fail ((unsigned)part < SL_PART_COUNT, NULL);
  return names[part];
}

/* Files that a known data set consists of; NULL where it has no such part. */
typedef struct KnownSet {
  const char *parts[SL_PART_COUNT][MAX_FILES + 1];
  gboolean idx; /* a file of pictures and one of labels; else CIFAR-10's records */
} KnownSet;

static const KnownSet known_sets[] = {
    {.idx = TRUE,
     .parts = {[SL_PART_TRAIN] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
               [SL_PART_TEST] = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}}},
    {.idx = TRUE,
     .parts = {[SL_PART_TRAIN] = {"train-images.idx3-ubyte", "train-labels.idx1-ubyte"},
               [SL_PART_TEST] = {"t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"}}},
    {.parts = {[SL_PART_TRAIN] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                  "data_batch_4.bin", "data_batch_5.bin"},
               [SL_PART_TEST] = {"test_batch.bin"}}},
};

/* The path of folder/name or folder/name.gz, whichever exists; NULL if none does. A link that leads
 * nowhere is a file that cannot be read, not one that is missing. */
static char *
find_file (const char *folder, const char *name)
{
  const GFileTest there = G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK;
  char *path = g_build_filename (folder, name, NULL);
  if (g_file_test (path, there))
    return path;
  g_autofree char *plain = path;
  path = g_strconcat (plain, ".gz", NULL);
  if (!g_file_test (path, there))
    g_clear_pointer (&path, g_free);
  return path;
}

/* The paths of a part's files into `paths`; returns how many of them are there. */
static guint
find_files (const char *folder, const char *const *names, char **paths)
{
  guint n = 0;
  for (guint f = 0; names[f]; f++)
    n += (paths[f] = find_file (folder, names[f])) != NULL;
  return n;
}

/* The set whose first file of any part is there, or NULL. */
static const KnownSet *
recognize (const char *folder)
{
  for (gsize i = 0; i < G_N_ELEMENTS (known_sets); i++)
    for (unsigned part = 0; part < SL_PART_COUNT; part++) {
      const char *first = known_sets[i].parts[part][0];
      g_autofree char *path = first ? find_file (folder, first) : NULL;
      if (path)
        return &known_sets[i];
    }
  return NULL;
}

/* Class names that lie beside the files, into *ret_names (NULL where there are none). */
static gboolean
read_names (const char *folder, char ***ret_names, GError **error)
{
  static const char *const files[] = {"labels.txt", "batches.meta.txt"};
  *ret_names = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (files) && !*ret_names; i++) {
    g_autofree char *path = g_build_filename (folder, files[i], NULL);
    if (!g_file_test (path, G_FILE_TEST_EXISTS))
      continue;
    gsize length;
    g_autoptr (GBytes) bytes = sl_file_read (path, MAX_NAMES_BYTES, error);
    if (!bytes)
      return FALSE;
    const char *text = g_bytes_get_data (bytes, &length);
    g_autoptr (GPtrArray) names = g_ptr_array_new ();
    g_autofree char *copy = g_strndup (text, length);
    g_auto (GStrv) lines = g_strsplit (copy, "\n", -1);
    for (char **line = lines; *line; line++)
      if (g_strstrip (*line)[0])
        g_ptr_array_add (names, sl_text_on_one_line (*line));
    g_ptr_array_add (names, NULL);
    *ret_names = (char **)g_ptr_array_free (g_steal_pointer (&names), FALSE);
  }
  return TRUE;
}

/* The part of these files, each of which has to be there. */
static SlSampleSource *
open_files (const KnownSet *set, const char *folder, const char *const *files,
            const char *const *paths, GError **error)
{
  g_auto (GStrv) names = NULL;
  for (guint f = 0; files[f]; f++)
    if (!paths[f]) {
      g_autofree char *shown = sl_text_on_one_line (folder);
      g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s: lacks %s (expected it beside the others)",
                   shown, files[f]);
      return NULL;
    }
  if (!read_names (folder, &names, error))
    return NULL;
  return set->idx ? sl_idx_source_new (paths[0], paths[1], (const char *const *)names, error)
                  : sl_cifar10_source_new (paths, (const char *const *)names, error);
}

SlSampleSource *
sl_sample_source_open (const char *folder, SlDataPart part, GError **error)
{
  g_return_val_if_fail (folder && (unsigned)part < SL_PART_COUNT, NULL);
  g_autofree char *shown = sl_text_on_one_line (folder);
  const KnownSet *set = recognize (folder);
  if (!set) {
    g_set_error (
        error, SL_ERROR, SL_ERROR_UNSUPPORTED,
        "%s: holds no data set in IDX files or CIFAR-10's binary form (expected %s and its kin)",
        shown, known_sets[0].parts[SL_PART_TRAIN][0]);
    return NULL;
  }
  char *paths[MAX_FILES + 1] = {NULL};
  SlSampleSource *source = NULL;
  const char *const *files = set->parts[part];
  if (find_files (folder, files, paths) == 0)
    g_set_error (error, SL_ERROR, SL_ERROR_NOT_FOUND,
                 "%s: has no '%s' part (expected to be asked for another)", shown,
                 sl_data_part_get_name (part));
  else
    source = open_files (set, folder, files, (const char *const *)paths, error);
  for (guint f = 0; f < MAX_FILES; f++)
    g_free (paths[f]);
  return source;
}
