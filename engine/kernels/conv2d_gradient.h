/* What a convolution's weights and bias get from the gradient of its output. */
#pragma once

#include "kernels/conv2d.h"

/* dw[o][i][ky][kx] = sum over n, y, x of dy[n][y][x][o] * in[n][y*sh + ky*dh - pt][x*sw + kx*dw -
 * pl][i], db[o] = sum over n, y, x of dy[n][y][x][o].
 *
 * Two steps: parts of the pixels are summed on their own, then the parts are added up. Pictures are
 * those of the convolution: in_* is its input, out_* is dy; residual_stride and act are not read.
 * What a tap sees outside of a picture is 0, or no product at all: where dy is not finite, that
 * weight may be NaN.
 *
 * Kernel "conv2d_weight_parts". Operands: 0 input, 1 dy, 2 parts.
 * Kernel "depthwise2d_weight_parts": the same for groups = in_c = out_c.
 * Kernel "sum_weight_parts". Operands: 0 parts, 1 dw. Kernel "sum_bias_parts": 0 parts, 1 db.
 *
 * Parts are [parts][groups][taps * in_c / groups + 1][out_c / groups, rounded up to vectors], the
 * last row being that of the bias; of a depthwise convolution [parts][taps + 1][out_c rounded up].
 */
typedef struct SlConv2dGradientParams {
  SlConv2dParams conv;
  uint32_t parts; /* sl_conv2d_gradient_parts() */
  bool bias;      /* somebody wants db */
} SlConv2dGradientParams;

static inline bool
sl_conv2d_is_depthwise (const SlConv2dParams *p)
{
  return p->groups > 1 && p->groups == p->in_c && p->groups == p->out_c;
}

/* Few pixels in a picture: whole pictures are summed together, else rows of one. */
#define SL_CONV2D_SMALL_PICTURE 64

/* Pictures or rows of pictures, of which parts are made. */
static inline size_t
sl_conv2d_gradient_units (const SlConv2dParams *p)
{
  bool small = (size_t)p->out_h * p->out_w <= SL_CONV2D_SMALL_PICTURE;
  return small ? p->batch : (size_t)p->batch * p->out_h;
}

/* Enough parts for 16 threads, where each is worth its own sums and all of them fit into a second
 * cache; what is missing then is cut by taps. */
static inline uint32_t
sl_conv2d_gradient_cpu_parts (const SlConv2dParams *p)
{
  size_t weights = (size_t)p->out_c * (p->in_c / p->groups) * p->kernel_h * p->kernel_w;
  size_t parts = (size_t)p->batch * p->out_h * p->out_w / 256, units = sl_conv2d_gradient_units (p);
  size_t room = ((size_t)1 << 18) / (weights > 0 ? weights : 1);
  parts = parts < 16 ? parts : 16;
  parts = parts < room ? parts : room;
  parts = parts < units ? parts : units;
  return parts > 0 ? (uint32_t)parts : 1;
}

/* Columns of a part, for a set whose vectors hold `panel`. */
static inline size_t
sl_conv2d_gradient_pitch (const SlConv2dParams *p, size_t panel)
{
  size_t cols = sl_conv2d_is_depthwise (p) ? p->out_c : p->out_c / p->groups;
  return (cols + panel - 1) / panel * panel;
}

/* Elements of one part. */
static inline size_t
sl_conv2d_gradient_part (const SlConv2dParams *p, size_t panel)
{
  bool depthwise = sl_conv2d_is_depthwise (p);
  size_t rows = (size_t)p->kernel_h * p->kernel_w * (p->in_c / p->groups) + 1;
  return (depthwise ? 1 : p->groups) * rows * sl_conv2d_gradient_pitch (p, panel);
}

/* On a GPU: enough workgroups to keep it busy, where each has some hundred pixels. What a part sees
 * has to fit into what a device binds at once, and so have all parts together, as long as both can;
 * devices bind twice these 64 MiB. */
static inline uint32_t
sl_conv2d_gradient_gpu_parts (const SlConv2dParams *p, size_t panel_width)
{
  const size_t bound = (size_t)1 << 24;
  size_t group_in = p->in_c / p->groups, cols = sl_conv2d_gradient_pitch (p, panel_width);
  size_t rows = (size_t)p->kernel_h * p->kernel_w * group_in;
  size_t groups = sl_conv2d_is_depthwise (p) ? 1 : p->groups;
  size_t tiles = groups * ((rows + 63) / 64) * ((cols + 63) / 64);
  size_t pixels = (size_t)p->batch * p->out_h * p->out_w;
  size_t seen = (size_t)p->batch * p->in_h * p->in_w * p->in_c + pixels * p->out_c;
  size_t parts = pixels / 256, busy = (255 + tiles) / tiles, least = (seen + bound - 1) / bound;
  size_t room = bound / sl_conv2d_gradient_part (p, panel_width);
  parts = parts < busy ? parts : busy;
  parts = parts < 64 ? parts : 64;
  parts = parts > least ? parts : least;
  parts = parts < room ? parts : room;
  return parts > 0 ? (uint32_t)parts : 1;
}

/* `panel_width`: SlTarget's. */
static inline uint32_t
sl_conv2d_gradient_parts (const SlConv2dParams *p, size_t panel_width)
{
  return panel_width > 0 ? sl_conv2d_gradient_gpu_parts (p, panel_width)
                         : sl_conv2d_gradient_cpu_parts (p);
}
