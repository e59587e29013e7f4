#include <sightline/metrics.h>

#include <math.h>

#define N 200
#define C 7

/* The same numbers in PyTorch 1.13 and numpy: logits in ±6, every second true one raised by 4. */
static void
make (float *logits, uint32_t *labels)
{
  guint32 x = 12345;
  for (guint i = 0; i < N * C; i++) {
    x = x * 1664525u + 1013904223u;
    logits[i] = (float)((x >> 8) * 0x1p-24 * 12 - 6);
  }
  for (guint i = 0; i < N; i++) {
    x = x * 1664525u + 1013904223u;
    labels[i] = (x >> 8) % C;
    if (i % 2 == 0)
      logits[i * C + labels[i]] += 4;
  }
}

static void
test_figures (void)
{
  static const uint64_t confusion[C][C] = {
      {5, 4, 3, 0, 4, 4, 4},  {4, 6, 2, 5, 4, 1, 4}, {8, 1, 12, 5, 6, 8, 0}, {3, 3, 3, 9, 5, 4, 4},
      {4, 2, 2, 3, 10, 3, 1}, {7, 2, 0, 3, 4, 7, 3}, {1, 4, 3, 1, 3, 5, 11}};
  float logits[N * C];
  uint32_t labels[N];
  g_autoptr (GError) error = NULL;
  make (logits, labels);
  g_autoptr (SlMetrics) metrics = sl_metrics_new (logits, labels, N, C, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat_with_epsilon (metrics->loss, 3.70598071622569, 1e-12);
  g_assert_cmpfloat (metrics->top1, ==, 0.3);
  g_assert_cmpfloat (metrics->top5, ==, 0.82);
  g_assert_cmpfloat_with_epsilon (metrics->calibration_error, 0.432087430888815, 1e-12);
  g_assert_cmpfloat_with_epsilon (metrics->macro_f1, 0.29754854775575, 1e-12);
  g_assert_cmpmem (metrics->confusion, C * C * sizeof (uint64_t), confusion, sizeof confusion);
  g_assert_cmpfloat_with_epsilon (metrics->classes[2].precision, 0.48, 1e-15);
  g_assert_cmpfloat_with_epsilon (metrics->classes[2].recall, 0.3, 1e-15);
  g_assert_cmpfloat_with_epsilon (metrics->classes[6].f1, 0.4, 1e-15);
  uint64_t count = 0;
  for (guint i = 0; i < SL_CALIBRATION_BINS; i++)
    count += metrics->bins[i].count;
  g_assert_cmpuint (count, ==, N);
}

static void
test_temperature (void)
{
  float logits[N * C];
  uint32_t labels[N];
  make (logits, labels);
  const double temperature = sl_metrics_fit_temperature (logits, labels, N, C);
  g_assert_cmpfloat_with_epsilon (temperature, 7.458078074, 1e-6);
  g_autoptr (SlMetrics) metrics = sl_metrics_new (logits, labels, N, C, temperature, NULL);
  g_assert_cmpfloat_with_epsilon (metrics->loss, 1.85188878171366, 1e-12);
  g_assert_cmpfloat_with_epsilon (metrics->calibration_error, 0.114304835492332, 1e-7);
  g_assert_cmpfloat (metrics->top1, ==, 0.3);

  /* Where all are right, or all scores are equal, it stays between its ends. */
  const float right[] = {3, 0, 0, 2};
  const uint32_t of_right[] = {0, 1};
  g_assert_cmpfloat_with_epsilon (sl_metrics_fit_temperature (right, of_right, 2, 2), 0.01, 1e-4);
  const uint32_t of_wrong[] = {1, 0};
  g_assert_cmpfloat_with_epsilon (sl_metrics_fit_temperature (right, of_wrong, 2, 2), 100, 1e-3);
  const float equal[] = {1, 1, 1, 1};
  const double any = sl_metrics_fit_temperature (equal, of_right, 2, 2);
  g_assert_true (any >= 0.01 && any <= 100);
  /* Logits that are far apart. */
  const float far[] = {1e5f, -1e5f, -1e5f, 1e5f, 1e5f, -1e5f};
  const uint32_t of_far[] = {0, 1, 1};
  g_assert_cmpfloat_with_epsilon (sl_metrics_fit_temperature (far, of_far, 3, 2), 100, 1e-3);
}

static void
test_edges (void)
{
  g_autoptr (GError) error = NULL;
  /* Ties go to the smaller index; a class without samples has no recall, and none predicted no
   * precision. */
  const float logits[] = {1, 1, 0, 0, 5, 5};
  const uint32_t labels[] = {1, 1};
  g_autoptr (SlMetrics) metrics = sl_metrics_new (logits, labels, 2, 3, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (metrics->top1, ==, 0.5);
  g_assert_cmpfloat (metrics->top5, ==, 1);
  g_assert_true (isnan (metrics->classes[2].precision) && isnan (metrics->classes[2].recall));
  g_assert_true (isnan (metrics->classes[0].recall) && metrics->classes[0].precision == 0);
  g_assert_cmpfloat_with_epsilon (metrics->macro_f1, 2.0 / 3, 1e-15);

  const float broken[] = {0, 1, NAN, 0};
  g_assert_null (sl_metrics_new (broken, labels, 2, 2, 1, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
  g_assert_cmpstr (error->message, ==, "sample 1 has a score that is not finite");
  g_clear_error (&error);
  g_assert_null (sl_metrics_new (logits, labels, 0, 3, 1, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/metrics/figures", test_figures);
  g_test_add_func ("/train/metrics/temperature", test_temperature);
  g_test_add_func ("/train/metrics/edges", test_edges);
  return g_test_run ();
}
