#include "kernels/convert.h"

#include "kernels/grid.h"
#include "kernels/half.h"

static void
widen_half (const uint16_t *x, float *y, size_t n)
{
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    size_t left = min_size (VEC_WIDTH, n - i);
    VecHalf half = {0};
    if (left == VEC_WIDTH)
      memcpy (&half, x + i, sizeof half);
    else
      memcpy (&half, x + i, left * sizeof *x);
    Vec wide = vec_of_half (half);
    if (left == VEC_WIDTH)
      vec_store (y + i, wide);
    else
      vec_store_n (y + i, wide, left);
  }
}

static void
widen_row (SlConvertType type, const void *x, float *y, size_t n)
{
  switch (type) {
  case SL_CONVERT_FLOAT16:
    widen_half (x, y, n);
    break;
  case SL_CONVERT_BFLOAT16:
    for (size_t i = 0; i < n; i++) {
      uint32_t bits = (uint32_t)((const uint16_t *)x)[i] << 16;
      memcpy (y + i, &bits, sizeof bits);
    }
    break;
  case SL_CONVERT_INT32:
    for (size_t i = 0; i < n; i++)
      y[i] = (float)((const int32_t *)x)[i];
    break;
  case SL_CONVERT_UINT8:
    for (size_t i = 0; i < n; i++)
      y[i] = (float)((const uint8_t *)x)[i];
    break;
  case SL_CONVERT_INT8:
    for (size_t i = 0; i < n; i++)
      y[i] = (float)((const int8_t *)x)[i];
    break;
  }
}

static void
narrow_row (SlConvertType type, const float *x, uint16_t *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = type == SL_CONVERT_FLOAT16 ? sl_half_from_float (x[i]) : sl_bfloat16_from_float (x[i]);
}

static size_t
type_size (SlConvertType type)
{
  switch (type) {
  case SL_CONVERT_INT32:
    return 4;
  case SL_CONVERT_UINT8:
  case SL_CONVERT_INT8:
    return 1;
  default:
    return 2;
  }
}

/* Rows without gaps are one long row. */
static SlPlaneGrid
convert_grid (const SlConvertParams *p)
{
  bool dense = p->in_stride == p->cols && p->out_stride == p->cols;
  return dense ? plane_grid (1, p->rows * p->cols, GRID_ELEMENTS)
               : plane_grid (p->rows, p->cols, GRID_ELEMENTS);
}

static size_t
convert_tiles (const void *params)
{
  SlPlaneGrid grid = convert_grid (params);
  return plane_tiles (&grid);
}

static void
widen_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlConvertParams *p = params;
  SlPlaneGrid grid = convert_grid (p);

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++)
      widen_row (p->type,
                 (const char *)buffers[0] + (r * p->in_stride + tile.col) * type_size (p->type),
                 (float *)buffers[1] + r * p->out_stride + tile.col, tile.cols);
  }
}

static void
narrow_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlConvertParams *p = params;
  SlPlaneGrid grid = convert_grid (p);

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++)
      narrow_row (p->type, (const float *)buffers[0] + r * p->in_stride + tile.col,
                  (uint16_t *)buffers[1] + r * p->out_stride + tile.col, tile.cols);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_widen) = {
    .name = "widen",
    .params_size = sizeof (SlConvertParams),
    .tiles = convert_tiles,
    .run = widen_run,
};

const SlKernel SL_KERNEL_NAME (sl_kernel_narrow) = {
    .name = "narrow",
    .params_size = sizeof (SlConvertParams),
    .tiles = convert_tiles,
    .run = narrow_run,
};
