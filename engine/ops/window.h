/* Sliding windows: what convolution and pooling share. */
#pragma once

#include "graph/op.h"

enum { SL_PAD_NOTSET, SL_PAD_SAME_UPPER, SL_PAD_SAME_LOWER, SL_PAD_VALID };

/* ONNX's attributes of the same names. After inference every list has one entry a spatial dimension
 * (pads: all beginnings, then all ends), whatever the file left out. */
typedef struct SlWindow {
  uint32_t auto_pad;
  SlInts kernel_shape, strides, dilations, pads;
  bool ceil_mode; /* pooling only */
} SlWindow;

extern const char *const sl_auto_pad_choices[];

/* Rows of the attribute table for a struct `Type` whose first member is an SlWindow. */
#define SL_WINDOW_ATTRS                                                                            \
  {.name = "auto_pad",                                                                             \
   .type = SL_ATTR_ENUM,                                                                           \
   .offset = offsetof (SlWindow, auto_pad),                                                        \
   .choices = sl_auto_pad_choices},                                                                \
      {.name = "kernel_shape", .type = SL_ATTR_INTS, .offset = offsetof (SlWindow, kernel_shape)}, \
      {.name = "strides", .type = SL_ATTR_INTS, .offset = offsetof (SlWindow, strides)},           \
      {.name = "dilations", .type = SL_ATTR_INTS, .offset = offsetof (SlWindow, dilations)},       \
  {                                                                                                \
    .name = "pads", .type = SL_ATTR_INTS, .offset = offsetof (SlWindow, pads)                      \
  }

/* Sets the kernel's size from weights of shape (…, …, kernel…); refuses a kernel_shape of the file
 * that says otherwise. */
gboolean sl_window_set_kernel (const SlNode *node, SlWindow *window, const SlShape *weights,
                               GError **error);

/* Completes `window` for an input of shape (N, C, spatial…) and sets the spatial dimensions of
 * ret_output (rank and the first two dimensions are the caller's): floor or ceil ((in + pads -
 * extent) / stride) + 1 with extent = (kernel - 1) * dilation + 1. Refuses what is below 1, naming
 * layer, kernel and input size. */
gboolean sl_window_infer (const SlNode *node, SlWindow *window, const SlShape *input,
                          SlShape *ret_output, GError **error);

/* The same for the transposed convolution, whose output is as large as the input of a convolution
 * that gives `input`: stride * (in - 1) + output_padding + extent - pads. Where `output_shape` has
 * entries (one a spatial dimension, or those of N and C before them), or auto_pad says SAME (in *
 * stride), the pads follow from it: what is too much is cut off, half of it at each end and the odd
 * one at the end (SAME_UPPER) or at the beginning (else); what is missing is 0 at the end. Both
 * lists have one entry a dimension, or none, afterwards. */
gboolean sl_window_infer_transposed (const SlNode *node, SlWindow *window, SlInts *output_padding,
                                     SlInts *output_shape, const SlShape *input,
                                     SlShape *ret_output, GError **error);

/* Adds zeros around the input to the window's own padding. FALSE: lists do not fit. */
gboolean sl_window_absorb_pads (SlWindow *window, const SlInts *pads);

/* The window over (depth, height, width), size 1 and stride 1 in the dimensions that the input
 * lacks, so that a reference needs one loop nest for one, two and three dimensions. */
typedef struct SlWindow3 {
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3], pad_end[3];
} SlWindow3;
SlWindow3 sl_window_3d (const SlWindow *window, const SlShape *input, const SlShape *output);

/* Steps `k` through the window; false after the last position. */
bool sl_window_next (const SlWindow3 *w, int64_t k[3]);
/* Where position `k` of a window that begins at `origin` lies; false if that is outside the input.
 */
bool sl_window_is_inside (const SlWindow3 *w, const int64_t origin[3], const int64_t k[3],
                          int64_t ret_at[3]);

/* Kernels read rank 3 (as height 1) and 4, and dimensions of 31 bits; others are left to the
 * reference, which is row-major. */
gboolean sl_window_row_major_only (const SlNode *node);
/* The same whatever the type. */
bool sl_window_fits_kernels (const SlNode *node);
/* Whether kernels count the positions of pictures of these shapes. */
bool sl_window_fits_shapes (const SlShape *a, const SlShape *b);

/* Number of positions (the last spatial dimension: width; before it: height, 1 if there is none).
 */
static inline uint32_t
sl_shape_height (const SlShape *shape)
{
  return shape->rank > 3 ? (uint32_t)shape->dim[2] : 1;
}

static inline uint32_t
sl_shape_width (const SlShape *shape)
{
  return (uint32_t)shape->dim[shape->rank - 1];
}

/* Pixel stride of a channels-last value. */
static inline uint32_t
sl_value_pixel (const SlValue *value)
{
  return (uint32_t)(value->pixel_stride > 0 ? value->pixel_stride : (size_t)value->shape.dim[1]);
}
