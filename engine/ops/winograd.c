/* The packing of weights for Winograd's convolution; conv.c chooses it. */
#include "kernels/winograd.h"

#include "ops/internal.h"

typedef struct WinogradAttrs {
  uint32_t tile, turned, width;
} WinogradAttrs;
SL_NO_PADDING (WinogradAttrs, 12);

static SlPackWinogradParams
winograd_params (const SlNode *node)
{
  const WinogradAttrs *attrs = node->attrs;
  const SlShape *w = &node->inputs[0]->shape;
  return (SlPackWinogradParams){.tile = attrs->tile,
                                .in_c = (uint32_t)w->dim[!attrs->turned],
                                .out_c = (uint32_t)w->dim[attrs->turned],
                                .turned = attrs->turned,
                                .width = attrs->width};
}

static gboolean
winograd_infer (SlNode *node, GError **error)
{
  SlPackWinogradParams params = winograd_params (node);
  size_t elements = sl_winograd_elements (&params);
  sl_infer_output (node, 0, SL_FLOAT32, &SL_SHAPE ((int64_t)elements));
  return TRUE;
}

static void
winograd_lower (const SlNode *node, SlLowering *to)
{
  SlPackWinogradParams params = winograd_params (node);
  sl_lower (to, "pack_winograd", &params, node->inputs[0], node->outputs[0]);
}

static const SlOpClass pack_winograd = {
    .name = "PackWinograd",
    .domain = SL_DOMAIN,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs_size = sizeof (WinogradAttrs),
    .traits = SL_TRAIT_PACKING,
    .infer = winograd_infer,
    .lower = winograd_lower,
};

SlValue *
sl_pack_winograd (SlGraph *graph, SlValue *weights, uint32_t tile, bool turned,
                  const SlTarget *target)
{
  WinogradAttrs attrs = {.tile = tile, .turned = turned, .width = target->panel_width};
  return sl_add_internal (graph, &pack_winograd, weights->name, &attrs, 1, &weights);
}

const SlOpClass *const sl_ops_winograd[] = {&pack_winograd, NULL};
