#include "kernels/conv2d.h"
#include "kernels/gemm.h"
#include "kernels/tile.h"

/* Rows of A, one per output pixel, are laid out in scratch: TILE_DEPTH elements of the window at a
 * time, with zeros where it leaves the input. That costs a copy, a few percent of the products made
 * with it, and in return padding, stride, dilation, groups and slices are no business of the inner
 * loop, and the rows never fall into the same cache sets. The odd number of cache lines is for the
 * latter. */
#define ROW_PITCH (TILE_DEPTH + 16)

typedef struct Conv {
  const SlConv2dParams *p;
  size_t rows, cols,
      depth; /* of one group's product: output pixels × channels, window × channels */
  size_t group_in, passes;
  size_t run;  /* elements of a window that follow each other in the input */
  bool direct; /* the input is A as it lies */
  SlTileGrid grid;
  size_t block_rows, block_cols; /* largest block */
} Conv;

/* A row pitch in whole pages of 2 KiB puts all rows of a tile into one or two cache sets. */
static bool
is_direct (const SlConv2dParams *p)
{
  return p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->stride_w == 1 &&
         p->pad_top == 0 && p->pad_left == 0 && p->out_h == p->in_h && p->out_w == p->in_w &&
         p->in_stride % 512 != 0;
}

static Conv
conv_plan (const SlConv2dParams *p)
{
  Conv conv = {.p = p};
  bool dense = p->groups == 1 && p->dilation_w == 1 && p->in_stride == p->in_c;

  conv.rows = (size_t)p->batch * p->out_h * p->out_w;
  conv.cols = p->out_c / p->groups;
  conv.group_in = p->in_c / p->groups;
  conv.depth = conv.group_in * p->kernel_h * p->kernel_w;
  conv.run = dense ? conv.group_in * p->kernel_w : conv.group_in;
  conv.passes = max_size (1, ceil_div (conv.depth, TILE_DEPTH));
  conv.direct = is_direct (p);
  conv.grid = SL_KERNEL_NAME (sl_tile_grid) (conv.rows, conv.cols, conv.depth, p->groups);
  conv.block_rows = ceil_div (conv.rows, max_size (conv.grid.row_blocks, 1));
  conv.block_cols =
      ceil_div (ceil_div (conv.cols, PANEL), max_size (conv.grid.col_blocks, 1)) * PANEL;
  return conv;
}

static size_t
conv2d_tiles (const void *params)
{
  Conv conv = conv_plan (params);
  return conv.grid.row_blocks * conv.grid.col_blocks * conv.p->groups;
}

static size_t
conv2d_scratch (const void *params)
{
  Conv conv = conv_plan (params);
  size_t gathered = conv.direct ? 0 : round_up (conv.block_rows * ROW_PITCH, 16);
  size_t partial = conv.passes > 1 ? conv.block_rows * conv.block_cols : 0;
  return (gathered + partial) * sizeof (float);
}

ALWAYS_INLINE void
copy_floats (float *dst, const float *src, size_t n)
{
  size_t i = 0;
  for (; i + VEC_WIDTH <= n; i += VEC_WIDTH)
    vec_store (dst + i, vec_load (src + i));
  if (i < n)
    vec_store_n (dst + i, vec_load_n (src + i, n - i), n - i);
}

ALWAYS_INLINE void
zero_floats (float *dst, size_t n)
{
  for (size_t i = 0; i < n; i += VEC_WIDTH)
    vec_store_n (dst + i, vec_splat (0), min_size (n - i, VEC_WIDTH));
}

/* Elements first … last - 1 of one run. The run's first element belongs to pixel x of the input row
 * `row` (NULL: above or below the input); elements of pixels beside the row are zeros. */
static inline void
gather_run (const Conv *conv, const float *row, ptrdiff_t x, size_t first, size_t last, float *dst)
{
  ptrdiff_t group_in = (ptrdiff_t)conv->group_in;
  ptrdiff_t lo = -x * group_in, hi = ((ptrdiff_t)conv->p->in_w - x) * group_in;

  lo = lo > (ptrdiff_t)first ? lo : (ptrdiff_t)first;
  hi = hi < (ptrdiff_t)last ? hi : (ptrdiff_t)last;
  if (!row || lo >= hi) {
    zero_floats (dst, last - first);
    return;
  }
  zero_floats (dst, (size_t)lo - first);
  copy_floats (dst + ((size_t)lo - first), row + (x * (ptrdiff_t)conv->p->in_stride + lo),
               (size_t)(hi - lo));
  zero_floats (dst + ((size_t)hi - first), last - (size_t)hi);
}

/* Window elements k0 … k1 - 1 of the output pixel (y, x) of the image at `in`. */
static void
gather_pixel (const Conv *conv, const float *in, size_t y, size_t x, size_t k0, size_t k1,
              float *dst)
{
  const SlConv2dParams *p = conv->p;
  size_t runs_per_row = p->kernel_w * conv->group_in / conv->run;
  ptrdiff_t y0 = (ptrdiff_t)(y * p->stride_h) - p->pad_top;
  ptrdiff_t x0 = (ptrdiff_t)(x * p->stride_w) - p->pad_left;

  for (size_t run = k0 / conv->run; run * conv->run < k1; run++) {
    size_t ky = run / runs_per_row, kx = run % runs_per_row, begin = run * conv->run;
    ptrdiff_t iy = y0 + (ptrdiff_t)(ky * p->dilation_h);
    bool inside = iy >= 0 && iy < (ptrdiff_t)p->in_h;
    const float *row = inside ? in + (size_t)iy * p->in_w * p->in_stride : NULL;
    size_t first = max_size (k0, begin), last = min_size (k1, begin + conv->run);

    gather_run (conv, row, x0 + (ptrdiff_t)(kx * p->dilation_w), first - begin, last - begin,
                dst + (first - k0));
  }
}

/* Output pixels m0 … m1 - 1, counted over all images, as rows of A. */
static void
gather_rows (const Conv *conv, const float *in, size_t m0, size_t m1, size_t k0, size_t k1,
             float *dst)
{
  const SlConv2dParams *p = conv->p;
  size_t image = (size_t)p->in_h * p->in_w * p->in_stride;
  size_t x = m0 % p->out_w, y = m0 / p->out_w % p->out_h;
  const float *base = in + m0 / p->out_w / p->out_h * image;

  for (size_t m = m0; m < m1; m++, dst += ROW_PITCH) {
    gather_pixel (conv, base, y, x, k0, k1, dst);
    if (++x == p->out_w) {
      x = 0;
      if (++y == p->out_h) {
        y = 0;
        base += image;
      }
    }
  }
}

static void
conv_tile (const Conv *conv, void *const *buffers, float *scratch, size_t index)
{
  const SlConv2dParams *p = conv->p;
  size_t row_block = index % conv->grid.row_blocks;
  size_t col_block = index / conv->grid.row_blocks % conv->grid.col_blocks;
  size_t group = index / conv->grid.row_blocks / conv->grid.col_blocks;
  size_t panels = ceil_div (conv->cols, PANEL);
  size_t m0 = part_begin (conv->rows, conv->grid.row_blocks, row_block);
  size_t m1 = part_begin (conv->rows, conv->grid.row_blocks, row_block + 1);
  size_t q0 = part_begin (panels, conv->grid.col_blocks, col_block);
  size_t q1 = part_begin (panels, conv->grid.col_blocks, col_block + 1);
  size_t c0 = group * conv->cols + q0 * PANEL; /* first output channel */
  const float *in = (const float *)buffers[0] + group * conv->group_in;
  const float *weights = (const float *)buffers[1] +
                         group * sl_packed_elements (conv->cols, conv->depth, PANEL) +
                         q0 * PANEL * conv->depth;
  const float *bias = buffers[2], *residual = buffers[3];

  SlTile tile = {
      .rows = m1 - m0,
      .cols = min_size (conv->cols, q1 * PANEL) - q0 * PANEL,
      .panel_stride = conv->depth * PANEL,
      .partial = scratch + (conv->direct ? 0 : round_up (conv->block_rows * ROW_PITCH, 16)),
      .partial_stride = conv->block_cols,
      .c = (float *)buffers[4] + m0 * p->out_stride + c0,
      .c_stride = p->out_stride,
      .bias = bias ? bias + c0 : NULL,
      .residual = residual ? residual + m0 * p->residual_stride + c0 : NULL,
      .residual_stride = p->residual_stride,
      .act = &p->act,
  };
  for (size_t pass = 0; pass < conv->passes; pass++) {
    size_t k0 = part_begin (conv->depth, conv->passes, pass);
    size_t k1 = part_begin (conv->depth, conv->passes, pass + 1);

    tile.depth = k1 - k0;
    tile.b = weights + k0 * PANEL;
    tile.first = pass == 0;
    tile.last = pass + 1 == conv->passes;
    tile.a = conv->direct ? in + m0 * p->in_stride + k0 : scratch;
    tile.a_stride = conv->direct ? p->in_stride : ROW_PITCH;
    if (!conv->direct)
      gather_rows (conv, in, m0, m1, k0, k1, scratch);
    SL_KERNEL_NAME (sl_tile_run) (&tile);
  }
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
