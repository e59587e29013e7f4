#include "emit.h"

#include "onnx/labels.h"

#include <glib/gstdio.h>
#include <sightline/metadata.h>

#include <math.h>
#include <string.h>

static char **
parse (const char *text, gsize size, uint32_t *ret_n, GError **error)
{
  g_autofree char *copy = g_memdup2 (text, size);
  return sl_labels_parse (copy, size, "labels.txt", ret_n, error);
}

static void
test_forms (void)
{
  static const struct {
    const char *text;
    guint n;
    const char *first, *last;
  } cases[] = {
      {"cat\ndog\n", 2, "cat", "dog"},
      {"cat\ndog", 2, "cat", "dog"},
      {"\xef\xbb\xbf"
       "cat\r\ndog\r\n\r\n",
       2, "cat", "dog"},
      {"  cat \t\ncat", 2, "cat", "cat"},
      {"n01440764 tench, Tinca tinca\nn01443537\tgoldfish, Carassius", 2, "tench", "goldfish"},
      {"background\ntench, Tinca tinca", 2, "background", "tench, Tinca tinca"},
      {"n0144076 short\nn014407640 long", 2, "n0144076 short", "n014407640 long"},
      {"n01440764\nnail", 2, "n01440764", "nail"},
      {"H\xc3\xa4user\n\xe7\x8c\xab", 2, "H\xc3\xa4user", "\xe7\x8c\xab"},
      {"one", 1, "one", "one"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    uint32_t n = 0;
    g_auto (GStrv) labels = parse (cases[i].text, strlen (cases[i].text), &n, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (n, ==, cases[i].n);
    g_assert_cmpuint (g_strv_length (labels), ==, n);
    g_assert_cmpstr (labels[0], ==, cases[i].first);
    g_assert_cmpstr (labels[n - 1], ==, cases[i].last);
  }
}

static void
test_refused (void)
{
  static const struct {
    const char *text;
    gsize size;
    const char *problem;
  } cases[] = {
      {"", 0, "labels.txt: holds no labels"},
      {" \r\n\n", 4, "holds no labels"},
      {"\xef\xbb\xbf", 3, "holds no labels"},
      {"cat\n\ndog", 8, "line 2 is empty"},
      {"cat\nd\x07og", 8, "line 2 holds a control character"},
      {"cat\nd\tog", 8, "control"},
      {"cat\xc2\x85", 5, "control"},
      {"cat\nd\0g", 7, "line 2 is not text"},
      {"caf\xe9\n", 5, "line 1 is not text"},
      {"\xff\xfe"
       "c\0a\0t\0",
       8, "not text"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    uint32_t n;
    g_assert_null (parse (cases[i].text, cases[i].size, &n, &error));
    check_error (error, SL_ERROR_MALFORMED, cases[i].problem);
  }
}

static void
test_limits (void)
{
  GError *error = NULL;
  uint32_t n;
  g_autofree char *line = g_strnfill (10 << 20, 'x');
  g_assert_null (parse (line, 10 << 20, &n, &error));
  check_error (g_steal_pointer (&error), SL_ERROR_LIMIT, "line 1 is longer");

  g_autoptr (GString) many = g_string_new (NULL);
  for (int i = 0; i < 1000000; i++)
    g_string_append (many, "l\n");
  g_auto (GStrv) labels = parse (many->str, many->len, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 1000000);
  g_string_append (many, "l\n");
  g_assert_null (parse (many->str, many->len, &n, &error));
  check_error (error, SL_ERROR_LIMIT, "one too many");
}

static void
test_file (void)
{
  GError *error = NULL;
  uint32_t n;
  g_assert_null (sl_labels_read ("/nonexistent/labels.txt", &n, &error));
  check_error (g_steal_pointer (&error), SL_ERROR_IO, "/nonexistent/labels.txt");
  g_assert_null (sl_labels_read (g_get_tmp_dir (), &n, &error));
  check_error (error, SL_ERROR_IO, "folder");
}

/* The ImageNet list of the shared data. */
static void
test_imagenet (void)
{
  const char *data = g_getenv ("SIGHTLINE_DATA");
  g_autofree char *path =
      g_build_filename (data != NULL ? data : "", "labels", "ilsvrc12_synset_words.txt", NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_test_skip ("SIGHTLINE_DATA has no labels");
    return;
  }
  GError *error = NULL;
  uint32_t n;
  g_auto (GStrv) labels = sl_labels_read (path, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 1000);
  g_assert_cmpstr (labels[0], ==, "tench");
  g_assert_cmpstr (labels[999], ==, "toilet tissue");
}

static void
check_top (const float *scores, guint n, guint k, float threshold, gboolean softmax, guint n_found,
           const uint32_t *indices, const float *values)
{
  SlClassScore best[16];
  g_assert_cmpuint (k, <=, G_N_ELEMENTS (best));
  g_assert_cmpuint (sl_top_k (scores, n, k, threshold, softmax, best), ==, n_found);
  for (guint i = 0; i < n_found; i++) {
    g_assert_cmpuint (best[i].index, ==, indices[i]);
    g_assert_cmpfloat_with_epsilon (best[i].score, values[i], 1e-6f);
  }
}

#define LIST(type, ...) ((const type[]){__VA_ARGS__})

static void
test_top_k (void)
{
  const float some[] = {0.1f, 0.5f, NAN, 0.3f, 0.5f, -0.2f};
  check_top (some, 6, 3, 0, FALSE, 3, LIST (uint32_t, 1, 4, 3), LIST (float, .5f, .5f, .3f));
  check_top (some, 6, 16, -1, FALSE, 5, LIST (uint32_t, 1, 4, 3, 0, 5),
             LIST (float, .5f, .5f, .3f, .1f, -.2f));
  check_top (some, 6, 16, 0.3f, FALSE, 3, LIST (uint32_t, 1, 4, 3), LIST (float, .5f, .5f, .3f));
  check_top (some, 6, 1, 0.6f, FALSE, 0, NULL, NULL);
  check_top (some, 6, 0, 0, FALSE, 0, NULL, NULL);
  check_top (NULL, 0, 4, 0, TRUE, 0, NULL, NULL);
  check_top (LIST (float, NAN, NAN), 2, 2, 0, TRUE, 0, NULL, NULL);
}

static void
test_softmax (void)
{
  const float e = (float)G_E;
  check_top (LIST (float, 0, 1), 2, 2, 0, TRUE, 2, LIST (uint32_t, 1, 0),
             LIST (float, e / (1 + e), 1 / (1 + e)));
  /* Far from zero, and one NaN that takes no part. */
  check_top (LIST (float, 1000, NAN, 1001), 3, 3, 0, TRUE, 2, LIST (uint32_t, 2, 0),
             LIST (float, e / (1 + e), 1 / (1 + e)));
  check_top (LIST (float, INFINITY, 5, INFINITY), 3, 3, 0, TRUE, 3, LIST (uint32_t, 0, 2, 1),
             LIST (float, .5f, .5f, 0));
  check_top (LIST (float, -INFINITY, 5), 2, 2, 0, TRUE, 2, LIST (uint32_t, 1, 0),
             LIST (float, 1, 0));
  check_top (LIST (float, 0, 1), 2, 2, 0.5f, TRUE, 1, LIST (uint32_t, 1),
             LIST (float, e / (1 + e)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onnx/labels/forms", test_forms);
  g_test_add_func ("/onnx/labels/refused", test_refused);
  g_test_add_func ("/onnx/labels/limits", test_limits);
  g_test_add_func ("/onnx/labels/file", test_file);
  g_test_add_func ("/onnx/labels/imagenet", test_imagenet);
  g_test_add_func ("/onnx/top-k/order", test_top_k);
  g_test_add_func ("/onnx/top-k/softmax", test_softmax);
  return g_test_run ();
}
