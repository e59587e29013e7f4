/* The products inside Winograd's convolution. */
#pragma once

#include "kernels/vector.h"

/* Sums of PRODUCT_VECS × PRODUCT_ROWS vectors stay in registers; a panel of half the width or less
 * has twice the rows, so that there are sums enough to hide the latency of a multiply-add. */
#if defined __AVX512F__ || defined __aarch64__
#define PRODUCT_VECS 4
#else
#define PRODUCT_VECS 2
#endif
#define PRODUCT_ROWS 6

/* Columns of a panel of weights, except that the last one is as narrow as it can be. */
#define PRODUCT_COLS (PRODUCT_VECS * VEC_WIDTH)

/* `points` products [rows][depth] × [depth][cols], cols a multiple of VEC_WIDTH. */
typedef struct SlProducts {
  size_t points, rows, depth, cols;
  const float *a;          /* [points][rows][depth] */
  const float *b;          /* for each point its panels, [depth][columns of the panel] */
  float *c;                /* [points][rows][cols] */
  size_t a_plane, c_plane; /* floats from a point to the next */
  size_t a_pitch, c_pitch; /* from a row to the next */
} SlProducts;

void SL_KERNEL_NAME (sl_winograd_multiply) (const SlProducts *products);
