/* Kernels from picture to picture, in pieces that a device can bind: some images, or some rows of
 * one. */
#pragma once

#include "dispatch/dispatch.h"

typedef struct SlBand {
  uint32_t images, channels;
  uint32_t in_h, in_w, out_h, out_w;
  uint32_t in_pixel, out_pixel; /* elements from one pixel to the next; of several values that have
                                   the output's shape the greatest */
  uint32_t size;                /* bytes of an element */
  size_t in, out;               /* the first pixel of each, counted from the operand's first */

  /* The vertical axis, as sl_window_narrow() has it, or sl_window_narrow_transposed(). */
  uint32_t kernel;
  int32_t stride, dilation, pad;
  bool transposed;
} SlBand;

/* Appends the record of a band, which looks like a whole picture. */
typedef void (*SlBandFunc) (SlDispatcher *to, const SlBand *band, const void *data);

/* Cuts `all` until each piece fits. False: not even one row of the output does; records may have
 * been appended. */
bool sl_bands_dispatch (SlDispatcher *to, const SlBand *all, SlBandFunc func, const void *data);

/* The band's pixels of the input, and of a value with the output's shape. */
SlExtent sl_band_get_in (const SlBand *band);
SlExtent sl_band_get_out (const SlBand *band, uint32_t pixel);
