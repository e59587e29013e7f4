/* How well a classifier does: from its logits and the true classes to figures. */
#pragma once

#include <sightline/error.h>

#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Bins of the calibration error, as in Guo et al., "On calibration of modern neural networks"
 * (ICML 2017). */
#define SL_CALIBRATION_BINS 15

typedef struct SlClassMetrics {
  uint64_t support;   /* samples of the class */
  uint64_t predicted; /* samples taken for it */
  uint64_t right;
  /* precision = right / predicted, recall = right / support, f1 = 2 right / (predicted + support);
   * NaN where the divisor is 0. */
  double precision, recall, f1;
} SlClassMetrics;

/* Samples whose best score lies in (i / 15, (i + 1) / 15]. */
typedef struct SlCalibrationBin {
  uint64_t count;
  double confidence, accuracy; /* means; 0 in an empty bin */
} SlCalibrationBin;

typedef struct SlMetrics {
  uint32_t n_classes;
  uint64_t n_samples;
  double loss;              /* mean cross-entropy, natural logarithm */
  double top1, top5;        /* parts of 1; top5 is 1 with five classes or fewer */
  double macro_f1;          /* mean over classes with samples; an f1 that is NaN counts 0 */
  SlClassMetrics *classes;  /* [n_classes] */
  uint64_t *confusion;      /* [n_classes true][n_classes predicted] */
  double calibration_error; /* sum over bins of count / n_samples * |accuracy - confidence| */
  SlCalibrationBin bins[SL_CALIBRATION_BINS];
} SlMetrics;

/* `logits` are [n_samples][n_classes], finite; logarithms of probabilities do as well. Each is
 * divided by `temperature` (1: as they are) before the softmax. Where scores are equal the smaller
 * index is the better. Labels are below n_classes. SL_ERROR_NUMERIC names the first sample whose
 * logits are not finite, SL_ERROR_SHAPE: there are no samples. */
SL_API SlMetrics *sl_metrics_new (const float *logits, const uint32_t *labels, uint64_t n_samples,
                                  uint32_t n_classes, double temperature, GError **error);
SL_API void sl_metrics_free (SlMetrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlMetrics, sl_metrics_free)

/* The class that a sample's logits say, as above, and how sure they are of it: its softmax. */
SL_API double sl_metrics_get_best (const float *logits, uint32_t n_classes, double temperature,
                                   uint32_t *ret_best);

/* The temperature that makes the mean cross-entropy smallest (Guo et al.), between 0.01 and 100: to
 * be fitted on samples that were not trained on, and judged on others. Same arguments as above. */
SL_API double sl_metrics_fit_temperature (const float *logits, const uint32_t *labels,
                                          uint64_t n_samples, uint32_t n_classes);

G_END_DECLS
