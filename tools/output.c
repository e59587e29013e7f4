#include "output.h"

#include <sightline/error.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file is written in pieces of at least this many bytes. */
#define PIECE 65536

struct ToolOutput {
  int fd;
  char *path;
  char *temporary; /* NULL: written where it lies, as are standard output and devices */
  GString *pending;
};

static gboolean
fail (const char *path, const char *doing, int code, GError **error)
{
  g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s: %s: %s", path ? path : "standard output", doing,
               g_strerror (code));
  return FALSE;
}

static void
output_free (ToolOutput *output)
{
  g_free (output->path);
  g_free (output->temporary);
  g_string_free (output->pending, TRUE);
  g_free (output);
}

/* A link is followed: what it names is replaced, not the link. */
static char *
resolve (const char *path)
{
  char *target = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? realpath (path, NULL) : NULL;
  char *resolved = g_strdup (target ? target : path);
  free (target);
  return resolved;
}

ToolOutput *
tool_output_open (const char *path, GError **error)
{
  ToolOutput *output = g_new0 (ToolOutput, 1);
  GStatBuf status;
  output->pending = g_string_new (NULL);
  output->fd = STDOUT_FILENO;
  if (!path || strcmp (path, "-") == 0)
    return output;

  output->path = resolve (path);
  if (g_stat (output->path, &status) == 0 && !S_ISREG (status.st_mode)) {
    output->fd = g_open (output->path, O_WRONLY | O_CLOEXEC, 0); /* a pipe, /dev/null */
  } else {
    /* The suffix stays the last part of the name: muxers and people go by it. */
    g_autofree char *folder = g_path_get_dirname (output->path);
    g_autofree char *name = g_path_get_basename (output->path);
    g_autofree char *hidden = g_strdup_printf (".%08x-%s", g_random_int (), name);
    output->temporary = g_build_filename (folder, hidden, NULL);
    output->fd = g_open (output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (output->fd >=
        0) /* says that somebody is at work on it, until closed; some systems cannot */
      flock (output->fd, LOCK_EX | LOCK_NB);
  }
  if (output->fd >= 0)
    return output;
  fail (path, "cannot be written", errno, error);
  output_free (output);
  return NULL;
}

gboolean
tool_output_is_busy (const char *temporary)
{
  int fd = g_open (temporary, O_RDONLY | O_CLOEXEC, 0);
  gboolean busy = fd >= 0 && flock (fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (fd >= 0)
    close (fd);
  return busy;
}

const char *
tool_output_get_path (ToolOutput *output)
{
  return output->path;
}

const char *
tool_output_get_temporary (ToolOutput *output)
{
  return output->temporary;
}

static gboolean
write_pending (ToolOutput *output, GError **error)
{
  const char *data = output->pending->str;
  gsize left = output->pending->len;
  while (left > 0) {
    gssize written = write (output->fd, data, left);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return fail (output->path, "cannot be written", errno, error);
    data += written;
    left -= (gsize)written;
  }
  g_string_truncate (output->pending, 0);
  return TRUE;
}

gboolean
tool_output_write (ToolOutput *output, GString *text, GError **error)
{
  g_string_append_len (output->pending, text->str, (gssize)text->len);
  g_string_truncate (text, 0);
  if (output->temporary && output->pending->len < PIECE)
    return TRUE;
  return write_pending (output, error);
}

gboolean
tool_output_sync (ToolOutput *output, GError **error)
{
  if (!write_pending (output, error))
    return FALSE;
  if (output->temporary && fdatasync (output->fd) != 0)
    return fail (output->path, "cannot be written", errno, error);
  return TRUE;
}

/* A rename is on disk when its folder is. */
static gboolean
sync_folder (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  int code = fsync (fd);
  close (fd);
  return code == 0 || errno == EINVAL; /* some file systems cannot */
}

gboolean
tool_output_commit (ToolOutput *output, GError **error)
{
  gboolean good = write_pending (output, error);
  if (output->temporary) {
    if (good && fsync (output->fd) != 0)
      good = fail (output->path, "cannot be written", errno, error);
    if (close (output->fd) != 0 && good)
      good = fail (output->path, "cannot be written", errno, error);
    if (good && g_rename (output->temporary, output->path) != 0)
      good = fail (output->path, "cannot be written", errno, error);
    if (!good)
      g_unlink (output->temporary);
    else if (!sync_folder (output->path))
      good = fail (output->path, "its folder cannot be synced", errno, error);
  } else if (output->path && close (output->fd) != 0 && good) {
    good = fail (output->path, "cannot be written", errno, error);
  }
  output_free (output);
  return good;
}

void
tool_output_leave (ToolOutput *output)
{
  if (output->path)
    close (output->fd);
  output_free (output);
}

void
tool_output_discard (ToolOutput *output)
{
  if (!output)
    return;
  if (output->temporary)
    g_unlink (output->temporary);
  tool_output_leave (output);
}
