#include "shaders/dropout.h"
#include "dispatch/loops.h"
#include "kernels/dropout.h"
#include "shaders/group.h"

/* Operands of the loops; the last one is no memory but the numbers that are drawn by. */
enum { IN, OUT, NUMBER, N };

/* Loops: samples, positions, channels. */
static void
add (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const SlDropoutParams *p = data;
  SlDropoutPush push = {.elements = (uint32_t)sl_loops_get_elements (loops),
                        .positions = (uint32_t)loops->dims[1],
                        .channels = (uint32_t)loops->dims[2],
                        .first_number = (uint32_t)loops->first[NUMBER],
                        .node = p->node,
                        .threshold = p->threshold,
                        .scale = p->scale};
  for (int d = 0; d < 3; d++) {
    push.in_stride[d] = (uint32_t)loops->stride[IN][d];
    push.out_stride[d] = (uint32_t)loops->stride[OUT][d];
    push.number_stride[d] = (uint32_t)loops->stride[NUMBER][d];
  }
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_dropout, &push);
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, IN), 4,
                    offsetof (SlDropoutPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (0, 8), 8, offsetof (SlDropoutPush, at_seed));
  sl_dispatch_bind (record, 2, 2, sl_extent (0, 8), 8, offsetof (SlDropoutPush, at_step));
  sl_dispatch_bind (record, 3, 3, sl_loops_get_extent (loops, OUT), 4,
                    offsetof (SlDropoutPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static uint32_t
dispatch (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlDropoutParams *p = params;
  SlLoops loops = {
      .n_operands = N,
      .rank = 3,
      .dims = {p->samples, p->positions, p->channels},
      .stride = {[NUMBER] = {(ptrdiff_t)(p->positions * p->channels), (ptrdiff_t)p->channels, 1}},
      .element_size = {4, 4, 1}};
  if (p->samples * p->positions * p->channels > UINT32_MAX)
    return 0;
  for (int d = 0; d < 3; d++) {
    loops.stride[IN][d] = (ptrdiff_t)p->in_stride[d];
    loops.stride[OUT][d] = (ptrdiff_t)p->out_stride[d];
  }
  sl_loops_cut (to, &loops, add, p);
  return 1;
}

const SlDispatchEntry sl_dispatch_dropout[] = {
    {"dropout", sizeof (SlDropoutParams), dispatch, 0, {0}},
    {0},
};
