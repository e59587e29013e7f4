#include "vulkan/harness.h"

#include "model-private.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>

static char *cache_folder;

static void
remove_cache_folder (void)
{
  g_autofree char *inner = g_build_filename (cache_folder, "sightline", NULL);
  GDir *folder = g_dir_open (inner, 0, NULL);
  for (const char *name; folder != NULL && (name = g_dir_read_name (folder)) != NULL;) {
    g_autofree char *path = g_build_filename (inner, name, NULL);
    g_remove (path);
  }
  g_clear_pointer (&folder, g_dir_close);
  g_rmdir (inner);
  g_rmdir (cache_folder);
  g_free (cache_folder);
}

/* GLib's folder for caches becomes one of this process, since what is kept of pipelines is no
 * business of the user's. Drivers keep theirs, without which tests are slow. */
static void
make_cache_folder (void)
{
  g_autofree char *before = g_strdup (g_getenv ("XDG_CACHE_HOME"));
  cache_folder = g_dir_make_tmp ("sightline-test-XXXXXX", NULL);
  g_assert_nonnull (cache_folder);
  g_setenv ("XDG_CACHE_HOME", cache_folder, TRUE);
  g_assert_cmpstr (g_get_user_cache_dir (), ==, cache_folder);
  if (before != NULL)
    g_setenv ("XDG_CACHE_HOME", before, TRUE);
  else
    g_unsetenv ("XDG_CACHE_HOME");
  atexit (remove_cache_folder);
}

gboolean
test_vulkan_begin (int *argc, char ***argv, int *ret_status)
{
  g_test_init (argc, argv, NULL);
  return test_vulkan_open (ret_status);
}

gboolean
test_vulkan_open (int *ret_status)
{
  g_autoptr (GError) error = NULL;
  g_setenv ("SIGHTLINE_VULKAN_VALIDATE", "1", FALSE);
  make_cache_folder ();
  if (sl_device_find ("vulkan", &error) != NULL)
    return TRUE;
  const bool required = g_strcmp0 (g_getenv ("SIGHTLINE_TEST_VULKAN"), "require") == 0;
  printf (required ? "Bail out! %s\n" : "1..0 # SKIP %s\n", error->message);
  *ret_status = required ? 1 : 0;
  return FALSE;
}

const SlDevice *
test_vulkan_device (void)
{
  const SlDevice *device = sl_device_find ("vulkan", NULL);
  g_assert_nonnull (device);
  return device;
}

SlModel *
test_vulkan_model (SlGraph *graph)
{
  g_autoptr (GError) error = NULL;
  sl_graph_sort (graph, &error);
  g_assert_no_error (error);
  return sl_model_new_from_graph (graph, "test", NULL);
}

SlModel *
test_vulkan_network (int64_t batch)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (batch, 3, 6, 6));
  SlValue *conv = test_node (graph, "Conv", "conv", x,
                             test_constant (graph, "w", SL_SHAPE (8, 3, 3, 3), 1), NULL);
  SlValue *relu = test_node (graph, "Relu", "relu", conv, NULL);
  SlValue *pool = test_node (graph, "GlobalAveragePool", "pool", relu, NULL);
  SlValue *flat = test_node (graph, "Flatten", "flat", pool, NULL);
  sl_graph_mark_output (graph,
                        test_node (graph, "Gemm", "y", flat,
                                   test_constant (graph, "dense", SL_SHAPE (8, 10), 2), NULL));
  return test_vulkan_model (graph);
}

SlModel *
test_vulkan_small_network (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (4, 5));
  SlValue *relu = test_node (graph, "Relu", "relu", x, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Add", "y", relu,
                                          test_constant (graph, "b", SL_SHAPE (5), 1), NULL));
  return test_vulkan_model (graph);
}

void
test_vulkan_fill_input (SlRun *run, uint32_t seed)
{
  SlTensorView view;
  sl_run_get_input (run, 0, &view);
  size_t n;
  g_assert_true (sl_shape_get_elements (&view.shape, &n));
  for (size_t i = 0; i < n; i++)
    ((float *)view.data)[i] = sinf ((float)(i * 7 + seed * 131 + 1));
}

static void
compare_tensors (SlTensor *got, SlTensor *wanted)
{
  double largest = 1e-6;
  g_assert_true (sl_shape_equal (sl_tensor_get_shape (got), sl_tensor_get_shape (wanted)));
  for (size_t i = 0; i < sl_tensor_get_elements (wanted); i++)
    largest = fmax (largest, fabs (sl_tensor_get_double (wanted, i)));
  for (size_t i = 0; i < sl_tensor_get_elements (wanted); i++)
    g_assert_cmpfloat_with_epsilon (sl_tensor_get_double (got, i), sl_tensor_get_double (wanted, i),
                                    1e-5 * largest);
}

SlProgram *
test_vulkan_compare (SlModel *model, const SlProgramOptions *given)
{
  g_autoptr (GError) error = NULL;
  SlProgramOptions options = given != NULL ? *given : (SlProgramOptions){0};
  options.device = test_vulkan_device ();
  SlProgram *program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  options.device = sl_device_find ("cpu", NULL);
  g_autoptr (SlProgram) other = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  g_autoptr (SlRun) expected = sl_run_new (other, &error);
  for (uint32_t i = 0; i < sl_program_get_n_inputs (program); i++) {
    const SlPort *port = sl_program_get_input (program, i);
    g_autoptr (SlTensor) input = sl_tensor_new (port->dtype, &port->shape, &error);
    for (size_t k = 0; k < sl_tensor_get_elements (input); k++)
      ((float *)sl_tensor_get_data_writable (input))[k] = sinf ((float)(k * 7 + i));
    g_assert_true (sl_run_set_input (run, i, input, NULL));
    g_assert_true (sl_run_set_input (expected, i, input, NULL));
  }
  for (int again = 0; again < 2; again++) {
    sl_run_execute (run, &error);
    g_assert_no_error (error);
    sl_run_execute (expected, &error);
    g_assert_no_error (error);
    for (uint32_t i = 0; i < sl_program_get_n_outputs (program); i++) {
      g_autoptr (SlTensor) got = sl_run_copy_output (run, i, NULL);
      g_autoptr (SlTensor) wanted = sl_run_copy_output (expected, i, NULL);
      compare_tensors (got, wanted);
    }
  }
  return program;
}

/* --- Hooks --- */

/* What makes an object, and what ends it. */
static const struct {
  SlVkCall make, end;
} pairs[] = {
    {SL_VK_CreateDevice, SL_VK_DestroyDevice},
    {SL_VK_CreateBuffer, SL_VK_DestroyBuffer},
    {SL_VK_AllocateMemory, SL_VK_FreeMemory},
    {SL_VK_CreateShaderModule, SL_VK_DestroyShaderModule},
    {SL_VK_CreateDescriptorSetLayout, SL_VK_DestroyDescriptorSetLayout},
    {SL_VK_CreatePipelineLayout, SL_VK_DestroyPipelineLayout},
    {SL_VK_CreatePipelineCache, SL_VK_DestroyPipelineCache},
    {SL_VK_CreateComputePipelines, SL_VK_DestroyPipeline},
    {SL_VK_CreateDescriptorPool, SL_VK_DestroyDescriptorPool},
    {SL_VK_CreateCommandPool, SL_VK_DestroyCommandPool},
    {SL_VK_CreateFence, SL_VK_DestroyFence},
    {SL_VK_CreateQueryPool, SL_VK_DestroyQueryPool},
};

/* What has a result, by its name. */
static bool
can_fail (SlVkCall call)
{
#define NAME(name) #name,
  static const char *const names[] = {SL_VK_CALLS (NAME)};
#undef NAME
  static const char *const without[] = {"Cmd", "Destroy", "Free", "Update"};
  for (size_t i = 0; i < G_N_ELEMENTS (without); i++)
    if (g_str_has_prefix (names[call], without[i]))
      return false;
  return true;
}

static VkResult
take_call (void *data, SlVkCall call)
{
  TestVulkanHooks *hooks = data;
  VkResult result = VK_SUCCESS;
  g_mutex_lock (&hooks->lock);
  const bool may = hooks->fail_call < 0 ? can_fail (call) : hooks->fail_call == (int)call;
  const int64_t number = may ? hooks->seen++ : -1;
  if (may && hooks->fail_at >= 0 && number >= hooks->fail_at &&
      number - hooks->fail_at < hooks->fail_n) {
    hooks->has_failed = true;
    result = hooks->result;
  } else {
    hooks->counts[call]++;
  }
  g_mutex_unlock (&hooks->lock);
  return result;
}

static void
describe (void *data, VkPhysicalDeviceProperties *properties)
{
  const TestVulkanHooks *hooks = data;
  if (hooks->plays_gpu && properties->deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU)
    properties->deviceType = VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
}

static void
limit (void *data, SlGpu *gpu, SlVkLimits *limits)
{
  const TestVulkanHooks *hooks = data;
  if (hooks->binding_range > 0)
    gpu->binding_range = MIN (gpu->binding_range, hooks->binding_range);
  if (hooks->max_bindings > 0)
    gpu->max_bindings = MIN (gpu->max_bindings, hooks->max_bindings);
  if (hooks->is_plain) {
    gpu->alignment = 256;
    gpu->features = 0;
  }
  if (hooks->max_allocation > 0)
    limits->max_allocation = MIN (limits->max_allocation, hooks->max_allocation);
  if (hooks->part_seconds > 0)
    limits->part_seconds = hooks->part_seconds;
  /* It stays what it is for who waits for it. */
  gpu->is_cpu = (gpu->is_cpu || hooks->plays_gpu) && !hooks->works_as_gpu;
}

static void
limit_memory (void *data, uint64_t *free_bytes)
{
  const TestVulkanHooks *hooks = data;
  if (hooks->free_memory > 0)
    *free_bytes = MIN (*free_bytes, hooks->free_memory);
  if (hooks->memory > 0)
    *free_bytes = hooks->memory - MIN (hooks->memory, (uint64_t)hooks->allocated);
}

static void
allocated (void *data, int64_t bytes)
{
  TestVulkanHooks *hooks = data;
  g_mutex_lock (&hooks->lock);
  hooks->allocated += bytes;
  g_mutex_unlock (&hooks->lock);
}

void
test_vulkan_hooks_reset (TestVulkanHooks *hooks)
{
  hooks->fail_at = hooks->fail_call = -1;
  hooks->seen = 0;
  hooks->fail_n = 1;
  hooks->has_failed = false;
}

TestVulkanHooks *
test_vulkan_hooks_new (void)
{
  TestVulkanHooks *hooks = g_new0 (TestVulkanHooks, 1);
  g_mutex_init (&hooks->lock);
  test_vulkan_hooks_reset (hooks);
  hooks->hooks = (SlVkHooks){.call = take_call,
                             .describe = describe,
                             .limit = limit,
                             .limit_memory = limit_memory,
                             .allocated = allocated,
                             .data = hooks};
  sl_vk_hooks = &hooks->hooks;
  return hooks;
}

int
test_vulkan_hooks_count_live (const TestVulkanHooks *hooks)
{
  int live = 0;
  for (size_t i = 0; i < G_N_ELEMENTS (pairs); i++) {
    const int n = (int)hooks->counts[pairs[i].make] - (int)hooks->counts[pairs[i].end];
    g_assert_cmpint (n, >=, 0);
    live += n;
  }
  return live;
}

void
test_vulkan_hooks_free (TestVulkanHooks *hooks)
{
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
  sl_vk_hooks = NULL;
  g_mutex_clear (&hooks->lock);
  g_free (hooks);
}
