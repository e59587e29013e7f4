/* Sums down the columns of rows, part by part: of batches that are normalised, and of biases. */
#pragma once

#include "dispatch/dispatch.h"
#include "shaders/batch_join.h"
#include "shaders/batch_parts.h"

/* Which operand of the step is what; elements. SL_BATCH_NO_OPERAND: there is none. */
#define SL_BATCH_NO_OPERAND UINT32_MAX
typedef struct SlBatchParts {
  SlBatchPartsPush push; /* of all parts, but for at_… */
  uint32_t op;           /* BATCH_… of shaders/ops.h */
  uint32_t x, dy, mean, inverse, out;
  size_t out_first; /* of the output's first part */
} SlBatchParts;

/* Appends the records, some parts each if the device does not bind all. False: it does not bind
 * one. */
bool sl_batch_parts_dispatch (SlDispatcher *to, const SlBatchParts *parts);

/* Rows of each part; the last ones may have fewer, or none. */
static inline uint32_t
sl_batch_part_rows (size_t rows, uint32_t parts)
{
  return (uint32_t)((rows + parts - 1) / parts);
}

/* Invocations that share a column: barriers are slow on a CPU that plays a GPU. */
static inline uint32_t
sl_batch_get_down (const SlGpu *gpu, uint32_t most)
{
  return gpu->is_cpu ? 1 : most;
}

/* Adds the parts of operand 0, each `push->in_part` elements behind the one before, `first` the
 * first of them, into operand 1 from `out_first` on. */
void sl_batch_join_dispatch (SlDispatcher *to, const SlBatchJoinPush *push, uint32_t op,
                             size_t first, size_t out_first);
