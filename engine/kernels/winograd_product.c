#include "kernels/winograd_product.h"

/* Not sl_tile_run(), which takes pointers, bias, residual and activation: at a depth of 16 they
 * made more than half of its instructions. */

/* What a pass along the depth reads of a panel stays in the first cache for all rows. */
#define PASS_BYTES (24 * 1024)

/* rows × vecs sums over a part of the depth. */
typedef struct Product {
  const float *a; /* [rows], `a_pitch` from one to the next */
  const float *b; /* [depth][vecs] */
  float *c;       /* [rows], `c_pitch` from one to the next */
  size_t a_pitch, c_pitch, depth;
  bool carries;      /* c holds the sums of earlier passes */
  const char *ahead; /* memory that will be wanted next; a step fetches AHEAD_LINES from here */
  size_t ahead_step;
} Product;

/* Lines of a panel that a step fetches: all of its share where two parts of rows share the panel.
 */
#define AHEAD_LINES(vecs) (((vecs)*VEC_WIDTH * sizeof (float) + 127) / 128)

ALWAYS_INLINE void
product (const Product *p, const size_t rows, const size_t vecs)
{
  Vec sum[2 * PRODUCT_ROWS][PRODUCT_VECS];
  const float *a[2 * PRODUCT_ROWS], *b = p->b;
  const char *ahead = p->ahead;
  size_t depth = p->depth, ahead_step = p->ahead_step;

  UNROLL
  for (size_t r = 0; r < rows; r++) {
    a[r] = p->a + r * p->a_pitch;
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      sum[r][v] = vec_splat (0);
  }
  if (p->carries) {
    UNROLL
    for (size_t r = 0; r < rows; r++) {
      UNROLL
      for (size_t v = 0; v < vecs; v++)
        sum[r][v] = vec_load (p->c + r * p->c_pitch + v * VEC_WIDTH);
    }
  }
  for (size_t k = 0; k < depth; k++) {
    Vec w[PRODUCT_VECS];
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      w[v] = vec_load (b + v * VEC_WIDTH);
    UNROLL
    for (size_t line = 0; line < AHEAD_LINES (vecs); line++)
      __builtin_prefetch (ahead + line * 64, 0, 2);
    UNROLL
    for (size_t r = 0; r < rows; r++) {
      Vec x = vec_splat (a[r][k]);
      UNROLL
      for (size_t v = 0; v < vecs; v++)
        sum[r][v] = vec_fma (x, w[v], sum[r][v]);
    }
    b += vecs * VEC_WIDTH;
    ahead += ahead_step;
  }
  UNROLL
  for (size_t r = 0; r < rows; r++) {
    UNROLL
    for (size_t v = 0; v < vecs; v++)
      vec_store (p->c + r * p->c_pitch + v * VEC_WIDTH, sum[r][v]);
  }
}

#define PRODUCT(rows, vecs)                              \
  static void product_##vecs##_##rows (const Product *p) \
  {                                                      \
    product (p, rows, vecs);                             \
  }
#define ENTRY(rows, vecs) product_##vecs##_##rows,
#define SIX(X, vecs) X (1, vecs) X (2, vecs) X (3, vecs) X (4, vecs) X (5, vecs) X (6, vecs)
#define TWELVE(X, vecs) \
  SIX (X, vecs) X (7, vecs) X (8, vecs) X (9, vecs) X (10, vecs) X (11, vecs) X (12, vecs)
typedef void (*ProductFunc) (const Product *p);
#if PRODUCT_VECS == 4
TWELVE (PRODUCT, 1)
TWELVE (PRODUCT, 2)
SIX (PRODUCT, 3)
SIX (PRODUCT, 4)
static const ProductFunc funcs[PRODUCT_VECS][2 * PRODUCT_ROWS] = {
    {TWELVE (ENTRY, 1)}, {TWELVE (ENTRY, 2)}, {SIX (ENTRY, 3)}, {SIX (ENTRY, 4)}};
#else
TWELVE (PRODUCT, 1)
SIX (PRODUCT, 2)
static const ProductFunc funcs[PRODUCT_VECS][2 * PRODUCT_ROWS] = {{TWELVE (ENTRY, 1)},
                                                                  {SIX (ENTRY, 2)}};
#endif

/* One panel for all rows: pass by pass through the depth, in each pass down the rows, which
 * meanwhile fetch the next pass's piece of the panel, or the next panel. */
static void
multiply_panel (const SlProducts *all, const float *a, const float *b, size_t vecs, float *c)
{
  size_t vec_bytes = vecs * VEC_WIDTH * sizeof (float);
  size_t max_rows = vecs * 2 <= PRODUCT_VECS ? 2 * PRODUCT_ROWS : PRODUCT_ROWS;
  size_t parts = ceil_div (all->rows, max_rows);
  size_t passes = parts == 1 ? 1 : ceil_div (all->depth * vec_bytes, PASS_BYTES);

  for (size_t pass = 0; pass < passes; pass++) {
    size_t k0 = part_begin (all->depth, passes, pass);
    size_t k1 = part_begin (all->depth, passes, pass + 1);
    Product p = {.b = b + k0 * vecs * VEC_WIDTH,
                 .a_pitch = all->a_pitch,
                 .c_pitch = all->c_pitch,
                 .depth = k1 - k0,
                 .carries = pass > 0,
                 .ahead_step = vec_bytes / parts};
    p.ahead = (const char *)p.b + p.depth * vec_bytes;
    for (size_t part = 0; part < parts; part++) {
      size_t row = part_begin (all->rows, parts, part);
      size_t rows = part_begin (all->rows, parts, part + 1) - row;
      p.a = a + row * all->a_pitch + k0;
      p.c = c + row * all->c_pitch;
      funcs[vecs - 1][rows - 1](&p);
      p.ahead += p.depth * p.ahead_step;
    }
  }
}

void
SL_KERNEL_NAME (sl_winograd_multiply) (const SlProducts *products)
{
  const float *a = products->a, *b = products->b;
  float *c = products->c;

  for (size_t point = 0; point < products->points; point++) {
    for (size_t col = 0; col < products->cols; col += PRODUCT_COLS) {
      size_t width = min_size (PRODUCT_COLS, products->cols - col);
      multiply_panel (products, a, b, width / VEC_WIDTH, c + col);
      b += width * products->depth;
    }
    a += products->a_plane;
    c += products->c_plane;
  }
}
