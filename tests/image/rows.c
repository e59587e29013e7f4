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

#define MAX_LANES 16

/* A strip before it is turned: sample x of row r. */
static float *
quad_place (const SlRowLoops *loops, float *strip, size_t x, unsigned r)
{
  return strip + (x / 4 * loops->lanes + sl_strip_slot (loops->lanes, r)) * 4 + x % 4;
}

/* Blends n samples into one row of a strip, onto 1.0 everywhere; no other row may change. */
static void
blend_row (const SlRowLoops *loops, size_t kind, const SlBlend *blend, unsigned r, float *ret,
           size_t n)
{
  size_t size = (n + 3) / 4 * 4 * loops->lanes;
  float *strip = g_aligned_alloc (size, sizeof *strip, 64);
  for (size_t i = 0; i < size; i++)
    strip[i] = 1;
  void (*const loop[]) (float *, const SlBlend *, size_t) = {loops->blend_8, loops->blend_16,
                                                             loops->blend_fixed};
  loop[kind](quad_place (loops, strip, 0, r), blend, n);
  for (size_t x = 0; x < n; x++)
    for (unsigned other = 0; other < loops->lanes; other++)
      if (other != r)
        g_assert_true (*quad_place (loops, strip, x, other) == 1);
  for (size_t x = 0; x < n; x++)
    ret[x] = *quad_place (loops, strip, x, r);
  g_aligned_free (strip);
}

/* Rows of every length, so that each tail is met; memory of exactly that length, for the sanitizer.
 */
static void
test_blend (gconstpointer data)
{
  const SlRowLoops *loops = sl_row_loops ((SlIsa)GPOINTER_TO_INT (data));
  const SlRowLoops *baseline = sl_row_loops (SL_ISA_GENERIC);
  for (size_t n = 1; n <= MAX_N; n++) {
    void *rows[MAX_ROWS + 1];
    float weights[MAX_ROWS + 1];
    int16_t fixed[MAX_ROWS + 1];
    g_autofree float *got = g_new (float, n);
    g_autofree float *same = g_new (float, n);
    for (size_t k = 0; k <= MAX_ROWS; k++) {
      rows[k] = g_malloc (n * 2);
      fill (rows[k], n * 2);
      fixed[k] = (int16_t)g_test_rand_int_range (0, 32768);
      weights[k] = (float)fixed[k] / 65536;
    }
    for (size_t kind = 0; kind < 3; kind++) {
      SlBlend blend = {.rows = (const void *const *)rows,
                       .n_rows = 1 + n % MAX_ROWS,
                       .weights = weights,
                       .fixed = fixed,
                       .unit = 1.0f / 65536,
                       .add = n % 5 == 0};
      blend.n_rows += kind == 2 && blend.n_rows % 2;
      blend_row (loops, kind, &blend, (unsigned)n % loops->lanes, got, n);
      blend_row (baseline, kind, &blend, (unsigned)n % baseline->lanes, same, n);
      g_assert_cmpmem (got, n * sizeof *got, same, n * sizeof *same);
      for (size_t i = 0; i < n; i++) {
        double sum = blend.add;
        for (size_t k = 0; k < blend.n_rows; k++)
          sum += (double)weights[k] *
                 (kind == 1 ? ((const uint16_t *)rows[k])[i] : ((const uint8_t *)rows[k])[i]);
        g_assert_cmpfloat_with_epsilon ((double)got[i], sum, 1e-5 * (kind == 1 ? 65536 : 256));
      }
    }
    for (size_t k = 0; k <= MAX_ROWS; k++)
      g_free (rows[k]);
  }
}

static void
test_turn (gconstpointer data)
{
  const SlRowLoops *loops = sl_row_loops ((SlIsa)GPOINTER_TO_INT (data));
  float strip[24 * MAX_LANES] __attribute__ ((aligned (64)));
  for (size_t n = 4; n <= 24; n += 4) {
    for (size_t x = 0; x < n; x++)
      for (unsigned r = 0; r < loops->lanes; r++)
        *quad_place (loops, strip, x, r) = (float)(x * 100 + r);
    loops->turn (strip, n);
    for (size_t x = 0; x < n; x++)
      for (unsigned r = 0; r < loops->lanes; r++)
        g_assert_true (strip[x * loops->lanes + r] == (float)(x * 100 + r));
  }
}

/* Rows, `step` apart, through the loops of an instruction set: ret[r * axis->n + i]. */
static void
resample_rows (const SlRowLoops *loops, const float *rows, size_t n, unsigned step,
               const SlAxis *axis, float *ret)
{
  unsigned lanes = loops->lanes;
  size_t size = (n + axis->taps) * step * lanes;
  float *columns = g_aligned_alloc0 (size, sizeof *columns, 64);
  float *out = g_aligned_alloc (axis->n * lanes, sizeof *out, 64);
  for (unsigned from = 0; from < MAX_LANES; from += lanes) {
    for (size_t x = 0; x < n; x++)
      for (unsigned r = 0; r < lanes; r++)
        columns[x * step * lanes + r] = rows[(from + r) * n + x];
    loops->resample (out, columns, step, axis);
    for (size_t i = 0; i < axis->n; i++)
      for (unsigned r = 0; r < lanes; r++)
        ret[(from + r) * axis->n + i] = out[i * lanes + r];
  }
  g_aligned_free (columns);
  g_aligned_free (out);
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
      g_assert_cmpuint (axis.low, ==, 3);
      g_autofree float *rows = g_new (float, size *MAX_LANES);
      g_autofree float *got = g_new (float, n *MAX_LANES);
      g_autofree float *same = g_new (float, n *MAX_LANES);
      for (uint32_t i = 0; i < size * MAX_LANES; i++)
        rows[i] = (float)g_test_rand_double_range (0, 255);
      resample_rows (loops, rows, size, 1 + n % 4, &axis, got);
      resample_rows (sl_row_loops (SL_ISA_GENERIC), rows, size, 1, &axis, same);
      g_assert_cmpmem (got, n * MAX_LANES * sizeof *got, same, n * MAX_LANES * sizeof *same);

      for (uint32_t i = 0; i < n; i++) {
        double sum = 0, weights = 0;
        const float *row = rows + size * (i % MAX_LANES);
        for (uint32_t k = 0; k < axis.count[i]; k++) {
          sum += (double)axis.weights[i * axis.stride + k] * (double)row[axis.first[i] - 3 + k];
          weights += (double)axis.weights[i * axis.stride + k];
        }
        g_assert_cmpfloat_with_epsilon (weights, 1, 1e-5);
        g_assert_cmpfloat_with_epsilon ((double)got[i % MAX_LANES * n + i], sum, 1e-3);
      }
      sl_axis_clear (&axis);
    }
}

/* Weights in units: each within one of its weight, and all outputs' sums the same. */
static void
test_fix (void)
{
  unsigned n_fixed = 0;
  for (uint32_t n = 1; n < 30; n++)
    for (uint32_t size = 1; size < 30000; size = size * 5 / 4 + 1) {
      SlAxis axis;
      SlSource source = {.begin = 0, .end = size};
      SlPlacement placement = {.scaled = n, .n = n};
      g_assert_true (sl_axis_init (&axis, &source, &placement));
      g_assert_true (sl_axis_fix (&axis));
      if (!axis.fixed) { /* some weight is above a half */
        g_assert_cmpuint (size, <, 3 * n);
        sl_axis_clear (&axis);
        continue;
      }
      n_fixed++;
      g_assert_true (axis.unit < 1.0f / 65000);
      double units = 1 / (double)axis.unit;
      g_assert_cmpfloat (units * 255, <=, G_MAXINT32 + 255.0);
      for (uint32_t i = 0; i < n; i++) {
        int64_t sum = 0;
        for (uint32_t k = 0; k < axis.stride; k++) {
          sum += axis.fixed[i * axis.stride + k];
          double exact = (double)axis.weights[i * axis.stride + k] * units;
          /* and what floats lose of the sum */
          g_assert_cmpfloat_with_epsilon (axis.fixed[i * axis.stride + k], exact, 4);
          g_assert_true (axis.fixed[i * axis.stride + k] >= 0);
        }
        g_assert_cmpfloat_with_epsilon ((double)sum, units, 1);
      }
      sl_axis_clear (&axis);
    }
  g_assert_cmpuint (n_fixed, >, 100);
}

/* Every number of rows and pixels; nothing beside them is written. */
static void
test_store (gconstpointer data)
{
  const SlRowLoops *loops = sl_row_loops ((SlIsa)GPOINTER_TO_INT (data));
  unsigned lanes = loops->lanes;
  const float gain[3] = {2, 3, 5}, bias[3] = {-1, 7, 0};
  static float in[3][21 * MAX_LANES] __attribute__ ((aligned (64)));
  for (unsigned c = 0; c < 3; c++)
    for (unsigned i = 0; i < 21 * MAX_LANES; i++)
      in[c][i] = (float)(c * 1000 + i);
  const float *const columns[3] = {in[0], in[1], in[2]};

  for (unsigned n_channels = 1; n_channels <= 3; n_channels += 2)
    for (size_t n = 1; n <= 21; n++)
      for (unsigned n_rows = 1; n_rows <= lanes; n_rows++) {
        size_t wide = n * n_channels, stride = wide + 3;
        g_autofree float *out = g_new0 (float, stride *lanes);
        loops->store (out, (ptrdiff_t)stride, columns, n_channels, gain, bias, n, n_rows);
        for (size_t r = 0; r < lanes; r++)
          for (size_t x = 0; x < stride; x++) {
            size_t c = x % n_channels, i = x / n_channels;
            float expected = r < n_rows && x < wide ? in[c][i * lanes + r] * gain[c] + bias[c] : 0;
            g_assert_true (out[r * stride + x] == expected);
          }
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
    float in[3][70], got[3][70], same[3][70], gray[70];
    for (size_t i = 0; i < n; i++)
      for (int c = 0; c < 3; c++)
        in[c][i] = (float)g_test_rand_double_range (0, 255);
    const float *const components[3] = {in[0], in[1], in[2]};
    loops->convert ((float *const[]){got[0], got[1], got[2]}, components, &transform, n);
    baseline->convert ((float *const[]){same[0], same[1], same[2]}, components, &transform, n);
    const float *const rgb[3] = {got[0], got[1], got[2]};
    loops->luma (gray, rgb, n);
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
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image/rows/fix", test_fix);
  for (unsigned isa = 0; isa < SL_ISA_COUNT; isa++) {
    static const struct {
      const char *name;
      GTestDataFunc func;
    } tests[] = {
        {"blend", test_blend}, {"turn", test_turn},   {"resample", test_resample},
        {"color", test_color}, {"store", test_store},
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
