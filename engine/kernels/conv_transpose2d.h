/* Two-dimensional transposed convolution over NHWC rows. */
#pragma once

#include "kernels/kernel.h"

/* Strides beyond this are not worth packing for: they are left to the reference. */
#define SL_TRANSPOSED_STRIDE_MAX 64

/* Kernel "conv_transpose2d".
 *
 * out[n][y][x][o] = act (bias[o] + sum over ky, kx, i with y + pt = iy*sh + ky*dh and
 *                        x + pl = ix*sw + kx*dw of in[n][iy][ix][i] * w[i][o][ky][kx])
 * where group g reads channels g*in_c/groups … and writes g*out_c/groups …. Strides from pixel to
 * pixel as in SlConv2dParams; channels of both sides at least 1, strides sh and sw at most
 * SL_TRANSPOSED_STRIDE_MAX.
 *
 * Operands: 0 input, 1 packed weights, 2 bias [out_c] or NULL, 3 output. */
typedef struct SlConvTranspose2dParams {
  uint32_t batch, groups;
  uint32_t in_h, in_w, in_c;
  uint32_t out_h, out_w, out_c;
  uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  uint32_t pad_top, pad_left;
  uint32_t in_stride, out_stride;
  SlAct act;
} SlConvTranspose2dParams;

/* Kernel "depthwise_transposed2d": the same with groups = in_c = out_c; weights [kernel_h *
 * kernel_w][channels]. */

/* Kernel "pack_transposed2d": weights [groups * group_in][group_out][kernel_h][kernel_w] → for each
 * phase (y, x) of the strides, for each group, panels as "pack_weights" makes them, whose depth is
 * the phase's taps (ky, kx) and the input channels. Each tap belongs to one phase, so the elements
 * are as many as sl_packed_elements (group_out, kernel_h * kernel_w * group_in, panel) * groups.
 *
 * Operands: 0 weights, 1 panels. */
typedef struct SlPackTransposedParams {
  uint32_t groups, group_in, group_out;
  uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  uint32_t width; /* of a panel, as in SlPackParams */
} SlPackTransposedParams;

/* --- Phases --- */

/* A transposed convolution of stride s is s ordinary convolutions of stride 1 along each axis: the
 * outputs whose position (padding included) leaves the remainder r when divided by s see the taps k
 * with k * dilation % s = r and no others. One phase of one axis: */
typedef struct SlPhase {
  size_t taps, first, step; /* of the kernel: first, first + step, … */
  ptrdiff_t tap_step;       /* input positions from one tap to the next, backwards */
  size_t out_first, outs;   /* of the output: out_first, out_first + stride, … */
  ptrdiff_t in_first;       /* input position of the first tap for the first output */
} SlPhase;

static inline size_t
sl_greatest_divisor (size_t a, size_t b)
{
  while (b > 0) {
    size_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* The taps of phase `r`; nothing of the pictures. */
static inline SlPhase
sl_phase_taps (size_t r, size_t kernel, size_t stride, size_t dilation)
{
  size_t divisor = sl_greatest_divisor (stride, dilation);
  SlPhase phase = {.step = stride / divisor, .tap_step = (ptrdiff_t)(dilation / divisor)};
  while (phase.first < phase.step && phase.first * dilation % stride != r)
    phase.first++;
  if (phase.first < phase.step && phase.first < kernel)
    phase.taps = (kernel - phase.first - 1) / phase.step + 1;
  return phase;
}

static inline SlPhase
sl_phase_of (size_t r, size_t kernel, size_t stride, size_t dilation, size_t pad, size_t out)
{
  SlPhase phase = sl_phase_taps (r, kernel, stride, dilation);
  phase.out_first = (r + stride - pad % stride) % stride;
  if (phase.out_first < out)
    phase.outs = (out - phase.out_first - 1) / stride + 1;
  phase.in_first = ((ptrdiff_t)(phase.out_first + pad) - (ptrdiff_t)(phase.first * dilation)) /
                   (ptrdiff_t)stride;
  return phase;
}

/* Taps of the phases before (ry, rx), which the packed weights hold first. */
static inline size_t
sl_phase_taps_before (size_t ry, size_t rx, size_t kernel_h, size_t kernel_w, size_t stride_h,
                      size_t stride_w, size_t dilation_h, size_t dilation_w)
{
  size_t rows = 0, cols = 0;
  for (size_t r = 0; r < ry; r++)
    rows += sl_phase_taps (r, kernel_h, stride_h, dilation_h).taps;
  for (size_t r = 0; r < rx; r++)
    cols += sl_phase_taps (r, kernel_w, stride_w, dilation_w).taps;
  return rows * kernel_w + sl_phase_taps (ry, kernel_h, stride_h, dilation_h).taps * cols;
}
