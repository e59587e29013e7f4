/* IDX: two zero bytes, the type of elements, the number of dimensions, each dimension as a
 * big-endian 32-bit number, then the elements. http://yann.lecun.com/exdb/mnist/ */
#include "core/text.h"
#include "data/memory.h"
#include "data/packed.h"

#define TYPE_UNSIGNED_BYTE 0x08
#define MAX_DIMENSIONS 4
#define HEAD(rank) (4 + 4 * (gsize)(rank))

typedef struct IdxHeader {
  unsigned rank;
  guint32 dim[MAX_DIMENSIONS];
} IdxHeader;

static guint32
read_32 (const guint8 *bytes)
{
  return (guint32)bytes[0] << 24 | (guint32)bytes[1] << 16 | (guint32)bytes[2] << 8 | bytes[3];
}

static gboolean
read_header (const char *path, const guint8 *head, gsize n_head, IdxHeader *ret, GError **error)
{
  const guint8 *magic = n_head < HEAD (1) ? (const guint8[4]){0} : head;
  if (magic[0] || magic[1] || magic[3] < 1 || magic[3] > MAX_DIMENSIONS) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "%s: is not an IDX file: %02x %02x %02x %02x (expected 00 00 08 and 1 to %d "
                 "dimensions at its start)",
                 path, magic[0], magic[1], magic[2], magic[3], MAX_DIMENSIONS);
    return FALSE;
  }
  if (n_head < HEAD (magic[3])) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "%s: is not an IDX file: it ends after %" G_GSIZE_FORMAT
                 " bytes (expected %" G_GSIZE_FORMAT " for %u dimensions)",
                 path, n_head, HEAD (magic[3]), magic[3]);
    return FALSE;
  }
  if (head[2] != TYPE_UNSIGNED_BYTE) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s: holds elements of type 0x%02x (expected 0x08, unsigned bytes)", path,
                 head[2]);
    return FALSE;
  }
  ret->rank = head[3];
  for (unsigned d = 0; d < ret->rank; d++)
    ret->dim[d] = read_32 (head + HEAD (d));
  return TRUE;
}

static gboolean
get_stated_size (const char *path, const guint8 *head, gsize n_head, guint64 *ret_size,
                 GError **error)
{
  IdxHeader header;
  guint64 size = 1;
  if (!read_header (path, head, n_head, &header, error))
    return FALSE;
  for (unsigned d = 0; d < header.rank; d++)
    if (!header.dim[d] || __builtin_mul_overflow (size, header.dim[d], &size)) {
      g_set_error (
          error, SL_ERROR, SL_ERROR_MALFORMED,
          "%s: states %u as its dimension %u (expected at least 1, and a product that fits)", path,
          header.dim[d], d);
      return FALSE;
    }
  if (__builtin_add_overflow (size, HEAD (header.rank), &size))
    size = G_MAXUINT64; /* above every limit */
  *ret_size = size;
  return TRUE;
}

static GBytes *
read_idx (const char *path, IdxHeader *ret_header, GError **error)
{
  guint64 limit;
  gsize length;
  if (!sl_memory_source_get_limit (&limit, error))
    return NULL;
  GBytes *bytes = sl_packed_read (path, get_stated_size, limit, error);
  if (!bytes)
    return NULL;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  g_autofree char *shown = sl_text_on_one_line (path);
  if (!read_header (shown, data, length, ret_header, error))
    g_clear_pointer (&bytes, g_bytes_unref);
  return bytes;
}

static gboolean
check_pair (const char *images_path, const IdxHeader *images, const char *labels_path,
            const IdxHeader *labels, GError **error)
{
  g_autofree char *shown_images = sl_text_on_one_line (images_path);
  g_autofree char *shown_labels = sl_text_on_one_line (labels_path);
  gboolean gray = images->rank == 3, rgb = images->rank == 4 && images->dim[3] == 3;
  if (!gray && !rgb)
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s: has %u dimensions, the last of %u (expected 3, or 4 with 3 colours)",
                 shown_images, images->rank, images->dim[images->rank - 1]);
  else if (images->dim[1] > SL_IMAGE_MAX_SIZE || images->dim[2] > SL_IMAGE_MAX_SIZE)
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "%s: pictures are %u x %u (expected 1 to %d each way)", shown_images,
                 images->dim[2], images->dim[1], SL_IMAGE_MAX_SIZE);
  else if (labels->rank != 1)
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s: has %u dimensions (expected 1: labels)", shown_labels, labels->rank);
  else if (labels->dim[0] != images->dim[0])
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "%s: has %u labels (expected %u, the pictures of %s)", shown_labels,
                 labels->dim[0], images->dim[0], shown_images);
  else
    return TRUE;
  return FALSE;
}

SlSampleSource *
sl_idx_source_new (const char *images_path, const char *labels_path, const char *const *class_names,
                   GError **error)
{
  g_return_val_if_fail (images_path && labels_path, NULL);
  IdxHeader images, classes;
  g_autoptr (GBytes) label_bytes = read_idx (labels_path, &classes, error);
  g_autoptr (GBytes) pixels = label_bytes ? read_idx (images_path, &images, error) : NULL;
  if (!pixels || !check_pair (images_path, &images, labels_path, &classes, error))
    return NULL;

  g_autofree uint32_t *labels = g_new (uint32_t, classes.dim[0]);
  const guint8 *bytes = (const guint8 *)g_bytes_get_data (label_bytes, NULL) + HEAD (1);
  for (uint32_t i = 0; i < classes.dim[0]; i++)
    labels[i] = bytes[i];
  g_autofree char *shown = sl_text_on_one_line (images_path);
  SlSampleSource *source = sl_memory_source_new (
      &(SlMemorySet){
          .pixels = pixels,
          .offset = HEAD (images.rank),
          .width = images.dim[2],
          .height = images.dim[1],
          .n_components = images.rank == 4 ? 3 : 1,
          .n_samples = images.dim[0],
          .labels = labels,
          .class_names = class_names,
          .path = shown,
      },
      error);
  if (!source) {
    g_autofree char *name = sl_text_on_one_line (labels_path);
    g_prefix_error (error, "%s: ", name);
  }
  return source;
}
