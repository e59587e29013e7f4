/* Rows of results, to the letter: other programs read them. */
#include <locale.h>
#include <sightline-gst/results.h>
#include <string.h>

static SlLabel labels[] = {
    {3, 0.5f, (char *)"cat"},
    {12, 0.25f, (char *)"a \"b\", c\\d\n\x01é"},
};

static void
assert_row (SlResultFormat format, guint columns, const SlResult *result, const char *expected)
{
  g_autoptr (GString) out = g_string_new (NULL);
  sl_result_append (out, format, columns, result);
  g_assert_cmpstr (out->str, ==, expected);
}

static void
test_jsonl (void)
{
  SlResult result = {"clip.mp4", 7, 1500 * GST_MSECOND, "abc", labels, 1};
  assert_row (SL_RESULT_JSONL, 1, &result,
              "{\"source\":\"clip.mp4\",\"frame\":7,\"pts\":1.5,\"labels\":[{\"index\":3,\"label\":"
              "\"cat\",\"score\":0.5}],\"model\":\"abc\"}\n");
  result.n_labels = 0;
  result.pts = GST_CLOCK_TIME_NONE;
  assert_row (
      SL_RESULT_JSONL, 1, &result,
      "{\"source\":\"clip.mp4\",\"frame\":7,\"pts\":null,\"labels\":[],\"model\":\"abc\"}\n");
}

/* Whatever a file or a class is called, the row stays one line of valid JSON. */
static void
test_json_text (void)
{
  SlResult result = {"\xff\"x", 0, 0, "m", &labels[1], 1};
  assert_row (
      SL_RESULT_JSONL, 1, &result,
      "{\"source\":\"\xef\xbf\xbd\\\"x\",\"frame\":0,\"pts\":0,\"labels\":[{\"index\":12,"
      "\"label\":\"a \\\"b\\\", c\\\\d\\u000a\\u0001é\",\"score\":0.25}],\"model\":\"m\"}\n");
}

static void
test_csv (void)
{
  SlResult result = {"a,\"b\".mp4", 0, 1, "m", labels, 2};
  g_autoptr (GString) header = g_string_new (NULL);
  sl_result_append_header (header, SL_RESULT_CSV, 2);
  g_assert_cmpstr (header->str, ==,
                   "source,frame,pts,model,index1,label1,score1,index2,label2,score2\n");
  assert_row (
      SL_RESULT_CSV, 3, &result,
      "\"a,\"\"b\"\".mp4\",0,0.000000001,m,3,cat,0.5,12,\"a \"\"b\"\", c\\d\n\x01é\",0.25,,,\n");
}

static void
test_text (void)
{
  SlResult result = {"a\nb", 1, 61 * GST_SECOND, "m", labels, 2};
  assert_row (SL_RESULT_TEXT, 2, &result,
              "a b  1  61.000s  cat 0.500, a \"b\", c\\d \x01é 0.250\n");
  result.n_labels = 0;
  result.pts = GST_CLOCK_TIME_NONE;
  assert_row (SL_RESULT_TEXT, 2, &result, "a b  1  -  -\n");
}

static void
test_headers (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  sl_result_append_header (out, SL_RESULT_JSONL, 5);
  sl_result_append_header (out, SL_RESULT_TEXT, 5);
  g_assert_cmpstr (out->str, ==, "");
}

static void
test_names (void)
{
  SlResultFormat format;
  g_assert_true (sl_result_format_from_name ("jsonl", &format));
  g_assert_cmpint (format, ==, SL_RESULT_JSONL);
  g_assert_true (sl_result_format_from_name ("csv", &format));
  g_assert_cmpint (format, ==, SL_RESULT_CSV);
  g_assert_false (sl_result_format_from_name ("JSONL", &format));
  g_assert_false (sl_result_format_from_name (NULL, &format));
}

/* A comma for a point would break every row. */
static void
test_locale (void)
{
  if (!setlocale (LC_ALL, "de_DE.UTF-8") && !setlocale (LC_ALL, "fr_FR.UTF-8")) {
    g_test_skip ("no locale with a decimal comma is installed");
    return;
  }
  test_jsonl ();
  test_csv ();
  test_text ();
  setlocale (LC_ALL, "C");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lib/results/jsonl", test_jsonl);
  g_test_add_func ("/lib/results/json-text", test_json_text);
  g_test_add_func ("/lib/results/csv", test_csv);
  g_test_add_func ("/lib/results/text", test_text);
  g_test_add_func ("/lib/results/headers", test_headers);
  g_test_add_func ("/lib/results/names", test_names);
  g_test_add_func ("/lib/results/locale", test_locale);
  return g_test_run ();
}
