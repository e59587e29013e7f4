/* What is called how often: nothing is made twice, nothing in a run, and all is destroyed. */
#include "vulkan/harness.h"

#include <string.h>

#define RUNS 1000

static SlProgram *
program_of (SlModel *model)
{
  g_autoptr (GError) error = NULL;
  SlProgram *program =
      sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, &error);
  g_assert_no_error (error);
  return program;
}

static void
test_runs (void)
{
  g_autoptr (GError) error = NULL;
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = test_vulkan_network (1);
  SlProgram *program = program_of (model);
  SlRun *run = sl_run_new (program, &error);
  g_assert_no_error (error);
  test_vulkan_fill_input (run, 1);
  uint32_t before[SL_VK_N_CALLS];
  memcpy (before, hooks->counts, sizeof before);
  for (int i = 0; i < RUNS; i++)
    g_assert_true (sl_run_execute (run, NULL));
  for (uint32_t i = 0; i < SL_VK_N_CALLS; i++) {
    const bool of_runs = i == SL_VK_QueueSubmit || i == SL_VK_WaitForFences ||
                         i == SL_VK_ResetFences || i == SL_VK_FlushMappedMemoryRanges ||
                         i == SL_VK_InvalidateMappedMemoryRanges;
    g_assert_cmpuint (hooks->counts[i] - before[i], <=, of_runs ? RUNS : 0);
  }
  g_assert_cmpuint (hooks->counts[SL_VK_QueueSubmit] - before[SL_VK_QueueSubmit], ==, RUNS);
  sl_run_free (run);
  sl_program_unref (program);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* A second program of the model makes no device, no pipeline and no copy of the weights. */
static void
test_shared (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = test_vulkan_network (1);
  SlProgram *program = program_of (model);
  uint32_t before[SL_VK_N_CALLS];
  memcpy (before, hooks->counts, sizeof before);
  g_assert_cmpuint (before[SL_VK_CreateDevice], ==, 1);
  SlProgram *other = program_of (model);
  g_assert_cmpuint (hooks->counts[SL_VK_CreateDevice], ==, 1);
  g_assert_cmpuint (hooks->counts[SL_VK_CreateComputePipelines], ==,
                    before[SL_VK_CreateComputePipelines]);
  /* The table is its own. */
  g_assert_cmpuint (hooks->counts[SL_VK_AllocateMemory], <=, before[SL_VK_AllocateMemory] + 2);
  g_assert_cmpuint (hooks->counts[SL_VK_CmdCopyBuffer], <=, before[SL_VK_CmdCopyBuffer] + 1);
  sl_program_unref (program);
  g_autoptr (SlRun) run = sl_run_new (other, NULL);
  g_assert_true (sl_run_execute (run, NULL));
  sl_run_free (g_steal_pointer (&run));
  sl_program_unref (other);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

static void *
make_and_run (void *data)
{
  SlProgram *program = program_of (data);
  SlRun *run = sl_run_new (program, NULL);
  test_vulkan_fill_input (run, 3);
  for (int i = 0; i < 20; i++)
    g_assert_true (sl_run_execute (run, NULL));
  SlTensor *y = sl_run_copy_output (run, 0, NULL);
  sl_run_free (run);
  sl_program_unref (program);
  return y;
}

static void
test_threads (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = test_vulkan_network (1);
  g_autoptr (SlTensor) wanted = make_and_run (model);
  const uint32_t pipelines = hooks->counts[SL_VK_CreateComputePipelines];
  GThread *threads[4];
  /* Held, so that all have the same device. */
  SlProgram *program = program_of (model);
  hooks->counts[SL_VK_CreateComputePipelines] = hooks->counts[SL_VK_DestroyPipeline] = 0;
  sl_program_unref (program);
  hooks->counts[SL_VK_CreateComputePipelines] = hooks->counts[SL_VK_DestroyPipeline] = 0;
  SlVkDevice *device = sl_vk_device_get (test_vulkan_device ()->number, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("test", make_and_run, model);
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++) {
    g_autoptr (SlTensor) y = g_thread_join (threads[i]);
    g_assert_cmpmem (sl_tensor_get_data (y), sl_tensor_get_size (y), sl_tensor_get_data (wanted),
                     sl_tensor_get_size (wanted));
  }
  g_assert_cmpuint (hooks->counts[SL_VK_CreateComputePipelines], ==, pipelines);
  sl_vk_device_unref (device);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

static void
test_cycles (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  const uint32_t number = test_vulkan_device ()->number;
  const int n = g_test_thorough () ? RUNS : RUNS / 10;
  for (int i = 0; i < n; i++) {
    SlVkDevice *device = sl_vk_device_get (number, NULL);
    g_assert_nonnull (device);
    sl_vk_device_unref (device);
    g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
  }
  /* Pipelines are the device's: building them for each program would take minutes here. */
  SlVkDevice *device = sl_vk_device_get (number, NULL);
  SlModel *model = test_vulkan_small_network ();
  int live = 0;
  for (int i = 0; i < RUNS; i++) {
    SlProgram *program = program_of (model);
    SlRun *run = sl_run_new (program, NULL);
    g_assert_true (sl_run_execute (run, NULL));
    sl_run_free (run);
    sl_program_unref (program);
    if (i == 0)
      live = test_vulkan_hooks_count_live (hooks);
    g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, live);
  }
  sl_model_unref (model);
  sl_vk_device_unref (device);
  test_vulkan_hooks_free (hooks);
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vulkan/calls/runs", test_runs);
  g_test_add_func ("/vulkan/calls/shared", test_shared);
  g_test_add_func ("/vulkan/calls/threads", test_threads);
  g_test_add_func ("/vulkan/calls/cycles", test_cycles);
  return g_test_run ();
}
