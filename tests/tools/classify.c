/* `sightline classify` on pictures and clips made at run time, with a network that knows colours.
 */
#include "tiny-model.h"
#include "tool.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
  char *folder, *model;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = tool_folder_new ();
  self->model = tiny_model_write (self->folder, "tiny.onnx", TINY_METADATA);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  tool_folder_remove (self->folder);
  g_free (self->folder);
  g_free (self->model);
}

/* A picture of one colour. */
static gboolean
make_picture (Fixture *self, const char *name, const char *color, int width, int height)
{
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc num-buffers=1 pattern=%s ! video/x-raw,width=%d,height=%d ! %s ! filesink",
      color, width, height, g_str_has_suffix (name, ".jpg") ? "jpegenc" : "pngenc");
  return tool_make_clip (self->folder, name, launch);
}

/* 20 frames, 10 a second, in Matroska; lossless enough everywhere. */
static gboolean
make_movie (Fixture *self, const char *name, const char *color)
{
  g_autofree char *launch =
      g_strdup_printf ("videotestsrc num-buffers=20 pattern=%s ! "
                       "video/x-raw,width=64,height=48,framerate=10/1 ! jpegenc ! "
                       "matroskamux ! filesink",
                       color);
  return tool_make_clip (self->folder, name, launch);
}

static JsonObject *
parse_row (const char *line, JsonNode **ret_node)
{
  g_autoptr (GError) error = NULL;
  *ret_node = json_from_string (line, &error);
  g_assert_no_error (error);
  return json_node_get_object (*ret_node);
}

/* The rows hold what the contract says and nothing else. */
static void
test_jsonl (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!make_movie (self, "red \"one\".mkv", "red"))
    return;
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "-k", "2",
            "red \"one\".mkv", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.err, "whole, 20 frames"));
  g_assert_cmpuint (tool_count_lines (run.out), ==, 20);

  g_auto (GStrv) lines = g_strsplit (run.out, "\n", -1);
  for (guint i = 0; i < 20; i++) {
    g_autoptr (JsonNode) node = NULL;
    JsonObject *row = parse_row (lines[i], &node);
    g_assert_cmpuint (json_object_get_size (row), ==, 5);
    g_assert_cmpstr (json_object_get_string_member (row, "source"), ==, "red \"one\".mkv");
    g_assert_cmpint (json_object_get_int_member (row, "frame"), ==, i);
    g_assert_cmpfloat_with_epsilon (json_object_get_double_member (row, "pts"), i / 10.0, 2e-3);
    g_assert_cmpuint (strlen (json_object_get_string_member (row, "model")), ==, 64);
    JsonArray *labels = json_object_get_array_member (row, "labels");
    g_assert_cmpuint (json_array_get_length (labels), ==, 2);
    JsonObject *best = json_array_get_object_element (labels, 0);
    g_assert_cmpuint (json_object_get_size (best), ==, 3);
    g_assert_cmpint (json_object_get_int_member (best, "index"), ==, TINY_RED);
    g_assert_cmpstr (json_object_get_string_member (best, "label"), ==, "red");
    g_assert_cmpfloat (json_object_get_double_member (best, "score"), >, 0.9);
  }
}

/* Quotes and commas in names survive; every row has the same number of fields. */
static void
test_csv (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!make_picture (self, "a,b \"c\".png", "green", 16, 16))
    return;
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "csv", "-k", "3",
            "--threshold", "0.5", "a,b \"c\".png", NULL);
  tool_assert_ok (&run);
  g_auto (GStrv) lines = g_strsplit (run.out, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_cmpstr (lines[0], ==,
                   "source,frame,pts,model,index1,label1,score1,index2,label2,score2,"
                   "index3,label3,score3");
  g_assert_true (g_str_has_prefix (lines[1], "\"a,b \"\"c\"\".png\",0,0,"));
  g_assert_nonnull (strstr (lines[1], ",1,green,"));
  /* the two below the threshold are empty fields */
  g_assert_true (g_str_has_suffix (lines[1], ",,,,,,"));
}

/* One picture is a table, a clip is a line a frame. */
static void
test_text (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!make_picture (self, "p.png", "blue", 20, 10) || !make_movie (self, "m.mkv", "blue"))
    return;
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "p.png", NULL);
  tool_assert_ok (&run);
  g_assert_true (g_str_has_prefix (run.out, "p.png\n"));
  g_assert_cmpuint (tool_count_lines (run.out), ==, 1 + TINY_CLASSES);
  g_assert_cmpstr (run.err, ==, "");
  g_assert_cmpint (strstr (run.out, "blue") - run.out, <, strstr (run.out, "red") - run.out);

  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "m.mkv", NULL);
  tool_assert_ok (&run);
  g_assert_cmpuint (tool_count_lines (run.out), ==, 20);
  g_assert_true (g_str_has_prefix (run.out, "m.mkv  0  0.000s  blue "));
}

static void
test_small_pictures (Fixture *self, gconstpointer data)
{
  static const struct {
    const char *name, *color;
    int width, height;
  } cases[] = {{"1x1.png", "red", 1, 1},
               {"1x1.jpg", "green", 1, 1},
               {"1x99.png", "blue", 1, 99},
               {"301x3.jpg", "red", 301, 3}};
  g_auto (ToolRun) run = {0};
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    if (!make_picture (self, cases[i].name, cases[i].color, cases[i].width, cases[i].height))
      return;
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-k1", "-f", "csv", cases[i].name,
              NULL);
    tool_assert_ok (&run);
    g_assert_nonnull (strstr (run.out, cases[i].color));
  }
}

/* Rows of a clip by --every, --rate, --from and --to, with the frames' own numbers. */
static void
test_selection (Fixture *self, gconstpointer data)
{
  static const struct {
    const char *arguments[2];
    guint first, step, count;
  } cases[] = {
      {{"--every=1", NULL}, 0, 1, 20},
      {{"--every=7", NULL}, 0, 7, 3},
      {{"--rate=2", NULL}, 0, 5, 4},
      {{"--rate=1000", NULL}, 0, 1, 20},
      {{"--from=1", NULL}, 10, 1, 10},
      {{"--to=0.45", NULL}, 0, 1, 5},
      {{"--from=0:00.5", "--to=1.5"}, 5, 1, 10},
      {{"--rate=4", "--from=1"}, 10, 3, 4},
  };
  g_auto (ToolRun) run = {0};
  if (!make_movie (self, "m.mkv", "red"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "m.mkv",
              cases[i].arguments[0], cases[i].arguments[1], NULL);
    tool_assert_ok (&run);
    g_auto (GStrv) lines = g_strsplit (run.out, "\n", -1);
    g_assert_cmpuint (g_strv_length (lines) - 1, ==, cases[i].count);
    for (guint row = 0; row < MIN (cases[i].count, 2); row++) {
      g_autoptr (JsonNode) node = NULL;
      gint64 frame = json_object_get_int_member (parse_row (lines[row], &node), "frame");
      g_assert_cmpint (frame, ==, cases[i].first + row * cases[i].step);
    }
  }
}

/* A folder: its pictures sorted, others passed over, sub-folders on request. */
static void
test_folder (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *sub = tool_path (self->folder, "sub");
  g_autofree char *empty = tool_path (self->folder, "empty");
  g_autofree char *loop = tool_path (sub, "loop");
  g_autofree char *text = tool_path (self->folder, "notes.txt");
  g_mkdir (sub, 0755);
  g_mkdir (empty, 0755);
  g_assert_true (g_file_set_contents (text, "no picture", -1, NULL));
  g_assert_cmpint (symlink ("..", loop), ==, 0);
  if (!make_picture (self, "b.png", "red", 8, 8) || !make_picture (self, "a.JPG", "blue", 8, 8) ||
      !make_picture (self, ".hidden.png", "red", 8, 8) ||
      !make_picture (self, "sub/c.png", "green", 8, 8))
    return;
  tool_run (&run, NULL, "classify", "-m", self->model, "-k1", "-f", "csv", self->folder, NULL);
  tool_assert_ok (&run);
  g_assert_cmpuint (tool_count_lines (run.out), ==, 3);
  g_assert_nonnull (strstr (run.out, "a.JPG"));
  g_assert_cmpint (strstr (run.out, "a.JPG") - run.out, <, strstr (run.out, "b.png") - run.out);

  tool_run (&run, NULL, "classify", "-m", self->model, "-k1", "-f", "csv", "--recursive",
            self->folder, NULL);
  tool_assert_ok (&run);
  g_assert_cmpuint (tool_count_lines (run.out), ==, 4);
  g_assert_nonnull (strstr (run.out, "sub/c.png"));
  g_assert_nonnull (strstr (run.err, "3 inputs: 3 whole"));

  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-q", "empty", NULL);
  tool_assert_error (&run, 1, "empty");
}

/* Bad inputs are named, the others done, and the status tells. */
static void
test_bad_inputs (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *nothing = tool_path (self->folder, "nothing.mp4");
  g_autofree char *noise = tool_path (self->folder, "noise.mp4");
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  char bytes[20000];
  for (guint i = 0; i < sizeof bytes; i++)
    bytes[i] = (char)g_rand_int (random);
  g_assert_true (g_file_set_contents (nothing, "", 0, NULL));
  g_assert_true (g_file_set_contents (noise, bytes, sizeof bytes, NULL));
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "missing.mp4", NULL);
  tool_assert_error (&run, 1, "missing.mp4: No such file");
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "nothing.mp4", NULL);
  tool_assert_error (&run, 1, "nothing.mp4: ");
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "noise.mp4", NULL);
  tool_assert_error (&run, 1, "noise.mp4: ");
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "tiny.onnx", NULL);
  tool_assert_error (&run, 1, "tiny.onnx: ");
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "frob://x/y", NULL);
  tool_assert_error (&run, 1, "frob://x/y: ");

  if (!make_picture (self, "good.png", "red", 8, 8))
    return;
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "nothing.mp4",
            "good.png", "missing.png", NULL);
  g_assert_cmpint (run.status, ==, 1);
  g_assert_cmpuint (tool_count_lines (run.out), ==, 1);
  g_assert_nonnull (strstr (run.err, "sightline: nothing.mp4: "));
  g_assert_nonnull (strstr (run.err, "sightline: missing.png: "));
  g_assert_nonnull (strstr (run.err, "3 inputs: 1 whole, 0 unknown, 0 partial, 2 failed"));
}

static void
test_audio_only (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!tool_make_clip (self->folder, "sound.mkv",
                       "audiotestsrc num-buffers=20 ! vorbisenc ! matroskamux ! filesink"))
    return;
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "sound.mkv", NULL);
  tool_assert_error (&run, 1, "no video stream");
}

/* Cut clips are partial: their rows are there, one line says so, and the status is not 0. */
static void
test_cut (Fixture *self, gconstpointer data)
{
  static const struct {
    const char *name, *launch;
  } clips[] = {
      {"cut.mkv", "videotestsrc num-buffers=40 pattern=snow ! video/x-raw,framerate=10/1 ! "
                  "jpegenc ! matroskamux ! filesink"},
      {"cut.avi", "videotestsrc num-buffers=40 pattern=snow ! video/x-raw,framerate=10/1 ! "
                  "jpegenc ! avimux ! filesink"},
      {"cut.mp4", "videotestsrc num-buffers=40 pattern=snow ! video/x-raw,framerate=10/1 ! "
                  "x264enc ! mp4mux faststart=true ! filesink"},
      {"cut.webm", "videotestsrc num-buffers=40 pattern=snow ! video/x-raw,framerate=10/1 ! "
                   "vp8enc ! webmmux ! filesink"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (clips); i++) {
    g_auto (ToolRun) run = {0};
    if (!tool_make_clip (self->folder, clips[i].name, clips[i].launch))
      return;
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", clips[i].name,
              NULL);
    tool_assert_ok (&run);
    g_assert_cmpuint (tool_count_lines (run.out), ==, 40);

    g_autofree char *path = tool_path (self->folder, clips[i].name);
    tool_cut (path, 0.6);
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", clips[i].name,
              NULL);
    g_test_message ("%s", run.err);
    g_assert_cmpint (run.status, ==, 1);
    g_assert_cmpuint (tool_count_lines (run.out), >, 5);
    g_assert_cmpuint (tool_count_lines (run.out), <, 40);
    g_assert_nonnull (strstr (run.err, ": partial, "));
    g_assert_cmpuint (tool_count_lines (run.err), ==, 1);
  }
}

/* A JPEG that stops early may still give a picture (GStreamer 1.22 does, 1.26 does not); nobody is
 * told it is whole. */
static void
test_cut_picture (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *jpeg = tool_path (self->folder, "cut.jpg");
  g_autofree char *png = tool_path (self->folder, "cut.png");
  if (!make_picture (self, "cut.jpg", "smpte", 320, 240) ||
      !make_picture (self, "cut.png", "smpte", 320, 240))
    return;
  tool_cut (jpeg, 0.6);
  tool_cut (png, 0.6);
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "cut.jpg", NULL);
  g_assert_cmpint (run.status, ==, 1);
  if (tool_count_lines (run.out) > 0)
    g_assert_nonnull (strstr (run.err, "sightline: cut.jpg: partial"));
  else
    tool_assert_error (&run, 1, "cut.jpg: ");
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "cut.png", NULL);
  tool_assert_error (&run, 1, "cut.png: ");
}

/* Where the format states no duration, nobody says "whole". */
static void
test_unknown (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!tool_make_clip (self->folder, "m.ts",
                       "videotestsrc num-buffers=20 ! video/x-raw,framerate=10/1 ! x264enc ! "
                       "mpegtsmux ! filesink"))
    return;
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "m.ts", NULL);
  tool_assert_ok (&run);
  g_assert_cmpuint (tool_count_lines (run.out), ==, 20);
  g_assert_nonnull (strstr (run.err, "m.ts: unknown, 20 frames"));
}

/* Frames change their size in the middle of a stream. */
static void
test_size_change (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *movie = tool_path (self->folder, "sizes.mjpeg");
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  for (guint i = 0; i < 3; i++) {
    g_autofree char *data_read = NULL;
    gsize size;
    g_autofree char *name = g_strdup_printf ("%u.jpg", i);
    g_autofree char *path = tool_path (self->folder, name);
    if (!make_picture (self, name, "green", 32 + 48 * (int)i, 80 - 16 * (int)i))
      return;
    g_assert_true (g_file_get_contents (path, &data_read, &size, NULL));
    g_byte_array_append (bytes, (guint8 *)data_read, (guint)size);
  }
  g_assert_true (g_file_set_contents (movie, (char *)bytes->data, bytes->len, NULL));
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "csv", "-k1", "sizes.mjpeg",
            NULL);
  tool_assert_ok (&run);
  g_assert_cmpuint (tool_count_lines (run.out), ==, 4);
  g_auto (GStrv) lines = g_strsplit (run.out, "\n", -1);
  for (guint i = 1; i <= 3; i++)
    g_assert_nonnull (strstr (lines[i], ",green,"));
}

static void
test_bad_models (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *path = tool_path (self->folder, "bad.onnx");
  g_autofree char *whole = NULL;
  gsize size;
  if (!make_picture (self, "p.png", "red", 8, 8))
    return;
  tool_run (&run, self->folder, "classify", "-m", "missing.onnx", "p.png", NULL);
  tool_assert_error (&run, 1, "missing.onnx");
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  tool_run (&run, self->folder, "classify", "-m", "bad.onnx", "p.png", NULL);
  tool_assert_error (&run, 1, "bad.onnx");
  tool_run (&run, self->folder, "classify", "-m", "p.png", "p.png", NULL);
  tool_assert_error (&run, 1, "p.png");
  tool_run (&run, self->folder, "classify", "-m", ".", "p.png", NULL);
  tool_assert_error (&run, 1, "sightline: ");

  g_assert_true (g_file_get_contents (self->model, &whole, &size, NULL));
  g_assert_true (g_file_set_contents (path, whole, (gssize)size * 2 / 3, NULL));
  tool_run (&run, self->folder, "classify", "-m", "bad.onnx", "p.png", NULL);
  tool_assert_error (&run, 1, "bad.onnx");
}

/* Three labels for four classes; a file of rules with a key that is no key. */
static void
test_bad_side_files (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *labels = tool_path (self->folder, "labels.txt");
  g_autofree char *rules = tool_path (self->folder, "rules.ini");
  if (!make_picture (self, "p.png", "red", 8, 8))
    return;
  g_assert_true (g_file_set_contents (labels, "a\nb\nc\n", -1, NULL));
  g_assert_true (g_file_set_contents (rules, "[sightline]\ncolour=rgb\n", -1, NULL));
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-l", "labels.txt", "p.png", NULL);
  tool_assert_error (&run, 1, "labels.txt");
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-l", "none.txt", "p.png", NULL);
  tool_assert_error (&run, 1, "none.txt");
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "--preprocess", "rules.ini", "p.png",
            NULL);
  tool_assert_error (&run, 1, "colour");

  g_assert_true (g_file_set_contents (labels, "rot\ngrün\nblau\nnichts\n", -1, NULL));
  g_assert_true (g_file_set_contents (rules, "[sightline]\ncolor=bgr\n", -1, NULL));
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-l", "labels.txt", "--preprocess",
            "rules.ini", "-k1", "-f", "csv", "p.png", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, ",2,blau,"));
}

/* What nobody said is said once; a network of numbers has numbers for labels. */
static void
test_assumed (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *plain = tiny_model_write (self->folder, "plain.onnx", TINY_PLAIN);
  if (!make_picture (self, "p.png", "green", 8, 8))
    return;
  tool_run (&run, self->folder, "classify", "-m", "plain.onnx", "-k1", "-f", "csv", "p.png",
            "p.png", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, ",1,1,"));
  char *said = strstr (run.err, "assumed");
  g_assert_nonnull (said);
  g_assert_null (strstr (said + 1, "assumed"));
}

static void
test_not_finite (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *path = tiny_model_write (self->folder, "nan.onnx", TINY_METADATA | TINY_NAN);
  if (!make_picture (self, "p.png", "green", 8, 8))
    return;
  tool_run (&run, self->folder, "classify", "-m", "nan.onnx", "p.png", NULL);
  tool_assert_error (&run, 1, "score");
}

/* -o appears when all is done; a run that fails leaves what was there and nothing else. */
static void
test_output_file (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *path = tool_path (self->folder, "out.jsonl");
  g_autofree char *text = NULL;
  if (!make_picture (self, "p.png", "red", 8, 8))
    return;
  g_assert_true (g_file_set_contents (path, "before", -1, NULL));
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "-o", "out.jsonl",
            "missing.png", NULL);
  tool_assert_error (&run, 1, "missing.png");
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "before");

  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "-o", "out.jsonl",
            "missing.png", "p.png", NULL);
  g_assert_cmpint (run.status, ==, 1);
  g_assert_cmpstr (run.out, ==, "");
  g_clear_pointer (&text, g_free);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, "{\"source\":\"p.png\""));
  g_assert_cmpuint (tool_count_lines (text), ==, 1);

  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-o", "no/such/folder/x", "p.png",
            NULL);
  tool_assert_error (&run, 1, "no/such/folder/x");
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-o", ".", "p.png", NULL);
  tool_assert_error (&run, 1, "directory");

  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  for (const char *name = g_dir_read_name (dir); name; name = g_dir_read_name (dir))
    g_assert_cmpint (name[0], !=, '.');
}

/* A full disk is an error, and the old file stays. */
static void
test_full_disk (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!g_file_test ("/dev/full", G_FILE_TEST_EXISTS)) {
    g_test_skip ("no /dev/full");
    return;
  }
  if (!make_picture (self, "p.png", "red", 8, 8))
    return;
  g_autofree char *line = g_strdup_printf ("%s classify -m '%s' -f jsonl '%s/p.png' > /dev/full",
                                           g_getenv ("SIGHTLINE_TOOL"), self->model, self->folder);
  const char *argv[] = {"/bin/sh", "-c", line, NULL};
  int status;
  g_assert_true (g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                               &run.err, &status, NULL));
  g_assert_false (g_spawn_check_wait_status (status, NULL));
  g_assert_nonnull (strstr (run.err, "sightline: standard output: cannot be written"));
}

/* A system without a Vulkan driver: the CPU does it, which is said once, and only who asks for
 * Vulkan gets an error. */
static void
test_no_driver (Fixture *self, gconstpointer data)
{
  const char *const cpu_devices[] = {"auto", "cpu"};
  g_auto (ToolRun) run = {0};
  if (!make_picture (self, "a.png", "red", 16, 16) ||
      !make_picture (self, "b.png", "green", 16, 16))
    return;
  g_setenv ("VK_DRIVER_FILES", "/dev/null", TRUE);
  g_setenv ("VK_ICD_FILENAMES", "/dev/null", TRUE); /* as older loaders name it */
  for (size_t i = 0; i < G_N_ELEMENTS (cpu_devices); i++) {
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-d", cpu_devices[i], "--jobs",
              "2", "-f", "csv", "a.png", "b.png", NULL);
    tool_assert_ok (&run);
    g_assert_cmpuint (tool_count_lines (run.out), ==, 3);
    /* No word from a build without Vulkan. */
    g_assert_cmpuint (run.n_notes, <=, i == 0);
#ifdef HAVE_VULKAN
    g_assert_cmpuint (run.n_notes, ==, i == 0);
#endif
  }
  tool_run (&run, self->folder, "classify", "-q", "-m", "tiny.onnx", "-f", "csv", "a.png", NULL);
  tool_assert_ok (&run);
  g_assert_cmpuint (run.n_notes, ==, 0);
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-d", "vulkan", "a.png", NULL);
  tool_assert_error (&run, 1, "Vulkan");
  g_unsetenv ("VK_DRIVER_FILES");
  g_unsetenv ("VK_ICD_FILENAMES");
}

#define ADD(name, function) \
  g_test_add ("/tools/classify/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  ADD ("jsonl", test_jsonl);
  ADD ("csv", test_csv);
  ADD ("text", test_text);
  ADD ("small-pictures", test_small_pictures);
  ADD ("selection", test_selection);
  ADD ("folder", test_folder);
  ADD ("bad-inputs", test_bad_inputs);
  ADD ("audio-only", test_audio_only);
  ADD ("cut", test_cut);
  ADD ("cut-picture", test_cut_picture);
  ADD ("unknown", test_unknown);
  ADD ("size-change", test_size_change);
  ADD ("bad-models", test_bad_models);
  ADD ("bad-side-files", test_bad_side_files);
  ADD ("assumed", test_assumed);
  ADD ("not-finite", test_not_finite);
  ADD ("no-driver", test_no_driver);
  ADD ("output-file", test_output_file);
  ADD ("full-disk", test_full_disk);
  return g_test_run ();
}
