/* A product on a GPU: a workgroup of 2 * TILE invocations has TILE rows by TILE columns, an invocation TILE / 8 by 4 of
 * them in registers. Both operands go through shared memory, DEPTH of the depth at a time; the next ones are fetched
 * while the present ones are multiplied. Small pictures have few tiles: then `splits` workgroups share the depth of
 * one, each writes its sums for itself, [split][group][row][column of a whole panel], and gemm_sum.glsl adds them.
 * Workgroups: blocks of columns, of rows, groups by splits. */

#define STAGED vec4
#define STAGED_FOUR(name, i) FOUR_OF (name, i)
#define STAGED_ONE(name, i) ONE_OF (name, i)
#include "gemm_stage.glsl"

#define ROWS (TILE / 8)
#define ACROSS (TILE / 4) /* vectors of columns, or of rows */

shared vec4 tile_a[DEPTH][ACROSS + 1]; /* of rows; one more, so that columns of it lie in different banks */
shared vec4 tile_b[DEPTH][ACROSS];

void
write_stage (uint id, vec4 a[2], vec4 b[2])
{
  [[unroll]] for (uint s = 0; s < 2; s++) {
    uint row = id / FOURS + s * TILE / 2, index = id + s * TILE * 2;
    [[unroll]] for (uint j = 0; j < 4; j++)
      tile_a[id % FOURS * 4 + j][row / 4][row % 4] = a[s][j];
    tile_b[index / (PANEL / 4) % DEPTH][index / (DEPTH * PANEL / 4) * (PANEL / 4) + index % (PANEL / 4)] = b[s];
  }
}

void
main ()
{
  uint id = gl_LocalInvocationID.x, group = gl_WorkGroupID.z / splits, split = gl_WorkGroupID.z % splits;
  uint x = id % ACROSS, y = id / ACROSS;
  uint depth = taps_h * taps_w * channels, part = (depth + DEPTH * splits - 1) / (DEPTH * splits) * DEPTH;
  uint begin = min (split * part, depth), end = min (begin + part, depth);
  uint mine = id % FOURS * 4; /* of each stage */
  Window window[2];
  vec4 a[2], b[2], sums[ROWS];
  Spot spot = spot_of (begin + mine);

  [[unroll]] for (uint r = 0; r < ROWS; r++)
    sums[r] = vec4 (0);
  [[unroll]] for (uint s = 0; s < 2; s++) {
    window[s] = window_of (min (gl_WorkGroupID.y * TILE + id / FOURS + s * TILE / 2, rows - 1), group);
    a[s] = four_of_row (window[s], spot, begin + mine, end);
    b[s] = four_of_weights (id + s * TILE * 2, begin, end, group);
  }
  for (uint k = begin; k < end; k += DEPTH) {
    write_stage (id, a, b);
    barrier ();
    advance (spot, DEPTH);
    [[unroll]] for (uint s = 0; s < 2; s++) {
      a[s] = four_of_row (window[s], spot, k + DEPTH + mine, end);
      b[s] = four_of_weights (id + s * TILE * 2, k + DEPTH, end, group);
    }
    [[unroll]] for (uint d = 0; d < DEPTH; d++) {
      vec4 four = tile_b[d][x];
      [[unroll]] for (uint r = 0; r < ROWS; r++)
        sums[r] = fma (vec4 (tile_a[d][y * (ROWS / 4) + r / 4][r % 4]), four, sums[r]);
    }
    barrier ();
  }

  uint col = gl_WorkGroupID.x * TILE + x * 4;
  vec4 start = splits == 1 ? bias_of (col, group) : vec4 (0);
  [[unroll]] for (uint r = 0; r < ROWS; r++) {
    uint row = gl_WorkGroupID.y * TILE + y * ROWS + r;
    put (row, col, group, split, start, sums[r]);
  }
}
