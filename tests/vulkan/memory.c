/* What does not fit is refused with the numbers, and before anything is allocated. */
#include "vulkan/harness.h"

#include "core/limit.h"

#include <string.h>

#define SIDE 300 /* of matrices: weights of 352 KiB */

/* x (1, 300) → MatMul → y. */
static SlModel *
wide_network (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, SIDE));
  sl_graph_mark_output (graph,
                        test_node (graph, "MatMul", "y", x,
                                   test_constant (graph, "w", SL_SHAPE (SIDE, SIDE), 1), NULL));
  return test_vulkan_model (graph);
}

/* The program is not made; the error says all of `parts`. */
static void
expect_refusal (const TestVulkanHooks *hooks, SlModel *model, guint64 memory_limit,
                SlErrorCode code, const char *const *parts)
{
  g_autoptr (GError) error = NULL;
  const SlProgramOptions options = {.device = test_vulkan_device (), .memory_limit = memory_limit};
  g_assert_null (sl_program_new (model, &options, &error));
  g_test_message ("%s", error->message);
  g_assert_true (g_error_matches (error, SL_ERROR, (gint)code));
  for (; *parts != NULL; parts++)
    g_assert_nonnull (strstr (error->message, *parts));
  g_assert_null (strchr (error->message, '\n'));
  g_assert_cmpuint (hooks->counts[SL_VK_AllocateMemory], ==, 0);
  g_assert_cmpuint (hooks->counts[SL_VK_CreateComputePipelines], ==, 0);
}

static void
test_one_piece (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  g_autoptr (SlModel) model = wide_network ();
  hooks->max_allocation = 100 << 10;
  expect_refusal (hooks, model, 0, SL_ERROR_MEMORY,
                  (const char *const[]){"in one piece", "100.0 KiB", NULL});
  test_vulkan_hooks_free (hooks);
}

static void
test_free_memory (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  g_autoptr (SlModel) model = wide_network ();
  hooks->free_memory = 200 << 10;
  expect_refusal (hooks, model, 0, SL_ERROR_MEMORY,
                  (const char *const[]){"do not fit", "weights", "200.0 KiB", NULL});
  /* What is there already is not counted again. */
  hooks->free_memory = 0;
  g_autoptr (SlProgram) program =
      sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, NULL);
  g_assert_nonnull (program);
  hooks->free_memory = 200 << 10;
  sl_program_unref (test_vulkan_compare (model, NULL));
  sl_program_unref (g_steal_pointer (&program));
  test_vulkan_hooks_free (hooks);
}

static void
test_limit (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  g_autoptr (SlModel) model = wide_network ();
  /* The plan's arena fits, with what goes to and from it it does not. */
  expect_refusal (hooks, model, 4000, SL_ERROR_LIMIT, (const char *const[]){"limit", NULL});
  test_vulkan_hooks_free (hooks);
}

/* Constants of several blocks: one must not be larger than the device gives. */
static void
test_blocks (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlGraph *graph = sl_graph_new ();
  SlValue *value = test_input (graph, "x", SL_SHAPE (4, 64));
  for (int i = 0; i < 6; i++) {
    g_autofree char *name = g_strdup_printf ("w%d", i);
    g_autofree char *out = g_strdup_printf ("y%d", i);
    value = test_node (graph, "Mul", out, value,
                       test_constant (graph, name, SL_SHAPE (4, 64), (uint32_t)i), NULL);
    value = test_node (graph, "Relu", g_intern_string (out), value, NULL);
  }
  sl_graph_mark_output (graph, value);
  g_autoptr (SlModel) model = test_vulkan_model (graph);
  hooks->max_allocation = 8192;
  sl_program_unref (test_vulkan_compare (model, NULL));
  test_vulkan_hooks_free (hooks);
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vulkan/memory/one-piece", test_one_piece);
  g_test_add_func ("/vulkan/memory/free-memory", test_free_memory);
  g_test_add_func ("/vulkan/memory/limit", test_limit);
  g_test_add_func ("/vulkan/memory/blocks", test_blocks);
  return g_test_run ();
}
