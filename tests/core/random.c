#include "core/random.h"

#include <glib.h>
#include <math.h>

/* Quantiles of the normal distribution as in printed tables. */
static void
test_normal (void)
{
  static const struct {
    double p, x;
  } quantiles[] = {{0.5, 0},          {0.841344746, 1},   {0.158655254, -1}, {0.975, 1.959964},
                   {0.999, 3.090232}, {0.001, -3.090232}, {0.99, 2.326348}};
  for (gsize i = 0; i < G_N_ELEMENTS (quantiles); i++) {
    uint32_t bits = (uint32_t)(quantiles[i].p * 0x1p32);
    g_assert_cmpfloat_with_epsilon ((double)sl_normal (bits), quantiles[i].x, 1e-5);
  }
  g_assert_cmpfloat_with_epsilon (sl_normal (0), -sl_normal (0xffffffff), 1e-6f);
  g_assert_cmpfloat_with_epsilon (sl_normal (0xffffffff), 6.3379f, 1e-3f);
}

static void
test_below (void)
{
  const uint32_t n = 70000;
  uint32_t counts[7] = {0};
  SlRandom random = sl_random_start (1, 50, 2, 3);
  for (uint32_t i = 0; i < n; i++)
    counts[sl_random_below (&random, 7)]++;
  for (int i = 0; i < 7; i++) /* 10,000; five deviations are 463 */
    g_assert_true (counts[i] > 9537 && counts[i] < 10463);
  for (int i = 0; i < 100; i++)
    g_assert_cmpuint (sl_random_below (&random, 1), ==, 0);
}

/* Other names, other numbers. */
static void
test_names (void)
{
  SlRandom first = sl_random_start (1, 50, 2, 3), same = first;
  SlRandom others[] = {sl_random_start (2, 50, 2, 3), sl_random_start (1, 51, 2, 3),
                       sl_random_start (1, 50, 3, 3), sl_random_start (1, 50, 2, 4),
                       sl_random_start (1 + (1ull << 32), 50, 2, 3)};
  uint32_t bits = sl_random_bits (&first);
  g_assert_cmpuint (bits, ==, sl_random_bits (&same));
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_cmpuint (bits, !=, sl_random_bits (&others[i]));
  for (int i = 0; i < 9; i++)
    g_assert_cmpuint (sl_random_bits (&first), ==, sl_random_bits (&same));
}

/* Mean 1/2 and variance 1 / (4 (2 a + 1)). */
static void
test_beta (void)
{
  static const double shapes[] = {0.2, 1, 3};
  const int n = 20000;
  for (gsize s = 0; s < G_N_ELEMENTS (shapes); s++) {
    double sum = 0, square = 0, wanted = 1 / (4 * (2 * shapes[s] + 1));
    SlRandom random = sl_random_start (9, 50, 0, (uint32_t)s);
    for (int i = 0; i < n; i++) {
      double x = sl_random_beta (&random, shapes[s]);
      g_assert_true (x >= 0 && x <= 1);
      sum += x;
      square += (x - 0.5) * (x - 0.5);
    }
    g_assert_cmpfloat_with_epsilon (sum / n, 0.5, 5 * sqrt (wanted / n));
    g_assert_cmpfloat_with_epsilon (square / n, wanted, 5 * 0.25 * sqrt (wanted / n));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/random/normal", test_normal);
  g_test_add_func ("/core/random/below", test_below);
  g_test_add_func ("/core/random/names", test_names);
  g_test_add_func ("/core/random/beta", test_beta);
  return g_test_run ();
}
