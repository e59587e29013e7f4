#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* What a convolution's weights get: rows are (tap, input channel), columns output channels, and the sum runs over
 * output pixels, of which each part has some. Both operands have their pixels in order and their channels side by
 * side, so neither is packed. Workgroups, folded: blocks of columns (first), of rows, groups, parts. */
#include "index.glsl"
#include "panel.h"
#include "types.glsl"

layout (local_size_x_id = 0) in;
layout (constant_id = 0) const uint local_size = 8;
layout (constant_id = 1) const bool reads_fours = false; /* runs of input channels begin and end at multiples of 4 */
layout (constant_id = 2) const bool takes_fours = false; /* those of the gradient do so */

layout (push_constant) uniform Push
{
  uint rows, cols, channels, groups, parts; /* rows, columns, channels: of a group */
  uint taps_w;
  uint part_pixels, first, end;           /* outputs: of a part, the first part's first, behind the last */
  uint pixels, width;                     /* outputs of an image, and of a row of it */
  uint in_h, in_w;                        /* of an image, beyond which everything is 0 */
  int stride_h, stride_w, step_h, step_w; /* inputs from one window to the next, and from one tap to the next */
  int pad_h, pad_w;                       /* inputs from the first tap of window 0 to input 0 */
  uint in_pixel, in_image, in_group;      /* elements from one to the next */
  uint dy_pixel, pitch, out_group, out_part;
  uint at_in, at_dy, at_out;
};

#include "window.glsl"

READ_FOURS (0, source);
READ_FOURS (1, dy);
WRITE_FOURS (2, result); /* [part][group][row, and one of the bias][pitch] */

/* Four rows: the taps and channels that they are; those that lie beyond the last are none. */
struct Rows
{
  uint ty[4], tx[4], channel[4];
  bool exists[4];
};

Rows
rows_of (uint row)
{
  Rows found;
  [[unroll]] for (uint j = 0; j < 4; j++) {
    uint tap = (row + j) / channels;
    found.ty[j] = tap / taps_w;
    found.tx[j] = tap % taps_w;
    found.channel[j] = (row + j) % channels;
    found.exists[j] = row + j < rows;
  }
  return found;
}

vec4
inputs_of (Rows four, Window window, bool exists)
{
  uint at;
  vec4 found = vec4 (0);
  if (reads_fours) {
    bool inside = find_tap (window, four.ty[0], four.tx[0], at) && four.exists[0] && exists;
#ifdef TEXELS /* without a branch */
    return mix (vec4 (0), FOUR_OF (source, at + (four.exists[0] ? four.channel[0] : 0)), bvec4 (inside));
#else
    if (inside)
      found = FOUR_OF (source, at + four.channel[0]);
    return found;
#endif
  }
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (find_tap (window, four.ty[j], four.tx[j], at) && four.exists[j] && exists)
      found[j] = ONE_OF (source, at + four.channel[j]);
  return found;
}

/* Columns `col` to `col` + 3, a multiple of 4, at a pixel that exists. */
vec4
gradients_of (uint pixel, uint col, uint group)
{
  uint at = at_dy + pixel * dy_pixel + group * cols + col;
  vec4 found = vec4 (0);
  if (takes_fours) {
#ifdef TEXELS
    return FOUR_OF (dy, col < cols ? at : at_dy);
#else
    return col < cols ? FOUR_OF (dy, at) : found;
#endif
  }
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (col + j < cols)
      found[j] = ONE_OF (dy, at + j);
  return found;
}

void
store (uint part, uint group, uint row, uint col, vec4 sum)
{
  if (row < rows && col < pitch)
    result4[(at_out + part * out_part + group * out_group + row * pitch + col) / 4] = sum;
}

#ifdef TILE
/* On a GPU: a workgroup of 2 * TILE invocations has TILE rows by TILE columns, an invocation TILE / 8 by 4 of them.
 * Both operands go through shared memory, STAGE pixels at a time; the next ones are fetched while the present ones are
 * multiplied. */
#define STAGE 16
#define ROWS (TILE / 8)
#define ACROSS (TILE / 4) /* vectors of rows, or of columns */

shared vec4 tile_a[STAGE][ACROSS];
shared vec4 tile_b[STAGE][ACROSS];

void
main ()
{
  uint across = (cols + TILE - 1) / TILE, down = (rows + TILE - 1) / TILE, i = group_index ();
  uint col = i % across * TILE, row = i / across % down * TILE, unit = i / across / down;
  uint group = unit % groups, part = unit / groups;
  if (part >= parts)
    return;
  uint id = gl_LocalInvocationID.x, x = id % ACROSS, y = id / ACROSS;
  uint begin = first + part * part_pixels, last = min (begin + part_pixels, end);
  Rows mine = rows_of (row + x * 4);
  vec4 a[2], b[2], sums[ROWS];

  [[unroll]] for (uint r = 0; r < ROWS; r++)
    sums[r] = vec4 (0);
  [[unroll]] for (uint s = 0; s < 2; s++) {
    uint pixel = begin + y + s * (STAGE / 2);
    a[s] = inputs_of (mine, window_of (pixel, group), pixel < last);
    b[s] = pixel < last ? gradients_of (pixel, col + x * 4, group) : vec4 (0);
  }
  for (uint k = begin; k < last; k += STAGE) {
    [[unroll]] for (uint s = 0; s < 2; s++) {
      tile_a[y + s * (STAGE / 2)][x] = a[s];
      tile_b[y + s * (STAGE / 2)][x] = b[s];
    }
    barrier ();
    [[unroll]] for (uint s = 0; s < 2; s++) {
      uint pixel = k + STAGE + y + s * (STAGE / 2);
      a[s] = inputs_of (mine, window_of (pixel, group), pixel < last);
      b[s] = pixel < last ? gradients_of (pixel, col + x * 4, group) : vec4 (0);
    }
    [[unroll]] for (uint p = 0; p < STAGE; p++) {
      vec4 four = tile_b[p][x];
      [[unroll]] for (uint r = 0; r < ROWS; r++)
        sums[r] = fma (vec4 (tile_a[p][y * (ROWS / 4) + r / 4][r % 4]), four, sums[r]);
    }
    barrier ();
  }
  [[unroll]] for (uint r = 0; r < ROWS; r++)
    store (part, group, row + y * ROWS + r, col + x * 4, sums[r]);
}

#else
/* On a CPU that plays a GPU: an invocation, a lane of a vector, has VECTORS times four rows by a panel of columns in
 * registers. The gradient's address is the same for all lanes; each vector of the input serves all columns. */
#define VECTORS 2
#define FOURS (PANEL / 4)
#define TURN 4 /* pixels: registers are stored at the end of each turn */

vec4 sums[VECTORS * 4][FOURS];

void
main ()
{
  uint lanes = gl_WorkGroupSize.x, lane = gl_LocalInvocationID.x, each = lanes * VECTORS * 4;
  uint across = (cols + PANEL - 1) / PANEL, blocks = (rows + each - 1) / each, i = group_index ();
  uint col = i % across * PANEL, row = i / across % blocks * each + lane * 4, unit = i / across / blocks;
  uint group = unit % groups, part = unit / groups;
  if (part >= parts)
    return;
  uint begin = first + part * part_pixels, last = min (begin + part_pixels, end);
  Rows mine[VECTORS];

  [[unroll]] for (uint v = 0; v < VECTORS; v++)
    mine[v] = rows_of (row + v * lanes * 4);
  [[unroll]] for (uint r = 0; r < VECTORS * 4; r++)
    [[unroll]] for (uint q = 0; q < FOURS; q++)
      sums[r][q] = vec4 (0);
  for (uint k = begin; k < last; k += TURN)
    [[unroll]] for (uint p = 0; p < TURN; p++) {
      uint pixel = min (k + p, last - 1);
      Window window = window_of (pixel, group);
      vec4 a[VECTORS];
      [[unroll]] for (uint v = 0; v < VECTORS; v++)
        a[v] = inputs_of (mine[v], window, k + p < last);
      [[unroll]] for (uint q = 0; q < FOURS; q++) {
        vec4 b = gradients_of (pixel, col + q * 4, group);
        [[unroll]] for (uint r = 0; r < VECTORS * 4; r++)
          sums[r][q] = fma (vec4 (a[r / 4][r % 4]), b, sums[r][q]);
      }
    }
  [[unroll]] for (uint r = 0; r < VECTORS * 4; r++)
    [[unroll]] for (uint q = 0; q < FOURS; q++)
      store (part, group, row + r / 4 * lanes * 4 + r % 4, col + q * 4, sums[r][q]);
}
#endif
