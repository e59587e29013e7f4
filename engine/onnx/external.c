#include "onnx/external.h"

#include "core/file.h"

#include <sightline/error.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECKSUM_BLOCK 65536

void
sl_external_place_clear (SlExternalPlace *place)
{
  g_free (place->location);
  g_free (place->checksum);
  *place = (SlExternalPlace){0};
}

bool
sl_external_place_set (SlExternalPlace *place, const char *key, char **value,
                       const char **ret_problem)
{
  if (g_str_equal (key, "location") && place->location == NULL) {
    place->location = g_steal_pointer (value);
    return true;
  }
  if (g_str_equal (key, "checksum") && place->checksum == NULL) {
    place->checksum = g_steal_pointer (value);
    return true;
  }
  if (g_str_equal (key, "location") || g_str_equal (key, "checksum")) {
    *ret_problem = "external_data states a key twice";
    return false;
  }
  if (g_str_equal (key, "offset") || g_str_equal (key, "length")) {
    bool is_length = key[0] == 'l';
    *ret_problem = "external_data has an offset or length that is no number";
    place->has_length |= is_length;
    return g_ascii_string_to_unsigned (*value, 10, 0, G_MAXINT64,
                                       is_length ? &place->length : &place->offset, NULL);
  }
  return true;
}

void
sl_external_file_close (SlExternalFile *file)
{
  if (file->location != NULL)
    close (file->fd);
  g_free (file->location);
  g_free (file->checksum);
  *file = (SlExternalFile){0};
}

static char *
compute_sha1 (int fd, const char *name, guint64 size, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA1);
  g_autofree guchar *block = g_malloc (CHECKSUM_BLOCK);
  for (guint64 at = 0; at < size;) {
    gsize n = MIN (size - at, CHECKSUM_BLOCK);
    if (!sl_file_read_at (fd, name, at, block, n, error))
      return NULL;
    g_checksum_update (sum, block, (gssize)n);
    at += n;
  }
  return g_strdup (g_checksum_get_string (sum));
}

static gboolean
check_sum (SlExternalFile *file, const char *stated, GError **error)
{
  if (file->checksum == NULL)
    file->checksum = compute_sha1 (file->fd, file->location, file->size, error);
  if (file->checksum == NULL)
    return FALSE;
  if (g_ascii_strcasecmp (file->checksum, stated) == 0)
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "%s: has the SHA-1 %s (expected %.64s)",
               file->location, file->checksum, stated);
  return FALSE;
}

gboolean
sl_external_file_open (SlExternalFile *file, const char *folder, const SlExternalPlace *place,
                       guint64 length, GError **error)
{
  if (file->location == NULL || !g_str_equal (file->location, place->location)) {
    sl_external_file_close (file);
    int fd = sl_file_open_beneath (folder, place->location, error);
    if (fd < 0)
      return FALSE;
    struct stat status;
    *file = (SlExternalFile){.location = g_strdup (place->location), .fd = fd};
    file->size = fstat (fd, &status) == 0 ? (guint64)status.st_size : 0;
  }
  if (place->offset > file->size || length > file->size - place->offset) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "%s: has %" G_GUINT64_FORMAT " bytes (expected %" G_GUINT64_FORMAT
                 " at %" G_GUINT64_FORMAT ")",
                 place->location, file->size, length, place->offset);
    return FALSE;
  }
  return place->checksum == NULL || check_sum (file, place->checksum, error);
}
