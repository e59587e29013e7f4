/* Convolutions and their gradients, which are made of each other. */
#pragma once

#include "kernels/conv2d.h"
#include "ops/window.h"

typedef struct SlConvAttrs {
  SlWindow window;
  int64_t group;
  uint32_t winograd; /* side of the output tile, chosen when weights are packed; 0: direct */
} SlConvAttrs;

typedef struct SlConvTransposeAttrs {
  SlWindow window;
  SlInts output_padding, output_shape;
  int64_t group;
  uint32_t winograd; /* as above */
} SlConvTransposeAttrs;

/* For a picture `x` and what a convolution of it gives. Without pixel strides, which the planner
 * has not chosen when weights are packed, and without an activation. */
SlConv2dParams sl_conv_params (const SlConvAttrs *attrs, const SlShape *x, const SlShape *y);

/* The side of Winograd's output tile for a convolution with these weights, 0: direct. Weights that
 * are an input of the graph keep the exact form. */
uint32_t sl_conv_choose_winograd (const SlConv2dParams *params, const SlValue *weights,
                                  const SlTarget *target);

const char *sl_conv_winograd_kernel (uint32_t tile);

/* Whether kernel "conv2d_planes" is the better one for so many output channels and taps. It is made
 * for vectors, which a GPU's panels have nothing to do with. */
bool sl_conv_wants_planes (const SlTarget *target, uint32_t out_c, uint32_t taps);

/* dx of a convolution: the transposed convolution of dy with the same weights. */
SlValue *sl_conv_input_gradient (SlGradients *to, const SlNode *of, const SlConvAttrs *attrs,
                                 const SlShape *x, SlValue *dy, SlValue *weights);

/* dw of a convolution of `x`, and what the bias gets if ret_bias is not NULL. NULL: not for these
 * shapes. */
SlValue *sl_conv_weight_gradient (SlGradients *to, const SlNode *of, const SlConvAttrs *attrs,
                                  SlValue *x, SlValue *dy, SlValue **ret_bias);

/* The sum over all but axis 1, of one dimension. */
SlValue *sl_channel_sum (SlGradients *to, const SlNode *of, SlValue *x);
