/* Runs every launch line that users are shown: in gst-inspect-1.0's pages, in the comments of the
 * elements (files named by arguments), as printed. */
#include "fixture.h"

/* Runs `line` by a shell in the folder that has the model. */
static void
run_line (gconstpointer data)
{
  const gchar *line = data;
  const gchar *argv[] = {"/bin/sh", "-c", line, NULL};
  g_autofree gchar *output = NULL, *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status;

#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("gst-launch-1.0 is not built with the sanitizer, as the plugin is");
  return;
#endif
  g_test_message ("%s", line);
  g_assert_true (g_spawn_sync (fixture_folder, (gchar **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                               &output, &errors, &status, &error));
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s: %s%s", line, errors, output);
  g_assert_nonnull (strstr (output, "EOS"));
  if (strstr (line, " -m "))
    g_assert_nonnull (strstr (output, "slclassify, timestamp="));
}

/* Collects the launch lines of a text, each with its continuations. */
static void
collect (const gchar *text, const gchar *name)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = 0;

  for (gchar **line = lines; *line; line++) {
    g_autoptr (GString) command = NULL;
    const gchar *part = *line + strspn (*line, " *");

    if (!g_str_has_prefix (part, "gst-launch-1.0 "))
      continue;
    command = g_string_new (part);
    while (g_str_has_suffix (command->str, "\\") && line[1]) {
      line++;
      g_string_truncate (command, command->len - 1);
      g_string_append (command, *line + strspn (*line, " *"));
    }
    {
      g_autofree gchar *path = g_strdup_printf ("/launch-lines/%s/%u", name, ++n);

      g_test_add_data_func_full (path, g_strdup (command->str), run_line, g_free);
    }
  }
  g_assert_cmpuint (n, >, 0); /* a page without one is not complete */
}

/* A clip for lines that play one. */
static void
write_clip (void)
{
  g_autofree gchar *line =
      g_strdup_printf ("videotestsrc num-buffers=10 ! video/x-raw,width=64,height=48 ! jpegenc "
                       "! matroskamux ! filesink location=\"%s/clip.mkv\"",
                       fixture_folder);
  g_autoptr (GstElement) writer = gst_parse_launch (line, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (writer);

  gst_element_set_state (writer, GST_STATE_PLAYING);
  gst_message_unref (gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS));
  gst_element_set_state (writer, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  static const gchar *elements[] = {"slclassify", "sloverlay", "slresults", "slsrc", "sltestsrc"};

  fixture_init (&argc, &argv);
  /* For autovideosink, on machines without a display. */
  g_setenv ("GST_PLUGIN_FEATURE_RANK", "fakevideosink:MAX", TRUE);
  g_free (tiny_model_write (fixture_folder, "scenes.onnx", TINY_METADATA));
  write_clip ();
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (elements[i]);

    g_assert_nonnull (factory);
    collect (gst_element_factory_get_metadata (factory, "example"), elements[i]);
  }
  for (int i = 1; i < argc; i++) {
    g_autofree gchar *text = NULL, *name = g_path_get_basename (argv[i]);

    g_assert_true (g_file_get_contents (argv[i], &text, NULL, NULL));
    collect (text, name);
  }
  return fixture_run ();
}
