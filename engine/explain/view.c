#include "explain/view.h"

#include "core/half.h"
#include "explain/layer.h"

double
sl_view_element (const SlTensorView *view, ptrdiff_t at)
{
  switch (view->dtype) {
  case SL_FLOAT16:
    return (double)sl_half_to_float (((const uint16_t *)view->data)[at]);
  case SL_BFLOAT16:
    return (double)sl_bfloat16_to_float (((const uint16_t *)view->data)[at]);
  case SL_FLOAT64:
    return ((const double *)view->data)[at];
  default:
    return (double)((const float *)view->data)[at];
  }
}

/* Where element `index` of row-major order lies. */
static ptrdiff_t
place_of (const SlTensorView *view, size_t index)
{
  ptrdiff_t at = 0;
  for (uint32_t d = view->shape.rank; d-- > 0;) {
    const size_t dim = (size_t)view->shape.dim[d];
    at += (ptrdiff_t)(index % dim) * view->stride[d];
    index /= dim;
  }
  return at;
}

double
sl_view_load (const SlTensorView *view, size_t index)
{
  return sl_view_element (view, place_of (view, index));
}

void
sl_view_store (const SlTensorView *view, size_t index, float number)
{
  ((float *)view->data)[place_of (view, index)] = number;
}

SlTensorView
sl_view_slice (const SlTensorView *view, size_t index)
{
  SlTensorView slice = *view;
  slice.shape.dim[0] = 1;
  slice.data =
      (char *)view->data + (ptrdiff_t)(index * sl_dtype_get_size (view->dtype)) * view->stride[0];
  return slice;
}

/* --- Pictures --- */

/* Steps from one channel, row and column to the next. */
typedef struct Steps {
  ptrdiff_t channel, y, x;
} Steps;

static Steps
steps_of (const SlTensorView *view)
{
  const uint32_t c = sl_explain_find_channels (&view->shape), y = c == 1 ? 2 : 1;
  return (Steps){view->stride[c], view->stride[y], view->stride[y + 1]};
}

void
sl_view_get_size (const SlTensorView *view, uint32_t *ret_width, uint32_t *ret_height)
{
  const uint32_t y = sl_explain_find_channels (&view->shape) == 1 ? 2 : 1;
  *ret_height = (uint32_t)view->shape.dim[y];
  *ret_width = (uint32_t)view->shape.dim[y + 1];
}

static size_t
count (const SlPicture *picture)
{
  return (size_t)picture->channels * picture->width * picture->height;
}

void
sl_picture_init (SlPicture *picture, const SlTensorView *view)
{
  const Steps steps = steps_of (view);
  const size_t before = count (picture);
  picture->channels = (uint32_t)view->shape.dim[sl_explain_find_channels (&view->shape)];
  sl_view_get_size (view, &picture->width, &picture->height);
  if (picture->data == NULL || count (picture) != before)
    picture->data = g_renew (float, picture->data, count (picture));
  float *to = picture->data;
  for (uint32_t c = 0; c < picture->channels; c++)
    for (uint32_t y = 0; y < picture->height; y++)
      for (uint32_t x = 0; x < picture->width; x++)
        *to++ = (float)sl_view_element (view, (ptrdiff_t)c * steps.channel +
                                                  (ptrdiff_t)y * steps.y + (ptrdiff_t)x * steps.x);
}

void
sl_picture_clear (SlPicture *picture)
{
  g_clear_pointer (&picture->data, g_free);
}

void
sl_picture_write (const SlPicture *picture, const float *mask, const SlTensorView *view)
{
  const Steps steps = steps_of (view);
  const size_t area = (size_t)picture->width * picture->height;
  float *to = view->data;
  for (uint32_t c = 0; c < picture->channels; c++)
    for (size_t i = 0; i < area; i++)
      to[(ptrdiff_t)c * steps.channel + (ptrdiff_t)(i / picture->width) * steps.y +
         (ptrdiff_t)(i % picture->width) * steps.x] =
          picture->data[c * area + i] * (mask != NULL ? mask[i] : 1);
}
