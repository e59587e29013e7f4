#include "dispatch/bands.h"
#include "dispatch/product.h"
#include "kernels/conv2d.h"
#include "kernels/conv_transpose2d.h"
#include "shaders/depthwise2d.h"
#include "shaders/group.h"
#include "shaders/panel.h"

static uint32_t
dispatch_conv2d (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlConv2dParams *p = params;
  const uint32_t channels = p->in_c / p->groups, cols = p->out_c / p->groups;
  const size_t depth = (size_t)p->kernel_h * p->kernel_w * channels;
  const size_t in_pixels = (size_t)p->in_h * p->in_w, out_pixels = (size_t)p->out_h * p->out_w;
  const SlProduct product = {
      .groups = p->groups,
      .images = p->batch,
      .cols = cols,
      .channels = channels,
      .taps_h = p->kernel_h,
      .taps_w = p->kernel_w,
      .out_h = p->out_h,
      .out_w = p->out_w,
      .in_h = p->in_h,
      .in_w = p->in_w,
      .stride_h = (int32_t)p->stride_h,
      .stride_w = (int32_t)p->stride_w,
      .step_h = (int32_t)p->dilation_h,
      .step_w = (int32_t)p->dilation_w,
      .pad_h = p->pad_top,
      .pad_w = p->pad_left,
      .in = {.operand = 0,
             .image = in_pixels * p->in_stride,
             .group = channels,
             .pixel = p->in_stride},
      .residual = {.image = out_pixels * p->residual_stride,
                   .group = cols,
                   .pixel = p->residual_stride},
      .out = {.operand = 4,
              .image = out_pixels * p->out_stride,
              .group = cols,
              .pixel = p->out_stride},
      .out_x = p->out_stride,
      .out_y = (size_t)p->out_w * p->out_stride,
      .weight_group = (size_t)(cols + PANEL - 1) / PANEL * PANEL * depth,
      .weight_operand = 1,
      .bias_operand = 2,
      .residual_operand = 3,
      .act = p->act,
  };
  return sl_product_dispatch (to, &product) ? 1 : 0;
}

/* --- Transposed: a product for each phase of the strides --- */

static bool
dispatch_phase (SlDispatcher *to, const SlConvTranspose2dParams *p, uint32_t ry, uint32_t rx)
{
  const SlPhase ys =
      sl_phase_of (ry, p->kernel_h, p->stride_h, p->dilation_h, p->pad_top, p->out_h);
  const SlPhase xs =
      sl_phase_of (rx, p->kernel_w, p->stride_w, p->dilation_w, p->pad_left, p->out_w);
  const uint32_t channels = p->in_c / p->groups, cols = p->out_c / p->groups;
  const size_t all = (size_t)(cols + PANEL - 1) / PANEL * PANEL;
  const size_t before = sl_phase_taps_before (ry, rx, p->kernel_h, p->kernel_w, p->stride_h,
                                              p->stride_w, p->dilation_h, p->dilation_w);
  if (ys.outs == 0 || xs.outs == 0)
    return true;
  const SlProduct product = {
      .groups = p->groups,
      .images = p->batch,
      .cols = cols,
      .channels = channels,
      .taps_h = ys.taps > 0 && xs.taps > 0 ? (uint32_t)ys.taps : 0,
      .taps_w = (uint32_t)xs.taps,
      .out_h = (uint32_t)ys.outs,
      .out_w = (uint32_t)xs.outs,
      .in_h = p->in_h,
      .in_w = p->in_w,
      .stride_h = 1,
      .stride_w = 1,
      .step_h = -(int32_t)ys.tap_step,
      .step_w = -(int32_t)xs.tap_step,
      .pad_h = -(int32_t)ys.in_first,
      .pad_w = -(int32_t)xs.in_first,
      .in = {.operand = 0,
             .image = (size_t)p->in_h * p->in_w * p->in_stride,
             .group = channels,
             .pixel = p->in_stride},
      .out = {.operand = 3,
              .first = (ys.out_first * p->out_w + xs.out_first) * p->out_stride,
              .image = (size_t)p->out_h * p->out_w * p->out_stride,
              .group = cols,
              .pixel = p->out_stride},
      .out_x = (size_t)p->stride_w * p->out_stride,
      .out_y = (size_t)p->stride_h * p->out_w * p->out_stride,
      .weights = before * channels * all * p->groups,
      .weight_group = all * ys.taps * xs.taps * channels,
      .weight_operand = 1,
      .bias_operand = 2,
      .residual_operand = SL_PRODUCT_NO_OPERAND,
      .act = p->act,
  };
  return sl_product_dispatch (to, &product);
}

static uint32_t
dispatch_conv_transpose (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlConvTranspose2dParams *p = params;
  for (uint32_t ry = 0; ry < p->stride_h; ry++)
    for (uint32_t rx = 0; rx < p->stride_w; rx++)
      if (!dispatch_phase (to, p, ry, rx))
        return 0;
  return 1;
}

/* --- A channel on its own --- */

typedef struct Depthwise {
  const SlDepthwise2dPush *push; /* but for heights, pad_h, act_…, invocations and at_… */
  const SlAct *act;
} Depthwise;

/* TRUE if four channels of every operand are a vector. */
static bool
has_fours (const SlDispatcher *to, const SlDepthwise2dPush *push, bool transposed)
{
  for (uint32_t i = 0; i <= (transposed ? 3 : 4); i++)
    if (!sl_dispatch_is_aligned (to, i, 0))
      return false;
  return (push->channels | push->in_pixel | push->out_pixel | push->residual_pixel) % 4 == 0;
}

static void
add_depthwise (SlDispatcher *to, const SlBand *band, const void *data)
{
  const Depthwise *d = data;
  const SlStep *step = to->steps;
  const bool transposed = band->transposed, by_fours = has_fours (to, d->push, transposed);
  const size_t row = (size_t)band->channels * 4;
  SlDepthwise2dPush push = *d->push;
  push.in_h = band->in_h;
  push.out_h = band->out_h;
  push.pad_h = band->pad;
  push.invocations =
      (uint32_t)(band->images * push.out_h * push.out_w * push.channels / (by_fours ? 4 : 1));
  push.act_a = d->act->a;
  push.act_b = d->act->b;
  SlDispatch *record = sl_dispatch_add (to, sl_dispatch_choose (to, depthwise2d), &push);
  record->specs[SL_DEPTHWISE2D_ACT] = d->act->kind;
  record->specs[SL_DEPTHWISE2D_HAS_BIAS] = step->operands[2] != NULL;
  record->specs[SL_DEPTHWISE2D_HAS_RESIDUAL] = !transposed && step->operands[3] != NULL;
  record->specs[SL_DEPTHWISE2D_TRANSPOSED] = transposed;
  record->specs[SL_DEPTHWISE2D_BY_FOURS] = by_fours;
  sl_dispatch_bind (record, 0, 0, sl_band_get_in (band), band->size,
                    offsetof (SlDepthwise2dPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (0, row * push.kernel_h * push.kernel_w), 4,
                    offsetof (SlDepthwise2dPush, at_weights));
  sl_dispatch_bind (record, 2, 2, sl_extent (0, row), 4, offsetof (SlDepthwise2dPush, at_bias));
  if (!transposed)
    sl_dispatch_bind (record, 3, 3, sl_band_get_out (band, push.residual_pixel), band->size,
                      offsetof (SlDepthwise2dPush, at_residual));
  sl_dispatch_bind (record, 4, transposed ? 3 : 4, sl_band_get_out (band, push.out_pixel),
                    band->size, offsetof (SlDepthwise2dPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.invocations, GROUP);
}

static bool
dispatch_bands (SlDispatcher *to, const SlDepthwise2dPush *push, uint32_t batch, const SlAct *act,
                bool transposed)
{
  const Depthwise d = {push, act};
  const SlBand all = {.images = batch,
                      .channels = push->channels,
                      .in_h = push->in_h,
                      .in_w = push->in_w,
                      .out_h = push->out_h,
                      .out_w = push->out_w,
                      .in_pixel = push->in_pixel,
                      .out_pixel = MAX (push->out_pixel, push->residual_pixel),
                      .kernel = push->kernel_h,
                      .stride = push->stride_h,
                      .dilation = push->dilation_h,
                      .pad = push->pad_h,
                      .size = sl_dispatch_get_size (to, 0),
                      .transposed = transposed};
  return sl_bands_dispatch (to, &all, add_depthwise, &d);
}

static uint32_t
dispatch_depthwise (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlConv2dParams *p = params;
  const SlDepthwise2dPush push = {
      .channels = p->out_c,
      .in_h = p->in_h,
      .in_w = p->in_w,
      .out_h = p->out_h,
      .out_w = p->out_w,
      .kernel_h = p->kernel_h,
      .kernel_w = p->kernel_w,
      .stride_h = (int32_t)p->stride_h,
      .stride_w = (int32_t)p->stride_w,
      .dilation_h = (int32_t)p->dilation_h,
      .dilation_w = (int32_t)p->dilation_w,
      .pad_h = p->pad_top,
      .pad_w = p->pad_left,
      .in_pixel = p->in_stride,
      .out_pixel = p->out_stride,
      .residual_pixel = p->residual_stride,
  };
  return dispatch_bands (to, &push, p->batch, &p->act, false) ? 1 : 0;
}

static uint32_t
dispatch_depthwise_transposed (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlConvTranspose2dParams *p = params;
  const SlDepthwise2dPush push = {
      .channels = p->out_c,
      .in_h = p->in_h,
      .in_w = p->in_w,
      .out_h = p->out_h,
      .out_w = p->out_w,
      .kernel_h = p->kernel_h,
      .kernel_w = p->kernel_w,
      .stride_h = (int32_t)p->stride_h,
      .stride_w = (int32_t)p->stride_w,
      .dilation_h = (int32_t)p->dilation_h,
      .dilation_w = (int32_t)p->dilation_w,
      .pad_h = (int32_t)p->pad_top,
      .pad_w = (int32_t)p->pad_left,
      .in_pixel = p->in_stride,
      .out_pixel = p->out_stride,
  };
  return dispatch_bands (to, &push, p->batch, &p->act, true) ? 1 : 0;
}

const SlDispatchEntry sl_dispatch_conv2d[] = {
    {"conv2d", sizeof (SlConv2dParams), dispatch_conv2d, 0, SL_PRODUCT_HALVES},
    {"conv2d_narrow", sizeof (SlConv2dParams), dispatch_conv2d, 0, SL_PRODUCT_HALVES},
    {"depthwise2d", sizeof (SlConv2dParams), dispatch_depthwise, 0,
     SL_HALVES_ALL (SL_OPERAND (0) | SL_OPERAND (3) | SL_OPERAND (4))},
    {"conv_transpose2d", sizeof (SlConvTranspose2dParams), dispatch_conv_transpose, 0, {0}},
    {"depthwise_transposed2d", sizeof (SlConvTranspose2dParams), dispatch_depthwise_transposed, 0,
     SL_HALVES_ALL (SL_OPERAND (0) | SL_OPERAND (3))},
    {0},
};
