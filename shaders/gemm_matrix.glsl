/* A product by cooperative matrices: 16 by 16 halves of rows times 16 by 16 of columns onto float32 sums, by a subgroup
 * at once. A workgroup of 128 has TILE rows by TILE columns; both operands go through shared memory as in gemm_tiles.glsl.
 * A subgroup takes a strip of SIDE rows; where there are fewer subgroups than strips the rest is done in another turn,
 * where there are more they wait: nothing depends on the size of a subgroup. Workgroups: blocks of columns, of rows, groups by
 * splits. */

#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_memory_scope_semantics : require

/* The compiler says which of the two forms of this it knows. */
#ifdef GL_KHR_cooperative_matrix
#extension GL_KHR_cooperative_matrix : require
#define ROWS_MATRIX coopmat<float16_t, gl_ScopeSubgroup, SIDE, SIDE, gl_MatrixUseA>
#define COLS_MATRIX coopmat<float16_t, gl_ScopeSubgroup, SIDE, SIDE, gl_MatrixUseB>
#define SUMS_MATRIX coopmat<float, gl_ScopeSubgroup, SIDE, SIDE, gl_MatrixUseAccumulator>
#define LOAD_MATRIX(matrix, from, at, pitch) coopMatLoad (matrix, from, at, pitch, gl_CooperativeMatrixLayoutRowMajor)
#define STORE_MATRIX(matrix, to, at, pitch) coopMatStore (matrix, to, at, pitch, gl_CooperativeMatrixLayoutRowMajor)
#define MULTIPLY_ADD coopMatMulAdd
#else
#extension GL_NV_cooperative_matrix : require
#define ROWS_MATRIX fcoopmatNV<16, gl_ScopeSubgroup, SIDE, SIDE>
#define COLS_MATRIX ROWS_MATRIX
#define SUMS_MATRIX fcoopmatNV<32, gl_ScopeSubgroup, SIDE, SIDE>
#define LOAD_MATRIX(matrix, from, at, pitch) coopMatLoadNV (matrix, from, at, pitch, false)
#define STORE_MATRIX(matrix, to, at, pitch) coopMatStoreNV (matrix, to, at, pitch, false)
#define MULTIPLY_ADD coopMatMulAddNV
#endif

#define TILE 64
#define SIDE 16 /* of a matrix */
#define STRIPS (TILE / SIDE)
#define STAGED f16vec4
#define STAGED_FOUR(name, i) name##4[(i) / 4]
#define STAGED_ONE(name, i) name[i]
#include "gemm_stage.glsl"

/* Rows of 16 bytes more, so that those of a matrix lie in different banks. */
#define A_PITCH (DEPTH + 8)
#define B_PITCH (TILE + 8)
shared float16_t tile_a[TILE * A_PITCH];  /* [row][depth] */
shared float16_t tile_b[DEPTH * B_PITCH]; /* [depth][column] */
shared float done[STRIPS * SIDE * SIDE];  /* one matrix of each strip */

void
write_stage (uint id, f16vec4 a[2], f16vec4 b[2])
{
  [[unroll]] for (uint s = 0; s < 2; s++) {
    uint row = id / FOURS + s * TILE / 2, index = id + s * TILE * 2;
    uint col = index / (DEPTH * PANEL / 4) * PANEL + index % (PANEL / 4) * 4, depth = index / (PANEL / 4) % DEPTH;
    [[unroll]] for (uint j = 0; j < 4; j++) {
      tile_a[row * A_PITCH + id % FOURS * 4 + j] = a[s][j];
      tile_b[depth * B_PITCH + col + j] = b[s][j];
    }
  }
}

/* Writes what the strips from `first` on came to in column `n` of matrices. All invocations. */
void
write_results (uint first, uint n, uint group, uint split)
{
  uint vectors = min (gl_NumSubgroups, STRIPS - first) * SIDE * SIDE / 4;
  for (uint i = gl_LocalInvocationID.x; i < vectors; i += gl_WorkGroupSize.x) {
    uint row = gl_WorkGroupID.y * TILE + first * SIDE + i / (SIDE / 4);
    uint col = gl_WorkGroupID.x * TILE + n * SIDE + i % (SIDE / 4) * 4;
    vec4 start = splits == 1 ? bias_of (col, group) : vec4 (0);
    put (row, col, group, split, start, vec4 (done[i * 4], done[i * 4 + 1], done[i * 4 + 2], done[i * 4 + 3]));
  }
}

/* The strips from `first` on, one for each subgroup. */
void
multiply_strips (uint first, uint group, uint split)
{
  uint id = gl_LocalInvocationID.x, strip = first + gl_SubgroupID;
  uint depth = taps_h * taps_w * channels, part = (depth + DEPTH * splits - 1) / (DEPTH * splits) * DEPTH;
  uint begin = min (split * part, depth), end = min (begin + part, depth);
  uint mine = id % FOURS * 4; /* of each stage */
  Window window[2];
  f16vec4 a[2], b[2];
  Spot spot = spot_of (begin + mine);
  SUMS_MATRIX sums[STRIPS];

  [[unroll]] for (uint n = 0; n < STRIPS; n++)
    sums[n] = SUMS_MATRIX (0.0);
  [[unroll]] for (uint s = 0; s < 2; s++)
    window[s] = window_of (min (gl_WorkGroupID.y * TILE + id / FOURS + s * TILE / 2, rows - 1), group);
  for (uint k = begin; k < end; k += DEPTH, advance (spot, DEPTH)) {
    [[unroll]] for (uint s = 0; s < 2; s++) {
      a[s] = four_of_row (window[s], spot, k + mine, end);
      b[s] = four_of_weights (id + s * TILE * 2, k, end, group);
    }
    write_stage (id, a, b);
    barrier ();
    if (strip < STRIPS) {
      ROWS_MATRIX left;
      LOAD_MATRIX (left, tile_a, strip * SIDE * A_PITCH, A_PITCH);
      [[unroll]] for (uint n = 0; n < STRIPS; n++) {
        COLS_MATRIX right;
        LOAD_MATRIX (right, tile_b, n * SIDE, B_PITCH);
        sums[n] = MULTIPLY_ADD (left, right, sums[n]);
      }
    }
    barrier ();
  }
  [[unroll]] for (uint n = 0; n < STRIPS; n++) {
    if (strip < STRIPS)
      STORE_MATRIX (sums[n], done, gl_SubgroupID * SIDE * SIDE, SIDE);
    barrier ();
    write_results (first, n, group, split);
    barrier ();
  }
}

void
main ()
{
  for (uint first = 0; first < STRIPS; first += gl_NumSubgroups)
    multiply_strips (first, gl_WorkGroupID.z / splits, gl_WorkGroupID.z % splits);
}
