/* Winograd's convolution: 3x3 windows at stride 1 with a fraction of the multiplications. */
#pragma once

#include "kernels/conv2d.h"

/* Kernels "winograd_f23" and "winograd_f43", after A. Lavin and S. Gray, "Fast Algorithms for
 * Convolutional Neural Networks" (arXiv 1509.09308), F(2x2, 3x3) and F(4x4, 3x3): a tile of 2 x 2
 * (4 x 4) outputs takes 16 (36) products for each pair of channels where the direct form takes 36
 * (144). Parameters, operands and meaning are conv2d's, with a 3x3 kernel, stride 1, dilation 1 and
 * one group; weights come from "pack_winograd".
 *
 * Results differ from the direct form's by rounding: the largest difference is some 1e-6 (F(2,3)
 * 3e-7) of the largest output; integers are not exact. An infinity in the input gives NaN, and one
 * of either spreads over the tiles it touches. */

/* Kernel "pack_winograd": weights [out_c][in_c][3][3], or turned ones, [in_c][out_c][3][3] whose
 * windows are read from their end (what a convolution's input gets is a convolution with those) →
 * for each group of SL_WINOGRAD_GROUP output
 * channels, for each of the (tile + 2)^2 points of the transform, the matrix [in_c][channels] in
 * panels [in_c][columns] as wide as the instruction set likes them. The last group has the channels
 * that are left, and zeros up to a multiple of SL_WINOGRAD_COLS. With a `width` there is one group
 * of all channels, in panels of so many columns. Every window becomes G g G^T, in double precision,
 * rounded once.
 *
 * Operands: 0 weights, 1 panels. Packed size: sl_winograd_elements(). */
#define SL_WINOGRAD_GROUP 64
#define SL_WINOGRAD_COLS 16
typedef struct SlPackWinogradParams {
  uint32_t tile; /* 2 or 4 */
  uint32_t in_c, out_c;
  uint32_t turned; /* 0 or 1 */
  uint32_t width;  /* of a panel: SlTarget.panel_width, SL_WINOGRAD_COLS or 0 */
} SlPackWinogradParams;

static inline size_t
sl_winograd_elements (const SlPackWinogradParams *p)
{
  size_t side = p->tile + 2, cols = p->out_c + SL_WINOGRAD_COLS - 1;
  return side * side * p->in_c * (cols / SL_WINOGRAD_COLS * SL_WINOGRAD_COLS);
}

/* --- Which form for which layer --- */

/* Microseconds that a layer took in each form: square maps with padding 1, one image, one thread,
 * weights out of the near cache. */
typedef struct SlWinogradTiming {
  uint16_t size; /* height and width of input and output */
  uint16_t in_c, out_c;
  float direct, f23, f43;
} SlWinogradTiming;

/* Layers timed on one instruction set, ended by a row of size 0. Never NULL. */
const SlWinogradTiming *sl_winograd_timings (SlIsa isa);

/* The side of the output tile, 2 or 4, or 0 for the direct form, which is the rule where Winograd's
 * is not defined. Times are those of the nearest row of the table (smallest sum of squared
 * logarithms of the ratios of pixels, in_c and out_c), each scaled by the products that its form
 * computes for the layer, so that maps pay for what sticks out of their tiles. A form with larger
 * weights has to win by 5 %. NULL for `timings`: direct.
 *
 * `packs`: the weights change, and are packed in each run. Then it is F(2,3), whose rounding is the
 * direct form's, or nothing, and there have to be pixels enough to pay for packing. */
uint32_t sl_winograd_choose (const SlWinogradTiming *timings, const SlConv2dParams *params,
                             bool packs);
