/* ConvTranspose: https://onnx.ai/onnx/operators/onnx__ConvTranspose.html */
#include "ops/conv.h"

#include "kernels/conv2d_planes.h"
#include "kernels/conv_transpose2d.h"
#include "ops/internal.h"

static const SlAttrSpec conv_transpose_attrs[] = {
    SL_WINDOW_ATTRS,
    {.name = "output_padding",
     .type = SL_ATTR_INTS,
     .offset = offsetof (SlConvTransposeAttrs, output_padding)},
    {.name = "output_shape",
     .type = SL_ATTR_INTS,
     .offset = offsetof (SlConvTransposeAttrs, output_shape)},
    {.name = "group",
     .type = SL_ATTR_INT,
     .offset = offsetof (SlConvTransposeAttrs, group),
     .preset = 1},
    {0},
};

/* Shapes: x (N, C, …), w (C, M / group, kernel…), bias (M), y (N, M, …). */
static gboolean
conv_transpose_check (const SlNode *node, const SlConvTransposeAttrs *attrs, int64_t *ret_channels,
                      GError **error)
{
  const SlShape *x = &node->inputs[0]->shape, *w = &node->inputs[1]->shape;
  const SlValue *bias = sl_node_input (node, 2);
  g_autofree char *input = sl_shape_to_string (x);
  g_autofree char *weights = sl_shape_to_string (w);
  if (x->rank < 3 || x->rank != w->rank || x->dim[1] != w->dim[0]) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "weights of %s do not fit an input of %s", weights,
                   input);
    return FALSE;
  }
  if (attrs->group < 1 || attrs->group > MAX (x->dim[1], 1) || x->dim[1] % attrs->group != 0 ||
      __builtin_mul_overflow (w->dim[1], attrs->group, ret_channels)) {
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "weights of %s in %" G_GINT64_FORMAT " groups do not fit an input of %s",
                   weights, attrs->group, input);
    return FALSE;
  }
  if (bias != NULL && (bias->shape.rank != 1 || bias->shape.dim[0] != *ret_channels)) {
    g_autofree char *shape = sl_shape_to_string (&bias->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "bias is %s, expected %" G_GINT64_FORMAT, shape,
                   *ret_channels);
    return FALSE;
  }
  return TRUE;
}

static gboolean
conv_transpose_infer (SlNode *node, GError **error)
{
  SlConvTransposeAttrs *attrs = node->attrs;
  int64_t channels;
  if (!sl_infer_float_inputs (node, error) || !conv_transpose_check (node, attrs, &channels, error))
    return FALSE;
  const SlShape *x = &node->inputs[0]->shape, *w = &node->inputs[1]->shape;
  if (!sl_window_set_kernel (node, &attrs->window, w, error))
    return FALSE;
  SlShape y = {.rank = x->rank, .dim = {x->dim[0], channels}};
  if (!sl_window_infer_transposed (node, &attrs->window, &attrs->output_padding,
                                   &attrs->output_shape, x, &y, error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

/* Adds w * x[…] to one output plane for one kernel position. */
static void
scatter_plane (const SlWindow3 *w, const int64_t k[3], double weight, const double *x, double *y)
{
  for (int64_t id = 0; id < w->in[0]; id++) {
    int64_t od = id * w->stride[0] + k[0] * w->dilation[0] - w->pad[0];
    for (int64_t ih = 0; ih < w->in[1]; ih++) {
      int64_t oh = ih * w->stride[1] + k[1] * w->dilation[1] - w->pad[1];
      if (od < 0 || od >= w->out[0] || oh < 0 || oh >= w->out[1])
        continue;
      const double *from = x + (id * w->in[1] + ih) * w->in[2];
      double *to = y + (od * w->out[1] + oh) * w->out[2];
      for (int64_t iw = 0; iw < w->in[2]; iw++) {
        int64_t ow = iw * w->stride[2] + k[2] * w->dilation[2] - w->pad[2];
        if (ow >= 0 && ow < w->out[2])
          to[ow] += weight * from[iw];
      }
    }
  }
}

/* What one input channel gives to one output channel. */
static void
scatter_channel (const SlWindow3 *w, const double *x, const double *weights, double *y)
{
  int64_t k[3];
  for (k[0] = 0; k[0] < w->kernel[0]; k[0]++)
    for (k[1] = 0; k[1] < w->kernel[1]; k[1]++)
      for (k[2] = 0; k[2] < w->kernel[2]; k[2]++)
        scatter_plane (w, k, *weights++, x, y);
}

static void
conv_transpose_reference (const SlRefCall *call)
{
  const SlConvTransposeAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *weights = call->inputs[1];
  const SlRefTensor *bias = call->n_inputs > 2 ? call->inputs[2] : NULL;
  SlRefTensor *y = call->outputs[0];
  SlWindow3 w = sl_window_3d (&attrs->window, &x->shape, &y->shape);
  int64_t in_plane = w.in[0] * w.in[1] * w.in[2], out_plane = w.out[0] * w.out[1] * w.out[2];
  int64_t n_in = x->shape.dim[1], n_out = y->shape.dim[1];
  int64_t group_in = n_in / attrs->group, group_out = n_out / attrs->group;
  int64_t area = w.kernel[0] * w.kernel[1] * w.kernel[2];

  for (int64_t n = 0; n < x->shape.dim[0]; n++) {
    for (int64_t o = 0; o < n_out; o++) {
      double *plane = y->f + (n * n_out + o) * out_plane;
      for (int64_t i = 0; i < out_plane; i++)
        plane[i] = bias != NULL ? bias->f[o] : 0;
      int64_t first = o / group_out * group_in;
      for (int64_t c = first; c < first + group_in; c++)
        scatter_channel (&w, x->f + (n * n_in + c) * in_plane,
                         weights->f + (c * group_out + o % group_out) * area, plane);
    }
  }
}

/* Output channels of several groups do not lie along one axis of the weights. */
static gboolean
conv_transpose_absorb_affine (SlGraph *graph, SlNode *node, SlValue *scale, SlValue *shift)
{
  const SlConvTransposeAttrs *attrs = node->attrs;
  if (attrs->group != 1 && scale != NULL)
    return FALSE;
  if (node->n_inputs < 3)
    sl_node_add_input (node, NULL);
  if (scale != NULL)
    sl_node_set_input (node, 1, sl_scale_weights (graph, node->inputs[1], 1, scale));
  sl_node_set_input (node, 2, sl_scale_bias (graph, node->inputs[2], scale, shift));
  return TRUE;
}

/* The kernel sums over one channel at least, and has a phase for each output between two inputs. */
static gboolean
conv_transpose_row_major_only (const SlNode *node)
{
  const SlConvTransposeAttrs *attrs = node->attrs;
  for (uint32_t i = 0; i < attrs->window.strides.n; i++)
    if (attrs->window.strides.v[i] > SL_TRANSPOSED_STRIDE_MAX)
      return TRUE;
  return sl_window_row_major_only (node) || node->inputs[0]->shape.dim[1] == 0 ||
         node->outputs[0]->shape.dim[1] == 0;
}

static SlConvTranspose2dParams
kernel_params (const SlNode *node)
{
  const SlConvTransposeAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlWindow3 w = sl_window_3d (&attrs->window, &x->shape, &y->shape);
  return (SlConvTranspose2dParams){
      .batch = (uint32_t)x->shape.dim[0],
      .groups = (uint32_t)attrs->group,
      .in_h = (uint32_t)w.in[1],
      .in_w = (uint32_t)w.in[2],
      .in_c = (uint32_t)x->shape.dim[1],
      .out_h = (uint32_t)w.out[1],
      .out_w = (uint32_t)w.out[2],
      .out_c = (uint32_t)y->shape.dim[1],
      .kernel_h = (uint32_t)w.kernel[1],
      .kernel_w = (uint32_t)w.kernel[2],
      .stride_h = (uint32_t)w.stride[1],
      .stride_w = (uint32_t)w.stride[2],
      .dilation_h = (uint32_t)w.dilation[1],
      .dilation_w = (uint32_t)w.dilation[2],
      .pad_top = (uint32_t)w.pad[1],
      .pad_left = (uint32_t)w.pad[2],
      .in_stride = sl_value_pixel (x),
      .out_stride = sl_value_pixel (y),
      .act = node->act,
  };
}

/* --- Packing --- */

typedef struct PackAttrs {
  SlPackTransposedParams pack;
  uint32_t panel;
} PackAttrs;
SL_NO_PADDING (PackAttrs, 11 * sizeof (uint32_t));

static gboolean
pack_infer (SlNode *node, GError **error)
{
  const PackAttrs *attrs = node->attrs;
  const SlPackTransposedParams *p = &attrs->pack;
  size_t depth = (size_t)p->kernel_h * p->kernel_w * p->group_in;
  size_t elements = p->groups * sl_packed_elements (p->group_out, depth, attrs->panel);
  sl_infer_output (node, 0, SL_FLOAT32, &SL_SHAPE ((int64_t)elements));
  return TRUE;
}

static void
pack_lower (const SlNode *node, SlLowering *to)
{
  const PackAttrs *attrs = node->attrs;
  sl_lower (to, "pack_transposed2d", &attrs->pack, node->inputs[0], node->outputs[0]);
}

static const SlOpClass pack_transposed = {
    .name = "PackTransposed",
    .domain = SL_DOMAIN,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs_size = sizeof (PackAttrs),
    .traits = SL_TRAIT_PACKING,
    .infer = pack_infer,
    .lower = pack_lower,
};

static bool
is_depthwise (const SlNode *node)
{
  const SlConvTransposeAttrs *attrs = node->attrs;
  return attrs->group > 1 && attrs->group == node->inputs[0]->shape.dim[1] &&
         attrs->group == node->outputs[0]->shape.dim[1];
}

/* A transposed convolution of stride 1 is a convolution with its windows turned around. */
static bool
is_turned (const SlConvTranspose2dParams *p)
{
  return p->groups == 1 && p->stride_h == 1 && p->stride_w == 1;
}

static SlConv2dParams
turned_params (const SlConvTranspose2dParams *p)
{
  return (SlConv2dParams){
      .batch = p->batch,
      .groups = p->groups,
      .in_h = p->in_h,
      .in_w = p->in_w,
      .in_c = p->in_c,
      .out_h = p->out_h,
      .out_w = p->out_w,
      .out_c = p->out_c,
      .kernel_h = p->kernel_h,
      .kernel_w = p->kernel_w,
      .stride_h = p->stride_h,
      .stride_w = p->stride_w,
      .dilation_h = p->dilation_h,
      .dilation_w = p->dilation_w,
      .pad_top = (int32_t)((p->kernel_h - 1) * p->dilation_h) - (int32_t)p->pad_top,
      .pad_left = (int32_t)((p->kernel_w - 1) * p->dilation_w) - (int32_t)p->pad_left,
      .in_stride = p->in_stride,
      .out_stride = p->out_stride,
      .act = p->act,
  };
}

static void
conv_transpose_prepare (SlGraph *graph, SlNode *node, const SlTarget *target)
{
  if (conv_transpose_row_major_only (node))
    return;
  SlValue *weights = node->inputs[1];
  if (is_depthwise (node)) {
    sl_node_set_input (node, 1, sl_pack_depthwise (graph, weights));
    return;
  }
  SlConvTranspose2dParams p = kernel_params (node);
  SlConvTransposeAttrs *own = node->attrs;
  const SlConv2dParams conv = turned_params (&p);
  own->winograd = is_turned (&p) ? sl_conv_choose_winograd (&conv, weights, target) : 0;
  if (own->winograd > 0) {
    sl_node_set_input (node, 1, sl_pack_winograd (graph, weights, own->winograd, true, target));
    return;
  }
  PackAttrs attrs = {.pack = {.groups = p.groups,
                              .group_in = p.in_c / p.groups,
                              .group_out = p.out_c / p.groups,
                              .kernel_h = p.kernel_h,
                              .kernel_w = p.kernel_w,
                              .stride_h = p.stride_h,
                              .stride_w = p.stride_w,
                              .dilation_h = p.dilation_h,
                              .dilation_w = p.dilation_w,
                              .width = target->panel_width},
                     .panel = target->panel};
  sl_node_set_input (node, 1,
                     sl_add_internal (graph, &pack_transposed, weights->name, &attrs, 1, &weights));
}

/* A convolution whose taps go backwards. */
static void
lower_planes (const SlNode *node, const SlConvTranspose2dParams *p, SlLowering *to)
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
      .first_h = (int32_t)p->pad_top,
      .step_h = -(int32_t)p->dilation_h,
      .first_w = (int32_t)p->pad_left,
      .step_w = -(int32_t)p->dilation_w,
      .in_stride = p->in_stride,
      .out_stride = p->out_stride,
      .act = p->act,
  };
  sl_lower (to, "conv2d_planes", &params, node->inputs[0], node->inputs[1], sl_node_input (node, 2),
            node->outputs[0]);
}

static void
conv_transpose_lower (const SlNode *node, SlLowering *to)
{
  if (conv_transpose_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  SlConvTranspose2dParams params = kernel_params (node);
  const SlConvTransposeAttrs *attrs = node->attrs;
  if (attrs->winograd > 0) {
    const SlConv2dParams turned = turned_params (&params);
    sl_lower (to, sl_conv_winograd_kernel (attrs->winograd), &turned, node->inputs[0],
              node->inputs[1], sl_node_input (node, 2), NULL, node->outputs[0]);
    return;
  }
  if (is_turned (&params) &&
      sl_conv_wants_planes (to->target, params.out_c, params.kernel_h * params.kernel_w)) {
    lower_planes (node, &params, to);
    return;
  }
  sl_lower (to, is_depthwise (node) ? "depthwise_transposed2d" : "conv_transpose2d", &params,
            node->inputs[0], node->inputs[1], sl_node_input (node, 2), node->outputs[0]);
}

static void
conv_transpose_cost (const SlNode *node, SlCost *ret_cost)
{
  const SlConvTransposeAttrs *attrs = node->attrs;
  size_t in = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &in);
  double filter = (double)node->outputs[0]->shape.dim[1] / (double)attrs->group;
  for (uint32_t i = 0; i < attrs->window.kernel_shape.n; i++)
    filter *= (double)attrs->window.kernel_shape.v[i];
  ret_cost->flops = 2 * filter * (double)in;
}

/* The convolution of dy gives dx; its weights' gradient, with dy for its input, is dw. */
static gboolean
conv_transpose_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const SlConvTransposeAttrs *attrs = node->attrs;
  const SlConvAttrs conv = {.window = attrs->window, .group = attrs->group};
  SlValue *x = node->inputs[0], *dy = sl_gradients_get (to, node, 0);
  bool wants_bias = node->n_inputs > 2 && sl_gradients_want (to, node, 2);
  /* Outputs beyond those that see an input would be pixels of dx that do not exist. */
  for (uint32_t i = 0; i < attrs->window.strides.n; i++)
    if ((dy->shape.dim[2 + i] + attrs->window.pads.v[i] +
         attrs->window.pads.v[attrs->window.strides.n + i] -
         (attrs->window.kernel_shape.v[i] - 1) * attrs->window.dilations.v[i] - 1) /
                attrs->window.strides.v[i] +
            1 !=
        x->shape.dim[2 + i])
      return FALSE;
  if (sl_gradients_want (to, node, 0)) {
    SlConvAttrs forward = conv;
    forward.window.auto_pad = SL_PAD_NOTSET;
    SlValue *inputs[] = {dy, node->inputs[1]};
    sl_gradients_give (to, node, 0,
                       sl_gradients_node (to, node, sl_op_find ("Conv"), &forward, 2, inputs));
  }
  if (sl_gradients_want (to, node, 1))
    sl_gradients_give (to, node, 1, sl_conv_weight_gradient (to, node, &conv, dy, x, NULL));
  if (wants_bias)
    sl_gradients_give (to, node, 2, sl_channel_sum (to, node, dy));
  return TRUE;
}

static const SlOpClass conv_transpose = {
    .name = "ConvTranspose",
    .parameter_inputs = 1 << 1 | 1 << 2,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = conv_transpose_attrs,
    .attrs_size = sizeof (SlConvTransposeAttrs),
    .traits = SL_TRAIT_EPILOGUE | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .infer = conv_transpose_infer,
    .reference = conv_transpose_reference,
    .absorb_affine = conv_transpose_absorb_affine,
    .prepare = conv_transpose_prepare,
    .lower = conv_transpose_lower,
    .row_major_only = conv_transpose_row_major_only,
    .gradient = conv_transpose_gradient,
    .cost = conv_transpose_cost,
};

const SlOpClass *const sl_ops_conv_transpose[] = {&conv_transpose, &pack_transposed, NULL};
