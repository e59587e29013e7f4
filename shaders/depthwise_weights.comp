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
  uint part = min (unit / n / taps, parts - 1), last = min (first + (part + 1) * part_pixels, end);
  uint each = (part_pixels + down - 1) / down, step = dy_pixel; /* pixels of an invocation */
  uint begin = min (first + part * part_pixels + lane_index () * each, last), stop = min (begin + each, last);
  int y = int (tap / taps_w) * step_h, x = int (tap % taps_w) * step_w;
  Walk walk = walk_from (begin, 0);
  uint from = (uint (y) * walk.in_x + uint (x)) * in_pixel + c, by = at_dy + begin * step + c;
  vec4 sum = vec4 (0);
  for (uint pixel = begin; pixel < stop; pixel++, by += step, go_on (walk))
    if (sees (walk, y, x))
      sum += LOAD (source, walk.at + from) * LOAD (dy, by);
  sum = sum_down (sum);
  if (unit >= n * taps * parts || lane_index () != 0)
    return;
  uint to = at_out + part * out_part + tap * pitch + c;
  if (by_fours)
    result4[to / 4] = sum;
  else
    result[to] = sum.x;
}
