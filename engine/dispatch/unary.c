#include "dispatch/loops.h"
#include "shaders/ops.h"
#include "shaders/unary.h"

G_STATIC_ASSERT (offsetof (SlUnaryPush, at_out) == offsetof (SlRowsPush, at_out));

typedef struct Unary {
  float a, b;
  uint32_t op;
} Unary;

static void
add (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const Unary *unary = data;
  SlUnaryPush push = {.a = unary->a, .b = unary->b};
  SlDispatch *record =
      sl_loops_add_rows (to, loops, sl_shader_get (unary, sl_dispatch_is_half (to, 0)), &push);
  record->specs[SL_UNARY_OP] = unary->op;
}

static uint32_t
dispatch (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlUnaryParams *p = params;
  const Unary unary = {p->a, p->b, variant};
  SlLoops loops = {.n_operands = 2,
                   .rank = 2,
                   .dims = {p->rows, p->cols},
                   .stride = {{(ptrdiff_t)p->in_stride, 1}, {(ptrdiff_t)p->out_stride, 1}},
                   .element_size = {sl_dispatch_get_size (to, 0), sl_dispatch_get_size (to, 1)}};
  sl_loops_dispatch (to, &loops, 2, add, &unary);
  return 1;
}

#define UNARY(name, op)                                                   \
  {                                                                       \
    name, sizeof (SlUnaryParams), dispatch, UNARY_##op, SL_HALVES_ALL (3) \
  }

const SlDispatchEntry sl_dispatch_unary[] = {
    UNARY ("relu", RELU),
    UNARY ("clip", CLIP),
    UNARY ("leaky_relu", LEAKY_RELU),
    UNARY ("elu", ELU),
    UNARY ("selu", SELU),
    UNARY ("celu", CELU),
    UNARY ("thresholded_relu", THRESHOLDED_RELU),
    UNARY ("sigmoid", SIGMOID),
    UNARY ("hard_sigmoid", HARD_SIGMOID),
    UNARY ("hard_swish", HARD_SWISH),
    UNARY ("tanh", TANH),
    UNARY ("softplus", SOFTPLUS),
    UNARY ("softsign", SOFTSIGN),
    UNARY ("erf", ERF),
    UNARY ("gelu", GELU),
    UNARY ("mish", MISH),
    UNARY ("silu", SILU),
    UNARY ("exp", EXP),
    UNARY ("log", LOG),
    UNARY ("sqrt", SQRT),
    UNARY ("reciprocal", RECIPROCAL),
    UNARY ("neg", NEG),
    UNARY ("abs", ABS),
    UNARY ("sign", SIGN),
    UNARY ("floor", FLOOR),
    UNARY ("ceil", CEIL),
    UNARY ("round", ROUND),
    UNARY ("linear", LINEAR),
    {0},
};
