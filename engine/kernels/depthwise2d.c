#include "kernels/act.h"
#include "kernels/conv2d.h"
#include "kernels/grid.h"

/* Neighbouring output pixels of one row, all of whose windows take the same taps. They share the
 * loads of weights, and of the input where windows overlap. */
#define STRIP 6

typedef struct Strip {
  const SlConv2dParams *p;
  const float *in; /* what tap (ky0, 0) of the first pixel reads; only taps kx0 … kx1 - 1 exist */
  const float *weights;
  const float *bias, *residual; /* or NULL; at the first pixel */
  float *out;
  size_t ky0, ky1, kx0, kx1;
  size_t channel, channel_end;
} Strip;

/* One tap of all `count` pixels: `x` is what it reads of the first, `step` leads to the next. */
ALWAYS_INLINE void
strip_tap (const float *x, const size_t step, const float *weight, const int count,
           const bool whole, size_t n, Vec sum[STRIP])
{
  Vec w = whole ? vec_load (weight) : vec_load_n (weight, n);

  UNROLL
  for (int i = 0; i < count; i++, x += step)
    sum[i] = vec_fma (whole ? vec_load (x) : vec_load_n (x, n), w, sum[i]);
}

/* One vector of channels for `count` pixels. `kernel_w` and `stride_w` are constants, or 0 for what
 * the parameters say; with a constant width all taps exist and are not dilated. */
ALWAYS_INLINE void
strip_vector (const Strip *s, const int count, const size_t kernel_w, const size_t stride_w,
              size_t c, const bool whole, size_t n, SlClip clip)
{
  const SlConv2dParams *p = s->p;
  size_t stride = p->in_stride, step = (stride_w ? stride_w : p->stride_w) * stride;
  size_t row_pitch = (size_t)p->dilation_h * p->in_w * stride, channels = p->out_c;
  const float *in = s->in + c, *weights = s->weights + s->ky0 * p->kernel_w * channels + c;
  Vec sum[STRIP], bias = s->bias ? vec_load_n (s->bias + c, n) : vec_splat (0);

  UNROLL
  for (int i = 0; i < count; i++)
    sum[i] = bias;
  for (size_t ky = s->ky0; ky < s->ky1; ky++, in += row_pitch, weights += p->kernel_w * channels) {
    if (kernel_w) {
      UNROLL
      for (size_t kx = 0; kx < kernel_w; kx++)
        strip_tap (in + kx * stride, step, weights + kx * channels, count, whole, n, sum);
    } else {
      for (size_t kx = s->kx0; kx < s->kx1; kx++)
        strip_tap (in + kx * p->dilation_w * stride, step, weights + kx * channels, count, whole, n,
                   sum);
    }
  }

  UNROLL
  for (int i = 0; i < count; i++) {
    float *out = s->out + (size_t)i * p->out_stride + c;
    if (s->residual)
      sum[i] += vec_load_n (s->residual + (size_t)i * p->residual_stride + c, n);
    sum[i] = vec_clip (sum[i], vec_splat (clip.lo), vec_splat (clip.hi));
    if (whole)
      vec_store (out, sum[i]);
    else
      vec_store_n (out, sum[i], n);
  }
}

ALWAYS_INLINE void
strip_run (const Strip *s, const int count, const size_t kernel_w, const size_t stride_w)
{
  SlClip clip = act_clip (&s->p->act);
  size_t c = s->channel;

  for (; c + VEC_WIDTH <= s->channel_end; c += VEC_WIDTH)
    strip_vector (s, count, kernel_w, stride_w, c, true, VEC_WIDTH, clip);
  if (c < s->channel_end)
    strip_vector (s, count, kernel_w, stride_w, c, false, s->channel_end - c, clip);
  act_finish (&s->p->act, s->out + s->channel, (size_t)count, s->channel_end - s->channel,
              s->p->out_stride);
}

typedef void (*StripFunc) (const Strip *strip);

#define STRIP_FUNC(name, count, kernel_w, stride_w)   \
  static void strip_##name##_##count (const Strip *s) \
  {                                                   \
    strip_run (s, count, kernel_w, stride_w);         \
  }
#define STRIP_FUNCS(name, kernel_w, stride_w) \
  STRIP_FUNC (name, 1, kernel_w, stride_w)    \
  STRIP_FUNC (name, 2, kernel_w, stride_w)    \
  STRIP_FUNC (name, 3, kernel_w, stride_w)    \
  STRIP_FUNC (name, 4, kernel_w, stride_w)    \
  STRIP_FUNC (name, 5, kernel_w, stride_w)    \
  STRIP_FUNC (name, 6, kernel_w, stride_w)
#define STRIP_ENTRIES(name)                                                                 \
  strip_##name##_1, strip_##name##_2, strip_##name##_3, strip_##name##_4, strip_##name##_5, \
      strip_##name##_6

STRIP_FUNCS (any, 0, 0)
STRIP_FUNCS (width3_stride1, 3, 1)
STRIP_FUNCS (width3_stride2, 3, 2)

typedef enum { STRIP_ANY, STRIP_WIDTH3_STRIDE1, STRIP_WIDTH3_STRIDE2 } StripKind;

static const StripFunc strips[][STRIP] = {
    [STRIP_ANY] = {STRIP_ENTRIES (any)},
    [STRIP_WIDTH3_STRIDE1] = {STRIP_ENTRIES (width3_stride1)},
    [STRIP_WIDTH3_STRIDE2] = {STRIP_ENTRIES (width3_stride2)},
};

/* For pixels whose window lies inside the row. */
static StripKind
choose_strip (const SlConv2dParams *p)
{
  if (p->kernel_w != 3 || p->dilation_w != 1 || p->stride_w > 2)
    return STRIP_ANY;
  return p->stride_w == 1 ? STRIP_WIDTH3_STRIDE1 : STRIP_WIDTH3_STRIDE2;
}

/* Taps first … last - 1 of a window that begins at `begin` lie inside 0 … size - 1. */
static void
inside_taps (ptrdiff_t begin, size_t dilation, size_t taps, size_t size, size_t *first,
             size_t *last)
{
  size_t lo = begin < 0 ? ceil_div ((size_t)-begin, dilation) : 0;
  size_t hi = begin >= (ptrdiff_t)size ? 0 : ceil_div ((size_t)((ptrdiff_t)size - begin), dilation);

  *last = min_size (hi, taps);
  *first = min_size (lo, *last);
}

static void
depthwise_row (const SlConv2dParams *p, void *const *buffers, size_t row, size_t channel,
               size_t channel_end)
{
  size_t image = row / p->out_h, y = row % p->out_h;
  ptrdiff_t y0 = (ptrdiff_t)(y * p->stride_h) - p->pad_top;
  const float *bias = buffers[2], *residual = buffers[3];
  StripKind inner = choose_strip (p);
  Strip s = {
      .p = p, .weights = buffers[1], .bias = bias, .channel = channel, .channel_end = channel_end};

  inside_taps (y0, p->dilation_h, p->kernel_h, p->in_h, &s.ky0, &s.ky1);
  ptrdiff_t in_row = (ptrdiff_t)(image * p->in_h) + y0 + (ptrdiff_t)(s.ky0 * p->dilation_h);
  if (s.ky0 == s.ky1)
    in_row = 0; /* nothing is read; keep the pointer inside the input */

  for (size_t x = 0, count; x < p->out_w; x += count) {
    ptrdiff_t x0 = (ptrdiff_t)(x * p->stride_w) - p->pad_left;
    bool whole;

    inside_taps (x0, p->dilation_w, p->kernel_w, p->in_w, &s.kx0, &s.kx1);
    whole = s.kx0 == 0 && s.kx1 == p->kernel_w;
    count = 1;
    if (whole) {
      size_t room = p->in_w - (size_t)x0 - (p->kernel_w - 1) * p->dilation_w; /* at least 1 */
      size_t left = min_size (p->out_w - x, ceil_div (room, p->stride_w));
      count = ceil_div (left, ceil_div (left, STRIP));
    }
    s.in = (const float *)buffers[0] + (in_row * (ptrdiff_t)p->in_w + x0) * (ptrdiff_t)p->in_stride;
    s.out = (float *)buffers[4] + (row * p->out_w + x) * p->out_stride;
    s.residual = residual ? residual + (row * p->out_w + x) * p->residual_stride : NULL;
    strips[whole ? inner : STRIP_ANY][count - 1](&s);
  }
}

static SlBandGrid
depthwise_grid (const SlConv2dParams *p)
{
  size_t rows = (size_t)p->batch * p->out_h;
  return band_grid (rows, p->out_c, rows * p->out_w * p->out_c * p->kernel_h * p->kernel_w);
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
  SlBandGrid grid = depthwise_grid (params);

  for (size_t t = first; t < last; t++) {
    SlBandTile tile = band_tile (&grid, t);
    for (size_t row = tile.row; row < tile.row_end; row++)
      depthwise_row (params, buffers, row, tile.channel, tile.channel_end);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_depthwise2d) = {
    .name = "depthwise2d",
    .params_size = sizeof (SlConv2dParams),
    .tiles = depthwise_tiles,
    .run = depthwise_run,
};
