#include "kernels/pool2d.h"
#include "kernels/pool2d_span.h"

/* Vectors of channels that one walk over the window takes along. */
#define POOL_VECS 4

/* Windows of a constant width are unrolled, others are not. */
#ifdef SL_KERNEL_NO_UNROLL
#define UNROLL_COLS
#elif defined __clang__
#define UNROLL_COLS _Pragma ("clang loop unroll(enable)")
#else
#define UNROLL_COLS _Pragma ("GCC unroll 3")
#endif

/* The window of one output pixel, cut to the input. */
typedef struct Window {
  const float *in; /* its first element that exists */
  float *out;
  size_t rows, cols; /* positions that exist */
  size_t row_pitch, col_pitch;
  float divisor;
} Window;

/* The greater; NaN wins. */
ALWAYS_INLINE Vec
greater (Vec a, Vec b)
{
  return vec_select (a != a, a, vec_max (a, b));
}

/* `maximum`, `vecs` and `cols` are constants where this is inlined; a width of 0 is any. */
ALWAYS_INLINE void
pool_vectors (const Window *w, const bool maximum, const size_t vecs, const size_t cols, size_t c,
              size_t n)
{
  Vec total[POOL_VECS];
  size_t width = cols ? cols : w->cols;

  UNROLL
  for (size_t v = 0; v < vecs; v++)
    total[v] = vec_splat (maximum ? -INFINITY : 0);
  for (size_t y = 0; y < w->rows; y++) {
    const float *in = w->in + y * w->row_pitch + c;
    Vec row[POOL_VECS]; /* averages: a sum of its own for each row of the window */
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      row[v] = maximum ? total[v] : vec_splat (0);
    UNROLL_COLS
    for (size_t x = 0; x < width; x++, in += w->col_pitch) {
      UNROLL
      for (size_t v = 0; v < vecs; v++) {
        Vec value = n == VEC_WIDTH ? vec_load (in + v * VEC_WIDTH) : vec_load_n (in, n);
        row[v] = maximum ? greater (row[v], value) : row[v] + value;
      }
    }
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      total[v] = maximum ? row[v] : total[v] + row[v];
  }
  UNROLL
  for (size_t v = 0; v < vecs; v++) {
    Vec y = maximum ? total[v] : total[v] / w->divisor;
    if (n == VEC_WIDTH)
      vec_store (w->out + c + v * VEC_WIDTH, y);
    else
      vec_store_n (w->out + c, y, n);
  }
}

ALWAYS_INLINE void
pool_channels (const Window *w, const bool maximum, const size_t cols, size_t channel,
               size_t channel_end)
{
  size_t c = channel;

  for (; c + POOL_VECS * VEC_WIDTH <= channel_end; c += POOL_VECS * VEC_WIDTH)
    pool_vectors (w, maximum, POOL_VECS, cols, c, VEC_WIDTH);
  for (; c + VEC_WIDTH <= channel_end; c += VEC_WIDTH)
    pool_vectors (w, maximum, 1, cols, c, VEC_WIDTH);
  if (c < channel_end)
    pool_vectors (w, maximum, 1, cols, c, channel_end - c);
}

/* The usual widths in one piece. */
ALWAYS_INLINE void
pool_window (const Window *w, const bool maximum, size_t channel, size_t channel_end)
{
  if (w->cols == 2)
    pool_channels (w, maximum, 2, channel, channel_end);
  else if (w->cols == 3)
    pool_channels (w, maximum, 3, channel, channel_end);
  else
    pool_channels (w, maximum, 0, channel, channel_end);
}

ALWAYS_INLINE void
pool_row (const SlPool2dParams *params, void *const *buffers, const bool maximum, size_t row,
          const SlBandTile *tile)
{
  const SlPool2dParams p = *params; /* a copy: no store can change it */
  size_t image = row / p.out_h, channel = tile->channel, channel_end = tile->channel_end;
  Span ys = window_span (row % p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_top,
                         p.pad_bottom, p.in_h);
  const float *in = (const float *)buffers[0] + (image * p.in_h + ys.begin) * p.in_w * p.in_stride;
  float *out = (float *)buffers[1] + row * p.out_w * p.out_stride;

  for (size_t x = 0; x < p.out_w; x++, out += p.out_stride) {
    Span xs =
        window_span (x, p.kernel_w, p.stride_w, p.dilation_w, p.pad_left, p.pad_right, p.in_w);
    size_t count = p.count_include_pad ? ys.padded * xs.padded : ys.count * xs.count;
    Window w = {
        .in = in + xs.begin * p.in_stride,
        .out = out,
        .rows = ys.count,
        .cols = xs.count,
        .row_pitch = (size_t)p.dilation_h * p.in_w * p.in_stride,
        .col_pitch = (size_t)p.dilation_w * p.in_stride,
        .divisor = (float)count,
    };
    pool_window (&w, maximum, channel, channel_end);
  }
}

static SlBandGrid
pool_grid (const SlPool2dParams *p)
{
  size_t rows = (size_t)p->batch * p->out_h;
  return band_grid (rows, p->out_w, p->channels, (size_t)p->kernel_h * p->kernel_w);
}

static size_t
pool_tiles (const void *params)
{
  SlBandGrid grid = pool_grid (params);
  return grid.bands * grid.chunks;
}

ALWAYS_INLINE void
pool_run (const SlPool2dParams *p, void *const *buffers, const bool maximum, size_t first,
          size_t last)
{
  SlBandGrid grid = pool_grid (p);

  for (size_t t = first; t < last; t++) {
    SlBandTile tile = band_tile (&grid, t);
    for (size_t row = tile.row; row < tile.row_end; row++)
      pool_row (p, buffers, maximum, row, &tile);
  }
}

static void
max_pool_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  pool_run (params, buffers, true, first, last);
}

static void
average_pool_run (const void *params, void *const *buffers, void *scratch, size_t first,
                  size_t last)
{
  pool_run (params, buffers, false, first, last);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_max_pool2d) = {
    .name = "max_pool2d",
    .params_size = sizeof (SlPool2dParams),
    .tiles = pool_tiles,
    .run = max_pool_run,
};

const SlKernel SL_KERNEL_NAME (sl_kernel_average_pool2d) = {
    .name = "average_pool2d",
    .params_size = sizeof (SlPool2dParams),
    .tiles = pool_tiles,
    .run = average_pool_run,
};
