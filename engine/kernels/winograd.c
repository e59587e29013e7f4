#include "kernels/winograd.h"
#include "kernels/act.h"
#include "kernels/winograd_product.h"

/* A block of tiles goes through three stages in scratch: input tiles, transformed, one matrix
 * [tiles][in_c] for each point of the transform; its product with the weights of that point; the
 * products, transformed back, with bias, residual and activation. Everything is written for both
 * sizes at once: `tile` is a constant 2 or 4 where it is inlined. */
typedef struct Winograd {
  const SlConv2dParams *p;
  size_t tile, side, points; /* output tile, input tile, side * side */
  size_t tiles_y, tiles_x, tiles;
  size_t row_blocks, col_blocks; /* blocks of tiles × blocks of groups of output channels */
  size_t block_tiles;            /* of the largest */
  size_t in_pitch, in_plane;     /* floats from a tile to the next, from a point to the next */
  size_t out_pitch, out_plane;   /* the same of the products */
} Winograd;

/* The rows of a transform are computed by twos: most pairs share their subexpressions, and what is
 * in flight fits the registers of every set. */
#define MAX_SIDE 6
#define MAX_POINTS (MAX_SIDE * MAX_SIDE)

/* Floats of at least n, in an odd number of cache lines: neighbouring rows never fight for a set.
 */
static size_t
odd_lines (size_t n)
{
  return (ceil_div (n, 16) | 1) * 16;
}

/* A block's matrices should stay in the second cache … */
#ifdef __AVX512F__
#define BLOCK_BYTES (1024 * 1024)
#else
#define BLOCK_BYTES (512 * 1024)
#endif
/* … but weights are read once for each block, and with fewer rows than this they take the time. */
#define BLOCK_MIN_TILES 24
#define BLOCK_MAX_TILES 56
#define GRID_TILES 16
#define GRID_WORK (256 * 1024)

/* Rows are cut first: each block of columns transforms its input again. */
static void
cut_blocks (Winograd *w)
{
  const SlConv2dParams *p = w->p;
  size_t groups = ceil_div (p->out_c, SL_WINOGRAD_GROUP);
  size_t tile_bytes = w->points * (p->in_c + SL_WINOGRAD_GROUP) * sizeof (float);
  size_t rows = max_size (BLOCK_BYTES / tile_bytes, BLOCK_MIN_TILES);
  double work = (double)w->tiles * w->points * p->in_c * p->out_c;
  double want = work / GRID_WORK < GRID_TILES ? work / GRID_WORK : GRID_TILES;

  w->row_blocks = ceil_div (w->tiles, min_size (rows, BLOCK_MAX_TILES));
  w->col_blocks = 1;
  while ((double)(w->row_blocks * w->col_blocks) < want) {
    if (w->tiles / w->row_blocks >= 2 * BLOCK_MIN_TILES)
      w->row_blocks *= 2;
    else if (w->col_blocks < groups)
      w->col_blocks = min_size (w->col_blocks * 2, groups);
    else
      break;
  }
  w->block_tiles = ceil_div (w->tiles, max_size (1, w->row_blocks));
}

static Winograd
winograd_plan (const SlConv2dParams *p, size_t tile)
{
  Winograd w = {.p = p, .tile = tile, .side = tile + 2, .points = (tile + 2) * (tile + 2)};

  w.tiles_y = ceil_div (p->out_h, tile);
  w.tiles_x = ceil_div (p->out_w, tile);
  w.tiles = p->batch * w.tiles_y * w.tiles_x;
  cut_blocks (&w);
  w.in_pitch = odd_lines (p->in_c);
  w.in_plane = odd_lines (w.block_tiles * w.in_pitch);
  w.out_pitch = odd_lines (min_size (p->out_c, SL_WINOGRAD_GROUP));
  w.out_plane = odd_lines (w.block_tiles * w.out_pitch);
  return w;
}

static size_t
winograd_tiles (const SlConv2dParams *p, size_t tile)
{
  Winograd w = winograd_plan (p, tile);
  return w.row_blocks * w.col_blocks;
}

/* Zeros for the padding, input matrices, products. */
static size_t
winograd_scratch (const SlConv2dParams *p, size_t tile)
{
  Winograd w = winograd_plan (p, tile);
  return (w.in_pitch + w.points * (w.in_plane + w.out_plane)) * sizeof (float);
}

/* --- Transforms --- */

/* Two rows of B^T d: 2 * pair + 1 and the next; the last pair is the first and the last row. */
ALWAYS_INLINE void
input_pair (const size_t tile, const size_t pair, const Vec d[MAX_SIDE], Vec *lo, Vec *hi)
{
  Vec two = vec_splat (2), four = vec_splat (4), five = vec_splat (5);

  if (tile == 2 && pair == 0) {
    *lo = d[1] + d[2];
    *hi = d[2] - d[1];
  } else if (tile == 2) {
    *lo = d[0] - d[2];
    *hi = d[1] - d[3];
  } else if (pair == 0) {
    Vec even = vec_fma (-four, d[2], d[4]), odd = vec_fma (-four, d[1], d[3]);
    *lo = even + odd;
    *hi = even - odd;
  } else if (pair == 1) {
    Vec even = d[4] - d[2], odd = d[3] - d[1];
    *lo = vec_fma (two, odd, even);
    *hi = vec_fma (-two, odd, even);
  } else {
    *lo = vec_fma (four, d[0], vec_fma (-five, d[2], d[4]));
    *hi = vec_fma (four, d[1], vec_fma (-five, d[3], d[5]));
  }
}

/* Rows `pair` and pair + tile / 2 of A^T d. */
ALWAYS_INLINE void
output_pair (const size_t tile, const size_t pair, const Vec d[MAX_SIDE], Vec *lo, Vec *hi)
{
  if (tile == 2) {
    *lo = d[0] + d[1] + d[2];
    *hi = d[1] - d[2] - d[3];
  } else if (pair == 0) {
    Vec ones = d[1] + d[2], twos = d[3] + d[4];
    *lo = d[0] + ones + twos;
    *hi = vec_fma (vec_splat (4), twos, ones);
  } else {
    Vec ones = d[1] - d[2], twos = d[3] - d[4];
    *lo = vec_fma (vec_splat (2), twos, ones);
    *hi = vec_fma (vec_splat (8), twos, ones) + d[5];
  }
}

/* A row of the input tile, transformed along its columns as well, to the matrices of its points. */
ALWAYS_INLINE void
store_input_row (const Winograd *w, const size_t tile, const Vec row[MAX_SIDE], float *to)
{
  const size_t side = tile + 2, pairs = side / 2;

  UNROLL
  for (size_t pair = 0; pair < pairs; pair++) {
    Vec lo, hi;
    bool last = pair + 1 == pairs;
    input_pair (tile, pair, row, &lo, &hi);
    vec_store (to + (last ? 0 : 2 * pair + 1) * w->in_plane, lo);
    vec_store (to + (last ? side - 1 : 2 * pair + 2) * w->in_plane, hi);
  }
}

/* A vector of channels of one input tile, of which n exist. */
ALWAYS_INLINE void
input_vector (const Winograd *w, const size_t tile, const float *const *pixel, size_t c,
              const bool whole, size_t n, float *to)
{
  const size_t side = tile + 2, pairs = side / 2;

  UNROLL
  for (size_t pair = 0; pair < pairs; pair++) {
    Vec lo[MAX_SIDE], hi[MAX_SIDE];
    bool last = pair + 1 == pairs;
    UNROLL
    for (size_t x = 0; x < side; x++) {
      Vec d[MAX_SIDE];
      UNROLL
      for (size_t y = 0; y < side; y++) {
        const float *from = pixel[y * side + x] + c;
        d[y] = whole ? vec_load (from) : vec_load_n (from, n);
      }
      input_pair (tile, pair, d, &lo[x], &hi[x]);
    }
    store_input_row (w, tile, lo, to + (last ? 0 : 2 * pair + 1) * side * w->in_plane);
    store_input_row (w, tile, hi, to + (last ? side - 1 : 2 * pair + 2) * side * w->in_plane);
  }
}

/* Where an output tile lies. */
typedef struct Place {
  size_t image, y, x; /* of its first output pixel */
} Place;

static Place
place_of (const Winograd *w, size_t index)
{
  return (Place){index / w->tiles_x / w->tiles_y, index / w->tiles_x % w->tiles_y * w->tile,
                 index % w->tiles_x * w->tile};
}

/* Pointers to the pixels of an input tile; those outside the input read zeros. */
ALWAYS_INLINE void
point_tile (const Winograd *w, const size_t tile, const float *in, Place at, const float *zeros,
            const float **pixel)
{
  const SlConv2dParams *p = w->p;
  const size_t side = tile + 2;
  ptrdiff_t x0 = (ptrdiff_t)at.x - p->pad_left;

  for (size_t ky = 0; ky < side; ky++) {
    ptrdiff_t y = (ptrdiff_t)(at.y + ky) - p->pad_top;
    bool inside = y >= 0 && y < (ptrdiff_t)p->in_h;
    const float *row =
        in + (at.image * p->in_h + (size_t)(inside ? y : 0)) * p->in_w * p->in_stride;
    for (size_t kx = 0; kx < side; kx++) {
      ptrdiff_t x = x0 + (ptrdiff_t)kx;
      bool exists = inside && x >= 0 && x < (ptrdiff_t)p->in_w;
      *pixel++ = exists ? row + (size_t)x * p->in_stride : zeros;
    }
  }
}

ALWAYS_INLINE void
transform_input (const Winograd *w, const size_t tile, const float *in, size_t first, size_t count,
                 float *zeros, float *to)
{
  const float *pixel[MAX_POINTS];
  size_t channels = w->p->in_c;

  memset (zeros, 0, w->in_pitch * sizeof *zeros);
  for (size_t i = 0; i < count; i++, to += w->in_pitch) {
    size_t c = 0;
    point_tile (w, tile, in, place_of (w, first + i), zeros, pixel);
    for (; c + VEC_WIDTH <= channels; c += VEC_WIDTH)
      input_vector (w, tile, pixel, c, true, VEC_WIDTH, to + c);
    if (c < channels)
      input_vector (w, tile, pixel, c, false, channels - c, to + c);
  }
}

/* Pixels of an output tile that exist, and where they go. */
typedef struct Target {
  size_t rows, cols;
  float *out;
  const float *residual, *bias; /* or NULL */
  size_t out_row, residual_row; /* elements from a row of pixels to the next */
  Vec lo, hi;
} Target;

/* A row of outputs: back along the columns, bias, residual, clip, store. n lanes exist. */
ALWAYS_INLINE void
store_output_row (const Winograd *w, const size_t tile, const Target *t, const Vec row[MAX_SIDE],
                  size_t y, size_t c, const bool whole, size_t n, Vec bias)
{
  const SlConv2dParams *p = w->p;
  Vec x[MAX_SIDE];

  if (y >= t->rows)
    return;
  UNROLL
  for (size_t pair = 0; pair < tile / 2; pair++)
    output_pair (tile, pair, row, &x[pair], &x[pair + tile / 2]);
  UNROLL
  for (size_t i = 0; i < tile; i++) {
    float *out = t->out + y * t->out_row + i * p->out_stride + c;
    if (i >= t->cols)
      break;
    x[i] += bias;
    if (t->residual) {
      const float *residual = t->residual + y * t->residual_row + i * p->residual_stride + c;
      x[i] += whole ? vec_load (residual) : vec_load_n (residual, n);
    }
    x[i] = vec_clip (x[i], t->lo, t->hi);
    if (whole)
      vec_store (out, x[i]);
    else
      vec_store_n (out, x[i], n);
  }
}

/* A vector of output channels of one tile. */
ALWAYS_INLINE void
output_vector (const Winograd *w, const size_t tile, const Target *t, const float *from, size_t c,
               const bool whole, size_t n)
{
  const size_t side = tile + 2, pairs = tile / 2;
  Vec bias = !t->bias ? vec_splat (0)
             : whole  ? vec_load (t->bias + c)
                      : vec_load_n (t->bias + c, n);

  UNROLL
  for (size_t pair = 0; pair < pairs; pair++) {
    Vec lo[MAX_SIDE], hi[MAX_SIDE];
    UNROLL
    for (size_t x = 0; x < side; x++) {
      Vec d[MAX_SIDE];
      UNROLL
      for (size_t y = 0; y < side; y++)
        d[y] = vec_load (from + (y * side + x) * w->out_plane + c);
      output_pair (tile, pair, d, &lo[x], &hi[x]);
    }
    store_output_row (w, tile, t, lo, pair, c, whole, n, bias);
    store_output_row (w, tile, t, hi, pair + tile / 2, c, whole, n, bias);
  }
}

static Target
target_of (const Winograd *w, void *const *buffers, Place at, size_t c0)
{
  const SlConv2dParams *p = w->p;
  const float *bias = buffers[2], *residual = buffers[3];
  SlClip clip = act_clip (&p->act);
  size_t pixel = (at.image * p->out_h + at.y) * p->out_w + at.x;
  return (Target){
      .rows = min_size (w->tile, p->out_h - at.y),
      .cols = min_size (w->tile, p->out_w - at.x),
      .out = (float *)buffers[4] + pixel * p->out_stride + c0,
      .residual = residual ? residual + pixel * p->residual_stride + c0 : NULL,
      .bias = bias ? bias + c0 : NULL,
      .out_row = (size_t)p->out_w * p->out_stride,
      .residual_row = (size_t)p->out_w * p->residual_stride,
      .lo = vec_splat (clip.lo),
      .hi = vec_splat (clip.hi),
  };
}

ALWAYS_INLINE void
transform_output (const Winograd *w, const size_t tile, void *const *buffers, size_t first,
                  size_t count, size_t c0, size_t cols, const float *from)
{
  const SlConv2dParams *p = w->p;

  for (size_t i = 0; i < count; i++, from += w->out_pitch) {
    Target t = target_of (w, buffers, place_of (w, first + i), c0);
    size_t c = 0;
    for (; c + VEC_WIDTH <= cols; c += VEC_WIDTH)
      output_vector (w, tile, &t, from, c, true, VEC_WIDTH);
    if (c < cols)
      output_vector (w, tile, &t, from, c, false, cols - c);
    if (act_is_separate (&p->act))
      for (size_t y = 0; y < t.rows; y++)
        act_finish (&p->act, t.out + y * t.out_row, t.cols, cols, p->out_stride);
  }
}

/* Blocks of groups of one block of tiles follow each other and share its transformed input. */
ALWAYS_INLINE void
run_blocks (const SlConv2dParams *p, const size_t tile, void *const *buffers, void *scratch,
            size_t first, size_t last)
{
  Winograd w = winograd_plan (p, tile);
  float *zeros = scratch, *in = zeros + w.in_pitch, *out = in + w.points * w.in_plane;
  size_t groups = ceil_div (p->out_c, SL_WINOGRAD_GROUP);
  SlProducts products = {.points = w.points,
                         .depth = p->in_c,
                         .a = in,
                         .c = out,
                         .a_plane = w.in_plane,
                         .c_plane = w.out_plane,
                         .a_pitch = w.in_pitch,
                         .c_pitch = w.out_pitch};

  for (size_t index = first; index < last; index++) {
    size_t row_block = index / w.col_blocks, col_block = index % w.col_blocks;
    size_t t0 = part_begin (w.tiles, w.row_blocks, row_block);
    size_t count = part_begin (w.tiles, w.row_blocks, row_block + 1) - t0;
    size_t group_end = part_begin (groups, w.col_blocks, col_block + 1);

    if (index == first || col_block == 0)
      transform_input (&w, tile, buffers[0], t0, count, zeros, in);
    for (size_t g = part_begin (groups, w.col_blocks, col_block); g < group_end; g++) {
      size_t c0 = g * SL_WINOGRAD_GROUP, cols = min_size (SL_WINOGRAD_GROUP, p->out_c - c0);
      products.b = (const float *)buffers[1] + w.points * p->in_c * c0;
      products.rows = count;
      products.cols = round_up (cols, SL_WINOGRAD_COLS);
      SL_KERNEL_NAME (sl_winograd_multiply) (&products);
      transform_output (&w, tile, buffers, t0, count, c0, cols, out);
    }
  }
}

#define WINOGRAD_KERNEL(id, tile)                                                              \
  static size_t id##_tiles (const void *params)                                                \
  {                                                                                            \
    return winograd_tiles (params, tile);                                                      \
  }                                                                                            \
  static size_t id##_scratch (const void *params)                                              \
  {                                                                                            \
    return winograd_scratch (params, tile);                                                    \
  }                                                                                            \
  static void id##_run (const void *params, void *const *buffers, void *scratch, size_t first, \
                        size_t last)                                                           \
  {                                                                                            \
    run_blocks (params, tile, buffers, scratch, first, last);                                  \
  }                                                                                            \
  const SlKernel SL_KERNEL_NAME (sl_kernel_##id) = {                                           \
      .name = #id,                                                                             \
      .params_size = sizeof (SlConv2dParams),                                                  \
      .tiles = id##_tiles,                                                                     \
      .scratch = id##_scratch,                                                                 \
      .run = id##_run,                                                                         \
  };
WINOGRAD_KERNEL (winograd_f23, 2)
WINOGRAD_KERNEL (winograd_f43, 4)
