#include "kernels/pool2d.h"
#include "dispatch/bands.h"
#include "dispatch/loops.h"
#include "kernels/resize2d.h"
#include "shaders/group.h"
#include "shaders/ops.h"
#include "shaders/pool2d.h"
#include "shaders/resize2d.h"

typedef struct Pool {
  const SlPool2dParams *params;
  uint32_t op;
} Pool;

static void
add_pool (SlDispatcher *to, const SlBand *band, const void *data)
{
  const Pool *pool = data;
  const SlPool2dParams *p = pool->params;
  const uint32_t above = (uint32_t)(band->in / p->in_w % p->in_h);
  const bool by_fours = p->channels % 4 == 0 && p->in_stride % 4 == 0 && p->out_stride % 4 == 0 &&
                        sl_dispatch_is_aligned (to, 0, 0) && sl_dispatch_is_aligned (to, 1, 0);
  const SlPool2dPush push = {
      .invocations =
          band->images * band->out_h * band->out_w * (by_fours ? p->channels / 4 : p->channels),
      .channels = p->channels,
      .in_h = band->in_h,
      .in_w = p->in_w,
      .out_h = band->out_h,
      .out_w = p->out_w,
      .kernel_h = (int32_t)p->kernel_h,
      .kernel_w = (int32_t)p->kernel_w,
      .stride_h = (int32_t)p->stride_h,
      .stride_w = (int32_t)p->stride_w,
      .dilation_h = (int32_t)p->dilation_h,
      .dilation_w = (int32_t)p->dilation_w,
      .pad_top = band->pad,
      .pad_left = (int32_t)p->pad_left,
      /* Rows below the band count as its padding where they may. */
      .pad_bottom = (int32_t)(p->pad_bottom + p->in_h - above - band->in_h),
      .pad_right = (int32_t)p->pad_right,
      .in_pixel = p->in_stride,
      .out_pixel = p->out_stride,
  };
  SlDispatch *record = sl_dispatch_add (to, sl_dispatch_choose (to, pool2d), &push);
  record->specs[SL_POOL2D_OP] = pool->op;
  record->specs[SL_POOL2D_BY_FOURS] = by_fours;
  sl_dispatch_bind (record, 0, 0, sl_band_get_in (band), band->size,
                    offsetof (SlPool2dPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_band_get_out (band, p->out_stride), band->size,
                    offsetof (SlPool2dPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.invocations, GROUP);
}

static uint32_t
dispatch_pool (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlPool2dParams *p = params;
  const Pool pool = {p, variant == POOL_AVERAGE && p->count_include_pad ? POOL_AVERAGE_PADDED
                                                                        : variant};
  const SlBand all = {.images = p->batch,
                      .channels = p->channels,
                      .in_h = p->in_h,
                      .in_w = p->in_w,
                      .out_h = p->out_h,
                      .out_w = p->out_w,
                      .in_pixel = p->in_stride,
                      .out_pixel = p->out_stride,
                      .kernel = p->kernel_h,
                      .stride = (int32_t)p->stride_h,
                      .dilation = (int32_t)p->dilation_h,
                      .pad = (int32_t)p->pad_top,
                      .size = sl_dispatch_get_size (to, 0)};
  return sl_bands_dispatch (to, &all, add_pool, &pool) ? 1 : 0;
}

/* --- Resampling --- */

/* Loops: images, whose rows are seen by a table. */
static void
add_resize (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const SlResize2dParams *p = data;
  const uint64_t n = loops->dims[0], size = loops->element_size[0];
  const uint64_t row = p->channels * size;
  const uint64_t in = (uint64_t)p->in_h * p->in_w, out = (uint64_t)p->out_h * p->out_w;
  const size_t table = ((size_t)p->out_h * p->taps_h + (size_t)p->out_w * p->taps_w) * 4;
  const SlResize2dPush push = {
      .elements = (uint32_t)(n * out * p->channels),
      .channels = p->channels,
      .in_h = p->in_h,
      .in_w = p->in_w,
      .out_h = p->out_h,
      .out_w = p->out_w,
      .taps_h = p->taps_h,
      .taps_w = p->taps_w,
      .in_pixel = p->in_stride,
      .out_pixel = p->out_stride,
  };
  SlDispatch *record =
      sl_dispatch_add (to, sl_shader_get (resize2d, sl_dispatch_is_half (to, 0)), &push);
  sl_dispatch_bind (record, 0, 0,
                    (SlExtent){loops->first[0] * size, n * in, row, p->in_stride * size},
                    (uint32_t)size, offsetof (SlResize2dPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (0, table), 4, offsetof (SlResize2dPush, at_indices));
  sl_dispatch_bind (record, 2, 2, sl_extent (0, table), 4, offsetof (SlResize2dPush, at_weights));
  sl_dispatch_bind (record, 3, 3,
                    (SlExtent){loops->first[1] * size, n * out, row, p->out_stride * size},
                    (uint32_t)size, offsetof (SlResize2dPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static uint32_t
dispatch_resize (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlResize2dParams *p = params;
  const size_t in = (size_t)p->in_h * p->in_w, out = (size_t)p->out_h * p->out_w;
  const SlLoops loops = {
      .n_operands = 2,
      .rank = 1,
      .dims = {p->batch},
      .stride = {{(ptrdiff_t)(in * p->in_stride)}, {(ptrdiff_t)(out * p->out_stride)}},
      .beside = {(in - 1) * p->in_stride + p->channels - 1,
                 (out - 1) * p->out_stride + p->channels - 1},
      .element_size = {sl_dispatch_get_size (to, 0), sl_dispatch_get_size (to, 3)}};
  if (in > 0 && out > 0)
    sl_loops_cut (to, &loops, add_resize, p);
  return 1;
}

const SlDispatchEntry sl_dispatch_pool2d[] = {
    {"max_pool2d", sizeof (SlPool2dParams), dispatch_pool, POOL_MAX, SL_HALVES_ALL (3)},
    {"average_pool2d", sizeof (SlPool2dParams), dispatch_pool, POOL_AVERAGE, SL_HALVES_ALL (3)},
    {"resize2d", sizeof (SlResize2dParams), dispatch_resize, 0,
     SL_HALVES_ALL (SL_OPERAND (0) | SL_OPERAND (3))},
    {0},
};
