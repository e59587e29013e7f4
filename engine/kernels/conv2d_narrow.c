#include "kernels/conv2d.h"
#include "kernels/gemm.h"
#include "kernels/tile.h"

/* Convolution of few input channels: the first layer of nearly every network.
 *
 * Windows of neighbouring pixels of one output row overlap so far that neither pointers to their
 * parts nor copies pay. The input rows that a tile needs are copied once, with their padding; then
 * a row of a window is one run of elements, and that of the next pixel lies a fixed step behind it.
 * The sums take the same order as in conv2d, so both give the same bits. */

/* Output pixels of one row that are computed together, times two vectors of channels: as many as
 * the registers hold, or less where that wastes fewer of them. Those beyond the row's end are
 * computed from zeros and not stored. */
#define STRIP_VECS 2
#if TILE_VECS == 4
#define STRIP_PIXELS 14
#define FOR_COUNTS(X, ...) \
  X (8, __VA_ARGS__) X (10, __VA_ARGS__) X (12, __VA_ARGS__) X (14, __VA_ARGS__)
static const size_t counts[] = {8, 10, 12, 14};
#else
#define STRIP_PIXELS 6
#define FOR_COUNTS(X, ...) \
  X (2, __VA_ARGS__) X (4, __VA_ARGS__) X (5, __VA_ARGS__) X (6, __VA_ARGS__)
static const size_t counts[] = {2, 4, 5, 6};
#endif
#define N_COUNTS (sizeof counts / sizeof *counts)

/* Multiply-adds of a tile: some microseconds. */
#define NARROW_WORK (128 * 1024)

typedef struct Narrow {
  const SlConv2dParams *p;
  size_t run, step;     /* elements of a window's row, and from a pixel's to the next one's */
  size_t groups, count; /* of pixels in an output row; index of `counts` */
  size_t rows, blocks;  /* output rows of a tile, tiles of an image */
  size_t band_rows, band_pitch;
} Narrow;

static Narrow
narrow_plan (const SlConv2dParams *p)
{
  Narrow n = {.p = p,
              .run = (size_t)p->kernel_w * p->in_c,
              .step = (size_t)p->stride_w * p->in_c,
              .groups = ceil_div (p->out_w, STRIP_PIXELS)};
  size_t each = ceil_div (p->out_w, max_size (1, n.groups));
  size_t work = (size_t)p->out_w * p->out_c * p->kernel_h * n.run;

  while (counts[n.count] < each)
    n.count++;
  n.blocks = ceil_div (p->out_h, max_size (1, NARROW_WORK / max_size (1, work)));
  n.rows = ceil_div (p->out_h, max_size (1, n.blocks));
  n.blocks = ceil_div (p->out_h, max_size (1, n.rows));
  n.band_rows = (n.rows - 1) * p->stride_h + (size_t)(p->kernel_h - 1) * p->dilation_h + 1;
  n.band_pitch = (n.groups * counts[n.count] - 1) * n.step + n.run;
  return n;
}

static size_t
narrow_tiles (const void *params)
{
  Narrow n = narrow_plan (params);
  return n.p->batch * n.blocks;
}

static size_t
narrow_scratch (const void *params)
{
  Narrow n = narrow_plan (params);
  return n.band_rows * n.band_pitch * sizeof (float);
}

/* The input rows from row `y` on, between zeros. */
static void
copy_band (const Narrow *n, const float *image, ptrdiff_t y, size_t rows, float *band)
{
  const SlConv2dParams *p = n->p;
  ptrdiff_t width = (ptrdiff_t)(n->band_pitch / p->in_c), first = -(ptrdiff_t)p->pad_left;
  ptrdiff_t lo = first < 0 ? 0 : first, hi = first + width;

  hi = hi < (ptrdiff_t)p->in_w ? hi : (ptrdiff_t)p->in_w;
  for (size_t r = 0; r < rows; r++, y++, band += n->band_pitch) {
    if (y < 0 || y >= (ptrdiff_t)p->in_h || lo >= hi) {
      memset (band, 0, n->band_pitch * sizeof *band);
      continue;
    }
    const float *row = image + ((size_t)y * p->in_w + (size_t)lo) * p->in_stride;
    size_t begin = (size_t)(lo - first) * p->in_c, end = (size_t)(hi - first) * p->in_c;
    memset (band, 0, begin * sizeof *band);
    if (p->in_stride == p->in_c)
      memcpy (band + begin, row, (end - begin) * sizeof *band);
    else
      for (size_t i = begin; i < end; i += p->in_c, row += p->in_stride)
        memcpy (band + i, row, p->in_c * sizeof *band);
    memset (band + end, 0, (n->band_pitch - end) * sizeof *band);
  }
}

/* Some pixels of an output row times one or two vectors of a panel. */
typedef struct Strip {
  const Narrow *n;
  const float *in; /* what the first pixel's window begins with, in the band */
  const float *weights;
  size_t width;                 /* of the panel */
  const float *bias, *residual; /* or NULL */
  float *out;
  size_t pixels, cols; /* that exist */
} Strip;

/* What strip_run() has no room for, since it exists many times: residuals, the row's end, and
 * columns that fill no vector. */
static __attribute__ ((noinline)) void
strip_store_edge (const Strip *s, const Vec sum[][STRIP_VECS])
{
  const SlConv2dParams *p = s->n->p;
  SlClip clip = act_clip (&p->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);
  size_t cols = min_size (s->cols, STRIP_VECS * VEC_WIDTH);

  for (size_t r = 0; r < s->pixels; r++) {
    for (size_t v = 0, c = 0; c < cols; v++, c += VEC_WIDTH) {
      size_t lanes = min_size (VEC_WIDTH, cols - c);
      Vec x = sum[r][v];
      if (s->residual)
        x += vec_load_n (s->residual + r * p->residual_stride + c, lanes);
      vec_store_n (s->out + r * p->out_stride + c, vec_clip (x, lo, hi), lanes);
    }
  }
}

/* `count`, `vecs` and `step` are constants where this is inlined; a step of 0 is any. */
ALWAYS_INLINE void
strip_run (const Strip *s, const size_t count, const size_t vecs, const size_t step)
{
  const Narrow *n = s->n;
  size_t pitch = n->p->dilation_h * n->band_pitch, ahead = step ? step : n->step, run = n->run;
  const float *in = s->in, *weights = s->weights;
  Vec sum[STRIP_PIXELS][STRIP_VECS];

  UNROLL
  for (size_t v = 0; v < vecs; v++) {
    size_t c = v * VEC_WIDTH;
    Vec first = vec_splat (0);
    if (s->bias && c < s->cols)
      first = vec_load_n (s->bias + c, min_size (VEC_WIDTH, s->cols - c));
    UNROLL
    for (size_t r = 0; r < count; r++)
      sum[r][v] = first;
  }
  for (size_t ky = 0; ky < n->p->kernel_h; ky++, in += pitch) {
    for (size_t k = 0; k < run; k++, weights += s->width) {
      Vec w[STRIP_VECS];
      UNROLL
      for (size_t v = 0; v < vecs; v++)
        w[v] = vec_load (weights + v * VEC_WIDTH);
      UNROLL
      for (size_t r = 0; r < count; r++) {
        Vec x = vec_splat (in[r * ahead + k]);
        UNROLL
        for (size_t v = 0; v < vecs; v++)
          sum[r][v] = vec_fma (x, w[v], sum[r][v]);
      }
    }
  }
  if (s->residual || s->pixels < count || s->cols < vecs * VEC_WIDTH) {
    Vec kept[STRIP_PIXELS][STRIP_VECS]; /* whose address may be taken: sums live in registers */
    UNROLL
    for (size_t r = 0; r < count; r++) {
      UNROLL
      for (size_t v = 0; v < vecs; v++)
        kept[r][v] = sum[r][v];
    }
    strip_store_edge (s, kept);
    return;
  }
  SlClip clip = act_clip (&n->p->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);
  UNROLL
  for (size_t r = 0; r < count; r++) {
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      vec_store (s->out + r * n->p->out_stride + v * VEC_WIDTH, vec_clip (sum[r][v], lo, hi));
  }
}

typedef void (*StripFunc) (const Strip *strip);

/* One channel, and three at strides 1, 2 and 4, have functions of their own. */
#define STRIP(count, name, vecs, step)                \
  static void strip_##name##_##count (const Strip *s) \
  {                                                   \
    strip_run (s, count, vecs, step);                 \
  }
FOR_COUNTS (STRIP, full_any, STRIP_VECS, 0)
FOR_COUNTS (STRIP, half_any, 1, 0)
FOR_COUNTS (STRIP, full_1, STRIP_VECS, 1)
FOR_COUNTS (STRIP, half_1, 1, 1)
FOR_COUNTS (STRIP, full_3, STRIP_VECS, 3)
FOR_COUNTS (STRIP, half_3, 1, 3)
FOR_COUNTS (STRIP, full_6, STRIP_VECS, 6)
FOR_COUNTS (STRIP, half_6, 1, 6)
FOR_COUNTS (STRIP, full_12, STRIP_VECS, 12)
FOR_COUNTS (STRIP, half_12, 1, 12)

#define STRIP_ENTRY(count, name) strip_##name##_##count,
#define STRIP_ENTRIES(name)        \
  {                                \
    FOR_COUNTS (STRIP_ENTRY, name) \
  }
static const struct {
  size_t step;
  StripFunc half[N_COUNTS], full[N_COUNTS];
} strips[] = {
    {1, STRIP_ENTRIES (half_1), STRIP_ENTRIES (full_1)},
    {3, STRIP_ENTRIES (half_3), STRIP_ENTRIES (full_3)},
    {6, STRIP_ENTRIES (half_6), STRIP_ENTRIES (full_6)},
    {12, STRIP_ENTRIES (half_12), STRIP_ENTRIES (full_12)},
    {0, STRIP_ENTRIES (half_any), STRIP_ENTRIES (full_any)},
};

/* All pixels of `rows` output rows times the channels from c on that the strip states. */
static void
narrow_strips (Strip *s, StripFunc func, size_t count, size_t rows, const float *band, float *out,
               const float *residual)
{
  const Narrow *n = s->n;
  const SlConv2dParams *p = n->p;

  for (size_t y = 0; y < rows; y++) {
    for (size_t x = 0; x < p->out_w; x += count) {
      size_t pixel = y * p->out_w + x;
      s->in = band + y * p->stride_h * n->band_pitch + x * n->step;
      s->out = out + pixel * p->out_stride;
      s->residual = residual ? residual + pixel * p->residual_stride : NULL;
      s->pixels = min_size (count, p->out_w - x);
      func (s);
    }
  }
}

static void
narrow_tile (const Narrow *n, void *const *buffers, float *band, size_t index)
{
  const SlConv2dParams *p = n->p;
  size_t image = index / n->blocks, y0 = index % n->blocks * n->rows, kind = 0;
  size_t rows = min_size (n->rows, p->out_h - y0), depth = p->kernel_h * n->run;
  size_t pixel0 = (image * p->out_h + y0) * p->out_w;
  const float *in = (const float *)buffers[0] + image * p->in_h * p->in_w * p->in_stride;
  const float *bias = buffers[2], *residual = buffers[3];
  float *out = (float *)buffers[4] + pixel0 * p->out_stride;

  while (strips[kind].step && strips[kind].step != n->step)
    kind++;
  copy_band (n, in, (ptrdiff_t)(y0 * p->stride_h) - p->pad_top,
             n->band_rows - (n->rows - rows) * p->stride_h, band);
  for (size_t j = 0; j < panel_count (p->out_c); j++) {
    size_t begin = panel_begin (p->out_c, j), end = panel_begin (p->out_c, j + 1);
    for (size_t c = begin; c < end; c += STRIP_VECS * VEC_WIDTH) {
      Strip s = {.n = n,
                 .weights = (const float *)buffers[1] + begin * depth + (c - begin),
                 .width = end - begin,
                 .bias = bias ? bias + c : NULL,
                 .cols = min_size (end, p->out_c) - c};
      const StripFunc *funcs = end - c > VEC_WIDTH ? strips[kind].full : strips[kind].half;
      narrow_strips (&s, funcs[n->count], counts[n->count], rows, band, out + c,
                     residual ? residual + pixel0 * p->residual_stride + c : NULL);
    }
  }
  act_finish (&p->act, out, rows * p->out_w, p->out_c, p->out_stride);
}

static void
narrow_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  Narrow n = narrow_plan (params);
  for (size_t t = first; t < last; t++)
    narrow_tile (&n, buffers, scratch, t);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_conv2d_narrow) = {
    .name = "conv2d_narrow",
    .params_size = sizeof (SlConv2dParams),
    .tiles = narrow_tiles,
    .scratch = narrow_scratch,
    .run = narrow_run,
};
