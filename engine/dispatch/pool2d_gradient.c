#include "shaders/pool2d_gradient.h"
#include "dispatch/loops.h"
#include "kernels/pool2d.h"
#include "shaders/group.h"
#include "shaders/ops.h"
#include "shaders/pool2d_greatest.h"

/* Bytes for the places of the greatest elements: enough windows to keep a device busy. */
#define SCRATCH ((size_t)16 << 20)

typedef struct PoolGradient {
  const SlPool2dGradientParams *params;
  bool is_max;
} PoolGradient;

/* Which tap of each window of `images` is the greatest, into scratch. */
static void
add_greatest (SlDispatcher *to, const SlPool2dParams *p, uint64_t images, SlExtent in)
{
  const uint64_t elements = images * p->out_h * p->out_w * p->channels;
  const SlPool2dGreatestPush push = {.elements = (uint32_t)elements,
                                     .channels = p->channels,
                                     .in_h = (int32_t)p->in_h,
                                     .in_w = (int32_t)p->in_w,
                                     .out_h = (int32_t)p->out_h,
                                     .out_w = (int32_t)p->out_w,
                                     .kernel_h = (int32_t)p->kernel_h,
                                     .kernel_w = (int32_t)p->kernel_w,
                                     .stride_h = (int32_t)p->stride_h,
                                     .stride_w = (int32_t)p->stride_w,
                                     .dilation_h = (int32_t)p->dilation_h,
                                     .dilation_w = (int32_t)p->dilation_w,
                                     .pad_top = (int32_t)p->pad_top,
                                     .pad_left = (int32_t)p->pad_left,
                                     .in_stride = p->in_stride};
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_pool2d_greatest, &push);
  sl_dispatch_bind (record, 0, 0, in, 4, offsetof (SlPool2dGreatestPush, at_in));
  sl_dispatch_bind_scratch (to, record, 1, 0, elements * 4, 4,
                            offsetof (SlPool2dGreatestPush, at_out));
  sl_dispatch_groups (record, to->gpu, elements, GROUP);
}

/* Loops: images; operands: input, gradient of the output, gradient of the input. */
static void
add (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const PoolGradient *gradient = data;
  const SlPool2dGradientParams *params = gradient->params;
  const SlPool2dParams *p = &params->pool;
  const uint64_t images = loops->dims[0], in_pixels = images * p->in_h * p->in_w;
  const uint64_t row = (uint64_t)p->channels * 4, dx_pitch = (uint64_t)params->gradient_stride * 4;
  const SlPool2dGradientPush push = {.elements = (uint32_t)(in_pixels * p->channels),
                                     .channels = p->channels,
                                     .in_h = (int32_t)p->in_h,
                                     .in_w = (int32_t)p->in_w,
                                     .out_h = (int32_t)p->out_h,
                                     .out_w = (int32_t)p->out_w,
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
                                     .dy_stride = p->out_stride,
                                     .dx_stride = params->gradient_stride};
  if (gradient->is_max)
    add_greatest (to, p, images,
                  (SlExtent){loops->first[0] * 4, in_pixels, row, (uint64_t)p->in_stride * 4});
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_pool2d_gradient, &push);
  record->specs[SL_POOL2D_GRADIENT_OP] = gradient->is_max       ? POOL_MAX
                                         : p->count_include_pad ? POOL_AVERAGE_PADDED
                                                                : POOL_AVERAGE;
  record->specs[SL_POOL2D_GRADIENT_DILATES] = p->dilation_h > 1 || p->dilation_w > 1;
  if (gradient->is_max)
    sl_dispatch_bind_scratch (to, record, 0, 0, images * p->out_h * p->out_w * row, 4,
                              offsetof (SlPool2dGradientPush, at_greatest));
  sl_dispatch_bind (record, 1, gradient->is_max,
                    (SlExtent){loops->first[1] * 4, images * p->out_h * p->out_w, row,
                               (uint64_t)p->out_stride * 4},
                    4, offsetof (SlPool2dGradientPush, at_dy));
  sl_dispatch_bind (record, 2, gradient->is_max + 1u,
                    (SlExtent){loops->first[2] * 4, in_pixels, row, dx_pitch}, 4,
                    offsetof (SlPool2dGradientPush, at_dx));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

/* As many images at once as the device binds, and as scratch is worth. */
static uint32_t
dispatch (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlPool2dParams *p = &((const SlPool2dGradientParams *)params)->pool;
  const PoolGradient gradient = {params, variant};
  const size_t in = (size_t)p->in_h * p->in_w, out = (size_t)p->out_h * p->out_w;
  const size_t strides[] = {variant ? p->in_stride : 0, p->out_stride,
                            gradient.params->gradient_stride};
  const size_t pixels[] = {in, out, in};
  SlLoops loops = {.n_operands = 3, .rank = 1, .dims = {p->batch}, .element_size = {4, 4, 4}};
  for (uint32_t k = 0; k < 3; k++) {
    if (pixels[k] == 0)
      return 0;
    loops.stride[k][0] = (ptrdiff_t)(pixels[k] * strides[k]);
    loops.beside[k] = (pixels[k] - 1) * strides[k] + p->channels - 1;
    if (sl_gpu_get_range (to->gpu) < (loops.beside[k] + 1) * 4)
      return 0;
  }
  const size_t most = variant ? MAX (SCRATCH / (out * p->channels * 4), 1) : p->batch;
  for (size_t first = 0; first < p->batch; first += most) {
    loops.dims[0] = MIN (most, p->batch - first);
    for (uint32_t k = 0; k < 3; k++)
      loops.first[k] = first * pixels[k] * strides[k];
    sl_loops_cut (to, &loops, add, &gradient);
  }
  return 1;
}

const SlDispatchEntry sl_dispatch_pool2d_gradient[] = {
    {"max_pool2d_gradient", sizeof (SlPool2dGradientParams), dispatch, true, {0}},
    {"average_pool2d_gradient", sizeof (SlPool2dGradientParams), dispatch, false, {0}},
    {0},
};
