#include "dispatch/bands.h"
#include "dispatch/window.h"

static SlExtent
pixels (const SlBand *band, size_t first, size_t n, uint32_t pixel)
{
  const uint64_t pitch = (uint64_t)pixel * band->size;
  return (SlExtent){first * pitch, n, (uint64_t)band->channels * band->size, pitch};
}

SlExtent
sl_band_get_in (const SlBand *band)
{
  return pixels (band, band->in, (size_t)band->images * band->in_h * band->in_w, band->in_pixel);
}

SlExtent
sl_band_get_out (const SlBand *band, uint32_t pixel)
{
  return pixels (band, band->out, (size_t)band->images * band->out_h * band->out_w, pixel);
}

static SlBand
some_images (const SlBand *band, uint32_t from, uint32_t n)
{
  SlBand piece = *band;
  piece.images = n;
  piece.in += (size_t)from * band->in_h * band->in_w;
  piece.out += (size_t)from * band->out_h * band->out_w;
  return piece;
}

/* Of one image. */
static SlBand
some_rows (const SlBand *band, uint32_t from, uint32_t n)
{
  SlBand piece = *band;
  uint32_t first;
  if (band->transposed)
    sl_window_narrow_transposed (from, n, band->stride, band->dilation, band->kernel, &piece.pad,
                                 &piece.in_h, &first);
  else
    sl_window_narrow (from, n, band->stride, band->dilation, band->kernel, &piece.pad, &piece.in_h,
                      &first);
  piece.out_h = n;
  piece.in += (size_t)first * band->in_w;
  piece.out += (size_t)from * band->out_w;
  return piece;
}

bool
sl_bands_dispatch (SlDispatcher *to, const SlBand *all, SlBandFunc func, const void *data)
{
  const SlExtent in = sl_band_get_in (all), out = sl_band_get_out (all, all->out_pixel);
  if (in.rows == 0 || out.rows == 0)
    return true;
  if (MAX (sl_extent_get_span (&in), sl_extent_get_span (&out)) <= sl_gpu_get_range (to->gpu)) {
    func (to, all, data);
    return true;
  }
  const bool by_images = all->images > 1;
  const uint32_t n = by_images ? all->images : all->out_h, half = n / 2;
  if (n < 2)
    return false;
  const SlBand low = by_images ? some_images (all, 0, half) : some_rows (all, 0, half);
  const SlBand high =
      by_images ? some_images (all, half, n - half) : some_rows (all, half, n - half);
  return sl_bands_dispatch (to, &low, func, data) && sl_bands_dispatch (to, &high, func, data);
}
