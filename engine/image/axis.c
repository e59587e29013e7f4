#include "image/axis.h"
#include "core/memory.h"

#include <math.h>
#include <stdlib.h>

/* round (numerator / 2) with halves to even, as Python's round() has it */
static uint64_t
half_to_even (uint64_t numerator)
{
  uint64_t half = numerator / 2;
  return numerator % 2 ? half + half % 2 : half;
}

static uint64_t
divide_rounded (uint64_t a, uint64_t b)
{
  return MAX ((a + b / 2) / b, 1);
}

/* The middle `wanted` of `scaled` pixels, or all of them in the middle of the output. */
static SlPlacement
centre (uint64_t scaled, uint32_t wanted)
{
  if (scaled >= wanted)
    return (SlPlacement){scaled, half_to_even (scaled - wanted), 0, wanted};
  return (SlPlacement){scaled, 0, (uint32_t)((wanted - scaled) / 2), (uint32_t)scaled};
}

void
sl_placement_solve (const SlPreprocess *rules, uint64_t width, uint64_t height, SlPlacement ret[2])
{
  uint64_t w = rules->width, h = rules->height;
  bool wider = width * (double)h > (double)w * height; /* than the input */

  switch (rules->resize) {
  case SL_RESIZE_CROP:
    if (rules->resize_size) {
      uint64_t size = rules->resize_size;
      bool landscape = width >= height;
      w = landscape ? size * width / height : size;
      h = landscape ? size : size * height / width;
    } else if (wider) {
      w = MAX (divide_rounded (width * h, height), w);
    } else {
      h = MAX (divide_rounded (height * w, width), h);
    }
    break;
  case SL_RESIZE_LETTERBOX:
    if (wider)
      h = MIN (divide_rounded (height * w, width), h);
    else
      w = MIN (divide_rounded (width * h, height), w);
    break;
  default:
    break;
  }
  ret[0] = centre (w, rules->width);
  ret[1] = centre (h, rules->height);
}

/* Fills the taps of output `i`, whose centre is at `centre` in samples (the middle of sample j is
 * at j + 0.5). `begin` and `end` bound the samples. */
static void
fill_taps (SlAxis *axis, uint32_t i, double centre, double support, uint32_t begin, uint32_t end)
{
  double from = floor (centre - support + 0.5), to = floor (centre + support + 0.5);
  uint32_t first = (uint32_t)CLAMP (from, begin, end - 1);
  uint32_t last = (uint32_t)CLAMP (to, first + 1, end);
  float *weights = axis->weights + (size_t)i * axis->stride;

  double sum = 0;
  for (uint32_t j = first; j < last; j++)
    sum += MAX (1 - fabs (j + 0.5 - centre) / support, 0);
  for (uint32_t j = first; j < last; j++)
    weights[j - first] = (float)(MAX (1 - fabs (j + 0.5 - centre) / support, 0) / sum);

  axis->first[i] = first;
  axis->count[i] = last - first;
  axis->taps = MAX (axis->taps, last - first);
  axis->low = MIN (axis->low, first);
  axis->high = MAX (axis->high, last);
}

bool
sl_axis_init (SlAxis *axis, const SlSource *source, const SlPlacement *placement)
{
  double scale = (double)(source->end - source->begin) / (double)placement->scaled;
  double sample = 1 << source->shift; /* frame pixels */
  double support = MAX (scale / sample, 1);
  double shift = source->shift && source->cosited ? 0.25 : 0;
  uint32_t begin = source->begin >> source->shift;
  uint32_t end = (source->end + (1u << source->shift) - 1) >> source->shift;
  uint32_t most = (uint32_t)MIN (2 * ceil (support) + 1, end - begin);

  *axis = (SlAxis){.n = placement->n, .low = end};
  axis->stride = (uint32_t)sl_align_up (most, SL_AXIS_PAD);
  axis->first = calloc (axis->n, sizeof *axis->first);
  axis->count = calloc (axis->n, sizeof *axis->count);
  axis->weights = calloc ((size_t)axis->n * axis->stride, sizeof *axis->weights);
  if (!axis->first || !axis->count || !axis->weights) {
    sl_axis_clear (axis);
    return false;
  }

  for (uint32_t i = 0; i < axis->n; i++) {
    double position = ((double)(placement->skip + i) + 0.5) * scale;
    double pixel = source->flipped ? source->end - position : source->begin + position;
    fill_taps (axis, i, pixel / sample + shift, support, begin, end);
  }
  return true;
}

/* The largest numerator: one is left for rounding. */
#define MAX_FIXED (G_MAXINT16 - 1)
#define MAX_UNITS (G_MAXINT32 / 255)

bool
sl_axis_fix (SlAxis *axis)
{
  size_t n = (size_t)axis->n * axis->stride;
  float largest = 0;
  for (size_t k = 0; k < n; k++)
    largest = MAX (largest, axis->weights[k]);
  if (largest > 0.5f)
    return true;
  if (!(axis->fixed = calloc (n, sizeof *axis->fixed)))
    return false;

  int32_t units = (int32_t)MIN (MAX_FIXED / (double)largest, MAX_UNITS);
  axis->unit = (float)(1.0 / units);
  for (uint32_t i = 0; i < axis->n; i++) {
    const float *weights = axis->weights + (size_t)i * axis->stride;
    int16_t *fixed = axis->fixed + (size_t)i * axis->stride;
    double sum = 0;
    int32_t given = 0;
    for (uint32_t k = 0; k < axis->count[i]; k++) {
      bool last = k + 1 == axis->count[i];
      sum += (double)weights[k];
      int32_t upto = last ? units : (int32_t)lrint (sum * units);
      fixed[k] = (int16_t)(upto - given);
      given = upto;
    }
  }
  return true;
}

void
sl_axis_clear (SlAxis *axis)
{
  free (axis->first);
  free (axis->count);
  free (axis->weights);
  free (axis->fixed);
  *axis = (SlAxis){0};
}
