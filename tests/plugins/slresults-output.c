/* slresults: where rows go, and that the stream never suffers. */
#include "results-fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Files --- */

#define CSV_HEADER "source,frame,pts,model,producer,age,index1,label1,score1\n"
#define CSV_ROW "s,0,0,m,net,0,0,a,0.75\n"

static void
restart (Fixture *fixture)
{
  gst_element_set_state (fixture->element, GST_STATE_READY);
  gst_element_set_state (fixture->element, GST_STATE_PLAYING);
}

/* The usual way of logs: a pipeline that starts again goes on in its file. */
static void
test_append (void)
{
  g_autofree gchar *path = results_place ("append.csv"), *jsonl = results_place ("append.jsonl");
  g_autoptr (Fixture) fixture = results_start (path, "top-k", 1, NULL);

  results_push_frame (fixture, 0, "a");
  restart (fixture);
  results_push_frame (fixture, 0, "a");
  gst_element_set_state (fixture->element, GST_STATE_NULL);
  results_assert_file (path, CSV_HEADER CSV_ROW CSV_ROW);

  /* A crash left half a row. */
  g_assert_true (g_file_set_contents (jsonl, "{\"source\":\"s\"", -1, NULL));
  g_autoptr (Fixture) second = results_start (jsonl, NULL);
  results_push_frame (second, 0, "a");
  results_push_eos (second);
  results_assert_file (jsonl, "{\"source\":\"s\"\n" ROW ("0", "0", "a", "0.75"));
}

static void
test_new_is_visible (void)
{
  g_autofree gchar *path = results_place ("visible.csv");
  g_autoptr (Fixture) fixture = results_start (path, "top-k", 1, NULL);
  struct stat info = {0};

  /* The header comes by itself, from the other thread. */
  while (stat (path, &info) != 0 || info.st_size == 0)
    g_thread_yield ();
  results_assert_file (path, CSV_HEADER);
  results_push_frame (fixture, 0, "a");
  while (stat (path, &info) == 0 && info.st_size < (off_t)strlen (CSV_HEADER CSV_ROW))
    g_thread_yield ();
  results_assert_file (path, CSV_HEADER CSV_ROW);
}

/* logrotate's copytruncate: rows go on at the start, without a hole before them. */
static void
test_cut_by_others (void)
{
  g_autofree gchar *path = results_place ("cut.csv");
  g_autoptr (Fixture) fixture = results_start (path, "top-k", 1, NULL);

  results_push_frame (fixture, 1, "a");
  while (results_get_stat (fixture, "rows") < 1)
    g_thread_yield ();
  g_assert_cmpint (truncate (path, 0), ==, 0);
  results_push_frame (fixture, 0, "a");
  results_push_eos (fixture);
  results_assert_file (path, CSV_ROW);
}

static void
test_replace (void)
{
  g_autofree gchar *path = results_place ("replace.csv");

  g_assert_true (g_file_set_contents (path, "old", -1, NULL));
  g_autoptr (Fixture) fixture = results_start (path, "top-k", 1, "existing", 1, NULL);
  results_push_frame (fixture, 0, "a");
  results_assert_file (path, "old");
  results_push_eos (fixture);
  results_assert_file (path, CSV_HEADER CSV_ROW);

  /* Rows after EOS, as after a seek back, go on in the same file. */
  gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  results_push_frame (fixture, 0, "a");
  gst_element_set_state (fixture->element, GST_STATE_NULL);
  results_assert_file (path, CSV_HEADER CSV_ROW CSV_ROW);

  /* Nothing but the file itself is left in the folder. */
  g_autoptr (GDir) folder = g_dir_open (fixture_folder, 0, NULL);
  const gchar *name;
  while ((name = g_dir_read_name (folder)))
    g_assert_null (strstr (name, "-replace.csv"));
}

/* Starts, with an error that says `part`; or without one, if that is NULL. */
static void
check_start (const gchar *location, gint fd, gint existing, gint code, const gchar *part)
{
  Fixture fixture = {.element = gst_element_factory_make ("slresults", NULL),
                     .bus = gst_bus_new ()};

  gst_object_ref_sink (fixture.element);
  gst_element_set_bus (fixture.element, fixture.bus);
  g_object_set (fixture.element, "location", location, "fd", fd, "existing", existing, NULL);
  if (part) {
    g_assert_cmpint (gst_element_set_state (fixture.element, GST_STATE_PAUSED), ==,
                     GST_STATE_CHANGE_FAILURE);
    fixture_expect_error (&fixture, GST_RESOURCE_ERROR, code, part);
  } else {
    g_assert_cmpint (gst_element_set_state (fixture.element, GST_STATE_PAUSED), ==,
                     GST_STATE_CHANGE_SUCCESS);
  }
  gst_element_set_state (fixture.element, GST_STATE_NULL);
  gst_element_set_bus (fixture.element, NULL);
  gst_object_unref (fixture.bus);
  gst_object_unref (fixture.element);
}

static void
test_existing_refused (void)
{
  static const struct {
    const gchar *name, *content;
    gint existing;
    const gchar *part;
  } rows[] = {
      {"refused.jsonl", ROW ("0", "0", "a", "1"), 2, "exists"},
      {"refused.jsonl", "", 2, "exists"},
      {"film.jsonl", "\x1a\x45\xdf\xa3", 0, "is no JSON Lines"},
      {"other.csv", "source,frame,pts,model\n", 0, "is no CSV with these columns"},
      {"film.txt", "ab\n", 0, NULL}, /* any text will do for text */
      {"cues.vtt", "WEBVTT\n\n", 0, "WebVTT cannot be continued"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *path = results_place (rows[i].name);
    g_assert_true (g_file_set_contents (path, rows[i].content, -1, NULL));
    check_start (path, -1, rows[i].existing, GST_RESOURCE_ERROR_OPEN_WRITE, rows[i].part);
    results_assert_file (path, rows[i].content);
  }

  /* Text has no zero bytes. */
  g_autofree gchar *path = results_place ("zero.txt");
  g_assert_true (g_file_set_contents (path, "a\0b", 3, NULL));
  check_start (path, -1, 0, GST_RESOURCE_ERROR_OPEN_WRITE, "is no text");
}

static void
test_no_place (void)
{
  g_autofree gchar *fifo = results_place ("fifo");
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_autofree gchar *missing = g_build_filename (fixture_folder, "missing", "x.jsonl", NULL);
  const struct {
    const gchar *location;
    gint fd, code;
    const gchar *part;
  } rows[] = {
      {NULL, -1, GST_RESOURCE_ERROR_SETTINGS, "No place"},
      {"", -1, GST_RESOURCE_ERROR_SETTINGS, "No place"},
      {"x", 1, GST_RESOURCE_ERROR_SETTINGS, "Two places"},
      {missing, -1, GST_RESOURCE_ERROR_OPEN_WRITE, "missing/x.jsonl"},
      {fixture_folder, -1, GST_RESOURCE_ERROR_OPEN_WRITE, fixture_folder},
      {fifo, -1, GST_RESOURCE_ERROR_OPEN_WRITE, "nobody reads this pipe"},
      {NULL, 9999, GST_RESOURCE_ERROR_OPEN_WRITE, "descriptor 9999"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    check_start (rows[i].location, rows[i].fd, 0, rows[i].code, rows[i].part);
  }
}

/* --- Descriptors and readers --- */

typedef struct {
  int ends[2]; /* read, write */
} Pipe;

static Pipe
make_pipe (void)
{
  Pipe pipe;

  g_assert_cmpint (pipe2 (pipe.ends, O_CLOEXEC), ==, 0);
  return pipe;
}

/* Reads until `n` rows are there, or to the end. */
static GString *
read_rows (int fd, guint n)
{
  GString *text = g_string_new (NULL);
  gchar c;

  for (guint rows = 0; rows < n && read (fd, &c, 1) == 1; rows += c == '\n')
    g_string_append_c (text, c);
  return text;
}

/* A reader has a row before the next one is made. */
static void
test_at_once (void)
{
  Pipe pipe = make_pipe ();
  Fixture *fixture = results_start (NULL, "fd", pipe.ends[1], NULL);

  for (guint i = 0; i < 3; i++) {
    results_push_frame (fixture, 0, "a");
    g_autoptr (GString) text = read_rows (pipe.ends[0], 1);
    g_assert_cmpstr (text->str, ==, ROW ("0", "0", "a", "0.75"));
    gst_harness_push_event (fixture->harness, gst_event_new_stream_start ("again"));
  }
  fixture_free (fixture);
  /* The descriptor is the caller's, still open and waiting as before. */
  g_assert_cmpint (fcntl (pipe.ends[1], F_GETFL) & O_NONBLOCK, ==, 0);
  g_assert_cmpint (write (pipe.ends[1], "x", 1), ==, 1);
  close (pipe.ends[1]);
  g_autoptr (GString) rest = read_rows (pipe.ends[0], 1);
  g_assert_cmpstr (rest->str, ==, "x");
  close (pipe.ends[0]);
}

/* Whole rows, each with the number after the one before or later. */
static guint
check_whole_rows (const GString *text)
{
  g_auto (GStrv) lines = g_strsplit (text->str, "\n", -1);
  guint n = g_strv_length (lines);
  gint64 last = -1;

  g_assert_cmpstr (lines[n - 1], ==, "");
  for (guint i = 0; i + 1 < n; i++) {
    g_assert_true (g_str_has_prefix (lines[i], "{\"source\":\"s\",\"frame\":"));
    g_assert_true (g_str_has_suffix (lines[i], "\"producer\":\"net\"}"));
    gint64 frame = g_ascii_strtoll (lines[i] + strlen ("{\"source\":\"s\",\"frame\":"), NULL, 10);
    g_assert_cmpint (frame, >, last);
    last = frame;
  }
  return n - 1;
}

/* Nobody reads, and the stream does not care. */
static void
test_slow_reader (void)
{
  Pipe pipe = make_pipe ();
  Fixture *fixture = results_start (NULL, "fd", pipe.ends[1], "max-size-bytes", 5000,
                                    "drain-timeout", (guint64)GST_MSECOND, NULL);
  const guint n = 2000; /* three times as much as fits into a pipe */

  results_push_run (fixture, 0, n, "a");
  g_assert_cmpuint (results_get_stat (fixture, "refused"), >, 0);
  g_assert_cmpuint (results_get_stat (fixture, "queued"), <=, 5000);
  results_expect_warning (fixture, GST_RESOURCE_ERROR_WRITE, "slower than the stream");
  results_push_eos (fixture);
  g_assert_cmpuint (results_get_stat (fixture, "rows") + results_get_stat (fixture, "refused"), ==,
                    n);
  g_assert_cmpuint (results_get_stat (fixture, "errors"), ==, 0);
  guint64 rows = results_get_stat (fixture, "rows");
  fixture_free (fixture);

  close (pipe.ends[1]);
  g_autoptr (GString) text = read_rows (pipe.ends[0], G_MAXUINT);
  close (pipe.ends[0]);
  g_assert_cmpuint (check_whole_rows (text), ==, rows);
}

static gpointer
read_all (gpointer data)
{
  return read_rows (GPOINTER_TO_INT (data), G_MAXUINT);
}

/* One that is read to the end gets all rows, before EOS has passed. */
static void
test_wait_for_reader (void)
{
  Pipe pipe = make_pipe ();
  Fixture *fixture =
      results_start (NULL, "fd", pipe.ends[1], "max-size-bytes", 0, "wait-for-reader", TRUE,
                     "drain-timeout", 60 * GST_SECOND, NULL);
  GThread *reader = g_thread_new ("reader", read_all, GINT_TO_POINTER (pipe.ends[0]));

  results_push_run (fixture, 0, 2000, "a");
  results_push_eos (fixture);
  g_assert_cmpuint (results_get_stat (fixture, "rows"), ==, 2000);
  results_assert_no_message (fixture);
  fixture_free (fixture);
  close (pipe.ends[1]);
  g_autoptr (GString) text = g_thread_join (reader);
  close (pipe.ends[0]);
  g_assert_cmpuint (check_whole_rows (text), ==, 2000);
}

/* Rows longer than a pipe writes in one go stay whole too. */
static void
test_long_rows (void)
{
  Pipe pipe = make_pipe ();
  Fixture *fixture = results_start (NULL, "fd", pipe.ends[1], "wait-for-reader", TRUE,
                                    "drain-timeout", 60 * GST_SECOND, NULL);
  GThread *reader = g_thread_new ("reader", read_all, GINT_TO_POINTER (pipe.ends[0]));
  g_autofree gchar *label = g_strnfill (300000, 'a');

  results_push_run (fixture, 0, 5, label);
  results_push_eos (fixture);
  fixture_free (fixture);
  close (pipe.ends[1]);
  g_autoptr (GString) text = g_thread_join (reader);
  close (pipe.ends[0]);
  g_assert_cmpuint (check_whole_rows (text), ==, 5);
  g_assert_cmpuint (text->len, >, 5 * 300000);
}

static gpointer
push_until_refused (gpointer data)
{
  Fixture *fixture = data;
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = 0; flow == GST_FLOW_OK && i < 100000; i++) {
    GstBuffer *buffer = results_buffer (i);
    results_add_labels (buffer, "net", "m", i, 0, "a", 0.75f);
    flow = gst_harness_push (fixture->harness, buffer);
  }
  return GINT_TO_POINTER (flow);
}

/* A stream that waits for a reader who does not come can be flushed, and stopped. */
static void
check_released (gboolean by_flush)
{
  Pipe pipe = make_pipe ();
  Fixture *fixture = results_start (NULL, "fd", pipe.ends[1], "max-size-bytes", 1000,
                                    "wait-for-reader", TRUE, "drain-timeout", (guint64)0, NULL);
  GThread *pusher = g_thread_new ("pusher", push_until_refused, fixture);

  while (results_get_stat (fixture, "queued") < 800)
    g_thread_yield ();
  if (by_flush)
    gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  else
    gst_element_set_state (fixture->element, GST_STATE_READY);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (pusher)), ==, GST_FLOW_FLUSHING);
  gst_element_set_state (fixture->element, GST_STATE_READY);
  g_assert_cmpuint (results_get_stat (fixture, "queued"), ==, 0);
  fixture_free (fixture);
  close (pipe.ends[0]);
  close (pipe.ends[1]);
}

static void
test_released (void)
{
  check_released (TRUE);
  check_released (FALSE);
}

/* A row that had to be given up in the middle costs no other row. */
static void
test_torn_row (void)
{
  Pipe pipe = make_pipe ();
  Fixture *fixture = results_start (NULL, "fd", pipe.ends[1], "drain-timeout", (guint64)0, NULL);
  g_autofree gchar *label = g_strnfill (300000, 'a');
  GstSegment segment;

  results_push_frame (fixture, 0, label);
  /* A pipe holds less than that. */
  while (poll (&(struct pollfd){pipe.ends[1], POLLOUT, 0}, 1, 0) == 1)
    g_thread_yield ();
  results_push_eos (fixture);
  results_expect_warning (fixture, GST_RESOURCE_ERROR_WRITE, "slower");
  GThread *reader = g_thread_new ("reader", read_all, GINT_TO_POINTER (pipe.ends[0]));
  g_object_set (fixture->element, "drain-timeout", 60 * GST_SECOND, NULL);
  gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  results_push_frame (fixture, 1, "a");
  results_push_eos (fixture);
  g_assert_cmpuint (results_get_stat (fixture, "rows"), ==, 1);
  g_assert_cmpuint (results_get_stat (fixture, "refused"), ==, 1);
  fixture_free (fixture);
  close (pipe.ends[1]);
  g_autoptr (GString) text = g_thread_join (reader);
  close (pipe.ends[0]);
  g_assert_true (g_str_has_suffix (text->str, "a\n" ROW ("1", "0.1", "a", "0.75")));
}

/* --- Errors --- */

/* The reader leaves: one warning, and the video goes on; or an error, if asked for. */
static void
check_reader_gone (gboolean continue_on_error)
{
  Pipe pipe = make_pipe ();
  Fixture *fixture =
      results_start (NULL, "fd", pipe.ends[1], "continue-on-error", continue_on_error, NULL);
  GstFlowReturn flow;

  close (pipe.ends[0]);
  results_push_frame (fixture, 0, "a");
  if (continue_on_error)
    results_expect_warning (fixture, GST_RESOURCE_ERROR_WRITE, "Broken pipe");
  else
    fixture_expect_error (fixture, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE, "Broken pipe");
  flow = gst_harness_push (fixture->harness, results_buffer (1));
  g_assert_cmpint (flow, ==, continue_on_error ? GST_FLOW_OK : GST_FLOW_ERROR);
  if (continue_on_error) {
    results_push_run (fixture, 2, 100, "a");
    results_push_eos (fixture);
    g_assert_cmpuint (results_get_stat (fixture, "refused"), ==, 99);
  }
  g_assert_cmpuint (results_get_stat (fixture, "errors"), ==, 1);
  g_assert_cmpuint (results_get_stat (fixture, "rows"), ==, 0);
  results_assert_no_message (fixture);
  fixture_free (fixture);
  close (pipe.ends[1]);
}

static void
test_reader_gone (void)
{
  check_reader_gone (TRUE);
  check_reader_gone (FALSE);
}

static void
limit_files (rlim_t bytes)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = MIN (bytes, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* The disk is full in the middle of a row, and later there is room again. */
static void
test_disk_full (void)
{
  g_autofree gchar *path = results_place ("full.csv");
  g_autoptr (Fixture) fixture = results_start (path, "top-k", 1, NULL);

  limit_files (strlen (CSV_HEADER CSV_ROW) + 10);
  results_push_frame (fixture, 0, "a");
  results_push_frame (fixture, 1, "a");
  results_push_frame (fixture, 2, "a");
  results_expect_warning (fixture, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "full.csv");
  results_push_eos (fixture);
  limit_files (RLIM_INFINITY);
  results_assert_file (path, CSV_HEADER CSV_ROW);
  g_assert_cmpuint (results_get_stat (fixture, "errors"), ==, 2);
  g_assert_cmpuint (results_get_stat (fixture, "refused"), ==, 2);
  results_assert_no_message (fixture);

  gst_harness_push_event (fixture->harness, gst_event_new_stream_start ("again"));
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  results_push_frame (fixture, 0, "a");
  results_push_eos (fixture);
  results_assert_file (path, CSV_HEADER CSV_ROW CSV_ROW);

  /* Full once more is news once more. */
  gst_harness_push_event (fixture->harness, gst_event_new_stream_start ("third"));
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  limit_files (strlen (CSV_HEADER CSV_ROW CSV_ROW));
  results_push_frame (fixture, 0, "a");
  results_expect_warning (fixture, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "full.csv");
  limit_files (RLIM_INFINITY);
}

/* Where every row counts, a file that lacks some does not take the old one's place. */
static void
test_replace_failed (void)
{
  g_autofree gchar *path = results_place ("whole.csv");

  g_assert_true (g_file_set_contents (path, "old", -1, NULL));
  Fixture *fixture =
      results_start (path, "top-k", 1, "existing", 1, "continue-on-error", FALSE, NULL);
  limit_files (strlen (CSV_HEADER) + 10);
  results_push_frame (fixture, 0, "a");
  fixture_expect_error (fixture, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "whole.csv");
  limit_files (RLIM_INFINITY);
  fixture_free (fixture);
  results_assert_file (path, "old");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/slresults-output/append", test_append);
  g_test_add_func ("/slresults-output/new-is-visible", test_new_is_visible);
  g_test_add_func ("/slresults-output/cut-by-others", test_cut_by_others);
  g_test_add_func ("/slresults-output/replace", test_replace);
  g_test_add_func ("/slresults-output/existing-refused", test_existing_refused);
  g_test_add_func ("/slresults-output/no-place", test_no_place);
  g_test_add_func ("/slresults-output/at-once", test_at_once);
  g_test_add_func ("/slresults-output/slow-reader", test_slow_reader);
  g_test_add_func ("/slresults-output/wait-for-reader", test_wait_for_reader);
  g_test_add_func ("/slresults-output/long-rows", test_long_rows);
  g_test_add_func ("/slresults-output/released", test_released);
  g_test_add_func ("/slresults-output/torn-row", test_torn_row);
  g_test_add_func ("/slresults-output/reader-gone", test_reader_gone);
  g_test_add_func ("/slresults-output/disk-full", test_disk_full);
  g_test_add_func ("/slresults-output/replace-failed", test_replace_failed);
  return fixture_run ();
}
