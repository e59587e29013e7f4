#include "files.h"

#include <string.h>

static const guint8 pixels[12] = {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 255};
static const guint8 labels[2] = {1, 0};

/* The error of reading `images` and `classes`, which are freed. */
static GError *
read_pair (GBytes *images, GBytes *classes, SlSampleSource **ret)
{
  GError *error = NULL;
  char *folder = files_make_folder ();
  g_autofree char *a = files_write (folder, "pictures", images);
  g_autofree char *b = files_write (folder, "labels", classes);
  *ret = sl_idx_source_new (a, b, NULL, &error);
  g_assert_true ((*ret != NULL) == (error == NULL));
  g_bytes_unref (images);
  g_bytes_unref (classes);
  files_remove (folder);
  return error;
}

static void
check_content (SlSampleSource *source)
{
  SlSample sample;
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, 2);
  g_assert_cmpuint (sl_sample_source_get_n_classes (source), ==, 2);
  g_assert_cmpstr (sl_sample_source_get_class_names (source)[1], ==, "1");
  g_assert_cmpuint (sl_sample_source_get_label (source, 0), ==, 1);
  g_assert_cmpuint (sl_sample_source_get_label (source, 1), ==, 0);
  g_assert_true (sl_sample_source_load (source, 1, &sample, NULL));
  g_assert_cmpint (sample.info.format, ==, SL_PIXEL_GRAY8);
  g_assert_cmpuint (sample.info.width, ==, 2);
  g_assert_cmpuint (sample.info.height, ==, 3);
  g_assert_cmpint (sample.image.strides[0], ==, 2);
  g_assert_cmpmem (sample.image.planes[0], 6, pixels + 6, 6);
  sl_sample_source_release (source, &sample);
}

static void
test_plain_and_gzip (void)
{
  for (int packed = 0; packed < 2; packed++) {
    g_autoptr (SlSampleSource) source = NULL;
    GBytes *images = files_idx ((guint32[]){2, 3, 2, 0}, pixels, 12);
    GBytes *classes = files_idx ((guint32[]){2, 0}, labels, 2);
    if (packed) {
      GBytes *plain[] = {images, classes};
      images = files_gzip (plain[0]);
      classes = files_gzip (plain[1]);
      g_bytes_unref (plain[0]);
      g_bytes_unref (plain[1]);
    }
    g_assert_no_error (read_pair (images, classes, &source));
    check_content (source);
  }
}

static void
test_colour (void)
{
  SlSample sample;
  g_autoptr (SlSampleSource) source = NULL;
  g_assert_no_error (read_pair (files_idx ((guint32[]){2, 1, 2, 3, 0}, pixels, 12),
                                files_idx ((guint32[]){2, 0}, labels, 2), &source));
  g_assert_true (sl_sample_source_load (source, 1, &sample, NULL));
  g_assert_cmpint (sample.info.format, ==, SL_PIXEL_RGB);
  g_assert_cmpuint (sample.info.width, ==, 2);
  g_assert_cmpmem (sample.image.planes[0], 6, pixels + 6, 6);
}

/* Files that are not what they say; the text has to name what was found. */
static void
check_refused (GBytes *images, GBytes *classes, SlErrorCode code, const char *text)
{
  SlSampleSource *source;
  g_autoptr (GError) error = read_pair (images, classes, &source);
  g_assert_error (error, SL_ERROR, (int)code);
  if (!strstr (error->message, text))
    g_test_message ("'%s' lacks '%s'", error->message, text);
  g_assert_nonnull (strstr (error->message, text));
  g_test_message ("%s", error->message);
  g_assert_true (strstr (error->message, "expected") || strstr (error->message, "limit is"));
  g_assert_null (strchr (error->message, '\n'));
}

static GBytes *
good_labels (void)
{
  return files_idx ((guint32[]){2, 0}, labels, 2);
}

static GBytes *
cut (GBytes *whole, gsize length)
{
  GBytes *part = g_bytes_new (g_bytes_get_data (whole, NULL), length);
  g_bytes_unref (whole);
  return part;
}

static GBytes *
packed (GBytes *plain)
{
  GBytes *gzip = files_gzip (plain);
  g_bytes_unref (plain);
  return gzip;
}

static GBytes *
changed (GBytes *whole, gsize at, guint8 to)
{
  gsize length;
  guint8 *copy = g_memdup2 (g_bytes_get_data (whole, &length), g_bytes_get_size (whole));
  copy[at] = to;
  g_bytes_unref (whole);
  return g_bytes_new_take (copy, length);
}

#define IMAGES(...) files_idx ((guint32[]){__VA_ARGS__, 0}, pixels, 12)

static void
test_broken (void)
{
  check_refused (IMAGES (2, 3, 3), good_labels (), SL_ERROR_MALFORMED, "has 28 bytes (expected 34");
  check_refused (IMAGES (1, 3, 2), good_labels (), SL_ERROR_MALFORMED, "has 28 bytes (expected 22");
  check_refused (cut (IMAGES (2, 3, 2), 11), good_labels (), SL_ERROR_MALFORMED, "not an IDX file");
  check_refused (g_bytes_new (NULL, 0), good_labels (), SL_ERROR_MALFORMED, "not an IDX file");
  check_refused (changed (IMAGES (2, 3, 2), 2, 0x0d), good_labels (), SL_ERROR_UNSUPPORTED, "0x0d");
  check_refused (changed (IMAGES (2, 3, 2), 3, 200), good_labels (), SL_ERROR_MALFORMED,
                 "00 00 08 c8");
  check_refused (changed (IMAGES (2, 3, 2), 7, 0), good_labels (), SL_ERROR_MALFORMED,
                 "states 0 as its dimension 0");
  check_refused (IMAGES (0xffffffff, 0xffffffff, 0xffffffff), good_labels (), SL_ERROR_MALFORMED,
                 "that fits");
  check_refused (IMAGES (0xffffffff, 0xffffffff), good_labels (), SL_ERROR_LIMIT,
                 "states 18446744065119617037 bytes");
  check_refused (IMAGES (4, 3), good_labels (), SL_ERROR_UNSUPPORTED, "2 dimensions");
  check_refused (IMAGES (2, 6, 1, 1), good_labels (), SL_ERROR_UNSUPPORTED, "4 dimensions");
  check_refused (IMAGES (3, 2, 2), good_labels (), SL_ERROR_MALFORMED, "has 2 labels (expected 3");
  check_refused (IMAGES (2, 3, 2), IMAGES (2, 6), SL_ERROR_UNSUPPORTED, "2 dimensions (expected 1");
}

static void
test_broken_gzip (void)
{
  GBytes *whole = packed (IMAGES (2, 3, 2));
  gsize length = g_bytes_get_size (whole);
  check_refused (cut (g_bytes_ref (whole), length - 1), good_labels (), SL_ERROR_MALFORMED,
                 "early");
  check_refused (cut (g_bytes_ref (whole), 3), good_labels (), SL_ERROR_MALFORMED, "not an IDX");
  check_refused (changed (g_bytes_ref (whole), length - 5, 77), good_labels (), SL_ERROR_MALFORMED,
                 "damaged");
  check_refused (changed (whole, length - 8, 77), good_labels (), SL_ERROR_MALFORMED, "damaged");
  check_refused (packed (IMAGES (1, 3, 2)), good_labels (), SL_ERROR_MALFORMED,
                 "more than 22 bytes (expected 22");
  check_refused (packed (IMAGES (2, 3, 3)), good_labels (), SL_ERROR_MALFORMED,
                 "only 28 bytes (expected 34");
  /* 1.5 GB stated by 40 bytes: not even asked for */
  check_refused (packed (IMAGES (2, 28000, 28000)), good_labels (), SL_ERROR_MALFORMED,
                 "(expected 1568000016");
  GByteArray *two = g_byte_array_new ();
  g_autoptr (GBytes) one = packed (IMAGES (2, 3, 2));
  g_byte_array_append (two, g_bytes_get_data (one, NULL), (guint)g_bytes_get_size (one));
  g_byte_array_append (two, (const guint8 *)"x", 1);
  check_refused (g_byte_array_free_to_bytes (two), good_labels (), SL_ERROR_MALFORMED,
                 "followed by other bytes");
}

static void
test_missing (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (sl_idx_source_new ("/nowhere/a", "/nowhere/b", NULL, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
  g_clear_error (&error);
  g_assert_null (sl_idx_source_new ("/", "/", NULL, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
}

/* MNIST's published numbers: 60,000 pictures of 28 x 28, the first a five, mean 0.1307 and
 * deviation 0.3081 (those that PyTorch's example normalises with). */
static void
test_mnist (void)
{
  static const uint32_t per_class[] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
  g_autofree char *folder = files_find_real ("mnist");
  if (!folder)
    return;
  g_autoptr (GError) error = NULL;
  g_autoptr (SlSampleSource) source = sl_sample_source_open (folder, SL_PART_TRAIN, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, 60000);
  g_assert_cmpuint (sl_sample_source_get_n_classes (source), ==, 10);
  g_assert_cmpuint (sl_sample_source_get_label (source, 0), ==, 5);
  uint32_t counts[10];
  sl_sample_source_count (source, counts);
  for (int c = 0; c < 10; c++)
    g_assert_cmpuint (counts[c], ==, per_class[c]);

  SlPreprocess rules;
  float mean[3], std[3];
  sl_preprocess_init (&rules, 28, 28, 1);
  g_assert_true (sl_sample_source_measure (source, &rules, mean, std, &error));
  g_assert_cmpfloat_with_epsilon (mean[0], 0.1307f, 5e-5f);
  g_assert_cmpfloat_with_epsilon (std[0], 0.3081f, 5e-5f);

  g_autoptr (SlSampleSource) test = sl_sample_source_open (folder, SL_PART_TEST, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sl_sample_source_get_n_samples (test), ==, 10000);
  g_assert_null (sl_sample_source_open (folder, SL_PART_VALIDATION, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_NOT_FOUND);
}

static void
test_folder (void)
{
  char *folder = files_make_folder ();
  g_autoptr (GError) error = NULL;
  g_assert_null (sl_sample_source_open (folder, SL_PART_TRAIN, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_clear_error (&error);

  GBytes *classes = good_labels (), *images = packed (IMAGES (2, 3, 2));
  g_autoptr (GBytes) names = g_bytes_new_static ("shirt\n\n boot \nbag", 16);
  g_free (files_write (folder, "t10k-images-idx3-ubyte.gz", images));
  g_assert_null (sl_sample_source_open (folder, SL_PART_TRAIN, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (sl_sample_source_open (folder, SL_PART_TEST, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
  g_clear_error (&error);
  g_free (files_write (folder, "t10k-labels-idx1-ubyte", classes));
  g_free (files_write (folder, "labels.txt", names));
  g_autoptr (SlSampleSource) source = sl_sample_source_open (folder, SL_PART_TEST, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sl_sample_source_get_n_classes (source), ==, 3);
  g_assert_cmpstr (sl_sample_source_get_class_names (source)[1], ==, "boot");

  g_autofree char *hash = sl_sample_source_get_hash (source, NULL);
  g_autoptr (GBytes) others = g_bytes_new_static ("shirt\nbag\nboot", 14);
  g_free (files_write (folder, "labels.txt", others));
  g_autoptr (SlSampleSource) other = sl_sample_source_open (folder, SL_PART_TEST, &error);
  g_autofree char *other_hash = sl_sample_source_get_hash (other, NULL);
  g_assert_cmpuint (strlen (hash), ==, 64);
  g_assert_cmpstr (hash, !=, other_hash);
  g_bytes_unref (classes);
  g_bytes_unref (images);
  files_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/data/idx/plain-and-gzip", test_plain_and_gzip);
  g_test_add_func ("/data/idx/colour", test_colour);
  g_test_add_func ("/data/idx/broken", test_broken);
  g_test_add_func ("/data/idx/broken-gzip", test_broken_gzip);
  g_test_add_func ("/data/idx/missing", test_missing);
  g_test_add_func ("/data/idx/folder", test_folder);
  g_test_add_func ("/data/idx/mnist", test_mnist);
  return g_test_run ();
}
