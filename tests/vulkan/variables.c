/* Parameters and state on the device: every reader sees the newest content, wherever it was made,
 * and nothing moves that need not. */
#include "vulkan/harness.h"

#include "graph/live.h"

#include <math.h>
#include <string.h>

#define N 6
#define STEPS 50

/* x (6); state += x; second += state; y = -state: a run changes both. */
static SlModel *
adding_network (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (N));
  SlValue *values[2], *last = x;
  static const char *const names[][2] = {{"state", "next"}, {"second", "after"}};
  for (int i = 0; i < 2; i++) {
    g_autoptr (SlTensor) zeros = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (N), NULL);
    values[i] = sl_graph_add_tensor (graph, names[i][0], SL_VALUE_STATE, zeros);
    last = test_node (graph, "Add", names[i][1], values[i], last, NULL);
    sl_graph_add_update (graph, values[i], last);
  }
  sl_graph_mark_output (graph, test_node (graph, "Neg", "y", last, NULL));
  return test_vulkan_model (graph);
}

/* What reads the same two and changes nothing: y = state * second. */
static SlModel *
reading_network (SlModel *of)
{
  SlGraph *graph = sl_graph_new ();
  SlVariable variables[2];
  SlValue *values[2];
  for (uint32_t i = 0; i < 2; i++) {
    sl_model_get_variable (of, i, &variables[i]);
    values[i] = sl_graph_add_tensor (graph, variables[i].name, SL_VALUE_STATE, variables[i].tensor);
  }
  sl_graph_mark_output (graph, test_node (graph, "Mul", "y", values[0], values[1], NULL));
  return test_vulkan_model (graph);
}

static SlRun *
run_of (SlModel *model, const char *device)
{
  g_autoptr (GError) error = NULL;
  const SlDevice *on = device != NULL ? sl_device_find (device, NULL) : test_vulkan_device ();
  g_autoptr (SlProgram) program = sl_program_new (model, &(SlProgramOptions){.device = on}, &error);
  g_assert_no_error (error);
  SlRun *run = sl_run_new (program, &error);
  g_assert_no_error (error);
  return run;
}

static gboolean
step (SlRun *run, float x, GError **error)
{
  SlTensorView view;
  sl_run_get_input (run, 0, &view);
  for (int i = 0; i < N; i++)
    ((float *)view.data)[i] = x;
  return sl_run_execute (run, error);
}

static double
read_variable (SlModel *model, uint32_t index)
{
  g_autoptr (GError) error = NULL;
  SlVariable variable;
  sl_model_get_variable (model, index, &variable);
  const float *data = sl_variable_read (&variable, &error);
  g_assert_no_error (error);
  for (int i = 1; i < N; i++)
    g_assert_cmpfloat ((double)data[i], ==, (double)data[0]);
  return (double)data[0];
}

static void
set_variable (SlModel *model, uint32_t index, float x)
{
  float data[N];
  SlVariable variable;
  sl_model_get_variable (model, index, &variable);
  for (int i = 0; i < N; i++)
    data[i] = x;
  sl_variable_set (&variable, data);
}

static double
product (SlRun *run)
{
  g_autoptr (GError) error = NULL;
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  g_autoptr (SlTensor) y = sl_run_copy_output (run, 0, NULL);
  return sl_tensor_get_double (y, 0);
}

/* Steps here and there, set and read by the host in between, in an order that holds every pair. */
static void
test_everywhere (void)
{
  static const char order[] = "vvcvccsvrvscrcvsrscsvvrrcv";
  SlModel *model = adding_network ();
  SlModel *reader = reading_network (model);
  g_autoptr (SlRun) vulkan = run_of (model, NULL);
  g_autoptr (SlRun) cpu = run_of (model, "cpu");
  SlRun *const reads[] = {run_of (reader, NULL), run_of (reader, "cpu"), run_of (reader, "ref")};
  double state = 0, second = 0;
  for (size_t i = 0; i < sizeof order - 1; i++) {
    if (order[i] == 's') {
      state = (double)i;
      set_variable (model, 0, (float)i);
    } else if (order[i] == 'r') {
      g_assert_cmpfloat (read_variable (model, 0), ==, state);
    } else {
      state += 1;
      second += state;
      g_assert_true (step (order[i] == 'v' ? vulkan : cpu, 1, NULL));
    }
    for (size_t k = 0; k < G_N_ELEMENTS (reads); k++)
      if (i % 4 == k)
        g_assert_cmpfloat (product (reads[k]), ==, state * second);
  }
  g_assert_cmpfloat (read_variable (model, 1), ==, second);
  for (size_t k = 0; k < G_N_ELEMENTS (reads); k++)
    sl_run_free (reads[k]);
  sl_model_unref (reader);
  sl_model_unref (model);
}

/* Who finds all on the host does not wait for a run elsewhere that has the lock. */
static void
test_no_wait (void)
{
  g_autoptr (GError) error = NULL;
  SlModel *model = adding_network (), *reader = reading_network (model);
  SlRun *run = run_of (model, NULL), *look = run_of (reader, "cpu");
  SlVariable variable;
  sl_model_get_variable (model, 0, &variable);
  g_assert_true (step (run, 3, NULL));
  g_assert_false (sl_live_is_on_host (variable.tensor));
  g_assert_cmpfloat (product (look), ==, 9);
  sl_live_lock ();
  g_assert_cmpfloat (product (look), ==, 9);
  g_assert_nonnull (sl_variable_read (&variable, &error));
  sl_live_unlock ();
  sl_run_free (look);
  sl_run_free (run);
  sl_model_unref (reader);
  sl_model_unref (model);
}

/* Steps, and a look by another program after each, make, record and move nothing but inputs and
 * outputs; a read brings all down once. */
static void
test_counts (void)
{
  static const SlVkCall none[] = {SL_VK_AllocateMemory,        SL_VK_CreateBuffer,
                                  SL_VK_UpdateDescriptorSets,  SL_VK_BeginCommandBuffer,
                                  SL_VK_CmdCopyBuffer,         SL_VK_CreateCommandPool,
                                  SL_VK_AllocateDescriptorSets};
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = adding_network (), *reader = reading_network (model);
  SlRun *run = run_of (model, NULL), *look = run_of (reader, NULL);
  uint32_t before[SL_VK_N_CALLS];
  g_assert_true (step (run, 1, NULL));
  product (look);
  memcpy (before, hooks->counts, sizeof before);
  for (int i = 0; i < STEPS; i++) {
    g_assert_true (step (run, 1, NULL));
    g_assert_cmpfloat (product (look), ==, (i + 2.0) * (i + 2) * (i + 3) / 2);
  }
  for (size_t i = 0; i < G_N_ELEMENTS (none); i++)
    g_assert_cmpuint (hooks->counts[none[i]], ==, before[none[i]]);
  g_assert_cmpuint (hooks->counts[SL_VK_QueueSubmit] - before[SL_VK_QueueSubmit], ==, 2 * STEPS);
  /* One submission for both variables, then none; the device's copies stay the newest, too. */
  read_variable (model, 0);
  const uint32_t submitted = hooks->counts[SL_VK_QueueSubmit];
  g_assert_cmpuint (submitted - before[SL_VK_QueueSubmit], ==, 2 * STEPS + 1);
  read_variable (model, 1);
  read_variable (model, 0);
  product (look);
  g_assert_cmpuint (hooks->counts[SL_VK_QueueSubmit], ==, submitted + 1);
  sl_run_free (look);
  sl_run_free (run);
  sl_model_unref (reader);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* One copy on the device for both programs. */
static void
test_shared (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = adding_network (), *reader = reading_network (model);
  SlVkDevice *device = sl_vk_device_get (test_vulkan_device ()->number, NULL);
  SlRun *run = run_of (model, NULL);
  g_assert_true (step (run, 2, NULL));
  const uint32_t copied = hooks->counts[SL_VK_CmdCopyBuffer];
  SlRun *look = run_of (reader, NULL);
  const uint32_t recorded = hooks->counts[SL_VK_CmdCopyBuffer];
  g_assert_cmpuint (recorded, <=, copied + 2); /* its output, its table */
  g_assert_cmpfloat (product (look), ==, 4);
  g_assert_cmpuint (hooks->counts[SL_VK_CmdCopyBuffer], ==, recorded);
  /* Nothing comes down as long as another program holds it; what the last one leaves is not lost.
   */
  const uint32_t submitted = hooks->counts[SL_VK_QueueSubmit];
  sl_run_free (run);
  g_assert_cmpuint (hooks->counts[SL_VK_QueueSubmit], ==, submitted);
  g_assert_cmpfloat (product (look), ==, 4);
  sl_run_free (look);
  g_assert_cmpfloat (read_variable (model, 0), ==, 2);
  sl_vk_device_unref (device);
  sl_model_unref (reader);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* Whatever call fails: a step took place, or it did not and may be tried again, or the content is
 * lost and everybody who asks is told; never is it half of each. Content that is set anew ends it.
 */
static void
test_faults (void)
{
  static const VkResult results[] = {VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY,
                                     VK_ERROR_DEVICE_LOST};
  uint32_t n_lost = 0, n_kept = 0;
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  for (size_t r = 0; r < G_N_ELEMENTS (results); r++) {
    bool failed = true;
    for (int64_t n = 0; failed; n++) {
      g_autoptr (GError) error = NULL;
      SlModel *model = adding_network ();
      test_vulkan_hooks_reset (hooks);
      SlRun *run = run_of (model, NULL);
      g_assert_true (step (run, 1, NULL));
      set_variable (model, 1, 10); /* so that something goes up */
      test_vulkan_hooks_reset (hooks);
      hooks->fail_at = n;
      hooks->result = results[r];
      double state = 1;
      for (int i = 0; i < 2 && error == NULL; i++)
        state += step (run, 1, &error);
      SlVariable variables[2];
      const float *data[2];
      for (uint32_t i = 0; i < 2; i++) {
        g_autoptr (GError) unread = NULL;
        sl_model_get_variable (model, i, &variables[i]);
        data[i] = sl_variable_read (&variables[i], &unread);
        g_assert_true ((data[i] == NULL) == (unread != NULL));
      }
      failed = hooks->has_failed;
      test_vulkan_hooks_reset (hooks);
      /* The second look is at what is there: a failure of the first is over or final. */
      const float *again[2] = {sl_variable_read (&variables[0], NULL),
                               sl_variable_read (&variables[1], NULL)};
      /* Before the step the second one was the host's own. */
      g_assert_true ((again[0] == NULL) == (again[1] == NULL) ||
                     (state == 1 && again[1] != NULL && *again[1] == 10));
      if (again[0] != NULL) {
        const double second = state == 1 ? 10 : state == 2 ? 12 : 15;
        g_assert_cmpfloat ((double)*again[0], ==, state);
        g_assert_cmpfloat ((double)*again[1], ==, second);
        n_kept += failed;
      } else {
        n_lost++;
        /* What the host has is whole: of the moment before the step. */
        g_assert_cmpfloat ((double)*(const float *)sl_tensor_get_data (variables[1].tensor), ==,
                           10);
        g_autoptr (GError) refused = NULL;
        g_autoptr (SlRun) cpu = run_of (model, "cpu");
        g_assert_false (step (cpu, 1, &refused));
        g_assert_error (refused, SL_ERROR, SL_ERROR_DEVICE);
        set_variable (model, 0, 5);
        set_variable (model, 1, 6);
        g_assert_true (step (cpu, 1, NULL));
        SlRun *anew = run_of (model, NULL);
        g_assert_true (step (anew, 1, NULL));
        g_assert_cmpfloat (read_variable (model, 0), ==, 7);
        g_assert_cmpfloat (read_variable (model, 1), ==, 19);
        sl_run_free (anew);
      }
      sl_run_free (run);
      sl_model_unref (model);
      g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
    }
  }
  g_test_message ("lost %u times, kept %u times", n_lost, n_kept);
  g_assert_cmpuint (n_lost, >, 2);
  g_assert_cmpuint (n_kept, >, 4);
  test_vulkan_hooks_free (hooks);
}

/* The last program goes while its device fails: the content went with it. */
static void
test_lost_with_program (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlModel *model = adding_network ();
  SlRun *run = run_of (model, NULL);
  g_assert_true (step (run, 1, NULL));
  test_vulkan_hooks_reset (hooks);
  hooks->fail_call = SL_VK_QueueSubmit;
  hooks->fail_at = 0;
  hooks->result = VK_ERROR_DEVICE_LOST;
  sl_run_free (run);
  g_autoptr (GError) error = NULL;
  SlVariable variable;
  sl_model_get_variable (model, 0, &variable);
  g_assert_null (sl_variable_read (&variable, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
  set_variable (model, 0, 3);
  g_assert_cmpfloat (read_variable (model, 0), ==, 3);
  sl_model_unref (model);
  test_vulkan_hooks_free (hooks);
}

/* Looking for the node that made a NaN is no step of its own. */
static void
test_nonfinite (void)
{
  static const char *const devices[] = {NULL, "cpu", "ref"};
  for (size_t k = 0; k < G_N_ELEMENTS (devices); k++) {
    g_autoptr (GError) error = NULL;
    SlModel *model = adding_network ();
    SlRun *run = run_of (model, devices[k]);
    g_assert_true (step (run, 1, NULL));
    SlTensorView view;
    sl_run_get_input (run, 0, &view);
    ((float *)view.data)[0] = NAN;
    g_assert_false (sl_run_execute (run, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
    static const float expected[] = {2, 3};
    for (uint32_t i = 0; i < 2; i++) {
      SlVariable variable;
      sl_model_get_variable (model, i, &variable);
      const float *data = sl_variable_read (&variable, NULL);
      g_assert_true (isnan (data[0]));
      g_assert_cmpfloat ((double)data[1], ==, (double)expected[i]);
    }
    sl_run_free (run);
    sl_model_unref (model);
  }
}

/* A parameter that is an output itself, one that a step on the CPU changes, and one larger than a
 * piece of staging memory. */
static void
test_forms (void)
{
  g_autoptr (GError) error = NULL;
  SlGraph *graph = sl_graph_new ();
  const int64_t large = 5 << 20;
  SlValue *x = test_input (graph, "x", SL_SHAPE (1));
  SlValue *axis = sl_graph_add_ints (graph, "axis", (const int64_t[]){0}, 1);
  g_autoptr (SlTensor) zeros = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (N), NULL);
  g_autoptr (SlTensor) many = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (large), NULL);
  SlValue *sums = sl_graph_add_tensor (graph, "sums", SL_VALUE_STATE, zeros);
  SlValue *big = sl_graph_add_tensor (graph, "big", SL_VALUE_PARAMETER, many);
  SlValue *more = test_node (graph, "Add", "more", sums, x, NULL);
  sl_graph_add_update (graph, sums, test_node (graph, "CumSum", "next", more, axis, NULL));
  sl_graph_add_update (graph, big, test_node (graph, "Add", "bigger", big, x, NULL));
  sl_graph_mark_output (graph, test_node (graph, "Identity", "y", sums, NULL));
  SlModel *model = test_vulkan_model (graph);
  SlRun *const runs[] = {run_of (model, NULL), run_of (model, "cpu")};
  float contents[2][2][N];
  for (int k = 0; k < 2; k++) {
    set_variable (model, 0, 0);
    SlVariable variable;
    sl_model_get_variable (model, 1, &variable);
    g_autofree float *content = g_new0 (float, variable.elements);
    for (size_t i = 0; i < variable.elements; i++)
      content[i] = (float)(i % 1000);
    sl_variable_set (&variable, content);
    for (int i = 0; i < 3; i++) {
      SlTensorView view;
      sl_run_get_input (runs[k], 0, &view);
      *(float *)view.data = 1;
      sl_run_execute (runs[k], &error);
      g_assert_no_error (error);
    }
    const float *found = sl_variable_read (&variable, &error);
    g_assert_no_error (error);
    for (size_t i = 0; i < variable.elements; i++)
      if (found[i] != (float)(i % 1000 + 3))
        g_error ("element %zu is %g", i, (double)found[i]);
    /* The output is what the run read. */
    g_autoptr (SlTensor) y = sl_run_copy_output (runs[k], 0, NULL);
    sl_model_get_variable (model, 0, &variable);
    memcpy (contents[k][0], sl_tensor_get_data (y), sizeof contents[k][0]);
    memcpy (contents[k][1], sl_variable_read (&variable, NULL), sizeof contents[k][1]);
  }
  g_assert_cmpmem (contents[0], sizeof contents[0], contents[1], sizeof contents[1]);
  g_assert_cmpfloat ((double)contents[0][0][0], ==, 2);
  g_assert_cmpfloat ((double)contents[0][1][0], ==, 3);
  for (int k = 0; k < 2; k++)
    sl_run_free (runs[k]);
  sl_model_unref (model);
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vulkan/variables/everywhere", test_everywhere);
  g_test_add_func ("/vulkan/variables/no-wait", test_no_wait);
  g_test_add_func ("/vulkan/variables/counts", test_counts);
  g_test_add_func ("/vulkan/variables/shared", test_shared);
  g_test_add_func ("/vulkan/variables/faults", test_faults);
  g_test_add_func ("/vulkan/variables/lost-with-program", test_lost_with_program);
  g_test_add_func ("/vulkan/variables/nonfinite", test_nonfinite);
  g_test_add_func ("/vulkan/variables/forms", test_forms);
  return g_test_run ();
}
