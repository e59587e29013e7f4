/* EXIF's orientation in the heads of JPEG pictures: in either byte order, behind other segments, in
 * pieces, cut and damaged. */
#include "exif.h"

#include <string.h>

static void
put_u16 (GByteArray *out, guint value, gboolean little)
{
  const guint8 bytes[] = {(guint8)(little ? value : value >> 8),
                          (guint8)(little ? value >> 8 : value)};
  g_byte_array_append (out, bytes, 2);
}

static void
put_u32 (GByteArray *out, guint32 value, gboolean little)
{
  put_u16 (out, little ? value & 0xffff : value >> 16, little);
  put_u16 (out, little ? value >> 16 : value & 0xffff, little);
}

static void
put_segment (GByteArray *out, guint8 marker, const guint8 *data, gsize size)
{
  const guint8 head[] = {0xff, marker, (guint8)((size + 2) >> 8), (guint8)(size + 2)};
  g_byte_array_append (out, head, 4);
  g_byte_array_append (out, data, (guint)size);
}

/* A TIFF structure whose directory has another entry before the orientation. */
static GByteArray *
make_exif (guint orientation, gboolean little)
{
  GByteArray *exif = g_byte_array_new ();
  g_byte_array_append (exif, (const guint8 *)"Exif\0\0", 6);
  g_byte_array_append (exif, (const guint8 *)(little ? "II" : "MM"), 2);
  put_u16 (exif, 42, little);
  put_u32 (exif, 8, little);
  put_u16 (exif, 2, little);
  put_u16 (exif, 0x0100, little); /* width, a long */
  put_u16 (exif, 4, little);
  put_u32 (exif, 1, little);
  put_u32 (exif, 640, little);
  put_u16 (exif, 0x0112, little);
  put_u16 (exif, 3, little);
  put_u32 (exif, 1, little);
  put_u16 (exif, orientation, little);
  put_u16 (exif, 0, little);
  put_u32 (exif, 0, little);
  return exif;
}

/* A head up to the first scan. */
static GByteArray *
make_head (guint orientation, gboolean little)
{
  g_autoptr (GByteArray) exif = make_exif (orientation, little);
  GByteArray *head = g_byte_array_new ();
  /* An Adobe segment holds what looks like a start of scan. */
  static const guint8 noise[] = {'A', 'd', 'o', 'b', 'e', 0xff, 0xda, 0, 4, 1, 2};
  g_byte_array_append (head, (const guint8 *)"\xff\xd8", 2);
  put_segment (head, 0xee, noise, sizeof noise);
  put_segment (head, 0xe1, exif->data, exif->len);
  put_segment (head, 0xda, noise, 4);
  return head;
}

static guint
read_in_pieces (const guint8 *data, gsize size, gsize piece)
{
  SlExif *exif = sl_exif_new ();
  for (gsize at = 0; at < size; at += piece)
    sl_exif_push (exif, data + at, MIN (piece, size - at));
  guint orientation = sl_exif_get_orientation (exif);
  sl_exif_free (exif);
  return orientation;
}

static void
test_all (void)
{
  for (guint orientation = 1; orientation <= 8; orientation++)
    for (guint little = 0; little < 2; little++) {
      g_autoptr (GByteArray) head = make_head (orientation, little);
      g_assert_cmpuint (read_in_pieces (head->data, head->len, head->len), ==, orientation);
      g_assert_cmpuint (read_in_pieces (head->data, head->len, 1), ==, orientation);
      g_assert_cmpuint (read_in_pieces (head->data, head->len, 7), ==, orientation);
    }
}

/* Numbers that EXIF does not know, no EXIF part, no JPEG. */
static void
test_none (void)
{
  static const guint wrong[] = {0, 9, 0xffff};
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GByteArray) head = make_head (wrong[i], TRUE);
    g_assert_cmpuint (read_in_pieces (head->data, head->len, head->len), ==, 1);
  }
  g_autoptr (GByteArray) head = make_head (6, TRUE);
  head->data[0] = 0x89;
  g_assert_cmpuint (read_in_pieces (head->data, head->len, head->len), ==, 1);
  g_assert_cmpuint (read_in_pieces ((const guint8 *)"\xff\xd8\xff\xda\0\2", 6, 6), ==, 1);
}

/* Behind the scan nothing counts. */
static void
test_after_scan (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GByteArray) head = make_head (6, TRUE);
  g_byte_array_append (bytes, (const guint8 *)"\xff\xd8\xff\xda\0\2", 6);
  g_byte_array_append (bytes, head->data, head->len);
  g_assert_cmpuint (read_in_pieces (bytes->data, bytes->len, bytes->len), ==, 1);
}

/* Every cut and many changed bytes: some orientation, in memory that a sanitizer guards. */
static void
test_damage (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  g_autoptr (GByteArray) head = make_head (6, FALSE);
  for (gsize size = 0; size < head->len; size++) {
    g_autofree guint8 *cut = g_memdup2 (head->data, size);
    guint orientation = size ? read_in_pieces (cut, size, size) : 1;
    g_assert_true (orientation == 1 || orientation == 6);
  }
  for (guint i = 0; i < 20000; i++) {
    g_autofree guint8 *bytes = g_memdup2 (head->data, head->len);
    for (guint k = 0; k < 3; k++)
      bytes[g_rand_int_range (random, 2, (gint32)head->len)] = (guint8)g_rand_int (random);
    guint orientation = read_in_pieces (bytes, head->len, head->len);
    g_assert_cmpuint (orientation, >=, 1);
    g_assert_cmpuint (orientation, <=, 8);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lib/exif/all", test_all);
  g_test_add_func ("/lib/exif/none", test_none);
  g_test_add_func ("/lib/exif/after-scan", test_after_scan);
  g_test_add_func ("/lib/exif/damage", test_damage);
  return g_test_run ();
}
