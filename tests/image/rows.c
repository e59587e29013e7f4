/* The inner loops of every instruction set that this machine runs, against plain sums and each
 * other. */
#include "image/rows.h"

#include <glib.h>

#include <math.h>
#include <string.h>

#define MAX_N 300
#define MAX_ROWS 11

static void
fill (void *memory, gsize size)
{
  for (gsize i = 0; i < size; i++)
    ((uint8_t *)memory)[i] = (uint8_t)g_test_rand_int_range (0, 256);
}

/* Rows of every length, so that each tail is met; memory of exactly that length, for the sanitizer.
 */
static void
test_blend (gconstpointer data)
{
  const SlRowLoops *loops = sl_row_loops ((SlIsa)GPOINTER_TO_INT (data));
  const SlRowLoops *baseline = sl_row_loops (SL_ISA_GENERIC);
  for (size_t n = 1; n <= MAX_N; n++) {
    size_t n_rows = 1 + n % MAX_ROWS;
    void *rows[MAX_ROWS];
    float weights[MAX_ROWS];
    g_autofree float *got = g_new (float, n);
    g_autofree float *same = g_new (float, n);
    for (size_t k = 0; k < n_rows; k++) {
      rows[k] = g_malloc (n * 2);
      fill (rows[k], n * 2);
      weights[k] = (float)g_test_rand_double_range (0, 0.5);
    }
    for (int wide = 0; wide < 2; wide++) {
      (wide ? loops->blend_16 : loops->blend_8) (got, (const void *const *)rows, weights, n_rows,
                                                 n);
      (wide ? baseline->blend_16 : baseline->blend_8) (same, (const void *const *)rows, weights,
                                                       n_rows, n);
      g_assert_cmpmem (got, n * sizeof *got, same, n * sizeof *same);
      for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < n_rows; k++)
          sum += (double)weights[k] *
                 (wide ? ((const uint16_t *)rows[k])[i] : ((const uint8_t *)rows[k])[i]);
        g_assert_cmpfloat_with_epsilon ((double)got[i], sum, 1e-5 * (wide ? 65536 : 256));
      }
    }
    for (size_t k = 0; k < n_rows; k++)
      g_free (rows[k]);
  }
}

static void
test_pick (gconstpointer data)
{
  const SlRowLoops *loops = sl_row_loops ((SlIsa)GPOINTER_TO_INT (data));
  for (unsigned step = 2; step <= 4; step++)
    for (size_t n = 1; n < 70; n++) {
      g_autofree float *row = g_new (float, (n - 1) * step + 1);
      g_autofree float *got = g_new (float, n);
      for (size_t i = 0; i <= (n - 1) * step; i++)
        row[i] = (float)i;
      loops->pick (got, row, step, n);
      for (size_t i = 0; i < n; i++)
        g_assert_cmpfloat (got[i], ==, (float)(i * step));
    }
}

static void
test_resample (gconstpointer data)
{
  const SlRowLoops *loops = sl_row_loops ((SlIsa)GPOINTER_TO_INT (data));
  for (uint32_t n = 1; n < 40; n++)
    for (uint32_t size = 1; size < 200; size += 13) {
      SlAxis axis;
      SlSource source = {.begin = 3, .end = 3 + size};
      SlPlacement placement = {.scaled = n, .n = n};
      g_assert_true (sl_axis_init (&axis, &source, &placement));
      g_autofree float *row = g_new0 (float, size + axis.stride);
      g_autofree float *got = g_new (float, n);
      g_autofree float *same = g_new (float, n);
      for (uint32_t i = 0; i < size; i++)
        row[i] = (float)g_test_rand_double_range (0, 255);
      loops->resample (got, row + (axis.low - 3), &axis);
      sl_row_loops (SL_ISA_GENERIC)->resample (same, row + (axis.low - 3), &axis);
      g_assert_cmpmem (got, n * sizeof *got, same, n * sizeof *same);

      for (uint32_t i = 0; i < n; i++) {
        double sum = 0, weights = 0;
        for (uint32_t k = 0; k < axis.count[i]; k++) {
          sum += (double)axis.weights[i * axis.stride + k] * (double)row[axis.first[i] - 3 + k];
          weights += (double)axis.weights[i * axis.stride + k];
        }
        g_assert_cmpfloat_with_epsilon (weights, 1, 1e-5);
        g_assert_cmpfloat_with_epsilon ((double)got[i], sum, 1e-3);
      }
      sl_axis_clear (&axis);
    }
}

static void
test_color (gconstpointer data)
{
  const SlRowLoops *loops = sl_row_loops ((SlIsa)GPOINTER_TO_INT (data));
  const SlRowLoops *baseline = sl_row_loops (SL_ISA_GENERIC);
  SlColorTransform transform =
      sl_color_transform (sl_format_layout (SL_PIXEL_I420), SL_MATRIX_BT709, SL_RANGE_LIMITED);
  for (size_t n = 1; n < 70; n++) {
    float in[3][70], got[3][70], same[3][70], gray[70], stored[210];
    for (size_t i = 0; i < n; i++)
      for (int c = 0; c < 3; c++)
        in[c][i] = (float)g_test_rand_double_range (0, 255);
    const float *const components[3] = {in[0], in[1], in[2]};
    loops->convert ((float *const[]){got[0], got[1], got[2]}, components, &transform, n);
    baseline->convert ((float *const[]){same[0], same[1], same[2]}, components, &transform, n);
    const float *const rgb[3] = {got[0], got[1], got[2]};
    loops->luma (gray, rgb, n);
    loops->store (stored + 1, 3, gray, 2, -1, n);
    for (size_t i = 0; i < n; i++) {
      for (int c = 0; c < 3; c++) {
        g_assert_true (got[c][i] == same[c][i]);
        g_assert_true (got[c][i] >= 0 && got[c][i] <= 255);
      }
      double red = (255.0 / 219) * ((double)in[0][i] - 16) +
                   2 * (1 - 0.2126) * (255.0 / 224) * ((double)in[2][i] - 128);
      g_assert_cmpfloat_with_epsilon ((double)got[0][i], CLAMP (red, 0, 255), 1e-3);
      g_assert_cmpfloat_with_epsilon (
          (double)gray[i],
          0.299 * (double)got[0][i] + 0.587 * (double)got[1][i] + 0.114 * (double)got[2][i], 1e-3);
      g_assert_true (stored[1 + 3 * i] == gray[i] * 2 - 1);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (unsigned isa = 0; isa < SL_ISA_COUNT; isa++) {
    static const struct {
      const char *name;
      GTestDataFunc func;
    } tests[] = {
        {"blend", test_blend},
        {"pick", test_pick},
        {"resample", test_resample},
        {"color", test_color},
    };
    if (!sl_isa_supported ((SlIsa)isa))
      continue;
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++) {
      g_autofree char *name =
          g_strdup_printf ("/image/rows/%s/%s", sl_isa_name ((SlIsa)isa), tests[i].name);
      g_test_add_data_func (name, GINT_TO_POINTER ((int)isa), tests[i].func);
    }
  }
  return g_test_run ();
}
