#include "kernels/select.h"
#include "kernels/grid.h"

#include <stdint.h>

/* The innermost dimension is a row; what merges has been merged. */
static size_t
row_length (const SlSelectParams *p)
{
  return p->dims[p->rank - 1];
}

static size_t
count_rows (const SlSelectParams *p)
{
  size_t rows = 1;
  for (uint32_t i = 0; i + 1 < p->rank; i++)
    rows *= p->dims[i];
  return rows;
}

static size_t
select_tiles (const void *params)
{
  SlPlaneGrid grid = plane_grid (count_rows (params), row_length (params), GRID_ELEMENTS);
  return plane_tiles (&grid);
}

/* n elements of a row: `at` are the operands' first ones, `step` is 0 or the stride. */
typedef void (*RowFunc) (void *const *at, const size_t *step, size_t n);

/* `func` and `sizes` (bytes of each operand's element; 4, and 0 where
 * there is none) are constants where this is
 * inlined. */
ALWAYS_INLINE void
select_run (const SlSelectParams *p, void *const *buffers, size_t first, size_t last,
            const uint8_t *sizes, const RowFunc func)
{
  SlPlaneGrid grid = plane_grid (count_rows (p), row_length (p), GRID_ELEMENTS);
  uint32_t inner = p->rank - 1;
  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      void *at[4] = {NULL};
      size_t step[4] = {0};
      for (uint32_t k = 0; k < 4 && sizes[k] > 0; k++) {
        size_t offset = tile.col * p->stride[k][inner], left = r;
        for (uint32_t d = inner; d-- > 0; left /= p->dims[d])
          offset += left % p->dims[d] * p->stride[k][d];
        at[k] = (char *)buffers[k] + offset * sizes[k];
        step[k] = p->stride[k][inner];
      }
      func (at, step, tile.cols);
    }
  }
}

/* One loop for each way in which two operands step, so that the compiler makes vectors of them. */
#define LOOPS(type, value)                     \
  {                                            \
    const type *as = at[0];                    \
    const type *bs = at[1];                    \
    uint8_t *y = at[2];                        \
    if (step[0] == 1 && step[1] == 1) {        \
      for (size_t i = 0; i < n; i++) {         \
        type a = as[i];                        \
        type b = bs[i];                        \
        y[i] = value;                          \
      }                                        \
    } else if (step[0] == 1 && step[1] == 0) { \
      type b = bs[0];                          \
      for (size_t i = 0; i < n; i++) {         \
        type a = as[i];                        \
        y[i] = value;                          \
      }                                        \
    } else {                                   \
      for (size_t i = 0; i < n; i++) {         \
        type a = as[i * step[0]];              \
        type b = bs[i * step[1]];              \
        y[i] = value;                          \
      }                                        \
    }                                          \
  }

ALWAYS_INLINE void
where_row (void *const *at, const size_t *step, size_t n)
{
  const uint8_t *condition = at[0];
  const float *a = at[1], *b = at[2];
  float *y = at[3];
  if (step[0] == 1 && step[1] == 1 && step[2] == 1) {
    for (size_t i = 0; i < n; i++)
      y[i] = condition[i] ? a[i] : b[i];
  } else if (step[0] == 1 && step[1] == 1 && step[2] == 0) {
    for (size_t i = 0; i < n; i++)
      y[i] = condition[i] ? a[i] : b[0];
  } else if (step[0] == 1 && step[1] == 0 && step[2] == 1) {
    for (size_t i = 0; i < n; i++)
      y[i] = condition[i] ? a[0] : b[i];
  } else {
    for (size_t i = 0; i < n; i++)
      y[i] = condition[i * step[0]] ? a[i * step[1]] : b[i * step[2]];
  }
}

#define KERNEL(id, ...)                                                                        \
  static void id##_run (const void *params, void *const *buffers, void *scratch, size_t first, \
                        size_t last)                                                           \
  {                                                                                            \
    static const uint8_t sizes[4] = {__VA_ARGS__};                                             \
    select_run (params, buffers, first, last, sizes, id##_row);                                \
  }                                                                                            \
  const SlKernel SL_KERNEL_NAME (sl_kernel_##id) = {                                           \
      .name = #id,                                                                             \
      .params_size = sizeof (SlSelectParams),                                                  \
      .tiles = select_tiles,                                                                   \
      .run = id##_run,                                                                         \
  };

#define OF_TWO(id, type, value)                                                                   \
  ALWAYS_INLINE void id##_row (void *const *at, const size_t *step, size_t n) LOOPS (type, value) \
      KERNEL (id, sizeof (type), sizeof (type), 1)

OF_TWO (equal, float, a == b)
OF_TWO (less, float, a < b)
OF_TWO (less_or_equal, float, a <= b)
OF_TWO (and, uint8_t, a &b)
OF_TWO (or, uint8_t, (a | b) != 0)
OF_TWO (xor, uint8_t, (a != 0) != (b != 0))
KERNEL (where, 1, sizeof (float), sizeof (float), sizeof (float))
