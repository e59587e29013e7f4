#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* What the weights of a convolution of each channel on its own get from the pixels of a part. A unit is a channel of a
 * tap of a part, or four. */
#include "columns.glsl"
#include "types.glsl"

layout (constant_id = 1) const bool by_fours = false; /* everything begins and ends at multiples of 4 */

layout (push_constant) uniform Push
{
  uint channels, taps, taps_w, parts;
  uint part_pixels, first, end;           /* outputs: of a part, the first part's first, behind the last */
  uint pixels, width;                     /* outputs of an image, and of a row of it */
  uint in_h, in_w;                        /* of an image, beyond which everything is 0 */
  int stride_h, stride_w, step_h, step_w; /* inputs from one window to the next, and from one tap to the next */
  int pad_h, pad_w;                       /* inputs from the first tap of window 0 to input 0 */
  uint in_pixel, in_image, in_group;      /* elements from one to the next */
  uint dy_pixel, pitch, out_part;
  uint at_in, at_dy, at_out;
};

#include "window.glsl"

READ_FOURS (0, source);
READ_FOURS (1, dy);
WRITE_FOURS (2, result); /* [part][tap, and a row of the bias][pitch] */

const uint per_unit = by_fours ? 4 : 1;
#define LOAD(name, i) (by_fours ? FOUR_OF (name, i) : vec4 (ONE_OF (name, i)))

void
main ()
{
  uint n = channels / per_unit, unit = unit_index (), c = unit % n * per_unit, tap = unit / n % taps;
  uint part = min (unit / n / taps, parts - 1), at;
  uint begin = first + part * part_pixels, last = min (begin + part_pixels, end);
  uint ty = tap / taps_w, tx = tap % taps_w, step = dy_pixel;
  vec4 sum = vec4 (0);
  for (uint pixel = begin + lane_index (); pixel < last; pixel += down)
    if (find_tap (window_of (pixel, 0), ty, tx, at))
      sum += LOAD (source, at + c) * LOAD (dy, at_dy + pixel * step + c);
  sum = sum_down (sum);
  if (unit >= n * taps * parts || lane_index () != 0)
    return;
  uint to = at_out + part * out_part + tap * pitch + c;
  if (by_fours)
    result4[to / 4] = sum;
  else
    result[to] = sum.x;
}
