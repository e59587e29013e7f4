/* `sightline classify` on much footage: several inputs at once, runs that are killed and go on, key
 * frames, WebVTT, pictures that have to be turned. */
#include "tiny-model.h"
#include "tool.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A test that waits longer than this for the tool has failed. */
#define DEADLINE (60 * G_USEC_PER_SEC)

typedef struct {
  char *folder, *out, *progress;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = tool_folder_new ();
  self->out = tool_path (self->folder, "out.jsonl");
  self->progress = tool_path (self->folder, ".out.jsonl.progress");
  g_free (tiny_model_write (self->folder, "tiny.onnx", TINY_METADATA));
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  tool_folder_remove (self->folder);
  g_free (self->folder);
  g_free (self->out);
  g_free (self->progress);
}

#define N_CLIPS 6
static const char *const colors[] = {"red", "green", "blue"};

/* Clips 0.mkv … 5.mkv of different lengths: 10 frames a second. */
static guint
clip_frames (guint i)
{
  return 10 + 7 * (i % 3);
}

static gboolean
make_clips (Fixture *self)
{
  for (guint i = 0; i < N_CLIPS; i++) {
    g_autofree char *name = g_strdup_printf ("clips/%u.mkv", i);
    g_autofree char *launch = g_strdup_printf (
        "videotestsrc num-buffers=%u pattern=%s ! video/x-raw,width=64,height=48,framerate=10/1 ! "
        "jpegenc ! matroskamux ! filesink",
        clip_frames (i), colors[i % 3]);
    g_autofree char *folder = tool_path (self->folder, "clips");
    g_mkdir (folder, 0755);
    if (!tool_make_clip (self->folder, name, launch))
      return FALSE;
  }
  return TRUE;
}

static char *
read_text (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* What a run over all clips without any of the options here writes. */
static char *
make_reference (Fixture *self)
{
  g_auto (ToolRun) run = {0};
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "clips", NULL);
  tool_assert_ok (&run);
  return g_steal_pointer (&run.out);
}

static void
assert_nothing_hidden (Fixture *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  for (const char *name = g_dir_read_name (dir); name; name = g_dir_read_name (dir))
    g_assert_cmpint (name[0], !=, '.');
}

/* --- several at once --- */

/* The bytes are those of one job, whatever the number of jobs and wherever they go. */
static void
test_jobs (Fixture *self, gconstpointer data)
{
  static const char *const jobs[] = {"--jobs=2", "--jobs=3", "--jobs=64", "-j5"};
  g_auto (ToolRun) run = {0};
  if (!make_clips (self))
    return;
  g_autofree char *reference = make_reference (self);
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++) {
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", jobs[i], "clips",
              NULL);
    tool_assert_ok (&run);
    g_assert_cmpstr (run.out, ==, reference);
    g_assert_nonnull (strstr (run.err, "6 inputs: 6 whole"));
  }
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-o", "out.jsonl", "--jobs=3",
            "clips", NULL);
  tool_assert_ok (&run);
  g_autofree char *text = read_text (self->out);
  g_assert_cmpstr (text, ==, reference);
  assert_nothing_hidden (self);
}

/* A damaged clip among good ones: each gets its own verdict. */
static void
test_jobs_verdicts (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!make_clips (self))
    return;
  g_autofree char *cut = tool_path (self->folder, "clips/2.mkv");
  g_autofree char *noise = tool_path (self->folder, "clips/3.mkv");
  tool_cut (cut, 0.5);
  g_assert_true (g_file_set_contents (noise, "noise", -1, NULL));
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "--jobs=4", "clips",
            NULL);
  g_assert_cmpint (run.status, ==, 1);
  g_assert_nonnull (strstr (run.err, "6 inputs: 4 whole, 0 unknown, 1 partial, 1 failed"));
  g_assert_nonnull (strstr (run.err, "clips/2.mkv: partial"));
}

/* libav's log of one clip is not held against another one. */
static void
test_jobs_codec_log (Fixture *self, gconstpointer data)
{
  const char *real = tool_data ();
  g_auto (ToolRun) run = {0};
  g_autoptr (GstElementFactory) libav = gst_element_factory_find ("avdec_h264");
  if (!real)
    return;
  if (!libav) {
    g_test_skip ("no gstreamer1.0-libav");
    return;
  }
  g_autofree char *bad = g_build_filename (real, "odd", "corrupt_bitflips.h264", NULL);
  g_autofree char *good = g_build_filename (real, "odd", "bottle_h264_baseline.mp4", NULL);
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "--jobs=4", bad, good,
            good, bad, good, good, NULL);
  g_test_message ("%s", run.err);
  g_assert_nonnull (strstr (run.err, "6 inputs: 4 whole, 0 unknown, 2 partial, 0 failed"));
}

/* --- runs that end early --- */

/* A server that takes calls and never answers. */
static int
listen_silently (char **ret_uri)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 5), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *)&address, &size), ==, 0);
  *ret_uri = g_strdup_printf ("http://127.0.0.1:%u/z.mkv", ntohs (address.sin_port));
  return fd;
}

/* Starts a run over all clips and a last input that gives nothing, and ends it once the journal has
 * lines for some clips. */
static int
run_and_end (Fixture *self, int number)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = NULL;
  GPid pid;
  int status, fd = listen_silently (&uri);
  const char *argv[] = {g_getenv ("SIGHTLINE_TOOL"),
                        "classify",
                        "-q",
                        "-m",
                        "tiny.onnx",
                        "-o",
                        "out.jsonl",
                        "clips",
                        uri,
                        NULL};
  g_spawn_async (self->folder, (char **)argv, NULL,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  for (gint64 end = g_get_monotonic_time () + DEADLINE;;) {
    g_autofree char *text = NULL;
    if (g_file_get_contents (self->progress, &text, NULL, NULL) && strstr (text, ".mkv\n"))
      break;
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (5000);
  }
  kill (pid, number);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  close (fd);
  return status;
}

static gboolean
has_http (void)
{
  g_autoptr (GstElementFactory) http = gst_element_factory_find ("souphttpsrc");
  if (!http)
    g_test_skip ("no souphttpsrc");
  return http != NULL;
}

/* As many of the clips as were done are not done again, and the result is that of one run. */
static void
resume (Fixture *self, const char *reference)
{
  g_auto (ToolRun) run = {0};
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "--resume", "-o", "out.jsonl",
            "clips", NULL);
  tool_assert_ok (&run);
  g_test_message ("%s", run.err);
  const char *before = strstr (run.err, " done before");
  g_assert_nonnull (before);
  g_assert_cmpint (before[-1], >=, '1');
  g_autofree char *text = read_text (self->out);
  g_assert_cmpstr (text, ==, reference);
}

/* Killed in the middle of a row or anywhere else: nothing is there, and then everything once. */
static void
test_killed (Fixture *self, gconstpointer data)
{
  if (!has_http () || !make_clips (self))
    return;
  g_autofree char *reference = make_reference (self);
  run_and_end (self, SIGKILL);
  g_assert_false (g_file_test (self->out, G_FILE_TEST_EXISTS));
  resume (self, reference);
  /* What remains is known: nothing more is to be done. */
  resume (self, reference);
}

static void
test_interrupted (Fixture *self, gconstpointer data)
{
  if (!has_http () || !make_clips (self))
    return;
  g_autofree char *reference = make_reference (self);
  int status = run_and_end (self, SIGINT);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 1);
  g_assert_false (g_file_test (self->out, G_FILE_TEST_EXISTS));
  resume (self, reference);
}

/* Torn lines of the journal and rows without a line do not count. */
static void
test_torn (Fixture *self, gconstpointer data)
{
  if (!has_http () || !make_clips (self))
    return;
  g_autofree char *reference = make_reference (self);
  run_and_end (self, SIGKILL);
  g_autofree char *journal = read_text (self->progress);
  g_autofree char *torn = g_strconcat (journal, "done 99 whole 5", NULL);
  g_assert_true (g_file_set_contents (self->progress, torn, -1, NULL));
  resume (self, reference);
}

/* A journal of nonsense is none. */
static void
test_bad_journal (Fixture *self, gconstpointer data)
{
  static const char *const texts[] = {
      "", "sightline progress 1\n", "sightline progress 1\n../../etc/passwd\nx\ndone\n",
      "sightline progress 1\nout.jsonl\nx\n\n", "sightline progress 99\n.1-out.jsonl\nx\n"};
  g_auto (ToolRun) run = {0};
  if (!make_clips (self))
    return;
  g_autofree char *reference = make_reference (self);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_assert_true (g_file_set_contents (self->progress, texts[i], -1, NULL));
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "--resume", "-o", "out.jsonl",
              "clips", NULL);
    tool_assert_ok (&run);
    g_assert_null (strstr (run.err, "done before"));
    g_autofree char *text = read_text (self->out);
    g_assert_cmpstr (text, ==, reference);
  }
}

static void
append_clip (Fixture *self, const char *name)
{
  g_assert_true (
      tool_make_clip (self->folder, name,
                      "videotestsrc num-buffers=3 pattern=blue ! "
                      "video/x-raw,width=64,height=48,framerate=10/1 ! jpegenc ! matroskamux ! "
                      "filesink"));
}

static guint
count_rows (const char *text, const char *source)
{
  g_autofree char *start = g_strdup_printf ("{\"source\":\"%s\"", source);
  guint n = 0;
  for (const char *at = text; (at = strstr (at, start)); at++)
    n++;
  return n;
}

/* A folder that grows: new clips are done, a clip that has changed is done anew, one that failed is
 * tried again, one that is gone keeps its rows. */
static void
test_growing (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!make_clips (self))
    return;
  g_autofree char *gone = tool_path (self->folder, "clips/1.mkv");
  g_autofree char *bad = tool_path (self->folder, "clips/4.mkv");
  g_assert_true (g_file_set_contents (bad, "noise", -1, NULL));
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "--resume", "-o", "out.jsonl",
            "clips", NULL);
  g_assert_cmpint (run.status, ==, 1);
  g_assert_nonnull (strstr (run.err, "6 inputs: 5 whole, 0 unknown, 0 partial, 1 failed"));

  append_clip (self, "clips/0.mkv");
  append_clip (self, "clips/4.mkv");
  append_clip (self, "clips/9.mkv");
  g_assert_cmpint (g_unlink (gone), ==, 0);
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "--resume", "-o", "out.jsonl",
            "clips", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.err, "3 done before"));
  g_autofree char *text = read_text (self->out);
  static const guint rows[] = {3, 17, 24, 10, 3, 24, 0, 0, 0, 3};
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *source = g_strdup_printf ("clips/%u.mkv", i);
    g_assert_cmpuint (count_rows (text, source), ==, rows[i]);
  }
}

/* Rows of different options do not go into one file; the head line of CSV is there once. */
static void
test_settings (Fixture *self, gconstpointer data)
{
  static const char *const others[] = {"-k1", "--every=2", "--keyframes", "--threshold=0.5"};
  g_auto (ToolRun) run = {0};
  g_autofree char *csv = tool_path (self->folder, "out.csv");
  if (!make_clips (self))
    return;
  for (guint i = 0; i < 2; i++) {
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "--resume", "-o", "out.csv",
              i ? "clips" : "clips/0.mkv", NULL);
    tool_assert_ok (&run);
  }
  g_autofree char *text = read_text (csv);
  g_assert_true (g_str_has_prefix (text, "source,"));
  g_assert_null (strstr (text, "\nsource,"));
  g_assert_cmpuint (tool_count_lines (text), ==, 1 + 2 * (10 + 17 + 24));
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "--resume", "-o", "out.csv",
              others[i], "clips", NULL);
    tool_assert_error (&run, 1, "out.csv: made with other options");
  }
  g_autofree char *after = read_text (csv);
  g_assert_cmpstr (after, ==, text);

  /* Without --resume it starts over, and no journal is left. */
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-k1", "-o", "out.csv", "clips",
            NULL);
  tool_assert_ok (&run);
  assert_nothing_hidden (self);
}

/* A result that somebody has changed is not added to. */
static void
test_foreign_output (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!make_clips (self))
    return;
  g_autofree char *reference = make_reference (self);
  for (guint i = 0; i < 2; i++) {
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "--resume", "-o", "out.jsonl",
              "clips", NULL);
    tool_assert_ok (&run);
    if (i == 0)
      g_assert_true (g_file_set_contents (self->out, "mine\n", -1, NULL));
  }
  g_assert_nonnull (strstr (run.err, "done anew"));
  g_autofree char *text = read_text (self->out);
  g_assert_cmpstr (text, ==, reference);
}

/* --- outputs --- */

/* What is no regular file is written, not replaced; a link stays one. */
static void
test_special_outputs (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  GStatBuf status;
  g_autofree char *link = tool_path (self->folder, "link.jsonl");
  if (!make_clips (self))
    return;
  g_autofree char *reference = make_reference (self);
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-o", "/dev/null", "clips", NULL);
  tool_assert_ok (&run);
  g_assert_cmpint (g_stat ("/dev/null", &status), ==, 0);
  g_assert_false (S_ISREG (status.st_mode));

  g_assert_true (g_file_set_contents (self->out, "before", -1, NULL));
  g_assert_cmpint (symlink ("out.jsonl", link), ==, 0);
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-o", "link.jsonl", "clips", NULL);
  tool_assert_ok (&run);
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  g_autofree char *text = read_text (self->out);
  g_assert_cmpstr (text, ==, reference);
}

/* One input to where -o says, several below a folder as they lie below theirs. */
static void
test_vtt (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *sub = tool_path (self->folder, "clips/sub");
  g_autofree char *one = tool_path (self->folder, "one.vtt");
  g_autofree char *deep = tool_path (self->folder, "subtitles/sub/0.vtt");
  g_autofree char *flat = tool_path (self->folder, "subtitles/1.vtt");
  if (!make_clips (self))
    return;
  g_mkdir (sub, 0755);
  append_clip (self, "clips/sub/0.mkv");
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "vtt", "clips/1.mkv", NULL);
  tool_assert_ok (&run);
  g_assert_true (g_str_has_prefix (run.out, "WEBVTT\n"));
  g_assert_nonnull (strstr (run.out, "00:00:00.000 --> 00:00:01.7"));
  g_assert_nonnull (strstr (run.out, "green"));
  g_autofree char *expected = g_steal_pointer (&run.out);

  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-o", "one.vtt", "clips/1.mkv",
            NULL);
  tool_assert_ok (&run);
  g_autofree char *text = read_text (one);
  g_assert_cmpstr (text, ==, expected);

  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "vtt", "--recursive",
            "--jobs=3", "-o", "subtitles", "clips", NULL);
  tool_assert_ok (&run);
  g_autofree char *again = read_text (flat);
  g_assert_cmpstr (again, ==, expected);
  g_assert_true (g_file_test (deep, G_FILE_TEST_EXISTS));

  g_unlink (deep);
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "vtt", "--recursive",
            "--resume", "-o", "subtitles", "clips", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.err, "7 inputs: 1 whole, 0 unknown, 0 partial, 0 failed, 6 done"));
  g_assert_true (g_file_test (deep, G_FILE_TEST_EXISTS));

  /* Two inputs for one file. */
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "vtt", "-o", "subtitles",
            "clips/0.mkv", "clips/sub/0.mkv", NULL);
  g_assert_cmpint (run.status, ==, 1);
  g_assert_nonnull (strstr (run.err, "sightline: clips/sub/0.mkv: would be written to"));
}

/* --- key frames --- */

static void
test_keyframes (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!tool_make_clip (self->folder, "k.mkv",
                       "videotestsrc num-buffers=25 ! video/x-raw,width=64,height=48,"
                       "framerate=10/1 ! vp8enc keyframe-max-dist=10 ! matroskamux ! filesink"))
    return;
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", "--keyframes",
            "k.mkv", NULL);
  tool_assert_ok (&run);
  g_assert_cmpuint (tool_count_lines (run.out), ==, 3);
  g_assert_nonnull (strstr (run.err, "k.mkv: whole, 3 frames"));
  g_auto (GStrv) lines = g_strsplit (run.out, "\n", -1);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (JsonNode) node = json_from_string (lines[i], NULL);
    JsonObject *row = json_node_get_object (node);
    g_assert_cmpint (json_object_get_int_member (row, "frame"), ==, i);
    g_assert_cmpfloat_with_epsilon (json_object_get_double_member (row, "pts"), i, 2e-3);
  }
}

/* --- orientation --- */

/* Puts an EXIF part with an orientation behind a JPEG file's first two bytes. */
static void
set_exif (const char *path, guint orientation)
{
  guint8 part[] = {0xff, 0xe1, 0,    34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
                   0,    1,    0x01, 0x12, 0,   3,   0,   0,   0, 1, 0,   0,   0, 0,  0, 0, 0, 0};
  g_autofree char *jpeg = NULL;
  gsize size;
  part[29] = (guint8)orientation;
  g_assert_true (g_file_get_contents (path, &jpeg, &size, NULL));
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_byte_array_append (bytes, (const guint8 *)jpeg, 2);
  g_byte_array_append (bytes, part, sizeof part);
  g_byte_array_append (bytes, (const guint8 *)jpeg + 2, (guint)size - 2);
  g_assert_true (g_file_set_contents (path, (const char *)bytes->data, bytes->len, NULL));
}

#define MAX_CLASSES 64

/* Largest difference between the scores of two rows; *ret_same: whether the same class is best. */
static double
compare_rows (const char *a, const char *b, gboolean *ret_same)
{
  const char *lines[] = {a, b};
  double scores[2][MAX_CLASSES] = {{0}}, most = 0;
  gint64 best[2];
  for (guint k = 0; k < 2; k++) {
    g_autoptr (JsonNode) node = json_from_string (lines[k], NULL);
    JsonArray *labels = json_object_get_array_member (json_node_get_object (node), "labels");
    for (guint i = json_array_get_length (labels); i-- > 0;) {
      JsonObject *label = json_array_get_object_element (labels, i);
      best[k] = json_object_get_int_member (label, "index");
      g_assert_cmpint (best[k], <, MAX_CLASSES);
      scores[k][best[k]] = json_object_get_double_member (label, "score");
    }
  }
  for (guint i = 0; i < MAX_CLASSES; i++)
    most = MAX (most, ABS (scores[0][i] - scores[1][i]));
  *ret_same = best[0] == best[1];
  return most;
}

/* Runs the built-in network, which, other than the tiny one, sees which side is up. */
static char *
classify_row (Fixture *self, const char *input)
{
  g_auto (ToolRun) run = {0};
  tool_run (&run, self->folder, "classify", "-q", "-f", "jsonl", "-k", "64", input, NULL);
  tool_assert_ok (&run);
  return g_steal_pointer (&run.out);
}

/* By EXIF's number: how the stored picture comes from the upright one. */
static const char *const stored[] = {NULL,    "identity", "horiz", "180", "vert",
                                     "ul-lr", "90l",      "ur-ll", "90r"};

#define WIDTH 256
#define HEIGHT 192

/* base.png: an L, which looks different from every side. */
static gboolean
make_upright (Fixture *self)
{
  g_autofree char *path = tool_path (self->folder, "base.rgb");
  g_autofree guint8 *pixels = g_malloc (WIDTH * HEIGHT * 3);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++) {
      guint8 *p = pixels + (y * WIDTH + x) * 3;
      gboolean letter = x >= 80 && y >= 30 && y < 160 && (x < 110 || (y >= 130 && x < 180));
      p[0] = letter ? 230 : 60;
      p[1] = letter ? 180 : 90;
      p[2] = letter ? 60 : 140;
    }
  g_assert_true (g_file_set_contents (path, (char *)pixels, WIDTH * HEIGHT * 3, NULL));
  g_autofree char *launch = g_strdup_printf (
      "filesrc location=\"%s\" ! rawvideoparse format=rgb width=%d height=%d ! pngenc ! filesink",
      path, WIDTH, HEIGHT);
  return tool_make_clip (self->folder, "base.png", launch);
}

/* A picture stored in any of the eight ways is seen as the upright one is. */
static void
test_exif (Fixture *self, gconstpointer data)
{
  guint unlike = 0;
  gboolean same;
  g_autofree char *upright = NULL;
  g_autofree char *path = tool_path (self->folder, "p.jpg");
  g_autofree char *base = tool_path (self->folder, "base.png");
  if (!make_upright (self))
    return;
  for (guint orientation = 1; orientation <= 8; orientation++) {
    g_autofree char *launch = g_strdup_printf (
        "filesrc location=\"%s\" ! pngdec ! videoflip video-direction=%s ! videoconvert ! "
        "video/x-raw,format=Y444,colorimetry=1:4:0:0 ! jpegenc quality=100 ! filesink",
        base, stored[orientation]);
    if (!tool_make_clip (self->folder, "p.jpg", launch))
      return;
    g_autofree char *plain = classify_row (self, "p.jpg");
    if (orientation == 1)
      upright = g_strdup (plain);
    set_exif (path, orientation);
    g_autofree char *turned = classify_row (self, "p.jpg");
    double difference = compare_rows (upright, turned, &same);
    g_test_message ("%u: %g", orientation, difference);
    g_assert_true (same);
    g_assert_cmpfloat (difference, <, 0.03);
    unlike += compare_rows (upright, plain, &same) > 0.1;
  }
  /* Else the network would not see which side is up, and this test could not fail. */
  g_assert_cmpuint (unlike, >=, 5);
}

/* A clip with an orientation tag is seen as one whose pictures have been turned. */
static void
test_rotated_clip (Fixture *self, gconstpointer data)
{
  const char *real = tool_data ();
  gboolean same;
  if (!real)
    return;
  g_autofree char *tagged = g_build_filename (real, "odd", "rotated90.mp4", NULL);
  /* The same pictures without the tag, which asks for a quarter turn to the left. */
  g_autofree char *plain = g_build_filename (real, "odd", "bottle_h264_baseline.mp4", NULL);
  g_autofree char *launch = g_strdup_printf ("filesrc location=\"%s\" ! decodebin ! videoflip "
                                             "video-direction=90l ! matroskamux ! filesink",
                                             plain);
  if (!tool_make_clip (self->folder, "turned.mkv", launch))
    return;
  const char *inputs[] = {"turned.mkv", tagged, plain};
  GStrv rows[3];
  for (guint i = 0; i < 3; i++) {
    g_autofree char *text = classify_row (self, inputs[i]);
    rows[i] = g_strsplit (g_strchomp (text), "\n", -1);
    g_assert_cmpuint (g_strv_length (rows[i]), ==, 61);
  }
  /* The same bits on GStreamer 1.22. In 1.26 Matroska keeps where chroma lies in the pictures,
   * which is no longer true once they are turned, and scores are not quite blind to that. */
  double turned = 0, unlike = 0;
  guint n_same = 0;
  for (guint i = 0; i < 61; i++) {
    double difference = compare_rows (rows[0][i], rows[1][i], &same);
    g_assert_cmpfloat (difference, <, 0.1);
    n_same += same;
    turned += difference / 61;
    unlike += compare_rows (rows[1][i], rows[2][i], &same) / 61;
  }
  g_test_message ("turned %g, not turned %g", turned, unlike);
  g_assert_cmpuint (n_same, >=, 55);
  g_assert_cmpfloat (turned, <, 0.03);
  g_assert_cmpfloat (unlike, >, 5 * turned);
  for (guint i = 0; i < 3; i++)
    g_strfreev (rows[i]);
  g_assert_cmpfloat (unlike, >, 0.05);
}

#define ADD(name, function) \
  g_test_add ("/tools/footage/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  ADD ("jobs", test_jobs);
  ADD ("jobs-verdicts", test_jobs_verdicts);
  ADD ("jobs-codec-log", test_jobs_codec_log);
  ADD ("killed", test_killed);
  ADD ("interrupted", test_interrupted);
  ADD ("torn", test_torn);
  ADD ("bad-journal", test_bad_journal);
  ADD ("growing", test_growing);
  ADD ("settings", test_settings);
  ADD ("foreign-output", test_foreign_output);
  ADD ("special-outputs", test_special_outputs);
  ADD ("vtt", test_vtt);
  ADD ("keyframes", test_keyframes);
  ADD ("exif", test_exif);
  ADD ("rotated-clip", test_rotated_clip);
  return g_test_run ();
}
