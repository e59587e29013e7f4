#include <sightline/events.h>

#include <glib/gstdio.h>

#include <math.h>
#include <string.h>

/* CRC-32C by its definition, a bit at a time over the reversed polynomial, checked against the
 * value that RFC 3720 states for "123456789"; the writer's own is not trusted with that. */
static guint32
crc (const guint8 *data, gsize length)
{
  guint32 rest = 0xffffffffu;
  for (gsize i = 0; i < length * 8; i++) {
    const guint32 bit = (rest ^ (data[i / 8] >> i % 8)) & 1;
    rest = rest >> 1 ^ bit * 0x82f63b78u;
  }
  return rest ^ 0xffffffffu;
}

static guint32
masked (const guint8 *data, gsize length)
{
  const guint32 value = crc (data, length);
  return (value >> 15 | value << 17) + 0xa282ead8u;
}

/* Takes the next record off *at: its data and length. */
static const guint8 *
take (const guint8 **at, guint64 *ret_length)
{
  guint32 sum;
  memcpy (ret_length, *at, 8);
  memcpy (&sum, *at + 8, 4);
  g_assert_cmphex (sum, ==, masked (*at, 8));
  const guint8 *data = *at + 12;
  memcpy (&sum, data + *ret_length, 4);
  g_assert_cmphex (sum, ==, masked (data, *ret_length));
  *at = data + *ret_length + 4;
  return data;
}

static void
test_file (void)
{
  const char *const tags[] = {"loss/train", "none", "rate"};
  const double values[] = {0.5, NAN, 2};
  g_autoptr (GError) error = NULL;
  g_assert_cmphex (crc ((const guint8 *)"123456789", 9), ==, 0xe3069283u);
  g_autofree char *folder = g_dir_make_tmp ("sightline-events-XXXXXX", &error);
  g_autoptr (SlEventFile) file = sl_event_file_new (folder, 7, &error);
  g_assert_no_error (error);
  g_assert_true (sl_event_file_add (file, 300, tags, values, 3, &error));

  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autofree char *path = g_build_filename (folder, g_dir_read_name (dir), NULL);
  g_assert_null (g_dir_read_name (dir));
  g_assert_nonnull (strstr (path, "/events.out.tfevents."));
  gsize length;
  g_autofree guint8 *data = NULL;
  g_assert_true (g_file_get_contents (path, (char **)&data, &length, NULL));
  const guint8 *at = data;
  guint64 n;
  /* wall_time is a double, then come the fields that are checked here byte by byte. */
  const guint8 *version = take (&at, &n);
  g_assert_cmpmem (version + 9, n - 9,
                   "\x1a\x0d"
                   "brain.Event:2",
                   15);
  const guint8 *start = take (&at, &n);
  g_assert_cmpmem (start + 9, n - 9, "\x10\x07\x3a\x02\x08\x01", 6);
  const guint8 *event = take (&at, &n);
  const guint8 want[] = "\x10\xac\x02\x2a\x20"
                        "\x0a\x11\x0a\x0aloss/train\x15\x00\x00\x00\x3f"
                        "\x0a\x0b\x0a\x04rate\x15\x00\x00\x00\x40";
  g_assert_cmpmem (event + 9, n - 9, want, sizeof want - 1);
  g_assert_true (at == data + length);
  double time;
  memcpy (&time, event + 1, sizeof time);
  g_assert_cmpfloat (fabs (time - (double)g_get_real_time () / G_USEC_PER_SEC), <, 3600);

  /* Another one in the same second has a name of its own. */
  g_autoptr (SlEventFile) second = sl_event_file_new (folder, 8, &error);
  g_assert_no_error (error);
  g_autoptr (GDir) again = g_dir_open (folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name (again));) {
    g_autofree char *each = g_build_filename (folder, name, NULL);
    g_remove (each);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_assert_null (sl_event_file_new (folder, 0, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/events/file", test_file);
  return g_test_run ();
}
