#include "gstsloutput.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <sightline/error.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of an existing file that show what it is. */
#define LOOK 4096

struct GstSlOutput {
  gint fd;
  gchar *name;
  gchar *path, *temporary; /* `temporary` takes the name `path` when whole; else NULL */
  mode_t type;
  GstPoll *poll; /* NULL for a file */
  GstPollFD poll_fd;
  gboolean torn;        /* a pipe has a part of a row */
  gsize taken;          /* atomic */
  gboolean interrupted; /* atomic */
};

static gboolean
fail (GError **error, GstResourceError code, const gchar *name, const gchar *what)
{
  g_set_error (error, GST_RESOURCE_ERROR, code, "%s: %s", name, what);
  return FALSE;
}

static gboolean
fail_errno (GError **error, GstResourceError code, const gchar *name)
{
  gint number = errno;

  if (number == ENOSPC || number == EDQUOT || number == EFBIG)
    code = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
  g_set_error (error, GST_RESOURCE_ERROR, code, "%s: cannot be written: %s", name,
               g_strerror (number));
  return FALSE;
}

/* --- Opening --- */

/* Rows of another kind, or a film by a slip of the keyboard, are not added to. */
static gboolean
check_continuable (const GstSlOutputSettings *settings, const gchar *path, const struct stat *info,
                   const gchar **ret_start, GError **error)
{
  g_autofree gchar *what = NULL;
  gchar *begin = g_newa (gchar, LOOK);
  gint fd = g_open (path, O_RDONLY | O_CLOEXEC);
  gsize asked = settings->begins_with ? strlen (settings->begins_with) : 0;
  gssize n = -1;
  gchar last = 0;

  if (fd >= 0) {
    n = pread (fd, begin, LOOK, 0);
    if (pread (fd, &last, 1, info->st_size - 1) != 1)
      n = -1;
    close (fd);
  }
  if (n < 0)
    return fail_errno (error, GST_RESOURCE_ERROR_OPEN_READ_WRITE, path);
  if (!settings->continuable)
    what = g_strdup_printf ("exists, and %s cannot be continued", settings->format);
  else if (memchr (begin, 0, n) || (gsize)n < asked ||
           memcmp (begin, settings->begins_with ? settings->begins_with : "", asked) != 0)
    what = g_strdup_printf ("exists, and is no %s with these columns", settings->format);
  if (what) {
    g_autofree gchar *whole =
        g_strconcat (what, " (expected a new file, or existing=replace)", NULL);
    return fail (error, GST_RESOURCE_ERROR_OPEN_WRITE, path, whole);
  }
  /* A row that a crash left half written stays one bad row. */
  *ret_start = last == '\n' ? "" : "\n";
  return TRUE;
}

/* The suffix stays last, for those who go by it. */
static gint
open_temporary (GstSlOutput *self, const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  g_autofree gchar *name = g_path_get_basename (path);
  g_autofree gchar *hidden = g_strdup_printf (".%08x-%s", g_random_int (), name);

  self->path = g_strdup (path);
  self->temporary = g_build_filename (folder, hidden, NULL);
  return g_open (self->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

/* -1, with an error or with errno set. */
static gint
open_existing (GstSlOutput *self, const GstSlOutputSettings *settings, const gchar **ret_start,
               GError **error)
{
  const gchar *path = settings->location;
  /* O_NONBLOCK: opening a named pipe does not wait for a reader. */
  const gint flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  struct stat info;

  if (g_stat (path, &info) != 0)
    return -1;
  if (S_ISFIFO (info.st_mode)) {
    gint fd = g_open (path, flags);
    if (fd < 0 && errno == ENXIO)
      fail (error, GST_RESOURCE_ERROR_OPEN_WRITE, path, "nobody reads this pipe");
    return fd;
  }
  if (!S_ISREG (info.st_mode))
    return g_open (path, flags);
  if (settings->existing == GST_SL_EXISTING_REFUSE) {
    fail (error, GST_RESOURCE_ERROR_OPEN_WRITE, path,
          "exists (expected a new file, or existing=append or replace)");
    return -1;
  }
  if (settings->existing == GST_SL_EXISTING_REPLACE)
    return open_temporary (self, path);
  if (info.st_size > 0 && !check_continuable (settings, path, &info, ret_start, error))
    return -1;
  return g_open (path, flags);
}

static gint
open_location (GstSlOutput *self, const GstSlOutputSettings *settings, const gchar **ret_start,
               GError **error)
{
  const gchar *path = settings->location;
  gint fd = -1;

  /* O_APPEND: rows stay whole if others write to the file or cut it (logrotate's copytruncate). */
  fd = g_open (path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST)
    fd = open_existing (self, settings, ret_start, error);
  if (fd < 0 && (!error || !*error))
    fail_errno (error, GST_RESOURCE_ERROR_OPEN_WRITE, path);
  return fd;
}

/* Pipes and terminals through their link, so that not waiting concerns nobody else who has them
 * open; where that is not allowed, a plain copy. */
static gint
copy_descriptor (gint fd, const gchar *name, GError **error)
{
  g_autofree gchar *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  struct stat info;
  gint copy = -1;

  if (fstat (fd, &info) == 0 && (S_ISFIFO (info.st_mode) || S_ISCHR (info.st_mode)))
    copy = g_open (link, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (copy < 0)
    copy = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0)
    fail_errno (error, GST_RESOURCE_ERROR_OPEN_WRITE, name);
  return copy;
}

GstSlOutput *
gst_sl_output_open (const GstSlOutputSettings *settings, const gchar **ret_start, GError **error)
{
  GstSlOutput *self = g_new0 (GstSlOutput, 1);
  gboolean is_stdout = g_strcmp0 (settings->location, "-") == 0;
  struct stat info;

  *ret_start = NULL;
  self->name = is_stdout            ? g_strdup ("standard output")
               : settings->location ? g_filename_display_name (settings->location)
                                    : g_strdup_printf ("descriptor %d", settings->fd);
  if (settings->location && !is_stdout)
    self->fd = open_location (self, settings, ret_start, error);
  else
    self->fd = copy_descriptor (is_stdout ? STDOUT_FILENO : settings->fd, self->name, error);
  if (self->fd < 0) {
    gst_sl_output_close (self);
    return NULL;
  }
  if (fstat (self->fd, &info) == 0)
    self->type = info.st_mode & S_IFMT;
  if (self->type != S_IFREG) {
    self->poll = gst_poll_new (TRUE);
    if (!self->poll) {
      fail (error, GST_RESOURCE_ERROR_OPEN_WRITE, self->name, "no more descriptors");
      gst_sl_output_close (self);
      return NULL;
    }
    gst_poll_fd_init (&self->poll_fd);
    self->poll_fd.fd = self->fd;
    gst_poll_add_fd (self->poll, &self->poll_fd);
    gst_poll_fd_ctl_write (self->poll, &self->poll_fd, TRUE);
  }
  return self;
}

void
gst_sl_output_close (GstSlOutput *self)
{
  if (self->fd >= 0)
    close (self->fd);
  if (self->temporary)
    g_unlink (self->temporary);
  if (self->poll)
    gst_poll_free (self->poll);
  g_free (self->temporary);
  g_free (self->path);
  g_free (self->name);
  g_free (self);
}

/* --- Writing --- */

/* Takes back what was written of a row, if nobody wrote behind it. */
static void
take_back (GstSlOutput *self, gsize written)
{
  off_t end = lseek (self->fd, 0, SEEK_CUR);
  struct stat info;

  if (written == 0 || end < (off_t)written || fstat (self->fd, &info) != 0 || info.st_size != end)
    return;
  if (ftruncate (self->fd, end - (off_t)written) == 0)
    lseek (self->fd, end - (off_t)written, SEEK_SET);
}

static gssize
write_some (GstSlOutput *self, const gchar *data, gsize length)
{
  if (self->type == S_IFSOCK)
    return send (self->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (self->type == S_IFREG)
    return write (self->fd, data, length);
  /* What poll() says of a pipe holds for this many bytes. */
  return write (self->fd, data, MIN (length, PIPE_BUF));
}

static gboolean
write_all (GstSlOutput *self, const gchar *row, gsize length, GError **error)
{
  gsize done = 0;

  while (done < length) {
    gssize n;

    if (self->poll)
      gst_poll_wait (self->poll, GST_CLOCK_TIME_NONE);
    if (g_atomic_int_get (&self->interrupted)) {
      self->torn = self->torn || done > 0;
      g_set_error (error, SL_ERROR, SL_ERROR_CANCELLED, "%s: given up", self->name);
      return FALSE;
    }
    n = write_some (self, row + done, length - done);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (n < 0) {
      fail_errno (error, GST_RESOURCE_ERROR_WRITE, self->name);
      if (self->type == S_IFREG)
        take_back (self, done);
      return FALSE;
    }
    done += n;
    g_atomic_pointer_add (&self->taken, n);
  }
  return TRUE;
}

gboolean
gst_sl_output_write (GstSlOutput *self, const gchar *row, gsize length, GError **error)
{
  /* One bad row, not two. */
  if (self->torn && !write_all (self, "\n", 1, error))
    return FALSE;
  self->torn = FALSE;
  return write_all (self, row, length, error);
}

void
gst_sl_output_interrupt (GstSlOutput *self, gboolean interrupted)
{
  g_atomic_int_set (&self->interrupted, interrupted);
  if (self->poll)
    gst_poll_set_flushing (self->poll, interrupted);
}

/* A rename is on disk when its folder is. */
static gboolean
sync_folder (const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  gint fd = g_open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean good = fd >= 0 && (fsync (fd) == 0 || errno == EINVAL); /* some file systems cannot */

  if (fd >= 0)
    close (fd);
  return good;
}

gboolean
gst_sl_output_sync (GstSlOutput *self, GError **error)
{
  if (self->type != S_IFREG)
    return TRUE;
  if (fsync (self->fd) != 0 && errno != EINVAL)
    return fail_errno (error, GST_RESOURCE_ERROR_SYNC, self->name);
  if (!self->temporary)
    return TRUE;
  if (g_rename (self->temporary, self->path) != 0)
    return fail_errno (error, GST_RESOURCE_ERROR_WRITE, self->name);
  g_clear_pointer (&self->temporary, g_free);
  if (!sync_folder (self->path))
    return fail_errno (error, GST_RESOURCE_ERROR_SYNC, self->name);
  return TRUE;
}

gsize
gst_sl_output_get_taken (GstSlOutput *self)
{
  return (gsize)g_atomic_pointer_get (&self->taken);
}

gboolean
gst_sl_output_is_file (GstSlOutput *self)
{
  return self->type == S_IFREG;
}

const gchar *
gst_sl_output_get_name (GstSlOutput *self)
{
  return self->name;
}
