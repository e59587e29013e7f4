#include "stated-size.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Top-level boxes of an MP4 that are looked at: files of live streams have thousands. */
#define MAX_BOXES 1000000
/* The Segment of a Matroska file follows the EBML header, perhaps after some padding. */
#define MAX_ELEMENTS 16

#define EBML_HEADER 0x1a45dfa3u
#define MATROSKA_SEGMENT 0x18538067u

static gboolean
read_at (int fd, guint64 offset, void *ret, gsize size)
{
  gssize n;
  do
    n = pread (fd, ret, size, (off_t)offset);
  while (n < 0 && errno == EINTR);
  return n == (gssize)size;
}

static guint64
big_endian (const guint8 *bytes, guint n)
{
  guint64 value = 0;
  for (guint i = 0; i < n; i++)
    value = value << 8 | bytes[i];
  return value;
}

/* RIFF: a little-endian size after four letters. 0 and the largest mean that the writer could not
 * go back. */
static guint64
riff_size (int fd)
{
  guint8 b[8];
  if (!read_at (fd, 0, b, sizeof b))
    return 0;
  guint32 size = (guint32)b[4] | (guint32)b[5] << 8 | (guint32)b[6] << 16 | (guint32)b[7] << 24;
  return size == 0 || size >= 0xfffffff0u ? 0 : 8 + (guint64)size;
}

/* MP4: boxes follow each other to the end; the last may not go beyond it. What does not look like a
 * box ends the search without a verdict. */
static guint64
mp4_size (int fd, guint64 actual)
{
  guint64 offset = 0;
  for (guint i = 0; i < MAX_BOXES && offset < actual; i++) {
    guint8 b[16];
    if (!read_at (fd, offset, b, 8))
      return 0;
    guint64 size = big_endian (b, 4);
    for (guint k = 4; k < 8; k++)
      if (!g_ascii_isalnum (b[k]) && b[k] != ' ')
        return 0;
    if (size == 1) {
      if (!read_at (fd, offset, b, 16))
        return 0;
      size = big_endian (b + 8, 8);
    }
    if (size < 8 || size > G_MAXINT64 - offset) /* 0: up to the end, wherever that is */
      return 0;
    offset += size;
  }
  return offset;
}

/* One EBML number: how many bytes it takes shows in the first. Returns the length, 0 if there is
 * none. */
static guint
read_ebml (int fd, guint64 offset, gboolean keep_marker, guint64 *ret_value, gboolean *ret_unknown)
{
  guint8 b[8];
  if (!read_at (fd, offset, b, 1) || b[0] == 0)
    return 0;
  guint length = 1;
  while (!(b[0] & (0x80 >> (length - 1))))
    length++;
  if (!read_at (fd, offset, b, length))
    return 0;
  guint64 mask = ((guint64)1 << (7 * length)) - 1;
  *ret_value = big_endian (b, length);
  if (!keep_marker)
    *ret_value &= mask;
  *ret_unknown = (big_endian (b, length) & mask) == mask;
  return length;
}

/* Matroska: the Segment says its size, unless it was streamed. */
static guint64
matroska_size (int fd)
{
  guint64 offset = 0;
  for (guint i = 0; i < MAX_ELEMENTS; i++) {
    guint64 id, size;
    gboolean unknown;
    guint n = read_ebml (fd, offset, TRUE, &id, &unknown);
    guint m = n ? read_ebml (fd, offset + n, FALSE, &size, &unknown) : 0;
    if (!m || unknown || size > G_MAXINT64 - offset - n - m)
      return 0;
    offset += n + m + size;
    if (id == MATROSKA_SEGMENT)
      return offset;
  }
  return 0;
}

gboolean
sl_stated_size_is_cut (const char *path, guint64 *ret_stated, guint64 *ret_actual)
{
  struct stat status;
  guint8 b[8];
  guint64 stated = 0;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return FALSE;
  if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode) && read_at (fd, 0, b, sizeof b)) {
    if (memcmp (b, "RIFF", 4) == 0)
      stated = riff_size (fd);
    else if (memcmp (b + 4, "ftyp", 4) == 0)
      stated = mp4_size (fd, (guint64)status.st_size);
    else if (big_endian (b, 4) == EBML_HEADER)
      stated = matroska_size (fd);
  }
  close (fd);
  if (stated <= (guint64)status.st_size)
    return FALSE;
  *ret_stated = stated;
  *ret_actual = (guint64)status.st_size;
  return TRUE;
}
