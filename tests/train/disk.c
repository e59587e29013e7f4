#undef _FILE_OFFSET_BITS /* with it open() is but another name of open64(): here both are defined \
                          */

#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_FDS 1024

static struct {
  gboolean is_on;
  DiskPlan plan;
  guint n_calls;
  gboolean is_full;
  GArray *records;
  int n_files;
  int files[MAX_FDS]; /* by descriptor: number + 1 of a file that was created here */
} disk;

static void
clear_record (void *data)
{
  DiskRecord *record = data;
  g_free (record->name);
  g_free (record->to);
  g_clear_pointer (&record->content, g_bytes_unref);
}

void
disk_start (const DiskPlan *plan)
{
  if (!disk.records) {
    disk.records = g_array_new (FALSE, FALSE, sizeof (DiskRecord));
    g_array_set_clear_func (disk.records, clear_record);
  }
  g_array_set_size (disk.records, 0);
  memset (disk.files, 0, sizeof disk.files);
  disk.n_files = 0;
  disk.plan = *plan;
  disk.n_calls = 0;
  disk.is_full = FALSE;
  disk.is_on = TRUE;
}

guint
disk_stop (void)
{
  disk.is_on = FALSE;
  return disk.n_calls;
}

const GArray *
disk_get_records (void)
{
  return disk.records;
}

static void
record (char op, int fd, const char *name, const char *to, const void *content, gsize size)
{
  if (!disk.is_on || !disk.plan.keeps)
    return;
  const DiskRecord kept = {
      .op = op,
      .file = fd >= 0 && fd < MAX_FDS ? disk.files[fd] - 1 : -1,
      .name = name ? g_path_get_basename (name) : NULL,
      .to = to ? g_path_get_basename (to) : NULL,
      .content = content ? g_bytes_new (content, size) : NULL,
  };
  g_array_append_val (disk.records, kept);
}

void
disk_mark (guint64 mark)
{
  const DiskRecord kept = {.op = 'm', .file = -1, .mark = mark};
  g_array_append_val (disk.records, kept);
}

/* TRUE: the call fails, errno is set. *ret_short: it is to be done by half. */
static gboolean
meet_fault (char op, gboolean *ret_short)
{
  *ret_short = FALSE;
  if (!disk.is_on || (disk.plan.only && disk.plan.only != op))
    return FALSE;
  const gboolean is_due = disk.n_calls++ == disk.plan.call;
  if (is_due && disk.plan.fault == DISK_KILL)
    raise (SIGKILL);
  if (is_due && disk.plan.fault == DISK_ERROR) {
    errno = disk.plan.error;
    return TRUE;
  }
  *ret_short = is_due && disk.plan.fault == DISK_SHORT;
  disk.is_full = disk.is_full || (is_due && disk.plan.fault == DISK_FULL);
  if (disk.is_full && strchr ("cwsf", op)) { /* removing and renaming take no room */
    errno = ENOSPC;
    return TRUE;
  }
  return FALSE;
}

/* --- libc's functions --- */

static int
do_open (int folder, const char *path, int flags, mode_t mode)
{
  gboolean is_short;
  const gboolean creates = flags & O_CREAT;
  if (creates && meet_fault ('c', &is_short))
    return -1;
  const int fd = (int)syscall (SYS_openat, folder, path, flags, mode);
  if (creates && fd >= 0 && fd < MAX_FDS) {
    disk.files[fd] = ++disk.n_files;
    record ('c', fd, path, NULL, NULL, 0);
  }
  return fd;
}

#define OPEN_BODY(folder)                                                          \
  va_list args;                                                                    \
  va_start (args, flags);                                                          \
  const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg (args, mode_t) : 0; \
  va_end (args);                                                                   \
  return do_open (folder, path, flags, mode);

int
open (const char *path, int flags, ...)
{
  OPEN_BODY (AT_FDCWD)
}

int
open64 (const char *path, int flags, ...)
{
  OPEN_BODY (AT_FDCWD)
}

int
openat (int folder, const char *path, int flags, ...)
{
  OPEN_BODY (folder)
}

int
openat64 (int folder, const char *path, int flags, ...)
{
  OPEN_BODY (folder)
}

static gboolean
is_file (int fd)
{
  return fd >= 0 && fd < MAX_FDS && disk.files[fd] > 0;
}

ssize_t
write (int fd, const void *data, size_t size)
{
  gboolean is_short = FALSE;
  if (is_file (fd) && meet_fault ('w', &is_short))
    return -1;
  const ssize_t n = syscall (SYS_write, fd, data, is_short ? (size + 1) / 2 : size);
  if (is_file (fd) && n > 0)
    record ('w', fd, NULL, NULL, data, (gsize)n);
  return n;
}

ssize_t
pwrite (int fd, const void *data, size_t size, off_t offset)
{
  gboolean is_short = FALSE;
  if (is_file (fd) && meet_fault ('w', &is_short))
    return -1;
  return syscall (SYS_pwrite64, fd, data, is_short ? (size + 1) / 2 : size, offset);
}

ssize_t
pwrite64 (int fd, const void *data, size_t size, off_t offset)
{
  return pwrite (fd, data, size, offset);
}

int
fsync (int fd)
{
  gboolean is_short;
  const char op = is_file (fd) ? 's' : 'f';
  if (meet_fault (op, &is_short))
    return -1;
  const int result = (int)syscall (SYS_fsync, fd);
  if (result == 0)
    record (op, fd, NULL, NULL, NULL, 0);
  return result;
}

int
close (int fd)
{
  gboolean is_short, fails = is_file (fd) && meet_fault ('l', &is_short);
  const int saved = errno;
  if (is_file (fd)) {
    record ('l', fd, NULL, NULL, NULL, 0);
    disk.files[fd] = 0;
  }
  const int result = (int)syscall (SYS_close, fd);
  errno = fails ? saved : errno;
  return fails ? -1 : result;
}

int
renameat (int folder, const char *from, int to_folder, const char *to)
{
  gboolean is_short;
  if (meet_fault ('r', &is_short))
    return -1;
  const int result = (int)syscall (SYS_renameat2, folder, from, to_folder, to, 0);
  if (result == 0)
    record ('r', -1, from, to, NULL, 0);
  return result;
}

int
rename (const char *from, const char *to)
{
  return renameat (AT_FDCWD, from, AT_FDCWD, to);
}

int
unlinkat (int folder, const char *path, int flags)
{
  gboolean is_short;
  if (meet_fault ('u', &is_short))
    return -1;
  const int result = (int)syscall (SYS_unlinkat, folder, path, flags);
  if (result == 0)
    record ('u', -1, path, NULL, NULL, 0);
  return result;
}

int
unlink (const char *path)
{
  return unlinkat (AT_FDCWD, path, 0);
}
