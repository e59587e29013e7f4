/* `sightline inspect` and `sightline bench`. */
#include "tiny-model.h"
#include "tool.h"

#include <json-glib/json-glib.h>
#include <string.h>

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = tool_folder_new ();
  g_free (tiny_model_write (self->folder, "tiny.onnx", TINY_METADATA));
  g_free (tiny_model_write (self->folder, "plain.onnx", TINY_PLAIN));
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  tool_folder_remove (self->folder);
  g_free (self->folder);
}

static void
test_inspect_text (Fixture *self, gconstpointer data)
{
  static const char *const expected[] = {
      "picture  float32 1x3x8x8",
      "scores  float32 1x4",
      "labels     4",
      "8x8 RGB",
      "GlobalAveragePool",
      "Softmax",
      "16 parameters",
      "sightline.labels",
  };
  g_auto (ToolRun) run = {0};
  tool_run (&run, self->folder, "inspect", "tiny.onnx", NULL);
  tool_assert_ok (&run);
  g_test_message ("%s", run.out);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_nonnull (strstr (run.out, expected[i]));
  g_assert_null (strstr (run.out, "assumed"));

  tool_run (&run, self->folder, "inspect", "plain.onnx", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "assumed"));
  tool_run (&run, self->folder, "inspect", "--optimized", "plain.onnx", NULL);
  tool_assert_ok (&run);
}

static void
test_inspect_json (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autoptr (GError) error = NULL;
  tool_run (&run, self->folder, "inspect", "-f", "json", "tiny.onnx", NULL);
  tool_assert_ok (&run);
  g_autoptr (JsonNode) root = json_from_string (run.out, &error);
  g_assert_no_error (error);
  JsonObject *network = json_node_get_object (root);
  g_assert_cmpint (json_object_get_int_member (network, "parameters"), ==, 16);
  JsonArray *layers = json_object_get_array_member (network, "layers");
  g_assert_cmpuint (json_array_get_length (layers), ==, 4);
  JsonObject *gemm = json_array_get_object_element (layers, 2);
  g_assert_cmpstr (json_object_get_string_member (gemm, "op"), ==, "Gemm");
  g_assert_cmpint (json_object_get_int_member (gemm, "parameters"), ==, 16);
  JsonObject *rules = json_object_get_object_member (network, "preprocess");
  g_assert_cmpstr (json_object_get_string_member (rules, "color"), ==, "rgb");
  g_assert_cmpint (json_object_get_int_member (rules, "labels"), ==, 4);
  g_assert_true (json_object_get_null_member (rules, "assumed"));
}

/* Keras's summary of a network text: a row for each line of the text. */
static void
test_inspect_net (Fixture *self, gconstpointer data)
{
  static const char text[] = "Input 9x8x3\nConv2D 4 3 activation=relu\nBatchNormalization\n"
                             "GlobalAveragePooling2D\nDense 10 softmax\n";
  static const char *const expected[] = {"network text",
                                         "conv2d ",
                                         "Conv2D ",
                                         "(None, 7, 6, 4)",
                                         " 112 ",
                                         "(None, 10)",
                                         "Total params: 178",
                                         "Trainable params: 170",
                                         "Non-trainable params: 8",
                                         "4 layers, 178 parameters"};
  g_auto (ToolRun) run = {0};
  g_autoptr (GError) error = NULL;
  g_autofree char *path = tool_path (self->folder, "small.net");
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  tool_run (&run, self->folder, "inspect", "small.net", NULL);
  tool_assert_ok (&run);
  g_test_message ("%s", run.out);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_nonnull (strstr (run.out, expected[i]));

  tool_run (&run, self->folder, "inspect", "-f", "json", "small.net", NULL);
  tool_assert_ok (&run);
  g_autoptr (JsonNode) root = json_from_string (run.out, &error);
  g_assert_no_error (error);
  JsonObject *network = json_node_get_object (root);
  g_assert_cmpint (json_object_get_int_member (network, "non_trainable"), ==, 8);
  JsonArray *layers = json_object_get_array_member (network, "layers");
  g_assert_cmpuint (json_array_get_length (layers), ==, 4);
  JsonObject *first = json_array_get_object_element (layers, 0);
  g_assert_cmpstr (json_object_get_string_member (first, "layer_type"), ==, "Conv2D");

  tool_run (&run, self->folder, "inspect", "--optimized", "small.net", NULL);
  tool_assert_ok (&run);
  tool_run (&run, self->folder, "bench", "small.net", "--seconds", "0.02", NULL);
  tool_assert_ok (&run);
  /* One that is shipped, by its name; a file of that name comes first. */
  g_setenv ("SIGHTLINE_NETWORKS", self->folder, TRUE);
  g_autofree char *other = tool_path (self->folder, "other.net");
  g_assert_true (g_file_set_contents (other, text, -1, NULL));
  tool_run (&run, self->folder, "inspect", "other", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "Total params: 178"));
  tool_run (&run, self->folder, "inspect", "another", NULL);
  tool_assert_error (&run, 1, "another");
  g_unsetenv ("SIGHTLINE_NETWORKS");
  g_assert_true (g_file_set_contents (path, "Input 4\nDense\n", -1, NULL));
  tool_run (&run, self->folder, "inspect", "small.net", NULL);
  tool_assert_error (&run, 1, "small.net:2:1: Dense wants units=");
}

static void
test_inspect_dot (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  tool_run (&run, self->folder, "inspect", "-f", "dot", "tiny.onnx", NULL);
  tool_assert_ok (&run);
  g_assert_true (g_str_has_prefix (run.out, "digraph"));
  g_assert_nonnull (strstr (run.out, "Gemm"));
}

static void
test_inspect_optimized (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autoptr (GError) error = NULL;
  tool_run (&run, self->folder, "inspect", "--optimized", "tiny.onnx", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "opset 17"));
  g_assert_nonnull (strstr (run.out, "gemm"));
  g_assert_nonnull (strstr (run.out, "altogether"));
  tool_run (&run, self->folder, "inspect", "--optimized", "-f", "json", "tiny.onnx", NULL);
  tool_assert_ok (&run);
  g_autoptr (JsonNode) root = json_from_string (run.out, &error);
  g_assert_no_error (error);
  JsonObject *object = json_node_get_object (root);
  g_assert_cmpint (json_object_get_int_member (object, "opset"), ==, 17);
  g_assert_cmpint (json_object_get_int_member (object, "ir_version"), >, 0);
  JsonArray *passes = json_object_get_array_member (object, "passes");
  g_assert_cmpuint (json_array_get_length (passes), >, 0);
  JsonObject *first = json_array_get_object_element (passes, 0);
  g_assert_cmpstr (json_object_get_string_member (first, "name"), ==, "fold constants");
  g_assert_cmpint (json_object_get_int_member (first, "before"), >, 0);
}

static void
test_bench (Fixture *self, gconstpointer data)
{
  static const char *const positive[] = {"min_ms",     "median_ms",       "p95_ms",
                                         "gflops",     "peak_memory_mb",  "load_ms",
                                         "compile_ms", "first_result_ms", "runs"};
  g_auto (ToolRun) run = {0};
  g_autoptr (GError) error = NULL;
  tool_run (&run, self->folder, "bench", "tiny.onnx", "-d", "cpu", "--threads", "1", "--batch", "2",
            "--seconds", "0.02", "-f", "json", NULL);
  tool_assert_ok (&run);
  g_assert_cmpuint (tool_count_lines (run.out), ==, 1);
  g_autoptr (JsonNode) root = json_from_string (run.out, &error);
  g_assert_no_error (error);
  JsonObject *row = json_node_get_object (root);
  for (guint i = 0; i < G_N_ELEMENTS (positive); i++)
    g_assert_cmpfloat (json_object_get_double_member (row, positive[i]), >, 0);
  g_assert_cmpint (json_object_get_int_member (row, "threads"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (row, "batch"), ==, 2);
  g_assert_cmpstr (json_object_get_string_member (row, "device"), ==, "cpu");
  g_assert_cmpfloat (json_object_get_double_member (row, "min_ms"), <=,
                     json_object_get_double_member (row, "median_ms"));
  g_assert_cmpfloat (json_object_get_double_member (row, "median_ms"), <=,
                     json_object_get_double_member (row, "p95_ms"));
  tool_run (&run, self->folder, "bench", "tiny.onnx", "--seconds", "0", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "median"));
}

/* Steps name layers in order, and their times are not more than what the run takes. */
static void
test_profile (Fixture *self, gconstpointer data)
{
  static const char *const devices[] = {"cpu", "ref"};
  g_auto (ToolRun) run = {0};
  for (guint d = 0; d < G_N_ELEMENTS (devices); d++) {
    g_autoptr (GError) error = NULL;
    tool_run (&run, self->folder, "bench", "tiny.onnx", "-d", devices[d], "--profile", "--seconds",
              "0.02", "-f", "json", NULL);
    tool_assert_ok (&run);
    g_autoptr (JsonNode) root = json_from_string (run.out, &error);
    g_assert_no_error (error);
    JsonArray *steps = json_object_get_array_member (json_node_get_object (root), "steps");
    double share = 0;
    gint64 layer = 0;
    g_assert_cmpuint (json_array_get_length (steps), >, 0);
    for (guint i = 0; i < json_array_get_length (steps); i++) {
      JsonObject *step = json_array_get_object_element (steps, i);
      g_assert_cmpint (json_object_get_int_member (step, "layer"), >=, layer);
      layer = json_object_get_int_member (step, "layer");
      g_assert_cmpfloat (json_object_get_double_member (step, "min_ms"), >, 0);
      g_assert_cmpfloat (json_object_get_double_member (step, "min_ms"), <=,
                         json_object_get_double_member (step, "median_ms"));
      share += json_object_get_double_member (step, "share");
    }
    g_assert_cmpfloat_with_epsilon (share, 1, 1e-9);
  }
  tool_run (&run, self->folder, "bench", "tiny.onnx", "--profile", "--seconds", "0", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "all steps"));
  g_auto (GStrv) lines = g_strsplit (strstr (run.out, "\nstep"), "\n", -1);
  for (guint i = 0; lines[i]; i++)
    g_assert_cmpint (g_utf8_strlen (lines[i], -1), <=, 100);
}

static JsonObject *
bench_json (ToolRun *run, JsonNode **ret_root)
{
  g_autoptr (GError) error = NULL;
  tool_assert_ok (run);
  g_assert_cmpuint (tool_count_lines (run->out), ==, 1);
  *ret_root = json_from_string (run->out, &error);
  g_assert_no_error (error);
  return json_node_get_object (*ret_root);
}

/* Steps of training: what they are made of, and that settings reach them. */
static void
test_bench_training (Fixture *self, gconstpointer data)
{
  static const char text[] = "Input 9x8x3\nConv2D 4 3 activation=relu\nBatchNormalization\n"
                             "Flatten\nDense 10 softmax\n";
  g_auto (ToolRun) run = {0};
  g_autoptr (JsonNode) adam = NULL, sgd = NULL, plain = NULL;
  g_autofree char *path = tool_path (self->folder, "small.net");
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  tool_run (&run, self->folder, "bench", "--train", "small.net", "--batch", "5", "--optimizer",
            "adam", "--threads", "1", "--seconds", "0.02", "--profile", "-f", "json", NULL);
  JsonObject *row = bench_json (&run, &adam);
  g_assert_cmpint (json_object_get_int_member (row, "batch"), ==, 5);
  g_assert_cmpint (json_object_get_int_member (row, "parameters"), ==,
                   3 * 4 * 9 + 4 + 2 * 4 + 7 * 6 * 4 * 10 + 10);
  g_assert_cmpstr (json_object_get_string_member (row, "optimizer"), ==, "adam");
  const double best = json_object_get_double_member (row, "best_images_per_second");
  g_assert_cmpfloat_with_epsilon (best, 5e3 / json_object_get_double_member (row, "min_ms"),
                                  1e-9 * best);
  g_assert_cmpfloat (json_object_get_double_member (row, "images_per_second"), <=, best);
  g_assert_cmpint (json_object_get_int_member (row, "optimizer_bytes"), ==,
                   2 * 4 * json_object_get_int_member (row, "parameters"));
  JsonArray *steps = json_object_get_array_member (row, "steps");
  guint updates = 0;
  double share = 0;
  for (guint i = 0; i < json_array_get_length (steps); i++) {
    JsonObject *step = json_array_get_object_element (steps, i);
    updates += g_str_equal (json_object_get_string_member (step, "kernel"), "adam_update");
    share += json_object_get_double_member (step, "share");
  }
  g_assert_cmpuint (updates, ==, 6);
  g_assert_cmpfloat_with_epsilon (share, 1, 1e-9);

  tool_run (&run, self->folder, "bench", "--train", "small.net", "--optimizer", "sgd", "--set",
            "optimizer.momentum=0.9", "--set", "loss.name=mse", "--seconds", "0", "-f", "json",
            NULL);
  row = bench_json (&run, &sgd);
  g_assert_cmpint (json_object_get_int_member (row, "batch"), ==, 32);
  g_assert_cmpstr (json_object_get_string_member (row, "loss"), ==, "mse");
  g_assert_cmpint (json_object_get_int_member (row, "optimizer_bytes"), ==,
                   4 * json_object_get_int_member (row, "parameters"));
  tool_run (&run, self->folder, "bench", "--train", "small.net", "--optimizer", "sgd", "--seconds",
            "0", "-f", "json", NULL);
  row = bench_json (&run, &plain);
  g_assert_cmpint (json_object_get_int_member (row, "optimizer_bytes"), ==, 0);

  tool_run (&run, self->folder, "bench", "--train", "small.net", "--seconds", "0", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "images/s"));
  tool_run (&run, self->folder, "bench", "--train", "missing.net", NULL);
  tool_assert_error (&run, 1, "missing.net");
}

static void
test_bad_files (Fixture *self, gconstpointer data)
{
  static const char *const commands[] = {"inspect", "bench"};
  g_auto (ToolRun) run = {0};
  g_autofree char *path = tool_path (self->folder, "tiny.onnx");
  tool_cut (path, 0.7);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    tool_run (&run, self->folder, commands[i], "missing.onnx", NULL);
    tool_assert_error (&run, 1, "missing.onnx");
    tool_run (&run, self->folder, commands[i], "tiny.onnx", NULL);
    tool_assert_error (&run, 1, "tiny.onnx");
  }
}

#define ADD(name, function) \
  g_test_add ("/tools/network/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("inspect-text", test_inspect_text);
  ADD ("inspect-json", test_inspect_json);
  ADD ("inspect-net", test_inspect_net);
  ADD ("inspect-dot", test_inspect_dot);
  ADD ("inspect-optimized", test_inspect_optimized);
  ADD ("bench", test_bench);
  ADD ("profile", test_profile);
  ADD ("bench-training", test_bench_training);
  ADD ("bad-files", test_bad_files);
  return g_test_run ();
}
