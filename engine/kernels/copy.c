#include "kernels/copy.h"
#include "kernels/grid.h"

/* The copy as a plane of rows × cols, cols being the innermost dimension, under further dimensions.
 * Neighbouring dimensions that step alike are taken as one. In a transpose `rows` is the dimension
 * along which the source is contiguous, else it is 1. The plane is cut into blocks; some blocks
 * make a tile. */
typedef struct CopyPlan {
  size_t outer, planes; /* dimensions above the plane, and the product of their sizes */
  size_t dims[SL_KERNEL_RANK];
  ptrdiff_t src[SL_KERNEL_RANK], dst[SL_KERNEL_RANK];
  size_t rows, cols;
  ptrdiff_t src_row, src_col, dst_row, dst_col;
  size_t block_rows, block_cols, row_blocks, col_blocks;
  size_t blocks, tile_blocks;
} CopyPlan;

/* A square that fits the first cache with both its sides. */
#define TRANSPOSE_BLOCK 64

/* Returns how many dimensions are left. */
static size_t
collapse (const SlCopyParams *p, size_t *dims, ptrdiff_t *src, ptrdiff_t *dst)
{
  size_t n = 0;

  for (uint32_t i = 0; i < p->rank; i++) {
    size_t d = p->dims[i];
    if (d == 1)
      continue;
    if (n > 0 && src[n - 1] == (ptrdiff_t)d * p->src_stride[i] &&
        dst[n - 1] == (ptrdiff_t)d * p->dst_stride[i])
      d *= dims[--n];
    dims[n] = d;
    src[n] = p->src_stride[i];
    dst[n++] = p->dst_stride[i];
  }
  return n;
}

static CopyPlan
copy_plan (const SlCopyParams *p)
{
  CopyPlan plan = {.planes = 1, .rows = 1, .cols = 1, .src_col = 1, .dst_col = 1};
  size_t dims[SL_KERNEL_RANK], across = SL_KERNEL_RANK;
  ptrdiff_t src[SL_KERNEL_RANK], dst[SL_KERNEL_RANK];
  size_t n = collapse (p, dims, src, dst);

  if (n > 0) {
    n--;
    plan.cols = dims[n];
    plan.src_col = src[n];
    plan.dst_col = dst[n];
  }
  for (size_t i = 0; i < n; i++)
    if (plan.src_col != 1 && src[i] == 1)
      across = i;
  for (size_t i = 0; i < n; i++) {
    if (i == across) {
      plan.rows = dims[i];
      plan.src_row = src[i];
      plan.dst_row = dst[i];
      continue;
    }
    plan.dims[plan.outer] = dims[i];
    plan.src[plan.outer] = src[i];
    plan.dst[plan.outer++] = dst[i];
    plan.planes *= dims[i];
  }
  plan.block_rows = across < n ? TRANSPOSE_BLOCK : 1;
  plan.block_cols = across < n ? TRANSPOSE_BLOCK : GRID_ELEMENTS;
  plan.row_blocks = ceil_div (plan.rows, plan.block_rows);
  plan.col_blocks = ceil_div (plan.cols, plan.block_cols);
  plan.blocks = plan.planes * plan.row_blocks * plan.col_blocks;

  size_t elements = min_size (plan.block_rows, plan.rows) * min_size (plan.block_cols, plan.cols);
  plan.tile_blocks = max_size (1, GRID_ELEMENTS / max_size (1, elements));
  return plan;
}

static size_t
copy_tiles (const void *params)
{
  CopyPlan plan = copy_plan (params);
  return ceil_div (plan.blocks, plan.tile_blocks);
}

/* Writes along the destination's rows; the source's columns stay in the cache for the next row. */
#define COPY_BLOCK(type)                                                                        \
  /* Two rows become columns: a shuffle of two groups of channels. */                           \
  static void interleave_##type (const type *restrict a, const type *restrict b,                \
                                 type *restrict dst, size_t n)                                  \
  {                                                                                             \
    for (size_t i = 0; i < n; i++) {                                                            \
      dst[2 * i] = a[i];                                                                        \
      dst[2 * i + 1] = b[i];                                                                    \
    }                                                                                           \
  }                                                                                             \
  static void copy_block_##type (const CopyPlan *plan, const type *src, type *dst, size_t rows, \
                                 size_t cols)                                                   \
  {                                                                                             \
    ptrdiff_t src_col = plan->src_col, dst_col = plan->dst_col;                                 \
                                                                                                \
    if (cols == 2 && dst_col == 1 && plan->dst_row == 2 && plan->src_row == 1) {                \
      interleave_##type (src, src + src_col, dst, rows);                                        \
      return;                                                                                   \
    }                                                                                           \
    for (size_t r = 0; r < rows; r++, src += plan->src_row, dst += plan->dst_row) {             \
      if (src_col == 1 && dst_col == 1)                                                         \
        memcpy (dst, src, cols * sizeof (type));                                                \
      else if (dst_col == 1)                                                                    \
        for (size_t c = 0; c < cols; c++)                                                       \
          dst[c] = src[(ptrdiff_t)c * src_col];                                                 \
      else                                                                                      \
        for (size_t c = 0; c < cols; c++)                                                       \
          dst[(ptrdiff_t)c * dst_col] = src[(ptrdiff_t)c * src_col];                            \
    }                                                                                           \
  }
COPY_BLOCK (uint8_t)
COPY_BLOCK (uint16_t)
COPY_BLOCK (uint32_t)
COPY_BLOCK (uint64_t)

static void
copy_block (const CopyPlan *plan, const SlCopyParams *p, void *const *buffers, size_t block)
{
  size_t col = block % plan->col_blocks * plan->block_cols;
  size_t row = block / plan->col_blocks % plan->row_blocks * plan->block_rows;
  size_t plane = block / plan->col_blocks / plan->row_blocks;
  size_t rows = min_size (plan->block_rows, plan->rows - row);
  size_t cols = min_size (plan->block_cols, plan->cols - col);
  ptrdiff_t src_at =
      (ptrdiff_t)p->src_offset + (ptrdiff_t)row * plan->src_row + (ptrdiff_t)col * plan->src_col;
  ptrdiff_t dst_at =
      (ptrdiff_t)p->dst_offset + (ptrdiff_t)row * plan->dst_row + (ptrdiff_t)col * plan->dst_col;

  for (size_t d = plan->outer; d-- > 0; plane /= plan->dims[d]) {
    ptrdiff_t i = (ptrdiff_t)(plane % plan->dims[d]);
    src_at += i * plan->src[d];
    dst_at += i * plan->dst[d];
  }

  switch (p->element_size) {
  case 1:
    copy_block_uint8_t (plan, (const uint8_t *)buffers[0] + src_at, (uint8_t *)buffers[1] + dst_at,
                        rows, cols);
    break;
  case 2:
    copy_block_uint16_t (plan, (const uint16_t *)buffers[0] + src_at,
                         (uint16_t *)buffers[1] + dst_at, rows, cols);
    break;
  case 4:
    copy_block_uint32_t (plan, (const uint32_t *)buffers[0] + src_at,
                         (uint32_t *)buffers[1] + dst_at, rows, cols);
    break;
  default:
    copy_block_uint64_t (plan, (const uint64_t *)buffers[0] + src_at,
                         (uint64_t *)buffers[1] + dst_at, rows, cols);
    break;
  }
}

static void
copy_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  CopyPlan plan = copy_plan (params);
  size_t end = min_size (plan.blocks, last * plan.tile_blocks);

  for (size_t block = first * plan.tile_blocks; block < end; block++)
    copy_block (&plan, params, buffers, block);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_copy) = {
    .name = "copy",
    .params_size = sizeof (SlCopyParams),
    .tiles = copy_tiles,
    .run = copy_run,
};

static size_t
fill_tiles (const void *params)
{
  const SlFillParams *p = params;
  return ceil_div (p->count, GRID_ELEMENTS);
}

static void
fill_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlFillParams *p = params;
  size_t begin = first * GRID_ELEMENTS, end = min_size (p->count, last * GRID_ELEMENTS);

  switch (p->element_size) {
  case 1:
    for (size_t i = begin; i < end; i++)
      ((uint8_t *)buffers[0])[i] = (uint8_t)p->value;
    break;
  case 2:
    for (size_t i = begin; i < end; i++)
      ((uint16_t *)buffers[0])[i] = (uint16_t)p->value;
    break;
  case 4:
    for (size_t i = begin; i < end; i++)
      ((uint32_t *)buffers[0])[i] = (uint32_t)p->value;
    break;
  default:
    for (size_t i = begin; i < end; i++)
      ((uint64_t *)buffers[0])[i] = p->value;
    break;
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_fill) = {
    .name = "fill",
    .params_size = sizeof (SlFillParams),
    .tiles = fill_tiles,
    .run = fill_run,
};
