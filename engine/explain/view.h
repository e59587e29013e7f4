/* Pictures and feature maps out of views, whatever their order in memory, and back. */
#pragma once

#include <sightline/tensor.h>

/* (1, C, H, W), or pictures with channels last, as dense [channel][y][x] of float32. */
typedef struct SlPicture {
  uint32_t channels, width, height;
  float *data; /* owned */
} SlPicture;

/* The first picture of the view, of any float type; fills a picture that was cleared or filled with
 * another view, whose memory it takes if that has the same size. */
void sl_picture_init (SlPicture *picture, const SlTensorView *view);
void sl_picture_clear (SlPicture *picture);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SlPicture, sl_picture_clear)
/* The picture times the mask (width * height; NULL: as it is) into a view of float32 of the same
 * picture's shape and order of dimensions. */
void sl_picture_write (const SlPicture *picture, const float *mask, const SlTensorView *view);

/* Width and height of such a view. */
void sl_view_get_size (const SlTensorView *view, uint32_t *ret_width, uint32_t *ret_height);
/* Number `index` along dimension 0, which becomes 1. */
SlTensorView sl_view_slice (const SlTensorView *view, size_t index);
/* The element `at` elements from the start, of a float type. */
double sl_view_element (const SlTensorView *view, ptrdiff_t at);
/* Element `index` in row-major order, of a float type. */
double sl_view_load (const SlTensorView *view, size_t index);
void sl_view_store (const SlTensorView *view, size_t index, float number); /* float32 */
