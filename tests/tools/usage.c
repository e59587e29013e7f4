/* What `sightline` says about itself, and to those who call it wrongly. */
#include "tool.h"

#include <json-glib/json-glib.h>
#include <string.h>

static void
test_help (void)
{
  static const char *const commands[] = {"annotate", "bench",   "check",   "classify",
                                         "data",     "devices", "heatmap", "inspect"};
  g_auto (ToolRun) run = {0};
  tool_run (&run, NULL, "--help", NULL);
  tool_assert_ok (&run);
  g_assert_cmpstr (run.err, ==, "");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_assert_nonnull (strstr (run.out, commands[i]));

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    tool_run (&run, NULL, commands[i], "--help", NULL);
    tool_assert_ok (&run);
    g_assert_nonnull (strstr (run.out, "Usage:"));
    g_assert_nonnull (strstr (run.out, commands[i]));
    g_assert_nonnull (strstr (run.out, "Example"));
    g_autofree char *expected = g_steal_pointer (&run.out);
    tool_run (&run, NULL, "help", commands[i], NULL);
    g_assert_cmpstr (run.out, ==, expected);
  }
}

static void
test_version (void)
{
  g_auto (ToolRun) run = {0};
  tool_run (&run, NULL, "--version", NULL);
  tool_assert_ok (&run);
  g_assert_true (g_str_has_prefix (run.out, "sightline "));
  g_assert_true (g_ascii_isdigit (run.out[strlen ("sightline ")]));
}

static void
test_no_command (void)
{
  g_auto (ToolRun) run = {0};
  tool_run (&run, NULL, NULL);
  g_assert_cmpint (run.status, ==, 2);
  g_assert_cmpstr (run.out, ==, "");
  g_assert_nonnull (strstr (run.err, "Usage:"));
  tool_run (&run, NULL, "frobnicate", NULL);
  tool_assert_error (&run, 2, "frobnicate");
}

/* Each is refused with one line that names the culprit, before any file is looked at. */
static void
test_wrong_usage (void)
{
  static const struct {
    const char *arguments[6], *culprit;
  } cases[] = {
      {{"classify"}, "no input"},
      {{"classify", "--frobnicate", "x"}, "--frobnicate"},
      {{"classify", "-f", "xml", "x"}, "xml"},
      {{"classify", "-f", "vtt", "x", "y"}, "-o FOLDER"},
      {{"classify", "--jobs", "0", "x"}, "--jobs 0"},
      {{"classify", "-j", "many", "x"}, "many"},
      {{"classify", "--resume", "x"}, "--resume"},
      {{"classify", "--resume", "-o", "-", "x"}, "--resume"},
      {{"classify", "camera:0", "x"}, "cameras"},
      {{"classify", "rtsp://x/", "--resume", "-o", "y"}, "--resume"},
      {{"classify", "-k", "0", "x"}, "--top 0"},
      {{"classify", "-k", "many", "x"}, "many"},
      {{"classify", "-k0", "x"}, "--top 0"},
      {{"classify", "-fxml", "x"}, "xml"},
      {{"classify", "--threshold", "high", "x"}, "high"},
      {{"classify", "--every", "0", "x"}, "--every 0"},
      {{"classify", "--rate", "-1", "x"}, "--rate"},
      {{"classify", "--every=2", "--rate=3", "x"}, "exclude"},
      {{"classify", "--from", "soon", "x"}, "soon"},
      {{"classify", "--from", "1:99", "x"}, "1:99"},
      {{"classify", "--from=10", "--to=5", "x"}, "--to 5"},
      {{"classify", "--threads", "-2", "x"}, "--threads"},
      {{"annotate", "-o", "y.mkv"}, "no input"},
      {{"annotate", "x"}, "-o is missing"},
      {{"annotate", "x", "-o", "y.txt"}, "y.txt"},
      {{"annotate", "x", "y", "-o", "z.mkv"}, "more than one"},
      {{"annotate", "x", "-o", "y.mkv", "--to=later"}, "later"},
      {{"check"}, "no case"},
      {{"check", "--rtol=-1", "x"}, "tolerances"},
      {{"heatmap", "-o", "y.png"}, "no input"},
      {{"heatmap", "x"}, "-o is missing"},
      {{"heatmap", "x", "-o", "y.bmp"}, "y.bmp"},
      {{"heatmap", "x", "y", "-o", "z.mkv"}, "more than one input"},
      {{"heatmap", "--method=magic", "x", "-oy.png"}, "magic"},
      {{"heatmap", "--colormap=plaid", "x", "-oy.png"}, "plaid"},
      {{"heatmap", "--style=loud", "x", "-oy.png"}, "loud"},
      {{"heatmap", "--opacity=1.5", "x", "-oy.png"}, "--opacity 1.5"},
      {{"heatmap", "--threshold=-1", "x", "-oy.png"}, "--threshold -1"},
      {{"inspect", "a", "b"}, "more than one"},
      {{"inspect", "-f", "csv", "a"}, "csv"},
      {{"bench", "a", "b"}, "more than one"},
      {{"bench", "-f", "csv", "a"}, "csv"},
      {{"bench", "--batch", "-1", "a"}, "batch"},
      {{"bench", "--optimizer", "adam", "a"}, "--train"},
      {{"bench", "--train", "--unoptimized", "a"}, "--unoptimized"},
      {{"bench", "--train", "--optimizer=magic", "a"}, "magic"},
      {{"bench", "--train", "--set=loss", "a"}, "GROUP.KEY=VALUE"},
      {{"devices", "cpu"}, "cpu"},
      {{"devices", "-f", "yaml"}, "yaml"},
  };
  g_auto (ToolRun) run = {0};
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const char *const *a = cases[i].arguments;
    tool_run (&run, NULL, a[0], a[1], a[2], a[3], a[4], NULL);
    tool_assert_error (&run, 2, cases[i].culprit);
    g_assert_nonnull (strstr (run.err, "--help"));
  }
}

static void
test_devices (void)
{
  g_auto (ToolRun) run = {0};
  g_autoptr (GError) error = NULL;
  tool_run (&run, NULL, "devices", NULL);
  tool_assert_ok (&run);
  g_assert_true (g_str_has_prefix (run.out, "cpu "));
  g_assert_nonnull (strstr (run.out, "\nref "));

  tool_run (&run, NULL, "devices", "-f", "json", NULL);
  tool_assert_ok (&run);
  g_autoptr (JsonNode) root = json_from_string (run.out, &error);
  g_assert_no_error (error);
  JsonArray *devices = json_node_get_array (root);
  g_assert_cmpuint (json_array_get_length (devices), >=, 2);
  JsonObject *cpu = json_array_get_object_element (devices, 0);
  g_assert_cmpstr (json_object_get_string_member (cpu, "id"), ==, "cpu");
  g_assert_cmpint (json_object_get_int_member (cpu, "threads"), >=, 1);
}

/* No such device is one line from every command that takes one. */
static void
test_unknown_device (void)
{
  static const char *const commands[] = {"bench", "classify", "check"};
  g_auto (ToolRun) run = {0};
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    tool_run (&run, NULL, commands[i], "-d", "vulkan:99", "x.onnx", NULL);
    tool_assert_error (&run, 1, "Vulkan");
    tool_run (&run, NULL, commands[i], "-d", "toaster", "x.onnx", NULL);
    tool_assert_error (&run, 1, "toaster");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/usage/help", test_help);
  g_test_add_func ("/tools/usage/version", test_version);
  g_test_add_func ("/tools/usage/no-command", test_no_command);
  g_test_add_func ("/tools/usage/wrong", test_wrong_usage);
  g_test_add_func ("/tools/usage/devices", test_devices);
  g_test_add_func ("/tools/usage/unknown-device", test_unknown_device);
  return g_test_run ();
}
