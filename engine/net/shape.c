/* Layers that move elements. */
#include "net/window.h"

static SlValue *
build_flatten (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  return sl_net_node (builder, "Flatten", inputs, 1, &SL_NET_ATTR_INT ("axis", 1), 1);
}

typedef struct ShapeArgs {
  SlInts list;
  SlNetPadding padding;
} ShapeArgs;

static const SlNetArg reshape_args[] = {
    {.name = "target_shape", .type = SL_NET_INTS, .offset = offsetof (ShapeArgs, list), .min = 1},
    {0},
};

/* In the order channel, row, column: the inverse of Flatten. */
static SlValue *
build_reshape (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const ShapeArgs *args = data;
  SlShape shape = {.rank = args->list.n + 1};
  size_t wanted = 0, there = 0;
  if (args->list.n > 3)
    return sl_net_fail (builder, SL_ERROR_UNSUPPORTED,
                        "target_shape has %u numbers (expected 1 to 3)", args->list.n);
  for (uint32_t i = 0; i < args->list.n; i++)
    shape.dim[sl_net_axis (i, shape.rank)] = args->list.v[i];
  shape.dim[0] = 1;
  sl_shape_get_elements (&inputs[0]->shape, &there);
  if (!sl_shape_get_elements (&shape, &wanted) || wanted != there) {
    g_autofree char *from = sl_net_shape_to_string (&inputs[0]->shape);
    g_autofree char *to = sl_net_shape_to_string (&shape);
    return sl_net_fail (builder, SL_ERROR_SHAPE,
                        "%s cannot become %s (expected %zu elements, found %zu)", from, to, there,
                        wanted);
  }
  shape.dim[0] = 0; /* as it is */
  SlValue *ends[] = {inputs[0], sl_net_ints (builder, shape.dim, shape.rank)};
  return sl_net_node (builder, "Reshape", ends, 2, NULL, 0);
}

static const SlNetArg permute_args[] = {
    {.name = "dims", .type = SL_NET_INTS, .offset = offsetof (ShapeArgs, list), .min = 1},
    {0},
};

static SlValue *
build_permute (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const ShapeArgs *args = data;
  const uint32_t rank = inputs[0]->shape.rank;
  SlInts perm = {.n = rank};
  uint32_t seen = 0;
  for (uint32_t i = 0; i < args->list.n && args->list.n == rank - 1; i++) {
    const int64_t from = args->list.v[i];
    if (from >= rank)
      break;
    seen |= 1u << from;
    perm.v[sl_net_axis (i, rank)] = sl_net_axis ((uint32_t)from - 1, rank);
  }
  if (seen != (1u << rank) - 2)
    return sl_net_fail (builder, SL_ERROR_SHAPE,
                        "dims does not name each dimension once (expected the numbers 1 to %u)",
                        rank - 1);
  return sl_net_node (builder, "Transpose", inputs, 1, &SL_NET_ATTR_INTS ("perm", &perm), 1);
}

static const SlNetArg padding_args[] = {
    {.name = "padding",
     .type = SL_NET_PADDING,
     .offset = offsetof (ShapeArgs, padding),
     .preset = "1"},
    {0},
};

static SlValue *
build_zero_padding (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const ShapeArgs *args = data;
  const uint32_t rank = inputs[0]->shape.rank, dims = rank - 2;
  int64_t pads[2 * SL_MAX_RANK] = {0};
  SlInts sizes;
  if (args->padding.sizes.n == 0)
    return sl_net_fail (builder, SL_ERROR_MALFORMED, "padding is a word (expected numbers)");
  if (!sl_net_pads (builder, &args->padding, dims, &sizes))
    return NULL;
  for (uint32_t i = 0; i < dims; i++) {
    pads[2 + i] = sizes.v[i];
    pads[rank + 2 + i] = sizes.v[dims + i];
  }
  SlValue *ends[] = {inputs[0], sl_net_ints (builder, pads, 2 * rank)};
  return sl_net_node (builder, "Pad", ends, 2, NULL, 0);
}

static const SlNetArg up_args[] = {
    {.name = "size",
     .type = SL_NET_INTS,
     .offset = offsetof (ShapeArgs, list),
     .preset = "2",
     .min = 1},
    {0},
};

/* Each element so often, as Keras's interpolation="nearest". */
static SlValue *
build_up_sampling (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  ShapeArgs args = *(const ShapeArgs *)data;
  const uint32_t rank = inputs[0]->shape.rank;
  float scales[SL_MAX_RANK] = {1, 1};
  if (!sl_net_spread (builder, "size", &args.list, rank - 2))
    return NULL;
  for (uint32_t i = 0; i < rank - 2; i++)
    scales[2 + i] = (float)args.list.v[i];
  g_autoptr (SlTensor) tensor = sl_tensor_new_copy (SL_FLOAT32, &SL_SHAPE (rank), scales, NULL);
  SlValue *ends[] = {inputs[0], NULL,
                     sl_graph_add_tensor (builder->graph, NULL, SL_VALUE_CONSTANT, tensor)};
  const SlNetAttr attrs[] = {SL_NET_ATTR_STRING ("mode", "nearest"),
                             SL_NET_ATTR_STRING ("nearest_mode", "floor"),
                             SL_NET_ATTR_STRING ("coordinate_transformation_mode", "asymmetric")};
  return sl_net_node (builder, "Resize", ends, 3, attrs, G_N_ELEMENTS (attrs));
}

const SlNetLayer sl_net_layers_shape[] = {
    {.name = "Flatten", .build = build_flatten},
    {.name = "Reshape",
     .args = reshape_args,
     .args_size = sizeof (ShapeArgs),
     .n_positional = 1,
     .build = build_reshape},
    {.name = "Permute",
     .args = permute_args,
     .args_size = sizeof (ShapeArgs),
     .n_positional = 1,
     .build = build_permute},
    {.name = "ZeroPadding1D",
     .args = padding_args,
     .args_size = sizeof (ShapeArgs),
     .n_positional = 1,
     .min_rank = 3,
     .max_rank = 3,
     .build = build_zero_padding},
    {.name = "ZeroPadding2D",
     .args = padding_args,
     .args_size = sizeof (ShapeArgs),
     .n_positional = 1,
     .min_rank = 4,
     .max_rank = 4,
     .build = build_zero_padding},
    {.name = "UpSampling2D",
     .args = up_args,
     .args_size = sizeof (ShapeArgs),
     .n_positional = 1,
     .min_rank = 4,
     .max_rank = 4,
     .build = build_up_sampling},
    {0},
};
