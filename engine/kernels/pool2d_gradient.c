#include "kernels/pool2d.h"
#include "kernels/pool2d_span.h"

/* A tile is some channels of one picture: windows overlap, and no two threads may add to the same
 * element. */
#define GRADIENT_CHANNELS 64

static size_t
chunks_of (const SlPool2dParams *p)
{
  return ceil_div (p->channels, GRADIENT_CHANNELS);
}

static size_t
gradient_tiles (const void *params)
{
  const SlPool2dGradientParams *p = params;
  return p->pool.batch * chunks_of (&p->pool);
}

/* Windows that lie side by side write each element once. */
static bool
is_apart (const SlPool2dParams *p)
{
  return p->dilation_h == 1 && p->dilation_w == 1 && p->stride_h >= p->kernel_h &&
         p->stride_w >= p->kernel_w;
}

/* Whether they leave nothing out. */
static bool
is_covered (const SlPool2dParams *p)
{
  return is_apart (p) && p->stride_h == p->kernel_h && p->stride_w == p->kernel_w &&
         (size_t)p->out_h * p->stride_h >= (size_t)p->in_h + p->pad_top &&
         (size_t)p->out_w * p->stride_w >= (size_t)p->in_w + p->pad_left;
}

/* One window: where it lies in the input and its gradient, from the tile's first channel on. */
typedef struct Window {
  const float *in, *dy;
  float *dx;
  size_t rows, cols;
  size_t in_row, in_col, dx_row, dx_col; /* steps */
  float divisor;
} Window;

ALWAYS_INLINE Vec
load_lanes (const float *x, size_t n)
{
  return n == VEC_WIDTH ? vec_load (x) : vec_load_n (x, n);
}

/* `apart` is a constant where this is inlined. */
ALWAYS_INLINE void
add_lanes (float *x, Vec value, size_t n, const bool apart)
{
  Vec sum = apart ? value : load_lanes (x, n) + value;
  if (n == VEC_WIDTH)
    vec_store (x, sum);
  else
    vec_store_n (x, sum, n);
}

ALWAYS_INLINE void
max_vector (const Window *w, size_t c, size_t n, const bool apart)
{
  Vec best = load_lanes (w->in + c, n), dy = load_lanes (w->dy + c, n);
  VecInt index = vec_splat_int (0);
  int32_t k = 0;

  for (size_t y = 0; y < w->rows; y++)
    for (size_t x = 0; x < w->cols; x++, k++) {
      Vec value = load_lanes (w->in + y * w->in_row + x * w->in_col + c, n);
      VecInt greater = ~(value <= best) & (best == best);
      best = vec_select (greater, value, best);
      index = (greater & k) | (~greater & index);
    }
  k = 0;
  for (size_t y = 0; y < w->rows; y++)
    for (size_t x = 0; x < w->cols; x++, k++)
      add_lanes (w->dx + y * w->dx_row + x * w->dx_col + c,
                 vec_select (index == k, dy, vec_splat (0)), n, apart);
}

ALWAYS_INLINE void
average_vector (const Window *w, size_t c, size_t n, const bool apart)
{
  Vec share = load_lanes (w->dy + c, n) / w->divisor;

  for (size_t y = 0; y < w->rows; y++)
    for (size_t x = 0; x < w->cols; x++)
      add_lanes (w->dx + y * w->dx_row + x * w->dx_col + c, share, n, apart);
}

/* Halving, which is nearly all of pooling, with the window's size known and whole vectors. */
ALWAYS_INLINE void
halve_window (const Window *w, size_t channels, const bool maximum)
{
  Window two = *w;
  two.rows = two.cols = 2;
  for (size_t c = 0; c < channels; c += VEC_WIDTH) {
    if (maximum)
      max_vector (&two, c, VEC_WIDTH, true);
    else
      average_vector (&two, c, VEC_WIDTH, true);
  }
}

/* `maximum` and `apart` are constants where this is inlined. */
ALWAYS_INLINE void
run_window (const Window *w, size_t channels, const bool maximum, const bool apart)
{
  if (apart && w->rows == 2 && w->cols == 2 && channels % VEC_WIDTH == 0) {
    halve_window (w, channels, maximum);
    return;
  }
  for (size_t c = 0; c < channels; c += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, channels - c);
    if (maximum)
      max_vector (w, c, n, apart);
    else
      average_vector (w, c, n, apart);
  }
}

ALWAYS_INLINE void
run_picture (const SlPool2dGradientParams *params, const float *in, const float *dy, float *dx,
             size_t channels, const bool maximum, const bool apart)
{
  const SlPool2dParams *p = &params->pool;

  for (size_t y = 0; y < p->out_h; y++) {
    Span ys = window_span (y, p->kernel_h, p->stride_h, p->dilation_h, p->pad_top, p->pad_bottom,
                           p->in_h);
    for (size_t x = 0; x < p->out_w; x++, dy += p->out_stride) {
      Span xs = window_span (x, p->kernel_w, p->stride_w, p->dilation_w, p->pad_left, p->pad_right,
                             p->in_w);
      size_t count = p->count_include_pad ? ys.padded * xs.padded : ys.count * xs.count;
      size_t at = ys.begin * p->in_w + xs.begin;
      Window w = {
          .in = maximum ? in + at * p->in_stride : NULL,
          .dy = dy,
          .dx = dx + at * params->gradient_stride,
          .rows = ys.count,
          .cols = xs.count,
          .in_row = (size_t)p->dilation_h * p->in_w * p->in_stride,
          .in_col = (size_t)p->dilation_w * p->in_stride,
          .dx_row = (size_t)p->dilation_h * p->in_w * params->gradient_stride,
          .dx_col = (size_t)p->dilation_w * params->gradient_stride,
          .divisor = (float)count,
      };
      if (ys.count * xs.count > 0)
        run_window (&w, channels, maximum, apart);
    }
  }
}

ALWAYS_INLINE void
run_tiles (const SlPool2dGradientParams *params, const float *in, const float *dy, float *dx,
           size_t first, size_t last, const bool maximum)
{
  const SlPool2dParams *p = &params->pool;
  size_t chunks = chunks_of (p), in_pixels = (size_t)p->in_h * p->in_w;
  bool apart = is_apart (p), covered = is_covered (p);

  for (size_t t = first; t < last; t++) {
    size_t image = t / chunks, c = t % chunks * GRADIENT_CHANNELS;
    size_t channels = min_size (GRADIENT_CHANNELS, p->channels - c);
    const float *x = maximum ? in + image * in_pixels * p->in_stride + c : NULL;
    const float *g = dy + image * p->out_h * p->out_w * p->out_stride + c;
    float *to = dx + image * in_pixels * params->gradient_stride + c;
    for (size_t i = 0; i < in_pixels && !covered; i++)
      memset (to + i * params->gradient_stride, 0, channels * sizeof *to);
    if (apart)
      run_picture (params, x, g, to, channels, maximum, true);
    else
      run_picture (params, x, g, to, channels, maximum, false);
  }
}

static void
max_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  run_tiles (params, buffers[0], buffers[1], buffers[2], first, last, true);
}

static void
average_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  run_tiles (params, NULL, buffers[0], buffers[1], first, last, false);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_max_pool2d_gradient) = {
    .name = "max_pool2d_gradient",
    .params_size = sizeof (SlPool2dGradientParams),
    .tiles = gradient_tiles,
    .run = max_run,
};

const SlKernel SL_KERNEL_NAME (sl_kernel_average_pool2d_gradient) = {
    .name = "average_pool2d_gradient",
    .params_size = sizeof (SlPool2dGradientParams),
    .tiles = gradient_tiles,
    .run = average_run,
};
