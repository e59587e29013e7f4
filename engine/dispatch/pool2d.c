#include "kernels/pool2d.h"
#include "dispatch/dispatch.h"
#include "kernels/resize2d.h"
#include "shaders/group.h"
#include "shaders/ops.h"
#include "shaders/pool2d.h"
#include "shaders/resize2d.h"

/* The pixels of `n` images, from image `first` on. */
static SlExtent
images_extent (size_t first, size_t n, size_t pixels, uint32_t channels, uint32_t stride)
{
  return (SlExtent){first * pixels * stride * 4, n * pixels, (size_t)channels * 4,
                    (size_t)stride * 4};
}

/* So many images of so many elements fit a binding. At least 1. */
static uint32_t
images_at_once (const SlGpu *gpu, size_t in, size_t out)
{
  const uint64_t n = sl_gpu_get_range (gpu) / 4 / MAX (MAX (in, out), 1);
  return (uint32_t)CLAMP (n, 1, UINT32_MAX);
}

static void
add_pool (SlDispatcher *to, const SlPool2dParams *p, uint32_t op, uint32_t first, uint32_t n)
{
  const size_t in = (size_t)p->in_h * p->in_w, out = (size_t)p->out_h * p->out_w;
  const bool by_fours = p->channels % 4 == 0 && p->in_stride % 4 == 0 && p->out_stride % 4 == 0 &&
                        sl_dispatch_is_aligned (to, 0, 0) && sl_dispatch_is_aligned (to, 1, 0);
  const SlPool2dPush push = {
      .invocations = (uint32_t)(n * out * p->channels / (by_fours ? 4 : 1)),
      .channels = p->channels,
      .in_h = p->in_h,
      .in_w = p->in_w,
      .out_h = p->out_h,
      .out_w = p->out_w,
      .kernel_h = (int32_t)p->kernel_h,
      .kernel_w = (int32_t)p->kernel_w,
      .stride_h = (int32_t)p->stride_h,
      .stride_w = (int32_t)p->stride_w,
      .dilation_h = (int32_t)p->dilation_h,
      .dilation_w = (int32_t)p->dilation_w,
      .pad_top = (int32_t)p->pad_top,
      .pad_left = (int32_t)p->pad_left,
      .pad_bottom = (int32_t)p->pad_bottom,
      .pad_right = (int32_t)p->pad_right,
      .in_pixel = p->in_stride,
      .out_pixel = p->out_stride,
  };
  SlDispatch *record =
      sl_dispatch_add (to, to->gpu->is_cpu ? &sl_shader_pool2d_texels : &sl_shader_pool2d, &push);
  record->specs[SL_POOL2D_OP] = op;
  record->specs[SL_POOL2D_BY_FOURS] = by_fours;
  sl_dispatch_bind (record, 0, 0, images_extent (first, n, in, p->channels, p->in_stride), 4,
                    offsetof (SlPool2dPush, at_in));
  sl_dispatch_bind (record, 1, 1, images_extent (first, n, out, p->channels, p->out_stride), 4,
                    offsetof (SlPool2dPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.invocations, GROUP);
}

static uint32_t
dispatch_pool (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlPool2dParams *p = params;
  const uint32_t op =
      variant == POOL_AVERAGE && p->count_include_pad ? POOL_AVERAGE_PADDED : variant;
  const uint32_t most = images_at_once (to->gpu, (size_t)p->in_h * p->in_w * p->in_stride,
                                        (size_t)p->out_h * p->out_w * p->out_stride);
  for (uint32_t first = 0, n; first < p->batch; first += n) {
    n = MIN (most, p->batch - first);
    add_pool (to, p, op, first, n);
  }
  return 1;
}

/* --- Resampling --- */

static void
add_resize (SlDispatcher *to, const SlResize2dParams *p, uint32_t first, uint32_t n)
{
  const size_t in = (size_t)p->in_h * p->in_w, out = (size_t)p->out_h * p->out_w;
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
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_resize2d, &push);
  sl_dispatch_bind (record, 0, 0, images_extent (first, n, in, p->channels, p->in_stride), 4,
                    offsetof (SlResize2dPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (0, table), 4, offsetof (SlResize2dPush, at_indices));
  sl_dispatch_bind (record, 2, 2, sl_extent (0, table), 4, offsetof (SlResize2dPush, at_weights));
  sl_dispatch_bind (record, 3, 3, images_extent (first, n, out, p->channels, p->out_stride), 4,
                    offsetof (SlResize2dPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static uint32_t
dispatch_resize (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlResize2dParams *p = params;
  const uint32_t most = images_at_once (to->gpu, (size_t)p->in_h * p->in_w * p->in_stride,
                                        (size_t)p->out_h * p->out_w * p->out_stride);
  for (uint32_t first = 0, n; first < p->batch; first += n) {
    n = MIN (most, p->batch - first);
    add_resize (to, p, first, n);
  }
  return 1;
}

const SlDispatchEntry sl_dispatch_pool2d[] = {
    {"max_pool2d", sizeof (SlPool2dParams), dispatch_pool, POOL_MAX},
    {"average_pool2d", sizeof (SlPool2dParams), dispatch_pool, POOL_AVERAGE},
    {"resize2d", sizeof (SlResize2dParams), dispatch_resize, 0},
    {0},
};
