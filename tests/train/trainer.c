/* Training through the public interface. */
#include "train/small.h"
#include "session-private.h"
#include "train/build.h"

#include <sightline/sightline.h>

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define BATCH 8
#define FEATURES 6
#define CLASSES 3

/* x (N, 6) → Gemm 16, Relu → Gemm 3 → Softmax */
static SlModel *
perceptron (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (-1, FEATURES));
  SlValue *hidden = test_node (graph, "Gemm", "hidden", x,
                               test_constant (graph, "w1", SL_SHAPE (FEATURES, 16), 1),
                               test_constant (graph, "b1", SL_SHAPE (16), 2), NULL);
  SlValue *relu = test_node (graph, "Relu", "relu", hidden, NULL);
  SlValue *logits = test_node (graph, "Gemm", "logits", relu,
                               test_constant (graph, "w2", SL_SHAPE (16, CLASSES), 3),
                               test_constant (graph, "b2", SL_SHAPE (CLASSES), 4), NULL);
  sl_graph_mark_output (graph, test_node (graph, "Softmax", "y", logits, NULL));
  return sl_model_new_from_graph (graph, "perceptron", NULL);
}

static SlTrainer *
trainer_for (SlModel *model, const SlTrainerOptions *options)
{
  g_autoptr (GError) error = NULL;
  SlTrainer *trainer = sl_trainer_new (model, options, &error);
  g_assert_no_error (error);
  return trainer;
}

/* Class c is where features 2c and 2c + 1 are large. */
static void
fill (const SlTensorView *x, const SlTensorView *target, GRand *rand)
{
  for (int64_t i = 0; i < x->shape.dim[0]; i++) {
    const int32_t class = g_rand_int_range (rand, 0, CLASSES);
    for (int64_t k = 0; k < FEATURES; k++)
      ((float *)x->data)[i * x->stride[0] + k * x->stride[1]] =
          (float)(g_rand_double_range (rand, -1, 1) + (k / 2 == class));
    for (int64_t k = 0; k < CLASSES; k++)
      ((float *)target->data)[i * target->stride[0] + k * target->stride[1]] = k == class;
  }
}

static SlTrainResult
train (SlTrainer *trainer, uint32_t n_steps, double rate, uint32_t seed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  SlTrainResult result = {0};
  SlTensorView x, target;
  sl_trainer_get_input (trainer, &x);
  sl_trainer_get_target (trainer, &target);
  for (uint32_t i = 0; i < n_steps; i++) {
    fill (&x, &target, rand);
    sl_trainer_step (trainer, rate, &result, &error);
    g_assert_no_error (error);
  }
  return result;
}

static SlTrainResult
evaluate (SlTrainer *trainer, uint32_t seed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  SlTrainResult result = {0}, total = {0};
  SlTensorView x, target;
  sl_trainer_get_eval_input (trainer, &x);
  sl_trainer_get_eval_target (trainer, &target);
  for (uint32_t i = 0; i < 20; i++) {
    fill (&x, &target, rand);
    sl_trainer_evaluate (trainer, BATCH, &result, &error);
    g_assert_no_error (error);
    total.loss += result.loss / 20;
    total.n_right += result.n_right;
  }
  return total;
}

static void
test_learns (void)
{
  static const SlLoss losses[] = {SL_LOSS_CROSS_ENTROPY, SL_LOSS_HINGE, SL_LOSS_MSE, SL_LOSS_MAE};
  for (int kind = SL_OPTIMIZER_SGD; kind <= SL_OPTIMIZER_ADAMW; kind++) {
    for (size_t i = 0; i < G_N_ELEMENTS (losses); i++) {
      g_autoptr (SlModel) model = perceptron ();
      SlTrainerOptions options = {.batch = BATCH, .loss = losses[i]};
      sl_optimizer_init (&options.optimizer, kind);
      if (kind == SL_OPTIMIZER_SGD)
        options.optimizer.momentum = 0.9;
      g_autoptr (SlTrainer) trainer = trainer_for (model, &options);
      const SlTrainResult before = evaluate (trainer, 7);
      train (trainer, 300, 0.01, 3);
      const SlTrainResult after = evaluate (trainer, 7);
      g_test_message ("optimizer %d, loss %d: %g to %g, %u to %u of %u", kind, losses[i],
                      before.loss, after.loss, before.n_right, after.n_right, 20 * BATCH);
      g_assert_cmpfloat (after.loss, <, 0.75 * before.loss);
      if (losses[i] == SL_LOSS_CROSS_ENTROPY)
        g_assert_cmpuint (after.n_right, >, 20 * BATCH * 6 / 10);
    }
  }
}

static void
assert_same (SlTrainer *a, SlTrainer *b, double tolerance)
{
  g_assert_cmpuint (sl_trainer_get_n_variables (a), ==, sl_trainer_get_n_variables (b));
  for (uint32_t i = 0; i < sl_trainer_get_n_variables (a); i++) {
    SlVariable left, right;
    sl_trainer_get_variable (a, i, &left);
    sl_trainer_get_variable (b, i, &right);
    g_assert_cmpstr (left.name, ==, right.name);
    const float *x = sl_variable_read (&left, NULL), *y = sl_variable_read (&right, NULL);
    for (size_t k = 0; k < left.elements; k++)
      if (fabsf (x[k] - y[k]) > tolerance * MAX (1, fabsf (y[k])))
        g_error ("%s, element %zu: %.9g and %.9g", left.name, k, (double)x[k], (double)y[k]);
  }
}

/* A smaller batch is a batch: its mean is over its own samples. */
static void
test_last_batch (void)
{
  g_autoptr (SlModel) model = perceptron ();
  SlTrainerOptions options = {.batch = BATCH, .last_batch = 3};
  sl_optimizer_init (&options.optimizer, SL_OPTIMIZER_ADAM);
  g_autoptr (SlTrainer) both = trainer_for (model, &options);
  options.batch = 3;
  options.last_batch = 0;
  g_autoptr (SlTrainer) small = trainer_for (model, &options);
  sl_trainer_choose_last (both, TRUE);
  const SlTrainResult a = train (both, 4, 0.01, 5), b = train (small, 4, 0.01, 5);
  g_assert_cmpfloat (a.loss, ==, b.loss);
  g_assert_cmpuint (a.n_right, ==, b.n_right);
  assert_same (both, small, 0);

  /* Both go on with the same moments: of the same samples twice the mean is that of once. */
  options.batch = 6;
  g_autoptr (SlTrainer) twice = trainer_for (model, &options);
  options.last_batch = 6;
  options.batch = 3;
  g_autoptr (SlTrainer) mixed = trainer_for (model, &options);
  for (uint32_t i = 0; i < 4; i++) {
    SlTrainer *const trainers[] = {twice, mixed};
    sl_trainer_choose_last (mixed, i % 2);
    for (uint32_t k = 0; k < 2; k++) {
      g_autoptr (GError) error = NULL;
      SlTensorView x, target;
      sl_trainer_get_input (trainers[k], &x);
      sl_trainer_get_target (trainers[k], &target);
      for (int64_t row = 0; row < x.shape.dim[0]; row += 3) {
        g_autoptr (GRand) rand = g_rand_new_with_seed (i);
        SlTensorView part = x, goal = target;
        part.shape.dim[0] = 3;
        part.data = (float *)x.data + row * x.stride[0];
        goal.data = (float *)target.data + row * target.stride[0];
        fill (&part, &goal, rand);
      }
      sl_trainer_step (trainers[k], 0.01, NULL, &error);
      g_assert_no_error (error);
    }
  }
  assert_same (twice, mixed, 1e-5);
}

/* The largest output counts with any loss; class weights and smoothing are no part of what an
 * evaluation says. */
static void
test_evaluation (void)
{
  g_autoptr (SlModel) model = perceptron ();
  const float weights[] = {1, 5, 0.1f};
  const SlTrainerOptions plain = {.batch = BATCH}, mse = {.batch = BATCH, .loss = SL_LOSS_MSE},
                         weighted = {.batch = BATCH,
                                     .class_weights = weights,
                                     .n_class_weights = CLASSES,
                                     .label_smoothing = 0.2};
  g_autoptr (SlTrainer) a = trainer_for (model, &plain);
  g_autoptr (SlTrainer) b = trainer_for (model, &weighted);
  g_autoptr (SlTrainer) c = trainer_for (model, &mse);
  const SlTrainResult of_a = evaluate (a, 7), of_b = evaluate (b, 7), of_c = evaluate (c, 7);
  g_assert_cmpfloat (of_a.loss, ==, of_b.loss);
  g_assert_cmpuint (of_a.n_right, >, 0);
  g_assert_cmpuint (of_a.n_right, ==, of_b.n_right);
  g_assert_cmpuint (of_a.n_right, ==, of_c.n_right);
}

static void
test_patterns (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = perceptron ();
  const SlRateRule rules[] = {{"b?", 0.5, FALSE}, {"conv1.*", 0, FALSE}};
  SlTrainerOptions options = {.batch = BATCH, .rules = rules, .n_rules = 2};
  g_assert_null (sl_trainer_new (model, &options, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "name fits 'conv1.*'"));
}

static void
test_threads_and_reference (void)
{
  g_autoptr (SlModel) model = perceptron ();
  SlTrainerOptions options = {.batch = BATCH, .clip_norm = 1, .threads = 1};
  sl_optimizer_init (&options.optimizer, SL_OPTIMIZER_ADAM);
  g_autoptr (SlTrainer) one = trainer_for (model, &options);
  options.threads = 3;
  g_autoptr (SlTrainer) three = trainer_for (model, &options);
  options.device = sl_device_find ("ref", NULL);
  g_autoptr (SlTrainer) reference = trainer_for (model, &options);
  train (one, 20, 0.01, 5);
  train (three, 20, 0.01, 5);
  train (reference, 20, 0.01, 5);
  assert_same (one, three, 0);
  assert_same (one, reference, 1e-5);
}

static void
test_frozen_and_rates (void)
{
  g_autoptr (SlModel) model = perceptron ();
  const SlRateRule rules[] = {{"w1", 0, FALSE}, {"b?", 0.5, FALSE}};
  SlTrainerOptions options = {.batch = BATCH, .rules = rules, .n_rules = 2};
  g_autoptr (SlTrainer) trainer = trainer_for (model, &options);
  g_autoptr (SlTrainer) plain = trainer_for (model, &(SlTrainerOptions){.batch = BATCH});
  g_autoptr (SlModel) before = sl_model_new_trainable (model, NULL);
  SlTrainerInfo info;
  sl_trainer_get_info (trainer, &info);
  g_assert_cmpuint (info.frozen, ==, FEATURES * 16);
  g_assert_cmpuint (info.parameters, ==, 16 + 16 * CLASSES + CLASSES);
  train (trainer, 1, 0.1, 1);
  train (plain, 1, 0.1, 1);
  for (uint32_t i = 0; i < sl_model_get_n_variables (before); i++) {
    SlVariable was, is, fast;
    sl_model_get_variable (before, i, &was);
    sl_trainer_get_variable (trainer, i, &is);
    sl_trainer_get_variable (plain, i, &fast);
    const double factor = was.name[0] == 'b' ? 0.5 : strcmp (was.name, "w1") == 0 ? 0 : 1;
    const float *old = sl_variable_read (&was, NULL), *new = sl_variable_read (&is, NULL);
    const float *faster = sl_variable_read (&fast, NULL);
    for (size_t k = 0; k < was.elements; k++) {
      const double full = (double)faster[k] - (double)old[k];
      const double got = (double)new[k] - (double)old[k];
      g_assert_cmpfloat_with_epsilon (got, factor * full, 1e-6);
    }
  }
}

/* Noise, and one channel brighter or darker by class. */
static void
fill_pictures (SlTrainer *trainer, GRand *rand)
{
  SlTensorView x, target;
  sl_trainer_get_input (trainer, &x);
  sl_trainer_get_target (trainer, &target);
  for (int64_t i = 0; i < BATCH; i++) {
    const int32_t class = g_rand_int_range (rand, 0, CLASSES);
    for (int64_t k = 0; k < 2 * 36; k++)
      ((float *)x.data)[i * x.stride[0] + k / 36 * x.stride[1] + k / 6 % 6 * x.stride[2] +
                        k % 6 * x.stride[3]] =
          (float)(g_rand_double_range (rand, -1, 1) + class * (k / 36 ? 1 : -1));
    for (int64_t k = 0; k < CLASSES; k++)
      ((float *)target.data)[i * target.stride[0] + k * target.stride[1]] = k == class;
  }
}

static const SlVariable *
find_variable (SlTrainer *trainer, const char *name)
{
  static SlVariable found;
  for (uint32_t i = 0; i < sl_trainer_get_n_variables (trainer); i++) {
    sl_trainer_get_variable (trainer, i, &found);
    if (strcmp (found.name, name) == 0)
      return &found;
  }
  g_error ("no variable %s", name);
}

static void
check_convolutional (bool has_norm)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = small_convolutional (has_norm);
  SlTrainerOptions options = {.batch = BATCH, .threads = 1, .seed = 11};
  sl_optimizer_init (&options.optimizer, SL_OPTIMIZER_ADAM);
  g_autoptr (SlTrainer) one = trainer_for (model, &options);
  options.threads = 3;
  g_autoptr (SlTrainer) three = trainer_for (model, &options);
  options.device = sl_device_find ("ref", NULL);
  g_autoptr (SlTrainer) reference = trainer_for (model, &options);
  g_autofree char *wrong = sl_plan_check (sl_session_get_plan (sl_trainer_get_step_program (one)));
  g_assert_cmpstr (wrong, ==, NULL);
  SlTrainer *const trainers[] = {one, three, reference};
  double first = 0, last = 0;
  for (size_t k = 0; k < G_N_ELEMENTS (trainers); k++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (3);
    SlTrainResult result;
    for (int i = 0; i < (k < 2 ? 150 : 10); i++) {
      fill_pictures (trainers[k], rand);
      sl_trainer_step (trainers[k], 0.01, &result, &error);
      g_assert_no_error (error);
      first = i < 10 && k == 0 ? first + result.loss / 10 : first;
      last = i >= 140 && k == 0 ? last + result.loss / 10 : last;
    }
  }
  assert_same (one, three, 0);
  g_assert_cmpfloat (last, <, first / 2);
  if (has_norm) {
    g_assert_cmpfloat (*(const float *)sl_variable_read (find_variable (one, "mean"), NULL), !=, 0);
    g_assert_true (find_variable (one, "mean")->is_state);
    g_assert_false (find_variable (one, "gamma")->is_state);
  }
  /* The reference went ten steps: so far a second one on the CPU agrees with it. */
  options.device = NULL;
  g_autoptr (SlTrainer) again = trainer_for (model, &options);
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  for (int i = 0; i < 10; i++) {
    fill_pictures (again, rand);
    sl_trainer_step (again, 0.01, NULL, &error);
    g_assert_no_error (error);
  }
  assert_same (again, reference, 2e-4);
}

/* Steps that compute activations again (normalisation, dropout) have the same bits, and a plan that
 * keeps its rules. */
static void
test_recomputed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = small_convolutional (true);
  SlTrainerOptions options = {.batch = BATCH, .seed = 11};
  SlTrainerInfo kept, less;
  g_autoptr (SlTrainer) whole = trainer_for (model, &options);
  sl_trainer_get_info (whole, &kept);
  options.memory_limit = kept.step_bytes - 1;
  g_autoptr (SlTrainer) again = trainer_for (model, &options);
  sl_trainer_get_info (again, &less);
  g_assert_cmpuint (less.step_bytes, <, kept.step_bytes);
  g_assert_cmpfloat (less.step_flops, ==, kept.step_flops + less.recomputed_flops);
  g_autofree char *wrong =
      sl_plan_check (sl_session_get_plan (sl_trainer_get_step_program (again)));
  g_assert_cmpstr (wrong, ==, NULL);
  SlTrainer *const trainers[] = {whole, again};
  for (size_t k = 0; k < G_N_ELEMENTS (trainers); k++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (3);
    for (int i = 0; i < 5; i++) {
      fill_pictures (trainers[k], rand);
      sl_trainer_step (trainers[k], 0.01, NULL, &error);
      g_assert_no_error (error);
    }
  }
  assert_same (whole, again, 0);
}

static void
test_convolutional (void)
{
  check_convolutional (false);
}

static void
test_batch_norm (void)
{
  check_convolutional (true);
}

/* --- What several layers share, what stays --- */

static const float *
find_data (SlTrainer *trainer, const char *name)
{
  return sl_variable_read (find_variable (trainer, name), NULL);
}

/* x (N, 6) → Gemm w, Relu → Gemm w (or its twin), Relu → Gemm 3 */
static SlModel *
twice (const char *second)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (-1, FEATURES));
  SlValue *w = test_constant (graph, "w", SL_SHAPE (FEATURES, FEATURES), 1);
  SlValue *again = strcmp (second, "w") == 0
                       ? w
                       : test_constant (graph, second, SL_SHAPE (FEATURES, FEATURES), 1);
  SlValue *one = test_node (graph, "Relu", "r1", test_node (graph, "Gemm", "g1", x, w, NULL), NULL);
  SlValue *two =
      test_node (graph, "Relu", "r2", test_node (graph, "Gemm", "g2", one, again, NULL), NULL);
  sl_graph_mark_output (
      graph, test_node (graph, "Gemm", "y", two,
                        test_constant (graph, "v", SL_SHAPE (FEATURES, CLASSES), 3), NULL));
  return sl_model_new_from_graph (graph, "twice", NULL);
}

/* Weights that two layers read go as far as those of two layers together. */
static void
test_shared_weights (void)
{
  g_autoptr (SlModel) shared = twice ("w"), apart = twice ("twin");
  SlTrainerOptions options = {.batch = BATCH};
  g_autoptr (SlTrainer) one = trainer_for (shared, &options);
  g_autoptr (SlTrainer) two = trainer_for (apart, &options);
  options.device = sl_device_find ("ref", NULL);
  g_autoptr (SlTrainer) reference = trainer_for (shared, &options);
  float before[FEATURES * FEATURES];
  double moved = 0;
  g_assert_cmpuint (sl_trainer_get_n_variables (one), ==, 2);
  memcpy (before, find_data (one, "w"), sizeof before);
  train (one, 1, 0.1, 1);
  train (two, 1, 0.1, 1);
  train (reference, 1, 0.1, 1);
  assert_same (one, reference, 1e-6);
  for (size_t i = 0; i < G_N_ELEMENTS (before); i++) {
    const double together = (double)find_data (one, "w")[i] - (double)before[i];
    const double first = (double)find_data (two, "w")[i] - (double)before[i];
    const double second = (double)find_data (two, "twin")[i] - (double)before[i];
    g_assert_cmpfloat_with_epsilon (together, first + second, 1e-6);
    moved = fmax (moved, fmin (fabs (first), fabs (second)));
  }
  g_assert_cmpfloat (moved, >, 1e-4);
}

/* x (N, 8, 2, 2) → BatchNormalization, once or twice with the same vectors, both added →
 * GlobalAveragePool */
static SlModel *
normalised (bool is_shared)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (-1, 8, 2, 2));
  SlValue *norm = small_batch_norm (graph, x);
  if (is_shared) {
    const SlNode *node = norm->producer;
    SlValue *again = test_node (graph, "BatchNormalization", "again", x, node->inputs[1],
                                node->inputs[2], node->inputs[3], node->inputs[4], NULL);
    test_set_float (again, "momentum", 0.75f);
    norm = test_node (graph, "Add", "sum", norm, again, NULL);
  }
  sl_graph_mark_output (graph, test_node (graph, "GlobalAveragePool", "y", norm, NULL));
  return sl_model_new_from_graph (graph, "normalised", NULL);
}

/* One step, and what an evaluation of the same samples said before it. */
static SlTrainResult
step_normalised (SlTrainer *trainer, SlTrainResult *ret_before)
{
  g_autoptr (GError) error = NULL;
  SlTensorView views[4];
  SlTrainResult result;
  sl_trainer_get_input (trainer, &views[0]);
  sl_trainer_get_eval_input (trainer, &views[1]);
  sl_trainer_get_target (trainer, &views[2]);
  sl_trainer_get_eval_target (trainer, &views[3]);
  for (size_t k = 0; k < 4; k++) /* dense in either order: what matters is that both see the same */
    for (int i = 0; i < (k < 2 ? 32 : 8) * BATCH; i++)
      ((float *)views[k].data)[i] = k < 2 ? (float)(i * 37 % 101) / 50 : (float)(i % 9 == 0);
  sl_trainer_evaluate (trainer, BATCH, ret_before, &error);
  g_assert_no_error (error);
  sl_trainer_step (trainer, 0.1, &result, &error);
  g_assert_no_error (error);
  return result;
}

/* Running moments that two nodes carry on are carried twice: 3/4 and 1/4 of the batch's, twice. */
static void
test_shared_moments (void)
{
  static const char *const devices[] = {"cpu", "ref"};
  for (size_t d = 0; d < G_N_ELEMENTS (devices); d++) {
    g_autoptr (SlModel) once = normalised (false), both = normalised (true);
    const SlTrainerOptions options = {.batch = BATCH, .device = sl_device_find (devices[d], NULL)};
    g_autoptr (SlTrainer) one = trainer_for (once, &options), two = trainer_for (both, &options);
    SlTrainResult before;
    step_normalised (one, &before);
    step_normalised (two, &before);
    for (int c = 0; c < 8; c++) {
      const double mean = (double)find_data (one, "mean")[c];
      const double variance = (double)find_data (one, "variance")[c] - 0.75;
      g_assert_cmpfloat_with_epsilon ((double)find_data (two, "mean")[c], 1.75 * mean, 1e-5);
      g_assert_cmpfloat_with_epsilon ((double)find_data (two, "variance")[c],
                                      0.5625 + 1.75 * variance, 1e-5);
    }
  }
}

/* A frozen normalisation is that of inference, as Keras's; one whose scale and shift alone are
 * frozen still normalises by the batch, as PyTorch's without requires_grad. */
static void
test_frozen_norm (void)
{
  const SlRateRule rules[] = {{"gamma", 0, FALSE}, {"mean", 0, FALSE}, {"variance", 0, FALSE}};
  g_autoptr (SlModel) model = normalised (false);
  SlTrainerOptions options = {.batch = BATCH, .rules = rules, .n_rules = 3};
  g_autoptr (SlTrainer) frozen = trainer_for (model, &options);
  options.n_rules = 1;
  g_autoptr (SlTrainer) half = trainer_for (model, &options);
  SlTrainResult before, step;
  step = step_normalised (frozen, &before);
  g_assert_cmpfloat_with_epsilon (step.loss, before.loss, 1e-6);
  for (int c = 0; c < 8; c++) {
    g_assert_cmpfloat (find_data (frozen, "mean")[c], ==, 0);
    g_assert_cmpfloat (find_data (frozen, "variance")[c], ==, 1);
  }
  step = step_normalised (half, &before);
  g_assert_cmpfloat (fabs (step.loss - before.loss), >, 1e-3);
  g_assert_cmpfloat (find_data (half, "mean")[0], !=, 0);
  g_assert_cmpfloat (find_data (half, "gamma")[0], ==, 1);
  g_assert_cmpfloat (find_data (half, "beta")[0], !=, 0);
}

/* --- What cannot be trained is said before anything runs --- */

static void
assert_refused (SlGraph *graph, const SlTrainerOptions *options, const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = sl_model_new_from_graph (graph, "refused", NULL);
  g_assert_null (sl_trainer_new (model, options, &error));
  g_assert_nonnull (error);
  if (strstr (error->message, why) == NULL || !g_str_has_prefix (error->message, "refused: "))
    g_error ("%s (expected: %s)", error->message, why);
}

static SlGraph *
dense (const char *end)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (-1, 4));
  SlValue *y =
      test_node (graph, "Gemm", "dense", x, test_constant (graph, "w", SL_SHAPE (4, 3), 1), NULL);
  sl_graph_mark_output (graph, end != NULL ? test_node (graph, end, "end", y, NULL) : y);
  return graph;
}

static void
test_refused (void)
{
  const SlTrainerOptions plain = {.batch = 2};
  assert_refused (dense ("Sigmoid"), &plain, "cross-entropy wants a Softmax");
  assert_refused (dense ("ArgMax"), &plain, "is int64, expected float32");

  const float weights[] = {1, 2};
  const SlTrainerOptions weighted = {.batch = 2, .class_weights = weights, .n_class_weights = 2};
  assert_refused (dense (NULL), &weighted, "2 class weights given, the network has 3 classes");

  const SlRateRule all = {"*", 0, FALSE};
  const SlTrainerOptions frozen = {.batch = 2, .rules = &all, .n_rules = 1};
  assert_refused (dense (NULL), &frozen, "no parameter to train");

  SlGraph *two = dense (NULL);
  test_input (two, "another", SL_SHAPE (1));
  assert_refused (two, &plain, "has 2 inputs");

  SlGraph *shared = sl_graph_new ();
  SlValue *norm = small_batch_norm (shared, test_input (shared, "x", SL_SHAPE (-1, 8, 2, 2)));
  sl_node_set_input (norm->producer, 4, norm->producer->inputs[3]);
  sl_graph_mark_output (shared, test_node (shared, "GlobalAveragePool", "y", norm, NULL));
  assert_refused (shared, &plain, "'mean' is running mean and variance at once");

  const SlTrainerOptions small = {.batch = 2, .memory_limit = 64};
  assert_refused (dense (NULL), &small, "limit");
}

/* Steps go on with the same bits when all contents are put into another trainer. */
static void
test_resume (void)
{
  g_autoptr (SlModel) model = perceptron ();
  SlTrainerOptions options = {.batch = BATCH};
  sl_optimizer_init (&options.optimizer, SL_OPTIMIZER_ADAM);
  g_autoptr (SlTrainer) whole = trainer_for (model, &options);
  g_autoptr (SlTrainer) resumed = trainer_for (model, &options);
  train (whole, 5, 0.01, 1);
  for (uint32_t i = 0; i < sl_trainer_get_n_variables (whole); i++) {
    SlVariable from, to;
    sl_trainer_get_variable (whole, i, &from);
    sl_trainer_get_variable (resumed, i, &to);
    sl_variable_set (&to, sl_variable_read (&from, NULL));
  }
  sl_trainer_set_step (resumed, sl_trainer_get_step (whole));
  train (whole, 5, 0.01, 2);
  train (resumed, 5, 0.01, 2);
  assert_same (whole, resumed, 0);
}

/* An input too large makes the loss infinite: nothing changes, and the error says where. */
static void
test_not_finite (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = perceptron ();
  SlTrainerOptions options = {.batch = BATCH, .loss = SL_LOSS_MSE};
  sl_optimizer_init (&options.optimizer, SL_OPTIMIZER_ADAM);
  g_autoptr (SlTrainer) trainer = trainer_for (model, &options);
  g_autoptr (SlTrainer) twin = trainer_for (model, &options);
  train (trainer, 3, 0.01, 1);
  train (twin, 3, 0.01, 1);
  SlTensorView target;
  sl_trainer_get_target (trainer, &target);
  *(float *)target.data = 1e30f;
  g_assert_false (sl_trainer_step (trainer, 0.25, NULL, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
  g_assert_nonnull (strstr (error->message, "step 4 at rate 0.25: node train/loss"));
  g_assert_cmpuint (sl_trainer_get_step (trainer), ==, 3);
  assert_same (trainer, twin, 0);
}

static void
test_save (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = perceptron ();
  g_autoptr (SlTrainer) trainer = trainer_for (model, &(SlTrainerOptions){.batch = BATCH});
  train (trainer, 10, 0.1, 1);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "sl-trained.onnx", NULL);
  const char *const keys[] = {"sightline.note"}, *const values[] = {"ten steps"};
  sl_trainer_save_model (trainer, path, keys, values, 1, &error);
  g_assert_no_error (error);
  g_autoptr (SlModel) loaded = sl_model_load (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sl_model_get_metadata (loaded, "sightline.note"), ==, "ten steps");
  g_assert_cmpuint (sl_model_get_n_variables (loaded), ==, 0);
  g_autoptr (SlModel) again = sl_model_new_trainable (loaded, &error);
  for (uint32_t i = 0; i < sl_model_get_n_variables (again); i++) {
    SlVariable left, right;
    sl_model_get_variable (again, i, &left);
    sl_trainer_get_variable (trainer, i, &right);
    g_assert_cmpstr (left.name, ==, right.name);
    g_assert_cmpmem (sl_variable_read (&left, NULL), left.bytes, sl_variable_read (&right, NULL),
                     right.bytes);
  }
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/trainer/learns", test_learns);
  g_test_add_func ("/train/trainer/last-batch", test_last_batch);
  g_test_add_func ("/train/trainer/evaluation", test_evaluation);
  g_test_add_func ("/train/trainer/patterns", test_patterns);
  g_test_add_func ("/train/trainer/threads-and-reference", test_threads_and_reference);
  g_test_add_func ("/train/trainer/convolutional", test_convolutional);
  g_test_add_func ("/train/trainer/batch-norm", test_batch_norm);
  g_test_add_func ("/train/trainer/recomputed", test_recomputed);
  g_test_add_func ("/train/trainer/shared-weights", test_shared_weights);
  g_test_add_func ("/train/trainer/shared-moments", test_shared_moments);
  g_test_add_func ("/train/trainer/frozen-norm", test_frozen_norm);
  g_test_add_func ("/train/trainer/refused", test_refused);
  g_test_add_func ("/train/trainer/resume", test_resume);
  g_test_add_func ("/train/trainer/frozen-and-rates", test_frozen_and_rates);
  g_test_add_func ("/train/trainer/not-finite", test_not_finite);
  g_test_add_func ("/train/trainer/save", test_save);
  return g_test_run ();
}
