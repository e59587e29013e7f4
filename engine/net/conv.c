/* Convolutions. Weights are (output channels, input channels of a group, kernel…), as ONNX has
 * them; Keras keeps them with the kernel first. */
#include "net/window.h"

typedef struct ConvArgs {
  int64_t filters, groups, depth_multiplier;
  SlInts kernel_size, strides, dilation_rate;
  SlNetPadding padding;
  const SlNetActivation *activation;
  bool use_bias;
  SlNetInit kernel, pointwise, bias;
} ConvArgs;

#define ROW(n, t, member, ...)                                                   \
  {                                                                              \
    .name = (n), .type = (t), .offset = offsetof (ConvArgs, member), __VA_ARGS__ \
  }
#define FILTERS ROW ("filters", SL_NET_INT, filters, .min = 1)
#define KERNEL ROW ("kernel_size", SL_NET_INTS, kernel_size, .min = 1)
#define STRIDES ROW ("strides", SL_NET_INTS, strides, .min = 1, .preset = "1")
#define PADDING ROW ("padding", SL_NET_PADDING, padding, .preset = "valid")
#define DEPTH_MULTIPLIER \
  ROW ("depth_multiplier", SL_NET_INT, depth_multiplier, .min = 1, .preset = "1")
#define DILATION ROW ("dilation_rate", SL_NET_INTS, dilation_rate, .min = 1, .preset = "1")
#define GROUPS ROW ("groups", SL_NET_INT, groups, .min = 1, .preset = "1")
#define ACTIVATION ROW ("activation", SL_NET_ACTIVATION, activation, .preset = "linear")
#define USE_BIAS ROW ("use_bias", SL_NET_BOOL, use_bias, .preset = "true")
#define INITIALIZER(n, member) ROW (n, SL_NET_INITIALIZER, member, .preset = "glorot_uniform")
#define BIAS ROW ("bias_initializer", SL_NET_INITIALIZER, bias, .preset = "zeros")

static const SlNetArg conv_args[] = {
    FILTERS,    KERNEL,   STRIDES,
    PADDING,    DILATION, GROUPS,
    ACTIVATION, USE_BIAS, INITIALIZER ("kernel_initializer", kernel),
    BIAS,       {0},
};

static const SlNetArg depthwise_args[] = {
    KERNEL,   STRIDES,    PADDING,  DEPTH_MULTIPLIER,
    DILATION, ACTIVATION, USE_BIAS, INITIALIZER ("depthwise_initializer", kernel),
    BIAS,     {0},
};

static const SlNetArg separable_args[] = {
    FILTERS,
    KERNEL,
    STRIDES,
    PADDING,
    DILATION,
    DEPTH_MULTIPLIER,
    ACTIVATION,
    USE_BIAS,
    INITIALIZER ("depthwise_initializer", kernel),
    INITIALIZER ("pointwise_initializer", pointwise),
    BIAS,
    {0},
};

static const SlNetArg transpose_args[] = {
    FILTERS,
    KERNEL,
    STRIDES,
    PADDING,
    ACTIVATION,
    USE_BIAS,
    INITIALIZER ("kernel_initializer", kernel),
    BIAS,
    {0},
};

static double
area (const SlInts *kernel)
{
  double product = 1;
  for (uint32_t i = 0; i < kernel->n; i++)
    product *= (double)kernel->v[i];
  return product;
}

/* Weights of `out` channels, each of `in`, under the kernel. */
static SlShape
weight_shape (int64_t out, int64_t in, const SlInts *kernel)
{
  SlShape shape = {.rank = kernel->n + 2, .dim = {out, in}};
  for (uint32_t i = 0; i < kernel->n; i++)
    shape.dim[2 + i] = kernel->v[i];
  return shape;
}

/* One convolution with weights and, if `bias` is there, a bias. */
static SlValue *
convolve (SlNetBuilder *builder, const ConvArgs *args, SlValue *x, SlValue *weights,
          const SlNetInit *bias, int64_t groups)
{
  SlInts pads;
  if (builder->failed || !sl_net_pads (builder, &args->padding, args->kernel_size.n, &pads))
    return NULL;
  const SlNetAttr attrs[] = {
      SL_NET_ATTR_INTS ("kernel_shape", &args->kernel_size),
      SL_NET_ATTR_INTS ("strides", &args->strides),
      SL_NET_ATTR_INTS ("dilations", &args->dilation_rate),
      SL_NET_ATTR_INT ("group", groups),
      sl_net_pad_attr (&args->padding, &pads),
  };
  SlValue *ends[3] = {x, weights};
  if (bias != NULL)
    ends[2] =
        sl_net_weights (builder, "bias", SL_VALUE_PARAMETER, &SL_SHAPE (weights->shape.dim[0]),
                        bias, weights->fan_in, weights->fan_out);
  return sl_net_node (builder, "Conv", ends, bias != NULL ? 3 : 2, attrs, G_N_ELEMENTS (attrs));
}

static SlValue *
build_conv (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  ConvArgs args = *(const ConvArgs *)data;
  SlValue *x = inputs[0];
  const int64_t channels = x->shape.dim[1];
  if (!sl_net_window (builder, &x->shape, &args.padding, &args.kernel_size, &args.strides,
                      &args.dilation_rate))
    return NULL;
  if (channels % args.groups != 0 || args.filters % args.groups != 0)
    return sl_net_fail (builder, SL_ERROR_SHAPE,
                        "%" G_GINT64_FORMAT " channels and %" G_GINT64_FORMAT
                        " filters in %" G_GINT64_FORMAT " groups (expected multiples)",
                        channels, args.filters, args.groups);
  const SlShape shape = weight_shape (args.filters, channels / args.groups, &args.kernel_size);
  const double field = area (&args.kernel_size);
  SlValue *weights = sl_net_weights (builder, "kernel", SL_VALUE_PARAMETER, &shape, &args.kernel,
                                     field * (double)shape.dim[1], field * (double)args.filters);
  SlValue *y =
      convolve (builder, &args, x, weights, args.use_bias ? &args.bias : NULL, args.groups);
  return sl_net_activate (builder, args.activation, y);
}

/* Each channel by itself. */
static SlValue *
depthwise (SlNetBuilder *builder, ConvArgs *args, SlValue *x, const char *name,
           const SlNetInit *bias)
{
  const int64_t channels = x->shape.dim[1];
  if (!sl_net_window (builder, &x->shape, &args->padding, &args->kernel_size, &args->strides,
                      &args->dilation_rate))
    return NULL;
  const SlShape shape = weight_shape (channels * args->depth_multiplier, 1, &args->kernel_size);
  const double field = area (&args->kernel_size);
  SlValue *weights = sl_net_weights (builder, name, SL_VALUE_PARAMETER, &shape, &args->kernel,
                                     field, field * (double)args->depth_multiplier);
  return convolve (builder, args, x, weights, bias, channels);
}

static SlValue *
build_depthwise (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  ConvArgs args = *(const ConvArgs *)data;
  SlValue *y = depthwise (builder, &args, inputs[0], "kernel", args.use_bias ? &args.bias : NULL);
  return sl_net_activate (builder, args.activation, y);
}

static SlValue *
build_separable (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  ConvArgs args = *(const ConvArgs *)data;
  SlValue *middle = depthwise (builder, &args, inputs[0], "depthwise_kernel", NULL);
  if (middle == NULL)
    return NULL;
  const ConvArgs point = {.kernel_size = {args.kernel_size.n, {1, 1, 1}},
                          .strides = {args.kernel_size.n, {1, 1, 1}},
                          .dilation_rate = {args.kernel_size.n, {1, 1, 1}}};
  const int64_t channels = middle->shape.dim[1];
  const SlShape shape = weight_shape (args.filters, channels, &point.kernel_size);
  SlValue *weights = sl_net_weights (builder, "pointwise_kernel", SL_VALUE_PARAMETER, &shape,
                                     &args.pointwise, (double)channels, (double)args.filters);
  SlValue *y = convolve (builder, &point, middle, weights, args.use_bias ? &args.bias : NULL, 1);
  return sl_net_activate (builder, args.activation, y);
}

/* Output: in * stride with padding=same, in * stride + max (kernel - stride, 0) with valid. */
static SlValue *
build_transpose (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  ConvArgs args = *(const ConvArgs *)data;
  SlValue *x = inputs[0];
  const uint32_t dims = x->shape.rank - 2;
  SlInts more = {.n = dims};
  if (!sl_net_spread (builder, "kernel_size", &args.kernel_size, dims) ||
      !sl_net_spread (builder, "strides", &args.strides, dims))
    return NULL;
  if (args.padding.sizes.n > 0)
    return sl_net_fail (builder, SL_ERROR_UNSUPPORTED,
                        "padding by numbers (expected same or valid)");
  for (uint32_t i = 0; i < dims && !args.padding.same; i++)
    more.v[i] = MAX (args.strides.v[i] - args.kernel_size.v[i], 0);
  const SlNetAttr attrs[] = {
      SL_NET_ATTR_INTS ("kernel_shape", &args.kernel_size),
      SL_NET_ATTR_INTS ("strides", &args.strides),
      SL_NET_ATTR_INTS ("output_padding", &more),
      SL_NET_ATTR_STRING ("auto_pad", args.padding.same ? "SAME_UPPER" : "VALID"),
  };
  const SlShape shape = weight_shape (x->shape.dim[1], args.filters, &args.kernel_size);
  const double field = area (&args.kernel_size);
  const double in = field * (double)shape.dim[0], out = field * (double)args.filters;
  SlValue *ends[3] = {
      x, sl_net_weights (builder, "kernel", SL_VALUE_PARAMETER, &shape, &args.kernel, in, out)};
  if (args.use_bias)
    ends[2] = sl_net_weights (builder, "bias", SL_VALUE_PARAMETER, &SL_SHAPE (args.filters),
                              &args.bias, in, out);
  SlValue *y = sl_net_node (builder, "ConvTranspose", ends, args.use_bias ? 3 : 2, attrs,
                            G_N_ELEMENTS (attrs));
  return sl_net_activate (builder, args.activation, y);
}

#define CONV(n, table, positional, dims, function)                                              \
  {                                                                                             \
    .name = (n), .args = (table), .args_size = sizeof (ConvArgs), .n_positional = (positional), \
    .min_rank = (dims) + 2, .max_rank = (dims) + 2, .build = (function)                         \
  }

const SlNetLayer sl_net_layers_conv[] = {
    CONV ("Conv1D", conv_args, 4, 1, build_conv),
    CONV ("Conv2D", conv_args, 4, 2, build_conv),
    CONV ("DepthwiseConv1D", depthwise_args, 3, 1, build_depthwise),
    CONV ("DepthwiseConv2D", depthwise_args, 3, 2, build_depthwise),
    CONV ("SeparableConv1D", separable_args, 4, 1, build_separable),
    CONV ("SeparableConv2D", separable_args, 4, 2, build_separable),
    CONV ("Conv2DTranspose", transpose_args, 4, 2, build_transpose),
    {0},
};
