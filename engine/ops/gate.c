/* Gradients of activations that their results tell: Relu, LeakyRelu, Sigmoid, Tanh. */
#include "kernels/elementwise.h"
#include "ops/internal.h"
#include "ops/pool.h"
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
sigmoid_reference (const SlRefCall *call)
{
  const SlRefTensor *dy = call->inputs[0], *y = call->inputs[1];
  for (size_t i = 0; i < dy->n; i++)
    call->outputs[0]->f[i] = dy->f[i] * y->f[i] * (1 - y->f[i]);
}

static void
tanh_reference (const SlRefCall *call)
{
  const SlRefTensor *dy = call->inputs[0], *y = call->inputs[1];
  for (size_t i = 0; i < dy->n; i++)
    call->outputs[0]->f[i] = dy->f[i] * (1 - y->f[i] * y->f[i]);
}

static void
lower_to (const SlNode *node, SlLowering *to, const char *kernel)
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
    sl_lower (to, kernel, &params, dy, y, node->inputs[2], dx);
  else
    sl_lower (to, kernel, &params, dy, y, dx);
}

static void
relu_lower (const SlNode *node, SlLowering *to)
{
  lower_to (node, to, "relu_gradient");
}

static void
leaky_lower (const SlNode *node, SlLowering *to)
{
  lower_to (node, to, "leaky_relu_gradient");
}

static void
sigmoid_lower (const SlNode *node, SlLowering *to)
{
  lower_to (node, to, "sigmoid_gradient");
}

static void
tanh_lower (const SlNode *node, SlLowering *to)
{
  lower_to (node, to, "tanh_gradient");
}

/* Behind a maximum only the greatest of a window gets a gradient, and its sign is that of the
 * pool's result: what passes is decided there, where there are fewer. */
static SlValue *
sign_simplify (SlGraph *graph, SlNode *node)
{
  SlNode *pool = node->inputs[0]->producer;
  SlValue *pooled = pool != NULL && sl_value_is_private (node->inputs[0])
                        ? sl_max_pool_find_result (pool, node->inputs[1])
                        : NULL;
  if (pooled == NULL)
    return NULL;
  SlValue *inputs[] = {pool->inputs[1], pooled, sl_node_input (node, 2)};
  SlValue *passed = sl_add_internal (graph, node->op, node->name, NULL, node->n_inputs, inputs);
  SlValue *operands[] = {pool->inputs[0], passed};
  return sl_add_internal (graph, pool->op, pool->name, pool->attrs, 2, operands);
}

#define GATE(n, refer, to)                                                                   \
  .domain = SL_DOMAIN, .min_inputs = n, .max_inputs = n, .min_outputs = 1, .max_outputs = 1, \
  .traits = SL_TRAIT_IN_PLACE | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,                      \
  .layouts = SL_LAYOUTS_FOLLOW, .infer = gate_infer, .reference = refer, .lower = to,        \
  .row_major_only = sl_row_major_unless_float32

static const SlOpClass relu_gradient = {
    .name = "ReluGradient",
    .simplify = sign_simplify,
    GATE (2, gate_reference, relu_lower),
};

static const SlOpClass leaky_relu_gradient = {
    .name = "LeakyReluGradient",
    .simplify = sign_simplify,
    GATE (3, gate_reference, leaky_lower),
};

static const SlOpClass sigmoid_gradient = {
    .name = "SigmoidGradient",
    GATE (2, sigmoid_reference, sigmoid_lower),
};

static const SlOpClass tanh_gradient = {
    .name = "TanhGradient",
    GATE (2, tanh_reference, tanh_lower),
};

const SlOpClass *const sl_ops_gate[] = {&relu_gradient, &leaky_relu_gradient, &sigmoid_gradient,
                                        &tanh_gradient, NULL};
