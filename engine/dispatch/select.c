#include "kernels/select.h"
#include "dispatch/loops.h"
#include "shaders/compare.h"
#include "shaders/group.h"
#include "shaders/logic.h"
#include "shaders/ops.h"
#include "shaders/rank.h"
#include "shaders/where.h"

static void
add_compare (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  SlComparePush push = {.elements = (uint32_t)sl_loops_get_elements (loops)};
  sl_loops_push_dims (loops, LOOP_RANK, push.dims);
  sl_loops_push_strides (loops, 0, LOOP_RANK, push.a_stride);
  sl_loops_push_strides (loops, 1, LOOP_RANK, push.b_stride);
  sl_loops_push_strides (loops, 2, LOOP_RANK, push.out_stride);
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_compare, &push);
  record->specs[SL_COMPARE_OP] = *(const uint32_t *)data;
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, 0), 4,
                    offsetof (SlComparePush, at_a));
  sl_dispatch_bind (record, 1, 1, sl_loops_get_extent (loops, 1), 4,
                    offsetof (SlComparePush, at_b));
  sl_dispatch_bind (record, 2, 2, sl_loops_get_extent (loops, 2), 1,
                    offsetof (SlComparePush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static void
add_logic (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  SlLogicPush push = {.elements = (uint32_t)sl_loops_get_elements (loops)};
  sl_loops_push_dims (loops, LOOP_RANK, push.dims);
  sl_loops_push_strides (loops, 0, LOOP_RANK, push.a_stride);
  sl_loops_push_strides (loops, 1, LOOP_RANK, push.b_stride);
  sl_loops_push_strides (loops, 2, LOOP_RANK, push.out_stride);
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_logic, &push);
  record->specs[SL_LOGIC_OP] = *(const uint32_t *)data;
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, 0), 1, offsetof (SlLogicPush, at_a));
  sl_dispatch_bind (record, 1, 1, sl_loops_get_extent (loops, 1), 1, offsetof (SlLogicPush, at_b));
  sl_dispatch_bind (record, 2, 2, sl_loops_get_extent (loops, 2), 1,
                    offsetof (SlLogicPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static void
add_where (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  SlWherePush push = {.elements = (uint32_t)sl_loops_get_elements (loops)};
  sl_loops_push_dims (loops, LOOP_RANK, push.dims);
  sl_loops_push_strides (loops, 0, LOOP_RANK, push.condition_stride);
  sl_loops_push_strides (loops, 1, LOOP_RANK, push.a_stride);
  sl_loops_push_strides (loops, 2, LOOP_RANK, push.b_stride);
  sl_loops_push_strides (loops, 3, LOOP_RANK, push.out_stride);
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_where, &push);
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, 0), 1,
                    offsetof (SlWherePush, at_condition));
  sl_dispatch_bind (record, 1, 1, sl_loops_get_extent (loops, 1), 4, offsetof (SlWherePush, at_a));
  sl_dispatch_bind (record, 2, 2, sl_loops_get_extent (loops, 2), 4, offsetof (SlWherePush, at_b));
  sl_dispatch_bind (record, 3, 3, sl_loops_get_extent (loops, 3), 4,
                    offsetof (SlWherePush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static uint32_t
dispatch (SlDispatcher *to, const SlSelectParams *p, uint32_t n, const uint32_t sizes[4],
          SlLoopsFunc add, const void *data)
{
  SlLoops loops = {.n_operands = n, .rank = p->rank};
  for (uint32_t d = 0; d < p->rank; d++)
    loops.dims[d] = p->dims[d];
  for (uint32_t k = 0; k < n; k++) {
    loops.element_size[k] = sizes[k];
    for (uint32_t d = 0; d < p->rank; d++)
      loops.stride[k][d] = (ptrdiff_t)p->stride[k][d];
  }
  sl_loops_dispatch (to, &loops, LOOP_RANK, add, data);
  return 1;
}

static uint32_t
dispatch_compare (SlDispatcher *to, const void *params, uint32_t variant)
{
  return dispatch (to, params, 3, (const uint32_t[]){4, 4, 1, 0}, add_compare, &variant);
}

static uint32_t
dispatch_logic (SlDispatcher *to, const void *params, uint32_t variant)
{
  return dispatch (to, params, 3, (const uint32_t[]){1, 1, 1, 0}, add_logic, &variant);
}

static uint32_t
dispatch_where (SlDispatcher *to, const void *params, uint32_t variant)
{
  return dispatch (to, params, 4, (const uint32_t[]){1, 4, 4, 4}, add_where, NULL);
}

#define SELECT(name, func, op)               \
  {                                          \
    name, sizeof (SlSelectParams), func, op, \
    {                                        \
      0                                      \
    }                                        \
  }

const SlDispatchEntry sl_dispatch_select[] = {
    SELECT ("equal", dispatch_compare, SELECT_EQUAL),
    SELECT ("less", dispatch_compare, SELECT_LESS),
    SELECT ("less_or_equal", dispatch_compare, SELECT_LESS_OR_EQUAL),
    SELECT ("and", dispatch_logic, SELECT_AND),
    SELECT ("or", dispatch_logic, SELECT_OR),
    SELECT ("xor", dispatch_logic, SELECT_XOR),
    SELECT ("where", dispatch_where, 0),
    {0},
};
