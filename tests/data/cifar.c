#include "files.h"

#include <string.h>

#define RECORD 3073

/* A record whose pixel i is (i, i + 1, i + 2) mod 251, of class `label`. */
static void
make_record (guint8 label, guint8 *ret)
{
  ret[0] = label;
  for (unsigned c = 0; c < 3; c++)
    for (unsigned i = 0; i < 1024; i++)
      ret[1 + c * 1024 + i] = (guint8)((i + c) % 251);
}

static void
test_records (void)
{
  char *folder = files_make_folder ();
  guint8 records[3 * RECORD];
  for (guint8 i = 0; i < 3; i++)
    make_record (9 - i, records + i * RECORD);
  g_autoptr (GBytes) first = g_bytes_new_static (records, 2 * RECORD);
  g_autoptr (GBytes) second = g_bytes_new_static (records + 2 * RECORD, RECORD);
  g_autofree char *a = files_write (folder, "a.bin", first);
  g_autofree char *b = files_write (folder, "b.bin", second);
  const char *paths[] = {a, b, NULL};
  g_autoptr (GError) error = NULL;
  g_autoptr (SlSampleSource) source = sl_cifar10_source_new (paths, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, 3);
  g_assert_cmpuint (sl_sample_source_get_label (source, 2), ==, 7);
  g_assert_cmpstr (sl_sample_source_get_class_names (source)[9], ==, "truck");

  SlSample sample;
  g_assert_true (sl_sample_source_load (source, 2, &sample, NULL));
  const guint8 *pixels = sample.image.planes[0];
  g_assert_cmpint (sample.image.strides[0], ==, 96);
  for (unsigned i = 0; i < 1024; i++)
    for (unsigned c = 0; c < 3; c++)
      g_assert_cmpuint (pixels[3 * i + c], ==, (i + c) % 251);
  files_remove (folder);
}

static void
test_broken (void)
{
  static const gsize lengths[] = {0, 1, RECORD - 1, RECORD + 1};
  char *folder = files_make_folder ();
  guint8 record[RECORD + 1] = {3};
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) bytes = g_bytes_new_static (record, lengths[i]);
    g_autofree char *path = files_write (folder, "a.bin", bytes);
    g_assert_null (sl_cifar10_source_new ((const char *[]){path, NULL}, NULL, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
    g_assert_nonnull (strstr (error->message, "a.bin"));
  }
  make_record (10, record);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static (record, RECORD);
  g_autofree char *path = files_write (folder, "a.bin", bytes);
  g_assert_null (sl_cifar10_source_new ((const char *[]){path, NULL}, NULL, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
  g_assert_nonnull (strstr (error->message, "label 10"));
  files_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/data/cifar/records", test_records);
  g_test_add_func ("/data/cifar/broken", test_broken);
  return g_test_run ();
}
