#include "kernels/qconv2d.h"
#include "kernels/qvec.h"
#include "kernels/tile.h"

/* Rows of A (windows of the output pixels, zero points taken off) are laid out as int16 in scratch;
 * a register tile multiplies pairs of them with pairs of weights. */
typedef struct QConv {
  const SlQuantConvParams *p;
  size_t rows, cols, depth; /* of one group's product */
  size_t group_in;
  size_t pitch; /* int16 elements from one row of A to the next */
  bool merge;   /* a row of the window is one run in the input */
  SlTileGrid grid;
  size_t block_rows;
} QConv;

/* Rows whose windows are laid out at a time. */
#define BLOCK_ROWS TILE_MAX_ROWS

static QConv
qconv_plan (const SlQuantConvParams *p)
{
  QConv conv = {.p = p};
  conv.rows = (size_t)p->batch * p->out_h * p->out_w;
  conv.cols = p->out_c / p->groups;
  conv.group_in = p->in_c / p->groups;
  conv.depth = conv.group_in * p->kernel_h * p->kernel_w;
  /* an even number, with room for a vector stored beyond the end, and not a power of two */
  conv.pitch = round_up (conv.depth + 2 * VEC_WIDTH, 32) + 32;
  conv.merge = p->groups == 1 && p->dilation_w == 1 && p->in_stride == p->in_c;
  conv.grid = SL_KERNEL_NAME (sl_tile_grid) (conv.rows, conv.cols, conv.depth, p->groups,
                                             (size_t)p->batch * p->in_h * p->in_w * p->in_c);
  conv.block_rows = ceil_div (conv.rows, max_size (conv.grid.row_blocks, 1));
  return conv;
}

static size_t
qconv2d_tiles (const void *params)
{
  QConv conv = qconv_plan (params);
  return conv.grid.row_blocks * conv.grid.col_blocks * conv.p->groups;
}

static size_t
qconv2d_scratch (const void *params)
{
  QConv conv = qconv_plan (params);
  return conv.block_rows * conv.pitch * sizeof (int16_t);
}

/* --- Windows --- */

/* n bytes less the zero point; up to a vector more is written behind them. */
ALWAYS_INLINE void
copy_run (int16_t *dst, const uint8_t *src, size_t n, uint8_t flip, int32_t zero)
{
  typedef int16_t Shorts __attribute__ ((vector_size (VEC_WIDTH * 2)));
  typedef int16_t ShortsAny __attribute__ ((vector_size (VEC_WIDTH * 2), aligned (2), may_alias));

  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    VecBytes bytes = {0};
    if (i + VEC_WIDTH <= n)
      bytes = *(const VecBytesAny *)(src + i);
    else
      memcpy (&bytes, src + i, n - i);
    *(ShortsAny *)(dst + i) = __builtin_convertvector(bytes ^ flip, Shorts) - (int16_t)zero;
  }
}

/* One row of a window: taps kx of input row `row` (NULL: outside), from column x on. */
static int16_t *
lay_row (const QConv *conv, const uint8_t *row, ptrdiff_t x, int32_t zero, int16_t *dst)
{
  const SlQuantConvParams *p = conv->p;
  size_t n = conv->group_in;

  if (conv->merge && row && x >= 0 && x + (ptrdiff_t)p->kernel_w <= (ptrdiff_t)p->in_w) {
    copy_run (dst, row + (size_t)x * p->in_stride, n * p->kernel_w, p->in_flip, zero);
    return dst + n * p->kernel_w;
  }
  for (size_t kx = 0; kx < p->kernel_w; kx++, x += p->dilation_w, dst += n) {
    if (row && x >= 0 && x < (ptrdiff_t)p->in_w)
      copy_run (dst, row + (size_t)x * p->in_stride, n, p->in_flip, zero);
    else
      memset (dst, 0, n * sizeof *dst);
  }
  return dst;
}

static void
lay_windows (const QConv *conv, const uint8_t *in, size_t m0, size_t rows, int32_t zero,
             int16_t *dst)
{
  const SlQuantConvParams *p = conv->p;
  size_t x = m0 % p->out_w, y = m0 / p->out_w % p->out_h, image = m0 / p->out_w / p->out_h;

  for (size_t r = 0; r < rows; r++, dst += conv->pitch) {
    const uint8_t *picture = in + image * p->in_h * p->in_w * p->in_stride;
    ptrdiff_t from_y = (ptrdiff_t)(y * p->stride_h) - p->pad_top;
    ptrdiff_t from_x = (ptrdiff_t)(x * p->stride_w) - p->pad_left;
    int16_t *at = dst;

    for (size_t ky = 0; ky < p->kernel_h; ky++, from_y += p->dilation_h) {
      bool inside = from_y >= 0 && from_y < (ptrdiff_t)p->in_h;
      const uint8_t *row = inside ? picture + (size_t)from_y * p->in_w * p->in_stride : NULL;
      at = lay_row (conv, row, from_x, zero, at);
    }
    *at = 0; /* the other half of the last pair */
    if (++x == p->out_w) {
      x = 0;
      if (++y == p->out_h) {
        y = 0;
        image++;
      }
    }
  }
}

/* --- Products --- */

typedef struct Product {
  const QConv *conv;
  const int16_t *a, *b; /* windows from the first row on, the panel */
  size_t n_cols;        /* of the panel that exist */
  const int32_t *bias;  /* or NULL; at the first column, as all that follow */
  const float *factors;
  QuantOut out;
  void *c;
} Product;

/* Stores column vector v of all rows; only n of its lanes exist. */
ALWAYS_INLINE void
store_column (const Product *p, const size_t rows, const size_t v, size_t n,
              VecInt sum[TILE_MOST_ROWS][TILE_VECS])
{
  const SlQuantConvParams *params = p->conv->p;
  size_t col = v * VEC_WIDTH, step = params->out_stride;
  VecInt bias = p->bias ? ints_load (p->bias + col, n) : vec_splat_int (0);

  if (params->out == SL_QOUT_INT32) {
    int32_t *c = (int32_t *)p->c + col;
    UNROLL
    for (size_t r = 0; r < rows; r++, c += step)
      ints_store (c, sum[r][v] + bias, n);
    return;
  }
  Vec factors = n == VEC_WIDTH ? vec_load (p->factors + col) : vec_load_n (p->factors + col, n);
  if (params->out == SL_QOUT_FLOAT) {
    float *c = (float *)p->c + col;
    UNROLL
    for (size_t r = 0; r < rows; r++, c += step)
      vec_store_n (c, vec_of_int (sum[r][v] + bias) * factors, n);
    return;
  }
  uint8_t *c = (uint8_t *)p->c + col;
  UNROLL
  for (size_t r = 0; r < rows; r++, c += step) {
    VecInt y = quant_round (vec_of_int (sum[r][v] + bias) * factors, &p->out);
    bytes_store (c, y ^ params->out_flip, n);
  }
}

static size_t
out_size (const SlQuantConvParams *p)
{
  return p->out == SL_QOUT_BYTES ? 1 : 4;
}

ALWAYS_INLINE void
multiply (const Product *p, const size_t rows, const size_t vecs)
{
  VecInt sum[TILE_MOST_ROWS][TILE_VECS];
  const int16_t *b = p->b;
  size_t depth = p->conv->depth, pitch = p->conv->pitch;

  UNROLL
  for (size_t r = 0; r < rows; r++) {
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      sum[r][v] = vec_splat_int (0);
  }
  for (size_t k = 0; k < depth; k += 2, b += 2 * vecs * VEC_WIDTH) {
    VecInt w[TILE_VECS];
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      w[v] = *(const VecIntAny *)(const void *)(b + v * 2 * VEC_WIDTH);
    UNROLL
    for (size_t r = 0; r < rows; r++) {
      int32_t pair;
      memcpy (&pair, p->a + r * pitch + k, sizeof pair);
      UNROLL
      for (size_t v = 0; v < vecs; v++)
        sum[r][v] = dot_pairs (vec_splat_int (pair), w[v], sum[r][v]);
    }
  }
  UNROLL
  for (size_t v = 0; v < vecs; v++) {
    if ((v + 1) * VEC_WIDTH <= p->n_cols)
      store_column (p, rows, v, VEC_WIDTH, sum);
    else if (v * VEC_WIDTH < p->n_cols)
      store_column (p, rows, v, p->n_cols - v * VEC_WIDTH, sum);
  }
}

typedef void (*ProductFunc) (const Product *product);

#define PRODUCT(rows, vecs)                                    \
  static void product_##rows##x##vecs (const Product *product) \
  {                                                            \
    multiply (product, rows, vecs);                            \
  }
#define ENTRY(rows, vecs) [vecs - 1][rows - 1] = product_##rows##x##vecs,
FOR_TILES (PRODUCT)
static const ProductFunc products[TILE_VECS][TILE_MOST_ROWS] = {FOR_TILES (ENTRY)};

/* Panel by panel, so that it stays near while all rows of the block use it. */
static void
multiply_block (const QConv *conv, void *const *buffers, size_t group, size_t row, size_t rows,
                size_t panel, size_t panel_end, const int16_t *windows)
{
  const SlQuantConvParams *p = conv->p;
  size_t channel = group * conv->cols, size = out_size (p);
  const int16_t *weights = (const int16_t *)buffers[1] +
                           group * sl_qpacked_elements (conv->cols, conv->depth, VEC_WIDTH);
  Product product = {.conv = conv, .out = quant_out (zero_of (buffers[5], p->out_flip))};

  for (; panel < panel_end; panel++) {
    size_t col = panel_begin (conv->cols, panel), end = panel_begin (conv->cols, panel + 1);
    size_t vecs = (end - col) / VEC_WIDTH, parts = ceil_div (rows, tile_rows (vecs));

    product.b = weights + (conv->depth + 1) / 2 * 2 * col;
    product.n_cols = min_size (conv->cols, end) - col;
    product.bias = buffers[2] ? (const int32_t *)buffers[2] + channel + col : NULL;
    product.factors = buffers[3] ? (const float *)buffers[3] + channel + col : NULL;
    for (size_t i = 0; i < parts; i++) {
      size_t first = part_begin (rows, parts, i), count = part_begin (rows, parts, i + 1) - first;
      product.a = windows + first * conv->pitch;
      product.c = (char *)buffers[6] + ((row + first) * p->out_stride + channel + col) * size;
      products[vecs - 1][count - 1](&product);
    }
  }
}

static void
qconv2d_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  QConv conv = qconv_plan (params);
  const SlQuantConvParams *p = params;
  int32_t zero = zero_of (buffers[4], p->in_flip);
  size_t panels = panel_count (conv.cols);

  for (size_t t = first; t < last; t++) {
    SlTilePlace at = tile_place (&conv.grid, t);
    size_t row = part_begin (conv.rows, conv.grid.row_blocks, at.row_block);
    size_t end = part_begin (conv.rows, conv.grid.row_blocks, at.row_block + 1);
    size_t panel = part_begin (panels, conv.grid.col_blocks, at.col_block);
    size_t panel_end = part_begin (panels, conv.grid.col_blocks, at.col_block + 1);

    lay_windows (&conv, (const uint8_t *)buffers[0] + at.product * conv.group_in, row, end - row,
                 zero, scratch);
    multiply_block (&conv, buffers, at.product, row, end - row, panel, panel_end, scratch);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_qconv2d) = {
    .name = "qconv2d",
    .params_size = sizeof (SlQuantConvParams),
    .tiles = qconv2d_tiles,
    .scratch = qconv2d_scratch,
    .run = qconv2d_run,
};

/* --- Packing --- */

static size_t
one_tile (const void *params)
{
  return 1;
}

static int32_t
weight_at (const SlQuantPackParams *p, void *const *buffers, size_t group, size_t k, size_t n)
{
  const uint8_t *zeros = buffers[1];
  size_t k2 = k % p->depth[2], k1 = k / p->depth[2] % p->depth[1],
         k0 = k / p->depth[2] / p->depth[1];
  size_t at = group * p->group_stride + n * p->col_stride + k0 * p->depth_stride[0] +
              k1 * p->depth_stride[1] + k2 * p->depth_stride[2];
  const uint8_t *zero = zeros && p->n_zeros > 1 ? zeros + group * p->cols + n : zeros;
  const uint8_t flip = (uint8_t)p->flip;
  return (((const uint8_t *)buffers[0])[at] ^ flip) - zero_of (zero, flip);
}

static void
pack_quantized_run (const void *params, void *const *buffers, void *scratch, size_t first,
                    size_t last)
{
  const SlQuantPackParams *p = params;
  size_t depth = (size_t)p->depth[0] * p->depth[1] * p->depth[2];
  int16_t *to = buffers[2];

  for (size_t group = 0; group < p->groups; group++)
    for (size_t j = 0; j < panel_count (p->cols); j++)
      for (size_t k = 0; k < depth; k += 2)
        for (size_t n = panel_begin (p->cols, j); n < panel_begin (p->cols, j + 1); n++, to += 2) {
          to[0] = n < p->cols ? (int16_t)weight_at (p, buffers, group, k, n) : 0;
          to[1] =
              n < p->cols && k + 1 < depth ? (int16_t)weight_at (p, buffers, group, k + 1, n) : 0;
        }
}

static void
pack_qdepthwise_run (const void *params, void *const *buffers, void *scratch, size_t first,
                     size_t last)
{
  const SlQuantPackParams *p = params;
  size_t depth = (size_t)p->depth[0] * p->depth[1] * p->depth[2];
  float *to = buffers[2];

  for (size_t k = 0; k < depth; k++)
    for (size_t group = 0; group < p->groups; group++)
      *to++ = (float)weight_at (p, buffers, group, k, 0);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_pack_quantized) = {
    .name = "pack_quantized",
    .params_size = sizeof (SlQuantPackParams),
    .tiles = one_tile,
    .run = pack_quantized_run,
};

const SlKernel SL_KERNEL_NAME (sl_kernel_pack_qdepthwise) = {
    .name = "pack_qdepthwise",
    .params_size = sizeof (SlQuantPackParams),
    .tiles = one_tile,
    .run = pack_qdepthwise_run,
};
