/* Where results go: outputs that cannot be written, that are inputs, that nobody waits for. */
#include "tiny-model.h"
#include "tool.h"

#include <gio/gio.h>
#include <gst/gst.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* A test that waits longer than this for the tool has failed. */
#define DEADLINE (30 * G_USEC_PER_SEC)

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = tool_folder_new ();
  g_free (tiny_model_write (self->folder, "tiny.onnx", TINY_METADATA));
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  tool_folder_remove (self->folder);
  g_free (self->folder);
}

#define MOVIE                                                                                  \
  "videotestsrc num-buffers=20 pattern=red ! video/x-raw,width=64,height=48,framerate=10/1 ! " \
  "jpegenc ! matroskamux ! filesink"

static void
run_in_shell (Fixture *self, ToolRun *run, const char *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *tool = g_shell_quote (g_getenv ("SIGHTLINE_TOOL"));
  g_autofree char *line = g_strdup_printf ("exec %s %s", tool, arguments);
  const char *argv[] = {"/bin/sh", "-c", line, NULL};
  int status;
  tool_run_clear (run);
  g_spawn_sync (self->folder, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &run->out,
                &run->err, &status, &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  run->status = WEXITSTATUS (status);
}

/* Whoever prints into a full disk, or a closed stream, has not done what was asked for. */
static void
test_standard_output (Fixture *self, gconstpointer data)
{
  static const char *const commands[] = {
      "--help",          "--version",
      "classify --help", "devices",
      "inspect",         "inspect -f json",
      "check .",         "bench --seconds 0 tiny.onnx",
      "classify in.mkv", "heatmap -m tiny.onnx in.mkv -o -",
      "help classify",   "classify -f csv in.mkv",
  };
  g_auto (ToolRun) run = {0};
  if (!g_file_test ("/dev/full", G_FILE_TEST_EXISTS)) {
    g_test_skip ("there is no /dev/full");
    return;
  }
  if (!tool_make_clip (self->folder, "in.mkv", MOVIE))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autofree char *full = g_strconcat (commands[i], " >/dev/full", NULL);
    g_autofree char *closed = g_strconcat (commands[i], " >&-", NULL);
    run_in_shell (self, &run, full);
    tool_assert_error (&run, 1, "standard output: cannot be written: ");
    run_in_shell (self, &run, closed);
    tool_assert_error (&run, 1, "standard output: cannot be written: ");
  }
}

/* A file that is looked at is never replaced by what was seen in it. */
static void
test_input (Fixture *self, gconstpointer data)
{
  static const char *const lines[] = {
      "classify -m tiny.onnx in.mkv -o in.mkv",   "classify -m tiny.onnx . -o ./in.mkv",
      "classify -m tiny.onnx link.mkv -o in.mkv", "annotate -m tiny.onnx in.mkv -o link.mkv",
      "heatmap -m tiny.onnx in.mkv -o in.mkv",    "heatmap -m tiny.onnx in.png -o in.png",
      "heatmap -m tiny.onnx in.png -o .",         "heatmap -m tiny.onnx rows.jsonl -o rows.jsonl",
  };
  g_auto (ToolRun) run = {0};
  g_autofree char *path = tool_path (self->folder, "in.mkv");
  g_autofree char *link = tool_path (self->folder, "link.mkv");
  g_autofree char *before = NULL;
  gsize n;
  if (!tool_make_clip (self->folder, "in.mkv", MOVIE) ||
      !tool_make_clip (self->folder, "in.png",
                       "videotestsrc num-buffers=1 ! video/x-raw,width=64,height=48 ! pngenc ! "
                       "filesink") ||
      !tool_make_clip (self->folder, "rows.jsonl", MOVIE))
    return;
  g_autoptr (GFile) file = g_file_new_for_path (link);
  g_assert_true (g_file_make_symbolic_link (file, "in.mkv", NULL, NULL));
  g_assert_true (g_file_get_contents (path, &before, &n, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    run_in_shell (self, &run, lines[i]);
    g_test_message ("%s", lines[i]);
    tool_assert_error (&run, 1, "input");
  }
  g_autofree char *after = NULL;
  gsize n_after;
  g_assert_true (g_file_get_contents (path, &after, &n_after, NULL));
  g_assert_cmpmem (before, n, after, n_after);
}

/* A time behind the end is not passed over in silence. */
static void
test_nothing_in_time (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  if (!tool_make_clip (self->folder, "in.mkv", MOVIE))
    return;
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "--from=100", "in.mkv", NULL);
  tool_assert_ok (&run);
  g_assert_cmpstr (run.out, ==, "");
  g_assert_nonnull (strstr (run.err, "none in the time asked for"));
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "in.mkv", NULL);
  tool_assert_ok (&run);
  g_assert_null (strstr (run.err, "none in the time"));
}

/* Ctrl-C ends what waits for a server that accepts and says nothing. */
static void
test_silent_server (Fixture *self, gconstpointer data)
{
  static const char *const commands[] = {"classify -m tiny.onnx", "heatmap -m tiny.onnx -o x.png",
                                         "annotate -m tiny.onnx -o x.mkv"};
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *tool = g_shell_quote (g_getenv ("SIGHTLINE_TOOL"));
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autofree char *line = g_strdup_printf ("exec %s %s http://127.0.0.1:%u/x.mp4 2>/dev/null",
                                             tool, commands[i], port);
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    GPid pid;
    int status;
    g_spawn_async (self->folder, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                   &error);
    g_assert_no_error (error);
    /* Once it has come, the tool waits for an answer. */
    g_autoptr (GSocketConnection) connection =
        g_socket_listener_accept (listener, NULL, NULL, &error);
    g_assert_no_error (error);
    kill (pid, SIGINT);
    gint64 end = g_get_monotonic_time () + DEADLINE;
    while (waitpid (pid, &status, WNOHANG) == 0) {
      if (g_get_monotonic_time () > end)
        kill (pid, SIGKILL);
      g_usleep (10000);
    }
    g_test_message ("%s", commands[i]);
    g_assert_true (WIFEXITED (status));
    g_assert_cmpint (WEXITSTATUS (status), ==, 1);
  }
}

/* Two runs into one file: the second one leaves the first alone. */
static void
test_busy (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (ToolRun) run = {0};
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, &error);
  g_assert_no_error (error);
  if (!tool_make_clip (self->folder, "in.mkv", MOVIE))
    return;
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u/x.mp4", port);
  g_autofree char *path = tool_path (self->folder, "all.jsonl");
  const char *argv[] = {g_getenv ("SIGHTLINE_TOOL"),
                        "classify",
                        "-q",
                        "-m",
                        "tiny.onnx",
                        "in.mkv",
                        uri,
                        "-o",
                        path,
                        NULL};
  GPid pid;
  int status;
  g_spawn_async (self->folder, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                 &error);
  g_assert_no_error (error);
  g_autoptr (GSocketConnection) connection =
      g_socket_listener_accept (listener, NULL, NULL, &error);
  g_assert_no_error (error);
  for (int resume = 0; resume < 2; resume++) {
    tool_run (&run, self->folder, "classify", "-q", "-m", "tiny.onnx", "in.mkv", "in.mkv", "-o",
              "all.jsonl", resume ? "--resume" : NULL, NULL);
    tool_assert_error (&run, 1, "all.jsonl: another run is writing it");
  }
  kill (pid, SIGINT);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 1);
  /* What that one had is there. */
  tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "in.mkv", "in.mkv", "-o",
            "all.jsonl", "--resume", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.err, " done before"));
}

#define ADD(name, function) \
  g_test_add ("/tools/outputs/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  ADD ("standard-output", test_standard_output);
  ADD ("input", test_input);
  ADD ("nothing-in-time", test_nothing_in_time);
  ADD ("silent-server", test_silent_server);
  ADD ("busy", test_busy);
  return g_test_run ();
}
