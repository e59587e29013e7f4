/* Training on a Vulkan device beside training on the CPU. */
#include "place.h"
#include "vulkan/harness.h"

#include <string.h>

#define PERCEPTRON "Input 6x6x1\nFlatten\nDense 16 relu\nDropout 0.2\nDense 3 softmax\n"
/* A bias in front of a normalisation has no gradient but rounding, whose sign an Adam would follow.
 */
#define CONVOLUTIONAL                                                         \
  "Input 6x6x1\nConv2D 8 3 padding=same use_bias=false\nBatchNormalization\n" \
  "LeakyReLU 0.1\nMaxPooling2D 2\nConv2D 6 3 padding=same activation=tanh\n"  \
  "AveragePooling2D 2 strides=1\nFlatten\nDense 3 softmax\n"

typedef struct Case {
  const char *net, *recipe;
} Case;

static const Case cases[] = {
    {PERCEPTRON, "[optimizer]\nname=rmsprop\n[train]\nepochs=10\nbatch=16\n"},
    {CONVOLUTIONAL,
     "[optimizer]\nname=sgd\nrate=0.02\nmomentum=0.9\n[train]\nepochs=8\nbatch=16\n"},
    {CONVOLUTIONAL, "[optimizer]\nname=adam\n[train]\nepochs=8\nbatch=16\n"},
};

static SlFit *
run_on (Place *place, const Case *of, const SlDevice *device, gboolean resume, guint stop_at)
{
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe = place_make_recipe (of->recipe);
  place->device = device;
  return place_run (place, recipe, resume, stop_at, &end);
}

/* A run that is still looked at keeps its folder. */
static void
use_another_folder (Place *place)
{
  g_free (place->run);
  place->run = g_build_filename (place->folder, "another", NULL);
}

static void
check_same_curve (SlFit *a, SlFit *b)
{
  const SlHistory *one = sl_fit_get_history (a), *other = sl_fit_get_history (b);
  const guint n = sl_history_get_n (one);
  g_assert_cmpuint (n, ==, sl_history_get_n (other));
  g_assert_cmpuint (n, >=, 8);
  for (guint i = 0; i < n; i++) {
    const SlEpoch *left = sl_history_get (one, i), *right = sl_history_get (other, i);
    g_test_message ("epoch %u: loss %.7g and %.7g, validation %.7g and %.7g", i + 1, left->loss,
                    right->loss, left->val_loss, right->val_loss);
    g_assert_cmpfloat_with_epsilon (left->loss, right->loss, 1e-3);
    g_assert_cmpfloat_with_epsilon (left->val_loss, right->val_loss, 1e-3);
  }
  const double first = sl_history_get (one, 0)->loss, last = sl_history_get (one, n - 1)->loss;
  g_test_message ("loss %.7g to %.7g and %.7g", first, last, sl_history_get (other, n - 1)->loss);
  g_assert_cmpfloat (last, <, 0.9 * first);
}

static void
test_same_curve (Place *place, gconstpointer data)
{
  place_use_network (place, ((const Case *)data)->net);
  g_autoptr (SlFit) cpu = run_on (place, data, NULL, FALSE, 0);
  use_another_folder (place);
  g_autoptr (SlFit) vulkan = run_on (place, data, test_vulkan_device (), FALSE, 0);
  check_same_curve (cpu, vulkan);
  g_autofree char *once = place_fingerprint (vulkan);
  g_clear_pointer (&vulkan, sl_fit_free);
  vulkan = run_on (place, data, test_vulkan_device (), FALSE, 0);
  g_autofree char *twice = place_fingerprint (vulkan);
  g_assert_cmpstr (once, ==, twice);
}

/* Begun on the one, in the middle of an epoch, and ended on the other. */
static void
test_moves (Place *place, gconstpointer data)
{
  place_use_network (place, ((const Case *)data)->net);
  const SlDevice *const devices[] = {NULL, test_vulkan_device ()};
  g_autoptr (SlFit) whole = run_on (place, data, NULL, FALSE, 0);
  use_another_folder (place);
  for (int i = 0; i < 2; i++) {
    sl_fit_free (run_on (place, data, devices[i], FALSE, 24));
    g_autoptr (SlFit) fit = run_on (place, data, devices[!i], TRUE, 0);
    check_same_curve (whole, fit);
  }
}

/* A step changes nothing but what lies on the device; a lost device is an error, and what the last
 * checkpoint holds leads to the same bits. */
static void
test_lost (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  const Case *of = data;
  place_use_network (place, of->net);
  g_autoptr (SlRecipe) recipe = place_make_recipe (of->recipe);
  g_autoptr (SlFit) whole = run_on (place, of, test_vulkan_device (), FALSE, 0);
  g_autofree char *expected = place_fingerprint (whole);
  const guint n_batches = place->n_progress;
  g_clear_pointer (&whole, sl_fit_free);
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlFit *fit = place_open_run (place, recipe, FALSE, &error);
  g_assert_no_error (error);
  test_vulkan_hooks_reset (hooks);
  hooks->fail_call = SL_VK_WaitForFences;
  hooks->fail_at = 40;
  hooks->result = VK_ERROR_DEVICE_LOST;
  place->stop_at = 0;
  g_assert_false (sl_fit_run (fit, &end, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
  g_assert_true (hooks->has_failed);
  sl_fit_free (fit);
  g_assert_cmpint (test_vulkan_hooks_count_live (hooks), ==, 0);
  test_vulkan_hooks_reset (hooks);
  fit = run_on (place, of, test_vulkan_device (), TRUE, 0);
  g_assert_cmpuint (place->n_progress, <, n_batches); /* not from the beginning */
  g_autofree char *found = place_fingerprint (fit);
  g_assert_cmpstr (found, ==, expected);
  sl_fit_free (fit);
  test_vulkan_hooks_free (hooks);
}

static void
test_resident (Place *place, gconstpointer data)
{
  static const SlVkCall none[] = {SL_VK_AllocateMemory,       SL_VK_CreateBuffer,
                                  SL_VK_UpdateDescriptorSets, SL_VK_BeginCommandBuffer,
                                  SL_VK_CmdCopyBuffer,        SL_VK_CreateCommandPool};
  g_autoptr (GError) error = NULL;
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlTrainerOptions options = {.batch = 4, .device = test_vulkan_device ()};
  sl_optimizer_init (&options.optimizer, SL_OPTIMIZER_ADAM);
  SlTrainer *trainer = sl_trainer_new (place->model, &options, &error);
  g_assert_no_error (error);
  uint32_t before[SL_VK_N_CALLS];
  for (int i = 0; i < 21; i++) {
    if (i == 1)
      memcpy (before, hooks->counts, sizeof before);
    g_assert_true (sl_trainer_step (trainer, 0.01, NULL, NULL));
    g_assert_true (sl_trainer_evaluate (trainer, 4, NULL, NULL));
  }
  for (size_t i = 0; i < G_N_ELEMENTS (none); i++)
    g_assert_cmpuint (hooks->counts[none[i]], ==, before[none[i]]);
  g_assert_cmpuint (hooks->counts[SL_VK_QueueSubmit] - before[SL_VK_QueueSubmit], ==, 2 * 20);
  sl_trainer_free (trainer);
  test_vulkan_hooks_free (hooks);
}

static void
take_step (Place *place, const SlTrainerOptions *options, SlTrainerInfo *ret_info,
           SlTrainResult *ret_result)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlTrainer) trainer = sl_trainer_new (place->model, options, &error);
  g_assert_no_error (error);
  sl_trainer_get_info (trainer, ret_info);
  sl_trainer_step (trainer, 0.01, ret_result, &error);
  g_assert_no_error (error);
}

/* What does not fit into the device's memory beside the evaluation computes activations again; the
 * loss is the same. */
static void
test_memory (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  SlTrainerOptions options = {.batch = 32, .last_batch = 5, .device = test_vulkan_device ()};
  SlTrainResult results[2];
  SlTrainerInfo infos[2];
  sl_optimizer_init (&options.optimizer, SL_OPTIMIZER_SGD);
  place_use_network (place, data);
  take_step (place, &options, &infos[0], &results[0]);
  g_assert_cmpuint (infos[0].kept_bytes, ==, infos[0].step_bytes);
  g_assert_cmpfloat (infos[0].recomputed_flops, ==, 0);
  /* For the first of these a step alone would fit as it is. */
  const uint64_t memory[] = {infos[0].step_bytes + infos[0].evaluate_bytes / 2,
                             infos[0].step_bytes * 7 / 8 + infos[0].evaluate_bytes};
  const uint64_t weights = infos[0].parameter_bytes + (16 << 10); /* aligned */
  for (size_t i = 0; i < G_N_ELEMENTS (memory); i++) {
    hooks->memory = memory[i] + weights;
    take_step (place, &options, &infos[1], &results[1]);
    g_test_message ("%" G_GUINT64_FORMAT " bytes, then %" G_GUINT64_FORMAT, infos[0].step_bytes,
                    infos[1].step_bytes);
    g_assert_cmpuint (infos[1].step_bytes, <, infos[0].step_bytes);
    g_assert_cmpuint (infos[1].kept_bytes, ==, infos[0].step_bytes);
    g_assert_cmpfloat (infos[1].recomputed_flops, >, 0);
    g_assert_cmpfloat (infos[1].step_flops, ==, infos[0].step_flops + infos[1].recomputed_flops);
    g_assert_cmpfloat (results[0].loss, ==, results[1].loss);
  }
  hooks->memory = infos[0].evaluate_bytes + weights;
  g_assert_null (sl_trainer_new (place->model, &options, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_MEMORY);
  g_assert_nonnull (strstr (error->message, "a step of 32 samples would need"));
  test_vulkan_hooks_free (hooks);
}

/* The content of the variable whose name ends so, brought to the host. */
static const float *
read_variable (SlTrainer *trainer, const char *name, size_t n)
{
  for (uint32_t i = 0; i < sl_trainer_get_n_variables (trainer); i++) {
    SlVariable variable;
    sl_trainer_get_variable (trainer, i, &variable);
    if (!g_str_has_suffix (variable.name, name))
      continue;
    g_assert_cmpuint (variable.elements, ==, n);
    return sl_variable_read (&variable, NULL);
  }
  g_assert_not_reached ();
}

/* A class map has the newest weights, which only the device has when it is asked for. */
static void
test_map (Place *place, gconstpointer unused)
{
  enum { FEATURES = 5 };
  g_autoptr (GError) error = NULL;
  SlTrainerOptions options = {.batch = 4, .device = test_vulkan_device ()};
  place_use_network (place, "Input 6x6x1\nConv2D 5 3\nGlobalAveragePooling2D\nDense 3 softmax\n");
  g_autoptr (SlTrainer) trainer = sl_trainer_new (place->model, &options, &error);
  g_assert_no_error (error);
  float first[FEATURES * CLASSES];
  memcpy (first, read_variable (trainer, "dense/kernel", G_N_ELEMENTS (first)), sizeof first);
  SlTensorView input;
  sl_trainer_get_input (trainer, &input);
  for (int i = 0; i < 4 * 36; i++)
    ((float *)input.data)[i] = (float)(i % 7);
  sl_trainer_get_target (trainer, &input);
  for (int i = 0; i < 4; i++)
    ((float *)input.data)[i * CLASSES + i % 2] = 1;
  for (int i = 0; i < 5; i++) {
    sl_trainer_step (trainer, 0.1, NULL, &error);
    g_assert_no_error (error);
  }
  g_autoptr (SlCam) cam = sl_cam_new (sl_trainer_get_model (trainer), &error);
  g_assert_no_error (error);
  const float *weights = read_variable (trainer, "dense/kernel", G_N_ELEMENTS (first));
  const float *bias = read_variable (trainer, "dense/bias", CLASSES);
  g_assert_cmpfloat ((double)weights[0], !=, (double)first[0]);
  for (uint32_t k = 0; k < FEATURES; k++) {
    float one[FEATURES] = {0}, map;
    one[k] = 1;
    const SlTensorView features = {.data = one,
                                   .dtype = SL_FLOAT32,
                                   .shape = SL_SHAPE (1, FEATURES, 1, 1),
                                   .stride = {FEATURES, 1, 1, 1}};
    for (uint32_t c = 0; c < CLASSES; c++) {
      sl_cam_map (cam, &features, c, &map);
      g_assert_cmpfloat ((double)map, ==, (double)weights[k * CLASSES + c]);
      g_assert_cmpfloat_with_epsilon (sl_cam_get_bias (cam, c), (double)bias[c], 1e-6);
    }
  }
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/train/vulkan/same-curve/%zu", i);
    g_test_add (path, Place, &cases[i], place_set_up, test_same_curve, place_tear_down);
  }
  g_test_add ("/train/vulkan/moves", Place, &cases[2], place_set_up, test_moves, place_tear_down);
  g_test_add ("/train/vulkan/lost", Place, &cases[0], place_set_up, test_lost, place_tear_down);
  g_test_add ("/train/vulkan/memory", Place,
              "Input 6x6x1\nConv2D 32 3 padding=same activation=relu\nConv2D 32 3 padding=same "
              "activation=relu\n"
              "Conv2D 32 3 padding=same activation=relu\nConv2D 32 3 padding=same activation=relu\n"
              "Conv2D 32 3 padding=same activation=relu\nConv2D 32 3 padding=same "
              "activation=relu\nFlatten\n"
              "Dense 3 softmax\n",
              place_set_up, test_memory, place_tear_down);
  g_test_add ("/train/vulkan/map", Place, NULL, place_set_up, test_map, place_tear_down);
  g_test_add ("/train/vulkan/resident", Place, NULL, place_set_up, test_resident, place_tear_down);
  return g_test_run ();
}
