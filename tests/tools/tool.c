#include "tool.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

/* Far above what any run here takes. */
#define CLIP_TIMEOUT (60 * GST_SECOND)

/* What the tool says of a machine whose Vulkan does not work is no matter of other tests. */
static void
take_notes (ToolRun *run)
{
  static const char note[] = "the network runs on the CPU: ";
  GString *rest = g_string_new (NULL);

  run->n_notes = 0;
  for (const char *line = run->err; *line;) {
    const char *end = strchr (line, '\n');
    const char *next = end ? end + 1 : line + strlen (line);

    if (g_str_has_prefix (line, note))
      run->n_notes++;
    else
      g_string_append_len (rest, line, next - line);
    line = next;
  }
  g_free (run->err);
  run->err = g_string_free (rest, FALSE);
}

void
tool_run (ToolRun *run, const char *folder, ...)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  const char *argument;
  int status;
  va_list args;

  g_ptr_array_add (argv, (char *)g_getenv ("SIGHTLINE_TOOL"));
  g_assert_nonnull (g_ptr_array_index (argv, 0));
  va_start (args, folder);
  while ((argument = va_arg (args, const char *)))
    g_ptr_array_add (argv, (char *)argument);
  va_end (args);
  g_ptr_array_add (argv, NULL);
  tool_run_clear (run);
  g_spawn_sync (folder, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &run->out,
                &run->err, &status, &error);
  g_assert_no_error (error);
  take_notes (run);
  run->status = -1;
  if (g_spawn_check_wait_status (status, &error))
    run->status = 0;
  else if (error->domain == G_SPAWN_EXIT_ERROR)
    run->status = error->code;
  if (run->status < 0)
    g_test_message ("%s: %s", error->message, run->err);
}

void
tool_run_clear (ToolRun *run)
{
  g_clear_pointer (&run->out, g_free);
  g_clear_pointer (&run->err, g_free);
}

guint
tool_count_lines (const char *text)
{
  guint n = 0;
  for (; *text; text++)
    n += *text == '\n';
  return n;
}

void
tool_assert_error (const ToolRun *run, int status, const char *text)
{
  g_test_message ("%s", run->err);
  g_assert_cmpint (run->status, ==, status);
  g_assert_cmpstr (run->out, ==, "");
  g_assert_true (g_str_has_prefix (run->err, "sightline: "));
  g_assert_cmpuint (tool_count_lines (run->err), ==, 1);
  g_assert_nonnull (strstr (run->err, text));
}

void
tool_assert_ok (const ToolRun *run)
{
  if (run->status != 0)
    g_test_message ("%s", run->err);
  g_assert_cmpint (run->status, ==, 0);
}

char *
tool_folder_new (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("sightline-test-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

void
tool_folder_remove (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  for (const char *name = dir ? g_dir_read_name (dir) : NULL; name; name = g_dir_read_name (dir)) {
    g_autofree char *path = tool_path (folder, name);
    if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
      tool_folder_remove (path);
    else
      g_unlink (path);
  }
  g_rmdir (folder);
}

char *
tool_path (const char *folder, const char *name)
{
  return g_build_filename (folder, name, NULL);
}

gboolean
tool_make_clip (const char *folder, const char *name, const char *launch)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = tool_path (folder, name);
  g_autofree char *line = g_strconcat (launch, " name=out", NULL);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (g_error_matches (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT)) {
    g_test_skip (error->message);
    return FALSE;
  }
  g_assert_no_error (error);
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  g_object_set (out, "location", path, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, CLIP_TIMEOUT, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return TRUE;
}

void
tool_cut (const char *path, double part)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = NULL;
  gsize size;
  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  g_file_set_contents (path, data, (gssize)((double)size * part), &error);
  g_assert_no_error (error);
}

const char *
tool_data (void)
{
  const char *data = g_getenv ("SIGHTLINE_DATA");
  if (data && g_file_test (data, G_FILE_TEST_IS_DIR))
    return data;
  g_test_skip ("no real data (expected in the folder that SIGHTLINE_DATA names)");
  return NULL;
}
