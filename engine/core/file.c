#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#include <sightline/error.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_GNUC_PRINTF (4, 5)
static void set_error (GError **error, SlErrorCode code, const char *path, const char *format, ...);

/* "PATH: message"; a path may be any bytes. */
static void
set_error (GError **error, SlErrorCode code, const char *path, const char *format, ...)
{
  g_autofree char *shown = sl_text_on_one_line (path);
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, SL_ERROR, code, "%s: %s", shown, message);
}

/* Sets SL_ERROR_IO "PATH: cannot WHAT: reason" from errno. */
static void
set_errno (GError **error, const char *path, const char *what)
{
  set_error (error, SL_ERROR_IO, path, "cannot %s: %s", what, g_strerror (errno));
}

/* Reads until `length` bytes or the end of the file, from the descriptor's position if `offset` <
 * 0. Returns the number of bytes read, or -1 with errno set. */
static gssize
read_up_to (int fd, char *ret, gsize length, gint64 offset)
{
  gsize done = 0;
  while (done < length) {
    gssize n = offset < 0 ? read (fd, ret + done, length - done)
                          : pread (fd, ret + done, length - done, offset + (gint64)done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    done += (gsize)n;
  }
  return (gssize)done;
}

/* Fills *ret_stat if `fd` is a regular file, else sets the error. */
static gboolean
check_regular (int fd, const char *path, struct stat *ret_stat, GError **error)
{
  if (fstat (fd, ret_stat) < 0) {
    set_errno (error, path, "stat");
    return FALSE;
  }
  if (!S_ISREG (ret_stat->st_mode)) {
    set_error (error, SL_ERROR_IO, path, "is a %s (expected a regular file)",
               S_ISDIR (ret_stat->st_mode) ? "folder" : "special file");
    return FALSE;
  }
  return TRUE;
}

static GBytes *
read_regular (int fd, const char *path, guint64 limit, struct stat *ret_stat, GError **error)
{
  if (!check_regular (fd, path, ret_stat, error))
    return NULL;

  const struct stat st = *ret_stat;
  guint64 size = (guint64)st.st_size;
  if (size > limit || size > G_MAXSSIZE) {
    set_error (error, SL_ERROR_LIMIT, path,
               "has %" G_GUINT64_FORMAT " bytes (limit is %" G_GUINT64_FORMAT ")", size, limit);
    return NULL;
  }

  char *data = sl_aligned_alloc (size);
  if (!data) {
    set_error (error, SL_ERROR_MEMORY, path, "no memory for %" G_GUINT64_FORMAT " bytes", size);
    return NULL;
  }

  char beyond;
  gssize n = read_up_to (fd, data, size, -1);
  gssize extra = n < 0 ? -1 : read_up_to (fd, &beyond, 1, -1);
  if (n < 0 || extra < 0)
    set_errno (error, path, "read");
  else if ((guint64)n != size || extra)
    set_error (error, SL_ERROR_IO, path,
               "changed while it was read (expected %" G_GUINT64_FORMAT " bytes)", size);
  else
    return g_bytes_new_with_free_func (data, size, sl_aligned_free, data);

  sl_aligned_free (data);
  return NULL;
}

/* Non-blocking, so that a FIFO without a writer is refused instead of waited for. */
static int
open_to_read (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    set_errno (error, path, "open");
  return fd;
}

GBytes *
sl_file_read (const char *path, guint64 limit, GError **error)
{
  g_return_val_if_fail (path, NULL);

  struct stat st;
  int fd = open_to_read (path, error);
  if (fd < 0)
    return NULL;
  GBytes *bytes = read_regular (fd, path, limit, &st, error);
  close (fd);
  return bytes;
}

struct SlFile {
  int fd;
  char *path;
  guint64 size;
  struct timespec changed;
};

GBytes *
sl_file_load (const char *path, guint64 limit, SlFile **ret_file, GError **error)
{
  g_return_val_if_fail (path && ret_file, NULL);

  struct stat st;
  *ret_file = NULL;
  int fd = open_to_read (path, error);
  if (fd < 0)
    return NULL;
  /* The time is of before reading: a change meanwhile is one that shows later. */
  GBytes *bytes = read_regular (fd, path, limit, &st, error);
  if (!bytes) {
    close (fd);
    return NULL;
  }
  *ret_file = g_new (SlFile, 1);
  **ret_file = (SlFile){fd, g_strdup (path), (guint64)st.st_size, st.st_mtim};
  return bytes;
}

void
sl_file_close (SlFile *file)
{
  if (!file)
    return;
  close (file->fd);
  g_free (file->path);
  g_free (file);
}

static gboolean
check_unchanged (const SlFile *file, GError **error)
{
  struct stat st;
  if (fstat (file->fd, &st) < 0) {
    set_errno (error, file->path, "stat");
    return FALSE;
  }
  if ((guint64)st.st_size == file->size && st.st_mtim.tv_sec == file->changed.tv_sec &&
      st.st_mtim.tv_nsec == file->changed.tv_nsec)
    return TRUE;
  set_error (error, SL_ERROR_IO, file->path,
             "was changed after it was loaded (expected the same file while it is in use)");
  return FALSE;
}

gboolean
sl_file_read_again (SlFile *file, guint64 offset, void *ret, gsize length, GError **error)
{
  g_autoptr (GError) cause = NULL;
  gboolean done = sl_file_read_at (file->fd, file->path, offset, ret, length, &cause);
  /* Afterwards: a change before or while reading shows, and explains an end too early. */
  if (!check_unchanged (file, error))
    return FALSE;
  if (!done)
    g_propagate_error (error, g_steal_pointer (&cause));
  return done;
}

char *
sl_file_hash (SlFile *file, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  const gsize block = 1 << 20;
  g_autofree guchar *data = g_malloc (block);
  for (guint64 at = 0; at < file->size; at += block) {
    gsize n = MIN (file->size - at, block);
    if (!sl_file_read_again (file, at, data, n, error))
      return NULL;
    g_checksum_update (sum, data, (gssize)n);
  }
  return g_strdup (g_checksum_get_string (sum));
}

/* Opens the last of `parts` relative to `fd`, which is closed. Every step refuses a link, so no
 * exchange of a folder for a link during the walk leads outside. Returns -1 with errno set. */
static int
walk (int fd, char *const *parts)
{
  const int folder = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const int file = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC;

  for (; *parts && fd >= 0; parts++) {
    int next = openat (fd, parts[0], parts[1] ? folder : file);
    int saved = errno;
    close (fd);
    errno = saved;
    fd = next;
  }
  return fd;
}

/* The components of `name` without "." and empty ones, or NULL if it is not a name beneath a
 * folder. */
static char **
split_name (const char *name)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func (g_free);

  for (char **part = parts; *part; part++) {
    if (g_str_equal (*part, ".."))
      return NULL;
    if (**part && !g_str_equal (*part, "."))
      g_ptr_array_add (kept, g_strdup (*part));
  }
  if (name[0] == '/' || kept->len == 0)
    return NULL;
  g_ptr_array_add (kept, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&kept), FALSE);
}

int
sl_file_open_beneath (const char *root, const char *name, GError **error)
{
  g_return_val_if_fail (root && name, -1);

  g_auto (GStrv) parts = split_name (name);
  if (!parts) {
    set_error (error, SL_ERROR_MALFORMED, name,
               "leads outside its folder (expected a relative path without \"..\")");
    return -1;
  }

  int fd = open (root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    set_errno (error, root, "open");
    return -1;
  }
  fd = walk (fd, parts);
  if (fd < 0 && (errno == ELOOP || errno == EMLINK)) {
    set_error (error, SL_ERROR_IO, name, "is a symbolic link (expected a regular file)");
    return -1;
  }
  if (fd < 0) {
    set_errno (error, name, "open");
    return -1;
  }

  struct stat st;
  if (!check_regular (fd, name, &st, error)) {
    close (fd);
    return -1;
  }
  if (st.st_nlink > 1) {
    set_error (error, SL_ERROR_IO, name, "has %lu hard links (expected one)",
               (unsigned long)st.st_nlink);
    close (fd);
    return -1;
  }
  return fd;
}

gboolean
sl_file_read_at (int fd, const char *name, guint64 offset, void *ret, gsize length, GError **error)
{
  g_return_val_if_fail (fd >= 0 && name && (ret || length == 0), FALSE);

  gssize n = -1;
  if (offset <= G_MAXINT64 && length <= (guint64)G_MAXINT64 - offset && length <= G_MAXSSIZE)
    n = read_up_to (fd, ret, length, (gint64)offset);
  else
    errno = EOVERFLOW;

  if (n < 0) {
    set_errno (error, name, "read");
    return FALSE;
  }
  if ((gsize)n < length) {
    set_error (error, SL_ERROR_MALFORMED, name,
               "ends at byte %" G_GUINT64_FORMAT " (expected %" G_GSIZE_FORMAT
               " bytes at %" G_GUINT64_FORMAT ")",
               offset + (guint64)n, length, offset);
    return FALSE;
  }
  return TRUE;
}

/* Creates a file of a new name in `folder`. Unlike mkstemp() it leaves the mode to the umask. */
static int
open_temporary (int folder, char name[static 32])
{
  for (int attempt = 0; attempt < 100; attempt++) {
    snprintf (name, 32, ".sightline-%08x.tmp", g_random_int ());
    int fd = openat (folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd >= 0 || errno != EEXIST)
      return fd;
  }
  return -1;
}

static gboolean
write_all (int fd, const char *data, gsize length)
{
  while (length) {
    gssize n = write (fd, data, length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    data += n;
    length -= (gsize)n;
  }
  return TRUE;
}

/* Writes, syncs and closes. Returns FALSE with errno set. */
static gboolean
fill_and_close (int fd, const SlFilePiece *pieces, gsize n_pieces)
{
  gboolean ok = TRUE;
  for (gsize i = 0; i < n_pieces && ok; i++)
    ok = write_all (fd, pieces[i].data, pieces[i].length);
  ok = ok && fsync (fd) == 0;
  int saved = errno;
  if (close (fd) < 0 && ok)
    return FALSE;
  errno = saved;
  return ok;
}

static gboolean
replace_in (int folder, const char *path, const char *name, const SlFilePiece *pieces,
            gsize n_pieces, GError **error)
{
  struct stat st;
  if (fstatat (folder, name, &st, 0) == 0 && !S_ISREG (st.st_mode)) {
    set_error (error, SL_ERROR_IO, path, "exists (expected a regular file or none)");
    return FALSE;
  }

  char temporary[32];
  int fd = open_temporary (folder, temporary);
  if (fd < 0) {
    set_errno (error, path, "create a file beside it");
    return FALSE;
  }
  if (!fill_and_close (fd, pieces, n_pieces)) {
    set_errno (error, path, "write");
    unlinkat (folder, temporary, 0);
    return FALSE;
  }
  if (renameat (folder, temporary, folder, name) < 0) {
    set_errno (error, path, "replace");
    unlinkat (folder, temporary, 0);
    return FALSE;
  }
  if (fsync (folder) < 0 && errno != EINVAL) { /* EINVAL: this file system syncs no folders */
    set_errno (error, path, "sync its folder");
    return FALSE;
  }
  return TRUE;
}

gboolean
sl_file_write (const char *path, const void *data, gsize length, GError **error)
{
  g_return_val_if_fail (path && (data || length == 0), FALSE);

  const SlFilePiece piece = {data, length};
  return sl_file_write_pieces (path, &piece, 1, error);
}

gboolean
sl_file_write_pieces (const char *path, const SlFilePiece *pieces, gsize n_pieces, GError **error)
{
  g_return_val_if_fail (path && (pieces || n_pieces == 0), FALSE);

  const char *slash = strrchr (path, '/');
  const char *name = slash ? slash + 1 : path;
  if (!*name) {
    set_error (error, SL_ERROR_IO, path, "is no file's name (expected one)");
    return FALSE;
  }

  g_autofree char *folder_name = g_path_get_dirname (path);
  int folder = open (folder_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    set_errno (error, folder_name, "open");
    return FALSE;
  }
  gboolean ok = replace_in (folder, path, name, pieces, n_pieces, error);
  close (folder);
  return ok;
}
