/* What fails once leaves nothing behind, and what comes next works. */
#include "vulkan/harness.h"

#include <string.h>

/* All that a user does. */
static gboolean
attempt (SlModel *model, GError **error)
{
  g_autoptr (SlProgram) program =
      sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, error);
  g_autoptr (SlRun) run = program != NULL ? sl_run_new (program, error) : NULL;
  if (run == NULL)
    return FALSE;
  g_autofree guint64 *ns = g_new (guint64, sl_program_get_n_steps (program));
  test_vulkan_fill_input (run, 1);
  return sl_run_execute (run, error) && sl_run_execute_timed (run, ns, error) &&
         sl_run_execute (run, error);
}

static void
test_every_call (void)
{
  static const VkResult results[] = {VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY,
                                     VK_ERROR_DEVICE_LOST};
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = test_vulkan_small_network ();
  uint32_t failures = 0;
  for (int64_t n = 0;; n++) {
    g_autoptr (GError) error = NULL;
    test_vulkan_hooks_reset (hooks);
    hooks->fail_at = n;
    hooks->result = results[n % G_N_ELEMENTS (results)];
    const gboolean done = attempt (model, &error);
    g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
    if (!hooks->has_failed) {
      g_assert_no_error (error);
      break;
    }
    /* Waiting for the queue to be empty, when a device goes, has nobody to tell. */
    g_assert_true (done == (error == NULL));
    failures += !done;
    if (error == NULL)
      continue;
    g_assert_true (error->domain == SL_ERROR);
    g_assert_true (error->code ==
                   (hooks->result == VK_ERROR_DEVICE_LOST ? SL_ERROR_DEVICE : SL_ERROR_MEMORY));
    g_assert_nonnull (strstr (error->message, test_vulkan_device ()->description));
    g_assert_null (strchr (error->message, '\n'));
  }
  g_test_message ("%u calls failed", failures);
  g_assert_cmpuint (failures, >, 40);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* Conv, a step on the CPU, Gemm, and a command buffer for each record. */
static SlModel *
long_network (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 2, 4, 4));
  SlValue *conv = test_node (graph, "Conv", "conv", x,
                             test_constant (graph, "w", SL_SHAPE (3, 2, 3, 3), 1), NULL);
  SlValue *flat = test_node (graph, "Flatten", "flat", conv, NULL);
  SlValue *axis = sl_graph_add_ints (graph, "axis", (const int64_t[]){1}, 1);
  SlValue *sum = test_node (graph, "CumSum", "sum", flat, axis, NULL);
  SlValue *dense = test_constant (graph, "dense", SL_SHAPE (12, 5), 2);
  SlValue *out = test_node (graph, "MatMul", "out", sum, dense, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Relu", "y", out, NULL));
  return test_vulkan_model (graph);
}

/* A device that somebody else keeps: whatever call fails, the next try on it works. */
static void
test_next_try (void)
{
  static const VkResult results[] = {VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY};
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  hooks->part_seconds = 1e-15;
  SlModel *model = long_network ();
  SlVkDevice *device = sl_vk_device_get (test_vulkan_device ()->number, NULL);
  g_assert_nonnull (device);
  const int live = test_vulkan_hooks_count_live (hooks);
  int kept = 0; /* pipelines, which stay */
  bool done = false;
  for (int64_t n = 0; !done; n++)
    for (size_t i = 0; i < G_N_ELEMENTS (results); i++) {
      g_autoptr (GError) error = NULL;
      test_vulkan_hooks_reset (hooks);
      hooks->fail_at = n;
      hooks->result = results[i];
      if (!attempt (model, &error)) {
        g_assert_true (error->domain == SL_ERROR);
        g_assert_cmpint (error->code, ==, SL_ERROR_MEMORY);
      }
      done = !hooks->has_failed;
      test_vulkan_hooks_reset (hooks);
      g_clear_error (&error);
      attempt (model, &error);
      g_assert_no_error (error);
      if (kept == 0)
        kept = test_vulkan_hooks_count_live (hooks);
      g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, kept);
    }
  g_assert_cmpint (kept, >, live);
  sl_vk_device_unref (device);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* A pipeline that could not be built has all that the next try needs. */
static void
test_pipelines (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = test_vulkan_small_network ();
  for (int64_t n = 0; n < 2; n++) {
    g_autoptr (GError) error = NULL;
    SlVkDevice *device = sl_vk_device_get (test_vulkan_device ()->number, NULL);
    test_vulkan_hooks_reset (hooks);
    hooks->fail_call = SL_VK_CreateComputePipelines;
    hooks->fail_at = n;
    hooks->result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    g_assert_false (attempt (model, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_MEMORY);
    g_clear_error (&error);
    test_vulkan_hooks_reset (hooks);
    sl_program_unref (test_vulkan_compare (model, NULL));
    sl_vk_device_unref (device);
  }
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* A lost device stays lost for what was made on it, and the next program gets another. */
static void
test_lost (void)
{
  static const SlVkCall calls[] = {SL_VK_QueueSubmit, SL_VK_WaitForFences};
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = test_vulkan_small_network ();
  for (size_t i = 0; i < G_N_ELEMENTS (calls); i++) {
    g_autoptr (GError) error = NULL;
    test_vulkan_hooks_reset (hooks);
    const SlProgramOptions options = {.device = test_vulkan_device ()};
    SlProgram *program = sl_program_new (model, &options, &error);
    SlRun *run = sl_run_new (program, &error);
    g_assert_true (sl_run_execute (run, &error));
    hooks->fail_call = (int)calls[i];
    hooks->fail_at = hooks->seen = 0;
    hooks->result = VK_ERROR_DEVICE_LOST;
    g_assert_false (sl_run_execute (run, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
    g_clear_error (&error);
    const uint32_t submitted = hooks->counts[SL_VK_QueueSubmit];
    g_assert_false (sl_run_execute (run, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
    g_clear_error (&error);
    g_assert_null (sl_run_new (program, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
    g_clear_error (&error);
    g_assert_cmpuint (hooks->counts[SL_VK_QueueSubmit], ==, submitted);
    g_assert_true (attempt (model, &error));
    g_assert_no_error (error);
    sl_run_free (run);
    sl_program_unref (program);
  }
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* Nothing is destroyed that a hanging device may still be at work on. */
static void
test_hang (void)
{
  g_autoptr (GError) error = NULL;
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  g_autoptr (SlModel) model = test_vulkan_small_network ();
  SlProgram *program =
      sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, &error);
  SlRun *run = sl_run_new (program, &error);
  hooks->fail_call = SL_VK_WaitForFences;
  hooks->fail_at = hooks->seen = 0;
  hooks->result = VK_TIMEOUT;
  g_assert_false (sl_run_execute (run, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
  g_assert_nonnull (strstr (error->message, "hangs"));
  g_clear_error (&error);
  const int live = test_vulkan_hooks_count_live (hooks);
  sl_run_free (run);
  sl_program_unref (program);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, live);
  g_assert_true (attempt (model, &error));
  g_assert_no_error (error);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, live);
  sl_vk_hooks = NULL;
  g_mutex_clear (&hooks->lock);
  g_free (hooks);
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vulkan/faults/every-call", test_every_call);
  g_test_add_func ("/vulkan/faults/pipelines", test_pipelines);
  g_test_add_func ("/vulkan/faults/next-try", test_next_try);
  g_test_add_func ("/vulkan/faults/lost", test_lost);
  g_test_add_func ("/vulkan/faults/hang", test_hang);
  return g_test_run ();
}
