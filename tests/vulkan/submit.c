/* Several runs under way, runs in many submissions, and how long one waits for them. */
#include "vulkan/harness.h"

#include "vulkan/commands.h"

#include <string.h>

#define N_RUNS 3

static SlProgram *
program_of (SlModel *model, const SlDevice *device)
{
  g_autoptr (GError) error = NULL;
  SlProgram *program = sl_program_new (model, &(SlProgramOptions){.device = device}, &error);
  g_assert_no_error (error);
  return program;
}

static SlTensor *
execute (SlProgram *program, uint32_t seed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  test_vulkan_fill_input (run, seed);
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  return sl_run_copy_output (run, 0, NULL);
}

static void
expect_same (SlRun *run, SlTensor *wanted)
{
  g_autoptr (SlTensor) got = sl_run_copy_output (run, 0, NULL);
  g_assert_cmpmem (sl_tensor_get_data (got), sl_tensor_get_size (got), sl_tensor_get_data (wanted),
                   sl_tensor_get_size (wanted));
}

/* All are submitted before one is waited for, in the order of submission or another, and nothing is
 * made meanwhile. */
static void
test_in_flight (gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = test_vulkan_network (1);
  SlProgram *program = program_of (model, sl_device_find (data, NULL));
  const bool on_vulkan = strcmp (data, "vulkan") == 0;
  SlRun *runs[N_RUNS];
  SlTensor *wanted[2 * N_RUNS];
  for (uint32_t i = 0; i < 2 * N_RUNS; i++)
    wanted[i] = execute (program, i);
  for (uint32_t i = 0; i < N_RUNS; i++)
    runs[i] = sl_run_new (program, NULL);
  const uint32_t submitted = hooks->counts[SL_VK_QueueSubmit];
  const uint32_t allocated = hooks->counts[SL_VK_AllocateMemory];
  const uint32_t recorded = hooks->counts[SL_VK_BeginCommandBuffer];
  const uint32_t waited = hooks->counts[SL_VK_WaitForFences];
  for (uint32_t again = 0; again < 10; again++) {
    const uint32_t first = again % 2 * N_RUNS;
    for (uint32_t i = 0; i < N_RUNS; i++) {
      test_vulkan_fill_input (runs[i], first + i);
      g_assert_true (sl_run_submit (runs[i], &error));
      g_assert_no_error (error);
    }
    g_assert_cmpuint (hooks->counts[SL_VK_WaitForFences], ==,
                      waited + (on_vulkan ? again * N_RUNS : 0));
    for (uint32_t k = 0; k < N_RUNS; k++) {
      const uint32_t i = again % 3 == 0 ? N_RUNS - 1 - k : k;
      g_assert_true (sl_run_wait (runs[i], &error));
      g_assert_no_error (error);
      expect_same (runs[i], wanted[first + i]);
    }
  }
  g_assert_cmpuint (hooks->counts[SL_VK_QueueSubmit], ==,
                    submitted + (on_vulkan ? 10 * N_RUNS : 0));
  g_assert_cmpuint (hooks->counts[SL_VK_AllocateMemory], ==, allocated);
  g_assert_cmpuint (hooks->counts[SL_VK_BeginCommandBuffer], ==, recorded);
  /* One is freed while it is under way. */
  g_assert_true (sl_run_submit (runs[0], NULL));
  for (uint32_t i = 0; i < N_RUNS; i++)
    sl_run_free (runs[i]);
  for (uint32_t i = 0; i < 2 * N_RUNS; i++)
    sl_tensor_unref (wanted[i]);
  sl_program_unref (program);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* The error of a run that failed comes when it is waited for. What else was under way ends as it
 * may, and nothing more is begun. */
static void
test_lost (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = test_vulkan_small_network ();
  SlProgram *program = program_of (model, test_vulkan_device ());
  SlRun *runs[N_RUNS];
  for (uint32_t i = 0; i < N_RUNS; i++) {
    runs[i] = sl_run_new (program, NULL);
    test_vulkan_fill_input (runs[i], i);
    g_assert_true (sl_run_submit (runs[i], NULL));
  }
  hooks->fail_call = SL_VK_WaitForFences;
  hooks->seen = hooks->fail_at = 0;
  hooks->result = VK_ERROR_DEVICE_LOST;
  for (uint32_t i = 0; i < N_RUNS; i++) {
    g_autoptr (GError) error = NULL;
    if (!sl_run_wait (runs[i], &error))
      g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
    g_assert_true (i > 0 || error != NULL);
    g_clear_error (&error);
    g_assert_false (sl_run_submit (runs[i], &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
  }
  for (uint32_t i = 0; i < N_RUNS; i++)
    sl_run_free (runs[i]);
  sl_program_unref (program);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* A program whose records have a submission each, and are cut into several, has the same bits. */
static void
test_many_parts (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = test_vulkan_network (2);
  SlProgram *whole = program_of (model, test_vulkan_device ());
  g_autoptr (SlTensor) wanted = execute (whole, 5);
  sl_program_unref (whole);
  hooks->part_seconds = 1e-15;
  SlProgram *program = program_of (model, test_vulkan_device ());
  SlRun *run = sl_run_new (program, NULL);
  test_vulkan_fill_input (run, 5);
  const uint32_t submitted = hooks->counts[SL_VK_QueueSubmit];
  const uint32_t waited = hooks->counts[SL_VK_WaitForFences];
  g_assert_true (sl_run_execute (run, NULL));
  g_assert_cmpuint (hooks->counts[SL_VK_QueueSubmit], >=, submitted + 3);
  g_assert_cmpuint (hooks->counts[SL_VK_CmdDispatchBase], >=, 2);
  g_assert_cmpuint (hooks->counts[SL_VK_WaitForFences], ==, waited + 1);
  expect_same (run, wanted);
  g_autofree guint64 *ns = g_new0 (guint64, sl_program_get_n_steps (program));
  g_assert_true (sl_run_execute_timed (run, ns, NULL));
  expect_same (run, wanted);
  sl_run_free (run);
  sl_program_unref (program);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* Whoever waits allows for what stands before it in the queue. */
static void
test_patience (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlVkDevice) device = sl_vk_device_get (test_vulkan_device ()->number, &error);
  SlVkCommands commands[3];
  g_assert_no_error (error);
  for (size_t i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_assert_true (sl_vk_commands_init (device, &commands[i], NULL));
    g_assert_true (sl_vk_commands_begin (&commands[i], NULL));
    g_assert_cmpint (device->table.vkEndCommandBuffer (commands[i].buffer), ==, VK_SUCCESS);
    commands[i].work.ns = 1000 * (i + 1);
    g_assert_true (sl_vk_device_submit (device, &commands[i].buffer, 1, &commands[i].work, NULL));
  }
  g_assert_cmpuint (commands[1].work.limit, ==, commands[0].work.limit + 2000);
  g_assert_cmpuint (commands[2].work.limit, ==, commands[0].work.limit + 5000);
  g_assert_cmpuint (commands[0].work.limit, >=, G_GUINT64_CONSTANT (10) * 1000000000);
  for (size_t i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_assert_true (sl_vk_device_wait (device, &commands[i].work, NULL));
    sl_vk_commands_clear (&commands[i]);
  }
  g_assert_cmpuint (device->outstanding_ns, ==, 0);
  g_assert_true (sl_vk_check_messages (&error));
}

static gint stopping;

static void *
run_often (void *data)
{
  SlModel *model = test_vulkan_small_network ();
  for (uint32_t i = 0; !g_atomic_int_get (&stopping); i++) {
    SlProgram *program = program_of (model, test_vulkan_device ());
    SlRun *run = sl_run_new (program, NULL), *other = sl_run_new (program, NULL);
    for (int k = 0; k < 20; k++) {
      test_vulkan_fill_input (run, i);
      g_assert_true (sl_run_submit (run, NULL));
      g_assert_true (sl_run_submit (other, NULL));
      g_assert_true (sl_run_wait (run, NULL));
      g_assert_true (sl_run_wait (other, NULL));
    }
    /* Cancelled: what is under way is nobody's any more. */
    g_assert_true (sl_run_submit (other, NULL));
    sl_program_unref (program);
    sl_run_free (other);
    sl_run_free (run);
  }
  sl_model_unref (model);
  return NULL;
}

/* Networks come and go while others run on the same device. */
static void
test_reload (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  GThread *threads[3];
  g_atomic_int_set (&stopping, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("test", run_often, NULL);
  g_usleep (2 * G_USEC_PER_SEC);
  g_atomic_int_set (&stopping, 1);
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  test_vulkan_hooks_free (hooks);
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  g_test_add_data_func ("/vulkan/submit/in-flight", "vulkan", test_in_flight);
  g_test_add_data_func ("/vulkan/submit/in-flight-cpu", "cpu", test_in_flight);
  g_test_add_func ("/vulkan/submit/lost", test_lost);
  g_test_add_func ("/vulkan/submit/many-parts", test_many_parts);
  g_test_add_func ("/vulkan/submit/patience", test_patience);
  g_test_add_func ("/vulkan/submit/reload", test_reload);
  return g_test_run ();
}
