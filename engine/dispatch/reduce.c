#include "kernels/reduce.h"
#include "dispatch/loops.h"
#include "shaders/group.h"
#include "shaders/lrn.h"
#include "shaders/lrn_gradient.h"
#include "shaders/ops.h"
#include "shaders/reduce.h"
#include "shaders/softmax.h"

/* A workgroup for each result, where there are few of them, or where an invocation's neighbours
 * would read far from it. A CPU's workgroups take turns at barriers, one lane after the other. */
static bool
is_by_groups (const SlGpu *gpu, size_t results, size_t axis, size_t inner)
{
  if (gpu->is_cpu)
    return axis >= GROUP && results < 8 * (size_t)MAX (gpu->cores, 1);
  return axis >= GROUP / 2 && (inner < GROUP / 4 || results < 16 * GROUP);
}

/* Loops: outer, inner; operands: input, output. */
static void
add_reduce (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const SlReduceParams *p = ((const void *const *)data)[0];
  const uint32_t op = *(const uint32_t *)((const void *const *)data)[1];
  const size_t outer = loops->dims[0], inner = loops->dims[1], results = outer * inner;
  const size_t span = (outer - 1) * p->in_outer_stride + (p->axis - 1) * p->in_axis_stride + inner;
  SlReducePush push = {.elements = (uint32_t)results,
                       .axis = (uint32_t)p->axis,
                       .inner = (uint32_t)inner,
                       .in_outer = (uint32_t)p->in_outer_stride,
                       .in_axis = (uint32_t)p->in_axis_stride,
                       .out_outer = (uint32_t)p->out_outer_stride};
  const uint32_t size = loops->element_size[0];
  SlDispatch *record =
      sl_dispatch_add (to, sl_shader_get (reduce, sl_dispatch_is_half (to, 0)), &push);
  const bool by_groups = is_by_groups (to->gpu, results, p->axis, inner);
  record->specs[SL_REDUCE_OP] = op;
  record->specs[SL_REDUCE_BY_GROUPS] = by_groups;
  sl_dispatch_bind (record, 0, 0, sl_extent (loops->first[0] * size, span * size), size,
                    offsetof (SlReducePush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_loops_get_extent (loops, 1), loops->element_size[1],
                    offsetof (SlReducePush, at_out));
  sl_dispatch_groups (record, to->gpu, results, by_groups ? 1 : GROUP);
}

static uint32_t
dispatch_reduce (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlReduceParams *p = params;
  const void *data[] = {p, &variant};
  if (p->axis == 0)
    return 0;
  /* The axis stands beside the loops that are cut, so that a piece has the whole of it. */
  const size_t axis_span = (p->axis - 1) * p->in_axis_stride;
  SlLoops loops = {
      .n_operands = 2,
      .rank = 2,
      .dims = {p->outer, p->inner},
      .stride = {{(ptrdiff_t)p->in_outer_stride, 1}, {(ptrdiff_t)p->out_outer_stride, 1}},
      .beside = {axis_span},
      .element_size = {sl_dispatch_get_size (to, 0), sl_dispatch_get_size (to, 1)}};
  sl_loops_cut (to, &loops, add_reduce, data);
  return 1;
}

/* Loops: outer; the rest of a softmax is whole. */
static void
add_softmax (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const SlSoftmaxParams *p = ((const void *const *)data)[0];
  const bool logarithm = *(const uint32_t *)((const void *const *)data)[1];
  const size_t results = loops->dims[0] * p->inner;
  SlSoftmaxPush push = {
      .elements = (uint32_t)results, .axis = (uint32_t)p->axis, .inner = (uint32_t)p->inner};
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_softmax, &push);
  const bool by_groups = is_by_groups (to->gpu, results, p->axis, p->inner);
  record->specs[SL_SOFTMAX_BY_GROUPS] = by_groups;
  record->specs[SL_SOFTMAX_LOGARITHM] = logarithm;
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, 0), 4,
                    offsetof (SlSoftmaxPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_loops_get_extent (loops, 1), 4,
                    offsetof (SlSoftmaxPush, at_out));
  sl_dispatch_groups (record, to->gpu, results, by_groups ? 1 : GROUP);
}

static uint32_t
dispatch_softmax (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlSoftmaxParams *p = params;
  const void *data[] = {p, &variant};
  const ptrdiff_t one = (ptrdiff_t)(p->axis * p->inner);
  SlLoops loops = {.n_operands = 2,
                   .rank = 2,
                   .dims = {p->outer, (size_t)one},
                   .stride = {{one, 1}, {one, 1}},
                   .element_size = {4, 4}};
  if (sl_gpu_get_range (to->gpu) < (uint64_t)one * 4)
    return 0;
  sl_loops_cut (to, &loops, add_softmax, data);
  return 1;
}

/* Loops: positions, channels. */
static void
add_lrn (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const SlLrnParams *p = data;
  const SlLrnPush push = {.elements = (uint32_t)sl_loops_get_elements (loops),
                          .channels = (uint32_t)p->channels,
                          .in_stride = (uint32_t)p->in_stride,
                          .out_stride = (uint32_t)p->out_stride,
                          .size = (int32_t)p->size,
                          .alpha = p->alpha,
                          .beta = p->beta,
                          .bias = p->bias};
  SlDispatch *record =
      sl_dispatch_add (to, sl_shader_get (lrn, sl_dispatch_is_half (to, 0)), &push);
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, 0), loops->element_size[0],
                    offsetof (SlLrnPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_loops_get_extent (loops, 1), loops->element_size[1],
                    offsetof (SlLrnPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static uint32_t
dispatch_lrn (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlLrnParams *p = params;
  SlLoops loops = {.n_operands = 2,
                   .rank = 2,
                   .dims = {p->rows, p->channels},
                   .stride = {{(ptrdiff_t)p->in_stride, 1}, {(ptrdiff_t)p->out_stride, 1}},
                   .element_size = {sl_dispatch_get_size (to, 0), sl_dispatch_get_size (to, 1)}};
  if (sl_gpu_get_range (to->gpu) < p->channels * 4)
    return 0;
  sl_loops_cut (to, &loops, add_lrn, p);
  return 1;
}

/* Loops: positions, channels. */
static void
add_lrn_gradient (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const SlLrnGradientParams *p = data;
  const SlLrnGradientPush push = {.elements = (uint32_t)sl_loops_get_elements (loops),
                                  .channels = (uint32_t)p->lrn.channels,
                                  .in_stride = (uint32_t)p->lrn.in_stride,
                                  .dy_stride = (uint32_t)p->dy_stride,
                                  .out_stride = (uint32_t)p->lrn.out_stride,
                                  .size = (int32_t)p->lrn.size,
                                  .alpha = p->lrn.alpha,
                                  .beta = p->lrn.beta,
                                  .bias = p->lrn.bias};
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_lrn_gradient, &push);
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, 0), 4,
                    offsetof (SlLrnGradientPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_loops_get_extent (loops, 1), 4,
                    offsetof (SlLrnGradientPush, at_dy));
  sl_dispatch_bind (record, 2, 2, sl_loops_get_extent (loops, 2), 4,
                    offsetof (SlLrnGradientPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static uint32_t
dispatch_lrn_gradient (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlLrnGradientParams *p = params;
  const SlLoops loops = {.n_operands = 3,
                         .rank = 2,
                         .dims = {p->lrn.rows, p->lrn.channels},
                         .stride = {{(ptrdiff_t)p->lrn.in_stride, 1},
                                    {(ptrdiff_t)p->dy_stride, 1},
                                    {(ptrdiff_t)p->lrn.out_stride, 1}},
                         .element_size = {4, 4, 4}};
  if (sl_gpu_get_range (to->gpu) < p->lrn.channels * 4)
    return 0;
  sl_loops_cut (to, &loops, add_lrn_gradient, p);
  return 1;
}

#define REDUCE(name, op)                                                           \
  {                                                                                \
    name, sizeof (SlReduceParams), dispatch_reduce, REDUCE_##op, SL_HALVES_ALL (3) \
  }

const SlDispatchEntry sl_dispatch_reduce[] = {
    REDUCE ("reduce_sum", SUM),
    REDUCE ("reduce_mean", MEAN),
    REDUCE ("reduce_max", MAX),
    REDUCE ("reduce_min", MIN),
    REDUCE ("reduce_prod", PROD),
    REDUCE ("reduce_l1", L1),
    REDUCE ("reduce_l2", L2),
    {"softmax", sizeof (SlSoftmaxParams), dispatch_softmax, 0, {0}},
    {"log_softmax", sizeof (SlSoftmaxParams), dispatch_softmax, 1, {0}},
    {"lrn", sizeof (SlLrnParams), dispatch_lrn, 0, SL_HALVES_ALL (3)},
    {"lrn_gradient", sizeof (SlLrnGradientParams), dispatch_lrn_gradient, 0, {0}},
    {0},
};
