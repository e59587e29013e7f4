/* `sightline classify` before cameras: those of fake-camera.c. It runs until Ctrl-C. */
#include "tiny-model.h"
#include "tool.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* A test that waits longer than this for the tool has failed. */
#define DEADLINE (60 * G_USEC_PER_SEC)

typedef struct {
  char *folder, *out, *err; /* files that standard output and error go to */
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = tool_folder_new ();
  self->out = tool_path (self->folder, "stdout");
  self->err = tool_path (self->folder, "stderr");
  g_free (tiny_model_write (self->folder, "tiny.onnx", TINY_METADATA));
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  tool_folder_remove (self->folder);
  g_free (self->folder);
  g_free (self->out);
  g_free (self->err);
}

static char *
read_text (const char *path)
{
  char *text = NULL;
  return g_file_get_contents (path, &text, NULL, NULL) ? text : g_strdup ("");
}

/* Starts the tool with arguments as a shell has them. */
static GPid
start_command (Fixture *self, const char *command, const char *arguments)
{
  g_autoptr (GError) error = NULL;
  GPid pid;
  g_autofree char *tool = g_shell_quote (g_getenv ("SIGHTLINE_TOOL"));
  g_autofree char *line =
      g_strdup_printf ("exec %s %s -m tiny.onnx %s >stdout 2>stderr", tool, command, arguments);
  const char *argv[] = {"/bin/sh", "-c", line, NULL};
  g_spawn_async (self->folder, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                 &error);
  g_assert_no_error (error);
  return pid;
}

static GPid
start (Fixture *self, const char *arguments)
{
  return start_command (self, "classify", arguments);
}

/* Waits until a file has so many lines and holds `text` (or NULL). */
static void
wait_for (const char *path, guint lines, const char *text)
{
  for (gint64 end = g_get_monotonic_time () + DEADLINE;;) {
    g_autofree char *content = read_text (path);
    if (tool_count_lines (content) >= lines && (!text || strstr (content, text)))
      return;
    if (g_get_monotonic_time () > end)
      g_test_message ("%s: %s", path, content);
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (10000);
  }
}

/* Ctrl-C; returns the exit status. */
static int
stop (GPid pid)
{
  int status;
  kill (pid, SIGINT);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

static JsonObject *
parse_row (const char *line, JsonNode **ret_node)
{
  g_autoptr (GError) error = NULL;
  *ret_node = json_from_string (line, &error);
  g_assert_no_error (error);
  return json_node_get_object (*ret_node);
}

/* Every row says when its frame was taken; Ctrl-C is the end and no failure. */
static void
test_camera (Fixture *self, gconstpointer data)
{
  g_autoptr (GDateTime) before = g_date_time_new_now_utc ();
  GPid pid = start (self, "-f jsonl \"camera:fake red\"");
  wait_for (self->out, 10, NULL);
  g_assert_cmpint (stop (pid), ==, 0);
  g_autoptr (GDateTime) after = g_date_time_new_now_utc ();
  g_autofree char *out = read_text (self->out);
  g_autofree char *err = read_text (self->err);
  g_test_message ("%s", err);
  g_assert_nonnull (strstr (err, "camera:fake red: running\n"));
  g_assert_nonnull (strstr (err, "frames in"));
  g_auto (GStrv) lines = g_strsplit (out, "\n", -1);
  guint n = g_strv_length (lines) - 1;
  g_autoptr (GDateTime) last = g_date_time_ref (before);
  for (guint i = 0; i < n; i++) {
    g_autoptr (JsonNode) node = NULL;
    JsonObject *row = parse_row (lines[i], &node);
    g_assert_cmpint (json_object_get_int_member (row, "frame"), ==, i);
    JsonObject *best =
        json_array_get_object_element (json_object_get_array_member (row, "labels"), 0);
    g_assert_cmpint (json_object_get_int_member (best, "index"), ==, TINY_RED);
    g_autoptr (GDateTime) time =
        g_date_time_new_from_iso8601 (json_object_get_string_member (row, "time"), NULL);
    g_assert_nonnull (time);
    g_assert_cmpint (g_date_time_compare (time, last), >=, 0);
    g_assert_cmpint (g_date_time_compare (time, after), <=, 0);
    g_clear_pointer (&last, g_date_time_unref);
    last = g_steal_pointer (&time);
  }
}

/* A stream that ends is opened again, and somebody is told. */
static void
test_flaky (Fixture *self, gconstpointer data)
{
  GPid pid = start (self, "-f csv camera:flaky");
  wait_for (self->err, 1, "camera:flaky: retrying in ");
  wait_for (self->out, 1 + 12, NULL); /* more than one connection gives */
  g_assert_cmpint (stop (pid), ==, 0);
  g_autofree char *out = read_text (self->out);
  g_assert_true (g_str_has_prefix (out, "source,frame,pts,model,time,index1,"));
}

/* Several at once: rows of all of them, in a file that Ctrl-C completes. */
static void
test_two (Fixture *self, gconstpointer data)
{
  g_autofree char *path = tool_path (self->folder, "both.jsonl");
  GPid pid = start (self, "-o both.jsonl camera:red \"camera:fake flood\"");
  wait_for (self->err, 1, "camera:red: running");
  wait_for (self->err, 1, "camera:fake flood: running");
  g_usleep (G_USEC_PER_SEC / 2); /* for some frames of the slower one */
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (stop (pid), ==, 0);
  g_autofree char *text = read_text (path);
  g_assert_nonnull (strstr (text, "\"source\":\"camera:red\""));
  g_assert_nonnull (strstr (text, "\"source\":\"camera:fake flood\""));
}

/* While nobody reads the rows, frames are passed over: what is looked at afterwards is new. */
static void
test_late (Fixture *self, gconstpointer data)
{
  g_autofree char *fifo = tool_path (self->folder, "fifo");
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  GPid pid = start (self, "-f jsonl -o fifo camera:flood");
  FILE *reader = fopen (fifo, "r");
  wait_for (self->err, 1, "running");
  char line[4096];
  g_assert_nonnull (fgets (line, sizeof line, reader));
  g_usleep (2 * G_USEC_PER_SEC); /* 1000 frames; the pipe has room for some 200 rows */
  kill (pid, SIGINT);
  while (fgets (line, sizeof line, reader))
    continue;
  fclose (reader);
  int status;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  g_autofree char *err = read_text (self->err);
  g_test_message ("%s", err);
  g_assert_nonnull (strstr (err, " passed over because newer ones had come"));
  g_assert_null (strstr (err, ", 0 passed over"));
}

/* Subtitles of a camera are finished by Ctrl-C. */
static void
test_vtt (Fixture *self, gconstpointer data)
{
  g_autofree char *path = tool_path (self->folder, "red.vtt");
  GPid pid = start (self, "-o red.vtt camera:red");
  wait_for (self->err, 1, "running");
  g_usleep (G_USEC_PER_SEC); /* a cue takes half a second */
  g_assert_cmpint (stop (pid), ==, 0);
  g_autofree char *text = read_text (path);
  g_assert_true (g_str_has_prefix (text, "WEBVTT\n"));
  g_assert_nonnull (strstr (text, "red"));
}

/* Waits until the tool ends by itself; returns the exit status. */
static int
wait_for_end (GPid pid)
{
  int status;
  for (gint64 end = g_get_monotonic_time () + DEADLINE; waitpid (pid, &status, WNOHANG) == 0;) {
    if (g_get_monotonic_time () > end)
      kill (pid, SIGKILL);
    g_usleep (10000);
  }
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

/* Nobody there: the reason, once, and the end. */
static void
test_missing (Fixture *self, gconstpointer data)
{
  g_assert_cmpint (wait_for_end (start (self, "-f jsonl camera:zeppelin")), ==, 1);
  g_autofree char *out = read_text (self->out);
  g_autofree char *err = read_text (self->err);
  g_test_message ("%s", err);
  g_assert_cmpstr (out, ==, "");
  g_assert_cmpuint (tool_count_lines (err), ==, 1);
  g_assert_true (g_str_has_prefix (err, "sightline: camera:zeppelin: no camera \"zeppelin\" ("));
}

/* A server gets a few tries to come up. */
static void
test_no_server (Fixture *self, gconstpointer data)
{
  g_autofree char *path = tool_path (self->folder, "out.jsonl");
  g_assert_cmpint (wait_for_end (start (self, "-o out.jsonl rtsp://127.0.0.1:9/x")), ==, 1);
  g_autofree char *err = read_text (self->err);
  g_test_message ("%s", err);
  g_assert_nonnull (strstr (err, "rtsp://127.0.0.1:9/x: retrying in "));
  g_assert_nonnull (strstr (err, "sightline: rtsp://127.0.0.1:9/x: "));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* One that is missing ends itself only; the exit status tells. */
static void
test_one_missing (Fixture *self, gconstpointer data)
{
  GPid pid = start (self, "-f jsonl camera:zeppelin camera:red");
  wait_for (self->err, 1, "sightline: camera:zeppelin: ");
  wait_for (self->out, 5, "camera:red");
  g_assert_cmpint (stop (pid), ==, 1);
}

/* Rows of maps have no other end than Ctrl-C; a picture is the first frame. */
static void
test_heatmap (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "camera:red", "-o", "now.png", NULL);
  tool_assert_ok (&run);
  GPid pid = start_command (self, "heatmap", "camera:red -o -");
  wait_for (self->out, 5, "camera:red");
  g_assert_cmpint (stop (pid), ==, 0);
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "camera:red", "in.mkv", "-o", "-",
            NULL);
  tool_assert_error (&run, 2, "has no end");
}

/* A password in a URI is nobody's business. */
static void
test_password (Fixture *self, gconstpointer data)
{
  GPid pid = start (self, "-f jsonl rtsp://me:secret@127.0.0.1:9/x");
  wait_for (self->err, 1, "rtsp://me:***@127.0.0.1:9/x: ");
  stop (pid);
  g_autofree char *out = read_text (self->out);
  g_autofree char *err = read_text (self->err);
  g_test_message ("%s", err);
  g_assert_null (strstr (out, "secret"));
  g_assert_null (strstr (err, "secret"));
}

#define ADD(name, function) \
  g_test_add ("/tools/live/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  ADD ("camera", test_camera);
  ADD ("flaky", test_flaky);
  ADD ("two", test_two);
  ADD ("late", test_late);
  ADD ("vtt", test_vtt);
  ADD ("missing", test_missing);
  ADD ("no-server", test_no_server);
  ADD ("one-missing", test_one_missing);
  ADD ("heatmap", test_heatmap);
  ADD ("password", test_password);
  return g_test_run ();
}
