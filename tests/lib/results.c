/* Rows of results, to the letter: other programs read them. */
#include <locale.h>
#include <math.h>
#include <sightline-gst/results.h>
#include <string.h>

static SlLabel labels[] = {
    {3, 0.5f, (char *)"cat"},
    {12, 0.25f, (char *)"a \"b\", c\\d\n\x01é"},
};

static void
assert_row (SlResultFormat format, guint n_labels, const SlResult *result, const char *expected)
{
  g_autoptr (GString) out = g_string_new (NULL);
  sl_result_append (out, &(SlResultLayout){.format = format, .labels = n_labels}, result);
  g_assert_cmpstr (out->str, ==, expected);
}

static void
test_jsonl (void)
{
  SlResult result = {.source = "clip.mp4",
                     .frame = 7,
                     .pts = 1500 * GST_MSECOND,
                     .model = "abc",
                     .labels = labels,
                     .n_labels = 1};
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
  SlResult result = {
      .source = "\xff\"x", .frame = 0, .pts = 0, .model = "m", .labels = &labels[1], .n_labels = 1};
  assert_row (
      SL_RESULT_JSONL, 1, &result,
      "{\"source\":\"\xef\xbf\xbd\\\"x\",\"frame\":0,\"pts\":0,\"labels\":[{\"index\":12,"
      "\"label\":\"a \\\"b\\\", c\\\\d\\u000a\\u0001é\",\"score\":0.25}],\"model\":\"m\"}\n");
}

static void
test_csv (void)
{
  SlResult result = {
      .source = "a,\"b\".mp4", .frame = 0, .pts = 1, .model = "m", .labels = labels, .n_labels = 2};
  g_autoptr (GString) header = g_string_new (NULL);
  sl_result_append_header (header, &(SlResultLayout){.format = SL_RESULT_CSV, .labels = 2});
  g_assert_cmpstr (header->str, ==,
                   "source,frame,pts,model,index1,label1,score1,index2,label2,score2\n");
  assert_row (
      SL_RESULT_CSV, 3, &result,
      "\"a,\"\"b\"\".mp4\",0,0.000000001,m,3,cat,0.5,12,\"a \"\"b\"\", c\\d\n\x01é\",0.25,,,\n");
}

static void
test_text (void)
{
  SlResult result = {.source = "a\nb",
                     .frame = 1,
                     .pts = 61 * GST_SECOND,
                     .model = "m",
                     .labels = labels,
                     .n_labels = 2};
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
  sl_result_append_header (out, &(SlResultLayout){.format = SL_RESULT_JSONL, .labels = 5});
  sl_result_append_header (out, &(SlResultLayout){.format = SL_RESULT_TEXT, .labels = 5});
  g_assert_cmpstr (out->str, ==, "");
  sl_result_append_header (out, &(SlResultLayout){.format = SL_RESULT_VTT});
  g_assert_cmpstr (out->str, ==, "WEBVTT\n\n");
}

static void
test_names (void)
{
  SlResultFormat format;
  g_assert_true (sl_result_format_from_name ("jsonl", &format));
  g_assert_cmpint (format, ==, SL_RESULT_JSONL);
  g_assert_true (sl_result_format_from_name ("csv", &format));
  g_assert_cmpint (format, ==, SL_RESULT_CSV);
  g_assert_true (sl_result_format_from_name ("vtt", &format));
  g_assert_cmpint (format, ==, SL_RESULT_VTT);
  g_assert_false (sl_result_format_from_name ("JSONL", &format));
  g_assert_false (sl_result_format_from_name (NULL, &format));
}

static void
test_suffixes (void)
{
  SlResultFormat format = SL_RESULT_TEXT;
  g_assert_true (sl_result_format_from_path ("a.b/clip.mp4.VTT", &format));
  g_assert_cmpint (format, ==, SL_RESULT_VTT);
  g_assert_true (sl_result_format_from_path ("x.ndjson", &format));
  g_assert_cmpint (format, ==, SL_RESULT_JSONL);
  g_assert_true (sl_result_format_from_path ("x.csv", &format));
  g_assert_cmpint (format, ==, SL_RESULT_CSV);
  g_assert_true (sl_result_format_from_path ("x.txt", &format));
  g_assert_cmpint (format, ==, SL_RESULT_TEXT);
  format = SL_RESULT_CSV;
  g_assert_false (sl_result_format_from_path ("a.csv/clip", &format));
  g_assert_false (sl_result_format_from_path ("-", &format));
  g_assert_false (sl_result_format_from_path (NULL, &format));
  g_assert_cmpint (format, ==, SL_RESULT_CSV);
}

/* 2026-11-22T04:17:29.123456Z, as `date -u` converts it. */
#define WALL_TIME (G_GINT64_CONSTANT (1795321049) * G_USEC_PER_SEC + 123456)

static SlBox boxes[] = {
    {-1.5, 0, 639.25, 1e-3, 3, 0.5f, (char *)"c\"at"},
    {10, 20, 30, 40, 4, 1.0f, (char *)"dog"},
};

/* Everything that is there only at times. */
static const SlResult full = {.source = "cam",
                              .frame = 7,
                              .pts = 1500 * GST_MSECOND,
                              .model = NULL,
                              .labels = labels,
                              .n_labels = 1,
                              .wall_time = WALL_TIME,
                              .producer = "see,0",
                              .age = 2,
                              .boxes = boxes,
                              .n_boxes = 2};

static void
test_full_jsonl (void)
{
  assert_row (
      SL_RESULT_JSONL, 0, &full,
      "{\"source\":\"cam\",\"frame\":7,\"pts\":1.5,\"labels\":[{\"index\":3,\"label\":"
      "\"cat\",\"score\":0.5}],\"model\":null,\"time\":\"2026-11-22T04:17:29.123456Z\","
      "\"producer\":\"see,0\",\"age\":2,\"boxes\":[{\"x\":-1.5,\"y\":0,\"width\":639.25,"
      "\"height\":0.001,\"index\":3,\"label\":\"c\\\"at\",\"score\":0.5},{\"x\":10,\"y\":20,"
      "\"width\":30,\"height\":40,\"index\":4,\"label\":\"dog\",\"score\":1}]}\n");
}

static void
test_full_csv (void)
{
  SlResultLayout layout = {
      .format = SL_RESULT_CSV,
      .labels = 1,
      .columns = SL_RESULT_COLUMN_TIME | SL_RESULT_COLUMN_PRODUCER | SL_RESULT_COLUMN_AGE,
  };
  g_autoptr (GString) out = g_string_new (NULL);
  sl_result_append_header (out, &layout);
  sl_result_append (out, &layout, &full);
  sl_result_append (out, &layout, &(SlResult){.source = "s", .model = "m"});
  layout.columns = SL_RESULT_COLUMN_PRODUCER;
  sl_result_append (out, &layout, &full);
  g_assert_cmpstr (out->str, ==,
                   "source,frame,pts,model,time,producer,age,index1,label1,score1\n"
                   "cam,7,1.5,,2026-11-22T04:17:29.123456Z,\"see,0\",2,3,cat,0.5\n"
                   "s,0,0,m,,,0,,,\n"
                   "cam,7,1.5,,\"see,0\",3,cat,0.5\n");
}

static void
test_full_text (void)
{
  SlResult result = full;
  assert_row (SL_RESULT_TEXT, 0, &result,
              "2026-11-22T04:17:29.123456Z  cam  7  1.500s  see,0:  cat 0.500  (2 frames old)\n");
  result.n_labels = 0;
  result.age = 1;
  result.wall_time = 0;
  result.producer = "a\nb";
  assert_row (SL_RESULT_TEXT, 0, &result, "cam  7  1.500s  a b:  -  (1 frame old)\n");
}

/* Clocks that were never set say 1970, and some say less. */
static void
test_wall_time (void)
{
  static const struct {
    gint64 wall_time;
    const char *text;
  } rows[] = {
      {1, "1970-01-01T00:00:00.000001Z"},
      {-1, "1969-12-31T23:59:59.999999Z"},
      {G_GINT64_CONSTANT (951827696000000), "2000-02-29T12:34:56.000000Z"},
      {G_MAXINT64, ""},
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    SlResult result = {.source = "s", .model = "m", .wall_time = rows[i].wall_time};
    g_autofree char *expected =
        g_strdup_printf ("{\"source\":\"s\",\"frame\":0,\"pts\":0,\"labels\":[],\"model\":\"m\","
                         "\"time\":\"%s\"}\n",
                         rows[i].text);
    assert_row (SL_RESULT_JSONL, 0, &result, expected);
  }
}

/* Rows stay valid whatever an element puts on a frame. */
static void
test_not_finite (void)
{
  SlLabel label = {1, NAN, (char *)"x"};
  SlBox box = {INFINITY, 0, 0, 0, 1, 0.5f, (char *)"x"};
  SlResult result = {
      .source = "s", .model = "m", .labels = &label, .n_labels = 1, .boxes = &box, .n_boxes = 1};
  assert_row (SL_RESULT_JSONL, 1, &result,
              "{\"source\":\"s\",\"frame\":0,\"pts\":0,\"labels\":[{\"index\":1,\"label\":\"x\","
              "\"score\":null}],\"model\":\"m\",\"boxes\":[{\"x\":null,\"y\":0,\"width\":0,"
              "\"height\":0,\"index\":1,\"label\":\"x\",\"score\":0.5}]}\n");
  assert_row (SL_RESULT_CSV, 1, &result, "s,0,0,m,1,x,\n");
}

static void
test_cues (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  SlInterval interval = {.start = 1999999, .end = 61 * GST_SECOND, .score = 0.875f};
  interval.label = "a --> <b> & c\n\xff";
  sl_result_append_cue (out, &interval);
  interval.start = (100 * 3600 + 59 * 60 + 59) * GST_SECOND + 999999999;
  interval.end = interval.start + GST_MSECOND;
  interval.label = "é";
  interval.score = 1.0f;
  sl_result_append_cue (out, &interval);
  g_assert_cmpstr (out->str, ==,
                   "00:00:00.001 --> 00:01:01.000\na --&gt; &lt;b&gt; &amp; c \xef\xbf\xbd 88%\n\n"
                   "100:59:59.999 --> 101:00:00.000\né 100%\n\n");
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
  test_full_jsonl ();
  test_full_text ();
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
  g_test_add_func ("/lib/results/suffixes", test_suffixes);
  g_test_add_func ("/lib/results/full-jsonl", test_full_jsonl);
  g_test_add_func ("/lib/results/full-csv", test_full_csv);
  g_test_add_func ("/lib/results/full-text", test_full_text);
  g_test_add_func ("/lib/results/wall-time", test_wall_time);
  g_test_add_func ("/lib/results/not-finite", test_not_finite);
  g_test_add_func ("/lib/results/cues", test_cues);
  g_test_add_func ("/lib/results/locale", test_locale);
  return g_test_run ();
}
