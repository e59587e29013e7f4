/* Activations, as arguments and as layers. */
#include "net/layer.h"

#include <string.h>

static SlValue *
build_silu (SlNetBuilder *builder, SlValue *x)
{
  return sl_net_node (builder, "Mul", (SlValue *[]){x, sl_net_unary (builder, "Sigmoid", x)}, 2,
                      NULL, 0);
}

static SlValue *
clip (SlNetBuilder *builder, SlValue *x, double max)
{
  return sl_net_node (
      builder, "Clip",
      (SlValue *[]){x, sl_net_scalar (builder, 0), sl_net_scalar (builder, (float)max)}, 3, NULL,
      0);
}

static SlValue *
build_relu6 (SlNetBuilder *builder, SlValue *x)
{
  return clip (builder, x, 6);
}

/* Over the channels, Keras's last axis. */
static SlValue *
build_softmax (SlNetBuilder *builder, SlValue *x)
{
  return sl_net_node (builder, "Softmax", &x, 1, &SL_NET_ATTR_INT ("axis", 1), 1);
}

/* min (max (x / 6 + 0.5, 0), 1), Keras 3's; Keras 2 had a slope of 0.2. */
static SlValue *
build_hard_sigmoid (SlNetBuilder *builder, SlValue *x)
{
  const SlNetAttr attrs[] = {SL_NET_ATTR_FLOAT ("alpha", 1.0 / 6), SL_NET_ATTR_FLOAT ("beta", 0.5)};
  return sl_net_node (builder, "HardSigmoid", &x, 1, attrs, G_N_ELEMENTS (attrs));
}

/* Presets of parameters are Keras 3's. */
static const SlNetActivation activations[] = {
    {.name = "linear"},
    {.name = "relu", .op = "Relu"},
    {.name = "relu6", .build = build_relu6},
    {.name = "leaky_relu", .op = "LeakyRelu", .attr = "alpha", .value = 0.2f},
    {.name = "sigmoid", .op = "Sigmoid"},
    {.name = "tanh", .op = "Tanh"},
    {.name = "softmax", .build = build_softmax},
    {.name = "elu", .op = "Elu"},
    {.name = "selu", .op = "Selu"},
    {.name = "gelu", .op = "Gelu"},
    {.name = "silu", .build = build_silu},
    {.name = "swish", .build = build_silu},
    {.name = "mish", .op = "Mish"},
    {.name = "softplus", .op = "Softplus"},
    {.name = "softsign", .op = "Softsign"},
    {.name = "hard_sigmoid", .build = build_hard_sigmoid},
    {.name = "hard_silu", .op = "HardSwish"},
    {.name = "hard_swish", .op = "HardSwish"},
    {.name = "exponential", .op = "Exp"},
};

const SlNetActivation *
sl_net_activation_find (const char *name)
{
  for (size_t i = 0; i < G_N_ELEMENTS (activations); i++)
    if (strcmp (activations[i].name, name) == 0)
      return &activations[i];
  return NULL;
}

char *
sl_net_activation_list (void)
{
  GString *names = g_string_new ("one of ");
  for (size_t i = 0; i < G_N_ELEMENTS (activations); i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", activations[i].name);
  return g_string_free (names, FALSE);
}

SlValue *
sl_net_activate (SlNetBuilder *builder, const SlNetActivation *activation, SlValue *x)
{
  if (activation->build != NULL)
    return activation->build (builder, x);
  if (activation->op == NULL)
    return x;
  return sl_net_node (builder, activation->op, &x, 1,
                      &SL_NET_ATTR_FLOAT (activation->attr, activation->value),
                      activation->attr != NULL);
}

/* --- Layers --- */

typedef struct {
  const SlNetActivation *activation;
} ActivationArgs;

static const SlNetArg activation_args[] = {
    {.name = "activation",
     .type = SL_NET_ACTIVATION,
     .offset = offsetof (ActivationArgs, activation)},
    {0},
};

static SlValue *
build_activation (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const ActivationArgs *args = data;
  SlValue *y = sl_net_activate (builder, args->activation, inputs[0]);
  return y == inputs[0] ? sl_net_unary (builder, "Identity", y) : y;
}

typedef struct {
  double max_value, negative_slope; /* max_value 0: none */
} ReluArgs;

static const SlNetArg relu_args[] = {
    {.name = "max_value",
     .type = SL_NET_FLOAT,
     .offset = offsetof (ReluArgs, max_value),
     .preset = "0"},
    {.name = "negative_slope",
     .type = SL_NET_FLOAT,
     .offset = offsetof (ReluArgs, negative_slope),
     .preset = "0"},
    {0},
};

static const SlNetArg leaky_args[] = {
    {.name = "negative_slope",
     .type = SL_NET_FLOAT,
     .offset = offsetof (ReluArgs, negative_slope),
     .preset = "0.3"},
    {0},
};

static SlValue *
build_relu (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const ReluArgs *args = data;
  if (args->max_value < 0 || (args->max_value > 0 && args->negative_slope != 0))
    return sl_net_fail (builder, SL_ERROR_UNSUPPORTED,
                        "max_value is %g and negative_slope %g (expected one of them, positive)",
                        args->max_value, args->negative_slope);
  if (args->max_value > 0)
    return clip (builder, inputs[0], args->max_value);
  if (args->negative_slope != 0)
    return sl_net_node (builder, "LeakyRelu", inputs, 1,
                        &SL_NET_ATTR_FLOAT ("alpha", args->negative_slope), 1);
  return sl_net_unary (builder, "Relu", inputs[0]);
}

typedef struct {
  SlNetInit alpha;
} PReluArgs;

static const SlNetArg prelu_args[] = {
    {.name = "alpha_initializer",
     .type = SL_NET_INITIALIZER,
     .offset = offsetof (PReluArgs, alpha),
     .preset = "zeros"},
    {0},
};

/* One slope a channel: Keras's shared_axes=[1, 2]; it has one an element otherwise. */
static SlValue *
build_prelu (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const PReluArgs *args = data;
  SlShape shape = {.rank = inputs[0]->shape.rank - 1, .dim = {inputs[0]->shape.dim[1], 1, 1, 1}};
  SlValue *slope =
      sl_net_weights (builder, "alpha", SL_VALUE_PARAMETER, &shape, &args->alpha, 1, 1);
  return sl_net_node (builder, "PRelu", (SlValue *[]){inputs[0], slope}, 2, NULL, 0);
}

typedef struct {
  double alpha;
} EluArgs;

static const SlNetArg elu_args[] = {
    {.name = "alpha", .type = SL_NET_FLOAT, .offset = offsetof (EluArgs, alpha), .preset = "1"},
    {0},
};

static SlValue *
build_elu (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const EluArgs *args = data;
  return sl_net_node (builder, "Elu", inputs, 1, &SL_NET_ATTR_FLOAT ("alpha", args->alpha), 1);
}

static SlValue *
build_softmax_layer (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  return build_softmax (builder, inputs[0]);
}

typedef struct {
  int64_t units;
} MaxoutArgs;

static const SlNetArg maxout_args[] = {
    {.name = "units", .type = SL_NET_INT, .offset = offsetof (MaxoutArgs, units), .min = 1},
    {0},
};

/* The channels in `units` groups of neighbours, of each the largest. */
static SlValue *
build_maxout (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const MaxoutArgs *args = data;
  const SlShape *shape = &inputs[0]->shape;
  const int64_t channels = shape->dim[1];
  if (channels % args->units != 0)
    return sl_net_fail (builder, SL_ERROR_SHAPE,
                        "%" G_GINT64_FORMAT " channels in %" G_GINT64_FORMAT
                        " units (expected a multiple)",
                        channels, args->units);
  int64_t parts[SL_MAX_RANK] = {0, args->units, channels / args->units};
  for (uint32_t i = 2; i < shape->rank; i++)
    parts[i + 1] = shape->dim[i];
  SlValue *groups = sl_net_node (
      builder, "Reshape", (SlValue *[]){inputs[0], sl_net_ints (builder, parts, shape->rank + 1)},
      2, NULL, 0);
  return sl_net_node (builder, "ReduceMax",
                      (SlValue *[]){groups, sl_net_ints (builder, (int64_t[]){2}, 1)}, 2,
                      &SL_NET_ATTR_INT ("keepdims", 0), 1);
}

const SlNetLayer sl_net_layers_activation[] = {
    {.name = "Activation",
     .args = activation_args,
     .args_size = sizeof (ActivationArgs),
     .n_positional = 1,
     .build = build_activation},
    {.name = "ReLU",
     .args = relu_args,
     .args_size = sizeof (ReluArgs),
     .n_positional = 2,
     .build = build_relu},
    {.name = "LeakyReLU",
     .args = leaky_args,
     .args_size = sizeof (ReluArgs),
     .n_positional = 1,
     .build = build_relu},
    {.name = "PReLU",
     .args = prelu_args,
     .args_size = sizeof (PReluArgs),
     .n_positional = 1,
     .build = build_prelu},
    {.name = "ELU",
     .args = elu_args,
     .args_size = sizeof (EluArgs),
     .n_positional = 1,
     .build = build_elu},
    {.name = "Softmax", .build = build_softmax_layer},
    {.name = "Maxout",
     .args = maxout_args,
     .args_size = sizeof (MaxoutArgs),
     .n_positional = 1,
     .min_rank = 2,
     .max_rank = 4,
     .build = build_maxout},
    {0},
};
