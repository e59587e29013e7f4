/* Records as TFRecord frames them: length, its checksum, data, their checksum; the data are
 * tensorflow.Event messages (tensorflow/core/util/event.proto, framework/summary.proto). */
#include <sightline/events.h>

#include "core/text.h"
#include "onnx/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum {
  EVENT_WALL_TIME = 1,
  EVENT_STEP = 2,
  EVENT_FILE_VERSION = 3,
  EVENT_SUMMARY = 5,
  EVENT_SESSION_LOG = 7
};
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE_VALUE = 2 };
enum { SESSION_LOG_STATUS = 1 };
enum { SESSION_START = 1 };

#define FILE_VERSION "brain.Event:2"
#define MASK_DELTA 0xa282ead8u
#define CRC32C_POLYNOMIAL 0x82f63b78u /* Castagnoli's, reflected */
#define MAX_ATTEMPTS 1000

struct SlEventFile {
  int fd;
  char *path;
};

static guint32
crc32c (const guint8 *data, gsize length)
{
  guint32 crc = ~0u;
  for (gsize i = 0; i < length; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
  }
  return ~crc;
}

/* TFRecord's: a checksum of data that hold checksums is a weak one. */
static guint32
mask_crc (const void *data, gsize length)
{
  const guint32 crc = crc32c (data, length);
  return (crc >> 15 | crc << 17) + MASK_DELTA;
}

static gboolean
fail (SlEventFile *file, GError **error)
{
  g_autofree char *shown = sl_text_on_one_line (file->path);
  g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s: cannot be written: %s", shown,
               g_strerror (errno));
  return FALSE;
}

static gboolean
write_record (SlEventFile *file, const SlWireOut *out, GError **error)
{
  g_autoptr (GByteArray) record = g_byte_array_new ();
  const guint64 length = GUINT64_TO_LE (out->length);
  const guint32 length_crc = GUINT32_TO_LE (mask_crc (&length, sizeof length));
  const guint32 data_crc = GUINT32_TO_LE (mask_crc (out->data, out->length));
  g_byte_array_append (record, (const guint8 *)&length, sizeof length);
  g_byte_array_append (record, (const guint8 *)&length_crc, sizeof length_crc);
  g_byte_array_append (record, out->data, (guint)out->length);
  g_byte_array_append (record, (const guint8 *)&data_crc, sizeof data_crc);
  for (guint done = 0; done < record->len;) {
    gssize n = write (file->fd, record->data + done, record->len - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail (file, error);
    done += (guint)n;
  }
  return TRUE;
}

static void
begin_event (SlWireOut *out)
{
  sl_wire_put_double (out, EVENT_WALL_TIME, (double)g_get_real_time () / G_USEC_PER_SEC);
}

static gboolean
end_event (SlEventFile *file, SlWireOut *out, GError **error)
{
  gboolean good = !out->failed && write_record (file, out, error);
  if (out->failed)
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "%s: no memory for a record", file->path);
  sl_wire_out_clear (out);
  return good;
}

/* A name that no other file has: TensorBoard sorts them, so the time comes first. */
static gboolean
create (SlEventFile *file, const char *folder, GError **error)
{
  const gint64 seconds = g_get_real_time () / G_USEC_PER_SEC;
  for (guint i = 0; i < MAX_ATTEMPTS; i++) {
    g_autofree char *name = g_strdup_printf ("events.out.tfevents.%010" G_GINT64_FORMAT ".%s.%03u",
                                             seconds, g_get_host_name (), i);
    g_free (file->path);
    file->path = g_build_filename (folder, name, NULL);
    file->fd = open (file->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (file->fd >= 0)
      return TRUE;
    if (errno != EEXIST)
      break;
  }
  return fail (file, error);
}

SlEventFile *
sl_event_file_new (const char *folder, gint64 first_step, GError **error)
{
  g_return_val_if_fail (folder, NULL);

  SlWireOut version = {0}, start = {0};
  g_autoptr (SlEventFile) file = g_new0 (SlEventFile, 1);
  file->fd = -1;
  if (!create (file, folder, error))
    return NULL;
  begin_event (&version);
  sl_wire_put_text (&version, EVENT_FILE_VERSION, FILE_VERSION);
  if (!end_event (file, &version, error))
    return NULL;
  begin_event (&start);
  sl_wire_put_int (&start, EVENT_STEP, first_step);
  size_t log = sl_wire_begin (&start, EVENT_SESSION_LOG);
  sl_wire_put_int (&start, SESSION_LOG_STATUS, SESSION_START);
  sl_wire_end (&start, log);
  if (!end_event (file, &start, error))
    return NULL;
  return g_steal_pointer (&file);
}

gboolean
sl_event_file_add (SlEventFile *file, gint64 step, const char *const *tags, const double *values,
                   guint n, GError **error)
{
  g_return_val_if_fail (file && (n == 0 || (tags && values)), FALSE);

  SlWireOut out = {0};
  begin_event (&out);
  sl_wire_put_int (&out, EVENT_STEP, step);
  size_t summary = sl_wire_begin (&out, EVENT_SUMMARY);
  for (guint i = 0; i < n; i++) {
    if (isnan (values[i]))
      continue;
    size_t value = sl_wire_begin (&out, SUMMARY_VALUE);
    sl_wire_put_text (&out, VALUE_TAG, tags[i]);
    sl_wire_put_float (&out, VALUE_SIMPLE_VALUE, (float)values[i]);
    sl_wire_end (&out, value);
  }
  sl_wire_end (&out, summary);
  return end_event (file, &out, error);
}

void
sl_event_file_free (SlEventFile *file)
{
  if (!file)
    return;
  if (file->fd >= 0)
    close (file->fd);
  g_free (file->path);
  g_free (file);
}
