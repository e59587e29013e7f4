#include "dispatch/loops.h"
#include "shaders/gate.h"
#include "shaders/group.h"
#include "shaders/ops.h"

/* Loops: rows, elements that lie side by side; operands: dy, y, output. */
static void
add (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const uint32_t op = *(const uint32_t *)data, out = op == GATE_LEAKY_RELU ? 3 : 2;
  const SlGatePush push = {.elements = (uint32_t)sl_loops_get_elements (loops),
                           .cols = (uint32_t)loops->dims[1],
                           .dy_stride = (uint32_t)loops->stride[0][0],
                           .y_stride = (uint32_t)loops->stride[1][0],
                           .out_stride = (uint32_t)loops->stride[2][0]};
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_gate, &push);
  record->specs[SL_GATE_OP] = op;
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, 0), 4, offsetof (SlGatePush, at_dy));
  sl_dispatch_bind (record, 1, 1, sl_loops_get_extent (loops, 1), 4, offsetof (SlGatePush, at_y));
  if (op == GATE_LEAKY_RELU)
    sl_dispatch_bind (record, 2, 2, sl_extent (0, 4), 4, offsetof (SlGatePush, at_slope));
  sl_dispatch_bind (record, 3, out, sl_loops_get_extent (loops, 2), 4,
                    offsetof (SlGatePush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static uint32_t
dispatch (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlGateParams *p = params;
  const SlLoops loops = {.n_operands = 3,
                         .rank = 2,
                         .dims = {p->rows, p->cols},
                         .stride = {{(ptrdiff_t)p->dy_stride, 1},
                                    {(ptrdiff_t)p->y_stride, 1},
                                    {(ptrdiff_t)p->out_stride, 1}},
                         .element_size = {4, 4, 4}};
  sl_loops_cut (to, &loops, add, &variant);
  return 1;
}

#define GATE(name, op)                                \
  {                                                   \
    name, sizeof (SlGateParams), dispatch, GATE_##op, \
    {                                                 \
      0                                               \
    }                                                 \
  }

const SlDispatchEntry sl_dispatch_gate[] = {
    GATE ("relu_gradient", RELU),
    GATE ("leaky_relu_gradient", LEAKY_RELU),
    GATE ("sigmoid_gradient", SIGMOID),
    GATE ("tanh_gradient", TANH),
    {0},
};
