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
  if (p->half)
    return 0;
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

/* Panels of `depth` rows, as kernel "pack_weights" has them, at elements `from` and `into`. */
static void
add_pack (SlDispatcher *to, const SlPackParams *p, size_t from, size_t into)
{
  const size_t depth = (size_t)p->depth[0] * p->depth[1] * p->depth[2];
  const size_t panels = (p->cols + PANEL - 1) / PANEL;
  const size_t elements = p->groups * panels * depth * PANEL;
  if (elements == 0)
    return;
  size_t span = (p->groups - 1) * p->group_stride + (p->cols - 1) * p->col_stride + 1;
  SlPackWeightsPush push = {.elements = (uint32_t)elements,
                            .panels = (uint32_t)panels,
                            .cols = p->cols,
                            .group_stride = (uint32_t)p->group_stride,
                            .col_stride = (uint32_t)p->col_stride};
  for (uint32_t i = 0; i < 3; i++) {
    push.depth[i] = p->depth[i];
    push.depth_stride[i] = (uint32_t)p->depth_stride[i];
    span += (p->depth[i] - 1) * p->depth_stride[i];
  }
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_pack_weights, &push);
  sl_dispatch_bind (record, 0, 0, sl_extent (from * 4, span * 4), 4,
                    offsetof (SlPackWeightsPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (into * 4, elements * 4), 4,
                    offsetof (SlPackWeightsPush, at_out));
  sl_dispatch_groups (record, to->gpu, elements, GROUP);
}

static uint32_t
dispatch_pack_weights (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlPackParams *p = params;
  if (p->half || p->width != PANEL)
    return 0;
  add_pack (to, p, 0, 0);
  return 1;
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
      const SlPackParams pack = {
          .groups = p->groups,
          .cols = p->group_out,
          .depth = {(uint32_t)ys.taps, (uint32_t)xs.taps, p->group_in},
          .width = p->width,
          .group_stride = p->group_in * p->group_out * area,
          .col_stride = area,
          .depth_stride = {ys.step * p->kernel_w, xs.step, p->group_out * area},
      };
      const size_t before = sl_phase_taps_before (ry, rx, p->kernel_h, p->kernel_w, p->stride_h,
                                                  p->stride_w, p->dilation_h, p->dilation_w);
      add_pack (to, &pack, ys.first * p->kernel_w + xs.first,
                before * p->group_in * all * p->groups);
    }
  return 1;
}

const SlDispatchEntry sl_dispatch_gemm[] = {
    {"gemm", sizeof (SlGemmParams), dispatch_gemm, 0},
    {"pack_weights", sizeof (SlPackParams), dispatch_pack_weights, 0},
    {"pack_transposed2d", sizeof (SlPackTransposedParams), dispatch_pack_transposed, 0},
    {0},
};
