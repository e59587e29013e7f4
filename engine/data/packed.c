#include "data/packed.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#include <sightline/error.h>

#include <zlib.h>

/* zlib's word for a gzip header and the largest window. */
#define GZIP_WINDOW (15 + 16)
/* Deflate never makes more of a byte (zlib's documentation: "1032:1"). */
#define MOST_EXPANSION 1032

static gboolean
check_size (const char *path, guint64 size, guint64 limit, GError **error)
{
  if (size <= limit && size <= G_MAXSSIZE)
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
               "%s: states %" G_GUINT64_FORMAT " bytes (limit is %" G_GUINT64_FORMAT ")", path,
               size, limit);
  return FALSE;
}

static gboolean
refuse_length (const char *path, guint64 found, const char *than, guint64 expected, GError **error)
{
  g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
               "%s: has %s%" G_GUINT64_FORMAT " bytes (expected %" G_GUINT64_FORMAT
               " as its header states)",
               path, than, found, expected);
  return FALSE;
}

/* Unpacks up to `length` bytes more to `ret` and returns how many came; -1 for broken data. `final`
 * is set when the stream has come to its end. */
static gssize
unpack_some (z_stream *stream, GBytes *packed, guint8 *ret, gsize length, gboolean *final)
{
  gsize size, done = 0;
  const guint8 *data = g_bytes_get_data (packed, &size);
  while (done < length && !*final) {
    gsize at = (gsize)(stream->next_in - data);
    uInt piece = (uInt)MIN (length - done, 1u << 30);
    stream->avail_in = (uInt)MIN (size - at, 1u << 30);
    stream->next_out = ret + done;
    stream->avail_out = piece;
    int status = inflate (stream, Z_NO_FLUSH);
    done += piece - stream->avail_out;
    *final = status == Z_STREAM_END;
    if (status == Z_BUF_ERROR && stream->avail_in == 0)
      break;
    if (status != Z_OK && status != Z_STREAM_END)
      return -1;
  }
  return (gssize)done;
}

/* The rest of a content of `size` bytes that begins with `head`. */
static gboolean
unpack_rest (const char *path, z_stream *stream, GBytes *packed, guint8 *content, gsize n_head,
             gsize size, gboolean final, GError **error)
{
  guint8 beyond;
  gssize n = unpack_some (stream, packed, content + n_head, size - n_head, &final);
  gssize extra = n < 0 ? -1 : unpack_some (stream, packed, &beyond, 1, &final);
  const guint8 *end = (const guint8 *)g_bytes_get_data (packed, NULL) + g_bytes_get_size (packed);
  if (n < 0 || extra < 0)
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "%s: gzip data are damaged after %lu bytes of content (expected %" G_GSIZE_FORMAT
                 ")",
                 path, stream->total_out, size);
  else if (n_head + (gsize)n < size)
    refuse_length (path, n_head + (gsize)n, "only ", size, error);
  else if (extra)
    refuse_length (path, size, "more than ", size, error);
  else if (!final || stream->next_in != end)
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "%s: the gzip data %s (expected one whole stream)", path,
                 final ? "are followed by other bytes" : "end early");
  else
    return TRUE;
  return FALSE;
}

static GBytes *
unpack (const char *path, z_stream *stream, GBytes *packed, SlStatedSizeFunc stated_size,
        guint64 limit, GError **error)
{
  guint8 head[SL_PACKED_HEAD];
  gboolean final = FALSE;
  guint64 size;
  gssize n_head = unpack_some (stream, packed, head, sizeof head, &final);
  if (n_head < 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "%s: gzip data are damaged at the start (expected a whole stream)", path);
    return NULL;
  }
  if (!stated_size (path, head, (gsize)n_head, &size, error) ||
      !check_size (path, size, limit, error))
    return NULL;
  if (size < (guint64)n_head) {
    refuse_length (path, size, "more than ", size, error);
    return NULL;
  }
  if (size / MOST_EXPANSION > g_bytes_get_size (packed)) {
    refuse_length (path, g_bytes_get_size (packed), "packed ", size, error);
    return NULL;
  }

  guint8 *content = sl_aligned_alloc (size);
  if (!content) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "%s: no memory for %" G_GUINT64_FORMAT " bytes",
                 path, size);
    return NULL;
  }
  memcpy (content, head, (gsize)n_head);
  if (unpack_rest (path, stream, packed, content, (gsize)n_head, size, final, error))
    return g_bytes_new_with_free_func (content, size, sl_aligned_free, content);
  sl_aligned_free (content);
  return NULL;
}

GBytes *
sl_packed_read (const char *path, SlStatedSizeFunc stated_size, guint64 limit, GError **error)
{
  gsize length;
  guint64 size;
  g_autofree char *shown = sl_text_on_one_line (path);
  g_autoptr (GBytes) bytes = sl_file_read (path, limit, error);
  if (!bytes)
    return NULL;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  if (length >= 2 && data[0] == 0x1f && data[1] == 0x8b) {
    z_stream stream = {.next_in = (guint8 *)data};
    if (inflateInit2 (&stream, GZIP_WINDOW) != Z_OK) {
      g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "%s: no memory to unpack it", shown);
      return NULL;
    }
    GBytes *content = unpack (shown, &stream, bytes, stated_size, limit, error);
    inflateEnd (&stream);
    return content;
  }

  if (!stated_size (shown, data, MIN (length, SL_PACKED_HEAD), &size, error) ||
      !check_size (shown, size, limit, error))
    return NULL;
  if (size != length) {
    refuse_length (shown, length, "", size, error);
    return NULL;
  }
  return g_steal_pointer (&bytes);
}
