#include "kernels/grid.h"
#include "kernels/pool2d.h"

#define BYTES 16  /* what every set has a vector of */
#define TURN 0x80 /* of signed bytes, for the order of unsigned ones */

typedef uint8_t Bytes __attribute__ ((vector_size (BYTES)));

/* Positions of a window, from `begin` (which may lie before the input) on, that exist. */
typedef struct Span {
  size_t first, count;
} Span;

static Span
inside (ptrdiff_t begin, size_t kernel, size_t size)
{
  ptrdiff_t first = begin > 0 ? begin : 0, end = begin + (ptrdiff_t)kernel;
  end = end < (ptrdiff_t)size ? end : (ptrdiff_t)size;
  return (Span){(size_t)first, end > first ? (size_t)(end - first) : 0};
}

/* n channels of one window. */
ALWAYS_INLINE void
max_of_window (const SlPool2dParams *p, const uint8_t *in, Span ys, Span xs, uint8_t *out, size_t n,
               const uint8_t turn)
{
  Bytes most = {0};

  for (size_t y = 0; y < ys.count; y++) {
    const uint8_t *at = in + y * p->in_w * p->in_stride;
    for (size_t x = 0; x < xs.count; x++, at += p->in_stride) {
      Bytes value = {0};
      memcpy (&value, at, n);
      value ^= turn;
      Bytes is_more = (Bytes)(value > most);
      most = (value & is_more) | (most & ~is_more);
    }
  }
  most ^= turn;
  memcpy (out, &most, n);
}

ALWAYS_INLINE void
max_of_row (const SlPool2dParams *p, void *const *buffers, size_t row, const SlBandTile *tile,
            const uint8_t turn)
{
  const uint8_t *image =
      (const uint8_t *)buffers[0] + row / p->out_h * p->in_h * p->in_w * p->in_stride;
  Span ys = inside ((ptrdiff_t)(row % p->out_h * p->stride_h) - (ptrdiff_t)p->pad_top, p->kernel_h,
                    p->in_h);

  for (size_t x = 0; x < p->out_w; x++) {
    Span xs = inside ((ptrdiff_t)(x * p->stride_w) - (ptrdiff_t)p->pad_left, p->kernel_w, p->in_w);
    const uint8_t *in = image + (ys.first * p->in_w + xs.first) * p->in_stride;
    uint8_t *out = (uint8_t *)buffers[1] + (row * p->out_w + x) * p->out_stride;
    size_t c = tile->channel;
    for (; c + BYTES <= tile->channel_end; c += BYTES)
      max_of_window (p, in + c, ys, xs, out + c, BYTES, turn);
    if (c < tile->channel_end)
      max_of_window (p, in + c, ys, xs, out + c, tile->channel_end - c, turn);
  }
}

static SlBandGrid
bytes_grid (const SlPool2dParams *p)
{
  size_t rows = (size_t)p->batch * p->out_h;
  return band_grid (rows, p->out_w, p->channels, (size_t)p->kernel_h * p->kernel_w);
}

static size_t
bytes_tiles (const void *params)
{
  SlBandGrid grid = bytes_grid (params);
  return grid.bands * grid.chunks;
}

ALWAYS_INLINE void
bytes_run (const SlPool2dParams *p, void *const *buffers, size_t first, size_t last,
           const uint8_t turn)
{
  SlBandGrid grid = bytes_grid (p);

  for (size_t t = first; t < last; t++) {
    SlBandTile tile = band_tile (&grid, t);
    for (size_t row = tile.row; row < tile.row_end; row++)
      max_of_row (p, buffers, row, &tile, turn);
  }
}

static void
uint8_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  bytes_run (params, buffers, first, last, 0);
}

static void
int8_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  bytes_run (params, buffers, first, last, TURN);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_max_pool2d_uint8) = {
    .name = "max_pool2d_uint8",
    .params_size = sizeof (SlPool2dParams),
    .tiles = bytes_tiles,
    .run = uint8_run,
};

const SlKernel SL_KERNEL_NAME (sl_kernel_max_pool2d_int8) = {
    .name = "max_pool2d_int8",
    .params_size = sizeof (SlPool2dParams),
    .tiles = bytes_tiles,
    .run = int8_run,
};
