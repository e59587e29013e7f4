/* `sightline evaluate` and `sightline data` on parts that are broken, changed or derived, and on
 * classes in another order: no figure is made of samples that are not what they are called. */
#include "small-set.h"
#include "tool.h"

#include <glib/gstdio.h>

#include <string.h>

static void
train (const char *folder, const char *setting, ToolRun *run)
{
  tool_run (run, folder, "train", "small.recipe", "-o", "out.onnx", "-e4", "-s", setting, NULL);
  tool_assert_ok (run);
}

static void
evaluate (const char *folder, const char *part, ToolRun *run)
{
  tool_run (run, folder, "evaluate", "-m", "out.onnx", "--data", "data", "--split", part, NULL);
}

static void
write_text (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = tool_path (folder, name);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* A test part that cannot be read is not judged by training samples in its place. */
static void
test_damaged (void)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = small_set_new ();
  train (folder, "split.test=0.1", &run);
  write_text (folder, "data/t10k-images-idx3-ubyte", "no pictures");
  evaluate (folder, "test", &run);
  tool_assert_error (&run, 1, "t10k-images-idx3-ubyte");
  tool_run (&run, folder, "data", "data", NULL);
  g_assert_cmpint (run.status, ==, 1);
  g_assert_nonnull (strstr (run.out, "train"));
  g_assert_cmpuint (tool_count_lines (run.err), ==, 1);
  g_assert_nonnull (strstr (run.err, "t10k-images-idx3-ubyte"));

  g_autofree char *labels = tool_path (folder, "data/t10k-labels-idx1-ubyte");
  g_assert_cmpint (g_unlink (labels), ==, 0);
  evaluate (folder, "test", &run);
  tool_assert_error (&run, 1, "lacks t10k-labels-idx1-ubyte");
  tool_folder_remove (folder);
}

/* Parts that the recipe took off are found again, as long as the data are the same. */
static void
test_derived (void)
{
  static const struct {
    const char *part, *count;
  } parts[] = {{"test", "on 52 samples, part test\n"},
               {"val", "on 100 samples, part val\n"},
               {"train", "on 348 samples, part train\n"}};
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = small_set_new ();
  small_set_remove (folder, "t10k");
  train (folder, "split.test=0.1", &run);
  g_assert_nonnull (strstr (run.err, "training: 348 samples"));
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    evaluate (folder, parts[i].part, &run);
    tool_assert_ok (&run);
    g_assert_nonnull (strstr (run.out, parts[i].count));
  }

  small_set_write (folder, "train", SMALL_SET_TRAIN, 3, NULL);
  for (guint i = 0; i < 2; i++) {
    evaluate (folder, parts[i].part, &run);
    tool_assert_error (&run, 1, "are not those that the network was trained on");
  }
  evaluate (folder, "train", &run);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "on 500 samples, part train\n"));
  g_assert_nonnull (strstr (run.err, "all samples of the training part are judged"));
  tool_folder_remove (folder);
}

/* Where the data have a test part, [split] test takes none. */
static void
test_own (void)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = small_set_new (), *recipe = tool_path (folder, "out.training/recipe");
  g_autofree char *text = NULL;
  train (folder, "split.test=0.4", &run);
  g_assert_nonnull (strstr (run.err, "training: 400 samples"));
  g_assert_nonnull (strstr (run.err, "the data have a test part of their own"));
  g_assert_true (g_file_get_contents (recipe, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "\ntest=0\n"));
  evaluate (folder, "val", &run);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "on 100 samples, part val\n"));
  tool_folder_remove (folder);
}

/* The line of figures below the first. */
static char *
get_figures (const ToolRun *run)
{
  g_auto (GStrv) lines = g_strsplit (run->out, "\n", 3);
  return g_strdup (lines[1]);
}

/* Classes are what they are called, not where they stand. */
static void
test_names (void)
{
  static const guint8 turned[SMALL_SET_CLASSES] = {3, 0, 1, 2};
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = small_set_new ();
  write_text (folder, "data/labels.txt", "north\neast\nsouth\nwest\n");
  train (folder, "data.limit=300", &run);
  g_assert_nonnull (strstr (run.err, "training: 300 samples of 4 classes, 75 to 75 each"));
  evaluate (folder, "test", &run);
  tool_assert_ok (&run);
  g_autofree char *wanted = get_figures (&run);

  write_text (folder, "data/labels.txt", "east\nsouth\nwest\nnorth\n");
  small_set_write (folder, "t10k", SMALL_SET_TEST, 2, turned);
  evaluate (folder, "test", &run);
  tool_assert_ok (&run);
  g_autofree char *got = get_figures (&run);
  g_assert_cmpstr (got, ==, wanted);

  write_text (folder, "data/labels.txt", "east\nsouth\nup\nnorth\n");
  evaluate (folder, "test", &run);
  tool_assert_error (&run, 1, "the data's class 2, 'up', is none of the network's");
  tool_folder_remove (folder);
}

/* A network that is prepared for otherwise than when it was trained is not judged. */
static void
test_golden (void)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = small_set_new ();
  train (folder, "data.limit=0", &run);
  write_text (folder, "out.onnx.ini", "[sightline]\nrange=-1..1\n");
  evaluate (folder, "test", &run);
  tool_assert_error (&run, 1, "out.onnx: does not say to its golden input what it said");
  write_text (folder, "out.onnx.ini", "[sightline]\nresize=crop\n");
  evaluate (folder, "test", &run);
  tool_assert_ok (&run);
  tool_folder_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/evaluate/damaged", test_damaged);
  g_test_add_func ("/tools/evaluate/derived", test_derived);
  g_test_add_func ("/tools/evaluate/own", test_own);
  g_test_add_func ("/tools/evaluate/names", test_names);
  g_test_add_func ("/tools/evaluate/golden", test_golden);
  return g_test_run ();
}
