#include "dispatch/loops.h"
#include "shaders/binary.h"
#include "shaders/group.h"
#include "shaders/ops.h"
#include "shaders/rank.h"

#include <string.h>

typedef struct Binary {
  SlAct act;
  uint32_t op;
} Binary;

static void
add (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const Binary *binary = data;
  const uint32_t last = loops->rank - 1;
  const bool by_fours = loops->stride[2][last] == 1 && sl_loops_have_fours (to, loops, 0, 0) &&
                        sl_loops_have_fours (to, loops, 1, 1) &&
                        sl_loops_have_fours (to, loops, 2, 2);
  SlBinaryPush push = {.invocations =
                           (uint32_t)(sl_loops_get_elements (loops) / (by_fours ? 4 : 1)),
                       .act_a = binary->act.a,
                       .act_b = binary->act.b};
  sl_loops_push_dims (loops, LOOP_RANK, push.dims);
  sl_loops_push_strides (loops, 0, LOOP_RANK, push.a_stride);
  sl_loops_push_strides (loops, 1, LOOP_RANK, push.b_stride);
  sl_loops_push_strides (loops, 2, LOOP_RANK, push.out_stride);
  SlDispatch *record = sl_dispatch_add (to, sl_dispatch_choose (to, binary), &push);
  record->specs[SL_BINARY_OP] = binary->op;
  record->specs[SL_BINARY_ACT] = binary->act.kind;
  record->specs[SL_BINARY_RANK] = loops->rank;
  record->specs[SL_BINARY_BY_FOURS] = by_fours;
  record->specs[SL_BINARY_REPEATS_A] = loops->stride[0][last] == 0;
  record->specs[SL_BINARY_REPEATS_B] = loops->stride[1][last] == 0;
  const uint32_t at[] = {offsetof (SlBinaryPush, at_a), offsetof (SlBinaryPush, at_b),
                         offsetof (SlBinaryPush, at_out)};
  for (uint32_t k = 0; k < G_N_ELEMENTS (at); k++)
    sl_dispatch_bind (record, k, k, sl_loops_get_extent (loops, k), loops->element_size[k], at[k]);
  sl_dispatch_groups (record, to->gpu, push.invocations, GROUP);
}

static uint32_t
dispatch (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlBinaryParams *p = params;
  const Binary binary = {p->act, variant};
  SlLoops loops = {.n_operands = 3, .rank = p->rank};
  for (uint32_t k = 0; k < 3; k++)
    loops.element_size[k] = sl_dispatch_get_size (to, k);
  for (uint32_t d = 0; d < p->rank; d++) {
    loops.dims[d] = p->dims[d];
    loops.stride[0][d] = (ptrdiff_t)p->a_stride[d];
    loops.stride[1][d] = (ptrdiff_t)p->b_stride[d];
    loops.stride[2][d] = (ptrdiff_t)p->out_stride[d];
  }
  sl_loops_dispatch (to, &loops, LOOP_RANK, add, &binary);
  return 1;
}

#define BINARY(name, op)                                                    \
  {                                                                         \
    name, sizeof (SlBinaryParams), dispatch, BINARY_##op, SL_HALVES_ALL (7) \
  }

const SlDispatchEntry sl_dispatch_binary[] = {
    BINARY ("add", ADD), BINARY ("sub", SUB),     BINARY ("mul", MUL),
    BINARY ("div", DIV), BINARY ("pow", POW),     BINARY ("min", MIN),
    BINARY ("max", MAX), BINARY ("prelu", PRELU), {0},
};
