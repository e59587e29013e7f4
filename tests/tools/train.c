/* `sightline train` and `sightline evaluate` on a data set made here: stopped, killed, resumed,
 * with no room on the disk. */
#include "small-set.h"
#include "tool.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The last by name of a run's files that begin so; NULL if there is none. */
static char *
find_newest (const char *run, const char *prefix)
{
  g_autoptr (GDir) dir = g_dir_open (run, 0, NULL);
  char *newest = NULL;
  for (const char *name; dir && (name = g_dir_read_name (dir));)
    if (g_str_has_prefix (name, prefix) && g_strcmp0 (name, newest) > 0) {
      g_free (newest);
      newest = g_strdup (name);
    }
  return newest;
}

/* The best epoch's parameters: no times are in that file, so the same run has the same bytes. */
static char *
hash_best (const char *run)
{
  g_autofree char *newest = find_newest (run, "best-"), *content = NULL;
  gsize length;
  g_assert_nonnull (newest);
  g_autofree char *path = tool_path (run, newest);
  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *)content, length);
}

/* --- tests --- */

static guint
count_epochs (const char *text)
{
  guint n = 0;
  for (const char *at = text; (at = strstr (at, "epoch ")); at++)
    n += strstr (at, "images/s") != NULL && (at == text || at[-1] == '\n');
  return n;
}

static double
get_number (JsonObject *object, const char *name)
{
  g_assert_true (json_object_has_member (object, name));
  return json_object_get_double_member (object, name);
}

static void
test_whole (void)
{
  g_autofree char *folder = small_set_new ();
  g_auto (ToolRun) train = {0};
  tool_run (&train, folder, "train", "small.recipe", "-o", "out.onnx", NULL);
  tool_assert_ok (&train);
  g_assert_cmpstr (train.out, ==, "");
  g_assert_cmpuint (count_epochs (train.err), ==, 8);
  g_assert_nonnull (strstr (train.err, "training: 400 samples of 4 classes"));
  g_assert_nonnull (strstr (train.err, "validation: 100 samples"));
  g_assert_nonnull (strstr (train.err, "best so far"));
  const char *const files[] = {"out.onnx", "out.training/history.jsonl", "out.training/curves.svg",
                               "out.training/curves.png", "out.training/recipe"};
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    g_assert_true (small_set_has (folder, files[i]));

  g_auto (ToolRun) text = {0};
  tool_run (&text, folder, "evaluate", "-m", "out.onnx", "--data", "data", "--confusion", "c.svg",
            "--samples", "g.png", NULL);
  tool_assert_ok (&text);
  g_assert_true (g_str_has_prefix (text.out, "out.onnx on 100 samples, part test\ntop-1 "));
  g_assert_true (small_set_has (folder, "c.svg") && small_set_has (folder, "g.png"));

  g_auto (ToolRun) json = {0};
  tool_run (&json, folder, "evaluate", "-m", "out.onnx", "--data", "data", "-f", "json",
            "--fit-temperature", NULL);
  tool_assert_ok (&json);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_assert_true (json_parser_load_from_data (parser, json.out, -1, NULL));
  JsonObject *object = json_node_get_object (json_parser_get_root (parser));
  g_assert_cmpfloat (get_number (object, "top1"), >, 0.9);
  g_assert_cmpint (json_object_get_int_member (object, "samples"), ==, 100);
  JsonObject *calibration = json_object_get_object_member (object, "calibration");
  g_assert_cmpint (json_object_get_int_member (calibration, "fitted_on"), ==, 100);
  g_assert_cmpfloat (get_number (calibration, "temperature"), >, 0);
  JsonArray *confusion = json_object_get_array_member (object, "confusion");
  gint64 sum = 0;
  for (guint i = 0; i < SMALL_SET_CLASSES; i++)
    for (guint j = 0; j < SMALL_SET_CLASSES; j++)
      sum += json_array_get_int_element (json_array_get_array_element (confusion, i), j);
  g_assert_cmpint (sum, ==, 100);

  /* The validation samples of the recipe can be found again: what the run said of them holds. */
  g_auto (ToolRun) validation = {0};
  tool_run (&validation, folder, "evaluate", "-m", "out.onnx", "--data", "data", "--split", "val",
            NULL);
  tool_assert_ok (&validation);
  g_assert_nonnull (strstr (validation.out, "on 100 samples, part val\n"));
  tool_folder_remove (folder);
}

static void
test_options (void)
{
  g_autofree char *folder = small_set_new ();
  g_auto (ToolRun) train = {0};
  tool_run (&train, folder, "train", "--network", "small.net", "--data", "data", "-e2", "-b", "50",
            "--rate", "0.01", "--optimizer", "sgd", "-s", "optimizer.momentum=0.9", "--seed", "7",
            "--validation", "0.1", "-o", "out.onnx", "--folder", "run", NULL);
  tool_assert_ok (&train);
  g_assert_cmpuint (count_epochs (train.err), ==, 2);
  g_assert_true (small_set_has (folder, "run/history.jsonl"));
  g_autofree char *path = tool_path (folder, "run/recipe"), *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  const char *const lines[] = {"name=sgd\n", "rate=0.01\n", "momentum=0.9\n",
                               "seed=7\n",   "batch=50\n",  "net=small.net\n"};
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    g_assert_nonnull (strstr (text, lines[i]));

  g_auto (ToolRun) check = {0};
  tool_run (&check, folder, "train", "small.recipe", "-o", "none.onnx", "--check", NULL);
  tool_assert_ok (&check);
  g_assert_nonnull (strstr (check.err, "parameters learn"));
  g_assert_false (small_set_has (folder, "none.onnx"));

  g_auto (ToolRun) large = {0};
  g_setenv ("SIGHTLINE_LIMITS", "memory=6K", TRUE);
  tool_run (&large, folder, "train", "small.recipe", "-o", "none.onnx", "--check", NULL);
  g_unsetenv ("SIGHTLINE_LIMITS");
  g_assert_cmpint (large.status, ==, 1);
  g_assert_nonnull (strstr (large.err, "the limit is 6.0 KiB (\"memory\" in SIGHTLINE_LIMITS)"));

  /* All keys, as a recipe that lacks only what no default can say. */
  g_auto (ToolRun) keys = {0};
  tool_run (&keys, folder, "train", "--keys", NULL);
  tool_assert_ok (&keys);
  g_autofree char *all = tool_path (folder, "all.recipe");
  g_assert_true (g_file_set_contents (all, keys.out, -1, NULL));
  g_auto (ToolRun) again = {0};
  tool_run (&again, folder, "train", "all.recipe", "-o", "x.onnx", NULL);
  g_assert_cmpint (again.status, ==, 1);
  g_assert_cmpuint (tool_count_lines (again.err), ==, 1);
  tool_folder_remove (folder);
}

/* A network of vectors that restores its input: errors instead of classes, and a grid. */
static void
test_autoencoder (void)
{
  static const char text[] = "[network]\nnet=auto.net\n[data]\npath=data\ntarget=input\n"
                             "[loss]\nname=mse\n[augment]\nmask=0.3\n"
                             "[train]\nepochs=4\nbatch=20\n";
  g_autofree char *folder = small_set_new ();
  g_autofree char *net = tool_path (folder, "auto.net");
  g_autofree char *recipe = tool_path (folder, "auto.recipe");
  g_assert_true (g_file_set_contents (net, "Input 64\nDense 16 relu\nDense 64\n", -1, NULL));
  g_assert_true (g_file_set_contents (recipe, text, -1, NULL));
  g_auto (ToolRun) train = {0}, json = {0}, plain = {0}, validation = {0};
  tool_run (&train, folder, "train", "auto.recipe", "-o", "auto.onnx", NULL);
  tool_assert_ok (&train);
  g_assert_null (strstr (train.err, "accuracy"));

  tool_run (&json, folder, "evaluate", "-m", "auto.onnx", "--data", "data", "-f", "json",
            "--samples", "grid.png", NULL);
  tool_assert_ok (&json);
  g_assert_cmpstr (json.err, ==, "");
  g_assert_true (small_set_has (folder, "grid.png"));
  g_autoptr (JsonNode) root = json_from_string (json.out, NULL);
  JsonObject *object = json_node_get_object (root);
  g_assert_cmpint (json_object_get_int_member (object, "samples"), ==, 100);
  g_assert_cmpfloat (get_number (object, "mse"), >, 0);
  g_assert_cmpfloat (get_number (object, "mae"), >=, get_number (object, "mse")); /* all within 1 */
  g_assert_cmpfloat (get_number (object, "masked_mse"), !=, get_number (object, "mse"));
  g_assert_cmpfloat (get_number (object, "mask"), ==, 0.3);

  tool_run (&plain, folder, "evaluate", "-m", "auto.onnx", "--data", "data", NULL);
  tool_assert_ok (&plain);
  g_assert_nonnull (strstr (plain.out, "\nmse 0."));
  g_assert_nonnull (strstr (plain.out, "with 30 % of the input set to 0"));

  /* The figure is the run's own: the validation loss of the epoch that was kept. */
  tool_run (&validation, folder, "evaluate", "-m", "auto.onnx", "--data", "data", "--split", "val",
            "-f", "json", NULL);
  tool_assert_ok (&validation);
  g_autoptr (JsonNode) again = json_from_string (validation.out, NULL);
  g_autofree char *wanted =
      g_strdup_printf ("val-loss %.4f", get_number (json_node_get_object (again), "mse"));
  g_assert_nonnull (strstr (train.err, wanted));
  tool_folder_remove (folder);
}

static void
assert_fails (const char *folder, int status, const char *text, const char *const *arguments)
{
  g_auto (ToolRun) failed = {0};
  tool_run (&failed, folder, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
            arguments[5], arguments[6], NULL);
  tool_assert_error (&failed, status, text);
}
#define ASSERT_FAILS(status, text, ...) \
  assert_fails (folder, status, text, (const char *const[8]){__VA_ARGS__})

static void
test_errors (void)
{
  g_autofree char *folder = small_set_new ();
  g_autofree char *bad = tool_path (folder, "bad.recipe");
  g_assert_true (g_file_set_contents (bad, "[trian]\nepochs=1\n", -1, NULL));
  ASSERT_FAILS (2, "no recipe and no --network", "train", "-o", "x.onnx");
  ASSERT_FAILS (2, "no -o MODEL", "train", "small.recipe");
  ASSERT_FAILS (2, "epochs is 'many'", "train", "small.recipe", "-o", "x.onnx", "-e", "many");
  ASSERT_FAILS (2, "expected GROUP.KEY=VALUE", "train", "small.recipe", "-o", "x.onnx", "-s",
                "rate");
  ASSERT_FAILS (1, "bad.recipe: [trian] is no group of a recipe (expected its nearest name, train)",
                "train", "bad.recipe", "-o", "x.onnx");
  ASSERT_FAILS (1, "nothing: is not there (expected the samples", "train", "small.recipe", "-o",
                "x.onnx", "--data", "nothing");
  ASSERT_FAILS (1, "none.net", "train", "small.recipe", "-o", "x.onnx", "--network", "none.net");
  ASSERT_FAILS (2, "no --data", "evaluate", "-m", "x.onnx");
  ASSERT_FAILS (2, "no -m MODEL", "evaluate", "--data", "data");
  ASSERT_FAILS (2, "--split is 'exam'", "evaluate", "-mx.onnx", "--data", "data", "--split",
                "exam");
  g_assert_false (small_set_has (folder, "x.onnx"));
  tool_folder_remove (folder);
}

/* --- ends that nobody wished for --- */

static void
limit_files (void *data)
{
  const struct rlimit limit = {GPOINTER_TO_UINT (data), GPOINTER_TO_UINT (data)};
  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &limit);
}

/* A run of its own; `room`: bytes that a file may have, 0: any. */
static GSubprocess *
start (const char *folder, const char *output, guint room)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_set_cwd (launcher, folder);
  if (room > 0)
    g_subprocess_launcher_set_child_setup (launcher, limit_files, GUINT_TO_POINTER (room), NULL);
  GSubprocess *process =
      g_subprocess_launcher_spawn (launcher, &error, g_getenv ("SIGHTLINE_TOOL"), "train",
                                   "small.recipe", "-o", output, "--resume", NULL);
  g_assert_no_error (error);
  return process;
}

static int
finish (GSubprocess *process, char **ret_err)
{
  g_autoptr (GError) error = NULL;
  g_subprocess_communicate_utf8 (process, NULL, NULL, NULL, ret_err, &error);
  g_assert_no_error (error);
  return g_subprocess_get_if_exited (process) ? g_subprocess_get_exit_status (process) : -1;
}

/* Waits until the run has said something of its first epoch. */
static void
wait_for (const char *folder, const char *name)
{
  for (guint i = 0; !small_set_has (folder, name); i++) {
    g_assert_cmpuint (i, <, 60000);
    g_usleep (1000);
  }
}

static void
check_interrupt (int number)
{
  g_autofree char *folder = small_set_new (), *err = NULL;
  g_auto (ToolRun) whole = {0}, rest = {0};
  tool_run (&whole, folder, "train", "small.recipe", "-o", "whole.onnx", NULL);
  tool_assert_ok (&whole);

  g_autoptr (GSubprocess) process = start (folder, "part.onnx", 0);
  wait_for (folder, "part.training/curves.svg");
  g_subprocess_send_signal (process, number);
  int status = finish (process, &err);
  if (status == 0) { /* it was faster than the signal */
    g_test_skip ("the run was over before it was interrupted");
  } else {
    g_assert_cmpint (status, ==, 1);
    g_assert_nonnull (strstr (err, "sightline: part.onnx: not written: stopped in epoch "));
    g_assert_false (small_set_has (folder, "part.onnx"));
    tool_run (&rest, folder, "train", "small.recipe", "-o", "part.onnx", "--resume", NULL);
    tool_assert_ok (&rest);
    g_assert_nonnull (strstr (rest.err, ": going on after step "));
    g_autofree char *a = tool_path (folder, "whole.training");
    g_autofree char *b = tool_path (folder, "part.training");
    g_autofree char *hash_a = hash_best (a), *hash_b = hash_best (b);
    g_assert_cmpstr (hash_a, ==, hash_b);
  }
  tool_folder_remove (folder);
}

static void
test_interrupt (void)
{
  check_interrupt (SIGINT);
}

static void
test_terminate (void)
{
  check_interrupt (SIGTERM);
}

/* Waits for a checkpoint of this process's own. FALSE: it is at its end. */
static gboolean
wait_for_progress (GSubprocess *process, const char *run, const char *before)
{
  for (guint i = 0; g_subprocess_get_identifier (process); i++) {
    g_autofree char *newest = find_newest (run, "checkpoint-");
    if (g_strcmp0 (newest, before) != 0)
      return TRUE;
    g_assert_cmpuint (i, <, 60000);
    g_usleep (1000);
  }
  return FALSE;
}

/* Killed again and again, at random moments after it has come further, and each time resumed: it
 * comes to the same end. */
static void
test_kill (void)
{
  g_autofree char *folder = small_set_new (), *run = tool_path (folder, "part.training");
  g_autofree char *path = tool_path (folder, "small.recipe"), *err = NULL;
  g_auto (ToolRun) whole = {0};
  g_autoptr (GString) recipe = g_string_new (small_set_recipe);
  g_assert_cmpuint (g_string_replace (recipe, "epochs=8", "epochs=40", 1), ==, 1);
  g_assert_true (g_file_set_contents (path, recipe->str, -1, NULL));
  tool_run (&whole, folder, "train", "small.recipe", "-o", "whole.onnx", NULL);
  tool_assert_ok (&whole);
  guint n_killed = 0;
  for (guint i = 0; i < 20; i++) {
    g_autofree char *said = NULL, *before = find_newest (run, "checkpoint-");
    g_autoptr (GSubprocess) process = start (folder, "part.onnx", 0);
    const gboolean further = wait_for_progress (process, run, before);
    g_usleep ((gulong)g_test_rand_int_range (0, 10000));
    g_subprocess_force_exit (process);
    int status = finish (process, &said);
    n_killed += further && status < 0;
    g_assert_true (status < 0 || status == 0);
    g_assert_null (strstr (said, "sightline: "));
  }
  g_test_message ("%u of 20 were killed after a checkpoint of their own", n_killed);
  g_assert_cmpuint (n_killed, >, 0);
  g_autoptr (GSubprocess) process = start (folder, "part.onnx", 0);
  g_assert_cmpint (finish (process, &err), ==, 0);
  g_autofree char *a = tool_path (folder, "whole.training");
  g_autofree char *hash_a = hash_best (a), *hash_b = hash_best (run);
  g_assert_cmpstr (hash_a, ==, hash_b);
  tool_folder_remove (folder);
}

/* No room for a checkpoint: the run ends with one line, and with room it goes on. */
static void
test_full (void)
{
  g_autofree char *folder = small_set_new ();
  for (guint room = 1000; room <= 9000; room += 4000) {
    g_autofree char *err = NULL;
    g_autoptr (GSubprocess) process = start (folder, "out.onnx", room);
    g_assert_cmpint (finish (process, &err), ==, 1);
    g_assert_nonnull (strstr (err, "\nsightline: "));
    g_assert_false (small_set_has (folder, "out.onnx"));
  }
  g_auto (ToolRun) rest = {0};
  tool_run (&rest, folder, "train", "small.recipe", "-o", "out.onnx", "--resume", NULL);
  tool_assert_ok (&rest);
  tool_folder_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/train/whole", test_whole);
  g_test_add_func ("/tools/train/options", test_options);
  g_test_add_func ("/tools/train/autoencoder", test_autoencoder);
  g_test_add_func ("/tools/train/errors", test_errors);
  g_test_add_func ("/tools/train/interrupt", test_interrupt);
  g_test_add_func ("/tools/train/terminate", test_terminate);
  g_test_add_func ("/tools/train/kill", test_kill);
  g_test_add_func ("/tools/train/full", test_full);
  return g_test_run ();
}
