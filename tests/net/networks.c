/* The network texts that Sightline ships: parameters and shapes are those of the networks'
 * publications, or of Keras and torchvision where those are the reference. */
#include "model-private.h"

#include <sightline/program.h>

#include <string.h>

typedef struct Shipped {
  const char *file;
  guint64 parameters, states; /* all, and running statistics among them */
  const char *input, *output; /* of batch 1, in ONNX's order */
} Shipped;

static const Shipped shipped[] = {
    {"mnist-mlp", 669706, 0, "1x1x28x28", "1x10"},
    {"cifar-cnn-keras", 528054, 0, "1x3x32x32", "1x10"},
    {"cifar-cnn-book", 40330, 0, "1x3x32x32", "1x10"},
    {"fashion-cnn", 356234, 0, "1x1x28x28", "1x10"},
    {"lenet5", 61706, 0, "1x1x28x28", "1x10"},
};

static SlModel *
load (const char *name, GError **error)
{
  g_autofree char *file = g_strconcat (name, ".net", NULL);
  g_autofree char *path = g_build_filename (g_getenv ("SIGHTLINE_NETWORKS"), file, NULL);
  return sl_model_load (path, NULL, error);
}

/* Shapes by way of the reference's program: nothing is run. */
static SlProgram *
compile (SlModel *model, GError **error)
{
  const SlProgramOptions options = {.device = sl_device_find ("ref", NULL), .unoptimized = TRUE};
  return sl_program_new (model, &options, error);
}

static void
test_shipped (gconstpointer data)
{
  const Shipped *expected = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = load (expected->file, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sl_model_get_n_parameters (model), ==, expected->parameters);
  g_assert_cmpuint (sl_model_get_n_states (model), ==, expected->states);
  g_autoptr (SlProgram) program = compile (model, &error);
  g_assert_no_error (error);
  g_autofree char *input = sl_shape_to_string (&sl_program_get_input (program, 0)->shape);
  g_autofree char *output = sl_shape_to_string (&sl_program_get_output (program, 0)->shape);
  g_assert_cmpstr (input, ==, expected->input);
  g_assert_cmpstr (output, ==, expected->output);
}

/* No file lies there that no row above knows. */
static void
test_all_listed (void)
{
  g_autoptr (GDir) folder = g_dir_open (g_getenv ("SIGHTLINE_NETWORKS"), 0, NULL);
  g_assert_nonnull (folder);
  for (const char *name; (name = g_dir_read_name (folder)) != NULL;) {
    if (!g_str_has_suffix (name, ".net"))
      continue;
    gboolean is_listed = FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS (shipped); i++)
      is_listed |=
          strlen (shipped[i].file) + 4 == strlen (name) && g_str_has_prefix (name, shipped[i].file);
    if (!is_listed)
      g_error ("%s is in no row of the test", name);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (shipped); i++) {
    g_autofree char *path = g_strconcat ("/net/networks/", shipped[i].file, NULL);
    g_test_add_data_func (path, &shipped[i], test_shipped);
  }
  g_test_add_func ("/net/networks/all-listed", test_all_listed);
  return g_test_run ();
}
