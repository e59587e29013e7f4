#include "kernels/conv2d.h"
#include "kernels/gemm.h"
#include "kernels/grid.h"
#include "kernels/tile.h"

/* The product's rows of A are the windows of the output pixels, found in one of two ways.
 *
 * By pointers: a window is kernel_h × kernel_w runs of channels, each of which lies in the input as
 * it is; runs outside the input point to zeros. Nothing is copied, and padding, stride, dilation,
 * groups and slices are all in the pointers.
 *
 * By copy, where that would be slow: runs too short to be worth a pointer (the three channels of a
 * first layer), and pixels whose distance is a power of two so large that the rows of a register
 * tile would fight for one set of the first cache. Windows are then laid out in scratch. */
typedef struct Conv {
  const SlConv2dParams *p;
  size_t rows, cols,
      depth; /* of one group's product: output pixels × channels, window × channels */
  size_t group_in, taps;
  bool plain; /* 1x1 on every pixel: row m is pixel m */
  bool copy;
  size_t run;   /* elements of a window that follow each other in the input */
  size_t pitch; /* copy: elements from one window to the next */
  SlTileGrid grid;
  size_t block_rows; /* of the largest block */
} Conv;

#define SHORT_RUN 8

static Conv
conv_plan (const SlConv2dParams *p)
{
  Conv conv = {.p = p};
  bool dense = p->groups == 1 && p->dilation_w == 1 && p->in_stride == p->in_c;

  conv.rows = (size_t)p->batch * p->out_h * p->out_w;
  conv.cols = p->out_c / p->groups;
  conv.group_in = p->in_c / p->groups;
  conv.taps = (size_t)p->kernel_h * p->kernel_w;
  conv.depth = conv.group_in * conv.taps;
  conv.copy = conv.group_in < SHORT_RUN;
  conv.plain = conv.taps == 1 && p->stride_h == 1 && p->stride_w == 1 && p->pad_top == 0 &&
               p->pad_left == 0 && p->out_h == p->in_h && p->out_w == p->in_w;
  conv.run = conv.copy && dense ? conv.group_in * p->kernel_w : conv.group_in;
  /* an odd number of cache lines, with room for a vector stored beyond the end */
  conv.pitch = round_up (conv.depth + VEC_WIDTH, 32) + 16;
  conv.grid = SL_KERNEL_NAME (sl_tile_grid) (conv.rows, conv.cols, conv.depth, p->groups,
                                             (size_t)p->batch * p->in_h * p->in_w * p->in_c);
  conv.block_rows = ceil_div (conv.rows, max_size (conv.grid.row_blocks, 1));
  return conv;
}

static size_t
conv2d_tiles (const void *params)
{
  Conv conv = conv_plan (params);
  return conv.grid.row_blocks * conv.grid.col_blocks * conv.p->groups;
}

/* Pointers, then either the windows or the zeros. */
static size_t
pointers_size (const Conv *conv)
{
  size_t count = conv->block_rows * (conv->copy ? 1 : conv->taps);
  return round_up (count * sizeof (float *), 64);
}

static size_t
conv2d_scratch (const void *params)
{
  Conv conv = conv_plan (params);
  size_t floats = conv.copy ? conv.block_rows * conv.pitch : conv.group_in;
  return pointers_size (&conv) + floats * sizeof (float);
}

/* An output pixel, walked through in memory order. */
typedef struct Pixel {
  const float *image; /* the input of its image */
  size_t y, x;
} Pixel;

static Pixel
pixel_at (const Conv *conv, const float *in, size_t m)
{
  const SlConv2dParams *p = conv->p;
  size_t image = m / p->out_w / p->out_h;
  return (Pixel){in + image * p->in_h * p->in_w * p->in_stride, m / p->out_w % p->out_h,
                 m % p->out_w};
}

static inline void
pixel_next (const Conv *conv, Pixel *pixel)
{
  const SlConv2dParams *p = conv->p;

  if (++pixel->x < p->out_w)
    return;
  pixel->x = 0;
  if (++pixel->y < p->out_h)
    return;
  pixel->y = 0;
  pixel->image += (size_t)p->in_h * p->in_w * p->in_stride;
}

/* One tap of `rows` output pixels from `pixel` on: those of one output row at a time. */
static void
point_tap (const Conv *conv, Pixel pixel, size_t rows, size_t ky, size_t kx, const float *zeros,
           const float **to)
{
  const SlConv2dParams *p = conv->p;
  ptrdiff_t down = (ptrdiff_t)(ky * p->dilation_h) - p->pad_top;
  ptrdiff_t right = (ptrdiff_t)(kx * p->dilation_w) - p->pad_left;
  size_t left_end = 0, right_begin = p->out_w, step = (size_t)p->stride_w * p->in_stride, count;

  clip_to_input (right, p->stride_w, p->in_w, &left_end, &right_begin);
  for (size_t r = 0; r < rows; r += count, to += count) {
    ptrdiff_t y = (ptrdiff_t)(pixel.y * p->stride_h) + down;
    count = min_size (p->out_w - pixel.x, rows - r);
    size_t begin = max_size (pixel.x, left_end), end = min_size (pixel.x + count, right_begin);
    if (y < 0 || y >= (ptrdiff_t)p->in_h || begin >= end)
      begin = end = pixel.x;
    fill_pointers (to, begin - pixel.x, zeros, 0);
    if (begin < end) {
      ptrdiff_t x = (ptrdiff_t)(begin * p->stride_w) + right;
      fill_pointers (to + (begin - pixel.x), end - begin,
                     pixel.image + ((size_t)y * p->in_w + (size_t)x) * p->in_stride, step);
    }
    fill_pointers (to + (end - pixel.x), pixel.x + count - end, zeros, 0);
    pixel.x += count - 1;
    pixel_next (conv, &pixel);
  }
}

/* table[tap][row] for `rows` output pixels from m0 on. */
static void
point_rows (const Conv *conv, const float *in, size_t m0, size_t rows, const float *zeros,
            const float **table)
{
  const SlConv2dParams *p = conv->p;
  Pixel pixel = pixel_at (conv, in, m0);

  if (conv->plain) {
    for (size_t r = 0; r < rows; r++)
      table[r] = in + (m0 + r) * p->in_stride;
    return;
  }
  for (size_t ky = 0; ky < p->kernel_h; ky++)
    for (size_t kx = 0; kx < p->kernel_w; kx++, table += rows)
      point_tap (conv, pixel, rows, ky, kx, zeros, table);
}

/* Copies n elements; up to a vector more is written behind them. */
ALWAYS_INLINE void
copy_run (float *dst, const float *src, size_t n)
{
  for (; n > VEC_WIDTH; n -= VEC_WIDTH, src += VEC_WIDTH, dst += VEC_WIDTH)
    vec_store (dst, vec_load (src));
  vec_store (dst, vec_load_n (src, n));
}

/* One run, whose first element belongs to pixel x of the input row `row` (NULL: above or below the
 * input); elements of pixels beside the row are zeros. */
static void
copy_run_at_edge (const Conv *conv, const float *row, ptrdiff_t x, float *dst)
{
  ptrdiff_t group_in = (ptrdiff_t)conv->group_in, run = (ptrdiff_t)conv->run;
  ptrdiff_t lo = -x * group_in, hi = ((ptrdiff_t)conv->p->in_w - x) * group_in;

  memset (dst, 0, conv->run * sizeof *dst);
  lo = lo > 0 ? lo : 0;
  hi = hi < run ? hi : run;
  if (row && lo < hi)
    memcpy (dst + lo, row + (x * (ptrdiff_t)conv->p->in_stride + lo),
            (size_t)(hi - lo) * sizeof *dst);
}

/* Run `kx` of the windows of `count` pixels of one output row, from pixel x on. */
static void
copy_runs (const Conv *conv, const float *row, size_t x, size_t count, size_t kx, float *dst)
{
  const SlConv2dParams *p = conv->p;
  ptrdiff_t step = p->stride_w,
            at = (ptrdiff_t)(x * p->stride_w + kx * p->dilation_w) - p->pad_left;
  ptrdiff_t width = (ptrdiff_t)(conv->run / conv->group_in); /* of the run, in pixels */
  size_t i = 0;

  for (; i < count && (!row || at < 0); i++, at += step)
    copy_run_at_edge (conv, row, at, dst + i * conv->pitch);
  for (; i < count && at + width <= (ptrdiff_t)p->in_w; i++, at += step)
    copy_run (dst + i * conv->pitch, row + (size_t)at * p->in_stride, conv->run);
  for (; i < count; i++, at += step)
    copy_run_at_edge (conv, row, at, dst + i * conv->pitch);
}

/* Lays out the windows of `rows` output pixels from m0 on, run by run in the order of their depth,
 * since a run may spill into the next one's place. */
static void
copy_rows (const Conv *conv, const float *in, size_t m0, size_t rows, float *windows,
           const float **table)
{
  const SlConv2dParams *p = conv->p;
  size_t runs_per_row = p->kernel_w * conv->group_in / conv->run, count;
  Pixel pixel = pixel_at (conv, in, m0);

  for (size_t r = 0; r < rows; r++)
    table[r] = windows + r * conv->pitch;
  for (size_t r = 0; r < rows; r += count) {
    float *dst = windows + r * conv->pitch;
    count = min_size (p->out_w - pixel.x, rows - r);
    for (size_t ky = 0; ky < p->kernel_h; ky++) {
      ptrdiff_t y = (ptrdiff_t)(pixel.y * p->stride_h + ky * p->dilation_h) - p->pad_top;
      bool inside = y >= 0 && y < (ptrdiff_t)p->in_h;
      const float *row = inside ? pixel.image + (size_t)y * p->in_w * p->in_stride : NULL;
      for (size_t kx = 0; kx < runs_per_row; kx++, dst += conv->run)
        copy_runs (conv, row, pixel.x, count, kx, dst);
    }
    pixel.x += count - 1;
    pixel_next (conv, &pixel);
  }
}

static void
conv_tile (const Conv *conv, void *const *buffers, void *scratch, size_t index)
{
  const SlConv2dParams *p = conv->p;
  SlTileGrid grid = conv->grid;
  SlTilePlace at = tile_place (&grid, index);
  size_t panels = panel_count (conv->cols), group = at.product;
  size_t m0 = part_begin (conv->rows, grid.row_blocks, at.row_block);
  size_t rows = part_begin (conv->rows, grid.row_blocks, at.row_block + 1) - m0;
  size_t c0 = panel_begin (conv->cols, part_begin (panels, grid.col_blocks, at.col_block));
  size_t c1 = panel_begin (conv->cols, part_begin (panels, grid.col_blocks, at.col_block + 1));
  size_t out_c = group * conv->cols + c0; /* first output channel */
  const float *in = (const float *)buffers[0] + group * conv->group_in, **table = scratch;
  size_t weights = group * sl_packed_elements (conv->cols, conv->depth, VEC_WIDTH);
  const float *bias = buffers[2], *residual = buffers[3];
  float *floats = (float *)((char *)scratch + pointers_size (conv));

  if (conv->copy) {
    copy_rows (conv, in, m0, rows, floats, table);
  } else {
    memset (floats, 0, conv->group_in * sizeof *floats);
    point_rows (conv, in, m0, rows, floats, table);
  }
  SlTile tile = {
      .rows = rows,
      .cols = min_size (conv->cols, c1) - c0,
      .depth = conv->depth,
      .a = table,
      .a_pitch = rows,
      .run = conv->copy ? conv->depth : conv->group_in,
      .b = panels_at (buffers[1], p->half, weights + c0 * conv->depth),
      .half = p->half,
      .c = (float *)buffers[4] + m0 * p->out_stride + out_c,
      .c_stride = p->out_stride,
      .bias = bias ? bias + out_c : NULL,
      .residual = residual ? residual + m0 * p->residual_stride + out_c : NULL,
      .residual_stride = p->residual_stride,
      .act = &p->act,
  };
  SL_KERNEL_NAME (sl_tile_run) (&tile);
}

static void
conv2d_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  Conv conv = conv_plan (params);
  for (size_t t = first; t < last; t++)
    conv_tile (&conv, buffers, scratch, t);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_conv2d) = {
    .name = "conv2d",
    .params_size = sizeof (SlConv2dParams),
    .tiles = conv2d_tiles,
    .scratch = conv2d_scratch,
    .run = conv2d_run,
};
