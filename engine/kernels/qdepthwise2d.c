#include "kernels/grid.h"
#include "kernels/qconv2d.h"
#include "kernels/qvec.h"

/* A tile turns the input rows that its band of output rows reads into floats, with zeros for the
 * padding, and slides the window over those: a product of two numbers of 9 bits, and the sum of
 * SL_QDEPTHWISE_TAPS of them, is exact. */
typedef struct Band {
  const SlQuantConvParams *p;
  SlBandGrid grid;
  size_t rows, channels; /* of the largest tile */
  size_t width;          /* padded pixels of an input row that windows read */
} Band;

static Band
band_plan (const SlQuantConvParams *p)
{
  size_t rows = (size_t)p->batch * p->out_h;
  Band band = {.p = p};
  band.grid = band_grid (rows, p->out_w, p->out_c, (size_t)p->kernel_h * p->kernel_w);
  band.rows = ceil_div (rows, max_size (band.grid.bands, 1));
  band.channels =
      ceil_div (ceil_div (p->out_c, VEC_WIDTH), max_size (band.grid.chunks, 1)) * VEC_WIDTH;
  band.width = (size_t)(p->out_w - 1) * p->stride_w + (size_t)(p->kernel_w - 1) * p->dilation_w + 1;
  return band;
}

/* Input rows that `rows` output rows of one image read. */
static size_t
rows_read (const SlQuantConvParams *p, size_t rows)
{
  return (rows - 1) * p->stride_h + (size_t)(p->kernel_h - 1) * p->dilation_h + 1;
}

static size_t
qdepthwise_tiles (const void *params)
{
  Band band = band_plan (params);
  return band.grid.bands * band.grid.chunks;
}

static size_t
qdepthwise_scratch (const void *params)
{
  Band band = band_plan (params);
  return rows_read (band.p, max_size (band.rows, 1)) * band.width * band.channels * sizeof (float);
}

/* Padded input row y (may lie outside) of an image, channels `channel` … in vectors. */
static void
widen_row (const Band *band, const uint8_t *picture, ptrdiff_t y, const SlBandTile *tile,
           int32_t zero, float *to)
{
  const SlQuantConvParams *p = band->p;
  size_t channels = round_up (tile->channel_end - tile->channel, VEC_WIDTH);
  ptrdiff_t x = -(ptrdiff_t)p->pad_left;

  for (size_t i = 0; i < band->width; i++, x++, to += channels) {
    if (y < 0 || y >= (ptrdiff_t)p->in_h || x < 0 || x >= (ptrdiff_t)p->in_w) {
      memset (to, 0, channels * sizeof *to);
      continue;
    }
    const uint8_t *from = picture + ((size_t)y * p->in_w + (size_t)x) * p->in_stride;
    for (size_t c = tile->channel; c < tile->channel_end; c += VEC_WIDTH) {
      size_t n = min_size (VEC_WIDTH, tile->channel_end - c);
      vec_store (to + (c - tile->channel),
                 vec_of_int (bytes_load (from + c, n, p->in_flip) - zero));
    }
  }
}

typedef struct Window {
  const Band *band;
  const float *in; /* its first tap, at the first channel */
  const float *weights;
  const int32_t *bias;
  const float *factors;
  QuantOut out;
  void *to;
  size_t pixel, row; /* floats from one padded pixel and row to the next */
} Window;

/* n channels from channel c on, which is number `at` of the tile. */
ALWAYS_INLINE void
run_window (const Window *w, size_t c, size_t at, size_t n)
{
  const SlQuantConvParams *p = w->band->p;
  const float *weights = w->weights + c;
  Vec sum = vec_splat (0);

  for (size_t ky = 0; ky < p->kernel_h; ky++) {
    const float *in = w->in + ky * p->dilation_h * w->row + at;
    for (size_t kx = 0; kx < p->kernel_w; kx++, in += p->dilation_w * w->pixel, weights += p->out_c)
      sum = vec_fma (vec_load (in), n == VEC_WIDTH ? vec_load (weights) : vec_load_n (weights, n),
                     sum);
  }
  VecInt total = __builtin_convertvector(sum, VecInt);
  if (w->bias)
    total += ints_load (w->bias + c, n);
  if (p->out == SL_QOUT_INT32) {
    ints_store ((int32_t *)w->to + c, total, n);
    return;
  }
  Vec y = vec_of_int (total) * vec_load_n (w->factors + c, n);
  bytes_store ((uint8_t *)w->to + c, quant_round (y, &w->out) ^ p->out_flip, n);
}

/* Output rows y … of one image. */
static void
run_rows (const Band *band, void *const *buffers, size_t image, size_t y, size_t rows,
          const SlBandTile *tile, float *scratch)
{
  const SlQuantConvParams *p = band->p;
  size_t channels = round_up (tile->channel_end - tile->channel, VEC_WIDTH);
  const uint8_t *picture = (const uint8_t *)buffers[0] + image * p->in_h * p->in_w * p->in_stride;
  Window w = {.band = band,
              .weights = buffers[1],
              .bias = buffers[2],
              .factors = buffers[3],
              .out = quant_out (zero_of (buffers[5], p->out_flip)),
              .pixel = channels,
              .row = band->width * channels};
  size_t size = p->out == SL_QOUT_BYTES ? 1 : 4;

  for (size_t i = 0; i < rows_read (p, rows); i++)
    widen_row (band, picture, (ptrdiff_t)(y * p->stride_h + i) - p->pad_top, tile,
               zero_of (buffers[4], p->in_flip), scratch + i * w.row);
  for (size_t r = 0; r < rows; r++)
    for (size_t x = 0; x < p->out_w; x++) {
      w.in = scratch + r * p->stride_h * w.row + x * p->stride_w * w.pixel;
      w.to =
          (char *)buffers[6] + (((image * p->out_h + y + r) * p->out_w + x) * p->out_stride) * size;
      size_t c = tile->channel;
      for (; c + VEC_WIDTH <= tile->channel_end; c += VEC_WIDTH)
        run_window (&w, c, c - tile->channel, VEC_WIDTH);
      if (c < tile->channel_end)
        run_window (&w, c, c - tile->channel, tile->channel_end - c);
    }
}

static void
qdepthwise_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  Band band = band_plan (params);
  const SlQuantConvParams *p = params;

  for (size_t t = first; t < last; t++) {
    SlBandTile tile = band_tile (&band.grid, t);
    for (size_t row = tile.row, rows; row < tile.row_end; row += rows) {
      size_t y = row % p->out_h;
      rows = min_size (tile.row_end - row, p->out_h - y);
      run_rows (&band, buffers, row / p->out_h, y, rows, &tile, scratch);
    }
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_qdepthwise2d) = {
    .name = "qdepthwise2d",
    .params_size = sizeof (SlQuantConvParams),
    .tiles = qdepthwise_tiles,
    .scratch = qdepthwise_scratch,
    .run = qdepthwise_run,
};
