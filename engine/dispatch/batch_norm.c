#include "dispatch/batch_norm.h"
#include "dispatch/loops.h"
#include "kernels/batch_norm.h"
#include "shaders/batch_channels.h"
#include "shaders/batch_normalize.h"
#include "shaders/group.h"
#include "shaders/ops.h"
#include "shaders/panel.h"

/* Invocations of a GPU that share a column of a part, and of the parts; rows of an invocation that
 * normalises. */
#define PART_LANES 8
#define JOIN_LANES 32
#define ROWS 8

static size_t
pitch_of (const SlBatchNormParams *p)
{
  return (p->channels + PANEL - 1) / PANEL * PANEL;
}

static bool
is_aligned (const SlDispatcher *to, uint32_t index, size_t stride)
{
  return index == SL_BATCH_NO_OPERAND || (sl_dispatch_is_aligned (to, index, 0) && stride % 4 == 0);
}

/* --- Parts --- */

static SlExtent
rows_extent (size_t row, size_t rows, size_t channels, size_t stride)
{
  return (SlExtent){row * stride * 4, rows, channels * 4, stride * 4};
}

static bool
fits (const SlDispatcher *to, SlExtent extent)
{
  return sl_extent_get_span (&extent) <= sl_gpu_get_range (to->gpu);
}

static void
bind (SlDispatch *record, uint32_t binding, uint32_t index, SlExtent extent, uint32_t at_push)
{
  if (index != SL_BATCH_NO_OPERAND)
    sl_dispatch_bind (record, binding, index, extent, 4, at_push);
}

/* What a record of `n` parts from number `from` on writes: outermost rows, or their outline. */
static SlExtent
parts_extent (const SlBatchParts *p, uint32_t from, uint32_t n)
{
  const SlBatchPartsPush *push = &p->push;
  size_t last = (push->channels - 1) / push->group * push->out_group +
                (push->channels - 1) % push->group + (p->op == BATCH_SUM ? 0 : push->out_plane) + 1;
  return (SlExtent){(p->out_first + (size_t)from * push->out_part) * 4, n, last * 4,
                    (size_t)push->out_part * 4};
}

static bool
dispatch_parts (SlDispatcher *to, const SlBatchParts *p, uint32_t from, uint32_t n)
{
  SlBatchPartsPush push = p->push;
  const size_t row = MIN ((size_t)from * push.part_rows, push.rows);
  const size_t rows = MIN ((size_t)n * push.part_rows, push.rows - row);
  const SlExtent x = rows_extent (row, rows, push.channels, push.x_stride);
  const SlExtent dy = rows_extent (row, rows, push.channels, push.dy_stride);
  if (!fits (to, x) || !fits (to, dy) || !fits (to, parts_extent (p, from, n)))
    return n > 1 && dispatch_parts (to, p, from, n / 2) &&
           dispatch_parts (to, p, from + n / 2, n - n / 2);
  const bool by_fours = push.channels % 4 == 0 && push.group % 4 == 0 &&
                        is_aligned (to, p->x, push.x_stride) &&
                        is_aligned (to, p->dy, push.dy_stride) && is_aligned (to, p->out, 0);
  const uint32_t down = sl_batch_get_down (to->gpu, PART_LANES);
  const size_t vector = (size_t)push.channels * 4;
  push.rows = (uint32_t)rows;
  push.parts = n;
  SlDispatch *record = sl_dispatch_add (
      to, to->gpu->is_cpu ? &sl_shader_batch_parts_texels : &sl_shader_batch_parts, &push);
  record->specs[SL_BATCH_PARTS_DOWN] = down;
  record->specs[SL_BATCH_PARTS_OP] = p->op;
  record->specs[SL_BATCH_PARTS_BY_FOURS] = by_fours;
  bind (record, 0, p->x, x, offsetof (SlBatchPartsPush, at_x));
  bind (record, 1, p->dy, dy, offsetof (SlBatchPartsPush, at_dy));
  bind (record, 2, p->mean, sl_extent (0, vector), offsetof (SlBatchPartsPush, at_mean));
  bind (record, 3, p->inverse, sl_extent (0, vector), offsetof (SlBatchPartsPush, at_inverse));
  bind (record, 4, p->out, parts_extent (p, from, n), offsetof (SlBatchPartsPush, at_out));
  sl_dispatch_groups (record, to->gpu, (uint64_t)n * push.channels / (by_fours ? 4 : 1),
                      GROUP / down);
  return true;
}

bool
sl_batch_parts_dispatch (SlDispatcher *to, const SlBatchParts *parts)
{
  return dispatch_parts (to, parts, 0, parts->push.parts);
}

static uint32_t
dispatch_batch_parts (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlBatchNormParams *p = params;
  const bool is_gradient = variant == BATCH_SUMS;
  const SlBatchParts parts = {
      .push = {.rows = (uint32_t)p->rows,
               .part_rows = sl_batch_part_rows (p->rows, p->parts),
               .parts = p->parts,
               .channels = (uint32_t)p->channels,
               .x_stride = (uint32_t)p->x_stride,
               .dy_stride = is_gradient ? (uint32_t)p->dy_stride : 0,
               .out_part = (uint32_t)(2 * pitch_of (p)),
               .out_plane = (uint32_t)pitch_of (p),
               .group = (uint32_t)p->channels},
      .op = variant,
      .x = 0,
      .dy = is_gradient ? 1 : SL_BATCH_NO_OPERAND,
      .mean = is_gradient ? 2 : SL_BATCH_NO_OPERAND,
      .inverse = is_gradient ? 3 : SL_BATCH_NO_OPERAND,
      .out = is_gradient ? 4 : 1,
  };
  return sl_batch_parts_dispatch (to, &parts) ? 1 : 0;
}

void
sl_batch_join_dispatch (SlDispatcher *to, const SlBatchJoinPush *push, uint32_t op, size_t first,
                        size_t out_first)
{
  const uint32_t down = sl_batch_get_down (to->gpu, JOIN_LANES);
  const size_t last = push->columns - 1, plane = op == BATCH_MOMENTS ? push->plane : 0;
  const size_t in = last / push->group * push->in_group + last % push->group + plane + 1;
  const size_t out = last / push->group * push->out_group + last % push->group + plane + 1;
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_batch_join, push);
  record->specs[SL_BATCH_JOIN_DOWN] = down;
  record->specs[SL_BATCH_JOIN_OP] = op;
  sl_dispatch_bind (record, 0, 0,
                    (SlExtent){first * 4, push->parts, in * 4, (uint64_t)push->in_part * 4}, 4,
                    offsetof (SlBatchJoinPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (out_first * 4, out * 4), 4,
                    offsetof (SlBatchJoinPush, at_out));
  sl_dispatch_groups (record, to->gpu, push->columns, GROUP / down);
}

static uint32_t
dispatch_batch_join (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlBatchNormParams *p = params;
  const uint32_t channels = (uint32_t)p->channels, pitch = (uint32_t)pitch_of (p);
  const SlBatchJoinPush push = {.rows = (uint32_t)p->rows,
                                .part_rows = sl_batch_part_rows (p->rows, p->parts),
                                .parts = p->parts,
                                .columns = variant == BATCH_MOMENTS ? channels : 2 * channels,
                                .in_part = 2 * pitch,
                                .plane = pitch,
                                .group = channels,
                                .in_group = pitch,
                                .out_group = pitch};
  sl_batch_join_dispatch (to, &push, variant, 0, (size_t)p->parts * 2 * pitch);
  return 1;
}

/* --- Numbers of channels --- */

/* Where the workspace has number `which` of all parts together. */
static SlExtent
joined_extent (const SlBatchNormParams *p, uint32_t which, uint32_t numbers)
{
  const size_t pitch = pitch_of (p);
  return (SlExtent){((size_t)p->parts * 2 + which) * pitch * 4, numbers, p->channels * 4,
                    pitch * 4};
}

static uint32_t
dispatch_channels (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlBatchNormParams *p = params;
  const bool is_running = variant == CHANNEL_RUNNING;
  const SlExtent vector = sl_extent (0, p->channels * 4);
  const SlBatchChannelsPush push = {
      .channels = (uint32_t)p->channels, .epsilon = p->epsilon, .momentum = p->momentum};
  SlDispatch *record = sl_dispatch_add (to, &sl_shader_batch_channels, &push);
  record->specs[SL_BATCH_CHANNELS_OP] =
      variant == CHANNEL_INVERSE && p->which == 0 ? CHANNEL_COPY : variant;
  sl_dispatch_bind (record, 0, 0, joined_extent (p, p->which, 1), 4,
                    offsetof (SlBatchChannelsPush, at_in));
  if (is_running)
    sl_dispatch_bind (record, 1, 1, vector, 4, offsetof (SlBatchChannelsPush, at_old));
  sl_dispatch_bind (record, 2, is_running ? 2 : 1, vector, 4,
                    offsetof (SlBatchChannelsPush, at_out));
  sl_dispatch_groups (record, to->gpu, p->channels, GROUP);
  return 1;
}

/* --- Normalisation --- */

enum { X, DY, GAMMA, BETA, MEAN, INVERSE, WORK, OUT, OPERANDS };

/* Which operand of the step each binding is. */
static const uint32_t forward_operands[OPERANDS] = {
    0, SL_BATCH_NO_OPERAND, 2, 3, SL_BATCH_NO_OPERAND, SL_BATCH_NO_OPERAND, 1, 4};
static const uint32_t gradient_operands[OPERANDS] = {0, 1, 2, SL_BATCH_NO_OPERAND, 3, 4, 5, 6};

/* Loops: rows; operands: x, output, dy. */
static void
add_normalize (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const SlBatchNormParams *p = data;
  const bool is_gradient = loops->n_operands == 3;
  const uint32_t *index = is_gradient ? gradient_operands : forward_operands;
  const size_t rows = loops->dims[0], first = loops->first[0] / p->x_stride;
  const bool by_fours = p->channels % 4 == 0 && is_aligned (to, index[X], p->x_stride) &&
                        is_aligned (to, index[DY], p->dy_stride) &&
                        is_aligned (to, index[OUT], p->out_stride);
  const SlExtent vector = sl_extent (0, p->channels * 4);
  const SlBatchNormalizePush push = {.rows = (uint32_t)rows,
                                     .block = ROWS,
                                     .channels = (uint32_t)p->channels,
                                     .x_stride = (uint32_t)p->x_stride,
                                     .dy_stride = (uint32_t)p->dy_stride,
                                     .out_stride = (uint32_t)p->out_stride,
                                     .plane = (uint32_t)pitch_of (p),
                                     .epsilon = p->epsilon,
                                     .share = 1 / (float)p->rows,
                                     .act_a = p->act.a,
                                     .act_b = p->act.b};
  SlDispatch *record = sl_dispatch_add (
      to, to->gpu->is_cpu ? &sl_shader_batch_normalize_texels : &sl_shader_batch_normalize, &push);
  record->specs[SL_BATCH_NORMALIZE_ACT] = is_gradient ? SL_ACT_NONE : p->act.kind;
  record->specs[SL_BATCH_NORMALIZE_IS_GRADIENT] = is_gradient;
  record->specs[SL_BATCH_NORMALIZE_BY_FOURS] = by_fours;
  bind (record, X, index[X], rows_extent (first, rows, p->channels, p->x_stride),
        offsetof (SlBatchNormalizePush, at_x));
  bind (record, DY, index[DY], rows_extent (first, rows, p->channels, p->dy_stride),
        offsetof (SlBatchNormalizePush, at_dy));
  bind (record, GAMMA, index[GAMMA], vector, offsetof (SlBatchNormalizePush, at_gamma));
  bind (record, BETA, index[BETA], vector, offsetof (SlBatchNormalizePush, at_beta));
  bind (record, MEAN, index[MEAN], vector, offsetof (SlBatchNormalizePush, at_mean));
  bind (record, INVERSE, index[INVERSE], vector, offsetof (SlBatchNormalizePush, at_inverse));
  bind (record, WORK, index[WORK], joined_extent (p, 0, 2),
        offsetof (SlBatchNormalizePush, at_work));
  bind (record, OUT, index[OUT], rows_extent (first, rows, p->channels, p->out_stride),
        offsetof (SlBatchNormalizePush, at_out));
  sl_dispatch_groups (record, to->gpu,
                      (uint64_t)((rows + ROWS - 1) / ROWS) * (p->channels / (by_fours ? 4 : 1)),
                      GROUP);
}

static uint32_t
dispatch_normalize (SlDispatcher *to, const void *params, uint32_t is_gradient)
{
  const SlBatchNormParams *p = params;
  const size_t beside = p->channels - 1;
  const SlLoops loops = {
      .n_operands = is_gradient ? 3 : 2,
      .rank = 1,
      .dims = {p->rows},
      .stride = {{(ptrdiff_t)p->x_stride}, {(ptrdiff_t)p->out_stride}, {(ptrdiff_t)p->dy_stride}},
      .beside = {beside, beside, beside},
      .element_size = {4, 4, 4}};
  sl_loops_cut (to, &loops, add_normalize, p);
  return 1;
}

#define ENTRY(name, function, variant)                   \
  {                                                      \
    name, sizeof (SlBatchNormParams), function, variant, \
    {                                                    \
      0                                                  \
    }                                                    \
  }

const SlDispatchEntry sl_dispatch_batch_norm[] = {
    ENTRY ("batch_moments", dispatch_batch_parts, BATCH_MOMENTS),
    ENTRY ("batch_moments_join", dispatch_batch_join, BATCH_MOMENTS),
    ENTRY ("batch_saved", dispatch_channels, CHANNEL_INVERSE),
    ENTRY ("batch_running", dispatch_channels, CHANNEL_RUNNING),
    ENTRY ("batch_normalize", dispatch_normalize, false),
    ENTRY ("batch_sums", dispatch_batch_parts, BATCH_SUMS),
    ENTRY ("batch_sums_join", dispatch_batch_join, BATCH_SUMS),
    ENTRY ("batch_sum", dispatch_channels, CHANNEL_COPY),
    ENTRY ("batch_normalize_gradient", dispatch_normalize, true),
    {0},
};
