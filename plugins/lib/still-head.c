#include "still-head.h"

#include <sightline/error.h>

#include <string.h>

/* Numbers at any address; GStreamer's readers want them aligned, says a sanitizer. */
static guint32
read_le (const guint8 *at, guint bytes)
{
  guint32 value = 0;
  while (bytes-- > 0)
    value = value << 8 | at[bytes];
  return value;
}

static guint32
read_be (const guint8 *at, guint bytes)
{
  guint32 value = 0;
  for (guint i = 0; i < bytes; i++)
    value = value << 8 | at[i];
  return value;
}

static gboolean
refuse (GError **error, const char *found, const char *expected)
{
  g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "%s (expected %s)", found, expected);
  return FALSE;
}

/* Walks the segments to the first scan. */
static gboolean
read_jpeg (const guint8 *data, gsize size, SlStillHead *head, GError **error)
{
  gsize at = 2;
  while (at + 4 <= size && data[at] == 0xff) {
    guint marker = data[at + 1], length = read_be (data + at + 2, 2);
    if (marker == 0xff) { /* filling */
      at++;
      continue;
    }
    /* frame headers: all of 0xc0 … 0xcf but tables */
    if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc &&
        at + 10 <= size) {
      head->pixels = (guint64)read_be (data + at + 5, 2) * read_be (data + at + 7, 2);
      if (data[at + 9] == 4) /* CMYK, which jpegdec does not take */
        head->kind = SL_STILL_PIXBUF;
    }
    if (marker == 0xda) {
      /* A scan's own 0xff bytes are followed by others than this. */
      if (!memmem (data + at, size - at, "\xff\xd9", 2))
        return refuse (error, "the JPEG picture stops before its end", "an end marker");
      return head->pixels || refuse (error, "the JPEG picture has no size", "a frame header");
    }
    if (length < 2)
      break;
    at += 2 + (gsize)length;
  }
  return refuse (error, "the JPEG picture has no content", "a scan");
}

static gboolean
read_png (const guint8 *data, gsize size, SlStillHead *head, GError **error)
{
  if (size < 26 || memcmp (data + 12, "IHDR", 4) != 0)
    return refuse (error, "the PNG picture has no size", "a header");
  if (data[24] == 16) /* GStreamer 1.22's pngdec shifts the colours of such a picture */
    head->kind = SL_STILL_PIXBUF;
  head->pixels = (guint64)read_be (data + 16, 4) * read_be (data + 20, 4);
  if (!memmem (data, size, "IEND", 4))
    return refuse (error, "the PNG picture stops before its end", "an end chunk");
  return TRUE;
}

/* Bytes of a colour table, whose size the low bits of `flags` say. */
static gsize
get_table_bytes (guint8 flags)
{
  return flags & 0x80 ? (gsize)3 << ((flags & 7) + 1) : 0;
}

/* The first byte behind a chain of GIF's blocks, each with its length in front; 0: it is cut. */
static gsize
skip_blocks (const guint8 *data, gsize size, gsize at)
{
  while (at < size && data[at])
    at += 1 + (gsize)data[at];
  return at < size ? at + 1 : 0;
}

/* Walks all pictures of an animation: each states a size of its own, and is decoded. */
static gboolean
read_gif (const guint8 *data, gsize size, SlStillHead *head, GError **error)
{
  enum { SCREEN = 13, PICTURE = 10, EXTENSION = 2 };
  guint64 n_pictures = 0;
  if (size < SCREEN)
    return refuse (error, "the GIF picture has no size", "a header");
  head->pixels = (guint64)read_le (data + 6, 2) * read_le (data + 8, 2);
  for (gsize at = SCREEN + get_table_bytes (data[10]); at && at < size;) {
    if (data[at] == ';')
      break;
    if (data[at] == '!') {
      at = skip_blocks (data, size, at + EXTENSION);
    } else if (data[at] == ',' && at + PICTURE < size) {
      const guint8 *picture = data + at;
      head->pixels =
          MAX (head->pixels, (guint64)read_le (picture + 5, 2) * read_le (picture + 7, 2));
      at = skip_blocks (data, size, at + PICTURE + get_table_bytes (picture[9]) + 1);
      n_pictures += at > 0;
    } else {
      break;
    }
  }
  return n_pictures > 0 || refuse (error, "the GIF picture stops before its end", "a picture");
}

static gboolean
read_bmp (const guint8 *data, gsize size, SlStillHead *head, GError **error)
{
  enum { OLD_HEADER = 12 };
  if (size < 26)
    return refuse (error, "the BMP picture has no size", "a header");
  guint64 width, height;
  if (read_le (data + 14, 4) == OLD_HEADER) {
    width = read_le (data + 18, 2);
    height = read_le (data + 20, 2);
  } else { /* a negative height: from the top down */
    gint64 rows = (gint32)read_le (data + 22, 4);
    width = read_le (data + 18, 4);
    height = (guint64)ABS (rows);
  }
  head->pixels = width * height;
  return TRUE;
}

/* The first directory's width and height. */
static gboolean
read_tiff (const guint8 *data, gsize size, SlStillHead *head, GError **error)
{
  enum { WIDTH = 256, HEIGHT = 257, SHORT = 3, ENTRY = 12 };
  guint64 sides[2] = {0, 0};
  guint32 (*const read) (const guint8 *at, guint bytes) = data[0] == 'I' ? read_le : read_be;
  gsize at = size >= 8 ? read (data + 4, 4) : 0;
  guint n = at >= 8 && at + 2 <= size ? read (data + at, 2) : 0;
  for (at += 2; n > 0 && at + ENTRY <= size; n--, at += ENTRY) {
    guint tag = read (data + at, 2);
    if (tag == WIDTH || tag == HEIGHT)
      sides[tag - WIDTH] =
          read (data + at + 2, 2) == SHORT ? read (data + at + 8, 2) : read (data + at + 8, 4);
  }
  head->pixels = sides[0] * sides[1];
  return head->pixels || refuse (error, "the TIFF picture has no size", "a directory");
}

gboolean
sl_still_head_read (const guint8 *data, gsize size, SlStillHead *ret_head, GError **error)
{
  static const struct {
    const char *magic;
    gsize length;
    SlStillKind kind;
    gboolean (*read) (const guint8 *data, gsize size, SlStillHead *head, GError **error);
  } formats[] = {
      {"\xff\xd8\xff", 3, SL_STILL_JPEG, read_jpeg},
      {"\x89PNG\r\n\x1a\n", 8, SL_STILL_PNG, read_png},
      {"GIF8", 4, SL_STILL_PIXBUF, read_gif},
      {"BM", 2, SL_STILL_PIXBUF, read_bmp},
      {"II*\0", 4, SL_STILL_PIXBUF, read_tiff},
      {"MM\0*", 4, SL_STILL_PIXBUF, read_tiff},
  };
  *ret_head = (SlStillHead){.kind = SL_STILL_OTHER};
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    if (size >= formats[i].length && memcmp (data, formats[i].magic, formats[i].length) == 0) {
      ret_head->kind = formats[i].kind;
      return formats[i].read (data, size, ret_head, error);
    }
  return TRUE;
}
