#include "kernels/reduce.h"
#include "kernels/grid.h"

/* What is done to an element on its way in, how two partial results become one, and what is done
 * last. */
typedef struct Reduction {
  float neutral;
  Vec (*take) (Vec x);
  Vec (*join) (Vec a, Vec b);
  float (*finish) (float total, size_t count);
} Reduction;

/* The tree: ranges above LEAF steps are halved, smaller ones summed over PARTIALS interleaved
 * chains. */
#define LEAF 256
#define PARTIALS 4

/* `step` elements between the vectors that are joined. */
ALWAYS_INLINE Vec
reduce_leaf (const float *x, size_t count, size_t step, size_t lanes, const Reduction op)
{
  Vec part[PARTIALS];
  size_t i = 0;

  for (int j = 0; j < PARTIALS; j++)
    part[j] = vec_splat (op.neutral);
  if (lanes == VEC_WIDTH)
    for (; i + PARTIALS <= count; i += PARTIALS)
      for (size_t j = 0; j < PARTIALS; j++)
        part[j] = op.join (part[j], op.take (vec_load (x + (i + j) * step)));
  for (; i < count; i++)
    part[i % PARTIALS] = op.join (part[i % PARTIALS], op.take (vec_load_n (x + i * step, lanes)));
  return op.join (op.join (part[0], part[1]), op.join (part[2], part[3]));
}

/* Halves joined pairwise: the sums of equal leaves meet like digits of a binary counter. */
ALWAYS_INLINE Vec
reduce_tree (const float *x, size_t count, size_t step, size_t lanes, const Reduction op)
{
  Vec level[64];
  size_t leaves = 0, depth = 0;

  for (size_t i = 0; i < count; i += LEAF, leaves++) {
    Vec leaf = reduce_leaf (x + i * step, min_size (LEAF, count - i), step, lanes, op);
    for (size_t bits = leaves; bits & 1; bits >>= 1)
      leaf = op.join (level[--depth], leaf);
    level[depth++] = leaf;
  }
  Vec total = vec_splat (op.neutral);
  if (depth > 0)
    total = level[--depth];
  while (depth > 0)
    total = op.join (level[--depth], total);
  return total;
}

/* A contiguous axis: vectors along it, then the lanes of the result, then what is left over. */
ALWAYS_INLINE float
reduce_contiguous (const float *x, size_t axis, const Reduction op)
{
  size_t vectors = axis / VEC_WIDTH, rest = axis % VEC_WIDTH;
  Vec total = reduce_tree (x, vectors, VEC_WIDTH, VEC_WIDTH, op);

  if (rest > 0) {
    float lane[VEC_WIDTH];
    Vec last = op.take (vec_load_n (x + vectors * VEC_WIDTH, rest));
    memcpy (lane, &last, sizeof lane);
    for (size_t i = rest; i < VEC_WIDTH; i++)
      lane[i] = op.neutral;
    total = op.join (total, vec_load (lane));
  }
  float lane[2 * VEC_WIDTH] = {0};
  memcpy (lane, &total, sizeof total);
  for (size_t half = VEC_WIDTH / 2; half > 0; half /= 2) {
    Vec joined = op.join (vec_load (lane), vec_load (lane + half));
    memcpy (lane, &joined, sizeof joined);
  }
  return op.finish (lane[0], axis);
}

static SlPlaneGrid
reduce_grid (const SlReduceParams *p)
{
  return plane_grid (p->outer, p->inner, GRID_ELEMENTS / max_size (1, p->axis));
}

static size_t
reduce_tiles (const void *params)
{
  SlPlaneGrid grid = reduce_grid (params);
  return plane_tiles (&grid);
}

ALWAYS_INLINE void
reduce_run (const SlReduceParams *p, void *const *buffers, size_t first, size_t last,
            const Reduction op)
{
  SlPlaneGrid grid = reduce_grid (p);

  for (size_t t = first; t < last; t++) {
    SlPlaneTile tile = plane_tile (&grid, t);
    for (size_t r = tile.row; r < tile.row + tile.rows; r++) {
      const float *in = (const float *)buffers[0] + r * p->in_outer_stride;
      float *out = (float *)buffers[1] + r * p->out_outer_stride;
      if (p->inner == 1 && p->in_axis_stride == 1) {
        out[0] = reduce_contiguous (in, p->axis, op);
        continue;
      }
      for (size_t c = tile.col; c < tile.col + tile.cols; c += VEC_WIDTH) {
        size_t n = min_size (VEC_WIDTH, tile.col + tile.cols - c);
        Vec total = reduce_tree (in + c, p->axis, p->in_axis_stride, n, op);
        float lane[VEC_WIDTH];
        memcpy (lane, &total, sizeof lane);
        for (size_t i = 0; i < n; i++)
          out[c + i] = op.finish (lane[i], p->axis);
      }
    }
  }
}

ALWAYS_INLINE Vec
as_is (Vec x)
{
  return x;
}

ALWAYS_INLINE Vec
square (Vec x)
{
  return x * x;
}

ALWAYS_INLINE Vec
join_sum (Vec a, Vec b)
{
  return a + b;
}

ALWAYS_INLINE Vec
join_product (Vec a, Vec b)
{
  return a * b;
}

/* NaN wins in both. */
ALWAYS_INLINE Vec
join_max (Vec a, Vec b)
{
  return vec_select (a != a, a, vec_max (a, b));
}

ALWAYS_INLINE Vec
join_min (Vec a, Vec b)
{
  return vec_select (a != a, a, vec_min (a, b));
}

ALWAYS_INLINE float
finish_total (float total, size_t count)
{
  return total;
}

ALWAYS_INLINE float
finish_mean (float total, size_t count)
{
  return total / (float)count;
}

ALWAYS_INLINE float
finish_root (float total, size_t count)
{
  return sqrtf (total);
}

#define REDUCE(op, neutral, take, join, finish)                                                \
  static void op##_run (const void *params, void *const *buffers, void *scratch, size_t first, \
                        size_t last)                                                           \
  {                                                                                            \
    reduce_run (params, buffers, first, last, (Reduction){neutral, take, join, finish});       \
  }                                                                                            \
  const SlKernel SL_KERNEL_NAME (sl_kernel_##op) = {                                           \
      .name = #op,                                                                             \
      .params_size = sizeof (SlReduceParams),                                                  \
      .tiles = reduce_tiles,                                                                   \
      .run = op##_run,                                                                         \
  };

REDUCE (reduce_sum, 0, as_is, join_sum, finish_total)
REDUCE (reduce_mean, 0, as_is, join_sum, finish_mean)
REDUCE (reduce_max, -INFINITY, as_is, join_max, finish_total)
REDUCE (reduce_min, INFINITY, as_is, join_min, finish_total)
REDUCE (reduce_prod, 1, as_is, join_product, finish_total)
REDUCE (reduce_l1, 0, vec_abs, join_sum, finish_total)
REDUCE (reduce_l2, 0, square, join_sum, finish_root)
