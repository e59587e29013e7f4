#include "core/random.h"
#include "data/eigen.h"
#include "data/memory.h"
#include "files.h"

#include <math.h>
#include <string.h>

/* Of a matrix with known values: rows are eigenvectors of length 1, at right angles. */
static void
check_eigen (const double *matrix, gsize n, double scale)
{
  g_autofree double *vectors = g_memdup2 (matrix, n * n * sizeof *matrix);
  g_autofree double *values = g_new (double, n);
  g_assert_true (sl_eigen_symmetric (vectors, n, values));
  for (gsize i = 0; i < n; i++) {
    const double *v = vectors + i * n;
    gsize top = 0;
    g_assert_true (i == 0 || values[i] <= values[i - 1]);
    for (gsize r = 0; r < n; r++) {
      double product = 0;
      for (gsize k = 0; k < n; k++)
        product += matrix[r * n + k] * v[k];
      g_assert_cmpfloat_with_epsilon (product, values[i] * v[r], 1e-10 * scale);
      top = fabs (v[r]) > fabs (v[top]) ? r : top;
    }
    g_assert_true (v[top] > 0);
    for (gsize j = 0; j <= i; j++) {
      double product = 0;
      for (gsize k = 0; k < n; k++)
        product += v[k] * vectors[j * n + k];
      g_assert_cmpfloat_with_epsilon (product, i == j, 1e-11);
    }
  }
}

static void
test_eigen (void)
{
  double values[3], known[9] = {2, 1, 0, 1, 2, 0, 0, 0, 5};
  check_eigen (known, 3, 5);
  g_assert_true (sl_eigen_symmetric (known, 3, values));
  g_assert_cmpfloat_with_epsilon (values[0], 5, 1e-14);
  g_assert_cmpfloat_with_epsilon (values[1], 3, 1e-14);
  g_assert_cmpfloat_with_epsilon (values[2], 1, 1e-14);
  check_eigen ((double[]){-4}, 1, 4);
  check_eigen ((double[]){0, 0, 0, 0}, 2, 1);
  check_eigen ((double[]){1, 1, 1, 1}, 2, 1);
  check_eigen ((double[]){1, 0, 0, 0, 1, 0, 0, 0, 1}, 3, 1);

  static const gsize sizes[] = {2, 5, 9, 17, 64, 101};
  SlRandom random = sl_random_start (5, 60, 0, 0);
  for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (int low_rank = 0; low_rank < 2; low_rank++) {
      gsize n = sizes[s], rank = low_rank ? 2 : n + 3;
      g_autofree double *matrix = g_new0 (double, n *n);
      for (gsize k = 0; k < rank; k++) {
        double v[101];
        for (gsize i = 0; i < n; i++)
          v[i] = (double)sl_random_between (&random, -1, 1);
        for (gsize i = 0; i < n * n; i++)
          matrix[i] += v[i / n] * v[i % n];
      }
      check_eigen (matrix, n, (double)n);
    }
}

/* Inputs after whitening have mean 0 and the identity for covariance. */
static void
check_whitened (SlSampleSource *source, const SlPreprocess *rules, SlWhiteningKind kind)
{
  enum { MOST = 16 };
  g_autoptr (GError) error = NULL;
  g_autoptr (SlWhitening) whitening = sl_whitening_new (source, rules, kind, 1e-9, 0, &error);
  g_assert_no_error (error);
  gsize n = sl_whitening_get_elements (whitening);
  uint32_t n_samples = sl_sample_source_get_n_samples (source);
  const float *mean = sl_whitening_get_mean (whitening), *w = sl_whitening_get_matrix (whitening);
  const ptrdiff_t strides[3] = {rules->width * rules->height, rules->width, 1};
  double sums[MOST] = {0}, products[MOST][MOST] = {{0}}, across = 0;
  g_assert_cmpuint (n, ==, rules->width * rules->height * rules->channels);
  for (uint32_t s = 0; s < n_samples; s++) {
    SlSample sample;
    float input[MOST];
    double white[MOST] = {0};
    g_assert_true (sl_sample_source_load (source, s, &sample, NULL));
    g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&sample.info, rules, 1, NULL);
    g_assert_true (sl_image_sample (sampler, &sample.image, input, strides));
    sl_sample_source_release (source, &sample);
    for (gsize i = 0; i < n; i++)
      for (gsize j = 0; j < n; j++)
        white[i] += (double)w[i * n + j] * ((double)input[j] - (double)mean[j]);
    for (gsize i = 0; i < n; i++) {
      sums[i] += white[i];
      for (gsize j = 0; j < n; j++)
        products[i][j] += white[i] * white[j];
    }
  }
  for (gsize i = 0; i < n; i++) {
    g_assert_cmpfloat_with_epsilon (sums[i] / n_samples, 0, 1e-3);
    for (gsize j = 0; j < n; j++) {
      g_assert_cmpfloat_with_epsilon (products[i][j] / n_samples, i == j, 2e-3);
      across += fabs ((double)(w[i * n + j] - w[j * n + i]));
    }
  }
  if (kind == SL_WHITENING_ZCA) /* its matrix is symmetric */
    g_assert_cmpfloat (across, <, 1e-3);
  else
    g_assert_cmpfloat (across, >, 1e-3);
}

/* Random pictures whose pixels are like their neighbours. */
static SlSampleSource *
make_source (void)
{
  enum { COUNT = 400, SIZE = 12 };
  static guint8 pixels[COUNT * SIZE];
  static uint32_t labels[COUNT];
  SlRandom random = sl_random_start (6, 60, 0, 0);
  for (int i = 0; i < COUNT * SIZE; i++) {
    float value = sl_random_between (&random, 0, 255);
    pixels[i] = (guint8)(i % SIZE ? 0.5f * pixels[i - 1] + 0.5f * value : value);
  }
  g_autoptr (GBytes) bytes = g_bytes_new_static (pixels, sizeof pixels);
  return sl_memory_source_new (&(SlMemorySet){.pixels = bytes,
                                              .width = 3,
                                              .height = 4,
                                              .n_components = 1,
                                              .n_samples = COUNT,
                                              .labels = labels,
                                              .path = "made"},
                               NULL);
}

static void
test_whitening (void)
{
  SlPreprocess rules;
  g_autoptr (SlSampleSource) source = make_source ();
  sl_preprocess_init (&rules, 3, 4, 1);
  rules.mean[0] = 0.4f;
  for (int kind = 0; kind < SL_WHITENING_COUNT; kind++)
    check_whitened (source, &rules, kind);
}

static void
test_refused (void)
{
  SlPreprocess rules;
  g_autoptr (GError) error = NULL;
  g_autoptr (SlSampleSource) source = files_gray_source (4, 2, 2, 2, NULL);
  sl_preprocess_init (&rules, 65, 64, 1);
  g_assert_null (sl_whitening_new (source, &rules, SL_WHITENING_ZCA, 1e-6, 0, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_LIMIT);
  g_clear_error (&error);
  sl_preprocess_init (&rules, 2, 2, 1);
  g_assert_null (sl_whitening_new (source, &rules, SL_WHITENING_ZCA, 0, 0, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
}

/* What a flat picture's variance of 0 becomes is bounded by epsilon, not infinite. */
static void
test_flat (void)
{
  SlPreprocess rules;
  g_autoptr (GError) error = NULL;
  g_autoptr (SlSampleSource) one = files_gray_source (1, 2, 2, 1, NULL);
  sl_preprocess_init (&rules, 2, 2, 1);
  g_autoptr (SlWhitening) whitening =
      sl_whitening_new (one, &rules, SL_WHITENING_ZCA, 0.01, 0, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 16; i++)
    g_assert_cmpfloat_with_epsilon (sl_whitening_get_matrix (whitening)[i], i % 5 == 0 ? 10 : 0,
                                    1e-5f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/data/whiten/eigen", test_eigen);
  g_test_add_func ("/data/whiten/whitening", test_whitening);
  g_test_add_func ("/data/whiten/refused", test_refused);
  g_test_add_func ("/data/whiten/flat", test_flat);
  return g_test_run ();
}
