#include "kernels/conv_transpose2d.h"
#include "kernels/gemm.h"
#include "kernels/grid.h"
#include "kernels/tile.h"

/* Sizes of one phase's product at most, and of one group. */
typedef struct Plan {
  const SlConvTranspose2dParams *p;
  size_t group_in, cols;
  size_t rows, taps; /* of the largest phase */
  size_t phases;
  size_t pitch; /* of a row of results in scratch */
  SlTileGrid grid;
} Plan;

static Plan
plan_of (const SlConvTranspose2dParams *p)
{
  Plan plan = {.p = p,
               .group_in = p->in_c / p->groups,
               .cols = p->out_c / p->groups,
               .rows =
                   p->batch * ceil_div (p->out_h, p->stride_h) * ceil_div (p->out_w, p->stride_w),
               .phases = (size_t)p->stride_h * p->stride_w};
  size_t step_h = p->stride_h / sl_greatest_divisor (p->stride_h, p->dilation_h);
  size_t step_w = p->stride_w / sl_greatest_divisor (p->stride_w, p->dilation_w);
  plan.taps = ceil_div (p->kernel_h, step_h) * ceil_div (p->kernel_w, step_w);
  plan.pitch = round_up (plan.cols, VEC_WIDTH);
  plan.grid = SL_KERNEL_NAME (sl_tile_grid) (plan.rows, plan.cols, plan.taps * plan.group_in,
                                             plan.phases * p->groups,
                                             (size_t)p->batch * p->in_h * p->in_w * p->in_c);
  return plan;
}

static size_t
conv_transpose_tiles (const void *params)
{
  Plan plan = plan_of (params);
  return plan.phases * plan.p->groups * plan.grid.row_blocks * plan.grid.col_blocks;
}

static size_t
block_rows (const Plan *plan)
{
  return ceil_div (plan->rows, max_size (plan->grid.row_blocks, 1));
}

/* Scratch: pointers to the taps of each row, a row of zeros, the results. */
static size_t
pointers_size (const Plan *plan)
{
  return round_up (block_rows (plan) * max_size (plan->taps, 1) * sizeof (float *), 64);
}

static size_t
zeros_size (const Plan *plan)
{
  return round_up (plan->group_in * sizeof (float), 64);
}

static size_t
conv_transpose_scratch (const void *params)
{
  Plan plan = plan_of (params);
  return pointers_size (&plan) + zeros_size (&plan) +
         block_rows (&plan) * plan.pitch * sizeof (float);
}

/* The pixel of row m of a phase's product. */
typedef struct Pixel {
  size_t image, y, x;
} Pixel;

static Pixel
pixel_at (const SlPhase *ys, const SlPhase *xs, size_t m)
{
  return (Pixel){m / xs->outs / ys->outs, m / xs->outs % ys->outs, m % xs->outs};
}

static void
pixel_next (const SlPhase *ys, const SlPhase *xs, Pixel *pixel)
{
  if (++pixel->x < xs->outs)
    return;
  pixel->x = 0;
  if (++pixel->y < ys->outs)
    return;
  pixel->y = 0;
  pixel->image++;
}

/* One tap of `rows` pixels of the phase from `pixel` on: those of one row at a time. */
static void
point_tap (const Plan *plan, const SlPhase *ys, const SlPhase *xs, Pixel pixel, const float *in,
           size_t rows, size_t ty, size_t tx, const float *zeros, const float **to)
{
  const SlConvTranspose2dParams *p = plan->p;
  ptrdiff_t down = ys->in_first - (ptrdiff_t)ty * ys->tap_step;
  ptrdiff_t right = xs->in_first - (ptrdiff_t)tx * xs->tap_step;
  size_t left_end = 0, right_begin = xs->outs, count;

  clip_to_input (right, 1, p->in_w, &left_end, &right_begin);
  for (size_t r = 0; r < rows; r += count, to += count) {
    ptrdiff_t y = (ptrdiff_t)pixel.y + down;
    count = min_size (xs->outs - pixel.x, rows - r);
    size_t begin = max_size (pixel.x, left_end), end = min_size (pixel.x + count, right_begin);
    if (y < 0 || y >= (ptrdiff_t)p->in_h || begin >= end)
      begin = end = pixel.x;
    fill_pointers (to, begin - pixel.x, zeros, 0);
    if (begin < end) {
      size_t row = pixel.image * p->in_h + (size_t)y, x = (size_t)((ptrdiff_t)begin + right);
      fill_pointers (to + (begin - pixel.x), end - begin, in + (row * p->in_w + x) * p->in_stride,
                     p->in_stride);
    }
    fill_pointers (to + (end - pixel.x), pixel.x + count - end, zeros, 0);
    pixel.x += count - 1;
    pixel_next (ys, xs, &pixel);
  }
}

/* table[tap][row] for `rows` pixels of the phase from m0 on. */
static void
point_rows (const Plan *plan, const SlPhase *ys, const SlPhase *xs, const float *in, size_t m0,
            size_t rows, const float *zeros, const float **table)
{
  Pixel pixel = pixel_at (ys, xs, m0);

  for (size_t ty = 0; ty < ys->taps; ty++)
    for (size_t tx = 0; tx < xs->taps; tx++, table += rows)
      point_tap (plan, ys, xs, pixel, in, rows, ty, tx, zeros, table);
}

/* Puts the results of a block where its pixels lie. */
static void
scatter_rows (const Plan *plan, const SlPhase *ys, const SlPhase *xs, const float *from, size_t m0,
              size_t rows, size_t cols, float *out)
{
  const SlConvTranspose2dParams *p = plan->p;
  Pixel pixel = pixel_at (ys, xs, m0);

  for (size_t r = 0; r < rows; r++, from += plan->pitch, pixel_next (ys, xs, &pixel)) {
    size_t y = ys->out_first + pixel.y * p->stride_h, x = xs->out_first + pixel.x * p->stride_w;
    float *to = out + ((pixel.image * p->out_h + y) * p->out_w + x) * p->out_stride;
    size_t c = 0;
    for (; c + VEC_WIDTH <= cols; c += VEC_WIDTH)
      vec_store (to + c, vec_load (from + c));
    if (c < cols)
      vec_store_n (to + c, vec_load (from + c), cols - c);
  }
}

static void
conv_transpose_tile (const Plan *plan, void *const *buffers, void *scratch, size_t index)
{
  const SlConvTranspose2dParams *p = plan->p;
  SlTilePlace at = tile_place (&plan->grid, index);
  size_t group = at.product % p->groups, phase = at.product / p->groups;
  size_t ry = phase / p->stride_w, rx = phase % p->stride_w, panels = panel_count (plan->cols);
  SlPhase ys = sl_phase_of (ry, p->kernel_h, p->stride_h, p->dilation_h, p->pad_top, p->out_h);
  SlPhase xs = sl_phase_of (rx, p->kernel_w, p->stride_w, p->dilation_w, p->pad_left, p->out_w);
  size_t all_rows = p->batch * ys.outs * xs.outs, depth = ys.taps * xs.taps * plan->group_in;
  size_t m0 = part_begin (all_rows, plan->grid.row_blocks, at.row_block);
  size_t rows = part_begin (all_rows, plan->grid.row_blocks, at.row_block + 1) - m0;
  size_t c0 = panel_begin (plan->cols, part_begin (panels, plan->grid.col_blocks, at.col_block));
  size_t c1 =
      panel_begin (plan->cols, part_begin (panels, plan->grid.col_blocks, at.col_block + 1));
  size_t out_c = group * plan->cols + c0; /* first output channel */
  size_t before = sl_phase_taps_before (ry, rx, p->kernel_h, p->kernel_w, p->stride_h, p->stride_w,
                                        p->dilation_h, p->dilation_w);
  const float *weights =
      (const float *)buffers[1] +
      sl_packed_elements (plan->cols, plan->group_in, VEC_WIDTH) * p->groups * before +
      group * sl_packed_elements (plan->cols, depth, VEC_WIDTH);
  const float *bias = buffers[2], **table = scratch;
  float *zeros = (float *)((char *)scratch + pointers_size (plan));
  float *results = (float *)((char *)zeros + zeros_size (plan));

  if (rows == 0)
    return;
  memset (zeros, 0, plan->group_in * sizeof *zeros);
  point_rows (plan, &ys, &xs, (const float *)buffers[0] + group * plan->group_in, m0, rows, zeros,
              table);
  /* With stride 1 there is one phase, whose rows follow each other in the output. */
  bool direct = plan->phases == 1;
  float *out = (float *)buffers[3] + out_c;
  SlTile tile = {
      .rows = rows,
      .cols = min_size (plan->cols, c1) - c0,
      .depth = depth,
      .a = table,
      .a_pitch = rows,
      .run = plan->group_in,
      .b = weights + c0 * depth,
      .c = direct ? out + m0 * p->out_stride : results,
      .c_stride = direct ? p->out_stride : plan->pitch,
      .bias = bias ? bias + out_c : NULL,
      .act = &p->act,
  };
  SL_KERNEL_NAME (sl_tile_run) (&tile);
  if (!direct)
    scatter_rows (plan, &ys, &xs, results, m0, rows, tile.cols, out);
}

static void
conv_transpose_run (const void *params, void *const *buffers, void *scratch, size_t first,
                    size_t last)
{
  Plan plan = plan_of (params);
  for (size_t t = first; t < last; t++)
    conv_transpose_tile (&plan, buffers, scratch, t);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_conv_transpose2d) = {
    .name = "conv_transpose2d",
    .params_size = sizeof (SlConvTranspose2dParams),
    .tiles = conv_transpose_tiles,
    .scratch = conv_transpose_scratch,
    .run = conv_transpose_run,
};

/* --- One channel each --- */

/* The taps of one output pixel that lie inside the input. */
typedef struct Window {
  const float *in, *weights; /* of the first tap, channel 0 */
  size_t rows, cols;
  ptrdiff_t in_row, in_col; /* from one tap to the next */
  size_t weight_row, weight_col;
} Window;

/* Taps of a phase that read inside for its output number `i`: the first, and how many; *ret_at is
 * the input position of the first. */
static size_t
taps_inside (const SlPhase *phase, size_t i, size_t size, size_t *ret_first, size_t *ret_at)
{
  size_t count = 0;
  ptrdiff_t at = phase->in_first + (ptrdiff_t)i;
  for (size_t t = 0; t < phase->taps; t++, at -= phase->tap_step)
    if (at >= 0 && at < (ptrdiff_t)size && count++ == 0) {
      *ret_first = t;
      *ret_at = (size_t)at;
    }
  return count;
}

static void
window_pixel (const Window *w, const float *bias, SlClip clip, size_t channel, size_t end,
              float *out)
{
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);
  for (size_t c = channel; c < end; c += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, end - c);
    Vec sum = bias ? vec_load_n (bias + c, n) : vec_splat (0);
    for (size_t y = 0; y < w->rows; y++) {
      const float *in = w->in + (ptrdiff_t)y * w->in_row + c;
      const float *weights = w->weights + y * w->weight_row + c;
      for (size_t x = 0; x < w->cols; x++, in += w->in_col, weights += w->weight_col)
        sum = n == VEC_WIDTH ? vec_fma (vec_load (in), vec_load (weights), sum)
                             : vec_fma (vec_load_n (in, n), vec_load_n (weights, n), sum);
    }
    vec_store_n (out + c, vec_clip (sum, lo, hi), n);
  }
}

static void
depthwise_row (const SlConvTranspose2dParams *p, void *const *buffers, size_t row,
               const SlBandTile *tile)
{
  size_t image = row / p->out_h, y = row % p->out_h, ky = 0, iy = 0;
  SlPhase ys = sl_phase_of ((y + p->pad_top) % p->stride_h, p->kernel_h, p->stride_h, p->dilation_h,
                            p->pad_top, p->out_h);
  size_t rows = taps_inside (&ys, y / p->stride_h, p->in_h, &ky, &iy);
  const float *in = (const float *)buffers[0] + image * p->in_h * p->in_w * p->in_stride;
  float *out = (float *)buffers[3] + row * p->out_w * p->out_stride;

  for (size_t rx = 0; rx < p->stride_w; rx++) {
    SlPhase xs = sl_phase_of (rx, p->kernel_w, p->stride_w, p->dilation_w, p->pad_left, p->out_w);
    for (size_t i = 0; i < xs.outs; i++) {
      size_t kx = 0, ix = 0, cols = taps_inside (&xs, i, p->in_w, &kx, &ix);
      size_t tap = (ys.first + ky * ys.step) * p->kernel_w + xs.first + kx * xs.step;
      Window w = {
          .in = in + (iy * p->in_w + ix) * p->in_stride,
          .weights = (const float *)buffers[1] + (rows * cols > 0 ? tap * p->out_c : 0),
          .rows = rows,
          .cols = cols,
          .in_row = -ys.tap_step * (ptrdiff_t)(p->in_w * (size_t)p->in_stride),
          .in_col = -xs.tap_step * (ptrdiff_t)p->in_stride,
          .weight_row = ys.step * p->kernel_w * p->out_c,
          .weight_col = xs.step * p->out_c,
      };
      size_t x = xs.out_first + i * p->stride_w;
      window_pixel (&w, buffers[2], act_clip (&p->act), tile->channel, tile->channel_end,
                    out + x * p->out_stride);
    }
  }
  act_finish (&p->act, out + tile->channel, p->out_w, tile->channel_end - tile->channel,
              p->out_stride);
}

static SlBandGrid
depthwise_grid (const SlConvTranspose2dParams *p)
{
  size_t rows = (size_t)p->batch * p->out_h;
  size_t taps = ceil_div (p->kernel_h, p->stride_h) * ceil_div (p->kernel_w, p->stride_w);
  return band_grid (rows, p->out_w, p->out_c, taps);
}

static size_t
depthwise_tiles (const void *params)
{
  SlBandGrid grid = depthwise_grid (params);
  return grid.bands * grid.chunks;
}

static void
depthwise_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlConvTranspose2dParams *p = params;
  SlBandGrid grid = depthwise_grid (p);

  for (size_t t = first; t < last; t++) {
    SlBandTile tile = band_tile (&grid, t);
    for (size_t row = tile.row; row < tile.row_end; row++)
      depthwise_row (p, buffers, row, &tile);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_depthwise_transposed2d) = {
    .name = "depthwise_transposed2d",
    .params_size = sizeof (SlConvTranspose2dParams),
    .tiles = depthwise_tiles,
    .run = depthwise_run,
};

/* --- Packing --- */

static size_t
pack_tiles (const void *params)
{
  const SlPackTransposedParams *p = params;
  return (size_t)p->stride_h * p->stride_w * p->groups * packed_count (p->group_out, p->width);
}

/* Taps `begin` to `end` of one input channel for a vector of columns, of which n exist. */
static void
pack_taps (const SlPackTransposedParams *p, const SlPhase *ys, const SlPhase *xs, const float *src,
           size_t n, size_t begin, size_t end, size_t tap_step, float *dst)
{
  size_t area = (size_t)p->kernel_h * p->kernel_w;
  Vec v[VEC_WIDTH];

  for (size_t l = 0; l < VEC_WIDTH; l++)
    v[l] = l < n ? vec_load_n (src + l * area + begin, end - begin) : vec_splat (0);
  vec_transpose (v);
  for (size_t ty = 0; ty < ys->taps; ty++)
    for (size_t tx = 0; tx < xs->taps; tx++) {
      size_t tap = (ys->first + ty * ys->step) * p->kernel_w + xs->first + tx * xs->step;
      if (tap >= begin && tap < end)
        vec_store (dst + (ty * xs->taps + tx) * tap_step, v[tap - begin]);
    }
}

/* One panel of one group and phase; columns beyond the last are 0. */
static void
pack_panel (const SlPackTransposedParams *p, const SlPhase *ys, const SlPhase *xs, const float *src,
            size_t cols, size_t width, float *dst)
{
  size_t area = (size_t)p->kernel_h * p->kernel_w;

  for (size_t i = 0; i < p->group_in && area == 1; i++) /* the columns lie as they are wanted */
    for (size_t n = 0; n < width && ys->taps * xs->taps > 0; n += VEC_WIDTH)
      vec_store (dst + i * width + n, load_columns (src + i * p->group_out, n, cols));
  for (size_t i = 0; i < p->group_in && area > 1; i++, src += p->group_out * area, dst += width)
    for (size_t n = 0; n < width; n += VEC_WIDTH)
      for (size_t tap = 0; tap < area; tap += VEC_WIDTH)
        pack_taps (p, ys, xs, src + n * area, n < cols ? min_size (VEC_WIDTH, cols - n) : 0, tap,
                   min_size (area, tap + VEC_WIDTH), p->group_in * width, dst + n);
}

static void
pack_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlPackTransposedParams *p = params;
  size_t cols = p->group_out, area = (size_t)p->kernel_h * p->kernel_w;

  for (size_t t = first; t < last; t++) {
    size_t panels = packed_count (cols, p->width), j = t % panels;
    size_t all = packed_begin (cols, p->width, panels); /* columns with those that are 0 */
    size_t group = t / panels % p->groups, phase = t / panels / p->groups;
    size_t ry = phase / p->stride_w, rx = phase % p->stride_w;
    SlPhase ys = sl_phase_taps (ry, p->kernel_h, p->stride_h, p->dilation_h);
    SlPhase xs = sl_phase_taps (rx, p->kernel_w, p->stride_w, p->dilation_w);
    size_t depth = ys.taps * xs.taps * p->group_in;
    size_t before = sl_phase_taps_before (ry, rx, p->kernel_h, p->kernel_w, p->stride_h,
                                          p->stride_w, p->dilation_h, p->dilation_w);
    const float *src = (const float *)buffers[0] + group * p->group_in * p->group_out * area;
    float *dst = (float *)buffers[1] + all * p->group_in * p->groups * before + group * all * depth;

    size_t c = packed_begin (cols, p->width, j), width = packed_begin (cols, p->width, j + 1) - c;
    pack_panel (p, &ys, &xs, src + c * area, min_size (width, cols - c), width, dst + c * depth);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_pack_transposed2d) = {
    .name = "pack_transposed2d",
    .params_size = sizeof (SlPackTransposedParams),
    .tiles = pack_tiles,
    .run = pack_run,
};
