#include "dispatch/loops.h"
#include "dispatch/product.h"
#include "kernels/conv_transpose2d.h"
#include "kernels/gemm.h"
#include "shaders/group.h"
#include "shaders/pack_weights.h"
#include "shaders/panel.h"

static uint32_t
dispatch_gemm (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlGemmParams *p = params;
  const SlProduct product = {
      .groups = p->batch,
      .images = 1,
      .cols = p->cols,
      .channels = p->depth,
      .taps_h = 1,
      .taps_w = 1,
      .out_h = 1,
      .out_w = p->rows,
      .in_h = 1,
      .in_w = p->rows,
      .stride_h = 1,
      .stride_w = 1,
      .step_h = 1,
      .step_w = 1,
      .in = {.operand = 0, .group = p->a_batch, .pixel = p->a_stride},
      .residual = {.group = p->residual_batch, .pixel = p->residual_stride},
      .out = {.operand = 4, .group = p->c_batch, .pixel = p->c_stride},
      .out_x = p->c_stride,
      .out_y = p->rows * p->c_stride,
      .weight_group = p->b_batch,
      .weight_operand = 1,
      .bias_operand = 2,
      .residual_operand = 3,
      .shares_bias = true,
      .act = p->act,
  };
  return sl_product_dispatch (to, &product) ? 1 : 0;
}

/* --- Packing --- */

/* Panels that kernel "pack_weights" makes, or some of them. */
typedef struct Pack {
  SlPackParams p;
  size_t from, into; /* elements: where they are read and written */
} Pack;

static size_t
pack_depth (const SlPackParams *p)
{
  return (size_t)p->depth[0] * p->depth[1] * p->depth[2];
}

static size_t
pack_panels (const SlPackParams *p)
{
  return (p->cols + PANEL - 1) / PANEL;
}

/* Elements that are written. */
static size_t
pack_size (const SlPackParams *p)
{
  return p->groups * pack_panels (p) * pack_depth (p) * PANEL;
}

/* Elements from the first to the last that are read. */
static size_t
pack_span (const SlPackParams *p)
{
  size_t span = (p->groups - 1) * p->group_stride + (p->cols - 1) * p->col_stride + 1;
  for (uint32_t i = 0; i < 3; i++)
    span += (p->depth[i] - 1) * p->depth_stride[i];
  return span;
}

static void
add_pack (SlDispatcher *to, const Pack *pack)
{
  const SlPackParams *p = &pack->p;
  SlPackWeightsPush push = {.elements = (uint32_t)pack_size (p),
                            .panels = (uint32_t)pack_panels (p),
                            .cols = p->cols,
                            .group_stride = (uint32_t)p->group_stride,
                            .col_stride = (uint32_t)p->col_stride};
  for (uint32_t i = 0; i < 3; i++) {
    push.depth[i] = p->depth[i];
    push.depth_stride[i] = (uint32_t)p->depth_stride[i];
  }
  const bool half = sl_dispatch_is_half (to, 0);
  const uint32_t size = sl_dispatch_get_size (to, 0);
  SlDispatch *record = sl_dispatch_add (to, sl_shader_get (pack_weights, half), &push);
  sl_dispatch_bind (record, 0, 0, sl_extent (pack->from * size, pack_span (p) * size), size,
                    offsetof (SlPackWeightsPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (pack->into * size, pack_size (p) * size), size,
                    offsetof (SlPackWeightsPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static uint32_t
depth_axis (const SlPackParams *p)
{
  return p->depth[0] > 1 ? 0 : p->depth[1] > 1 ? 1 : 2;
}

/* Length of the outermost axis that has one: groups, else panels, else the depth. */
static uint32_t
pack_outermost (const SlPackParams *p)
{
  if (p->groups > 1)
    return p->groups;
  return p->cols > PANEL ? (uint32_t)pack_panels (p) : p->depth[depth_axis (p)];
}

/* `n` of that axis, from `from` on. */
static Pack
some_pack (const Pack *pack, uint32_t from, uint32_t n)
{
  Pack piece = *pack;
  SlPackParams *p = &piece.p;
  const size_t depth = pack_depth (p) * PANEL;
  if (p->groups > 1) {
    p->groups = n;
    piece.from += from * p->group_stride;
    piece.into += from * pack_panels (p) * depth;
  } else if (p->cols > PANEL) {
    p->cols = MIN (p->cols - from * PANEL, n * PANEL);
    piece.from += from * PANEL * p->col_stride;
    piece.into += from * depth;
  } else {
    const uint32_t axis = depth_axis (p);
    piece.into += from * (depth / p->depth[axis]);
    piece.from += from * p->depth_stride[axis];
    p->depth[axis] = n;
  }
  return piece;
}

/* Appends the records, cut into pieces that the device can bind. False: it cannot. */
static bool
dispatch_pack (SlDispatcher *to, const Pack *pack)
{
  const SlPackParams *p = &pack->p;
  if (pack_size (p) == 0)
    return true;
  if (MAX (pack_size (p), pack_span (p)) * sl_dispatch_get_size (to, 0) <=
      sl_gpu_get_range (to->gpu)) {
    add_pack (to, pack);
    return true;
  }
  const uint32_t n = pack_outermost (p);
  if (n == 1)
    return false;
  const Pack low = some_pack (pack, 0, n / 2), high = some_pack (pack, n / 2, n - n / 2);
  return dispatch_pack (to, &low) && dispatch_pack (to, &high);
}

static uint32_t
dispatch_pack_weights (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlPackParams *p = params;
  if (p->half || p->width != PANEL)
    return 0;
  const Pack pack = {.p = *p};
  return dispatch_pack (to, &pack) ? 1 : 0;
}

static uint32_t
dispatch_pack_transposed (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlPackTransposedParams *p = params;
  const size_t area = (size_t)p->kernel_h * p->kernel_w;
  const size_t all = (size_t)(p->group_out + PANEL - 1) / PANEL * PANEL;
  if (p->width != PANEL)
    return 0;
  for (uint32_t ry = 0; ry < p->stride_h; ry++)
    for (uint32_t rx = 0; rx < p->stride_w; rx++) {
      const SlPhase ys = sl_phase_taps (ry, p->kernel_h, p->stride_h, p->dilation_h);
      const SlPhase xs = sl_phase_taps (rx, p->kernel_w, p->stride_w, p->dilation_w);
      const size_t before = sl_phase_taps_before (ry, rx, p->kernel_h, p->kernel_w, p->stride_h,
                                                  p->stride_w, p->dilation_h, p->dilation_w);
      const Pack pack = {
          .p = {.groups = p->groups,
                .cols = p->group_out,
                .depth = {(uint32_t)ys.taps, (uint32_t)xs.taps, p->group_in},
                .width = p->width,
                .group_stride = p->group_in * p->group_out * area,
                .col_stride = area,
                .depth_stride = {ys.step * p->kernel_w, xs.step, p->group_out * area}},
          .from = ys.first * p->kernel_w + xs.first,
          .into = before * p->group_in * all * p->groups,
      };
      if (!dispatch_pack (to, &pack))
        return 0;
    }
  return 1;
}

const SlDispatchEntry sl_dispatch_gemm[] = {
    {"gemm", sizeof (SlGemmParams), dispatch_gemm, 0, SL_PRODUCT_HALVES},
    {"pack_weights", sizeof (SlPackParams), dispatch_pack_weights, 0, SL_HALVES_ALL (3)},
    {"pack_transposed2d", sizeof (SlPackTransposedParams), dispatch_pack_transposed, 0, {0}},
    {0},
};
