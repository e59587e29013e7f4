#include "kernels/optimizer.h"
#include "dispatch/dispatch.h"
#include "shaders/clip_factor.h"
#include "shaders/group.h"
#include "shaders/ops.h"
#include "shaders/optimizer.h"
#include "shaders/square_sum.h"

#include <math.h>

/* Operands of the kernel, which are the shader's bindings. */
enum { PARAMETER, GRADIENT = SL_OPTIMIZER_MOMENTS + 1, RATE, FACTOR, STEP, NEXT, N_OPERANDS = 12 };

static const uint32_t at_push[N_OPERANDS] = {
    offsetof (SlOptimizerPush, at_p),       offsetof (SlOptimizerPush, at_m0),
    offsetof (SlOptimizerPush, at_m1),      offsetof (SlOptimizerPush, at_m2),
    offsetof (SlOptimizerPush, at_g),       offsetof (SlOptimizerPush, at_rate),
    offsetof (SlOptimizerPush, at_factor),  offsetof (SlOptimizerPush, at_step),
    offsetof (SlOptimizerPush, at_next_p),  offsetof (SlOptimizerPush, at_next_m0),
    offsetof (SlOptimizerPush, at_next_m1), offsetof (SlOptimizerPush, at_next_m2)};

/* `n` elements from number `first` on. */
static void
add_update (SlDispatcher *to, const SlOptimizerParams *p, uint32_t rule, size_t first, size_t n)
{
  const SlOptimizerPush push = {.elements = (uint32_t)n,
                                .rate_factor = p->rate_factor,
                                .decay = p->decay,
                                .clip_at = p->clip > 0 ? p->clip : INFINITY,
                                .momentum = p->momentum,
                                .dampening = p->dampening,
                                .beta1 = p->beta1,
                                .beta2 = p->beta2,
                                .rest1 = (float)(1 - (double)p->beta1),
                                .rest2 = (float)(1 - (double)p->beta2),
                                .log1 = (float)log ((double)p->beta1),
                                .log2 = (float)log ((double)p->beta2),
                                .epsilon = p->epsilon,
                                .rate_decay = p->rate_decay};
  const SlValue *const *operands = to->steps->operands;
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_optimizer, &push);
  record->specs[SL_OPTIMIZER_RULE] = rule;
  record->specs[SL_OPTIMIZER_HAS_0] = operands[1] != NULL;
  record->specs[SL_OPTIMIZER_HAS_1] = operands[2] != NULL;
  record->specs[SL_OPTIMIZER_HAS_2] = operands[3] != NULL;
  record->specs[SL_OPTIMIZER_HAS_FACTOR] = operands[FACTOR] != NULL;
  record->specs[SL_OPTIMIZER_HAS_STEP] = operands[STEP] != NULL;
  record->specs[SL_OPTIMIZER_NESTEROV] = p->nesterov;
  record->specs[SL_OPTIMIZER_DECOUPLED] = p->decoupled;
  record->specs[SL_OPTIMIZER_PLAIN_EPSILON] = p->plain_epsilon;
  for (uint32_t k = 0; k < N_OPERANDS; k++) {
    const bool is_scalar = k >= RATE && k < NEXT;
    const uint32_t size = k == STEP ? 8 : 4;
    /* What is not there is not written, but counts as written where it is bound. */
    const uint32_t from = k > NEXT && operands[k] == NULL ? NEXT : k;
    sl_dispatch_bind (record, k, from,
                      is_scalar ? sl_extent (0, size) : sl_extent (first * 4, n * 4), size,
                      at_push[k]);
  }
  sl_dispatch_groups (record, to->gpu, n, GROUP);
}

static uint32_t
dispatch_update (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlOptimizerParams *p = params;
  const size_t most = sl_gpu_get_range (to->gpu) / 4;
  for (size_t first = 0; first < p->count; first += most)
    add_update (to, p, variant, first, MIN (most, p->count - first));
  return 1;
}

static uint32_t
dispatch_square_sum (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlSquareSumParams *p = params;
  const size_t most = sl_gpu_get_range (to->gpu) / 4 / SL_SQUARE_BLOCK * SL_SQUARE_BLOCK;
  if (most == 0)
    return 0;
  for (size_t first = 0; first < p->count; first += most) {
    const size_t n = MIN (most, p->count - first);
    const size_t blocks = (n + SL_SQUARE_BLOCK - 1) / SL_SQUARE_BLOCK;
    const SlSquareSumPush push = {.elements = (uint32_t)n, .block = SL_SQUARE_BLOCK};
    SlDispatch *record = sl_dispatch_add (to, &sl_shader_square_sum, &push);
    sl_dispatch_bind (record, 0, 0, sl_extent (first * 4, n * 4), 4,
                      offsetof (SlSquareSumPush, at_in));
    sl_dispatch_bind (record, 1, 1, sl_extent (first / SL_SQUARE_BLOCK * 4, blocks * 4), 4,
                      offsetof (SlSquareSumPush, at_out));
    sl_dispatch_groups (record, to->gpu, blocks, 1);
  }
  return 1;
}

static uint32_t
dispatch_clip_factor (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlClipFactorParams *p = params;
  const SlValue *const *operands = to->steps->operands;
  const SlClipFactorPush push = {
      .elements = (uint32_t)p->count, .max_norm = p->max_norm, .epsilon = (float)SL_CLIP_EPSILON};
  if (p->count > sl_gpu_get_range (to->gpu) / 4)
    return 0;
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_clip_factor, &push);
  record->specs[SL_CLIP_FACTOR_HAS_FACTOR] = operands[2] != NULL;
  record->specs[SL_CLIP_FACTOR_HAS_NORM] = operands[3] != NULL;
  sl_dispatch_bind (record, 0, 0, sl_extent (0, 4), 4, offsetof (SlClipFactorPush, at_loss));
  sl_dispatch_bind (record, 1, 1, sl_extent (0, p->count * 4), 4,
                    offsetof (SlClipFactorPush, at_in));
  sl_dispatch_bind (record, 2, 2, sl_extent (0, 4), 4, offsetof (SlClipFactorPush, at_factor));
  sl_dispatch_bind (record, 3, 3, sl_extent (0, 4), 4, offsetof (SlClipFactorPush, at_norm));
  return 1;
}

#define UPDATE(name, rule)                                             \
  {                                                                    \
    name "_update", sizeof (SlOptimizerParams), dispatch_update, rule, \
    {                                                                  \
      0                                                                \
    }                                                                  \
  }

const SlDispatchEntry sl_dispatch_optimizer[] = {
    UPDATE ("sgd", OPTIMIZER_SGD),
    UPDATE ("rmsprop", OPTIMIZER_RMSPROP),
    UPDATE ("adam", OPTIMIZER_ADAM),
    UPDATE ("adagrad", OPTIMIZER_ADAGRAD),
    {"square_sum", sizeof (SlSquareSumParams), dispatch_square_sum, 0, {0}},
    {"clip_factor", sizeof (SlClipFactorParams), dispatch_clip_factor, 0, {0}},
    {0},
};
