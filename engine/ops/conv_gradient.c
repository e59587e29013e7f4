/* Gradients of a convolution. */
#include "ops/conv.h"

#include "kernels/conv2d_gradient.h"
#include "ops/internal.h"

static const SlAttrSpec weight_gradient_attrs[] = {
    SL_WINDOW_ATTRS,
    {.name = "group", .type = SL_ATTR_INT, .offset = offsetof (SlConvAttrs, group), .preset = 1},
    {0},
};

/* Shapes: x (N, C, …), dy (N, M, …) → dw (M, C / group, kernel…), db (M). */
static gboolean
weight_gradient_infer (SlNode *node, GError **error)
{
  SlConvAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape, *dy = &node->inputs[1]->shape;
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  SlShape y = {.rank = x->rank, .dim = {x->dim[0], x->rank == dy->rank ? dy->dim[1] : 0}};
  if (!sl_window_infer (node, &attrs->window, x, &y, error))
    return FALSE;
  if (!sl_shape_equal (&y, dy) || attrs->group < 1 || x->dim[1] % attrs->group != 0 ||
      y.dim[1] % attrs->group != 0) {
    g_autofree char *input = sl_shape_to_string (x);
    g_autofree char *output = sl_shape_to_string (dy);
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "a gradient of %s does not fit an input of %s in %" G_GINT64_FORMAT " groups",
                   output, input, attrs->group);
    return FALSE;
  }
  SlShape weights = {.rank = x->rank, .dim = {y.dim[1], x->dim[1] / attrs->group}};
  for (uint32_t i = 0; i < attrs->window.kernel_shape.n; i++)
    weights.dim[2 + i] = attrs->window.kernel_shape.v[i];
  sl_infer_output (node, 0, node->inputs[0]->dtype, &weights);
  sl_infer_output (node, 1, node->inputs[0]->dtype, &SL_SHAPE (y.dim[1]));
  return TRUE;
}

/* One kernel position of one pair of planes. */
static double
sum_products (const SlWindow3 *w, const int64_t k[3], const double *x, const double *dy)
{
  double sum = 0;
  for (int64_t od = 0; od < w->out[0]; od++) {
    int64_t id = od * w->stride[0] + k[0] * w->dilation[0] - w->pad[0];
    for (int64_t oh = 0; oh < w->out[1]; oh++) {
      int64_t ih = oh * w->stride[1] + k[1] * w->dilation[1] - w->pad[1];
      if (id < 0 || id >= w->in[0] || ih < 0 || ih >= w->in[1])
        continue;
      const double *from = x + (id * w->in[1] + ih) * w->in[2];
      const double *by = dy + (od * w->out[1] + oh) * w->out[2];
      for (int64_t ow = 0; ow < w->out[2]; ow++) {
        int64_t iw = ow * w->stride[2] + k[2] * w->dilation[2] - w->pad[2];
        if (iw >= 0 && iw < w->in[2])
          sum += from[iw] * by[ow];
      }
    }
  }
  return sum;
}

static void
weight_gradient_reference (const SlRefCall *call)
{
  const SlConvAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *dy = call->inputs[1];
  SlRefTensor *dw = call->outputs[0], *db = call->n_outputs > 1 ? call->outputs[1] : NULL;
  SlWindow3 w = sl_window_3d (&attrs->window, &x->shape, &dy->shape);
  int64_t in_plane = w.in[0] * w.in[1] * w.in[2], out_plane = w.out[0] * w.out[1] * w.out[2];
  int64_t n_in = x->shape.dim[1], n_out = dy->shape.dim[1], group_in = n_in / attrs->group;
  double *to = dw != NULL ? dw->f : NULL;

  for (int64_t o = 0; o < n_out; o++) {
    for (int64_t n = 0; db != NULL && n < x->shape.dim[0]; n++)
      for (int64_t i = 0; i < out_plane; i++)
        db->f[o] = (n + i > 0 ? db->f[o] : 0) + dy->f[(n * n_out + o) * out_plane + i];
    for (int64_t i = 0; dw != NULL && i < group_in; i++) {
      int64_t k[3] = {0}, c = o / (n_out / attrs->group) * group_in + i;
      do {
        *to = 0;
        for (int64_t n = 0; n < x->shape.dim[0]; n++)
          *to += sum_products (&w, k, x->f + (n * n_in + c) * in_plane,
                               dy->f + (n * n_out + o) * out_plane);
        to++;
      } while (sl_window_next (&w, k));
    }
  }
}

static gboolean
weight_gradient_row_major_only (const SlNode *node)
{
  const SlShape *x = &node->inputs[0]->shape, *dy = &node->inputs[1]->shape;
  return node->inputs[0]->dtype != SL_FLOAT32 || !sl_window_fits_shapes (x, dy) || x->dim[0] == 0 ||
         x->dim[1] == 0 || dy->dim[1] == 0;
}

static SlConv2dGradientParams
weight_gradient_params (const SlNode *node, const SlTarget *target)
{
  const SlValue *x = node->inputs[0], *dy = node->inputs[1];
  SlConv2dGradientParams params = {.conv = sl_conv_params (node->attrs, &x->shape, &dy->shape)};
  params.parts = sl_conv2d_gradient_parts (&params.conv, target->panel_width);
  params.bias = node->n_outputs > 1 && node->outputs[1] != NULL && !node->outputs[1]->is_workspace;
  return params;
}

static void
weight_gradient_prepare (SlGraph *graph, SlNode *node, const SlTarget *target)
{
  if (weight_gradient_row_major_only (node))
    return;
  SlConv2dGradientParams params = weight_gradient_params (node, target);
  sl_node_add_workspace (graph, node,
                         params.parts * sl_conv2d_gradient_part (&params.conv, target->panel));
}

static void
weight_gradient_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *dy = node->inputs[1];
  const SlValue *parts = sl_node_get_workspace (node);
  if (parts == NULL) {
    sl_lower_reference (to);
    return;
  }
  SlConv2dGradientParams params = weight_gradient_params (node, to->target);
  bool depthwise = sl_conv2d_is_depthwise (&params.conv);
  params.conv.in_stride = sl_value_pixel (x);
  params.conv.out_stride = sl_value_pixel (dy);
  sl_lower (to, depthwise ? "depthwise2d_weight_parts" : "conv2d_weight_parts", &params, x, dy,
            parts);
  if (node->outputs[0] != NULL)
    sl_lower (to, "sum_weight_parts", &params, parts, node->outputs[0]);
  if (params.bias)
    sl_lower (to, "sum_bias_parts", &params, parts, node->outputs[1]);
}

static void
weight_gradient_cost (const SlNode *node, SlCost *ret_cost)
{
  const SlConvAttrs *attrs = node->attrs;
  size_t out = 0;
  sl_shape_get_elements (&node->inputs[1]->shape, &out);
  ret_cost->flops = 2 * (double)out * (double)node->inputs[0]->shape.dim[1] / (double)attrs->group;
  for (uint32_t i = 0; i < attrs->window.kernel_shape.n; i++)
    ret_cost->flops *= (double)attrs->window.kernel_shape.v[i];
}

static gboolean
weight_gradient_absorb_pads (SlNode *node, const SlInts *pads)
{
  SlConvAttrs *attrs = node->attrs;
  return sl_window_absorb_pads (&attrs->window, pads);
}

static const SlOpClass weight_gradient = {
    .name = "ConvWeightGradient",
    .domain = SL_DOMAIN,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 2,
    .attrs = weight_gradient_attrs,
    .attrs_size = sizeof (SlConvAttrs),
    .traits = SL_TRAIT_SLICE_IN,
    .layouts = SL_LAYOUTS_SPATIAL,
    .picture_inputs = 1 << 1,
    .row_major_output = true,
    .infer = weight_gradient_infer,
    .reference = weight_gradient_reference,
    .absorb_pads = weight_gradient_absorb_pads,
    .prepare = weight_gradient_prepare,
    .lower = weight_gradient_lower,
    .row_major_only = weight_gradient_row_major_only,
    .cost = weight_gradient_cost,
};

SlValue *
sl_conv_weight_gradient (SlGradients *to, const SlNode *of, const SlConvAttrs *attrs, SlValue *x,
                         SlValue *dy, SlValue **ret_bias)
{
  SlConvAttrs explicit = {.window = attrs->window, .group = attrs->group};
  explicit.window.auto_pad = SL_PAD_NOTSET;
  SlValue *inputs[] = {x, dy};
  SlValue *dw = sl_gradients_node (to, of, &weight_gradient, &explicit, 2, inputs);
  if (ret_bias == NULL)
    return dw;
  *ret_bias = sl_graph_add_value (sl_gradients_get_graph (to), dw->name, SL_VALUE_ACTIVATION);
  sl_node_add_output (dw->producer, *ret_bias);
  sl_infer_output (dw->producer, 1, dy->dtype, &SL_SHAPE (dy->shape.dim[1]));
  return dw;
}

SlValue *
sl_conv_input_gradient (SlGradients *to, const SlNode *of, const SlConvAttrs *attrs,
                        const SlShape *x, SlValue *dy, SlValue *weights)
{
  const SlWindow *window = &attrs->window;
  uint32_t n = window->strides.n;
  SlConvTransposeAttrs transposed = {
      .window = *window, .group = attrs->group, .output_padding = {.n = n}};
  transposed.window.auto_pad = SL_PAD_NOTSET;
  /* What the last window leaves over. */
  for (uint32_t i = 0; i < n; i++)
    transposed.output_padding.v[i] = x->dim[2 + i] + window->pads.v[i] + window->pads.v[n + i] -
                                     (window->kernel_shape.v[i] - 1) * window->dilations.v[i] - 1 -
                                     (dy->shape.dim[2 + i] - 1) * window->strides.v[i];
  SlValue *inputs[] = {dy, weights};
  return sl_gradients_node (to, of, sl_op_find ("ConvTranspose"), &transposed, 2, inputs);
}

SlValue *
sl_channel_sum (SlGradients *to, const SlNode *of, SlValue *x)
{
  SlGraph *graph = sl_gradients_get_graph (to);
  int64_t axes[SL_MAX_RANK] = {0};
  for (uint32_t i = 2; i < x->shape.rank; i++)
    axes[i - 1] = i;
  SlValue *sum[] = {x, sl_graph_add_ints (graph, of->name, axes, x->shape.rank - 1)};
  SlValue *flat[] = {sl_gradients_node (to, of, sl_op_find ("ReduceSum"), NULL, 2, sum),
                     sl_graph_add_ints (graph, of->name, &x->shape.dim[1], 1)};
  return sl_gradients_node (to, of, sl_op_find ("Reshape"), NULL, 2, flat);
}

const SlOpClass *const sl_ops_conv_gradient[] = {&weight_gradient, NULL};
