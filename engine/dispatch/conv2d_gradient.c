#include "kernels/conv2d_gradient.h"
#include "dispatch/batch_norm.h"
#include "dispatch/forms.h"
#include "shaders/depthwise_weights.h"
#include "shaders/gemm_weights.h"
#include "shaders/group.h"
#include "shaders/ops.h"
#include "shaders/panel.h"
#include "shaders/sum_weights.h"

/* Invocations of a GPU that share a weight of a depthwise convolution, in each part. */
#define TAP_LANES 8

/* How the parts lie; a depthwise convolution is one group of columns without channels. */
typedef struct Layout {
  uint32_t groups, cols, channels; /* of a group */
  uint32_t taps, rows, pitch;      /* rows: of weights, behind which lies that of the bias */
  size_t group, part;              /* elements */
} Layout;

static Layout
layout_of (const SlConv2dParams *c)
{
  const bool depthwise = sl_conv2d_is_depthwise (c);
  Layout layout = {.groups = depthwise ? 1 : c->groups,
                   .cols = depthwise ? c->out_c : c->out_c / c->groups,
                   .channels = c->in_c / c->groups,
                   .taps = c->kernel_h * c->kernel_w,
                   .pitch = (uint32_t)sl_conv2d_gradient_pitch (c, PANEL),
                   .part = sl_conv2d_gradient_part (c, PANEL)};
  layout.rows = layout.taps * layout.channels;
  layout.group = layout.part / layout.groups;
  return layout;
}

/* --- Parts --- */

/* Some parts: what they see of the pictures. */
typedef struct Piece {
  uint32_t from, n; /* parts */
  uint32_t part_pixels;
  uint32_t first, end;    /* pixels, of those of the first image that they see */
  SlExtent in, dy, parts; /* whole images, the first one first */
} Piece;

static Piece
piece_of (const SlConv2dGradientParams *p, uint32_t from, uint32_t n)
{
  const SlConv2dParams *c = &p->conv;
  const size_t pixels = (size_t)c->out_h * c->out_w, all = c->batch * pixels;
  const size_t part_pixels = (all + p->parts - 1) / p->parts, part = layout_of (c).part;
  const size_t begin = MIN (from * part_pixels, all), end = MIN ((from + n) * part_pixels, all);
  const size_t image = begin / pixels, images = (end + pixels - 1) / pixels - image;
  const size_t in_pixels = (size_t)c->in_h * c->in_w;
  return (Piece){
      .from = from,
      .n = n,
      .part_pixels = (uint32_t)part_pixels,
      .first = (uint32_t)(begin - image * pixels),
      .end = (uint32_t)(end - image * pixels),
      .in = {image * in_pixels * c->in_stride * 4, images * in_pixels, (uint64_t)c->in_c * 4,
             (uint64_t)c->in_stride * 4},
      .dy = {image * pixels * c->out_stride * 4, images * pixels, (uint64_t)c->out_c * 4,
             (uint64_t)c->out_stride * 4},
      .parts = sl_extent (from * part * 4, n * part * 4),
  };
}

static bool
fits (const SlDispatcher *to, const SlExtent *extent)
{
  return sl_extent_get_span (extent) <= sl_gpu_get_range (to->gpu);
}

/* TRUE if runs of `n` channels of operand `index` begin and end at multiples of four. */
static bool
has_fours (const SlDispatcher *to, uint32_t index, uint32_t n, uint32_t stride)
{
  return n % 4 == 0 && stride % 4 == 0 && sl_dispatch_is_aligned (to, index, 0);
}

static void
add_product (SlDispatcher *to, const SlConv2dParams *c, const Piece *piece)
{
  const Layout layout = layout_of (c);
  const SlGemmWeightsPush push = {
      .rows = layout.rows,
      .cols = layout.cols,
      .channels = layout.channels,
      .groups = layout.groups,
      .parts = piece->n,
      .taps_w = c->kernel_w,
      .part_pixels = piece->part_pixels,
      .first = piece->first,
      .end = piece->end,
      .pixels = c->out_h * c->out_w,
      .width = c->out_w,
      .in_h = c->in_h,
      .in_w = c->in_w,
      .stride_h = (int32_t)c->stride_h,
      .stride_w = (int32_t)c->stride_w,
      .step_h = (int32_t)c->dilation_h,
      .step_w = (int32_t)c->dilation_w,
      .pad_h = c->pad_top,
      .pad_w = c->pad_left,
      .in_pixel = c->in_stride,
      .in_image = c->in_h * c->in_w * c->in_stride,
      .in_group = layout.channels,
      .dy_pixel = c->out_stride,
      .pitch = layout.pitch,
      .out_group = (uint32_t)layout.group,
      .out_part = (uint32_t)layout.part,
  };
  uint32_t splits; /* parts are what this product's depth is cut into */
  const SlProductForm *form = sl_product_choose_form (to->gpu, layout.rows, layout.cols, 1,
                                                      layout.groups * piece->n, false, &splits);
  /* Rows of a CPU's workgroup: VECTORS of the shader times four for each lane. */
  const uint32_t rows = form->for_cpu ? form->local * 8 : form->rows;
  const uint32_t cols = form->for_cpu ? PANEL : form->cols;
  SlDispatch *record = sl_dispatch_add (to,
                                        form->for_cpu      ? &sl_shader_gemm_weights_lanes
                                        : form->rows == 64 ? &sl_shader_gemm_weights_tiles64
                                                           : &sl_shader_gemm_weights_tiles32,
                                        &push);
  record->specs[SL_GEMM_WEIGHTS_LOCAL_SIZE] = form->local;
  record->specs[SL_GEMM_WEIGHTS_READS_FOURS] = has_fours (to, 0, layout.channels, c->in_stride);
  record->specs[SL_GEMM_WEIGHTS_TAKES_FOURS] = has_fours (to, 1, layout.cols, c->out_stride);
  sl_dispatch_bind (record, 0, 0, piece->in, 4, offsetof (SlGemmWeightsPush, at_in));
  sl_dispatch_bind (record, 1, 1, piece->dy, 4, offsetof (SlGemmWeightsPush, at_dy));
  sl_dispatch_bind (record, 2, 2, piece->parts, 4, offsetof (SlGemmWeightsPush, at_out));
  sl_dispatch_groups (record, to->gpu,
                      (uint64_t)((layout.cols + cols - 1) / cols) *
                          ((layout.rows + rows - 1) / rows) * layout.groups * piece->n,
                      1);
}

static void
add_depthwise (SlDispatcher *to, const SlConv2dParams *c, const Piece *piece)
{
  const Layout layout = layout_of (c);
  const SlDepthwiseWeightsPush push = {
      .channels = layout.cols,
      .taps = layout.taps,
      .taps_w = c->kernel_w,
      .parts = piece->n,
      .part_pixels = piece->part_pixels,
      .first = piece->first,
      .end = piece->end,
      .pixels = c->out_h * c->out_w,
      .width = c->out_w,
      .in_h = c->in_h,
      .in_w = c->in_w,
      .stride_h = (int32_t)c->stride_h,
      .stride_w = (int32_t)c->stride_w,
      .step_h = (int32_t)c->dilation_h,
      .step_w = (int32_t)c->dilation_w,
      .pad_h = c->pad_top,
      .pad_w = c->pad_left,
      .in_pixel = c->in_stride,
      .in_image = c->in_h * c->in_w * c->in_stride,
      .dy_pixel = c->out_stride,
      .pitch = layout.pitch,
      .out_part = (uint32_t)layout.part,
  };
  const bool by_fours =
      has_fours (to, 0, layout.cols, c->in_stride) && has_fours (to, 1, layout.cols, c->out_stride);
  const uint32_t down = sl_batch_get_down (to->gpu, TAP_LANES);
  SlDispatch *record = sl_dispatch_add (
      to, to->gpu->is_cpu ? &sl_shader_depthwise_weights_texels : &sl_shader_depthwise_weights,
      &push);
  record->specs[SL_DEPTHWISE_WEIGHTS_DOWN] = down;
  record->specs[SL_DEPTHWISE_WEIGHTS_BY_FOURS] = by_fours;
  sl_dispatch_bind (record, 0, 0, piece->in, 4, offsetof (SlDepthwiseWeightsPush, at_in));
  sl_dispatch_bind (record, 1, 1, piece->dy, 4, offsetof (SlDepthwiseWeightsPush, at_dy));
  sl_dispatch_bind (record, 2, 2, piece->parts, 4, offsetof (SlDepthwiseWeightsPush, at_out));
  sl_dispatch_groups (record, to->gpu,
                      (uint64_t)piece->n * layout.taps * layout.cols / (by_fours ? 4 : 1),
                      GROUP / down);
}

/* Appends the records of `n` parts, cut until the device can bind what they see. */
static bool
dispatch_weights (SlDispatcher *to, const SlConv2dGradientParams *p, uint32_t from, uint32_t n)
{
  const Piece piece = piece_of (p, from, n);
  if (fits (to, &piece.in) && fits (to, &piece.dy) && fits (to, &piece.parts)) {
    if (sl_conv2d_is_depthwise (&p->conv))
      add_depthwise (to, &p->conv, &piece);
    else
      add_product (to, &p->conv, &piece);
    return true;
  }
  return n > 1 && dispatch_weights (to, p, from, n / 2) &&
         dispatch_weights (to, p, from + n / 2, n - n / 2);
}

/* Parts of the bias are sums of dy. */
static bool
dispatch_bias (SlDispatcher *to, const SlConv2dGradientParams *p)
{
  const SlConv2dParams *c = &p->conv;
  const Layout layout = layout_of (c);
  const size_t rows = (size_t)c->batch * c->out_h * c->out_w;
  const SlBatchParts parts = {
      .push = {.rows = (uint32_t)rows,
               .part_rows = sl_batch_part_rows (rows, p->parts),
               .parts = p->parts,
               .channels = c->out_c,
               .dy_stride = c->out_stride,
               .out_part = (uint32_t)layout.part,
               .group = layout.cols,
               .out_group = (uint32_t)layout.group},
      .op = BATCH_SUM,
      .x = SL_BATCH_NO_OPERAND,
      .dy = 1,
      .mean = SL_BATCH_NO_OPERAND,
      .inverse = SL_BATCH_NO_OPERAND,
      .out = 2,
      .out_first = (size_t)layout.rows * layout.pitch,
  };
  return sl_batch_parts_dispatch (to, &parts);
}

static uint32_t
dispatch_parts (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlConv2dGradientParams *p = params;
  return dispatch_weights (to, p, 0, p->parts) && (!p->bias || dispatch_bias (to, p)) ? 1 : 0;
}

/* --- The sum of the parts --- */

static uint32_t
dispatch_sum (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlConv2dGradientParams *p = params;
  const Layout layout = layout_of (&p->conv);
  const SlSumWeightsPush push = {
      .groups = layout.groups,
      .cols = layout.cols,
      .channels = layout.channels,
      .taps = layout.taps,
      .parts = p->parts,
      .in_part = (uint32_t)layout.part,
      .in_group = (uint32_t)layout.group,
      .pitch = layout.pitch,
  };
  const uint64_t rows = (uint64_t)layout.groups * layout.rows;
  SlDispatch *record = sl_dispatch_add (
      to, to->gpu->is_cpu ? &sl_shader_sum_weights_texels : &sl_shader_sum_weights, &push);
  sl_dispatch_bind (record, 0, 0, sl_extent (0, p->parts * layout.part * 4), 4,
                    offsetof (SlSumWeightsPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (0, rows * layout.cols * 4), 4,
                    offsetof (SlSumWeightsPush, at_out));
  sl_dispatch_groups (record, to->gpu, rows * ((layout.cols + 3) / 4), GROUP);
  return 1;
}

static uint32_t
dispatch_sum_bias (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlConv2dGradientParams *p = params;
  const Layout layout = layout_of (&p->conv);
  const SlBatchJoinPush push = {.parts = p->parts,
                                .columns = p->conv.out_c,
                                .in_part = (uint32_t)layout.part,
                                .group = layout.cols,
                                .in_group = (uint32_t)layout.group,
                                .out_group = layout.cols};
  sl_batch_join_dispatch (to, &push, BATCH_SUMS, (size_t)layout.rows * layout.pitch, 0);
  return 1;
}

#define ENTRY(name, function)                           \
  {                                                     \
    name, sizeof (SlConv2dGradientParams), function, 0, \
    {                                                   \
      0                                                 \
    }                                                   \
  }

const SlDispatchEntry sl_dispatch_conv2d_gradient[] = {
    ENTRY ("conv2d_weight_parts", dispatch_parts),
    ENTRY ("depthwise2d_weight_parts", dispatch_parts),
    ENTRY ("sum_weight_parts", dispatch_sum),
    ENTRY ("sum_bias_parts", dispatch_sum_bias),
    {0},
};
