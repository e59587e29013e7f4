#include "kernels/outer.h"

/* Where rows have pointers of their own, these take registers that tall tiles do not leave. */
#define POINTER_ROWS 6

typedef struct Part {
  const SlOuter *outer;
  size_t row, col, n_cols;
} Part;

/* All but `p` are constants where this is inlined. */
ALWAYS_INLINE void
add_products (const Part *p, const size_t rows, const size_t vecs, const bool pointers,
              Vec sum[TILE_SUMS])
{
  const SlOuter *o = p->outer;
  const ptrdiff_t a_step = o->a_step[2], b_step = o->b_step[2];
  const float *row[TILE_MOST_ROWS];

  UNROLL
  for (size_t r = 0; r < rows; r++)
    row[r] = pointers ? o->pointers[p->row + r] : o->a + p->row + r;
  for (size_t i = 0; i < o->count[0]; i++)
    for (size_t j = 0; j < o->count[1]; j++) {
      ptrdiff_t a = (ptrdiff_t)i * o->a_step[0] + (ptrdiff_t)j * o->a_step[1];
      const float *b = o->b + p->col + (ptrdiff_t)i * o->b_step[0] + (ptrdiff_t)j * o->b_step[1];
      for (size_t k = o->count[2]; k > 0; k--, a += a_step, b += b_step) {
        Vec w[TILE_VECS];
        UNROLL
        for (size_t v = 0; v < vecs; v++)
          w[v] = vec_load (b + v * VEC_WIDTH);
        UNROLL
        for (size_t r = 0; r < rows; r++) {
          Vec x = vec_splat ((pointers ? row[r] : row[0] + r)[a]);
          UNROLL
          for (size_t v = 0; v < vecs; v++)
            sum[r * vecs + v] = vec_fma (x, w[v], sum[r * vecs + v]);
        }
      }
    }
}

ALWAYS_INLINE void
run_registers (const Part *p, const size_t rows, const size_t vecs, const bool pointers)
{
  Vec sum[TILE_SUMS];
  size_t last = p->n_cols - (vecs - 1) * VEC_WIDTH; /* lanes of the last vector */

  UNROLL
  for (size_t i = 0; i < rows * vecs; i++)
    sum[i] = vec_splat (0);
  add_products (p, rows, vecs, pointers, sum);
  float *c = p->outer->c + p->row * p->outer->c_stride + p->col;
  UNROLL
  for (size_t r = 0; r < rows; r++, c += p->outer->c_stride) {
    UNROLL
    for (size_t v = 0; v < vecs; v++) {
      float *to = c + v * VEC_WIDTH;
      if (v + 1 < vecs || last == VEC_WIDTH)
        vec_store (to, vec_load (to) + sum[r * vecs + v]);
      else
        vec_store_n (to, vec_load_n (to, last) + sum[r * vecs + v], last);
    }
  }
}

typedef void (*OuterFunc) (const Part *part);

#define OUTER(rows, vecs)                              \
  static void outer_##rows##x##vecs (const Part *part) \
  {                                                    \
    run_registers (part, rows, vecs, false);           \
  }
FOR_TILES (OUTER)

#define OUTER_ENTRY(rows, vecs) [vecs - 1][rows - 1] = outer_##rows##x##vecs,
static const OuterFunc along[TILE_VECS][TILE_MOST_ROWS] = {FOR_TILES (OUTER_ENTRY)};

#if TILE_VECS == 4
#define FOR_POINTERS(X) ROWS_6 (X, 1) ROWS_6 (X, 2) ROWS_6 (X, 3) ROWS_6 (X, 4)
#else
#define FOR_POINTERS(X) ROWS_6 (X, 1) ROWS_6 (X, 2)
#endif

#define POINTED(rows, vecs)                              \
  static void pointed_##rows##x##vecs (const Part *part) \
  {                                                      \
    run_registers (part, rows, vecs, true);              \
  }
FOR_POINTERS (POINTED)

#define POINTED_ENTRY(rows, vecs) [vecs - 1][rows - 1] = pointed_##rows##x##vecs,
static const OuterFunc pointed[TILE_VECS][POINTER_ROWS] = {FOR_POINTERS (POINTED_ENTRY)};

void
SL_KERNEL_NAME (sl_outer_add) (const SlOuter *outer)
{
  Part part = {.outer = outer};

  for (size_t i = 0; i < panel_count (outer->cols); i++) {
    part.col = panel_begin (outer->cols, i);
    part.n_cols = min_size (outer->cols, panel_begin (outer->cols, i + 1)) - part.col;
    size_t vecs = ceil_div (part.n_cols, VEC_WIDTH);
    size_t most = outer->pointers ? POINTER_ROWS : tile_rows (vecs);
    size_t parts = ceil_div (outer->rows, most);
    for (size_t j = 0; j < parts; j++) {
      part.row = part_begin (outer->rows, parts, j);
      size_t rows = part_begin (outer->rows, parts, j + 1) - part.row;
      (outer->pointers ? pointed[vecs - 1] : along[vecs - 1])[rows - 1](&part);
    }
  }
}
