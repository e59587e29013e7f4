#include "dispatch/loops.h"
#include "shaders/group.h"

size_t
sl_loops_get_elements (const SlLoops *loops)
{
  size_t n = 1;
  for (uint32_t d = 0; d < loops->rank; d++)
    n *= loops->dims[d];
  return n;
}

/* TRUE if loop d + 1 ends where loop d takes its next step, in every operand. */
static bool
is_one_loop (const SlLoops *loops, uint32_t d)
{
  for (uint32_t k = 0; k < loops->n_operands; k++)
    if (loops->stride[k][d] != loops->stride[k][d + 1] * (ptrdiff_t)loops->dims[d + 1])
      return false;
  return true;
}

static void
remove_loop (SlLoops *loops, uint32_t d)
{
  loops->rank--;
  for (uint32_t i = d; i < loops->rank; i++) {
    loops->dims[i] = loops->dims[i + 1];
    for (uint32_t k = 0; k < loops->n_operands; k++)
      loops->stride[k][i] = loops->stride[k][i + 1];
  }
}

static void
merge (SlLoops *loops)
{
  for (uint32_t d = loops->rank; d-- > 0;)
    if (loops->dims[d] == 1)
      remove_loop (loops, d);
  for (uint32_t d = loops->rank; d-- > 1;)
    if (is_one_loop (loops, d - 1)) {
      loops->dims[d] *= loops->dims[d - 1];
      remove_loop (loops, d - 1);
    }
  if (loops->rank == 0) { /* a single element */
    loops->rank = 1;
    loops->dims[0] = 1;
    for (uint32_t k = 0; k < loops->n_operands; k++)
      loops->stride[k][0] = 1;
  }
}

/* Elements from the lowest to the one that the first step is about. */
static size_t
steps_back (const SlLoops *loops, uint32_t k)
{
  size_t back = 0;
  for (uint32_t d = 0; d < loops->rank; d++)
    if (loops->stride[k][d] < 0)
      back += (size_t)-loops->stride[k][d] * (loops->dims[d] - 1);
  return back;
}

SlExtent
sl_loops_get_extent (const SlLoops *loops, uint32_t k)
{
  const size_t size = loops->element_size[k];
  size_t row = 1, rows = 1, pitch = 0, span = 1;
  bool is_regular = true;

  /* Fastest first: elements without gaps are the row, the loops around them have to nest evenly. */
  for (uint32_t d = loops->rank; d-- > 0;) {
    const size_t step = (size_t)ABS (loops->stride[k][d]);
    span += step * (loops->dims[d] - 1);
    if (loops->dims[d] == 1 || step == 0)
      continue;
    if (rows == 1 && step == row) {
      row *= loops->dims[d];
    } else if (rows == 1 && step > row) {
      rows = loops->dims[d];
      pitch = step;
    } else if (step == rows * pitch) {
      rows *= loops->dims[d];
    } else {
      is_regular = false;
    }
  }
  const uint64_t begin = (loops->first[k] - steps_back (loops, k)) * size;
  if (!is_regular || rows == 1)
    return sl_extent (begin, span * size);
  return (SlExtent){begin, rows, row * size, pitch * size};
}

bool
sl_loops_have_fours (const SlDispatcher *to, const SlLoops *loops, uint32_t k, uint32_t index)
{
  const uint32_t last = loops->rank - 1;
  if (loops->dims[last] % 4 != 0)
    return false;
  if (loops->stride[k][last] == 0)
    return true;
  for (uint32_t d = 0; d < last; d++)
    if (loops->stride[k][d] % 4 != 0)
      return false;
  return loops->stride[k][last] == 1 && sl_dispatch_is_aligned (to, index, loops->first[k]);
}

static bool
is_empty (const SlLoops *loops)
{
  for (uint32_t d = 0; d < loops->rank; d++)
    if (loops->dims[d] == 0)
      return true;
  return false;
}

/* `n` steps of loop `d` from step `from` on. */
static SlLoops
piece_of (const SlLoops *loops, uint32_t d, size_t from, size_t n)
{
  SlLoops piece = *loops;
  piece.dims[d] = n;
  for (uint32_t k = 0; k < loops->n_operands; k++)
    piece.first[k] += (size_t)(loops->stride[k][d] * (ptrdiff_t)from);
  return piece;
}

/* The loop whose steps take the operand furthest. */
static uint32_t
widest_loop (const SlLoops *loops, uint32_t k)
{
  uint32_t widest = 0;
  for (uint32_t d = 1; d < loops->rank; d++)
    if ((size_t)ABS (loops->stride[k][d]) * (loops->dims[d] - 1) >
        (size_t)ABS (loops->stride[k][widest]) * (loops->dims[widest] - 1))
      widest = d;
  return widest;
}

void
sl_loops_cut (SlDispatcher *to, const SlLoops *loops, SlLoopsFunc func, const void *data)
{
  if (is_empty (loops))
    return;
  for (uint32_t k = 0; k < loops->n_operands; k++) {
    SlExtent extent = sl_loops_get_extent (loops, k);
    if (sl_extent_get_span (&extent) + loops->beside[k] * loops->element_size[k] <=
        sl_gpu_get_range (to->gpu))
      continue;
    const uint32_t d = widest_loop (loops, k);
    if (loops->dims[d] < 2) /* nothing to cut: the device cannot */
      continue;
    const size_t half = loops->dims[d] / 2;
    SlLoops low = piece_of (loops, d, 0, half);
    SlLoops high = piece_of (loops, d, half, loops->dims[d] - half);
    sl_loops_cut (to, &low, func, data);
    sl_loops_cut (to, &high, func, data);
    return;
  }
  func (to, loops, data);
}

/* One record for each step of the shortest loop: with eight of them, of at least two steps each,
 * that is some thousand records for the largest tensors. */
static void
cut_rank (SlDispatcher *to, const SlLoops *loops, uint32_t rank, SlLoopsFunc func, const void *data)
{
  if (loops->rank <= rank) {
    sl_loops_cut (to, loops, func, data);
    return;
  }
  uint32_t shortest = 0;
  for (uint32_t d = 1; d < loops->rank; d++)
    if (loops->dims[d] < loops->dims[shortest])
      shortest = d;
  for (size_t i = 0; i < loops->dims[shortest]; i++) {
    SlLoops piece = piece_of (loops, shortest, i, 1);
    remove_loop (&piece, shortest);
    cut_rank (to, &piece, rank, func, data);
  }
}

void
sl_loops_dispatch (SlDispatcher *to, const SlLoops *loops, uint32_t rank, SlLoopsFunc func,
                   const void *data)
{
  SlLoops merged = *loops;
  if (is_empty (loops))
    return;
  merge (&merged);
  cut_rank (to, &merged, rank, func, data);
}

void
sl_loops_push_dims (const SlLoops *loops, uint32_t rank, uint32_t *ret_dims)
{
  for (uint32_t i = 0; i < rank - loops->rank; i++)
    ret_dims[i] = 1;
  for (uint32_t d = 0; d < loops->rank; d++)
    ret_dims[rank - loops->rank + d] = (uint32_t)loops->dims[d];
}

void
sl_loops_push_strides (const SlLoops *loops, uint32_t k, uint32_t rank, int32_t *ret_strides)
{
  for (uint32_t i = 0; i < rank - loops->rank; i++)
    ret_strides[i] = 0;
  for (uint32_t d = 0; d < loops->rank; d++)
    ret_strides[rank - loops->rank + d] = (int32_t)loops->stride[k][d];
}

SlDispatch *
sl_loops_add_rows (SlDispatcher *to, const SlLoops *loops, const SlShader *shader, void *push)
{
  SlRowsPush *rows = push;
  const uint32_t last = loops->rank - 1;
  /* Rows of one element each were merged into one loop, whose elements lie apart. */
  const bool apart = last == 0 && (loops->stride[0][0] != 1 || loops->stride[1][0] != 1);
  rows->elements = (uint32_t)sl_loops_get_elements (loops);
  rows->cols = apart ? 1 : (uint32_t)loops->dims[last];
  rows->in_stride = last || apart ? (uint32_t)loops->stride[0][0] : 0;
  rows->out_stride = last || apart ? (uint32_t)loops->stride[1][0] : 0;
  SlDispatch *record = sl_dispatch_add (to, shader, push);
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, 0), loops->element_size[0],
                    offsetof (SlRowsPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_loops_get_extent (loops, 1), loops->element_size[1],
                    offsetof (SlRowsPush, at_out));
  sl_dispatch_groups (record, to->gpu, rows->elements, GROUP);
  return record;
}
