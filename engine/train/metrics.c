#include <sightline/metrics.h>

#include <math.h>
#include <stdbool.h>

#define TOP_K 5
#define MIN_TEMPERATURE 0.01
#define MAX_TEMPERATURE 100.0
/* Newton's method on a convex function needs a handful; bisection halves the interval each time. */
#define MAX_ITERATIONS 200
#define SMALL_STEP 1e-12

/* What a sample's logits say. */
typedef struct {
  uint32_t best;
  uint32_t n_better; /* classes ranked above the true one */
  double confidence; /* softmax of the best */
  double loss;
} Verdict;

double
sl_metrics_get_best (const float *logits, uint32_t n_classes, double temperature,
                     uint32_t *ret_best)
{
  g_return_val_if_fail (logits && n_classes > 0 && ret_best, 0);
  uint32_t best = 0;
  double sum = 0;
  for (uint32_t i = 1; i < n_classes; i++)
    if (logits[i] > logits[best])
      best = i;
  for (uint32_t i = 0; i < n_classes; i++)
    sum += exp (((double)logits[i] - (double)logits[best]) / temperature);
  *ret_best = best;
  return 1 / sum;
}

static Verdict
judge (const float *logits, uint32_t label, uint32_t n, double temperature)
{
  Verdict verdict = {0};
  verdict.confidence = sl_metrics_get_best (logits, n, temperature, &verdict.best);
  for (uint32_t i = 0; i < n; i++)
    verdict.n_better += logits[i] > logits[label] || (logits[i] == logits[label] && i < label);
  verdict.loss = -log (verdict.confidence) -
                 ((double)logits[label] - (double)logits[verdict.best]) / temperature;
  return verdict;
}

static bool
is_finite (const float *logits, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    if (!isfinite (logits[i]))
      return false;
  return true;
}

static double
divide (uint64_t a, uint64_t b)
{
  return b > 0 ? (double)a / (double)b : NAN;
}

static void
summarise_classes (SlMetrics *metrics)
{
  const uint32_t n = metrics->n_classes;
  double sum = 0;
  uint32_t n_seen = 0;
  for (uint32_t i = 0; i < n; i++) {
    SlClassMetrics *class = &metrics->classes[i];
    class->right = metrics->confusion[(size_t)i * n + i];
    for (uint32_t j = 0; j < n; j++) {
      class->support += metrics->confusion[(size_t)i * n + j];
      class->predicted += metrics->confusion[(size_t)j * n + i];
    }
    class->precision = divide (class->right, class->predicted);
    class->recall = divide (class->right, class->support);
    class->f1 = divide (2 * class->right, class->predicted + class->support);
    if (class->support == 0)
      continue;
    n_seen++;
    sum += class->f1;
  }
  metrics->macro_f1 = sum / n_seen;
}

static void
summarise_bins (SlMetrics *metrics)
{
  double error = 0;
  for (uint32_t i = 0; i < SL_CALIBRATION_BINS; i++) {
    SlCalibrationBin *bin = &metrics->bins[i];
    if (bin->count == 0)
      continue;
    bin->confidence /= (double)bin->count;
    bin->accuracy /= (double)bin->count;
    error += (double)bin->count * fabs (bin->accuracy - bin->confidence);
  }
  metrics->calibration_error = error / (double)metrics->n_samples;
}

SlMetrics *
sl_metrics_new (const float *logits, const uint32_t *labels, uint64_t n_samples, uint32_t n_classes,
                double temperature, GError **error)
{
  g_return_val_if_fail (logits && labels && n_classes > 0 && temperature > 0, NULL);

  if (n_samples == 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "no samples to measure (expected some)");
    return NULL;
  }
  g_autoptr (SlMetrics) metrics = g_new0 (SlMetrics, 1);
  metrics->n_classes = n_classes;
  metrics->n_samples = n_samples;
  metrics->classes = g_new0 (SlClassMetrics, n_classes);
  metrics->confusion = g_new0 (uint64_t, (gsize)n_classes * n_classes);
  uint64_t right = 0, near = 0;
  for (uint64_t i = 0; i < n_samples; i++) {
    const float *row = logits + i * n_classes;
    g_return_val_if_fail (labels[i] < n_classes, NULL);
    if (!is_finite (row, n_classes)) {
      g_set_error (error, SL_ERROR, SL_ERROR_NUMERIC,
                   "sample %" G_GUINT64_FORMAT " has a score that is not finite", i);
      return NULL;
    }
    const Verdict verdict = judge (row, labels[i], n_classes, temperature);
    const bool is_right = verdict.best == labels[i];
    const double place = ceil (verdict.confidence * SL_CALIBRATION_BINS) - 1;
    SlCalibrationBin *bin = &metrics->bins[(int)CLAMP (place, 0, SL_CALIBRATION_BINS - 1)];
    bin->count++;
    bin->confidence += verdict.confidence;
    bin->accuracy += is_right;
    right += is_right;
    near += verdict.n_better < TOP_K;
    metrics->loss += verdict.loss;
    metrics->confusion[(size_t)labels[i] * n_classes + verdict.best]++;
  }
  metrics->loss /= (double)n_samples;
  metrics->top1 = divide (right, n_samples);
  metrics->top5 = divide (near, n_samples);
  summarise_classes (metrics);
  summarise_bins (metrics);
  return g_steal_pointer (&metrics);
}

void
sl_metrics_free (SlMetrics *metrics)
{
  if (!metrics)
    return;
  g_free (metrics->classes);
  g_free (metrics->confusion);
  g_free (metrics);
}

/* First and second derivative of the mean cross-entropy by b = 1 / temperature: the mean of
 * E[z] - z_label, and of the variance of z, under the softmax of b z. */
static double
differentiate (const float *logits, const uint32_t *labels, uint64_t n_samples, uint32_t n,
               double b, double *ret_second)
{
  double first = 0, second = 0;
  for (uint64_t i = 0; i < n_samples; i++, logits += n) {
    double largest = logits[0], sum = 0, sum_z = 0, sum_zz = 0;
    for (uint32_t j = 1; j < n; j++)
      largest = MAX (largest, logits[j]);
    for (uint32_t j = 0; j < n; j++) {
      const double z = logits[j] - largest, weight = exp (b * z);
      sum += weight;
      sum_z += weight * z;
      sum_zz += weight * z * z;
    }
    const double mean = sum_z / sum;
    first += mean - (logits[labels[i]] - largest);
    second += sum_zz / sum - mean * mean;
  }
  *ret_second = second / (double)n_samples;
  return first / (double)n_samples;
}

/* The loss is convex in 1 / temperature: Newton's method, kept between two ends of which the slope
 * says on which side the minimum lies. */
double
sl_metrics_fit_temperature (const float *logits, const uint32_t *labels, uint64_t n_samples,
                            uint32_t n_classes)
{
  g_return_val_if_fail (logits && labels && n_samples > 0 && n_classes > 0, 1);

  double low = 1 / MAX_TEMPERATURE, high = 1 / MIN_TEMPERATURE, b = 1;
  for (int i = 0; i < MAX_ITERATIONS; i++) {
    double second;
    const double first = differentiate (logits, labels, n_samples, n_classes, b, &second);
    if (first > 0)
      high = b;
    else
      low = b;
    double next = b - first / second;
    if (!(next > low && next < high)) /* NaN, too */
      next = (low + high) / 2;
    if (fabs (next - b) <= SMALL_STEP * b)
      break;
    b = next;
  }
  return 1 / b;
}
