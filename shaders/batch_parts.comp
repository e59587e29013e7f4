#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Two numbers for each channel of each part of some rows: its moments, or sums of a gradient and of its products with
 * the normalised input; or one, the sum. A unit is a channel of a part, or four. */
#include "columns.glsl"
#include "ops.h"
#include "types.glsl"

layout (constant_id = 1) const uint op = BATCH_MOMENTS;
layout (constant_id = 2) const bool by_fours = false; /* everything begins and ends at multiples of 4 */

layout (push_constant) uniform Push
{
  uint rows, part_rows, parts, channels;
  uint x_stride, dy_stride;                 /* elements from one row to the next */
  uint out_part, out_plane;                 /* and from one part, from one number to the other, */
  uint group, out_group;                    /* from one group of so many channels to the next */
  uint at_x, at_dy, at_mean, at_inverse, at_out;
};

READ_FOURS (0, x);
READ_FOURS (1, dy);
READ (2, float, mean);
READ (3, float, inverse);
WRITE_FOURS (4, result);

const uint width = by_fours ? 4 : 1;
#define LOAD(name, i) (by_fours ? FOUR_OF (name, i) : vec4 (ONE_OF (name, i)))

/* Rows that are seen at once. */
#define BLOCK 8

Moments
moments_of (uint from, uint stride, uint begin, uint end)
{
  Moments all = Moments (0, vec4 (0), vec4 (0));
  for (uint r = begin + lane_index () * BLOCK; r < end; r += down * BLOCK) {
    uint n = min (BLOCK, end - r);
    vec4 v[BLOCK], sum = vec4 (0), squares = vec4 (0);
    [[unroll]] for (uint j = 0; j < BLOCK; j++) {
      v[j] = LOAD (x, from + min (r + j, end - 1) * stride);
      sum += j < n ? v[j] : vec4 (0);
    }
    vec4 own = sum / float (n);
    [[unroll]] for (uint j = 0; j < BLOCK; j++) {
      vec4 d = j < n ? v[j] - own : vec4 (0);
      squares += d * d;
    }
    all = join (all, Moments (float (n), own, squares));
  }
  return join_down (all);
}

vec4
channels_of (bool of_mean, uint c)
{
  vec4 found = vec4 (0);
  [[unroll]] for (uint j = 0; j < width; j++)
    found[j] = of_mean ? mean[at_mean + c + j] : inverse[at_inverse + c + j];
  return found;
}

void
store (uint at, vec4 y)
{
  if (by_fours)
    result4[at / 4] = y;
  else
    result[at] = y.x;
}

void
main ()
{
  uint n = channels / width, unit = unit_index (), part = min (unit / n, parts - 1), c = unit % n * width;
  bool is_mine = unit < n * parts && lane_index () == 0;
  uint begin = min (part * part_rows, rows), end = min (begin + part_rows, rows);
  uint to = at_out + part * out_part + c / group * out_group + c % group;
  if (op == BATCH_MOMENTS) {
    Moments m = moments_of (at_x + c, x_stride, begin, end);
    if (is_mine) {
      store (to, m.mean);
      store (to + out_plane, m.squares);
    }
    return;
  }
  vec4 sum = vec4 (0), product = vec4 (0), middle = vec4 (0);
  uint from = at_x + c, by = at_dy + c, x_step = x_stride, dy_step = dy_stride; /* variables: README.md */
  if (op == BATCH_SUMS)
    middle = channels_of (true, c);
  for (uint r = begin + lane_index (); r < end; r += down) {
    vec4 d = LOAD (dy, by + r * dy_step);
    sum += d;
    if (op == BATCH_SUMS)
      product += d * (LOAD (x, from + r * x_step) - middle);
  }
  sum = sum_down (sum);
  if (op == BATCH_SUMS)
    product = sum_down (product) * channels_of (false, c);
  if (!is_mine)
    return;
  store (to, sum);
  if (op == BATCH_SUMS)
    store (to + out_plane, product);
}
