/* Geometry and filter coefficients of one direction. */
#pragma once

#include <sightline/image.h>

#include <stdbool.h>

/* How one viewed direction fills one direction of the input: the picture is scaled to `scaled`
 * pixels, of which `n` from `skip` on lie at output positions `start` … `start + n - 1`. */
typedef struct SlPlacement {
  uint64_t scaled, skip;
  uint32_t start, n;
} SlPlacement;

/* Applies the resize rule to a picture of the viewed proportion width : height (numbers up to 2^51)
 * and an input as the rules say. ret[0] is horizontal, ret[1] vertical. */
void sl_placement_solve (const SlPreprocess *rules, uint64_t width, uint64_t height,
                         SlPlacement ret[2]);

/* The samples of one frame direction that an axis reads: `begin` … `end` - 1 are the picture's, in
 * samples of a plane whose grid is the frame's shifted right by `shift`. */
typedef struct SlSource {
  uint32_t begin, end; /* frame pixels */
  unsigned shift;      /* 0, or 1 for a subsampled plane */
  bool cosited;        /* a subsampled sample sits on the first of its two pixels */
  bool flipped;        /* the view runs from end to begin */
} SlSource;

/* Taps are padded with zero weights to a multiple of this. */
#define SL_AXIS_PAD 4

/* Output i is the sum over k < count[i] of weights[i * stride + k] * sample[first[i] + k]; the
 * weights from count[i] to stride - 1 are zero. */
typedef struct SlAxis {
  uint32_t n, stride;
  uint32_t taps;      /* the largest count */
  uint32_t low, high; /* all taps lie in low … high - 1 */
  uint32_t *first, *count;
  float *weights;
  int16_t *fixed; /* NULL, or the weights in units, to whole ones; see sl_axis_fix() */
  float unit;
} SlAxis;

/* Pillow's BILINEAR: a triangle as wide as the reduction, cut off at the picture's edge and made to
 * sum to one. FALSE if there is no memory. */
bool sl_axis_init (SlAxis *axis, const SlSource *source, const SlPlacement *placement);

/* Makes `fixed`, if no weight is above a half: units are as small as 16 bits allow, and as 32 bits
 * allow for sums over bytes. Each output's sum to the same number, so that flat stays flat, and
 * each is off by less than one unit, which is below 2^-16 then. FALSE if there is no memory. */
bool sl_axis_fix (SlAxis *axis);
void sl_axis_clear (SlAxis *axis);
