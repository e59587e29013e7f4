#include "ops/resample.h"

#include <math.h>

const char *const sl_resample_modes[] = {"nearest", "linear", "cubic", NULL};
const char *const sl_resample_transformations[] = {
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
    "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL,
};
const char *const sl_resample_roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                             "ceil", NULL};

/* The output's length before it was rounded to a whole number; what differs from that by the
 * rounding of the scale alone is whole. */
static double
exact_length (const SlResampleAxis *axis)
{
  double length = axis->scale * (double)axis->in, whole = (double)axis->out;
  return fabs (length - whole) <= 1e-6 * whole ? whole : length;
}

/* Where output position `at` lies in the input. Nearest rounds the result, so it is computed in the
 * floats that other implementations use: the same ties fall to the same side.
 *
 * align_corners divides by the length before it is rounded to a whole number, as the standard's own
 * test cases do; the others take the output as long as it is. */
#define DEFINE_ORIGIN(name, Real)                                                              \
  static double name (const SlResample *how, const SlResampleAxis *axis, int64_t at)           \
  {                                                                                            \
    Real x = (Real)at, in = (Real)axis->in, out = (Real)axis->out, scale = (Real)axis->scale;  \
    Real half = (Real)0.5, center = (x + half) / scale - half;                                 \
    Real begin = (Real)axis->begin, end = (Real)axis->end, length = (Real)exact_length (axis); \
    switch (how->transformation) {                                                             \
    case SL_RESAMPLE_HALF_PIXEL_SYMMETRIC:                                                     \
      return (double)(in / 2 * (1 - out / length) + center);                                   \
    case SL_RESAMPLE_PYTORCH_HALF_PIXEL:                                                       \
      return axis->out > 1 ? (double)center : 0;                                               \
    case SL_RESAMPLE_ALIGN_CORNERS:                                                            \
      return axis->out > 1 || length > 1 ? (double)(x * (in - 1) / (length - 1)) : 0;          \
    case SL_RESAMPLE_ASYMMETRIC:                                                               \
      return (double)(x / scale);                                                              \
    case SL_RESAMPLE_TF_HALF_PIXEL_FOR_NN:                                                     \
      return (double)((x + half) / scale);                                                     \
    case SL_RESAMPLE_TF_CROP_AND_RESIZE:                                                       \
      if (axis->out == 1)                                                                      \
        return (double)(half * (begin + end) * (in - 1));                                      \
      return (double)(begin * (in - 1) + x * (end - begin) * (in - 1) / (out - 1));            \
    default:                                                                                   \
      return (double)center;                                                                   \
    }                                                                                          \
  }
DEFINE_ORIGIN (origin_in_float, float)
DEFINE_ORIGIN (origin, double)

bool
sl_resample_is_identity (const SlResample *how, const SlResampleAxis *axis)
{
  return axis->in == axis->out && axis->scale == 1 &&
         how->transformation != SL_RESAMPLE_TF_HALF_PIXEL_FOR_NN &&
         (how->transformation != SL_RESAMPLE_TF_CROP_AND_RESIZE ||
          (axis->begin == 0 && axis->end == 1));
}

/* How much wider than a position of the input the filter is. */
static double
filter_width (const SlResample *how, const SlResampleAxis *axis)
{
  return how->antialias && axis->scale < 1 ? fmin (1 / axis->scale, 2 * (double)axis->in) : 1;
}

static double
filter_reach (const SlResample *how)
{
  return how->mode == SL_RESAMPLE_CUBIC ? 2 : 1;
}

size_t
sl_resample_count_taps (const SlResample *how, const SlResampleAxis *axis)
{
  if (how->mode == SL_RESAMPLE_NEAREST || sl_resample_is_identity (how, axis))
    return 1;
  return 2 * (size_t)ceil (filter_reach (how) * filter_width (how, axis));
}

/* Keys 1981, of which a = -0.75 or -0.5. */
static double
cubic (double x, double a)
{
  x = fabs (x);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

static double
filter (const SlResample *how, double x)
{
  return how->mode == SL_RESAMPLE_CUBIC ? cubic (x, (double)how->cubic_a) : fmax (1 - fabs (x), 0);
}

static int64_t
round_position (const SlResample *how, const SlResampleAxis *axis, double x)
{
  bool up = how->ceil_if_smaller && axis->scale < 1;
  switch (up ? SL_RESAMPLE_CEIL : how->nearest) {
  case SL_RESAMPLE_ROUND_PREFER_FLOOR:
    return (int64_t)ceil (x - 0.5);
  case SL_RESAMPLE_ROUND_PREFER_CEIL:
    return (int64_t)floor (x + 0.5);
  case SL_RESAMPLE_FLOOR:
    return (int64_t)floor (x);
  default:
    return (int64_t)ceil (x);
  }
}

/* The taps around position x, from left to right. */
static void
weigh (SlTaps *taps, const SlResample *how, const SlResampleAxis *axis, size_t at, double x)
{
  double width = filter_width (how, axis), sum = 0;
  int64_t first = (int64_t)floor (x) - (int64_t)(taps->n / 2) + 1;
  int64_t *index = taps->index + at * taps->n;
  double *weight = taps->weight + at * taps->n;
  for (size_t k = 0; k < taps->n; k++) {
    int64_t i = first + (int64_t)k;
    bool inside = i >= 0 && i < axis->in;
    weight[k] = inside || !how->exclude_outside ? filter (how, ((double)i - x) / width) : 0;
    index[k] = CLAMP (i, 0, axis->in - 1);
    sum += weight[k];
  }
  /* A plain filter's weights add up to 1 by themselves. */
  for (size_t k = 0; k < taps->n && (how->exclude_outside || width > 1) && sum != 0; k++)
    weight[k] /= sum;
}

void
sl_taps_init (SlTaps *taps, const SlResample *how, const SlResampleAxis *axis)
{
  bool identity = sl_resample_is_identity (how, axis);
  taps->n = sl_resample_count_taps (how, axis);
  taps->out = (size_t)axis->out;
  taps->index = g_new0 (int64_t, taps->out * taps->n);
  taps->weight = g_new0 (double, taps->out * taps->n);
  taps->outside = g_new0 (bool, taps->out);
  for (size_t i = 0; i < taps->out; i++) {
    bool nearest = how->mode == SL_RESAMPLE_NEAREST;
    double x = nearest ? origin_in_float (how, axis, (int64_t)i) : origin (how, axis, (int64_t)i);
    taps->outside[i] = how->transformation == SL_RESAMPLE_TF_CROP_AND_RESIZE && !identity &&
                       !(x >= 0 && x <= (double)(axis->in - 1));
    x = isfinite (x) ? CLAMP (x, -2.0 * (double)axis->in, 3.0 * (double)axis->in) : 0;
    if (!nearest && !identity) {
      weigh (taps, how, axis, i, x);
      continue;
    }
    int64_t to = identity ? (int64_t)i : round_position (how, axis, x);
    taps->index[i] = CLAMP (to, 0, axis->in - 1);
    taps->weight[i] = 1;
  }
}

void
sl_taps_clear (SlTaps *taps)
{
  g_free (taps->index);
  g_free (taps->weight);
  g_free (taps->outside);
}
