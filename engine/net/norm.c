/* Normalisation. */
#include "net/layer.h"

typedef struct BatchNormArgs {
  double momentum, epsilon;
  bool center, scale;
  SlNetInit beta, gamma;
} BatchNormArgs;

#define ROW(n, t, member, p)                                                            \
  {                                                                                     \
    .name = (n), .type = (t), .offset = offsetof (BatchNormArgs, member), .preset = (p) \
  }

/* Keras's presets; PyTorch's are momentum=0.9 (which it calls 0.1) epsilon=1e-5. */
static const SlNetArg batch_norm_args[] = {
    ROW ("momentum", SL_NET_FLOAT, momentum, "0.99"),
    ROW ("epsilon", SL_NET_FLOAT, epsilon, "1e-3"),
    ROW ("center", SL_NET_BOOL, center, "true"),
    ROW ("scale", SL_NET_BOOL, scale, "true"),
    ROW ("beta_initializer", SL_NET_INITIALIZER, beta, "zeros"),
    ROW ("gamma_initializer", SL_NET_INITIALIZER, gamma, "ones"),
    {0},
};

static SlValue *
build_batch_norm (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const BatchNormArgs *args = data;
  const SlShape shape = SL_SHAPE (inputs[0]->shape.dim[1]);
  const SlNetInit zeros = {.value = 0}, ones = {.value = 1};
  if (!(args->epsilon > 0) || !(args->momentum >= 0 && args->momentum <= 1))
    return sl_net_fail (builder, SL_ERROR_MALFORMED,
                        "momentum is %g and epsilon %g (expected 0 to 1, and more than 0)",
                        args->momentum, args->epsilon);
  const SlValueKind of_scale = args->scale ? SL_VALUE_PARAMETER : SL_VALUE_CONSTANT;
  const SlValueKind of_shift = args->center ? SL_VALUE_PARAMETER : SL_VALUE_CONSTANT;
  SlValue *ends[] = {
      inputs[0],
      sl_net_weights (builder, "gamma", of_scale, &shape, args->scale ? &args->gamma : &ones, 1, 1),
      sl_net_weights (builder, "beta", of_shift, &shape, args->center ? &args->beta : &zeros, 1, 1),
      sl_net_weights (builder, "moving_mean", SL_VALUE_STATE, &shape, &zeros, 1, 1),
      sl_net_weights (builder, "moving_variance", SL_VALUE_STATE, &shape, &ones, 1, 1)};
  const SlNetAttr attrs[] = {SL_NET_ATTR_FLOAT ("epsilon", args->epsilon),
                             SL_NET_ATTR_FLOAT ("momentum", args->momentum)};
  return sl_net_node (builder, "BatchNormalization", ends, G_N_ELEMENTS (ends), attrs,
                      G_N_ELEMENTS (attrs));
}

typedef struct LrnArgs {
  int64_t size;
  double alpha, beta, bias;
} LrnArgs;

static const SlNetArg lrn_args[] = {
    {.name = "size",
     .type = SL_NET_INT,
     .offset = offsetof (LrnArgs, size),
     .preset = "5",
     .min = 1},
    {.name = "alpha", .type = SL_NET_FLOAT, .offset = offsetof (LrnArgs, alpha), .preset = "1e-4"},
    {.name = "beta", .type = SL_NET_FLOAT, .offset = offsetof (LrnArgs, beta), .preset = "0.75"},
    {.name = "bias", .type = SL_NET_FLOAT, .offset = offsetof (LrnArgs, bias), .preset = "1"},
    {0},
};

/* x / (bias + alpha / size * sum of x² over `size` channels)^beta: Caffe's, PyTorch's, ONNX's. */
static SlValue *
build_lrn (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const LrnArgs *args = data;
  const SlNetAttr attrs[] = {
      SL_NET_ATTR_INT ("size", args->size), SL_NET_ATTR_FLOAT ("alpha", args->alpha),
      SL_NET_ATTR_FLOAT ("beta", args->beta), SL_NET_ATTR_FLOAT ("bias", args->bias)};
  return sl_net_node (builder, "LRN", inputs, 1, attrs, G_N_ELEMENTS (attrs));
}

const SlNetLayer sl_net_layers_norm[] = {
    {.name = "BatchNormalization",
     .args = batch_norm_args,
     .args_size = sizeof (BatchNormArgs),
     .min_rank = 2,
     .max_rank = 4,
     .build = build_batch_norm},
    {.name = "LocalResponseNormalization",
     .args = lrn_args,
     .args_size = sizeof (LrnArgs),
     .n_positional = 4,
     .min_rank = 4,
     .max_rank = 4,
     .build = build_lrn},
    {0},
};
