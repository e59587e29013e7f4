#include "emit.h"

#include <glib/gstdio.h>
#include <sightline/metadata.h>

#include <string.h>

/* A folder with the network of each test. */
typedef struct {
  char *folder, *model;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  GError *error = NULL;
  fixture->folder = g_dir_make_tmp ("sightline-rules-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->model = g_build_filename (fixture->folder, "net.onnx", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  GDir *dir = g_dir_open (fixture->folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name (dir)) != NULL;) {
    g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_dir_close (dir);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->folder);
  g_free (fixture->model);
}

static char *
put (const Fixture *fixture, const char *name, const char *content)
{
  char *path = g_build_filename (fixture->folder, name, NULL);
  g_assert_true (g_file_set_contents (path, content, -1, NULL));
  return path;
}

/* x (N, channels, height, width), global average, last operator, y (N, channels, 1, 1): as many
 * classes as channels. The list of metadata keys and values ends with NULL. */
static SlModel *
load (const Fixture *fixture, gint64 channels, gint64 height, gint64 width, const char *last, ...)
{
  Emit *graph = emit_new ();
  emit_message (graph, 1, emit_node ("GlobalAveragePool", "", "x", "p"));
  emit_message (graph, 1, emit_node (last, "", "p", "s"));
  emit_message (graph, 1, emit_node ("Identity", "", "s", "y"));
  emit_message (graph, 11, emit_value ("x", 4, (const gint64[]){-1, channels, height, width}));
  emit_message (graph, 12, emit_value ("y", 4, (const gint64[]){-1, channels, 1, 1}));
  Emit *model = emit_model (graph, 13);
  va_list pairs;
  va_start (pairs, last);
  for (const char *key; (key = va_arg (pairs, const char *)) != NULL;) {
    Emit *entry = emit_new ();
    emit_text (entry, 1, key);
    emit_text (entry, 2, va_arg (pairs, const char *));
    emit_message (model, 14, entry);
  }
  va_end (pairs);
  g_assert_true (g_file_set_contents (fixture->model, (const char *)model->data, model->len, NULL));
  g_byte_array_unref (model);
  GError *error = NULL;
  SlModel *loaded = sl_model_load (fixture->model, NULL, &error);
  g_assert_no_error (error);
  return loaded;
}

/* The value that the network sees for a pixel value. */
static float
seen (const SlModelRules *rules, int channel, float value)
{
  const SlPreprocess *p = &rules->preprocess;
  return (value * p->scale - p->mean[channel]) / p->std[channel];
}

static void
test_defaults (Fixture *fixture, gconstpointer unused)
{
  GError *error = NULL;
  g_autoptr (SlModel) model = load (fixture, 3, 20, 30, "Relu", NULL);
  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rules->preprocess.width, ==, 30);
  g_assert_cmpuint (rules->preprocess.height, ==, 20);
  g_assert_cmpuint (rules->preprocess.channels, ==, 3);
  g_assert_true (rules->apply_softmax);
  g_assert_null (rules->labels);
  g_assert_cmpstr (rules->source, ==, "defaults");
  g_assert_cmpstr (rules->assumed, ==,
                   "assumed color=rgb, range=0..1, mean=0, std=1, resize=stretch, output=logits: "
                   "neither the network nor a side file says");
  g_assert_cmpfloat_with_epsilon (seen (rules, 0, 255), 1, 1e-6f);
  g_assert_cmpfloat (seen (rules, 2, 0), ==, 0);

  /* Each thing that is said is assumed no more; the last takes the sentence with it. */
  g_assert_true (sl_model_rules_set (rules, "range", "-1..1", &error));
  g_assert_cmpstr (rules->assumed, ==,
                   "assumed color=rgb, resize=stretch, output=logits: neither the network nor a "
                   "side file says");
  g_assert_true (sl_model_rules_set (rules, "color", "bgr", &error));
  g_assert_true (sl_model_rules_set (rules, "resize", "crop", &error));
  g_assert_true (sl_model_rules_set (rules, "output", "probabilities", &error));
  g_assert_null (rules->assumed);
  g_assert_false (rules->apply_softmax);
  g_assert_cmpint (rules->preprocess.order, ==, SL_ORDER_BGR);
  g_assert_cmpint (rules->preprocess.resize, ==, SL_RESIZE_CROP);
}

/* Outputs that are probabilities already, and gray networks, leave less to assume. */
static void
test_network_says (Fixture *fixture, gconstpointer unused)
{
  static const struct {
    const char *op;
    gboolean softmax;
  } cases[] = {{"Softmax", FALSE}, {"Sigmoid", FALSE}, {"LogSoftmax", TRUE}, {"Relu", TRUE}};
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    g_autoptr (SlModel) model = load (fixture, 1, 8, 8, cases[i].op, NULL);
    g_autoptr (SlModelRules) rules = sl_model_rules_new (model, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpint (rules->apply_softmax, ==, cases[i].softmax);
    g_assert_null (strstr (rules->assumed, "color"));
    g_assert_true ((strstr (rules->assumed, "output") != NULL) == cases[i].softmax);
  }
}

static void
test_metadata (Fixture *fixture, gconstpointer unused)
{
  GError *error = NULL;
  g_autoptr (SlModel) model =
      load (fixture, 3, 8, 8, "Relu", "sightline.version", "1", "sightline.labels", "cat\ndog\ncow",
            "sightline.color", "bgr", "sightline.range", "0..255", "sightline.mean", "104, 117,123",
            "sightline.std", "2", "sightline.resize", "crop", "sightline.resize-size", "10",
            "sightline.pad", "1,2,3", "sightline.antialias", "true", "sightline.output", "logits",
            "sightline.origin", "x", "sightline.future", "ignored", NULL);
  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (rules->assumed);
  g_assert_cmpstr (rules->source, ==, "metadata");
  g_assert_cmpuint (rules->n_labels, ==, 3);
  g_assert_cmpstr (rules->labels[2], ==, "cow");
  g_assert_cmpint (rules->preprocess.order, ==, SL_ORDER_BGR);
  g_assert_cmpint (rules->preprocess.resize, ==, SL_RESIZE_CROP);
  g_assert_cmpuint (rules->preprocess.resize_size, ==, 10);
  g_assert_cmpuint (rules->preprocess.pad[2], ==, 3);
  g_assert_cmpfloat (seen (rules, 1, 127), ==, 5);
}

/* ONNX's own keys for pictures; Sightline's beat them. */
static void
test_image_metadata (Fixture *fixture, gconstpointer unused)
{
  GError *error = NULL;
  g_autoptr (SlModel) model =
      load (fixture, 3, 8, 8, "Softmax", "Image.BitmapPixelFormat", "Bgr8",
            "Image.NominalPixelRange", "Normalized_1_1", "sightline.resize", "stretch", NULL);
  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (rules->assumed);
  g_assert_cmpint (rules->preprocess.order, ==, SL_ORDER_BGR);
  g_assert_cmpfloat_with_epsilon (seen (rules, 0, 0), -1, 1e-6f);
  g_assert_cmpfloat_with_epsilon (seen (rules, 0, 255), 1, 1e-6f);
}

/* Strongest first: override, side file, metadata. */
static void
test_precedence (Fixture *fixture, gconstpointer unused)
{
  GError *error = NULL;
  g_autoptr (SlModel) model = load (
      fixture, 3, 8, 8, "Relu", "sightline.color", "bgr", "sightline.range", "0..255",
      "sightline.mean", "1,2,3", "sightline.std", "nonsense", "sightline.labels", "a\nb\nc", NULL);
  g_autofree char *side = put (fixture, "net.onnx.ini",
                               "[sightline]\nrange=-1..1\nstd=0.5\nlabel-file=labels.txt\n"
                               "resize=letterbox\n");
  g_autofree char *labels = put (fixture, "labels.txt", "x\ny\nz\n");
  g_autofree char *override =
      put (fixture, "override.ini", "# a comment\n[sightline]\nresize=crop\nmean=0.25,0,0\n");
  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, override, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *source = g_strdup_printf ("%s, %s, metadata", override, side);
  g_assert_cmpstr (rules->source, ==, source);
  g_assert_cmpint (rules->preprocess.order, ==, SL_ORDER_BGR);
  g_assert_cmpint (rules->preprocess.resize, ==, SL_RESIZE_CROP);
  g_assert_cmpstr (rules->labels[0], ==, "x");
  g_assert_cmpfloat_with_epsilon (seen (rules, 0, 255), 1.5f, 1e-6f);
  g_assert_cmpfloat_with_epsilon (seen (rules, 1, 0), -2, 1e-6f);

  /* Labels in the stronger file beat a file of labels in the weaker one, and the argument beats
   * both. */
  g_autofree char *again =
      put (fixture, "again.ini", "[sightline]\nlabels=k\\nl\\nm\nresize=crop\n");
  g_autoptr (SlModelRules) listed = sl_model_rules_new (model, again, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (listed->labels[2], ==, "m");
  g_autofree char *given = put (fixture, "given.txt", "g\nh\ni\n");
  g_autoptr (SlModelRules) argued = sl_model_rules_new (model, again, given, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (argued->labels[0], ==, "g");
}

static void
test_range (Fixture *fixture, gconstpointer unused)
{
  static const struct {
    const char *range;
    float black, white;
  } cases[] = {{"0..1", 0, 1}, {"0..255", 0, 255}, {"-1..1", -1, 1}, {"0..1", 0, 1}};
  GError *error = NULL;
  g_autoptr (SlModel) model = load (fixture, 3, 8, 8, "Relu", NULL);
  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (sl_model_rules_set (rules, "std", "0.5,1,2", &error));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_assert_true (sl_model_rules_set (rules, "range", cases[i].range, &error));
    g_assert_true (sl_model_rules_set (rules, "mean", "0.1", &error));
    g_assert_cmpfloat_with_epsilon (seen (rules, 0, 0), (cases[i].black - 0.1f) / 0.5f, 1e-4f);
    g_assert_cmpfloat_with_epsilon (seen (rules, 2, 255), (cases[i].white - 0.1f) / 2, 1e-4f);
  }
}

static void
test_wrong_values (Fixture *fixture, gconstpointer unused)
{
  static const struct {
    const char *key, *value;
  } cases[] = {
      {"version", "2"},      {"size", "9x8"},       {"size", ""},
      {"color", "gray"},     {"color", "RGB"},      {"range", "0..2"},
      {"mean", "1,2"},       {"mean", "1,2,3,4"},   {"mean", ""},
      {"mean", "a"},         {"mean", "nan"},       {"mean", "1 2"},
      {"std", "0"},          {"std", "-1"},         {"std", "1,1,inf"},
      {"std", "1e39"},       {"mean", "-1e300"},    {"resize", "squeeze"},
      {"resize-size", "0"},  {"resize-size", "-5"}, {"resize-size", "40000"},
      {"pad", "1,2"},        {"pad", "1,2,256"},    {"antialias", "false"},
      {"output", "softmax"},
  };
  GError *error = NULL;
  g_autoptr (SlModel) model = load (fixture, 3, 8, 8, "Relu", NULL);
  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, NULL, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *expected =
        g_strdup_printf ("%s is '%s' (expected ", cases[i].key, cases[i].value);
    g_assert_false (sl_model_rules_set (rules, cases[i].key, cases[i].value, &error));
    check_error (g_steal_pointer (&error), SL_ERROR_MALFORMED, expected);
  }
  g_assert_cmpfloat_with_epsilon (seen (rules, 0, 255), 1, 1e-6f);
  g_assert_true (sl_model_rules_set (rules, "size", "8x8", &error));
  g_assert_false (sl_model_rules_set (rules, "colour", "rgb", &error));
  check_error (g_steal_pointer (&error), SL_ERROR_UNSUPPORTED, "colour is no key");
  g_assert_false (sl_model_rules_set (rules, "labels", "one\ntwo", &error));
  check_error (g_steal_pointer (&error), SL_ERROR_SHAPE,
               "labels: holds 2 labels (expected 3, one for each class)");
  g_assert_false (sl_model_rules_set (rules, "label-file", "/nonexistent", &error));
  check_error (error, SL_ERROR_IO, "/nonexistent");
}

static void
test_wrong_files (Fixture *fixture, gconstpointer unused)
{
  static const struct {
    const char *content, *text;
    int code;
  } cases[] = {
      {"", "has no group [sightline]", SL_ERROR_MALFORMED},
      {"[other]\nx=1\n", "has no group [sightline]", SL_ERROR_MALFORMED},
      {"no key file", "net.onnx.ini: ", SL_ERROR_MALFORMED},
      {"[sightline]\ncolour=rgb\n", "key colour is not known (expected version, size, color,",
       SL_ERROR_MALFORMED},
      {"[sightline]\nmean=x\n", "net.onnx.ini: mean is 'x' (expected one number, or one a channel)",
       SL_ERROR_MALFORMED},
      {"[sightline]\nlabel-file=none.txt\n", "none.txt", SL_ERROR_IO},
      {"[sightline]\nlabels=a\\nb\n", "net.onnx.ini: labels: holds 2 labels", SL_ERROR_SHAPE},
      {"[sightline]\ncolor=\\q\n", "net.onnx.ini: ", SL_ERROR_MALFORMED},
  };
  g_autoptr (SlModel) model = load (fixture, 3, 8, 8, "Relu", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    g_autofree char *side = put (fixture, "net.onnx.ini", cases[i].content);
    g_assert_null (sl_model_rules_new (model, NULL, NULL, &error));
    g_assert_nonnull (strstr (error->message, side));
    check_error (error, cases[i].code, cases[i].text);
  }
  g_autofree char *side = g_strconcat (fixture->model, ".ini", NULL);
  g_assert_cmpint (g_unlink (side), ==, 0);

  GError *error = NULL;
  g_assert_null (sl_model_rules_new (model, "/nonexistent.ini", NULL, &error));
  check_error (g_steal_pointer (&error), SL_ERROR_IO, "/nonexistent.ini");
  g_autofree char *labels = put (fixture, "few.txt", "one\ntwo\n");
  g_assert_null (sl_model_rules_new (model, NULL, labels, &error));
  check_error (g_steal_pointer (&error), SL_ERROR_SHAPE, "few.txt: holds 2 labels (expected 3");

  g_autoptr (SlModel) wrong = load (fixture, 3, 8, 8, "Relu", "sightline.mean", "x", NULL);
  g_assert_null (sl_model_rules_new (wrong, NULL, NULL, &error));
  check_error (error, SL_ERROR_MALFORMED, "net.onnx: metadata: mean is 'x'");
}

static void
test_no_picture (Fixture *fixture, gconstpointer unused)
{
  static const gint64 dims[][3] = {{2, 8, 8}, {3, 0, 8}, {3, 8, 40000}, {-1, 8, 8}};
  for (guint i = 0; i < G_N_ELEMENTS (dims); i++) {
    GError *error = NULL;
    g_autoptr (SlModel) model = load (fixture, dims[i][0], dims[i][1], dims[i][2], "Relu", NULL);
    g_assert_null (sl_model_rules_new (model, NULL, NULL, &error));
    check_error (error, SL_ERROR_UNSUPPORTED, "net.onnx: takes 1 inputs, float32 ");
  }
}

static void
test_open_size (Fixture *fixture, gconstpointer unused)
{
  GError *error = NULL;
  g_autoptr (SlModel) model = load (fixture, 3, -1, -1, "Relu", NULL);
  g_assert_null (sl_model_rules_new (model, NULL, NULL, &error));
  check_error (g_steal_pointer (&error), SL_ERROR_UNSUPPORTED,
               "leaves the size of its pictures open");
  g_autofree char *side = put (fixture, "net.onnx.ini", "[sightline]\nsize=40x20\n");
  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rules->preprocess.width, ==, 40);
  g_assert_cmpuint (rules->preprocess.height, ==, 20);
}

#define TEST(name, func) g_test_add ("/onnx/rules/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST ("defaults", test_defaults);
  TEST ("network-says", test_network_says);
  TEST ("metadata", test_metadata);
  TEST ("image-metadata", test_image_metadata);
  TEST ("precedence", test_precedence);
  TEST ("range", test_range);
  TEST ("wrong-values", test_wrong_values);
  TEST ("wrong-files", test_wrong_files);
  TEST ("no-picture", test_no_picture);
  TEST ("open-size", test_open_size);
  return g_test_run ();
}
