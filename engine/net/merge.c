/* Layers that join several inputs. */
#include "net/layer.h"

#include <string.h>

/* ONNX's operator of a type that goes from two inputs to many. */
static const struct {
  const char *type, *op;
} pairs[] = {{"Add", "Add"}, {"Subtract", "Sub"}, {"Multiply", "Mul"}};

static SlValue *
build_pairs (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  SlValue *y = inputs[0];
  size_t index = 0;
  while (strcmp (pairs[index].type, builder->layer->name) != 0)
    index++;
  for (uint32_t i = 1; i < n; i++)
    y = sl_net_node (builder, pairs[index].op, (SlValue *[]){y, inputs[i]}, 2, NULL, 0);
  return y;
}

static SlValue *
build_average (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  return sl_net_node (builder, "Mean", inputs, n, NULL, 0);
}

static SlValue *
build_maximum (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  return sl_net_node (builder, "Max", inputs, n, NULL, 0);
}

static SlValue *
build_minimum (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  return sl_net_node (builder, "Min", inputs, n, NULL, 0);
}

typedef struct ConcatArgs {
  int64_t axis; /* 0: the channels, Keras's last */
} ConcatArgs;

static const SlNetArg concat_args[] = {
    {.name = "axis",
     .type = SL_NET_INT,
     .offset = offsetof (ConcatArgs, axis),
     .preset = "",
     .min = 1},
    {0},
};

static SlValue *
build_concat (SlNetBuilder *builder, const void *data, SlValue *const *inputs, uint32_t n)
{
  const ConcatArgs *args = data;
  const uint32_t rank = inputs[0]->shape.rank;
  if (args->axis >= rank)
    return sl_net_fail (builder, SL_ERROR_SHAPE, "axis is %" G_GINT64_FORMAT " (expected 1 to %u)",
                        args->axis, rank - 1);
  const uint32_t axis = args->axis > 0 ? sl_net_axis ((uint32_t)args->axis - 1, rank) : 1;
  return sl_net_node (builder, "Concat", inputs, n, &SL_NET_ATTR_INT ("axis", axis), 1);
}

const SlNetLayer sl_net_layers_merge[] = {
    {.name = "Add", .joins = true, .build = build_pairs},
    {.name = "Subtract", .joins = true, .build = build_pairs},
    {.name = "Multiply", .joins = true, .build = build_pairs},
    {.name = "Average", .joins = true, .build = build_average},
    {.name = "Maximum", .joins = true, .build = build_maximum},
    {.name = "Minimum", .joins = true, .build = build_minimum},
    {.name = "Concatenate",
     .args = concat_args,
     .args_size = sizeof (ConcatArgs),
     .joins = true,
     .build = build_concat},
    {0},
};
