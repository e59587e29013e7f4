/* Programs and runs on a Vulkan device give what the CPU gives. */
#include "vulkan/harness.h"

#include <math.h>
#include <string.h>

static uint32_t
count_host_steps (SlProgram *program)
{
  SlProgramInfo info;
  sl_program_get_info (program, &info);
  return info.n_host_steps;
}

static void
test_network (void)
{
  g_autoptr (SlModel) model = test_vulkan_network (-1);
  for (uint32_t batch = 1; batch < 4; batch++) {
    g_autoptr (SlProgram) program =
        test_vulkan_compare (model, &(SlProgramOptions){.batch = batch});
    g_assert_cmpuint (count_host_steps (program), ==, 0);
  }
}

/* Every binding is cut to what such a device binds. */
static void
test_small_bindings (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  hooks->binding_range = 64 << 10;
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (3, 17001));
  SlValue *relu = test_node (graph, "Relu", "relu", x, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Add", "y", relu,
                                          test_constant (graph, "b", SL_SHAPE (17001), 1), NULL));
  g_autoptr (SlModel) model = test_vulkan_model (graph);
  sl_program_unref (test_vulkan_compare (model, NULL));
  test_vulkan_hooks_free (hooks);
}

/* One whose shaders see few buffers says how many it would take. */
static void
test_few_bindings (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  g_autoptr (GError) error = NULL;
  hooks->max_bindings = 1;
  SlModel *model = test_vulkan_small_network ();
  g_assert_null (
      sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "buffers, of which"));
  g_assert_nonnull (strstr (error->message, "binds 1 at most"));
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* A device that has no more than it must. */
static void
test_plain_device (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  hooks->is_plain = true;
  SlModel *model = test_vulkan_network (2);
  sl_program_unref (test_vulkan_compare (model, NULL));
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* An output that is a state which no step reads or writes: it is where the host has it. */
static void
test_untouched_state (void)
{
  g_autoptr (GError) error = NULL;
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (6));
  g_autoptr (SlTensor) content = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (3), NULL);
  for (int i = 0; i < 3; i++)
    ((float *)sl_tensor_get_data_writable (content))[i] = (float)(i + 1);
  sl_graph_mark_output (graph, test_node (graph, "Relu", "y", x, NULL));
  sl_graph_mark_output (graph, sl_graph_add_tensor (graph, "state", SL_VALUE_STATE, content));
  g_autoptr (SlModel) model = test_vulkan_model (graph);
  g_autoptr (SlProgram) program =
      sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, &error);
  g_assert_no_error (error);
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  g_autoptr (SlTensor) got = sl_run_copy_output (run, 1, NULL);
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat (sl_tensor_get_double (got, (size_t)i), ==, i + 1);
}

static void
test_host_steps (void)
{
  /* Steps on the CPU first, last, two in a row and in between; one reads a part of a wider value.
   */
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (3, 4));
  SlValue *axis = sl_graph_add_ints (graph, "axis", (const int64_t[]){1}, 1);
  SlValue *first = test_node (graph, "CumSum", "first", x, axis, NULL);
  SlValue *second = test_node (graph, "CumSum", "second", first, axis, NULL);
  SlValue *relu = test_node (graph, "Relu", "relu", second, NULL);
  SlValue *both = test_node (graph, "Concat", "both", relu, second, NULL);
  test_set_int (both, "axis", 1);
  SlValue *third = test_node (graph, "CumSum", "third", both, axis, NULL);
  SlValue *sum = test_node (graph, "Add", "sum", third, both, NULL);
  sl_graph_mark_output (graph, sum);
  sl_graph_mark_output (graph, test_node (graph, "CumSum", "last", sum, axis, NULL));
  g_autoptr (SlModel) model = test_vulkan_model (graph);
  g_autoptr (SlProgram) program = test_vulkan_compare (model, NULL);
  g_assert_cmpuint (count_host_steps (program), ==, 4);
}

/* What a step on the CPU writes as a whole does not come down before it. */
static void
test_host_copies (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (3, 4));
  SlValue *axis = sl_graph_add_ints (graph, "axis", (const int64_t[]){1}, 1);
  SlValue *relu = test_node (graph, "Relu", "relu", x, NULL);
  SlValue *sum = test_node (graph, "CumSum", "sum", relu, axis, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Neg", "y", sum, NULL));
  g_autoptr (SlModel) model = test_vulkan_model (graph);
  g_autoptr (SlProgram) program =
      sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, NULL);
  const uint32_t before = hooks->counts[SL_VK_CmdCopyBuffer];
  g_autoptr (SlRun) run = sl_run_new (program, NULL);
  /* x goes up; relu comes down, sum goes up; y comes down. */
  g_assert_cmpuint (hooks->counts[SL_VK_CmdCopyBuffer] - before, ==, 4);
  g_clear_pointer (&run, sl_run_free);
  g_clear_pointer (&program, sl_program_unref);
  test_vulkan_hooks_free (hooks);
}

static void
test_nothing_to_do (void)
{
  /* An output that is the input, and one that is a constant. */
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (2, 3));
  sl_graph_mark_output (graph, test_node (graph, "Identity", "y", x, NULL));
  sl_graph_mark_output (
      graph, test_node (graph, "Identity", "z", test_constant (graph, "c", SL_SHAPE (5), 1), NULL));
  g_autoptr (SlModel) model = test_vulkan_model (graph);
  g_autoptr (SlProgram) program = test_vulkan_compare (model, NULL);
}

/* A value that changes with every run, and one program that reads it on the CPU. */
static void
test_updates (void)
{
  g_autoptr (GError) error = NULL;
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (6));
  g_autoptr (SlTensor) zeros = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (6), NULL);
  memset (sl_tensor_get_data_writable (zeros), 0, sl_tensor_get_size (zeros));
  SlValue *state = sl_graph_add_tensor (graph, "state", SL_VALUE_STATE, zeros);
  SlValue *next = test_node (graph, "Add", "next", state, x, NULL);
  sl_graph_add_update (graph, state, next);
  sl_graph_mark_output (graph, test_node (graph, "Neg", "y", next, NULL));
  g_autoptr (SlModel) model = test_vulkan_model (graph);
  g_autoptr (SlProgram) program =
      sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, &error);
  g_assert_no_error (error);
  g_autoptr (SlProgram) other =
      sl_program_new (model, &(SlProgramOptions){.device = sl_device_find ("cpu", NULL)}, &error);
  g_assert_no_error (error);
  SlProgram *const programs[] = {program, program, other, program};
  double wanted = 0;
  for (size_t i = 0; i < G_N_ELEMENTS (programs); i++) {
    g_autoptr (SlRun) run = sl_run_new (programs[i], &error);
    g_assert_no_error (error);
    test_vulkan_fill_input (run, (uint32_t)i);
    g_autoptr (SlTensor) y = NULL;
    SlTensorView view;
    sl_run_get_input (run, 0, &view);
    wanted -= (double)((float *)view.data)[2];
    sl_run_execute (run, &error);
    g_assert_no_error (error);
    y = sl_run_copy_output (run, 0, NULL);
    g_assert_cmpfloat_with_epsilon (sl_tensor_get_double (y, 2), wanted, 1e-5);
  }
}

/* What is made of NaN is found on the device, behind and before a step on the CPU, and there. */
static void
test_nonfinite (void)
{
  static const char *const ops[][3] = {
      {"Log", "CumSum", "Neg"}, {"Neg", "CumSum", "Log"}, {"CumSum", "Log", "Neg"}};
  for (size_t i = 0; i < G_N_ELEMENTS (ops); i++) {
    g_autoptr (GError) error = NULL;
    SlGraph *graph = sl_graph_new ();
    SlValue *value = test_input (graph, "x", SL_SHAPE (1, 4));
    SlValue *axis = sl_graph_add_ints (graph, "axis", (const int64_t[]){1}, 1);
    for (size_t k = 0; k < G_N_ELEMENTS (ops[i]); k++)
      value = test_node (graph, ops[i][k], ops[i][k], value,
                         strcmp (ops[i][k], "CumSum") == 0 ? axis : NULL, NULL);
    sl_graph_mark_output (graph, value);
    g_autoptr (SlModel) model = test_vulkan_model (graph);
    g_autoptr (SlProgram) program =
        sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, &error);
    g_assert_no_error (error);
    g_autoptr (SlRun) run = sl_run_new (program, &error);
    g_assert_no_error (error);
    SlTensorView view;
    sl_run_get_input (run, 0, &view);
    for (int k = 0; k < 4; k++)
      ((float *)view.data)[k] = i == 1 ? 1.0f : -1.0f;
    g_assert_false (sl_run_execute (run, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
    g_assert_nonnull (strstr (error->message, "Log"));
    g_clear_error (&error);
    ((float *)view.data)[0] = NAN;
    g_assert_false (sl_run_execute (run, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
  }
}

static void
test_timed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = test_vulkan_network (1);
  g_autoptr (SlProgram) program = test_vulkan_compare (model, NULL);
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_autoptr (SlRun) other = sl_run_new (program, &error);
  const uint32_t n = sl_program_get_n_steps (program);
  g_autofree guint64 *ns = g_new0 (guint64, n);
  test_vulkan_fill_input (run, 1);
  test_vulkan_fill_input (other, 1);
  for (int again = 0; again < 2; again++) {
    sl_run_execute_timed (run, ns, &error);
    g_assert_no_error (error);
    guint64 sum = 0;
    for (uint32_t i = 0; i < n; i++)
      sum += ns[i];
    g_assert_cmpuint (sum, >, 0);
    g_assert_cmpuint (sum, <, G_GUINT64_CONSTANT (600) * 1000000000);
  }
  sl_run_execute (other, &error);
  g_assert_no_error (error);
  g_autoptr (SlTensor) timed = sl_run_copy_output (run, 0, NULL);
  g_autoptr (SlTensor) plain = sl_run_copy_output (other, 0, NULL);
  g_assert_cmpmem (sl_tensor_get_data (timed), sl_tensor_get_size (timed),
                   sl_tensor_get_data (plain), sl_tensor_get_size (plain));
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vulkan/programs/network", test_network);
  g_test_add_func ("/vulkan/programs/small-bindings", test_small_bindings);
  g_test_add_func ("/vulkan/programs/plain-device", test_plain_device);
  g_test_add_func ("/vulkan/programs/untouched-state", test_untouched_state);
  g_test_add_func ("/vulkan/programs/host-copies", test_host_copies);
  g_test_add_func ("/vulkan/programs/few-bindings", test_few_bindings);
  g_test_add_func ("/vulkan/programs/host-steps", test_host_steps);
  g_test_add_func ("/vulkan/programs/nothing-to-do", test_nothing_to_do);
  g_test_add_func ("/vulkan/programs/updates", test_updates);
  g_test_add_func ("/vulkan/programs/nonfinite", test_nonfinite);
  g_test_add_func ("/vulkan/programs/timed", test_timed);
  return g_test_run ();
}
