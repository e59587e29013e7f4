/* Conv: https://onnx.ai/onnx/operators/onnx__Conv.html, with an optional residual as fourth input.
 */
#include "ops/conv.h"

#include "kernels/conv2d_planes.h"
#include "kernels/gemm.h"
#include "ops/internal.h"

static const SlAttrSpec conv_attrs[] = {
    SL_WINDOW_ATTRS,
    {.name = "group", .type = SL_ATTR_INT, .offset = offsetof (SlConvAttrs, group), .preset = 1},
    {0},
};

/* Shapes: x (N, C, …), w (M, C / group, kernel…), bias (M), y (N, M, …). */
static gboolean
conv_check (const SlNode *node, const SlConvAttrs *attrs, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape, *w = &node->inputs[1]->shape;
  const SlValue *bias = sl_node_input (node, 2);
  g_autofree char *input = sl_shape_to_string (x);
  g_autofree char *weights = sl_shape_to_string (w);
  if (x->rank < 3 || x->rank != w->rank) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "weights of %s do not fit an input of %s", weights,
                   input);
    return FALSE;
  }
  int64_t channels;
  if (attrs->group < 1 || __builtin_mul_overflow (w->dim[1], attrs->group, &channels) ||
      x->dim[1] != channels || w->dim[0] % attrs->group != 0 || attrs->group > MAX (w->dim[0], 1)) {
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "weights of %s in %" G_GINT64_FORMAT " groups do not fit an input of %s",
                   weights, attrs->group, input);
    return FALSE;
  }
  if (bias != NULL && (bias->shape.rank != 1 || bias->shape.dim[0] != w->dim[0])) {
    g_autofree char *shape = sl_shape_to_string (&bias->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "bias is %s, expected %" G_GINT64_FORMAT, shape,
                   w->dim[0]);
    return FALSE;
  }
  return TRUE;
}

static gboolean
conv_infer (SlNode *node, GError **error)
{
  SlConvAttrs *attrs = node->attrs;
  if (!sl_infer_float_inputs (node, error) || !conv_check (node, attrs, error))
    return FALSE;
  const SlShape *x = &node->inputs[0]->shape, *w = &node->inputs[1]->shape;
  if (!sl_window_set_kernel (node, &attrs->window, w, error))
    return FALSE;
  SlShape y = {.rank = x->rank, .dim = {x->dim[0], w->dim[0]}};
  if (!sl_window_infer (node, &attrs->window, x, &y, error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

/* Adds w * x[…] to one output plane for one kernel position. */
static void
add_plane (const SlWindow3 *w, const int64_t k[3], double weight, const double *x, double *y)
{
  for (int64_t od = 0; od < w->out[0]; od++) {
    int64_t id = od * w->stride[0] + k[0] * w->dilation[0] - w->pad[0];
    for (int64_t oh = 0; oh < w->out[1]; oh++) {
      int64_t ih = oh * w->stride[1] + k[1] * w->dilation[1] - w->pad[1];
      if (id < 0 || id >= w->in[0] || ih < 0 || ih >= w->in[1])
        continue;
      const double *from = x + (id * w->in[1] + ih) * w->in[2];
      double *to = y + (od * w->out[1] + oh) * w->out[2];
      for (int64_t ow = 0; ow < w->out[2]; ow++) {
        int64_t iw = ow * w->stride[2] + k[2] * w->dilation[2] - w->pad[2];
        if (iw >= 0 && iw < w->in[2])
          to[ow] += weight * from[iw];
      }
    }
  }
}

/* One output plane: every kernel position of every input channel of the group. */
static void
sum_plane (const SlWindow3 *w, int64_t channels, const double *x, const double *weights, double *y)
{
  int64_t in_plane = w->in[0] * w->in[1] * w->in[2];
  for (int64_t c = 0; c < channels; c++) {
    int64_t k[3];
    for (k[0] = 0; k[0] < w->kernel[0]; k[0]++)
      for (k[1] = 0; k[1] < w->kernel[1]; k[1]++)
        for (k[2] = 0; k[2] < w->kernel[2]; k[2]++)
          add_plane (w, k, *weights++, x + c * in_plane, y);
  }
}

static void
conv_reference (const SlRefCall *call)
{
  const SlConvAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *weights = call->inputs[1];
  const SlRefTensor *bias = call->n_inputs > 2 ? call->inputs[2] : NULL;
  const SlRefTensor *residual = call->n_inputs > 3 ? call->inputs[3] : NULL;
  SlRefTensor *y = call->outputs[0];
  SlWindow3 w = sl_window_3d (&attrs->window, &x->shape, &y->shape);
  int64_t in_plane = w.in[0] * w.in[1] * w.in[2], out_plane = w.out[0] * w.out[1] * w.out[2];
  int64_t n_out = y->shape.dim[1], per_group = x->shape.dim[1] / attrs->group;
  int64_t filter = per_group * w.kernel[0] * w.kernel[1] * w.kernel[2];

  for (int64_t n = 0; n < x->shape.dim[0]; n++) {
    for (int64_t o = 0; o < n_out; o++) {
      int64_t first = (n * attrs->group + o / (n_out / attrs->group)) * per_group;
      double *plane = y->f + (n * n_out + o) * out_plane;
      for (int64_t i = 0; i < out_plane; i++)
        plane[i] = (bias != NULL ? bias->f[o] : 0) +
                   (residual != NULL ? residual->f[plane - y->f + i] : 0);
      sum_plane (&w, per_group, x->f + first * in_plane, weights->f + o * filter, plane);
    }
  }
}

static gboolean
conv_absorb_affine (SlGraph *graph, SlNode *node, SlValue *scale, SlValue *shift)
{
  if (node->n_inputs < 3)
    sl_node_add_input (node, NULL);
  if (scale != NULL)
    sl_node_set_input (node, 1, sl_scale_weights (graph, node->inputs[1], 0, scale));
  sl_node_set_input (node, 2, sl_scale_bias (graph, node->inputs[2], scale, shift));
  return TRUE;
}

static gboolean
conv_absorb_pads (SlNode *node, const SlInts *pads)
{
  SlConvAttrs *attrs = node->attrs;
  return sl_window_absorb_pads (&attrs->window, pads);
}

static gboolean
conv_is_depthwise (const SlNode *node)
{
  const SlConvAttrs *attrs = node->attrs;
  return attrs->group > 1 && attrs->group == node->inputs[0]->shape.dim[1] &&
         attrs->group == node->outputs[0]->shape.dim[1];
}

/* The kernels sum over one channel at least. */
static gboolean
conv_row_major_only (const SlNode *node)
{
  return sl_window_row_major_only (node) || node->inputs[0]->shape.dim[1] == 0;
}

SlConv2dParams
sl_conv_params (const SlConvAttrs *attrs, const SlShape *x, const SlShape *y)
{
  SlWindow3 w = sl_window_3d (&attrs->window, x, y);
  return (SlConv2dParams){
      .batch = (uint32_t)x->dim[0],
      .groups = (uint32_t)attrs->group,
      .in_h = (uint32_t)w.in[1],
      .in_w = (uint32_t)w.in[2],
      .in_c = (uint32_t)x->dim[1],
      .out_h = (uint32_t)w.out[1],
      .out_w = (uint32_t)w.out[2],
      .out_c = (uint32_t)y->dim[1],
      .kernel_h = (uint32_t)w.kernel[1],
      .kernel_w = (uint32_t)w.kernel[2],
      .stride_h = (uint32_t)w.stride[1],
      .stride_w = (uint32_t)w.stride[2],
      .dilation_h = (uint32_t)w.dilation[1],
      .dilation_w = (uint32_t)w.dilation[2],
      .pad_top = (int32_t)w.pad[1],
      .pad_left = (int32_t)w.pad[2],
  };
}

static SlConv2dParams
conv_params (const SlNode *node)
{
  SlConv2dParams params =
      sl_conv_params (node->attrs, &node->inputs[0]->shape, &node->outputs[0]->shape);
  params.act = node->act;
  return params;
}

/* Columns are the group's output channels; depth runs over kernel rows, columns, input channels. */
static SlValue *
pack_direct (SlGraph *graph, const SlNode *node, const SlConv2dParams *conv, const SlTarget *target)
{
  size_t area = (size_t)conv->kernel_h * conv->kernel_w, channels = conv->in_c / conv->groups;
  SlPackParams pack = {.groups = conv->groups,
                       .cols = conv->out_c / conv->groups,
                       .depth = {conv->kernel_h, conv->kernel_w, (uint32_t)channels},
                       .col_stride = channels * area,
                       .depth_stride = {conv->kernel_w, 1, area}};
  pack.group_stride = pack.cols * pack.col_stride;
  SlTarget plain = *target;
  /* The CPU's kernel of few channels reads float32. */
  plain.half_weights =
      target->half_weights && (target->panel_width > 0 || !sl_conv2d_is_narrow (conv));
  return sl_pack_weights (graph, node->inputs[1], &pack, &plain);
}

bool
sl_conv_wants_planes (const SlTarget *target, uint32_t out_c, uint32_t taps)
{
  return target->panel_width == 0 && sl_conv2d_wants_planes (out_c, taps, target->panel);
}

uint32_t
sl_conv_choose_winograd (const SlConv2dParams *p, const SlValue *weights, const SlTarget *target)
{
  const bool packs = !sl_is_constant (weights);
  if (sl_conv2d_is_narrow (p) || (packs && weights->kind != SL_VALUE_PARAMETER) ||
      (packs && sl_conv_wants_planes (target, p->out_c, 9)))
    return 0;
  return sl_winograd_choose (target->winograd, p, packs);
}

static void
conv_prepare (SlGraph *graph, SlNode *node, const SlTarget *target)
{
  SlConvAttrs *attrs = node->attrs;
  if (conv_row_major_only (node))
    return;
  SlValue *weights = node->inputs[1];
  if (conv_is_depthwise (node)) {
    sl_node_set_input (node, 1, sl_pack_depthwise (graph, weights));
    return;
  }
  SlConv2dParams conv = conv_params (node);
  attrs->winograd = sl_conv_choose_winograd (&conv, weights, target);
  sl_node_set_input (node, 1,
                     attrs->winograd > 0
                         ? sl_pack_winograd (graph, weights, attrs->winograd, false, target)
                         : pack_direct (graph, node, &conv, target));
}

const char *
sl_conv_winograd_kernel (uint32_t tile)
{
  return tile == 4 ? "winograd_f43" : "winograd_f23";
}

static const char *
conv_kernel (const SlNode *node, const SlConv2dParams *params)
{
  const SlConvAttrs *attrs = node->attrs;
  if (conv_is_depthwise (node))
    return "depthwise2d";
  if (attrs->winograd > 0)
    return sl_conv_winograd_kernel (attrs->winograd);
  return sl_conv2d_is_narrow (params) ? "conv2d_narrow" : "conv2d";
}

static bool
takes_planes (const SlNode *node, const SlConv2dParams *p, const SlTarget *target)
{
  const SlConvAttrs *attrs = node->attrs;
  return attrs->winograd == 0 && !p->half && p->groups == 1 && p->stride_h == 1 &&
         p->stride_w == 1 && sl_conv_wants_planes (target, p->out_c, p->kernel_h * p->kernel_w);
}

static void
lower_planes (const SlNode *node, const SlConv2dParams *p, SlLowering *to)
{
  const SlConv2dPlanesParams params = {
      .batch = p->batch,
      .in_h = p->in_h,
      .in_w = p->in_w,
      .in_c = p->in_c,
      .out_h = p->out_h,
      .out_w = p->out_w,
      .out_c = p->out_c,
      .kernel_h = p->kernel_h,
      .kernel_w = p->kernel_w,
      .first_h = -p->pad_top,
      .step_h = (int32_t)p->dilation_h,
      .first_w = -p->pad_left,
      .step_w = (int32_t)p->dilation_w,
      .in_stride = p->in_stride,
      .out_stride = p->out_stride,
      .act = p->act,
  };
  sl_lower (to, "conv2d_planes", &params, node->inputs[0], node->inputs[1], sl_node_input (node, 2),
            node->outputs[0]);
}

static void
conv_lower (const SlNode *node, SlLowering *to)
{
  if (conv_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  const SlValue *x = node->inputs[0], *y = node->outputs[0], *residual = sl_node_input (node, 3);
  SlConv2dParams params = conv_params (node);
  params.in_stride = sl_value_pixel (x);
  params.residual_stride = residual != NULL ? sl_value_pixel (residual) : 0;
  params.out_stride = sl_value_pixel (y);
  params.half = node->inputs[1]->dtype == SL_FLOAT16;
  if (residual == NULL && takes_planes (node, &params, to->target)) {
    lower_planes (node, &params, to);
    return;
  }
  sl_lower (to, conv_kernel (node, &params), &params, x, node->inputs[1], sl_node_input (node, 2),
            residual, y);
}

/* 1x1 on a picture of 1x1. */
static gboolean
conv_as_linear (const SlNode *node, SlLinear *ret)
{
  const SlConvAttrs *attrs = node->attrs;
  const SlValue *weights = node->inputs[1];
  size_t elements = 0;
  sl_shape_get_elements (&weights->shape, &elements);
  const size_t rows = (size_t)weights->shape.dim[0], cols = (size_t)weights->shape.dim[1];
  if (attrs->group != 1 || node->n_inputs > 3 || elements != rows * cols)
    return FALSE;
  *ret = (SlLinear){.weights = weights,
                    .rows = rows,
                    .cols = cols,
                    .row_stride = cols,
                    .col_stride = 1,
                    .bias = sl_node_input (node, 2),
                    .factor = 1,
                    .bias_factor = 1};
  return TRUE;
}

static void
conv_cost (const SlNode *node, SlCost *ret_cost)
{
  const SlConvAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  size_t out = 0;
  sl_shape_get_elements (&node->outputs[0]->shape, &out);
  double filter = (double)x->dim[1] / (double)attrs->group;
  for (uint32_t i = 0; i < attrs->window.kernel_shape.n; i++)
    filter *= (double)attrs->window.kernel_shape.v[i];
  ret_cost->flops = 2 * filter * (double)out;
}

static gboolean
conv_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlValue *x = node->inputs[0], *dy = sl_gradients_get (to, node, 0);
  bool wants_bias = node->n_inputs > 2 && sl_gradients_want (to, node, 2);
  if (sl_gradients_want (to, node, 0)) {
    SlValue *dx = sl_conv_input_gradient (to, node, node->attrs, &x->shape, dy, node->inputs[1]);
    sl_gradients_give (to, node, 0, dx);
  }
  if (!wants_bias && !sl_gradients_want (to, node, 1))
    return TRUE;
  SlValue *bias = NULL;
  SlValue *weights =
      sl_conv_weight_gradient (to, node, node->attrs, x, dy, wants_bias ? &bias : NULL);
  if (sl_gradients_want (to, node, 1))
    sl_gradients_give (to, node, 1, weights);
  if (wants_bias)
    sl_gradients_give (to, node, 2, bias);
  return TRUE;
}

static const SlOpClass conv = {
    .name = "Conv",
    .parameter_inputs = 1 << 1 | 1 << 2,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = conv_attrs,
    .attrs_size = sizeof (SlConvAttrs),
    .traits = SL_TRAIT_EPILOGUE | SL_TRAIT_RESIDUAL | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .infer = conv_infer,
    .reference = conv_reference,
    .as_linear = conv_as_linear,
    .absorb_affine = conv_absorb_affine,
    .absorb_pads = conv_absorb_pads,
    .prepare = conv_prepare,
    .lower = conv_lower,
    .row_major_only = conv_row_major_only,
    .gradient = conv_gradient,
    .cost = conv_cost,
};

const SlOpClass *const sl_ops_conv[] = {&conv, NULL};
