/* Input, Dense, Dropout. */
#include "net/layer.h"

typedef struct InputArgs {
  SlInts shape;
} InputArgs;

static const SlNetArg input_args[] = {
    {.name = "shape", .type = SL_NET_INTS, .offset = offsetof (InputArgs, shape), .min = 1},
    {0},
};

/* The batch is 1 while layers are built, and free afterwards. */
static SlValue *
build_input (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const InputArgs *args = data;
  SlShape shape = {.rank = args->shape.n + 1, .dim = {1}};
  if (args->shape.n > 3)
    return sl_net_fail (builder, SL_ERROR_UNSUPPORTED,
                        "shape has %u numbers (expected 1 to 3: height x width x channels)",
                        args->shape.n);
  for (uint32_t i = 0; i < args->shape.n; i++)
    shape.dim[sl_net_axis (i, shape.rank)] = args->shape.v[i];
  SlValue *value = sl_graph_add_value (builder->graph, builder->name, SL_VALUE_INPUT);
  value->dtype = SL_FLOAT32;
  value->shape = shape;
  value->has_shape = true;
  sl_graph_mark_input (builder->graph, value);
  return value;
}

typedef struct DenseArgs {
  int64_t units;
  const SlNetActivation *activation;
  bool use_bias;
  SlNetInit kernel, bias;
} DenseArgs;

static const SlNetArg dense_args[] = {
    {.name = "units", .type = SL_NET_INT, .offset = offsetof (DenseArgs, units), .min = 1},
    {.name = "activation",
     .type = SL_NET_ACTIVATION,
     .offset = offsetof (DenseArgs, activation),
     .preset = "linear"},
    {.name = "use_bias",
     .type = SL_NET_BOOL,
     .offset = offsetof (DenseArgs, use_bias),
     .preset = "true"},
    {.name = "kernel_initializer",
     .type = SL_NET_INITIALIZER,
     .offset = offsetof (DenseArgs, kernel),
     .preset = "glorot_uniform"},
    {.name = "bias_initializer",
     .type = SL_NET_INITIALIZER,
     .offset = offsetof (DenseArgs, bias),
     .preset = "zeros"},
    {0},
};

/* Weights are (inputs, units), as in Keras. */
static SlValue *
build_dense (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const DenseArgs *args = data;
  const int64_t width = inputs[0]->shape.dim[1];
  const double in = (double)width, out = (double)args->units;
  SlValue *ends[3] = {inputs[0],
                      sl_net_weights (builder, "kernel", SL_VALUE_PARAMETER,
                                      &SL_SHAPE (width, args->units), &args->kernel, in, out)};
  if (args->use_bias)
    ends[2] = sl_net_weights (builder, "bias", SL_VALUE_PARAMETER, &SL_SHAPE (args->units),
                              &args->bias, in, out);
  SlValue *y = sl_net_node (builder, "Gemm", ends, args->use_bias ? 3 : 2, NULL, 0);
  return sl_net_activate (builder, args->activation, y);
}

typedef struct DropoutArgs {
  double rate;
} DropoutArgs;

static const SlNetArg dropout_args[] = {
    {.name = "rate", .type = SL_NET_FLOAT, .offset = offsetof (DropoutArgs, rate)},
    {0},
};

static SlValue *
build_dropout (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const DropoutArgs *args = data;
  if (!(args->rate >= 0 && args->rate < 1))
    return sl_net_fail (builder, SL_ERROR_MALFORMED, "rate is %g (expected 0 to less than 1)",
                        args->rate);
  SlValue *ends[] = {inputs[0], sl_net_scalar (builder, (float)args->rate)};
  return sl_net_node (builder, "Dropout", ends, 2, NULL, 0);
}

const SlNetLayer sl_net_layers_basic[] = {
    {.name = "Input",
     .args = input_args,
     .args_size = sizeof (InputArgs),
     .n_positional = 1,
     .is_input = true,
     .build = build_input},
    {.name = "Dense",
     .args = dense_args,
     .args_size = sizeof (DenseArgs),
     .n_positional = 2,
     .min_rank = 2,
     .max_rank = 2,
     .build = build_dense},
    {.name = "Dropout",
     .args = dropout_args,
     .args_size = sizeof (DropoutArgs),
     .n_positional = 1,
     .build = build_dropout},
    {0},
};
