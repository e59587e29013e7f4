/* Pooling: over windows, and over everything. */
#include "net/window.h"

#include <string.h>

typedef struct PoolArgs {
  SlInts pool_size, strides;
  SlNetPadding padding;
} PoolArgs;

static const SlNetArg pool_args[] = {
    {.name = "pool_size",
     .type = SL_NET_INTS,
     .offset = offsetof (PoolArgs, pool_size),
     .preset = "2",
     .min = 1},
    {.name = "strides",
     .type = SL_NET_INTS,
     .offset = offsetof (PoolArgs, strides),
     .preset = "",
     .min = 1},
    {.name = "padding",
     .type = SL_NET_PADDING,
     .offset = offsetof (PoolArgs, padding),
     .preset = "valid"},
    {0},
};

/* Padding does not count: the maximum is of what there is, and the average, too (as in Keras). */
static SlValue *
build_pool (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  PoolArgs args = *(const PoolArgs *)data;
  const SlShape *x = &inputs[0]->shape;
  SlInts pads;
  if (!sl_net_window (builder, x, &args.padding, &args.pool_size, &args.strides,
                      &(SlInts){.n = 1, .v = {1}}) ||
      !sl_net_pads (builder, &args.padding, x->rank - 2, &pads))
    return NULL;
  const SlNetAttr attrs[] = {
      SL_NET_ATTR_INTS ("kernel_shape", &args.pool_size),
      SL_NET_ATTR_INTS ("strides", &args.strides),
      sl_net_pad_attr (&args.padding, &pads),
  };
  return sl_net_node (builder,
                      g_str_has_prefix (builder->layer->name, "Max") ? "MaxPool" : "AveragePool",
                      inputs, 1, attrs, G_N_ELEMENTS (attrs));
}

typedef struct GlobalArgs {
  bool keepdims;
} GlobalArgs;

static const SlNetArg global_args[] = {
    {.name = "keepdims",
     .type = SL_NET_BOOL,
     .offset = offsetof (GlobalArgs, keepdims),
     .preset = "false"},
    {0},
};

static SlValue *
build_global (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const GlobalArgs *args = data;
  const char *op =
      strstr (builder->layer->name, "Max") != NULL ? "GlobalMaxPool" : "GlobalAveragePool";
  SlValue *y = sl_net_unary (builder, op, inputs[0]);
  return args->keepdims ? y
                        : sl_net_node (builder, "Flatten", &y, 1, &SL_NET_ATTR_INT ("axis", 1), 1);
}

#define POOL(n, dims)                                                                  \
  {                                                                                    \
    .name = (n), .args = pool_args, .args_size = sizeof (PoolArgs), .n_positional = 3, \
    .min_rank = (dims) + 2, .max_rank = (dims) + 2, .build = build_pool                \
  }
#define GLOBAL(n, dims)                                                                         \
  {                                                                                             \
    .name = (n), .args = global_args, .args_size = sizeof (GlobalArgs), .min_rank = (dims) + 2, \
    .max_rank = (dims) + 2, .build = build_global                                               \
  }

const SlNetLayer sl_net_layers_pool[] = {
    POOL ("MaxPooling1D", 1),
    POOL ("MaxPooling2D", 2),
    POOL ("AveragePooling1D", 1),
    POOL ("AveragePooling2D", 2),
    GLOBAL ("GlobalMaxPooling1D", 1),
    GLOBAL ("GlobalMaxPooling2D", 2),
    GLOBAL ("GlobalAveragePooling1D", 1),
    GLOBAL ("GlobalAveragePooling2D", 2),
    {0},
};
