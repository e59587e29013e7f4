#include "kernels/quantize.h"

#include "kernels/grid.h"
#include "kernels/qvec.h"

/* --- Between floats and bytes --- */

/* Rows without gaps are one long row. */
static SlPlaneGrid
rows_grid (size_t rows, size_t cols, bool dense)
{
  return dense ? plane_grid (1, rows * cols, GRID_ELEMENTS)
               : plane_grid (rows, cols, GRID_ELEMENTS);
}

static SlPlaneGrid
quant_grid (const SlQuantParams *p)
{
  return rows_grid (p->rows, p->cols, p->in_stride == p->cols && p->out_stride == p->cols);
}

static size_t
quant_tiles (const void *params)
{
  SlPlaneGrid grid = quant_grid (params);
  return plane_tiles (&grid);
}

static void
quantize_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlQuantParams *p = params;
  SlPlaneGrid grid = quant_grid (p);
  Vec scale = vec_splat (*(const float *)buffers[1]);
  QuantOut out = quant_out (zero_of (buffers[2], p->flip));

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      const float *x = (const float *)buffers[0] + r * p->in_stride + tile.col;
      uint8_t *y = (uint8_t *)buffers[3] + r * p->out_stride + tile.col;
      size_t i = 0;
      for (; i + VEC_WIDTH <= tile.cols; i += VEC_WIDTH)
        bytes_store (y + i, quant_round (vec_load (x + i) / scale, &out) ^ p->flip, VEC_WIDTH);
      size_t n = tile.cols - i;
      if (n > 0)
        bytes_store (y + i, quant_round (vec_load_n (x + i, n) / scale, &out) ^ p->flip, n);
    }
  }
}

static void
dequantize_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlQuantParams *p = params;
  SlPlaneGrid grid = quant_grid (p);
  Vec scale = vec_splat (*(const float *)buffers[1]);
  int32_t zero = zero_of (buffers[2], p->flip);

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      const uint8_t *x = (const uint8_t *)buffers[0] + r * p->in_stride + tile.col;
      float *y = (float *)buffers[3] + r * p->out_stride + tile.col;
      size_t i = 0;
      for (; i + VEC_WIDTH <= tile.cols; i += VEC_WIDTH)
        vec_store (y + i, vec_of_int (bytes_load (x + i, VEC_WIDTH, p->flip) - zero) * scale);
      size_t n = tile.cols - i;
      if (n > 0)
        vec_store_n (y + i, vec_of_int (bytes_load (x + i, n, p->flip) - zero) * scale, n);
    }
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_quantize) = {
    .name = "quantize",
    .params_size = sizeof (SlQuantParams),
    .tiles = quant_tiles,
    .run = quantize_run,
};

const SlKernel SL_KERNEL_NAME (sl_kernel_dequantize) = {
    .name = "dequantize",
    .params_size = sizeof (SlQuantParams),
    .tiles = quant_tiles,
    .run = dequantize_run,
};

/* --- Two operands --- */

/* a * b + c, rounded once whatever the set: a has 8 bits and b 24, so that their product is exact
 * in double. */
ALWAYS_INLINE Vec
fma_once (Vec a, Vec b, Vec c)
{
#if defined __FMA__ || defined __aarch64__
  return vec_fma (a, b, c);
#else
  float x[VEC_WIDTH], y[VEC_WIDTH], z[VEC_WIDTH];
  memcpy (x, &a, sizeof x);
  memcpy (y, &b, sizeof y);
  memcpy (z, &c, sizeof z);
  for (int i = 0; i < VEC_WIDTH; i++)
    z[i] = (float)((double)x[i] * (double)y[i] + (double)z[i]);
  memcpy (&c, z, sizeof z);
  return c;
#endif
}

typedef struct QuantBinary {
  Vec a_factor, b_factor, rest; /* sums */
  VecInt a_zero, b_zero;        /* products */
  Vec factor, y_zero;
  QuantOut out;
} QuantBinary;

/* Sums are of the bytes as they are stored, and what the zero points come to is rounded as ONNX
 * Runtime's AVX2 kernel does it: where a sum is half-way between two numbers, its last bit decides.
 */
static QuantBinary
quant_binary (const SlQuantBinaryParams *p, void *const *buffers)
{
  float a_scale = *(const float *)buffers[1], b_scale = *(const float *)buffers[4],
        y_scale = *(const float *)buffers[6];
  int32_t a_zero = zero_of (buffers[2], p->flip), b_zero = zero_of (buffers[5], p->flip),
          y_zero = zero_of (buffers[7], p->flip);
  float a_ratio = a_scale / y_scale, b_ratio = b_scale / y_scale;
  float b_part = b_ratio * (float)(b_zero - p->flip);
  float zeros = (float)((double)a_ratio * (a_zero - p->flip) + (double)b_part);

  return (QuantBinary){
      .a_factor = vec_splat (a_ratio),
      .b_factor = vec_splat (b_ratio),
      .rest = vec_splat ((float)(y_zero - p->flip) - zeros),
      .a_zero = vec_splat_int (a_zero),
      .b_zero = vec_splat_int (b_zero),
      .factor = vec_splat (a_scale * b_scale / y_scale),
      .y_zero = vec_splat ((float)(y_zero - p->flip)),
      .out = quant_out (p->flip),
  };
}

ALWAYS_INLINE VecInt
quant_sum (const QuantBinary *q, VecInt a, VecInt b, uint8_t flip)
{
  Vec sum = fma_once (vec_of_int (b - flip), q->b_factor, q->rest);
  return quant_round (fma_once (vec_of_int (a - flip), q->a_factor, sum), &q->out);
}

ALWAYS_INLINE VecInt
quant_product (const QuantBinary *q, VecInt a, VecInt b, uint8_t flip)
{
  Vec product = vec_of_int ((a - q->a_zero) * (b - q->b_zero));
  return quant_round (product * q->factor + q->y_zero, &q->out);
}

static SlPlaneGrid
binary_grid (const SlQuantBinaryParams *p)
{
  bool dense = p->a_stride == p->cols && p->b_stride == p->cols && p->out_stride == p->cols;
  return rows_grid (p->rows, p->cols, dense && !p->b_repeat);
}

static size_t
binary_tiles (const void *params)
{
  SlPlaneGrid grid = binary_grid (params);
  return plane_tiles (&grid);
}

typedef VecInt (*QuantFunc) (const QuantBinary *q, VecInt a, VecInt b, uint8_t flip);

/* `func` is a constant where this is inlined. */
ALWAYS_INLINE void
binary_run (const SlQuantBinaryParams *p, void *const *buffers, size_t first, size_t last,
            const QuantFunc func)
{
  SlPlaneGrid grid = binary_grid (p);
  QuantBinary q = quant_binary (p, buffers);

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      const uint8_t *a = (const uint8_t *)buffers[0] + r * p->a_stride + tile.col;
      const uint8_t *b = (const uint8_t *)buffers[3] + r * p->b_stride;
      uint8_t *y = (uint8_t *)buffers[8] + r * p->out_stride + tile.col;
      VecInt repeated = vec_splat_int (b[0] ^ p->flip);
      for (size_t i = 0, n; i < tile.cols; i += n) {
        n = min_size (VEC_WIDTH, tile.cols - i);
        VecInt other = p->b_repeat ? repeated : bytes_load (b + tile.col + i, n, p->flip);
        bytes_store (y + i, func (&q, bytes_load (a + i, n, p->flip), other, p->flip) ^ p->flip, n);
      }
    }
  }
}

static void
qadd_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  binary_run (params, buffers, first, last, quant_sum);
}

static void
qmul_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  binary_run (params, buffers, first, last, quant_product);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_qadd) = {
    .name = "qadd",
    .params_size = sizeof (SlQuantBinaryParams),
    .tiles = binary_tiles,
    .run = qadd_run,
};

const SlKernel SL_KERNEL_NAME (sl_kernel_qmul) = {
    .name = "qmul",
    .params_size = sizeof (SlQuantBinaryParams),
    .tiles = binary_tiles,
    .run = qmul_run,
};

/* --- Means --- */

static SlPlaneGrid
mean_grid (const SlQuantMeanParams *p)
{
  return plane_grid (p->outer, p->inner, max_size (1, GRID_ELEMENTS / max_size (1, p->axis)));
}

static size_t
qmean_tiles (const void *params)
{
  SlPlaneGrid grid = mean_grid (params);
  return plane_tiles (&grid);
}

static void
qmean_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlQuantMeanParams *p = params;
  SlPlaneGrid grid = mean_grid (p);
  float scale = *(const float *)buffers[1] / (*(const float *)buffers[3] * (float)p->axis);
  int32_t zeros = zero_of (buffers[2], p->flip) * (int32_t)p->axis;
  QuantOut out = quant_out (zero_of (buffers[4], p->flip));

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      const uint8_t *x = (const uint8_t *)buffers[0] + r * p->in_outer_stride + tile.col;
      uint8_t *y = (uint8_t *)buffers[5] + r * p->out_outer_stride + tile.col;
      for (size_t i = 0, n; i < tile.cols; i += n) {
        n = min_size (VEC_WIDTH, tile.cols - i);
        VecInt sum = vec_splat_int (-zeros);
        for (size_t k = 0; k < p->axis; k++)
          sum += bytes_load (x + k * p->in_axis_stride + i, n, p->flip);
        bytes_store (y + i, quant_round (vec_of_int (sum) * scale, &out) ^ p->flip, n);
      }
    }
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_qmean) = {
    .name = "qmean",
    .params_size = sizeof (SlQuantMeanParams),
    .tiles = qmean_tiles,
    .run = qmean_run,
};
