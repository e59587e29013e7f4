#include "sample-archive.h"

#include <sightline-gst/samples.h>

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_BYTES 65536

/* What is wrong with an entry before any of it is read; NULL if nothing is. */
static char *
find_problem (struct archive_entry *entry, const char *name)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", -1);
  if (name[0] == '/' || g_strv_contains ((const char *const *)parts, ".."))
    return g_strdup ("leads out of the archive (expected a relative name without '..')");
  if (archive_entry_filetype (entry) != S_IFREG || archive_entry_hardlink (entry))
    return g_strdup ("is a link or a special file (expected a regular file)");
  if (!archive_entry_size_is_set (entry) || archive_entry_size (entry) < 0 ||
      (guint64)archive_entry_size (entry) > SL_SAMPLES_MAX_FILE)
    return g_strdup_printf ("has %" G_GINT64_FORMAT " bytes (expected at most %" G_GUINT64_FORMAT
                            ")",
                            (gint64)archive_entry_size (entry), SL_SAMPLES_MAX_FILE);
  return NULL;
}

/* The entry's content; NULL with what is wrong in *ret_problem. Memory grows with what comes, not
 * with what is stated. */
static GBytes *
read_entry (struct archive *archive, struct archive_entry *entry, char **ret_problem)
{
  gint64 size = archive_entry_size (entry);
  g_autoptr (GByteArray) content = g_byte_array_new ();
  while ((gint64)content->len < size) {
    guint before = content->len;
    g_byte_array_set_size (content, before + (guint)MIN (size - before, BLOCK_BYTES));
    la_ssize_t n = archive_read_data (archive, content->data + before, content->len - before);
    if (n <= 0) {
      *ret_problem =
          g_strdup_printf ("ends after %u of %" G_GINT64_FORMAT " bytes%s%s", before, size,
                           n < 0 ? ": " : "", n < 0 ? archive_error_string (archive) : "");
      return NULL;
    }
    g_byte_array_set_size (content, before + (guint)n);
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&content));
}

static struct archive *
open_archive (const char *path, const char *shown, GError **error)
{
  struct archive *archive = archive_read_new ();
  archive_read_support_format_tar (archive);
  archive_read_support_filter_gzip (archive);
  archive_read_support_filter_bzip2 (archive);
  archive_read_support_filter_xz (archive);
  archive_read_support_filter_zstd (archive);
  if (archive_read_open_filename (archive, path, BLOCK_BYTES) == ARCHIVE_OK)
    return archive;
  g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s: %s (expected a folder, or a tar archive)", shown,
               archive_error_string (archive));
  archive_read_free (archive);
  return NULL;
}

gboolean
sl_sample_archive_read (const char *path, SlArchiveEntryFunc add, void *data, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  struct archive *archive = open_archive (path, shown, error);
  struct archive_entry *entry;
  guint64 total = 0;
  int status = ARCHIVE_FATAL;
  if (!archive)
    return FALSE;

  while ((status = archive_read_next_header (archive, &entry)) == ARCHIVE_OK ||
         status == ARCHIVE_WARN) {
    const char *name = archive_entry_pathname (entry);
    if (!name || archive_entry_filetype (entry) == S_IFDIR)
      continue;
    while (g_str_has_prefix (name, "./"))
      name += 2;
    g_autofree char *kept = g_strdup (name); /* reading may reuse it */
    char *problem = find_problem (entry, kept);
    GBytes *bytes = problem ? NULL : read_entry (archive, entry, &problem);
    total += bytes ? g_bytes_get_size (bytes) : 0;
    add (data, g_steal_pointer (&kept), bytes, problem);
    if (total > SL_DATASET_MAX_BYTES)
      break;
  }
  gboolean good = status == ARCHIVE_EOF;
  if (total > SL_DATASET_MAX_BYTES)
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "%s: holds more than %" G_GUINT64_FORMAT " bytes (limit of an archive: unpack it)",
                 shown, SL_DATASET_MAX_BYTES);
  else if (!good)
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "%s: %s (expected a whole tar archive)",
                 shown,
                 archive_error_string (archive) ? archive_error_string (archive) : "damaged");
  archive_read_free (archive);
  return good;
}
