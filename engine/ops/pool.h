/* Pooling over windows and its gradients. */
#pragma once

#include "kernels/pool2d.h"
#include "ops/window.h"

typedef struct SlPoolAttrs {
  SlWindow window;
  bool count_include_pad; /* AveragePool */
  int64_t storage_order;  /* MaxPool: 1 counts the indices with the spatial dimensions reversed */
} SlPoolAttrs;

/* Rows of the attribute table for a struct whose first member is an SlPoolAttrs. */
#define SL_POOL_ATTRS                                                                   \
  SL_WINDOW_ATTRS,                                                                      \
  {                                                                                     \
    .name = "ceil_mode", .type = SL_ATTR_BOOL, .offset = offsetof (SlWindow, ceil_mode) \
  }

/* Whether a position outside of the input counts as padding: those that only ceil_mode adds lie
 * beyond it and never do. */
bool sl_pool_is_padded (const SlWindow3 *w, const int64_t at[3]);

/* Without pixel strides. */
SlPool2dParams sl_pool_params (const SlPoolAttrs *attrs, const SlShape *x, const SlShape *y);

/* dx of a pool of `x`, or of something of shape `x`. */
SlValue *sl_max_pool_gradient (SlGradients *to, const SlNode *of, const SlPoolAttrs *attrs,
                               SlValue *x, SlValue *dy);
SlValue *sl_average_pool_gradient (SlGradients *to, const SlNode *of, const SlPoolAttrs *attrs,
                                   const SlShape *x, SlValue *dy);

/* What MaxPool gave of `x`, where `gradient` is that pool's MaxPoolGradient; else NULL. */
SlValue *sl_max_pool_find_result (const SlNode *gradient, const SlValue *x);
