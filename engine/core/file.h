/* Reading with a limit, and writing so that a reader sees the old file or the new one, never half.
 */
#pragma once

#include <glib.h>

/* Reads a regular file whole. Refuses folders, FIFOs, devices and anything above `limit` bytes
 * before it reads; a file that shrinks or grows while being read is an error, not a crash (no
 * mmap). Returns NULL with SL_ERROR set. The bytes start at SL_ALIGNMENT. */
GBytes *sl_file_read (const char *path, guint64 limit, GError **error);

/* A file that was read and stays open to be read again. Every function from any thread. */
typedef struct SlFile SlFile;

/* sl_file_read() of a file that stays open in *ret_file, which is NULL on failure. */
GBytes *sl_file_load (const char *path, guint64 limit, SlFile **ret_file, GError **error);
void sl_file_close (SlFile *file);

/* The same bytes as the first time: SL_ERROR_IO if the file has been changed in place since (its
 * size or time of change is another). Deleting it, or putting another in its place, does not
 * matter. */
gboolean sl_file_read_again (SlFile *file, guint64 offset, void *ret, gsize length, GError **error);
/* SHA-256 of the whole file in hexadecimal; free with g_free(). Fails as sl_file_read_again(). */
char *sl_file_hash (SlFile *file, GError **error);

/* Opens `name` beneath the folder `root` for reading and returns a descriptor, or -1 with SL_ERROR
 * set. `name` is relative; nothing leads outside: no "..", no absolute path, no symbolic link at
 * any level, no hard-linked file, only regular files. Walks component by component with O_NOFOLLOW,
 * so that an exchange of files during the call leads nowhere else either. */
int sl_file_open_beneath (const char *root, const char *name, GError **error);

/* Reads exactly `length` bytes at `offset` of `fd` into `ret`. `name` is for the error text. */
gboolean sl_file_read_at (int fd, const char *name, guint64 offset, void *ret, gsize length,
                          GError **error);

/* Writes a temporary file beside `path`, fsync, rename, fsync of the folder. On failure `path` is
 * as it was and the temporary file is gone; only where the last step, syncing the folder, fails
 * does the new file stand already. Follows the umask. A symbolic link is replaced, not followed; a
 * folder, FIFO or device is refused. */
gboolean sl_file_write (const char *path, const void *data, gsize length, GError **error);

/* The same of several pieces, one behind the other. */
typedef struct SlFilePiece {
  const void *data;
  gsize length;
} SlFilePiece;
gboolean sl_file_write_pieces (const char *path, const SlFilePiece *pieces, gsize n_pieces,
                               GError **error);
