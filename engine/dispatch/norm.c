#include "shaders/norm.h"
#include "dispatch/dispatch.h"
#include "kernels/layer_norm.h"

/* What both have in common: `blocks` of positions × channels, `groups` of them side by side. */
static void
add_norm (SlDispatcher *to, SlNormPush push, const SlAct *act, size_t scales)
{
  const size_t images = push.blocks / push.groups, row = (size_t)push.groups * push.channels;
  const SlStep *step = to->steps;
  push.act_a = act->a;
  push.act_b = act->b;
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_norm, &push);
  record->specs[SL_NORM_ACT] = act->kind;
  record->specs[SL_NORM_HAS_BIAS] = step->operands[2] != NULL;
  sl_dispatch_bind (record, 0, 0,
                    (SlExtent){0, images * push.positions, row * 4, (size_t)push.in_stride * 4}, 4,
                    offsetof (SlNormPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (0, scales * 4), 4, offsetof (SlNormPush, at_scale));
  sl_dispatch_bind (record, 2, 2, sl_extent (0, scales * 4), 4, offsetof (SlNormPush, at_bias));
  sl_dispatch_bind (record, 3, 3,
                    (SlExtent){0, images * push.positions, row * 4, (size_t)push.out_stride * 4}, 4,
                    offsetof (SlNormPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.blocks, 1);
}

static uint32_t
dispatch_layer_norm (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlLayerNormParams *p = params;
  const SlNormPush push = {.blocks = (uint32_t)p->rows,
                           .groups = 1,
                           .positions = 1,
                           .channels = (uint32_t)p->cols,
                           .in_image = (uint32_t)p->in_stride,
                           .in_stride = (uint32_t)p->in_stride,
                           .out_image = (uint32_t)p->out_stride,
                           .out_stride = (uint32_t)p->out_stride,
                           .shared_channels = 1,
                           .epsilon = p->epsilon};
  add_norm (to, push, &p->act, p->cols);
  return 1;
}

static uint32_t
dispatch_group_norm (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlGroupNormParams *p = params;
  const SlNormPush push = {.blocks = (uint32_t)(p->images * p->groups),
                           .groups = (uint32_t)p->groups,
                           .positions = (uint32_t)p->positions,
                           .channels = (uint32_t)(p->channels / p->groups),
                           .in_image = (uint32_t)(p->positions * p->in_stride),
                           .in_stride = (uint32_t)p->in_stride,
                           .out_image = (uint32_t)(p->positions * p->out_stride),
                           .out_stride = (uint32_t)p->out_stride,
                           .shared_channels = (uint32_t)p->shared,
                           .epsilon = p->epsilon};
  add_norm (to, push, &p->act, p->channels / p->shared);
  return 1;
}

const SlDispatchEntry sl_dispatch_norm[] = {
    {"layer_norm", sizeof (SlLayerNormParams), dispatch_layer_norm, 0},
    {"group_norm", sizeof (SlGroupNormParams), dispatch_group_norm, 0},
    {0},
};
