/* QLinearConv and ConvInteger: https://onnx.ai/onnx/operators/onnx__QLinearConv.html,
 * …/onnx__ConvInteger.html */
#include "ops/quant.h"
#include "ops/window.h"

typedef struct QConvAttrs {
  SlWindow window;
  int64_t group;
} QConvAttrs;

static const SlAttrSpec qconv_attrs[] = {
    SL_WINDOW_ATTRS,
    {.name = "group", .type = SL_ATTR_INT, .offset = offsetof (QConvAttrs, group), .preset = 1},
    {0},
};

typedef struct QConv {
  SlOpClass op; /* first: a node's class is converted back */
  SlQuantRoles roles;
} QConv;

static const SlQuantRoles *
roles_of (const SlNode *node)
{
  return &((const QConv *)(const void *)node->op)->roles;
}

/* Shapes: x (N, C, …), w (M, C / group, kernel…), bias (M), y (N, M, …). */
static gboolean
qconv_check (const SlNode *node, const SlQuantRoles *roles, GError **error)
{
  const QConvAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[roles->x]->shape, *w = &node->inputs[roles->w]->shape;
  const SlValue *bias = sl_node_input (node, roles->bias);
  int64_t channels;
  if (x->rank < 3 || x->rank != w->rank || attrs->group < 1 ||
      __builtin_mul_overflow (w->dim[1], attrs->group, &channels) || x->dim[1] != channels ||
      w->dim[0] % attrs->group != 0 || attrs->group > MAX (w->dim[0], 1)) {
    g_autofree char *input = sl_shape_to_string (x);
    g_autofree char *weights = sl_shape_to_string (w);
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
  return sl_quant_check_scale (node, roles->x_scale, error) &&
         sl_quant_check_scale (node, roles->x_zero, error) &&
         sl_quant_check_count (node, roles->w_scale, w->dim[0], error) &&
         sl_quant_check_count (node, roles->w_zero, w->dim[0], error);
}

static gboolean
qconv_infer (SlNode *node, GError **error)
{
  const SlQuantRoles *roles = roles_of (node);
  QConvAttrs *attrs = node->attrs;
  SlDType dtype;
  if (!sl_quant_check_product (node, roles, SL_INT32, &dtype, error) ||
      !qconv_check (node, roles, error))
    return FALSE;
  const SlShape *x = &node->inputs[roles->x]->shape, *w = &node->inputs[roles->w]->shape;
  if (!sl_window_set_kernel (node, &attrs->window, w, error))
    return FALSE;
  SlShape y = {.rank = x->rank, .dim = {x->dim[0], w->dim[0]}};
  if (!sl_window_infer (node, &attrs->window, x, &y, error))
    return FALSE;
  sl_infer_output (node, 0, dtype, &y);
  return TRUE;
}

/* --- Reference --- */

typedef struct Filter {
  const SlWindow3 *w;
  const int64_t *x, *weights; /* the first channel of the group, the filter */
  int64_t channels;
  int64_t x_zero, w_zero;
} Filter;

static int64_t
sum_of_channel (const Filter *f, const int64_t *x, const int64_t *weights, const int64_t at[3])
{
  const SlWindow3 *w = f->w;
  int64_t sum = 0;
  for (int64_t kd = 0; kd < w->kernel[0]; kd++)
    for (int64_t kh = 0; kh < w->kernel[1]; kh++)
      for (int64_t kw = 0; kw < w->kernel[2]; kw++, weights++) {
        int64_t d = at[0] + kd * w->dilation[0], h = at[1] + kh * w->dilation[1],
                v = at[2] + kw * w->dilation[2];
        if (d >= 0 && d < w->in[0] && h >= 0 && h < w->in[1] && v >= 0 && v < w->in[2])
          sum += (x[(d * w->in[1] + h) * w->in[2] + v] - f->x_zero) * (*weights - f->w_zero);
      }
  return sum;
}

static int64_t
sum_at (const Filter *f, const int64_t out[3])
{
  const SlWindow3 *w = f->w;
  int64_t at[3], sum = 0;
  for (int i = 0; i < 3; i++)
    at[i] = out[i] * w->stride[i] - w->pad[i];
  int64_t plane = w->in[0] * w->in[1] * w->in[2], taps = w->kernel[0] * w->kernel[1] * w->kernel[2];
  for (int64_t c = 0; c < f->channels; c++)
    sum += sum_of_channel (f, f->x + c * plane, f->weights + c * taps, at);
  return sum;
}

static const SlRefTensor *
input_of (const SlRefCall *call, uint32_t role)
{
  return role < call->n_inputs ? call->inputs[role] : NULL;
}

static void
qconv_reference (const SlRefCall *call)
{
  const QConvAttrs *attrs = call->attrs;
  const SlQuantRoles *roles = roles_of (call->node);
  const SlRefTensor *x = call->inputs[roles->x], *weights = call->inputs[roles->w];
  const SlRefTensor *bias = input_of (call, roles->bias);
  SlRefTensor *y = call->outputs[0];
  SlWindow3 w = sl_window_3d (&attrs->window, &x->shape, &y->shape);
  int64_t plane = w.in[0] * w.in[1] * w.in[2], n_out = y->shape.dim[1];
  int64_t per_group = x->shape.dim[1] / attrs->group;
  int64_t filter = per_group * w.kernel[0] * w.kernel[1] * w.kernel[2];
  size_t to = 0;

  for (int64_t n = 0; n < x->shape.dim[0]; n++)
    for (int64_t o = 0; o < n_out; o++) {
      int64_t first = (n * attrs->group + o / (n_out / attrs->group)) * per_group, at[3];
      Filter f = {.w = &w,
                  .x = x->i + first * plane,
                  .weights = weights->i + o * filter,
                  .channels = per_group,
                  .x_zero = sl_quant_zero_at (input_of (call, roles->x_zero), 0),
                  .w_zero = sl_quant_zero_at (input_of (call, roles->w_zero), (size_t)o)};
      for (at[0] = 0; at[0] < w.out[0]; at[0]++)
        for (at[1] = 0; at[1] < w.out[1]; at[1]++)
          for (at[2] = 0; at[2] < w.out[2]; at[2]++)
            sl_quant_store (call, roles, to++, (size_t)o,
                            sum_at (&f, at) + (bias != NULL ? bias->i[o] : 0));
    }
}

/* --- Steps --- */

/* Kernels read rank 3 (as height 1) and 4, dimensions of 31 bits, one channel at least. */
static gboolean
qconv_row_major_only (const SlNode *node)
{
  const SlShape *x = &node->inputs[0]->shape, *y = &node->outputs[0]->shape;
  for (uint32_t i = 0; i < x->rank; i++)
    if (x->dim[i] > INT32_MAX || y->dim[i] > INT32_MAX)
      return TRUE;
  return x->rank > 4 || x->dim[1] == 0;
}

static bool
qconv_is_depthwise (const SlNode *node)
{
  const QConvAttrs *attrs = node->attrs;
  int64_t taps = 1;
  for (uint32_t i = 0; i < attrs->window.kernel_shape.n; i++)
    taps = MIN (taps * attrs->window.kernel_shape.v[i], SL_QDEPTHWISE_TAPS + 1);
  return attrs->group > 1 && attrs->group == node->inputs[0]->shape.dim[1] &&
         attrs->group == node->outputs[0]->shape.dim[1] && taps <= SL_QDEPTHWISE_TAPS;
}

static void
qconv_prepare (SlGraph *graph, SlNode *node, const SlTarget *target)
{
  const QConvAttrs *attrs = node->attrs;
  const SlQuantRoles *roles = roles_of (node);
  if (qconv_row_major_only (node))
    return;
  const SlShape *w = &node->inputs[roles->w]->shape;
  size_t kernel_h = w->rank > 3 ? (size_t)w->dim[2] : 1, kernel_w = (size_t)w->dim[w->rank - 1];
  size_t area = kernel_h * kernel_w, channels = (size_t)w->dim[1];
  SlQuantPackParams pack = {.groups = (uint32_t)attrs->group,
                            .cols = (uint32_t)(w->dim[0] / attrs->group),
                            .depth = {(uint32_t)kernel_h, (uint32_t)kernel_w, (uint32_t)channels},
                            .col_stride = channels * area,
                            .depth_stride = {kernel_w, 1, area}};
  pack.group_stride = pack.cols * pack.col_stride;
  sl_quant_prepare (graph, node, roles, &pack, qconv_is_depthwise (node), target);
}

static void
qconv_lower (const SlNode *node, SlLowering *to)
{
  const QConvAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  if (qconv_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  SlWindow3 w = sl_window_3d (&attrs->window, &x->shape, &y->shape);
  SlQuantConvParams params = {
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
      .pad_top = (int32_t)w.pad[1],
      .pad_left = (int32_t)w.pad[2],
      .in_stride = sl_value_pixel (x),
      .out_stride = sl_value_pixel (y),
  };
  sl_quant_lower (node, to, roles_of (node), &params, qconv_is_depthwise (node));
}

static void
qconv_cost (const SlNode *node, SlCost *ret_cost)
{
  const QConvAttrs *attrs = node->attrs;
  size_t out = 0;
  sl_shape_get_elements (&node->outputs[0]->shape, &out);
  double filter = (double)node->inputs[0]->shape.dim[1] / (double)attrs->group;
  for (uint32_t i = 0; i < attrs->window.kernel_shape.n; i++)
    filter *= (double)attrs->window.kernel_shape.v[i];
  ret_cost->flops = 2 * filter * (double)out;
}

#define QCONV                                                                                  \
  .min_outputs = 1, .max_outputs = 1, .attrs = qconv_attrs, .attrs_size = sizeof (QConvAttrs), \
  .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT, .layouts = SL_LAYOUTS_SPATIAL,             \
  .infer = qconv_infer, .reference = qconv_reference, .prepare = qconv_prepare,                \
  .lower = qconv_lower, .row_major_only = qconv_row_major_only, .cost = qconv_cost

static const QConv qlinear_conv = {
    .op = {.name = "QLinearConv", .min_inputs = 8, .max_inputs = 9, QCONV},
    .roles = {.x = 0,
              .x_scale = 1,
              .x_zero = 2,
              .w = 3,
              .w_scale = 4,
              .w_zero = 5,
              .y_scale = 6,
              .y_zero = 7,
              .bias = 8},
};

static const QConv conv_integer = {
    .op = {.name = "ConvInteger", .min_inputs = 2, .max_inputs = 4, QCONV},
    .roles = {.x = 0,
              .w = 1,
              .x_zero = 2,
              .w_zero = 3,
              .x_scale = SL_QUANT_NONE,
              .w_scale = SL_QUANT_NONE,
              .y_scale = SL_QUANT_NONE,
              .y_zero = SL_QUANT_NONE,
              .bias = SL_QUANT_NONE},
};

const SlOpClass *const sl_ops_qconv[] = {&qlinear_conv.op, &conv_integer.op, NULL};
