#include "sample-list.h"

#include "sample-archive.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Folders inside folders. */
#define MAX_DEPTH 16
#define MAX_FILES 20000000u

static const char *const picture_suffixes[] = {"jpg",  "jpeg", "png", "bmp", "gif", "tif",
                                               "tiff", "webp", "pnm", "ppm", "pgm", NULL};
static const char *const clip_suffixes[] = {
    "3gp",  "asf", "avi",   "flv",  "h264", "h265", "264",  "265",  "ivf",
    "m2ts", "m4v", "mjpeg", "mjpg", "mkv",  "mov",  "mp4",  "mpeg", "mpg",
    "mts",  "mxf", "ogg",   "ogv",  "ts",   "vob",  "webm", "wmv",  NULL,
};

/* Names of the parts' folders, by part. */
static const char *const part_names[SL_PART_COUNT][4] = {
    [SL_PART_TRAIN] = {"train", "training"},
    [SL_PART_VALIDATION] = {"val", "valid", "validation"},
    [SL_PART_TEST] = {"test", "testing"},
};

static gboolean
has_suffix (const char *name, const char *const *suffixes)
{
  const char *dot = strrchr (name, '.');
  g_autofree char *suffix = dot ? g_ascii_strdown (dot + 1, -1) : NULL;
  return suffix && g_strv_contains (suffixes, suffix);
}

static void
clear_file (gpointer data)
{
  SlSampleFile *file = data;
  g_free (file->name);
  g_free (file->problem);
  g_clear_pointer (&file->bytes, g_bytes_unref);
}

/* Takes the name, the bytes and the problem, all of which may be NULL but the name. */
static void
add_file (SlSampleList *list, char *name, GBytes *bytes, char *problem)
{
  SlSampleFile file = {.name = name, .bytes = bytes, .problem = problem};
  const char *base = strrchr (name, '/') ? strrchr (name, '/') + 1 : name;
  file.clip = has_suffix (base, clip_suffixes);
  if (base[0] != '.' && (file.clip || has_suffix (base, picture_suffixes))) {
    g_array_append_val (list->files, file);
    return;
  }
  list->n_ignored += base[0] != '.';
  clear_file (&file);
}

/* --- folders --- */

static gboolean
add_folder (SlSampleList *list, const char *path, const char *name, guint depth, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, error);
  if (!dir)
    return FALSE;
  for (const char *entry = g_dir_read_name (dir); entry; entry = g_dir_read_name (dir)) {
    g_autofree char *inner = g_build_filename (path, entry, NULL);
    g_autofree char *shown = name ? g_strconcat (name, "/", entry, NULL) : g_strdup (entry);
    GStatBuf status;
    if (entry[0] == '.' || list->files->len >= MAX_FILES || g_lstat (inner, &status) != 0)
      continue;
    if (S_ISDIR (status.st_mode)) {
      g_autoptr (GError) problem = NULL;
      if (depth < MAX_DEPTH)
        add_folder (list, inner, shown, depth + 1, &problem);
      if (problem) {
        const SlSampleFile unread = {.name = g_strconcat (shown, "/", NULL),
                                     .problem = g_strdup (problem->message)};
        g_array_append_val (list->files, unread);
      }
    } else {
      add_file (list, g_steal_pointer (&shown), NULL, NULL);
    }
  }
  return TRUE;
}

/* --- what the names say --- */

/* The part whose folder is called so; SL_PART_COUNT if none is. */
static SlDataPart
find_part (const char *name, gsize length)
{
  for (unsigned part = 0; part < SL_PART_COUNT; part++)
    for (gsize i = 0; i < G_N_ELEMENTS (part_names[part]) && part_names[part][i]; i++)
      if (strlen (part_names[part][i]) == length &&
          g_ascii_strncasecmp (name, part_names[part][i], length) == 0)
        return part;
  return SL_PART_COUNT;
}

static int
compare_files (gconstpointer a, gconstpointer b)
{
  return strcmp (((const SlSampleFile *)a)->name, ((const SlSampleFile *)b)->name);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* How many of the names' first bytes to pass over in an archive: folders that all are in, as long
 * as a class is left. */
static gsize
find_common_folder (const GArray *files)
{
  gsize skip = 0;
  for (;;) {
    const char *first = g_array_index (files, SlSampleFile, 0).name + skip;
    const char *end = strchr (first, '/');
    if (!end || find_part (first, (gsize)(end - first)) != SL_PART_COUNT)
      return skip;
    gsize length = (gsize)(end - first) + 1;
    for (guint i = 0; i < files->len; i++) {
      const char *name = g_array_index (files, SlSampleFile, i).name + skip;
      if (strncmp (name, first, length) != 0 || !strchr (name + length, '/'))
        return skip;
    }
    skip += length;
  }
}

/* Whether one of the folders at the top is a part's. */
static gboolean
find_parts (const GArray *files, gsize skip)
{
  for (guint i = 0; i < files->len; i++) {
    const char *name = g_array_index (files, SlSampleFile, i).name + skip;
    const char *end = strchr (name, '/');
    if (end && strchr (end + 1, '/') && find_part (name, (gsize)(end - name)) != SL_PART_COUNT)
      return TRUE;
  }
  return FALSE;
}

/* Where a file's class begins, or NULL if it is in none; sets its part. */
static const char *
find_class (const SlSampleList *list, SlSampleFile *file, gsize skip)
{
  const char *name = file->name + skip, *end = strchr (name, '/');
  file->part = SL_PART_TRAIN;
  if (!list->parted || !end)
    return end ? name : NULL;
  file->part = find_part (name, (gsize)(end - name));
  return file->part != SL_PART_COUNT && strchr (end + 1, '/') ? end + 1 : NULL;
}

/* A number for the folders between class and file, or for the clip itself. */
static guint32
find_session (GHashTable *sessions, const SlSampleFile *file, const char *class_name)
{
  const char *inner = strchr (class_name, '/') + 1, *last = strrchr (inner, '/');
  g_autofree char *key = file->clip ? g_strdup (file->name)
                         : last     ? g_strndup (inner, (gsize)(last - inner) + 1)
                                    : NULL;
  if (!key)
    return 0;
  guint32 number = GPOINTER_TO_UINT (g_hash_table_lookup (sessions, key));
  if (!number) {
    number = g_hash_table_size (sessions) + 1;
    g_hash_table_insert (sessions, g_steal_pointer (&key), GUINT_TO_POINTER (number));
  }
  return number;
}

/* A part's folder that cannot be read is no part that is not there. */
static void
take_problem (SlSampleList *list, SlSampleFile *file)
{
  g_free (list->problems[file->part]);
  list->problems[file->part] = g_steal_pointer (&file->problem);
}

static void
label_files (SlSampleList *list, gsize skip)
{
  g_autoptr (GHashTable) labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) sessions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n = 0;
  for (guint i = 0; i < list->files->len; i++) {
    SlSampleFile *file = &g_array_index (list->files, SlSampleFile, i);
    const char *name = find_class (list, file, skip);
    if (!name) {
      if (file->problem && list->parted && file->part != SL_PART_COUNT)
        take_problem (list, file);
      else
        list->n_ignored++;
      clear_file (file);
      continue;
    }
    g_hash_table_add (labels, g_strndup (name, strcspn (name, "/")));
    file->session = find_session (sessions, file, name);
    SlSampleFile *to = &g_array_index (list->files, SlSampleFile, n++);
    if (to != file)
      *to = *file;
  }
  /* what is behind has been moved or cleared */
  g_array_set_clear_func (list->files, NULL);
  g_array_set_size (list->files, n);
  g_array_set_clear_func (list->files, clear_file);

  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init (&iter, labels);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (names, g_strdup (key));
  g_ptr_array_sort (names, compare_strings);
  for (guint c = 0; c < names->len; c++)
    g_hash_table_insert (labels, g_strdup (names->pdata[c]), GUINT_TO_POINTER (c));
  g_ptr_array_add (names, NULL);
  list->classes = (char **)g_ptr_array_free (g_steal_pointer (&names), FALSE);
  for (guint i = 0; i < n; i++) {
    SlSampleFile *file = &g_array_index (list->files, SlSampleFile, i);
    const char *name = find_class (list, file, skip);
    g_autofree char *class_name = g_strndup (name, strcspn (name, "/"));
    file->label = GPOINTER_TO_UINT (g_hash_table_lookup (labels, class_name));
  }
}

/* --- clips that are there twice --- */

/* SHA-256 of a file's bytes; NULL if it cannot be read. */
static char *
hash_file (const char *path)
{
  guint8 block[65536];
  FILE *file = fopen (path, "rb");
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize n;
  if (!file)
    return NULL;
  while ((n = fread (block, 1, sizeof block, file)) > 0)
    g_checksum_update (sum, block, (gssize)n);
  const gboolean whole = !ferror (file);
  fclose (file);
  return whole ? g_strdup (g_checksum_get_string (sum)) : NULL;
}

/* Clips with the same bytes are one session, whatever they are called: else a copy's frames would
 * validate what its original's taught. Only those of one size are read. */
static void
join_copies (SlSampleList *list)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GHashTable) sessions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree gint64 *sizes = g_new0 (gint64, list->files->len);
  for (guint i = 0; i < list->files->len; i++) {
    const SlSampleFile *file = &g_array_index (list->files, SlSampleFile, i);
    g_autofree char *path = g_build_filename (list->root, file->name, NULL);
    GStatBuf status;
    if (!file->clip || list->archive || g_stat (path, &status) != 0 || !S_ISREG (status.st_mode))
      continue;
    sizes[i] = status.st_size;
    const guint n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, &sizes[i]));
    g_hash_table_insert (counts, g_memdup2 (&sizes[i], sizeof sizes[i]), GUINT_TO_POINTER (n + 1));
  }
  for (guint i = 0; i < list->files->len; i++) {
    SlSampleFile *file = &g_array_index (list->files, SlSampleFile, i);
    if (GPOINTER_TO_UINT (g_hash_table_lookup (counts, &sizes[i])) < 2)
      continue;
    g_autofree char *path = g_build_filename (list->root, file->name, NULL);
    char *hash = hash_file (path);
    gpointer session = hash ? g_hash_table_lookup (sessions, hash) : NULL;
    if (session) {
      file->session = GPOINTER_TO_UINT (session);
      g_free (hash);
    } else if (hash) {
      g_hash_table_insert (sessions, hash, GUINT_TO_POINTER (file->session));
    }
  }
}

/* --- the list --- */

static void
add_entry (void *data, char *name, GBytes *bytes, char *problem)
{
  add_file (data, name, bytes, problem);
}

/* The one archive in a folder, as data sets are often kept; NULL where there are none or several.
 */
static char *
find_only_archive (const char *folder)
{
  static const char *const suffixes[] = {".tar",     ".tgz",    ".tbz2",    ".txz",
                                         ".tar.bz2", ".tar.gz", ".tar.zst", ".tar.xz"};
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autofree char *found = NULL;
  for (const char *name; dir && (name = g_dir_read_name (dir));)
    for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++) {
      if (name[0] == '.' || !g_str_has_suffix (name, suffixes[i]))
        continue;
      if (found)
        return NULL;
      found = g_build_filename (folder, name, NULL);
    }
  return g_steal_pointer (&found);
}

SlSampleList *
sl_sample_list_new (const char *path, GError **error)
{
  g_autoptr (SlSampleList) list = g_new0 (SlSampleList, 1);
  gboolean folder = g_file_test (path, G_FILE_TEST_IS_DIR);
  list->root = g_strdup (path);
  list->archive = !folder;
  list->files = g_array_new (FALSE, FALSE, sizeof (SlSampleFile));
  g_array_set_clear_func (list->files, clear_file);
  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_autofree char *missing = g_filename_display_name (path);
    g_set_error (error, SL_ERROR, SL_ERROR_IO,
                 "%s: is not there (expected a folder, or a tar archive)", missing);
    return NULL;
  }
  if (!(folder ? add_folder (list, path, NULL, 0, error)
               : sl_sample_archive_read (path, add_entry, list, error)))
    return NULL;

  g_array_sort (list->files, compare_files);
  gsize skip = !folder && list->files->len ? find_common_folder (list->files) : 0;
  list->parted = find_parts (list->files, skip);
  label_files (list, skip);
  join_copies (list);
  if (list->files->len)
    return g_steal_pointer (&list);
  g_autofree char *archive = folder ? find_only_archive (path) : NULL;
  if (archive)
    return sl_sample_list_new (archive, error);
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SL_ERROR, SL_ERROR_IO,
               "%s: holds no pictures in folders by class (expected CLASS/picture.jpg, "
               "train/CLASS/picture.jpg, or one tar archive of them)",
               shown);
  return NULL;
}

void
sl_sample_list_free (SlSampleList *list)
{
  if (!list)
    return;
  g_free (list->root);
  g_array_unref (list->files);
  g_strfreev (list->classes);
  for (guint part = 0; part < SL_PART_COUNT; part++)
    g_free (list->problems[part]);
  g_free (list);
}

GBytes *
sl_sample_list_read (const SlSampleList *list, const SlSampleFile *file, GError **error)
{
  GStatBuf status;
  char *content;
  gsize length;
  if (file->problem) {
    g_set_error_literal (error, SL_ERROR, SL_ERROR_MALFORMED, file->problem);
    return NULL;
  }
  if (file->bytes)
    return g_bytes_ref (file->bytes);
  g_autofree char *path = g_build_filename (list->root, file->name, NULL);
  if (g_stat (path, &status) != 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s (expected a picture)", g_strerror (errno));
    return NULL;
  }
  if (!S_ISREG (status.st_mode) || (guint64)status.st_size > SL_SAMPLES_MAX_FILE) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "is no regular file, or has %" G_GUINT64_FORMAT
                 " bytes (expected at most %" G_GUINT64_FORMAT ")",
                 (guint64)status.st_size, SL_SAMPLES_MAX_FILE);
    return NULL;
  }
  g_autoptr (GError) cause = NULL;
  if (g_file_get_contents (path, &content, &length, &cause))
    return g_bytes_new_take (content, length);
  g_set_error (error, SL_ERROR, SL_ERROR_IO, "cannot be read: %s", cause->message);
  return NULL;
}

/* Adds what can be read of a file that states so many bytes. */
static gboolean
hash_stream (int fd, guint64 length, GChecksum *sum, GError **error)
{
  static const gsize piece = 1 << 16;
  g_autofree guchar *bytes = g_malloc (piece);
  guint64 done = 0;
  gssize n;
  while ((n = read (fd, bytes, piece)) > 0 || (n < 0 && errno == EINTR)) {
    g_checksum_update (sum, bytes, MAX (n, 0));
    done += (guint64)MAX (n, 0);
  }
  if (n == 0 && done == length)
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_IO,
               "%s after %" G_GUINT64_FORMAT " bytes (expected %" G_GUINT64_FORMAT ")",
               n < 0 ? g_strerror (errno) : "ends", done, length);
  return FALSE;
}

gboolean
sl_sample_list_hash (const SlSampleList *list, const SlSampleFile *file, GChecksum *sum,
                     GError **error)
{
  struct stat status;
  if (file->bytes) {
    const guint64 length = GUINT64_TO_LE ((guint64)g_bytes_get_size (file->bytes));
    g_checksum_update (sum, (const guchar *)&length, sizeof length);
    g_checksum_update (sum, g_bytes_get_data (file->bytes, NULL),
                       (gssize)g_bytes_get_size (file->bytes));
    return TRUE;
  }
  g_autofree char *path = g_build_filename (list->root, file->name, NULL);
  const int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  gboolean good = fd >= 0 && fstat (fd, &status) == 0;
  if (!good) {
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "cannot be read: %s", g_strerror (errno));
  } else {
    const guint64 length = GUINT64_TO_LE ((guint64)status.st_size);
    g_checksum_update (sum, (const guchar *)&length, sizeof length);
    good = hash_stream (fd, (guint64)status.st_size, sum, error);
  }
  if (fd >= 0)
    close (fd);
  return good;
}

char *
sl_sample_list_describe (const SlSampleList *list, const SlSampleFile *file)
{
  g_autofree char *path = list->archive ? g_strconcat (list->root, ":", file->name, NULL)
                                        : g_build_filename (list->root, file->name, NULL);
  return g_filename_display_name (path);
}
