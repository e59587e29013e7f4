#include "core/pool.h"
#include "data/picture.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* Sums over one sample's input, by channel. */
typedef struct SampleSums {
  double sum[3], squares[3];
  gboolean counts; /* it could be read */
} SampleSums;

typedef struct Job {
  SlSampleSource *source;
  SlPreprocess rules; /* without mean and deviation */
  SlPictureMaker *makers[SL_POOL_MAX_THREADS];
  float *pictures[SL_POOL_MAX_THREADS]; /* [C][H][W] */
  SampleSums *sums;                     /* [n_samples] */
} Job;

static void
sum_picture (const float *picture, gsize n_pixels, unsigned n_channels, SampleSums *ret)
{
  for (unsigned c = 0; c < n_channels; c++) {
    double sum = 0, squares = 0;
    for (gsize i = 0; i < n_pixels; i++) {
      double value = (double)picture[c * n_pixels + i];
      sum += value;
      squares += value * value;
    }
    ret->sum[c] = sum;
    ret->squares[c] = squares;
  }
}

static void
measure_samples (void *data, unsigned slot, size_t first, size_t last)
{
  Job *job = data;
  gsize n_pixels = (gsize)job->rules.width * job->rules.height;
  const ptrdiff_t strides[3] = {(ptrdiff_t)n_pixels, (ptrdiff_t)job->rules.width, 1};
  if (!job->makers[slot]) {
    job->makers[slot] = sl_picture_maker_new (&job->rules, NULL, NULL);
    job->pictures[slot] = g_try_new (float, n_pixels * job->rules.channels);
  }
  for (size_t i = first; i < last && job->pictures[slot]; i++) {
    SlSample sample;
    if (!sl_sample_source_load (job->source, (uint32_t)i, &sample, NULL))
      continue;
    SampleSums *sums = &job->sums[i];
    sums->counts = sl_picture_maker_fill (job->makers[slot], &sample, NULL, job->pictures[slot],
                                          strides, NULL);
    if (sums->counts)
      sum_picture (job->pictures[slot], n_pixels, job->rules.channels, sums);
    sl_sample_source_release (job->source, &sample);
  }
}

/* In the samples' order, whoever summed them. */
static uint32_t
add_up (const Job *job, SampleSums *ret)
{
  uint32_t n = sl_sample_source_get_n_samples (job->source), n_read = 0;
  for (uint32_t i = 0; i < n; i++) {
    n_read += job->sums[i].counts != 0;
    for (unsigned c = 0; c < job->rules.channels && job->sums[i].counts; c++) {
      ret->sum[c] += job->sums[i].sum[c];
      ret->squares[c] += job->sums[i].squares[c];
    }
  }
  return n_read;
}

gboolean
sl_sample_source_measure (SlSampleSource *source, const SlPreprocess *rules, float ret_mean[3],
                          float ret_std[3], GError **error)
{
  g_return_val_if_fail (source && rules && ret_mean && ret_std, FALSE);
  Job job = {.source = source, .rules = *rules};
  for (unsigned c = 0; c < 3; c++) {
    job.rules.mean[c] = 0;
    job.rules.std[c] = 1;
  }
  if (!sl_preprocess_check (&job.rules, error))
    return FALSE;

  SampleSums total = {0};
  uint32_t n = sl_sample_source_get_n_samples (source);
  job.sums = g_new0 (SampleSums, n);
  sl_pool_run (n, 0, measure_samples, &job);
  uint32_t n_read = add_up (&job, &total);
  for (unsigned slot = 0; slot < SL_POOL_MAX_THREADS; slot++) {
    sl_picture_maker_free (job.makers[slot]);
    g_free (job.pictures[slot]);
  }
  g_free (job.sums);

  if (!n_read) {
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "none of %u samples can be read", n);
    return FALSE;
  }
  double n_values = (double)n_read * rules->width * rules->height;
  for (unsigned c = 0; c < 3; c++) {
    unsigned from = c < rules->channels ? c : 0; /* the rest as the first, for one channel */
    double mean = total.sum[from] / n_values;
    double variance = total.squares[from] / n_values - mean * mean;
    ret_mean[c] = (float)mean;
    /* what rounding leaves of the same value everywhere */
    ret_std[c] = variance > 1e-12 * (mean * mean + 1e-30) ? (float)sqrt (variance) : 1;
  }
  return TRUE;
}
