#version 450
#extension GL_GOOGLE_include_directive : require
/* What the parts of batch_parts.comp are together: mean and variance, or sums. A unit is a column. */
#include "columns.glsl"
#include "ops.h"
#include "types.glsl"

layout (constant_id = 1) const uint op = BATCH_MOMENTS;

layout (push_constant) uniform Push
{
  uint rows, part_rows, parts, columns;
  uint in_part, plane;            /* elements from one part to the next, from the mean to the squares */
  uint group, in_group, out_group; /* and from one group of so many columns to the next */
  uint at_in, at_out;
};

READ (0, float, source);
WRITE (1, float, result);

void
main ()
{
  uint unit = unit_index (), c = min (unit, columns - 1);
  uint from = at_in + c / group * in_group + c % group, to = at_out + c / group * out_group + c % group;
  bool is_mine = unit < columns && lane_index () == 0;
  if (op == BATCH_MOMENTS) {
    Moments all = Moments (0, vec4 (0), vec4 (0));
    for (uint p = lane_index (); p < parts; p += down) {
      float count = float (min (part_rows, rows - min (p * part_rows, rows)));
      uint at = from + p * in_part;
      all = join (all, Moments (count, vec4 (source[at]), vec4 (source[at + plane])));
    }
    all = join_down (all);
    if (is_mine) {
      result[to] = all.mean.x;
      result[to + plane] = all.squares.x / float (rows);
    }
    return;
  }
  vec4 sum = vec4 (0);
  for (uint p = lane_index (); p < parts; p += down)
    sum.x += source[from + p * in_part];
  sum = sum_down (sum);
  if (is_mine)
    result[to] = sum.x;
}
