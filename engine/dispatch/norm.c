#include "shaders/norm.h"
#include "dispatch/loops.h"
#include "kernels/layer_norm.h"

typedef struct Norm {
  SlNormPush push; /* of all images */
  const SlAct *act;
  size_t scales;
} Norm;

/* Loops: images, each with `groups` blocks of positions × channels side by side. */
static void
add_norm (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const Norm *norm = data;
  const SlStep *step = to->steps;
  const size_t images = loops->dims[0];
  SlNormPush push = norm->push;
  const uint32_t size = loops->element_size[0];
  const uint64_t row = (uint64_t)push.groups * push.channels * size, n = images * push.positions;
  push.blocks = (uint32_t)images * push.groups;
  push.act_a = norm->act->a;
  push.act_b = norm->act->b;
  SlDispatch *record =
      sl_dispatch_add (to, sl_shader_get (norm, sl_dispatch_is_half (to, 0)), &push);
  record->specs[SL_NORM_ACT] = norm->act->kind;
  record->specs[SL_NORM_HAS_BIAS] = step->operands[2] != NULL;
  sl_dispatch_bind (record, 0, 0,
                    (SlExtent){loops->first[0] * size, n, row, (uint64_t)push.in_stride * size},
                    size, offsetof (SlNormPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (0, norm->scales * 4), 4,
                    offsetof (SlNormPush, at_scale));
  sl_dispatch_bind (record, 2, 2, sl_extent (0, norm->scales * 4), 4,
                    offsetof (SlNormPush, at_bias));
  sl_dispatch_bind (record, 3, 3,
                    (SlExtent){loops->first[1] * size, n, row, (uint64_t)push.out_stride * size},
                    size, offsetof (SlNormPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.blocks, 1);
}

/* As many images at once as the device binds; each is normalised as a whole. */
static uint32_t
dispatch_images (SlDispatcher *to, const SlNormPush *push, size_t images, const SlAct *act,
                 size_t scales)
{
  const Norm norm = {*push, act, scales};
  const size_t row = (size_t)push->groups * push->channels, steps = push->positions - 1;
  const SlLoops loops = {
      .n_operands = 2,
      .rank = 1,
      .dims = {images},
      .stride = {{push->in_image}, {push->out_image}},
      .beside = {steps * push->in_stride + row - 1, steps * push->out_stride + row - 1},
      .element_size = {sl_dispatch_get_size (to, 0), sl_dispatch_get_size (to, 3)}};
  sl_loops_cut (to, &loops, add_norm, &norm);
  return 1;
}

static uint32_t
dispatch_layer_norm (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlLayerNormParams *p = params;
  const SlNormPush push = {.groups = 1,
                           .positions = 1,
                           .channels = (uint32_t)p->cols,
                           .in_image = (uint32_t)p->in_stride,
                           .in_stride = (uint32_t)p->in_stride,
                           .out_image = (uint32_t)p->out_stride,
                           .out_stride = (uint32_t)p->out_stride,
                           .shared_channels = 1,
                           .epsilon = p->epsilon};
  return dispatch_images (to, &push, p->rows, &p->act, p->cols);
}

static uint32_t
dispatch_group_norm (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlGroupNormParams *p = params;
  const SlNormPush push = {.groups = (uint32_t)p->groups,
                           .positions = (uint32_t)p->positions,
                           .channels = (uint32_t)(p->channels / p->groups),
                           .in_image = (uint32_t)(p->positions * p->in_stride),
                           .in_stride = (uint32_t)p->in_stride,
                           .out_image = (uint32_t)(p->positions * p->out_stride),
                           .out_stride = (uint32_t)p->out_stride,
                           .shared_channels = (uint32_t)p->shared,
                           .epsilon = p->epsilon};
  return dispatch_images (to, &push, p->images, &p->act, p->channels / p->shared);
}

const SlDispatchEntry sl_dispatch_norm[] = {
    {"layer_norm", sizeof (SlLayerNormParams), dispatch_layer_norm, 0,
     SL_HALVES_ALL (SL_OPERAND (0) | SL_OPERAND (3))},
    {"group_norm", sizeof (SlGroupNormParams), dispatch_group_norm, 0,
     SL_HALVES_ALL (SL_OPERAND (0) | SL_OPERAND (3))},
    {0},
};
