#include "kernels/conv2d_gradient.h"
#include "kernels/grid.h"
#include "kernels/outer.h"

/* Rows of the product are (ky, kx, input channel), columns are output channels, and the sum runs
 * over pixels: an outer product for each tap, over those pixels whose tap lies inside the input.
 *
 * A tile walks through its part of the pixels in chunks. Of each it copies its columns of dy, so
 * that they stay in the first cache while all rows use them. Few input channels would leave the
 * registers empty: there the input rows of a chunk are copied between their padding, and all taps
 * are rows of one product. */
typedef struct Plan {
  const SlConv2dGradientParams *p;
  size_t group_in, cols, taps, depth;
  size_t pitch, part; /* of the results */
  bool small;         /* units are pictures, else rows */
  bool narrow;
  size_t units;
  size_t chunk;                  /* units at most, of one picture if they are rows */
  size_t col_blocks, tap_blocks; /* of a part and group: panels, and taps */
  size_t width;                  /* of the widest panel */
  size_t band_h, band_pitch;     /* narrow: rows of input that a chunk sees */
} Plan;

/* Bytes of dy's columns in a chunk. */
#define CHUNK_BYTES (16 * 1024)
/* Tiles worth having. */
#define ENOUGH_TILES 16
#define NARROW_CHANNELS 8

static Plan
make_plan (const SlConv2dGradientParams *p)
{
  const SlConv2dParams *c = &p->conv;
  Plan plan = {.p = p,
               .group_in = c->in_c / c->groups,
               .cols = c->out_c / c->groups,
               .taps = (size_t)c->kernel_h * c->kernel_w,
               .pitch = sl_conv2d_gradient_pitch (c, VEC_WIDTH),
               .part = sl_conv2d_gradient_part (c, VEC_WIDTH),
               .small = (size_t)c->out_h * c->out_w <= SL_CONV2D_SMALL_PICTURE,
               .units = sl_conv2d_gradient_units (c),
               .tap_blocks = 1};
  plan.depth = plan.taps * plan.group_in;
  plan.narrow = plan.group_in < NARROW_CHANNELS && plan.taps > 1;
  plan.col_blocks = max_size (1, panel_count (plan.cols));
  plan.width = panel_begin (plan.cols, 1);
  size_t pixels = CHUNK_BYTES / sizeof (float) / max_size (1, plan.width);
  size_t unit = (plan.small ? c->out_h : 1) * (size_t)c->out_w;
  plan.chunk = max_size (1, pixels / max_size (1, unit));
  if (plan.small && plan.narrow)
    plan.chunk = 1;
  else if (!plan.small)
    plan.chunk = min_size (plan.chunk, c->out_h);
  size_t tiles = p->parts * c->groups * plan.col_blocks;
  if (!plan.narrow && tiles < ENOUGH_TILES)
    plan.tap_blocks = min_size (plan.taps, ceil_div (ENOUGH_TILES, tiles));
  size_t rows = plan.small ? c->out_h : plan.chunk;
  plan.band_h = (rows - 1) * c->stride_h + (size_t)(c->kernel_h - 1) * c->dilation_h + 1;
  plan.band_pitch =
      ((size_t)(c->out_w - 1) * c->stride_w + (size_t)(c->kernel_w - 1) * c->dilation_w + 1) *
      plan.group_in;
  return plan;
}

static size_t
parts_tiles (const void *params)
{
  Plan plan = make_plan (params);
  return plan.p->parts * plan.p->conv.groups * plan.col_blocks * plan.tap_blocks;
}

/* Scratch: columns of dy; narrow: pointers to rows, and the band. */
static size_t
dy_size (const Plan *plan)
{
  size_t unit = (plan->small ? plan->p->conv.out_h : 1) * (size_t)plan->p->conv.out_w;
  return round_up (plan->chunk * unit * plan->width * sizeof (float), 64);
}

static size_t
pointers_size (const Plan *plan)
{
  return round_up (plan->depth * sizeof (float *), 64);
}

static size_t
parts_scratch (const void *params)
{
  Plan plan = make_plan (params);
  size_t narrow = pointers_size (&plan) + plan.band_h * plan.band_pitch * sizeof (float);
  return dy_size (&plan) + (plan.narrow ? narrow : 0);
}

/* Some pictures, or some rows of one. */
typedef struct Chunk {
  size_t image, images, y, rows;
} Chunk;

static Chunk
chunk_at (const Plan *plan, size_t unit, size_t end)
{
  size_t out_h = plan->p->conv.out_h, most = min_size (plan->chunk, end - unit);
  if (plan->small)
    return (Chunk){unit, most, 0, out_h};
  return (Chunk){unit / out_h, 1, unit % out_h, min_size (most, out_h - unit % out_h)};
}

/* What a tile writes, and from what. */
typedef struct Tile {
  const float *in, *dy; /* the group's channels; dy from the first column on */
  float *out;           /* row 0 of the group, the first column */
  size_t cols, width;   /* width: rounded up */
  size_t tap, tap_end;
  float *columns; /* of dy, [pixel][width] */
  const float **pointers;
  float *band;
} Tile;

/* Copies the tile's columns of dy; lanes beyond the last are zeros. */
static void
copy_columns (const Plan *plan, const Tile *tile, const Chunk *chunk)
{
  const SlConv2dParams *c = &plan->p->conv;
  size_t pixels = chunk->images * chunk->rows * c->out_w, last = tile->width - VEC_WIDTH;
  const float *from =
      tile->dy + (chunk->image * c->out_h + chunk->y) * c->out_w * (size_t)c->out_stride;
  float *to = tile->columns;

  for (size_t i = 0; i < pixels; i++, from += c->out_stride, to += tile->width) {
    for (size_t v = 0; v < last; v += VEC_WIDTH)
      vec_store (to + v, vec_load (from + v));
    vec_store (to + last, vec_load_n (from + last, tile->cols - last));
  }
}

/* Columns summed up, in chains that end with the chunk. */
static void
add_bias (const Plan *plan, const Tile *tile, const Chunk *chunk)
{
  size_t pixels = chunk->images * chunk->rows * plan->p->conv.out_w;
  float *to = tile->out + plan->depth * plan->pitch;

  for (size_t v = 0; v < tile->width; v += VEC_WIDTH) {
    const float *from = tile->columns + v;
    Vec even = vec_splat (0), odd = vec_splat (0);
    size_t i = 0;
    for (; i + 2 <= pixels; i += 2) {
      even += vec_load (from + i * tile->width);
      odd += vec_load (from + (i + 1) * tile->width);
    }
    if (i < pixels)
      even += vec_load (from + i * tile->width);
    vec_store (to + v, vec_load (to + v) + (even + odd));
  }
}

static void
add_taps (const Plan *plan, const Tile *tile, const Chunk *chunk)
{
  const SlConv2dParams *c = &plan->p->conv;
  ptrdiff_t width = (ptrdiff_t)tile->width, out_w = c->out_w, stride = c->in_stride;
  ptrdiff_t row = (ptrdiff_t)c->in_w * stride;

  for (size_t tap = tile->tap; tap < tile->tap_end; tap++) {
    ptrdiff_t dy = (ptrdiff_t)(tap / c->kernel_w * c->dilation_h) - c->pad_top;
    ptrdiff_t dx = (ptrdiff_t)(tap % c->kernel_w * c->dilation_w) - c->pad_left;
    size_t y = chunk->y, y_end = chunk->y + chunk->rows, x = 0, x_end = c->out_w;
    clip_to_input (dy, c->stride_h, c->in_h, &y, &y_end);
    clip_to_input (dx, c->stride_w, c->in_w, &x, &x_end);
    if (y >= y_end || x >= x_end)
      continue;
    ptrdiff_t in_y = (ptrdiff_t)(y * c->stride_h) + dy, in_x = (ptrdiff_t)(x * c->stride_w) + dx;
    SlOuter outer = {
        .rows = plan->group_in,
        .cols = tile->width,
        .count = {chunk->images, y_end - y, x_end - x},
        .a_step = {(ptrdiff_t)c->in_h * row, (ptrdiff_t)c->stride_h * row,
                   (ptrdiff_t)c->stride_w * stride},
        .b_step = {(ptrdiff_t)chunk->rows * out_w * width, out_w * width, width},
        .a = tile->in + (ptrdiff_t)chunk->image * c->in_h * row + in_y * row + in_x * stride,
        .b = tile->columns + ((ptrdiff_t)(y - chunk->y) * out_w + (ptrdiff_t)x) * width,
        .c = tile->out + tap * plan->group_in * plan->pitch,
        .c_stride = plan->pitch,
    };
    SL_KERNEL_NAME (sl_outer_add) (&outer);
  }
}

/* The input rows that a chunk of one picture sees, between zeros. */
static void
copy_band (const Plan *plan, const Tile *tile, const Chunk *chunk)
{
  const SlConv2dParams *c = &plan->p->conv;
  size_t group_in = plan->group_in, width = plan->band_pitch / group_in;
  size_t rows = (chunk->rows - 1) * c->stride_h + (size_t)(c->kernel_h - 1) * c->dilation_h + 1;
  ptrdiff_t y = (ptrdiff_t)(chunk->y * c->stride_h) - c->pad_top, left = -(ptrdiff_t)c->pad_left;
  size_t x = 0, x_end = width; /* of the band, what lies inside */
  clip_to_input (left, 1, c->in_w, &x, &x_end);

  memset (tile->band, 0, rows * plan->band_pitch * sizeof (float));
  for (size_t r = 0; r < rows && x < x_end; r++, y++) {
    if (y < 0 || y >= (ptrdiff_t)c->in_h)
      continue;
    const float *from = tile->in + ((chunk->image * c->in_h + (size_t)y) * c->in_w +
                                    (size_t)((ptrdiff_t)x + left)) *
                                       c->in_stride;
    float *to = tile->band + r * plan->band_pitch + x * group_in;
    if (c->in_stride == group_in) {
      memcpy (to, from, (x_end - x) * group_in * sizeof (float));
      continue;
    }
    for (size_t i = x; i < x_end; i++, from += c->in_stride, to += group_in)
      memcpy (to, from, group_in * sizeof (float));
  }
}

/* Rows of a window's row follow each other in the band if its taps do; few of them are better
 * joined with those of the other rows, by pointers. */
#define JOINED_ROWS 8

static void
add_band (const Plan *plan, const Tile *tile, const Chunk *chunk)
{
  const SlConv2dParams *c = &plan->p->conv;
  ptrdiff_t width = (ptrdiff_t)tile->width;
  size_t run = c->kernel_w * plan->group_in, taps_down = c->dilation_h * plan->band_pitch;
  bool along = c->dilation_w == 1 && run >= JOINED_ROWS;
  SlOuter outer = {
      .rows = along ? run : plan->depth,
      .cols = tile->width,
      .count = {1, chunk->rows, c->out_w},
      .a_step = {0, (ptrdiff_t)(c->stride_h * plan->band_pitch),
                 (ptrdiff_t)(c->stride_w * plan->group_in)},
      .b_step = {0, (ptrdiff_t)c->out_w * width, width},
      .a = tile->band,
      .pointers = along ? NULL : tile->pointers,
      .b = tile->columns,
      .c = tile->out,
      .c_stride = plan->pitch,
  };

  copy_band (plan, tile, chunk);
  if (along) {
    for (size_t ky = 0; ky < c->kernel_h; ky++, outer.a += taps_down, outer.c += run * plan->pitch)
      SL_KERNEL_NAME (sl_outer_add) (&outer);
    return;
  }
  for (size_t r = 0; r < plan->depth; r++) {
    size_t tap = r / plan->group_in, ky = tap / c->kernel_w, kx = tap % c->kernel_w;
    tile->pointers[r] =
        tile->band + ky * taps_down + kx * c->dilation_w * plan->group_in + r % plan->group_in;
  }
  SL_KERNEL_NAME (sl_outer_add) (&outer);
}

static void
run_tile (const Plan *plan, void *const *buffers, void *scratch, size_t index)
{
  const SlConv2dParams *c = &plan->p->conv;
  size_t block = index % plan->tap_blocks, col = index / plan->tap_blocks % plan->col_blocks;
  size_t group = index / plan->tap_blocks / plan->col_blocks % c->groups;
  size_t part = index / plan->tap_blocks / plan->col_blocks / c->groups;
  size_t c0 = panel_begin (plan->cols, col), c1 = panel_begin (plan->cols, col + 1);
  Tile tile = {
      .in = (const float *)buffers[0] + group * plan->group_in,
      .dy = (const float *)buffers[1] + group * plan->cols + c0,
      .out = (float *)buffers[2] + part * plan->part + group * (plan->depth + 1) * plan->pitch + c0,
      .cols = min_size (plan->cols, c1) - c0,
      .width = c1 - c0,
      .tap = part_begin (plan->taps, plan->tap_blocks, block),
      .tap_end = part_begin (plan->taps, plan->tap_blocks, block + 1),
      .columns = scratch,
      .pointers = (const float **)(void *)((char *)scratch + dy_size (plan)),
      .band = (float *)(void *)((char *)scratch + dy_size (plan) + pointers_size (plan)),
  };
  bool bias = block + 1 == plan->tap_blocks; /* the last row is written by one */
  size_t last = tile.tap_end * plan->group_in + bias;

  for (size_t r = tile.tap * plan->group_in; r < last; r++)
    memset (tile.out + r * plan->pitch, 0, tile.width * sizeof (float));
  size_t unit = part_begin (plan->units, plan->p->parts, part);
  size_t end = part_begin (plan->units, plan->p->parts, part + 1);
  while (unit < end) {
    Chunk chunk = chunk_at (plan, unit, end);
    unit += plan->small ? chunk.images : chunk.rows;
    copy_columns (plan, &tile, &chunk);
    if (bias && plan->p->bias)
      add_bias (plan, &tile, &chunk);
    if (plan->narrow)
      add_band (plan, &tile, &chunk);
    else
      add_taps (plan, &tile, &chunk);
  }
}

static void
parts_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  Plan plan = make_plan (params);
  for (size_t t = first; t < last; t++)
    run_tile (&plan, buffers, scratch, t);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_conv2d_weight_parts) = {
    .name = "conv2d_weight_parts",
    .params_size = sizeof (SlConv2dGradientParams),
    .tiles = parts_tiles,
    .scratch = parts_scratch,
    .run = parts_run,
};

/* --- One channel each --- */

/* Vectors of channels that go along together. */
#define DEPTHWISE_VECS 4

static size_t
depthwise_blocks (const SlConv2dParams *c)
{
  return ceil_div (c->out_c, DEPTHWISE_VECS * VEC_WIDTH);
}

static size_t
depthwise_tiles (const void *params)
{
  const SlConv2dGradientParams *p = params;
  return p->parts * depthwise_blocks (&p->conv);
}

/* Adds one tap's sum over some rows of a picture to `to`; the numbers of lanes are constants where
 * this is inlined. `in` and `dy` are those of the first position, NULL for in: the bias. */
ALWAYS_INLINE void
add_depthwise (const SlConv2dParams *c, const float *in, const float *dy, size_t rows, size_t cols,
               const size_t vecs, const size_t n, const bool bias, float *to)
{
  Vec sum[DEPTHWISE_VECS];

  UNROLL
  for (size_t v = 0; v < vecs; v++)
    sum[v] = vec_splat (0);
  for (size_t y = 0; y < rows; y++) {
    const float *x = in + (bias ? 0 : y * c->stride_h * c->in_w * c->in_stride);
    const float *g = dy + y * c->out_w * c->out_stride;
    for (size_t i = 0; i < cols; i++, g += c->out_stride) {
      UNROLL
      for (size_t v = 0; v < vecs; v++) {
        Vec d = n == VEC_WIDTH ? vec_load (g + v * VEC_WIDTH) : vec_load_n (g, n);
        if (bias)
          sum[v] += d;
        else
          sum[v] = vec_fma (n == VEC_WIDTH ? vec_load (x + v * VEC_WIDTH) : vec_load_n (x, n), d,
                            sum[v]);
      }
      x += bias ? 0 : c->stride_w * c->in_stride;
    }
  }
  UNROLL
  for (size_t v = 0; v < vecs; v++)
    vec_store (to + v * VEC_WIDTH, vec_load (to + v * VEC_WIDTH) + sum[v]);
}

static void
depthwise_tap (const SlConv2dParams *c, const float *in, const float *dy, size_t rows, size_t cols,
               size_t channels, bool bias, float *to)
{
  size_t i = 0;

  if (channels == DEPTHWISE_VECS * VEC_WIDTH) {
    if (bias)
      add_depthwise (c, in, dy, rows, cols, DEPTHWISE_VECS, VEC_WIDTH, true, to);
    else
      add_depthwise (c, in, dy, rows, cols, DEPTHWISE_VECS, VEC_WIDTH, false, to);
    return;
  }
  for (; i < channels; i += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, channels - i);
    if (bias)
      add_depthwise (c, in + i, dy + i, rows, cols, 1, n, true, to + i);
    else
      add_depthwise (c, in + i, dy + i, rows, cols, 1, n, false, to + i);
  }
}

/* All taps of some rows of one picture. */
static void
depthwise_rows (const SlConv2dGradientParams *p, const Chunk *chunk, const float *in,
                const float *dy, size_t channels, size_t pitch, float *out)
{
  const SlConv2dParams *c = &p->conv;
  size_t taps = (size_t)c->kernel_h * c->kernel_w;

  in += chunk->image * c->in_h * c->in_w * c->in_stride;
  dy += chunk->image * c->out_h * c->out_w * c->out_stride;
  for (size_t tap = 0; tap < taps; tap++) {
    ptrdiff_t down = (ptrdiff_t)(tap / c->kernel_w * c->dilation_h) - c->pad_top;
    ptrdiff_t right = (ptrdiff_t)(tap % c->kernel_w * c->dilation_w) - c->pad_left;
    size_t y = chunk->y, y_end = chunk->y + chunk->rows, x = 0, x_end = c->out_w;
    clip_to_input (down, c->stride_h, c->in_h, &y, &y_end);
    clip_to_input (right, c->stride_w, c->in_w, &x, &x_end);
    if (y >= y_end || x >= x_end)
      continue;
    size_t in_y = (size_t)((ptrdiff_t)(y * c->stride_h) + down);
    size_t in_x = (size_t)((ptrdiff_t)(x * c->stride_w) + right);
    depthwise_tap (c, in + (in_y * c->in_w + in_x) * c->in_stride,
                   dy + (y * c->out_w + x) * c->out_stride, y_end - y, x_end - x, channels, false,
                   out + tap * pitch);
  }
  if (p->bias)
    depthwise_tap (c, dy, dy + chunk->y * c->out_w * c->out_stride, chunk->rows, c->out_w, channels,
                   true, out + taps * pitch);
}

static void
depthwise_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlConv2dGradientParams *p = params;
  const SlConv2dParams *c = &p->conv;
  Plan plan = {.p = p,
               .small = (size_t)c->out_h * c->out_w <= SL_CONV2D_SMALL_PICTURE,
               .units = sl_conv2d_gradient_units (c)};
  size_t blocks = depthwise_blocks (c), taps = (size_t)c->kernel_h * c->kernel_w;
  size_t pitch = sl_conv2d_gradient_pitch (c, VEC_WIDTH);
  plan.chunk = plan.small ? 1 : c->out_h;

  for (size_t t = first; t < last; t++) {
    size_t part = t / blocks, channel = t % blocks * DEPTHWISE_VECS * VEC_WIDTH;
    size_t channels = min_size (DEPTHWISE_VECS * VEC_WIDTH, c->out_c - channel);
    float *out = (float *)buffers[2] + part * (taps + 1) * pitch + channel;
    for (size_t tap = 0; tap <= taps; tap++)
      memset (out + tap * pitch, 0, round_up (channels, VEC_WIDTH) * sizeof (float));
    size_t unit = part_begin (plan.units, p->parts, part);
    size_t end = part_begin (plan.units, p->parts, part + 1);
    while (unit < end) {
      Chunk chunk = chunk_at (&plan, unit, end);
      unit += plan.small ? chunk.images : chunk.rows;
      depthwise_rows (p, &chunk, (const float *)buffers[0] + channel,
                      (const float *)buffers[1] + channel, channels, pitch, out);
    }
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_depthwise2d_weight_parts) = {
    .name = "depthwise2d_weight_parts",
    .params_size = sizeof (SlConv2dGradientParams),
    .tiles = depthwise_tiles,
    .run = depthwise_run,
};

/* --- The sum of the parts --- */

/* How the parts lie; a depthwise convolution is one group here, whose filters have no depth but
 * their taps. */
typedef struct Sum {
  size_t parts, groups, taps, group_in, cols, pitch, part;
  size_t col_blocks, in_blocks;
} Sum;

#define SUM_ELEMENTS 16384

static Sum
sum_plan (const SlConv2dGradientParams *p)
{
  const SlConv2dParams *c = &p->conv;
  bool depthwise = sl_conv2d_is_depthwise (c);
  Sum sum = {.parts = p->parts,
             .groups = depthwise ? 1 : c->groups,
             .taps = (size_t)c->kernel_h * c->kernel_w,
             .group_in = c->in_c / c->groups,
             .cols = depthwise ? c->out_c : c->out_c / c->groups,
             .pitch = sl_conv2d_gradient_pitch (c, VEC_WIDTH),
             .part = sl_conv2d_gradient_part (c, VEC_WIDTH)};
  size_t each = SUM_ELEMENTS / PANEL_MAX / max_size (1, sum.taps);
  sum.col_blocks = ceil_div (sum.cols, PANEL_MAX);
  sum.in_blocks = ceil_div (sum.group_in, max_size (1, each));
  return sum;
}

static size_t
sum_tiles (const void *params)
{
  Sum sum = sum_plan (params);
  return sum.groups * sum.col_blocks * sum.in_blocks;
}

/* A vector of all parts: four chains, then those. */
ALWAYS_INLINE Vec
sum_parts (const float *x, size_t parts, size_t step)
{
  Vec chain[4] = {vec_splat (0), vec_splat (0), vec_splat (0), vec_splat (0)};
  size_t i = 0;
  for (; i + 4 <= parts; i += 4)
    UNROLL
  for (size_t j = 0; j < 4; j++)
    chain[j] += vec_load (x + (i + j) * step);
  for (; i < parts; i++)
    chain[0] += vec_load (x + i * step);
  return (chain[0] + chain[1]) + (chain[2] + chain[3]);
}

/* Elements d … d + count - 1 of the filters of a vector of columns, of which n exist. */
ALWAYS_INLINE void
sum_vectors (const Sum *sum, const float *parts, size_t d, size_t count, size_t n, float *dw)
{
  Vec v[VEC_WIDTH];

  for (size_t j = 0; j < count; j++) {
    size_t row = (d + j) % sum->taps * sum->group_in + (d + j) / sum->taps;
    v[j] = sum_parts (parts + row * sum->pitch, sum->parts, sum->part);
  }
  for (size_t j = count; j < VEC_WIDTH; j++)
    v[j] = vec_splat (0);
  vec_transpose (v);
  for (size_t l = 0; l < n; l++)
    vec_store_n (dw + l * sum->taps * sum->group_in + d, v[l], count);
}

static void
sum_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  Sum sum = sum_plan (params);
  size_t depth = sum.taps * sum.group_in;

  for (size_t t = first; t < last; t++) {
    size_t block = t % sum.in_blocks, c = t / sum.in_blocks % sum.col_blocks * PANEL_MAX;
    size_t group = t / sum.in_blocks / sum.col_blocks, c_end = min_size (sum.cols, c + PANEL_MAX);
    const float *parts = (const float *)buffers[0] + group * (depth + 1) * sum.pitch;
    float *dw = (float *)buffers[1] + group * sum.cols * depth;
    size_t begin = part_begin (sum.group_in, sum.in_blocks, block) * sum.taps;
    size_t end = part_begin (sum.group_in, sum.in_blocks, block + 1) * sum.taps;

    for (size_t d = begin; d < end; d += VEC_WIDTH)
      for (size_t i = c; i < c_end; i += VEC_WIDTH)
        sum_vectors (&sum, parts + i, d, min_size (VEC_WIDTH, end - d),
                     min_size (VEC_WIDTH, c_end - i), dw + i * depth);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_sum_weight_parts) = {
    .name = "sum_weight_parts",
    .params_size = sizeof (SlConv2dGradientParams),
    .tiles = sum_tiles,
    .run = sum_run,
};

static size_t
bias_tiles (const void *params)
{
  return 1;
}

static void
bias_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  Sum sum = sum_plan (params);
  size_t depth = sum.taps * sum.group_in;

  for (size_t g = 0; g < sum.groups; g++)
    for (size_t c = 0; c < sum.cols; c += VEC_WIDTH) {
      const float *parts = (const float *)buffers[0] + (g * (depth + 1) + depth) * sum.pitch + c;
      vec_store_n ((float *)buffers[1] + g * sum.cols + c, sum_parts (parts, sum.parts, sum.part),
                   min_size (VEC_WIDTH, sum.cols - c));
    }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_sum_bias_parts) = {
    .name = "sum_bias_parts",
    .params_size = sizeof (SlConv2dGradientParams),
    .tiles = bias_tiles,
    .run = bias_run,
};
