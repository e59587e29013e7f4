/* The file, all numbers little-endian:
 *
 * - "SLCKPT\r\n", 8 bytes; the line end shows a transfer that changed it
 * - uint32 version: 1
 * - uint32 number of entries
 * - uint64 bytes of the body
 * - SHA-256 of the body, 32 bytes
 * - the first 8 bytes of the SHA-256 of all above: no byte of the file is unguarded
 * - the body. Each entry of it:
 *   - uint32 dtype (0: a text), uint32 rank, uint32 bytes of the name, uint32 0
 *   - uint64 bytes of the content
 *   - int64 dimensions [rank]
 *   - name, and zeros up to a multiple of 64
 *   - content, and zeros up to a multiple of 64
 */
#include <sightline/checkpoint.h>

#include "core/file.h"
#include "core/text.h"
#include "train/number.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "SLCKPT\r\n"
#define VERSION 1
#define DEFAULT_LIMIT ((guint64)16 << 30)
#define MAX_NAME 65536
#define MAX_ENTRIES 1000000
#define DIGEST 32
#define HEAD_CHECK 8
#define ALIGNMENT 64

typedef struct {
  char magic[8];
  guint32 version, n_entries;
  guint64 body_bytes;
  guint8 body_digest[DIGEST];
  guint8 check[HEAD_CHECK]; /* of all before it */
} Head;
G_STATIC_ASSERT (sizeof (Head) == 64);
G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

typedef struct {
  guint32 dtype, rank, name_bytes, zero;
  guint64 content_bytes;
} EntryHead;

typedef struct {
  char *name;
  char *text;       /* or */
  SlTensor *tensor; /* one of them */
} Entry;

struct SlCheckpoint {
  GPtrArray *entries;  /* Entry */
  GHashTable *by_name; /* of entries; names are theirs */
};

static void
entry_free (void *data)
{
  Entry *entry = data;
  g_free (entry->name);
  g_free (entry->text);
  g_clear_pointer (&entry->tensor, sl_tensor_unref);
  g_free (entry);
}

SlCheckpoint *
sl_checkpoint_new (void)
{
  SlCheckpoint *checkpoint = g_new (SlCheckpoint, 1);
  checkpoint->entries = g_ptr_array_new_with_free_func (entry_free);
  checkpoint->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return checkpoint;
}

void
sl_checkpoint_free (SlCheckpoint *checkpoint)
{
  if (!checkpoint)
    return;
  g_hash_table_unref (checkpoint->by_name);
  g_ptr_array_unref (checkpoint->entries);
  g_free (checkpoint);
}

/* The entry of that name, empty. */
static Entry *
open_entry (SlCheckpoint *checkpoint, const char *name)
{
  Entry *entry = g_hash_table_lookup (checkpoint->by_name, name);
  if (!entry) {
    entry = g_new0 (Entry, 1);
    entry->name = g_strdup (name);
    g_ptr_array_add (checkpoint->entries, entry);
    g_hash_table_insert (checkpoint->by_name, entry->name, entry);
  }
  g_clear_pointer (&entry->text, g_free);
  g_clear_pointer (&entry->tensor, sl_tensor_unref);
  return entry;
}

void
sl_checkpoint_set_text (SlCheckpoint *checkpoint, const char *name, const char *text)
{
  g_return_if_fail (checkpoint && name && text);
  open_entry (checkpoint, name)->text = g_strdup (text);
}

void
sl_checkpoint_set_int (SlCheckpoint *checkpoint, const char *name, gint64 value)
{
  g_return_if_fail (checkpoint && name);
  open_entry (checkpoint, name)->text = g_strdup_printf ("%" G_GINT64_FORMAT, value);
}

void
sl_checkpoint_set_double (SlCheckpoint *checkpoint, const char *name, double value)
{
  g_return_if_fail (checkpoint && name);
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  open_entry (checkpoint, name)->text = g_strdup (sl_number_format (value, text));
}

void
sl_checkpoint_set_tensor (SlCheckpoint *checkpoint, const char *name, SlTensor *tensor)
{
  g_return_if_fail (checkpoint && name && tensor);
  open_entry (checkpoint, name)->tensor = sl_tensor_ref (tensor);
}

const char *
sl_checkpoint_get_text (SlCheckpoint *checkpoint, const char *name)
{
  g_return_val_if_fail (checkpoint && name, NULL);
  const Entry *entry = g_hash_table_lookup (checkpoint->by_name, name);
  return entry ? entry->text : NULL;
}

SlTensor *
sl_checkpoint_get_tensor (SlCheckpoint *checkpoint, const char *name)
{
  g_return_val_if_fail (checkpoint && name, NULL);
  const Entry *entry = g_hash_table_lookup (checkpoint->by_name, name);
  return entry ? entry->tensor : NULL;
}

static gboolean
fail_number (const char *name, const char *text, GError **error)
{
  g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "checkpoint: %s is %s (expected a number)",
               name, text ? text : "not there");
  return FALSE;
}

gboolean
sl_checkpoint_get_int (SlCheckpoint *checkpoint, const char *name, gint64 *ret, GError **error)
{
  const char *text = sl_checkpoint_get_text (checkpoint, name);
  return (text && g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, ret, NULL)) ||
         fail_number (name, text, error);
}

gboolean
sl_checkpoint_get_double (SlCheckpoint *checkpoint, const char *name, double *ret, GError **error)
{
  const char *text = sl_checkpoint_get_text (checkpoint, name);
  char *end = NULL;
  *ret = text ? g_ascii_strtod (text, &end) : 0;
  return (end && end != text && !*end) || fail_number (name, text, error);
}

const char *
sl_checkpoint_get_name (SlCheckpoint *checkpoint, guint index)
{
  g_return_val_if_fail (checkpoint, NULL);
  if (index >= checkpoint->entries->len)
    return NULL;
  return ((Entry *)g_ptr_array_index (checkpoint->entries, index))->name;
}

/* --- writing --- */

static gsize
pad (gsize length)
{
  return (ALIGNMENT - length % ALIGNMENT) % ALIGNMENT;
}

/* The entry's fixed part, dimensions and name, filled up. */
static GByteArray *
make_entry_head (const Entry *entry, gsize content_bytes)
{
  static const guint8 zeros[ALIGNMENT];
  const SlShape *shape = entry->tensor ? sl_tensor_get_shape (entry->tensor) : NULL;
  EntryHead head = {.name_bytes = (guint32)strlen (entry->name), .content_bytes = content_bytes};
  if (shape) {
    head.dtype = (guint32)sl_tensor_get_dtype (entry->tensor);
    head.rank = shape->rank;
  }
  GByteArray *bytes = g_byte_array_new ();
  g_byte_array_append (bytes, (const guint8 *)&head, sizeof head);
  if (shape)
    g_byte_array_append (bytes, (const guint8 *)shape->dim, shape->rank * sizeof shape->dim[0]);
  g_byte_array_append (bytes, (const guint8 *)entry->name, head.name_bytes);
  g_byte_array_append (bytes, zeros, (guint)pad (bytes->len));
  return bytes;
}

static void
add_piece (GArray *pieces, const void *data, gsize length)
{
  const SlFilePiece piece = {data, length};
  g_array_append_val (pieces, piece);
}

static void
digest (const void *data, gsize length, guint8 *ret, gsize n)
{
  guint8 whole[DIGEST];
  gsize size = sizeof whole;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (sum, data, (gssize)length);
  g_checksum_get_digest (sum, whole, &size);
  memcpy (ret, whole, n);
}

static void
seal (Head *head, const GArray *pieces)
{
  gsize size = sizeof head->body_digest;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  for (guint i = 1; i < pieces->len; i++) {
    const SlFilePiece *piece = &g_array_index (pieces, SlFilePiece, i);
    g_checksum_update (sum, piece->data, (gssize)piece->length);
    head->body_bytes += piece->length;
  }
  g_checksum_get_digest (sum, head->body_digest, &size);
  digest (head, G_STRUCT_OFFSET (Head, check), head->check, HEAD_CHECK);
}

gboolean
sl_checkpoint_save (SlCheckpoint *checkpoint, const char *path, GError **error)
{
  g_return_val_if_fail (checkpoint && path, FALSE);

  static const guint8 zeros[ALIGNMENT];
  g_autoptr (GArray) pieces = g_array_new (FALSE, FALSE, sizeof (SlFilePiece));
  g_autoptr (GPtrArray) heads = g_ptr_array_new_with_free_func ((GDestroyNotify)g_byte_array_unref);
  Head head = {.version = VERSION, .n_entries = checkpoint->entries->len};
  memcpy (head.magic, MAGIC, sizeof head.magic);
  add_piece (pieces, &head, sizeof head);
  for (guint i = 0; i < checkpoint->entries->len; i++) {
    const Entry *entry = g_ptr_array_index (checkpoint->entries, i);
    const void *content = entry->text ? entry->text : sl_tensor_get_data (entry->tensor);
    gsize length = entry->text ? strlen (entry->text) : sl_tensor_get_size (entry->tensor);
    GByteArray *entry_head = make_entry_head (entry, length);
    g_ptr_array_add (heads, entry_head);
    add_piece (pieces, entry_head->data, entry_head->len);
    add_piece (pieces, content, length);
    add_piece (pieces, zeros, pad (length));
  }
  seal (&head, pieces);
  return sl_file_write_pieces (path, (const SlFilePiece *)pieces->data, pieces->len, error);
}

/* --- reading --- */

G_GNUC_PRINTF (4, 5)
static gboolean
fail (GError **error, SlErrorCode code, const char *path, const char *format, ...)
{
  g_autofree char *shown = sl_text_on_one_line (path);
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, SL_ERROR, code, "%s: %s", shown, text);
  return FALSE;
}

static gboolean
check_head (const Head *head, const guint8 *body, gsize length, const char *path, GError **error)
{
  guint8 found[DIGEST];
  if (length < sizeof *head || memcmp (head->magic, MAGIC, sizeof head->magic) != 0)
    return fail (error, SL_ERROR_MALFORMED, path, "is no checkpoint (expected it to begin with %s",
                 "SLCKPT)");
  digest (head, G_STRUCT_OFFSET (Head, check), found, HEAD_CHECK);
  if (memcmp (found, head->check, HEAD_CHECK) != 0)
    return fail (error, SL_ERROR_MALFORMED, path,
                 "is damaged: its header has another SHA-256 (expected that which it states)");
  if (head->version != VERSION)
    return fail (error, SL_ERROR_UNSUPPORTED, path, "has format version %u (expected %d)",
                 head->version, VERSION);
  if (head->body_bytes != length - sizeof *head)
    return fail (error, SL_ERROR_MALFORMED, path,
                 "is damaged: it has %" G_GSIZE_FORMAT " bytes (expected %" G_GUINT64_FORMAT ")",
                 length, head->body_bytes + sizeof *head);
  digest (body, length - sizeof *head, found, DIGEST);
  if (memcmp (found, head->body_digest, DIGEST) != 0)
    return fail (error, SL_ERROR_MALFORMED, path,
                 "is damaged: its content has another SHA-256 (expected that which it states)");
  return TRUE;
}

typedef struct {
  GBytes *bytes;
  const guint8 *data;
  gsize at, end; /* of the file */
} Reader;

/* The next `length` bytes, or NULL beyond the end. */
static const guint8 *
take (Reader *reader, guint64 length)
{
  if (length > reader->end - reader->at)
    return NULL;
  const guint8 *data = reader->data + reader->at;
  reader->at += length;
  return data;
}

/* A file whose checksum is right may still be made by somebody else: nothing in it is believed. */
static gboolean
read_entry (Reader *reader, SlCheckpoint *checkpoint)
{
  EntryHead head;
  SlShape shape = {0};
  const guint8 *data = take (reader, sizeof head);
  if (!data)
    return FALSE;
  memcpy (&head, data, sizeof head);
  if (head.dtype >= SL_DTYPE_COUNT || head.rank > SL_MAX_RANK || head.name_bytes > MAX_NAME ||
      (head.dtype == SL_DTYPE_NONE && head.rank > 0))
    return FALSE;
  shape.rank = head.rank;
  if (!(data = take (reader, head.rank * sizeof shape.dim[0])))
    return FALSE;
  memcpy (shape.dim, data, head.rank * sizeof shape.dim[0]);
  if (!(data = take (reader, head.name_bytes)) ||
      !g_utf8_validate ((const char *)data, head.name_bytes, NULL))
    return FALSE;
  g_autofree char *name = g_strndup ((const char *)data, head.name_bytes);
  if (g_hash_table_contains (checkpoint->by_name, name) || !take (reader, pad (reader->at)))
    return FALSE;
  const gsize offset = reader->at;
  if (!(data = take (reader, head.content_bytes)) || !take (reader, pad (reader->at)))
    return FALSE;

  if (head.dtype == SL_DTYPE_NONE) {
    if (!g_utf8_validate ((const char *)data, (gssize)head.content_bytes, NULL))
      return FALSE;
    open_entry (checkpoint, name)->text = g_strndup ((const char *)data, head.content_bytes);
    return TRUE;
  }
  size_t elements;
  if (!sl_shape_get_elements (&shape, &elements) ||
      head.content_bytes / sl_dtype_get_size ((SlDType)head.dtype) != elements ||
      head.content_bytes % sl_dtype_get_size ((SlDType)head.dtype) != 0)
    return FALSE;
  g_autoptr (SlTensor) tensor =
      sl_tensor_new_bytes ((SlDType)head.dtype, &shape, reader->bytes, offset, NULL);
  if (tensor)
    sl_checkpoint_set_tensor (checkpoint, name, tensor);
  return tensor != NULL;
}

SlCheckpoint *
sl_checkpoint_load (const char *path, guint64 limit, GError **error)
{
  g_return_val_if_fail (path, NULL);

  Head head = {0};
  gsize length;
  g_autoptr (GBytes) bytes = sl_file_read (path, limit ? limit : DEFAULT_LIMIT, error);
  if (!bytes)
    return NULL;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  if (length)
    memcpy (&head, data, MIN (length, sizeof head));
  if (!check_head (&head, data + sizeof head, length, path, error))
    return NULL;

  g_autoptr (SlCheckpoint) checkpoint = sl_checkpoint_new ();
  Reader reader = {bytes, data, sizeof head, length};
  bool good = head.n_entries <= MAX_ENTRIES;
  for (guint32 i = 0; i < head.n_entries && good; i++)
    good = read_entry (&reader, checkpoint);
  if (good && reader.at == reader.end)
    return g_steal_pointer (&checkpoint);
  fail (error, SL_ERROR_MALFORMED, path,
        "has an entry that makes no sense before byte %" G_GSIZE_FORMAT " (expected %u entries)",
        reader.at, head.n_entries);
  return NULL;
}
