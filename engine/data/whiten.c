#include "core/memory.h"
#include "core/pool.h"
#include "data/eigen.h"
#include "data/picture.h"

#include <math.h>
#include <string.h>

#define BLOCK 64 /* samples whose products are added at once */
#define ROWS 16  /* of the covariance, a tile */

struct SlWhitening {
  gsize n;
  float *mean;   /* [n] */
  float *matrix; /* [n][n] */
};

/* The samples that are looked at, and sums over them. */
typedef struct Fit {
  SlSampleSource *source;
  SlPreprocess rules;
  uint32_t n_used; /* samples, evenly from all */
  gsize n;         /* elements of an input */
  double *mean;    /* [n] */
  double *square;  /* [n][n], the upper triangle */
  double *block;   /* [BLOCK][n], around the mean */
  float *input;    /* [n] */
  gsize n_block;
} Fit;

/* Input `number` of those used, to `ret`; FALSE if it cannot be read. */
static gboolean
get_input (const Fit *fit, SlPictureMaker *maker, uint32_t number, float *ret)
{
  SlSample sample;
  uint32_t n = sl_sample_source_get_n_samples (fit->source);
  uint32_t index = (uint32_t)((guint64)number * n / fit->n_used);
  const ptrdiff_t strides[3] = {(ptrdiff_t)fit->rules.width * (ptrdiff_t)fit->rules.height,
                                (ptrdiff_t)fit->rules.width, 1};
  if (!sl_sample_source_load (fit->source, index, &sample, NULL))
    return FALSE;
  gboolean made = sl_picture_maker_fill (maker, &sample, NULL, ret, strides, NULL);
  sl_sample_source_release (fit->source, &sample);
  return made;
}

/* Adds the block's products to some rows of the sums. */
static void
add_products (void *data, unsigned slot, size_t first, size_t last)
{
  const Fit *fit = data;
  gsize n = fit->n;
  for (gsize i = first * ROWS; i < MIN (last * ROWS, n); i++) {
    double *row = fit->square + i * n;
    for (gsize s = 0; s < fit->n_block; s++) {
      const double *x = fit->block + s * n, value = x[i];
      for (gsize j = i; j < n; j++)
        row[j] += value * x[j];
    }
  }
}

/* The mean first, then products around it. Returns how many samples could be read. */
static uint32_t
sum_up (Fit *fit, SlPictureMaker *maker)
{
  uint32_t n_read = 0, n_added = 0;
  for (uint32_t s = 0; s < fit->n_used; s++) {
    if (!get_input (fit, maker, s, fit->input))
      continue;
    n_read++;
    for (gsize i = 0; i < fit->n; i++)
      fit->mean[i] += (double)fit->input[i];
  }
  for (gsize i = 0; i < fit->n && n_read; i++)
    fit->mean[i] /= n_read;

  for (uint32_t s = 0; s < fit->n_used; s++) {
    if (get_input (fit, maker, s, fit->input)) {
      double *row = fit->block + fit->n_block * fit->n;
      for (gsize i = 0; i < fit->n; i++)
        row[i] = (double)fit->input[i] - fit->mean[i];
      fit->n_block++;
      n_added++;
    }
    if (fit->n_block == BLOCK || s + 1 == fit->n_used) {
      sl_pool_run ((fit->n + ROWS - 1) / ROWS, 0, add_products, fit);
      fit->n_block = 0;
    }
  }
  return n_added;
}

/* What the matrix is made of: rows of eigenvectors, and what to divide them by. */
typedef struct Basis {
  gsize n;
  const double *vectors, *values;
  double epsilon;
  SlWhiteningKind kind;
  float *ret;
} Basis;

static void
make_rows (void *data, unsigned slot, size_t first, size_t last)
{
  const Basis *basis = data;
  gsize n = basis->n;
  g_autofree double *row = g_new (double, n);
  for (gsize i = first; i < last; i++) {
    memset (row, 0, n * sizeof *row);
    /* PCA: vector i; ZCA: all of them, each as much as its component i */
    for (gsize k = basis->kind == SL_WHITENING_PCA ? i : 0; k < n; k++) {
      const double *vector = basis->vectors + k * n;
      double by = 1 / sqrt (MAX (basis->values[k], 0) + basis->epsilon);
      if (basis->kind == SL_WHITENING_ZCA)
        by *= vector[i];
      for (gsize j = 0; j < n; j++)
        row[j] += by * vector[j];
      if (basis->kind == SL_WHITENING_PCA)
        break;
    }
    for (gsize j = 0; j < n; j++)
      basis->ret[i * n + j] = (float)row[j];
  }
}

static gboolean
finish (const Fit *fit, uint32_t n_read, SlWhiteningKind kind, double epsilon,
        SlWhitening *whitening, GError **error)
{
  gsize n = fit->n;
  g_autofree double *values = g_new (double, n);
  for (gsize i = 0; i < n; i++) {
    whitening->mean[i] = (float)fit->mean[i];
    for (gsize j = i; j < n; j++)
      fit->square[i * n + j] = fit->square[j * n + i] = fit->square[i * n + j] / n_read;
  }
  if (!sl_eigen_symmetric (fit->square, n, values)) {
    g_set_error (error, SL_ERROR, SL_ERROR_NUMERIC,
                 "no eigenvalues of the covariance of %" G_GSIZE_FORMAT
                 " elements were found (expected finite inputs)",
                 n);
    return FALSE;
  }
  Basis basis = {n, fit->square, values, epsilon, kind, whitening->matrix};
  sl_pool_run (n, 0, make_rows, &basis);
  return TRUE;
}

static gboolean
check_fit (const Fit *fit, double epsilon, GError **error)
{
  if (!sl_preprocess_check (&fit->rules, error))
    return FALSE;
  if (fit->n > SL_WHITENING_MAX_ELEMENTS) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "inputs to whiten have %" G_GSIZE_FORMAT " elements (limit is %d)", fit->n,
                 SL_WHITENING_MAX_ELEMENTS);
    return FALSE;
  }
  if (epsilon > 0 && isfinite (epsilon))
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
               "whitening adds %g to variances (expected above 0)", epsilon);
  return FALSE;
}

static gboolean
allocate (Fit *fit, SlWhitening *whitening, GError **error)
{
  gsize n = fit->n;
  whitening->n = n;
  whitening->mean = g_try_new (float, n);
  whitening->matrix = g_try_new (float, n *n);
  fit->mean = g_try_new0 (double, n);
  fit->square = g_try_new0 (double, n *n);
  fit->block = g_try_new (double, BLOCK *n);
  fit->input = g_try_new (float, n);
  if (whitening->mean && whitening->matrix && fit->mean && fit->square && fit->block && fit->input)
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_MEMORY,
               "no memory for the covariance of %" G_GSIZE_FORMAT " elements", n);
  return FALSE;
}

SlWhitening *
sl_whitening_new (SlSampleSource *source, const SlPreprocess *rules, SlWhiteningKind kind,
                  double epsilon, uint32_t max_samples, GError **error)
{
  g_return_val_if_fail (source && rules, NULL);
  g_return_val_if_fail ((unsigned)kind < SL_WHITENING_COUNT, NULL);
  uint32_t n_samples = sl_sample_source_get_n_samples (source);
  Fit fit = {.source = source,
             .rules = *rules,
             .n_used = max_samples ? MIN (max_samples, n_samples) : n_samples,
             .n = (gsize)rules->width * rules->height * rules->channels};
  if (!check_fit (&fit, epsilon, error))
    return NULL;

  SlWhitening *whitening = g_new0 (SlWhitening, 1);
  g_autoptr (SlPictureMaker) maker = sl_picture_maker_new (&fit.rules, NULL, NULL);
  gboolean good = allocate (&fit, whitening, error);
  if (good) {
    uint32_t n_read = sum_up (&fit, maker);
    if (!n_read)
      g_set_error (error, SL_ERROR, SL_ERROR_IO, "none of %u samples can be read", fit.n_used);
    good = n_read && finish (&fit, n_read, kind, epsilon, whitening, error);
  }
  g_free (fit.mean);
  g_free (fit.square);
  g_free (fit.block);
  g_free (fit.input);
  if (!good)
    g_clear_pointer (&whitening, sl_whitening_free);
  return whitening;
}

void
sl_whitening_free (SlWhitening *whitening)
{
  if (!whitening)
    return;
  g_free (whitening->mean);
  g_free (whitening->matrix);
  g_free (whitening);
}

gsize
sl_whitening_get_elements (const SlWhitening *whitening)
{
  return whitening->n;
}

const float *
sl_whitening_get_mean (const SlWhitening *whitening)
{
  return whitening->mean;
}

const float *
sl_whitening_get_matrix (const SlWhitening *whitening)
{
  return whitening->matrix;
}
