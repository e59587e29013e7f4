#include "kernels/act.h"
#include "kernels/conv2d.h"
#include "kernels/grid.h"

/* A strip of pixels goes down all rows of a tile for one vector of channels, then for the next:
 * what the windows share of the input lies in the first cache meanwhile, one line a pixel. */

/* Neighbouring output pixels of a row that are computed together. Each input pixel is loaded once
 * for all of them whose window holds it. */
#if VEC_WIDTH == 16
#define STRIP 8
#else
#define STRIP 6
#endif

/* Input that several bands of rows may take together on one thread: it should stay in the second
 * cache while the vectors of channels go over it. */
#define DEPTHWISE_BYTES (384 * 1024)

/* Channels that go over a strip before the next strip comes: lines of memory that follow each other
 * are then read soon after each other. */
#define CHUNK (4 * VEC_WIDTH)

typedef struct Strip {
  const SlConv2dParams *p;
  const float *in; /* the image, at the strip's channels, as are the four below */
  const float *weights;
  const float *bias, *residual; /* or NULL; residual and output at the strip's first pixel */
  float *out;
  size_t row, rows; /* output rows of this image */
  ptrdiff_t x0;     /* input column where the first pixel's window begins */
  size_t lo, hi;    /* columns lo … hi - 1 from there on exist */
  size_t count;     /* pixels */
  size_t channels;
} Strip;

/* Taps first … last - 1 of a window that begins at `begin` lie inside 0 … size - 1. */
ALWAYS_INLINE void
inside_taps (ptrdiff_t begin, size_t dilation, size_t taps, size_t size, size_t *first,
             size_t *last)
{
  size_t lo = begin < 0 ? (size_t)-begin : 0;
  size_t hi = begin >= (ptrdiff_t)size ? 0 : (size_t)((ptrdiff_t)size - begin);

  if (dilation > 1) { /* divisions take longer than a row of three taps */
    lo = ceil_div (lo, dilation);
    hi = ceil_div (hi, dilation);
  }
  *last = min_size (hi, taps);
  *first = min_size (lo, *last);
}

/* Where the strip's first column begins in the input row of tap `ky` of output row `y`. */
ALWAYS_INLINE const float *
input_row (const Strip *s, const SlConv2dParams *p, size_t y, size_t ky)
{
  ptrdiff_t row = (ptrdiff_t)(y * p->stride_h + ky * p->dilation_h) - p->pad_top;
  return s->in + (row * (ptrdiff_t)p->in_w + s->x0) * (ptrdiff_t)p->in_stride;
}

/* Residual, clip, store: one vector of each pixel. */
ALWAYS_INLINE void
strip_store (const SlConv2dParams *p, const size_t count, const Vec sum[STRIP],
             const float *residual, float *out)
{
  SlClip clip = act_clip (&p->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);
  size_t step = p->out_stride;

  if (residual) {
    UNROLL
    for (size_t i = 0; i < count; i++, out += step, residual += p->residual_stride)
      vec_store (out, vec_clip (sum[i] + vec_load (residual), lo, hi));
    return;
  }
  UNROLL
  for (size_t i = 0; i < count; i++, out += step)
    vec_store (out, vec_clip (sum[i], lo, hi));
}

/* Constants but for `strip`, where this is inlined. */
ALWAYS_INLINE void
strip_run (const Strip *strip, const size_t count, const size_t kernel_w, const size_t stride_w)
{
  const Strip s = *strip; /* copies: no store can change them */
  const SlConv2dParams p = *s.p;
  const size_t columns = (count - 1) * stride_w + kernel_w;
  size_t stride = p.in_stride, pitch = (size_t)p.dilation_h * p.in_w * stride;
  size_t row_weights = kernel_w * p.out_c;

  for (size_t y = 0; y < s.rows; y++) {
    size_t ky0, ky1, pixel = y * p.out_w;
    inside_taps ((ptrdiff_t)((s.row + y) * p.stride_h) - p.pad_top, p.dilation_h, p.kernel_h,
                 p.in_h, &ky0, &ky1);
    const float *row = input_row (&s, &p, s.row + y, ky0);

    for (size_t c = 0; c < s.channels; c += VEC_WIDTH) {
      if (c + VEC_WIDTH > s.channels)
        c = s.channels - VEC_WIDTH; /* some channels twice, which is faster than a few alone */
      const float *in = row + c, *weights = s.weights + ky0 * row_weights + c;
      Vec sum[STRIP], bias = s.bias ? vec_load (s.bias + c) : vec_splat (0);
      UNROLL
      for (size_t i = 0; i < count; i++)
        sum[i] = bias;
      for (size_t ky = ky0; ky < ky1; ky++, in += pitch, weights += row_weights) {
        const float *at = in;
        Vec w[7];
        UNROLL
        for (size_t kx = 0; kx < kernel_w; kx++)
          w[kx] = vec_load (weights + kx * p.out_c);
        UNROLL
        for (size_t column = 0; column < columns; column++, at += stride) {
          if (column < s.lo || column >= s.hi)
            continue;
          Vec x = vec_load (at);
          UNROLL
          for (size_t kx = 0; kx < kernel_w; kx++)
            if (column >= kx && (column - kx) % stride_w == 0 && (column - kx) / stride_w < count)
              sum[(column - kx) / stride_w] = vec_fma (x, w[kx], sum[(column - kx) / stride_w]);
        }
      }
      strip_store (&p, count, sum, s.residual ? s.residual + pixel * p.residual_stride + c : NULL,
                   s.out + pixel * p.out_stride + c);
    }
  }
}

/* Any window, any number of channels. */
static void
strip_any (const Strip *s)
{
  const SlConv2dParams *p = s->p;
  size_t stride = p->in_stride;
  SlClip clip = act_clip (&p->act);

  for (size_t i = 0; i < s->rows * s->count; i++) {
    size_t y = i / s->count, x = i % s->count, pixel = y * p->out_w + x, ky0, ky1, kx0, kx1;
    ptrdiff_t begin = (ptrdiff_t)(x * p->stride_w);
    inside_taps ((ptrdiff_t)((s->row + y) * p->stride_h) - p->pad_top, p->dilation_h, p->kernel_h,
                 p->in_h, &ky0, &ky1);
    inside_taps (s->x0 + begin, p->dilation_w, p->kernel_w, p->in_w, &kx0, &kx1);
    for (size_t c = 0, n; c < s->channels; c += n) {
      n = min_size (VEC_WIDTH, s->channels - c);
      Vec sum = s->bias ? vec_load_n (s->bias + c, n) : vec_splat (0);
      for (size_t ky = ky0; ky < ky1; ky++) {
        const float *in = input_row (s, p, s->row + y, ky) + begin * (ptrdiff_t)stride + c;
        const float *weights = s->weights + ky * p->kernel_w * p->out_c + c;
        for (size_t kx = kx0; kx < kx1; kx++)
          sum = vec_fma (vec_load_n (in + kx * p->dilation_w * stride, n),
                         vec_load_n (weights + kx * p->out_c, n), sum);
      }
      if (s->residual)
        sum += vec_load_n (s->residual + pixel * p->residual_stride + c, n);
      sum = vec_clip (sum, vec_splat (clip.lo), vec_splat (clip.hi));
      vec_store_n (s->out + pixel * p->out_stride + c, sum, n);
    }
  }
}

typedef void (*StripFunc) (const Strip *strip);

#define STRIP_FUNC(width, stride, count)                          \
  static void strip_##width##_##stride##_##count (const Strip *s) \
  {                                                               \
    strip_run (s, count, width, stride);                          \
  }
#define STRIP_ENTRY(width, stride, count) strip_##width##_##stride##_##count,
#if STRIP == 8
#define FOR_COUNTS(X, width, stride) \
  X (width, stride, 1)               \
  X (width, stride, 2)               \
  X (width, stride, 3)               \
  X (width, stride, 4)               \
  X (width, stride, 5) X (width, stride, 6) X (width, stride, 7) X (width, stride, 8)
#else
#define FOR_COUNTS(X, width, stride) \
  X (width, stride, 1)               \
  X (width, stride, 2)               \
  X (width, stride, 3) X (width, stride, 4) X (width, stride, 5) X (width, stride, 6)
#endif
FOR_COUNTS (STRIP_FUNC, 3, 1)
FOR_COUNTS (STRIP_FUNC, 3, 2)
FOR_COUNTS (STRIP_FUNC, 5, 1)
FOR_COUNTS (STRIP_FUNC, 5, 2)
FOR_COUNTS (STRIP_FUNC, 7, 1)

static const struct {
  size_t kernel_w, stride_w;
  StripFunc func[STRIP];
} kinds[] = {
    {3, 1, {FOR_COUNTS (STRIP_ENTRY, 3, 1)}}, {3, 2, {FOR_COUNTS (STRIP_ENTRY, 3, 2)}},
    {5, 1, {FOR_COUNTS (STRIP_ENTRY, 5, 1)}}, {5, 2, {FOR_COUNTS (STRIP_ENTRY, 5, 2)}},
    {7, 1, {FOR_COUNTS (STRIP_ENTRY, 7, 1)}},
};

/* The functions for these windows, one for each count; NULL: strip_any(). */
static const StripFunc *
choose_funcs (const SlConv2dParams *p)
{
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (kinds[i].kernel_w == p->kernel_w && kinds[i].stride_w == p->stride_w && p->dilation_w == 1)
      return kinds[i].func;
  return NULL;
}

/* Channels channel … channel_end - 1 of some rows of one image. */
static void
depthwise_channels (const SlConv2dParams *p, void *const *buffers, size_t image, size_t row,
                    size_t rows, size_t channel, size_t channel_end)
{
  size_t pixel = (image * p->out_h + row) * p->out_w;
  const float *bias = buffers[2], *residual = buffers[3];
  const StripFunc *funcs = choose_funcs (p);
  Strip s = {
      .p = p,
      .in = (const float *)buffers[0] + image * p->in_h * p->in_w * p->in_stride + channel,
      .weights = (const float *)buffers[1] + channel,
      .bias = bias ? bias + channel : NULL,
      .row = row,
      .rows = rows,
      .channels = channel_end - channel,
  };

  for (size_t x = 0; x < p->out_w; x += s.count) {
    size_t left = p->out_w - x;
    s.count = ceil_div (left, ceil_div (left, STRIP));
    s.x0 = (ptrdiff_t)(x * p->stride_w) - p->pad_left;
    inside_taps (s.x0, 1, (s.count - 1) * p->stride_w + p->kernel_w, p->in_w, &s.lo, &s.hi);
    s.residual = residual ? residual + (pixel + x) * p->residual_stride + channel : NULL;
    s.out = (float *)buffers[4] + (pixel + x) * p->out_stride + channel;
    if (funcs && s.channels >= VEC_WIDTH)
      funcs[s.count - 1](&s);
    else
      strip_any (&s);
  }
}

static SlBandGrid
depthwise_grid (const SlConv2dParams *p)
{
  size_t rows = (size_t)p->batch * p->out_h;
  return band_grid (rows, p->out_w, p->out_c, (size_t)p->kernel_h * p->kernel_w);
}

static size_t
depthwise_tiles (const void *params)
{
  SlBandGrid grid = depthwise_grid (params);
  return grid.bands * grid.chunks;
}

/* Output rows row … row_end - 1 of all images. */
static void
depthwise_band (const SlConv2dParams *p, void *const *buffers, const SlBandTile *tile)
{
  float *out = buffers[4];

  for (size_t row = tile->row, rows; row < tile->row_end; row += rows) {
    size_t image = row / p->out_h, y = row % p->out_h;
    rows = min_size (p->out_h - y, tile->row_end - row);
    for (size_t c = tile->channel, end; c < tile->channel_end; c = end) {
      /* no rest of less than a vector, if it can be helped */
      end = tile->channel_end - c < CHUNK + VEC_WIDTH ? tile->channel_end : c + CHUNK;
      depthwise_channels (p, buffers, image, y, rows, c, end);
    }
  }
  if (act_is_separate (&p->act))
    act_finish (&p->act, out + tile->row * p->out_w * p->out_stride + tile->channel,
                (tile->row_end - tile->row) * p->out_w, tile->channel_end - tile->channel,
                p->out_stride);
}

static void
depthwise_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlConv2dParams *p = params;
  SlBandGrid grid = depthwise_grid (p);
  size_t row_bytes = (size_t)p->in_w * p->in_c * p->stride_h * sizeof (float);
  size_t most_rows = DEPTHWISE_BYTES / max_size (1, row_bytes);

  for (size_t t = first; t < last; t++) {
    SlBandTile tile = band_tile (&grid, t);
    /* Bands that follow each other share input rows. */
    while (grid.chunks == 1 && t + 1 < last) {
      SlBandTile next = band_tile (&grid, t + 1);
      if (next.row_end - tile.row > most_rows)
        break;
      tile.row_end = next.row_end;
      t++;
    }
    depthwise_band (p, buffers, &tile);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_depthwise2d) = {
    .name = "depthwise2d",
    .params_size = sizeof (SlConv2dParams),
    .tiles = depthwise_tiles,
    .run = depthwise_run,
};
