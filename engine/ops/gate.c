/* Gradients of Relu and LeakyRelu: what passes by the sign of the result. */
#include "kernels/elementwise.h"
#include "ops/shape.h"

/* dy, y → dx, all of one shape; LeakyReluGradient: slope, one number. */
static gboolean
gate_infer (SlNode *node, GError **error)
{
  const SlShape *dy = &node->inputs[0]->shape, *y = &node->inputs[1]->shape;
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  if (!sl_shape_equal (dy, y)) {
    g_autofree char *found = sl_shape_to_string (dy);
    g_autofree char *wanted = sl_shape_to_string (y);
    sl_node_error (node, error, SL_ERROR_SHAPE, "gradient is %s, expected %s", found, wanted);
    return FALSE;
  }
  if (node->n_inputs > 2 && node->inputs[2]->shape.rank != 0) {
    g_autofree char *found = sl_shape_to_string (&node->inputs[2]->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "slope is %s, expected one number", found);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, dy);
  return TRUE;
}

/* At 0 the slope is that of negative numbers, as PyTorch's. */
static void
gate_reference (const SlRefCall *call)
{
  const SlRefTensor *dy = call->inputs[0], *y = call->inputs[1];
  for (size_t i = 0; i < dy->n; i++) {
    double rest = call->n_inputs > 2 ? call->inputs[2]->f[0] * dy->f[i] : 0;
    call->outputs[0]->f[i] = y->f[i] > 0 ? dy->f[i] : rest;
  }
}

static void
gate_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *dy = node->inputs[0], *y = node->inputs[1], *dx = node->outputs[0];
  if (sl_row_major_unless_float32 (node)) {
    sl_lower_reference (to);
    return;
  }
  SlGateParams params = {0};
  sl_value_get_rows (dy, &params.rows, &params.cols, &params.dy_stride);
  sl_value_get_rows (y, &params.rows, &params.cols, &params.y_stride);
  sl_value_get_rows (dx, &params.rows, &params.cols, &params.out_stride);
  if (node->n_inputs > 2)
    sl_lower (to, "leaky_relu_gradient", &params, dy, y, node->inputs[2], dx);
  else
    sl_lower (to, "relu_gradient", &params, dy, y, dx);
}

#define GATE                                                                      \
  .domain = SL_DOMAIN, .min_outputs = 1, .max_outputs = 1,                        \
  .traits = SL_TRAIT_IN_PLACE | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,           \
  .layouts = SL_LAYOUTS_FOLLOW, .infer = gate_infer, .reference = gate_reference, \
  .lower = gate_lower, .row_major_only = sl_row_major_unless_float32

static const SlOpClass relu_gradient = {
    .name = "ReluGradient",
    .min_inputs = 2,
    .max_inputs = 2,
    GATE,
};

static const SlOpClass leaky_relu_gradient = {
    .name = "LeakyReluGradient",
    .min_inputs = 3,
    .max_inputs = 3,
    GATE,
};

const SlOpClass *const sl_ops_gate[] = {&relu_gradient, &leaky_relu_gradient, NULL};
