#include "dispatch/dispatch.h"
#include "kernels/reduce.h"
#include "shaders/cross_entropy.h"
#include "shaders/group.h"

/* `n` rows from number `first` on. */
static void
add_rows (SlDispatcher *to, const SlCrossEntropyParams *p, bool is_gradient, size_t first, size_t n)
{
  /* The gradient's operands have the loss's gradient in front. */
  const uint32_t logits = is_gradient;
  const SlExtent rows = sl_extent (first * p->classes * 4, n * p->classes * 4);
  const SlExtent losses = sl_extent (first * 4, n * 4);
  const bool by_groups = !to->gpu->is_cpu && p->classes >= GROUP / 2;
  const SlCrossEntropyPush push = {.rows = (uint32_t)n, .classes = (uint32_t)p->classes};
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_cross_entropy, &push);
  record->specs[SL_CROSS_ENTROPY_BY_GROUPS] = by_groups;
  record->specs[SL_CROSS_ENTROPY_HAS_WEIGHTS] = to->steps->operands[logits + 2] != NULL;
  record->specs[SL_CROSS_ENTROPY_IS_GRADIENT] = is_gradient;
  if (is_gradient)
    sl_dispatch_bind (record, 0, 0, losses, 4, offsetof (SlCrossEntropyPush, at_dloss));
  sl_dispatch_bind (record, 1, logits, rows, 4, offsetof (SlCrossEntropyPush, at_logits));
  sl_dispatch_bind (record, 2, logits + 1, rows, 4, offsetof (SlCrossEntropyPush, at_target));
  sl_dispatch_bind (record, 3, logits + 2, sl_extent (0, p->classes * 4), 4,
                    offsetof (SlCrossEntropyPush, at_weights));
  sl_dispatch_bind (record, 4, logits + 3, is_gradient ? rows : losses, 4,
                    offsetof (SlCrossEntropyPush, at_out));
  sl_dispatch_groups (record, to->gpu, n, by_groups ? 1 : GROUP);
}

static uint32_t
dispatch (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlCrossEntropyParams *p = params;
  const size_t most = sl_gpu_get_range (to->gpu) / (MAX (p->classes, 1) * 4);
  if (most == 0)
    return 0;
  for (size_t first = 0; first < p->rows; first += most)
    add_rows (to, p, variant, first, MIN (most, p->rows - first));
  return 1;
}

const SlDispatchEntry sl_dispatch_loss[] = {
    {"cross_entropy", sizeof (SlCrossEntropyParams), dispatch, false, {0}},
    {"cross_entropy_gradient", sizeof (SlCrossEntropyParams), dispatch, true, {0}},
    {0},
};
