#include "image/sampler.h"

#include <string.h>

bool
sl_gather_init (SlGather *gather, const SlImageSampler *sampler)
{
  *gather = (SlGather){0};
  for (unsigned i = 0; i < sampler->layout->n_planes; i++) {
    const SlAxis *axis = &sampler->axes[sampler->planes[i].y_axis];
    gather->planes[i].first_row = axis->low;
    gather->planes[i].n_rows = axis->high - axis->low;
    gather->planes[i].begin = sampler->planes[i].begin;
    gather->planes[i].at = gather->bytes;
    gather->planes[i].row_bytes = sampler->planes[i].n;
    gather->bytes += gather->planes[i].n_rows * gather->planes[i].row_bytes;
  }
  return !sampler->layout->unpacked && sampler->layout->bits == 8;
}

void
sl_gather (const SlGather *gather, const SlImage *image, void *ret)
{
  for (size_t i = 0; i < G_N_ELEMENTS (gather->planes); i++) {
    const ptrdiff_t stride = image->strides[i];
    const size_t row_bytes = gather->planes[i].row_bytes, n_rows = gather->planes[i].n_rows;
    char *to = (char *)ret + gather->planes[i].at;
    if (n_rows == 0)
      continue;
    const char *from = (const char *)image->planes[i] +
                       stride * (ptrdiff_t)gather->planes[i].first_row + gather->planes[i].begin;
    if (stride == (ptrdiff_t)row_bytes)
      memcpy (to, from, n_rows * row_bytes);
    else
      for (size_t row = 0; row < n_rows; row++)
        memcpy (to + row * row_bytes, from + stride * (ptrdiff_t)row, row_bytes);
  }
}

void
sl_gather_describe (const SlGather *gather, const void *block, SlImage *ret_image)
{
  *ret_image = (SlImage){0};
  for (size_t i = 0; i < G_N_ELEMENTS (gather->planes); i++) {
    const size_t row_bytes = gather->planes[i].row_bytes;
    if (gather->planes[i].n_rows == 0)
      continue;
    /* The frame's first row, had it not been left out. */
    ret_image->planes[i] =
        (const void *)((uintptr_t)block + gather->planes[i].at - gather->planes[i].begin -
                       gather->planes[i].first_row * row_bytes);
    ret_image->strides[i] = (ptrdiff_t)row_bytes;
  }
}
