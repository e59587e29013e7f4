/* First contents: spread, limits, and that they depend on seed and name alone. */
#include "train/build.h"

#include <math.h>
#include <string.h>

#define N 40000
#define FAN_IN 30
#define FAN_OUT 50

static SlGraph *
drawn (const char *initializer, const char *name, guint64 seed)
{
  SlGraph *graph = sl_graph_new ();
  g_autoptr (SlTensor) content = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (N), NULL);
  SlValue *value = sl_graph_add_tensor (graph, name, SL_VALUE_PARAMETER, content);
  value->initializer = sl_initializer_find (initializer);
  value->fan_in = FAN_IN;
  value->fan_out = FAN_OUT;
  sl_train_initialize (graph, seed);
  return graph;
}

static const float *
numbers (const SlGraph *graph)
{
  return sl_tensor_get_data (((SlValue *)graph->values->pdata[0])->data);
}

/* Keras's: variance 2 / (in + out), 1 / in, 2 / in; a uniform one ends at the root of 3 variances,
 * a truncated normal one at 2 of its own deviations before they are cut. */
static void
test_spread (void)
{
  const double cut = 0.87962566103423978;
  const double glorot = sqrt (2.0 / (FAN_IN + FAN_OUT)), he = sqrt (2.0 / FAN_IN);
  const double lecun = sqrt (1.0 / FAN_IN);
  const struct {
    const char *name;
    double deviation, limit;
  } cases[] = {
      {"glorot_uniform", glorot, sqrt (3) * glorot},
      {"glorot_normal", glorot, 2 * glorot / cut},
      {"he_uniform", he, sqrt (3) * he},
      {"he_normal", he, 2 * he / cut},
      {"lecun_uniform", lecun, sqrt (3) * lecun},
      {"lecun_normal", lecun, 2 * lecun / cut},
      {"random_normal", 0.05, 0.05 * 6.7}, /* the rarest of 2^32 */
      {"pytorch_uniform", 1 / sqrt (3.0 * FAN_IN), 1 / sqrt (FAN_IN)},
      {"zeros", 0, 0},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (SlGraph) graph = drawn (cases[i].name, "w", 1);
    const float *x = numbers (graph);
    double sum = 0, squares = 0, largest = 0;
    for (int k = 0; k < N; k++) {
      sum += (double)x[k];
      squares += (double)x[k] * (double)x[k];
      largest = fmax (largest, fabs ((double)x[k]));
    }
    const double deviation = sqrt (squares / N);
    g_test_message ("%s: mean %g, deviation %g, largest %g", cases[i].name, sum / N, deviation,
                    largest);
    g_assert_cmpfloat (fabs (sum / N), <=, 5 * cases[i].deviation / sqrt (N));
    g_assert_cmpfloat (fabs (deviation - cases[i].deviation), <=, 0.02 * cases[i].deviation);
    g_assert_cmpfloat (largest, <=, cases[i].limit * (1 + 1e-6));
    g_assert_cmpfloat (largest, >=, 0.9 * fmin (cases[i].limit, 3 * cases[i].deviation));
  }
}

static void
test_seed_and_name (void)
{
  g_autoptr (SlGraph) first = drawn ("glorot_uniform", "w", 1);
  g_autoptr (SlGraph) again = drawn ("glorot_uniform", "w", 1);
  g_autoptr (SlGraph) seed = drawn ("glorot_uniform", "w", 2);
  g_autoptr (SlGraph) name = drawn ("glorot_uniform", "v", 1);
  g_assert_cmpmem (numbers (first), N * sizeof (float), numbers (again), N * sizeof (float));
  int same_seed = 0, same_name = 0;
  for (int i = 0; i < N; i++) {
    same_seed += numbers (first)[i] == numbers (seed)[i];
    same_name += numbers (first)[i] == numbers (name)[i];
  }
  g_assert_cmpint (same_seed, <, 10);
  g_assert_cmpint (same_name, <, 10);
}

/* What says nothing of how it is drawn keeps its content. */
static void
test_content_stays (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  const float content[] = {1, 2, 3};
  g_autoptr (SlTensor) tensor = sl_tensor_new_copy (SL_FLOAT32, &SL_SHAPE (3), content, NULL);
  sl_graph_add_tensor (graph, "w", SL_VALUE_PARAMETER, tensor);
  sl_train_initialize (graph, 1);
  g_assert_cmpmem (numbers (graph), sizeof content, content, sizeof content);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/initialize/spread", test_spread);
  g_test_add_func ("/train/initialize/seed-and-name", test_seed_and_name);
  g_test_add_func ("/train/initialize/content-stays", test_content_stays);
  return g_test_run ();
}
