#include "dispatch/loops.h"
#include "kernels/batch_norm.h"
#include "shaders/affine.h"
#include "shaders/affine_of_norm.h"
#include "shaders/group.h"

/* Loops: positions, channels; operands: input, output. Pieces may begin at any channel. */
static void
add (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const SlAffineParams *p = data;
  const size_t channels = loops->dims[1], first = loops->first[0] % p->in_stride;
  const bool by_fours = sl_loops_have_fours (to, loops, 0, 0) && first % 4 == 0 &&
                        sl_dispatch_is_aligned (to, 1, first) &&
                        sl_dispatch_is_aligned (to, 2, first) &&
                        sl_loops_have_fours (to, loops, 1, 3);
  SlAffinePush push = {.invocations = (uint32_t)(loops->dims[0] * channels / (by_fours ? 4 : 1)),
                       .channels = (uint32_t)channels,
                       .in_stride = (uint32_t)p->in_stride,
                       .out_stride = (uint32_t)p->out_stride,
                       .act_a = p->act.a,
                       .act_b = p->act.b};
  SlDispatch *record = sl_dispatch_add (to, sl_dispatch_choose (to, affine), &push);
  record->specs[SL_AFFINE_ACT] = p->act.kind;
  record->specs[SL_AFFINE_BY_FOURS] = by_fours;
  const SlExtent vector = sl_extent (first * 4, channels * 4);
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, 0), loops->element_size[0],
                    offsetof (SlAffinePush, at_in));
  sl_dispatch_bind (record, 1, 1, vector, 4, offsetof (SlAffinePush, at_scale));
  sl_dispatch_bind (record, 2, 2, vector, 4, offsetof (SlAffinePush, at_shift));
  sl_dispatch_bind (record, 3, 3, sl_loops_get_extent (loops, 1), loops->element_size[1],
                    offsetof (SlAffinePush, at_out));
  sl_dispatch_groups (record, to->gpu, push.invocations, GROUP);
}

static uint32_t
dispatch (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlAffineParams *p = params;
  SlLoops loops = {.n_operands = 2,
                   .rank = 2,
                   .dims = {p->rows, p->channels},
                   .stride = {{(ptrdiff_t)p->in_stride, 1}, {(ptrdiff_t)p->out_stride, 1}},
                   .element_size = {sl_dispatch_get_size (to, 0), sl_dispatch_get_size (to, 3)}};
  sl_loops_cut (to, &loops, add, p);
  return 1;
}

static uint32_t
dispatch_affine_of_norm (SlDispatcher *to, const void *params, uint32_t variant)
{
  static const uint32_t at_push[] = {
      offsetof (SlAffineOfNormPush, at_gamma), offsetof (SlAffineOfNormPush, at_beta),
      offsetof (SlAffineOfNormPush, at_mean),  offsetof (SlAffineOfNormPush, at_variance),
      offsetof (SlAffineOfNormPush, at_scale), offsetof (SlAffineOfNormPush, at_shift)};
  const SlAffineOfNormParams *p = params;
  const size_t most = sl_gpu_get_range (to->gpu) / 4;
  for (size_t first = 0; first < p->count; first += most) {
    const size_t n = MIN (most, p->count - first);
    const SlAffineOfNormPush push = {.channels = (uint32_t)n, .epsilon = p->epsilon};
    SlDispatch *record = sl_dispatch_add (to, &sl_shader_affine_of_norm, &push);
    for (uint32_t i = 0; i < G_N_ELEMENTS (at_push); i++)
      sl_dispatch_bind (record, i, i, sl_extent (first * 4, n * 4), 4, at_push[i]);
    sl_dispatch_groups (record, to->gpu, n, GROUP);
  }
  return 1;
}

const SlDispatchEntry sl_dispatch_affine[] = {
    {"affine_of_norm", sizeof (SlAffineOfNormParams), dispatch_affine_of_norm, 0, {0}},
    {"affine", sizeof (SlAffineParams), dispatch, 0,
     SL_HALVES_ALL (SL_OPERAND (0) | SL_OPERAND (3))},
    {0},
};
