/* `sightline data`: what it says of a set, and the sheet. */
#include "tool.h"

#include <gst/gst.h>
#include <json-glib/json-glib.h>
#include <string.h>

/* Three pictures of two classes, and one that is none. */
static gboolean
make_set (const char *folder)
{
  static const char *const files[][2] = {
      {"a/1.jpg", "red"}, {"a/2.jpg", "blue"}, {"b/1.jpg", "green"}};
  g_autofree char *a = tool_path (folder, "a"), *b = tool_path (folder, "b");
  g_assert_cmpint (g_mkdir_with_parents (a, 0755) | g_mkdir_with_parents (b, 0755), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *line = g_strdup_printf (
        "videotestsrc num-buffers=1 pattern=%s ! video/x-raw,width=24,height=16 ! jpegenc ! "
        "filesink",
        files[i][1]);
    if (!tool_make_clip (folder, files[i][0], line))
      return FALSE;
  }
  g_autofree char *broken = tool_path (folder, "b/broken.jpg");
  g_autofree char *notes = tool_path (folder, "b/notes.txt");
  return g_file_set_contents (broken, "x", 1, NULL) && g_file_set_contents (notes, "x", 1, NULL);
}

static void
test_text (void)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = tool_folder_new ();
  if (make_set (folder)) {
    tool_run (&run, folder, "data", ".", NULL);
    tool_assert_ok (&run);
    g_assert_nonnull (strstr (run.out, "66.7 %"));
    g_assert_nonnull (strstr (run.out, "pictures 24 x 16"));
    g_assert_nonnull (strstr (run.out, "1 other files passed over"));
    g_assert_nonnull (strstr (run.out, "broken.jpg: cannot be decoded"));
  }
  tool_folder_remove (folder);
}

static void
test_json (void)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = tool_folder_new ();
  if (make_set (folder)) {
    tool_run (&run, folder, "data", "-f", "json", ".", NULL);
    tool_assert_ok (&run);
    g_autoptr (JsonNode) root = json_from_string (run.out, NULL);
    JsonObject *part = json_array_get_object_element (json_node_get_array (root), 0);
    JsonObject *class_b =
        json_array_get_object_element (json_object_get_array_member (part, "classes"), 1);
    g_assert_cmpstr (json_object_get_string_member (part, "part"), ==, "train");
    g_assert_cmpint (json_object_get_int_member (part, "samples"), ==, 3);
    g_assert_cmpstr (json_object_get_string_member (class_b, "name"), ==, "b");
    g_assert_cmpint (json_object_get_int_member (class_b, "samples"), ==, 1);
    g_assert_cmpint (json_object_get_int_member (class_b, "unreadable"), ==, 1);
  }
  tool_folder_remove (folder);
}

/* A row for each sample, a column for each copy; another seed, another sheet. */
static void
test_sheet (void)
{
  g_autofree char *folder = tool_folder_new ();
  if (make_set (folder)) {
    char *sums[3] = {NULL};
    static const char *const seeds[] = {"1", "1", "2"};
    for (int i = 0; i < 3; i++) {
      gsize length;
      g_auto (ToolRun) run = {0};
      g_autofree char *content = NULL, *sheet = tool_path (folder, "sheet.png");
      tool_run (&run, folder, "data", ".", "-o", "sheet.png", "--copies", "3", "--seed", seeds[i],
                "--set", "rotate=40", NULL);
      g_assert_cmpint (run.status, ==, 0);
      g_assert_true (g_file_get_contents (sheet, &content, &length, NULL));
      /* labels, and 4 cells of 6 times 16 pixels with gaps; a head line, and 3 such rows */
      g_assert_cmpmem (content, 8, "\x89PNG\r\n\x1a\n", 8);
      g_assert_cmpuint (GST_READ_UINT32_BE (content + 16), ==, 150 + 4 * 100);
      g_assert_cmpuint (GST_READ_UINT32_BE (content + 20), ==, 20 + 3 * 100);
      sums[i] = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *)content, length);
    }
    g_assert_cmpstr (sums[0], ==, sums[1]);
    g_assert_cmpstr (sums[0], !=, sums[2]);
    for (int i = 0; i < 3; i++)
      g_free (sums[i]);
  }
  tool_folder_remove (folder);
}

static void
test_errors (void)
{
  g_autofree char *folder = tool_folder_new ();
  g_auto (ToolRun) run = {0};
  tool_run (&run, folder, "data", NULL);
  tool_assert_error (&run, 2, "expected one");
  tool_run_clear (&run);
  tool_run (&run, folder, "data", "-f", "xml", ".", NULL);
  tool_assert_error (&run, 2, "xml");
  tool_run_clear (&run);
  tool_run (&run, folder, "data", ".", NULL);
  tool_assert_error (&run, 1, "holds no pictures");
  tool_run_clear (&run);
  tool_run (&run, folder, "data", "missing.tar", NULL);
  tool_assert_error (&run, 1, "missing.tar");
  tool_folder_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/tools/dataset/text", test_text);
  g_test_add_func ("/tools/dataset/json", test_json);
  g_test_add_func ("/tools/dataset/sheet", test_sheet);
  g_test_add_func ("/tools/dataset/errors", test_errors);
  return g_test_run ();
}
