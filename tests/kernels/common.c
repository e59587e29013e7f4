#include "common.h"

#include "core/fpenv.h"
#include "core/memory.h"
#include "core/pool.h"

#include <math.h>
#include <string.h>

#define GUARD 64
static const float untouched = -12345.678f;

void
add_set_tests (const char *name, SetTest test)
{
  for (int isa = 0; isa < SL_ISA_COUNT; isa++) {
    const SlKernelSet *set = sl_kernel_set_get ((SlIsa)isa);
    if (!set || !sl_isa_supported ((SlIsa)isa))
      continue;
    g_autofree char *path = g_strdup_printf ("/kernels/%s/%s", name, sl_isa_name ((SlIsa)isa));
    g_test_add_data_func (path, set, (GTestDataFunc)(void (*) (void))test);
  }
}

float *
new_floats (size_t count)
{
  float *x = sl_aligned_alloc (count * sizeof *x);
  g_assert_nonnull (x);
  g_test_queue_destroy (sl_aligned_free, x);
  for (size_t i = 0; i < count; i++)
    x[i] = untouched;
  return x;
}

/* Knuth's multiplier; good enough to keep neighbouring elements apart. */
static guint32
next_random (guint32 *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

void
fill_random (float *x, size_t count, guint32 seed)
{
  for (size_t i = 0; i < count; i++)
    x[i] = (float)next_random (&seed) * 0x1p-23f - 1.0f;
}

void
fill_integers (float *x, size_t count, guint32 seed)
{
  for (size_t i = 0; i < count; i++)
    x[i] = (float)(int)(next_random (&seed) % 9) - 4.0f;
}

double *
new_expected (size_t count)
{
  double *x = g_new (double, count);
  g_test_queue_free (x);
  for (size_t i = 0; i < count; i++)
    x[i] = UNTOUCHED;
  return x;
}

typedef struct Job {
  const SlKernel *kernel;
  const void *params;
  void *const *buffers;
  guint8 *scratch[SL_POOL_MAX_THREADS]; /* each followed by GUARD bytes */
  size_t scratch_size;
} Job;

static guint8 *
scratch_for (Job *job, unsigned slot)
{
  if (!job->scratch[slot]) {
    job->scratch[slot] = sl_aligned_alloc (job->scratch_size + GUARD);
    g_assert_nonnull (job->scratch[slot]);
    memset (job->scratch[slot], 0xff, job->scratch_size + GUARD); /* NaN */
  }
  return job->scratch[slot];
}

static void
run_tiles (void *data, unsigned slot, size_t first, size_t last)
{
  Job *job = data;
  SlFpEnv saved = sl_fp_enter (); /* what the pool sets for its own tiles */
  job->kernel->run (job->params, job->buffers, scratch_for (job, slot), first, last);
  sl_fp_leave (saved);
}

static void
job_clear (Job *job)
{
  for (unsigned s = 0; s < SL_POOL_MAX_THREADS; s++) {
    if (!job->scratch[s])
      continue;
    for (size_t i = 0; i < GUARD; i++)
      g_assert_cmpuint (job->scratch[s][job->scratch_size + i], ==, 0xff);
    g_clear_pointer (&job->scratch[s], sl_aligned_free);
  }
}

void
run_kernel (const SlKernelSet *set, const char *name, const void *params, void *const *buffers,
            size_t output, size_t bytes)
{
  Job job = {.kernel = sl_kernel_set_find (set, name), .params = params, .buffers = buffers};
  g_autofree guint8 *before = g_memdup2 (buffers[output], bytes);
  g_autofree guint8 *whole = NULL;
  size_t tiles;

  g_assert_nonnull (job.kernel);
  tiles = job.kernel->tiles (params);
  job.scratch_size = job.kernel->scratch ? job.kernel->scratch (params) : 0;

  run_tiles (&job, 0, 0, tiles);
  job_clear (&job);
  if (bytes == 0)
    return;
  whole = g_memdup2 (buffers[output], bytes);

  memcpy (buffers[output], before, bytes);
  for (size_t t = tiles; t-- > 0;)
    run_tiles (&job, 1, t, t + 1);
  job_clear (&job);
  g_assert_cmpmem (buffers[output], bytes, whole, bytes);

  memcpy (buffers[output], before, bytes);
  sl_pool_run (tiles, 0, run_tiles, &job);
  job_clear (&job);
  g_assert_cmpmem (buffers[output], bytes, whole, bytes);
}

void
check_floats (const char *what, const float *got, const double *expected, size_t count,
              double tolerance)
{
  for (size_t i = 0; i < count; i++) {
    double g = got[i], e = expected[i];
    bool ok;

    if (e == UNTOUCHED)
      ok = memcmp (&got[i], &untouched, sizeof untouched) == 0;
    else if (isnan (e))
      ok = isnan (g);
    else if (isinf (e))
      ok = g == e;
    else
      ok = fabs (g - e) <= tolerance * (1 + fabs (e));
    if (!ok)
      g_error ("%s: element %zu is %.9g, expected %.9g%s", what, i, g,
               e == UNTOUCHED ? untouched : e, e == UNTOUCHED ? " (untouched)" : "");
  }
}

double
act_reference (const SlAct *act, double x)
{
  switch (act->kind) {
  case SL_ACT_NONE:
    return x;
  case SL_ACT_CLIP:
    return isnan (x) ? x : fmin (fmax (x, (double)act->a), (double)act->b);
  case SL_ACT_LEAKY:
    return x < 0 ? (double)act->a * x : x;
  case SL_ACT_SIGMOID:
    return 1 / (1 + exp (-x));
  case SL_ACT_TANH:
    return tanh (x);
  case SL_ACT_SILU:
    return x / (1 + exp (-x));
  case SL_ACT_HARDSWISH:
    return x * fmin (fmax (x / 6 + 0.5, 0), 1);
  }
  g_assert_not_reached ();
}

size_t
packed_at (const SlKernelSet *set, size_t cols, size_t depth, size_t k, size_t n)
{
  size_t units = (cols + set->panel - 1) / set->panel, panels = 1, begin = 0, width;

  while (panels * set->panel_max < cols)
    panels++;
  for (size_t left = panels;; left--, begin += width) {
    width = (units + left - 1) / left;
    if (n / set->panel < begin + width)
      break;
    units -= width;
  }
  return (begin * depth + k * width) * set->panel + n - begin * set->panel;
}
