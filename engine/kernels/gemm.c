#include "kernels/gemm.h"
#include "kernels/half.h"
#include "kernels/tile.h"

static SlTileGrid
gemm_grid (const SlGemmParams *p)
{
  return SL_KERNEL_NAME (sl_tile_grid) (p->rows, p->cols, p->depth, p->batch,
                                        (size_t)p->batch * p->rows * p->depth);
}

static size_t
gemm_tiles (const void *params)
{
  const SlGemmParams *p = params;
  SlTileGrid grid = gemm_grid (p);
  return grid.row_blocks * grid.col_blocks * p->batch;
}

static void
gemm_tile (const SlGemmParams *p, void *const *buffers, SlTileGrid grid, size_t index)
{
  SlTilePlace at = tile_place (&grid, index);
  size_t panels = panel_count (p->cols), product = at.product;
  size_t m0 = part_begin (p->rows, grid.row_blocks, at.row_block);
  size_t m1 = part_begin (p->rows, grid.row_blocks, at.row_block + 1);
  size_t c0 = panel_begin (p->cols, part_begin (panels, grid.col_blocks, at.col_block));
  size_t c1 = panel_begin (p->cols, part_begin (panels, grid.col_blocks, at.col_block + 1));
  const float *a = (const float *)buffers[0] + product * p->a_batch, *row[TILE_MAX_ROWS];
  const float *bias = buffers[2], *residual = buffers[3];
  size_t residual_at = product * p->residual_batch + m0 * p->residual_stride + c0;

  for (size_t m = m0; m < m1; m++)
    row[m - m0] = a + m * p->a_stride;
  SlTile tile = {
      .rows = m1 - m0,
      .cols = min_size (p->cols, c1) - c0,
      .depth = p->depth,
      .a = row,
      .run = max_size (1, p->depth),
      .b = panels_at (buffers[1], p->half, product * p->b_batch + c0 * p->depth),
      .half = p->half,
      .c = (float *)buffers[4] + product * p->c_batch + m0 * p->c_stride + c0,
      .c_stride = p->c_stride,
      .bias = bias ? bias + c0 : NULL,
      .residual = residual ? residual + residual_at : NULL,
      .residual_stride = p->residual_stride,
      .act = &p->act,
  };
  SL_KERNEL_NAME (sl_tile_run) (&tile);
}

static void
gemm_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  SlTileGrid grid = gemm_grid (params);
  for (size_t t = first; t < last; t++)
    gemm_tile (params, buffers, grid, t);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_gemm) = {
    .name = "gemm",
    .params_size = sizeof (SlGemmParams),
    .tiles = gemm_tiles,
    .run = gemm_run,
};

/* Packing goes in blocks of PACK_DEPTH × a panel, so that neither the walk along the depth nor the
 * one along the columns leaves the cache, whichever of them is contiguous in the source. */
#define PACK_DEPTH 64

static size_t
pack_depth (const SlPackParams *p)
{
  return (size_t)p->depth[0] * p->depth[1] * p->depth[2];
}

static size_t
pack_tiles (const void *params)
{
  const SlPackParams *p = params;
  return pack_depth (p) ? p->groups * packed_count (p->cols, p->width) : 0;
}

/* Columns of a panel, of which `cols` exist, over a part of the depth. */
static void
pack_block (const SlPackParams *p, const float *src, size_t cols, size_t width, size_t k0,
            size_t k1, float *dst)
{
  size_t offset[PACK_DEPTH];
  size_t k2 = k0 % p->depth[2], k_1 = k0 / p->depth[2] % p->depth[1];
  size_t k_0 = k0 / p->depth[2] / p->depth[1];

  for (size_t k = k0; k < k1; k++) {
    offset[k - k0] = k_0 * p->depth_stride[0] + k_1 * p->depth_stride[1] + k2 * p->depth_stride[2];
    if (++k2 == p->depth[2]) {
      k2 = 0;
      if (++k_1 == p->depth[1]) {
        k_1 = 0;
        k_0++;
      }
    }
  }
  if (p->col_stride == 1) {
    for (size_t k = 0; k < k1 - k0; k++)
      for (size_t n = 0; n < width; n += VEC_WIDTH)
        vec_store (dst + k * width + n, load_columns (src + offset[k], n, cols));
    return;
  }
  for (size_t n = 0; n < width; n++)
    for (size_t k = 0; k < k1 - k0; k++)
      dst[k * width + n] = n < cols ? src[offset[k] + n * p->col_stride] : 0;
}

/* The dimensions of the depth from the fastest in the source to the slowest, if a column's elements
 * lie there without gaps. */
static bool
order_depth (const SlPackParams *p, uint32_t order[3])
{
  size_t stride = 1;
  uint32_t n = 0;

  for (uint32_t i = 0; i < 3; i++)
    if (p->depth[i] == 1)
      order[n++] = i;
  while (n < 3) {
    uint32_t i = 0;
    while (i < 3 && (p->depth[i] == 1 || p->depth_stride[i] != stride))
      i++;
    if (i == 3)
      return false;
    order[n++] = i;
    stride *= p->depth[i];
  }
  return true;
}

/* A panel whose columns lie one behind the other in the source, which is read in its own order: as
 * many elements of as many columns at a time as a vector has. */
static void
pack_columns (const SlPackParams *p, const uint32_t order[3], const float *src, size_t cols,
              size_t width, void *panel)
{
  const size_t row_step[3] = {(size_t)p->depth[1] * p->depth[2], p->depth[2], 1};
  size_t depth = pack_depth (p), at[3] = {0};

  for (size_t d = 0; d < depth; d += VEC_WIDTH) {
    size_t count = min_size (VEC_WIDTH, depth - d), row[VEC_WIDTH];
    for (size_t j = 0; j < count; j++) {
      row[j] = at[0] * row_step[0] + at[1] * row_step[1] + at[2] * row_step[2];
      for (uint32_t i = 0; i < 3 && ++at[order[i]] == p->depth[order[i]]; i++)
        at[order[i]] = 0;
    }
    for (size_t n = 0; n < width; n += VEC_WIDTH) {
      Vec v[VEC_WIDTH];
      for (size_t l = 0; l < VEC_WIDTH; l++)
        v[l] = n + l < cols ? vec_load_n (src + (n + l) * p->col_stride + d, count) : vec_splat (0);
      vec_transpose (v);
      for (size_t j = 0; j < count; j++) {
        if (p->half)
          vec_store_half ((uint16_t *)panel + row[j] * width + n, v[j]);
        else
          vec_store ((float *)panel + row[j] * width + n, v[j]);
      }
    }
  }
}

static void
pack_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlPackParams *p = params;
  size_t depth = pack_depth (p), panels = packed_count (p->cols, p->width);
  float block[PACK_DEPTH * PANEL_MAX] __attribute__ ((aligned (64)));
  uint32_t order[3];
  bool by_columns = p->col_stride > 1 && order_depth (p, order);

  for (size_t t = first; t < last; t++) {
    size_t group = t / panels, c = packed_begin (p->cols, p->width, t % panels);
    size_t width = packed_begin (p->cols, p->width, t % panels + 1) - c;
    const float *src = (const float *)buffers[0] + group * p->group_stride + c * p->col_stride;
    size_t at = (group * packed_begin (p->cols, p->width, panels) + c) * depth;

    if (by_columns) {
      void *panel =
          p->half ? (void *)((uint16_t *)buffers[1] + at) : (void *)((float *)buffers[1] + at);
      pack_columns (p, order, src, min_size (p->cols - c, width), width, panel);
      continue;
    }
    const size_t step = min_size (PACK_DEPTH, sizeof block / sizeof block[0] / width);
    for (size_t k = 0; k < depth; k += step) {
      size_t k1 = min_size (depth, k + step);
      float *dst = p->half ? block : (float *)buffers[1] + at + k * width;
      pack_block (p, src, min_size (p->cols - c, width), width, k, k1, dst);
      for (size_t i = 0; p->half && i < (k1 - k) * width; i += VEC_WIDTH)
        vec_store_half ((uint16_t *)buffers[1] + at + k * width + i, vec_load (block + i));
    }
  }
}

static void
pack_reads (const void *params, size_t first, size_t last, size_t *ret_begin, size_t *ret_end)
{
  const SlPackParams *p = params;
  size_t panels = packed_count (p->cols, p->width), extent = 1;

  for (size_t i = 0; i < 3; i++)
    extent += (p->depth[i] - 1) * p->depth_stride[i];
  *ret_begin = SIZE_MAX;
  *ret_end = 0;
  for (size_t t = first; t < last; t++) {
    size_t c = packed_begin (p->cols, p->width, t % panels);
    size_t cols = min_size (p->cols, packed_begin (p->cols, p->width, t % panels + 1)) - c;
    size_t begin = t / panels * p->group_stride + c * p->col_stride;
    size_t end = begin + (cols - 1) * p->col_stride + extent;
    *ret_begin = min_size (*ret_begin, begin * sizeof (float));
    *ret_end = end * sizeof (float) > *ret_end ? end * sizeof (float) : *ret_end;
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_pack_weights) = {
    .name = "pack_weights",
    .params_size = sizeof (SlPackParams),
    .tiles = pack_tiles,
    .run = pack_run,
    .reads = pack_reads,
};
