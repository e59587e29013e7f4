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

/* Columns `col` to `col` + 3, a multiple of 4, of the pixel whose gradients begin at `at`. */
vec4
gradients_of (uint at, uint col, uint n)
{
  vec4 found = vec4 (0);
  if (takes_fours)
#ifdef TEXELS /* without a branch */
    return FOUR_OF (dy, at + (col < n ? col : 0));
#else
    return col < n ? FOUR_OF (dy, at + col) : found;
#endif
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (col + j < n)
      found[j] = ONE_OF (dy, at + col + j);
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

vec4
inputs_of (Rows four, uint pixel, uint group)
{
  uint at;
  vec4 found = vec4 (0);
  Window window = window_of (pixel, group);
  if (reads_fours) {
    if (four.exists[0] && find_tap (window, four.ty[0], four.tx[0], at))
      found = FOUR_OF (source, at + four.channel[0]);
    return found;
  }
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (four.exists[j] && find_tap (window, four.ty[j], four.tx[j], at))
      found[j] = ONE_OF (source, at + four.channel[j]);
  return found;
}

/* What one invocation fetches of a stage: vector `x` of both operands, of pixels `pixel` and half a stage on. */
void
fetch (Rows mine, uint pixel, uint last, uint col, uint group, out vec4 ret_a[2], out vec4 ret_b[2])
{
  [[unroll]] for (uint s = 0; s < 2; s++, pixel += STAGE / 2) {
    bool exists = pixel < last;
    ret_a[s] = exists ? inputs_of (mine, pixel, group) : vec4 (0);
    ret_b[s] = exists ? gradients_of (at_dy + pixel * dy_pixel + group * cols, col, cols) : vec4 (0);
  }
}

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
  fetch (mine, begin + y, last, col + x * 4, group, a, b);
  for (uint k = begin; k < last; k += STAGE) {
    [[unroll]] for (uint s = 0; s < 2; s++) {
      tile_a[y + s * (STAGE / 2)][x] = a[s];
      tile_b[y + s * (STAGE / 2)][x] = b[s];
    }
    barrier ();
    fetch (mine, k + STAGE + y, last, col + x * 4, group, a, b);
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
#define OUTSIDE -0x40000000 /* of every image: rows beyond the last */

vec4 sums[VECTORS * 4][FOURS];

/* Four rows: how far their taps, and their channels, lie from a window's first. */
struct Reach
{
  int y[4], x[4];
  uint at[4];
};

Reach
reach_of (Rows rows_here)
{
  Reach reach;
  [[unroll]] for (uint j = 0; j < 4; j++) {
    reach.y[j] = rows_here.exists[j] ? int (rows_here.ty[j]) * step_h : OUTSIDE;
    reach.x[j] = int (rows_here.tx[j]) * step_w;
    reach.at[j] = (uint (reach.y[j]) * in_w + uint (reach.x[j])) * in_pixel + rows_here.channel[j];
  }
  return reach;
}

vec4
inputs_of (Reach reach, Walk walk, uint base, bool exists)
{
  vec4 found = vec4 (0);
  if (reads_fours) {
    bool inside = exists && sees (walk, reach.y[0], reach.x[0]);
    return mix (found, FOUR_OF (source, inside ? walk.at + reach.at[0] : base), bvec4 (inside));
  }
  [[unroll]] for (uint j = 0; j < 4; j++) {
    bool inside = exists && sees (walk, reach.y[j], reach.x[j]);
    found[j] = mix (0, ONE_OF (source, inside ? walk.at + reach.at[j] : base), inside);
  }
  return found;
}

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
  Reach mine[VECTORS];

  [[unroll]] for (uint v = 0; v < VECTORS; v++)
    mine[v] = reach_of (rows_of (row + v * lanes * 4));
  [[unroll]] for (uint r = 0; r < VECTORS * 4; r++)
    [[unroll]] for (uint q = 0; q < FOURS; q++)
      sums[r][q] = vec4 (0);
  /* Variables: push constants are slow in loops (README.md). */
  uint n = cols, step = dy_pixel, at = at_dy + begin * step + group * n, base = at_in;
  Walk walk = walk_from (begin, group);
  for (uint k = begin; k < last; k += TURN)
    [[unroll]] for (uint p = 0; p < TURN; p++) {
      bool exists = k + p < last;
      vec4 a[VECTORS];
      [[unroll]] for (uint v = 0; v < VECTORS; v++)
        a[v] = inputs_of (mine[v], walk, base, exists);
      [[unroll]] for (uint q = 0; q < FOURS; q++) {
        vec4 b = mix (vec4 (0), gradients_of (at, col + q * 4, n), bvec4 (exists)); /* 0 times infinity is NaN */
        [[unroll]] for (uint r = 0; r < VECTORS * 4; r++)
          sums[r][q] = fma (vec4 (a[r / 4][r % 4]), b, sums[r][q]);
      }
      go_on (walk);
      at += k + p + 1 < last ? step : 0;
    }
  [[unroll]] for (uint r = 0; r < VECTORS * 4; r++)
    [[unroll]] for (uint q = 0; q < FOURS; q++)
      store (part, group, row + r / 4 * lanes * 4 + r % 4, col + q * 4, sums[r][q]);
}
#endif
