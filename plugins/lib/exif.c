#include "exif.h"

#include <string.h>

/* A head that is longer than this without a scan is no picture of this world. */
#define MAX_HEAD (1 << 20)
#define TAG_ORIENTATION 0x0112u
#define TYPE_SHORT 3u
#define IFD_ENTRY 12u

enum { JPEG_SOI = 0xd8, JPEG_SOS = 0xda, JPEG_APP1 = 0xe1 };

struct SlExif {
  GByteArray *head; /* from the start of the picture; NULL once all is known */
  guint orientation;
};

SlExif *
sl_exif_new (void)
{
  SlExif *exif = g_new0 (SlExif, 1);
  exif->head = g_byte_array_new ();
  exif->orientation = 1;
  return exif;
}

void
sl_exif_free (SlExif *exif)
{
  if (!exif)
    return;
  g_clear_pointer (&exif->head, g_byte_array_unref);
  g_free (exif);
}

static guint
read_u16 (const guint8 *p, gboolean little)
{
  return little ? p[0] | (guint)p[1] << 8 : (guint)p[0] << 8 | p[1];
}

static guint32
read_u32 (const guint8 *p, gboolean little)
{
  guint low = read_u16 (little ? p : p + 2, little), high = read_u16 (little ? p + 2 : p, little);
  return high << 16 | low;
}

/* The orientation in the first directory of a TIFF structure; 1 if it is not there. */
static guint
read_tiff (const guint8 *tiff, gsize size)
{
  if (size < 8 || (memcmp (tiff, "II*\0", 4) != 0 && memcmp (tiff, "MM\0*", 4) != 0))
    return 1;
  gboolean little = tiff[0] == 'I';
  gsize offset = read_u32 (tiff + 4, little);
  if (offset > size - 2)
    return 1;
  gsize n = MIN (read_u16 (tiff + offset, little), (size - offset - 2) / IFD_ENTRY);
  for (gsize i = 0; i < n; i++) {
    const guint8 *entry = tiff + offset + 2 + i * IFD_ENTRY;
    if (read_u16 (entry, little) != TAG_ORIENTATION || read_u16 (entry + 2, little) != TYPE_SHORT)
      continue;
    guint orientation = read_u16 (entry + 8, little);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
}

/* Walks the segments before the first scan. TRUE once nothing more is to be learned. */
static gboolean
read_head (SlExif *exif)
{
  const guint8 *data = exif->head->data;
  gsize size = exif->head->len, at = 2;
  if (size >= 2 && (data[0] != 0xff || data[1] != JPEG_SOI))
    return TRUE;
  while (at + 4 <= size) {
    guint marker = data[at + 1];
    gsize length = read_u16 (data + at + 2, FALSE);
    if (data[at] != 0xff)
      return TRUE;
    if (marker == 0xff) { /* filling */
      at++;
      continue;
    }
    if (marker == JPEG_SOS || length < 2)
      return TRUE;
    if (at + 2 + length > size)
      return FALSE;
    if (marker == JPEG_APP1 && length > 8 && memcmp (data + at + 4, "Exif\0\0", 6) == 0) {
      exif->orientation = read_tiff (data + at + 10, length - 8);
      return TRUE;
    }
    at += 2 + length;
  }
  return FALSE;
}

void
sl_exif_push (SlExif *exif, const guint8 *data, gsize size)
{
  if (!exif->head)
    return;
  g_byte_array_append (exif->head, data, (guint)MIN (size, MAX_HEAD));
  if (read_head (exif) || exif->head->len >= MAX_HEAD)
    g_clear_pointer (&exif->head, g_byte_array_unref);
}

guint
sl_exif_get_orientation (const SlExif *exif)
{
  return exif->orientation;
}
