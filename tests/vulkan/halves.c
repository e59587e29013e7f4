/* Programs that store 16-bit floats: what becomes of ports, memory, large numbers, devices without.
 */
#include "dispatch/forms.h"
#include "vulkan/harness.h"
#include "vulkan/matrix.h"

#include <math.h>
#include <string.h>

/* Of the largest number of an output: 2e-2 is what networks may differ by. */
#define TOLERANCE 2e-2

static SlProgram *
open_program (SlModel *model, const char *device, const SlProgramOptions *given)
{
  g_autoptr (GError) error = NULL;
  SlProgramOptions options = *given;
  options.device = sl_device_find (device, NULL);
  SlProgram *program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  return program;
}

/* Output `index` of a run with made-up inputs. */
static SlTensor *
run_once (SlProgram *program, uint32_t index)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  test_vulkan_fill_input (run, 3);
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  return sl_run_copy_output (run, index, NULL);
}

/* Runs the model with and without halves and compares all outputs; the infos of both. */
static void
compare (SlModel *model, const SlProgramOptions *given, SlProgramInfo ret_infos[2])
{
  SlProgramOptions options = *given;
  g_autoptr (SlProgram) whole = open_program (model, "cpu", &options);
  g_autoptr (SlProgram) there = open_program (model, "vulkan", &options);
  options.half = TRUE;
  g_autoptr (SlProgram) half = open_program (model, "vulkan", &options);
  sl_program_get_info (there, &ret_infos[0]);
  sl_program_get_info (half, &ret_infos[1]);
  g_assert_cmpstr (ret_infos[0].half, ==, "nothing");
  g_assert_cmpstr (ret_infos[1].half, ==, "weights and activations");
  g_assert_cmpuint (ret_infos[1].n_host_steps, ==, 0);
  for (uint32_t i = 0; i < sl_program_get_n_outputs (half); i++) {
    double most = 0, largest = 0;
    g_assert_cmpint (sl_program_get_output (half, i)->dtype, ==, SL_FLOAT32);
    g_autoptr (SlTensor) wanted = run_once (whole, i);
    g_autoptr (SlTensor) got = run_once (half, i);
    g_autoptr (SlTensor) again = run_once (half, i);
    for (size_t k = 0; k < sl_tensor_get_elements (wanted); k++) {
      const double number = sl_tensor_get_double (wanted, k);
      most = fmax (most, fabs (sl_tensor_get_double (got, k) - number));
      largest = fmax (largest, fabs (number));
    }
    g_assert_cmpfloat (most, >, 0); /* it did store halves */
    g_assert_cmpfloat (most, <=, TOLERANCE * largest);
    g_assert_cmpmem (sl_tensor_get_data (got), sl_tensor_get_size (got), sl_tensor_get_data (again),
                     sl_tensor_get_size (again));
  }
}

/* Convolutions, a residual, a concatenation, and a node in between that no shader takes halves for.
 */
static SlModel *
make_network (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 3, 32, 32));
  SlValue *a = test_node (graph, "Conv", "a", x,
                          test_constant (graph, "wa", SL_SHAPE (32, 3, 3, 3), 1), NULL);
  SlValue *b = test_node (graph, "Relu", "b", a, NULL);
  SlValue *c = test_node (graph, "Conv", "c", b,
                          test_constant (graph, "wc", SL_SHAPE (32, 32, 1, 1), 2), NULL);
  SlValue *d = test_node (graph, "Add", "d", c, b, NULL);
  SlValue *e = test_node (graph, "Concat", "e", d, b, NULL);
  test_set_int (e, "axis", 1);
  SlValue *f = test_node (graph, "Softmax", "f", e, NULL);
  SlValue *g = test_node (graph, "Mul", "g", e, f, NULL);
  SlValue *pool = test_node (graph, "GlobalAveragePool", "pool", g, NULL);
  SlValue *flat = test_node (graph, "Flatten", "flat", pool, NULL);
  sl_graph_mark_output (graph,
                        test_node (graph, "Gemm", "y", flat,
                                   test_constant (graph, "dense", SL_SHAPE (64, 10), 3), NULL));
  return test_vulkan_model (graph);
}

static void
test_network (void)
{
  static const char *const taps[] = {"b", "e"};
  SlProgramInfo infos[2];
  g_autoptr (SlModel) model = make_network ();
  compare (model, &(SlProgramOptions){0}, infos);
  g_assert_cmpuint (infos[1].weight_bytes, <, infos[0].weight_bytes * 6 / 10);
  compare (model, &(SlProgramOptions){.taps = taps, .n_taps = 2}, infos);
}

/* With the shaders of real GPUs. */
static void
test_as_gpu (void)
{
  SlProgramInfo infos[2];
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  hooks->works_as_gpu = true;
  SlModel *model = make_network ();
  compare (model, &(SlProgramOptions){0}, infos);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* The network that comes with Sightline. */
static void
test_shipped (void)
{
  g_autoptr (GError) error = NULL;
  SlProgramInfo infos[2];
  g_autoptr (SlModel) model = sl_model_load (g_getenv ("SIGHTLINE_SCENES"), NULL, &error);
  g_assert_no_error (error);
  compare (model, &(SlProgramOptions){0}, infos);
  g_assert_cmpuint (infos[1].arena_bytes, <, infos[0].arena_bytes * 8 / 10);
  g_assert_cmpuint (infos[1].weight_bytes, <, infos[0].weight_bytes * 6 / 10);
}

/* Without 16-bit storage a program is as if nobody had asked. */
static void
test_plain_device (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  hooks->is_plain = true;
  SlModel *model = make_network ();
  SlProgramInfo info;
  SlProgram *half = open_program (model, "vulkan", &(SlProgramOptions){.half = TRUE});
  SlProgram *whole = open_program (model, "vulkan", &(SlProgramOptions){0});
  sl_program_get_info (half, &info);
  g_assert_cmpstr (info.half, ==, "nothing");
  g_autoptr (SlTensor) got = run_once (half, 0);
  g_autoptr (SlTensor) wanted = run_once (whole, 0);
  g_assert_cmpmem (sl_tensor_get_data (got), sl_tensor_get_size (got), sl_tensor_get_data (wanted),
                   sl_tensor_get_size (wanted));
  sl_program_unref (half);
  sl_program_unref (whole);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* What a half cannot hold is infinity, and the error names who made it. */
static void
test_overflow (void)
{
  g_autoptr (GError) error = NULL;
  SlGraph *graph = sl_graph_new ();
  SlValue *w = test_constant (graph, "w", SL_SHAPE (4, 3, 3, 3), 1);
  for (size_t i = 0; i < sl_tensor_get_elements (w->data); i++)
    ((float *)sl_tensor_get_data_writable (w->data))[i] = 3e4f;
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 3, 8, 8));
  SlValue *large =
      test_node (graph, "Conv", "large", test_node (graph, "Abs", "abs", x, NULL), w, NULL);
  sl_graph_mark_output (graph,
                        test_node (graph, "Conv", "y", large,
                                   test_constant (graph, "v", SL_SHAPE (4, 4, 1, 1), 2), NULL));
  g_autoptr (SlModel) model = test_vulkan_model (graph);
  g_autoptr (SlProgram) program = open_program (model, "vulkan", &(SlProgramOptions){.half = TRUE});
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  test_vulkan_fill_input (run, 3);
  g_assert_false (sl_run_execute (run, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
  if (strstr (error->message, "large") == NULL)
    g_error ("%s", error->message);
}

/* The product that cooperative matrices have to get right before they are used, by other forms: no
 * device of CI has them. */
static void
test_matrix_test (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlVkDevice) device = sl_vk_device_get (test_vulkan_device ()->number, &error);
  g_assert_no_error (error);
  const bool has_matrices = (sl_product_get_matrix_needs () & ~device->gpu.features) == 0;
  if (!has_matrices)
    g_assert_true (g_str_has_prefix (test_vulkan_device ()->matrices, "unused: "));
  for (uint32_t form = 1; form <= sl_product_n_forms; form++) {
    if (form != SL_PRODUCT_MATRIX_FORM || has_matrices) {
      g_assert_true (sl_vk_matrix_test (device, form, &error));
      g_assert_no_error (error);
    } else {
      g_assert_false (sl_vk_matrix_test (device, form, &error));
      g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
      g_clear_error (&error);
    }
  }
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vulkan/halves/network", test_network);
  g_test_add_func ("/vulkan/halves/as-gpu", test_as_gpu);
  g_test_add_func ("/vulkan/halves/shipped", test_shipped);
  g_test_add_func ("/vulkan/halves/plain-device", test_plain_device);
  g_test_add_func ("/vulkan/halves/matrix-test", test_matrix_test);
  g_test_add_func ("/vulkan/halves/overflow", test_overflow);
  return g_test_run ();
}
