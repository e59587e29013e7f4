#include "kernels/resize2d.h"
#include "kernels/grid.h"

/* Input rows are first mixed to one row as wide as the input, in scratch; then each output pixel
 * mixes some of its pixels. An axis that only picks, as nearest does, is read where it lies. */
static size_t
resize_scratch (const void *params)
{
  const SlResize2dParams *p = params;
  return p->taps_h > 1 ? (size_t)p->in_w * p->channels * sizeof (float) : 0;
}

static SlBandGrid
resize_grid (const SlResize2dParams *p)
{
  size_t rows = (size_t)p->batch * p->out_h;
  size_t row = ((size_t)p->in_w * p->taps_h + (size_t)p->out_w * p->taps_w) * p->channels;
  return band_grid (rows, 1, 1, row);
}

static size_t
resize_tiles (const void *params)
{
  SlBandGrid grid = resize_grid (params);
  return grid.bands;
}

/* to[i] = sum of weight[k] * from[k][i]. The number of taps is a constant where it is small. */
ALWAYS_INLINE void
mix (const float *const *from, const float *weight, const size_t taps, size_t n, float *to)
{
  size_t i = 0;
  for (; i + VEC_WIDTH <= n; i += VEC_WIDTH) {
    Vec sum = vec_load (from[0] + i) * vec_splat (weight[0]);
    for (size_t k = 1; k < taps; k++)
      sum = vec_fma (vec_load (from[k] + i), vec_splat (weight[k]), sum);
    vec_store (to + i, sum);
  }
  if (i < n) {
    Vec sum = vec_load_n (from[0] + i, n - i) * vec_splat (weight[0]);
    for (size_t k = 1; k < taps; k++)
      sum = vec_fma (vec_load_n (from[k] + i, n - i), vec_splat (weight[k]), sum);
    vec_store_n (to + i, sum, n - i);
  }
}

/* Taps that are mixed at once; more are added to what is there. */
#define MIX_TAPS 4

/* The same with rows at base + index[k] * pitch. */
ALWAYS_INLINE void
mix_rows (const float *base, size_t pitch, const int32_t *index, const float *weight,
          const size_t taps, size_t n, float *to)
{
  const float *from[MIX_TAPS + 1] = {base};
  float factor[MIX_TAPS + 1];
  for (size_t k = 0; k < min_size (taps, MIX_TAPS); k++)
    from[k] = base + (size_t)index[k] * pitch;
  if (taps == 2)
    mix (from, weight, 2, n, to);
  else
    mix (from, weight, min_size (taps, MIX_TAPS), n, to);
  for (size_t done = MIX_TAPS; done < taps; done += MIX_TAPS) {
    size_t more = min_size (taps - done, MIX_TAPS);
    from[0] = to;
    factor[0] = 1;
    for (size_t k = 0; k < more; k++) {
      from[k + 1] = base + (size_t)index[done + k] * pitch;
      factor[k + 1] = weight[done + k];
    }
    mix (from, factor, more + 1, n, to);
  }
}

/* One row of the input's width: as it lies, or mixed; *ret_stride is from pixel to pixel. */
static const float *
vertical (const SlResize2dParams *p, const float *image, const int32_t *index, const float *weight,
          float *scratch, size_t *ret_stride)
{
  size_t pitch = (size_t)p->in_w * p->in_stride;
  *ret_stride = p->taps_h > 1 ? p->channels : p->in_stride;
  if (p->taps_h == 1)
    return image + (size_t)index[0] * pitch;
  if (p->in_stride == p->channels) {
    mix_rows (image, pitch, index, weight, p->taps_h, pitch, scratch);
    return scratch;
  }
  for (size_t x = 0; x < p->in_w; x++)
    mix_rows (image + x * p->in_stride, pitch, index, weight, p->taps_h, p->channels,
              scratch + x * p->channels);
  return scratch;
}

/* Pixels that are picked: n floats, which are few. */
ALWAYS_INLINE void
copy_pixel (const float *from, size_t n, float *to)
{
  size_t i = 0;
  for (; i + VEC_WIDTH <= n; i += VEC_WIDTH)
    vec_store (to + i, vec_load (from + i));
  if (i < n)
    vec_store_n (to + i, vec_load_n (from + i, n - i), n - i);
}

static void
horizontal (const SlResize2dParams *p, const float *row, size_t stride, const int32_t *index,
            const float *weight, float *out)
{
  size_t taps = p->taps_w, n = p->channels;
  for (size_t x = 0; x < p->out_w; x++, index += taps, weight += taps, out += p->out_stride) {
    if (taps == 1)
      copy_pixel (row + (size_t)index[0] * stride, n, out);
    else if (taps == 2)
      mix_rows (row, stride, index, weight, 2, n, out);
    else
      mix_rows (row, stride, index, weight, taps, n, out);
  }
}

static void
resize_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlResize2dParams *p = params;
  const int32_t *rows = buffers[1], *cols = rows + (size_t)p->out_h * p->taps_h;
  const float *row_weights = buffers[2], *col_weights = row_weights + (size_t)p->out_h * p->taps_h;
  SlBandGrid grid = resize_grid (p);
  size_t image_size = (size_t)p->in_h * p->in_w * p->in_stride;

  for (size_t t = first; t < last; t++) {
    SlBandTile tile = band_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row_end; r++) {
      size_t y = r % p->out_h, stride;
      float *out = (float *)buffers[3] + r * p->out_w * p->out_stride;
      bool again = r > tile.row && y > 0 && p->taps_h == 1 && rows[y] == rows[y - 1];
      if (again && p->out_stride == p->channels) {
        size_t pitch = (size_t)p->out_w * p->out_stride;
        memcpy (out, out - pitch, pitch * sizeof *out);
        continue;
      }
      const float *row =
          vertical (p, (const float *)buffers[0] + r / p->out_h * image_size, rows + y * p->taps_h,
                    row_weights + y * p->taps_h, scratch, &stride);
      horizontal (p, row, stride, cols, col_weights, out);
    }
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_resize2d) = {
    .name = "resize2d",
    .params_size = sizeof (SlResize2dParams),
    .tiles = resize_tiles,
    .scratch = resize_scratch,
    .run = resize_run,
};
