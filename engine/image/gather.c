#include "image/sampler.h"

#include "core/memory.h"

#include <string.h>

/* Of where planes begin: copies like it. */
#define PLANE_ALIGNMENT 16

bool
sl_gather_init (SlGather *gather, const SlImageSampler *sampler, const ptrdiff_t *pitches)
{
  *gather = (SlGather){0};
  for (unsigned i = 0; i < sampler->layout->n_planes; i++) {
    const SlAxis *axis = &sampler->axes[sampler->planes[i].y_axis];
    const size_t row_bytes = sampler->planes[i].n;
    if (pitches != NULL && pitches[i] < (ptrdiff_t)row_bytes)
      return false;
    gather->planes[i].first_row = axis->low;
    gather->planes[i].n_rows = axis->high - axis->low;
    gather->planes[i].begin = sampler->planes[i].begin;
    gather->planes[i].at = gather->bytes;
    gather->planes[i].row_bytes = row_bytes;
    gather->planes[i].pitch = pitches != NULL ? (size_t)pitches[i] : row_bytes;
    gather->bytes +=
        sl_align_up (gather->planes[i].n_rows * gather->planes[i].pitch, PLANE_ALIGNMENT);
  }
  return !sampler->layout->unpacked && sampler->layout->bits == 8;
}

const void *
sl_gather_find (const SlGather *gather, size_t i, const SlImage *image)
{
  return (const char *)image->planes[i] +
         image->strides[i] * (ptrdiff_t)gather->planes[i].first_row + gather->planes[i].begin;
}

size_t
sl_gather_get_span (const SlGather *gather, size_t i)
{
  const size_t n_rows = gather->planes[i].n_rows;
  return n_rows == 0 ? 0 : (n_rows - 1) * gather->planes[i].pitch + gather->planes[i].row_bytes;
}

void
sl_gather (const SlGather *gather, const SlImage *image, void *ret)
{
  for (size_t i = 0; i < G_N_ELEMENTS (gather->planes); i++) {
    const ptrdiff_t stride = image->strides[i];
    const size_t pitch = gather->planes[i].pitch, n_rows = gather->planes[i].n_rows;
    char *to = (char *)ret + gather->planes[i].at;
    if (n_rows == 0)
      continue;
    const char *from = sl_gather_find (gather, i, image);
    if (stride == (ptrdiff_t)pitch)
      memcpy (to, from, sl_gather_get_span (gather, i));
    else
      for (size_t row = 0; row < n_rows; row++)
        memcpy (to + row * pitch, from + stride * (ptrdiff_t)row, gather->planes[i].row_bytes);
  }
}

void
sl_gather_describe (const SlGather *gather, const void *block, SlImage *ret_image)
{
  *ret_image = (SlImage){0};
  for (size_t i = 0; i < G_N_ELEMENTS (gather->planes); i++) {
    const size_t pitch = gather->planes[i].pitch;
    if (gather->planes[i].n_rows == 0)
      continue;
    /* The frame's first row, had it not been left out. */
    ret_image->planes[i] =
        (const void *)((uintptr_t)block + gather->planes[i].at - gather->planes[i].begin -
                       gather->planes[i].first_row * pitch);
    ret_image->strides[i] = (ptrdiff_t)pitch;
  }
}
